"""The job's own lease, and what is done under it: planning and sealing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, insert, select, tuple_, update

from cosbatch.ledger import tables
from cosbatch.ledger.codec import decode, encode
from cosbatch.ledger.job_rows import JOB, THE_JOB, add_event, hold_from, load, load_row, move_row, tally_from
from cosbatch.ledger.port import ChunkState, CommittedPart, Duty, JobLease
from cosbatch.ledger.rules import (
    PLANNING_BEGINS,
    check_continues,
    check_count,
    check_plans,
    fits,
    hold_after_report,
    stale_job,
    told_of_report,
    unknown_chunks,
)
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode, NoSuchJob
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.jobs import Hold, Job, PlanFindings, progress_of
from cosbatch.model.reports import Part, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import NewChunk

_CHUNK: Final = tables.chunk.c
_PART: Final = tables.part.c
_FREED: Final[Parameters] = {"owner": None, "duty": None, "lease_until": None}

_CHANGE_JOB: Final = update(tables.job).where(THE_JOB)
_CHANGE_JOB_UNDER_LEASE: Final = update(tables.job).where(
    THE_JOB, JOB.owner == bindparam("the_owner"), JOB.fence == bindparam("the_fence")
)
_CHUNK_NAMES: Final = select(_CHUNK.seq, _CHUNK.spool_name).where(
    _CHUNK.job_id == bindparam("the_job"), _CHUNK.seq.between(bindparam("first"), bindparam("last"))
)
_ADD_CHUNKS: Final = insert(tables.chunk)
_CHUNK_STATES: Final = (
    select(_CHUNK.seq, _CHUNK.first_task, _CHUNK.task_count, _CHUNK.settled, _CHUNK.losses)
    .where(_CHUNK.job_id == bindparam("the_job"), _CHUNK.seq > bindparam("after_seq"))
    .order_by(_CHUNK.seq)
    .limit(bindparam("most"))
)
_PARTS: Final = (
    select(tables.part)
    .where(
        _PART.job_id == bindparam("the_job"),
        tuple_(_PART.seq, _PART.place) > tuple_(bindparam("after_seq"), bindparam("after_place")),
    )
    .order_by(_PART.seq, _PART.place)
    .limit(bindparam("most"))
)
_PART_NAMES: Final = select(_PART.spool_name).where(
    _PART.job_id == bindparam("the_job"), _PART.seq.between(bindparam("first"), bindparam("last"))
)


def claim_job(tx: Transaction, worker: WorkerId, *, job_id: JobId, duty: Duty, lease_seconds: float) -> JobLease | None:
    row = load_row(tx, job_id)
    status = JobStatus(row.status)
    if row.owner is not None or not fits(duty, status=status, report_state=ReportState(row.report_state)):
        return None
    if status is JobStatus.NEW:
        move_row(tx, row, to=JobStatus.PREPARING, actor=Actor.ENGINE, reason=PLANNING_BEGINS)
    lease = JobLease(job_id=job_id, owner=worker, fence=row.fence + 1, duty=duty)
    held = {"owner": worker, "duty": str(duty), "fence": lease.fence, "lease_until": tx.now() + lease_seconds}
    tx.change(_CHANGE_JOB, {"the_job": job_id} | held)
    return lease


def renew_job(tx: Transaction, lease: JobLease, *, lease_seconds: float) -> None:
    until = {"lease_until": tx.now() + lease_seconds}
    if not tx.change(_CHANGE_JOB_UNDER_LEASE, _under(lease) | until):
        raise stale_job(lease)


def release_job(tx: Transaction, lease: JobLease) -> None:
    tx.change(_CHANGE_JOB_UNDER_LEASE, _under(lease) | _FREED)


def add_chunks(tx: Transaction, lease: JobLease, chunks: Sequence[NewChunk], *, planned_rows: int) -> None:
    check_count(chunks)
    row = _planned_under(tx, lease)
    new = unknown_chunks(lease.job_id, chunks, known=_known_names(tx, lease.job_id, chunks))
    check_continues(lease.job_id, new, chunk_count=row.chunk_count, planned_rows=row.planned_rows, end=planned_rows)
    tx.change_each(_ADD_CHUNKS, [_chunk_row(lease.job_id, chunk) for chunk in new])
    counted = {
        "planned_rows": max(planned_rows, row.planned_rows),  # an older call repeated takes nothing back
        "chunk_count": row.chunk_count + len(new),
    }
    tx.change(_CHANGE_JOB, {"the_job": lease.job_id} | counted)


def finish_plan(tx: Transaction, lease: JobLease, *, findings: PlanFindings, to: JobStatus, reason: str) -> Job:
    row = _planned_under(tx, lease)
    total = row.planned_rows
    progress = progress_of(tally_from(row), total=total)
    found = {"findings": encode(findings), "total": total, "progress": progress}
    tx.change(_CHANGE_JOB, {"the_job": lease.job_id} | found | _FREED)
    move_row(tx, row, to=to, actor=Actor.ENGINE, reason=reason)
    return load(tx, lease.job_id)


def chunk_states(tx: Transaction, job_id: JobId, *, after_seq: int, limit: int) -> list[ChunkState]:
    rows = tx.all(_CHUNK_STATES, {"the_job": job_id, "after_seq": after_seq, "most": limit})
    return [
        ChunkState(
            seq=row.seq,
            first_task=row.first_task,
            task_count=row.task_count,
            settled=Bitmap.from_bytes(row.settled, size=row.task_count),
            losses=row.losses,
        )
        for row in rows
    ]


def parts(
    tx: Transaction, job_id: JobId, *, after: tuple[int, int], limit: int
) -> list[tuple[tuple[int, int], CommittedPart]]:
    wanted = {"the_job": job_id, "after_seq": after[0], "after_place": after[1], "most": limit}
    return [((row.seq, row.place), CommittedPart(seq=row.seq, part=_part_from(row))) for row in tx.all(_PARTS, wanted)]


def part_names(tx: Transaction, job_id: JobId, *, first_seq: int, last_seq: int) -> frozenset[str]:
    span = {"the_job": job_id, "first": first_seq, "last": last_seq}
    return frozenset(row.spool_name for row in tx.all(_PART_NAMES, span))


def report_done(
    tx: Transaction,
    lease: JobLease,
    *,
    state: ReportState,
    location: str,
    to: JobStatus | None,
    reason: str,
    failure: FailureCode | None,
    hold: Hold | None,
) -> Job:
    row = _held_under(tx, lease)
    status = JobStatus(row.status) if to is None else to
    shown, told_of_hold = hold_after_report(hold_from(row), hold, state=state)
    reported = {"report_state": str(state), "report_location": location, "hold": shown and encode(shown)}
    tx.change(_CHANGE_JOB, {"the_job": lease.job_id} | reported | _FREED)
    if to is not None:
        move_row(tx, row, to=to, actor=Actor.ENGINE, reason=reason, failure=failure)
    for kind, told in told_of_hold:
        add_event(tx, lease.job_id, actor=Actor.ENGINE, kind=kind, status=status, reason=told)
    if str(state) != row.report_state:
        told = told_of_report(state, location=location, reason=reason)
        add_event(tx, lease.job_id, actor=Actor.ENGINE, kind="report", status=status, reason=told)
    return load(tx, lease.job_id)


def _under(lease: JobLease) -> Parameters:
    return {"the_job": lease.job_id, "the_owner": lease.owner, "the_fence": lease.fence}


def _held_under(tx: Transaction, lease: JobLease) -> Row[Any]:
    try:
        row = load_row(tx, lease.job_id)
    except NoSuchJob as error:
        raise stale_job(lease) from error
    if (row.owner, row.fence) != (lease.owner, lease.fence):
        raise stale_job(lease)
    return row


def _planned_under(tx: Transaction, lease: JobLease) -> Row[Any]:
    row = _held_under(tx, lease)
    check_plans(lease, held_for=Duty(row.duty), status=JobStatus(row.status))
    return row


def _known_names(tx: Transaction, job_id: JobId, chunks: Sequence[NewChunk]) -> dict[int, str]:
    """Spool names of the chunks that are there, by seq."""
    if not chunks:
        return {}
    span = {"first": min(chunk.seq for chunk in chunks), "last": max(chunk.seq for chunk in chunks)}
    return {row.seq: row.spool_name for row in tx.all(_CHUNK_NAMES, {"the_job": job_id} | span)}


def _chunk_row(job_id: JobId, chunk: NewChunk) -> Parameters:
    return {
        "job_id": job_id,
        "seq": chunk.seq,
        "state": "open",
        "fence": 0,
        "losses": 0,
        "lost": 0,
        "first_task": chunk.first_task,
        "task_count": chunk.task_count,
        "settled": b"",
        "spool_name": chunk.spool_name,
    }


def _part_from(row: Row[Any]) -> Part:
    return Part(
        spool_name=row.spool_name,
        settled=Bitmap.from_bytes(row.settled, size=row.task_count),
        tally=decode(row.tally, Tally),
    )
