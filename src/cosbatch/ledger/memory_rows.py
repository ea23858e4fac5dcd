"""What the ledger in memory keeps of a job: the job itself, its chunks, and who holds what.

A chunk is open, leased or closed; which are open, and which of those have lost a lease, is kept in order beside them,
so that the lowest is found without looking at the others. Only the methods here change these three together.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from cosbatch.ledger.port import ChunkState, HeldLease, JobLease, QueuedJob
from cosbatch.ledger.rules import (
    ROWS_PER_WRITE,
    Changes,
    changes_of_move,
    clears_mark,
    failure_of,
    quiet_after,
    suspended_seconds,
)
from cosbatch.ledger.series_rules import bucket_of, folded, is_fold_due, is_told, new_samples, with_results
from cosbatch.ledger.turns import ClaimableJob, Offer
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.census import JobCensus
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import WorkerId
from cosbatch.model.jobs import Job, JobEvent, PausedBy, place_written
from cosbatch.model.regions import Place
from cosbatch.model.reports import FailureSample, Part, ReportState, Tally
from cosbatch.model.series import SeriesPoint
from cosbatch.model.states import ENDING, FINAL, Actor, JobStatus, is_final
from cosbatch.model.tasks import Claim, Lease, NewChunk, Then, UploadRecord


@dataclass(slots=True, kw_only=True, eq=False)
class ChunkRow:
    """A chunk and what was committed of it."""

    planned: NewChunk
    settled: Bitmap
    fence: int = 0
    owner: WorkerId | None = None
    """None unless it is leased."""
    lease_until: float = 0.0
    losses: int = 0
    first_leased_at: float | None = None
    started_task: int | None = None
    started_fence: int | None = None
    """Under which fence it was marked."""
    parts: list[Part] = field(default_factory=list)

    def state(self) -> ChunkState:
        return ChunkState(
            seq=self.planned.seq,
            first_task=self.planned.first_task,
            task_count=self.planned.task_count,
            settled=self.settled,
            losses=self.losses,
        )


@dataclass(slots=True, kw_only=True, eq=False)
class JobRow:
    """A job with all that belongs to it. ``job`` is never handed out itself: see :meth:`as_seen`."""

    job: Job
    digest: str
    tell_webhooks: Callable[[Job, JobStatus | None, str], None]
    """Called with the job as it is after a move, the status before, and the reason."""
    fence: int = 0
    lease: JobLease | None = None
    lease_until: float = 0.0
    quiet_at: float = 0.0
    chunks: list[ChunkRow] = field(default_factory=list)
    """By seq: a plan has no gaps."""
    open: list[int] = field(default_factory=list)
    """Seqs of open chunks, ascending."""
    lost: list[int] = field(default_factory=list)
    """Those of them that have lost a lease."""
    leased: set[int] = field(default_factory=set)
    part_names: set[str] = field(default_factory=set)
    uploads: dict[str, UploadRecord] = field(default_factory=dict)
    events: list[JobEvent] = field(default_factory=list)
    series: list[SeriesPoint] = field(default_factory=list)
    """In order of time."""
    narrow_from: float | None = None
    samples: dict[str, list[FailureSample]] = field(default_factory=dict)
    """By the code that they are counted under."""
    is_removed: bool = False

    # --- the job

    def as_seen(self) -> Job:
        """For callers: a tally holds dicts, and what somebody does to them must not change the ledger."""
        return replace(self.job, tally=copied(self.job.tally))

    def as_queued(self, taken: Collection[Place], *, now: float) -> QueuedJob:
        """``taken``: buckets whose rate cap can use nobody more."""
        job = self.job
        return QueuedJob(
            job=self.as_seen(),
            is_rate_taken=job.findings is not None and place_written(job.request, job.findings) in taken,
            has_open_chunks=bool(self.open),
            has_leases=bool(self.leased) or self.lease is not None,
            has_lost_chunks=bool(self.lost),
            quiet_at=self.quiet_at,
            quiet_in_seconds=self.quiet_at - now,
            suspended_seconds=suspended_seconds(job, now=now),
            seen_at=now,
        )

    @property
    def is_queued(self) -> bool:
        return self.job.status not in FINAL or self.job.report_state is ReportState.PENDING

    def change(self, changes: Changes) -> None:
        self.job = replace(self.job, **changes)

    def move(
        self,
        *,
        to: JobStatus,
        actor: Actor,
        reason: str,
        now: float,
        by: str = "",
        paused_by: PausedBy | None = None,
        failure: FailureCode | None = None,
        also: Changes | None = None,
    ) -> None:
        """The one way to another status, along the state table and with its event. ``also``: what changes with it."""
        previous = self.job.status
        changes = changes_of_move(
            self.job.id,
            previous,
            to=to,
            actor=actor,
            reason=reason,
            now=now,
            started_at=self.job.started_at,
            paused_by=paused_by,
            failure=failure,
        )
        self.change(changes | (also or {}))
        self.tell("moved", actor=actor, reason=reason, now=now, by=by)
        self.tell_webhooks(self.job, previous, reason)

    def tell(self, kind: str, *, actor: Actor, reason: str, now: float, by: str = "") -> None:
        job = self.job
        event = JobEvent(job_id=job.id, at=now, actor=actor, kind=kind, status=job.status, reason=reason, by=by)
        self.events.append(event)

    def remove(self) -> None:
        """From now on it is nobody's job, and its token is free."""
        self.is_removed = True
        self.change({"token": ""})

    def forget_some(self) -> bool:
        """Some of what belongs to it, what refers to something before that; False where nothing was left."""
        with_parts = [chunk for chunk in self.chunks if chunk.parts]
        if with_parts:
            room = ROWS_PER_WRITE
            for chunk in with_parts:
                taken = chunk.parts[:room]
                del chunk.parts[:room]
                self.part_names -= {part.spool_name for part in taken}
                room -= len(taken)
        elif self.chunks:
            del self.chunks[:ROWS_PER_WRITE]
            self.open, self.lost = [], []
        elif self.uploads:
            self.uploads = dict([*self.uploads.items()][ROWS_PER_WRITE:])
        elif self.series:
            del self.series[:ROWS_PER_WRITE]
        elif self.samples:
            self._forget_some_samples()
        elif self.events:
            del self.events[:ROWS_PER_WRITE]
        else:
            return False
        return True

    def _forget_some_samples(self) -> None:
        room = ROWS_PER_WRITE
        for code, kept in sorted(self.samples.items()):
            taken = len(kept[:room])
            del kept[:room]
            room -= taken
            if not kept:
                del self.samples[code]

    def be_quiet(self, *, until: float) -> None:
        self.quiet_at = quiet_after(self.quiet_at, until=until)

    def is_held_by(self, lease: JobLease) -> bool:
        return self.lease is not None and (self.lease.owner, self.lease.fence) == (lease.owner, lease.fence)

    def count(self, tally: Tally, samples: Sequence[FailureSample], *, closed: int, now: float) -> None:
        """Adds what a commit came to, and lets the job fail by it."""
        job = self.job
        counted = job.tally.plus(tally)
        for code, _, sample in new_samples(job.tally, counted, samples):
            self.samples.setdefault(code, []).append(sample)
        self._add_results(tally, now=now)
        self.change({"tally": counted, "chunks_closed": job.chunks_closed + closed})
        threshold = job.request.stops_above
        if failure := failure_of(job.status, counted, total=job.total, threshold=threshold):
            code, reason = failure
            self.move(to=JobStatus.FAILING, actor=Actor.ENGINE, reason=reason, now=now, failure=code)

    def _add_results(self, tally: Tally, *, now: float) -> None:
        if not is_told(tally):
            return
        self.series = with_results(self.series, tally, now=now)
        if is_fold_due(self.narrow_from, now=now):
            self.series, self.narrow_from = folded(self.series, now=now)
        elif self.narrow_from is None:
            self.narrow_from = bucket_of(now)

    # --- leases

    def held(self, lease: JobLease, *, now: float) -> HeldLease:
        return HeldLease(lease=lease, owner=lease.owner, lease_until=self.lease_until, is_past=self.lease_until < now)

    def held_chunks(self, *, now: float) -> list[HeldLease]:
        return [
            HeldLease(
                lease=Lease(job_id=self.job.id, seq=seq, fence=chunk.fence),
                owner=chunk.owner,
                lease_until=chunk.lease_until,
                is_past=chunk.lease_until < now,
            )
            for seq in sorted(self.leased)
            if (chunk := self.chunks[seq]).owner is not None
        ]

    def expire(self, held: HeldLease) -> bool:
        """Whether the lease was still as it was seen; then it has ended."""
        seen = (held.owner, held.lease.fence, held.lease_until)
        if isinstance(held.lease, JobLease):
            if self.lease is None or (self.lease.owner, self.lease.fence, self.lease_until) != seen:
                return False
            self.lease = None
            return True
        chunk = self.chunk_under(held.lease)
        if chunk is None or (chunk.owner, chunk.fence, chunk.lease_until) != seen:
            return False
        self.give_back(held.lease.seq, as_loss=True)
        return True

    # --- chunks

    def add_chunk(self, planned: NewChunk) -> None:
        """The next one."""
        self.chunks.append(ChunkRow(planned=planned, settled=Bitmap(size=planned.task_count)))
        self.open.append(planned.seq)

    def chunk_under(self, lease: Lease) -> ChunkRow | None:
        """None where the lease is lost. A fence is given to one claim only, so it says whose lease it is."""
        if lease.seq not in self.leased:
            return None
        chunk = self.chunks[lease.seq]
        return chunk if chunk.fence == lease.fence else None

    def as_claimable(self) -> ClaimableJob | None:
        """None where nothing of it can be claimed, whatever the time."""
        status = self.job.status
        if not (self.open if status is JobStatus.ACTIVE else status in ENDING and self.lost):
            return None
        return ClaimableJob(
            id=self.job.id,
            account=self.job.account,
            region=self.job.request.region,
            status=status,
            priority=self.job.priority,
            is_quiet=self.quiet_at == 0,
        )

    def offer(self, seq: int, *, is_ending: bool) -> Offer:
        chunk = self.chunks[seq]
        return Offer(
            job_id=self.job.id,
            is_ending=is_ending,
            seq=seq,
            fence=chunk.fence,
            first_task=chunk.planned.first_task,
            task_count=chunk.planned.task_count,
            spool_name=chunk.planned.spool_name,
            settled=chunk.settled,
            losses=chunk.losses,
            first_leased_at=chunk.first_leased_at,
            started_task=chunk.started_task,
        )

    def take(self, claim: Claim, *, until: float) -> None:
        seq = claim.lease.seq
        chunk = self.chunks[seq]
        self.open.remove(seq)
        if chunk.losses:
            self.lost.remove(seq)
        self.leased.add(seq)
        chunk.owner, chunk.fence, chunk.lease_until = claim.owner, claim.lease.fence, until
        chunk.first_leased_at = claim.first_leased_at

    def give_back(self, seq: int, *, as_loss: bool) -> None:
        chunk = self.chunks[seq]
        self.leased.remove(seq)
        chunk.owner = None
        chunk.losses += as_loss
        insort(self.open, seq)
        if chunk.losses:
            insort(self.lost, seq)

    def end_lease(self, seq: int, *, then: Then) -> None:
        """What a commit does with the chunk after its part is in."""
        chunk = self.chunks[seq]
        if clears_mark(then, fence=chunk.fence, started_fence=chunk.started_fence):
            chunk.started_task = chunk.started_fence = None
        if then is Then.CLOSE:
            self.leased.remove(seq)
            chunk.owner = None
        elif then is not Then.KEEP:
            self.give_back(seq, as_loss=then is Then.FORFEIT)

    def add_part(self, seq: int, part: Part, *, settled: Bitmap) -> None:
        chunk = self.chunks[seq]
        chunk.parts.append(copied_part(part))
        chunk.settled = settled
        self.part_names.add(part.spool_name)


def copied_part(part: Part) -> Part:
    return replace(part, tally=copied(part.tally))


def copied(tally: Tally) -> Tally:
    """Without :func:`replace`, which looks up the fields each time: every look at a job makes one."""
    return Tally(
        succeeded=tally.succeeded,
        failed=tally.failed,
        skipped=tally.skipped,
        outside_rate=tally.outside_rate,
        failed_outside_rate=tally.failed_outside_rate,
        bytes_done=tally.bytes_done,
        requests=tally.requests,
        codes=dict(tally.codes),
        ignored_options=dict(tally.ignored_options),
    )


def census_of(jobs: Sequence[Job], *, now: float) -> JobCensus:
    """The same sums as :mod:`cosbatch.ledger.census` makes in SQL."""
    tally = reduce(Tally.plus, [job.tally for job in jobs], Tally())
    codes: Counter[str] = Counter()
    for job in jobs:
        codes.update({code: found.count for code, found in job.tally.codes.items()})
    waits = [now - job.changed_at for job in jobs if job.status in (JobStatus.NEW, JobStatus.READY)]
    return JobCensus(
        jobs=Counter(job.status for job in jobs),
        succeeded=tally.succeeded,
        failed=tally.failed,
        skipped=tally.skipped,
        requests=tally.requests,
        bytes_done=tally.bytes_done,
        failed_by_code=dict(codes),
        on_hold=sum(job.hold is not None and not is_final(job.status) for job in jobs),
        reports_pending=sum(job.report_state is ReportState.PENDING and is_final(job.status) for job in jobs),
        longest_wait_seconds=max([0.0, *waits]),
    )
