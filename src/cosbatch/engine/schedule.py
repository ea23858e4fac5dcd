"""Which job is moved where: a pure decision over what the ledger says, so that it can be tested as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cosbatch.engine.limits import EngineLimits
from cosbatch.ledger.port import QueuedJob
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId, RegionName
from cosbatch.model.jobs import WORK_AREA, Job, PausedBy
from cosbatch.model.states import JobStatus, is_final
from cosbatch.model.waiting import told_of_greater
from cosbatch.model.windows import is_open, opens_at

RUNNABLE = frozenset({JobStatus.READY, JobStatus.ACTIVE, JobStatus.PAUSING, JobStatus.PAUSED})
RESUMES_BY_ITSELF = frozenset({PausedBy.PRIORITY, PausedBy.WINDOW})
SEALABLE = frozenset({JobStatus.COMPLETING, JobStatus.CANCELLING, JobStatus.FAILING})


Queue = tuple[AccountId, RegionName]
"""Jobs of one queue give way to each other by priority; queues are served in turn and know nothing of each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    job_id: JobId
    expect: JobStatus
    to: JobStatus
    reason: str
    paused_by: PausedBy | None = None
    failure: FailureCode | None = None
    ends_hold: bool = False
    """Nobody has asked the bucket meanwhile: whether it answers now has to be found out anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Why a job stays where it is, for whoever looks at it."""

    job_id: JobId
    status: JobStatus
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A state of a job that may last so long; both in seconds, ``since`` Unix seconds."""

    since: float
    limit_seconds: float
    passed_seconds: float | None = None
    """Since then, where the ledger's clock tells it."""


def queue_of(job: Job) -> Queue:
    return (job.account, job.request.region)


def limit_on(queued: QueuedJob, *, limits: EngineLimits) -> Limit | None:
    """The time after which the job fails if it stays as it is, where there is one."""
    job = queued.job
    match job.status:
        case JobStatus.SUSPENDED if job.suspended_at is not None:
            return Limit(
                since=job.suspended_at,
                limit_seconds=limits.suspended_expiry_seconds,
                passed_seconds=queued.suspended_seconds,
            )
        case JobStatus.PREPARING | JobStatus.ACTIVE if job.hold is not None:  # nobody asks the bucket of one that rests
            return Limit(since=job.hold.since, limit_seconds=limits.hold_limit_seconds)
        case _:
            return None


def decide(queued: Sequence[QueuedJob], *, overdue: Collection[JobId], limits: EngineLimits) -> list[Move]:
    """The moves that are due; at most one for each job. ``overdue``: the jobs whose :func:`limit_on` is over."""
    moves = [move for job in queued if (move := _own_move(job, overdue=overdue, limits=limits)) is not None]
    moved = {move.job_id for move in moves}
    for queue in _queues(job for job in queued if job.job.id not in moved):
        moves += _queue_moves(queue)
    return moves


def waits(queued: Sequence[QueuedJob]) -> list[Wait]:
    """What jobs that are held back by a greater one or by their windows should say of it, where they do not say so
    already. One that names a greater job that still wants work keeps its reason: which of several holds it back is
    nothing to tell anew."""
    found = []
    for queue in _queues(queued):
        wanting = sorted((job for job in queue if _wants_work(job)), key=lambda job: -job.job.priority)
        for each in (each for each in queue if _is_waiting(each.job)):
            job = each.job
            if _is_shut(each):
                reasons = [_shut_until(each)]
            else:
                reasons = [
                    told_of_greater(job, greater.job) for greater in wanting if greater.job.priority > job.priority
                ]
            if reasons and job.status_reason not in reasons:
                found.append(Wait(job_id=job.id, status=job.status, reason=reasons[0]))
    return found


def _is_waiting(job: Job) -> bool:
    return job.status is JobStatus.READY or (job.status is JobStatus.PAUSED and job.paused_by in RESUMES_BY_ITSELF)


def _is_shut(queued: QueuedJob) -> bool:
    """Whether none of the job's windows is open."""
    return not is_open(queued.job.request.windows, queued.seen_at)


def _shut_until(queued: QueuedJob) -> str:
    opens = opens_at(queued.job.request.windows, queued.seen_at)
    if opens is None:
        return "outside its windows, of which none opens within a week"
    return f"outside its windows until {datetime.fromtimestamp(opens, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def _own_move(queued: QueuedJob, *, overdue: Collection[JobId], limits: EngineLimits) -> Move | None:
    """Moves that depend on nothing but the job itself."""
    job = queued.job
    match job.status:
        case JobStatus.SUSPENDED if job.id in overdue:
            days = limits.suspended_expiry_seconds / 86400
            return _failing(queued, FailureCode.SUSPENDED_EXPIRED, f"nobody confirmed the job within {days:g} days")
        case JobStatus.ACTIVE if job.is_settled:
            return _move(queued, JobStatus.COMPLETING, "every task has a result")
        case JobStatus.PAUSING if not queued.has_leases and queued.is_quiet:
            return _move(queued, JobStatus.PAUSED, job.status_reason)
        case JobStatus.PREPARING | JobStatus.ACTIVE if job.hold is not None and job.id in overdue:
            code = FailureCode.SPOOL_FULL if job.hold.bucket == WORK_AREA else FailureCode.STORE_UNAVAILABLE
            return _failing(queued, code, f"{job.hold.bucket}: {job.hold.reason}")
        case JobStatus.ACTIVE if _is_shut(queued):
            return Move(
                job_id=job.id,
                expect=job.status,
                to=JobStatus.PAUSING,
                reason=_shut_until(queued),
                paused_by=PausedBy.WINDOW,
            )
        case _:
            return None


def _queues(queued: Iterable[QueuedJob]) -> list[list[QueuedJob]]:
    queues: dict[Queue, list[QueuedJob]] = {}
    for job in queued:
        if job.job.status in RUNNABLE:
            queues.setdefault(queue_of(job.job), []).append(job)
    return list(queues.values())


def _queue_moves(queue: Sequence[QueuedJob]) -> list[Move]:
    """The greatest priority runs; lower ones wait while it has chunks that nobody has claimed."""
    wanting = [job for job in queue if _wants_work(job)]
    top = max((job.job.priority for job in wanting), default=None)
    leader = next((job for job in wanting if job.job.priority == top), None)
    return [move for job in queue if (move := _by_priority(job, leader)) is not None]


def _wants_work(queued: QueuedJob) -> bool:
    """Whether it could use a worker more: unclaimed chunks, not paused by its user, an open window, and a bucket that
    answers and has some of its rate left."""
    if queued.job.paused_by is PausedBy.USER or _is_shut(queued):
        return False
    return queued.has_open_chunks and queued.job.hold is None and not queued.is_rate_taken


def _by_priority(queued: QueuedJob, leader: QueuedJob | None) -> Move | None:
    job = queued.job
    is_held_back = leader is not None and job.priority < leader.job.priority
    match job.status:
        case JobStatus.READY | JobStatus.PAUSED if _is_shut(queued):
            return None
        case JobStatus.READY if not is_held_back:
            return _move(queued, JobStatus.ACTIVE, "its turn in the queue")
        case JobStatus.PAUSED if not is_held_back and job.paused_by is PausedBy.PRIORITY:
            return _move(queued, JobStatus.ACTIVE, "no job of a greater priority needs workers")
        case JobStatus.PAUSED if not is_held_back and job.paused_by is PausedBy.WINDOW:
            return replace(
                _move(queued, JobStatus.ACTIVE, "one of its windows is open"), ends_hold=job.hold is not None
            )
        case JobStatus.ACTIVE if is_held_back and queued.has_open_chunks:
            assert leader is not None
            return Move(
                job_id=job.id,
                expect=job.status,
                to=JobStatus.PAUSING,
                reason=told_of_greater(job, leader.job),
                paused_by=PausedBy.PRIORITY,
            )
        case _:
            return None


def _move(queued: QueuedJob, to: JobStatus, reason: str) -> Move:
    return Move(job_id=queued.job.id, expect=queued.job.status, to=to, reason=reason)


def _failing(queued: QueuedJob, code: FailureCode, reason: str) -> Move:
    return Move(job_id=queued.job.id, expect=queued.job.status, to=JobStatus.FAILING, reason=reason, failure=code)


def may_seal(queued: QueuedJob) -> bool:
    """Whether nothing of the job is under way any more, so that its report can be written.

    In Cancelling and Failing chunks that were lost are settled first, and requests of expired leases are waited for.
    """
    status = queued.job.status
    if status not in SEALABLE:
        return is_final(status) and not queued.has_leases  # its report is pending still, or again
    if queued.has_leases:
        return False
    return status is JobStatus.COMPLETING or (not queued.has_lost_chunks and queued.is_quiet)
