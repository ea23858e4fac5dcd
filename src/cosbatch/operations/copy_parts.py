"""Objects that are too large for one copy request: the store copies them in parts, several at once.

A multipart upload takes nothing along by itself, so that metadata and tags are read first and named anew.
"""

from __future__ import annotations

from typing import Final

from cosbatch.model.errors import FailureCode, StorageError, StorageReason
from cosbatch.model.identifiers import VersionId
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import Wanted, head_or_none, is_same_object, source_changed
from cosbatch.operations.copy_uploads import PartRange, Sending, part_ranges, upload_whole
from cosbatch.operations.outcome import TaskRefused
from cosbatch.storage.port import CompletedPart, ObjectMeta
from cosbatch.storage.profiles import Option

PARTS_AT_ONCE: Final = 8
"""Part copies of one object in flight: a part of 256 MiB takes a store a second or more."""

_TOO_LARGE_WORDS: Final = ("larger than", "too large", "maximum allowable size", "exceeds")


def says_too_large(error: StorageError) -> bool:
    """S3 answers InvalidRequest, "The specified copy source is larger than the maximum allowable size for a copy
    source"; others EntityTooLarge."""
    if error.reason is StorageReason.TOO_LARGE:
        return True
    text = error.message.lower()
    return error.reason is StorageReason.INVALID_REQUEST and any(words in text for words in _TOO_LARGE_WORDS)


def copy_ranges(copy: ObjectCopy, size_bytes: int) -> tuple[PartRange, ...]:
    """Raises TaskRefused where the store copies no parts."""
    profile = copy.plan.facts.target_profile
    if not copy.plan.has_part_copy:
        text = f"the object is too large for one copy, and {Option.PART_COPY} is not offered by a {profile.name} store"
        raise TaskRefused(FailureCode.UNSUPPORTED_OPTION, text)
    return part_ranges(
        size_bytes,
        part_bytes=min(copy.plan.facts.request.part_size_bytes, profile.copy_limit_bytes),
        min_part_bytes=profile.min_part_bytes,
        max_parts=profile.max_parts,
    )


async def copy_in_parts(copy: ObjectCopy, wanted: Wanted, meta: ObjectMeta) -> VersionId | None:
    """Raises TaskRefused where the store copies no parts."""
    ranges = copy_ranges(copy, meta.size_bytes)

    async def send(upload_id: str, part: PartRange) -> CompletedPart:
        return await copy.target_store.upload_part_copy(
            copy.source,
            copy.target,
            upload_id=upload_id,
            number=part.number,
            first_byte=part.first_byte,
            last_byte=part.last_byte,
            if_source_etag=meta.etag if copy.plan.matches_source else "",
            source_region=copy.plan.options.source_region,
        )

    async def before_end() -> None:
        if copy.plan.matches_source or copy.has_fixed_source:
            return
        if not is_same_object(meta, await head_or_none(copy.source_store, copy.source)):
            raise source_changed(copy)

    sending = Sending(ranges=ranges, send=send, at_once=min(PARTS_AT_ONCE, len(ranges)))
    return await upload_whole(copy, wanted, meta, sending=sending, before_end=before_end)
