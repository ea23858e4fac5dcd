"""JSON with a list that is too long for memory: the same bytes as of the whole, and little of it at once."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.ledger.port import ChunkState
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.states import JobStatus
from cosbatch.reports.long_json import ENTRIES_PER_BLOCK, LongObject, measured, to_json
from cosbatch.reports.summary import build_summary
from tests.unit.reports.report_builders import a_job

NAME = "ranges"
WORDS = st.sampled_from(["", "a", "行", '\n  "ranges": []', '"ranges": []', "\udcff"])
VALUES = st.recursive(st.none() | st.integers() | WORDS, lambda inner: st.lists(inner, max_size=3))


def long_object(fields: dict[str, object], entries: Sequence[object]) -> LongObject:
    async def source() -> AsyncIterator[object]:
        for entry in entries:
            yield entry

    return LongObject(fields=fields, list_name=NAME, entries=source)


async def text_of(content: LongObject) -> bytes:
    text = await measured(content)
    sent = b"".join([block async for block in text.blocks()])
    assert (len(sent), hashlib.md5(sent).hexdigest()) == (text.size_bytes, text.md5)
    return sent


@given(
    before=st.dictionaries(WORDS, VALUES), entries=st.lists(VALUES, max_size=9), after=st.dictionaries(WORDS, VALUES)
)
async def test_the_bytes_are_those_of_the_whole(
    before: dict[str, Any], entries: list[Any], after: dict[str, Any]
) -> None:
    fields = {**before, NAME: [], "inside": {NAME: []}} | after
    assert await text_of(long_object(fields, entries)) == to_json({**fields, NAME: entries})


@pytest.mark.parametrize("fields", [{}, {"other": []}, {NAME: [1]}, {"inside": {NAME: []}}])
async def test_a_list_that_has_no_place_is_a_mistake_of_ours(fields: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        await measured(long_object(fields, [1]))


async def test_an_object_without_a_long_list() -> None:
    assert await text_of(LongObject(fields={"a": [1]})) == json.dumps({"a": [1]}, indent=2).encode()


@pytest.mark.parametrize("count", [ENTRIES_PER_BLOCK - 1, ENTRIES_PER_BLOCK, ENTRIES_PER_BLOCK + 1, 2500])
async def test_a_list_of_several_blocks(count: int) -> None:
    entries = [(number, None) for number in range(count)]
    assert await text_of(long_object({NAME: []}, entries)) == to_json({NAME: entries})


async def test_of_a_job_with_a_gap_at_every_other_task_little_is_in_memory() -> None:
    """Fifteen thousand gaps more, which would be megabytes, take no more of it."""
    peaks = [await _peak_bytes(chunks) for chunks in (5, 20)]
    assert peaks[1] <= peaks[0] + 300_000


async def _peak_bytes(chunk_count: int) -> int:
    """Of building and measuring a summary, and of sending it."""
    size = 2000
    settled = Bitmap.of(range(0, size, 2), size=size)

    async def chunks() -> AsyncIterator[ChunkState]:
        for seq in range(chunk_count):
            yield ChunkState(seq=seq, first_task=seq * size, task_count=size, settled=settled, losses=0)

    job = a_job(status=JobStatus.CANCELLING, total=size * chunk_count, planned_rows=size * chunk_count)
    sent = 0
    tracemalloc.start()
    try:
        text = await measured(await build_summary(job, chunk_states=chunks, created_at=0.0))
        async for block in text.blocks():
            sent += len(block)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent == text.size_bytes > 20 * chunk_count * size // 2
    assert text.content.fields["not_attempted"] == chunk_count * size // 2
    return peak_bytes
