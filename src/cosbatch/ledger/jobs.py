"""What users want of jobs: to make them, find them, move them, rank them, and read what happened to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.codec import encode
from cosbatch.ledger.job_rows import (
    JOB,
    THE_JOB,
    add_event,
    hold_from,
    illegal_move,
    job_from,
    load,
    load_row,
    move_row,
    no_such_job,
    tally_columns,
)
from cosbatch.ledger.port import Pulse
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.errors import FailureCode, IllegalMove, TokenReused
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.jobs import Hold, Job, JobEvent, JobRequest, PausedBy
from cosbatch.model.reports import ReportState, Tally
from cosbatch.model.states import Actor, JobStatus, is_final

_EVENT: Final = tables.job_event.c

_JOB_BY_TOKEN: Final = select(tables.job).where(
    JOB.account == bindparam("the_account"),
    JOB.region == bindparam("the_region"),
    JOB.token == bindparam("the_token"),
)
_JOB_IF_ANY: Final = select(tables.job).where(THE_JOB)
_ADD_JOB: Final = insert(tables.job)
_SET_PRIORITY: Final = update(tables.job).where(THE_JOB)
_SET_HOLD: Final = update(tables.job).where(THE_JOB)
_EVENTS: Final = select(tables.job_event).where(_EVENT.job_id == bindparam("the_job")).order_by(_EVENT.id)
_PULSES: Final = select(JOB.id, JOB.status, JOB.priority, JOB.changed_at).where(
    JOB.id.in_(bindparam("the_jobs", expanding=True))
)


def create(tx: Transaction, request: JobRequest, *, job_id: JobId, account: AccountId, token: str, digest: str) -> Job:
    known = tx.one(_JOB_IF_ANY, {"the_job": job_id}) or _job_with_token(tx, account, request, token)
    if known is not None:
        return _same_job(known, account=account, digest=digest)
    tx.change(
        _ADD_JOB,
        _new_row(request, now=tx.now())
        | {"id": job_id, "account": account, "region": request.region, "token": token, "digest": digest},
    )
    return load(tx, job_id)


def job(tx: Transaction, job_id: JobId, *, account: AccountId | None) -> Job:
    row = tx.one(_JOB_IF_ANY, {"the_job": job_id})
    if row is None or (account is not None and row.account != account):
        raise no_such_job(job_id)
    return job_from(row)


def jobs(
    tx: Transaction,
    *,
    account: AccountId | None,
    statuses: Collection[JobStatus],
    after: JobId | None,
    limit: int,
    token: str | None,
) -> list[Job]:
    wanted = select(tables.job).order_by(JOB.id.desc()).limit(limit)
    if account is not None:
        wanted = wanted.where(JOB.account == account)
    if statuses:
        wanted = wanted.where(JOB.status.in_([str(status) for status in statuses]))
    if after is not None:
        wanted = wanted.where(JOB.id < after)
    if token is not None:
        wanted = wanted.where(JOB.token == token)
    return [job_from(row) for row in tx.all(wanted)]


def move(
    tx: Transaction,
    job_id: JobId,
    *,
    expect: Collection[JobStatus],
    to: JobStatus,
    actor: Actor,
    reason: str,
    paused_by: PausedBy | None,
    failure: FailureCode | None,
) -> Job:
    row = load_row(tx, job_id)
    if JobStatus(row.status) not in expect:
        raise illegal_move(row, to=to, actor=actor)
    move_row(tx, row, to=to, actor=actor, reason=reason, paused_by=paused_by, failure=failure)
    return load(tx, job_id)


def set_priority(tx: Transaction, job_id: JobId, *, priority: int, actor: Actor) -> Job:
    row = load_row(tx, job_id)
    status = JobStatus(row.status)
    if is_final(status):
        raise IllegalMove(f"job {job_id} is {status}: its priority cannot change any more")
    if priority != row.priority:
        tx.change(_SET_PRIORITY, {"the_job": job_id, "priority": priority})
        reason = f"{row.priority} -> {priority}"
        add_event(tx, job_id, actor=actor, kind="priority", status=status, reason=reason)
    return load(tx, job_id)


def set_hold(tx: Transaction, job_id: JobId, hold: Hold | None) -> None:
    row = load_row(tx, job_id)
    known = hold_from(row)
    if hold is not None and known is not None and hold.bucket == known.bucket:
        merged = Hold(bucket=hold.bucket, reason=hold.reason, since=min(hold.since, known.since))
        tx.change(_SET_HOLD, {"the_job": job_id, "hold": encode(merged)})
        return
    tx.change(_SET_HOLD, {"the_job": job_id, "hold": hold and encode(hold)})
    if known is not None:
        _tell_of_hold(tx, row, kind="hold-ended", hold=known)
    if hold is not None:
        _tell_of_hold(tx, row, kind="hold", hold=hold)


def events(tx: Transaction, job_id: JobId) -> list[JobEvent]:
    return [
        JobEvent(
            job_id=JobId(row.job_id),
            at=row.at,
            actor=Actor(row.actor),
            kind=row.kind,
            status=JobStatus(row.status),
            reason=row.reason,
        )
        for row in tx.all(_EVENTS, {"the_job": job_id})
    ]


def pulses(tx: Transaction, job_ids: Collection[JobId]) -> Mapping[JobId, Pulse]:
    rows = tx.all(_PULSES, {"the_jobs": list(job_ids)})
    return {
        JobId(row.id): Pulse(status=JobStatus(row.status), priority=row.priority, changed_at=row.changed_at)
        for row in rows
    }


def _job_with_token(tx: Transaction, account: AccountId, request: JobRequest, token: str) -> Row[Any] | None:
    """None for an empty token, which is none."""
    if not token:
        return None
    return tx.one(_JOB_BY_TOKEN, {"the_account": account, "the_region": request.region, "the_token": token})


def _same_job(row: Row[Any], *, account: AccountId, digest: str) -> Job:
    if row.account != account:
        raise ValueError(f"the job id {row.id} is taken")
    if row.digest != digest:
        raise TokenReused(f"this ClientRequestToken belongs to job {row.id}, which asks for something else")
    return job_from(row)


def _new_row(request: JobRequest, *, now: float) -> Parameters:
    return tally_columns(Tally()) | {
        "request": encode(request),
        "status": str(JobStatus.NEW),
        "priority": request.priority,
        "failure_threshold": request.failure_threshold,
        "created_at": now,
        "changed_at": now,
        "suspended_cause": "",
        "status_reason": "",
        "failure_reason": "",
        "fence": 0,
        "quiet_at": 0.0,
        "planned_rows": 0,
        "chunk_count": 0,
        "chunks_closed": 0,
        "report_state": str(ReportState.PENDING if request.report.enabled else ReportState.NONE),
        "report_location": "",
    }


def _tell_of_hold(tx: Transaction, row: Row[Any], *, kind: str, hold: Hold) -> None:
    reason = f"{hold.bucket}: {hold.reason}"
    add_event(tx, row.id, actor=Actor.ENGINE, kind=kind, status=JobStatus(row.status), reason=reason)
