"""Two services on one data folder: what is written through one of them, the other one tells at once, whatever it is."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from cosbatch.web.rest.app import all_calls
from cosbatch.web.rest.calls import Call
from tests.e2e.program import Ground
from tests.e2e.service import ROLE, Service, declare_service, start_service
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)
CALLS: Final = {call.operation_id: call for call in all_calls()}
PARAMETER: Final = re.compile(r"\{(\w+)(?::path)?\}")
PASSWORD: Final = "four other words in a row"
NEW_PASSWORD: Final = "four words that are new"
KEYS: Final = [f"logs/{number:03d}.log" for number in range(10)]
WAIT_SECONDS: Final = 120
LOOKS_MAX: Final = 200
WRITE_NOTHING: Final = frozenset(
    {
        "check_clone",
        "check_job",
        "check_manifest",
        "check_retry",
        "inspect_manifest",
        "role_policies",
        "test_region",
        "test_webhook",
    }
)
"""Calls that send a body, or act on something else, and leave all that the service tells as it was."""
ABSENT: Final = (404, "")

Told = tuple[int, str]
"""Status and ETag of an answer, or its text where it has none: what is streamed."""


@dataclass(slots=True)
class Instance:
    """One of the services, and an admin's session at it."""

    service: Service
    client: httpx.Client

    def read(self, path: str, *, known: str = "") -> Told:
        answer = self.client.get(path, headers={"if-none-match": known} if known else {})
        if answer.status_code == 404:
            return ABSENT
        assert answer.status_code in (200, 304), f"{path}: {answer.status_code} {answer.text}"
        return answer.status_code, answer.headers.get("etag", answer.text)

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    def job_in(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """The job, once it is in one of these statuses."""
        ends = time.monotonic() + WAIT_SECONDS
        while (job := self.get(f"/jobs/{job_id}"))["status"] not in statuses:
            assert time.monotonic() < ends, f"{job}\n{self.service.ground.log()}"
            time.sleep(0.05)
        return dict(job)


@dataclass(slots=True)
class House:
    """Both of them. Who writes and who reads changes with each write."""

    writer: Instance
    reader: Instance
    written: set[str] = field(default_factory=set)
    """Of calls whose effect was seen at the other instance."""

    def write(self, operation_id: str, *shown_by: str, body: Any = None, **values: str) -> Any:
        """Calls one of them; of ``shown_by`` the other one told something else before, each, and tells the same as the
        first from then on."""
        self.writer, self.reader = self.reader, self.writer
        before = {path: self.reader.read(path) for path in shown_by}
        answer = self.ask(operation_id, body=body, **values)
        for path, (status, tag) in before.items():
            now = self.reader.read(path, known=tag if status == 200 else "")
            assert now not in ((304, tag), (status, tag)), f"{operation_id}: {path} is old at the other instance"
            self.expect_the_same(path)
        self.written.add(operation_id)
        return answer

    def ask(self, operation_id: str, *, body: Any = None, **values: str) -> Any:
        """Calls the one that writes."""
        call = CALLS[operation_id]
        answer = self.writer.client.request(call.method, path_of(call, values), json=body)
        assert answer.status_code == call.status, f"{operation_id}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def expect_the_same(self, path: str) -> None:
        """What works on goes on meanwhile: what one tells is looked at before and after the other one is asked."""
        for _ in range(LOOKS_MAX):
            before, other, after = self.writer.read(path), self.reader.read(path), self.writer.read(path)
            if before == after:
                break
            assert before[0] == other[0] == after[0], path
        else:
            pytest.fail(f"{path} changes whenever it is looked at")
        assert other == before, path
        if other != ABSENT and other[1].startswith('W/"'):
            self.expect_not_modified(path)

    def expect_not_modified(self, path: str) -> None:
        """What one of them has told needs not to be told again by the other one."""
        for _ in range(LOOKS_MAX):
            _, tag = self.writer.read(path)
            if self.reader.read(path, known=tag) == (304, tag):
                return
            assert self.writer.read(path)[1] != tag, f"{path} has another ETag at the other instance"
        pytest.fail(f"{path} changes whenever it is looked at")


def path_of(call: Call, values: Mapping[str, str]) -> str:
    """A parameter without a value is a KeyError: whoever adds one says here what it is to be."""
    return PARAMETER.sub(lambda found: quote(values[found[1]], safe=""), call.path)


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"house{uuid.uuid4().hex[:8]}")
    server = {"calls_per_minute": 10**6, "logins_per_minute": 1000, "webhooks_allow_private": True}
    declare_service(ground, region={"requests_per_second": 200}, server=server)
    ground.put(KEYS)
    yield ground
    ground.kill_all()


@pytest.fixture
def house(ground: Ground) -> Iterator[House]:
    """One login for both: the cookie of the first holds at the second."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(start_service, [ground] * 2)
    told = first.first_run
    with _client(first) as here, _client(second) as there:
        log_in(here, told["user"], told["password"])
        passwords = {"password": told["password"], "new_password": PASSWORD}
        assert here.put("/session/password", json=passwords).status_code == 204
        log_in(here, told["user"], PASSWORD)
        there.cookies = here.cookies
        there.headers["x-csrf-token"] = here.headers["x-csrf-token"]
        yield House(Instance(first, here), Instance(second, there))


def _client(service: Service) -> httpx.Client:
    return httpx.Client(base_url=f"{service.address}/api/v1", timeout=30)


def log_in(client: httpx.Client, user: str, password: str, *, expect: int = 200) -> None:
    answer = client.post("/session", json={"user": user, "password": password})
    assert answer.status_code == expect, answer.text
    if expect == 200:
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]


def test_what_one_of_two_services_writes_the_other_one_tells_at_once(ground: Ground, house: House) -> None:
    values = {"user": "anna", "account": "team", "region": "shelf", "webhook_name": "pager"}
    values["role_arn"] = "arn:aws:iam::123456789012:role/batch"
    people(house, values)
    places(house, values)
    jobs(ground, house, values)
    every_read(ground, house, values)
    take_away(house, values)
    sessions(house)
    assert {call.operation_id for call in CALLS.values() if call.writes} - house.written == WRITE_NOTHING


def people(house: House, values: dict[str, str]) -> None:
    team = {"account": "team"}
    house.write("create_account", "/accounts", "/accounts/team", body={"name": "team"})
    house.write("update_account", "/accounts", "/accounts/team", body={"is_disabled": True}, **team)
    shown = ("/users", "/users/anna")
    password = house.write("create_user", *shown, body={"name": "anna", "role": "operator"})["password"]
    house.write("update_user", *shown, body={"role": "admin"}, user="anna")
    with _client(house.reader.service) as anna:
        log_in(anna, "anna", password)
        changed = {"password": password, "new_password": NEW_PASSWORD}
        assert anna.put("/session/password", json=changed).status_code == 204
    for path in shown:
        house.expect_the_same(path)
    house.write("reset_password", *shown, user="anna")
    made = house.write("create_access_key", "/access-keys", body={"user": "anna"})
    values["access_key_id"] = made["access_key"]["access_key_id"]
    off = {"is_disabled": True}
    house.write("update_access_key", "/access-keys", body=off, access_key_id=values["access_key_id"])
    values["token_id"] = house.write("create_token", "/tokens", body=CALLS["create_token"].asked)["token"]["id"]


def places(house: House, values: Mapping[str, str]) -> None:
    """Roles, regions and webhooks."""
    role = f"/roles/{quote(values['role_arn'], safe='')}"
    house.write("create_role", "/roles", role, body=CALLS["create_role"].asked)
    house.write("replace_role_key", role, body=CALLS["replace_role_key"].asked, role_arn=values["role_arn"])
    region = {"name": "shelf", "endpoint": "http://127.0.0.1:9", "profile": "ceph"}
    house.write("create_region", "/regions", "/regions/shelf", "/capabilities", body=region)
    house.write("update_region", "/regions/shelf", body={"requests_per_second": 500}, region="shelf")
    webhook = {"name": "pager", "url": "http://127.0.0.1:9/hook", "statuses": ["Complete"]}
    house.write("create_webhook", "/webhooks", "/webhooks/pager", body=webhook)
    for operation_id in ("disable_webhook", "enable_webhook", "rotate_webhook_secret"):
        house.write(operation_id, "/webhooks", "/webhooks/pager", webhook_name="pager")


def jobs(ground: Ground, house: House, values: dict[str, str]) -> None:
    rows = [*KEYS, "gone/1"]
    document = ground.document(ground.csv(rows), role_arn=ROLE, confirmation_required=True)
    of_all = ("/jobs", "/jobs?status=New&status=Preparing&status=Suspended")
    job_id = str(house.write("create_job", *of_all, body=document)["job_id"])
    values |= {"job_id": job_id, "code": "NoSuchKey"}
    house.reader.job_in(job_id, "Suspended")
    house.expect_the_same(f"/jobs/{job_id}")
    shown = (f"/jobs/{job_id}", f"/jobs/{job_id}/events", "/jobs", "/audit")
    house.write("update_job_priority", shown[0], "/jobs", "/audit", body={"priority": 20}, job_id=job_id)
    house.write("update_job_status", *shown, body={"requested_job_status": "Ready"}, job_id=job_id)
    house.reader.job_in(job_id, "Complete")
    retried = house.write("retry_failed", "/jobs", body={}, job_id=job_id)["job"]["job_id"]
    house.reader.job_in(retried, "Suspended")
    cancelled = {"requested_job_status": "Cancelled"}
    house.write("update_job_status", f"/jobs/{retried}", "/jobs", body=cancelled, job_id=retried)
    house.reader.job_in(retried, "Cancelled")
    house.write("delete_job", f"/jobs/{retried}", "/jobs", job_id=retried)
    many = ground.csv(rows * 300, name="many.csv")
    changes = {"manifest": {"location": {"object_arn": many}}, "confirmation_required": False}
    slow = str(house.write("clone_job", "/jobs", body={"changes": changes}, job_id=job_id)["job"]["job_id"])
    house.reader.job_in(slow, "Active")
    house.write("pause_job", f"/jobs/{slow}", "/jobs", body={}, job_id=slow)
    house.reader.job_in(slow, "Paused")
    house.write("resume_job", f"/jobs/{slow}", "/jobs", body={}, job_id=slow)
    house.write("update_job_status", f"/jobs/{slow}", "/jobs", body=cancelled, job_id=slow)
    house.reader.job_in(slow, "Cancelled")
    house.write("redeliver_report", f"/jobs/{job_id}", job_id=job_id)


def every_read(ground: Ground, house: House, values: dict[str, str]) -> None:
    """Both tell the same of all that can be read; twice, so that each of them is asked first once."""
    shown = "/webhooks/pager/deliveries"
    values["delivery_id"] = house.reader.get(shown)["items"][0]["delivery_id"]
    house.write("redeliver_message", shown, webhook_name="pager", delivery_id=values["delivery_id"])
    house.write("test_role", "/audit", body={"job": ground.document(ground.csv(KEYS))}, role_arn=ROLE)
    queries: dict[str, str] = {
        "list_buckets": f"?region=here&role_arn={quote(ROLE)}",
        "list_objects": f"?region=here&role_arn={quote(ROLE)}&bucket={ground.source}",
    }
    for _ in range(2):
        house.writer, house.reader = house.reader, house.writer
        for call in CALLS.values():
            if not call.writes:
                house.expect_the_same(path_of(call, values) + queries.get(call.operation_id, ""))


def take_away(house: House, values: Mapping[str, str]) -> None:
    house.write("delete_access_key", "/access-keys", access_key_id=values["access_key_id"])
    house.write("revoke_token", "/tokens", token_id=values["token_id"])
    house.write("update_user", "/users", "/users/anna", body={"is_disabled": True}, user="anna")
    house.write("delete_user", "/users", "/users/anna", user="anna")
    house.write("delete_role", "/roles", role_arn=values["role_arn"])
    house.write("delete_region", "/regions", "/regions/shelf", "/capabilities", region="shelf")
    house.write("delete_webhook", "/webhooks", "/webhooks/pager", webhook_name="pager")


def sessions(house: House) -> None:
    """A login, a password and a logout hold at the other instance at once."""
    user = house.reader.get("/session")["user"]
    here, there = house.writer.client, house.reader.client
    changed = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    assert here.put("/session/password", json=changed).status_code == 204
    log_in(there, user, PASSWORD, expect=401)
    log_in(there, user, NEW_PASSWORD)
    here.cookies = there.cookies
    here.headers["x-csrf-token"] = there.headers["x-csrf-token"]
    assert here.get("/session").status_code == 200
    assert here.delete("/session").status_code == 204
    assert there.get("/session").status_code == 401
    house.written |= {"change_password", "log_in", "log_out"}
