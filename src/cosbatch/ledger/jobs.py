"""What users want of jobs: to make them, find them, move them, rank them, and read what happened to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, insert, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.codec import encode
from cosbatch.ledger.job_rows import (
    JOB,
    THE_JOB,
    add_event,
    hold_from,
    job_from,
    load,
    load_row,
    move_row,
    tally_columns,
)
from cosbatch.ledger.list_port import folded_text
from cosbatch.ledger.outbox import tell_webhooks
from cosbatch.ledger.port import Pulse
from cosbatch.ledger.rules import (
    CREATED,
    REDELIVERED,
    check_priority_may_change,
    check_quota,
    check_same_job,
    hold_after,
    illegal_move,
    may_redeliver,
    may_wait,
    new_job,
    no_such_job,
    taken_id,
    told_of_priority,
)
from cosbatch.ledger.tables import IS_THERE, IS_UNFINISHED
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId, RegionName
from cosbatch.model.jobs import Hold, Job, JobEvent, JobRequest, PausedBy
from cosbatch.model.reports import ReportState
from cosbatch.model.states import Actor, JobStatus

_EVENT: Final = tables.job_event.c

_JOB_BY_TOKEN: Final = select(tables.job).where(
    JOB.account == bindparam("the_account"),
    JOB.region == bindparam("the_region"),
    JOB.token == bindparam("the_token"),
)
_ROW_IF_ANY: Final = select(tables.job).where(THE_JOB)
_JOB_IF_ANY: Final = _ROW_IF_ANY.where(IS_THERE)
_UNFINISHED: Final = (
    select(func.count()).select_from(tables.job).where(JOB.account == bindparam("the_account"), IS_UNFINISHED)
)
_ADD_JOB: Final = insert(tables.job)
_SET_PRIORITY: Final = update(tables.job).where(THE_JOB)
_SET_HOLD: Final = update(tables.job).where(THE_JOB)
_REDELIVER: Final = update(tables.job).where(THE_JOB)
_EXPLAIN: Final = update(tables.job).where(
    THE_JOB, JOB.status == bindparam("the_status"), JOB.status_reason != bindparam("new_reason")
)
_EVENTS: Final = (
    select(tables.job_event)
    .join(tables.job, JOB.id == _EVENT.job_id)
    .where(_EVENT.job_id == bindparam("the_job"), IS_THERE)
    .order_by(_EVENT.id)
)
_PULSES: Final = select(JOB.id, JOB.status, JOB.priority, JOB.changed_at).where(
    JOB.id.in_(bindparam("the_jobs", expanding=True)), IS_THERE
)


def create(
    tx: Transaction,
    request: JobRequest,
    *,
    job_id: JobId,
    account: AccountId,
    token: str,
    digest: str,
    by: str,
    max_unfinished: int | None,
) -> Job:
    known = tx.one(_ROW_IF_ANY, {"the_job": job_id}) or _job_with_token(tx, account, request, token)
    if known is not None:
        return _same_job(known, account=account, digest=digest)
    if max_unfinished is not None:
        row = tx.one(_UNFINISHED, {"the_account": account})
        check_quota(account, unfinished=row[0] if row else 0, max_unfinished=max_unfinished)
    made = new_job(request, job_id=job_id, account=account, token=token, now=tx.now(), by=by)
    tx.change(_ADD_JOB, _new_row(made) | {"digest": digest})
    add_event(tx, job_id, actor=Actor.USER, kind="created", status=made.status, reason=CREATED, by=by)
    tell_webhooks(tx, account=account, status=made.status, previous=None, reason=CREATED, changed=lambda: made)
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
    region: RegionName | None,
    statuses: Collection[JobStatus],
    created_after: float | None,
    after: JobId | None,
    limit: int,
    token: str | None,
    token_prefix: str | None,
) -> list[Job]:
    wanted = select(tables.job).where(IS_THERE).order_by(JOB.id.desc()).limit(limit)
    if account is not None:
        wanted = wanted.where(JOB.account == account)
    if statuses:
        wanted = wanted.where(JOB.status.in_([str(status) for status in statuses]))
    if region is not None:
        wanted = wanted.where(JOB.region == region)
    if created_after is not None:
        wanted = wanted.where(JOB.created_at > created_after)
    if after is not None:
        wanted = wanted.where(JOB.id < after)
    if token is not None:
        wanted = wanted.where(JOB.token == token)
    if token_prefix:
        wanted = wanted.where(JOB.token >= token_prefix, JOB.token < token_prefix[:-1] + chr(ord(token_prefix[-1]) + 1))
    return [job_from(row) for row in tx.all(wanted)]


def move(
    tx: Transaction,
    job_id: JobId,
    *,
    expect: Collection[JobStatus],
    to: JobStatus,
    actor: Actor,
    reason: str,
    by: str,
    paused_by: PausedBy | None,
    failure: FailureCode | None,
) -> Job:
    row = load_row(tx, job_id)
    if JobStatus(row.status) not in expect:
        raise illegal_move(job_id, JobStatus(row.status), to=to, actor=actor)
    move_row(tx, row, to=to, actor=actor, reason=reason, by=by, paused_by=paused_by, failure=failure)
    return load(tx, job_id)


def set_priority(tx: Transaction, job_id: JobId, *, priority: int, actor: Actor, by: str) -> Job:
    row = load_row(tx, job_id)
    status = JobStatus(row.status)
    check_priority_may_change(job_id, status)
    if priority != row.priority:
        tx.change(_SET_PRIORITY, {"the_job": job_id, "priority": priority})
        told = told_of_priority(row.priority, priority)
        add_event(tx, job_id, actor=actor, kind="priority", status=status, reason=told, by=by)
    return load(tx, job_id)


def set_hold(tx: Transaction, job_id: JobId, hold: Hold | None) -> None:
    row = load_row(tx, job_id)
    status = JobStatus(row.status)
    if not may_wait(status, report_state=ReportState(row.report_state)):
        hold = None
    shown, events_told = hold_after(hold_from(row), hold)
    tx.change(_SET_HOLD, {"the_job": job_id, "hold": shown and encode(shown)})
    for kind, reason in events_told:
        add_event(tx, job_id, actor=Actor.ENGINE, kind=kind, status=status, reason=reason)


def redeliver(tx: Transaction, job_id: JobId, *, by: str) -> Job:
    row = load_row(tx, job_id)
    status = JobStatus(row.status)
    if may_redeliver(job_id, status, report_state=ReportState(row.report_state)):
        asked = {"report_state": str(ReportState.PENDING), "report_location": "", "report_asked_at": tx.now()}
        tx.change(_REDELIVER, {"the_job": job_id} | asked)
        add_event(tx, job_id, actor=Actor.USER, kind="report", status=status, reason=REDELIVERED, by=by)
    return load(tx, job_id)


def explain(tx: Transaction, job_id: JobId, *, status: JobStatus, reason: str) -> bool:
    said = tx.change(
        _EXPLAIN, {"the_job": job_id, "the_status": str(status), "new_reason": reason, "status_reason": reason}
    )
    if said:
        add_event(tx, job_id, actor=Actor.ENGINE, kind="waiting", status=status, reason=reason)
    return bool(said)


def events(tx: Transaction, job_id: JobId, *, after: int, limit: int | None) -> list[JobEvent]:
    wanted = _EVENTS if limit is None else _EVENTS.limit(limit)
    return [
        JobEvent(
            job_id=JobId(row.job_id),
            at=row.at,
            actor=Actor(row.actor),
            kind=row.kind,
            status=JobStatus(row.status),
            reason=row.reason,
            by=row.by,
        )
        for row in tx.all(wanted.offset(after) if after else wanted, {"the_job": job_id})
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
    known = job_from(row)
    if row.removed_at is not None:
        raise taken_id(known.id)
    check_same_job(known, known_digest=row.digest, account=account, digest=digest)
    return known


def _new_row(job: Job) -> Parameters:
    return tally_columns(job.tally) | {
        "id": job.id,
        "account": job.account,
        "region": job.request.region,
        "token": job.token,
        "request": encode(job.request),
        "status": str(job.status),
        "priority": job.priority,
        "failure_threshold": job.request.stops_above,
        "created_at": job.created_at,
        "changed_at": job.changed_at,
        "suspended_cause": job.suspended_cause,
        "status_reason": job.status_reason,
        "failure_reason": job.failure_reason,
        "fence": 0,
        "quiet_at": 0.0,
        "planned_rows": job.planned_rows,
        "chunk_count": job.chunk_count,
        "chunks_closed": job.chunks_closed,
        "report_state": str(job.report_state),
        "report_location": job.report_location,
        "operation": str(job.operation_name),
        "creator": job.creator,
        "description_folded": folded_text(job.request.description),
        "role_arn": job.request.role_arn,
    }
