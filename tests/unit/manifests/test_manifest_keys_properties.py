"""Any key there can be, through every format and back, and on through chunk files and a report that is a manifest."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.engine.chunk_files import decode_chunk, encode_chunk, records_of
from cosbatch.model.identifiers import Bucket, VersionId
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestFormat, ManifestRow
from cosbatch.model.tasks import Result, TaskStatus
from cosbatch.reports.rows import REPORT_SCHEMA, encode_rows
from cosbatch.storage.memory import MemoryStore
from tests.keys import KEYS, LETTERS
from tests.unit.manifests.manifest_builders import (
    APPID,
    INDEX_KEY,
    a_manifest,
    rows_of,
    store_with_csv,
    store_with_inventory,
)

IDS: Final = st.text("abcXYZ019._-/+=", min_size=1, max_size=64)
VERSIONS: Final = st.none() | (st.sampled_from(["null", "v" * 1024]) | IDS).map(VersionId)


@st.composite
def rows(draw: st.DrawFn) -> list[ManifestRow]:
    """Often several versions of one key."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=6))
    return [
        ManifestRow(
            key=key,
            version_id=draw(VERSIONS),
            size_bytes=draw(st.none() | st.integers(0, 10**18 - 1)),
            is_latest=draw(st.sampled_from([None, True, False])),
            is_delete_marker=draw(st.booleans()),
            last_modified=draw(st.sampled_from(["", "2025-08-01T03:00:00.000Z"])),
            etag=draw(st.sampled_from(["", "9f2c", "9f2c-3"])),
        )
        for key in keys
        for _ in range(draw(st.integers(1, 3)))
    ]


@st.composite
def csv_bytes(draw: st.DrawFn, table: Sequence[Sequence[str]]) -> bytes:
    """As any writer of CSV may put it: more quotes than needed, either line end, blank lines, a byte-order mark."""
    always = draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [",".join([_cell(cell, always=always) for cell in row]) for row in table]
    text = end.join(lines) + draw(st.sampled_from(["", end, end * 3]))
    if lines[0].startswith("\ufeff") or draw(st.booleans()):
        text = "\ufeff" + text
    return text.encode()


def _cell(cell: str, *, always: bool) -> str:
    if always or any(letter in cell for letter in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


SPELLINGS: Final = {
    KeyEncoding.URL: (quote, quote_plus, lambda key: "".join(f"%{byte:02x}" for byte in key.encode())),
    KeyEncoding.RAW: (str,),
}


@given(draws=st.data(), written=rows(), encoding=st.sampled_from(KeyEncoding))
def test_any_key_through_a_csv_and_back(
    draws: st.DataObject, written: list[ManifestRow], encoding: KeyEncoding
) -> None:
    fields = draws.draw(
        st.permutations([ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID, ManifestField.IGNORE])
        | st.permutations([ManifestField.BUCKET, ManifestField.KEY])
        | st.permutations([ManifestField.BUCKET, ManifestField.KEY, *[ManifestField.IGNORE] * 3])
    )
    spell = draws.draw(st.sampled_from(SPELLINGS[encoding]))
    ignored = draws.draw(st.text(LETTERS, max_size=9))
    table = [
        [
            {"Bucket": "b1", "Key": spell(row.key), "VersionId": row.version_id or "", "Ignore": ignored}[field]
            for field in fields
        ]
        for row in written
    ]
    content = draws.draw(csv_bytes(table))
    manifest = a_manifest(fields=fields, encoding=encoding)
    has_versions = ManifestField.VERSION_ID in fields
    expected = [(row.key, row.version_id if has_versions else None) for row in written]
    for form in (content, gzip.compress(content)):
        found = rows_of(store_with_csv(form), manifest)
        assert [(row.key, row.version_id) for row in found] == expected
        assert {row[2:] for row in found} == {(None, None, False, "", "")}


COS_COLUMNS: Final = (
    *("Appid", "Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag"),
    *("StorageClass", "IsMultipartUploaded", "ReplicationStatus", "Tag", "Crc64", "x-cos-meta-a"),
)
S3_COLUMNS: Final = (
    *("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag", "StorageClass"),
    *("IsMultipartUploaded", "ReplicationStatus", "EncryptionStatus", "ObjectLockMode", "ChecksumAlgorithm"),
)


@st.composite
def _columns(draw: st.DrawFn, names: Sequence[str]) -> list[str]:
    """Some of them, in any order; bucket and key always."""
    others = draw(st.lists(st.sampled_from([name for name in names if name not in ("Bucket", "Key")]), unique=True))
    return draw(st.permutations(["Bucket", "Key", *others]))


@st.composite
def _inventory_cell(draw: st.DrawFn, name: str, row: ManifestRow, *, bucket: str, key: str) -> str:
    cells = {
        "Appid": APPID,
        "Bucket": bucket,
        "Key": key,
        "VersionId": row.version_id or "",
        "Size": "" if row.size_bytes is None else str(row.size_bytes),
        "IsLatest": _flag(draw, row.is_latest),
        "IsDeleteMarker": _flag(draw, row.is_delete_marker),
        "LastModifiedDate": row.last_modified,
        "ETag": draw(st.sampled_from([row.etag, f'"{row.etag}"'])),
    }
    return cells.get(name, "anything, \n at all")


def _flag(draw: st.DrawFn, said: bool | None) -> str:
    return "" if said is None else draw(st.sampled_from([str(said), str(said).lower(), str(said).upper()]))


@st.composite
def _inventory(
    draw: st.DrawFn, written: list[ManifestRow], *, columns: list[str], bucket: str, changes: dict[str, object]
) -> MemoryStore:
    """In one file, or in several."""
    spell = draw(st.sampled_from(SPELLINGS[KeyEncoding.URL]))
    table = [
        [draw(_inventory_cell(name, row, bucket=bucket, key=spell(row.key))) for name in columns] for row in written
    ]
    size = draw(st.integers(1, len(table)))
    texts = [draw(csv_bytes(table[start : start + size])) for start in range(0, len(table), size)]
    schema = draw(st.sampled_from([", ", ","])).join(columns)
    return store_with_inventory(*texts, packed=draw(st.booleans()), fileSchema=schema, **changes)


def _as_listed(row: ManifestRow, columns: list[str]) -> ManifestRow:
    """Without what no column says."""
    return ManifestRow(
        key=row.key,
        version_id=row.version_id if "VersionId" in columns else None,
        size_bytes=row.size_bytes if "Size" in columns else None,
        is_latest=row.is_latest if "IsLatest" in columns else None,
        is_delete_marker="IsDeleteMarker" in columns and row.is_delete_marker,
        last_modified=row.last_modified if "LastModifiedDate" in columns else "",
        etag=row.etag if "ETag" in columns else "",
    )


@settings(max_examples=settings().max_examples // 2)
@given(draws=st.data(), written=rows())
def test_any_row_through_an_inventory_of_cos_and_back(draws: st.DataObject, written: list[ManifestRow]) -> None:
    columns = draws.draw(_columns(COS_COLUMNS))
    source = draws.draw(st.sampled_from(["logs", "bucket"]))
    bucket = draws.draw(st.sampled_from([source, f"{source}-{APPID}"])) if "Appid" in columns else f"{source}-{APPID}"
    store = draws.draw(_inventory(written, columns=columns, bucket=bucket, changes={"sourceBucket": source}))
    manifest = a_manifest(key=INDEX_KEY, format_=ManifestFormat.COS_INVENTORY_CSV, fields=())
    assert rows_of(store, manifest) == [_as_listed(row, columns) for row in written]


@settings(max_examples=settings().max_examples // 2)
@given(draws=st.data(), written=rows())
def test_any_row_through_an_inventory_of_s3_and_back(draws: st.DataObject, written: list[ManifestRow]) -> None:
    columns = draws.draw(_columns(S3_COLUMNS))
    bucket = draws.draw(st.sampled_from(["logs", "bucket"]))
    changes: dict[str, object] = {
        "sourceBucket": bucket,
        "sourceAppid": None,
        "destinationAppid": None,
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": "1754017200000",
    }
    store = draws.draw(_inventory(written, columns=columns, bucket=bucket, changes=changes))
    manifest = a_manifest(key=INDEX_KEY, format_=ManifestFormat.S3_INVENTORY_CSV, fields=())
    assert rows_of(store, manifest) == [_as_listed(row, columns) for row in written]


REPORT_FIELDS: Final = (
    *(ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID),
    *[ManifestField.IGNORE] * (len(REPORT_SCHEMA.split(", ")) - 3),
)
RESULTS: Final = st.builds(
    lambda code, status, message: Result(0, TaskStatus.FAILED, code, status, message),
    st.sampled_from(["NoSuchKey", 'odd,"code"', "=1+1"]),
    st.sampled_from([0, 404, 503]),
    st.text(max_size=20) | st.sampled_from(["=cmd()", "+1", "a\r\nb", '"', "x" * 2000]),
)


@given(written=rows(), result=RESULTS, first=st.integers(0, 10**9))
def test_any_row_through_a_chunk_and_a_report_that_is_a_manifest_again(
    written: list[ManifestRow], result: Result, first: int
) -> None:
    chunk = encode_chunk(records_of([row[:3] for row in written]))
    tasks = decode_chunk(chunk, first_task=first, task_count=len(written))
    assert [(task.number - first, *task[1:4]) for task in tasks] == [(at, *row[:3]) for at, row in enumerate(written)]
    report = encode_rows([(task, result) for task in tasks], bucket=Bucket("b1"), status=TaskStatus.FAILED)
    again = rows_of(store_with_csv(report), a_manifest(fields=REPORT_FIELDS))
    assert [row[:2] for row in again] == [row[:2] for row in written]
