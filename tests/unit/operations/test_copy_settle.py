"""Lost replies: how a second attempt recognises its first, for each kind of request."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hashlib import md5
from random import Random
from typing import Any

import pytest

from cosbatch.model.errors import SendingStopped, StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import ObjectKey, ObjectRef, RegionName
from cosbatch.model.operations import (
    CannedAcl,
    Directive,
    Grant,
    NewObjectMetadata,
    Permission,
    PutObjectCopy,
    Tag,
)
from cosbatch.model.tasks import OutcomeCode, TaskStatus
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.port import PutOptions
from cosbatch.storage.profiles import CapabilityProfile
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

LOSSES = [Trouble.LOST_AFTER, Trouble.LOST_BEFORE]
DEATHS = [Trouble.DIES_AFTER, Trouble.DIES_BEFORE]
NEW = NewObjectMetadata(cache_control="no-store", user_metadata=(("shape", "square"),))
NEW_TAGS = (Tag(key="tier", value="cold"),)
GRANT = Grant(identifier="friend", permission=Permission.READ)


def params(**changes: Any) -> PutObjectCopy:
    return replace(PutObjectCopy(target_bucket=TARGET), **changes)


OPTIONS: dict[str, tuple[PutObjectCopy, str]] = {
    "default": (params(), ""),
    "class": (params(storage_class="STANDARD_IA"), ""),
    "added metadata": (params(metadata_directive=Directive.ADD, new_object_metadata=NEW), ""),
    "added metadata, no match": (params(metadata_directive=Directive.ADD, new_object_metadata=NEW), "source-match"),
    "replaced metadata": (params(metadata_directive=Directive.REPLACED, new_object_metadata=NEW), ""),
    "added tags": (params(tagging_directive=Directive.ADD, new_object_tagging=NEW_TAGS), ""),
    "added tags by follow-up": (
        params(tagging_directive=Directive.ADD, new_object_tagging=NEW_TAGS),
        "tagging-replace",
    ),
    "no tags by follow-up": (params(tagging_directive=Directive.REPLACED), "tagging-replace"),
    "tags copied by follow-up": (params(), "tagging-copy"),
    "canned by follow-up": (params(canned_access_control_list=CannedAcl.PUBLIC_READ), "canned-acl"),
    "copied access": (params(access_control_directive=Directive.COPY), ""),
    "added access": (params(access_control_directive=Directive.ADD, access_control_grants=(GRANT,)), ""),
    "in place": (params(target_bucket=SOURCE, storage_class="STANDARD_IA"), ""),
    "in place, metadata": (
        params(target_bucket=SOURCE, metadata_directive=Directive.ADD, new_object_metadata=NEW),
        "",
    ),
    "in place, touched": (params(target_bucket=SOURCE), ""),
}


def rig_for(name: str, *, versioned: bool) -> CopyRig:
    operation, emulated = OPTIONS[name]
    rig = CopyRig(operation, versioned=versioned, profile=profile_with(emulated=emulated))
    rig.put_source(canned_acl=CannedAcl.PUBLIC_READ)
    return rig


def state(stored: StoredObject) -> tuple[object, ...]:
    return (
        stored.content.stored,
        stored.metadata,
        frozenset(stored.tags),
        frozenset(stored.acl.grants),
        stored.storage_class,
    )


async def undisturbed(name: str, *, versioned: bool) -> tuple[list[str], tuple[object, ...], int]:
    """Requests, the copy, and the number of versions where nothing goes wrong."""
    rig = rig_for(name, versioned=versioned)
    await rig.run()
    return list(rig.wire.sent), state(rig.copied()), len(await rig.versions())


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("trouble", [*LOSSES, *DEATHS])
@pytest.mark.parametrize("name", list(OPTIONS))
async def test_every_request_may_be_lost(name: str, trouble: Trouble, versioned: bool) -> None:
    """Each request of the first attempt in turn: afterwards the bucket is as if nothing had happened."""
    sent, wanted, versions = await undisturbed(name, versioned=versioned)
    for number, kind in enumerate(sent):
        if trouble in LOSSES and kind not in WRITES:
            continue
        rig = rig_for(name, versioned=versioned)
        rig.wire.trouble, rig.wire.at = trouble, number
        try:
            result = await rig.run()
        except (Unanswered, SendingStopped):
            result = await rig.recover()
        assert result.status is TaskStatus.SUCCEEDED, (kind, result)
        assert result.size_bytes == 3
        assert state(rig.copied()) == wanted, kind
        assert len(await rig.versions()) == versions, kind


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("seed", range(40))
async def test_many_losses_in_a_row(seed: int, versioned: bool) -> None:
    """Any option, and trouble at a random request of each of five attempts."""
    random = Random(seed)
    name = random.choice(list(OPTIONS))
    _, wanted, versions = await undisturbed(name, versioned=versioned)
    rig = rig_for(name, versioned=versioned)
    may_have_run = False
    for _ in range(5):
        rig.wire.heal()
        rig.wire.trouble, rig.wire.at = random.choice([*LOSSES, *DEATHS]), random.randrange(6)
        rig.clock.advance(60)
        with suppress(Unanswered, SendingStopped):
            if not may_have_run or await rig.settle() is None:
                may_have_run = True
                await rig.run()
    result = await rig.recover()
    assert (result.status, state(rig.copied())) == (TaskStatus.SUCCEEDED, wanted), name
    assert len(await rig.versions()) == versions, name


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
async def test_a_copy_that_was_made_is_not_made_again(versioned: bool) -> None:
    rig = CopyRig(versioned=versioned)
    rig.put_source()
    await rig.run()
    result = await rig.recover()
    assert result.status is TaskStatus.SUCCEEDED
    assert "copy" not in rig.wire.sent


async def test_a_copy_that_was_not_made_is_made() -> None:
    rig = CopyRig()
    rig.put_source()
    rig.claim()
    assert await rig.settle() is None
    assert rig.wire.sent == ["head"]


async def test_an_older_object_at_the_target_is_overwritten() -> None:
    rig = CopyRig()
    rig.put_source()
    rig.target.put_now(TARGET, "a/key", b"what was there before the job")
    assert await rig.settle() is None


async def test_the_owners_new_upload_is_never_overwritten() -> None:
    rig = CopyRig()
    rig.put_source()
    rig.claim()
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    result = await rig.recover()
    assert (result.status, result.error_code) == (TaskStatus.FAILED, OutcomeCode.OUTCOME_UNKNOWN)
    assert rig.copied().content.stored == b"the owner's own"


async def test_the_owners_new_version_hides_nothing() -> None:
    rig = CopyRig(versioned=True)
    rig.put_source()
    await rig.run()
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    result = await rig.recover()
    assert result.status is TaskStatus.SUCCEEDED
    assert len(await rig.versions()) == 2


CARRIED: dict[str, PutObjectCopy] = {
    "new tags": params(tagging_directive=Directive.REPLACED, new_object_tagging=NEW_TAGS),
    "no tags": params(tagging_directive=Directive.REPLACED),
    "added tags": params(tagging_directive=Directive.ADD, new_object_tagging=NEW_TAGS),
    "copied tags": params(),
    "canned": params(canned_access_control_list=CannedAcl.PUBLIC_READ),
    "private": params(canned_access_control_list=CannedAcl.PRIVATE),
    "grants": params(access_control_grants=(GRANT,)),
}
"""What comes with the copy request itself and no HEAD shows."""


def put_lookalike(rig: CopyRig, name: str) -> None:
    """The same bytes and metadata at the target, without what the job wants beside them."""
    options = PutOptions(metadata=METADATA, tags=(Tag(key="another", value="1"),))
    if name == "private":
        options = PutOptions(metadata=METADATA, tags=TAGS, canned_acl=CannedAcl.PUBLIC_READ)
    rig.target.put_now(TARGET, "a/key", b"abc", options=options)


@pytest.mark.parametrize("far", [False, True], ids=["here", "far"])
@pytest.mark.parametrize("name", list(CARRIED))
async def test_a_lookalike_without_the_options_is_not_our_copy(name: str, far: bool) -> None:
    """It was put there in the seconds that clocks may be apart; our own request was lost."""
    operation = replace(CARRIED[name], target_region=RegionName("far")) if far else CARRIED[name]
    rig = CopyRig(operation, target_profile=profile_with() if far else None)
    rig.put_source()
    rig.clock.seconds = rig.first_leased_at - 5
    put_lookalike(rig, name)
    result = await rig.recover()
    assert (result.status, result.error_code) == (TaskStatus.FAILED, OutcomeCode.OUTCOME_UNKNOWN)
    assert not WRITES & set(rig.wire.sent)


@pytest.mark.parametrize("name", list(CARRIED))
async def test_a_version_that_looks_alike_without_the_options_is_not_ours(name: str) -> None:
    sole = CopyRig(CARRIED[name], versioned=True)
    sole.put_source()
    await sole.run()
    rig = CopyRig(CARRIED[name], versioned=True)
    rig.put_source()
    rig.claim()
    put_lookalike(rig, name)
    assert (await rig.recover()).status is TaskStatus.SUCCEEDED
    assert state(rig.copied()) == state(sole.copied())
    assert len(await rig.versions()) == 2


@pytest.mark.parametrize("name", list(CARRIED))
async def test_a_version_that_looks_alike_may_be_ours_where_nothing_more_is_sent(name: str) -> None:
    """In a store that ignores an option in silence."""
    rig = CopyRig(CARRIED[name], versioned=True)
    rig.put_source()
    rig.claim()
    put_lookalike(rig, name)
    settled = await rig.settle(may_write=False)
    assert settled is not None
    assert settled.error_code == OutcomeCode.OUTCOME_UNKNOWN
    assert "has the content of this copy" in settled.message


async def test_in_place_a_newer_object_without_the_options_may_be_ours_where_nothing_more_is_sent() -> None:
    rig = CopyRig(params(target_bucket=SOURCE, storage_class="STANDARD_IA"))
    rig.put_source()
    rig.claim()
    assert await rig.settle(may_write=False) is None
    rig.clock.advance(60)
    rig.put_source()
    settled = await rig.settle(may_write=False)
    assert settled is not None
    assert settled.error_code == OutcomeCode.OUTCOME_UNKNOWN
    assert await rig.settle(may_write=True) is None


@pytest.mark.parametrize("name", [name for name in CARRIED if name not in ("copied tags", "private")])
async def test_in_place_an_upload_between_two_attempts_gets_the_options(name: str) -> None:
    operation = replace(CARRIED[name], target_bucket=SOURCE)
    rig = CopyRig(operation)
    rig.put_source(tags=())
    rig.wire.trouble, rig.wire.only = Trouble.LOST_BEFORE, "copy"
    with pytest.raises(Unanswered):
        await rig.run()
    rig.put_source(body=b"anew")
    assert (await rig.recover()).status is TaskStatus.SUCCEEDED
    sole = CopyRig(operation)
    sole.put_source(body=b"anew")
    await sole.run()
    assert state(rig.copied()) == state(sole.copied())


@pytest.mark.parametrize("canned", list(CannedAcl))
async def test_in_place_access_is_set_also_where_the_class_is_right_already(canned: CannedAcl) -> None:
    rig = CopyRig(
        params(target_bucket=SOURCE, storage_class="STANDARD", canned_access_control_list=canned),
        profile=profile_with(emulated="tagging-replace"),
    )
    rig.put_source(canned_acl=CannedAcl.PUBLIC_READ if canned is CannedAcl.PRIVATE else CannedAcl.PRIVATE)
    assert (await rig.run()).status is TaskStatus.SUCCEEDED
    assert any(grant.uri for grant in rig.copied().acl.grants) is (canned is CannedAcl.PUBLIC_READ)
    assert set(rig.copied().tags) == set(TAGS)


# --- a list of uploads that the role may not see ------------------------------------------------------------------


async def test_without_a_size_the_list_of_uploads_may_be_denied() -> None:
    rig = CopyRig()
    rig.put_source()
    rig.wire.refuses["list_uploads"] = StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
    assert await rig.settle(task_of(size=None)) is None


async def test_a_list_that_is_denied_hides_no_upload_that_was_begun() -> None:
    rig = CopyRig()
    rig.put_source()
    await rig.uploads.begin(7, ObjectRef(TARGET, ObjectKey("a/key")), "u")
    rig.wire.refuses["list_uploads"] = StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
    with pytest.raises(StorageError):
        await rig.settle(task_of(size=None))


async def test_our_version_is_found_below_many_others() -> None:
    rig = CopyRig(versioned=True)
    rig.put_source()
    await rig.run()
    for number in range(1100):
        rig.target.put_now(TARGET, "a/key", b"%d" % number)
    assert (await rig.recover()).status is TaskStatus.SUCCEEDED
    assert rig.wire.sent.count("list_versions") == 2
    assert "copy" not in rig.wire.sent


async def test_keys_that_begin_like_the_targets_are_no_copies() -> None:
    rig = CopyRig(versioned=True)
    rig.put_source()
    rig.claim()
    for number in range(1100):
        rig.target.put_now(TARGET, f"a/key{number:04}", b"abc", options=PutOptions(metadata=METADATA))
    assert await rig.settle() is None
    assert rig.wire.sent == ["list_versions"]


async def test_in_place_a_new_source_is_not_its_own_copy() -> None:
    """It was uploaded in the seconds that clocks may be apart."""
    rig = CopyRig(params(target_bucket=SOURCE), versioned=True)
    rig.clock.seconds = rig.first_leased_at - 1
    rig.put_source()
    assert await rig.settle() is None


async def test_the_owners_new_version_is_not_ours() -> None:
    rig = CopyRig(versioned=True)
    rig.put_source()
    rig.claim()
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    assert await rig.settle() is None


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
async def test_without_its_source_a_newer_object_tells_nothing(versioned: bool) -> None:
    rig = CopyRig(versioned=versioned)
    rig.put_source()
    await rig.run()
    await rig.source.delete(ObjectRef(SOURCE, ObjectKey("a/key")))
    result = await rig.settle()
    assert result is not None
    assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN


async def test_without_its_source_and_without_a_copy_it_was_not_done() -> None:
    rig = CopyRig()
    assert await rig.settle() is None


async def test_clocks_may_be_some_seconds_apart() -> None:
    """The store's clock is five seconds behind the ledger's."""
    rig = CopyRig(versioned=True)
    rig.put_source()
    rig.clock.seconds = rig.first_leased_at - 5
    rig.target.put_now(TARGET, "a/key", b"abc", options=PutOptions(metadata=METADATA, tags=TAGS))
    assert (await rig.recover()).status is TaskStatus.SUCCEEDED
    assert len(await rig.versions()) == 1


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("seconds", [7.0, 3600.0])
async def test_under_a_clock_that_was_ahead_a_copy_may_be_ours(versioned: bool, seconds: float) -> None:
    """The ledger's clock was ahead of the store's when the chunk was claimed: ours looks older than it is."""
    rig = CopyRig(params(storage_class="STANDARD_IA"), versioned=versioned)
    rig.put_source()
    rig.clock.seconds = rig.first_leased_at - seconds
    rig.target.put_now(TARGET, "a/key", b"abc", options=PutOptions(metadata=METADATA, tags=TAGS))
    settled = await rig.settle(may_write=False)
    assert settled is not None
    assert settled.error_code == OutcomeCode.OUTCOME_UNKNOWN
    assert "before the first attempt" in settled.message
    assert await rig.settle(may_write=True) is None


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
async def test_an_older_object_of_another_content_is_not_ours_whatever_the_clocks(versioned: bool) -> None:
    rig = CopyRig(versioned=versioned)
    rig.put_source()
    rig.clock.seconds = rig.first_leased_at - 60
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    assert await rig.settle(may_write=False) is None


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
async def test_in_place_a_young_object_may_be_our_copy(versioned: bool) -> None:
    rig = CopyRig(params(target_bucket=SOURCE, storage_class="STANDARD_IA"), versioned=versioned)
    rig.clock.seconds = rig.first_leased_at - 60
    rig.put_source()
    settled = await rig.settle(may_write=False)
    assert settled is not None
    assert settled.error_code == OutcomeCode.OUTCOME_UNKNOWN


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
async def test_under_a_wrong_clock_and_without_its_source_nothing_is_proved(versioned: bool) -> None:
    rig = CopyRig(versioned=versioned)
    rig.clock.seconds = rig.first_leased_at - 60
    rig.target.put_now(TARGET, "a/key", b"abc")
    settled = await rig.settle(may_write=False)
    assert settled is not None
    assert settled.error_code == OutcomeCode.OUTCOME_UNKNOWN


async def test_a_look_that_proves_nothing_says_so_until_the_next_one() -> None:
    rig = CopyRig(params(storage_class="STANDARD_IA"), versioned=True)
    rig.put_source()
    context = rig.context()
    rig.target.put_now(TARGET, "a/key", b"abc", options=PutOptions(metadata=METADATA, tags=TAGS))
    assert await rig.operation.settle(task_of(), context, may_write=True) is None
    assert "has the content of this copy" in context.unproved
    await rig.target.delete(ObjectRef(TARGET, ObjectKey("a/key"), (await rig.versions())[0]))
    assert await rig.operation.settle(task_of(), context, may_write=True) is None
    assert context.unproved == ""


async def test_a_prefix_mismatch_needs_no_look() -> None:
    rig = CopyRig(params(prefix_replace=True, resources_prefix="raw/"))
    result = await rig.settle()
    assert result is not None
    assert result.error_code == OutcomeCode.PREFIX_MISMATCH
    assert rig.wire.sent == []


# --- while the job ends: nothing is written -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in OPTIONS if not name.startswith("in place")])
async def test_settling_alone_writes_nothing(name: str) -> None:
    """Done is succeeded, done in part and not done are not done."""
    sent, wanted, _ = await undisturbed(name, versioned=False)
    for number in range(len(sent) + 1):
        rig = rig_for(name, versioned=False)
        rig.wire.trouble, rig.wire.at = Trouble.DIES_BEFORE, number
        with suppress(SendingStopped):
            await rig.run()
        rig.wire.heal()
        settled = await rig.settle(may_write=False)
        assert not WRITES & set(rig.wire.sent)
        is_done = rig.has_copy() and state(rig.copied()) == wanted
        assert (settled is not None and settled.status is TaskStatus.SUCCEEDED) is is_done, number


# --- onto itself --------------------------------------------------------------------------------------------------


async def test_in_place_the_wanted_state_is_tested_before_the_dates() -> None:
    """The first attempt has changed the date that the second would be refused for."""
    rig = CopyRig()
    rig.put_source()
    operation = params(
        target_bucket=SOURCE, storage_class="STANDARD_IA", unmodified_since_constraint=int(rig.clock.now()) + 5
    )
    rig.params, rig.request = operation, replace(rig.request, operation=operation)
    rig.wire.trouble, rig.wire.only = Trouble.LOST_AFTER, "copy"
    result = await rig.run_through_losses()
    assert result.status is TaskStatus.SUCCEEDED


async def test_a_source_that_the_first_attempt_archived_is_done() -> None:
    rig = CopyRig(params(target_bucket=SOURCE, storage_class="GLACIER"))
    rig.put_source()
    rig.wire.trouble, rig.wire.only = Trouble.LOST_AFTER, "copy"
    assert (await rig.run_through_losses()).status is TaskStatus.SUCCEEDED


async def test_in_place_the_owners_upload_is_changed_as_the_job_says() -> None:
    rig = CopyRig(params(target_bucket=SOURCE, storage_class="STANDARD_IA"))
    rig.put_source()
    rig.claim()
    rig.put_source(body=b"new")
    assert (await rig.recover()).status is TaskStatus.SUCCEEDED
    assert (rig.copied().content.stored, rig.copied().storage_class) == (b"new", "STANDARD_IA")


@pytest.mark.parametrize(
    ("operation", "profile"),
    [
        (params(target_bucket=SOURCE, access_control_directive=Directive.COPY), profile_with()),
        (params(target_bucket=SOURCE), profile_with(emulated="tagging-copy")),
    ],
    ids=["access list", "tags"],
)
async def test_what_went_with_the_object_cannot_be_known(operation: PutObjectCopy, profile: CapabilityProfile) -> None:
    """Without versions, the copy has replaced the object that the access list and tags were read from."""
    rig = CopyRig(operation, profile=profile)
    rig.put_source()
    rig.wire.trouble, rig.wire.only = Trouble.DIES_AFTER, "copy"
    with pytest.raises(SendingStopped):
        await rig.run()
    result = await rig.recover()
    assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN


# --- versions of one key, one after another -----------------------------------------------------------------------


async def run_versions(bodies: list[bytes], *, lost: int, trouble: Trouble) -> list[bytes | None]:
    """Copies all versions of a key in turn; the reply to one of them gets lost. Gives the target's versions."""
    rig = CopyRig(versioned=True)
    versions = [rig.put_source(body=body) for body in bodies]
    for turn, version in enumerate(versions):
        rig.wire.heal()
        if turn == lost:
            rig.wire.trouble, rig.wire.only = trouble, "copy"
        task = task_of(version=version, group=0, turn=turn)._replace(number=turn)
        rig.clock.advance(30)
        assert (await rig.run_through_losses(task)).status is TaskStatus.SUCCEEDED
    page = await rig.target.list_versions(TARGET, prefix="a/key")
    by_etag = {md5(body, usedforsecurity=False).hexdigest(): body for body in bodies}
    return [by_etag.get(entry.etag) for entry in reversed(page.objects)]


@pytest.mark.parametrize("trouble", LOSSES)
@pytest.mark.parametrize("lost", range(4))
@pytest.mark.parametrize("bodies", [[b"a", b"b", b"a", b"c"], [b"a", b"a", b"a", b"b"], [b"a", b"b", b"b", b"b"]])
async def test_versions_arrive_in_order_and_once(bodies: list[bytes], lost: int, trouble: Trouble) -> None:
    assert await run_versions(bodies, lost=lost, trouble=trouble) == bodies
