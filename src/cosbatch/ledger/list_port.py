"""What people ask of the ledger who look at jobs: lists with filter, order and counts, and how a job went.

Nothing here changes anything. What a list costs does not depend on what is in the jobs, and grows slowly with their
number: each look at many of them walks along one index.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_lowercase, ascii_uppercase
from typing import Final, Protocol

from cosbatch.model.identifiers import AccountId, JobId, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.operations import OperationName
from cosbatch.model.reports import FailureSample
from cosbatch.model.series import JobSeries
from cosbatch.model.states import JobStatus


class JobSort(StrEnum):
    """What a list of jobs is in order of; among equals the order of creation decides."""

    CREATED = "created"
    PRIORITY = "priority"
    PROGRESS = "progress"
    TOTAL = "total"
    FAILED = "failed"
    FINISHED = "finished"


class JobGroup(StrEnum):
    """Statuses that mean one thing to somebody who looks at a list. A job may be in two."""

    IN_PROGRESS = "in_progress"
    NEEDS_ATTENTION = "needs_attention"
    """It waits for its confirmation, or more of its tasks have failed than its threshold allows."""
    PAUSED = "paused"
    FAILED = "failed"
    COMPLETE = "complete"
    CANCELLED = "cancelled"


_S = JobStatus
_SMALL: Final = str.maketrans(ascii_uppercase, ascii_lowercase)
STATUSES_OF: Final[Mapping[JobGroup, frozenset[JobStatus]]] = {
    JobGroup.IN_PROGRESS: frozenset(
        {_S.NEW, _S.PREPARING, _S.READY, _S.ACTIVE, _S.COMPLETING, _S.CANCELLING, _S.FAILING}
    ),
    JobGroup.NEEDS_ATTENTION: frozenset({_S.SUSPENDED}),
    JobGroup.PAUSED: frozenset({_S.PAUSING, _S.PAUSED}),
    JobGroup.FAILED: frozenset({_S.FAILED}),
    JobGroup.COMPLETE: frozenset({_S.COMPLETE}),
    JobGroup.CANCELLED: frozenset({_S.CANCELLED}),
}
"""Jobs that need attention are in every other status as well: see :func:`is_in`."""


def is_in(group: JobGroup, status: JobStatus, *, is_over_threshold: bool) -> bool:
    return status in STATUSES_OF[group] or (group is JobGroup.NEEDS_ATTENTION and is_over_threshold)


def folded_text(text: str) -> str:
    """Capitals of ASCII as small letters: what a search compares. Other letters stay as they are, as in every database
    without a language of its own."""
    return text.translate(_SMALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs of an account. Everything that is given must hold."""

    account: AccountId
    statuses: frozenset[JobStatus] = frozenset()
    """Empty: all."""
    groups: frozenset[JobGroup] = frozenset()
    """Empty: all; else in one of these at least."""
    region: RegionName | None = None
    operation: OperationName | None = None
    creator: str | None = None
    priority_from: int | None = None
    """Of this priority or a greater."""
    created_from: float | None = None
    """Unix seconds; at this time or later."""
    created_to: float | None = None
    """Before this time."""
    search: str = ""
    """The beginning of the job's id, or a part of its description; capitals of ASCII are as good as small letters."""

    @property
    def takes_all(self) -> bool:
        """Whether every job of the account is in it."""
        return self == JobFilter(account=self.account)

    def takes(self, status: JobStatus, *, is_over_threshold: bool) -> bool:
        """Whether its statuses and groups do."""
        if self.statuses and status not in self.statuses:
            return False
        return not self.groups or any(
            is_in(group, status, is_over_threshold=is_over_threshold) for group in self.groups
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrder:
    sort: JobSort = JobSort.CREATED
    is_descending: bool = True
    """Jobs that have no value yet come last either way."""


NEWEST_FIRST: Final = ListOrder()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlace:
    """Of a job in a list: the next page begins after it, also where the job has moved or is gone since."""

    key: float | None
    """What the list is in order of; None for a job that has no value, and in order of creation, which the id tells."""
    job_id: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCount:
    """How many jobs there are in a status, some of them over their failure threshold."""

    status: JobStatus
    is_over_threshold: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobListing:
    jobs: tuple[Job, ...]
    next: ListPlace | None
    """None where no more follow."""
    counts: tuple[JobCount, ...]
    """Of the whole filter but its statuses and groups; none is 0."""
    now: float
    """On the ledger's clock."""

    def total_of(self, wanted: JobFilter) -> int:
        """How many jobs the whole list has; ``wanted`` is what was asked for."""
        return sum(
            each.count for each in self.counts if wanted.takes(each.status, is_over_threshold=each.is_over_threshold)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentResults:
    """How many results a job's commits have brought lately, failed ones among them."""

    last_minute: int = 0
    last_five_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUse:
    """How many jobs name a role."""

    unfinished: int = 0
    total: int = 0
    """With those that have ended and are still there."""
    newest_at: float | None = None
    """When the newest of them was created: Unix seconds. None where there is none."""


class JobLists(Protocol):
    async def list_jobs(
        self, wanted: JobFilter, *, order: ListOrder = NEWEST_FIRST, after: ListPlace | None = None, limit: int = 50
    ) -> JobListing:
        """``limit`` jobs strictly after a place in the list. Jobs that move while somebody pages may be seen twice or
        not at all; those that stay where they are are seen once."""
        ...

    async def series(self, job_id: JobId) -> JobSeries:
        """What has been committed: at most 2,000 points, none of a job that is not there."""
        ...

    async def recent_results(self, job_ids: Collection[JobId]) -> Mapping[JobId, RecentResults]:
        """Of every job that is named. A bucket of the series that only reaches into the time is not in it."""
        ...

    async def role_uses(self, *, account: AccountId) -> Mapping[str, RoleUse]:
        """By ARN, of every role that a job of the account names."""
        ...

    async def failure_samples(self, job_id: JobId, *, code: str | None = None) -> dict[str, list[FailureSample]]:
        """The failures of a job that are kept whole, the first 20 or so of each code, by the code that they are counted
        under; of one code alone where it is given. None of a job that is not there."""
        ...
