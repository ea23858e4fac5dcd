"""Manifests in a store in memory, and a store whose bodies come in pieces and break where a test says."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import cast

from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.manifests.reader import ManifestHeader, read_manifest
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import Fault, ManifestFaulty, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, VersionId
from cosbatch.model.manifests import (
    KeyEncoding,
    Manifest,
    ManifestField,
    ManifestFormat,
    ManifestLocation,
    ManifestRow,
    ManifestSpec,
)
from cosbatch.storage.held_bodies import fill_room
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ObjectBody, ObjectMeta, ObjectStore

REPORTS = "reports-1250000000"
APPID = "1250000000"
CSV_KEY = "lists/list.csv"
INDEX_KEY = "inv/1250000000/logs/daily/20250801/manifest.json"
FILE_KEY = "inv/1250000000/logs/daily/0.csv.gz"
SCHEMA = "Appid, Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"
BUCKET_AND_KEY = (ManifestField.BUCKET, ManifestField.KEY)
WITH_VERSION = (*BUCKET_AND_KEY, ManifestField.VERSION_ID)


def a_store() -> MemoryStore:
    store = MemoryStore(clock=SystemClock())
    store.create_bucket(REPORTS)
    return store


def a_manifest(
    *,
    key: str = CSV_KEY,
    format_: ManifestFormat = ManifestFormat.COS_CSV,
    fields: Sequence[ManifestField] = BUCKET_AND_KEY,
    encoding: KeyEncoding = KeyEncoding.URL,
    etag: str = "",
    version: str | None = None,
) -> Manifest:
    version_id = VersionId(version) if version else None
    location = ManifestLocation(bucket=Bucket(REPORTS), key=ObjectKey(key), etag=etag, version_id=version_id)
    return Manifest(location=location, spec=ManifestSpec(format=format_, fields=tuple(fields), key_encoding=encoding))


AN_INVENTORY = a_manifest(key=INDEX_KEY, format_=ManifestFormat.COS_INVENTORY_CSV, fields=())


def csv_text(rows: Sequence[Sequence[str]], *, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode()


def store_with_csv(content: bytes) -> MemoryStore:
    store = a_store()
    store.put_now(REPORTS, CSV_KEY, content)
    return store


def an_index(files: dict[str, bytes], /, **changes: object) -> dict[str, object]:
    """A COS manifest.json, every value a string."""
    listed = [
        {"key": key, "size": str(len(content)), "md5Checksum": hashlib.md5(content).hexdigest()}
        for key, content in files.items()
    ]
    index: dict[str, object] = {
        "sourceAppid": APPID,
        "sourceBucket": "logs",
        "destinationAppid": APPID,
        "destinationBucket": "reports",
        "fileFormat": "CSV",
        "listObjectCount": "7",
        "filterObjectCount": "5",
        "fileSchema": SCHEMA,
        "files": listed,
    }
    return {name: value for name, value in {**index, **changes}.items() if value is not None}


def store_with_inventory(*texts: bytes, packed: bool = True, **changes: object) -> MemoryStore:
    """One file for each text; ``changes`` of manifest.json, None leaves a member out."""
    contents = [gzip.compress(text, mtime=0) if packed else text for text in texts]
    files = {FILE_KEY.replace("0.csv", f"{number}.csv"): content for number, content in enumerate(contents)}
    store = a_store()
    for key, content in files.items():
        store.put_now(REPORTS, key, content)
    store.put_now(REPORTS, INDEX_KEY, json.dumps(an_index(files, **changes)).encode())
    return store


def inventory_row(
    key: str,
    *,
    version: str = "",
    latest: str = "True",
    marker: str = "False",
    size: str = "10",
    bucket: str = "logs",
    appid: str = APPID,
    etag: str = "abc",
) -> list[str]:
    return [appid, bucket, key, version, latest, marker, size, "2025-08-01T03:00:00.000Z", etag, "STANDARD"]


def read_all(store: object, manifest: Manifest) -> tuple[ManifestHeader, list[ManifestRow]]:
    async def read() -> tuple[ManifestHeader, list[ManifestRow]]:
        reading = await read_manifest(manifest, cast("ObjectStore", store))
        return reading.header, [row async for batch in reading.batches() for row in batch]

    return asyncio.run(read())


def rows_of(store: object, manifest: Manifest) -> list[ManifestRow]:
    return read_all(store, manifest)[1]


def faults_of(store: object, manifest: Manifest) -> tuple[Fault, ...]:
    try:
        rows = rows_of(store, manifest)
    except ManifestFaulty as error:
        return error.faults
    raise AssertionError(f"read without a fault: {rows[:3]}")


def inspected(store: object, manifest: Manifest, *, guess_format: bool = False) -> Inspection:
    return asyncio.run(inspect_manifest(manifest, cast("ObjectStore", store), guess_format=guess_format))


class ChoppyStore:
    """Gives bodies in small blocks. At each of ``breaks`` (bytes of the object) the connection is lost once."""

    def __init__(self, inner: MemoryStore, *, block_bytes: int = 7, breaks: Sequence[int] = ()) -> None:
        self.inner = inner
        self.block_bytes = block_bytes
        self.breaks = list(breaks)
        self.gets: list[tuple[str, int, int | None]] = []
        self.bodies: list[_ChoppyBody] = []
        self.ends_early = False
        """Whether a lost connection looks like the end of the body."""

    async def head(self, ref: ObjectRef) -> ObjectMeta:
        return await self.inner.head(ref)

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        self.gets.append((ref.key, first_byte, last_byte))
        body = await self.inner.get(ref, first_byte=first_byte, last_byte=last_byte)
        chopped = _ChoppyBody(body, store=self, position=first_byte)
        self.bodies.append(chopped)
        return chopped


class _ChoppyBody:
    def __init__(self, inner: ObjectBody, *, store: ChoppyStore, position: int) -> None:
        self.meta = inner.meta
        self.content_range = inner.content_range
        self.is_closed = False
        self._inner = inner
        self._store = store
        self._position = position

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = b"".join([block async for block in self._inner])
        start = self._position
        while content:
            if self._store.breaks and self._position >= self._store.breaks[0]:
                self._store.breaks.pop(0)
                if self._store.ends_early:
                    return
                raise StorageError(StorageReason.BODY_DAMAGED, f"lost after {self._position - start} bytes")
            block, content = content[: self._store.block_bytes], content[self._store.block_bytes :]
            self._position += len(block)
            yield block

    async def read_into(self, room: memoryview) -> int:
        return await fill_room(room, self)

    async def aclose(self) -> None:
        self.is_closed = True
        await self._inner.aclose()


def with_etag(manifest: Manifest, etag: str) -> Manifest:
    return replace(manifest, location=replace(manifest.location, etag=etag))
