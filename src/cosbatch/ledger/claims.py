"""Chunks in workers' hands: which one is next, and who still holds what.

The next chunk is found in two indexed reads, however many chunks there are: the jobs with claimable chunks (one look
into a partial index for each), then the lowest such chunks of the job whose turn it is. Never a join over chunks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.job_rows import JOB
from cosbatch.ledger.rules import ROWS_PER_WRITE, check_is_in_chunk, stale
from cosbatch.ledger.scheduling import some_chunk
from cosbatch.ledger.tables import IS_ACTIVE, IS_ENDING, IS_LEASED, IS_LOST, IS_OPEN
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.ledger.turns import ClaimableJob, Offer, claimable_now, filled, offers_in_turn
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import AccountId, JobId, RegionName, WorkerId
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Claim, Lease

_PAGE: Final = 8
_CHUNK: Final = tables.chunk.c

UNDER_LEASE: Final = and_(
    _CHUNK.job_id == bindparam("the_job"),
    _CHUNK.seq == bindparam("the_seq"),
    _CHUNK.owner == bindparam("the_owner"),
    _CHUNK.fence == bindparam("the_fence"),
    IS_LEASED,
)
_CLAIMABLE_JOBS: Final = (
    select(JOB.id, JOB.account, JOB.region, JOB.status, JOB.priority, JOB.quiet_at)
    .where(
        or_(IS_ACTIVE, IS_ENDING),
        or_(and_(IS_ACTIVE, some_chunk(IS_OPEN)), and_(IS_ENDING, some_chunk(IS_LOST))),
    )
    .order_by(JOB.priority.desc(), JOB.id)
)
_TAKE: Final = update(tables.chunk).where(
    _CHUNK.job_id == bindparam("the_job"), _CHUNK.seq == bindparam("the_seq"), IS_OPEN
)
_LEASES_OF_OWNER: Final = select(_CHUNK.job_id, _CHUNK.seq, _CHUNK.fence).where(
    IS_LEASED, _CHUNK.owner == bindparam("the_owner")
)
_EXTEND: Final = update(tables.chunk).where(UNDER_LEASE)
_GIVE_BACK: Final = update(tables.chunk).where(UNDER_LEASE).values(state="open", owner=None, lease_until=None)
_MARK_STARTED: Final = update(tables.chunk).where(UNDER_LEASE)


def _lowest(condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(tables.chunk)
        .where(_CHUNK.job_id == bindparam("the_job"), condition, _CHUNK.seq > bindparam("after_seq"))
        .order_by(_CHUNK.seq)
        .limit(_PAGE)
        .with_for_update(skip_locked=True)
    )


_LOWEST_OPEN: Final = _lowest(IS_OPEN)
_LOWEST_LOST: Final = _lowest(IS_LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """One transaction of a renewal."""

    confirmed: frozenset[Lease]
    has_more: bool
    """There is more to give back than one transaction may change."""


def claim(
    tx: Transaction,
    worker: WorkerId,
    *,
    room: int,
    lease_seconds: float,
    after_job: JobId | None,
    but_not: Collection[JobId],
    only: Collection[JobId] | None,
) -> list[Claim]:
    jobs = [_claimable(row) for row in tx.all(_CLAIMABLE_JOBS)]
    now = tx.now()
    offers = offers_in_turn(jobs, partial(_offers_of, tx), after_job=after_job, but_not=but_not, only=only)
    claims = [offer.claimed_by(worker, now=now) for offer in filled(offers, room=room)]
    tx.change_each(_TAKE, [_taken(claim, until=now + lease_seconds) for claim in claims])
    return claims


def claimable_jobs(tx: Transaction) -> frozenset[JobId]:
    jobs = [_claimable(row) for row in tx.all(_CLAIMABLE_JOBS)]
    return frozenset(job.id for job in claimable_now(jobs))


def renew_some(
    tx: Transaction, worker: WorkerId, leases: Collection[Lease], *, named: frozenset[Lease], lease_seconds: float
) -> Renewed:
    """Makes ``leases`` longer where they are still held, and gives back some of what is held but not ``named``."""
    held = leases_of(tx, worker)
    confirmed = held & frozenset(leases)
    until = tx.now() + lease_seconds
    tx.change_each(_EXTEND, [under(lease, worker) | {"lease_until": until} for lease in confirmed])
    unnamed = sorted_leases(held - named)
    tx.change_each(_GIVE_BACK, [under(lease, worker) for lease in unnamed[:ROWS_PER_WRITE]])
    return Renewed(confirmed=confirmed, has_more=len(unnamed) > ROWS_PER_WRITE)


def leases_of(tx: Transaction, worker: WorkerId) -> frozenset[Lease]:
    rows = tx.all(_LEASES_OF_OWNER, {"the_owner": worker})
    return frozenset(Lease(job_id=JobId(row.job_id), seq=row.seq, fence=row.fence) for row in rows)


def mark_started(tx: Transaction, claim: Claim, task_number: int) -> None:
    check_is_in_chunk(claim, task_number)
    mark = {"started_task": task_number, "started_fence": claim.lease.fence}
    if not tx.change(_MARK_STARTED, under(claim.lease, claim.owner) | mark):
        raise stale(claim.lease, claim.owner)


def under(lease: Lease, owner: WorkerId) -> Parameters:
    return {"the_job": lease.job_id, "the_seq": lease.seq, "the_owner": owner, "the_fence": lease.fence}


def sorted_leases(leases: Collection[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: (lease.job_id, lease.seq))


def _claimable(row: Row[Any]) -> ClaimableJob:
    return ClaimableJob(
        id=JobId(row.id),
        account=AccountId(row.account),
        region=RegionName(row.region),
        status=JobStatus(row.status),
        priority=row.priority,
        is_quiet=row.quiet_at == 0,
    )


def _offers_of(tx: Transaction, job: ClaimableJob) -> Iterator[Offer]:
    lowest = _LOWEST_LOST if job.is_ending else _LOWEST_OPEN
    after_seq = -1
    while rows := tx.all(lowest, {"the_job": job.id, "after_seq": after_seq}):
        for row in rows:
            yield _offer(row, is_ending=job.is_ending)
        after_seq = rows[-1].seq


def _offer(row: Row[Any], *, is_ending: bool) -> Offer:
    return Offer(
        job_id=JobId(row.job_id),
        is_ending=is_ending,
        seq=row.seq,
        fence=row.fence,
        first_task=row.first_task,
        task_count=row.task_count,
        spool_name=row.spool_name,
        settled=Bitmap.from_bytes(row.settled, size=row.task_count),
        losses=row.losses,
        first_leased_at=row.first_leased_at,
        started_task=row.started_task,
    )


def _taken(claim: Claim, *, until: float) -> Parameters:
    return {
        "the_job": claim.lease.job_id,
        "the_seq": claim.lease.seq,
        "state": "leased",
        "owner": claim.owner,
        "fence": claim.lease.fence,
        "lease_until": until,
        "first_leased_at": claim.first_leased_at,
    }
