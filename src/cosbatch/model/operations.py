"""What a job does to each object: COS's four operations and their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cosbatch.model.identifiers import Bucket, RegionName


class OperationName(StrEnum):
    """The wire names."""

    COPY = "COSPutObjectCopy"
    RESTORE = "COSInitiateRestoreObject"
    DELETE = "COSDeleteObject"
    TAGGING = "COSPutObjectTagging"


class Directive(StrEnum):
    """What becomes of the source's metadata, tags or access list."""

    COPY = "Copy"
    REPLACED = "Replaced"
    ADD = "Add"
    """The source's and the new ones as one set; where both name the same thing, the new one counts."""


class CannedAcl(StrEnum):
    PRIVATE = "private"
    PUBLIC_READ = "public-read"


class Permission(StrEnum):
    READ = "READ"
    WRITE = "WRITE"
    """Has no meaning for an object: refused in Preparing."""
    FULL_CONTROL = "FULL_CONTROL"


class GranteeType(StrEnum):
    ID = "ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """``COSGrant``: ``identifier`` is a CAM principal in COS, a canonical user id elsewhere."""

    identifier: str
    permission: Permission
    type_identifier: GranteeType = GranteeType.ID
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewObjectMetadata:
    """``NewObjectMetadata``; an empty string means absent. ``user_metadata`` names have no ``x-*-meta-`` prefix."""

    cache_control: str = ""
    content_disposition: str = ""
    content_encoding: str = ""
    content_type: str = ""
    content_language: str = ""
    """Beyond COS's element list: S3 has it."""
    http_expires_date: str = ""
    sse_algorithm: str = ""
    """``AES256`` or empty. Applies whatever the metadata directive says."""
    user_metadata: tuple[tuple[str, str], ...] = ()

    def has_metadata(self) -> bool:
        """Whether anything beside encryption is set."""
        return self != NewObjectMetadata(sse_algorithm=self.sse_algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class PutObjectCopy:
    """``COSPutObjectCopy``. Defaults are the decisions of the protocol: metadata and tags are copied, the ACL is the
    destination bucket's own."""

    target_bucket: Bucket
    target_region: RegionName | None = None
    """None: the job's region."""
    access_control_directive: Directive | None = None
    """None: no ACL header is sent, the object inherits the destination bucket's permission."""
    access_control_grants: tuple[Grant, ...] = ()
    canned_access_control_list: CannedAcl | None = None
    prefix_replace: bool = False
    resources_prefix: str = ""
    target_key_prefix: str = ""
    modified_since_constraint: int | None = None
    """Unix seconds: copy only what was modified after it, else the task fails with 412."""
    unmodified_since_constraint: int | None = None
    metadata_directive: Directive = Directive.COPY
    new_object_metadata: NewObjectMetadata = NewObjectMetadata()
    tagging_directive: Directive = Directive.COPY
    new_object_tagging: tuple[Tag, ...] = ()
    storage_class: str = ""
    """Empty: no header is sent. S3 and COS then write STANDARD; SeaweedFS and Ceph may keep the source's class."""


class RestoreTier(StrEnum):
    BULK = "Bulk"
    STANDARD = "Standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRestoreObject:
    expiration_in_days: int
    """1 to 365."""
    job_tier: RestoreTier


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObject:
    """Has no parameters: rows with a version id remove that version, others remove the object."""


class TaggingChange(StrEnum):
    REPLACED = "Replaced"
    ADD = "Add"
    DELETE = "Delete"
    """An extension: removes the tags named, or all where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutObjectTagging:
    tagging_directive: TaggingChange
    tag_set: tuple[Tag, ...] = ()


OperationParameters = PutObjectCopy | InitiateRestoreObject | DeleteObject | PutObjectTagging
