"""What a look foresees is what the run comes to, and it sends nothing that writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.jobs import operation_name_of
from cosbatch.model.operations import (
    DeleteObject,
    Directive,
    InitiateRestoreObject,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    Tag,
    TaggingChange,
)
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.registry import operation_for
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import SOURCE, TARGET, WRITES, CopyRig, profile_with, task_of
from tests.unit.operations.in_place_rig import InPlaceRig

COPY = PutObjectCopy(target_bucket=TARGET)
MIB = 2**20
MANY = tuple(Tag(key=f"k{number}", value="v") for number in range(10))
RESTORE = InitiateRestoreObject(expiration_in_days=3, job_tier=RestoreTier.BULK)


async def _outcome(act: Awaitable[Result]) -> tuple[str, str, int]:
    """Status, code, HTTP status, as the engine would report them."""
    try:
        result = await act
    except StorageError as error:
        return ("failed", error.code, error.http_status)
    return (result.status.value, result.error_code, result.http_status)


async def _copy_both(rig: CopyRig, task: Task | None = None) -> tuple[str, str, int]:
    """The run's outcome, which was foreseen."""
    rig.wire.heal()
    foreseen = await _outcome(rig.operation.foresee(task or task_of(), rig.context()))
    assert not set(rig.wire.sent) & WRITES
    assert rig.wire.sent or foreseen[2] == 0
    rig.wire.heal()
    found = await _outcome(rig.run(task))
    assert foreseen == found
    return found


NEAR: dict[str, tuple[CopyRig, tuple[str, str]]] = {
    "plain": (CopyRig(), ("succeeded", "")),
    "tags that are too many": (
        CopyRig(replace(COPY, tagging_directive=Directive.ADD, new_object_tagging=MANY)),
        ("failed", "InvalidTag"),
    ),
    "access lists": (CopyRig(replace(COPY, access_control_directive=Directive.COPY)), ("succeeded", "")),
    "a key that the store does not take": (
        CopyRig(
            replace(COPY, prefix_replace=True, resources_prefix="a", target_key_prefix="a/"),
            profile=PROFILES["seaweedfs"],
        ),
        ("failed", "InvalidKey"),
    ),
    "parts": (CopyRig(part_copy_above_bytes=2, part_size_bytes=5 * MIB), ("succeeded", "")),
    "parts where there are none": (
        CopyRig(profile=profile_with(refused="part-copy", copy_limit_bytes=2)),
        ("failed", "UnsupportedOption"),
    ),
}
FAR: dict[str, tuple[CopyRig, tuple[str, str]]] = {
    "through us": (CopyRig(target_profile=PROFILES["ceph"]), ("succeeded", "")),
    "tags that the other store would lose": (
        CopyRig(target_profile=profile_with(refused="object-tagging")),
        ("failed", "UnsupportedOption"),
    ),
}


@pytest.mark.parametrize("name", NEAR | FAR)
async def test_a_copy(name: str) -> None:
    rig, expected = (NEAR | FAR)[name]
    rig.put_source()
    assert (await _copy_both(rig))[:2] == expected


@pytest.mark.parametrize("rig", [CopyRig(), CopyRig(target_profile=PROFILES["ceph"])], ids=["near", "far"])
async def test_a_copy_of_what_is_not_there_or_archived(rig: CopyRig) -> None:
    assert (await _copy_both(rig))[1] == "NoSuchKey"
    rig.put_source(storage_class="GLACIER")
    assert (await _copy_both(rig))[1:] == ("InvalidObjectState", 403)
    rig.source.mark_restored(ObjectRef(SOURCE, ObjectKey("a/key")))
    assert (await _copy_both(rig))[0] == "succeeded"


async def test_versions_of_a_store_that_has_none() -> None:
    rig = CopyRig(profile=profile_with(refused="versions"))
    rig.put_source()
    assert (await _copy_both(rig, task_of(version="v1")))[1] == "UnsupportedOption"


async def test_parts_are_counted_and_bytes_are_those_of_the_object() -> None:
    rig = CopyRig(part_copy_above_bytes=8 * MIB, part_size_bytes=5 * MIB)
    rig.source.put_sized(SOURCE, "a/key", 12 * MIB)
    result = await rig.operation.foresee(task_of(size=12 * MIB), rig.context())
    assert (result.message, result.size_bytes, result.requests) == ("Would be copied in 3 parts", 12 * MIB, 2)


IN_PLACE: dict[str, Callable[[], InPlaceRig]] = {
    "delete": lambda: InPlaceRig(DeleteObject()),
    "restore": lambda: InPlaceRig(RESTORE),
    "add tags": lambda: InPlaceRig(PutObjectTagging(tagging_directive=TaggingChange.ADD, tag_set=MANY[:2])),
    "take tags away": lambda: InPlaceRig(PutObjectTagging(tagging_directive=TaggingChange.DELETE, tag_set=MANY[:2])),
    "drop tags": lambda: InPlaceRig(PutObjectTagging(tagging_directive=TaggingChange.DELETE)),
    "new tags": lambda: InPlaceRig(PutObjectTagging(tagging_directive=TaggingChange.REPLACED, tag_set=MANY[:2])),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("versioning", Versioning)
async def test_in_place(name: str, versioning: Versioning) -> None:
    """Of an object that is there, one that is not, one in an archive, and one without a key."""
    rig = IN_PLACE[name]()
    rig.versioning = versioning
    rig.store.set_versioning(SOURCE, versioning)
    rig.put(key="there", tags=MANY[:9])
    rig.put(key="cold", storage_class="GLACIER")
    operation = operation_for(operation_name_of(rig.params))
    for key in ("there", "never", "cold", "cold", ""):
        rig.wire.heal()
        foreseen = await _outcome(operation.foresee(task_of(key), rig.context()))
        assert not set(rig.wire.sent) & WRITES
        assert foreseen == await _outcome(rig.run(task_of(key))), key


async def test_a_later_row_finds_the_restoration_of_an_earlier_one() -> None:
    rig = InPlaceRig(RESTORE)
    rig.put(storage_class="GLACIER")
    context = rig.context()
    operation = operation_for(operation_name_of(RESTORE))
    for other, expected in ((9, "succeeded"), (3, "failed")):
        context.same_target = other
        assert (await _outcome(operation.foresee(task_of(), context)))[0] == expected


async def test_cos_has_a_name_of_its_own_for_what_is_not_archived() -> None:
    rig = InPlaceRig(RESTORE, profile=PROFILES["cos"])
    rig.put()
    found = await _outcome(operation_for(operation_name_of(RESTORE)).foresee(task_of(), rig.context()))
    assert found == ("failed", "RestoreNonArchiveObject", 405)
