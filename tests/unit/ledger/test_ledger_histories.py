"""Any history of calls leaves the ledger consistent: counters equal bits, parts do not overlap, moves are legal.

The SQL ledger and the one in memory live through each history side by side, and every answer is compared.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from functools import reduce
from itertools import product
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cosbatch.ledger.list_port import JobFilter, JobGroup, JobSort, ListOrder, ListPlace
from cosbatch.ledger.port import Duty, JobLease
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode, IllegalMove, NoSuchJob, StaleFence, TokenReused
from cosbatch.model.identifiers import (
    LOCAL_ACCOUNT,
    AccountId,
    Bucket,
    JobId,
    ObjectKey,
    ObjectRef,
    RegionName,
    WorkerId,
)
from cosbatch.model.jobs import Hold, Job, PausedBy
from cosbatch.model.reports import FAILURES_KEPT, CodeTally, FailureSample, Part, ReportSpec, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus, may_move
from cosbatch.model.tasks import Claim, NewChunk, Then, UploadRecord
from tests.contract.ledger_pair import open_pair
from tests.contract.ledgers import ANNA, BERT, FINDINGS, LEASE_SECONDS, HandClock, active_job, job_id, now, request

T = TypeVar("T")
SIZES = [3, 5, 2, 4]
WORKERS = st.sampled_from([ANNA, BERT])
JOBS = st.sampled_from([job_id(number) for number in (1, 2, 3, 4)])
"""The first two are there from the beginning; the others may be made."""
USUAL = [JobStatus.ACTIVE, JobStatus.PAUSING, JobStatus.PAUSED, JobStatus.ACTIVE]
"""Moves after which there is still something to do."""
REFUSED = (StaleFence, IllegalMove, NoSuchJob, TokenReused, ValueError)
TALLIES = st.builds(
    Tally,
    failed=st.integers(0, 3),
    outside_rate=st.integers(0, 2),
    codes=st.dictionaries(
        st.sampled_from(["NoSuchKey", "AccessDenied"]),
        st.builds(CodeTally, count=st.integers(1, 3), samples=st.just(("k\n",))),
    ),
    ignored_options=st.dictionaries(st.sampled_from(["tagging"]), st.just(1)),
)
REPORTS = st.sampled_from([ReportSpec(enabled=False), ReportSpec(enabled=True, bucket=Bucket("reports"))])


def tried(call: Coroutine[Any, Any, T]) -> T | None:
    """Its result, or None where it is refused: what matters then is that both ledgers refuse it alike."""
    try:
        return now(call)
    except REFUSED:
        return None


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.ledger = open_pair(self.clock)
        self.lists = self.ledger.lists
        self.claims: list[Claim] = []
        self.leases: list[JobLease] = []
        self.fences: dict[tuple[JobId, int], int] = {}

    @initialize()
    def plan(self) -> None:
        for number in (1, 2):
            now(active_job(self.ledger, number, sizes=SIZES, priority=number))

    # --- workers

    @rule(worker=WORKERS, room=st.integers(0, 12), after=st.none() | JOBS, but_not=st.sets(JOBS, max_size=1))
    def claim(self, worker: WorkerId, room: int, after: JobId | None, but_not: set[JobId]) -> None:
        asked = self.ledger.claim(worker, room=room, lease_seconds=LEASE_SECONDS, after_job=after, but_not=but_not)
        for claim in now(asked):
            place = (claim.lease.job_id, claim.lease.seq)
            assert claim.lease.fence > self.fences.get(place, 0)
            self.fences[place] = claim.lease.fence
            self.claims.append(claim)

    @rule(chosen=st.data(), then=st.sampled_from(Then), tasks=st.sets(st.integers(0, 4)), tally=TALLIES)
    def commit(self, chosen: st.DataObject, then: Then, tasks: set[int], tally: Tally) -> None:
        if self.claims:
            claim = self._some_claim(chosen)
            settled = Bitmap.of((task for task in tasks if task < claim.task_count), size=claim.task_count)
            self._commit(claim, settled, then=then, tally=tally)

    @rule(chosen=st.data())
    def commit_what_is_left(self, chosen: st.DataObject) -> None:
        if self.claims:
            claim = self._some_claim(chosen)
            [state] = now(self.ledger.chunk_states(claim.lease.job_id, after_seq=claim.lease.seq - 1, limit=1))
            self._commit(claim, Bitmap.full(claim.task_count) - state.settled, then=Then.CLOSE, tally=Tally())

    def _commit(self, claim: Claim, settled: Bitmap, *, then: Then, tally: Tally) -> None:
        name = f"{claim.lease.job_id}-{claim.lease.seq}-{claim.lease.fence}-{settled.bits}"
        samples = tuple(
            FailureSample(error_code=code, key=ObjectKey("k\n"), http_status=404)
            for code, one in tally.codes.items()
            for _ in range(one.count)
        )
        part = Part(spool_name=name, settled=settled, tally=replace(tally, succeeded=len(settled)), samples=samples)
        tried(self.ledger.commit(claim, part if settled else None, then=then, quiet_seconds=7))

    def _some_claim(self, chosen: st.DataObject) -> Claim:
        """A late one: it is more likely to be held."""
        return chosen.draw(st.sampled_from(self.claims[-4:]))

    @rule(chosen=st.data(), place=st.integers(-1, 5))
    def mark(self, chosen: st.DataObject, place: int) -> None:
        if self.claims:
            claim = self._some_claim(chosen)
            tried(self.ledger.mark_started(claim, claim.first_task + place))

    @rule(times=st.integers(1, 3))
    def wear_out(self, times: int) -> None:
        """The same chunk is lost again and again."""
        for _ in range(times):
            self.claim(BERT, 1, None, set())
            for seen in now(self.ledger.held_leases()):
                if self.claims and seen.lease == self.claims[-1].lease:
                    assert now(self.ledger.expire(seen, quiet_seconds=5))

    @rule(chosen=st.data(), upload_id=st.sampled_from("ab"), task=st.integers(0, 1), ends=st.booleans())
    def upload(self, chosen: st.DataObject, upload_id: str, task: int, ends: bool) -> None:
        if self.claims:
            lease = self._some_claim(chosen).lease
            target = ObjectRef(bucket=Bucket("target"), key=ObjectKey("k\n\udcff"), version_id=None)
            record = UploadRecord(task_number=task, target=target, upload_id=upload_id, fence=lease.fence)
            tried(self.ledger.add_upload(lease, record))
            if ends:
                now(self.ledger.remove_upload(lease.job_id, upload_id))

    @rule(chosen=st.data(), repeat=st.booleans())
    def expire(self, chosen: st.DataObject, repeat: bool) -> None:
        if held := now(self.ledger.held_leases()):
            seen = chosen.draw(st.sampled_from(held))
            assert now(self.ledger.expire(seen, quiet_seconds=5))
            assert not (repeat and now(self.ledger.expire(seen, quiet_seconds=5)))

    @rule(chosen=st.data(), too_late=st.booleans())
    def quieten(self, chosen: st.DataObject, too_late: bool) -> None:
        if queued := now(self.ledger.queued_jobs()):
            job = chosen.draw(st.sampled_from(queued))
            said = now(self.ledger.quieten(job.job.id, quiet_at=job.quiet_at + too_late))
            assert said == (not job.is_quiet and not too_late)

    @rule(worker=WORKERS, named=st.sets(st.integers(0, 7)))
    def renew(self, worker: WorkerId, named: set[int]) -> None:
        leases = [claim.lease for number, claim in enumerate(self.claims) if number % 8 in named]
        found = now(self.ledger.renew(worker, leases, lease_seconds=LEASE_SECONDS))
        held = [each for each in now(self.ledger.held_leases()) if not isinstance(each.lease, JobLease)]
        still = {each.lease for each in held if each.owner == worker}
        assert found.confirmed == still <= set(leases)

    # --- users and scheduler

    @rule(
        job=JOBS, token=st.sampled_from(["", "t"]), digest=st.sampled_from("de"), report=REPORTS,
        account=st.sampled_from([AccountId("a"), AccountId("b")]),
    )  # fmt: skip
    def create(self, job: JobId, token: str, digest: str, report: ReportSpec, account: AccountId) -> None:
        wanted = request(priority=1, report=report, region=RegionName(f"region-{report.enabled}"))
        tried(self.ledger.create(wanted, job_id=job, account=account, token=token, digest=digest))

    @rule(
        job=JOBS, to=st.sampled_from([*USUAL * 6, *JobStatus]), actor=st.sampled_from(Actor),
        paused_by=st.sampled_from([None, *PausedBy]), failure=st.sampled_from([None, FailureCode.INTERNAL_ERROR]),
    )  # fmt: skip
    def move(
        self, job: JobId, to: JobStatus, actor: Actor, paused_by: PausedBy | None, failure: FailureCode | None
    ) -> None:
        before = tried(self.ledger.job(job))
        asked = self.ledger.move(
            job, expect=list(JobStatus), to=to, actor=actor, reason="", paused_by=paused_by, failure=failure
        )
        moved = tried(asked) is not None
        assert moved == (before is not None and may_move(before.status, to, by=actor))

    @rule(job=JOBS, to=st.sampled_from([JobStatus.ACTIVE, JobStatus.PAUSING]), expect=st.sampled_from(JobStatus))
    def move_if(self, job: JobId, to: JobStatus, expect: JobStatus) -> None:
        tried(self.ledger.move(job, expect=[expect], to=to, actor=Actor.USER, reason="if"))

    @rule(job=JOBS, priority=st.integers(0, 3))
    def set_priority(self, job: JobId, priority: int) -> None:
        tried(self.ledger.set_priority(job, priority=priority, actor=Actor.USER))

    @rule(job=JOBS, bucket=st.sampled_from(["", "b", "c"]), since=st.integers(1, 3))
    def set_hold(self, job: JobId, bucket: str, since: int) -> None:
        tried(self.ledger.set_hold(job, Hold(bucket=bucket, reason="503", since=since) if bucket else None))

    # --- planner and finisher

    @rule(worker=WORKERS, job=JOBS, duty=st.sampled_from(Duty))
    def claim_job(self, worker: WorkerId, job: JobId, duty: Duty) -> None:
        if lease := tried(self.ledger.claim_job(worker, job_id=job, duty=duty, lease_seconds=LEASE_SECONDS)):
            self.leases.append(lease)

    @rule(chosen=st.data(), sizes=st.lists(st.integers(0, 3), max_size=2), back=st.sampled_from([0, 0, 0, 1]))
    def add_chunks(self, chosen: st.DataObject, sizes: list[int], back: int) -> None:
        if self.leases:
            lease = chosen.draw(st.sampled_from(self.leases[-2:]))
            states = now(self.ledger.chunk_states(lease.job_id))
            seq = max(len(states) - back, 0)
            first_task = states[seq].first_task if seq < len(states) else sum(state.task_count for state in states)
            chunks = []
            for size in sizes:
                name = f"chunks/{seq}-{size}"
                chunks.append(NewChunk(seq=seq, first_task=first_task, task_count=size, spool_name=name))
                seq, first_task = seq + 1, first_task + size
            tried(self.ledger.add_chunks(lease, chunks, planned_rows=first_task))

    @rule(chosen=st.data(), to=st.sampled_from([JobStatus.READY, JobStatus.READY, JobStatus.SUSPENDED, JobStatus.NEW]))
    def finish_plan(self, chosen: st.DataObject, to: JobStatus) -> None:
        if self.leases:
            lease = chosen.draw(st.sampled_from(self.leases[-2:]))
            tried(self.ledger.finish_plan(lease, findings=FINDINGS, to=to, reason="planned"))

    @rule(
        chosen=st.data(),
        state=st.sampled_from(ReportState),
        to=st.none() | st.sampled_from(JobStatus),
        hold=st.none()
        | st.builds(Hold, bucket=st.sampled_from(["source", "r"]), reason=st.just("503"), since=st.just(2.0)),
    )
    def report_done(self, chosen: st.DataObject, state: ReportState, to: JobStatus | None, hold: Hold | None) -> None:
        if self.leases:
            lease = chosen.draw(st.sampled_from(self.leases[-2:]))
            done = self.ledger.report_done(lease, state=state, location="s3://r/m", to=to, reason="sealed", hold=hold)
            tried(done)

    @rule(chosen=st.data(), releases=st.booleans())
    def renew_job(self, chosen: st.DataObject, releases: bool) -> None:
        if self.leases:
            lease = chosen.draw(st.sampled_from(self.leases[-2:]))
            tried(self.ledger.renew_job(lease, lease_seconds=LEASE_SECONDS))
            if releases:
                now(self.ledger.release_job(lease))

    @rule(job=JOBS)
    def remove(self, job: JobId) -> None:
        tried(self.ledger.remove(job))

    @rule(older_than_seconds=st.sampled_from([0.0, 30.0]), limit=st.integers(1, 2))
    def remove_ended(self, older_than_seconds: float, limit: int) -> None:
        now(self.ledger.remove_ended(older_than_seconds=older_than_seconds, limit=limit))

    @rule(job=JOBS)
    def delete_some_rows(self, job: JobId) -> None:
        now(self.ledger.delete_some_rows(job))
        if job not in now(self.ledger.known_jobs([job])):
            self.fences = {place: fence for place, fence in self.fences.items() if place[0] != job}

    @rule(job=JOBS, status=st.sampled_from([JobStatus.READY, JobStatus.PAUSED]), reason=st.sampled_from(["x", "y"]))
    def explain(self, job: JobId, status: JobStatus, reason: str) -> None:
        now(self.ledger.explain(job, status=status, reason=reason))

    @rule(seconds=st.sampled_from([20, 20, 20, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.tick(seconds)

    # --- what holds at every moment

    @rule()
    def both_ledgers_show_the_same(self) -> None:
        """The pair compares; here it is only asked."""
        now(self.ledger.queued_jobs())
        now(self.ledger.held_leases())
        now(self.ledger.pulses([job_id(1), job_id(3), job_id(9)]))
        now(self.ledger.jobs(account=AccountId("a"), token="t", after=job_id(4), limit=1))
        now(self.ledger.jobs(statuses=[JobStatus.ACTIVE, JobStatus.NEW]))
        now(self.ledger.jobs(region=RegionName("here"), created_after=self.clock.now() - 50, token_prefix="t"))
        now(self.ledger.removed_jobs())
        now(self.lists.recent_results([job_id(1), job_id(3)]))
        for sort, is_descending in product(JobSort, (True, False)):
            order = ListOrder(sort=sort, is_descending=is_descending)
            self._page_through(JobFilter(account=LOCAL_ACCOUNT), order)
            self._page_through(JobFilter(account=AccountId("a"), groups=frozenset({JobGroup.NEEDS_ATTENTION})), order)
        now(self.ledger.known_jobs([job_id(1), job_id(3), job_id(9)]))
        for job in (job_id(1), job_id(2), job_id(3)):
            now(self.ledger.uploads(job))
            now(self.ledger.uploads(job, task_number=1))
            now(self.ledger.part_names(job, first_seq=1, last_seq=2))
            now(self.ledger.parts(job, after=(0, 0), limit=2))
            now(self.ledger.chunk_states(job, after_seq=1, limit=1))

    def _page_through(self, wanted: JobFilter, order: ListOrder) -> None:
        """The pair compares the pages; here every job is seen once."""
        seen: list[JobId] = []
        after: ListPlace | None = None
        while True:
            page = now(self.lists.list_jobs(wanted, order=order, after=after, limit=1))
            seen += [job.id for job in page.jobs]
            after = page.next
            if after is None:
                break
        taken = [
            each.count for each in page.counts if wanted.takes(each.status, is_over_threshold=each.is_over_threshold)
        ]
        assert len(seen) == len(set(seen)) == sum(taken)

    @invariant()
    def statuses_moved_along_the_table(self) -> None:
        for job in now(self.ledger.jobs()):
            current = JobStatus.NEW
            for event in now(self.ledger.events(job.id)):
                if event.kind != "moved":
                    assert event.status is current or event.kind == "report"
                    continue
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
        points = now(self.lists.series(job.id)).points
        assert sum(point.succeeded for point in points) == job.tally.succeeded
        assert sum(point.failed for point in points) == job.tally.failed
        kept = {code: len(samples) for code, samples in now(self.lists.failure_samples(job.id)).items()}
        assert kept == {code: min(one.count, FAILURES_KEPT) for code, one in job.tally.codes.items()}
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
        self.both_ledgers_show_the_same()
        now(self.ledger.close())


Histories.TestCase.settings = settings(max_examples=settings().max_examples * 2 // 5, stateful_step_count=50)
"""Long histories, and fewer of them than of other examples: five seconds, or two minutes where many are asked for."""
TestHistories = pytest.mark.timeout(1800)(Histories.TestCase)
