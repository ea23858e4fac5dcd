"""The cap on bytes of a bucket: kept over tasks, both ways together, and by nobody who sends none."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import SendingStopped
from cosbatch.model.identifiers import Bucket
from cosbatch.model.regions import RateKind
from cosbatch.storage.byte_gate import LONGEST_SLEEP_SECONDS
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.port import CopyOptions
from cosbatch.storage.rate import SLACK_SECONDS, ByteRate
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

    def share(self, bytes_per_second: float, *, until: float) -> None:
        self.board.set_share(BUCKET, RateKind.BYTES, bytes_per_second, until=until)

    def wants(self, *, since: float) -> bool:
        return BUCKET in self.board.wanting_rate(RateKind.BYTES, since=since)

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


@virtual_time
async def test_what_waits_for_a_share_begins_when_there_is_one_and_ends_with_it(clock: VirtualClock) -> None:
    bench = Bench(clock, bytes_per_second=0.0)
    writing = [asyncio.create_task(bench.put()) for _ in range(3)]
    await asyncio.sleep(7)
    assert bench.store.times == []
    assert bench.wants(since=7.0)
    bench.share(500.0, until=10.5)
    await asyncio.sleep(20)
    first, second = bench.store.times
    assert first == pytest.approx(7, abs=LONGEST_SLEEP_SECONDS)
    assert second == pytest.approx(first + 2, abs=2 * SLACK_SECONDS)
    bench.share(500.0, until=100.0)
    await asyncio.gather(*writing)
    assert bench.store.times[-1] == pytest.approx(27, abs=LONGEST_SLEEP_SECONDS)


@virtual_time
async def test_a_share_that_shrinks_holds_for_all_who_have_not_begun(clock: VirtualClock) -> None:
    bench = Bench(clock)
    writing = [asyncio.create_task(bench.put()) for _ in range(4)]
    await asyncio.sleep(0.5)
    bench.share(100.0, until=100.0)
    await asyncio.gather(*writing)
    assert bench.store.times == [pytest.approx(second, abs=LONGEST_SLEEP_SECONDS) for second in (0, 1, 11, 21)]


@virtual_time
async def test_a_rate_is_wanted_while_somebody_waits_and_while_it_is_owed(clock: VirtualClock) -> None:
    bench = Bench(clock)
    assert not bench.wants(since=0.0)
    await bench.put(10 * KB)
    await asyncio.sleep(9)
    assert bench.wants(since=5.0), "the last byte would be through after ten seconds"
    await asyncio.sleep(2)
    assert not bench.wants(since=5.0)
    assert bench.wants(since=0.0)


@virtual_time
async def test_many_small_bodies_reach_the_rate_although_timers_are_late(clock: VirtualClock) -> None:
    bench = Bench(clock, bytes_per_second=100_000.0)
    await asyncio.gather(*(bench.put(10) for _ in range(5000)))
    assert bench.store.times[-1] == pytest.approx(0.5, abs=2 * SLACK_SECONDS)


@virtual_time
async def test_whoever_is_stopped_in_the_queue_lets_the_next_one_through(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.put(2 * KB)
    impatient = asyncio.create_task(bench.put())
    stopped = asyncio.create_task(bench.put())
    patient = asyncio.create_task(bench.put())
    await asyncio.sleep(1)
    impatient.cancel()
    stopped.cancel()
    await patient
    assert bench.store.times == [0.0, 2.0]
    await asyncio.gather(impatient, stopped, return_exceptions=True)


@given(st.lists(st.tuples(st.integers(1, 10**8), st.floats(0, 60), st.booleans()), min_size=1, max_size=30))
def test_over_any_time_no_more_begins_than_the_rate_and_one_piece(pieces: list[tuple[int, float, bool]]) -> None:
    rate, at = ByteRate(1e6), 0.0
    begun: list[tuple[float, int]] = []
    for size, later, has_waited in pieces:
        at += later
        while not rate.take(size, at=at, has_waited=has_waited):
            at += max(rate.seconds_left(at), 1e-9)
        begun.append((at, size))
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            passed = begun[last][0] - begun[first][0] + SLACK_SECONDS
            before_the_last = sum(size for _, size in begun[first:last])
            assert before_the_last <= 1e6 * passed * (1 + 1e-9) + 1
