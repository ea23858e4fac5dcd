"""Every option of a copy, into versioned and unversioned buckets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.operations import (
    CannedAcl,
    Directive,
    Grant,
    NewObjectMetadata,
    Permission,
    PutObjectCopy,
    Tag,
)
from cosbatch.model.tasks import TaskStatus
from cosbatch.storage.memory import ALL_USERS, OWNER_ID
from cosbatch.storage.port import AccessControl, AclGrant, ObjectMetadata
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import METADATA, SOURCE, TAGS, TARGET, CopyRig, profile_with, task_of

OWNER = AclGrant(OWNER_ID, "", "FULL_CONTROL")
NEW = NewObjectMetadata(cache_control="no-store", user_metadata=(("shape", "square"), ("size", "l")))
NEW_TAGS = (Tag(key="tier", value="cold"),)


def params(**changes: Any) -> PutObjectCopy:
    return replace(PutObjectCopy(target_bucket=TARGET), **changes)


@pytest.fixture(params=[False, True], ids=["unversioned", "versioned"])
def versioned(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


async def test_default_copy_is_one_request(versioned: bool) -> None:
    rig = CopyRig(versioned=versioned)
    rig.put_source()
    result = await rig.run()
    assert result == (7, TaskStatus.SUCCEEDED, "", 200, "Successful", 3, 1, True, "")
    assert rig.wire.sent == ["copy"]
    assert (rig.copied().metadata, rig.copied().tags) == (METADATA, TAGS)


async def test_keys_that_are_not_sent() -> None:
    rig = CopyRig(params(prefix_replace=True, resources_prefix="raw/"))
    assert (await rig.run(task_of("other"))).error_code == "PrefixMismatch"
    assert (await rig.run(task_of("raw/"))).error_code == "EmptyKey"
    result = await rig.run(task_of("raw/" + "x" * 2000))
    assert (result.error_code, result.requests, result.http_status) == ("KeyTooLong", 0, 0)
    assert rig.wire.sent == []


async def test_prefix_rule_names_the_target() -> None:
    rig = CopyRig(params(prefix_replace=True, resources_prefix="a/", target_key_prefix="b/"))
    rig.put_source()
    await rig.run()
    assert rig.has_copy("b/key")


async def test_a_version_is_copied_and_not_the_newest() -> None:
    rig = CopyRig(versioned=True)
    old = rig.put_source(body=b"old")
    rig.put_source(body=b"newest")
    await rig.run(task_of(version=old))
    assert rig.copied().content.stored == b"old"


async def test_a_refusal_is_raised() -> None:
    rig = CopyRig()
    with pytest.raises(StorageError) as caught:
        await rig.run()
    assert caught.value.reason is StorageReason.NO_SUCH_KEY


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        (Directive.COPY, METADATA),
        (Directive.REPLACED, ObjectMetadata(cache_control="no-store", user={"shape": "square", "size": "l"})),
        (
            Directive.ADD,
            replace(METADATA, cache_control="no-store", user={"colour": "red", "shape": "square", "size": "l"}),
        ),
    ],
)
async def test_metadata(versioned: bool, directive: Directive, expected: ObjectMetadata) -> None:
    rig = CopyRig(params(metadata_directive=directive, new_object_metadata=NEW), versioned=versioned)
    rig.put_source()
    await rig.run()
    kept = rig.copied().metadata
    assert replace(kept, content_type="") == replace(expected, content_type="")
    assert rig.copied().tags == TAGS


async def test_replaced_with_nothing_leaves_no_metadata() -> None:
    rig = CopyRig(params(metadata_directive=Directive.REPLACED))
    rig.put_source()
    await rig.run()
    assert rig.copied().metadata.user == {}
    assert rig.copied().metadata.cache_control == ""


@pytest.mark.parametrize("directive", list(Directive))
async def test_encryption_applies_whatever_the_directive(directive: Directive) -> None:
    new = NewObjectMetadata(sse_algorithm="AES256")
    rig = CopyRig(params(metadata_directive=directive, new_object_metadata=new))
    rig.put_source()
    await rig.run()
    assert rig.copied().sse_algorithm == "AES256"


@pytest.mark.parametrize("emulated", ["", "tagging-copy tagging-replace"])
@pytest.mark.parametrize(
    ("directive", "new", "expected"),
    [
        (Directive.COPY, (), set(TAGS)),
        (Directive.REPLACED, NEW_TAGS, set(NEW_TAGS)),
        (Directive.REPLACED, (), set()),
        (Directive.ADD, NEW_TAGS, {Tag(key="tier", value="cold"), Tag(key="team", value="a")}),
    ],
)
async def test_tags(
    versioned: bool, emulated: str, directive: Directive, new: tuple[Tag, ...], expected: set[Tag]
) -> None:
    profile = profile_with(emulated=emulated)
    rig = CopyRig(params(tagging_directive=directive, new_object_tagging=new), versioned=versioned, profile=profile)
    rig.put_source()
    await rig.run()
    assert set(rig.copied().tags) == expected
    assert len(await rig.versions()) == 1


async def test_a_store_that_only_ignores_new_tags_loses_the_old_ones() -> None:
    rig = CopyRig(params(tagging_directive=Directive.REPLACED), profile=profile_with(emulated="tagging-replace"))
    rig.put_source()
    await rig.run()
    assert rig.copied().tags == ()
    assert rig.wire.sent == ["copy", "delete_tags"]


async def test_too_many_tags_fail_the_task() -> None:
    new = tuple(Tag(key=f"k{number}", value="") for number in range(9))
    rig = CopyRig(params(tagging_directive=Directive.ADD, new_object_tagging=new))
    rig.put_source()
    result = await rig.run()
    assert (result.status, result.error_code, result.requests) == (TaskStatus.FAILED, "InvalidTag", 1)
    assert not rig.has_copy()


GRANT = Grant(identifier="friend", permission=Permission.READ)
FRIEND = AclGrant("friend", "", "READ")


@pytest.mark.parametrize("emulated", ["", "canned-acl grants"])
async def test_canned_access_list(versioned: bool, emulated: str) -> None:
    rig = CopyRig(
        params(canned_access_control_list=CannedAcl.PUBLIC_READ),
        versioned=versioned,
        profile=profile_with(emulated=emulated),
    )
    rig.put_source()
    await rig.run()
    assert set(rig.copied().acl.grants) == {OWNER, AclGrant("", ALL_USERS, "READ")}


@pytest.mark.parametrize("emulated", ["", "canned-acl grants"])
async def test_grants(versioned: bool, emulated: str) -> None:
    rig = CopyRig(
        params(access_control_directive=Directive.REPLACED, access_control_grants=(GRANT,)),
        versioned=versioned,
        profile=profile_with(emulated=emulated),
    )
    rig.put_source()
    await rig.run()
    assert FRIEND in rig.copied().acl.grants
    assert len(await rig.versions()) == 1


@pytest.mark.parametrize(("directive", "has_grant"), [(Directive.COPY, False), (Directive.ADD, True)])
async def test_access_list_of_the_source(versioned: bool, directive: Directive, has_grant: bool) -> None:
    grants = (GRANT,) if has_grant else ()
    rig = CopyRig(params(access_control_directive=directive, access_control_grants=grants), versioned=versioned)
    rig.put_source(canned_acl=CannedAcl.PUBLIC_READ)
    await rig.run()
    expected = {OWNER, AclGrant("", ALL_USERS, "READ")} | ({FRIEND} if has_grant else set())
    assert set(rig.copied().acl.grants) == expected


async def test_access_is_the_buckets_by_default() -> None:
    rig = CopyRig()
    rig.put_source(canned_acl=CannedAcl.PUBLIC_READ)
    await rig.run()
    assert rig.copied().acl.grants == (OWNER,)


async def test_the_sources_owner_gets_a_grant_of_his_own() -> None:
    rig = CopyRig(params(access_control_directive=Directive.COPY))
    rig.put_source()
    theirs = AclGrant("them", "", "FULL_CONTROL")
    other = AccessControl(owner_id="them", owner_display_name="", grants=(theirs,))
    await rig.source.put_acl(ObjectRef(SOURCE, ObjectKey("a/key")), other)
    await rig.run()
    assert rig.copied().acl.owner_id == OWNER_ID
    assert set(rig.copied().acl.grants) == {OWNER, theirs}


async def test_storage_class(versioned: bool) -> None:
    rig = CopyRig(params(storage_class="STANDARD_IA"), versioned=versioned)
    rig.put_source()
    await rig.run()
    assert rig.copied().storage_class == "STANDARD_IA"


@pytest.mark.parametrize("emulated", ["", "source-dates", "source-dates source-match"])
@pytest.mark.parametrize(
    ("since", "until", "is_copied"),
    [
        (-1, None, True),
        (0, None, False),
        (None, 0, True),
        (None, -1, False),
        (-1, 0, True),
    ],
)
async def test_dates(emulated: str, since: int | None, until: int | None, is_copied: bool) -> None:
    """Seconds before (-) or at (0) the source's own date."""
    rig = CopyRig(profile=profile_with(emulated=emulated))
    rig.put_source()
    modified = int(rig.clock.now())
    rig.request = replace(
        rig.request,
        operation=params(
            modified_since_constraint=None if since is None else modified + since,
            unmodified_since_constraint=None if until is None else modified + until,
        ),
    )
    if is_copied:
        assert (await rig.run()).status is TaskStatus.SUCCEEDED
        return
    with pytest.raises(StorageError) as caught:
        await rig.run()
    assert (caught.value.reason, caught.value.http_status) == (StorageReason.PRECONDITION_FAILED, 412)
    assert not rig.has_copy()


async def test_dates_hold_beside_merged_metadata() -> None:
    """A matching ETag would make the store forget if-unmodified-since."""
    rig = CopyRig()
    rig.put_source()
    operation = params(metadata_directive=Directive.ADD, unmodified_since_constraint=int(rig.clock.now()) - 1)
    rig.request = replace(rig.request, operation=operation)
    with pytest.raises(StorageError) as caught:
        await rig.run()
    assert caught.value.reason is StorageReason.PRECONDITION_FAILED


@pytest.mark.parametrize("emulated", ["", "source-match"])
async def test_metadata_and_bytes_are_of_one_object(emulated: str) -> None:
    """The owner overwrites the source between HEAD and copy."""
    rig = CopyRig(
        params(metadata_directive=Directive.ADD, new_object_metadata=NEW), profile=profile_with(emulated=emulated)
    )
    rig.put_source()
    rig.claim()

    def change() -> None:
        rig.clock.advance(2)
        rig.put_source(body=b"changed", metadata=ObjectMetadata(user={"colour": "blue"}))

    rig.wire.before[1] = change
    result = await rig.run()
    assert result.status is TaskStatus.SUCCEEDED
    assert rig.copied().content.stored == b"changed"
    assert rig.copied().metadata.user == {"colour": "blue", "shape": "square", "size": "l"}


async def test_a_source_that_never_stands_still_fails() -> None:
    rig = CopyRig(params(metadata_directive=Directive.ADD, new_object_metadata=NEW))
    rig.put_source()
    rig.claim()
    for number in range(20):
        rig.wire.before[number] = partial(rig.put_source, body=b"%d" % number)
    with pytest.raises(StorageError) as caught:
        await rig.run()
    assert caught.value.reason is StorageReason.PRECONDITION_FAILED


# --- onto itself --------------------------------------------------------------------------------------------------


async def test_class_is_changed_in_place(versioned: bool) -> None:
    rig = CopyRig(params(target_bucket=SOURCE, storage_class="STANDARD_IA"), versioned=versioned)
    rig.put_source()
    await rig.run()
    changed = rig.copied()
    assert (changed.storage_class, changed.metadata, changed.tags) == ("STANDARD_IA", METADATA, TAGS)
    assert rig.wire.sent == ["head", "copy"]


async def test_metadata_are_replaced_in_place_by_one_request() -> None:
    rig = CopyRig(params(target_bucket=SOURCE, metadata_directive=Directive.REPLACED, new_object_metadata=NEW))
    rig.put_source()
    await rig.run()
    assert rig.copied().metadata.cache_control == "no-store"
    assert rig.wire.sent == ["copy"]


async def test_a_copy_onto_itself_that_changes_nothing_is_made() -> None:
    """Buckets that began to encrypt are refreshed so."""
    rig = CopyRig(params(target_bucket=SOURCE))
    rig.put_source()
    await rig.run()
    assert rig.copied().last_modified == rig.clock.now()
    assert (rig.copied().metadata, rig.copied().tags) == (METADATA, TAGS)


async def test_the_same_name_in_another_region_is_not_itself() -> None:
    """Cannot be told from a copy onto itself by the bucket's name alone."""
    elsewhere = params(target_bucket=SOURCE, target_region="elsewhere")
    rig = CopyRig(elsewhere, target_profile=PROFILES["s3"])
    rig.target.create_bucket(SOURCE)
    rig.put_source()
    await rig.run()
    assert rig.copied().content.stored == b"abc"
    assert rig.wire.sent == ["head", "get_tags", "get", "put"]
