"""Processes that share a rate cap, in virtual time: what is sent, by whom, and when it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import cast

import pytest

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.shares import RENEWALS, Attendance, JobShares, RateShares
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.rate_shares import RateWish
from cosbatch.ledger.sql_ledger import SqlLedger, open_memory_ledger
from cosbatch.model.errors import LedgerUnavailable
from cosbatch.model.identifiers import RegionName, WorkerId
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import CappedPlace
from cosbatch.model.workers import WorkerMetrics, WorkerProcess
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.rate import SLACK_SECONDS
from tests.contract.ledgers import active_job
from tests.simulation.rig import HERE, TARGET, RigStores
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

LIMITS = EngineLimits()
RENEWAL = LIMITS.share_seconds / RENEWALS


class ForgetfulLedger:
    """A ledger whose answers to check-ins get lost, or that does not answer at all."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self.loses_answers = False
        self.is_gone = False
        self.check_ins = 0

    async def check_in(
        self, process: WorkerProcess, metrics: WorkerMetrics, wishes: Mapping[CappedPlace, RateWish], *, seconds: float
    ) -> Mapping[CappedPlace, float]:
        self.check_ins += 1
        if self.is_gone:
            raise LedgerUnavailable("gone")
        rates = await self._ledger.check_in(process, metrics, wishes, seconds=seconds)
        if self.loses_answers:
            raise LedgerUnavailable("the answer is lost")
        return rates

    async def check_out(self, process: WorkerId) -> None:
        await self._ledger.check_out(process)


@dataclass
class Crowd:
    """Processes on one ledger, and all that they sent."""

    clock: VirtualClock
    cap: float
    byte_cap: float | None = None
    ledger: SqlLedger = field(init=False)
    sent: list[tuple[float, str]] = field(default_factory=list)
    processes: dict[str, Sender] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = open_memory_ledger(self.clock)

    def start(self, name: str) -> Sender:
        sender = self.processes[name] = Sender(name, self)
        return sender

    def sent_by(self, name: str, *, since: float = 0.0) -> int:
        return sum(who == name and at >= since for at, who in self.sent)

    def check_the_cap(self, *, senders: int) -> None:
        """In any span of time: the cap, and for each sender one request and the slack of its timers."""
        times = sorted(at for at, _ in self.sent)
        for first, began in enumerate(times):
            for count, ended in enumerate(times[first : first + 400], start=1):
                assert count <= self.cap * (ended - began + SLACK_SECONDS) + senders + 1e-6

    async def stop(self) -> None:
        for sender in self.processes.values():
            await sender.stop()


class Sender:
    """One process that sends as fast as it may while it is busy."""

    def __init__(self, name: str, crowd: Crowd) -> None:
        self.stores = RigStores(
            {HERE: MemoryStore(clock=crowd.clock)},
            clock=crowd.clock,
            rng=Random(0),
            cap=crowd.cap,
            byte_cap=crowd.byte_cap,
        )
        self.shares = RateShares(self.stores, clock=crowd.clock, limits=LIMITS)
        self.ledger = ForgetfulLedger(crowd.ledger)
        self._crowd = crowd
        self._name = name
        self._stop = asyncio.Event()
        attendance = Attendance(
            WorkerProcess(id=WorkerId(name), role="worker", host="copper", pid=1),
            ledger=cast(JobLedger, self.ledger),
            clock=crowd.clock,
            limits=LIMITS,
            stores=self.stores,
            shares=self.shares,
            chunks_held=lambda: 3,
        )
        self.attending = asyncio.create_task(attendance.run(self._stop))
        self._busy: list[asyncio.Task[None]] = []

    def be_busy(self, lanes: int = 4) -> None:
        self._busy = [asyncio.create_task(self._send_on()) for _ in range(lanes)]

    async def be_idle(self) -> None:
        for lane in self._busy:
            lane.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _send_on(self) -> None:
        while True:
            await self.send()

    async def send(self) -> None:
        pacer = self.stores.pace_of(HERE, TARGET)
        ticket = pacer.try_admit() or await pacer.wait()
        self._crowd.sent.append((self._crowd.clock.boottime(), self._name))
        await asyncio.sleep(0.005)  # at 100 a second none ends in the very moment in which another begins
        pacer.answered(ticket)

    async def stop(self) -> None:
        await self.be_idle()
        self._stop.set()
        await self.attending


@virtual_time
async def test_a_single_process_has_the_whole_cap(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    crowd.start("anna").be_busy()
    await asyncio.sleep(30)
    await crowd.stop()
    assert crowd.sent_by("anna", since=1) == pytest.approx(29 * 100, abs=10)
    crowd.check_the_cap(senders=1)


@virtual_time
async def test_who_comes_later_gets_half_and_who_stays_gets_it_back(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    crowd.start("anna").be_busy()
    await asyncio.sleep(10)
    bert = crowd.start("bert")
    bert.be_busy()
    await asyncio.sleep(10)
    assert crowd.sent_by("anna", since=15) == pytest.approx(250, abs=10)
    assert crowd.sent_by("bert", since=15) == pytest.approx(250, abs=10)
    await bert.stop()
    await asyncio.sleep(10)
    assert crowd.sent_by("anna", since=25) == pytest.approx(500, abs=10)
    await crowd.stop()
    crowd.check_the_cap(senders=2)


@virtual_time
async def test_who_has_nothing_to_send_wastes_no_share(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    anna, bert = crowd.start("anna"), crowd.start("bert")
    anna.be_busy()
    bert.be_busy()
    await asyncio.sleep(10)
    await bert.be_idle()
    await asyncio.sleep(10)
    assert crowd.sent_by("anna", since=15) == pytest.approx(500, abs=10)
    await crowd.stop()


@virtual_time
async def test_the_smallest_cap_serves_planner_and_finisher_beside_busy_workers(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=1)
    for name in ("anna", "bert", "cleo", "dora"):
        crowd.start(name).be_busy()
    await asyncio.sleep(60)
    finisher = crowd.start("finisher")
    for _ in range(5):
        async with asyncio.timeout(20 * LIMITS.share_seconds):
            await finisher.send()
        await asyncio.sleep(30)
    assert all(crowd.sent_by(name, since=60) > 10 for name in ("anna", "bert", "cleo", "dora"))
    ended = clock.boottime()
    await crowd.stop()
    assert len(crowd.sent) > 0.7 * ended, "little of the cap is lost in changes"
    crowd.check_the_cap(senders=5)


@virtual_time
async def test_a_share_ends_by_itself_where_the_ledger_does_not_answer(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    anna = crowd.start("anna")
    anna.be_busy()
    await asyncio.sleep(4.9)
    anna.ledger.is_gone = True
    await asyncio.sleep(60)
    assert 2.5 < max(at for at, _ in crowd.sent) <= 2 * RENEWAL + LIMITS.share_seconds - RENEWAL
    anna.ledger.is_gone = False
    await asyncio.sleep(5)
    assert crowd.sent_by("anna", since=66) > 300
    await crowd.stop()


@virtual_time
async def test_nothing_is_sent_twice_while_answers_are_lost(clock: VirtualClock) -> None:
    """The ledger has given anna less, and she does not know: bert waits until her old share is over."""
    crowd = Crowd(clock, cap=100)
    anna, bert = crowd.start("anna"), crowd.start("bert")
    anna.be_busy()
    await asyncio.sleep(5)
    anna.ledger.loses_answers = True
    bert.be_busy()
    await asyncio.sleep(60)
    assert crowd.sent_by("bert", since=30) > 1000
    anna.ledger.loses_answers = False
    await asyncio.sleep(60)
    assert crowd.sent_by("anna", since=90) > 1000
    await crowd.stop()
    crowd.check_the_cap(senders=2)


@virtual_time
async def test_the_share_of_a_killed_process_is_the_others_when_it_is_over(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    anna, bert = crowd.start("anna"), crowd.start("bert")
    anna.be_busy()
    bert.be_busy()
    await asyncio.sleep(20)
    bert.attending.cancel()
    await bert.be_idle()
    await asyncio.sleep(LIMITS.share_seconds + RENEWAL)
    before = clock.boottime()
    await asyncio.sleep(5)
    assert crowd.sent_by("anna", since=before) == pytest.approx(500, abs=10)
    await anna.stop()
    crowd.check_the_cap(senders=2)


@virtual_time
async def test_the_ledger_is_asked_no_more_often_than_need_be(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    anna, bert = crowd.start("anna"), crowd.start("bert")
    anna.be_busy()
    bert.be_busy()
    await asyncio.sleep(30)
    before = anna.ledger.check_ins
    await asyncio.sleep(30)
    assert anna.ledger.check_ins - before == 30 / RENEWAL
    await crowd.stop()


@virtual_time
async def test_who_attends_is_seen_with_what_it_sends(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100)
    crowd.start("anna").be_busy(lanes=4)
    await asyncio.sleep(20)
    [anna] = await crowd.ledger.workers(seen_within_seconds=LIMITS.share_seconds)
    [bucket] = anna.metrics.buckets
    assert (bucket.bucket, bucket.limit, anna.metrics.chunks_held) == (TARGET, 32, 3)
    assert bucket.in_flight in (0, 1)
    assert anna.metrics.requests_per_second == pytest.approx(100, abs=5)
    await crowd.stop()
    assert await crowd.ledger.workers(seen_within_seconds=3600) == []


@virtual_time
async def test_a_worker_claims_where_it_has_a_share_and_wishes_for_one_where_there_is_work(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=1)
    capped = await active_job(crowd.ledger, 1)
    free = await active_job(
        crowd.ledger, 2, operation=PutObjectCopy(target_bucket=TARGET, target_region=RegionName("uncapped"))
    )
    anna = crowd.start("anna")
    work = JobShares(anna.shares, ledger=crowd.ledger)
    assert await work.claimable(seeks=True) == {free}
    assert not work.may_use((HERE, TARGET))
    await asyncio.sleep(1)
    assert await work.claimable(seeks=True) == {capped, free}
    assert work.may_use((HERE, TARGET))
    await asyncio.sleep(RENEWAL + 1)
    assert await work.claimable(seeks=True) == {free}, "nothing was sent and nobody looked: it was given back"
    await asyncio.sleep(2 * RENEWAL + 1)
    await work.claimable(seeks=False)
    await asyncio.sleep(1)
    assert not work.may_use((HERE, TARGET)), "there is enough to do elsewhere"
    await crowd.stop()


@virtual_time
async def test_bytes_of_two_processes_keep_to_one_cap_and_an_idle_one_wastes_nothing(clock: VirtualClock) -> None:
    crowd = Crowd(clock, cap=100, byte_cap=4e6)
    begun: list[tuple[float, str]] = []

    async def move_bodies(name: str) -> None:
        gate = crowd.processes[name].stores.byte_gate(HERE, TARGET)
        while True:
            await gate.enter(100_000, None)
            begun.append((clock.boottime(), name))

    for name in ("anna", "bert"):
        crowd.start(name)
    anna, bert = (asyncio.create_task(move_bodies(name)) for name in crowd.processes)
    await asyncio.sleep(20)
    bert.cancel()
    await asyncio.sleep(20)
    anna.cancel()

    def count(name: str, since: float, until: float) -> int:
        return sum(who == name and since <= at < until for at, who in begun)

    assert count("anna", 10, 20) == pytest.approx(200, abs=10)
    assert count("bert", 10, 20) == pytest.approx(200, abs=10)
    assert count("anna", 30, 40) == pytest.approx(400, abs=20)
    times = sorted(at for at, _ in begun)
    for first, began in enumerate(times):
        for number, ended in enumerate(times[first : first + 200], start=1):
            assert number <= 40 * (ended - began + SLACK_SECONDS) + 2 + 1e-6
    await asyncio.gather(anna, bert, return_exceptions=True)
    await crowd.stop()
