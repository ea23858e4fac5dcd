"""What a ledger decides about a job, a plan and a commit: pure functions, the same for every adapter.

They take values and return values, or refuse with the error that the port names; rows, locks and transactions are the
adapter's. Changes of a job are named as the fields of :class:`Job` are, and so are an adapter's columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cosbatch.ledger.port import Duty, JobLease
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode, IllegalMove, NoSuchJob, StaleFence, TokenReused, TooManyJobs
from cosbatch.model.identifiers import AccountId, JobId, WorkerId
from cosbatch.model.jobs import Hold, Job, JobRequest, PausedBy
from cosbatch.model.reports import Part, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus, is_final, may_move
from cosbatch.model.tasks import Claim, Lease, NewChunk, Then

Changes = dict[str, Any]
ROWS_PER_WRITE: Final = 200
"""At most so many chunk rows change in one transaction, so that none holds the others up for long."""
THRESHOLD_FROM_TASKS: Final = 1000
"""Smaller jobs never fail by their threshold, nor do greater ones before so many tasks count in the rate."""
IGNORED_OPTION_FROM_TASKS: Final = 2
_NEXT_QUIET_SECONDS: Final = 0.001
CREATED: Final = "asked for"
REDELIVERED: Final = "pending: asked for once more"
PLANNING_BEGINS: Final = "the manifest is being read"
_MAY_FAIL: Final = frozenset({JobStatus.ACTIVE, JobStatus.PAUSING})
_TO_PLAN: Final = frozenset({JobStatus.NEW, JobStatus.PREPARING})
_TO_SEAL: Final = frozenset({JobStatus.COMPLETING, JobStatus.CANCELLING, JobStatus.FAILING})


# --- jobs


def new_job(request: JobRequest, *, job_id: JobId, account: AccountId, token: str, now: float, by: str = "") -> Job:
    return Job(
        id=job_id,
        account=account,
        request=request,
        status=JobStatus.NEW,
        priority=request.priority,
        created_at=now,
        changed_at=now,
        planned_rows=0,
        total=None,
        chunk_count=0,
        chunks_closed=0,
        tally=Tally(),
        report_state=ReportState.PENDING if request.report.enabled else ReportState.NONE,
        token=token,
        creator=by.rpartition(" via ")[0],  # by is a Caller's words
    )


def check_same_job(known: Job, *, known_digest: str, account: AccountId, digest: str) -> None:
    """A job that has the id or the token of a new one must be what the new one asks for."""
    if known.account != account:
        raise taken_id(known.id)
    if known_digest != digest:
        raise TokenReused(f"this ClientRequestToken belongs to job {known.id}, which asks for something else")


def check_quota(account: AccountId, *, unfinished: int, max_unfinished: int | None) -> None:
    if max_unfinished is not None and unfinished >= max_unfinished:
        raise TooManyJobs(
            f"account {account} has {unfinished} of the {max_unfinished} unfinished jobs that it may have;"
            " wait until some have ended, cancel some, or have max_unfinished_jobs raised in the settings"
        )


def check_may_be_removed(job_id: JobId, status: JobStatus, *, report_state: ReportState) -> None:
    if not is_final(status):
        raise IllegalMove(f"job {job_id} is {status}: only a job that has ended can be deleted; cancel it first")
    if report_state is ReportState.PENDING:
        raise IllegalMove(
            f"job {job_id} is {status}, and its report is not delivered yet: it is still tried;"
            " delete the job once the report is delivered or has failed"
        )


def may_redeliver(job_id: JobId, status: JobStatus, *, report_state: ReportState) -> bool:
    """False where it is under way already. IllegalMove where there is nothing to deliver."""
    if report_state is ReportState.NONE:
        raise IllegalMove(f"job {job_id} has no report: none was asked for; its results can be downloaded")
    if not is_final(status):
        raise IllegalMove(f"job {job_id} is {status}: its report is delivered when it ends")
    return report_state is not ReportState.PENDING


def taken_id(job_id: JobId) -> ValueError:
    return ValueError(f"the job id {job_id} is taken")


def no_such_job(job_id: JobId) -> NoSuchJob:
    return NoSuchJob(f"there is no job {job_id}")


def changes_of_move(
    job_id: JobId,
    current: JobStatus,
    *,
    to: JobStatus,
    actor: Actor,
    reason: str,
    now: float,
    started_at: float | None,
    paused_by: PausedBy | None = None,
    failure: FailureCode | None = None,
) -> Changes:
    """IllegalMove where the state table has no such move for this actor. ``started_at`` is what the job has."""
    if not may_move(current, to, by=actor):
        raise illegal_move(job_id, current, to=to, actor=actor)
    changes: Changes = {"status": to, "status_reason": reason, "changed_at": now}
    if to is JobStatus.ACTIVE:
        changes |= {"paused_by": None, "started_at": now if started_at is None else started_at}
    elif to is JobStatus.PAUSING:
        changes |= {"paused_by": paused_by}
    elif to is JobStatus.SUSPENDED:
        changes |= {"suspended_at": now, "suspended_cause": reason}
    elif is_final(to):
        changes |= {"ended_at": now}
    if failure is not None:
        changes |= {"failure_code": failure, "failure_reason": reason}
    return changes


def illegal_move(job_id: JobId, current: JobStatus, *, to: JobStatus, actor: Actor) -> IllegalMove:
    return IllegalMove(f"job {job_id} is {current}: the {actor} cannot move it to {to} now")


def check_priority_may_change(job_id: JobId, status: JobStatus) -> None:
    if is_final(status):
        raise IllegalMove(f"job {job_id} is {status}: its priority cannot change any more")


def told_of_priority(before: int, after: int) -> str:
    return f"{before} -> {after}"


def hold_after(known: Hold | None, hold: Hold | None) -> tuple[Hold | None, list[tuple[str, str]]]:
    """What the job shows then, and the kind and reason of each event that tells of it."""
    if hold is not None and known is not None and hold.bucket == known.bucket:
        return Hold(bucket=hold.bucket, reason=hold.reason, since=min(hold.since, known.since)), []
    turns = [("hold-ended", known), ("hold", hold)]
    return hold, [(kind, f"{each.bucket}: {each.reason}") for kind, each in turns if each is not None]


def hold_after_report(
    known: Hold | None, hold: Hold | None, *, state: ReportState
) -> tuple[Hold | None, list[tuple[str, str]]]:
    """The same after a delivery was tried. Of one that has failed for good its own event tells: no bucket answers."""
    shown, told = hold_after(known, hold)
    return shown, [] if state is ReportState.FAILED else told


def may_wait(status: JobStatus, *, report_state: ReportState) -> bool:
    """Whether the job can be on hold: one that has ended waits for nothing but the delivery of its report."""
    return not is_final(status) or report_state is ReportState.PENDING


# --- the job's own lease


def fits(duty: Duty, *, status: JobStatus, report_state: ReportState) -> bool:
    """Whether a job of this status can be claimed for the duty."""
    if duty is Duty.PLAN:
        return status in _TO_PLAN
    return status in _TO_SEAL or (is_final(status) and report_state is ReportState.PENDING)


def stale_job(lease: JobLease) -> StaleFence:
    return StaleFence(f"job {lease.job_id} is no longer in the hands of {lease.owner} (fence {lease.fence})")


def check_plans(lease: JobLease, *, held_for: Duty, status: JobStatus) -> None:
    if held_for is not Duty.PLAN or status is not JobStatus.PREPARING:
        raise StaleFence(f"job {lease.job_id} is {status}: its plan is over")


def check_count(chunks: Sequence[NewChunk]) -> None:
    if len(chunks) > ROWS_PER_WRITE:
        raise ValueError(f"{len(chunks)} chunks at once; {ROWS_PER_WRITE} is the most")


def unknown_chunks(job_id: JobId, chunks: Sequence[NewChunk], *, known: Mapping[int, str]) -> list[NewChunk]:
    """Those that are not there yet; ``known`` are spool names by seq. ValueError where another file has the place."""
    for chunk in chunks:
        if known.get(chunk.seq, chunk.spool_name) != chunk.spool_name:
            raise ValueError(f"chunk {chunk.seq} of job {job_id} is {known[chunk.seq]}, not {chunk.spool_name}")
    return [chunk for chunk in chunks if chunk.seq not in known]


def check_continues(
    job_id: JobId, chunks: Sequence[NewChunk], *, chunk_count: int, planned_rows: int, end: int
) -> None:
    """A gap or an overlap here would be rows that no report has, or that it has twice."""
    seq, first_task = chunk_count, planned_rows
    for chunk in chunks:
        if (chunk.seq, chunk.first_task) != (seq, first_task) or chunk.task_count < 1:
            raise ValueError(f"chunk {seq} of job {job_id} begins with task {first_task}; {chunk} does not fit")
        seq, first_task = seq + 1, first_task + chunk.task_count
    if chunks and first_task != end:
        raise ValueError(f"the chunks of job {job_id} end at task {first_task}, not at {end}")


def told_of_report(state: ReportState, *, location: str, reason: str) -> str:
    return f"{state}: {location or reason}"


def suspended_seconds(job: Job, *, now: float) -> float:
    if job.status is not JobStatus.SUSPENDED or job.suspended_at is None:
        return 0.0
    return now - job.suspended_at


# --- chunks in workers' hands


def stale(lease: Lease, owner: WorkerId | None = None) -> StaleFence:
    by = f" by {owner}" if owner is not None else ""
    return StaleFence(f"chunk {lease.seq} of job {lease.job_id} is not held{by} under fence {lease.fence}")


def check_is_in_chunk(claim: Claim, task_number: int) -> None:
    if not claim.first_task <= task_number < claim.first_task + claim.task_count:
        raise ValueError(f"task {task_number} is not in chunk {claim.lease.seq}")


def quiet_after(quiet_at: float, *, until: float) -> float:
    """Of a job that has lost a lease: always another time than before, since whoever waits for it has to begin anew.
    One that lies ahead already stays the later one, also where it does so because the clock was put back."""
    return until if until > quiet_at else quiet_at + _NEXT_QUIET_SECONDS


def settled_after(settled: Bitmap, part: Part | None, *, seq: int, then: Then) -> Bitmap:
    """What is settled with the part. ValueError where it overlaps, or does not let the chunk close."""
    if part is not None:
        if part.settled.size != settled.size or not part.settled.is_disjoint(settled):
            raise ValueError(f"{part.spool_name} settles {part.settled} of chunk {seq}, which has {settled}")
        settled |= part.settled
    if then is Then.CLOSE and not settled.is_full():
        raise ValueError(f"chunk {seq} cannot close: {settled.size - len(settled)} tasks are not settled")
    return settled


def clears_mark(then: Then, *, fence: int, started_fence: int | None) -> bool:
    """The yielding worker is alive, so its own mark blames nobody. One that a dead worker left must stay."""
    return then is Then.CLOSE or (then is not Then.KEEP and started_fence == fence)


def failure_of(
    status: JobStatus, tally: Tally, *, total: int | None, threshold: float | None
) -> tuple[FailureCode, str] | None:
    """Why the whole job fails by what its tasks came to; None where it does not."""
    if status not in _MAY_FAIL:
        return None
    for option, tasks in sorted(tally.ignored_options.items()):
        if tasks >= IGNORED_OPTION_FROM_TASKS:
            return FailureCode.STORE_IGNORED_OPTION, f"the store answered success and ignored {option} in {tasks} tasks"
    executed, failed = tally.executed_in_rate, tally.failed_in_rate
    if threshold is None or (total or 0) <= THRESHOLD_FROM_TASKS or executed < THRESHOLD_FROM_TASKS:
        return None
    if failed <= threshold * executed:
        return None
    # Objects that are under way when this is found are still finished: the job ends with more of them than these.
    reason = (
        f"{failed:,} of the {executed:,} objects done until then failed, which is more than the {threshold * 100:g}%"
        " that the job allows"
    )
    return FailureCode.FAILURE_THRESHOLD_EXCEEDED, reason
