"""What must hold of any manifest: keys survive every format, damage is a located fault, blocks do not matter."""

from __future__ import annotations

import csv
import gzip
import re
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.manifests.cells import locate_records, split_cells
from cosbatch.manifests.columns import columns_of_fields, columns_of_schema
from cosbatch.manifests.faults import FaultLog
from cosbatch.manifests.keys import decode_key, decode_keys
from cosbatch.manifests.records import RecordCutter, Segment
from cosbatch.manifests.rows import RowReader, SourceBucket
from cosbatch.model.errors import Fault, JobFailure, ManifestFaulty
from cosbatch.model.manifests import KeyEncoding, Manifest, ManifestField, ManifestRow
from tests.unit.manifests.manifest_builders import (
    AN_INVENTORY,
    INDEX_KEY,
    REPORTS,
    WITH_VERSION,
    ChoppyStore,
    a_manifest,
    csv_text,
    inventory_row,
    read_all,
    rows_of,
    store_with_csv,
    store_with_inventory,
)


def _is_utf8(text: str) -> bool:
    return not re.search("[\ud800-\udfff]", text)


KEYS = st.text(min_size=1, max_size=60).filter(_is_utf8)
CSV_BYTES = st.lists(
    st.sampled_from(
        [b"b1", b"b2", b",", b",", b"\n", b"\n", b"\r\n", b"\r", b'"', b'"', b"k", b" ", b"%41", b"%", b"+"]
    )
    | st.binary(max_size=3),
    max_size=60,
).map(b"".join)
QUOTING = st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])


def located(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """The faults, each of which has a place and can be printed."""
    assert faults
    for fault in faults:
        assert fault.path
        assert len(fault.value) <= 200
        assert str(fault).encode()
    return faults


def outcome(store: object, manifest: Manifest) -> list[ManifestRow] | tuple[Fault, ...] | str:
    """Rows, located faults, or the name of a failure: nothing else may come of any bytes."""
    try:
        return rows_of(store, manifest)
    except ManifestFaulty as error:
        return located(error.faults)
    except JobFailure as failure:
        return str(failure.failure_code)


@given(keys=st.lists(KEYS, min_size=1, max_size=20), quoting=QUOTING, spell=st.sampled_from([quote, quote_plus]))
def test_any_encoded_key_through_csv_and_inventory_and_back(keys: list[str], quoting: int, spell: type) -> None:
    keys = [key for key in keys if len(key.encode()) <= 1024]
    written = [spell(key) for key in keys]
    plain = csv_text([["b1", key, ""] for key in written], quoting=quoting)
    report = csv_text([inventory_row(key) for key in written], quoting=quoting)
    for content in (plain, gzip.compress(plain)):
        assert [row.key for row in rows_of(store_with_csv(content), a_manifest(fields=WITH_VERSION))] == keys
    assert [row.key for row in rows_of(store_with_inventory(report), AN_INVENTORY)] == keys


@given(keys=st.lists(KEYS.filter(lambda key: not re.search(r"[\r]", key)), min_size=1, max_size=20), quoting=QUOTING)
def test_any_raw_key_through_csv_and_back(keys: list[str], quoting: int) -> None:
    content = csv_text([["b1", key, "v"] for key in keys], quoting=quoting)
    manifest = a_manifest(fields=WITH_VERSION, encoding=KeyEncoding.RAW)
    assert [row.key for row in rows_of(store_with_csv(content), manifest)] == keys


@given(content=CSV_BYTES)
def test_any_bytes_are_rows_or_located_faults_packed_or_not(content: bytes) -> None:
    plain, packed = (outcome(store_with_csv(form), a_manifest()) for form in (content, gzip.compress(content)))
    assert plain == packed or content.startswith(b"\x1f\x8b")  # what begins like gzip is taken for it


@given(content=CSV_BYTES, block_bytes=st.integers(1, 40), packed=st.booleans())
def test_blocks_do_not_matter(content: bytes, block_bytes: int, packed: bool) -> None:
    store = store_with_csv(gzip.compress(content) if packed else content)
    manifest = a_manifest(encoding=KeyEncoding.RAW)
    assert outcome(ChoppyStore(store, block_bytes=block_bytes), manifest) == outcome(store, manifest)


@given(content=CSV_BYTES, cut=st.integers(1, 40), segment_bytes=st.integers(1, 50))
def test_where_a_stream_is_cut_into_segments_does_not_matter(content: bytes, cut: int, segment_bytes: int) -> None:
    def records(cutter: RecordCutter, step: int) -> list[object]:
        pieces = [content[start : start + step] for start in range(0, len(content), step)]
        segments = [segment for piece in pieces for segment in cutter.feed(piece)]
        segments.extend(cutter.flush())
        decoded = [(segment.line, segment.content.decode("utf-8", "surrogateescape")) for segment in segments]
        return [record for line, text in decoded for record in locate_records(text, line=line)]

    assert records(RecordCutter(segment_bytes=segment_bytes), cut) == records(RecordCutter(), len(content) or 1)


@given(content=CSV_BYTES)
def test_the_fast_way_reads_what_the_slow_way_reads(content: bytes) -> None:
    cutter = RecordCutter()
    segments = [*cutter.feed(content), *cutter.flush()]
    for segment in segments:
        text = segment.content.decode("utf-8", "replace")
        fast, slow = split_cells(text), list(locate_records(text, line=1))
        if fast is not None:
            assert not any(record.malformed for record in slow)
            assert fast == [list(record.cells) for record in slow]


FIELDS_OF_CELLS = st.sampled_from(
    ["b1", " b1", "b2", "k", "%41+", "%", "", "true", "False", "7", "x", '"e"', "中", "Key"]
)


@given(rows=st.lists(st.lists(FIELDS_OF_CELLS, min_size=5, max_size=5), min_size=1, max_size=4), quoting=QUOTING)
def test_whole_columns_are_read_like_single_rows(rows: list[list[str]], quoting: int) -> None:
    content = csv_text([["b1", *row[1:]] if row[0] != "b2" else row for row in rows], quoting=quoting)
    for columns in (
        columns_of_schema(["Bucket", "Key", "Size", "IsLatest", "ETag"]),
        columns_of_schema(["Bucket", "Key", "VersionId", "DeleteMarker", "LastModifiedDate"]),
        columns_of_fields((*WITH_VERSION, *[ManifestField.IGNORE] * 2), key_encoding=KeyEncoding.RAW),
    ):
        one, other = FaultLog(), FaultLog()
        together = RowReader(columns, file="f", source=SourceBucket(), faults=one)
        alone = RowReader(columns, file="f", source=SourceBucket(), faults=other)
        expected = [alone.read_record(record) for record in locate_records(content.decode(), line=1)]
        assert together.read(Segment(1, content)) == [row for row in expected if row is not None]
        assert one.faults == other.faults


@given(rows=st.lists(st.lists(st.text(alphabet='ab,"\n% ', max_size=6), min_size=2, max_size=4), max_size=8))
def test_well_formed_text_always_takes_the_fast_way(rows: list[list[str]]) -> None:
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        text = csv_text(rows, quoting=quoting).decode() or "\n"
        assert split_cells(text) == rows


SEQUENCES = st.lists(
    st.sampled_from(["%20", "%41", "%0A", "%0d", "%25", "%3D", "%e4%B8%ad", "%E4", "%B8%ad", "=", "==", "=3D", "=\n"])
    | st.sampled_from(["_", ".", " ", "\t", "\r", "\n", "\0", "é"]),
    max_size=8,
).map("".join)


@given(texts=st.lists(st.text(alphabet="a%+24FfB0zé\n", max_size=12) | SEQUENCES, min_size=1, max_size=8))
def test_many_keys_are_decoded_as_each_is(texts: list[str]) -> None:
    def alone(text: str) -> str | None:
        try:
            return decode_key(text)
        except ValueError:
            return None

    try:
        together: list[str | None] | None = list(decode_keys(texts))
    except ValueError:
        together = None
    each = [alone(text) for text in texts]
    assert together == (None if None in each else each)


REPORT = store_with_inventory(csv_text([inventory_row(f"k%20{number}", version="v") for number in range(40)]))
FILES = {key: kept.content.stored or b"" for key, kept in REPORT.current_objects(REPORTS).items()}


@settings(max_examples=300)
@given(change=st.data())
def test_any_damage_to_an_inventory_is_rows_or_a_located_fault(change: st.DataObject) -> None:
    key = change.draw(st.sampled_from(sorted(FILES)))
    damaged = bytearray(FILES[key])
    for _ in range(change.draw(st.integers(1, 3))):
        at = change.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + change.draw(st.integers(0, 4))] = change.draw(st.binary(max_size=4))
        damaged = damaged or bytearray(b"{")
    store = store_with_inventory(csv_text([inventory_row(f"k%20{number}", version="v") for number in range(40)]))
    store.put_now(REPORTS, key, bytes(damaged))
    found = outcome(store, AN_INVENTORY)
    if key != INDEX_KEY and bytes(damaged) != FILES[key]:
        assert isinstance(found, tuple)


def test_the_undamaged_inventory_is_read() -> None:
    assert len(read_all(REPORT, AN_INVENTORY)[1]) == 40
