"""A look at a manifest before a job is made of it: what it is, how its first rows read, and what is odd about it.

At most 256 KiB of a file with rows are fetched. What a person has to decide is shown (cells as they stand and decoded,
a proposed mapping of columns), never decided here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cosbatch.manifests.bodies import look, plain_etag, read_start, read_whole
from cosbatch.manifests.columns import Columns, columns_of_fields
from cosbatch.manifests.faults import FaultLog, shorten
from cosbatch.manifests.guess import guess_fields
from cosbatch.manifests.inventory_index import (
    INDEX_LIMIT_BYTES,
    InventoryFile,
    InventoryIndex,
    bucket_of_arn,
    parse_index,
)
from cosbatch.manifests.rows import SourceBucket
from cosbatch.manifests.sample import Oddity, Opening, Remark, Sample, SampleRow, VersionCounts, open_start, read_sample
from cosbatch.model.errors import Fault, JobFailure, ManifestFaulty
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat
from cosbatch.storage.patience import LOOK_SECONDS, answered_within
from cosbatch.storage.port import ObjectMeta, ObjectStore

LOOKED_AT_BYTES: Final = 256 * 1024
FILES_TRIED: Final = 10
"""Inventories have files without a row."""
_CHECKSUM_LIMIT_BYTES: Final = 1024
_JSON_BEGINS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
_NO_SAMPLE: Final = Sample(rows=(), rows_looked_at=0, versions=VersionCounts(), remarks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    etag: str
    """Of the object that the location names, without quotes: what a job pins."""
    size_bytes: int
    last_modified: float
    """Unix seconds."""
    version_id: VersionId | None
    format: ManifestFormat
    is_gzip: bool
    """Of the file with the rows."""
    columns: tuple[str, ...]
    """The fields given, else those guessed, or the inventory's schema; empty where unknown."""
    guessed_fields: tuple[ManifestField, ...]
    """A proposal for a CSV manifest; empty for an inventory, and where nothing can be told."""
    source_bucket: Bucket | None
    first_rows: tuple[SampleRow, ...]
    """Up to 10."""
    rows_looked_at: int
    versions: VersionCounts
    """Among the rows looked at."""
    warnings: tuple[Remark, ...]
    faults: tuple[Fault, ...]
    """In what was looked at: with any of them a job would fail."""
    more_faults: bool
    inventory: InventoryIndex | None
    checksum_ok: bool | None
    """Whether manifest.checksum, beside manifest.json, is its MD5; None where there is none."""


async def inspect_manifest(
    manifest: Manifest, store: ObjectStore, *, guess_format: bool = False, look_seconds: float = LOOK_SECONDS
) -> Inspection:
    """Looks at a manifest without reading all of it. Fields and ETag of ``manifest`` may be empty.

    ``guess_format``: the format in ``manifest`` is a placeholder, the content tells. ``look_seconds``: how long
    the first answer may take. Raises JobFailure
    (MANIFEST_NOT_FOUND, ACCESS_DENIED_ON_MANIFEST, REGION_MISMATCH, MANIFEST_ETAG_MISMATCH where it changes during the
    look) and StorageError; whatever is wrong inside the manifest is in ``faults``.
    """
    location = manifest.location
    ref = ObjectRef(location.bucket, location.key, location.version_id)
    async with answered_within(look_seconds, store="the store", target=f"HEAD {ref.bucket}/{ref.key}"):
        meta = await look(store, ref)
    start = await read_start(store, ref, meta=meta, limit=LOOKED_AT_BYTES)
    is_csv = manifest.spec.format is ManifestFormat.COS_CSV
    if guess_format:
        is_csv = _JSON_BEGINS.match(start) is None
    if is_csv:
        return _inspect_csv(manifest, start, meta=meta)
    return await _inspect_inventory(manifest, store, ref, meta=meta, guess_format=guess_format)


def _inspect_csv(manifest: Manifest, start: bytes, *, meta: ObjectMeta) -> Inspection:
    faults = FaultLog()
    opening = open_start(start, is_whole=len(start) == meta.size_bytes)
    guessed = guess_fields([record.cells for record in opening.records()])
    columns = _csv_columns(manifest, guessed, faults=faults)
    source = SourceBucket()
    sample = read_sample(opening, columns, source=source, file=manifest.location.key, faults=faults)
    if not sample.rows_looked_at and not faults:
        faults.add(manifest.location.key, "the manifest lists no object")
    return Inspection(
        etag=meta.etag,
        size_bytes=meta.size_bytes,
        last_modified=meta.last_modified,
        version_id=meta.version_id,
        format=ManifestFormat.COS_CSV,
        is_gzip=opening.is_gzip,
        columns=columns.names if columns else (),
        guessed_fields=guessed,
        source_bucket=source.name,
        first_rows=sample.rows,
        rows_looked_at=sample.rows_looked_at,
        versions=sample.versions,
        warnings=(*_etag_remarks(manifest, meta), *sample.remarks),
        faults=faults.faults,
        more_faults=faults.more,
        inventory=None,
        checksum_ok=None,
    )


def _csv_columns(manifest: Manifest, guessed: Sequence[ManifestField], *, faults: FaultLog) -> Columns | None:
    fields = manifest.spec.fields or tuple(guessed)
    if not fields:
        return None
    try:
        return columns_of_fields(fields, key_encoding=manifest.spec.key_encoding)
    except ValueError as error:
        faults.add("Manifest.Spec.Fields", str(error), value=", ".join(fields))
        return None


async def _inspect_inventory(
    manifest: Manifest, store: ObjectStore, ref: ObjectRef, *, meta: ObjectMeta, guess_format: bool
) -> Inspection:
    faults = FaultLog()
    index, digest = await _read_index(store, ref, meta=meta, faults=faults)
    checksum_ok = await _check_digest(store, ref, digest=digest) if digest else None
    opening, sample = Opening(), _NO_SAMPLE
    if index is not None:
        opening, sample = await _sample_inventory(store, ref, index, faults=faults)
    remarks = [*_etag_remarks(manifest, meta), *_index_remarks(index, ref), *sample.remarks]
    if checksum_ok is False:
        remarks.append(Remark(Oddity.CHECKSUM_DIFFERS, "manifest.checksum is not the MD5 of manifest.json"))
    return Inspection(
        etag=meta.etag,
        size_bytes=meta.size_bytes,
        last_modified=meta.last_modified,
        version_id=meta.version_id,
        format=_inventory_format(index) if guess_format else manifest.spec.format,
        is_gzip=opening.is_gzip,
        columns=index.columns.names if index else (),
        guessed_fields=(),
        source_bucket=index.source_bucket if index else None,
        first_rows=sample.rows,
        rows_looked_at=sample.rows_looked_at,
        versions=sample.versions,
        warnings=tuple(remarks),
        faults=faults.faults,
        more_faults=faults.more,
        inventory=index,
        checksum_ok=checksum_ok,
    )


async def _read_index(
    store: ObjectStore, ref: ObjectRef, *, meta: ObjectMeta, faults: FaultLog
) -> tuple[InventoryIndex | None, str]:
    """The index, None where it is faulty; and the MD5 of its bytes, empty where they were not read."""
    if meta.size_bytes > INDEX_LIMIT_BYTES:
        faults.add(ref.key, f"this is no manifest.json of an inventory: it is {meta.size_bytes} bytes long")
        return None, ""
    content, _ = await read_whole(store, ref, etag=meta.etag, limit=INDEX_LIMIT_BYTES)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    try:
        return parse_index(content, path=ref.key), digest
    except ManifestFaulty as error:
        for fault in error.faults:
            faults.add(fault.path, fault.problem, value=fault.value, way_out=fault.way_out)
        return None, digest


async def _sample_inventory(
    store: ObjectStore, ref: ObjectRef, index: InventoryIndex, *, faults: FaultLog
) -> tuple[Opening, Sample]:
    """The first rows of the first file that has any, among the first few."""
    opening, sample = Opening(), _NO_SAMPLE
    for file in index.files[:FILES_TRIED]:
        opening, sample = await _sample_file(store, ObjectRef(ref.bucket, file.key), file, index, faults=faults)
        if sample.rows_looked_at or faults:
            return opening, sample
    if len(index.files) <= FILES_TRIED:
        faults.add(f"{ref.key}:files", "the manifest lists no object")
    return opening, sample


async def _sample_file(
    store: ObjectStore, ref: ObjectRef, file: InventoryFile, index: InventoryIndex, *, faults: FaultLog
) -> tuple[Opening, Sample]:
    try:
        meta = await look(store, ref)
        start = await read_start(store, ref, meta=meta, limit=LOOKED_AT_BYTES)
    except JobFailure as failure:
        faults.add(file.key, failure.reason, code=failure.failure_code)
        return Opening(), _NO_SAMPLE
    if meta.size_bytes != file.size_bytes:
        problem = f"the file is {meta.size_bytes} bytes long, manifest.json promises {file.size_bytes}"
        faults.add(file.key, problem)
    opening = open_start(start, is_whole=len(start) == meta.size_bytes)
    source = SourceBucket(index.source_bucket)
    return opening, read_sample(opening, index.columns, source=source, file=file.key, faults=faults)


async def _check_digest(store: ObjectStore, ref: ObjectRef, *, digest: str) -> bool | None:
    """COS puts the MD5 of manifest.json, in hexadecimal, into manifest.checksum in the same folder; S3 does so too."""
    folder, slash, _ = ref.key.rpartition("/")
    beside = ObjectRef(ref.bucket, ObjectKey(f"{folder}{slash}manifest.checksum"))
    try:
        content, _ = await read_whole(store, beside, etag="", limit=_CHECKSUM_LIMIT_BYTES)
    except (JobFailure, ValueError):
        return None
    return content.strip().strip(b'"').lower() == digest.encode()


def _inventory_format(index: InventoryIndex | None) -> ManifestFormat:
    """Both are read alike; S3 is told by its ARN of the destination."""
    if index is not None and index.destination_bucket.startswith("arn:") and not index.source_appid:
        return ManifestFormat.S3_INVENTORY_CSV
    return ManifestFormat.COS_INVENTORY_CSV


def _etag_remarks(manifest: Manifest, meta: ObjectMeta) -> list[Remark]:
    asked = plain_etag(manifest.location.etag)
    if not asked or asked == meta.etag:
        return []
    return [Remark(Oddity.ETAG_DIFFERS, f"the ETag is {meta.etag}, not {asked}: a job that names that one would fail")]


def _index_remarks(index: InventoryIndex | None, ref: ObjectRef) -> list[Remark]:
    if index is None or not index.destination_bucket:
        return []
    named = bucket_of_arn(index.destination_bucket)
    if ref.bucket == named or ref.bucket.startswith(f"{named}-"):
        return []
    message = (
        f"manifest.json says that its files are in {shorten(named)}; they are looked for beside it, in {ref.bucket}"
    )
    return [Remark(Oddity.DESTINATION_ELSEWHERE, message)]
