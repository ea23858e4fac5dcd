"""How a manifest is fetched: in any blocks, over broken connections, pinned to one ETag, in flat memory."""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
from typing import cast

import pytest

from cosbatch.manifests.reader import ManifestReading, read_manifest
from cosbatch.model.errors import FailureCode, JobFailure, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.manifests import Manifest
from cosbatch.storage.port import ObjectBody, ObjectStore
from tests.unit.manifests.manifest_builders import (
    AN_INVENTORY,
    CSV_KEY,
    REPORTS,
    ChoppyStore,
    a_manifest,
    rows_of,
    store_with_csv,
    store_with_inventory,
    with_etag,
)

PLAIN = a_manifest()
CONTENT = b"".join(b"b1,key-%05d\n" % number for number in range(500))


def opened(store: object, manifest: Manifest) -> ManifestReading:
    return asyncio.run(read_manifest(manifest, cast("ObjectStore", store)))


def test_a_lost_connection_is_resumed_where_it_broke() -> None:
    whole = rows_of(store_with_csv(CONTENT), PLAIN)
    for ends_early in (False, True):
        store = ChoppyStore(store_with_csv(CONTENT), block_bytes=100, breaks=[300, 1200])
        store.ends_early = ends_early
        assert rows_of(store, PLAIN) == whole
        assert [start for _, start, _ in store.gets] == [0, 300, 1200]
        assert all(body.is_closed for body in store.bodies)


def test_a_body_that_never_gets_further_is_given_up() -> None:
    store = ChoppyStore(store_with_csv(CONTENT), block_bytes=100, breaks=[300] * 9)
    with pytest.raises(StorageError) as caught:
        rows_of(store, PLAIN)
    assert caught.value.reason is StorageReason.BODY_DAMAGED
    assert len(store.gets) == 4


def test_an_object_replaced_while_it_is_read_is_not_mixed_with_its_successor() -> None:
    class Replacing(ChoppyStore):
        async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
            if self.gets:
                self.inner.put_now(REPORTS, CSV_KEY, CONTENT.replace(b"key", b"yek"))
            return await super().get(ref, first_byte=first_byte, last_byte=last_byte)

    store = Replacing(store_with_csv(CONTENT), block_bytes=100, breaks=[300])
    with pytest.raises(JobFailure) as caught:
        rows_of(store, PLAIN)
    assert caught.value.failure_code is FailureCode.MANIFEST_ETAG_MISMATCH


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (StorageReason.NO_SUCH_KEY, FailureCode.MANIFEST_NOT_FOUND),
        (StorageReason.NO_SUCH_BUCKET, FailureCode.MANIFEST_NOT_FOUND),
        (StorageReason.NO_SUCH_VERSION, FailureCode.MANIFEST_NOT_FOUND),
        (StorageReason.DELETE_MARKER, FailureCode.MANIFEST_NOT_FOUND),
        (StorageReason.ACCESS_DENIED, FailureCode.ACCESS_DENIED_ON_MANIFEST),
        (StorageReason.INVALID_OBJECT_STATE, FailureCode.ACCESS_DENIED_ON_MANIFEST),
        (StorageReason.WRONG_REGION, FailureCode.REGION_MISMATCH),
    ],
)
def test_a_refusal_is_the_failure_that_it_means(reason: StorageReason, code: FailureCode) -> None:
    with pytest.raises(JobFailure) as caught:
        opened(_Refusing(reason), PLAIN)
    assert caught.value.failure_code is code
    assert isinstance(caught.value.__cause__, StorageError)


@pytest.mark.parametrize("reason", [StorageReason.SLOW_DOWN, StorageReason.REFUSED, StorageReason.CREDENTIALS_EXPIRED])
def test_what_may_pass_by_itself_stays_a_storage_error(reason: StorageReason) -> None:
    with pytest.raises(StorageError):
        opened(_Refusing(reason), PLAIN)


class _Refusing:
    def __init__(self, reason: StorageReason) -> None:
        self._reason = reason

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        raise StorageError(self._reason, "no")


def test_a_wrong_etag_leaves_no_connection_open() -> None:
    store = ChoppyStore(store_with_csv(CONTENT))
    with pytest.raises(JobFailure):
        opened(store, with_etag(PLAIN, "0" * 32))
    assert store.bodies[0].is_closed


async def test_stopping_in_the_middle_closes_the_body() -> None:
    content = b"".join(b"b1,key-%05d\n" % number for number in range(50_000))
    store = ChoppyStore(store_with_csv(content), block_bytes=4096)
    reading = await read_manifest(PLAIN, cast("ObjectStore", store))
    assert 0 < reading.bytes_read < reading.header.size_bytes
    assert not store.bodies[0].is_closed
    await reading.aclose()
    assert store.bodies[0].is_closed


async def test_batches_are_bounded() -> None:
    store = store_with_csv(b"b1,k\n" * 20_000)
    reading = await read_manifest(PLAIN, store)
    sizes = [len(batch) async for batch in reading.batches()]
    assert sum(sizes) == 20_000
    assert max(sizes) <= 5000
    assert reading.bytes_read == reading.header.size_bytes


NARROW = {"fileSchema": "Bucket, Key", "sourceBucket": "source", "sourceAppid": None}


def _peak_bytes(rows: int) -> int:
    chance = random.Random(7)
    lines = [f"logs/{number}-{chance.getrandbits(128):032x}" for number in range(rows)]
    store = store_with_inventory("".join(f"source,{key}\n" for key in lines).encode(), packed=True, **NARROW)
    del lines

    async def count() -> int:
        reading = await read_manifest(AN_INVENTORY, store)
        return sum([len(batch) async for batch in reading.batches()])

    tracemalloc.start()
    try:
        assert asyncio.run(count()) == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_manifest() -> None:
    small, large = _peak_bytes(30_000), _peak_bytes(150_000)
    assert large < small * 1.1
    assert large < 4 << 20


def test_blocks_of_one_byte() -> None:
    for content in (CONTENT, gzip.compress(CONTENT), b"\xef\xbb\xbf" + CONTENT.replace(b"\n", b"\r\n")):
        store = ChoppyStore(store_with_csv(content), block_bytes=1)
        assert rows_of(store, PLAIN) == rows_of(store_with_csv(CONTENT), PLAIN)
