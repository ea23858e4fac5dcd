"""Workers, a scheduler and a ledger that loses requests and replies: nobody sends on what another one holds.

A worker may send while its own deadline is not over. So at no moment may two workers have such a deadline for one
chunk, whatever was lost, whoever stood still or died, and however the ledger's clock was set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cosbatch.engine.leases import LeaseBook
from cosbatch.engine.liveness import LeaseWatch
from cosbatch.engine.renewal import Deadline
from cosbatch.ledger.port import HeldLease, JobLedger, Renewal
from cosbatch.ledger.sql_ledger import SqlLedger, open_memory_ledger
from cosbatch.model.errors import LedgerUnavailable, StaleFence
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.reports import Part
from cosbatch.model.tasks import Claim, Lease, Then
from tests.contract.ledgers import HandClock, active_job, now, part_of

LEASE_SECONDS = 30.0
SIZES = [1, 2, 1] * 4
"""More than are closed in one run: there must be something to hold."""
NAMES = ("anna", "bert", "cleo")


class Fate(StrEnum):
    """Of a call."""

    ANSWERED = "answered"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"


# Mostly nothing goes wrong: where everything does, nobody holds anything.
FATES = st.sampled_from([*[Fate.ANSWERED] * 6, Fate.REQUEST_LOST, Fate.REPLY_LOST])
WAITS = st.sampled_from([*[0.0] * 8, 0.5, 9.0, 31.0])
ENDINGS = st.sampled_from([Then.KEEP, Then.YIELD, Then.YIELD, Then.FORFEIT, Then.CLOSE])


class SetClock(HandClock):
    """Time passes for all alike; the wall clock of the ledger can be set besides."""

    skew = 0.0

    def now(self) -> float:
        return self.at + self.skew


class LossyLedger:
    """One worker's way to the ledger: each call has a fate, and takes its time before and after it is applied.

    ``meanwhile`` is called while the reply is under way.
    """

    def __init__(self, inner: SqlLedger, clock: HandClock, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self._inner = inner
        self._clock = clock
        self.fate = Fate.ANSWERED
        self.waits = (0.0, 0.0)
        self.calls = 0

    async def claim(self, worker: WorkerId, **options: Any) -> list[Claim]:
        return cast("list[Claim]", await self._call(self._inner.claim, worker, **options))

    async def renew(self, worker: WorkerId, leases: Collection[Lease], **options: Any) -> Renewal:
        return cast("Renewal", await self._call(self._inner.renew, worker, leases, **options))

    async def commit(self, claim: Claim, part: Part | None, **options: Any) -> None:
        await self._call(self._inner.commit, claim, part, **options)

    async def _call(self, method: Any, *args: Any, **options: Any) -> object:
        self.calls += 1
        self._clock.tick(self.waits[0])
        if self.fate is Fate.REQUEST_LOST:
            raise LedgerUnavailable("the request was lost")
        answer: object = await method(*args, **options)
        if self.waits[1]:
            self._meanwhile()
            self._clock.tick(self.waits[1])
        if self.fate is Fate.REPLY_LOST:
            raise LedgerUnavailable("the reply was lost")
        return answer


@dataclass(slots=True)
class Hold:
    """A chunk in a worker's hands."""

    claim: Claim
    deadline: Deadline
    ending: Then | None = None
    """Its last commit is on the way: nothing is sent any more."""

    def may_send(self) -> bool:
        return self.ending is None and not self.deadline.is_over()


@dataclass(slots=True)
class Worker:
    name: WorkerId
    ledger: LossyLedger
    book: LeaseBook
    holds: dict[Lease, Hold] = field(default_factory=dict)
    owes_renewal: bool = False
    """The reply to a claim was lost."""

    def drop(self, lease: Lease) -> None:
        del self.holds[lease]
        self.book.forget(lease)


class Leases(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.ledger = open_memory_ledger(self.clock)
        self.started = 0
        self.clock_was_set = 0
        self.workers = {name: self._start(name) for name in NAMES}
        self.dead: set[WorkerId] = set()
        self.watch = self._watch()

    def _start(self, name: str) -> Worker:
        self.started += 1
        way = LossyLedger(self.ledger, self.clock, lambda: self.the_scheduler_looks(wait=0.0, anew=False))
        worker = WorkerId(f"{name}-{self.started}")
        book = LeaseBook(worker, ledger=cast("JobLedger", way), clock=self.clock, lease_seconds=LEASE_SECONDS)
        return Worker(worker, way, book)

    def _watch(self) -> LeaseWatch:
        return LeaseWatch(clock=self.clock, lease_seconds=LEASE_SECONDS, liveness=self)

    def is_dead(self, owner: WorkerId) -> bool:
        return owner in self.dead

    @initialize()
    def plan(self) -> None:
        self.job = now(active_job(self.ledger, 1, sizes=SIZES))
        for name in NAMES:
            self.claim(name, 2, Fate.ANSWERED, (0.0, 0.0))

    def _on_the_way(self, name: str, fate: Fate, waits: tuple[float, float]) -> Worker:
        worker = self.workers[name]
        worker.ledger.fate, worker.ledger.waits = fate, waits
        return worker

    @rule(name=st.sampled_from(NAMES), room=st.integers(1, 4), fate=FATES, waits=st.tuples(WAITS, WAITS))
    def claim(self, name: str, room: int, fate: Fate, waits: tuple[float, float]) -> None:
        worker = self._on_the_way(name, fate, waits)
        calls, asked_at = worker.ledger.calls, self.clock.boottime()
        try:
            claimed = now(worker.book.claim(room=room, after_job=None))
        except LedgerUnavailable:
            worker.owes_renewal = True
            return
        if worker.owes_renewal:
            assert (claimed, worker.ledger.calls) == ([], calls)
        for claim, deadline in claimed:
            assert deadline.until == asked_at + LEASE_SECONDS, "it counts from before the question"
            worker.holds[claim.lease] = Hold(claim, deadline)

    @rule(name=st.sampled_from(NAMES), fate=FATES, waits=st.tuples(WAITS, WAITS), opened=st.sampled_from([1, 1, 2, 3]))
    def renew(self, name: str, fate: Fate, waits: tuple[float, float], opened: int = 1) -> None:
        """Named are the chunks that are opened already: all, or every second or third."""
        worker = self._on_the_way(name, fate, waits)
        losses, asked_at = self._losses(), self.clock.boottime()
        try:
            now(worker.book.renew(list(worker.holds)[::opened]))
        except LedgerUnavailable:
            return
        if not any(waits):
            assert self._losses() == losses, "what goes back by a renewal is no loss"
        worker.owes_renewal = False
        for lease, hold in list(worker.holds.items()):
            if hold.deadline.lost:
                worker.drop(lease)
        assert {hold.deadline.until for hold in worker.holds.values()} <= {asked_at + LEASE_SECONDS}
        assert self._held_by(worker) == set(worker.holds), "what it does not know of went back"

    @rule(draws=st.data(), name=st.sampled_from(NAMES), then=ENDINGS, fate=FATES, wait=WAITS)
    def commit(self, draws: st.DataObject, name: str, then: Then, fate: Fate, wait: float) -> None:
        worker = self._on_the_way(name, fate, (wait, 0.0))
        if not worker.holds:
            return
        hold = worker.holds[draws.draw(st.sampled_from(sorted(worker.holds, key=lambda lease: lease.seq)))]
        then = hold.ending or then
        if then is not Then.KEEP:
            hold.ending = then
        part = part_of(hold.claim) if then is Then.CLOSE else None
        try:
            now(worker.ledger.commit(hold.claim, part, then=then))
        except LedgerUnavailable:
            return  # it is sent again, by this rule
        except StaleFence:
            worker.drop(hold.claim.lease)
            return
        if then is not Then.KEEP:
            worker.drop(hold.claim.lease)

    @rule(name=st.sampled_from(NAMES), fate=st.sampled_from(["lives", "lives", "dies unseen", "dies"]))
    def die(self, name: str, fate: str) -> None:
        """Another process takes its place. On the same host its death is seen at once, from another one never."""
        if fate == "lives":
            return
        if fate == "dies":
            self.dead.add(self.workers[name].name)
        self.workers[name] = self._start(name)

    @rule(seconds=st.sampled_from([0.5, 5.0, 29.5, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.tick(seconds)

    @rule(seconds=st.sampled_from([5.0, 9.0, 14.0]), times=st.integers(1, 5), alive=st.sets(st.sampled_from(NAMES)))
    def time_passes_in_order(self, seconds: float, times: int, alive: set[str]) -> None:
        """Scheduler and living workers do what they always do; the others stand still."""
        for _ in range(times):
            self.the_scheduler_looks(wait=0.0, anew=False)
            for name in sorted(alive):
                self.renew(name, Fate.ANSWERED, (0.0, 0.0))
                self.claim(name, 1, Fate.ANSWERED, (0.0, 0.0))
            self.whoever_may_send_holds_the_chunk_alone()
            self.clock.tick(seconds)

    @rule(hours=st.sampled_from([-1, 1]))
    def the_ledgers_clock_is_set(self, hours: int) -> None:
        """Never twice to the same instant: a lease that ends at the very instant at which it did before is the same."""
        self.clock_was_set += 1
        self.clock.skew += hours * (3600 + self.clock_was_set / 128)

    @rule(wait=WAITS, anew=st.sampled_from([False, False, False, True]))
    def the_scheduler_looks(self, *, wait: float, anew: bool) -> None:
        if anew:
            self.watch = self._watch()  # another process: it has seen nothing yet
        over = self.watch.over(now(self.ledger.held_leases()))
        self.clock.tick(wait)
        self._expire(over)

    @precondition(lambda self: all(not worker.holds for worker in self.workers.values()))
    @rule()
    def in_the_end_every_chunk_can_be_closed(self) -> None:
        """Nothing is held for ever, whatever was lost."""
        for _ in range(2):
            self._expire(self.watch.over(now(self.ledger.held_leases())))
            self.clock.skew += 10.0**6
            self.clock.tick(LEASE_SECONDS + 1)
        self._expire(self.watch.over(now(self.ledger.held_leases())))
        assert now(self.ledger.held_leases()) == []

    def _expire(self, over: Collection[HeldLease]) -> None:
        for lease in over:
            now(self.ledger.expire(lease, quiet_seconds=0.0))

    def _losses(self) -> list[int]:
        return [state.losses for state in now(self.ledger.chunk_states(self.job))]

    def _held_by(self, worker: Worker) -> set[object]:
        return {held.lease for held in now(self.ledger.held_leases()) if held.owner == worker.name}

    @invariant()
    def whoever_may_send_holds_the_chunk_alone(self) -> None:
        held = {(lease.owner, lease.lease) for lease in now(self.ledger.held_leases())}
        senders: dict[tuple[JobId, int], WorkerId] = {}
        for worker in self.workers.values():
            for lease, hold in worker.holds.items():
                if hold.may_send():
                    assert senders.setdefault((lease.job_id, lease.seq), worker.name) == worker.name
                    assert (worker.name, lease) in held

    def teardown(self) -> None:
        now(self.ledger.close())


Leases.TestCase.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=40)
TestLeases = Leases.TestCase
