"""Looks into a store over the JSON API: buckets, objects, manifests; and who may look with what."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.people import NOW
from tests.cos_store import MAIN, OTHER, CosStore
from tests.wire.rest_rig import ADMIN, OPERATOR, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig, settings

BUCKET = "logs-1250000000"
ROLE = "qcs::cam::uin/100000000001:roleName/batch"
LIST = b"logs-1250000000,raw/a+b.log\r\nlogs-1250000000,raw/%E4%B8%80.log\r\n"


@dataclass
class Place:
    rig: RestRig
    store: CosStore


@asynccontextmanager
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, with_key: bool = True) -> AsyncIterator[Place]:
    """A region ``here`` with a store, where the first account has a role."""
    monkeypatch.setenv("STORE_ID", MAIN.access_key_id)
    monkeypatch.setenv("STORE_SECRET", MAIN.secret_access_key)
    async with CosStore() as store:
        store.ahead_seconds = NOW - time.time()
        region: dict[str, Any] = {"provider": "cos", "endpoint": f"http://127.0.0.1:{store.port}", "addressing": "path"}
        if with_key:
            region["credentials"] = {"access_key_id": "env:STORE_ID", "secret_access_key": "env:STORE_SECRET"}
        async with rest_rig(tmp_path, with_settings=settings(regions={"here": region})) as rig:
            form = {
                "role_arn": ROLE,
                "provider": "stored",
                "access_key_id": MAIN.access_key_id,
                "secret_access_key": MAIN.secret_access_key,
            }
            assert (await rig.call("POST", "/roles", by=ADMIN, json=form)).status_code == 201
            store.memory.create_bucket(BUCKET)
            for key in ("raw/a b.log", "raw/2/c", "raw/一.log", "top", "new\nline"):
                store.memory.put_now(BUCKET, key, b"x")
            store.memory.put_now(BUCKET, "inv/list.csv", LIST)
            yield Place(rig, store)


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    async with place(tmp_path, monkeypatch) as found:
        yield found


def asked(**changes: Any) -> dict[str, Any]:
    arn = f"qcs::cos:here::{BUCKET}/inv/list.csv"
    return {"region": "here", "manifest": {"location": {"object_arn": arn}}, "role_arn": ROLE} | changes


# --- buckets and objects


async def test_buckets_are_listed_page_by_page(here: Place) -> None:
    here.store.memory.create_bucket("archive-1250000000")
    first = (await here.rig.call("GET", "/buckets?region=here&limit=1", by=ADMIN)).json()
    second = (
        await here.rig.call("GET", f"/buckets?region=here&limit=1&cursor={first['next_cursor']}", by=ADMIN)
    ).json()
    assert [bucket["name"] for bucket in first["items"] + second["items"]] == ["archive-1250000000", BUCKET]
    assert second["next_cursor"] is None
    assert second["items"][0]["store_region"] == "us-east-1"


async def test_objects_are_walked_folder_by_folder(here: Place) -> None:
    path = f"/objects?region=here&bucket={BUCKET}&delimiter=/&role_arn={ROLE}"
    top = (await here.rig.call("GET", path)).json()
    assert ([found["key"] for found in top["items"]], top["folders"]) == (["new\nline", "top"], ["inv/", "raw/"])
    inside = (await here.rig.call("GET", f"{path}&prefix=raw/")).json()
    assert [found["key"] for found in inside["items"]] == ["raw/a b.log", "raw/一.log"]
    assert inside["folders"] == ["raw/2/"]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await here.rig.call("GET", f"{path}&limit=1&cursor={cursor}")).json()
        found += [*[item["key"] for item in page["items"]], *page["folders"]]
        cursor = page["next_cursor"]
    assert sorted(found) == ["inv/", "new\nline", "raw/", "top"]


async def test_the_region_s_own_credentials_are_for_admins(here: Place) -> None:
    for path in ("/buckets?region=here", f"/objects?region=here&bucket={BUCKET}"):
        assert (await here.rig.call("GET", path, by=ADMIN)).status_code == 200
        assert refusal(await here.rig.call("GET", path)) == (403, "AccessDenied")
        assert (await here.rig.call("GET", f"{path}&role_arn={ROLE}")).status_code == 200
        assert refusal(await here.rig.call("GET", f"{path}&role_arn={ROLE}", by=VIEWER)) == (403, "AccessDenied")
        strange = await here.rig.call("GET", f"{path}&role_arn={ROLE}", by=STRANGER)
        assert (refusal(strange), set(faults(strange))) == ((400, "InvalidArgument"), {"role_arn"})
    assert refusal(await here.rig.call("POST", "/manifests:inspect", json=asked(role_arn=""))) == (403, "AccessDenied")


async def test_a_region_without_credentials_takes_a_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with place(tmp_path, monkeypatch, with_key=False) as here:
        answer = await here.rig.call("GET", "/buckets?region=here", by=ADMIN)
        assert refusal(answer) == (400, "InvalidArgument")
        assert set(faults(answer)) == {"role_arn"}
        assert (await here.rig.call("GET", f"/buckets?region=here&role_arn={ROLE}", by=ADMIN)).status_code == 200


async def test_what_is_not_there_and_what_the_store_refuses(here: Place) -> None:
    unknown = await here.rig.call("GET", f"/objects?region=here&bucket=none-1250000000&role_arn={ROLE}")
    assert refusal(unknown) == (404, "NoSuchBucket")
    no_name = await here.rig.call("GET", f"/objects?region=here&bucket=../etc&role_arn={ROLE}")
    assert refusal(no_name) == (404, "NoSuchBucket")
    region = await here.rig.call("GET", f"/buckets?region=nowhere&role_arn={ROLE}")
    assert (refusal(region), set(faults(region))) == ((400, "InvalidArgument"), {"region"})
    cursor = await here.rig.call("GET", f"/objects?region=here&bucket={BUCKET}&role_arn={ROLE}&cursor=_wo*")
    assert refusal(cursor) == (400, "InvalidArgument")
    other = {
        "role_arn": f"{ROLE}-2",
        "provider": "stored",
        "access_key_id": OTHER.access_key_id,
        "secret_access_key": OTHER.secret_access_key,
    }
    await here.rig.call("POST", "/roles", by=ADMIN, json=other)
    denied = await here.rig.call("GET", f"/buckets?region=here&role_arn={ROLE}-2")
    assert refusal(denied) == (409, "StoreRefused")
    assert "AccessDenied" in denied.json()["error"]["message"]


# --- manifests


async def test_a_csv_is_looked_at_and_guessed(here: Place) -> None:
    answer = await here.rig.call("POST", "/manifests:inspect", json=asked())
    assert answer.status_code == 200, answer.text
    look = answer.json()
    assert (look["format"], look["format_is_guessed"]) == ("COSBatchOperations_CSV_V1", True)
    assert (look["columns"], look["guessed_fields"]) == (["Bucket", "Key"], ["Bucket", "Key"])
    assert (look["source_bucket"], look["rows_looked_at"], look["size_bytes"]) == (BUCKET, 2, len(LIST))
    assert [row["cells"][1] for row in look["first_rows"]] == ["raw/a+b.log", "raw/%E4%B8%80.log"]
    assert [row["row"]["key"] for row in look["first_rows"]] == ["raw/a b.log", "raw/一.log"]
    assert [warning["kind"] for warning in look["warnings"]] == ["crlf"]
    assert (look["faults"], look["inventory"]) == ([], None)


async def test_rows_that_cannot_be_are_told_with_their_lines(here: Place) -> None:
    here.store.memory.put_now(BUCKET, "inv/list.csv", LIST + b"other-1250000000,x\r\nlogs-1250000000\r\n\xff\xfe,k\r\n")
    manifest = asked()["manifest"] | {"spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]}}
    look = (await here.rig.call("POST", "/manifests:inspect", json=asked(manifest=manifest))).json()
    lines = sorted(fault["path"].split(":")[1] for fault in look["faults"])
    assert lines[:2] == ["3", "4"]
    assert [row["line"] for row in look["first_rows"] if row["row"] is None][:2] == [3, 4]
    shown = {row["line"]: row["problems"] for row in look["first_rows"]}
    assert (shown[1], shown[2]) == ([], [])
    assert [problem["column"] for problem in shown[3]] == [1]
    assert {fault["problem"] for fault in look["faults"]} >= {shown[3][0]["problem"], shown[4][0]["problem"]}
    assert not look["format_is_guessed"]


async def test_a_whole_manifest_is_checked(here: Place) -> None:
    here.store.memory.put_now(BUCKET, "inv/list.csv", LIST * 2)
    answer = await here.rig.call("POST", "/manifests:check", json=asked())
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["is_usable"], found["is_complete"], found["rows"], found["repeats"]) == (True, True, 4, 2)
    assert found["first_repeats"][1] == {"row": 4, "key": "raw/一.log", "version_id": None}
    assert found["bytes_read"] == found["size_bytes"] == len(LIST * 2)
    here.store.memory.put_now(BUCKET, "inv/list.csv", LIST + b"other-1250000000,x\n")
    manifest = asked()["manifest"] | {"spec": {"fields": ["Bucket", "Key"]}}
    faulty = (await here.rig.call("POST", "/manifests:check", json=asked(manifest=manifest))).json()
    assert (faulty["is_usable"], [fault["path"] for fault in faulty["faults"]]) == (False, ["inv/list.csv:3:1"])


async def test_a_manifest_that_has_changed_since_is_not_checked(here: Place) -> None:
    manifest = {"location": asked()["manifest"]["location"] | {"etag": "0" * 32}}
    answer = await here.rig.call("POST", "/manifests:check", json=asked(manifest=manifest))
    assert refusal(answer) == (409, "ManifestETagMismatch")
    gone = {"location": {"object_arn": f"qcs::cos:here::{BUCKET}/inv/gone.csv"}}
    answer = await here.rig.call("POST", "/manifests:check", json=asked(manifest=gone))
    assert refusal(answer) == (404, "ManifestNotFound")
    assert refusal(await here.rig.call("POST", "/manifests:check", by=VIEWER, json=asked()))[0] == 403


async def test_what_a_role_was_found_to_be_allowed_is_kept(here: Place) -> None:
    path = f"/roles/{quote(ROLE, safe='')}"
    assert (await here.rig.call("GET", path)).json()["last_test"] is None
    location = asked()["manifest"]["location"]
    job = {
        "region": "here",
        "role_arn": ROLE,
        "manifest": {
            "location": location,
            "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
        },
        "operation": {"cos_put_object_copy": {"target_resource": f"qcs::cos:here::{BUCKET}"}},
        "report": {"enabled": False},
    }
    tested = await here.rig.call("POST", f"{path}:test", json={"job": job})
    assert tested.status_code == 200, tested.text
    last = (await here.rig.call("GET", path)).json()["last_test"]
    assert (last["by"], last["outcome"], last["refusal"]) == (OPERATOR, "passed", "")
    assert last["accesses"] == tested.json()["accesses"]
    assert len(last["accesses"]) == 4
    seen = (await here.rig.call("GET", "/roles", by=VIEWER)).json()["items"][0]["last_test"]
    assert (seen["outcome"], seen["accesses"]) == ("passed", [])


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("inv/gone.csv", 404, "ManifestNotFound")],
)
async def test_a_manifest_that_cannot_be_looked_at(here: Place, key: str, status: int, code: str) -> None:
    manifest = {"location": {"object_arn": f"qcs::cos:here::{BUCKET}/{key}"}}
    answer = await here.rig.call("POST", "/manifests:inspect", json=asked(manifest=manifest))
    assert refusal(answer) == (status, code)


@pytest.mark.parametrize(
    "arn", ["inv/list.csv", f"qcs::cos:here::{BUCKET}", f"qcs::cos:elsewhere::{BUCKET}/inv/list.csv"]
)
async def test_a_location_that_is_none_is_refused(here: Place, arn: str) -> None:
    answer = await here.rig.call("POST", "/manifests:inspect", json=asked(manifest={"location": {"object_arn": arn}}))
    assert refusal(answer) == (400, "InvalidArgument")
    assert set(faults(answer)) == {"manifest.location.object_arn"}


async def test_the_keys_of_an_inventory_are_never_raw(here: Place) -> None:
    manifest = asked()["manifest"] | {"spec": {"format": "COSInventoryReport_CSV_V1", "key_encoding": "raw"}}
    answer = await here.rig.call("POST", "/manifests:inspect", json=asked(manifest=manifest))
    assert set(faults(answer)) == {"manifest.spec.key_encoding"}
