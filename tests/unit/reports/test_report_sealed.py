"""Whether a report is there already is told by its manifest.json, and by what that names."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import md5

import pytest

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.reports.long_json import LongObject
from cosbatch.reports.seal import seal_report
from cosbatch.reports.sealed import sealed_location
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.port import ObjectBody
from tests.unit.reports.report_builders import REPORT_BUCKET, a_job, commit
from tests.unit.reports.seal_builders import FOLDER, THREE_PARTS, ours


async def a_report() -> MemoryStore:
    store, spool = MemoryStore(clock=SystemClock()), MemorySpool()
    store.create_bucket(REPORT_BUCKET)
    parts = await commit(spool, THREE_PARTS)
    await seal_report(
        job=a_job(),
        parts=parts,
        spool=spool,
        store=store,
        summary=LongObject(fields={"a": 1}),
        created_at=0,
        still_ours=ours,
    )
    return store


def ref(name: str) -> ObjectRef:
    return ObjectRef(REPORT_BUCKET, ObjectKey(FOLDER + name))


async def test_a_whole_report_is_found() -> None:
    store = await a_report()
    assert await sealed_location(a_job(), store=store) == f"s3://{REPORT_BUCKET}/{FOLDER}manifest.json"


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "manifest.json.md5", "summary.json", "results/succeeded-00000.csv", "results/failed-00000.csv"],
)
async def test_without_one_of_its_files_it_is_not_there(name: str) -> None:
    store = await a_report()
    assert ref(name).key in store.current_objects(REPORT_BUCKET)
    await store.delete(ref(name))
    assert await sealed_location(a_job(), store=store) is None


async def test_nothing_is_found_where_nothing_is() -> None:
    store = MemoryStore(clock=SystemClock())
    store.create_bucket(REPORT_BUCKET)
    assert await sealed_location(a_job(), store=store) is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("results/failed-00000.csv", lambda content: content + b"more"),
        ("manifest.json", lambda content: content + b" "),
        ("manifest.json.md5", lambda content: b"0" * 32),
    ],
)
async def test_other_bytes_are_not_the_report(name: str, change: Callable[[bytes], bytes]) -> None:
    store = await a_report()
    content = b"".join(store.current_objects(REPORT_BUCKET)[ref(name).key].content.blocks())
    store.put_now(REPORT_BUCKET, ref(name).key, change(content))
    assert await sealed_location(a_job(), store=store) is None


@pytest.mark.parametrize("content", [b"not JSON", b"[]", json.dumps({"Results": [{}]}).encode(), b"\xff"])
async def test_a_manifest_that_is_not_ours_is_no_report(content: bytes) -> None:
    store = await a_report()
    store.put_now(REPORT_BUCKET, ref("manifest.json").key, content)
    store.put_now(REPORT_BUCKET, ref("manifest.json.md5").key, md5(content).hexdigest().encode())
    assert await sealed_location(a_job(), store=store) is None


async def test_a_store_that_does_not_let_us_look_says_so() -> None:
    store = await a_report()
    with pytest.raises(StorageError):
        await sealed_location(a_job(), store=_Refusing(store))


class _Refusing:
    """Reads are denied."""

    def __init__(self, inner: MemoryStore) -> None:
        self.head = inner.head

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        raise StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
