"""Anybody asks for any move at any time: only those of the table happen, final is final, and each leaves its event.

Moves are asked for by name, and also come with other calls: taking up a plan, ending it, sealing, and a commit that
brings a job to its end.
"""

from __future__ import annotations

from collections.abc import Coroutine
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from cosbatch.ledger.port import Duty, JobLease
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.errors import IllegalMove, StaleFence
from cosbatch.model.identifiers import Bucket, JobId
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.reports import ReportSpec, ReportState, Tally
from cosbatch.model.states import ENDING, MOVES, Actor, JobStatus, is_final, may_move
from cosbatch.model.tasks import Then
from tests.contract.ledgers import (
    ANNA,
    FINDINGS,
    LEASE_SECONDS,
    PLANNER,
    HandClock,
    active_job,
    bring_to,
    chunk_plan,
    job_id,
    new_job,
    now,
    part_of,
)

JOBS = [job_id(number) for number in (1, 2, 3, 4)]
STATUSES = st.sampled_from(JobStatus)
ACTORS = st.sampled_from(Actor)
OPTIONS_IGNORED = Tally(succeeded=2, ignored_options={"storage class": 2})
"""A commit with this ends its job."""


class States(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.ledger = open_memory_ledger(self.clock)
        self.leases: list[JobLease] = []

    @initialize(statuses=st.tuples(STATUSES, STATUSES))
    def create(self, statuses: tuple[JobStatus, JobStatus]) -> None:
        """One that is new, one that works, and two wherever jobs can be."""
        wanted = ReportSpec(enabled=True, bucket=Bucket("reports"))
        now(new_job(self.ledger, 1, report=wanted))
        now(active_job(self.ledger, 2, sizes=[2] * 5, report=wanted))
        for number, status in enumerate(statuses, 3):
            now(new_job(self.ledger, number, report=wanted))
            now(bring_to(self.ledger, job_id(number), status))

    def _looked(self) -> list[tuple[Job, list[JobEvent]]]:
        return [(now(self.ledger.job(job)), now(self.ledger.events(job))) for job in JOBS]

    def _asked(self, call: Coroutine[Any, Any, object]) -> bool:
        """Whether the call was granted; what it did to every job is checked in any case."""
        self.clock.tick()
        before = self._looked()
        try:
            now(call)
        except (IllegalMove, StaleFence):
            assert self._looked() == before, "a refused call leaves nothing behind"
            return False
        for (job, events), (later, more) in zip(before, self._looked(), strict=True):
            self._check(job, later, events=events, more=more)
        return True

    def _check(self, job: Job, later: Job, *, events: list[JobEvent], more: list[JobEvent]) -> None:
        assert more[: len(events)] == events, "what was written stays"
        new = more[len(events) :]
        moved = [event for event in new if event.kind == "moved"]
        assert [event.status for event in new if event.kind != "moved"] == [later.status] * (len(new) - len(moved))
        walk = [job.status, *(event.status for event in moved)]
        assert walk[-1] is later.status, "no move without its event"
        for (here, there), event in zip(pairwise(walk), moved, strict=True):
            assert may_move(here, there, by=event.actor)
        assert all((event.at, event.job_id) == (self.clock.now(), job.id) for event in new)
        assert later.changed_at == (self.clock.now() if moved else job.changed_at)
        assert (later.ended_at is not None) is is_final(later.status)
        if is_final(job.status):
            assert not moved
            assert (later.priority, later.ended_at) == (job.priority, job.ended_at)

    @rule(job=st.sampled_from(JOBS), expect=st.sets(STATUSES, min_size=9), to=STATUSES, actor=ACTORS)
    def ask_for_any_move(self, job: JobId, expect: set[JobStatus], to: JobStatus, actor: Actor) -> None:
        self._ask(job, expect, to, actor)

    @rule(draws=st.data(), job=st.sampled_from(JOBS), actor=ACTORS)
    def ask_for_a_move_of_the_table(self, draws: st.DataObject, job: JobId, actor: Actor) -> None:
        """Rather one that leads on than one to an end."""
        onward = sorted(MOVES[now(self.ledger.job(job)).status], key=lambda to: to in ENDING)
        if onward:
            self._ask(job, set(JobStatus), draws.draw(st.sampled_from(onward[:1]) | st.sampled_from(onward)), actor)

    def _ask(self, job: JobId, expect: set[JobStatus], to: JobStatus, actor: Actor) -> None:
        current = now(self.ledger.job(job)).status
        reason = f"{actor} wants {to}"
        granted = self._asked(self.ledger.move(job, expect=expect, to=to, actor=actor, reason=reason))
        assert granted == (current in expect and may_move(current, to, by=actor))
        if granted:
            last = now(self.ledger.events(job))[-1]
            assert (last.kind, last.status, last.actor, last.reason) == ("moved", to, actor, reason)

    @rule(job=st.sampled_from(JOBS), priority=st.integers(0, 3), actor=ACTORS)
    def set_priority(self, job: JobId, priority: int, actor: Actor) -> None:
        status = now(self.ledger.job(job)).status
        assert self._asked(self.ledger.set_priority(job, priority=priority, actor=actor)) is not is_final(status)

    @rule(job=st.sampled_from(JOBS), duty=st.sampled_from(Duty))
    def take_up_a_duty(self, job: JobId, duty: Duty) -> None:
        async def take() -> None:
            lease = await self.ledger.claim_job(PLANNER, job_id=job, duty=duty, lease_seconds=LEASE_SECONDS)
            if lease is not None:
                self.leases.append(lease)

        self._asked(take())

    @rule(draws=st.data(), to=st.sampled_from([JobStatus.READY, JobStatus.SUSPENDED]))
    def end_a_plan(self, draws: st.DataObject, to: JobStatus) -> None:
        lease = self._lease(draws, Duty.PLAN)
        if lease and self._asked(self.ledger.add_chunks(lease, chunk_plan([2, 2]), planned_rows=4)):
            self._asked(self.ledger.finish_plan(lease, findings=FINDINGS, to=to, reason="planned"))

    @rule(draws=st.data(), to=st.none() | STATUSES, state=st.sampled_from(ReportState))
    def end_a_report(self, draws: st.DataObject, to: JobStatus | None, state: ReportState) -> None:
        if lease := self._lease(draws, Duty.SEAL):
            self._asked(self.ledger.report_done(lease, state=state, location="s3://r/x", to=to, reason="sealed"))

    def _lease(self, draws: st.DataObject, duty: Duty) -> JobLease | None:
        """One that was given at some time; it may be over."""
        leases = [lease for lease in self.leases if lease.duty is duty]
        return draws.draw(st.sampled_from(leases)) if leases else None

    @rule(tally=st.sampled_from([None, OPTIONS_IGNORED]), is_late=st.booleans())
    def work(self, *, tally: Tally | None, is_late: bool) -> None:
        claims = now(self.ledger.claim(ANNA, room=1, lease_seconds=LEASE_SECONDS))
        for claim in claims:
            job = claim.lease.job_id
            if is_late:
                self._ask(job, set(JobStatus), JobStatus.CANCELLING, Actor.USER)
            before = now(self.ledger.job(job)).status
            part = part_of(claim, tally=tally)
            assert self._asked(self.ledger.commit(claim, part, then=Then.CLOSE))
            ends = tally is not None and len(part.settled) and before in (JobStatus.ACTIVE, JobStatus.PAUSING)
            assert now(self.ledger.job(job)).status is (JobStatus.FAILING if ends else before)

    @rule()
    def leases_end(self) -> None:
        for held in now(self.ledger.held_leases()):
            self._asked(self.ledger.expire(held, quiet_seconds=0.0))

    def teardown(self) -> None:
        now(self.ledger.close())


States.TestCase.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=30)
TestStates = States.TestCase
