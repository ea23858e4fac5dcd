"""The region table over the JSON API."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.people import NOW
from tests.cos_store import MAIN, CosStore
from tests.unit.service.job_builders import AWAY, HOME, job_content
from tests.wire.rest_rig import ADMIN, OPERATOR, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig, settings

NEW = {"name": "archive", "endpoint": "https://store.example", "profile": "ceph", "requests_per_second": 10}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path, with_settings=settings(server={"operator_account": "first"})) as made:
        yield made


def job_in(region: str) -> dict[str, Any]:
    """A job whose buckets are all named without a region."""
    return job_content(
        region=region,
        manifest={
            "location": {"object_arn": "arn:aws:s3:::logs-125/inv/manifest.json"},
            "spec": {"format": "COSInventoryReport_CSV_V1"},
        },
        copy={"target_resource": "arn:aws:s3:::cold-125"},
        report={"enabled": False},
    )


async def made(rig: RestRig, **changes: Any) -> Any:
    answer = await rig.call("POST", "/regions", by=ADMIN, json=NEW | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_operator_makes_a_region_that_jobs_may_name_at_once(rig: RestRig) -> None:
    region = await made(rig)
    assert (region["name"], region["is_declared"], region["has_credentials"]) == ("archive", False, False)
    assert region["connection"]["endpoint"] == "https://store.example"
    assert (await rig.call("GET", "/regions/archive", by=ADMIN)).json() == region
    names = [item["name"] for item in (await rig.call("GET", "/regions", by=VIEWER)).json()["items"]]
    assert names == sorted([HOME, AWAY, "archive"])
    job = await rig.call("POST", "/jobs", json=job_in("archive"))
    assert job.status_code == 201, job.text
    told = next(entry for entry in await rig.told() if entry.action == "create-region")
    assert (told.actor, told.via, told.detail) == (ADMIN, "rest", "https://store.example")


async def test_who_is_no_admin_sees_no_addresses(rig: RestRig) -> None:
    answer = await rig.call("GET", f"/regions/{HOME}", by=VIEWER)
    assert answer.json()["connection"] is None
    assert "127.0.0.1" not in answer.text + (await rig.call("GET", "/regions", by=OPERATOR)).text


async def test_an_admin_of_another_account_changes_none(rig: RestRig) -> None:
    await made(rig)
    assert (await rig.call("GET", "/regions/archive", by=STRANGER)).json()["connection"] is not None
    for method, path, body in (
        ("POST", "/regions", NEW | {"name": "other"}),
        ("PATCH", "/regions/archive", {"profile": "s3"}),
        ("DELETE", "/regions/archive", None),
    ):
        assert refusal(await rig.call(method, path, by=STRANGER, json=body)) == (403, "AccessDenied")


async def test_a_region_is_changed_and_gets_its_defaults_back(rig: RestRig) -> None:
    await made(rig)
    change = {"requests_per_second": None, "bytes_per_second": 5e8, "max_connections": 7, "storage_classes": ["COLD"]}
    changed = (await rig.call("PATCH", "/regions/archive", by=ADMIN, json=change)).json()
    connection = changed["connection"]
    assert (connection["requests_per_second"], connection["bytes_per_second"]) == (None, 5e8)
    assert connection["max_connections"] == 7
    assert changed["storage_classes"] == ["COLD"]


async def test_a_declared_region_is_changed_in_the_settings(rig: RestRig) -> None:
    for method, body in (("PATCH", {"profile": "s3"}), ("DELETE", None)):
        answer = await rig.call(method, f"/regions/{HOME}", by=ADMIN, json=body)
        assert refusal(answer) == (403, "AccessDenied")
        assert "settings" in answer.json()["error"]["message"]
    taken = await rig.call("POST", "/regions", by=ADMIN, json=NEW | {"name": HOME})
    assert refusal(taken) == (409, "EntityAlreadyExists")


async def test_a_region_that_a_job_names_stays(rig: RestRig) -> None:
    await made(rig)
    await rig.call("POST", "/jobs", json=job_in("archive"))
    assert refusal(await rig.call("DELETE", "/regions/archive", by=ADMIN)) == (400, "InvalidArgument")


async def test_a_region_is_deleted(rig: RestRig) -> None:
    await made(rig)
    assert (await rig.call("DELETE", "/regions/archive", by=ADMIN)).status_code == 204
    assert refusal(await rig.call("GET", "/regions/archive", by=ADMIN)) == (404, "NoSuchEntity")


async def test_all_that_is_wrong_is_told_at_once(rig: RestRig) -> None:
    wrong = {"name": "a/b", "endpoint": "file:///etc/passwd", "profile": "s4"}
    answer = await rig.call("POST", "/regions", by=ADMIN, json=wrong)
    assert refusal(answer) == (400, "InvalidArgument")
    assert set(faults(answer)) == {"name", "endpoint", "profile"}
    for field in ("ca_file", "credentials"):
        assert refusal(await rig.call("POST", "/regions", by=ADMIN, json=NEW | {field: "/etc/passwd"}))[0] == 400


async def test_a_store_that_is_not_there_is_not_reachable(rig: RestRig) -> None:
    tried = (await rig.call("POST", f"/regions/{HOME}:test")).json()
    assert (tried["is_reachable"], tried["latency_seconds"], tried["credentials"]) == (False, None, "none")
    assert tried["detail"] == "ConnectionRefused"
    assert "127.0.0.1:9" in (await rig.call("POST", f"/regions/{HOME}:test", by=ADMIN)).json()["detail"]
    assert refusal(await rig.call("POST", f"/regions/{HOME}:test", by=VIEWER)) == (403, "AccessDenied")
    assert refusal(await rig.call("POST", "/regions/nowhere:test")) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    ("secret", "credentials", "detail"),
    [
        (MAIN.secret_access_key, "accepted", "200"),
        ("wrong", "refused", "403 SignatureDoesNotMatch"),
        (None, "none", "403 InvalidAccessKeyId"),
    ],
)
async def test_a_store_that_answers_is_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str | None, credentials: str, detail: str
) -> None:
    async with CosStore() as store:
        store.ahead_seconds = NOW - time.time()
        region: dict[str, Any] = {
            "provider": "cos",
            "endpoint": f"http://127.0.0.1:{store.port}",
            "addressing": "path",
        }
        if secret:
            monkeypatch.setenv("STORE_ID", MAIN.access_key_id)
            monkeypatch.setenv("STORE_SECRET", secret)
            region["credentials"] = {"access_key_id": "env:STORE_ID", "secret_access_key": "env:STORE_SECRET"}
        async with rest_rig(tmp_path, with_settings=settings(regions={"here": region})) as rig:
            tried = (await rig.call("POST", "/regions/here:test")).json()
    assert (tried["is_reachable"], tried["credentials"], tried["detail"]) == (True, credentials, detail)
    assert 0 < tried["latency_seconds"] < 15
