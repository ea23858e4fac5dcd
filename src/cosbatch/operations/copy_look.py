"""What lies at a copy's target after an attempt whose end is not known: our own copy, nothing new, or something else.

A copy leaves no mark, so that it is known by what it is: an object as the job wants it, dated after the chunk was first
claimed, with the tags and the access list that such a copy is made with. In a versioned bucket each attempt made a
version of its own, and it is looked for among the newer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from cosbatch.model.identifiers import ObjectRef, VersionId
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_shown import shows_what_it_carried
from cosbatch.operations.copy_source import head_or_none
from cosbatch.operations.copy_state import missing_options, same_content
from cosbatch.operations.copy_uploads import earliest_write, surely_before, was_never_completed
from cosbatch.storage.port import ListedObject, ObjectMeta


class Sight(Enum):
    OURS = auto()
    NOTHING = auto()
    """No attempt of ours has been applied."""
    UNCLEAR = auto()
    """Something is there that may be ours or the bucket's owner's."""
    LOOKALIKE = auto()
    """Something that has the content and not all of the rest, or is dated a little too early: an owner's, or ours in a
    store that ignores an option or under a clock that was wrong. A further attempt loses neither, but that nothing was
    done is not to be said."""


DATED_BEFORE = (
    "an object with the content of this copy is dated less than an hour before the first attempt,"
    " which proves nothing where clocks are set"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    sight: Sight
    source: ObjectRef
    """What the copy was made of; in a versioned bucket, where it was made onto itself, the version below."""
    size_bytes: int | None = None
    """Of the source or the copy, where one was seen."""
    version: VersionId | None = None
    """Of our copy, in a versioned bucket."""
    why: str = ""


async def look_at_target(copy: ObjectCopy) -> Look:
    look = await (_look_at_versions(copy) if copy.plan.is_versioned else _look_at_object(copy))
    if look.sight in (Sight.UNCLEAR, Sight.LOOKALIKE) and await was_never_completed(copy):
        return Look(sight=Sight.NOTHING, source=look.source)  # what is there is the owner's
    return look


async def _look_at_object(copy: ObjectCopy) -> Look:
    seen = await head_or_none(copy.target_store, copy.target)
    if seen is None or seen.last_modified < surely_before(copy):
        return Look(sight=Sight.NOTHING, source=copy.source)
    is_newer = seen.last_modified >= earliest_write(copy)
    if copy.is_in_place:
        return await _look_in_place(copy, seen) if is_newer else _misdated(copy.source, seen)
    source = await head_or_none(copy.source_store, copy.source)
    if not is_newer:
        may_be_ours = source is None or same_content(source, seen)
        return _misdated(copy.source, source) if may_be_ours else Look(sight=Sight.NOTHING, source=copy.source)
    if source is None:
        why = "the source is gone, so that the object at the target cannot be compared with it"
        return Look(sight=Sight.UNCLEAR, source=copy.source, why=why)
    if await _is_copy(copy, copy.target, source=source, seen=seen):
        return Look(sight=Sight.OURS, source=copy.source, size_bytes=seen.size_bytes)
    why = "the target is newer than the first attempt and is not this copy; it is left as it is"
    return Look(sight=Sight.UNCLEAR, source=copy.source, size_bytes=source.size_bytes, why=why)


def _misdated(source: ObjectRef, seen: ObjectMeta | None) -> Look:
    size = seen.size_bytes if seen else None
    return Look(sight=Sight.LOOKALIKE, source=source, size_bytes=size, why=DATED_BEFORE)


async def _look_in_place(copy: ObjectCopy, seen: ObjectMeta) -> Look:
    """The object is its own source: where it is not as wanted, a further attempt changes it and loses nothing."""
    is_like_it = not missing_options(copy.plan, source=None, seen=seen)
    is_done = is_like_it and await shows_what_it_carried(copy, copy.target, source=None, seen=seen)
    # Something has written it since: an owner, or ours in a store that ignores an option.
    sight = Sight.OURS if is_done else Sight.LOOKALIKE
    why = "the object was written after the first attempt, and does not show all that the job asks for"
    return Look(sight=sight, source=copy.source, size_bytes=seen.size_bytes, why=why)


async def _is_copy(copy: ObjectCopy, made: ObjectRef, *, source: ObjectMeta, seen: ObjectMeta) -> bool:
    """An object of the same bytes and metadata is somebody else's where it lacks what a copy of ours is made with."""
    if not same_content(source, seen) or missing_options(copy.plan, source=source, seen=seen):
        return False
    return await shows_what_it_carried(copy, made, source=source, seen=seen)


async def _look_at_versions(copy: ObjectCopy) -> Look:
    newer, older = await _versions_at_target(copy)
    source_ref = copy.source
    if copy.is_in_place and copy.source.version_id is None:
        original = older[0] if older else (newer.pop() if newer else None)
        source_ref = copy.source._replace(version_id=original.version_id if original else None)
    misdated = [entry for entry in older if entry.last_modified >= surely_before(copy)]
    if not newer and not misdated:
        return Look(sight=Sight.NOTHING, source=source_ref)
    source = await head_or_none(copy.source_store, source_ref)
    if source is None and not newer:
        return _misdated(source_ref, None)
    if source is None:
        why = "the source is gone, so that the newer versions at the target cannot be compared with it"
        return Look(sight=Sight.UNCLEAR, source=source_ref, why=why)
    sight, version = await _our_version(copy._replace(source=source_ref), source, _candidates(copy, newer))
    if sight is Sight.NOTHING and await _has_content(copy, source, misdated):
        return _misdated(source_ref, source)
    why = "a newer version at the target has the content of this copy, and not all that the job asks for"
    return Look(sight=sight, source=source_ref, size_bytes=source.size_bytes, version=version, why=why)


def _candidates(copy: ObjectCopy, newer: list[ListedObject]) -> list[ListedObject]:
    """Versions of one key go to one target one after another, and may be alike: a copy of this one is the newest, above
    one for each that went before it. What that takes for not done is copied again, and the order is right."""
    if copy.task.group < 0:
        return newer
    return newer[:1] if len(newer) > copy.task.turn else []


async def _our_version(
    copy: ObjectCopy, source: ObjectMeta, candidates: list[ListedObject]
) -> tuple[Sight, VersionId | None]:
    sight = Sight.NOTHING
    for entry in candidates:
        seen = await _alike(copy, source, entry)
        if seen is None:
            continue
        made = copy.target._replace(version_id=entry.version_id)
        if await _is_copy(copy, made, source=source, seen=seen):
            return Sight.OURS, entry.version_id
        sight = Sight.LOOKALIKE
    return sight, None


async def _has_content(copy: ObjectCopy, source: ObjectMeta, entries: list[ListedObject]) -> bool:
    for entry in entries:
        if await _alike(copy, source, entry) is not None:
            return True
    return False


async def _alike(copy: ObjectCopy, source: ObjectMeta, entry: ListedObject) -> ObjectMeta | None:
    """The version, if it has the source's content."""
    if entry.size_bytes != source.size_bytes:
        return None
    seen = await head_or_none(copy.target_store, copy.target._replace(version_id=entry.version_id))
    return seen if seen is not None and same_content(source, seen) else None


async def _versions_at_target(copy: ObjectCopy) -> tuple[list[ListedObject], list[ListedObject]]:
    """Versions of exactly the target's key, newest first: those that an attempt of ours can have made, and those below
    them up to the first one that was surely there before. Delete markers are left out."""
    newer: list[ListedObject] = []
    older: list[ListedObject] = []
    token = ""
    while True:
        page = await copy.target_store.list_versions(copy.target.bucket, prefix=copy.target.key, token=token)
        for entry in page.objects:
            if entry.key != copy.target.key or entry.is_delete_marker:
                continue
            (older if older or entry.last_modified < earliest_write(copy) else newer).append(entry)
            if entry.last_modified < surely_before(copy):
                return newer, older
        token = page.next_token
        is_past = bool(page.objects) and page.objects[-1].key > copy.target.key
        if not token or is_past:
            return newer, older
