"""The JSON API of the installed service, from the first login to a job's end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.program import Ground
from tests.e2e.service import ROLE, declare_service, start_service
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)
KEYS = [f"logs/{number:03d}.log" for number in range(30)]
PASSWORD = "four other words in a row"
WAIT_SECONDS = 120


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"rest{uuid.uuid4().hex[:8]}")
    declare_service(ground)
    yield ground
    ground.kill_all()


def log_in(client: httpx.Client, user: str, password: str) -> dict[str, Any]:
    answer = client.post("/session", json={"user": user, "password": password})
    assert answer.status_code == 200, answer.text
    client.headers["x-csrf-token"] = answer.json()["csrf_token"]
    return dict(answer.json())


def wait(client: httpx.Client, job_id: str, status: str) -> dict[str, Any]:
    ends = time.monotonic() + WAIT_SECONDS
    while (job := client.get(f"/jobs/{job_id}").json())["status"] != status:
        assert time.monotonic() < ends, job
        time.sleep(0.1)
    return dict(job)


def test_from_the_first_login_to_the_end_of_a_job(ground: Ground) -> None:
    ground.put(KEYS)
    service = start_service(ground)
    first = service.first_run
    with httpx.Client(base_url=f"{service.address}/api/v1", timeout=30) as client:
        assert client.get("/session").status_code == 401
        assert log_in(client, first["user"], first["password"])["must_change_password"]
        assert client.get("/capabilities").status_code == 403
        passwords = {"password": first["password"], "new_password": PASSWORD}
        assert client.put("/session/password", json=passwords).status_code == 204
        assert not (ground.folder / "state" / "first-run.json").exists()
        assert not log_in(client, first["user"], PASSWORD)["must_change_password"]
        offered = client.get("/capabilities").json()
        assert [region["name"] for region in offered["regions"]] == ["here"]
        document = ground.document(ground.csv([*KEYS, "gone/1"]), role_arn=ROLE, confirmation_required=True)
        made = client.post("/jobs", json=document)
        assert made.status_code == 201, made.text
        job_id = made.json()["job_id"]
        assert "confirm" in wait(client, job_id, "Suspended")["actions"]
        client.put(f"/jobs/{job_id}/status", json={"requested_job_status": "Ready"})
        ended = wait(client, job_id, "Complete")
        counts = ended["progress_summary"]
        assert (counts["number_of_tasks_succeeded"], counts["number_of_tasks_failed"]) == (30, 1)
        assert ended["failures_by_code"]["NoSuchKey"]["sample_keys"] == ["gone/1"]
        statuses = [event["status"] for event in client.get(f"/jobs/{job_id}/events").json()["items"]]
        assert list(dict.fromkeys(statuses))[:3] == ["New", "Preparing", "Suspended"]
        assert client.delete("/session").status_code == 204
        assert client.get("/session").status_code == 401
    log = (ground.folder / "state" / "cosbatch.log").read_text()
    assert job_id in log
    assert [secret for secret in (first["password"], PASSWORD, "coss_") if secret in log] == []
    assert service.stop() == 0
