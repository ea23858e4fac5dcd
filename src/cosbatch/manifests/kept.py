"""Manifests in the service's own work area: an inventory, whose files all lie in one folder that belongs to one job.

They are read by the reader of all inventories, and checked by it: the location pins the MD5 of manifest.json, which has
those of the files. manifest.json is written last; what an interrupted writer leaves is a folder of a job that does not
exist, which the engine's remover knows how to find.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from cosbatch.manifests.inventory_index import parse_index
from cosbatch.model.errors import SpoolDamaged, SpoolMissing, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, ObjectRef, VersionId
from cosbatch.model.jobs import WORK_AREA
from cosbatch.model.manifests import FailedRows, Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.storage.held_bodies import fill_room
from cosbatch.storage.port import ObjectBody, ObjectMeta, ObjectMetadata
from cosbatch.storage.spool import Spool

BYTES_PER_FILE: Final = 8 * 2**20
"""Before compression: what a writer holds."""
BLOCK_BYTES: Final = 64 * 1024
_INDEX: Final = "manifest.json"
_UNREAD: Final = "Unnamed"
"""Of a column that says nothing in any row: a manifest without versions must not look like one with them."""


class KeptWriter:
    """Writes one manifest for the job ``job_id``. Memory does not grow with it."""

    def __init__(self, spool: Spool, *, job_id: JobId, source_bucket: Bucket) -> None:
        self._spool = spool
        self._folder = kept_folder(job_id)
        self._bucket = source_bucket
        self._lines: list[str] = []
        self._waiting_bytes = 0
        self._files: list[dict[str, object]] = []
        self._has_versions = self._has_latest = self._has_sizes = False
        self.rows = 0

    async def add(
        self, key: ObjectKey, *, version_id: VersionId | None, size_bytes: int | None, is_latest: bool | None
    ) -> None:
        self._has_versions = self._has_versions or version_id is not None
        self._has_latest = self._has_latest or is_latest is not None
        self._has_sizes = self._has_sizes or size_bytes is not None
        latest = "" if is_latest is None else str(is_latest).lower()
        size = "" if size_bytes is None else size_bytes
        line = f'"{self._bucket}","{quote(key, safe="/~")}","{_quoted(version_id or "")}","{latest}","{size}"\n'
        self._lines.append(line)
        self._waiting_bytes += len(line)
        self.rows += 1
        if self._waiting_bytes >= BYTES_PER_FILE:
            await self._write_file()

    async def finish(self, rows: FailedRows) -> Manifest:
        """What a job's request names. ``rows`` says which ones they are."""
        if self._lines:
            await self._write_file()
        schema = (
            "Bucket",
            "Key",
            "VersionId" if self._has_versions else f"{_UNREAD}Version",
            "IsLatest" if self._has_latest else f"{_UNREAD}Latest",
            "Size" if self._has_sizes else f"{_UNREAD}Size",
        )
        index = {
            "sourceBucket": self._bucket,
            "fileFormat": "CSV",
            "fileSchema": ", ".join(schema),
            "listObjectCount": self.rows,
            "files": self._files,
        }
        content = json.dumps(index, indent=1).encode()
        name = f"{self._folder}{_INDEX}"
        await self._spool.put(name, content)
        return _manifest(name, etag=_md5_of(content), rows=rows)

    async def _write_file(self) -> None:
        content = gzip.compress("".join(self._lines).encode(), compresslevel=1, mtime=0)
        name = f"{len(self._files):05d}.csv.gz"
        await self._spool.put(f"{self._folder}{name}", content)
        self._files.append({"key": name, "size": len(content), "MD5checksum": _md5_of(content)})
        self._lines, self._waiting_bytes = [], 0


def unwritten(rows: FailedRows) -> Manifest:
    """Of a job that is only thought of: as a :class:`KeptWriter` names it, without the folder that nobody has."""
    return _manifest(_INDEX, etag="", rows=rows)


def _manifest(name: str, *, etag: str, rows: FailedRows) -> Manifest:
    location = ManifestLocation(bucket=Bucket(WORK_AREA), key=ObjectKey(name), etag=etag, retry_of=rows)
    return Manifest(location=location, spec=ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV))


class KeptStore:
    """The work area as the store that a manifest is read from."""

    def __init__(self, spool: Spool, location: ManifestLocation) -> None:
        self._spool = spool
        self._folder = _folder_of(location)

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        """NO_SUCH_KEY where it is not there (any more); SpoolError where the work area does not answer."""
        name = f"{self._folder}{ref.key.rpartition('/')[2]}"
        try:
            content = await self._spool.get(name)
        except SpoolMissing as error:
            target = f"GET {ref.bucket}/{ref.key}"
            raise StorageError(StorageReason.NO_SUCH_KEY, str(error), target=target) from error
        meta = ObjectMeta(etag=_md5_of(content), size_bytes=len(content), last_modified=0.0, metadata=ObjectMetadata())
        end = len(content) if last_byte is None else last_byte + 1
        return _KeptBody(content[first_byte:end], meta=meta)


class _KeptBody:
    content_range: tuple[int, int, int] | None = None

    def __init__(self, content: bytes, *, meta: ObjectMeta) -> None:
        self.meta = meta
        self._content = content

    async def _blocks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), BLOCK_BYTES):
            yield self._content[start : start + BLOCK_BYTES]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._blocks()

    async def read_into(self, room: memoryview) -> int:
        return await fill_room(room, self)

    async def aclose(self) -> None:
        self._content = b""


def kept_folder(job_id: JobId) -> str:
    """Below the job's own folder of the work area, with which it is removed."""
    return f"jobs/{job_id}/manifest/"


async def copy_kept(spool: Spool, manifest: Manifest, *, job_id: JobId) -> Manifest:
    """The same manifest for another job, so that each may be removed by itself. SpoolMissing where it is gone,
    SpoolDamaged where it is not what it was."""
    location = manifest.location
    was, now = _folder_of(location), kept_folder(job_id)
    content = await spool.get(f"{was}{_INDEX}")
    if _md5_of(content) != location.etag:
        raise SpoolDamaged(f"{was}{_INDEX} is not what was put there")
    for file in parse_index(content, path=location.key).files:
        await spool.put(f"{now}{file.key}", await spool.get(f"{was}{file.key}"))
    await spool.put(f"{now}{_INDEX}", content)
    return replace(manifest, location=replace(location, key=ObjectKey(f"{now}{_INDEX}")))


async def drop_kept(spool: Spool, job_id: JobId) -> None:
    """Of a job that was not made after all."""
    for name in await spool.list(kept_folder(job_id)):
        await spool.delete(name)


def _folder_of(location: ManifestLocation) -> str:
    return f"{location.key.rpartition('/')[0]}/"


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _md5_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
