"""Any history of calls leaves the ledger consistent: counters equal bits, parts do not overlap, moves are legal."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import reduce
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import IllegalMove, StaleFence
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job
from cosbatch.model.reports import Part, Tally
from cosbatch.model.states import Actor, JobStatus, may_move
from cosbatch.model.tasks import Claim, Then
from tests.contract.ledgers import ANNA, BERT, LEASE_SECONDS, HandClock, active_job, job_id

T = TypeVar("T")
SIZES = [3, 5, 2, 4]
WORKERS = st.sampled_from([ANNA, BERT])
JOBS = st.sampled_from([job_id(1), job_id(2)])


def now(call: Coroutine[Any, Any, T]) -> T:
    """The result of a call that never suspends."""
    try:
        call.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a call of the ledger in memory suspended")


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.ledger = open_memory_ledger(self.clock)
        self.claims: list[Claim] = []
        self.fences: dict[tuple[JobId, int], int] = {}

    @initialize()
    def plan(self) -> None:
        for number in (1, 2):
            now(active_job(self.ledger, number, sizes=SIZES, priority=number))

    @rule(worker=WORKERS, room=st.integers(0, 12))
    def claim(self, worker: str, room: int) -> None:
        for claim in now(self.ledger.claim(worker, room=room, lease_seconds=LEASE_SECONDS)):  # type: ignore[arg-type]
            place = (claim.lease.job_id, claim.lease.seq)
            assert claim.lease.fence > self.fences.get(place, 0)
            self.fences[place] = claim.lease.fence
            self.claims.append(claim)

    @rule(chosen=st.data(), then=st.sampled_from(Then), tasks=st.sets(st.integers(0, 4)))
    def commit(self, chosen: st.DataObject, then: Then, tasks: set[int]) -> None:
        if not self.claims:
            return
        claim = chosen.draw(st.sampled_from(self.claims))
        settled = Bitmap.of((task for task in tasks if task < claim.task_count), size=claim.task_count)
        name = f"{claim.lease.job_id}-{claim.lease.seq}-{claim.lease.fence}-{settled.bits}"
        part = Part(spool_name=name, settled=settled, tally=Tally(succeeded=len(settled)))
        try:
            now(self.ledger.commit(claim, part if tasks else None, then=then))
        except (StaleFence, ValueError):
            return

    @rule(chosen=st.data(), repeat=st.booleans())
    def expire(self, chosen: st.DataObject, repeat: bool) -> None:
        if held := now(self.ledger.held_leases()):
            seen = chosen.draw(st.sampled_from(held))
            assert now(self.ledger.expire(seen, quiet_seconds=5))
            assert not (repeat and now(self.ledger.expire(seen, quiet_seconds=5)))

    @rule(worker=WORKERS, named=st.sets(st.integers(0, 7)))
    def renew(self, worker: str, named: set[int]) -> None:
        leases = [claim.lease for number, claim in enumerate(self.claims) if number % 8 in named]
        found = now(self.ledger.renew(worker, leases, lease_seconds=LEASE_SECONDS))  # type: ignore[arg-type]
        still = {held.lease for held in now(self.ledger.held_leases()) if held.owner == worker}
        assert found.confirmed == still <= set(leases)

    @rule(job=JOBS, to=st.sampled_from(JobStatus), actor=st.sampled_from(Actor))
    def move(self, job: JobId, to: JobStatus, actor: Actor) -> None:
        before = now(self.ledger.job(job)).status
        try:
            now(self.ledger.move(job, expect=list(JobStatus), to=to, actor=actor, reason=""))
        except IllegalMove:
            assert not may_move(before, to, by=actor)

    @rule()
    def time_passes(self) -> None:
        self.clock.tick(20)

    @invariant()
    def statuses_moved_along_the_table(self) -> None:
        for job in now(self.ledger.jobs()):
            current = JobStatus.NEW
            for event in now(self.ledger.events(job.id)):
                assert may_move(current, event.status, by=event.actor)
                current = event.status
            assert current is job.status

    @invariant()
    def counters_equal_bits(self) -> None:
        for job in now(self.ledger.jobs()):
            self._check_counters(job)

    def _check_counters(self, job: Job) -> None:
        parts = [committed for _, committed in now(self.ledger.parts(job.id))]
        assert job.tally == reduce(Tally.plus, (each.part.tally for each in parts), Tally())
        states = now(self.ledger.chunk_states(job.id))
        for state in states:
            union = Bitmap(size=state.task_count)
            for each in parts:
                if each.seq == state.seq:
                    assert union.is_disjoint(each.part.settled)
                    union |= each.part.settled
            assert union == state.settled
        assert job.chunks_closed <= sum(state.settled.is_full() for state in states)

    def teardown(self) -> None:
        now(self.ledger.close())


Histories.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None, derandomize=True)
TestHistories = Histories.TestCase
