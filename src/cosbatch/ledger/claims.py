"""Chunks in workers' hands: which one is next, and who still holds what.

The next chunk is found in two indexed reads, however many chunks there are: the jobs with claimable chunks (one look
into a partial index for each), then the lowest such chunks of the job whose turn it is. Never a join over chunks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.job_rows import JOB
from cosbatch.ledger.scheduling import some_chunk
from cosbatch.ledger.tables import IS_ACTIVE, IS_ENDING, IS_LEASED, IS_LOST, IS_OPEN, ROWS_PER_WRITE
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import StaleFence
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Claim, ClaimMode, Lease

T = TypeVar("T")
LOSSES_BEFORE_CARE: Final = 3
"""A chunk that has lost so many leases may hold a task that kills its worker."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A chunk that may be claimed."""

    chunk: Row[Any]
    is_ending: bool

    @property
    def settled(self) -> Bitmap:
        return Bitmap.from_bytes(self.chunk.settled, size=self.chunk.task_count)

    @property
    def comes_alone(self) -> bool:
        return bool(self.chunk.losses >= LOSSES_BEFORE_CARE)

    @property
    def mode(self) -> ClaimMode:
        if self.is_ending:
            return ClaimMode.SETTLE_ONLY
        return ClaimMode.ONE_AT_A_TIME if self.comes_alone else ClaimMode.RUN


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
    jobs = [job for job in _claimable_jobs(tx) if job.id not in but_not and (only is None or job.id in only)]
    offers = _fill(_offers(tx, jobs, after_job=after_job), room=room)
    now = tx.now()
    claims = [_claim(offer, worker=worker, now=now) for offer in offers]
    tx.change_each(_TAKE, [_taken(claim, until=now + lease_seconds) for claim in claims])
    return claims


def claimable_jobs(tx: Transaction) -> frozenset[JobId]:
    return frozenset(JobId(row.id) for row in _claimable_jobs(tx))


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
    if not claim.first_task <= task_number < claim.first_task + claim.task_count:
        raise ValueError(f"task {task_number} is not in chunk {claim.lease.seq}")
    mark = {"started_task": task_number, "started_fence": claim.lease.fence}
    if not tx.change(_MARK_STARTED, under(claim.lease, claim.owner) | mark):
        raise stale(claim.lease, claim.owner)


def under(lease: Lease, owner: WorkerId) -> Parameters:
    return {"the_job": lease.job_id, "the_seq": lease.seq, "the_owner": owner, "the_fence": lease.fence}


def stale(lease: Lease, owner: WorkerId) -> StaleFence:
    return StaleFence(f"chunk {lease.seq} of job {lease.job_id} is not held by {owner} under fence {lease.fence}")


def sorted_leases(leases: Collection[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: (lease.job_id, lease.seq))


def _claimable_jobs(tx: Transaction) -> list[Row[Any]]:
    """Active jobs with an open chunk, and ending ones with a lost chunk of which nothing can still arrive."""
    now = tx.now()
    return [row for row in tx.all(_CLAIMABLE_JOBS) if row.status == JobStatus.ACTIVE or row.quiet_at <= now]


def _offers(tx: Transaction, jobs: Sequence[Row[Any]], *, after_job: JobId | None) -> Iterator[_Offer]:
    """Every chunk of the jobs that can be claimed, in the order of service. What is left of ending jobs comes first: it
    is little, it only looks, and somebody waits for the end."""
    ending = [row for row in jobs if row.status != JobStatus.ACTIVE]
    active = [row for row in jobs if row.status == JobStatus.ACTIVE]
    yield from _of_level(tx, ending, after_job=after_job)
    yield from _in_turn([_of_queue(tx, queue, after_job=after_job) for queue in _queues(active, after_job=after_job)])


def _queues(active: Sequence[Row[Any]], *, after_job: JobId | None) -> list[list[Row[Any]]]:
    """The jobs of each queue (account and region), greatest priority first; the queue after the last served one
    first."""
    queues: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in sorted(active, key=lambda row: (row.account, row.region)):
        queues.setdefault((row.account, row.region), []).append(row)
    served = [any(row.id == after_job for row in queue) for queue in queues.values()]
    first = served.index(True) + 1 if any(served) else 0
    return [*queues.values()][first:] + [*queues.values()][:first]


def _of_queue(tx: Transaction, queue: Sequence[Row[Any]], *, after_job: JobId | None) -> Iterator[_Offer]:
    for _, level in groupby(queue, key=lambda row: int(row.priority)):
        yield from _of_level(tx, list(level), after_job=after_job)


def _of_level(tx: Transaction, level: Sequence[Row[Any]], *, after_job: JobId | None) -> Iterator[_Offer]:
    """Jobs of one priority, in turn."""
    return _in_turn([_chunks_of(tx, row) for row in _rotated(level, after_job=after_job)])


def _rotated(level: Sequence[Row[Any]], *, after_job: JobId | None) -> list[Row[Any]]:
    return sorted(level, key=lambda row: (after_job is not None and row.id <= after_job, row.id))


def _in_turn(queues: Sequence[Iterator[T]]) -> Iterator[T]:
    """One of each, then again, while there are any."""
    waiting = list(queues)
    while waiting:
        for queue in list(waiting):
            try:
                yield next(queue)
            except StopIteration:
                waiting.remove(queue)


def _chunks_of(tx: Transaction, job: Row[Any]) -> Iterator[_Offer]:
    is_ending = job.status != JobStatus.ACTIVE
    after_seq = -1
    while rows := tx.all(_LOWEST_LOST if is_ending else _LOWEST_OPEN, {"the_job": job.id, "after_seq": after_seq}):
        for row in rows:
            yield _Offer(chunk=row, is_ending=is_ending)
        after_seq = rows[-1].seq


def _fill(offers: Iterator[_Offer], *, room: int) -> list[_Offer]:
    """Offers until their unsettled tasks fill the room; one that must come alone comes first or not at all."""
    taken: list[_Offer] = []
    while room > 0 and len(taken) < ROWS_PER_WRITE and (offer := next(offers, None)):
        if offer.comes_alone and taken:
            continue
        taken.append(offer)
        if offer.comes_alone:
            break
        room -= offer.chunk.task_count - len(offer.settled)
    return taken


def _claim(offer: _Offer, *, worker: WorkerId, now: float) -> Claim:
    chunk = offer.chunk
    mode = offer.mode
    return Claim(
        lease=Lease(job_id=JobId(chunk.job_id), seq=chunk.seq, fence=chunk.fence + 1),
        owner=worker,
        mode=mode,
        first_task=chunk.first_task,
        task_count=chunk.task_count,
        spool_name=chunk.spool_name,
        settled=offer.settled,
        losses=chunk.losses,
        first_leased_at=now if chunk.first_leased_at is None else chunk.first_leased_at,
        started_task=chunk.started_task if mode is ClaimMode.ONE_AT_A_TIME else None,
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
