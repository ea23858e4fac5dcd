"""What every object store must do with multipart uploads and copies in parts."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.operations import Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.disposition import is_outcome_unknown
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.port import CompletedPart, ObjectMetadata, PutOptions
from cosbatch.storage.profiles import Option, Support
from tests.contract.stores import Blocks, Gap, Subject, at, content, cos_subject, real_subject, refused

PART = 5 * 2**20
METADATA = ObjectMetadata(content_type="text/x-parts", cache_control="no-cache", user={"made": "of parts"})


async def test_upload_in_parts(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "dir/large"), subject.store
    pieces = [b"a" * PART, b"b" * PART, b"c" * 10]
    options = PutOptions(metadata=METADATA, tags=(Tag(key="a", value="b c"),))

    upload_id = await store.create_upload(ref, options=options)
    parts = [
        await store.upload_part(ref, upload_id=upload_id, number=number, body=piece)
        for number, piece in enumerate(pieces, start=1)
    ]
    listed = await store.list_parts(ref, upload_id=upload_id)
    outcome = await store.complete_upload(ref, upload_id=upload_id, parts=parts)

    assert [(part.number, part.etag, part.size_bytes) for part in listed] == [
        (number, hashlib.md5(piece).hexdigest(), len(piece)) for number, piece in enumerate(pieces, start=1)
    ]
    meta = await store.head(ref)
    digests = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    assert meta.etag == f"{hashlib.md5(digests).hexdigest()}-3"
    assert outcome.etag == ("" if subject.has(Gap.EMPTY_UPLOAD_ETAG) else meta.etag)
    assert meta.metadata == METADATA
    keeps_tags = store.profile.supports(Option.UPLOAD_TAGGING) is Support.APPLIED
    assert await store.get_tags(ref) == (options.tags if keeps_tags else ())
    assert await content(store, ref, first=PART - 1, last=PART) == b"ab"
    assert (await store.list_uploads(ref.bucket)).uploads == ()


async def test_streamed_part(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "streamed"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=Blocks(b"x" * 100_000, b"y" * 100_000))
    await store.complete_upload(ref, upload_id=upload_id, parts=[part])
    assert await content(store, ref) == b"x" * 100_000 + b"y" * 100_000


async def test_a_part_sent_again_counts_once(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "again"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    await store.upload_part(ref, upload_id=upload_id, number=1, body=b"first")
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"second")
    etags = [listed.etag for listed in await store.list_parts(ref, upload_id=upload_id)]
    assert part.etag in etags
    assert len(etags) == (2 if subject.has(Gap.SHOWS_REPLACED_PARTS) else 1)
    await store.complete_upload(ref, upload_id=upload_id, parts=[part])
    assert await content(store, ref) == b"second"


async def test_version_id_of_a_completed_upload(subject: Subject) -> None:
    ref, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"part")
    outcome = await store.complete_upload(ref, upload_id=upload_id, parts=[part])
    assert (await store.head(ref)).version_id
    assert outcome.version_id in (None, (await store.head(ref)).version_id)


async def test_abort(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "k"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    await store.upload_part(ref, upload_id=upload_id, number=1, body=b"part")
    await store.abort_upload(ref, upload_id=upload_id)
    assert (await store.list_uploads(ref.bucket)).uploads == ()
    assert (await refused(store.head(ref))).reason is StorageReason.NO_SUCH_KEY


async def test_upload_that_is_not_there(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "k"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"part")
    await store.abort_upload(ref, upload_id=upload_id)

    error = await refused(store.upload_part(ref, upload_id=upload_id, number=2, body=b"more"))
    assert (error.reason, error.http_status) == (StorageReason.NO_SUCH_UPLOAD, 404)
    error = await refused(store.list_parts(ref, upload_id=upload_id))
    is_odd = subject.has(Gap.PARTS_OF_NO_KEY)
    assert error.reason is (StorageReason.NO_SUCH_KEY if is_odd else StorageReason.NO_SUCH_UPLOAD)
    error = await refused(store.complete_upload(ref, upload_id=upload_id, parts=[part]))
    is_odd = subject.has(Gap.COMPLETES_NOTHING_AS_500)
    assert error.reason is (StorageReason.SERVER_ERROR if is_odd else StorageReason.NO_SUCH_UPLOAD)
    if subject.has(Gap.ABORTS_ANYTHING):
        await store.abort_upload(ref, upload_id=upload_id)
    else:
        error = await refused(store.abort_upload(ref, upload_id=upload_id))
        assert (error.reason, error.http_status) == (StorageReason.NO_SUCH_UPLOAD, 404)


async def test_completing_twice_does_no_harm(subject: Subject) -> None:
    """Its first answer was lost: S3 says the same again for a while, then NoSuchUpload; nothing else is right."""
    ref, store = at(subject.bucket(), "k"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"part")
    await store.complete_upload(ref, upload_id=upload_id, parts=[part])
    etag = (await store.head(ref)).etag
    try:
        again = (await store.complete_upload(ref, upload_id=upload_id, parts=[part])).etag
    except StorageError as error:
        again = str(error.reason)
    assert again in (etag, StorageReason.NO_SUCH_UPLOAD)
    assert await content(store, ref) == b"part"


async def test_part_that_was_never_sent(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "k"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=b"part")
    unknown = CompletedPart(2, hashlib.md5(b"never").hexdigest())
    error = await refused(store.complete_upload(ref, upload_id=upload_id, parts=[part, unknown]))
    assert error.reason is StorageReason.INVALID_REQUEST
    await store.abort_upload(ref, upload_id=upload_id)


async def test_small_part_in_the_middle(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "k"), subject.store
    upload_id = await store.create_upload(ref, options=PutOptions())
    parts = [await store.upload_part(ref, upload_id=upload_id, number=number, body=b"small") for number in (1, 2)]
    error = await refused(store.complete_upload(ref, upload_id=upload_id, parts=parts))
    assert (error.reason, error.code) == (StorageReason.INVALID_REQUEST, "EntityTooSmall")
    await store.abort_upload(ref, upload_id=upload_id)


async def test_uploads_are_listed_by_prefix(subject: Subject) -> None:
    bucket, store = subject.bucket(), subject.store
    made = {}
    for key in ("a/1", "a/2", "b/1"):
        made[key] = await store.create_upload(at(bucket, key), options=PutOptions())
    found = (await store.list_uploads(bucket, prefix="a/")).uploads
    assert {entry.key: entry.upload_id for entry in found} == {key: made[key] for key in ("a/1", "a/2")}
    assert all(entry.initiated > 1_600_000_000 for entry in found)


async def test_copy_in_parts(subject: Subject) -> None:
    bucket, store = subject.bucket(), subject.store
    source, target = at(bucket, "source ü"), at(subject.bucket(), "target")
    body = bytes(range(256)) * (PART // 256) + b"the rest of it"
    await store.put(source, body)

    upload_id = await store.create_upload(target, options=PutOptions(metadata=METADATA))
    parts = []
    for number, (first, last) in enumerate([(0, PART - 1), (PART, len(body) - 1)], start=1):
        parts.append(
            await store.upload_part_copy(
                source, target, upload_id=upload_id, number=number, first_byte=first, last_byte=last
            )
        )
    await store.complete_upload(target, upload_id=upload_id, parts=parts)

    assert hashlib.sha256(await content(store, target)).digest() == hashlib.sha256(body).digest()
    assert (await store.head(target)).metadata == METADATA


async def test_copy_of_a_part_of_a_version(subject: Subject) -> None:
    source, store = at(subject.bucket(versioning=Versioning.ENABLED), "k"), subject.store
    first = source._replace(version_id=(await store.put(source, b"first")).version_id)
    await store.put(source, b"second")
    target = at(source.bucket, "target")
    upload_id = await store.create_upload(target, options=PutOptions())
    part = await store.upload_part_copy(first, target, upload_id=upload_id, number=1, first_byte=0, last_byte=4)
    await store.complete_upload(target, upload_id=upload_id, parts=[part])
    assert await content(store, target) == b"first"


async def test_copy_of_a_part_with_another_etag(subject: Subject) -> None:
    bucket, store = subject.bucket(), subject.store
    source, target = at(bucket, "source"), at(bucket, "target")
    await store.put(source, b"0123456789")
    upload_id = await store.create_upload(target, options=PutOptions())
    call = store.upload_part_copy(
        source, target, upload_id=upload_id, number=1, first_byte=0, last_byte=4, if_source_etag="0" * 32
    )
    if store.profile.supports(Option.SOURCE_MATCH) is Support.APPLIED:
        assert (await refused(call)).reason is StorageReason.PRECONDITION_FAILED
    else:
        assert (await call).etag
    await store.abort_upload(target, upload_id=upload_id)


async def test_copy_of_a_part_from_a_missing_source(subject: Subject) -> None:
    target, store = at(subject.bucket(), "target"), subject.store
    upload_id = await store.create_upload(target, options=PutOptions())
    error = await refused(
        store.upload_part_copy(
            at(target.bucket, "never"), target, upload_id=upload_id, number=1, first_byte=0, last_byte=4
        )
    )
    assert error.reason is StorageReason.NO_SUCH_KEY
    await store.abort_upload(target, upload_id=upload_id)


LARGE = bytes(range(256)) * 4096


async def test_held_bodies_arrive_and_fill_a_room(subject: Subject) -> None:
    ref, store = at(subject.bucket(), "held"), subject.store
    room = memoryview(bytearray(LARGE))
    upload_id = await store.create_upload(ref, options=PutOptions())
    part = await store.upload_part(ref, upload_id=upload_id, number=1, body=HeldBody(room))
    room[:] = bytes(len(LARGE))  # nobody keeps the memory
    await store.complete_upload(ref, upload_id=upload_id, parts=[part])
    body = await store.get(ref)
    assert (await body.read_into(room), bytes(room)) == (len(LARGE), LARGE)
    await store.put(ref, HeldBody(room[10:]))
    body = await store.get(ref, first_byte=100, last_byte=299)
    assert (await body.read_into(room), bytes(room[:200])) == (200, LARGE[110:310])


async def test_a_room_that_is_too_small_is_refused(subject: Subject) -> None:
    ref = at(subject.bucket(), "long")
    await subject.store.put(ref, b"abc")
    body = await subject.store.get(ref)
    error = await refused(body.read_into(memoryview(bytearray(2))))
    await body.aclose()
    assert error.reason is StorageReason.BODY_DAMAGED


@pytest.mark.parametrize("name", ["cos", "seaweedfs", pytest.param("ceph", marks=pytest.mark.system)])
async def test_a_body_that_is_damaged_on_its_way_is_refused(request: pytest.FixtureRequest, name: str) -> None:
    """By the one hash that the profile says the store checks."""
    opened = cos_subject() if name == "cos" else real_subject(request.getfixturevalue(f"{name}_store"))
    async with opened as subject:
        bucket, store = subject.bucket(), subject.store
        upload_id = await store.create_upload(at(bucket, "part"), options=PutOptions())
        uploads = (
            lambda body: store.put(at(bucket, "whole"), body),
            lambda body: store.upload_part(at(bucket, "part"), upload_id=upload_id, number=1, body=body),
        )
        for upload in uploads:
            room = memoryview(bytearray(LARGE))
            sending = asyncio.ensure_future(refused(upload(HeldBody(room))))
            await asyncio.sleep(0)  # hashed, and not yet sent to its end
            room[-1] ^= 1
            assert not is_outcome_unknown(await sending)
        assert await store.list_parts(at(bucket, "part"), upload_id=upload_id) == []
        assert (await refused(store.head(at(bucket, "whole")))).reason is StorageReason.NO_SUCH_KEY
        await store.abort_upload(at(bucket, "part"), upload_id=upload_id)
