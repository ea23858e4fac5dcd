"""Objects that are too large for one request: parts, and what is left of them when an attempt breaks off."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import SendingStopped, StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.operations import CannedAcl, Directive, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.model.tasks import OutcomeCode, TaskStatus
from cosbatch.operations.copy_parts import PARTS_AT_ONCE
from cosbatch.operations.copy_uploads import part_ranges
from cosbatch.storage.memory import ALL_USERS
from cosbatch.storage.port import AclGrant, PutOptions
from tests.unit.operations.copy_rig import (
    METADATA,
    SOURCE,
    TAGS,
    TARGET,
    WRITES,
    CopyRig,
    Trouble,
    profile_with,
    task_of,
)

LIMITS: dict[str, Any] = {"copy_limit_bytes": 100, "min_part_bytes": 10}
BODY = bytes(range(250))
LARGE = task_of(size=250)
PARTS: dict[str, Any] = {"part_copy_above_bytes": 100, "part_size_bytes": 60}
"""Five parts."""
BY_PARTS = ["head", "get_tags", "create_upload", *["upload_part_copy"] * 5, "complete_upload"]


def params(**changes: Any) -> PutObjectCopy:
    return replace(PutObjectCopy(target_bucket=TARGET), **changes)


def large_rig(operation: PutObjectCopy | None = None, *, emulated: str = "", **changes: Any) -> CopyRig:
    profile = profile_with(emulated=emulated, **LIMITS)
    rig = CopyRig(operation, profile=profile, **{**PARTS, **changes})
    rig.put_source(body=BODY)
    return rig


def left_over(rig: CopyRig) -> tuple[int, int]:
    """Uploads in the store and in the ledger."""
    return len(rig.target.open_uploads()), len(rig.uploads.records)


@given(size=st.integers(1, 5000), part=st.integers(1, 700), smallest=st.integers(1, 50), most=st.integers(1, 40))
def test_parts_cover_the_object(size: int, part: int, smallest: int, most: int) -> None:
    ranges = part_ranges(size, part_bytes=part, min_part_bytes=smallest, max_parts=most)
    assert len(ranges) <= most
    assert ranges[0].first_byte == 0
    assert ranges[-1].last_byte == size - 1
    assert all(later.first_byte == earlier.last_byte + 1 for earlier, later in pairwise(ranges))
    assert [entry.number for entry in ranges] == list(range(1, len(ranges) + 1))
    assert all(entry.size_bytes >= max(part, smallest) for entry in ranges[:-1])


async def test_a_large_object_keeps_everything() -> None:
    rig = large_rig(params(storage_class="STANDARD_IA", new_object_metadata=NewObjectMetadata(sse_algorithm="AES256")))
    result = await rig.run(LARGE)
    copied = rig.copied()
    assert (result.size_bytes, result.requests) == (250, len(BY_PARTS))
    assert copied.content.stored == BODY
    assert (copied.metadata, copied.tags) == (METADATA, TAGS)
    assert (copied.storage_class, copied.sse_algorithm) == ("STANDARD_IA", "AES256")
    assert rig.wire.sent == BY_PARTS
    assert left_over(rig) == (0, 0)


async def test_merges_and_access_lists_of_a_large_object() -> None:
    operation = params(
        metadata_directive=Directive.ADD,
        new_object_metadata=NewObjectMetadata(user_metadata=(("size", "l"),)),
        tagging_directive=Directive.ADD,
        new_object_tagging=(Tag(key="tier", value="cold"),),
        canned_access_control_list=CannedAcl.PUBLIC_READ,
    )
    for emulated in ("", "tagging-replace canned-acl"):
        rig = large_rig(operation, emulated=emulated)
        await rig.run(LARGE)
        copied = rig.copied()
        assert copied.metadata.user == {"colour": "red", "shape": "round", "size": "l"}
        assert {tag.key: tag.value for tag in copied.tags} == {"tier": "cold", "team": "a"}
        assert AclGrant("", ALL_USERS, "READ") in copied.acl.grants


async def test_without_a_size_the_store_says_that_it_is_too_large() -> None:
    rig = large_rig()
    result = await rig.run(task_of(size=None))
    assert (result.status, result.size_bytes) == (TaskStatus.SUCCEEDED, 250)
    assert rig.wire.sent == ["copy", *BY_PARTS]


async def test_without_a_size_a_small_object_is_one_request() -> None:
    rig = large_rig()
    rig.put_source(body=b"small")
    await rig.run(task_of(size=None))
    assert rig.wire.sent == ["copy"]


@pytest.mark.parametrize("reason", [StorageReason.TOO_LARGE, StorageReason.INVALID_REQUEST])
async def test_a_store_may_have_a_lower_limit_than_its_profile(reason: StorageReason) -> None:
    rig = large_rig(part_copy_above_bytes=1000)
    rig.wire.refuses["copy"] = StorageError(
        reason, "The specified copy source is larger than the maximum", http_status=400
    )
    assert (await rig.run(task_of(size=90))).status is TaskStatus.SUCCEEDED
    assert rig.wire.sent.count("copy") == 1


async def test_other_refusals_are_no_reason_for_parts() -> None:
    rig = large_rig()
    rig.wire.refuses["copy"] = StorageError(StorageReason.INVALID_REQUEST, "no such header", http_status=400)
    with pytest.raises(StorageError, match="no such header"):
        await rig.run(task_of(size=None))
    assert rig.wire.sent == ["copy"]


async def test_an_old_manifest_is_not_believed() -> None:
    """The object has shrunk below the limit since it was listed."""
    rig = large_rig()
    rig.put_source(body=b"small")
    result = await rig.run(LARGE)
    assert (rig.copied().content.stored, result.size_bytes) == (b"small", 5)
    assert "create_upload" not in rig.wire.sent


async def test_parts_grow_where_there_would_be_too_many() -> None:
    rig = large_rig(part_size_bytes=10)
    rig.source.profile = replace(rig.source.profile, max_parts=3)
    await rig.run(LARGE)
    assert rig.wire.sent.count("upload_part_copy") == 3


async def test_a_large_object_is_changed_in_place() -> None:
    rig = large_rig(params(target_bucket=SOURCE, storage_class="STANDARD_IA"))
    await rig.run(LARGE)
    assert (rig.copied().storage_class, rig.copied().metadata) == ("STANDARD_IA", METADATA)


# --- a source that changes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("emulated", ["", "source-match"])
@pytest.mark.parametrize("number", [1, 2, 3, 12, 20, 27])
async def test_parts_are_of_one_object(number: int, emulated: str) -> None:
    """Of 25 parts, eight in flight: the change comes while some are there already."""
    rig = large_rig(emulated=emulated, part_size_bytes=10)
    rig.claim()
    changed = bytes(reversed(BODY))

    def change() -> None:
        rig.clock.advance(2)
        rig.put_source(body=changed)

    rig.wire.before[number] = change
    assert (await rig.run(LARGE)).status is TaskStatus.SUCCEEDED
    assert rig.copied().content.stored == changed
    assert left_over(rig) == (0, 0)


async def test_dates_are_compared_before_any_part() -> None:
    rig = large_rig(params(modified_since_constraint=2_000_000_000))
    with pytest.raises(StorageError) as caught:
        await rig.run(LARGE)
    assert caught.value.reason is StorageReason.PRECONDITION_FAILED
    assert rig.wire.sent == ["head", "get_tags"]


# --- interrupted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("number", range(len(BY_PARTS)))
async def test_every_request_may_be_the_last(number: int, trouble: Trouble, versioned: bool) -> None:
    rig = CopyRig(versioned=versioned, profile=profile_with(**LIMITS), **PARTS)
    rig.put_source(body=BODY)
    rig.wire.trouble, rig.wire.at = trouble, number
    try:
        result = await rig.run(LARGE)
    except (Unanswered, SendingStopped):
        result = await rig.recover(LARGE)
    assert result.status is TaskStatus.SUCCEEDED
    assert rig.copied().content.stored == BODY
    assert (rig.copied().metadata, rig.copied().tags) == (METADATA, TAGS)
    assert left_over(rig) == (0, 0)
    assert len(await rig.versions()) == 1


async def test_parts_that_are_there_are_not_sent_again() -> None:
    rig = large_rig()
    rig.wire.trouble, rig.wire.at = Trouble.DIES_BEFORE, 6
    with pytest.raises(SendingStopped):
        await rig.run(LARGE)
    assert left_over(rig) == (1, 1)
    await rig.recover(LARGE)
    assert rig.wire.sent.count("upload_part_copy") == 2
    assert "create_upload" not in rig.wire.sent


async def test_parts_of_an_older_source_are_thrown_away() -> None:
    rig = large_rig()
    rig.wire.trouble, rig.wire.at = Trouble.DIES_BEFORE, 6
    with pytest.raises(SendingStopped):
        await rig.run(LARGE)
    changed = bytes(reversed(BODY))
    rig.put_source(body=changed)
    await rig.recover(LARGE)
    assert rig.copied().content.stored == changed
    assert left_over(rig) == (0, 0)


async def test_a_refused_part_ends_the_upload() -> None:
    rig = large_rig()
    rig.wire.refuses["upload_part_copy"] = StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
    with pytest.raises(StorageError) as caught:
        await rig.run(LARGE)
    assert caught.value.reason is StorageReason.ACCESS_DENIED
    assert left_over(rig) == (0, 0)


async def test_after_a_refused_part_no_other_begins() -> None:
    rig = large_rig(part_size_bytes=10)
    rig.wire.refuses["upload_part_copy"] = StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
    with pytest.raises(StorageError):
        await rig.run(LARGE)
    assert rig.wire.sent.count("upload_part_copy") == PARTS_AT_ONCE


async def test_an_upload_that_cannot_be_aborted_stays_in_the_ledger() -> None:
    rig = large_rig()
    for kind in ("upload_part_copy", "abort_upload"):
        rig.wire.refuses[kind] = StorageError(StorageReason.ACCESS_DENIED, kind, http_status=403)
    with pytest.raises(StorageError, match="upload_part_copy"):
        await rig.run(LARGE)
    assert left_over(rig) == (1, 1)


async def test_an_upload_that_somebody_else_has_ended_is_begun_anew() -> None:
    rig = large_rig()
    rig.wire.trouble, rig.wire.at = Trouble.DIES_BEFORE, 6
    with pytest.raises(SendingStopped):
        await rig.run(LARGE)
    upload = rig.uploads.records[0]
    await rig.target.abort_upload(upload.target, upload_id=upload.upload_id)
    assert (await rig.recover(LARGE)).status is TaskStatus.SUCCEEDED
    assert left_over(rig) == (0, 0)


async def test_an_upload_that_vanishes_under_way_is_looked_into() -> None:
    rig = large_rig()
    rig.wire.refuses["complete_upload"] = StorageError(StorageReason.NO_SUCH_UPLOAD, "gone", http_status=404)
    with pytest.raises(Unanswered):
        await rig.run(LARGE)


async def test_somebody_elses_upload_is_left_alone() -> None:
    """It has parts, and the ledger does not know it."""
    rig = large_rig()
    rig.claim()
    theirs = ObjectRef(TARGET, ObjectKey("a/key"))
    upload_id = await rig.target.create_upload(theirs, options=PutOptions())
    await rig.target.upload_part(theirs, upload_id=upload_id, number=1, body=b"x")
    rig.wire.trouble, rig.wire.at = Trouble.LOST_AFTER, BY_PARTS.index("create_upload")
    await rig.run_through_losses(LARGE)
    assert [upload.upload_id for upload in rig.target.open_uploads()] == [upload_id]


async def test_settling_alone_leaves_half_done_uploads() -> None:
    rig = large_rig()
    rig.wire.trouble, rig.wire.at = Trouble.DIES_BEFORE, 6
    with pytest.raises(SendingStopped):
        await rig.run(LARGE)
    rig.wire.heal()
    assert await rig.settle(LARGE, may_write=False) is None
    assert not WRITES & set(rig.wire.sent)
    assert left_over(rig) == (1, 1)


async def test_what_was_never_completed_is_done_whoever_wrote_meanwhile() -> None:
    rig = large_rig()
    rig.wire.trouble, rig.wire.at = Trouble.DIES_BEFORE, 6
    with pytest.raises(SendingStopped):
        await rig.run(LARGE)
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    rig.wire.heal()
    assert await rig.settle(LARGE, may_write=False) is None
    assert (await rig.recover(LARGE)).status is TaskStatus.SUCCEEDED
    assert rig.copied().content.stored == BODY
    assert rig.wire.sent.count("create_upload") == 0
    assert left_over(rig) == (0, 0)


async def test_uploads_end_where_the_outcome_cannot_be_known() -> None:
    """One was completed, unheard, and another is open."""
    rig = large_rig()
    rig.wire.trouble, rig.wire.only = Trouble.LOST_AFTER, "complete_upload"
    with pytest.raises(Unanswered):
        await rig.run(LARGE)
    ref = ObjectRef(TARGET, ObjectKey("a/key"))
    await rig.uploads.begin(LARGE.number, ref, await rig.target.create_upload(ref, options=PutOptions()))
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    assert (await rig.recover(LARGE)).error_code == OutcomeCode.OUTCOME_UNKNOWN
    assert left_over(rig) == (0, 0)


async def test_an_upload_that_is_ours_only_under_a_wrong_clock_is_written_down_and_left() -> None:
    """The ledger's clock was an hour ahead when the chunk was claimed, and the reply with the id was lost."""
    rig = large_rig()
    options = PutOptions()
    ref = ObjectRef(TARGET, ObjectKey("a/key"))
    surely_foreign = await rig.target.create_upload(ref, options=options)
    rig.clock.seconds = rig.first_leased_at - 3600
    doubtful = await rig.target.create_upload(ref, options=options)
    with_parts = await rig.target.create_upload(ref, options=options)
    await rig.target.upload_part(ref, upload_id=with_parts, number=1, body=b"a part")
    rig.claim()
    ours = await rig.target.create_upload(ref, options=options)
    await rig.uploads.announce(LARGE.number, ref)
    assert await rig.settle(LARGE) is None
    assert {upload.upload_id for upload in rig.target.open_uploads()} == {surely_foreign, doubtful, with_parts}
    assert ours not in rig.uploads.doubted
    assert rig.uploads.doubted == {doubtful}
    assert not rig.uploads.announced


async def test_parts_of_a_young_source_are_not_trusted() -> None:
    """Written in the hour before the claim, by dates: perhaps after the parts were made of what was there before."""
    rig = large_rig()
    rig.clock.seconds = rig.first_leased_at - 60
    rig.put_source(body=BODY[::-1])
    rig.wire.trouble, rig.wire.only = Trouble.DIES_BEFORE, "complete_upload"
    with pytest.raises(SendingStopped):
        await rig.run(LARGE)
    rig.wire.heal()
    await rig.recover(LARGE)
    assert rig.wire.sent.count("upload_part_copy") == 5


async def test_a_completion_that_was_lost_is_found() -> None:
    rig = large_rig()
    rig.wire.trouble, rig.wire.only = Trouble.LOST_AFTER, "complete_upload"
    with pytest.raises(Unanswered):
        await rig.run(LARGE)
    rig.wire.heal()
    result = await rig.settle(LARGE, may_write=False)
    assert result is not None
    assert result.status is TaskStatus.SUCCEEDED


async def test_an_archived_source_fails() -> None:
    rig = CopyRig(profile=profile_with(**LIMITS), **PARTS)
    rig.put_source(body=BODY, storage_class="GLACIER")
    with pytest.raises(StorageError) as caught:
        await rig.run(LARGE)
    assert caught.value.reason is StorageReason.INVALID_OBJECT_STATE
    assert left_over(rig) == (0, 0)


# --- a store without ----------------------------------------------------------------------------------------------


async def test_a_store_that_copies_no_parts_is_not_asked_to() -> None:
    rig = CopyRig(profile=profile_with(refused="part-copy", **LIMITS), part_copy_above_bytes=100)
    rig.put_source(body=BODY)
    result = await rig.run(LARGE)
    assert (result.status, result.error_code) == (TaskStatus.FAILED, "UnsupportedOption")
    assert "part-copy is not offered" in result.message
    assert not WRITES & set(rig.wire.sent)


async def test_a_version_is_not_asked_of_a_store_without_versions() -> None:
    """It might give the newest one instead."""
    rig = CopyRig(profile=profile_with(refused="versions"))
    rig.put_source()
    result = await rig.run(task_of(version="v1"))
    assert (result.error_code, rig.wire.sent) == ("UnsupportedOption", [])
    assert (await rig.run(task_of(version="null"))).status is TaskStatus.SUCCEEDED
