"""Which objects a job is about: where its manifest lies, how it is written, and what a row says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, VersionId


class ManifestFormat(StrEnum):
    COS_CSV = "COSBatchOperations_CSV_V1"
    COS_INVENTORY_CSV = "COSInventoryReport_CSV_V1"
    S3_INVENTORY_CSV = "S3InventoryReport_CSV_20161130"
    """S3's own name for a CSV inventory as a manifest (S3 Control, JobManifestFormat)."""


class ManifestField(StrEnum):
    """What a column of a CSV manifest holds."""

    IGNORE = "Ignore"
    BUCKET = "Bucket"
    KEY = "Key"
    VERSION_ID = "VersionId"


class KeyEncoding(StrEnum):
    URL = "url"
    """Percent-encoded, ``+`` is a space: the default of every CSV manifest."""
    RAW = "raw"
    """As it stands: only on request, never guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRows:
    """Which rows a manifest lists that the service has made itself."""

    job_id: JobId
    """Whose tasks they were; it may be gone by now."""
    error_code: str = ""
    """How they failed; empty: anyhow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLocation:
    """An object in the store of the job's region, or, with ``retry_of``, a manifest in the service's own work area."""

    bucket: Bucket
    """``(work area)`` with ``retry_of``."""
    key: ObjectKey
    """A name in the work area with ``retry_of``."""
    etag: str = ""
    """Without quotes. Empty only in a job file: it is pinned when the job is made."""
    version_id: VersionId | None = None
    retry_of: FailedRows | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSpec:
    format: ManifestFormat
    fields: tuple[ManifestField, ...] = ()
    """Required for COSBatchOperations_CSV_V1, one for each column; empty for inventory reports."""
    key_encoding: KeyEncoding = KeyEncoding.URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    location: ManifestLocation
    spec: ManifestSpec


class ManifestRow(NamedTuple):
    """One row, decoded. A named tuple, since there are billions."""

    key: ObjectKey
    version_id: VersionId | None
    """None: the newest version when the task runs."""
    size_bytes: int | None
    """None where the manifest does not say."""
    is_latest: bool | None
    is_delete_marker: bool
    last_modified: str
    """As written (ISO 8601 in both clouds); empty where the manifest does not say."""
    etag: str
    """As the manifest lists it, without quotes; empty where it does not say."""
