"""The cap on bytes of a bucket: kept over tasks, both ways together, and by nobody who sends none."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import SendingStopped
from cosbatch.model.identifiers import Bucket
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.port import CopyOptions
from cosbatch.storage.rate import ByteRate
from tests.unit.storage.scripted_store import BUCKET, META, ScriptedStore, ref
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KB = 1000


class Bench:
    def __init__(self, clock: VirtualClock, *, bytes_per_second: float | None = 1000.0) -> None:
        self.store = ScriptedStore(clock)
        self.board = PacerBoard(clock=clock, bytes_per_second=bytes_per_second)
        self.stop = StopSignal()

    def task(self) -> PersistentStore:
        return PersistentStore(self.store, self.board, permit=lambda: None, random=lambda: 0.5, stop=self.stop)

    async def put(self, size_bytes: int = KB, *, bucket: str = BUCKET) -> None:
        await self.task().put(ref(bucket=bucket), b"x" * size_bytes)


@virtual_time
async def test_puts_of_many_tasks_keep_the_rate_in_the_order_in_which_they_came(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await asyncio.gather(*(bench.put() for _ in range(10)))
    assert bench.store.times == [float(second) for second in range(10)]


@virtual_time
async def test_a_large_piece_goes_at_once_and_the_next_one_waits_for_it(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await asyncio.gather(bench.put(30 * KB), bench.put(KB))
    assert bench.store.times == [0.0, 30.0]


@virtual_time
async def test_what_is_read_and_what_is_written_count_together(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.task().get(ref(), first_byte=0, last_byte=2 * KB - 1)
    await bench.task().upload_part(ref(), upload_id="u", number=1, body=b"x" * KB)
    await bench.put()
    assert bench.store.times == [0.0, 2.0, 3.0]


@virtual_time
async def test_what_nobody_knows_the_length_of_is_paid_for_afterwards(clock: VirtualClock) -> None:
    bench = Bench(clock, bytes_per_second=META.size_bytes / 60)
    await bench.task().get(ref())
    await bench.put(1)
    first, second = bench.store.times
    assert first == 0.0
    assert second == pytest.approx(60, abs=0.1)


@virtual_time
async def test_other_buckets_and_requests_without_a_body_do_not_wait(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.put(60 * KB)
    await bench.put(KB, bucket=Bucket("another"))
    await bench.task().head(ref())
    await bench.task().copy(ref(bucket="source"), ref(), options=CopyOptions())
    assert bench.store.times[-1] < 1
    assert bench.board.pacer(BUCKET).in_flight == 0


@virtual_time
async def test_without_a_cap_nothing_waits(clock: VirtualClock) -> None:
    bench = Bench(clock, bytes_per_second=None)
    await asyncio.gather(*(bench.put(10**6) for _ in range(10)))
    assert bench.store.times == [0.0] * 10


@virtual_time
async def test_who_is_stopped_while_it_waits_gives_its_bytes_back(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.put(10 * KB)
    waiting = asyncio.create_task(bench.put(1000 * KB))
    await asyncio.sleep(1)
    bench.stop.stop("drain")
    with pytest.raises(SendingStopped):
        await waiting
    assert len(bench.store.sent) == 1
    bench.stop = StopSignal()
    await bench.put()
    assert bench.store.times == [0.0, 10.0]


@virtual_time
async def test_a_cap_that_changes_holds_from_the_next_piece_on(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.put(KB)
    bench.board.set_byte_rate(100.0)
    await bench.put(KB)
    await bench.put(KB)
    assert bench.store.times == [0.0, 1.0, 11.0]
    bench.board.set_byte_rate(None)
    await bench.put(KB)
    assert bench.store.times[-1] < 11.1


@given(st.lists(st.tuples(st.integers(1, 10**8), st.floats(0, 60)), min_size=1, max_size=30))
def test_over_any_time_no_more_begins_than_the_rate_and_one_piece(pieces: list[tuple[int, float]]) -> None:
    rate, at = ByteRate(1e6), 0.0
    begun: list[tuple[float, int]] = []
    for size, later in pieces:
        at += later
        begun.append((at + rate.reserve(size, at=at), size))
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            passed = begun[last][0] - begun[first][0]
            before_the_last = sum(size for _, size in begun[first:last])
            assert before_the_last <= 1e6 * passed * (1 + 1e-9) + 1
