"""What cosbatch asks of an object store. One adapter speaks to all of them, one keeps objects in memory.

Every method sends exactly one request (listings: one a page) and raises :class:`StorageError` on a refusal. A method
that writes raises :class:`Unanswered` when a byte of it may have reached the store and no whole answer came back; one
that only reads is sent again by the adapter's client. Keys are given decoded and reach the wire exactly.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import CannedAcl, Grant, RestoreTier, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.profiles import CapabilityProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMetadata:
    """What travels with an object's bytes. An empty string means that the header is absent."""

    cache_control: str = ""
    content_disposition: str = ""
    content_encoding: str = ""
    content_language: str = ""
    content_type: str = ""
    expires: str = ""
    user: Mapping[str, str] | None = None
    """User metadata; names in lower case, without the provider's prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMeta:
    """The answer to HEAD, and what comes with GET."""

    etag: str
    """Without quotes."""
    size_bytes: int
    last_modified: float
    """Unix seconds (whole ones: HTTP dates have no fraction)."""
    metadata: ObjectMetadata
    version_id: VersionId | None = None
    storage_class: str = ""
    """Empty where the store sends none, which means STANDARD."""
    sse_algorithm: str = ""
    restore: str = ""
    """The restore header as sent."""
    tag_count: int | None = None
    """None where the store does not say."""
    replication_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOptions:
    """How to copy. The default is a plain copy: metadata and tags go along, the ACL is the bucket's default.

    Options are made once for a job, not for each object: adapters may keep what they derive from one by identity.
    """

    metadata: ObjectMetadata | None = None
    """None: the source's is copied. Else it replaces the source's."""
    tags: tuple[Tag, ...] | None = None
    """None: the source's are copied. Else they replace the source's; empty means no tags."""
    storage_class: str = ""
    canned_acl: CannedAcl | None = None
    grants: tuple[Grant, ...] = ()
    sse_algorithm: str = ""
    if_modified_since: int | None = None
    if_unmodified_since: int | None = None
    if_source_etag: str = ""
    source_region: RegionName | None = None
    """Where the source is, if it is another region of the same cloud; COS wants to know. None: the target's."""


class CopyOutcome(NamedTuple):
    etag: str
    """Without quotes."""
    version_id: VersionId | None
    """Of the new object, on a versioned bucket."""


class PutOutcome(NamedTuple):
    etag: str
    version_id: VersionId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    metadata: ObjectMetadata = ObjectMetadata()
    tags: tuple[Tag, ...] = ()
    storage_class: str = ""
    canned_acl: CannedAcl | None = None
    grants: tuple[Grant, ...] = ()
    sse_algorithm: str = ""


class RestoreOutcome(StrEnum):
    BEGUN = "begun"
    """202: the object can be read when the store is done, hours later."""
    EXTENDED = "extended"
    """200: it could be read already, and now for as many days from today."""


class ObjectBody(Protocol):
    """A body that is read in blocks; the store is not read faster than the reader takes. Close it if you stop early."""

    meta: ObjectMeta
    content_range: tuple[int, int, int] | None
    """first byte, last byte, whole size; None for a whole object."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def read_into(self, room: memoryview) -> int:
        """The whole body into ``room``, instead of its blocks; returns its length. BODY_DAMAGED where it is longer."""
        ...

    async def aclose(self) -> None: ...


class SizedBody(Protocol):
    """A body to send, that can be begun again."""

    @property
    def size_bytes(self) -> int: ...

    def blocks(self) -> AsyncIterator[bytes | memoryview]:
        """The whole body from its start; called once for each attempt."""
        ...


class CompletedPart(NamedTuple):
    number: int
    etag: str


class UploadedPart(NamedTuple):
    number: int
    etag: str
    size_bytes: int


class UploadEntry(NamedTuple):
    key: ObjectKey
    upload_id: str
    initiated: float


class ListedObject(NamedTuple):
    key: ObjectKey
    size_bytes: int
    etag: str
    last_modified: float
    storage_class: str
    version_id: VersionId | None = None
    is_latest: bool = True
    is_delete_marker: bool = False


class BucketEntry(NamedTuple):
    name: Bucket
    created_at: float | None
    """Unix seconds; None where the store does not say."""
    region: str
    """The store's own name of it; empty where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    objects: tuple[ListedObject, ...]
    next_token: str
    """Opaque; empty on the last page."""
    folders: tuple[str, ...] = ()
    """What keys that were left out have in common up to the delimiter, itself included. They count for the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPage:
    uploads: tuple[UploadEntry, ...]
    next_token: str


class AclGrant(NamedTuple):
    """One grant as a store lists it: exactly one of ``id`` and ``uri`` is set."""

    id: str
    uri: str
    permission: str
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessControl:
    owner_id: str
    owner_display_name: str
    grants: tuple[AclGrant, ...]


class LockRule(NamedTuple):
    """What object lock does to new versions of a bucket that has it."""

    mode: str
    """``GOVERNANCE`` or ``COMPLIANCE``; empty where new versions are not held by themselves."""
    days: int
    years: int

    @property
    def keeps(self) -> str:
        """``30 days``."""
        return f"{self.years} years" if self.years else f"{self.days} days"


class ObjectStore(Protocol):
    """One region's store."""

    profile: CapabilityProfile

    # --- objects

    async def head(self, ref: ObjectRef) -> ObjectMeta: ...

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        """``last_byte`` is inclusive; both are left alone for the whole object."""
        ...

    async def put(self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = PutOptions()) -> PutOutcome:
        """A hash goes along with ``bytes`` and with a HeldBody, by which the store notices damage."""
        ...

    async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
        """A copy inside the store. An ``<Error>`` in a 200 answer is raised like any other."""
        ...

    async def delete(self, ref: ObjectRef) -> VersionId | None:
        """The version id of the delete marker made, or of the version removed, where the store says it."""
        ...

    async def restore(self, ref: ObjectRef, *, days: int, tier: RestoreTier) -> RestoreOutcome:
        """Asks for a readable copy of an archived object, kept for ``days``; no answer waits for it.

        RESTORE_IN_PROGRESS while an earlier request is being worked on (409 RestoreAlreadyInProgress),
        INVALID_OBJECT_STATE where the object is not archived (403 InvalidObjectState; COS: 405).
        """
        ...

    # --- multipart uploads

    async def create_upload(self, target: ObjectRef, *, options: PutOptions) -> str: ...

    async def upload_part(
        self, target: ObjectRef, *, upload_id: str, number: int, body: bytes | SizedBody
    ) -> CompletedPart: ...

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
    ) -> CompletedPart: ...

    async def complete_upload(
        self, target: ObjectRef, *, upload_id: str, parts: Sequence[CompletedPart]
    ) -> CopyOutcome: ...

    async def abort_upload(self, target: ObjectRef, *, upload_id: str) -> None: ...

    async def list_parts(self, target: ObjectRef, *, upload_id: str) -> list[UploadedPart]:
        """All of them: this one sends a request for each 1,000."""
        ...

    async def list_uploads(self, bucket: Bucket, *, prefix: str = "", token: str = "") -> UploadPage: ...

    # --- access lists and tags

    async def get_acl(self, ref: ObjectRef) -> AccessControl: ...

    async def put_acl(self, ref: ObjectRef, acl: AccessControl) -> None: ...

    async def get_tags(self, ref: ObjectRef) -> tuple[Tag, ...]: ...

    async def put_tags(self, ref: ObjectRef, tags: Sequence[Tag]) -> None: ...

    async def delete_tags(self, ref: ObjectRef) -> None: ...

    # --- buckets

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
        """``delimiter``: keys that have it after the prefix come as ``folders``."""
        ...

    async def list_versions(self, bucket: Bucket, *, prefix: str = "", token: str = "", limit: int = 1000) -> ListPage:
        """Versions and delete markers, newest first within a key."""
        ...

    async def bucket_region(self, bucket: Bucket) -> str:
        """The store's own name of the region that the bucket lives in; empty where the store does not say.

        HEAD on the bucket; :class:`StorageError` NO_SUCH_BUCKET or ACCESS_DENIED where it says no.
        """
        ...

    async def versioning(self, bucket: Bucket) -> Versioning: ...

    async def object_lock(self, bucket: Bucket) -> LockRule | None:
        """None where the bucket has none. StorageError NOT_IMPLEMENTED, or some other, of a store without it."""
        ...

    async def close(self) -> None:
        """Closes every connection; requests under way end as unanswered."""
        ...


class BrowsedStore(ObjectStore, Protocol):
    """A region's store as a person looks around in it: refusals come at once, and nothing is paced."""

    async def list_buckets(self) -> tuple[BucketEntry, ...]:
        """Those of whoever signs, as far as the store tells: some list the buckets of all their regions."""
        ...
