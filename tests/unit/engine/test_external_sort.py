"""Records sorted by way of the work area: every one of them, in order, and nothing left behind."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.engine.external_sort import ExternalSort
from cosbatch.storage.memory_spool import MemorySpool


async def _sorted(
    records: list[bytes], *, run_records: int, block_records: int, merged_at_once: int, at_once: int = 7
) -> tuple[list[bytes], list[str]]:
    spool = MemorySpool()
    sort = ExternalSort(
        spool,
        folder="jobs/j/sort/",
        record_bytes=4,
        run_records=run_records,
        block_records=block_records,
        merged_at_once=merged_at_once,
    )
    for start in range(0, len(records), at_once):
        await sort.add(records[start : start + at_once])
    found = [record async for some in sort.merged() for record in some]
    return found, await spool.list("jobs/j/sort/")


@given(
    numbers=st.lists(st.integers(0, 300), max_size=200),
    run_records=st.integers(1, 40),
    block_records=st.integers(1, 12),
    merged_at_once=st.integers(2, 5),
)
def test_everything_comes_back_in_order(
    numbers: list[int], run_records: int, block_records: int, merged_at_once: int
) -> None:
    records = [number.to_bytes(4) for number in numbers]
    found, left = asyncio.run(
        _sorted(records, run_records=run_records, block_records=block_records, merged_at_once=merged_at_once)
    )
    assert found == sorted(records)
    assert left == []


@pytest.mark.parametrize("count", [0, 1, 9])
def test_what_fits_into_memory_needs_no_file(count: int) -> None:
    records = [number.to_bytes(4) for number in reversed(range(count))]

    async def scenario() -> list[bytes]:
        sort = ExternalSort(MemorySpool(), folder="jobs/j/sort/", record_bytes=4, run_records=10)
        await sort.add(records)
        return [record async for some in sort.merged() for record in some]

    assert asyncio.run(scenario()) == sorted(records)


def test_memory_holds_one_run_and_a_block_of_each_merged_run() -> None:
    """Counted at the work area: no file is larger than a block, and a merge reads no run whole."""
    rng = Random(1)
    records = [rng.randrange(10**9).to_bytes(4) for _ in range(5000)]

    class Counting(MemorySpool):
        largest = 0

        async def put(self, name: str, content: bytes) -> None:
            self.largest = max(self.largest, len(content))
            await super().put(name, content)

    async def scenario() -> tuple[list[bytes], int]:
        spool = Counting()
        sort = ExternalSort(
            spool, folder="jobs/j/sort/", record_bytes=4, run_records=100, block_records=10, merged_at_once=4
        )
        await sort.add(records)
        merged = [record async for some in sort.merged() for record in some]
        return merged, spool.largest

    found, largest = asyncio.run(scenario())
    assert found == sorted(records)
    assert largest == 10 * 4
