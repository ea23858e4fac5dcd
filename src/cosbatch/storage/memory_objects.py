"""What the in-memory store keeps: versions of objects, buckets in byte order, uploads, content that may be faked."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Final, NamedTuple

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import NULL_VERSION, Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.operations import Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.held_bodies import fill_room
from cosbatch.storage.port import AccessControl, ListedObject, LockRule, ObjectMeta, ObjectMetadata, PutOptions

BLOCK_BYTES: Final = 256 * 1024
ARCHIVED_CLASSES: Final = frozenset({"GLACIER", "ARCHIVE", "DEEP_ARCHIVE", "MAZ_ARCHIVE"})
RESTORING: Final = 'ongoing-request="true"'
RESTORED: Final = 'ongoing-request="false"'
_DAY_SECONDS: Final = 86_400


class Content(NamedTuple):
    """Bytes, or only their number: a declared content reads as zeros and takes no memory."""

    size_bytes: int
    stored: bytes | None
    digest: bytes
    """MD5, as S3 makes ETags of; of a declared content, of its size."""

    @classmethod
    def of(cls, stored: bytes) -> Content:
        return cls(len(stored), stored, hashlib.md5(stored, usedforsecurity=False).digest())

    @classmethod
    def declared(cls, size_bytes: int) -> Content:
        digest = hashlib.md5(b"zeros:%d" % size_bytes, usedforsecurity=False).digest()
        return cls(size_bytes, None, digest)

    @classmethod
    def joined(cls, contents: Sequence[Content]) -> Content:
        pieces = [content.stored for content in contents if content.stored is not None]
        if len(pieces) == len(contents):
            return cls.of(b"".join(pieces))
        return cls.declared(sum(content.size_bytes for content in contents))

    def cut(self, first_byte: int, last_byte: int) -> Content:
        if (first_byte, last_byte) == (0, self.size_bytes - 1):
            return self
        if self.stored is None:
            return Content.declared(last_byte - first_byte + 1)
        return Content.of(self.stored[first_byte : last_byte + 1])

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, self.size_bytes, BLOCK_BYTES):
            end = min(start + BLOCK_BYTES, self.size_bytes)
            yield bytes(end - start) if self.stored is None else self.stored[start:end]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One version of an object, or a delete marker."""

    key: ObjectKey
    version_id: VersionId
    content: Content
    etag: str
    last_modified: float
    acl: AccessControl
    metadata: ObjectMetadata = field(default_factory=ObjectMetadata)
    tags: tuple[Tag, ...] = ()
    storage_class: str = "STANDARD"
    sse_algorithm: str = ""
    restore: str = ""
    is_delete_marker: bool = False

    @property
    def size_bytes(self) -> int:
        return self.content.size_bytes

    @property
    def is_archived(self) -> bool:
        return self.storage_class in ARCHIVED_CLASSES

    @property
    def is_readable(self) -> bool:
        return not self.is_archived or self.restore.startswith(RESTORED)

    def asked_back(self, *, days: int, now: float) -> StoredObject:
        """After a request to restore it: begun, or kept until the midnight (UTC) that follows ``days`` from ``now``
        (Amazon S3, RestoreObject)."""
        if not self.restore.startswith(RESTORED):
            return replace(self, restore=RESTORING)
        until = (int(now) // _DAY_SECONDS + days + 1) * _DAY_SECONDS
        return replace(self, restore=f'{RESTORED}, expiry-date="{formatdate(until, usegmt=True)}"')

    def meta(self, *, shows_version: bool) -> ObjectMeta:
        return ObjectMeta(
            etag=self.etag,
            size_bytes=self.size_bytes,
            last_modified=float(int(self.last_modified)),
            metadata=self.metadata,
            version_id=self.version_id if shows_version else None,
            storage_class="" if self.storage_class == "STANDARD" else self.storage_class,
            sse_algorithm=self.sse_algorithm,
            restore=self.restore,
            tag_count=len(self.tags) or None,
        )

    def listed(self, *, is_latest: bool = True, shows_version: bool = False) -> ListedObject:
        return ListedObject(
            key=self.key,
            size_bytes=self.size_bytes,
            etag=self.etag,
            last_modified=self.last_modified,
            storage_class="" if self.is_delete_marker else self.storage_class,
            version_id=self.version_id if shows_version else None,
            is_latest=is_latest,
            is_delete_marker=self.is_delete_marker,
        )


@dataclass(slots=True, kw_only=True)
class StoredUpload:
    """A multipart upload that is neither completed nor aborted."""

    target: ObjectRef
    upload_id: str
    initiated: float
    options: PutOptions
    parts: dict[int, Content] = field(default_factory=dict)


class MemoryBucket:
    """The versions of every key, newest last, and the keys in the order in which a store lists them."""

    def __init__(self, name: Bucket, *, versioning: Versioning, region: str) -> None:
        self.name = name
        self.versioning = versioning
        self.region = region
        self.lock: LockRule | None = None
        self._versions: dict[bytes, list[StoredObject]] = {}
        self._order: list[bytes] = []

    @property
    def shows_versions(self) -> bool:
        return self.versioning is not Versioning.NEVER

    def current(self, key: ObjectKey) -> StoredObject | None:
        versions = self._versions.get(key.encode())
        return versions[-1] if versions else None

    def version(self, key: ObjectKey, version_id: VersionId) -> StoredObject | None:
        versions = self._versions.get(key.encode(), ())
        return next((version for version in versions if version.version_id == version_id), None)

    def add(self, version: StoredObject) -> None:
        """A new version on top; a null version takes the place of an older null version."""
        name = version.key.encode()
        if name not in self._versions:
            bisect.insort(self._order, name)
            self._versions[name] = []
        if version.version_id == NULL_VERSION:
            self._versions[name] = [kept for kept in self._versions[name] if kept.version_id != NULL_VERSION]
        self._versions[name].append(version)

    def remove(self, key: ObjectKey, version_id: VersionId) -> None:
        name = key.encode()
        kept = [version for version in self._versions.get(name, ()) if version.version_id != version_id]
        if kept:
            self._versions[name] = kept
        elif self._versions.pop(name, None) is not None:
            del self._order[bisect.bisect_left(self._order, name)]

    def change(self, old: StoredObject, new: StoredObject) -> None:
        """Tags, access list or restore state of a version: it stays where it is."""
        versions = self._versions[old.key.encode()]
        versions[versions.index(old)] = new

    def keys_from(self, start: bytes, *, prefix: bytes) -> Iterator[bytes]:
        """Keys with the prefix that are at or after ``start``, in byte order."""
        position = bisect.bisect_left(self._order, max(start, prefix))
        while position < len(self._order) and self._order[position].startswith(prefix):
            yield self._order[position]
            position += 1

    def newest_first(self, name: bytes) -> list[StoredObject]:
        return self._versions[name][::-1]

    def current_objects(self) -> dict[ObjectKey, StoredObject]:
        newest = (versions[-1] for versions in (self._versions[name] for name in self._order))
        return {version.key: version for version in newest if not version.is_delete_marker}


class MemoryBody:
    """An object's body, read in blocks."""

    def __init__(self, content: Content, *, meta: ObjectMeta, content_range: tuple[int, int, int] | None) -> None:
        self.meta = meta
        self.content_range = content_range
        self._content = content

    async def _blocks(self) -> AsyncIterator[bytes]:
        for block in self._content.blocks():
            yield block

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._blocks()

    async def read_into(self, room: memoryview) -> int:
        return await fill_room(room, self)

    async def aclose(self) -> None:
        self._content = Content.of(b"")


def refusal(reason: StorageReason, status: int, *, target: str, code: str = "", message: str = "") -> StorageError:
    """A refusal in the words of S3."""
    text = message or f"the store has it that this is {code or reason}"
    return StorageError(reason, text, code=code, http_status=status, target=target)
