"""Reading back: a store that answers success and does something else is found out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectKey, ObjectRef, RegionName
from cosbatch.model.operations import CannedAcl, Directive, Grant, NewObjectMetadata, Permission, PutObjectCopy, Tag
from cosbatch.operations.port import CONTENT, OTHER_TAGS, TaskContext
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ObjectMetadata
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import SOURCE, TAGS, TARGET, CopyRig, Trouble, profile_with, task_of

NEW = NewObjectMetadata(cache_control="no-store", user_metadata=(("shape", "square"),))
GRANT = Grant(identifier="friend", permission=Permission.READ)
TAG = (Tag(key="tier", value="cold"),)


def params(**changes: Any) -> PutObjectCopy:
    return replace(PutObjectCopy(target_bucket=TARGET), **changes)


async def verified(rig: CopyRig, context: TaskContext | None = None) -> tuple[str, ...]:
    result = await rig.run()
    return await rig.operation.verify(task_of(), result, context or rig.context())


CASES: dict[str, tuple[PutObjectCopy, str]] = {
    "metadata": (params(metadata_directive=Directive.REPLACED, new_object_metadata=NEW), "metadata-replace"),
    "added metadata": (params(metadata_directive=Directive.ADD, new_object_metadata=NEW), "metadata-replace"),
    "class": (params(storage_class="STANDARD_IA"), "storage-class"),
    "encryption": (params(new_object_metadata=NewObjectMetadata(sse_algorithm="AES256")), "sse-aes256"),
    "tags": (params(tagging_directive=Directive.REPLACED, new_object_tagging=TAG), "tagging-replace"),
    "no tags": (params(tagging_directive=Directive.REPLACED), "tagging-replace"),
    "added tags": (params(tagging_directive=Directive.ADD, new_object_tagging=TAG), "tagging-replace"),
    "copied tags": (params(), "tagging-copy"),
    "canned": (params(canned_access_control_list=CannedAcl.PUBLIC_READ), "canned-acl"),
    "grants": (params(access_control_grants=(GRANT,)), "grants"),
    "access list": (params(access_control_directive=Directive.COPY), "object-acl"),
    "in place, class": (params(target_bucket=SOURCE, storage_class="STANDARD_IA"), "storage-class"),
    "in place, tags": (
        params(target_bucket=SOURCE, tagging_directive=Directive.ADD, new_object_tagging=(Tag(key="n", value="1"),)),
        "tagging-replace",
    ),
    "in place, metadata": (
        params(target_bucket=SOURCE, metadata_directive=Directive.ADD, new_object_metadata=NEW),
        "metadata-replace",
    ),
}


@pytest.mark.parametrize("name", list(CASES))
async def test_what_was_done_is_shown(name: str) -> None:
    rig = CopyRig(CASES[name][0])
    rig.put_source(canned_acl=CannedAcl.PUBLIC_READ)
    assert await verified(rig) == ()


@pytest.mark.parametrize("name", list(CASES))
async def test_an_option_that_is_ignored_is_named(name: str) -> None:
    """The region's profile promises what the store itself does not do."""
    operation, option = CASES[name]
    rig = CopyRig(operation)
    liar = MemoryStore(profile=profile_with(refused=option), clock=rig.clock)
    liar.create_bucket(SOURCE)
    liar.create_bucket(TARGET)
    rig.source = rig.target = liar
    rig.put_source(canned_acl=CannedAcl.PUBLIC_READ)
    honest = PROFILES["s3"]
    context = rig.context()
    context.facts = replace(context.facts, source_profile=honest, target_profile=honest)
    result = await rig.operation.run(task_of(), context)
    assert await rig.operation.verify(task_of(), result, context) == (option,)


@pytest.mark.parametrize("requests", [1, 2])
async def test_what_was_seen_is_told_where_reading_on_breaks_off(requests: int) -> None:
    """The task's own stop, or a store that answers no more: else the row would succeed that was read back wrong."""
    operation = params(storage_class="STANDARD_IA") if requests == 1 else params()
    rig = CopyRig(operation)
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    rig.target.put_now(TARGET, "a/key", b"ab")
    rig.wire.at, rig.wire.trouble = len(rig.wire.sent) + requests, Trouble.DIES_BEFORE
    missing = await rig.operation.verify(task_of(), result, context)
    assert ("storage-class" if requests == 1 else "content") in missing


async def test_missing_tags_are_told_where_the_access_list_cannot_be_read() -> None:
    rig = CopyRig(params(canned_access_control_list=CannedAcl.PUBLIC_READ))
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    await rig.target.delete_tags(ObjectRef(TARGET, ObjectKey("a/key")))
    rig.wire.only, rig.wire.trouble = "get_acl", Trouble.DIES_BEFORE
    assert await rig.operation.verify(task_of(), result, context) == ("tagging-copy",)


ADDED = (Tag(key="added", value="1"),)
ADDS_TAGS = params(tagging_directive=Directive.ADD, new_object_tagging=ADDED)


@pytest.mark.parametrize("operation", [params(), ADDS_TAGS], ids=["copied", "added"])
@pytest.mark.parametrize("tags", [(), TAG, (*TAGS, Tag(key="more", value="1"))], ids=["none", "others", "more"])
@pytest.mark.parametrize("whose", ["source", "target"])
async def test_tags_that_were_changed_since_are_no_word_on_the_store(
    operation: PutObjectCopy, tags: tuple[Tag, ...], whose: str
) -> None:
    rig = CopyRig(operation)
    rig.put_source()
    result = await rig.run()
    store, bucket = (rig.source, SOURCE) if whose == "source" else (rig.target, TARGET)
    new = ADDED if operation is ADDS_TAGS and whose == "target" else ()
    await store.put_tags(ObjectRef(bucket, ObjectKey("a/key")), (*tags, *new))
    lacks_all = whose == "target" and not tags
    option = "tagging-replace" if operation is ADDS_TAGS else "tagging-copy"
    expected = (option,) if lacks_all else (OTHER_TAGS,)
    assert await rig.operation.verify(task_of(), result, rig.context()) == expected


async def test_new_tags_that_do_not_show_are_the_stores_affair_whatever_others_do() -> None:
    rig = CopyRig(ADDS_TAGS)
    rig.put_source()
    result = await rig.run()
    await rig.target.put_tags(ObjectRef(TARGET, ObjectKey("a/key")), TAGS)
    assert await rig.operation.verify(task_of(), result, rig.context()) == ("tagging-replace",)


async def test_the_wrong_bytes_are_named() -> None:
    rig = CopyRig()
    rig.put_source()
    result = await rig.run()
    copied = rig.copied()
    rig.target.put_now(TARGET, "a/key", b"ab")
    await rig.target.put_tags(ObjectRef(TARGET, ObjectKey("a/key")), copied.tags)
    assert "content" in await rig.operation.verify(task_of(), result, rig.context())


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
async def test_a_target_that_is_missing_is_named(versioned: bool) -> None:
    """The store answered success and kept nothing."""
    rig = CopyRig(versioned=versioned)
    rig.put_source()
    result = await rig.run()
    await rig.target.delete(ObjectRef(TARGET, ObjectKey("a/key")))
    assert await rig.operation.verify(task_of(), result, rig.context()) == ("content",)


async def test_a_source_that_changed_since_tells_nothing() -> None:
    rig = CopyRig()
    rig.put_source()
    result = await rig.run()
    rig.put_source(body=b"changed", metadata=ObjectMetadata(user={"colour": "blue"}))
    assert await rig.operation.verify(task_of(), result, rig.context()) == ()


async def test_a_source_that_is_gone_tells_nothing() -> None:
    rig = CopyRig(params(tagging_directive=Directive.ADD, new_object_tagging=TAG, metadata_directive=Directive.ADD))
    rig.put_source()
    result = await rig.run()
    await rig.source.delete(ObjectRef(SOURCE, ObjectKey("a/key")))
    assert await rig.operation.verify(task_of(), result, rig.context()) == ()


async def test_a_default_copy_of_an_untagged_object_is_read_back_with_two_requests() -> None:
    rig = CopyRig()
    rig.put_source(tags=())
    assert await verified(rig) == ()
    assert rig.wire.sent == ["copy", "head", "head"]


async def test_a_copy_between_stores_is_shown() -> None:
    rig = CopyRig(params(target_region=RegionName("far")), target_profile=profile_with())
    rig.put_source()
    assert await verified(rig) == ()


@pytest.mark.parametrize("operation", [params(), params(tagging_directive=Directive.ADD, new_object_tagging=TAG)])
async def test_what_an_owner_puts_over_the_version_that_was_made_is_nobodys_fault(
    operation: PutObjectCopy,
) -> None:
    rig = CopyRig(operation, versioned=True)
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    assert context.written_version is not None
    rig.target.put_now(TARGET, "a/key", b"the owner's own")
    assert await rig.operation.verify(task_of(), result, context) == ()


@pytest.mark.parametrize(
    ("operation", "far"),
    [
        (CASES["metadata"][0], False),
        (CASES["tags"][0], False),
        (CASES["canned"][0], False),
        (CASES["in place, metadata"][0], False),
        (replace(CASES["metadata"][0], target_region=RegionName("far")), True),
    ],
    ids=["metadata", "tags", "access", "in place", "far"],
)
async def test_what_an_owners_newer_object_lacks_is_no_word_on_the_store(operation: PutObjectCopy, far: bool) -> None:
    rig = CopyRig(operation, target_profile=profile_with() if far else None)
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    rig.target.put_now(operation.target_bucket, "a/key", b"own")
    assert "content" in await rig.operation.verify(task_of(), result, context)


async def test_an_etag_that_is_told_in_two_ways_fails_nothing() -> None:
    rig = CopyRig()
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    context.written_etag = "in another way"
    assert await rig.operation.verify(task_of(), result, context) == ()


async def test_an_object_that_is_replaced_while_it_is_read_back_is_no_word_on_the_store() -> None:
    """HEAD shows our copy, and the tags are an owner's new object's already."""
    rig = CopyRig(PutObjectCopy(target_bucket=TARGET))
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    looks = len(rig.wire.sent)
    rig.wire.before[looks + 2] = lambda: rig.target.put_now(TARGET, "a/key", b"abd")
    missing = await rig.operation.verify(task_of(), result, context)
    assert rig.wire.sent[looks : looks + 3] == ["head", "head", "get_tags"]
    assert CONTENT in missing


async def test_what_is_known_to_be_missing_stays_so_where_the_last_look_breaks_off() -> None:
    rig = CopyRig(PutObjectCopy(target_bucket=TARGET))
    rig.put_source()
    context = rig.context()
    result = await rig.operation.run(task_of(), context)
    await rig.target.put_tags(ObjectRef(TARGET, ObjectKey("a/key")), ())
    denied = StorageError(StorageReason.ACCESS_DENIED, "no", http_status=403)
    looks = len(rig.wire.sent)
    rig.wire.before[looks + 4] = lambda: rig.wire.refuses.update(head=denied)
    missing = await rig.operation.verify(task_of(), result, context)
    assert rig.wire.sent[looks:] == ["head", "head", "get_tags", "get_tags", "head"]
    assert set(missing) == {"tagging-copy", CONTENT}
