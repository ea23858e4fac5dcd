"""``cosbatch serve`` on a real store, as a COS client and an operator meet it: started, driven, shared, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import xmltodict  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from cosbatch.web.metrics import METRICS
from tests.e2e.counting_proxy import CountingProxy
from tests.e2e.program import Ground
from tests.e2e.service import START_SECONDS, CosClient, declare_service, log_lines, start_service
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)

KEYS = [f"logs/{number // 100:03d}/{number:05d}.log" for number in range(600)]
ODD = ["a b", "plus+", "100%", 'comma,"quote"', "中文/日志", "new\nline"]


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"srv{uuid.uuid4().hex[:8]}")
    declare_service(ground)
    yield ground
    ground.kill_all()


def throttle(ground: Ground) -> None:
    """Slow enough to be met in the middle."""
    declare_service(ground, region={"requests_per_second": 60})


def stuck(ground: Ground, proxy: CountingProxy) -> None:
    """So slow after some copies that whatever takes its time still meets it."""
    declare_service(ground, region={"endpoint": proxy.endpoint, "max_connections": 8})
    proxy.hold_back(ground.target, after=40, seconds=1)


def check_report(ground: Ground, job_id: str, *, succeeded: list[str], failed: list[str]) -> None:
    """Each row once, and the bucket agrees."""
    report = ground.report(job_id)
    assert report.keys("succeeded") == sorted(succeeded)
    assert report.keys("failed") == sorted(failed)
    assert ground.keys_in(ground.target) == set(succeeded)


# --- starting


def test_the_first_start_tells_its_owner_how_to_begin(ground: Ground) -> None:
    service = start_service(ground)
    path = ground.folder / "state" / "first-run.json"
    assert path.stat().st_mode & 0o777 == 0o600
    first = service.first_run
    assert list(first) == ["address", "user", "password", "uin", "appid", "account_id", "secret_id", "secret_key"]
    assert first["address"] == service.address
    shown = (ground.folder / "stderr").read_text() + (ground.folder / "state" / "cosbatch.log").read_text()
    assert str(path) in shown
    assert first["password"] not in shown
    assert first["secret_key"] not in shown
    assert service.stop() == 0
    again = start_service(ground)
    assert again.first_run == first
    assert again.stop() == 0


def test_the_first_change_of_the_password_removes_the_file(ground: Ground) -> None:
    service = start_service(ground)
    client = CosClient(service)
    ground.call("admin", "reset-password", client.first_run["user"])
    assert not (ground.folder / "state" / "first-run.json").exists()
    assert client.call("GET", "/jobs")["Jobs"] is None
    assert service.stop() == 0


def refused(ground: Ground, *arguments: str) -> str:
    done = subprocess.run(ground.command("serve", *arguments), capture_output=True, text=True, timeout=START_SECONDS)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_is_not_reached_from_elsewhere_without_tls(ground: Ground, host: str) -> None:
    error = refused(ground, "--host", host, "--port", "0")
    assert "there is no TLS" in error
    assert "server.allow_plain_http_beyond_loopback" in error
    assert not (ground.folder / "state" / "first-run.json").exists()


def test_a_port_that_is_taken_is_named(ground: Ground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"(it is '{port}')" in refused(ground, "--port", str(port))


def test_a_folder_that_cannot_be_used_is_named(ground: Ground) -> None:
    (ground.folder / "state").symlink_to("/proc/nowhere/at/all")
    assert "the data folder cannot be used" in refused(ground, "--port", "0")


# --- a job from start to end


def test_a_cos_client_runs_a_job_and_the_report_is_true(ground: Ground) -> None:
    ground.put([*KEYS[:150], *ODD])
    client = CosClient(start_service(ground))
    job_id = client.create(ground.csv([*KEYS[:150], *ODD, "gone/1"]))
    job = client.wait(job_id, "Complete")
    assert job["ProgressSummary"] == {
        "NumberOfTasksFailed": "1",
        "NumberOfTasksSucceeded": "156",
        "TotalNumberOfTasks": "157",
    }
    assert job["RoleArn"].endswith(":role/copy")
    check_report(ground, job_id, succeeded=[*KEYS[:150], *ODD], failed=["gone/1"])
    assert [member["JobId"] for member in as_list(client.call("GET", "/jobs")["Jobs"]["member"])] == [job_id]
    check_log(ground, client, job_id)
    assert client.service.stop() == 0


def as_list(found: object) -> list[dict[str, str]]:
    return found if isinstance(found, list) else [found]  # type: ignore[list-item]


def check_log(ground: Ground, client: CosClient, job_id: str) -> None:
    """Every line is JSON; calls have their id, their caller and their job; no secret is in it."""
    state = ground.folder / "state"
    calls = [line for line in log_lines(state) if line["event"] == "call"]
    described = [line for line in calls if line.get("job_id") == job_id]
    assert described
    assert {line["user"] for line in described} == {client.first_run["user"]}
    assert {line["credential"] for line in described} == {client.first_run["secret_id"]}
    assert all(len(line["request_id"]) == 24 for line in calls)
    assert {line["event"] for line in log_lines(state) if line.get("job_id") == job_id} >= {"call", "moved"}
    text = (state / "cosbatch.log").read_text()
    secrets = [client.first_run["password"], client.first_run["secret_key"], ground.store.secret_key, "q-signature"]
    assert [secret for secret in secrets if secret in text] == []


def test_confirm_preemption_priority_and_cancel_of_running_jobs(ground: Ground) -> None:
    ground.put(KEYS)
    with CountingProxy(ground.store.endpoint) as proxy:
        stuck(ground, proxy)
        client = CosClient(start_service(ground))
        arn = ground.csv(KEYS)
        asked = client.create(arn, confirm=True)
        waiting = client.wait(asked, "Suspended")
        assert waiting["SuspendedDate"]
        assert waiting["SuspendedCause"]
        assert ground.keys_in(ground.target) == set()
        assert client.set_status(asked, "Ready")["Status"] in ("Ready", "Active")
        ground.wait_for_copies(30)
        # A greater job takes the place of a running one, and gives it back when its own priority falls.
        greater = client.create(arn, priority=20)
        client.wait(greater, lambda job: job["Status"] == "Active")
        assert client.wait(asked, "Paused")["Status"] == "Paused"
        assert client.set_priority(greater, 1)["Priority"] == "1"
        client.wait(asked, "Active")
        assert client.set_status(greater, "Cancelled")["Status"] in ("Cancelling", "Cancelled")
        assert client.wait(greater, "Cancelled")["TerminationDate"]
        again = client.ask("POST", f"/jobs/{greater}/status", {"requestedJobStatus": "Cancelled"})
        assert (again.status_code, xmltodict.parse(again.content)["Error"]["Code"]) == (400, "InvalidRequest")
        assert client.service.stop() == 0
    declare_service(ground)
    faster = client.via(start_service(ground))
    faster.wait(asked, "Complete")
    check_report(ground, asked, succeeded=KEYS, failed=[])
    assert faster.service.stop() == 0


def test_a_job_that_its_operator_pauses_stays_so_until_it_is_resumed(ground: Ground) -> None:
    ground.put(KEYS)
    with CountingProxy(ground.store.endpoint) as proxy:
        stuck(ground, proxy)
        client = CosClient(start_service(ground))
        job_id = client.create(ground.csv(KEYS))
        ground.wait_for_copies(20)
        ground.call("pause-job", job_id, "--account", "main")
        client.wait(job_id, "Paused")
        copied = ground.keys_in(ground.target)
        assert len(copied) < len(KEYS)
        proxy.let_go()
        ground.call("resume-job", job_id, "--account", "main")
        client.wait(job_id, "Complete")
        check_report(ground, job_id, succeeded=KEYS, failed=[])
        assert client.service.stop() == 0


# --- two of them, and their deaths


def test_two_services_share_a_folder_and_one_is_killed(ground: Ground) -> None:
    ground.put(KEYS)
    with CountingProxy(ground.store.endpoint) as proxy:
        stuck(ground, proxy)
        one = start_service(ground)
        client = CosClient(one)
        other = start_service(ground)
        assert other.first_run == one.first_run
        job_id = client.create(ground.csv([*KEYS, "gone"]))
        ground.wait_for_copies(60)
        assert client.via(other).job(job_id)["Status"] == "Active"
        counted = [json.dumps(jobs_by_status(service.get("/metrics").text)) for service in (one, other)]
        assert counted[0] == counted[1]
        one.kill()
        proxy.let_go()
        client.via(other).wait(job_id, "Complete")
        check_report(ground, job_id, succeeded=KEYS, failed=["gone"])
        assert other.stop() == 0


def jobs_by_status(text: str) -> dict[str, float]:
    return {
        sample.labels["status"]: sample.value
        for family in text_string_to_metric_families(text)
        if family.name == "cosbatch_jobs"
        for sample in family.samples
    }


def test_a_create_whose_answer_was_lost_is_found_by_its_token(ground: Ground) -> None:
    ground.put(KEYS[:50])
    throttle(ground)
    service = start_service(ground)
    client = CosClient(service)
    token = str(uuid.uuid4())
    body = client.body(ground.csv(KEYS[:50]), token=token)
    kill_once_the_job_is_there(ground, client, body)
    after = client.via(start_service(ground))
    told = after.ask("POST", "/jobs", body=body)
    (job,) = as_list(after.call("GET", "/jobs")["Jobs"]["member"])
    assert told.status_code == 400, told.text
    assert job["JobId"] in xmltodict.parse(told.content)["Error"]["Message"]
    after.wait(job["JobId"], "Complete")
    check_report(ground, job["JobId"], succeeded=KEYS[:50], failed=[])
    assert after.service.stop() == 0


def kill_once_the_job_is_there(ground: Ground, client: CosClient, body: bytes) -> None:
    """The answer is never read: whether or not it was sent, for the client it is lost."""
    host, _, port = client.service.address.partition("//")[2].rpartition(":")
    ledger = ground.folder / "state" / "ledger.db"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(as_bytes(client, body))
        ends = time.monotonic() + START_SECONDS
        while job_count(ledger) == 0:
            assert time.monotonic() < ends, ground.log()
        client.service.kill()


def job_count(ledger: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM job").fetchall()
    connection.close()
    return int(count)


def as_bytes(client: CosClient, body: bytes) -> bytes:
    from tests.wire.cos_rig import Wanted, md5_of, signed

    headers = {
        "host": client.service.address.partition("//")[2],
        "x-cos-appid": client.first_run["appid"],
        "content-type": "application/xml",
        "content-md5": md5_of(body),
    }
    request = signed(
        Wanted(method="POST", path="/jobs", headers=headers, body=body), client.key, base_url=client.service.address
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST /jobs HTTP/1.1\r\n{head}\r\n".encode() + body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_loses_nothing(ground: Ground, number: signal.Signals) -> None:
    ground.put(KEYS)
    throttle(ground)
    service = start_service(ground)
    client = CosClient(service)
    job_id = client.create(ground.csv(KEYS))
    ground.wait_for_copies(60)
    assert service.stop(number=number) == 0
    copied = ground.keys_in(ground.target)
    counted = ground.call_json("admin", "list-users")  # the folder can be used, nobody holds it
    assert counted
    time.sleep(1)
    assert ground.keys_in(ground.target) == copied, "somebody went on"
    declare_service(ground)
    after = client.via(start_service(ground))
    progress = after.job(job_id)["ProgressSummary"]
    assert int(progress["NumberOfTasksSucceeded"]) >= len(copied), "what was in flight was not waited for"
    after.wait(job_id, "Complete")
    check_report(ground, job_id, succeeded=KEYS, failed=[])
    assert after.service.stop() == 0


def test_a_service_that_lost_a_part_of_itself_goes_on_with_a_new_one(ground: Ground) -> None:
    ground.put(KEYS[:100])
    throttle(ground)
    service = start_service(ground)
    client = CosClient(service)
    job_id = client.create(ground.csv(KEYS[:100]))
    ground.wait_for_copies(20)
    for pid in children_named(service.process.pid):
        os.kill(pid, signal.SIGKILL)
    client.wait(job_id, "Complete")
    check_report(ground, job_id, succeeded=KEYS[:100], failed=[])
    assert service.stop() == 0


def children_named(pid: int) -> list[int]:
    """Planner and workers: they are forked from a server that is a child of the service."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parent = int(fields[1])
        try:
            grandparent = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if grandparent == pid:
            found.append(int(entry.name))
    assert found, "the service has no children"
    return found


# --- operators


def test_operators_see_how_it_is(ground: Ground) -> None:
    service = start_service(ground)
    assert service.get("/healthz").json() == {"status": "ok"}
    ends = time.monotonic() + START_SECONDS
    while (ready := service.get("/readyz")).status_code != 200:
        assert time.monotonic() < ends, ready.text
        time.sleep(0.1)
    assert {"ledger", "scheduler", "finisher", "planner", "worker-1", "work area"} <= set(ready.json()["checks"])
    answer = service.get("/metrics")
    families = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {metric.name.removesuffix("_total") for metric in METRICS} == families
    opened = service.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert opened.text.endswith("# EOF\n")
    assert service.stop() == 0


def test_metrics_may_need_a_token(ground: Ground) -> None:
    (ground.folder / "scrape").write_text("scrape-token")
    declare_service(ground, server={"metrics_token": f"file:{ground.folder}/scrape"})
    service = start_service(ground)
    assert service.get("/metrics").status_code == 401
    assert service.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert service.get("/metrics", headers={"authorization": "Bearer scrape-token"}).status_code == 200
    assert "checks" not in service.get("/readyz").json()
    assert service.stop() == 0


def test_ipv6_loopback(ground: Ground) -> None:
    service = start_service(ground, "--host", "::1")
    assert service.address.startswith("http://[::1]:")
    assert service.get("/healthz").status_code == 200
    assert service.stop() == 0


def test_nobody_gets_in_without_a_signature(ground: Ground) -> None:
    service = start_service(ground)
    answer = httpx.get(f"{service.address}/jobs", headers={"x-cos-appid": "1"})
    assert answer.status_code == 403
    assert xmltodict.parse(answer.content)["Error"]["RequestId"] == answer.headers["x-cos-request-id"]
    assert answer.headers["x-request-id"] == answer.headers["x-cos-request-id"]
    assert service.stop() == 0
