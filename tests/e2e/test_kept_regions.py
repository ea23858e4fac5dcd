"""Regions that are made, changed and deleted with ``cosbatch admin`` while ``cosbatch serve`` runs."""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.program import PROGRAM, Ground
from tests.e2e.service import ROLE, CosClient, declare_service, start_service
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(600)

KEYS = [f"logs/{number:05d}.log" for number in range(600)]


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    """The settings know the role, and no region."""
    ground = Ground(seaweedfs_store, tmp_path, f"reg{uuid.uuid4().hex[:8]}")
    declare_service(ground)
    path = tmp_path / "cosbatch.yaml"
    document = yaml.safe_load(path.read_text())
    del document["regions"]
    path.write_text(yaml.safe_dump(document))
    yield ground
    ground.kill_all()


def admin(ground: Ground, *arguments: str, code: int = 0) -> dict[str, Any]:
    places = ["--config", str(ground.folder / "cosbatch.yaml"), "--data", str(ground.folder / "state"), "--json"]
    done = subprocess.run([PROGRAM, "admin", *arguments, *places], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def make_here(ground: Ground, *options: str) -> dict[str, Any]:
    store = ground.store
    return admin(ground, "create-region", "here", "--endpoint", store.endpoint, "--profile", store.profile, *options)


def test_a_job_runs_in_a_region_that_was_made_while_the_service_ran(ground: Ground) -> None:
    ground.put(KEYS[:30])
    arn = ground.csv([*KEYS[:30], "gone/1"])
    client = CosClient(start_service(ground))
    refused = client.ask("POST", "/jobs", body=client.body(arn))
    assert (refused.status_code, "InvalidArgument" in refused.text) == (400, True)
    admin(ground, "create-region", "heer", "--endpoint", ground.store.endpoint)
    refused = client.ask("POST", "/jobs", body=client.body(arn))
    assert "is not in the region table" in refused.text
    assert "heer" in refused.text

    made = make_here(ground)
    assert (made["name"], made["is_declared"]) == ("here", False)
    job = client.wait(client.create(arn), "Complete")

    assert job["ProgressSummary"] == {
        "NumberOfTasksFailed": "1",
        "NumberOfTasksSucceeded": "30",
        "TotalNumberOfTasks": "31",
    }
    assert ground.keys_in(ground.target) == set(KEYS[:30])
    assert ground.report(job["JobId"]).keys("succeeded") == KEYS[:30]
    assert client.service.stop() == 0


def test_two_services_on_one_folder_know_it_both(ground: Ground) -> None:
    ground.put(KEYS[:10])
    first, second = start_service(ground), start_service(ground)
    make_here(ground)
    for service in (second, first):
        client = CosClient(first).via(service)
        client.wait(client.create(ground.csv(KEYS[:10])), "Complete")
    assert [service.stop() for service in (first, second)] == [0, 0]


def test_a_running_job_gets_the_new_rate_and_keeps_its_region(ground: Ground) -> None:
    """At 2 requests a second it would take five minutes."""
    ground.put(KEYS)
    client = CosClient(start_service(ground))
    make_here(ground, "--requests-per-second", "2")
    began = time.monotonic()
    job_id = client.create(ground.csv(KEYS))
    client.wait(
        job_id, lambda job: int(job["ProgressSummary"]["NumberOfTasksSucceeded"]) > 0 or job["Status"] == "Active"
    )
    for verb in (["delete-region", "here"], ["update-region", "here", "--endpoint", "http://127.0.0.1:9"]):
        (fault,) = admin(ground, *verb, code=2)["error"]["faults"]
        assert f"is named by job {job_id}" in fault["problem"]

    changed = admin(ground, "update-region", "here", "--unset", "requests_per_second", "--max-connections", "40")

    assert (changed["requests_per_second"], changed["max_connections"]) == (None, 40)
    client.wait(job_id, "Complete", seconds=120)
    assert time.monotonic() - began < len(KEYS) / 2
    assert ground.report(job_id).keys("succeeded") == KEYS
    (fault,) = admin(ground, "delete-region", "here", code=2)["error"]["faults"]
    assert f"is named by role {ROLE}" in fault["problem"]
    path = ground.folder / "cosbatch.yaml"
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**document, "roles": []}))
    admin(ground, "delete-region", "here")
    assert admin(ground, "list-regions")["regions"] == []
    refused = client.ask("POST", "/jobs", body=client.body(ground.csv(KEYS[:3])))
    assert "is not in the region table" in refused.text
    assert client.service.stop() == 0


def test_a_job_file_may_name_it_too(ground: Ground) -> None:
    ground.put(KEYS[:5])
    path = ground.folder / "cosbatch.yaml"
    document = yaml.safe_load(path.read_text())
    del document["roles"][0]["account"]
    path.write_text(yaml.safe_dump(document))
    job_file = ground.job_file(ground.csv(KEYS[:5]), role_arn=ROLE)
    assert "is not in the region table" in ground.call("run", job_file, "--yes", "--json", expect=2)

    make_here(ground)

    assert ground.call_json("run", job_file, "--yes")["status"] == "Complete"
    assert ground.keys_in(ground.target) == set(KEYS[:5])
