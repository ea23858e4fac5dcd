"""What failed is retried, and results are taken home, in the installed program."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import Ground
from tests.e2e.service import start_service
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)
THERE = [f"logs/{number:03d} é.log" for number in range(30)]
MISSING = [f"late/{number:03d} +.log" for number in range(7)]


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"again{uuid.uuid4().hex[:8]}")
    yield ground
    ground.kill_all()


def test_what_was_missing_is_copied_by_a_retry_and_nothing_fails(ground: Ground) -> None:
    ground.write_settings(workers=1, poll_seconds=0.1)
    ground.put(THERE)
    job_file = ground.job_file(ground.csv([*THERE, *MISSING]), failure_threshold="never")
    first = ground.call_json("run", job_file, "--yes", expect=3)["job_id"]
    assert sorted(ground.report(first).keys("failed")) == sorted(MISSING)
    rows = ground.call("report", first, "--code", "NoSuchKey").splitlines()
    assert len(rows) == len(MISSING)
    ground.put(MISSING)

    made = ground.call_json("retry-failed", first, "--code", "NoSuchKey", "--no-confirm")["job"]
    service = start_service(ground)
    ended = ground.wait_for_status(made["job_id"], "Complete")
    assert service.stop() == 0

    progress = ended["progress_summary"]
    assert (progress["number_of_tasks_succeeded"], progress["number_of_tasks_failed"]) == (len(MISSING), 0)
    assert ground.keys_in(ground.target) == {*THERE, *MISSING}
    assert ground.report(made["job_id"]).keys("failed") == []
    summary = json.loads(ground.call("report", made["job_id"], "--summary", "--json"))
    assert summary["manifest"]["retry_of"] == {"job_id": first, "error_code": "NoSuchKey"}
