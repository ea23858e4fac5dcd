"""Whose turn it is: the order in which chunks are offered to workers, and what a claim of one carries.

The same for every adapter of the ledger. An adapter knows which jobs have claimable chunks and which are the lowest of
them; everything else is decided here, lazily: only as many chunks are looked at as are claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

from cosbatch.ledger.rules import ROWS_PER_WRITE
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import AccountId, JobId, RegionName, WorkerId
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Claim, ClaimMode, Lease

T = TypeVar("T")
LOSSES_BEFORE_CARE: Final = 3
"""A chunk that has lost so many leases may hold a task that kills its worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimableJob:
    """An Active job with open chunks, or an ending one with lost ones."""

    id: JobId
    account: AccountId
    region: RegionName
    status: JobStatus
    priority: int
    is_quiet: bool

    @property
    def is_ending(self) -> bool:
        return self.status is not JobStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A chunk that may be claimed."""

    job_id: JobId
    is_ending: bool
    seq: int
    fence: int
    first_task: int
    task_count: int
    spool_name: str
    settled: Bitmap
    losses: int
    first_leased_at: float | None
    started_task: int | None

    @property
    def comes_alone(self) -> bool:
        return self.losses >= LOSSES_BEFORE_CARE

    @property
    def mode(self) -> ClaimMode:
        if self.is_ending:
            return ClaimMode.SETTLE_ONLY
        return ClaimMode.ONE_AT_A_TIME if self.comes_alone else ClaimMode.RUN

    def claimed_by(self, worker: WorkerId, *, now: float) -> Claim:
        mode = self.mode
        return Claim(
            lease=Lease(job_id=self.job_id, seq=self.seq, fence=self.fence + 1),
            owner=worker,
            mode=mode,
            first_task=self.first_task,
            task_count=self.task_count,
            spool_name=self.spool_name,
            settled=self.settled,
            losses=self.losses,
            first_leased_at=now if self.first_leased_at is None else self.first_leased_at,
            started_task=self.started_task if mode is ClaimMode.ONE_AT_A_TIME else None,
        )


OffersOf = Callable[[ClaimableJob], Iterator[Offer]]
"""The claimable chunks of a job, lowest first."""


def offers_in_turn(
    jobs: Iterable[ClaimableJob],
    offers_of: OffersOf,
    *,
    after_job: JobId | None,
    but_not: Collection[JobId],
    only: Collection[JobId] | None,
) -> Iterator[Offer]:
    """Every claimable chunk, in the order of service. What is left of ending jobs comes first: it is little, it only
    looks, and somebody waits for the end."""
    wanted = [job for job in claimable_now(jobs) if job.id not in but_not and (only is None or job.id in only)]
    ending = [job for job in wanted if job.is_ending]
    active = [job for job in wanted if not job.is_ending]
    yield from _of_level(ending, offers_of, after_job=after_job)
    yield from _in_turn([_of_queue(queue, offers_of, after_job=after_job) for queue in _queues(active, after_job)])


def claimable_now(jobs: Iterable[ClaimableJob]) -> list[ClaimableJob]:
    """Without ending jobs of which something can still arrive at a store: a look there would come too early."""
    return [job for job in jobs if not job.is_ending or job.is_quiet]


def filled(offers: Iterator[Offer], *, room: int) -> list[Offer]:
    """Offers until their unsettled tasks fill the room; one that must come alone comes first or not at all."""
    taken: list[Offer] = []
    while room > 0 and len(taken) < ROWS_PER_WRITE and (offer := next(offers, None)):
        if offer.comes_alone and taken:
            continue
        taken.append(offer)
        if offer.comes_alone:
            break
        room -= offer.task_count - len(offer.settled)
    return taken


def _queues(active: Iterable[ClaimableJob], after_job: JobId | None) -> list[list[ClaimableJob]]:
    """The jobs of each queue (account and region), greatest priority first; the queue after the last served one
    first."""
    queues: dict[tuple[str, str], list[ClaimableJob]] = {}
    for job in sorted(active, key=lambda job: (job.account, job.region, -job.priority)):
        queues.setdefault((job.account, job.region), []).append(job)
    served = [any(job.id == after_job for job in queue) for queue in queues.values()]
    first = served.index(True) + 1 if any(served) else 0
    return [*queues.values()][first:] + [*queues.values()][:first]


def _of_queue(queue: Sequence[ClaimableJob], offers_of: OffersOf, *, after_job: JobId | None) -> Iterator[Offer]:
    for _, level in groupby(queue, key=lambda job: job.priority):
        yield from _of_level(list(level), offers_of, after_job=after_job)


def _of_level(level: Sequence[ClaimableJob], offers_of: OffersOf, *, after_job: JobId | None) -> Iterator[Offer]:
    """Jobs of one priority, in turn."""
    turns = sorted(level, key=lambda job: (after_job is not None and job.id <= after_job, job.id))
    return _in_turn([offers_of(job) for job in turns])


def _in_turn(queues: Sequence[Iterator[T]]) -> Iterator[T]:
    """One of each, then again, while there are any."""
    waiting = list(queues)
    while waiting:
        for queue in list(waiting):
            try:
                yield next(queue)
            except StopIteration:
                waiting.remove(queue)
