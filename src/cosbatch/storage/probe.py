"""What a store really does with each option, tried on scratch objects: for ``cosbatch store probe`` and for the tests.

A job never probes. A person does, once, and pastes the overrides that :func:`render_overrides` prints into the region
table. Everything is done below one prefix of one bucket, and removed again.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.operations import CannedAcl, Grant, Permission, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.port import AclGrant, CopyOptions, ObjectMetadata, ObjectStore, PutOptions
from cosbatch.storage.profiles import CapabilityProfile, Option, Support

ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
SOURCE_BODY: Final = b"cosbatch looks what this store does\n"
PART_FIRST_BYTE: Final = 2
PART_LAST_BYTE: Final = 9
_OLD_METADATA: Final = ObjectMetadata(content_type="text/x-old", user={"probe": "old", "kept": "yes"})
_NEW_METADATA: Final = ObjectMetadata(content_type="text/x-new", user={"probe": "new"})
_OLD_TAGS: Final = (Tag(key="probe", value="old"),)
_NEW_TAGS: Final = (Tag(key="probe", value="new"), Tag(key="with space", value="+ü"))
_SOURCE_OPTIONS: Final = PutOptions(metadata=_OLD_METADATA)


class Finding(StrEnum):
    APPLIED = "applied"
    IGNORED = "ignored"
    """The store answers success, and the object does not show it."""
    REFUSED = "refused"
    """The store answers with an error."""
    UNKNOWN = "unknown"
    """It could not be tried here; the detail says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionFinding:
    finding: Finding
    detail: str = ""
    """For people: what was seen instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What was found, option by option, and what could not be removed again."""

    findings: Mapping[Option, OptionFinding]
    left_behind: tuple[str, ...] = ()

    def is_applied(self, option: Option) -> bool:
        return self.findings[option].finding is Finding.APPLIED

    def support(self, option: Option) -> Support | None:
        """The line of a profile that this finding makes; None where nothing was found out."""
        found = self.findings[option].finding
        if found is Finding.UNKNOWN:
            return None
        if found is Finding.APPLIED:
            return Support.APPLIED
        return Support.EMULATED if self._can_emulate(option) else Support.REFUSED

    def overrides(self, profile: CapabilityProfile) -> dict[Option, Support]:
        """Where the store differs from ``profile``."""
        found = {option: self.support(option) for option in Option}
        return {
            option: support
            for option, support in found.items()
            if support is not None and support is not profile.supports(option)
        }

    def _can_emulate(self, option: Option) -> bool:
        if option not in EMULATIONS:
            return False
        needed = EMULATIONS[option]
        return needed is None or self.is_applied(needed)


EMULATIONS: Final[Mapping[Option, Option | None]] = {
    Option.TAGGING_COPY: Option.OBJECT_TAGGING,
    Option.TAGGING_REPLACE: Option.OBJECT_TAGGING,
    Option.UPLOAD_TAGGING: Option.OBJECT_TAGGING,
    Option.CANNED_ACL: Option.OBJECT_ACL,
    Option.GRANTS: Option.OBJECT_ACL,
    Option.SOURCE_DATES: None,
    Option.SOURCE_MATCH: None,
}
"""Options that a further request can stand in for, and the option which that request needs; None: a HEAD does."""


async def probe_store(store: ObjectStore, bucket: Bucket, *, prefix: str = "cosbatch-probe/") -> ProbeReport:
    """Tries every option on scratch objects below ``prefix``, and deletes them, whatever happens.

    Raises StorageError where not even a plain object can be written and read back: then nothing can be said.
    """
    scratch = _Scratch(store, bucket, prefix)
    findings: dict[Option, OptionFinding] = {}
    try:
        await scratch.put("source")
        for option in Option:
            findings[option] = await _tried(_PROBES[option], scratch)
    finally:
        left_behind = await scratch.remove_all()
    return ProbeReport(findings=findings, left_behind=left_behind)


class Probed(NamedTuple):
    report: ProbeReport
    profile: CapabilityProfile
    """The region's own, which the findings are held against."""

    @property
    def not_tried(self) -> dict[Option, str]:
        """Options of which nothing was found out, and why."""
        findings = self.report.findings
        return {option: findings[option].detail for option in Option if findings[option].finding is Finding.UNKNOWN}


def render_overrides(report: ProbeReport, profile: CapabilityProfile) -> str:
    """YAML to paste into a region, with what was seen as comments."""
    overrides = report.overrides(profile)
    lines = [f"profile: {profile.name}"]
    if overrides:
        lines.append("profile_overrides:")
        lines += [f"  {option}: {support}  # {_seen(report.findings[option])}" for option, support in overrides.items()]
    else:
        lines.append("# the store does what this profile says; no overrides are needed")
    lines += [f"# not tried: {option}: {why}" for option, why in Probed(report, profile).not_tried.items()]
    lines += [f"# could not be removed: {name}" for name in report.left_behind]
    return "\n".join(lines) + "\n"


def _seen(found: OptionFinding) -> str:
    return " ".join(f"{found.finding}: {found.detail}".split()) if found.detail else str(found.finding)


class _Scratch:
    """The scratch objects of one probe."""

    def __init__(self, store: ObjectStore, bucket: Bucket, prefix: str) -> None:
        self.store = store
        self.bucket = bucket
        self._prefix = prefix
        self._made: set[ObjectKey] = set()

    def ref(self, name: str) -> ObjectRef:
        key = ObjectKey(self._prefix + name)
        self._made.add(key)
        return ObjectRef(self.bucket, key)

    async def put(self, name: str, body: bytes = SOURCE_BODY) -> VersionId | None:
        return (await self.store.put(self.ref(name), body, options=_SOURCE_OPTIONS)).version_id

    async def copy(self, name: str, options: CopyOptions, *, source: str = "source") -> ObjectRef:
        target = self.ref(name)
        await self.store.copy(self.ref(source), target, options=options)
        return target

    async def upload(self, name: str, options: PutOptions) -> ObjectRef:
        """An object of one part, copied from the source."""
        target = self.ref(name)
        upload_id = await self.store.create_upload(target, options=options)
        try:
            part = await self.store.upload_part_copy(
                self.ref("source"),
                target,
                upload_id=upload_id,
                number=1,
                first_byte=PART_FIRST_BYTE,
                last_byte=PART_LAST_BYTE,
            )
            await self.store.complete_upload(target, upload_id=upload_id, parts=[part])
        except StorageError:
            with contextlib.suppress(StorageError):
                await self.store.abort_upload(target, upload_id=upload_id)
            raise
        return target

    async def refuses(self, name: str, options: CopyOptions) -> bool:
        """Whether a copy fails on its condition; any other error is raised."""
        try:
            await self.copy(name, options)
        except StorageError as error:
            if error.reason is StorageReason.PRECONDITION_FAILED:
                return True
            raise
        return False

    async def remove_all(self) -> tuple[str, ...]:
        """The keys that could not be removed."""
        left = []
        for key in sorted(self._made):
            try:
                await self._remove(key)
            except StorageError:
                left.append(key)
        return tuple(left)

    async def _remove(self, key: ObjectKey) -> None:
        for version in [version async for version in self._versions(key)]:
            await self.store.delete(ObjectRef(self.bucket, key, version))
        with contextlib.suppress(StorageError):
            await self.store.head(ObjectRef(self.bucket, key))
            await self.store.delete(ObjectRef(self.bucket, key))

    async def _versions(self, key: ObjectKey) -> AsyncIterator[VersionId]:
        if await self.store.versioning(self.bucket) is Versioning.NEVER:
            return
        page = await self.store.list_versions(self.bucket, prefix=key)
        for listed in page.objects:
            if listed.key == key and listed.version_id is not None:
                yield listed.version_id


_Probe = Callable[[_Scratch], Awaitable[OptionFinding]]


async def _tried(probe: _Probe, scratch: _Scratch) -> OptionFinding:
    try:
        return await probe(scratch)
    except StorageError as error:
        return OptionFinding(finding=Finding.REFUSED, detail=f"{error.code} ({error.http_status}): {error.message}")


def _judged(shows: bool, seen: object) -> OptionFinding:
    return OptionFinding(finding=Finding.APPLIED) if shows else _ignored(seen)


def _ignored(seen: object) -> OptionFinding:
    return OptionFinding(finding=Finding.IGNORED, detail=f"what was made shows {seen!r}"[:400])


async def _metadata_replace(scratch: _Scratch) -> OptionFinding:
    target = await scratch.copy("metadata", CopyOptions(metadata=_NEW_METADATA))
    found = (await scratch.store.head(target)).metadata
    shows = dict(found.user or {}) == {"probe": "new"} and found.content_type == "text/x-new"
    return _judged(shows, (found.content_type, found.user))


async def _tagging_copy(scratch: _Scratch) -> OptionFinding:
    await scratch.put("tagged")
    await scratch.store.put_tags(scratch.ref("tagged"), _OLD_TAGS)
    target = await scratch.copy("tagging-copied", CopyOptions(), source="tagged")
    tags = await scratch.store.get_tags(target)
    return _judged(tags == _OLD_TAGS, tags)


async def _tagging_replace(scratch: _Scratch) -> OptionFinding:
    """Replaced by others, and by none."""
    await scratch.put("tagged")
    await scratch.store.put_tags(scratch.ref("tagged"), _OLD_TAGS)
    replaced = await scratch.copy("tagging-replaced", CopyOptions(tags=_NEW_TAGS), source="tagged")
    emptied = await scratch.copy("tagging-emptied", CopyOptions(tags=()), source="tagged")
    seen = (await scratch.store.get_tags(replaced), await scratch.store.get_tags(emptied))
    return _judged(_as_set(seen[0]) == _as_set(_NEW_TAGS) and seen[1] == (), seen)


async def _object_tagging(scratch: _Scratch) -> OptionFinding:
    await scratch.put("tags")
    ref = scratch.ref("tags")
    await scratch.store.put_tags(ref, _NEW_TAGS)
    set_tags = await scratch.store.get_tags(ref)
    await scratch.store.put_tags(ref, ())
    left_tags = await scratch.store.get_tags(ref)
    return _judged(_as_set(set_tags) == _as_set(_NEW_TAGS) and left_tags == (), (set_tags, left_tags))


async def _upload_tagging(scratch: _Scratch) -> OptionFinding:
    target = await scratch.upload("tagged-upload", PutOptions(tags=_NEW_TAGS))
    tags = await scratch.store.get_tags(target)
    return _judged(_as_set(tags) == _as_set(_NEW_TAGS), tags)


async def _storage_class(scratch: _Scratch) -> OptionFinding:
    known = scratch.store.profile.storage_classes
    others = sorted(known - {"STANDARD"}) or ["STANDARD_IA"]
    asked = "STANDARD_IA" if "STANDARD_IA" in others else others[0]
    copied = await scratch.copy("class", CopyOptions(storage_class=asked))
    uploaded = await scratch.upload("class-upload", PutOptions(storage_class=asked))
    seen = [(await scratch.store.head(target)).storage_class for target in (copied, uploaded)]
    return _judged(seen == [asked, asked], seen)


async def _canned_acl(scratch: _Scratch) -> OptionFinding:
    copied = await scratch.copy("canned-acl", CopyOptions(canned_acl=CannedAcl.PUBLIC_READ))
    uploaded = await scratch.upload("canned-acl-upload", PutOptions(canned_acl=CannedAcl.PUBLIC_READ))
    seen = [(await scratch.store.get_acl(target)).grants for target in (copied, uploaded)]
    return _judged(all(_is_public(grants) for grants in seen), seen)


async def _grants(scratch: _Scratch) -> OptionFinding:
    """The owner gets READ by name: it is the one user that every store knows."""
    owner = (await scratch.store.get_acl(scratch.ref("source"))).owner_id
    if not owner:
        return OptionFinding(finding=Finding.UNKNOWN, detail="the store does not say who owns an object")
    wanted = (Grant(identifier=owner, permission=Permission.READ),)
    copied = await scratch.copy("grants", CopyOptions(grants=wanted))
    uploaded = await scratch.upload("grants-upload", PutOptions(grants=wanted))
    seen = [(await scratch.store.get_acl(target)).grants for target in (copied, uploaded)]
    return _judged(all(_has_read(grants, owner) for grants in seen), seen)


async def _object_acl(scratch: _Scratch) -> OptionFinding:
    await scratch.put("acl")
    ref = scratch.ref("acl")
    before = await scratch.store.get_acl(ref)
    public = AclGrant("", ALL_USERS, "READ")
    await scratch.store.put_acl(ref, replace(before, grants=(*before.grants, public)))
    grants = (await scratch.store.get_acl(ref)).grants
    return _judged(_is_public(grants), grants)


async def _sse_aes256(scratch: _Scratch) -> OptionFinding:
    copied = await scratch.copy("encrypted", CopyOptions(sse_algorithm="AES256"))
    uploaded = await scratch.upload("encrypted-upload", PutOptions(sse_algorithm="AES256"))
    seen = [(await scratch.store.head(target)).sse_algorithm for target in (copied, uploaded)]
    return _judged(seen == ["AES256", "AES256"], seen)


async def _source_dates(scratch: _Scratch) -> OptionFinding:
    """Conditions in the past only: a store may ignore one in its future (RFC 9110, 13.1.3)."""
    modified = int((await scratch.store.head(scratch.ref("source"))).last_modified)
    await scratch.copy("dates", CopyOptions(if_modified_since=modified - 3600))
    since = await scratch.refuses("dates-since", CopyOptions(if_modified_since=modified))
    until = await scratch.refuses("dates-until", CopyOptions(if_unmodified_since=modified - 3600))
    return _judged(since and until, {"modified-since refused": since, "unmodified-since refused": until})


async def _source_match(scratch: _Scratch) -> OptionFinding:
    etag = (await scratch.store.head(scratch.ref("source"))).etag
    await scratch.copy("matched", CopyOptions(if_source_etag=etag))
    refused = await scratch.refuses("unmatched", CopyOptions(if_source_etag="0" * 32))
    return _judged(refused, {"another etag refused": refused})


async def _versions(scratch: _Scratch) -> OptionFinding:
    if await scratch.store.versioning(scratch.bucket) is not Versioning.ENABLED:
        return OptionFinding(finding=Finding.UNKNOWN, detail="the bucket is not versioned; probe one that is")
    first = await scratch.put("versions", b"first")
    await scratch.put("versions", b"second")
    source = scratch.ref("versions")._replace(version_id=first)
    target = scratch.ref("versions-copied")
    await scratch.store.copy(source, target, options=CopyOptions())
    copied = await _content(scratch.store, target)
    return _judged(copied == b"first", copied)


async def _part_copy(scratch: _Scratch) -> OptionFinding:
    target = await scratch.upload("parts", _SOURCE_OPTIONS)
    copied = await _content(scratch.store, target)
    return _judged(copied == SOURCE_BODY[PART_FIRST_BYTE : PART_LAST_BYTE + 1], copied)


async def _restore(_: _Scratch) -> OptionFinding:
    return OptionFinding(finding=Finding.UNKNOWN, detail="it takes an archived object, which costs money and hours")


_PROBES: Final[Mapping[Option, _Probe]] = {
    Option.METADATA_REPLACE: _metadata_replace,
    Option.TAGGING_COPY: _tagging_copy,
    Option.TAGGING_REPLACE: _tagging_replace,
    Option.UPLOAD_TAGGING: _upload_tagging,
    Option.OBJECT_TAGGING: _object_tagging,
    Option.STORAGE_CLASS: _storage_class,
    Option.CANNED_ACL: _canned_acl,
    Option.GRANTS: _grants,
    Option.OBJECT_ACL: _object_acl,
    Option.SSE_AES256: _sse_aes256,
    Option.SOURCE_DATES: _source_dates,
    Option.SOURCE_MATCH: _source_match,
    Option.VERSIONS: _versions,
    Option.PART_COPY: _part_copy,
    Option.RESTORE: _restore,
}


def _is_public(grants: tuple[AclGrant, ...]) -> bool:
    return any((grant.uri, grant.permission) == (ALL_USERS, "READ") for grant in grants)


def _has_read(grants: tuple[AclGrant, ...], identifier: str) -> bool:
    return any((grant.id, grant.permission) == (identifier, "READ") for grant in grants)


def _as_set(tags: tuple[Tag, ...]) -> frozenset[Tag]:
    return frozenset(tags)


async def _content(store: ObjectStore, ref: ObjectRef) -> bytes:
    body = await store.get(ref)
    return b"".join([block async for block in body])
