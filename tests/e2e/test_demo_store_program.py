"""``cosbatch serve --demo-store`` and ``cosbatch demo-console`` as a newcomer meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cosbatch.client import Client
from cosbatch.model.states import JobStatus, is_final
from tests.e2e.program import PROGRAM

pytestmark = pytest.mark.timeout(600)
PASSWORD = "four other words in a row"
LISTED_FAILURES = {"AccessDenied": 5, "NoSuchKey": 2}
NOBODY = "http://127.0.0.1:9"
"""Of a company whose proxy knows nothing of this machine's own addresses."""
START_SECONDS = 120
STAGE_SECONDS = 200
STOP_SECONDS = 120


class Programs:
    """What a test has started, and the folder of all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, seconds: float) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        """The program, and what it has told once it was ready."""
        told = self.folder / f"told-{len(self.started)}"
        with told.open("wb") as out, (self.folder / "stderr").open("ab") as err:
            process = subprocess.Popen(
                [str(PROGRAM), *arguments, "--json"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "TMPDIR": str(self.folder), "HTTP_PROXY": NOBODY, "http_proxy": NOBODY},
                start_new_session=True,
            )
        self.started.append(process)
        ends = time.monotonic() + seconds
        while not told.read_bytes().endswith(b"\n"):
            errors = (self.folder / "stderr").read_text()
            assert process.poll() is None, f"it has ended with {process.returncode}\n{errors}"
            assert time.monotonic() < ends, f"not ready after {seconds} s\n{errors}"
            time.sleep(0.05)
        return process, json.loads(told.read_text())

    def left(self) -> list[str]:
        """Command lines of living processes that name the folder."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_text(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if str(self.folder) in line:
                found.append(line)
        return found

    def wait_until_gone(self) -> None:
        ends = time.monotonic() + STOP_SECONDS
        while left := self.left():
            assert time.monotonic() < ends, left
            time.sleep(0.05)


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path)
    yield programs
    for process in programs.started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def token_of(address: str, *, user: str, password: str) -> str:
    """Of somebody who changes the first password."""
    with httpx.Client(base_url=f"{address}/api/v1", timeout=30) as http:
        for now in (password, PASSWORD):
            session = http.post("/session", json={"user": user, "password": now}).json()
            http.headers["x-csrf-token"] = session["csrf_token"]
            if session["must_change_password"]:
                assert http.get("/capabilities").status_code == 403
                passwords = {"password": now, "new_password": PASSWORD}
                assert http.put("/session/password", json=passwords).status_code == 204
        scopes = ["jobs:read", "jobs:write", "admin"]
        made = http.post("/tokens", json={"user": user, "scopes": scopes})
        assert made.status_code == 201, made.text
        return str(made.json()["text"])


def slow_job(client: Client, sample: dict[str, Any], *, endpoint: str) -> dict[str, Any]:
    """The sample once more, to another place and with time to stop the service meanwhile."""
    region = {"name": "slow", "endpoint": endpoint, "profile": "seaweedfs", "requests_per_second": 80}
    client.call("POST", "/regions", body=region)
    copy = {**sample["operation"]["cos_put_object_copy"], "target_key_prefix": "again/"}
    operation = {"cos_put_object_copy": copy}
    return {**sample, "region": "slow", "operation": operation, "confirmation_required": False}


def test_a_newcomer_runs_the_sample_job_in_two_steps(programs: Programs) -> None:
    state = programs.folder / "state"
    serve = ("serve", "--demo-store", "--port", "0", "--data", str(state))
    service, told = programs.start(*serve, seconds=START_SECONDS)
    first = json.loads((state / "first-run.json").read_text())
    token = token_of(told["address"], user=first["user"], password=first["password"])
    with Client(told["address"], token=token) as client:
        sample = client.call("GET", "/capabilities")["sample"]
        endpoint = client.call("GET", "/regions/demo")["connection"]["endpoint"]
        job = client.create_job(sample, client_request_token="the first click")
        client.wait_for_job(job.id, until=lambda job: job.status is JobStatus.SUSPENDED, timeout_seconds=120)
        client.confirm_job(job.id)
        ended = client.wait_for_job(job.id, timeout_seconds=120)
        assert (ended.status, ended.tally.succeeded, ended.tally.failed) == (JobStatus.COMPLETE, 293, 7)
        assert {group.error_code: group.count for group in client.job_failures(job.id).items} == LISTED_FAILURES
    other = subprocess.run([str(PROGRAM), *serve], capture_output=True, text=True, timeout=START_SECONDS)
    assert (other.returncode, "is in use by another service" in other.stderr) == (2, True), other.stderr
    with Client(told["address"], token=token) as client:
        slow = client.create_job(slow_job(client, sample, endpoint=endpoint))
        client.wait_for_job(slow.id, until=lambda job: job.status is JobStatus.ACTIVE, timeout_seconds=120)
    service.send_signal(signal.SIGINT)
    assert service.wait(STOP_SECONDS) == 0
    programs.wait_until_gone()
    # The next start finds what the first one has put there, where that was; its store lets a job do what it let it do.
    again, told = programs.start(*serve, seconds=START_SECONDS)
    with Client(told["address"], token=token) as client:
        assert client.call("GET", "/capabilities")["sample"] == sample
        assert client.call("GET", "/regions/demo")["connection"]["endpoint"] == endpoint
        assert not is_final(client.describe_job(slow.id).status)
        ended = client.wait_for_job(slow.id, timeout_seconds=120)
        assert {group.error_code: group.count for group in client.job_failures(slow.id).items} == LISTED_FAILURES
        assert (ended.status, ended.tally.succeeded, ended.tally.failed) == (JobStatus.COMPLETE, 293, 7)
    again.send_signal(signal.SIGKILL)
    again.wait()
    programs.wait_until_gone()


def test_the_console_of_a_first_run_waits_for_its_password(programs: Programs) -> None:
    folder = programs.folder / "console"
    process, told = programs.start(
        "demo-console", "--first-run", "--folder", str(folder), "--port", "0", seconds=START_SECONDS
    )
    assert f"{told['address']}/ui/" in (programs.folder / "stderr").read_text()
    token = token_of(told["address"], user=told["user"], password=told["password"])
    with Client(told["address"], token=token) as client:
        assert client.list_jobs().items == ()
        assert client.call("GET", "/capabilities")["sample"]["description"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(STOP_SECONDS) == 0
    programs.wait_until_gone()
    assert not (folder / "console.json").exists()
    refused = subprocess.run(
        [str(PROGRAM), "demo-console", "--folder", str(folder), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert (refused.returncode, "name another folder" in refused.stderr) == (1, True), refused.stderr
    programs.wait_until_gone()


def test_the_console_has_jobs_in_every_lasting_state_and_leaves_nothing(programs: Programs) -> None:
    process, told = programs.start("demo-console", "--port", "0", seconds=STAGE_SECONDS)
    folder = Path(told["folder"])
    assert (folder / "console.json").stat().st_mode & 0o777 == 0o600
    with Client(told["address"], token=told["token"]) as client:
        jobs = client.list_jobs(limit=100).items
        statuses = Counter(job.status for job in jobs)
        assert {status for status in JobStatus if is_final(status)} <= statuses.keys()
        assert {JobStatus.SUSPENDED, JobStatus.READY, JobStatus.ACTIVE, JobStatus.PAUSED} <= statuses.keys()
        [active] = client.list_jobs(statuses={JobStatus.ACTIVE}).items
        assert client.describe_job(active.id).tally.succeeded > 0
        people = {user["name"]: user["role"] for user in client.call("GET", "/users")["items"]}
        assert people == {"admin": "admin", "lin": "operator", "mei": "viewer"}
        assert not client.call("POST", "/regions/branch-office:test")["is_reachable"]
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP_SECONDS) == 0, (programs.folder / "stderr").read_text()
    programs.wait_until_gone()
    assert not folder.exists()
