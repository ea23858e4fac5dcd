"""Chunk files and the cutting of rows into chunks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.engine.chunk_files import ChunkRow, decode_chunk, encode_chunk, plain_records, records_of
from cosbatch.engine.chunker import Chunker, CutChunk
from cosbatch.engine.limits import EngineLimits
from cosbatch.manifests.plain import PlainRows, RowBatch
from cosbatch.model.errors import SpoolError
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.tasks import Skip, Task

LIMITS = replace(EngineLimits(), first_chunks=2, first_chunk_rows=3, chunk_rows=5, chunk_bytes=100)

keys = st.text(min_size=1, max_size=40).filter(lambda key: not any("\ud800" <= letter <= "\udfff" for letter in key))
versions = st.none() | st.text("abc0123", min_size=1, max_size=8)
sizes = st.none() | st.integers(0, 2**50)
plain_rows = st.tuples(keys, versions, sizes)
marked_rows = st.tuples(keys, versions, sizes, st.sampled_from(["", "M", "N"]), st.integers(-1, 99), st.integers(0, 9))


@given(st.lists(plain_rows | marked_rows, min_size=1, max_size=20), st.integers(0, 10**12))
def test_any_row_comes_back_as_a_task(rows: list[ChunkRow], first: int) -> None:
    tasks = decode_chunk(encode_chunk(records_of(rows)), first_task=first, task_count=len(rows))
    for place, (row, task) in enumerate(zip(rows, tasks, strict=True)):
        assert task[:4] == (first + place, *row[:3])
        marks = row[3:] if len(row) > 3 else ("", -1, 0)
        assert (task.skip or "", task.group, task.turn) == marks


def test_a_chunk_file_is_the_same_each_time() -> None:
    rows: list[ChunkRow] = [("a", None, 1), ("b", "v", None, "M", -1, 0)]
    assert encode_chunk(records_of(rows)) == encode_chunk(records_of(rows))


@pytest.mark.parametrize("damage", [b"", b"not gzip", encode_chunk(records_of([("a", None, 1)]))[:-5]])
def test_a_damaged_chunk_file_says_which_tasks(damage: bytes) -> None:
    with pytest.raises(SpoolError, match="task 7"):
        decode_chunk(damage, first_task=7, task_count=1)


def test_a_chunk_file_with_too_few_rows_is_refused() -> None:
    with pytest.raises(SpoolError, match="1 tasks instead of 2"):
        decode_chunk(encode_chunk(records_of([("a", None, 1)])), first_task=0, task_count=2)


@given(
    st.lists(st.tuples(keys | st.text('ab,"\r\n\0 ;', min_size=1), st.integers(0, 2**50)), max_size=20), st.booleans()
)
def test_plain_records_are_those_that_the_csv_writer_makes(rows: list[tuple[str, int]], has_sizes: bool) -> None:
    sizes = [size for _, size in rows] if has_sizes else None
    written = records_of([(key, None, size if has_sizes else None) for key, size in rows])
    assert plain_records([key for key, _ in rows], sizes) == written
    assert len(written) == len(rows)


def test_marks_become_skips() -> None:
    (task,) = decode_chunk(encode_chunk(records_of([("k", "v", 3, "N", -1, 0)])), first_task=0, task_count=1)
    assert task == Task(0, task.key, task.version_id, 3, Skip.NOT_LATEST, -1, 0)


def a_row(key: str, size: int | None) -> ManifestRow:
    return ManifestRow(ObjectKey(key), None, size, None, False, "", "")


def plain_batch(rows: list[tuple[str, int]], *, has_sizes: bool = True) -> RowBatch:
    """As keys and sizes alone; nobody may ask for more."""
    sizes = [size for _, size in rows] if has_sizes else None
    return RowBatch(plain=PlainRows(keys=[key for key, _ in rows], sizes=sizes), read=lambda: pytest.fail("read again"))


def cut(batches: list[RowBatch], *, cut_chunks: int = 0, cut_rows: int = 0) -> list[CutChunk]:
    chunker = Chunker(limits=LIMITS, cut_chunks=cut_chunks, cut_rows=cut_rows)
    chunks = [chunk for batch in batches for chunk in chunker.add_batch(batch)]
    return [*chunks, *chunker.finish()]


def test_a_delete_marker_without_a_version_id_is_skipped() -> None:
    marker = a_row("gone", 1)._replace(is_delete_marker=True)
    (chunk,) = cut([RowBatch.of_rows([a_row("k", 2), marker])])
    tasks = decode_chunk(encode_chunk(chunk.records), first_task=0, task_count=2)
    assert [task.skip for task in tasks] == [None, Skip.DELETE_MARKER]


batches_of_rows = st.lists(st.lists(st.tuples(keys, st.integers(0, 200)), max_size=9), max_size=9)


def test_the_first_chunks_are_small() -> None:
    chunks = cut([plain_batch([("k", 1)] * 17)])
    assert [len(chunk.records) for chunk in chunks] == [3, 3, 5, 5, 1]
    assert [chunk.first_task for chunk in chunks] == [0, 3, 6, 11, 16]


def test_a_chunk_closes_at_its_byte_limit() -> None:
    chunks = cut([plain_batch([("k", 60)] * 5)])
    assert [len(chunk.records) for chunk in chunks] == [2, 2, 1]


@given(batches_of_rows, st.data())
def test_neither_batches_nor_their_form_matter(batches: list[list[tuple[str, int]]], draws: st.DataObject) -> None:
    whole = [row for batch in batches for row in batch]
    given = [
        plain_batch(batch) if draws.draw(st.booleans()) else RowBatch.of_rows([a_row(*row) for row in batch])
        for batch in batches
    ]
    chunks = cut(given)
    assert chunks == cut([plain_batch(whole)])
    assert [record for chunk in chunks for record in chunk.records] == records_of(
        [(key, None, size) for key, size in whole]
    )


def test_rows_without_sizes_are_cut_by_their_number() -> None:
    for batch in (plain_batch([("k", 60)] * 17, has_sizes=False), RowBatch.of_rows([a_row("k", None)] * 17)):
        chunks = cut([batch])
        assert [len(chunk.records) for chunk in chunks] == [3, 3, 5, 5, 1]


@given(batches_of_rows, st.integers(0, 9))
def test_what_an_earlier_plan_has_cut_is_passed_over(batches: list[list[tuple[str, int]]], chunks: int) -> None:
    given = [plain_batch(batch) for batch in batches]
    saved = cut(given)[:chunks]
    rows = sum(len(chunk.records) for chunk in saved)
    assert cut(given, cut_chunks=len(saved), cut_rows=rows) == cut(given)[chunks:]


def test_a_run_is_never_split() -> None:
    chunker = Chunker(limits=LIMITS)
    chunks = [chunk for run in ([("a", "1", 1)] * 2, [("b", "1", 1)] * 7) for chunk in chunker.add_run(run)]
    assert [len(chunk.records) for chunk in chunks] == [9]
