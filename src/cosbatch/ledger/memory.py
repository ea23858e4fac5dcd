"""The JobLedger in plain Python objects: for tests and simulations, where SQL would be most of the cost.

It decides by the same rules as the SQL ledger and passes the same contract suite. No call of it ever suspends, so each
is one transaction; it checks everything before it changes anything. Nothing survives the process.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from cosbatch.ledger.memory_lists import MemoryJobLists
from cosbatch.ledger.memory_rows import ChunkRow, JobRow, census_of, copied_part
from cosbatch.ledger.memory_webhooks import MemoryWebhookLedger
from cosbatch.ledger.port import (
    ChunkState,
    CommittedPart,
    Duty,
    HeldLease,
    JobLease,
    JobLedger,
    Pulse,
    QueuedJob,
    Renewal,
)
from cosbatch.ledger.rate_shares import LONG_SILENT, RateShare, RateWish, grant
from cosbatch.ledger.rules import (
    CREATED,
    PLANNING_BEGINS,
    REDELIVERED,
    check_continues,
    check_count,
    check_is_in_chunk,
    check_may_be_removed,
    check_plans,
    check_priority_may_change,
    check_quota,
    check_same_job,
    fits,
    hold_after,
    hold_after_report,
    illegal_move,
    may_redeliver,
    may_wait,
    new_job,
    no_such_job,
    settled_after,
    stale,
    stale_job,
    taken_id,
    told_of_priority,
    told_of_report,
    unknown_chunks,
)
from cosbatch.ledger.turns import ClaimableJob, Offer, claimable_now, filled, offers_in_turn
from cosbatch.model.census import JobCensus
from cosbatch.model.clock import Clock
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId, RegionName, WorkerId
from cosbatch.model.jobs import Hold, Job, JobEvent, JobRequest, PausedBy, PlanFindings
from cosbatch.model.regions import CappedPlace, Place
from cosbatch.model.reports import Part, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus, is_final
from cosbatch.model.tasks import Claim, Lease, NewChunk, Then, UploadRecord
from cosbatch.model.workers import WorkerMetrics, WorkerProcess, WorkerSeen

_NOTHING: Final = Tally()


class MemoryLedger(JobLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[JobId, JobRow] = {}
        self._ids: list[JobId] = []
        """Ascending: oldest first."""
        self._processes: dict[WorkerId, WorkerSeen] = {}
        self._shares: dict[CappedPlace, dict[WorkerId, RateShare]] = {}
        self.lists = MemoryJobLists(self._rows, clock)
        self.webhooks = MemoryWebhookLedger(clock)

    async def close(self) -> None:
        """There is nothing to give back."""

    # --- what users want

    async def create(
        self,
        request: JobRequest,
        *,
        job_id: JobId,
        account: AccountId,
        token: str,
        digest: str,
        by: str = "",
        max_unfinished: int | None = None,
    ) -> Job:
        known = self._rows.get(job_id) or self._with_token(request, account=account, token=token)
        if known is None:
            check_quota(account, unfinished=self._unfinished(account), max_unfinished=max_unfinished)
            now = self._clock.now()
            job = new_job(request, job_id=job_id, account=account, token=token, now=now, by=by)
            known = self._rows[job_id] = JobRow(job=job, digest=digest, tell_webhooks=self.webhooks.put)
            known.tell("created", actor=Actor.USER, reason=CREATED, now=now, by=by)
            self.webhooks.put(job, None, CREATED)
            insort(self._ids, job_id)
        if known.is_removed:
            raise taken_id(job_id)
        check_same_job(known.job, known_digest=known.digest, account=account, digest=digest)
        return known.as_seen()

    async def job(self, job_id: JobId, *, account: AccountId | None = None) -> Job:
        row = self._row(job_id)
        if account not in (None, row.job.account):
            raise no_such_job(job_id)
        return row.as_seen()

    async def jobs(
        self,
        *,
        account: AccountId | None = None,
        region: RegionName | None = None,
        statuses: Collection[JobStatus] = (),
        created_after: float | None = None,
        after: JobId | None = None,
        limit: int = 1000,
        token: str | None = None,
        token_prefix: str | None = None,
    ) -> list[Job]:
        found = [
            row
            for row in map(self._rows.__getitem__, reversed(self._ids))
            if not row.is_removed
            and account in (None, row.job.account)
            and region in (None, row.job.request.region)
            and (created_after is None or row.job.created_at > created_after)
            and (not statuses or row.job.status in statuses)
            and (after is None or row.job.id < after)
            and token in (None, row.job.token)
            and (token_prefix is None or row.job.token.startswith(token_prefix))
        ]
        return [row.as_seen() for row in found[:limit]]

    async def move(
        self,
        job_id: JobId,
        *,
        expect: Collection[JobStatus],
        to: JobStatus,
        actor: Actor,
        reason: str,
        by: str = "",
        paused_by: PausedBy | None = None,
        failure: FailureCode | None = None,
    ) -> Job:
        row = self._row(job_id)
        if row.job.status not in expect:
            raise illegal_move(job_id, row.job.status, to=to, actor=actor)
        now = self._clock.now()
        row.move(to=to, actor=actor, reason=reason, now=now, by=by, paused_by=paused_by, failure=failure)
        return row.as_seen()

    async def set_priority(self, job_id: JobId, *, priority: int, actor: Actor, by: str = "") -> Job:
        row = self._row(job_id)
        check_priority_may_change(job_id, row.job.status)
        before = row.job.priority
        if priority != before:
            row.change({"priority": priority})
            row.tell("priority", actor=actor, reason=told_of_priority(before, priority), now=self._clock.now(), by=by)
        return row.as_seen()

    async def events(self, job_id: JobId, *, after: int = 0, limit: int | None = None) -> list[JobEvent]:
        row = self._rows.get(job_id)
        found = [] if row is None or row.is_removed else row.events[after:]
        return found[:limit]

    async def redeliver(self, job_id: JobId, *, by: str = "") -> Job:
        row, now = self._row(job_id), self._clock.now()
        if may_redeliver(job_id, row.job.status, report_state=row.job.report_state):
            row.change({"report_state": ReportState.PENDING, "report_location": "", "report_asked_at": now})
            row.tell("report", actor=Actor.USER, reason=REDELIVERED, now=now, by=by)
        return row.as_seen()

    async def explain(self, job_id: JobId, *, status: JobStatus, reason: str) -> bool:
        row = self._rows.get(job_id)
        if row is None or row.job.status is not status or row.job.status_reason == reason:
            return False
        row.change({"status_reason": reason})
        row.tell("waiting", actor=Actor.ENGINE, reason=reason, now=self._clock.now())
        return True

    async def set_hold(self, job_id: JobId, hold: Hold | None) -> None:
        row = self._row(job_id)
        if not may_wait(row.job.status, report_state=row.job.report_state):
            hold = None
        shown, told = hold_after(row.job.hold, hold)
        row.change({"hold": shown})
        for kind, reason in told:
            row.tell(kind, actor=Actor.ENGINE, reason=reason, now=self._clock.now())

    # --- removing

    async def remove(self, job_id: JobId) -> None:
        row = self._row(job_id)
        check_may_be_removed(job_id, row.job.status, report_state=row.job.report_state)
        row.remove()

    async def remove_ended(self, *, older_than_seconds: float, limit: int) -> list[JobId]:
        before = self._clock.now() - older_than_seconds
        ended = [
            (row.job.ended_at, row.job.id, row)
            for row in self._rows.values()
            if row.job.ended_at is not None and row.job.ended_at < before
            if not row.is_removed and row.job.report_state is not ReportState.PENDING
        ]
        found = [row for _, _, row in sorted(ended, key=lambda each: each[:2])[:limit]]
        for row in found:
            row.remove()
        return [row.job.id for row in found]

    async def removed_jobs(self, *, limit: int = 100) -> list[JobId]:
        return [row.job.id for row in self._oldest_first() if row.is_removed][:limit]

    async def delete_some_rows(self, job_id: JobId) -> bool:
        row = self._rows.get(job_id)
        if row is None or not row.is_removed:
            return False
        if row.forget_some():
            return True
        del self._rows[job_id]
        self._ids.remove(job_id)
        return False

    async def known_jobs(self, job_ids: Collection[JobId]) -> frozenset[JobId]:
        return frozenset(job_id for job_id in job_ids if job_id in self._rows)

    # --- scheduling

    async def queued_jobs(self) -> list[QueuedJob]:
        taken = self._taken_places()
        now = self._clock.now()
        return [row.as_queued(taken, now=now) for row in self._oldest_first() if row.is_queued]

    async def held_leases(self) -> list[HeldLease]:
        now = self._clock.now()
        of_chunks = [held for row in self._oldest_first() for held in row.held_chunks(now=now)]
        of_jobs = [row.held(row.lease, now=now) for row in self._oldest_first() if row.lease is not None]
        return of_chunks + of_jobs

    async def expire(self, held: HeldLease, *, quiet_seconds: float) -> bool:
        row = self._rows.get(held.lease.job_id)
        if row is None or not row.expire(held):
            return False
        row.be_quiet(until=self._clock.now() + quiet_seconds)
        return True

    async def quieten(self, job_id: JobId, *, quiet_at: float) -> bool:
        row = self._rows.get(job_id)
        if row is None or not quiet_at or row.quiet_at != quiet_at:
            return False
        row.quiet_at = 0.0
        return True

    # --- planning and sealing

    async def claim_job(self, worker: WorkerId, *, job_id: JobId, duty: Duty, lease_seconds: float) -> JobLease | None:
        row = self._row(job_id)
        status = row.job.status
        if row.lease is not None or not fits(duty, status=status, report_state=row.job.report_state):
            return None
        now = self._clock.now()
        if status is JobStatus.NEW:
            row.move(to=JobStatus.PREPARING, actor=Actor.ENGINE, reason=PLANNING_BEGINS, now=now)
        row.fence += 1
        row.lease = JobLease(job_id=job_id, owner=worker, fence=row.fence, duty=duty)
        row.lease_until = now + lease_seconds
        return row.lease

    async def renew_job(self, lease: JobLease, *, lease_seconds: float) -> None:
        row = self._rows.get(lease.job_id)
        if row is None or not row.is_held_by(lease):
            raise stale_job(lease)
        row.lease_until = self._clock.now() + lease_seconds

    async def release_job(self, lease: JobLease) -> None:
        row = self._rows.get(lease.job_id)
        if row is not None and row.is_held_by(lease):
            row.lease = None

    async def add_chunks(self, lease: JobLease, chunks: Sequence[NewChunk], *, planned_rows: int) -> None:
        check_count(chunks)
        row = self._planned_under(lease)
        job = row.job
        known = {chunk.planned.seq: chunk.planned.spool_name for chunk in row.chunks}
        new = unknown_chunks(job.id, chunks, known=known)
        check_continues(job.id, new, chunk_count=job.chunk_count, planned_rows=job.planned_rows, end=planned_rows)
        for chunk in new:
            row.add_chunk(chunk)
        row.change({"planned_rows": max(planned_rows, job.planned_rows), "chunk_count": len(row.chunks)})

    async def chunk_states(self, job_id: JobId, *, after_seq: int = -1, limit: int = 1000) -> list[ChunkState]:
        chunks = self._chunks(job_id)[max(after_seq + 1, 0) :]
        return [chunk.state() for chunk in chunks[:limit]]

    async def finish_plan(self, lease: JobLease, *, findings: PlanFindings, to: JobStatus, reason: str) -> Job:
        row = self._planned_under(lease)
        found = {"findings": findings, "total": row.job.planned_rows}
        row.move(to=to, actor=Actor.ENGINE, reason=reason, now=self._clock.now(), also=found)
        row.lease = None
        return row.as_seen()

    async def parts(
        self, job_id: JobId, *, after: tuple[int, int] = (-1, -1), limit: int = 1000
    ) -> list[tuple[tuple[int, int], CommittedPart]]:
        found = [
            ((chunk.planned.seq, place), part)
            for chunk in self._chunks(job_id)[max(after[0], 0) :]
            for place, part in enumerate(chunk.parts)
            if (chunk.planned.seq, place) > after
        ]
        return [(place, CommittedPart(seq=place[0], part=copied_part(part))) for place, part in found[:limit]]

    async def part_names(self, job_id: JobId, *, first_seq: int, last_seq: int) -> frozenset[str]:
        chunks = self._chunks(job_id)[first_seq : last_seq + 1]
        return frozenset(part.spool_name for chunk in chunks for part in chunk.parts)

    async def report_done(
        self,
        lease: JobLease,
        *,
        state: ReportState,
        location: str,
        to: JobStatus | None,
        reason: str,
        failure: FailureCode | None = None,
        hold: Hold | None = None,
    ) -> Job:
        row = self._held_under(lease)
        now, before = self._clock.now(), row.job.report_state
        shown, told_of_hold = hold_after_report(row.job.hold, hold, state=state)
        reported = {"report_state": state, "report_location": location, "hold": shown}
        if to is None:
            row.change(reported)
        else:
            row.move(to=to, actor=Actor.ENGINE, reason=reason, now=now, failure=failure, also=reported)
        for kind, told in told_of_hold:
            row.tell(kind, actor=Actor.ENGINE, reason=told, now=now)
        if state is not before:
            told = told_of_report(state, location=location, reason=reason)
            row.tell("report", actor=Actor.ENGINE, reason=told, now=now)
        row.lease = None
        return row.as_seen()

    # --- working

    async def claim(
        self,
        worker: WorkerId,
        *,
        room: int,
        lease_seconds: float,
        after_job: JobId | None = None,
        but_not: Collection[JobId] = (),
        only: Collection[JobId] | None = None,
    ) -> list[Claim]:
        now = self._clock.now()
        jobs = self._claimable()
        offers = offers_in_turn(jobs, self._offers_of, after_job=after_job, but_not=but_not, only=only)
        claims = [offer.claimed_by(worker, now=now) for offer in filled(offers, room=room)]
        for claim in claims:
            self._rows[claim.lease.job_id].take(claim, until=now + lease_seconds)
        return claims

    async def claimable_jobs(self) -> frozenset[JobId]:
        return frozenset(job.id for job in claimable_now(self._claimable()))

    async def renew(self, worker: WorkerId, leases: Collection[Lease], *, lease_seconds: float) -> Renewal:
        named = frozenset(leases)
        until = self._clock.now() + lease_seconds
        confirmed = set()
        for row in self._rows.values():
            for seq in [seq for seq in row.leased if row.chunks[seq].owner == worker]:
                chunk = row.chunks[seq]
                lease = Lease(job_id=row.job.id, seq=seq, fence=chunk.fence)
                if lease in named:
                    chunk.lease_until = until
                    confirmed.add(lease)
                else:
                    row.give_back(seq, as_loss=False)
        return Renewal(confirmed=frozenset(confirmed))

    async def pulses(self, job_ids: Collection[JobId]) -> Mapping[JobId, Pulse]:
        rows = [row for job_id in job_ids if (row := self._rows.get(job_id)) is not None]
        jobs = [row.job for row in rows if not row.is_removed]
        return {job.id: Pulse(status=job.status, priority=job.priority, changed_at=job.changed_at) for job in jobs}

    async def commit(self, claim: Claim, part: Part | None, *, then: Then, quiet_seconds: float = 0.0) -> None:
        lease = claim.lease
        row = self._rows.get(lease.job_id)
        is_known = row is not None and part is not None and part.spool_name in row.part_names
        chunk = self._chunk_under(lease, owner=claim.owner)
        if row is None or chunk is None:
            if is_known:
                return  # it was committed, the reply was lost, and the lease has ended since
            raise stale(lease, claim.owner)
        new = None if is_known or part is None else part.committed_at(self._clock.now())
        settled = settled_after(chunk.settled, new, seq=lease.seq, then=then)
        if new is not None:
            row.add_part(lease.seq, new, settled=settled)
        row.end_lease(lease.seq, then=then)
        if then is Then.FORFEIT:
            row.be_quiet(until=self._clock.now() + quiet_seconds)
        if new is not None or then is Then.CLOSE:
            samples = part.samples if part and new else ()
            closed = int(then is Then.CLOSE)
            row.count(new.tally if new else _NOTHING, samples, closed=closed, now=self._clock.now())

    async def mark_started(self, claim: Claim, task_number: int) -> None:
        check_is_in_chunk(claim, task_number)
        chunk = self._chunk_under(claim.lease, owner=claim.owner)
        if chunk is None:
            raise stale(claim.lease, claim.owner)
        chunk.started_task, chunk.started_fence = task_number, chunk.fence

    # --- multipart uploads

    async def add_upload(self, lease: Lease | JobLease, record: UploadRecord) -> None:
        row = self._rows.get(lease.job_id)
        if isinstance(lease, JobLease):
            if row is None or not row.is_held_by(lease):
                raise stale_job(lease)
        elif row is None or row.chunk_under(lease) is None:
            raise stale(lease)
        row.uploads.setdefault(record.upload_id, record)

    async def uploads(self, job_id: JobId, *, task_number: int | None = None) -> list[UploadRecord]:
        row = self._rows.get(job_id)
        found = [each for each in row.uploads.values() if task_number in (None, each.task_number)] if row else []
        return sorted(found, key=lambda each: (each.task_number, each.fence, each.upload_id))

    async def remove_upload(self, job_id: JobId, upload_id: str) -> None:
        if row := self._rows.get(job_id):
            row.uploads.pop(upload_id, None)

    # --- all jobs together

    async def census(self) -> JobCensus:
        return census_of([row.as_seen() for row in self._oldest_first()], now=self._clock.now())

    # --- processes, and their shares of rate caps

    async def check_in(
        self,
        process: WorkerProcess,
        metrics: WorkerMetrics,
        wishes: Mapping[CappedPlace, RateWish],
        *,
        seconds: float,
    ) -> Mapping[CappedPlace, float]:
        now = self._clock.now()
        known = self._processes.get(process.id)
        self._processes[process.id] = WorkerSeen(
            process=process, started_at=known.started_at if known else now, seen_at=now, metrics=metrics
        )
        self._processes = {
            each.process.id: each for each in self._processes.values() if each.seen_at >= now - LONG_SILENT * seconds
        }
        self._end_shares(now=now, given_back=(process.id, wishes.keys()))
        granted = {}
        for capped in sorted(wishes):
            rows = self._shares.setdefault(capped, {})
            answer = grant(process.id, wishes[capped], shares=[*rows.values()], now=now, seconds=seconds)
            rows[process.id] = answer.row
            granted[capped] = answer.rate
        return granted

    async def check_out(self, process: WorkerId) -> None:
        self._processes.pop(process, None)
        for rows in self._shares.values():
            rows.pop(process, None)

    async def workers(self, *, seen_within_seconds: float) -> list[WorkerSeen]:
        since = self._clock.now() - seen_within_seconds
        seen = [each for each in self._processes.values() if each.seen_at >= since]
        return sorted(seen, key=lambda each: (each.started_at, each.process.id))

    def _end_shares(self, *, now: float, given_back: tuple[WorkerId, Collection[CappedPlace]]) -> None:
        """Those that are past, and those of one process that it does not wish for any more."""
        owner, wished = given_back
        for capped, rows in self._shares.items():
            self._shares[capped] = {
                share.owner: share
                for share in rows.values()
                if share.until > now and (share.owner != owner or capped in wished)
            }

    def _taken_places(self) -> frozenset[Place]:
        now = self._clock.now()
        return frozenset(
            capped.place
            for capped, rows in self._shares.items()
            if any(share.is_spare and share.until > now for share in rows.values())
        )

    # --- rows

    def _claimable(self) -> list[ClaimableJob]:
        return [job for row in self._oldest_first() if (job := row.as_claimable()) is not None]

    def _oldest_first(self) -> Iterator[JobRow]:
        return map(self._rows.__getitem__, self._ids)

    def _row(self, job_id: JobId) -> JobRow:
        row = self._rows.get(job_id)
        if row is None or row.is_removed:
            raise no_such_job(job_id)
        return row

    def _unfinished(self, account: AccountId) -> int:
        return sum(row.job.account == account and not is_final(row.job.status) for row in self._rows.values())

    def _chunks(self, job_id: JobId) -> list[ChunkRow]:
        row = self._rows.get(job_id)
        return row.chunks if row else []

    def _with_token(self, request: JobRequest, *, account: AccountId, token: str) -> JobRow | None:
        """None for an empty token, which is none."""
        wanted = (account, request.region, token)
        found = (
            row for row in self._rows.values() if (row.job.account, row.job.request.region, row.job.token) == wanted
        )
        return next(found, None) if token else None

    def _held_under(self, lease: JobLease) -> JobRow:
        row = self._rows.get(lease.job_id)
        if row is None or row.is_removed or not row.is_held_by(lease):
            raise stale_job(lease)
        return row

    def _planned_under(self, lease: JobLease) -> JobRow:
        row = self._held_under(lease)
        assert row.lease is not None
        check_plans(lease, held_for=row.lease.duty, status=row.job.status)
        return row

    def _chunk_under(self, lease: Lease, *, owner: WorkerId) -> ChunkRow | None:
        row = self._rows.get(lease.job_id)
        chunk = row.chunk_under(lease) if row else None
        return chunk if chunk is not None and chunk.owner == owner else None

    def _offers_of(self, job: ClaimableJob) -> Iterator[Offer]:
        row = self._rows[job.id]
        seqs = row.lost if job.is_ending else row.open
        return (row.offer(seq, is_ending=job.is_ending) for seq in seqs)
