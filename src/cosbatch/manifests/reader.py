"""Reads a manifest from its store, from beginning to end, as rows in manifest order; memory does not grow with it.

An inventory's files are looked for in the bucket of its manifest.json, whatever ``destinationBucket`` says: reports get
moved, and a role is given rights on the bucket that the job names.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from cosbatch.manifests.bodies import ManifestStore, PinnedBody, open_pinned, plain_etag, read_whole
from cosbatch.manifests.columns import Columns, columns_of_fields
from cosbatch.manifests.faults import FaultLog, StreamBroken
from cosbatch.manifests.inventory_index import INDEX_LIMIT_BYTES, InventoryFile, InventoryIndex, parse_index
from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.records import RecordCutter, Segment
from cosbatch.manifests.rows import RowReader, SourceBucket
from cosbatch.manifests.unpack import Unpacker
from cosbatch.model.errors import FailureCode, Fault, JobFailure, ManifestFaulty
from cosbatch.model.identifiers import Bucket, ObjectRef
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation

BATCH_ROWS: Final = 5000
LINES_PAST_FIRST_FAULT: Final = 250_000
"""How far is read for further faults: a list of a billion rows is refused in seconds, not in an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestHeader:
    """What is known of a manifest once its first rows were read."""

    source_bucket: Bucket
    """The bucket that every row names."""
    format: ManifestFormat
    etag: str
    """Of the object that the location names, without quotes."""
    size_bytes: int
    """Of the rows as they are stored: the CSV, or all files of the inventory."""
    listed_objects: int | None
    """As the inventory says; None where nothing says it."""
    columns: tuple[str, ...]
    row_files: int
    has_versions: bool
    """There is a column of version ids; single cells may still be empty."""
    has_is_latest: bool
    has_sizes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file with rows, and what manifest.json promises of it."""

    ref: ObjectRef
    opened: PinnedBody | None = None
    """Of a CSV manifest: its one body, since its ETag had to be looked at before."""
    promise: InventoryFile | None = None
    """Of an inventory's file."""


class ManifestReading:
    """A manifest that is being read. Iterate :meth:`batches` once, or close it with :meth:`aclose`."""

    def __init__(self, header: ManifestHeader, first: RowBatch, rows: _RowStream) -> None:
        self.header = header
        self._first = first
        self._rows = rows

    @property
    def bytes_read(self) -> int:
        """Of ``header.size_bytes``."""
        return self._rows.bytes_read

    async def batches(self) -> AsyncGenerator[RowBatch, None]:
        """Up to 5,000 rows at a time; the number of a task is the number of its row in all of them.

        Raises ManifestFaulty where anything is wrong, also after rows were given: those are worth nothing then.
        JobFailure where the manifest vanished or changed meanwhile, StorageError for what may pass by itself.
        """
        async with aclosing(self):
            yield self._first
            self._first = RowBatch.of_rows([])
            async for batch in self._rows.batches:
                yield batch

    async def aclose(self) -> None:
        """Lets go of the store's connection. May be called twice."""
        await self._rows.batches.aclose()


async def read_manifest(manifest: Manifest, store: ManifestStore) -> ManifestReading:
    """Begins to read, up to the first rows; ``store`` is that of the job's region, or
    :class:`cosbatch.manifests.kept.KeptStore`.

    The object's ETag must be the location's, where that names one. Raises ManifestFaulty with up to 100 located faults
    (``more``: there are others, or the rest was not looked at), JobFailure with MANIFEST_NOT_FOUND,
    ACCESS_DENIED_ON_MANIFEST, MANIFEST_ETAG_MISMATCH, MANIFEST_EMPTY or REGION_MISMATCH, and StorageError for what may
    pass by itself.
    """
    if manifest.spec.format is ManifestFormat.COS_CSV:
        return await _open_csv(manifest, store)
    return await _open_inventory(manifest, store)


async def _open_csv(manifest: Manifest, store: ManifestStore) -> ManifestReading:
    columns = csv_columns(manifest)
    ref = manifest_ref(manifest.location)
    body = await open_pinned(store, ref, etag=plain_etag(manifest.location.etag))
    rows = _RowStream(store, [_File(ref=ref, opened=body)], columns=columns, source=SourceBucket())
    meta = body.meta
    return await _start(rows, manifest=manifest, etag=meta.etag, size_bytes=meta.size_bytes, listed_objects=None)


async def _open_inventory(manifest: Manifest, store: ManifestStore) -> ManifestReading:
    index, etag = await read_index(manifest.location, store)
    bucket = manifest.location.bucket
    files = [_File(ref=ObjectRef(bucket, file.key), promise=file) for file in index.files]
    rows = _RowStream(store, files, columns=index.columns, source=SourceBucket(index.source_bucket))
    size_bytes = sum(file.size_bytes for file in index.files)
    return await _start(rows, manifest=manifest, etag=etag, size_bytes=size_bytes, listed_objects=index.listed_objects)


async def _start(
    rows: _RowStream, *, manifest: Manifest, etag: str, size_bytes: int, listed_objects: int | None
) -> ManifestReading:
    first = await anext(rows.batches, None)
    if first is None or rows.source.name is None:
        raise JobFailure(FailureCode.MANIFEST_EMPTY, "the manifest lists no object")
    columns = rows.columns
    header = ManifestHeader(
        source_bucket=rows.source.name,
        format=manifest.spec.format,
        etag=etag,
        size_bytes=size_bytes,
        listed_objects=listed_objects,
        columns=columns.names,
        row_files=len(rows.files),
        has_versions=columns.version_id is not None,
        has_is_latest=columns.is_latest is not None,
        has_sizes=columns.size is not None,
    )
    return ManifestReading(header, first, rows)


def csv_columns(manifest: Manifest) -> Columns:
    """Raises ManifestFaulty where the fields do not make a manifest."""
    spec = manifest.spec
    try:
        return columns_of_fields(spec.fields, key_encoding=spec.key_encoding)
    except ValueError as error:
        fault = Fault(
            path="Manifest.Spec.Fields",
            value=", ".join(spec.fields),
            problem=str(error),
            way_out="name each column: Bucket, Key, VersionId or Ignore",
        )
        raise ManifestFaulty([fault]) from error


def manifest_ref(location: ManifestLocation) -> ObjectRef:
    return ObjectRef(location.bucket, location.key, location.version_id)


async def read_index(location: ManifestLocation, store: ManifestStore) -> tuple[InventoryIndex, str]:
    """The manifest.json of an inventory, and its ETag. Raises like :func:`read_manifest`."""
    try:
        content, meta = await read_whole(
            store, manifest_ref(location), etag=plain_etag(location.etag), limit=INDEX_LIMIT_BYTES
        )
    except ValueError as error:
        problem = f"this is no manifest.json of an inventory: {error}"
        raise ManifestFaulty([Fault(path=location.key, value="", problem=problem)]) from error
    return parse_index(content, path=location.key), meta.etag


class _RowStream:
    """The rows of all files, one after the other; the faults of all files together."""

    def __init__(self, store: ManifestStore, files: Sequence[_File], *, columns: Columns, source: SourceBucket) -> None:
        self.columns = columns
        self.files = files
        self.source = source
        self.bytes_read = 0
        self.batches = self._batches()
        self._store = store
        self._faults = FaultLog()
        self._lines_past_fault = 0

    async def _batches(self) -> AsyncGenerator[RowBatch, None]:
        for file in self.files:
            async with aclosing(self._read_file(file)) as batches:
                async for batch in batches:
                    for part in batch.parts(BATCH_ROWS):
                        yield part
            if self._faults.more:
                break
        if self._faults:
            raise self._faults.error()

    async def _read_file(self, file: _File) -> AsyncGenerator[RowBatch, None]:
        """Batches of rows until something is wrong in this file or an earlier one."""
        reader = RowReader(self.columns, file=file.ref.key, source=self.source, faults=self._faults)
        async with aclosing(self._segments(file)) as segments:
            async for segment in segments:
                batch = reader.read_batch(segment)
                if not self._faults:
                    yield batch
                    continue
                self._lines_past_fault += segment.content.count(b"\n")
                self._faults.more = self._faults.more or self._lines_past_fault > LINES_PAST_FIRST_FAULT
                if self._faults.more:
                    return

    async def _segments(self, file: _File) -> AsyncGenerator[Segment, None]:
        body = await self._open(file)
        if body is None:
            return
        digest = hashlib.md5(usedforsecurity=False)
        unpacker, cutter = Unpacker(), RecordCutter()
        try:
            async with aclosing(body.blocks()) as blocks:
                async for block in blocks:
                    self.bytes_read += len(block)
                    if file.promise is not None:  # nobody promises the MD5 of a CSV
                        digest.update(block)
                    for piece in unpacker.feed(block):
                        for segment in cutter.feed(piece):
                            yield segment
            self._check_md5(file, digest.hexdigest())
            for piece in unpacker.finish():
                for segment in cutter.feed(piece):
                    yield segment
            for segment in cutter.finish():
                yield segment
        except StreamBroken as broken:
            path = f"{file.ref.key}:{broken.line or cutter.reached_line()}:1"
            self._faults.add(path, broken.problem, way_out=broken.way_out)
        finally:
            await body.aclose()

    async def _open(self, file: _File) -> PinnedBody | None:
        """None where the file cannot be used; the fault log says why."""
        promise = file.promise
        if promise is None:
            return file.opened
        try:
            body = await open_pinned(self._store, file.ref, etag="")
        except JobFailure as failure:
            self._faults.add(file.ref.key, failure.reason, code=failure.failure_code)
            return None
        if body.meta.size_bytes == promise.size_bytes:
            return body
        await body.aclose()
        problem = f"the file is {body.meta.size_bytes} bytes long, manifest.json promises {promise.size_bytes}"
        self._faults.add(file.ref.key, problem, way_out=_NOT_THE_FILE)
        return None

    def _check_md5(self, file: _File, found: str) -> None:
        promise = file.promise
        if promise is not None and found != promise.md5:
            problem = f"the MD5 of the file is not {promise.md5}, as manifest.json promises"
            self._faults.add(file.ref.key, problem, value=found, way_out=_NOT_THE_FILE)


_NOT_THE_FILE: Final = "the file was changed or damaged after the inventory wrote it: take a fresh report"
