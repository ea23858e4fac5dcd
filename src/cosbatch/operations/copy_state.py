"""Whether an object is what a copy job wants it to be: pure comparisons, for looking back and for reading back."""

from __future__ import annotations

from typing import Final

from cosbatch.model.operations import Directive
from cosbatch.operations.copy_options import same_expires
from cosbatch.operations.copy_plan import CopyPlan
from cosbatch.operations.copy_source import wanted_metadata
from cosbatch.storage.port import ObjectMeta, ObjectMetadata
from cosbatch.storage.profiles import Option

STANDARD: Final = "STANDARD"
_DEFAULT_TYPES: Final = frozenset({"", "binary/octet-stream", "application/octet-stream"})
"""What stores make of an object without a content type."""
_PLAIN_ETAGS: Final = frozenset({"", "AES256"})
"""Encryptions under which a store may still give the MD5 of the content as ETag (S3, Common response headers)."""


def same_content(source: ObjectMeta, seen: ObjectMeta) -> bool:
    """As far as sizes and ETags tell. An ETag says nothing of the content where an object was put together from parts,
    or is encrypted in another way than the other."""
    if source.size_bytes != seen.size_bytes:
        return False
    if source.etag == seen.etag or "-" in source.etag or "-" in seen.etag:
        return True
    is_comparable = source.sse_algorithm == seen.sse_algorithm and seen.sse_algorithm in _PLAIN_ETAGS
    return not is_comparable


def missing_options(plan: CopyPlan, *, source: ObjectMeta | None, seen: ObjectMeta) -> tuple[str, ...]:
    """Options of the job that a HEAD on the target does not show. Without the source, what it would have to be compared
    with is left out."""
    missing: list[str] = []
    if not _shows_metadata(plan, source=source, seen=seen.metadata):
        missing.append(Option.METADATA_REPLACE)
    wanted_class = plan.params.storage_class
    if wanted_class and wanted_class != (seen.storage_class or STANDARD):
        missing.append(Option.STORAGE_CLASS)
    wanted_sse = plan.options.sse_algorithm
    if wanted_sse and wanted_sse.upper() != seen.sse_algorithm.upper():
        missing.append(Option.SSE_AES256)
    return tuple(missing)


def _shows_metadata(plan: CopyPlan, *, source: ObjectMeta | None, seen: ObjectMetadata) -> bool:
    wanted = wanted_metadata(plan, source)
    if wanted is not None:
        return same_metadata(wanted, seen)
    if plan.params.metadata_directive is Directive.COPY:
        return True
    return _contains_metadata(plan.metadata, seen)


def same_metadata(wanted: ObjectMetadata, seen: ObjectMetadata) -> bool:
    return (
        wanted.cache_control == seen.cache_control
        and wanted.content_disposition == seen.content_disposition
        and wanted.content_encoding == seen.content_encoding
        and wanted.content_language == seen.content_language
        and same_expires(wanted.expires, seen.expires)
        and _same_type(wanted.content_type, seen.content_type)
        and _user(wanted) == _user(seen)
    )


def _contains_metadata(new: ObjectMetadata, seen: ObjectMetadata) -> bool:
    """Whether everything that was added is there."""
    return (
        new.cache_control in ("", seen.cache_control)
        and new.content_disposition in ("", seen.content_disposition)
        and new.content_encoding in ("", seen.content_encoding)
        and new.content_language in ("", seen.content_language)
        and new.content_type in ("", seen.content_type)
        and (not new.expires or same_expires(new.expires, seen.expires))
        and _user(new).items() <= _user(seen).items()
    )


def _same_type(wanted: str, seen: str) -> bool:
    return wanted == seen or (wanted in _DEFAULT_TYPES and seen in _DEFAULT_TYPES)


def _user(metadata: ObjectMetadata) -> dict[str, str]:
    return {name.lower(): value for name, value in (metadata.user or {}).items()}
