"""The kinds of field that a job has: bounded text, resource names, times, directives. Each says its own way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    StrictInt,
    StrictStr,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from cosbatch.model.arns import ResourceArn, parse_resource_arn, parse_role_arn
from cosbatch.model.operations import Directive, TaggingChange
from cosbatch.service.faults import nearest, refused

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_META_PREFIX: Final = re.compile(r"x-(?:cos|amz)-meta-", re.IGNORECASE)
_STORAGE_CLASS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BUCKET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}")
"""What any of the stores takes: old buckets of S3 have capitals, underscores and up to 255 characters."""
_ARN_MAX: Final = 1024 + 128
"""Bytes: a key, and what stands before it."""
_MILLISECONDS_FROM: Final = 10**11
"""Later than the year 5000 in seconds: whoever writes this means milliseconds."""


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A check whose bounds also stand in the JSON Schema of the field."""

    check: Callable[[Any], Any]
    shown: tuple[tuple[str, int], ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | dict(self.shown)


def at_most_bytes(limit: int) -> _Bounded:
    """COS counts lengths in bytes of UTF-8; JSON Schema counts characters, of which there are no more."""

    def check(text: str) -> str:
        size = len(text.encode())
        if size > limit:
            raise refused(f"is {size} bytes long, {limit} are allowed", way_out="make it shorter")
        return text

    return _Bounded(check, shown=(("maxLength", limit),))


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise refused("has a control character", way_out="leave out line breaks and tabs: it becomes a header")
    return text


def _bucket_arn(value: Any) -> ResourceArn:
    found = _resource_arn(value)
    if found.key is not None:
        raise refused("names an object", way_out="name the bucket only")
    return found


def _object_arn(value: Any) -> ResourceArn:
    found = _resource_arn(value)
    if found.key is None:
        raise refused("names a bucket", way_out="add /<key> of the manifest object")
    return found


def _resource_arn(value: Any) -> ResourceArn:
    text = value if isinstance(value, str) else ""
    if len(text.encode()) > _ARN_MAX:
        raise refused("is too long for a resource name", way_out="a key has at most 1,024 bytes")
    found = parse_resource_arn(text)
    if found is None:
        raise refused(
            "is no resource name",
            way_out="write qcs::cos:<region>:uid/<appid>:<bucket>, qcs::cos:<region>::<bucket>"
            " or arn:aws:s3:::<bucket>, and /<key> for an object",
        )
    if not _BUCKET_NAME.fullmatch(found.bucket):
        raise refused(
            f"names the bucket {found.bucket}, which cannot be one's name",
            way_out="write 3 letters, digits, hyphens or dots at least, the first one a letter or digit",
        )
    return found


def _role_arn(text: str) -> str:
    if parse_role_arn(text) is None:
        raise refused(
            "is no role name",
            way_out="write qcs::cam::uin/<uin>:roleName/<name> or arn:aws:iam::<account>:role/<name>",
        )
    return text


def _etag(text: str) -> str:
    bare = text[1:-1] if len(text) >= 2 and text[0] == text[-1] == '"' else text
    if not bare:
        raise refused("is empty", way_out="leave it out: the manifest's own is taken")
    return bare


def unix_seconds(value: Any) -> int:
    """Seconds since 1970, or ISO 8601 with a time zone."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _checked_seconds(value)
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return _checked_seconds(int(moment.timestamp()))
        if moment is not None:
            raise refused("has no time zone", way_out="add Z or an offset, 2025-08-01T00:00:00Z")
    raise refused("is no time", way_out="write seconds since 1970, or 2025-08-01T00:00:00Z")


def _checked_seconds(seconds: int) -> int:
    if seconds < 0:
        raise refused("is before 1970", way_out="write a later time")
    if seconds >= _MILLISECONDS_FROM:
        raise refused("is too far in the future", way_out="write seconds, not milliseconds")
    return seconds


def directive(value: Any) -> Directive:
    """``Replace`` stands in the documentation of COS where ``Replaced`` is meant."""
    if value == "Replace":
        return Directive.REPLACED
    try:
        return Directive(value)
    except ValueError:
        raise refused("is no directive", way_out=nearest(str(value), known=Directive)) from None


def tagging_change(value: Any) -> TaggingChange:
    if value == "Replace":
        return TaggingChange.REPLACED
    try:
        return TaggingChange(value)
    except ValueError:
        raise refused("is no directive", way_out=nearest(str(value), known=TaggingChange)) from None


def bare_metadata_name(name: str) -> str:
    """Without the provider's prefix, in lower case: as it is kept."""
    return _META_PREFIX.sub("", name, count=1).lower()


def _metadata_name(name: str) -> str:
    bare = bare_metadata_name(name)
    if not _HEADER_NAME.fullmatch(bare):
        raise refused("cannot be a header's name", way_out="use letters, digits and hyphens")
    return bare


def _sse_algorithm(text: str) -> str:
    if text != "AES256":
        raise refused("is no encryption that can be asked for", way_out='write AES256, or leave it out for "none"')
    return text


def _storage_class(text: str) -> str:
    if not _STORAGE_CLASS.fullmatch(text):
        raise refused("cannot be a storage class", way_out="write STANDARD, STANDARD_IA, ARCHIVE or DEEP_ARCHIVE")
    return text


def _failure_threshold(value: Any) -> float | None:
    if value == "never":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise refused("is no share", way_out="write a number from 0 to 1, 0.5 for half, or never")


def between(lowest: int, highest: int, *, unit: str = "") -> _Bounded:
    def check(value: int) -> int:
        if not lowest <= value <= highest:
            raise refused("is out of range", way_out=f"write {lowest} to {highest}{unit and ' ' + unit}")
        return value

    return _Bounded(check, shown=(("minimum", lowest), ("maximum", highest)))


def _shown(**schema: Any) -> WithJsonSchema:
    """What the JSON Schema says of a field that is read in a way of our own."""
    return WithJsonSchema(schema)


HeaderText = Annotated[StrictStr, AfterValidator(_one_line), at_most_bytes(2048)]
BucketArn = Annotated[ResourceArn, PlainValidator(_bucket_arn), _shown(type="string", maxLength=_ARN_MAX)]
ObjectArn = Annotated[ResourceArn, PlainValidator(_object_arn), _shown(type="string", maxLength=_ARN_MAX)]
RoleArnText = Annotated[StrictStr, at_most_bytes(1024), AfterValidator(_role_arn)]
ETag = Annotated[StrictStr, at_most_bytes(1024), AfterValidator(_one_line), AfterValidator(_etag)]
UnixSeconds = Annotated[
    int,
    PlainValidator(unix_seconds),
    _shown(anyOf=[{"type": "integer", "minimum": 0, "exclusiveMaximum": _MILLISECONDS_FROM}, {"type": "string"}]),
]
DirectiveWord = Annotated[Directive, BeforeValidator(directive)]
TaggingWord = Annotated[TaggingChange, BeforeValidator(tagging_change)]
MetadataName = Annotated[StrictStr, AfterValidator(_metadata_name)]
SseAlgorithm = Annotated[StrictStr, AfterValidator(_sse_algorithm), _shown(type="string", enum=["", "AES256"])]
StorageClass = Annotated[StrictStr, AfterValidator(_storage_class)]
FailureThreshold = Annotated[
    float | None,
    PlainValidator(_failure_threshold),
    _shown(anyOf=[{"type": "number", "minimum": 0, "maximum": 1}, {"const": "never"}]),
]
PartSize = Annotated[StrictInt, between(5 * 2**20, 5 * 2**30, unit="bytes")]
PartCopyAbove = Annotated[StrictInt, between(1, 5 * 2**30, unit="bytes")]
