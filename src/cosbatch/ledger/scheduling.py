"""What the scheduler looks at: unfinished jobs, and leases that may be over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, assert_never

from sqlalchemy import ColumnElement, Row, bindparam, exists, literal_column, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.job_rows import JOB, THE_JOB, job_from
from cosbatch.ledger.port import Duty, HeldLease, JobLease, QueuedJob
from cosbatch.ledger.rules import quiet_after, suspended_seconds
from cosbatch.ledger.tables import IS_HELD, IS_LEASED, IS_LOST, IS_OPEN, IS_QUEUED
from cosbatch.ledger.transaction import LastLook, Parameters, Transaction
from cosbatch.ledger.workers import taken_places
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.jobs import Job, place_written
from cosbatch.model.regions import Place
from cosbatch.model.tasks import Lease

_CHUNK: Final = tables.chunk.c


def some_chunk(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the job has such a chunk: one look into a partial index."""
    return exists(literal_column("1")).where(_CHUNK.job_id == JOB.id, condition)


_QUEUED: Final = (
    select(
        tables.job,
        some_chunk(IS_OPEN).label("has_open"),
        some_chunk(IS_LOST).label("has_lost"),
        some_chunk(IS_LEASED).label("has_leased"),
    )
    .where(IS_QUEUED)
    .order_by(JOB.id)
)
_HELD_CHUNKS: Final = select(_CHUNK.job_id, _CHUNK.seq, _CHUNK.fence, _CHUNK.owner, _CHUNK.lease_until).where(IS_LEASED)
_HELD_JOBS: Final = select(JOB.id, JOB.fence, JOB.owner, JOB.duty, JOB.lease_until).where(IS_HELD)
_EXPIRE_CHUNK: Final = (
    update(tables.chunk)
    .where(
        _CHUNK.job_id == bindparam("the_job"),
        _CHUNK.seq == bindparam("the_seq"),
        IS_LEASED,
        _CHUNK.owner == bindparam("the_owner"),
        _CHUNK.fence == bindparam("the_fence"),
        _CHUNK.lease_until == bindparam("the_end"),
    )
    .values(state="open", owner=None, lease_until=None, losses=_CHUNK.losses + 1, lost=1)
)
_EXPIRE_JOB: Final = (
    update(tables.job)
    .where(
        THE_JOB,
        JOB.owner == bindparam("the_owner"),
        JOB.fence == bindparam("the_fence"),
        JOB.lease_until == bindparam("the_end"),
    )
    .values(owner=None, duty=None, lease_until=None)
)
_QUIET_AT: Final = select(JOB.quiet_at).where(THE_JOB).with_for_update()
_BE_QUIET_UNTIL: Final = update(tables.job).where(THE_JOB).values(quiet_at=bindparam("until"))
_QUIETEN: Final = (
    update(tables.job).where(THE_JOB, JOB.quiet_at == bindparam("waited_for")).values(quiet_at=literal_column("0.0"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Every unfinished job, as it stands whatever the time is."""

    rows: list[tuple[Row[Any], Job, Place | None]]
    """The last is the bucket that the job writes, once that is known."""
    taken: list[tuple[Place, float]]


class QueueLook:
    """Looks at the queue. A job whose row is as it was in the look before is not made of it again: mostly one job of
    many has changed."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Row[Any], Job, Place | None]] = {}

    def __call__(self, tx: Transaction) -> Queue:
        rows = [self._as_before(row) or _made_of(row) for row in tx.all(_QUEUED)]
        self._last = {row.id: (row, job, place) for row, job, place in rows}
        return Queue(rows=rows, taken=taken_places(tx))

    def _as_before(self, row: Row[Any]) -> tuple[Row[Any], Job, Place | None] | None:
        last = self._last.get(row.id)
        return last if last is not None and last[0] == row else None


def _made_of(row: Row[Any]) -> tuple[Row[Any], Job, Place | None]:
    job = job_from(row)
    return row, job, _place_of(job)


def queued_jobs(tx: Transaction, *, look: LastLook[Queue]) -> list[QueuedJob]:
    """``look`` is one for a :class:`QueueLook`."""
    seen, now = look(tx), tx.now()
    taken = frozenset(place for place, until in seen.taken if until > now)
    return [_queued_job(row, job, is_rate_taken=place in taken, now=now) for row, job, place in seen.rows]


def leases(tx: Transaction) -> list[tuple[Lease | JobLease, WorkerId, float]]:
    """Each that somebody holds, by whom and until when."""
    of_chunks = [
        (Lease(job_id=JobId(row.job_id), seq=row.seq, fence=row.fence), WorkerId(row.owner), row.lease_until)
        for row in tx.all(_HELD_CHUNKS)
    ]
    of_jobs = [(_job_lease(row), WorkerId(row.owner), row.lease_until) for row in tx.all(_HELD_JOBS)]
    return [*of_chunks, *of_jobs]


def held_leases(tx: Transaction, *, look: LastLook[list[tuple[Lease | JobLease, WorkerId, float]]]) -> list[HeldLease]:
    """``look`` is one for :func:`leases`."""
    held, now = look(tx), tx.now()
    return [HeldLease(lease=lease, owner=owner, lease_until=until, is_past=until < now) for lease, owner, until in held]


def expire(tx: Transaction, held: HeldLease, *, quiet_seconds: float) -> bool:
    seen: Parameters = {"the_owner": held.owner, "the_fence": held.lease.fence, "the_end": held.lease_until}
    match held.lease:
        case Lease(job_id=job_id, seq=seq):
            ended = tx.change(_EXPIRE_CHUNK, seen | {"the_job": job_id, "the_seq": seq})
        case JobLease(job_id=job_id):
            ended = tx.change(_EXPIRE_JOB, seen | {"the_job": job_id})
        case _:
            assert_never(held.lease)
    if ended:
        be_quiet(tx, job_id, seconds=quiet_seconds)
    return bool(ended)


def be_quiet(tx: Transaction, job_id: JobId, *, seconds: float) -> None:
    """From so many seconds on no request of a lease that was lost now can still be under way."""
    row = tx.one(_QUIET_AT, {"the_job": job_id})
    before = row.quiet_at if row else 0.0
    tx.change(_BE_QUIET_UNTIL, {"the_job": job_id, "until": quiet_after(before, until=tx.now() + seconds)})


def quieten(tx: Transaction, job_id: JobId, *, quiet_at: float) -> bool:
    return bool(quiet_at and tx.change(_QUIETEN, {"the_job": job_id, "waited_for": quiet_at}))


def _place_of(job: Job) -> Place | None:
    return None if job.findings is None else place_written(job.request, job.findings)


def _queued_job(row: Row[Any], job: Job, *, is_rate_taken: bool, now: float) -> QueuedJob:
    return QueuedJob(
        job=job,
        has_open_chunks=bool(row.has_open),
        has_leases=bool(row.has_leased) or row.owner is not None,
        has_lost_chunks=bool(row.has_lost),
        quiet_at=row.quiet_at,
        quiet_in_seconds=row.quiet_at - now,
        suspended_seconds=suspended_seconds(job, now=now),
        seen_at=now,
        is_rate_taken=is_rate_taken,
    )


def _job_lease(row: Row[Any]) -> JobLease:
    return JobLease(job_id=JobId(row.id), owner=WorkerId(row.owner), fence=row.fence, duty=Duty(row.duty))
