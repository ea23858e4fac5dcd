"""What the store in memory does for tests: sizes without bytes, archived classes, lesser stores, and limits."""

from __future__ import annotations

import asyncio

import pytest

from cosbatch.model.errors import StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.operations import RestoreTier, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.memory import UPLOADS_PER_PAGE, MemoryStore
from cosbatch.storage.port import CopyOptions, ObjectMetadata, ObjectStore, PutOptions, RestoreOutcome
from cosbatch.storage.profiles import PROFILES, Option, Support
from tests.contract.stores import at, content, refused

GIB = 2**30


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.25

    def now(self) -> float:
        return self.seconds

    def boottime(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> MemoryStore:
    made = MemoryStore(clock=clock)
    made.create_bucket("b")
    return made


B = Bucket("b")


def test_is_an_object_store(store: MemoryStore) -> None:
    plain: ObjectStore = store
    assert plain.profile is PROFILES["s3"]


async def test_size_without_bytes(store: MemoryStore) -> None:
    ref = store.put_sized("b", "huge", 3_000_000)
    assert (await store.head(ref)).size_bytes == 3_000_000
    assert await content(store, ref) == bytes(3_000_000)
    assert await content(store, ref, first=10, last=14) == bytes(5)


async def test_one_copy_takes_five_gibibytes(store: MemoryStore) -> None:
    fits, too_large = store.put_sized("b", "fits", 5 * GIB), store.put_sized("b", "large", 5 * GIB + 1)
    await store.copy(fits, at(B, "copied"), options=CopyOptions())
    assert (await store.head(at(B, "copied"))).size_bytes == 5 * GIB
    error = await refused(store.copy(too_large, at(B, "copied"), options=CopyOptions()))
    assert (error.reason, error.http_status) == (StorageReason.INVALID_REQUEST, 400)


async def test_large_object_in_parts(store: MemoryStore) -> None:
    source, target = store.put_sized("b", "large", 12 * GIB), at(B, "target")
    upload_id = await store.create_upload(target, options=PutOptions())
    parts = [
        await store.upload_part_copy(
            source, target, upload_id=upload_id, number=n + 1, first_byte=n * 4 * GIB, last_byte=(n + 1) * 4 * GIB - 1
        )
        for n in range(3)
    ]
    outcome = await store.complete_upload(target, upload_id=upload_id, parts=parts)
    assert outcome.etag.endswith("-3")
    assert (await store.head(target)).size_bytes == 12 * GIB


@pytest.mark.parametrize(("first", "last"), [(0, 5 * GIB), (10, 6 * GIB), (-1, 4), (5, 4)])
async def test_ranges_that_no_part_copy_takes(store: MemoryStore, first: int, last: int) -> None:
    source, target = store.put_sized("b", "large", 6 * GIB), at(B, "target")
    upload_id = await store.create_upload(target, options=PutOptions())
    call = store.upload_part_copy(source, target, upload_id=upload_id, number=1, first_byte=first, last_byte=last)
    assert (await refused(call)).reason in (StorageReason.INVALID_REQUEST, StorageReason.TOO_LARGE)


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
async def test_archived_object_is_not_read_before_it_is_restored(store: MemoryStore, storage_class: str) -> None:
    ref = store.put_sized("b", "cold", 10, options=PutOptions(storage_class=storage_class))
    assert (await store.head(ref)).storage_class == storage_class
    for call in (store.get(ref), store.copy(ref, at(B, "copied"), options=CopyOptions())):
        assert (await refused(call)).reason is StorageReason.INVALID_OBJECT_STATE
    store.mark_restored(ref, restore='ongoing-request="true"')
    assert (await refused(store.get(ref))).reason is StorageReason.INVALID_OBJECT_STATE
    store.mark_restored(ref)
    assert await content(store, ref) == bytes(10)


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        (CopyOptions(if_modified_since=1_699_999_999), True),
        (CopyOptions(if_modified_since=1_700_000_000), False),
        (CopyOptions(if_unmodified_since=1_700_000_000), True),
        (CopyOptions(if_unmodified_since=1_699_999_999), False),
        (CopyOptions(if_source_etag="900150983cd24fb0d6963f7d28e17f72"), True),
        (CopyOptions(if_source_etag="0"), False),
        # S3 lets a matching ETag outweigh the date.
        (CopyOptions(if_source_etag="900150983cd24fb0d6963f7d28e17f72", if_unmodified_since=1), True),
    ],
)
async def test_conditions(store: MemoryStore, options: CopyOptions, passes: bool) -> None:
    store.put_now("b", "k", b"abc")
    call = store.copy(at(B, "k"), at(B, "copied"), options=options)
    if passes:
        assert (await call).etag == "900150983cd24fb0d6963f7d28e17f72"
    else:
        assert (await refused(call)).reason is StorageReason.PRECONDITION_FAILED


async def test_lesser_store_ignores_conditions_and_tags(clock: HandClock) -> None:
    """As Ceph does: success, and nothing of it is true."""
    store = MemoryStore(profile=PROFILES["ceph"], clock=clock)
    store.create_bucket("b")
    store.put_now("b", "k", b"abc", options=PutOptions(tags=(Tag(key="a", value="1"),)))
    options = CopyOptions(if_source_etag="0", if_unmodified_since=1, tags=(Tag(key="b", value="2"),))
    await store.copy(at(B, "k"), at(B, "copied"), options=options)
    assert await store.get_tags(at(B, "copied")) == (Tag(key="a", value="1"),)


async def test_store_that_knows_no_versions(clock: HandClock) -> None:
    profile = PROFILES["s3"].with_overrides({Option.VERSIONS: Support.REFUSED})
    store = MemoryStore(profile=profile, clock=clock)
    store.create_bucket("b", versioning=Versioning.ENABLED)
    assert await store.versioning(B) is Versioning.NEVER


async def test_keys_that_the_profile_refuses(clock: HandClock) -> None:
    store = MemoryStore(profile=PROFILES["seaweedfs"], clock=clock)
    store.create_bucket("b")
    for call in (store.put(at(B, "a//b"), b"1"), store.head(at(B, "a//b")), store.delete(at(B, "a//b"))):
        assert (await refused(call)).reason is StorageReason.INVALID_KEY


async def test_versions_come_and_go_with_the_state_of_the_bucket(store: MemoryStore) -> None:
    ref = at(B, "k")
    store.put_now("b", "k", b"before")
    store.set_versioning("b", Versioning.ENABLED)
    first = (await store.put(ref, b"first")).version_id
    store.set_versioning("b", Versioning.SUSPENDED)
    assert (await store.put(ref, b"null")).version_id == "null"
    assert await store.delete(ref) == "null"
    listed = (await store.list_versions(B)).objects
    assert [(entry.version_id, entry.is_delete_marker) for entry in listed] == [("null", True), (first, False)]


async def test_part_of_another_key_is_no_part_of_this_upload(store: MemoryStore) -> None:
    upload_id = await store.create_upload(at(B, "k"), options=PutOptions())
    call = store.upload_part(at(B, "other"), upload_id=upload_id, number=1, body=b"1")
    assert (await refused(call)).reason is StorageReason.NO_SUCH_UPLOAD


async def test_uploads_are_listed_in_pages(store: MemoryStore) -> None:
    for number in range(UPLOADS_PER_PAGE + 5):
        await store.create_upload(at(B, f"k{number:04}"), options=PutOptions())
    first = await store.list_uploads(B)
    second = await store.list_uploads(B, token=first.next_token)
    keys = [upload.key for upload in (*first.uploads, *second.uploads)]
    assert keys == [f"k{number:04}" for number in range(UPLOADS_PER_PAGE + 5)]
    assert second.next_token == ""
    assert len(store.open_uploads()) == UPLOADS_PER_PAGE + 5


async def test_every_method_lets_others_run(store: MemoryStore) -> None:
    ref = at(B, "k")
    await store.put(ref, b"1")
    turns: list[str] = []

    async def twice(name: str) -> None:
        for _ in range(2):
            turns.append(name)
            await store.head(ref)

    await asyncio.gather(twice("a"), twice("b"))
    assert turns == ["a", "b", "a", "b"]


async def test_what_a_test_sees_behind_the_stores_back(store: MemoryStore) -> None:
    store.put_now("b", "ü", b"2", options=PutOptions(metadata=ObjectMetadata(user={"Name": "v"})))
    store.put_now("b", "a", b"1")
    found = store.current_objects("b")
    assert list(found) == ["a", "ü"]
    assert found[ObjectKey("ü")].metadata.user == {"name": "v"}
    store.delete_bucket("b")
    assert (await refused(store.list_objects(B))).reason is StorageReason.NO_SUCH_BUCKET


async def test_wrong_parts_of_a_completion(store: MemoryStore) -> None:
    ref = at(B, "k")
    upload_id = await store.create_upload(ref, options=PutOptions())
    one = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"1")
    two = await store.upload_part(ref, upload_id=upload_id, number=2, body=b"2")
    for parts, code in (
        ([], "MalformedXML"),
        ([two, one], "InvalidPartOrder"),
        ([one, two._replace(etag="x")], "InvalidPart"),
        ([one, two], "EntityTooSmall"),
    ):
        error = await refused(store.complete_upload(ref, upload_id=upload_id, parts=parts))
        assert (error.reason, error.code) == (StorageReason.INVALID_REQUEST, code)


ARCHIVED = PutOptions(storage_class="DEEP_ARCHIVE")


async def test_restore_until_it_is_readable(store: MemoryStore, clock: HandClock) -> None:
    """Begun, refused while it goes on, and extended once it can be read."""
    ref = at(B, "cold")
    store.put_now("b", "cold", b"1", options=ARCHIVED)
    assert await store.restore(ref, days=3, tier=RestoreTier.BULK) is RestoreOutcome.BEGUN
    assert (await store.head(ref)).restore == 'ongoing-request="true"'

    error = await refused(store.restore(ref, days=3, tier=RestoreTier.BULK))
    assert (error.reason, error.code, error.http_status) == (
        StorageReason.RESTORE_IN_PROGRESS,
        "RestoreAlreadyInProgress",
        409,
    )

    store.mark_restored(ref)
    assert await store.restore(ref, days=3, tier=RestoreTier.BULK) is RestoreOutcome.EXTENDED
    # 2023-11-14 22:13 and three days, then the midnight that follows.
    assert (await store.head(ref)).restore == 'ongoing-request="false", expiry-date="Sat, 18 Nov 2023 00:00:00 GMT"'
    assert await content(store, ref) == b"1"


async def test_restore_of_one_version(store: MemoryStore) -> None:
    store.create_bucket("versioned", versioning=Versioning.ENABLED)
    first = store.put_now("versioned", "k", b"1", options=ARCHIVED).version_id
    second = store.put_now("versioned", "k", b"2", options=ARCHIVED).version_id
    older, newer = (at(Bucket("versioned"), "k")._replace(version_id=version) for version in (first, second))
    assert await store.restore(older, days=1, tier=RestoreTier.STANDARD) is RestoreOutcome.BEGUN
    assert ((await store.head(older)).restore, (await store.head(newer)).restore) == ('ongoing-request="true"', "")


async def test_a_store_without_restore(clock: HandClock) -> None:
    store = MemoryStore(profile=PROFILES["generic"], clock=clock)
    store.create_bucket("b")
    store.put_now("b", "k", options=ARCHIVED)
    error = await refused(store.restore(at(B, "k"), days=1, tier=RestoreTier.STANDARD))
    assert (error.reason, error.http_status) == (StorageReason.NOT_IMPLEMENTED, 501)
