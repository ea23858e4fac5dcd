"""What a copy would come to, without one: HEAD on the source, and tags and access list where the copy would read them.

The same questions in the same order as :mod:`cosbatch.operations.copy` asks them. Nothing is asked of the target: what
is there would be overwritten, and whether it may be written no reading tells.
"""

from __future__ import annotations

from cosbatch.model.tasks import Result
from cosbatch.operations.copy_parts import copy_ranges
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import check_dates, is_whole, read_source, reads_head, wanted_of
from cosbatch.operations.copy_write import is_already_in_class
from cosbatch.operations.cross_store import transfer_part_bytes, transfer_ranges
from cosbatch.operations.dry_run import archived, is_archived, is_restored, seen, would_succeed
from cosbatch.storage.port import ObjectMeta
from cosbatch.storage.s3_requests import check_key

MARKER_CODE = "InvalidRequest"
MARKER_STATUS = 400
"""A copy of a delete marker that is named by its version (S3, CopyObject: InvalidRequest)."""


async def foresee_copy(copy: ObjectCopy) -> Result:
    """Raises TaskRefused or StorageError where the copy would fail."""
    check_key(copy.target, copy.plan.facts.target_profile)
    meta = await _head(copy)
    check_dates(copy, meta)
    whole = _goes_whole(copy, meta)
    if not (whole or _is_plain(copy)):
        wanted_of(copy, await read_source(copy, whole=False, seen=meta), whole=False)
        if reads_head(copy) and is_already_in_class(copy, meta):
            return _would_succeed(copy, meta, "It has the storage class already")
    if is_archived(meta) and not is_restored(meta):
        raise archived(copy.source)
    if not whole:
        return _would_succeed(copy, meta, "Would be copied")
    wanted_of(copy, await read_source(copy, whole=True, seen=meta), whole=True)
    return _would_succeed(copy, meta, _in_parts(copy, meta))


async def _head(copy: ObjectCopy) -> ObjectMeta:
    """Between stores the run begins with a HEAD too; else the answer is put into the words of a copy request."""
    if not copy.plan.facts.same_store:
        return await copy.source_store.head(copy.source)
    return await seen(copy.source_store, copy.source, verb="PUT", marker_code=MARKER_CODE, marker_status=MARKER_STATUS)


def _is_plain(copy: ObjectCopy) -> bool:
    """Whether the run would try one request first, and read nothing."""
    return (copy.task.size_bytes or 0) <= copy.plan.plain_limit_bytes and not copy.is_in_place


def _goes_whole(copy: ObjectCopy, meta: ObjectMeta) -> bool:
    """By the size that the run would know: the object's own where it reads that first, else the manifest's; and where
    the store refuses one request for it."""
    listed = copy.task.size_bytes
    if is_whole(copy, size_bytes=listed) or (not _is_plain(copy) and reads_head(copy)):
        return is_whole(copy, size_bytes=meta.size_bytes)
    return meta.size_bytes > copy.plan.facts.target_profile.copy_limit_bytes


def _in_parts(copy: ObjectCopy, meta: ObjectMeta) -> str:
    if copy.plan.facts.same_store:
        return f"Would be copied in {len(copy_ranges(copy, meta.size_bytes))} parts"
    if meta.size_bytes <= transfer_part_bytes(copy):
        return "Would be sent from the one store to the other"
    return f"Would be sent from the one store to the other in {len(transfer_ranges(copy, meta.size_bytes))} parts"


def _would_succeed(copy: ObjectCopy, meta: ObjectMeta, what: str) -> Result:
    return would_succeed(copy.task, copy.context, what=what, size_bytes=meta.size_bytes)
