"""Multipart uploads of a copy: begun, found again, completed, aborted, and never left behind.

An upload's id is in the ledger before its first part. So an upload at the target's key that the ledger does not know is
ours only if its creation was the last thing that an attempt did: it has no parts then, and an upload with parts is
somebody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import VersionId
from cosbatch.operations.clocks import CLOCK_ALLOWANCE_SECONDS, CLOCK_JUMP_SECONDS
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import Wanted, puts_tags_after
from cosbatch.operations.copy_write import SENDS, send_again
from cosbatch.operations.stray_uploads import end_upload, is_open, stray_uploads
from cosbatch.storage.disposition import is_outcome_unknown
from cosbatch.storage.port import CompletedPart, ObjectMeta, ObjectMetadata, PutOptions, UploadedPart
from cosbatch.storage.profiles import CapabilityProfile


class PartRange(NamedTuple):
    number: int
    """From 1."""
    first_byte: int
    last_byte: int
    """Inclusive."""

    @property
    def size_bytes(self) -> int:
        return self.last_byte - self.first_byte + 1


class OpenUpload(NamedTuple):
    upload_id: str
    parts: dict[int, CompletedPart]
    """Those that are there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How parts are sent: which, by what, and how many at once."""

    ranges: tuple[PartRange, ...]
    send: Callable[[str, PartRange], Awaitable[CompletedPart]]
    """Upload id, part -> its receipt."""
    at_once: int


def part_ranges(size_bytes: int, *, part_bytes: int, min_part_bytes: int, max_parts: int) -> tuple[PartRange, ...]:
    """Equal parts, the last one smaller; they grow where ``max_parts`` of the size asked for would not do."""
    step = _step(size_bytes, part_bytes, min_part_bytes, max_parts)
    starts = range(0, size_bytes, step)
    return tuple(
        PartRange(number, start, min(start + step, size_bytes) - 1) for number, start in enumerate(starts, start=1)
    )


def part_bytes_for(size_bytes: int, part_bytes: int, *, profile: CapabilityProfile) -> int:
    """The size of the parts of an object, where ``part_bytes`` is asked for."""
    return _step(size_bytes, part_bytes, profile.min_part_bytes, profile.max_parts)


def _step(size_bytes: int, part_bytes: int, min_part_bytes: int, max_parts: int) -> int:
    return max(part_bytes, min_part_bytes, -(-size_bytes // max_parts))


def earliest_write(copy: ObjectCopy) -> float:
    """No request of ours for this task can have made anything that the store dates before this, as long as nobody sets
    clocks: then a lost reply can cost a second version of an object, or a copy that was not needed."""
    return copy.context.first_leased_at - CLOCK_ALLOWANCE_SECONDS


def surely_before(copy: ObjectCopy) -> float:
    """What the store dates before this was there before any attempt, also where the ledger's clock was wrong."""
    return earliest_write(copy) - CLOCK_JUMP_SECONDS


async def upload_whole(
    copy: ObjectCopy, wanted: Wanted, meta: ObjectMeta, *, sending: Sending, before_end: Callable[[], Awaitable[None]]
) -> VersionId | None:
    """Begins or resumes an upload, sends what it lacks, and completes it. ``before_end`` may still refuse.

    A definite refusal aborts the upload. Where something got no answer, or may not be sent any more, the upload stays
    as it is, for whoever comes next; Unanswered is raised where the upload has gone, which may be its completion.
    """
    upload = await _open(copy, wanted, meta, sending.ranges)
    try:
        parts = await _send_parts(upload, sending)
        await before_end()
        outcome = await copy.target_store.complete_upload(copy.target, upload_id=upload.upload_id, parts=parts)
    except StorageError as error:
        if error.reason is StorageReason.NO_SUCH_UPLOAD:
            raise Unanswered("the upload is gone: it may have been completed", target=error.target) from error
        if not is_outcome_unknown(error):
            await abort(copy, upload.upload_id)
        raise
    copy.context.written_etag = outcome.etag
    await copy.context.uploads.end(upload.upload_id)
    return outcome.version_id


async def _send_parts(upload: OpenUpload, sending: Sending) -> list[CompletedPart]:
    async def send(part: PartRange) -> CompletedPart:
        return await send_again(lambda: sending.send(upload.upload_id, part))

    missing = [part for part in sending.ranges if part.number not in upload.parts]
    sent = await _all_of((_later(send, part) for part in missing), at_once=sending.at_once)
    return sorted([*upload.parts.values(), *sent])


def _later(
    send: Callable[[PartRange], Awaitable[CompletedPart]], part: PartRange
) -> Callable[[], Awaitable[CompletedPart]]:
    return lambda: send(part)


async def _all_of(steps: Iterable[Callable[[], Awaitable[CompletedPart]]], *, at_once: int) -> list[CompletedPart]:
    """All answers. After a failure nothing new begins; what is under way is waited for, so that nothing arrives at the
    store after what its caller does next; then the first failure is raised."""
    done: list[CompletedPart] = []
    failures: list[Exception] = []
    queue = iter(steps)

    async def lane() -> None:
        for step in queue:
            try:
                done.append(await step())
            except Exception as error:
                failures.append(error)
            if failures:
                return

    async with asyncio.TaskGroup() as lanes:
        for _ in range(at_once):
            lanes.create_task(lane())
    if failures:
        raise failures[0]
    return done


# --- begin, or find again -----------------------------------------------------------------------------------------


async def _open(copy: ObjectCopy, wanted: Wanted, meta: ObjectMeta, ranges: Sequence[PartRange]) -> OpenUpload:
    """Of recorded uploads the first one that can be resumed is; the others are aborted."""
    found: OpenUpload | None = None
    for record in await copy.context.uploads.of_task(copy.task.number):
        fits = found is None and record.target[:2] == copy.target[:2] and _may_resume(copy, meta)
        if fits and (parts := await _parts_of(copy, record.upload_id, ranges)) is not None:
            found = OpenUpload(record.upload_id, parts)
        else:
            await abort(copy, record.upload_id)
    return found or OpenUpload(await _begin(copy, wanted), {})


def _may_resume(copy: ObjectCopy, meta: ObjectMeta) -> bool:
    """Whether all parts that any attempt has sent are of the bytes that the source has now."""
    return copy.has_fixed_source or meta.last_modified < surely_before(copy)


async def _parts_of(copy: ObjectCopy, upload_id: str, ranges: Sequence[PartRange]) -> dict[int, CompletedPart] | None:
    """The parts of an upload that are as they shall be; None where there is no such upload."""
    listed = await _listed_parts(copy, upload_id)
    if listed is None:
        return None
    sizes = {part.number: part.size_bytes for part in ranges}
    return {
        part.number: CompletedPart(part.number, part.etag)
        for part in listed
        if sizes.get(part.number) == part.size_bytes
    }


async def _listed_parts(copy: ObjectCopy, upload_id: str) -> list[UploadedPart] | None:
    try:
        return await copy.target_store.list_parts(copy.target, upload_id=upload_id)
    except StorageError as error:
        if error.reason is StorageReason.NO_SUCH_UPLOAD:
            return None
        raise


async def _begin(copy: ObjectCopy, wanted: Wanted) -> str:
    options = put_options(copy, wanted)
    for left in reversed(range(SENDS)):
        await copy.context.uploads.announce(copy.task.number, copy.target)
        try:
            upload_id = await copy.target_store.create_upload(copy.target, options=options)
        except StorageError as error:
            if not is_outcome_unknown(error):
                await copy.context.uploads.withdraw(copy.task.number)
                raise
            if not left:
                raise
            await abort_unrecorded(copy)
        else:
            await copy.context.uploads.begin(copy.task.number, copy.target, upload_id)
            return upload_id
    raise AssertionError("the last attempt returns or raises")


DEFAULT_CONTENT_TYPE: Final = "binary/octet-stream"


def put_options(copy: ObjectCopy, wanted: Wanted) -> PutOptions:
    """For an object that is made anew."""
    options = copy.plan.options
    sends_tags = wanted.tags is not None and not puts_tags_after(copy, whole=True)
    metadata = wanted.metadata or ObjectMetadata()
    if not metadata.content_type:
        # What S3 takes an object without a type for; said aloud, since SeaweedFS guesses one from the content.
        metadata = replace(metadata, content_type=DEFAULT_CONTENT_TYPE)
    return PutOptions(
        metadata=metadata,
        tags=wanted.tags if sends_tags and wanted.tags else (),
        storage_class=options.storage_class,
        canned_acl=options.canned_acl,
        grants=options.grants,
        sse_algorithm=options.sse_algorithm,
    )


async def was_never_completed(copy: ObjectCopy) -> bool:
    """Whether all that the attempts have sent are uploads that are still open: nothing of them shows at the target. An
    upload that is not recorded had not got as far as to a part."""
    records = await copy.context.uploads.of_task(copy.task.number)
    for record in records:
        if not await is_open(copy.target_store, record.target, upload_id=record.upload_id):
            return False
    return bool(records)


# --- end ----------------------------------------------------------------------------------------------------------


async def abort(copy: ObjectCopy, upload_id: str) -> None:
    """Gone afterwards, and out of the ledger. Where the store does not take the abort, the ledger keeps the upload for
    whoever ends the job: the task has a better error to tell."""
    try:
        await _abort(copy, upload_id)
    except StorageError:
        return
    await copy.context.uploads.end(upload_id)


async def _abort(copy: ObjectCopy, upload_id: str) -> None:
    await send_again(lambda: end_upload(copy.target_store, copy.target, upload_id=upload_id))


async def abort_recorded(copy: ObjectCopy) -> None:
    for record in await copy.context.uploads.of_task(copy.task.number):
        await abort(copy, record.upload_id)


async def abort_unrecorded(copy: ObjectCopy) -> None:
    """Aborts uploads to the target's key that were begun since the chunk was first claimed, have no parts and are not
    in the ledger: an attempt of ours was lost between the creation and the entry. Those that are ours only if a clock
    was wrong are written down, and left."""
    uploads, number = copy.context.uploads, copy.task.number
    recorded = {record.upload_id for record in await uploads.of_task(number)}
    strays = await stray_uploads(copy.target_store, copy.target, since=earliest_write(copy), but_not=recorded)
    for upload_id in strays.ours:
        await _abort(copy, upload_id)
    for upload_id in strays.doubtful:
        await uploads.doubt(number, copy.target, upload_id)
    await uploads.withdraw(number)
