"""The store goes away in the middle of a job and comes back: no task is burnt."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.program import Ground
from tests.stores import seaweedfs

pytestmark = pytest.mark.timeout(300)
HOLD_SECONDS = 120
KEYS = [f"{number:04d}" for number in range(400)]


def test_a_store_that_is_gone_for_a_while_burns_no_task(tmp_path: Path) -> None:
    (tmp_path / "ground").mkdir()
    with seaweedfs(tmp_path / "store") as store:
        ground = Ground(store, tmp_path / "ground", "outage")
        ground.put(KEYS)
        ground.write_settings(region={"requests_per_second": 25})
        running = ground.start("run", ground.job_file(ground.csv(KEYS)), "--yes")
        ground.wait_for_copies(25)
    try:
        job_id = ground.the_job()  # asked once the store is gone: the job could end before the answer
        ends = time.monotonic() + HOLD_SECONDS
        while not (held := ground.call_json("describe-job", job_id))["hold"]:
            assert held["status"] == "Active"
            assert time.monotonic() < ends, f"no hold after {HOLD_SECONDS} s: {held}\n{ground.log()}"
            time.sleep(0.5)
        assert held["progress_summary"]["number_of_tasks_failed"] == 0
        with seaweedfs(tmp_path / "store", port=store.port):
            assert running.wait(180) == 0
            assert ground.report(job_id).keys("succeeded") == KEYS
            assert ground.keys_in(ground.target) == set(KEYS)
    finally:
        ground.kill_all()
