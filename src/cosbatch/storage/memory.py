"""An object store in memory that answers as S3 does: for tests, and the first to pass the contract suite.

It also plays a lesser store: an option that its profile does not call applied is ignored in silence, as such a store
would. There is no latency, but each method lets other tasks run once before it acts, so that tasks interleave.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageReason
from cosbatch.model.identifiers import NULL_VERSION, Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import CannedAcl, Grant, RestoreTier, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.memory_objects import (
    RESTORED,
    RESTORING,
    Content,
    MemoryBody,
    MemoryBucket,
    StoredObject,
    StoredUpload,
    refusal,
)
from cosbatch.storage.port import (
    AccessControl,
    AclGrant,
    BucketEntry,
    CompletedPart,
    CopyOptions,
    CopyOutcome,
    ListedObject,
    ListPage,
    LockRule,
    ObjectBody,
    ObjectMeta,
    ObjectMetadata,
    PutOptions,
    PutOutcome,
    RestoreOutcome,
    SizedBody,
    UploadedPart,
    UploadEntry,
    UploadPage,
)
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support

OWNER_ID: Final = "0wner"
ALL_USERS: Final = "http://acs.amazonaws.com/groups/global/AllUsers"
UPLOADS_PER_PAGE: Final = 1000
_NO_PUT_OPTIONS: Final = PutOptions()


class MemoryStore:
    """One region's store. Buckets are made with :meth:`create_bucket`; everything else is the port."""

    def __init__(self, *, profile: CapabilityProfile = PROFILES["s3"], clock: Clock) -> None:
        self.profile = profile
        self._clock = clock
        self._buckets: dict[Bucket, MemoryBucket] = {}
        self._uploads: dict[str, StoredUpload] = {}
        self._numbers = itertools.count(1)

    # --- what a test does behind the store's back

    def create_bucket(
        self, name: str, *, versioning: Versioning = Versioning.NEVER, region: str = "us-east-1"
    ) -> Bucket:
        bucket = Bucket(name)
        kept = versioning if self._applies(Option.VERSIONS) else Versioning.NEVER
        self._buckets[bucket] = MemoryBucket(bucket, versioning=kept, region=region)
        return bucket

    def delete_bucket(self, name: str) -> None:
        """The bucket is gone with all that is in it."""
        del self._buckets[Bucket(name)]

    def set_versioning(self, name: str, versioning: Versioning) -> None:
        self._buckets[Bucket(name)].versioning = versioning

    def set_object_lock(self, name: str, rule: LockRule | None) -> None:
        """Said when asked; nothing is held by it."""
        self._buckets[Bucket(name)].lock = rule

    def put_sized(self, bucket: str, key: str, size: int, *, options: PutOptions = _NO_PUT_OPTIONS) -> ObjectRef:
        """An object that only says its size: it reads as zeros and takes no memory."""
        ref = ObjectRef(Bucket(bucket), ObjectKey(key))
        self._store(ref, Content.declared(size), options=options)
        return ref

    def put_now(self, bucket: str, key: str, body: bytes = b"", *, options: PutOptions = _NO_PUT_OPTIONS) -> PutOutcome:
        """:meth:`put` without a loop."""
        return self._store(ObjectRef(Bucket(bucket), ObjectKey(key)), Content.of(body), options=options)

    def mark_restored(self, ref: ObjectRef, *, restore: str = RESTORED) -> None:
        """An archived object can be read from now on."""
        found = self._resolve(ref, verb="HEAD")
        self._bucket(ref, verb="HEAD").change(found, replace(found, restore=restore))

    def current_objects(self, bucket: str) -> dict[ObjectKey, StoredObject]:
        """Every object as it is now, delete markers aside, in byte order of the keys."""
        return self._buckets[Bucket(bucket)].current_objects()

    def open_uploads(self) -> tuple[StoredUpload, ...]:
        return tuple(self._uploads.values())

    # --- objects

    async def head(self, ref: ObjectRef) -> ObjectMeta:
        await asyncio.sleep(0)
        if ref.bucket not in self._buckets:
            # An answer to HEAD has no body, so that S3 cannot say which of the two is missing.
            raise refusal(StorageReason.NO_SUCH_KEY, 404, target=_target("HEAD", ref))
        return self._resolve(ref, verb="HEAD").meta(shows_version=self._buckets[ref.bucket].shows_versions)

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        await asyncio.sleep(0)
        found = self._resolve(ref, verb="GET")
        self._check_readable(found, target=_target("GET", ref))
        meta = found.meta(shows_version=self._buckets[ref.bucket].shows_versions)
        if first_byte == 0 and last_byte is None:
            return MemoryBody(found.content, meta=meta, content_range=None)
        if first_byte >= found.size_bytes or (last_byte is not None and last_byte < first_byte):
            raise refusal(StorageReason.INVALID_REQUEST, 416, code="InvalidRange", target=_target("GET", ref))
        last = found.size_bytes - 1 if last_byte is None else min(last_byte, found.size_bytes - 1)
        part = found.content.cut(first_byte, last)
        return MemoryBody(part, meta=meta, content_range=(first_byte, last, found.size_bytes))

    async def put(
        self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = _NO_PUT_OPTIONS
    ) -> PutOutcome:
        await asyncio.sleep(0)
        content = await _read_body(body, target=_target("PUT", ref))
        return self._store(ref, content, options=options)

    async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
        await asyncio.sleep(0)
        self._bucket(target, verb="PUT")
        found = self._copy_source(source, target)
        self._check_conditions(found, options, target=_target("PUT", target))
        self._check_copy_size(found, target=_target("PUT", target))
        asked = self._asked_of_copy(found, options)
        _check_not_itself(source, target, found, options)
        return CopyOutcome(*self._store(target, found.content, options=asked))

    async def delete(self, ref: ObjectRef) -> VersionId | None:
        await asyncio.sleep(0)
        bucket = self._bucket(ref, verb="DELETE")
        self._check_key(ref, target=_target("DELETE", ref))
        if ref.version_id is not None:
            bucket.remove(ref.key, ref.version_id)
            return ref.version_id
        if not bucket.shows_versions:
            bucket.remove(ref.key, NULL_VERSION)
            return None
        marker = self._new_version(bucket, ref.key, Content.of(b""), options=_NO_PUT_OPTIONS)
        bucket.add(replace(marker, is_delete_marker=True, etag=""))
        return marker.version_id

    async def restore(self, ref: ObjectRef, *, days: int, tier: RestoreTier) -> RestoreOutcome:
        await asyncio.sleep(0)
        shown = _target("POST", ref)
        if not self._applies(Option.RESTORE):
            raise refusal(StorageReason.NOT_IMPLEMENTED, 501, target=shown)
        found = self._resolve(ref, verb="POST")
        if not found.is_archived:
            raise refusal(StorageReason.INVALID_OBJECT_STATE, 403, target=shown)
        if found.restore.startswith(RESTORING):
            raise refusal(StorageReason.RESTORE_IN_PROGRESS, 409, target=shown)
        asked = found.asked_back(days=days, now=self._clock.now())
        self._buckets[ref.bucket].change(found, asked)
        return RestoreOutcome.BEGUN if asked.restore == RESTORING else RestoreOutcome.EXTENDED

    # --- multipart uploads

    async def create_upload(self, target: ObjectRef, *, options: PutOptions) -> str:
        await asyncio.sleep(0)
        self._check_target(target, options, verb="POST")
        upload_id = f"upload-{next(self._numbers):06d}"
        self._uploads[upload_id] = StoredUpload(
            target=target,
            upload_id=upload_id,
            initiated=self._clock.now(),
            options=options if self._applies(Option.UPLOAD_TAGGING) else replace(options, tags=()),
        )
        return upload_id

    async def upload_part(
        self, target: ObjectRef, *, upload_id: str, number: int, body: bytes | SizedBody
    ) -> CompletedPart:
        await asyncio.sleep(0)
        content = await _read_body(body, target=_target("PUT", target))
        return self._store_part(target, upload_id, number, content)

    async def upload_part_copy(
        self,
        source: ObjectRef,
        target: ObjectRef,
        *,
        upload_id: str,
        number: int,
        first_byte: int,
        last_byte: int,
        if_source_etag: str = "",
        source_region: RegionName | None = None,
    ) -> CompletedPart:
        await asyncio.sleep(0)
        shown = _target("PUT", target)
        if not self._applies(Option.PART_COPY):
            raise refusal(StorageReason.NOT_IMPLEMENTED, 501, target=shown)
        found = self._copy_source(source, target)
        self._check_conditions(found, CopyOptions(if_source_etag=if_source_etag), target=shown)
        if not 0 <= first_byte <= last_byte < found.size_bytes:
            raise refusal(StorageReason.INVALID_REQUEST, 400, code="InvalidArgument", target=shown)
        part = found.content.cut(first_byte, last_byte)
        return self._store_part(target, upload_id, number, part)

    async def complete_upload(
        self, target: ObjectRef, *, upload_id: str, parts: Sequence[CompletedPart]
    ) -> CopyOutcome:
        await asyncio.sleep(0)
        upload = self._upload(target, upload_id, verb="POST")
        contents = self._contents_of(upload, parts, target=_target("POST", target))
        digests = b"".join(content.digest for content in contents)
        etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(contents)}"
        outcome = self._store(target, Content.joined(contents), options=upload.options, etag=etag)
        del self._uploads[upload_id]
        return CopyOutcome(*outcome)

    async def abort_upload(self, target: ObjectRef, *, upload_id: str) -> None:
        await asyncio.sleep(0)
        del self._uploads[self._upload(target, upload_id, verb="DELETE").upload_id]

    async def list_parts(self, target: ObjectRef, *, upload_id: str) -> list[UploadedPart]:
        await asyncio.sleep(0)
        upload = self._upload(target, upload_id, verb="GET")
        return [
            UploadedPart(number, content.digest.hex(), content.size_bytes)
            for number, content in sorted(upload.parts.items())
        ]

    async def list_uploads(self, bucket: Bucket, *, prefix: str = "", token: str = "") -> UploadPage:
        await asyncio.sleep(0)
        self._named_bucket(bucket, verb="GET")
        found = sorted(
            (upload.target.key.encode(), upload.upload_id, upload)
            for upload in self._uploads.values()
            if upload.target.bucket == bucket and upload.target.key.startswith(prefix)
        )
        after = _parse_token(token)
        rest = [place for place in found if (place[0].decode(), place[1]) > after] if token else found
        page = [UploadEntry(upload.target.key, name, upload.initiated) for _, name, upload in rest[:UPLOADS_PER_PAGE]]
        more = len(rest) > UPLOADS_PER_PAGE
        return UploadPage(uploads=tuple(page), next_token=_token(page[-1].key, page[-1].upload_id) if more else "")

    # --- access lists and tags

    async def get_acl(self, ref: ObjectRef) -> AccessControl:
        await asyncio.sleep(0)
        return self._resolve(ref, verb="GET").acl

    async def put_acl(self, ref: ObjectRef, acl: AccessControl) -> None:
        await asyncio.sleep(0)
        found = self._resolve(ref, verb="PUT")
        if self._applies(Option.OBJECT_ACL):
            self._buckets[ref.bucket].change(found, replace(found, acl=acl))

    async def get_tags(self, ref: ObjectRef) -> tuple[Tag, ...]:
        await asyncio.sleep(0)
        return self._resolve(ref, verb="GET").tags

    async def put_tags(self, ref: ObjectRef, tags: Sequence[Tag]) -> None:
        await asyncio.sleep(0)
        self._change_tags(ref, tuple(tags), verb="PUT")

    async def delete_tags(self, ref: ObjectRef) -> None:
        await asyncio.sleep(0)
        self._change_tags(ref, (), verb="DELETE")

    # --- buckets

    async def list_buckets(self) -> tuple[BucketEntry, ...]:
        await asyncio.sleep(0)
        kept = [self._buckets[name] for name in sorted(self._buckets)]
        return tuple(BucketEntry(name=each.name, created_at=None, region=each.region) for each in kept)

    async def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        limit: int = 1000,
        delimiter: str = "",
    ) -> ListPage:
        await asyncio.sleep(0)
        kept = self._named_bucket(bucket, verb="GET")
        after = token or start_after
        page: list[ListedObject] = []
        folders: list[str] = []
        for name in kept.keys_from(after.encode() + b"\x00" if after else b"", prefix=prefix.encode()):
            newest = kept.newest_first(name)[0]
            folder = _folder_of(newest.key, prefix=prefix, delimiter=delimiter)
            if newest.is_delete_marker or (folder and folder in (after, *folders[-1:])):
                continue
            if len(page) + len(folders) == limit:
                last = max([*[each.key for each in page[-1:]], *folders[-1:]], key=str.encode)
                return ListPage(objects=tuple(page), next_token=last, folders=tuple(folders))
            if folder:
                folders.append(folder)
            else:
                page.append(newest.listed())
        return ListPage(objects=tuple(page), next_token="", folders=tuple(folders))

    async def list_versions(self, bucket: Bucket, *, prefix: str = "", token: str = "", limit: int = 1000) -> ListPage:
        await asyncio.sleep(0)
        kept = self._named_bucket(bucket, verb="GET")
        after_key, after_version = _parse_token(token)
        page: list[ListedObject] = []
        for name in kept.keys_from(after_key.encode(), prefix=prefix.encode()):
            versions = kept.newest_first(name)
            skip = name == after_key.encode() and bool(token)
            for version in versions:
                if skip:
                    skip = version.version_id != after_version
                    continue
                if len(page) == limit:
                    return ListPage(objects=tuple(page), next_token=_token(page[-1].key, str(page[-1].version_id)))
                page.append(version.listed(is_latest=version is versions[0], shows_version=True))
        return ListPage(objects=tuple(page), next_token="")

    async def bucket_region(self, bucket: Bucket) -> str:
        await asyncio.sleep(0)
        return self._named_bucket(bucket, verb="HEAD").region

    async def versioning(self, bucket: Bucket) -> Versioning:
        await asyncio.sleep(0)
        return self._named_bucket(bucket, verb="GET").versioning

    async def object_lock(self, bucket: Bucket) -> LockRule | None:
        await asyncio.sleep(0)
        return self._named_bucket(bucket, verb="GET").lock

    async def close(self) -> None:
        await asyncio.sleep(0)

    # --- how it is kept

    def _applies(self, option: Option) -> bool:
        return self.profile.supports(option) is Support.APPLIED

    def _named_bucket(self, name: Bucket, *, verb: str) -> MemoryBucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            raise refusal(StorageReason.NO_SUCH_BUCKET, 404, target=f"{verb} {name}")
        return bucket

    def _bucket(self, ref: ObjectRef, *, verb: str) -> MemoryBucket:
        return self._named_bucket(ref.bucket, verb=verb)

    def _check_key(self, ref: ObjectRef, *, target: str) -> None:
        if not (ref.key and self.profile.takes_key(ref.key)):
            raise refusal(StorageReason.INVALID_KEY, 0, code="InvalidKey", target=target)

    def _resolve(self, ref: ObjectRef, *, verb: str) -> StoredObject:
        """The version that ``ref`` names, or the current one."""
        bucket = self._bucket(ref, verb=verb)
        self._check_key(ref, target=_target(verb, ref))
        if ref.version_id is None:
            found = bucket.current(ref.key)
            if found is None or found.is_delete_marker:
                raise refusal(StorageReason.NO_SUCH_KEY, 404, target=_target(verb, ref))
            return found
        found = bucket.version(ref.key, ref.version_id)
        if found is None:
            raise refusal(StorageReason.NO_SUCH_VERSION, 404, target=_target(verb, ref))
        if found.is_delete_marker:
            raise refusal(StorageReason.DELETE_MARKER, 405, code="MethodNotAllowed", target=_target(verb, ref))
        return found

    def _check_readable(self, found: StoredObject, *, target: str) -> None:
        if not found.is_readable:
            raise refusal(StorageReason.INVALID_OBJECT_STATE, 403, target=target)

    def _copy_source(self, source: ObjectRef, target: ObjectRef) -> StoredObject:
        shown = _target("PUT", target)
        if source.version_id is not None:
            marker = self._bucket(source, verb="PUT").version(source.key, source.version_id)
            if marker is not None and marker.is_delete_marker:
                raise refusal(StorageReason.DELETE_MARKER, 400, code="InvalidRequest", target=shown)
        found = self._resolve(source, verb="PUT")
        self._check_readable(found, target=shown)
        return found

    def _check_conditions(self, found: StoredObject, options: CopyOptions, *, target: str) -> None:
        """As S3 combines them: a matching ETag outweighs if-unmodified-since."""
        matched = bool(options.if_source_etag) and self._applies(Option.SOURCE_MATCH)
        dates = self._applies(Option.SOURCE_DATES)
        modified = int(found.last_modified)
        since, until = options.if_modified_since, options.if_unmodified_since
        failed = (
            (matched and options.if_source_etag != found.etag)
            or (dates and since is not None and modified <= since)
            or (dates and until is not None and modified > until and not matched)
        )
        if failed:
            raise refusal(StorageReason.PRECONDITION_FAILED, 412, target=target)

    def _check_copy_size(self, found: StoredObject, *, target: str) -> None:
        limit = self.profile.copy_limit_bytes
        if found.size_bytes > limit:
            text = f"the copy source is larger than the {limit} bytes that one copy request takes"
            raise refusal(StorageReason.INVALID_REQUEST, 400, target=target, message=text)

    def _asked_of_copy(self, found: StoredObject, options: CopyOptions) -> PutOptions:
        """What the new object gets: of the source or of the options, as far as this kind of store does it."""
        replaces_metadata = options.metadata is not None and self._applies(Option.METADATA_REPLACE)
        tags = found.tags if self._applies(Option.TAGGING_COPY) else ()
        if options.tags is not None and self._applies(Option.TAGGING_REPLACE):
            tags = options.tags
        return PutOptions(
            metadata=options.metadata if replaces_metadata and options.metadata else found.metadata,
            tags=tags,
            storage_class=options.storage_class,
            canned_acl=options.canned_acl,
            grants=options.grants,
            sse_algorithm=options.sse_algorithm,
        )

    def _check_target(self, ref: ObjectRef, options: PutOptions, *, verb: str) -> MemoryBucket:
        bucket = self._bucket(ref, verb=verb)
        shown = _target(verb, ref)
        self._check_key(ref, target=shown)
        if len(ref.key.encode()) > self.profile.max_key_bytes:
            raise refusal(StorageReason.INVALID_KEY, 400, code="KeyTooLongError", target=shown)
        classes = self.profile.storage_classes
        if options.storage_class and classes and options.storage_class not in classes:
            raise refusal(StorageReason.INVALID_REQUEST, 400, code="InvalidStorageClass", target=shown)
        if options.canned_acl and options.grants:
            raise refusal(StorageReason.INVALID_REQUEST, 400, target=shown)
        return bucket

    def _new_version(
        self, bucket: MemoryBucket, key: ObjectKey, content: Content, *, options: PutOptions, etag: str = ""
    ) -> StoredObject:
        numbered = VersionId(f"version-{next(self._numbers):06d}")
        return StoredObject(
            key=key,
            version_id=numbered if bucket.versioning is Versioning.ENABLED else NULL_VERSION,
            content=content,
            etag=etag or content.digest.hex(),
            last_modified=self._clock.now(),
            acl=_access_control(
                options.canned_acl if self._applies(Option.CANNED_ACL) else None,
                options.grants if self._applies(Option.GRANTS) else (),
            ),
            metadata=_kept_metadata(options.metadata),
            tags=options.tags if self._applies(Option.OBJECT_TAGGING) else (),
            storage_class=(options.storage_class if self._applies(Option.STORAGE_CLASS) else "") or "STANDARD",
            sse_algorithm=options.sse_algorithm if self._applies(Option.SSE_AES256) else "",
        )

    def _store(self, ref: ObjectRef, content: Content, *, options: PutOptions, etag: str = "") -> PutOutcome:
        bucket = self._check_target(ref, options, verb="PUT")
        version = self._new_version(bucket, ref.key, content, options=options, etag=etag)
        bucket.add(version)
        return PutOutcome(version.etag, version.version_id if bucket.shows_versions else None)

    def _upload(self, target: ObjectRef, upload_id: str, *, verb: str) -> StoredUpload:
        upload = self._uploads.get(upload_id)
        if upload is None or (upload.target.bucket, upload.target.key) != (target.bucket, target.key):
            raise refusal(StorageReason.NO_SUCH_UPLOAD, 404, target=_target(verb, target))
        return upload

    def _store_part(self, target: ObjectRef, upload_id: str, number: int, content: Content) -> CompletedPart:
        upload = self._upload(target, upload_id, verb="PUT")
        if not 1 <= number <= self.profile.max_parts:
            raise refusal(StorageReason.INVALID_REQUEST, 400, code="InvalidArgument", target=_target("PUT", target))
        self._check_part_size(content, target=_target("PUT", target))
        upload.parts[number] = content
        return CompletedPart(number, content.digest.hex())

    def _check_part_size(self, content: Content, *, target: str) -> None:
        if content.size_bytes > self.profile.copy_limit_bytes:
            raise refusal(StorageReason.TOO_LARGE, 400, target=target)

    def _contents_of(self, upload: StoredUpload, parts: Sequence[CompletedPart], *, target: str) -> list[Content]:
        numbers = [part.number for part in parts]
        if not numbers:
            raise refusal(StorageReason.INVALID_REQUEST, 400, code="MalformedXML", target=target)
        if numbers != sorted(set(numbers)):
            raise refusal(StorageReason.INVALID_REQUEST, 400, code="InvalidPartOrder", target=target)
        known = upload.parts
        for part in parts:
            if part.number not in known or known[part.number].digest.hex() != part.etag:
                raise refusal(StorageReason.INVALID_REQUEST, 400, code="InvalidPart", target=target)
        contents = [known[number] for number in numbers]
        if any(content.size_bytes < self.profile.min_part_bytes for content in contents[:-1]):
            raise refusal(StorageReason.INVALID_REQUEST, 400, code="EntityTooSmall", target=target)
        return contents

    def _change_tags(self, ref: ObjectRef, tags: tuple[Tag, ...], *, verb: str) -> None:
        found = self._resolve(ref, verb=verb)
        if self._applies(Option.OBJECT_TAGGING):
            self._buckets[ref.bucket].change(found, replace(found, tags=tags))


async def _read_body(body: bytes | SizedBody, *, target: str) -> Content:
    if isinstance(body, bytes):
        return Content.of(body)
    whole = b"".join([block async for block in body.blocks()])
    if len(whole) != body.size_bytes:
        raise refusal(StorageReason.BODY_DAMAGED, 400, code="IncompleteBody", target=target)
    return Content.of(whole)


def _check_not_itself(source: ObjectRef, target: ObjectRef, found: StoredObject, options: CopyOptions) -> None:
    """S3 refuses a copy of the current version onto itself that changes nothing."""
    is_itself = (source.bucket, source.key) == (target.bucket, target.key) and source.version_id is None
    changes = (
        options.metadata is not None
        or bool(options.sse_algorithm)
        or options.storage_class not in ("", found.storage_class)
    )
    if is_itself and not changes:
        text = "a copy of an object onto itself must change its metadata, storage class or encryption"
        raise refusal(StorageReason.INVALID_REQUEST, 400, target=_target("PUT", target), message=text)


def _access_control(canned_acl: CannedAcl | None, grants: Sequence[Grant]) -> AccessControl:
    owner = AclGrant(OWNER_ID, "", "FULL_CONTROL")
    listed: tuple[AclGrant, ...] = (owner,)
    if canned_acl is CannedAcl.PUBLIC_READ:
        listed = (owner, AclGrant("", ALL_USERS, "READ"))
    if grants:
        listed = tuple(AclGrant(grant.identifier, "", str(grant.permission)) for grant in grants)
    return AccessControl(owner_id=OWNER_ID, owner_display_name="", grants=listed)


def _kept_metadata(metadata: ObjectMetadata) -> ObjectMetadata:
    """S3 gives an object without a content type this one, and lists user metadata even where there is none."""
    user = {name.lower(): value for name, value in (metadata.user or {}).items()}
    return replace(metadata, content_type=metadata.content_type or "binary/octet-stream", user=user)


def _target(verb: str, ref: ObjectRef) -> str:
    version = f" version {ref.version_id}" if ref.version_id else ""
    return f"{verb} {ref.bucket}/{ref.key}{version}"


def _folder_of(key: ObjectKey, *, prefix: str, delimiter: str) -> str:
    """Empty where the key is listed by itself."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[: end + len(delimiter)] if end >= 0 else ""


def _token(key: str, name: str) -> str:
    return json.dumps([key, name])


def _parse_token(token: str) -> tuple[str, str]:
    if not token:
        return "", ""
    key, name = json.loads(token)
    return key, name
