"""A store that drops an object's tags when a copy brings new metadata, as Ceph does, and takes no tags on an upload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.model.errors import SendingStopped, Unanswered
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.operations import Directive, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.model.tasks import OutcomeCode, TaskStatus
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import CopyOptions, CopyOutcome
from tests.unit.operations.copy_rig import METADATA, SOURCE, TAGS, TARGET, CopyRig, Trouble, profile_with, task_of

PROFILE = profile_with(emulated="tagging-replace upload-tagging source-dates source-match")
NEW = NewObjectMetadata(cache_control="no-store", user_metadata=(("shape", "square"),))
MERGED = {"metadata_directive": Directive.ADD, "new_object_metadata": NEW}
COLD = Tag(key="tier", value="cold")


class ForgetfulStore:
    def __init__(self, inner: MemoryStore) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
        outcome = await self._inner.copy(source, target, options=options)
        if options.metadata is not None:
            await self._inner.delete_tags(target._replace(version_id=outcome.version_id))
        return outcome


def forgetful_rig(*, versioned: bool = False, profile: Any = PROFILE, **changes: Any) -> CopyRig:
    rig = CopyRig(replace(PutObjectCopy(target_bucket=TARGET), **changes), versioned=versioned, profile=profile)
    rig.source = rig.target = cast(MemoryStore, ForgetfulStore(rig.source))
    rig.put_source()
    return rig


CASES: dict[str, tuple[dict[str, Any], set[Tag], list[str]]] = {
    "default": ({}, set(TAGS), ["copy"]),
    "replaced metadata": (
        {"metadata_directive": Directive.REPLACED, "new_object_metadata": NEW},
        set(TAGS),
        ["get_tags", "copy", "put_tags"],
    ),
    "added metadata": (MERGED, set(TAGS), ["head", "get_tags", "copy", "head", "put_tags"]),
    "added metadata and tags": (
        {**MERGED, "tagging_directive": Directive.ADD, "new_object_tagging": (COLD,)},
        {COLD, Tag(key="team", value="a")},
        ["head", "get_tags", "copy", "head", "put_tags"],
    ),
    "added metadata, no tags": (
        {**MERGED, "tagging_directive": Directive.REPLACED},
        set(),
        ["head", "copy", "head"],
    ),
    "in place, class": ({"target_bucket": SOURCE, "storage_class": "STANDARD_IA"}, set(TAGS), ["head", "copy"]),
    "in place, metadata": ({"target_bucket": SOURCE, **MERGED}, set(TAGS), ["head", "get_tags", "copy", "put_tags"]),
    "in place, touched": ({"target_bucket": SOURCE}, set(TAGS), ["head", "get_tags", "copy", "put_tags"]),
}
LOSES_ITS_OWN = {"in place, metadata", "in place, touched"}


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("name", list(CASES))
async def test_tags_are_kept(name: str, versioned: bool) -> None:
    changes, tags, requests = CASES[name]
    rig = forgetful_rig(versioned=versioned, **changes)
    assert (await rig.run()).status is TaskStatus.SUCCEEDED
    assert (set(rig.copied().tags), rig.wire.sent) == (tags, requests)


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("name", list(CASES))
async def test_every_request_may_be_lost(name: str, trouble: Trouble, versioned: bool) -> None:
    """Nothing is ever guessed: the tags are right, or the outcome is called unknown."""
    changes, tags, requests = CASES[name]
    for number, kind in enumerate(requests):
        rig = forgetful_rig(versioned=versioned, **changes)
        rig.wire.trouble, rig.wire.at = trouble, number
        try:
            result = await rig.run()
        except (Unanswered, SendingStopped):
            result = await rig.recover()
        if result.status is TaskStatus.SUCCEEDED:
            assert set(rig.copied().tags) == tags, kind
            assert len(await rig.versions()) == (2 if versioned and name.startswith("in place") else 1), kind
        else:
            assert (result.error_code, versioned) == (OutcomeCode.OUTCOME_UNKNOWN, False)
            assert name in LOSES_ITS_OWN


async def test_an_object_that_has_the_class_already_is_left_as_it_is() -> None:
    rig = forgetful_rig(target_bucket=SOURCE, storage_class="STANDARD_IA")
    rig.put_source(storage_class="STANDARD_IA")
    result = await rig.run()
    assert (result.status, rig.wire.sent) == (TaskStatus.SUCCEEDED, ["head"])
    assert (rig.copied().metadata, set(rig.copied().tags)) == (METADATA, set(TAGS))


async def test_parts_get_their_tags_afterwards() -> None:
    limits: dict[str, Any] = {"copy_limit_bytes": 100, "min_part_bytes": 10}
    rig = forgetful_rig(profile=replace(PROFILE, **limits))
    rig.put_source(body=bytes(250))
    await rig.run(task_of(size=250))
    assert set(rig.copied().tags) == set(TAGS)
    assert rig.wire.sent[-2:] == ["complete_upload", "put_tags"]
