"""After an attempt whose end is not known: done, not done, or not to be known. Looks first; writes what is missing."""

from __future__ import annotations

from typing import assert_never

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.operations import Directive
from cosbatch.model.tasks import Result
from cosbatch.operations.copy_look import Look, Sight, look_at_target
from cosbatch.operations.copy_plan import MERGING, ObjectCopy
from cosbatch.operations.copy_source import head_or_none, is_whole, puts_tags_after, read_source, wanted_of
from cosbatch.operations.copy_uploads import abort_recorded, abort_unrecorded
from cosbatch.operations.copy_write import follow_up, is_followed_up
from cosbatch.operations.cross_store import transfer_part_bytes
from cosbatch.operations.outcome import succeeded, unknown


async def settle_copy(copy: ObjectCopy, *, may_write: bool) -> Result | None:
    look = await look_at_target(copy)
    copy.context.unproved = look.why if look.sight is Sight.LOOKALIKE else ""
    if may_write:
        await _settle_uploads(copy, look)
    match look.sight:
        case Sight.NOTHING:
            return None
        case Sight.LOOKALIKE if may_write:
            return None
        case Sight.UNCLEAR | Sight.LOOKALIKE:
            return unknown(copy.task, copy.context, why=look.why)
        case Sight.OURS:
            return await _settle_found(copy, look, may_write=may_write)
        case unexpected:
            assert_never(unexpected)


async def _settle_found(copy: ObjectCopy, look: Look, *, may_write: bool) -> Result | None:
    """The copy is there: what follows it may not be."""
    if _has_follow_up(copy, look):
        if await _has_lost_its_source(copy, look):
            why = "the object was copied onto itself, and with it went the access list or tags that it had"
            return unknown(copy.task, copy.context, why=why)
        if not await _complete_follow_up(copy, look, may_write=may_write):
            return None
    copy.context.written_version = look.version
    return succeeded(copy.task, copy.context, size_bytes=look.size_bytes or 0)


def _has_follow_up(copy: ObjectCopy, look: Look) -> bool:
    whole = is_whole(copy, size_bytes=look.size_bytes)
    return copy.plan.puts_acl or puts_tags_after(copy, whole=whole)


async def _has_lost_its_source(copy: ObjectCopy, look: Look) -> bool:
    """Whether what was to be written after the copy was known from the very object that the copy replaced."""
    plan = copy.plan
    is_kept_below = plan.is_versioned and look.source.version_id is not None
    if not copy.is_in_place or is_kept_below:
        return False
    if plan.acl in MERGING:
        return True
    whole = is_whole(copy, size_bytes=look.size_bytes)
    drops_tags = whole or plan.drops_tags(in_place=True)
    if not drops_tags or plan.params.tagging_directive is Directive.REPLACED:
        return False
    # The copy came without tags: where there are some, they were written after it.
    return puts_tags_after(copy, whole=whole) and not await copy.target_store.get_tags(copy.target)


async def _complete_follow_up(copy: ObjectCopy, look: Look, *, may_write: bool) -> bool:
    whole = is_whole(copy, size_bytes=look.size_bytes)
    of_source = copy._replace(source=look.source)
    wanted = wanted_of(of_source, await read_source(of_source, whole=whole), whole=whole)
    if not may_write:
        return await is_followed_up(copy, wanted, version=look.version, whole=whole)
    await follow_up(copy, wanted, version=look.version, whole=whole)
    return True


async def _settle_uploads(copy: ObjectCopy, look: Look) -> None:
    """Nothing half-done stays, except what the next attempt will resume.

    An upload whose id got lost is found in the list of uploads only. Where the role may not see that list, and the
    ledger knows of no upload, what became of the task is told without it.
    """
    size = copy.task.size_bytes if look.size_bytes is None else look.size_bytes
    if size is not None and size <= _largest_without_parts(copy):
        await abort_recorded(copy)
        return
    if look.sight in (Sight.OURS, Sight.UNCLEAR) or await head_or_none(copy.source_store, copy.source) is None:
        await abort_recorded(copy)
    try:
        await abort_unrecorded(copy)
    except StorageError as error:
        is_denied = error.reason is StorageReason.ACCESS_DENIED
        if not is_denied or await copy.context.uploads.of_task(copy.task.number):
            raise


def _largest_without_parts(copy: ObjectCopy) -> int:
    plan = copy.plan
    return plan.single_limit_bytes if plan.facts.same_store else transfer_part_bytes(copy)
