"""A job's row: how it becomes a Job, how it moves, and the event that tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.codec import decode, encode
from cosbatch.ledger.outbox import tell_webhooks
from cosbatch.ledger.rules import Changes, changes_of_move, illegal_move, no_such_job
from cosbatch.ledger.tables import IS_THERE
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.jobs import Hold, Job, JobRequest, PausedBy, PlanFindings, is_over, progress_of
from cosbatch.model.reports import CodeTally, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus

JOB: Final = tables.job.c
THE_JOB: Final = JOB.id == bindparam("the_job")

_JOB_BY_ID: Final = select(tables.job).where(THE_JOB, IS_THERE).with_for_update()
_MOVE: Final = update(tables.job).where(THE_JOB, JOB.status == bindparam("the_status"))
_ADD_EVENT: Final = insert(tables.job_event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The part of a tally that has no columns of its own."""

    codes: dict[str, CodeTally] = field(default_factory=dict)
    ignored_options: dict[str, int] = field(default_factory=dict)


def load_row(tx: Transaction, job_id: JobId) -> Row[Any]:
    """For a change: nobody else may change it meanwhile. NoSuchJob where there is none."""
    row = tx.one(_JOB_BY_ID, {"the_job": job_id})
    if row is None:
        raise no_such_job(job_id)
    return row


def load(tx: Transaction, job_id: JobId) -> Job:
    return job_from(load_row(tx, job_id))


def move_row(
    tx: Transaction,
    row: Row[Any],
    *,
    to: JobStatus,
    actor: Actor,
    reason: str,
    by: str = "",
    paused_by: PausedBy | None = None,
    failure: FailureCode | None = None,
) -> None:
    """The one statement that changes a status: from what ``row`` says, along the state table, with its event, and with
    what webhooks are told. They see the job as it is now: what changes with the status is changed before."""
    current = JobStatus(row.status)
    changes = changes_of_move(
        JobId(row.id),
        current,
        to=to,
        actor=actor,
        reason=reason,
        now=tx.now(),
        started_at=row.started_at,
        paused_by=paused_by,
        failure=failure,
    )
    if not tx.change(_MOVE, {"the_job": row.id, "the_status": current} | _columns(changes)):
        raise illegal_move(JobId(row.id), current, to=to, actor=actor)
    add_event(tx, row.id, actor=actor, kind="moved", status=to, reason=reason, by=by)
    tell_webhooks(
        tx,
        account=row.account,
        status=to,
        previous=current,
        reason=reason,
        changed=lambda: load(tx, JobId(row.id)),
    )


def _columns(changes: Changes) -> Parameters:
    """Words as plain strings: not every driver takes them for such."""
    return {name: str(value) if isinstance(value, StrEnum) else value for name, value in changes.items()}


def add_event(
    tx: Transaction, job_id: JobId, *, actor: Actor, kind: str, status: JobStatus, reason: str, by: str = ""
) -> None:
    event = {"job_id": job_id, "at": tx.now(), "actor": str(actor), "kind": kind, "status": str(status)}
    tx.change(_ADD_EVENT, event | {"reason": reason, "by": by})


@lru_cache(maxsize=1024)
def _request(stored: str) -> JobRequest:
    """A job's request never changes, and every look at the queue asks for it again."""
    return decode(stored, JobRequest)


@lru_cache(maxsize=1024)
def _findings(stored: str) -> PlanFindings:
    """Nor do these, once there are any."""
    return decode(stored, PlanFindings)


def job_from(row: Row[Any]) -> Job:
    return Job(
        id=JobId(row.id),
        account=AccountId(row.account),
        request=_request(row.request),
        status=JobStatus(row.status),
        priority=row.priority,
        created_at=row.created_at,
        changed_at=row.changed_at,
        planned_rows=row.planned_rows,
        total=row.total,
        chunk_count=row.chunk_count,
        chunks_closed=row.chunks_closed,
        tally=tally_from(row),
        report_state=ReportState(row.report_state),
        report_location=row.report_location,
        report_asked_at=row.report_asked_at,
        status_reason=row.status_reason,
        failure_code=FailureCode(row.failure_code) if row.failure_code else None,
        failure_reason=row.failure_reason,
        paused_by=PausedBy(row.paused_by) if row.paused_by else None,
        suspended_at=row.suspended_at,
        suspended_cause=row.suspended_cause,
        started_at=row.started_at,
        ended_at=row.ended_at,
        token=row.token,
        hold=hold_from(row),
        findings=_findings(row.findings) if row.findings else None,
        creator=row.creator,
    )


def hold_from(row: Row[Any]) -> Hold | None:
    return decode(row.hold, Hold) if row.hold else None


def tally_from(row: Row[Any]) -> Tally:
    failures = decode(row.failures, Failures)
    return Tally(
        succeeded=row.succeeded,
        failed=row.failed,
        skipped=row.skipped,
        outside_rate=row.outside_rate,
        failed_outside_rate=row.failed_outside_rate,
        bytes_done=row.bytes_done,
        requests=row.requests,
        codes=failures.codes,
        ignored_options=failures.ignored_options,
    )


def tally_columns(tally: Tally) -> Parameters:
    """A tally as a job's row keeps it."""
    return {
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "outside_rate": tally.outside_rate,
        "failed_outside_rate": tally.failed_outside_rate,
        "bytes_done": tally.bytes_done,
        "requests": tally.requests,
        "failures": encode(Failures(codes=tally.codes, ignored_options=tally.ignored_options)),
    }


def counted_columns(tally: Tally, *, total: int | None, threshold: float | None) -> Parameters:
    """The same, and what lists go by that is made of it."""
    return tally_columns(tally) | {
        "progress": progress_of(tally, total=total),
        "over_threshold": int(is_over(tally, threshold=threshold)),
    }
