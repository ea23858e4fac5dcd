"""Manifests in the work area: written, read by the reader of all inventories, copied, and noticed when damaged."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.manifests import kept
from cosbatch.manifests.kept import KeptStore, KeptWriter, copy_kept, drop_kept, kept_folder
from cosbatch.manifests.reader import ManifestReading, read_manifest
from cosbatch.model.errors import (
    FailureCode,
    JobFailure,
    ManifestFaulty,
    SpoolDamaged,
    SpoolMissing,
)
from cosbatch.model.identifiers import Bucket, ObjectKey, VersionId
from cosbatch.model.manifests import FailedRows, Manifest, ManifestRow
from cosbatch.storage.memory_spool import MemorySpool
from tests.contract.ledgers import job_id, now

BUCKET = Bucket("logs-1250000000")
ROWS = FailedRows(job_id=job_id(1), error_code="AccessDenied")
Row = tuple[str, str | None, int | None, bool | None]


async def written(spool: MemorySpool, rows: list[Row], *, number: int = 2) -> Manifest:
    writer = KeptWriter(spool, job_id=job_id(number), source_bucket=BUCKET)
    for key, version, size, latest in rows:
        await writer.add(
            ObjectKey(key), version_id=VersionId(version) if version else None, size_bytes=size, is_latest=latest
        )
    return await writer.finish(ROWS)


async def opened(spool: MemorySpool, manifest: Manifest) -> ManifestReading:
    return await read_manifest(manifest, KeptStore(spool, manifest.location))


async def read(spool: MemorySpool, manifest: Manifest) -> list[ManifestRow]:
    return [row async for batch in (await opened(spool, manifest)).batches() for row in batch]


keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(lambda key: len(key.encode()) < 100)
versions = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8)
rows = st.tuples(keys, versions, st.none() | st.integers(0, 10**15), st.none() | st.booleans())


@settings(deadline=None)
@given(asked=st.lists(rows, min_size=1, max_size=30))
def test_what_is_written_is_read(asked: list[Row]) -> None:
    async def scenario() -> None:
        spool = MemorySpool()
        manifest = await written(spool, asked)
        found = [(row.key, row.version_id, row.size_bytes, row.is_latest) for row in await read(spool, manifest)]
        assert found == asked

    now(scenario())


async def test_a_manifest_says_only_what_its_rows_say() -> None:
    spool = MemorySpool()
    plain = (await opened(spool, await written(spool, [("a", None, None, None)]))).header
    assert (plain.has_versions, plain.has_is_latest, plain.has_sizes, plain.listed_objects) == (False, False, False, 1)
    full = (await opened(spool, await written(spool, [("a", "v", 1, True)], number=3))).header
    assert (full.has_versions, full.has_is_latest, full.has_sizes, full.source_bucket) == (True, True, True, BUCKET)


async def test_many_rows_are_in_many_files() -> None:
    asked: list[Row] = [(f"{number:05d}" + "é" * 200, None, number, None) for number in range(9000)]
    spool = MemorySpool()
    manifest = await written(spool, asked)
    assert [row.key for row in await read(spool, manifest)] == [key for key, *_ in asked]
    files = await spool.list(kept_folder(job_id(2)))
    assert [name.rpartition("/")[2] for name in files] == ["00000.csv.gz", "00001.csv.gz", "manifest.json"]
    first = gzip.decompress(await spool.get(files[0]))
    assert kept.BYTES_PER_FILE <= len(first) < kept.BYTES_PER_FILE + 4096


async def test_each_job_has_its_own_copy() -> None:
    spool = MemorySpool()
    manifest = await written(spool, [("a", "v", 1, None), ("b", None, None, None)])
    copy = await copy_kept(spool, manifest, job_id=job_id(3))
    assert copy.location.etag == manifest.location.etag
    expected = await read(spool, manifest)
    await drop_kept(spool, job_id(2))
    assert await read(spool, copy) == expected
    with pytest.raises(SpoolMissing):
        await copy_kept(spool, manifest, job_id=job_id(4))
    with pytest.raises(JobFailure) as failure:
        await opened(spool, manifest)
    assert failure.value.failure_code is FailureCode.MANIFEST_NOT_FOUND


async def damaged(spool: MemorySpool, name: str, content: bytes) -> None:
    await spool.delete(name)
    await spool.put(name, content)


async def test_damage_is_noticed() -> None:
    spool = MemorySpool()
    manifest = await written(spool, [("a", None, None, None)])
    rows_file = f"{kept_folder(job_id(2))}00000.csv.gz"
    await damaged(spool, rows_file, gzip.compress(b'"logs-1250000000","b","","",""\n', mtime=0))
    with pytest.raises(ManifestFaulty):
        await read(spool, manifest)
    index = f"{kept_folder(job_id(2))}manifest.json"
    await damaged(spool, index, (await spool.get(index)).replace(b"CSV", b"csv"))
    with pytest.raises(JobFailure, match="has changed"):
        await opened(spool, manifest)
    with pytest.raises(SpoolDamaged):
        await copy_kept(spool, manifest, job_id=job_id(3))
