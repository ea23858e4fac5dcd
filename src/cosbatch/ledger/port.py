"""What service and engine ask of the ledger: intentions, not SQL.

Three rules hold for every adapter. A change is one transaction. A change under a lease names its fence and is refused
with :class:`StaleFence` when the lease is not its sender's any more. A reply can get lost (:class:`LedgerUnavailable`):
each method says what repeating it does.

**Leases.** A chunk is ``open``, ``leased`` or ``closed``. A claim adds one to the fence. Nothing ends a lease but its
holder's commit or :meth:`expire`, which the engine calls when the holder is dead or silent for too long; it counts as a
loss, and the chunk is open again. A job has one such lease of its own, for planning and for sealing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cosbatch.ledger.list_port import JobLists
from cosbatch.ledger.rate_shares import RateWish
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.census import JobCensus
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId, RegionName, WorkerId
from cosbatch.model.jobs import Hold, Job, JobEvent, JobRequest, PausedBy, PlanFindings
from cosbatch.model.regions import CappedPlace
from cosbatch.model.reports import Part, ReportState
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import Claim, Lease, NewChunk, Then, UploadRecord
from cosbatch.model.workers import WorkerMetrics, WorkerProcess, WorkerSeen


class Duty(StrEnum):
    """What a job's own lease is for."""

    PLAN = "plan"
    SEAL = "seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLease:
    """A job in a planner's or finisher's hands."""

    job_id: JobId
    owner: WorkerId
    fence: int
    duty: Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLease:
    """Somebody's lease, for whoever decides whether it is over."""

    lease: Lease | JobLease
    owner: WorkerId
    lease_until: float
    is_past: bool
    """By the ledger's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What a renewal found: leases not in ``confirmed`` are lost and must be dropped at once."""

    confirmed: frozenset[Lease]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a worker needs to know about a job between two renewals: one small read."""

    status: JobStatus
    priority: int
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """What the scheduler needs to know about an unfinished job."""

    job: Job
    has_open_chunks: bool
    """There is a chunk that nobody holds, whether or not the job's status lets it be claimed now."""
    has_leases: bool
    """Some chunk, or the job itself, is in somebody's hands."""
    has_lost_chunks: bool
    """An open chunk has lost a lease."""
    quiet_at: float
    """Unix seconds from which no request of an expired lease can still be under way; 0 where none can: none expired,
    or somebody has waited for it. Another loss always changes it."""
    quiet_in_seconds: float = 0.0
    """How far off that is on the ledger's clock, which may jump; below 0 where it is past."""
    suspended_seconds: float = 0.0
    """How long it has waited for its confirmation, on the ledger's clock; 0 where it is not Suspended."""
    seen_at: float = 0.0
    """Now, on the ledger's clock: all schedulers look at the same one."""
    is_rate_taken: bool = False
    """Of the bucket that it writes: some process would work for it and has found no share of the rate cap for long."""

    @property
    def is_quiet(self) -> bool:
        return self.quiet_at == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedPart:
    seq: int
    """Of the chunk."""
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkState:
    """What sealing wants to know about a chunk."""

    seq: int
    first_task: int
    task_count: int
    settled: Bitmap
    losses: int


class JobLedger(Protocol):
    """All times are Unix seconds on the ledger's own clock."""

    lists: JobLists
    """Of the same jobs: for people who look at many of them, or at how one went."""

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
        """A job in New, and the event that tells of it. A known token of the account and region with the same digest
        gives the job that it made; with another digest TokenReused. So repeating it is safe. Report state: none or
        pending, by the request. ``by``, here and below, says which user asks, for the event. TooManyJobs where the
        account has ``max_unfinished`` jobs that are not final: counted in the same transaction, so also where many
        are made at once."""
        ...

    async def job(self, job_id: JobId, *, account: AccountId | None = None) -> Job:
        """NoSuchJob where there is none, or it is another account's."""
        ...

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
        """Newest first, strictly older than ``after``, and made later than ``created_after``; no statuses: all.
        ``token_prefix``: with which their tokens begin."""
        ...

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
        """Compare-and-set on the status. IllegalMove where the job is in none of ``expect``, or the state table has no
        such move for this actor; the message names the status it is in. With ``failure``, ``reason`` is the failure's.
        Sets started_at (first Active), ended_at (final), suspended_at and suspended_cause (Suspended), paused_by
        (Pausing; cleared on Active), and writes the event, in which ``by`` says which user."""
        ...

    async def set_priority(self, job_id: JobId, *, priority: int, actor: Actor, by: str = "") -> Job:
        """IllegalMove on a final job."""
        ...

    async def events(self, job_id: JobId, *, after: int = 0, limit: int | None = None) -> list[JobEvent]:
        """Oldest first, without the first ``after``: events are added at the end alone. None of a job that is
        removed."""
        ...

    async def redeliver(self, job_id: JobId, *, by: str = "") -> Job:
        """The report of a job that has ended is pending again, whatever became of it, and has the whole time for its
        delivery; with an event. Nothing changes where it is pending already. NoSuchJob; IllegalMove where the job has
        not ended or has no report."""
        ...

    async def explain(self, job_id: JobId, *, status: JobStatus, reason: str) -> bool:
        """Says on a job why it waits where it is, with an event. False, and nothing else, where it is not in ``status``
        any more or says so already."""
        ...

    async def set_hold(self, job_id: JobId, hold: Hold | None) -> None:
        """Shows on the job that a bucket does not answer. An earlier ``since`` of the same bucket stays. Writes an
        event when it begins and when it ends. One comes too late for a job that has ended and whose report is not
        pending: it is passed over."""
        ...

    # --- removing

    async def remove(self, job_id: JobId) -> None:
        """The job does not exist any more, for anybody, and its token is free; its rows and files are left for
        :meth:`delete_some_rows` and the work area's sweep. NoSuchJob where there is none, IllegalMove where it is not
        final or its report is pending."""
        ...

    async def remove_ended(self, *, older_than_seconds: float, limit: int) -> list[JobId]:
        """The same with final jobs that have ended so long ago on the ledger's clock, the oldest first; which they
        were. Those with a pending report stay."""
        ...

    async def removed_jobs(self, *, limit: int = 100) -> list[JobId]:
        """Jobs that were removed and have rows left, the oldest first."""
        ...

    async def delete_some_rows(self, job_id: JobId) -> bool:
        """A part of what the ledger has of a removed job, at most 200 rows, the job itself last; False once nothing is
        left of it. Repeating it is safe, and so is asking for a job that is not removed: nothing is done."""
        ...

    async def known_jobs(self, job_ids: Collection[JobId]) -> frozenset[JobId]:
        """Those of which the ledger has anything left, removed or not."""
        ...

    # --- scheduling

    async def queued_jobs(self) -> list[QueuedJob]:
        """Every job that is not final, and final ones with a pending report; oldest first."""
        ...

    async def held_leases(self) -> list[HeldLease]:
        """Every lease of a chunk or job that somebody holds."""
        ...

    async def expire(self, held: HeldLease, *, quiet_seconds: float) -> bool:
        """Ends a lease as a loss, if owner, fence and lease_until are still as given; False if not. The chunk is open
        again with ``losses + 1``, its ``quiet_at`` is ``quiet_seconds`` from now. A chunk that a one-at-a-time claim
        lost keeps its started mark. Repeating it does nothing."""
        ...

    async def quieten(self, job_id: JobId, *, quiet_at: float) -> bool:
        """No request of an expired lease is under way any more: ``quiet_at`` becomes 0, if it is still as given; False
        if not, since then another lease was lost. Who says so has measured the time on a clock that does not jump."""
        ...

    # --- planning and sealing: the job's own lease

    async def claim_job(self, worker: WorkerId, *, job_id: JobId, duty: Duty, lease_seconds: float) -> JobLease | None:
        """None where somebody holds it, or its status does not fit the duty (plan: New or Preparing, and New becomes
        Preparing with it; seal: Completing, Cancelling, Failing, and final jobs whose report is pending)."""
        ...

    async def renew_job(self, lease: JobLease, *, lease_seconds: float) -> None:
        """StaleFence where it is lost."""
        ...

    async def release_job(self, lease: JobLease) -> None:
        """Gives it back; no error where it is lost already."""
        ...

    async def add_chunks(self, lease: JobLease, chunks: Sequence[NewChunk], *, planned_rows: int) -> None:
        """At most 200 rows a call; moves ``planned_rows`` in the same transaction. ``planned_rows`` is the number of
        rows after these chunks. StaleFence where the lease is lost or the job has left Preparing. Chunks that are
        there already with the same spool name are left alone, so repeating it is safe."""
        ...

    async def chunk_states(self, job_id: JobId, *, after_seq: int = -1, limit: int = 1000) -> list[ChunkState]:
        """In order of seq."""
        ...

    async def finish_plan(self, lease: JobLease, *, findings: PlanFindings, to: JobStatus, reason: str) -> Job:
        """Keeps the findings, sets ``total`` to planned_rows, moves Preparing to Ready or Suspended, and gives the
        lease back."""
        ...

    async def parts(
        self, job_id: JobId, *, after: tuple[int, int] = (-1, -1), limit: int = 1000
    ) -> list[tuple[tuple[int, int], CommittedPart]]:
        """Committed parts in order of chunk and of commit within it, each with its place, for ``after``."""
        ...

    async def part_names(self, job_id: JobId, *, first_seq: int, last_seq: int) -> frozenset[str]:
        """The spool names of the parts of some chunks, both ends included, to tell orphans."""
        ...

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
        """Sets the report's state and, where ``to`` is given, moves the job with it; gives the lease back. ``hold`` is
        what the job waits for from then on. ``reason`` is that of the move, and of a report that has failed."""
        ...

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
        """Chunks with at least ``room`` unsettled tasks in all, fewer where there is no more work; [] for none.

        Of Cancelling and Failing jobs the open chunks with losses come first, settle-only, once the job is quiet: what
        an expired lease has sent could still be applied after a look. Of Active jobs: the queues (account and region)
        in turn after that of ``after_job``; in a queue the greatest priority first, equal ones in turn after
        ``after_job``, the lowest open chunk first. Jobs in ``but_not``, and those
        that are not in ``only`` where it is given, are passed over. A chunk that has lost three or
        more leases comes one-at-a-time and alone. Never repeat a claim whose reply was lost before a renewal."""
        ...

    async def claimable_jobs(self) -> frozenset[JobId]:
        """Jobs of which a claim could have a chunk now, if it passed over nobody."""
        ...

    async def renew(self, worker: WorkerId, leases: Collection[Lease], *, lease_seconds: float) -> Renewal:
        """Makes the named leases longer, and gives back (no loss) those of this owner that are not named."""
        ...

    async def pulses(self, job_ids: Collection[JobId]) -> Mapping[JobId, Pulse]: ...

    async def commit(self, claim: Claim, part: Part | None, *, then: Then, quiet_seconds: float = 0.0) -> None:
        """Adds the part and its bits, adds its tally to the job, and keeps, yields, forfeits or closes the chunk.

        FORFEIT counts as a loss and makes the job quiet from ``quiet_seconds`` on; it clears a started mark of this
        claim, since its worker is alive.

        The part's samples are kept with the job, up to 20 of a code, and its results are added to the job's series (see
        :class:`~cosbatch.ledger.list_port.JobLists`). The time of the commit is when its failures were seen.

        A part that is in the ledger already is success (repeating is safe). StaleFence where the lease is lost. In the
        same transaction the job moves to Failing (from Active or Pausing only): FailureThresholdExceeded when it has
        more than 1,000 tasks, at least 1,000 count in the rate, and more than its threshold failed; StoreIgnoredOption
        when two tasks show the same ignored option. CLOSE with tasks unsettled is a ValueError, as is a part that
        overlaps what is settled. ``part`` may be None to YIELD a claim unused, or with its tasks settled already."""
        ...

    async def mark_started(self, claim: Claim, task_number: int) -> None:
        """One-at-a-time: this task is about to run. StaleFence where the lease is lost."""
        ...

    # --- multipart uploads

    async def add_upload(self, lease: Lease | JobLease, record: UploadRecord) -> None:
        """Of a task under its chunk's lease, of a check under its job's. StaleFence where the lease is lost. The same
        upload id again does nothing."""
        ...

    async def uploads(self, job_id: JobId, *, task_number: int | None = None) -> list[UploadRecord]: ...

    async def remove_upload(self, job_id: JobId, upload_id: str) -> None:
        """Needs no lease: whoever has seen the upload's end may say so. Repeating it does nothing."""
        ...

    # --- all jobs together

    async def census(self) -> JobCensus:
        """What the jobs of all accounts add up to. It walks over all jobs: now and then, not for each of them."""
        ...

    # --- processes, and their shares of rate caps

    async def check_in(
        self,
        process: WorkerProcess,
        metrics: WorkerMetrics,
        wishes: Mapping[CappedPlace, RateWish],
        *,
        seconds: float,
    ) -> Mapping[CappedPlace, float]:
        """The process is alive, tells its metrics, and asks for shares of the caps of buckets, by the rule of
        :mod:`cosbatch.ledger.rate_shares`; they end in ``seconds`` unless it comes again. Gives the requests or bytes a
        second that it may send to each bucket, 0 for none at present: the wish is kept, and the others shrink when
        they come.

        What it had and does not wish for any more is given back, so it has to have stopped sending there before. Until
        it hears the answer it uses no more than it names as in use. Where it then has to use less, it had better come
        again at once: the others get the rest only afterwards. One process makes one such call after another;
        repeating one is safe. Processes that have not been seen for long are forgotten."""
        ...

    async def check_out(self, process: WorkerId) -> None:
        """The process ends: nothing is left of it among processes and shares. Repeating it does nothing."""
        ...

    async def workers(self, *, seen_within_seconds: float) -> list[WorkerSeen]:
        """Processes that have checked in so lately, the oldest first."""
        ...

    async def close(self) -> None: ...
