"""The end of a job's records, and quotas, in the installed program."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import Ground, kill_group
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)
KEYS = [f"logs/{number:05d}.log" for number in range(300)]


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"life{uuid.uuid4().hex[:8]}")
    yield ground
    ground.kill_all()


def run(ground: Ground, name: str) -> str:
    ground.put(KEYS[:50])
    manifest = ground.csv(KEYS[:50], name=f"{name}.csv")
    return str(ground.call_json("run", ground.job_file(manifest, name=f"{name}.yaml"), "--yes")["job_id"])


def listed(ground: Ground) -> list[str]:
    return [job["job_id"] for job in ground.call_json("list-jobs")["jobs"]]


def folder_of(ground: Ground, job_id: str) -> Path:
    return ground.folder / "state" / "spool" / "jobs" / job_id


def test_a_deleted_job_leaves_its_report_and_nothing_else(ground: Ground) -> None:
    gone = run(ground, "first")
    assert folder_of(ground, gone).is_dir()

    assert ground.call_json("delete-job", gone) == {"deleted": gone}

    assert listed(ground) == []
    ground.call("describe-job", gone, expect=2)
    kept = run(ground, "second")
    assert listed(ground) == [kept]
    assert not folder_of(ground, gone).exists()
    assert folder_of(ground, kept).is_dir()
    assert ground.report(gone).keys("succeeded") == KEYS[:50]


def test_the_end_of_the_retention_takes_a_job_away(ground: Ground) -> None:
    gone = run(ground, "first")
    ground.write_settings(retention_days=0.2 / 86400)  # less than it takes to start a program

    kept = run(ground, "second")

    assert listed(ground) == [kept]
    assert not folder_of(ground, gone).exists()


def test_a_quota_refuses_another_job_and_says_how_many(ground: Ground) -> None:
    ground.put(KEYS)
    ground.write_settings(region={"requests_per_second": 2}, max_unfinished_jobs=1)
    running = ground.start("run", ground.job_file(ground.csv(KEYS), name="first.yaml"), "--yes")
    ground.wait_for_copies(1)

    second = ground.job_file(ground.csv(KEYS[:5], name="other.csv"), name="second.yaml")
    error = ground.call_json("run", second, "--yes", expect=2)["error"]

    assert error["code"] == "TooManyJobs"
    assert "has 1 of the 1 unfinished jobs that it may have" in error["message"]
    kill_group(running)
