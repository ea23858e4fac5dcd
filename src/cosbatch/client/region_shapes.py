"""Regions, and what is in their stores: buckets, objects, manifests. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from cosbatch.client.shape_reader import Cursor, Time
from cosbatch.model.errors import Fault
from cosbatch.model.manifests import ManifestField, ManifestFormat
from cosbatch.model.regions import Addressing, Provider


class RegionFields(TypedDict, total=False):
    """What may be said of a region. What is left out stays as it is; None gives a field its default again."""

    provider: str | None
    endpoint: str | None
    addressing: str | None
    profile: str | None
    profile_overrides: Mapping[str, str] | None
    storage_classes: Sequence[str] | None
    signing_region: str | None
    requests_per_second: float | None
    bytes_per_second: float | None
    max_connections: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    endpoint: str
    addressing: Addressing
    signing_region: str
    profile_overrides: Mapping[str, str]
    ca_file: str | None
    requests_per_second: float | None
    bytes_per_second: float | None
    max_connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    name: str
    provider: Provider
    profile: str
    storage_classes: tuple[str, ...]
    """In place of the profile's; empty: the profile's."""
    has_credentials: bool
    """Whether jobs without a role can run there."""
    is_declared: bool
    """It stands in the settings, and is changed there."""
    created_at: Time | None
    changed_at: Time | None
    connection: Connection | None
    """For admins; None for everybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionTried:
    name: str
    is_reachable: bool
    latency_seconds: float | None
    credentials: str
    """What the store makes of the region's own: ``accepted``, ``refused``, ``unknown``, or ``none``: it has none."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketFound:
    name: str
    created_at: Time | None
    store_region: str
    """The store's own name of the bucket's region; empty where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFound:
    key: str
    size_bytes: int
    etag: str
    last_modified: Time
    storage_class: str
    """Empty where the store does not say, which means STANDARD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPage:
    items: tuple[ObjectFound, ...]
    folders: tuple[str, ...]
    """What keys that were left out have in common, up to the delimiter."""
    next_cursor: Cursor


# --- manifests


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    key: str
    version_id: str | None
    """None: the newest version when the task runs."""
    size_bytes: int | None
    is_delete_marker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    column: int
    """From 1."""
    problem: str
    way_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    line: int
    cells: tuple[str, ...]
    row: ManifestRow | None
    """None where it is faulty, or nobody knows which column is which."""
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionsSeen:
    named: int
    null: int
    empty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestWarning:
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InventorySeen:
    source_bucket: str | None
    files: int
    checksum_ok: bool | None
    """Whether manifest.checksum is its MD5; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLook:
    """What a look at the beginning of a manifest has found."""

    etag: str
    """What a job pins."""
    size_bytes: int
    last_modified: Time
    object_version_id: str | None
    format: ManifestFormat
    format_is_guessed: bool
    is_gzip: bool
    columns: tuple[str, ...]
    guessed_fields: tuple[ManifestField, ...]
    source_bucket: str | None
    first_rows: tuple[SampleRow, ...]
    rows_looked_at: int
    versions: VersionsSeen
    warnings: tuple[ManifestWarning, ...]
    faults: tuple[Fault, ...]
    """With any of them a job would fail."""
    more_faults: bool
    inventory: InventorySeen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedRow:
    row: int
    """Among the rows of all files, from 1."""
    key: str
    version_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestChecked:
    """What came of reading a manifest, as far as a service does that before a job is made."""

    is_usable: bool
    """No fault was found in what was read."""
    is_complete: bool
    """It was read to its end; else the numbers are of the rows read."""
    rows: int
    bytes_read: int
    size_bytes: int | None
    listed_objects: int | None
    """As an inventory says."""
    listed_bytes: int | None
    delete_markers: int
    repeats: int
    """Rows that name the object and version that a row before them names."""
    first_repeats: tuple[RepeatedRow, ...]
    faults: tuple[Fault, ...]
    more_faults: bool
