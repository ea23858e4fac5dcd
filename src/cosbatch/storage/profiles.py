"""What each kind of store does with each option: applied, emulated by a named follow-up request, or refused.

A region names a profile and may override single options; ``cosbatch store probe`` prints what a store really does. The
contract suite holds each profile against the real store, so a line here that is not true fails a test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Option(StrEnum):
    """Everything that a job can ask of a store beyond a plain copy."""

    METADATA_REPLACE = "metadata-replace"
    """New metadata on a copy (x-amz-metadata-directive: REPLACE)."""
    TAGGING_COPY = "tagging-copy"
    """A plain copy takes the source's tags along."""
    TAGGING_REPLACE = "tagging-replace"
    """New tags on a copy (x-amz-tagging-directive: REPLACE)."""
    UPLOAD_TAGGING = "upload-tagging"
    """Tags given when a multipart upload begins: how an object in parts gets the source's, or new ones."""
    OBJECT_TAGGING = "object-tagging"
    """Read and write the tags of an object."""
    STORAGE_CLASS = "storage-class"
    """On a copy and on an upload, like the two access options and encryption."""
    CANNED_ACL = "canned-acl"
    """x-amz-acl."""
    GRANTS = "grants"
    """x-amz-grant-*."""
    OBJECT_ACL = "object-acl"
    """Read and write the access list of an object."""
    SSE_AES256 = "sse-aes256"
    """Encryption with the store's own keys."""
    SOURCE_DATES = "source-dates"
    """x-amz-copy-source-if-(un)modified-since."""
    SOURCE_MATCH = "source-match"
    """x-amz-copy-source-if-match."""
    VERSIONS = "versions"
    """Versioned buckets and copies from a version."""
    PART_COPY = "part-copy"
    RESTORE = "restore"


class Support(StrEnum):
    APPLIED = "applied"
    """The store does it when asked."""
    EMULATED = "emulated"
    """The store ignores or lacks it; cosbatch reaches the same by a further request."""
    REFUSED = "refused"
    """Neither: a job that needs it fails in Preparing with UnsupportedOption."""


class BodyCheck(StrEnum):
    """The one hash by which a store notices that a large body arrived damaged: the cheapest of those that it checks."""

    CRC32 = "crc32"
    """x-amz-checksum-crc32, of a part as well, with nothing said about it when the upload begins."""
    SHA256 = "sha256"
    """The payload's hash in the signature."""
    MD5 = "md5"
    """Content-MD5: every store checks it, and S3 demands it where objects are locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityProfile:
    name: str
    support: Mapping[Option, Support]
    storage_classes: frozenset[str]
    """Classes that a job may ask for; empty: any."""
    max_key_bytes: int = 1024
    copy_limit_bytes: int = 5 * 2**30
    """Largest object that one copy request takes."""
    min_part_bytes: int = 5 * 2**20
    max_parts: int = 10_000
    encodes_metadata: bool = False
    """Whether answers bring metadata that are not ASCII as RFC 2047 words (Amazon S3, Working with object metadata)."""
    takes_tabs: bool = True
    """Whether a header may have a tab: a store that signs it otherwise than others answers AccessDenied."""
    tells_write_by_upload: bool = True
    """Whether beginning a multipart upload takes the permission that writing an object takes, so that it can be asked
    for without touching one. COS has a permission of its own for it."""
    body_check: BodyCheck = BodyCheck.MD5
    canned_acls: frozenset[str] = frozenset({"private", "public-read"})
    unusable_keys: re.Pattern[bytes] | None = None
    """Keys (UTF-8) that the store would keep under another name, without their content, or not at all. Adapters refuse
    them before anything is sent: two keys must never become one object."""

    def takes_key(self, key: str) -> bool:
        """Whether an object may have this key; its length is another matter (``max_key_bytes``)."""
        return self.unusable_keys is None or self.unusable_keys.search(key.encode()) is None

    def supports(self, option: Option) -> Support:
        return self.support[option]

    def with_overrides(self, overrides: Mapping[Option, Support]) -> CapabilityProfile:
        return replace(self, support=MappingProxyType({**self.support, **overrides}))


def _profile(
    name: str,
    *,
    classes: str = "",
    emulated: str = "",
    refused: str = "",
    unusable_keys: bytes = b"",
    max_key_bytes: int = 1024,
    encodes_metadata: bool = False,
    takes_tabs: bool = True,
    tells_write_by_upload: bool = True,
    body_check: BodyCheck = BodyCheck.MD5,
) -> CapabilityProfile:
    support = dict.fromkeys(Option, Support.APPLIED)
    support |= {Option(option): Support.EMULATED for option in emulated.split()}
    support |= {Option(option): Support.REFUSED for option in refused.split()}
    return CapabilityProfile(
        name=name,
        support=MappingProxyType(support),
        storage_classes=frozenset(classes.split()),
        unusable_keys=re.compile(unusable_keys) if unusable_keys else None,
        max_key_bytes=max_key_bytes,
        encodes_metadata=encodes_metadata,
        takes_tabs=takes_tabs,
        tells_write_by_upload=tells_write_by_upload,
        body_check=body_check,
    )


_NOT_A_TREE_PATH: Final = rb"//|\A/|/\Z|\\|(?:\A|/)\.\.?(?:/|\Z)|[^/]{256}"
"""SeaweedFS keeps objects in a tree of folders: it drops empty steps, takes a backslash for a slash, makes a folder of
a key that ends in one, and refuses dot steps and steps of more than 255 bytes (measured on 4.48)."""

_NOT_A_COS_KEY: Final = rb"\A(?:[/\\]|[^\x18-\x1b]*+[\x18-\x1b])"
"""A slash or backslash at the start; four control characters (COS, Object Overview, 436/13324). In one pass: every copy
asks."""

PROFILES: Final[Mapping[str, CapabilityProfile]] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            _profile(
                "cos",
                classes="STANDARD MAZ_STANDARD STANDARD_IA MAZ_STANDARD_IA INTELLIGENT_TIERING"
                " MAZ_INTELLIGENT_TIERING ARCHIVE DEEP_ARCHIVE",
                max_key_bytes=850,
                unusable_keys=_NOT_A_COS_KEY,
                tells_write_by_upload=False,
            ),
            _profile(
                "s3",
                classes="STANDARD STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER_IR GLACIER DEEP_ARCHIVE"
                " REDUCED_REDUNDANCY",
                encodes_metadata=True,
            ),
            _profile(
                "ceph",
                classes="STANDARD STANDARD_IA",  # its operator may name others: storage_classes in the settings
                emulated="grants tagging-replace upload-tagging source-dates source-match",
                refused="sse-aes256 restore",
                takes_tabs=False,  # measured on 16.2.15
                body_check=BodyCheck.SHA256,
            ),
            _profile(
                "seaweedfs",
                emulated="canned-acl grants",
                refused="restore",
                unusable_keys=_NOT_A_TREE_PATH,
                body_check=BodyCheck.CRC32,  # it checks no SHA-256 that a signature has (measured on 4.48)
            ),
            _profile("minio", classes="STANDARD REDUCED_REDUNDANCY", refused="canned-acl grants object-acl"),
            _profile("generic", refused="restore"),
        )
    }
)


def render_option_table(profiles: Mapping[str, CapabilityProfile]) -> str:
    """The table option x store as Markdown, for the documentation."""
    names = list(profiles)
    lines = [
        f"| Option | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
        *(f"| `{option}` | {' | '.join(profiles[name].supports(option) for name in names)} |" for option in Option),
    ]
    return "\n".join(lines) + "\n"
