"""Inventory reports of COS and S3: manifest.json, its files, and what they promise of each other."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from cosbatch.model.errors import FailureCode, JobFailure, ManifestFaulty
from cosbatch.model.manifests import ManifestFormat
from tests.unit.manifests.manifest_builders import (
    AN_INVENTORY,
    APPID,
    FILE_KEY,
    INDEX_KEY,
    REPORTS,
    ChoppyStore,
    a_manifest,
    a_store,
    an_index,
    csv_text,
    faults_of,
    inventory_row,
    read_all,
    rows_of,
    store_with_inventory,
    with_etag,
)

S3_INVENTORY = a_manifest(key=INDEX_KEY, format_=ManifestFormat.S3_INVENTORY_CSV, fields=())
TWO_ROWS = csv_text([inventory_row("a%2Fb+c", version="v1"), inventory_row("d", latest="False")])


def test_every_column_that_a_row_has_is_read() -> None:
    header, rows = read_all(store_with_inventory(TWO_ROWS), AN_INVENTORY)
    first, second = rows
    assert (first.key, first.version_id, first.size_bytes) == ("a/b c", "v1", 10)
    assert (first.is_latest, first.is_delete_marker) == (True, False)
    assert (first.last_modified, first.etag) == ("2025-08-01T03:00:00.000Z", "abc")
    assert (second.version_id, second.is_latest) == (None, False)
    assert header.source_bucket == "logs-1250000000"
    assert header.format is ManifestFormat.COS_INVENTORY_CSV
    assert (header.listed_objects, header.row_files) == (5, 1)
    assert (header.has_versions, header.has_is_latest, header.has_sizes) == (True, True, True)
    assert header.columns[:3] == ("Appid", "Bucket", "Key")


def test_the_etag_of_the_header_is_that_of_manifest_json() -> None:
    store = store_with_inventory(TWO_ROWS)
    etag = store.current_objects(REPORTS)[AN_INVENTORY.location.key].etag
    header, _ = read_all(store, with_etag(AN_INVENTORY, etag))
    assert header.etag == etag
    with pytest.raises(JobFailure) as caught:
        rows_of(store, with_etag(AN_INVENTORY, "0" * 32))
    assert caught.value.failure_code is FailureCode.MANIFEST_ETAG_MISMATCH


def test_an_object_called_key_in_a_bucket_called_bucket_is_no_header() -> None:
    row = inventory_row("key", bucket="bucket")
    store = store_with_inventory(csv_text([row]), sourceBucket="bucket")
    assert [row.key for row in rows_of(store, AN_INVENTORY)] == ["key"]
    (fault,) = faults_of(store_with_inventory(csv_text([["Appid", "Bucket", "Key", *row[3:]]])), AN_INVENTORY)
    assert fault.problem == "this is a header row"


def test_files_follow_each_other_and_empty_ones_are_allowed() -> None:
    texts = [csv_text([inventory_row(f"k{number}")]) for number in range(3)]
    header, rows = read_all(store_with_inventory(texts[0], b"", texts[1], texts[2]), AN_INVENTORY)
    assert [row.key for row in rows] == ["k0", "k1", "k2"]
    assert header.row_files == 4


def test_files_may_be_plain_and_quoted() -> None:
    text = csv_text([inventory_row("a,b"), inventory_row("c")], quoting=csv.QUOTE_ALL)
    assert [row.key for row in rows_of(store_with_inventory(text, packed=False), AN_INVENTORY)] == ["a,b", "c"]


def test_an_etag_in_quotes_loses_them() -> None:
    (row,) = rows_of(store_with_inventory(csv_text([inventory_row("k", etag='"abc-2"')])), AN_INVENTORY)
    assert row.etag == "abc-2"


def test_delete_markers_have_no_size() -> None:
    text = csv_text([inventory_row("k", version="v2", marker="True", size="", etag=""), inventory_row("k")])
    marker, other = rows_of(store_with_inventory(text), AN_INVENTORY)
    assert (marker.is_delete_marker, marker.size_bytes, marker.etag) == (True, None, "")
    assert (other.is_delete_marker, other.size_bytes) == (False, 10)


@pytest.mark.parametrize(
    "schema",
    [
        "Appid,Bucket,Key,VersionId,IsLatest,DeleteMarker,Size,LastModifiedDate,ETag,StorageClass",
        "Appid ,  Bucket,Key , versionid, islatest, isdeletemarker, size, LastModifiedDate, etag, Crc64",
        "Appid, Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, x-cos-meta-owner",
    ],
)
def test_spellings_of_the_schema(schema: str) -> None:
    rows = rows_of(store_with_inventory(TWO_ROWS, fileSchema=schema), AN_INVENTORY)
    assert [(row.key, row.size_bytes, row.is_latest) for row in rows] == [("a/b c", 10, True), ("d", 10, False)]


def test_a_report_of_current_versions_only() -> None:
    text = csv_text([[APPID, "logs", "k", "2025"]])
    header, (row,) = read_all(
        store_with_inventory(text, fileSchema="Appid, Bucket, Key, LastModifiedDate"), AN_INVENTORY
    )
    assert (row.version_id, row.size_bytes, row.is_latest, row.is_delete_marker) == (None, None, None, False)
    assert (header.has_versions, header.has_is_latest, header.has_sizes) == (False, False, False)


@pytest.mark.parametrize("bucket", ["logs", "logs-1250000000"])
@pytest.mark.parametrize("listed", ["logs", "logs-1250000000"])
def test_the_short_and_the_full_name_of_the_bucket_are_one(bucket: str, listed: str) -> None:
    store = store_with_inventory(csv_text([inventory_row("k", bucket=bucket)]), sourceBucket=listed)
    header, _ = read_all(store, AN_INVENTORY)
    assert header.source_bucket == "logs-1250000000"


@pytest.mark.parametrize(("bucket", "appid"), [("other", APPID), ("logs", "1259999999"), ("", APPID)])
def test_a_row_of_another_bucket_is_a_fault(bucket: str, appid: str) -> None:
    text = csv_text([inventory_row("k"), inventory_row("k", bucket=bucket, appid=appid)])
    (fault,) = faults_of(store_with_inventory(text), AN_INVENTORY)
    assert fault.path == f"{FILE_KEY}:2:2"


def test_a_bucket_without_appid_is_named_as_it_stands() -> None:
    text = csv_text([["source", "k"]])
    store = store_with_inventory(text, sourceAppid=None, sourceBucket="source", fileSchema="Bucket, Key")
    assert read_all(store, AN_INVENTORY)[0].source_bucket == "source"


def test_an_inventory_of_s3() -> None:
    text = csv_text(
        [["source", "a%2Fb", "null", "true", "false", "7", "SSE-S3"], ["source", "c", "", "true", "true", "", ""]],
        quoting=csv.QUOTE_ALL,
    )
    store = a_store()
    packed = gzip.compress(text)
    store.put_now(REPORTS, "d/1.csv.gz", packed)
    listed = an_index({"d/1.csv.gz": packed})["files"]
    assert isinstance(listed, list)
    file = {"key": "d/1.csv.gz", "size": len(packed), "MD5checksum": listed[0]["md5Checksum"].upper()}
    index = {
        "sourceBucket": "source",
        "destinationBucket": f"arn:aws:s3:::{REPORTS}",
        "version": "2016-11-30",
        "creationTimestamp": "1514944800000",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, EncryptionStatus",
        "files": [file],
    }
    store.put_now(REPORTS, INDEX_KEY, json.dumps(index).encode())
    header, rows = read_all(store, S3_INVENTORY)
    assert header.format is ManifestFormat.S3_INVENTORY_CSV
    assert header.listed_objects is None
    assert [(row.key, row.version_id, row.is_delete_marker, row.size_bytes) for row in rows] == [
        ("a/b", "null", False, 7),
        ("c", None, True, None),
    ]


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        (inventory_row("%zz"), 3, "cannot be decoded"),
        (inventory_row(""), 3, "the key is empty"),
        (inventory_row("k", latest="yes"), 5, "IsLatest is neither true nor false"),
        (inventory_row("k", marker="1"), 6, "IsDeleteMarker is neither true nor false"),
        (inventory_row("k", size="1e3"), 7, "the size is no number of bytes"),
        (inventory_row("k", size="-1"), 7, "the size is no number of bytes"),
        (inventory_row("k", size="１２"), 7, "the size is no number of bytes"),
        (inventory_row("k", size="9" * 19), 7, "the size is no number of bytes"),
        (inventory_row("k")[:-1], 10, "9 columns instead of 10"),
        ([*inventory_row("k"), "x"], 11, "11 columns instead of 10"),
    ],
)
def test_a_faulty_row_is_located(row: list[str], column: int, problem: str) -> None:
    (fault,) = faults_of(store_with_inventory(csv_text([inventory_row("ok"), row])), AN_INVENTORY)
    assert fault.path == f"{FILE_KEY}:2:{column}"
    assert problem in fault.problem


def test_a_row_with_several_faults_has_each_of_them_located() -> None:
    row = inventory_row("%", bucket="other", latest="maybe", size="big")
    faults = faults_of(store_with_inventory(csv_text([inventory_row("ok"), row])), AN_INVENTORY)
    assert [fault.path for fault in faults] == [f"{FILE_KEY}:2:{column}" for column in (2, 3, 7, 5)]


def test_a_header_row_in_a_file_is_a_fault_that_says_so() -> None:
    header = [name.strip() for name in an_index({})["fileSchema"].split(",")]  # type: ignore[attr-defined]
    (fault,) = faults_of(store_with_inventory(csv_text([header, inventory_row("k")])), AN_INVENTORY)
    assert "header row" in fault.problem


def test_a_fault_in_the_second_file_names_it() -> None:
    store = store_with_inventory(csv_text([inventory_row("k")]), csv_text([inventory_row("")]))
    (fault,) = faults_of(store, AN_INVENTORY)
    assert fault.path == FILE_KEY.replace("0.csv", "1.csv") + ":1:3"


# --- manifest.json


@pytest.mark.parametrize(
    ("changes", "member", "problem"),
    [
        ({"fileFormat": "ORC"}, "fileFormat", "not supported yet"),
        ({"fileFormat": "Parquet"}, "fileFormat", "not supported yet"),
        ({"fileFormat": "XLS"}, "fileFormat", "must be CSV"),
        ({"sourceBucket": None}, "sourceBucket", "missing"),
        ({"fileSchema": None}, "fileSchema", "missing"),
        ({"fileSchema": "Appid, Bucket, Size"}, "fileSchema", "the column Key is missing"),
        ({"fileSchema": "Bucket, Key, Key"}, "fileSchema", "the column Key is named twice"),
        ({"files": None}, "files", "missing"),
        ({"files": "none"}, "files", "missing"),
        ({"files": [{"size": "1", "md5Checksum": "0" * 32}]}, "files[0].key", "missing"),
        ({"files": [{"key": "k", "size": "many", "md5Checksum": "0" * 32}]}, "files[0].size", "no number"),
        ({"files": [{"key": "k", "size": True, "md5Checksum": "0" * 32}]}, "files[0].size", "no number"),
        ({"files": [{"key": "k", "size": 1, "md5Checksum": "0" * 31}]}, "files[0].MD5checksum", "no MD5"),
        ({"files": [{"key": "k", "size": 1, "MD5checksum": "0" * 32}] * 2}, "files[1].key", "listed twice"),
    ],
)
def test_a_fault_of_manifest_json_names_its_member(changes: dict[str, object], member: str, problem: str) -> None:
    (fault,) = faults_of(store_with_inventory(TWO_ROWS, packed=True, **changes), AN_INVENTORY)
    assert fault.path == f"{INDEX_KEY}:{member}"
    assert problem in fault.problem


def test_all_faults_of_manifest_json_are_gathered() -> None:
    store = store_with_inventory(TWO_ROWS, sourceBucket=None, fileFormat="ORC", files=[3])
    paths = {fault.path.removeprefix(f"{INDEX_KEY}:") for fault in faults_of(store, AN_INVENTORY)}
    assert paths == {"sourceBucket", "fileFormat", "files[0].key", "files[0].size", "files[0].MD5checksum"}


@pytest.mark.parametrize(
    "content",
    [b"b1,key\n", b"[]", b"", b"\xff\xfe{}", b'{"files": ', b"[" * 100_000, b'{"size":' + b"9" * 5000 + b"}", b"null"],
)
def test_what_is_no_manifest_json_is_a_fault(content: bytes) -> None:
    store = a_store()
    store.put_now(REPORTS, INDEX_KEY, content)
    (fault,) = faults_of(store, AN_INVENTORY)
    assert fault.path.startswith(INDEX_KEY)


def test_a_report_that_lists_no_file_is_empty() -> None:
    for store in (store_with_inventory(), store_with_inventory(b"", b"")):
        with pytest.raises(JobFailure) as caught:
            rows_of(store, AN_INVENTORY)
        assert caught.value.failure_code is FailureCode.MANIFEST_EMPTY


# --- promises about files


def test_a_missing_file_is_a_fault_with_its_own_code() -> None:
    store = store_with_inventory(TWO_ROWS, TWO_ROWS)
    store.put_now(REPORTS, "unrelated", b"")
    files = an_index({"gone.csv.gz": b"x" * 10, FILE_KEY: gzip.compress(TWO_ROWS, mtime=0)})
    store.put_now(REPORTS, INDEX_KEY, json.dumps(files).encode())
    with pytest.raises(ManifestFaulty) as caught:
        rows_of(store, AN_INVENTORY)
    assert caught.value.failure_code is FailureCode.MANIFEST_NOT_FOUND
    assert [fault.path for fault in caught.value.faults] == ["gone.csv.gz"]


def test_a_file_of_another_size_is_not_read() -> None:
    inner = store_with_inventory(TWO_ROWS)
    inner.put_now(REPORTS, FILE_KEY, b"replaced")
    store = ChoppyStore(inner)
    (fault,) = faults_of(store, AN_INVENTORY)
    assert (fault.path, "8 bytes long" in fault.problem) == (FILE_KEY, True)
    assert store.bodies[-1].is_closed


def test_a_file_of_another_content_is_a_fault_although_its_rows_are_good() -> None:
    rows = [inventory_row(f"k{number}") for number in range(30)]
    store = store_with_inventory(csv_text(rows), packed=False)
    rows[7][2] = "K7"
    store.put_now(REPORTS, FILE_KEY, csv_text(rows))
    (fault,) = faults_of(store, AN_INVENTORY)
    assert fault.path == FILE_KEY
    assert "MD5" in fault.problem


def test_a_truncated_file_whose_size_is_promised_is_a_fault() -> None:
    packed = gzip.compress(TWO_ROWS)[:-4]
    store = a_store()
    store.put_now(REPORTS, FILE_KEY, packed)
    store.put_now(REPORTS, INDEX_KEY, json.dumps(an_index({FILE_KEY: packed})).encode())
    (fault,) = faults_of(store, AN_INVENTORY)
    assert fault.problem == "the gzip stream is cut off"


def test_files_are_looked_for_beside_manifest_json_wherever_it_says_they_are() -> None:
    store = store_with_inventory(TWO_ROWS, destinationBucket="arn:aws:s3:::elsewhere")
    assert len(rows_of(store, AN_INVENTORY)) == 2
