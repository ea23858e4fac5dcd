"""Rows read as keys and sizes alone: the same ones as cell by cell, or nothing at all."""

from __future__ import annotations

import csv
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.manifests.cells import locate_records
from cosbatch.manifests.columns import Columns, columns_of_fields, columns_of_schema
from cosbatch.manifests.faults import FaultLog
from cosbatch.manifests.plain import PlainForm
from cosbatch.manifests.reader import BATCH_ROWS, read_manifest
from cosbatch.manifests.records import Segment
from cosbatch.manifests.rows import RowReader, SourceBucket
from cosbatch.model.identifiers import Bucket
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestRow
from tests.unit.manifests.manifest_builders import a_manifest, csv_text, store_with_csv

TWO = columns_of_fields((ManifestField.BUCKET, ManifestField.KEY), key_encoding=KeyEncoding.URL)
RAW = columns_of_fields((ManifestField.IGNORE, ManifestField.KEY, ManifestField.BUCKET), key_encoding=KeyEncoding.RAW)
INVENTORY = columns_of_schema(["Appid", "Bucket", "Key", "Size", "ETag"])
SIZE_FIRST = columns_of_schema(["Size", "Bucket", "Key"])
LAYOUTS = {
    TWO: ["b1", "k%201"],
    RAW: ["x", "k 1", "b1"],
    INVENTORY: ["125", "b1", "a%2Fb", "16", "e"],
    SIZE_FIRST: ["7", "b1", "k"],
}
"""With a first record of each, from which the rest is learnt."""


def a_reader(columns: Columns, faults: FaultLog) -> RowReader:
    source = SourceBucket() if columns.appid is None else SourceBucket(Bucket("b1-125"))
    return RowReader(columns, file="f", source=source, faults=faults)


ODD_CELLS = st.sampled_from(
    ["b1", " b1", "b1 ", "b2", "125", "", "k", "%41+", "%", "%0A", "%E4%B8", "%ad", "中", "007", "1" * 19, "\u0663"]
) | st.sampled_from(["Key", '"', '""', "a\nb", "a\r\nb", "\r", "a,b", "\0", "k" * 1025, "é" * 513, "%2F" * 700])
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\n\n"])


@st.composite
def next_texts(draw: st.DrawFn, cells: list[str]) -> str:
    """Records much like the first one, with an oddity here and there, and bytes that no writer would write."""
    text = ""
    for _ in range(draw(st.integers(1, 5))):
        row = list(cells)
        if draw(st.booleans()):
            row[draw(st.integers(0, len(row) - 1))] = draw(ODD_CELLS)
        if draw(st.integers(0, 9)) == 0:
            row = row[1:] if draw(st.booleans()) else [*row, "more"]
        quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL]))
        text += csv_text([row], quoting=quoting).decode().removesuffix("\n") + draw(ENDS)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from(["", '"', ",", "\n", "\r", "x", '"\n"', '","'])) + text[at + 1 :]
    return text if text.endswith("\n") else text + "\n"


def assert_alike(columns: Columns, first: bytes, text: str) -> None:
    """``text``, read after a first record that is in order, is the same rows and faults both ways."""
    one, other = FaultLog(), FaultLog()
    fast, slow = a_reader(columns, one), a_reader(columns, other)
    fast.read_batch(Segment(1, first))
    for record in locate_records(first.decode(), line=1):
        slow.read_record(record)
    expected = [slow.read_record(record) for record in locate_records(text, line=2)]
    batch = fast.read_batch(Segment(2, text.encode()))
    rows = [row for row in expected if row is not None]
    assert list(batch) == rows
    assert list(batch.keys) == [row.key for row in rows]
    assert one.faults == other.faults
    if batch.plain is not None:
        assert None not in expected
        sizes = batch.plain.sizes or itertools.repeat(None)
        assert all(size == row.size_bytes for size, row in zip(sizes, rows, strict=False))
        assert not any(row.version_id or row.is_latest or row.is_delete_marker for row in rows)


@pytest.mark.parametrize("columns", LAYOUTS, ids=lambda columns: columns.names)
@given(draws=st.data(), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_plain_rows_are_those_that_are_read_cell_by_cell(columns: Columns, draws: st.DataObject, quoting: int) -> None:
    assert_alike(columns, csv_text([LAYOUTS[columns]], quoting=quoting), draws.draw(next_texts(LAYOUTS[columns])))


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize(
    "text",
    [
        "b1,k\nb1\n",
        "xb1,k\n",  # ends like a record of the right bucket
        "b1,k\nxb1,k\n",
        'x"b1","k"\n',
        "b1,k\rl\n",
        "b1,k\r\r\n",
        '"b1","k"\r\r\n',
        'b1,k"\n',
        'b1,"k"\n',
        '"b1","k""l"\n',
        '"b1","k\n"\n',
        '"b1",k\n',
        "b1,k,l\n",
        "b1\n",
        "\n\nb1,k\n\n",
        "b1,\n",
        "b2,k\n",
        " b1 ,k\n",
        "b1,%\n",
        "b1,%E4\nb1,%B8%AD\n",
        "b1,a%0Ab\nb1,+%2B\n",
        "Bucket,Key\n",
    ],
)
def test_odd_records_are_read_alike(text: str, quoting: int) -> None:
    assert_alike(TWO, csv_text([["b1", "k"]], quoting=quoting), text)
    assert_alike(
        TWO, csv_text([["b1", "k"]], quoting=quoting), csv_text([["b1", "k"]], quoting=quoting).decode() + text
    )


def test_no_cell_of_an_unquoted_record_goes_over_its_line() -> None:
    for text in ("y\nx,k,b1\n", "x,k\n,b1\n", "x,k,b1\ny\n", "\nx,k,b1\n"):
        assert_alike(RAW, b"x,k,b1\n", text)


@pytest.mark.parametrize("columns", LAYOUTS, ids=lambda columns: columns.names)
@pytest.mark.parametrize("is_quoted", [True, False])
def test_a_form_tells_a_text_with_anything_else_in_it(columns: Columns, is_quoted: bool) -> None:
    form = PlainForm.like(LAYOUTS[columns], columns=columns, is_quoted=is_quoted)
    assert form is not None
    record = csv_text([LAYOUTS[columns]], quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL).decode()
    assert form.split(record * 2) is not None
    for rest in ("\n", "x\n", "1,2,3,4,5,6\n"):
        assert form.split(rest + record) is None
        assert form.split(record + rest) is None


def reader_after(first: bytes, columns: Columns) -> RowReader:
    reader = a_reader(columns, FaultLog())
    assert len(reader.read_batch(Segment(1, first))) == 1
    return reader


@pytest.mark.parametrize("columns", LAYOUTS, ids=lambda columns: columns.names)
@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_usual_rows_take_the_plain_way(columns: Columns, quoting: int, end: bytes) -> None:
    text = csv_text([LAYOUTS[columns]], quoting=quoting).replace(b"\n", end)
    batch = reader_after(text, columns).read_batch(Segment(2, text * 3))
    assert batch.plain is not None
    assert len(batch) == len(list(batch)) == 3


@pytest.mark.parametrize("column", ["VersionId", "IsLatest", "DeleteMarker"])
def test_rows_that_may_say_more_never_take_it(column: str) -> None:
    columns = columns_of_schema(["Bucket", "Key", column])
    text = b'"b1","k",""\n'
    assert reader_after(text, columns).read_batch(Segment(2, text)).plain is None


@pytest.mark.parametrize("bucket", ['b"1', "b,1", "b\n1"])
def test_a_bucket_that_needs_quotes_is_read_cell_by_cell(bucket: str) -> None:
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        text = csv_text([["x", "k", bucket]], quoting=quoting)
        reader = reader_after(text, RAW)
        assert reader.read_batch(Segment(2, text)).plain is None
        assert len(reader.read_batch(Segment(2, f"x,k,{bucket}\n".encode()))) == 0


async def test_a_manifest_is_given_in_plain_batches() -> None:
    reading = await read_manifest(a_manifest(), store_with_csv(b"".join(b"b1,k-%09d\n" % at for at in range(30_000))))
    batches = [batch async for batch in reading.batches()]
    assert [batch.plain is None for batch in batches] == [True, *[False] * (len(batches) - 1)]
    assert [key for batch in batches for key in batch.keys] == [f"k-{at:09d}" for at in range(30_000)]
    assert all(0 < len(batch) <= BATCH_ROWS for batch in batches)


def test_a_batch_of_rows_says_its_keys() -> None:
    reader = a_reader(TWO, FaultLog())
    batch = reader.read_batch(Segment(1, b"b1,k\n"))
    assert (batch.plain, batch.keys) == (None, ["k"])
    assert [type(row) for row in batch] == [ManifestRow]
