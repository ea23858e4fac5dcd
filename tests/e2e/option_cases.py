"""One table of copy jobs, an option each, and what each of them makes of a stock of sources, on any store.

What a store cannot do is not in the table: a case names the options that it needs, and the store's profile says whether
the job is carried out or refused.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cosbatch.storage.profiles import CapabilityProfile, Option, Support

STRANGER: Final = "other"
"""Canonical id of the second user of both stores."""
DEFAULT_TYPE: Final = "binary/octet-stream"
LARGE_BYTES: Final = 11 * 2**20
IN_PARTS: Final = {"part_copy_above_bytes": 8 * 2**20, "part_size_bytes": 5 * 2**20}
BOUNDARY: Final = "BOUNDARY"
"""Stands for the second after the early sources and before the late ones."""
FOLDER: Final = "FOLDER"
"""Stands for the folder that a case's sources are in."""


class Habit(StrEnum):
    """What a store does otherwise than S3 when it copies by itself; an expectation, so that a store which gives it up
    fails a test."""

    KEEPS_CLASS = "a copy without a storage class has its source's, not STANDARD"
    KEEPS_CLASS_WITH_METADATA = "a copy without a storage class has its source's where it takes the metadata along"
    KEEPS_ACL = "a copy has its source's access list where none is asked for"


HABITS: Final[Mapping[str, frozenset[Habit]]] = {
    "seaweedfs": frozenset({Habit.KEEPS_CLASS, Habit.KEEPS_ACL}),
    "ceph": frozenset({Habit.KEEPS_CLASS_WITH_METADATA}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An object as it is put; all fields are also what is expected of a copy that changes nothing."""

    headers: Mapping[str, str] = field(default_factory=dict)
    user: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    grants: frozenset[tuple[str, str]] = frozenset()
    """Grantee (a canonical id, or a group's last word) and permission, the owner aside."""
    storage_class: str = "STANDARD"
    size_bytes: int | None = None
    """None: the key is the content."""
    is_late: bool = False
    is_missing: bool = False
    """In the manifest only."""

    def body(self, key: str) -> bytes:
        return key.encode() if self.size_bytes is None else random.Random(key).randbytes(self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An object as it is, or shall be, at the destination."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    user: Mapping[str, str]
    tags: Mapping[str, str]
    grants: frozenset[tuple[str, str]]
    storage_class: str
    encryption: str
    parts: int
    """As the ETag tells; 1 where it was written by one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    copy: Mapping[str, Any]
    job: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[Option, ...] = ()
    """What the job cannot do without."""
    sources: Mapping[str, Source]
    failing: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Source -> error code and HTTP status of its row."""
    target_key: Callable[[str], str] = str
    in_place: bool = False
    only_with_sizes: bool = False
    """Makes sense only where the manifest lists sizes."""


_HEADERS: Final = {
    "cache-control": "max-age=60",
    "content-disposition": 'attachment; filename="a.txt"',
    "content-encoding": "br",
    "content-language": "de",
    "content-type": "text/plain",
    "expires": "Mon, 21 Oct 2030 07:28:00 GMT",
}
_NEW_HEADERS: Final = {
    "cache-control": "no-store",
    "content-disposition": "inline",
    "content-encoding": "zstd",
    "content-language": "fr",
    "content-type": "application/x-new",
    "expires": "Tue, 21 Oct 2031 07:28:00 GMT",
}
NEW_METADATA: Final = {
    "cache_control": "no-store",
    "content_disposition": "inline",
    "content_encoding": "zstd",
    "content_language": "fr",
    "content_type": "application/x-new",
    "http_expires_date": "2031-10-21T07:28:00Z",
    "user_metadata": [{"key": "X-COS-Meta-Owner", "value": "new"}, {"key": "batch", "value": "7"}],
}
_NEW_USER: Final = {"owner": "new", "batch": "7"}
_NEW_TAGS: Final = {"state": "new", "batch": "7"}
_NEW_TAGGING: Final = [{"key": key, "value": value} for key, value in _NEW_TAGS.items()]
_RICH: Final = Source(headers=_HEADERS, user={"owner": "old", "kept": "a b"}, tags={"state": "old", "kept": "ä b"})
_TYPED: Final = {"content-type": "text/plain"}
PUBLIC: Final = frozenset({("AllUsers", "READ")})
STRANGER_READS: Final = frozenset({(STRANGER, "READ")})

STOCK: Final[Mapping[str, Source]] = {
    "plain.txt": Source(headers=_TYPED),
    "rich.txt": _RICH,
    "empty": Source(headers=_TYPED, size_bytes=0),
    "odd a+b 100%,中文.txt": Source(headers=_TYPED, user={"owner": "old"}),
    "public": Source(headers=_TYPED, tags={"state": "old"}, grants=PUBLIC),
    "granted": Source(headers=_TYPED, grants=STRANGER_READS),
    "cold": Source(headers=_TYPED, user={"kept": "1"}, storage_class="STANDARD_IA"),
    "gone": Source(is_missing=True),
}
LARGE: Final[Mapping[str, Source]] = {
    "large-plain": Source(headers=_TYPED, size_bytes=LARGE_BYTES),
    "large-rich": Source(
        headers=_HEADERS,
        user={"owner": "old", "kept": "1"},
        tags={"state": "old", "kept": "1"},
        grants=STRANGER_READS,
        size_bytes=LARGE_BYTES,
    ),
    "small": _RICH,
}
DATED: Final[Mapping[str, Source]] = {
    "early-1": Source(headers=_TYPED),
    "early-2": _RICH,
    "late-1": Source(headers=_TYPED, is_late=True),
    "late-2": Source(headers=_HEADERS, is_late=True),
    "gone": Source(is_missing=True),
}
_MANY_TAGS: Final = {f"tag{number}": "x" for number in range(9)}
NOT_FOUND: Final = {"gone": ("NoSuchKey", "404")}
_TOO_EARLY: Final = {name: ("PreconditionFailed", "412") for name in DATED if name.startswith("early")}
_TOO_LATE: Final = {name: ("PreconditionFailed", "412") for name in DATED if name.startswith("late")}


def _grant(permission: str) -> dict[str, Any]:
    return {"grantee": {"identifier": STRANGER}, "permission": permission}


def _case(
    name: str,
    copy: Mapping[str, Any],
    *needs: Option,
    sources: Mapping[str, Source] = STOCK,
    failing: Mapping[str, tuple[str, str]] = NOT_FOUND,
    **more: Any,
) -> Case:
    return Case(name=name, copy=copy, needs=needs, sources=sources, failing=failing, **more)


_ACL: Final = (
    _case("acl-private", {"canned_access_control_list": "private"}, Option.CANNED_ACL),
    _case("acl-public", {"canned_access_control_list": "public-read"}, Option.CANNED_ACL),
    _case("acl-grants", {"access_control_grants": [_grant("READ")]}, Option.GRANTS),
    _case(
        "acl-replaced",
        {"access_control_directive": "Replaced", "access_control_grants": [_grant("FULL_CONTROL")]},
        Option.GRANTS,
    ),
    _case("acl-copy", {"access_control_directive": "Copy"}, Option.OBJECT_ACL),
    _case(
        "acl-add",
        {"access_control_directive": "Add", "access_control_grants": [_grant("FULL_CONTROL")]},
        Option.OBJECT_ACL,
        Option.GRANTS,
    ),
)
_METADATA: Final = (
    _case("metadata-copy", {"metadata_directive": "Copy"}),
    _case(
        "metadata-replaced",
        {"metadata_directive": "Replaced", "new_object_metadata": NEW_METADATA},
        Option.METADATA_REPLACE,
    ),
    _case(
        "metadata-user-only",
        {"new_object_metadata": {"user_metadata": [{"key": "batch", "value": "7"}]}},
        Option.METADATA_REPLACE,
    ),
    _case("metadata-none", {"metadata_directive": "Replaced"}, Option.METADATA_REPLACE),
    _case("metadata-add", {"metadata_directive": "Add", "new_object_metadata": NEW_METADATA}, Option.METADATA_REPLACE),
    _case(
        "metadata-add-user",
        {
            "metadata_directive": "Add",
            "new_object_metadata": {"user_metadata": [{"key": "batch", "value": "7"}]},
        },
        Option.METADATA_REPLACE,
    ),
    _case("encrypted", {"new_object_metadata": {"sse_algorithm": "AES256"}}, Option.SSE_AES256),
    _case(
        "encrypted-replaced",
        {"metadata_directive": "Replaced", "new_object_metadata": {**NEW_METADATA, "sse_algorithm": "AES256"}},
        Option.SSE_AES256,
        Option.METADATA_REPLACE,
    ),
)
_TAGS: Final = (
    _case("tags-copy", {"tagging_directive": "Copy"}, Option.TAGGING_COPY),
    _case(
        "tags-replaced", {"tagging_directive": "Replaced", "new_object_tagging": _NEW_TAGGING}, Option.TAGGING_REPLACE
    ),
    _case("tags-add", {"tagging_directive": "Add", "new_object_tagging": _NEW_TAGGING}, Option.TAGGING_REPLACE),
    _case(
        "tags-too-many",
        {"tagging_directive": "Add", "new_object_tagging": _NEW_TAGGING},
        Option.TAGGING_REPLACE,
        sources={"full": Source(headers=_TYPED, tags=_MANY_TAGS), "rich.txt": _RICH},
        failing={"full": ("InvalidTag", "")},
    ),
    _case(
        "tags-and-metadata",
        {"new_object_metadata": NEW_METADATA, "tagging_directive": "Copy"},
        Option.METADATA_REPLACE,
        Option.TAGGING_COPY,
    ),
)
_DATES: Final = (
    _case(
        "modified-since",
        {"modified_since_constraint": BOUNDARY},
        Option.SOURCE_DATES,
        sources=DATED,
        failing={**NOT_FOUND, **_TOO_EARLY},
    ),
    _case(
        "unmodified-since",
        {"un_modified_since_constraint": BOUNDARY},
        Option.SOURCE_DATES,
        sources=DATED,
        failing={**NOT_FOUND, **_TOO_LATE},
    ),
    _case(
        "between-dates",
        {
            "modified_since_constraint": 1_000_000_000,
            "un_modified_since_constraint": BOUNDARY,
            "metadata_directive": "Add",
            "new_object_metadata": NEW_METADATA,
        },
        Option.SOURCE_DATES,
        sources=DATED,
        failing={**NOT_FOUND, **_TOO_LATE},
    ),
)
_PREFIXES: Final = (
    _case(
        "prefix-replace",
        {"prefix_replace": True, "resources_prefix": f"{FOLDER}/p", "target_key_prefix": f"{FOLDER}-new/P p/"},
        failing={name: ("PrefixMismatch", "") for name in STOCK if not name.startswith("p")},
        target_key=lambda key: "-new/P p/".join(key.rsplit("/p", 1)),
    ),
    _case(
        "prefix-add",
        {"prefix_replace": True, "target_key_prefix": "added/日"},
        target_key=lambda key: "added/日" + key,
    ),
    _case(
        "prefix-delete",
        {"prefix_replace": True, "resources_prefix": "prefix-delete/"},
        target_key=lambda key: key.removeprefix("prefix-delete/"),
    ),
)
_EVERYTHING: Final = {
    "canned_access_control_list": "public-read",
    "new_object_metadata": NEW_METADATA,
    "new_object_tagging": _NEW_TAGGING,
    "storage_class": "STANDARD_IA",
}
_MERGED: Final = {
    "access_control_directive": "Add",
    "access_control_grants": [_grant("FULL_CONTROL")],
    "metadata_directive": "Add",
    "new_object_metadata": NEW_METADATA,
    "tagging_directive": "Add",
    "new_object_tagging": _NEW_TAGGING,
}
_EVERYTHING_NEEDS: Final = (
    Option.CANNED_ACL,
    Option.METADATA_REPLACE,
    Option.TAGGING_REPLACE,
    Option.UPLOAD_TAGGING,
    Option.STORAGE_CLASS,
)
_WHOLE: Final = (
    _case("default", {}),
    _case("class-cold", {"storage_class": "STANDARD_IA"}, Option.STORAGE_CLASS),
    _case("class-rare", {"storage_class": "ONEZONE_IA"}, Option.STORAGE_CLASS),
    _case("everything", _EVERYTHING, *_EVERYTHING_NEEDS),
    _case("merged", _MERGED, Option.OBJECT_ACL, Option.GRANTS, Option.METADATA_REPLACE, Option.TAGGING_REPLACE),
)
_IN_PLACE: Final = (
    _case("onto-itself-class", {"storage_class": "STANDARD_IA"}, Option.STORAGE_CLASS, in_place=True),
    _case("onto-itself-metadata", {"new_object_metadata": NEW_METADATA}, Option.METADATA_REPLACE, in_place=True),
    _case("onto-itself-everything", _EVERYTHING, *_EVERYTHING_NEEDS, in_place=True),
    _case(
        "onto-itself-merged",
        _MERGED,
        Option.OBJECT_ACL,
        Option.GRANTS,
        Option.METADATA_REPLACE,
        Option.TAGGING_REPLACE,
        in_place=True,
    ),
    _case("onto-itself-tags", {"new_object_tagging": _NEW_TAGGING}, Option.TAGGING_REPLACE, in_place=True),
)
_PARTS: Final = tuple(
    _case(name, copy, Option.PART_COPY, *needs, sources=LARGE, failing={}, job=IN_PARTS, only_with_sizes=True)
    for name, copy, needs in (
        ("parts-default", {}, ()),
        ("parts-everything", _EVERYTHING, _EVERYTHING_NEEDS),
        ("parts-merged", _MERGED, (Option.OBJECT_ACL, Option.GRANTS)),
    )
)
CASES: Final = (*_WHOLE, *_ACL, *_METADATA, *_TAGS, *_DATES, *_PREFIXES, *_IN_PLACE, *_PARTS)
STREAMED: Final = tuple(
    case
    for case in (*_WHOLE, *_ACL, *_METADATA, *_TAGS, *_DATES, *_PREFIXES, *_PARTS)
    if case.name not in ("class-rare", "acl-private", "acl-replaced", "acl-copy", "acl-add", "merged", "parts-merged")
)
"""To another store: what takes a list of one store's users along has no meaning there."""


# --- what comes of a case


def refusals(case: Case, profile: CapabilityProfile) -> list[str]:
    """The words that a job's refusal must have, one for each option that the store does not offer; none: it runs."""
    named = [str(option) for option in case.needs if profile.supports(option) is Support.REFUSED]
    wanted = case.copy.get("storage_class", "")
    if wanted and profile.storage_classes and wanted not in profile.storage_classes:
        named.append(str(wanted))
    return named


def expected_look(case: Case, source: Source, *, key: str, habits: frozenset[Habit]) -> Look:
    """By COS's and S3's rules for the options; ``habits`` of the store that copies, none where cosbatch transfers."""
    new = case.copy.get("new_object_metadata", {})
    new_headers = {name: value for name, value in _NEW_HEADERS.items() if _field_of(name) in new}
    new_user = {name: value for name, value in _NEW_USER.items() if _names_user(new, name)}
    new_tags = {tag["key"]: tag["value"] for tag in case.copy.get("new_object_tagging", ())}
    directive = case.copy.get("metadata_directive") or _implied(bool(new_headers or new_user))
    tagging = case.copy.get("tagging_directive") or _implied(bool(new_tags))
    parts = _expected_parts(case, source)
    habits = habits if parts == 1 else frozenset()
    return Look(
        body=source.body(key),
        headers={"content-type": DEFAULT_TYPE, **_merged(directive, source.headers, new_headers)},
        user=_merged(directive, source.user, new_user),
        tags=_merged(tagging, source.tags, new_tags),
        grants=_expected_grants(case, source, habits=habits),
        storage_class=_expected_class(case, source, habits=habits, copies_metadata=directive == "Copy"),
        encryption=new.get("sse_algorithm", ""),
        parts=parts,
    )


def _expected_parts(case: Case, source: Source) -> int:
    size = source.size_bytes or 0
    is_large = case.only_with_sizes and size > IN_PARTS["part_copy_above_bytes"]
    return -(-size // IN_PARTS["part_size_bytes"]) if is_large else 1


def _expected_class(case: Case, source: Source, *, habits: frozenset[Habit], copies_metadata: bool) -> str:
    takes_along = copies_metadata and not case.in_place  # copied onto itself, an object gets its metadata named anew
    is_kept = Habit.KEEPS_CLASS in habits or (Habit.KEEPS_CLASS_WITH_METADATA in habits and takes_along)
    return str(case.copy.get("storage_class") or (source.storage_class if is_kept else "STANDARD"))


def _implied(has_new: bool) -> str:
    return "Replaced" if has_new else "Copy"


def _merged(directive: str, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    match directive:
        case "Copy":
            return dict(old)
        case "Replaced":
            return dict(new)
        case _:
            return {**old, **new}


def _field_of(header: str) -> str:
    return "http_expires_date" if header == "expires" else header.replace("-", "_")


def _names_user(new: Mapping[str, Any], name: str) -> bool:
    return any(pair["key"].lower().endswith(name) for pair in new.get("user_metadata", ()))


def _expected_grants(case: Case, source: Source, *, habits: frozenset[Habit]) -> frozenset[tuple[str, str]]:
    directive = case.copy.get("access_control_directive")
    canned = case.copy.get("canned_access_control_list")
    grants = case.copy.get("access_control_grants", ())
    new = frozenset((grant["grantee"]["identifier"], grant["permission"]) for grant in grants)
    new |= PUBLIC if canned == "public-read" else frozenset()
    is_asked = bool(directive or canned or grants)
    takes_along = directive in ("Copy", "Add") or (not is_asked and Habit.KEEPS_ACL in habits)
    return new | source.grants if takes_along else new
