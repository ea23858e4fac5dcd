"""CSV manifests: what is a row, what is a fault, and where."""

from __future__ import annotations

import csv
import gzip

import pytest

from cosbatch.model.errors import FailureCode, Fault, JobFailure, ManifestFaulty
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestFormat, ManifestRow
from cosbatch.model.regions import Versioning
from tests.unit.manifests.manifest_builders import (
    BUCKET_AND_KEY,
    CSV_KEY,
    REPORTS,
    WITH_VERSION,
    ChoppyStore,
    a_manifest,
    a_store,
    csv_text,
    faults_of,
    read_all,
    rows_of,
    store_with_csv,
    with_etag,
)

PLAIN = a_manifest()
RAW = a_manifest(encoding=KeyEncoding.RAW)


def keys(content: bytes, *, raw: bool = False) -> list[str]:
    return [row.key for row in rows_of(store_with_csv(content), RAW if raw else PLAIN)]


def the_fault(content: bytes, *, raw: bool = False, fields: tuple[ManifestField, ...] = BUCKET_AND_KEY) -> Fault:
    manifest = a_manifest(fields=fields, encoding=KeyEncoding.RAW if raw else KeyEncoding.URL)
    (fault,) = faults_of(store_with_csv(content), manifest)
    return fault


def test_rows_come_in_order_with_nothing_but_key_and_version() -> None:
    header, rows = read_all(store_with_csv(b"b1,x,v1\nb1,y,\n"), a_manifest(fields=WITH_VERSION))
    assert rows == [
        ManifestRow("x", "v1", None, None, False, "", ""),  # type: ignore[arg-type]
        ManifestRow("y", None, None, None, False, "", ""),  # type: ignore[arg-type]
    ]
    assert header.source_bucket == "b1"
    assert header.format is ManifestFormat.COS_CSV
    assert header.columns == ("Bucket", "Key", "VersionId")
    assert (header.has_versions, header.has_is_latest, header.has_sizes) == (True, False, False)
    assert (header.row_files, header.listed_objects) == (1, None)


def test_rows_have_the_type_that_the_model_says() -> None:
    (row,) = rows_of(store_with_csv(b"b1,x\n"), PLAIN)
    assert type(row) is ManifestRow
    assert row._replace(key=row.key).key == "x"


def test_fields_decide_which_column_is_which() -> None:
    fields = (ManifestField.IGNORE, ManifestField.VERSION_ID, ManifestField.KEY, ManifestField.BUCKET)
    (row,) = rows_of(store_with_csv(b"junk%zz,null,k%2Bk,b1\n"), a_manifest(fields=fields))
    assert (row.key, row.version_id) == ("k+k", "null")


def test_url_encoded_keys_are_decoded_and_plus_is_a_space() -> None:
    assert keys(b"b1,a+b%2Bc%20d%2Fe%e4%B8%AD%25\nb1,plain\n") == ["a b+c d/e中%", "plain"]


def test_an_escaped_escape_is_decoded_once() -> None:
    assert keys(b"b1,%252F%2520%252B\n") == ["%2F%20%2B"]


def test_raw_keys_stay_as_they_stand() -> None:
    assert keys(b"b1,a+b%2Bc%zz\n", raw=True) == ["a+b%2Bc%zz"]


def test_keys_are_never_normalised_nor_trimmed() -> None:
    odd = ["a//b", "../x", "/lead", " both ", "a/./b"]
    assert keys("".join(f"b1,{key}\n" for key in odd).encode(), raw=True) == odd


def test_blanks_around_bucket_and_version_are_no_part_of_them() -> None:
    header, (row,) = read_all(store_with_csv(b" b1 , k, v1 \n"), a_manifest(fields=WITH_VERSION))
    assert (header.source_bucket, row.key, row.version_id) == ("b1", " k", "v1")


@pytest.mark.parametrize(
    "content",
    [
        b"b1,x\r\nb1,y\r\n",
        b"\xef\xbb\xbfb1,x\nb1,y\n",
        b"\n\nb1,x\n\n\r\nb1,y",
        b'"b1","x"\n"b1","y"\n',
        b'\xef\xbb\xbf"b1","x"\r\nb1,"y"\r\n',
        gzip.compress(b"b1,x\nb1,y\n"),
        gzip.compress(b"b1,x\nb1") + gzip.compress(b",y\n"),
        gzip.compress(b"b1,x\nb1,y\n") + b"\0" * 512,
    ],
    ids=["crlf", "bom", "blank lines, no last end", "quoted", "quotes mixed", "gzip", "two members", "padded gzip"],
)
def test_every_form_of_the_same_rows(content: bytes) -> None:
    assert keys(content) == ["x", "y"]


def test_quotes_commas_and_newlines_in_quoted_cells() -> None:
    assert keys(b'b1,"a,b"\nb1,"say ""hi"""\nb1,"two\nlines"\nb1,end\n', raw=True) == [
        "a,b",
        'say "hi"',
        "two\nlines",
        "end",
    ]


def test_separators_that_only_python_knows_are_text() -> None:
    odd = ["a\x0bb", "a\x1cb", "a\u2028b", "a\x85b", "nul\0"]
    assert keys("".join(f"b1,{key}\n" for key in odd).encode(), raw=True) == odd


@pytest.mark.parametrize("version", ["v" * 1024, "é" * 512, "v" * 257, "é" * 200])
def test_a_version_id_has_up_to_1024_bytes_of_utf8(version: str) -> None:
    content = csv_text([["b1", "x", version], ["b1", "y", ""]])
    versions = [row.version_id for row in rows_of(store_with_csv(content), a_manifest(fields=WITH_VERSION))]
    assert versions == [version, None]
    content = csv_text([["b1", "x", "v"], ["b1", "y", version + "v" * (1025 - len(version.encode()))]])
    (fault,) = faults_of(store_with_csv(content), a_manifest(fields=WITH_VERSION))
    assert fault.path == f"{CSV_KEY}:2:3"
    assert "the version id is 1025 bytes long" in fault.problem


def test_the_key_limit_is_1024_bytes_of_utf8() -> None:
    assert keys(b"b1," + b"k" * 1024 + b"\n") == ["k" * 1024]
    assert keys(b"b1," + "中".encode() * 341 + b"\n") == ["中" * 341]
    fault = the_fault(b"b1,ok\nb1," + "中".encode() * 342 + b"\n")
    assert fault.path == f"{CSV_KEY}:2:2"
    assert "1026 bytes" in fault.problem
    assert len(fault.value) <= 200


def test_mixed_empty_and_null_versions() -> None:
    rows = rows_of(store_with_csv(b"b1,k,\nb1,k,null\nb1,k,v7\n"), a_manifest(fields=WITH_VERSION))
    assert [row.version_id for row in rows] == [None, "null", "v7"]


def test_duplicate_rows_are_rows() -> None:
    assert keys(b"b1,k\nb1,k\n") == ["k", "k"]


@pytest.mark.parametrize(
    ("content", "line", "column", "value", "problem"),
    [
        (b"b1,x\nb1,y,z\n", 2, 3, "b1,y,z", "3 columns instead of 2 (Bucket, Key)"),
        (b"b1,x\n\nb1\n", 3, 2, "b1", "1 columns instead of 2"),
        (b"b1,x\nb1,\n", 2, 2, "", "the key is empty"),
        (b"b1,x\n,y\n", 2, 1, "", "the bucket is empty"),
        (b"b1,x\nb2,y\n", 2, 1, "b2", "another bucket than b1"),
        (b"b1,x\nb1,%zz\n", 2, 2, "%zz", "'%zz' is no percent sequence"),
        (b"b1,x\nb1,100%\n", 2, 2, "100%", "'%' is no percent sequence"),
        (b"b1,x\nb1,%e4%b8\n", 2, 2, "%e4%b8", "its bytes are no UTF-8"),
        (b"b1,x\nb1,%ed%a0%80\n", 2, 2, "%ed%a0%80", "its bytes are no UTF-8"),
        (b"b1,x\nb1,\xff\xfe\n", 2, 2, "\\xff\\xfe", "the text is not UTF-8"),
        (b"Bucket,Key\nb1,y\n", 1, 1, "Bucket,Key", "this is a header row"),
        (b"\n bucket_name, object key\nb1,y\n", 2, 1, " bucket_name, object key", "this is a header row"),
        (b'b1,x\nb1,a"b"\n', 2, 2, "a", "a quote stands inside a cell that is not quoted"),
        (b'b1,x\nb1,"a"b\n', 2, 2, "a", "text follows the closing quote"),
        (b"b1,x\nb1,a\rb\n", 2, 2, "a", "a carriage return stands inside"),
        (b'b1,x\nb1,"two\nlines"\nb1,\n', 4, 2, "", "the key is empty"),
        (b'b1,x\nb1,"open\nb1,y\n', 2, 1, "", "never closed"),
    ],
)
def test_a_fault_says_file_line_column_value_and_problem(
    content: bytes, line: int, column: int, value: str, problem: str
) -> None:
    for form in (content, gzip.compress(content)):
        fault = the_fault(form)
        assert fault.path == f"{CSV_KEY}:{line}:{column}"
        assert fault.value == value
        assert problem in fault.problem


def test_faults_that_have_a_way_out_say_it() -> None:
    assert "key_encoding: raw" in the_fault(b"b1,50%\n").way_out
    assert "no header row" in the_fault(b"Bucket,Key\nb1,y\n").way_out
    assert "one job for each bucket" in the_fault(b"b1,x\nb2,y\n").way_out


def test_a_bucket_may_be_called_bucket() -> None:
    assert keys(b"bucket,some/key\nbucket,key\n") == ["some/key", "key"]


def test_a_second_bucket_has_its_own_failure_code() -> None:
    with pytest.raises(ManifestFaulty) as caught:
        rows_of(store_with_csv(b"b1,x\nb2,y\n"), PLAIN)
    assert caught.value.failure_code is FailureCode.MANIFEST_BUCKET_MISMATCH


def test_all_faults_of_a_manifest_are_gathered() -> None:
    found = faults_of(store_with_csv(b"b1,x\nb1,%\nb1\nb2,y\nb1,\n"), PLAIN)
    assert [fault.path.rpartition(".csv:")[2] for fault in found] == ["2:2", "3:2", "4:1", "5:2"]


@pytest.mark.parametrize(("count", "more"), [(100, False), (101, True)])
def test_a_hundred_faults_are_kept_and_more_is_said(count: int, more: bool) -> None:
    with pytest.raises(ManifestFaulty) as caught:
        rows_of(store_with_csv(b"b1,x\n" + b"b1,%\n" * count), PLAIN)
    assert len(caught.value.faults) == 100
    assert caught.value.more is more


def test_a_fault_far_from_the_start_has_the_right_line() -> None:
    content = b"".join(b'b1,"k%d"\n' % number for number in range(60_000)) + b"b1,%\n"
    assert the_fault(content).path == f"{CSV_KEY}:60001:2"


def test_after_a_fault_the_rest_of_a_long_manifest_is_not_read() -> None:
    store = ChoppyStore(store_with_csv(b"b1,%\n" + b"b1,k\n" * 300_000), block_bytes=1 << 18)
    with pytest.raises(ManifestFaulty) as caught:
        rows_of(store, PLAIN)
    assert len(caught.value.faults) == 1
    assert caught.value.more
    assert store.bodies[0].is_closed


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_a_manifest_of_no_rows_is_empty(content: bytes) -> None:
    with pytest.raises(JobFailure) as caught:
        rows_of(store_with_csv(content), PLAIN)
    assert caught.value.failure_code is FailureCode.MANIFEST_EMPTY


def test_a_truncated_gzip_is_a_fault_at_the_line_it_broke_off() -> None:
    lines = [b"b1,%032d\n" % (number * 7919 % 100_003) for number in range(5000)]
    fault = the_fault(gzip.compress(b"".join(lines))[:-9])
    assert fault.problem == "the gzip stream is cut off"
    _, line, _ = fault.path.rsplit(":", 2)
    assert 4000 < int(line) <= 5001


def test_bytes_after_the_gzip_stream_are_a_fault() -> None:
    fault = the_fault(gzip.compress(b"b1,x\n") + b"garbage")
    assert "follow the end of the gzip stream" in fault.problem


def test_a_damaged_gzip_is_a_fault() -> None:
    packed = bytearray(gzip.compress(b"b1,x\n" * 1000))
    packed[-6] ^= 0xFF
    assert "damaged" in the_fault(bytes(packed)).problem


def test_a_line_that_never_ends_is_refused_before_it_fills_memory() -> None:
    bomb = gzip.compress(b"b1,x\nb1," + b"k" * (64 << 20))
    fault = the_fault(bomb)
    assert fault.path == f"{CSV_KEY}:2:1"
    assert "longer than 1 MiB" in fault.problem


def test_a_long_record_below_the_limit_is_read() -> None:
    fields = (*BUCKET_AND_KEY, ManifestField.IGNORE)
    filler = b'"' + b"x" * (1 << 19) + b'"'
    rows = rows_of(store_with_csv(b"b1,k1," + filler + b"\nb1,k2,y\n"), a_manifest(fields=fields))
    assert [row.key for row in rows] == ["k1", "k2"]


@pytest.mark.parametrize(
    "fields",
    [(), (ManifestField.BUCKET,), (ManifestField.KEY, ManifestField.IGNORE), (*BUCKET_AND_KEY, ManifestField.KEY)],
)
def test_fields_must_name_bucket_and_key_once(fields: tuple[ManifestField, ...]) -> None:
    (fault,) = faults_of(store_with_csv(b"b1,x\n"), a_manifest(fields=fields))
    assert fault.path == "Manifest.Spec.Fields"


# --- the object that the location names


def test_the_etag_must_be_the_one_of_the_location_with_or_without_quotes() -> None:
    store = store_with_csv(b"b1,x\n")
    etag = store.put_now(REPORTS, CSV_KEY, b"b1,x\n").etag
    for spelling in (etag, f'"{etag}"'):
        header, _ = read_all(store, with_etag(PLAIN, spelling))
        assert header.etag == etag
        assert header.size_bytes == 5
    store.put_now(REPORTS, CSV_KEY, b"b1,y\n")
    with pytest.raises(JobFailure) as caught:
        rows_of(store, with_etag(PLAIN, etag))
    assert caught.value.failure_code is FailureCode.MANIFEST_ETAG_MISMATCH


def test_the_version_of_the_location_is_read() -> None:
    store = a_store()
    store.set_versioning(REPORTS, Versioning.ENABLED)
    old = store.put_now(REPORTS, CSV_KEY, b"b1,old\n")
    store.put_now(REPORTS, CSV_KEY, b"b1,new\n")
    (row,) = rows_of(store, a_manifest(version=old.version_id, etag=old.etag))
    assert row.key == "old"


def test_a_manifest_that_is_not_there() -> None:
    with pytest.raises(JobFailure) as caught:
        rows_of(a_store(), PLAIN)
    assert caught.value.failure_code is FailureCode.MANIFEST_NOT_FOUND


def test_quoting_never_changes_a_row() -> None:
    rows = [["b1", f"k%20{number}"] for number in range(5)]
    forms = [keys(csv_text(rows, quoting=quoting)) for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL)]
    assert forms[0] == forms[1] == [f"k {number}" for number in range(5)]
