"""What users look at: lists of their jobs, how fast one goes, and what went wrong in it. Nothing here changes anything.

Every method names who asks; another account's jobs do not exist for it (NoSuchJob).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cosbatch.identity.policies import Access, Purpose, cam_policy, iam_policy
from cosbatch.ledger.list_port import JobFilter, JobGroup, ListOrder, ListPlace, is_in
from cosbatch.ledger.list_port import JobListing as Found
from cosbatch.ledger.port import JobLedger
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import Job, region_written
from cosbatch.model.principals import Caller
from cosbatch.model.regions import Provider, Region, is_same_store
from cosbatch.model.reports import CodeTally, FailureSample
from cosbatch.model.states import JobStatus
from cosbatch.operations.job_access import job_access
from cosbatch.service.failure_hints import ACCESS_CODES, hint_for
from cosbatch.service.job_pace import Pace, SeriesRange, ShownSeries, pace_of, shown_series
from cosbatch.storage.profiles import CapabilityProfile

_OF_TASKS: Final = frozenset({Purpose.SOURCE_READ, Purpose.TARGET_WRITE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    job: Job
    pace: Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    jobs: tuple[ListedJob, ...]
    next: ListPlace | None
    """None where no more follow."""
    total: int
    """Of the whole filter."""
    by_status: Mapping[JobStatus, int]
    """Every status, of the filter without its statuses and groups."""
    by_group: Mapping[JobGroup, int]
    """The same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpeed:
    pace: Pace
    series: ShownSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """The failures of one code."""

    code: str
    tally: CodeTally
    share: float
    """Of all failures of the job, 0 to 1."""
    is_retryable: bool
    hint: str
    permissions: tuple[str, ...] = ()
    """Where access was denied: what the job's tasks need, each as ``actions on resources``."""
    samples: tuple[FailureSample, ...] = field(default=())
    """Up to 20; none in an overview."""


def mark_of(wanted: JobFilter, order: ListOrder) -> str:
    """Tells lists apart: a place in one list means nothing in another."""
    told = (
        wanted.account, sorted(wanted.statuses), sorted(wanted.groups), wanted.region, wanted.operation,
        wanted.creator, wanted.priority_from, wanted.created_from, wanted.created_to, wanted.search,
        order.sort, order.is_descending,
    )  # fmt: skip
    return hashlib.sha256(repr([str(each) for each in told]).encode("utf-8", "backslashreplace")).hexdigest()[:16]


class JobListDesk:
    def __init__(
        self,
        ledger: JobLedger,
        *,
        regions: Mapping[RegionName, Region],
        profile_of: Callable[[Region], CapabilityProfile],
    ) -> None:
        self._ledger = ledger
        self._regions = regions
        self._profile_of = profile_of

    async def list_jobs(self, wanted: JobFilter, *, order: ListOrder, after: ListPlace | None, limit: int) -> JobPage:
        """``wanted`` is of the caller's account."""
        found = await self._ledger.lists.list_jobs(wanted, order=order, after=after, limit=limit)
        active = [job.id for job in found.jobs if job.status is JobStatus.ACTIVE]
        recent = await self._ledger.lists.recent_results(active) if active else {}
        idle = Pace(results_per_second=None, eta_seconds=None)
        return JobPage(
            jobs=tuple(
                ListedJob(job=job, pace=pace_of(job, recent[job.id], now=found.now) if job.id in recent else idle)
                for job in found.jobs
            ),
            next=found.next,
            total=found.total_of(wanted),
            by_status={status: _count_of(found, status) for status in JobStatus},
            by_group={group: _count_in(found, group) for group in JobGroup},
        )

    async def job_series(self, job_id: JobId, shown: SeriesRange, *, caller: Caller) -> JobSpeed:
        job = await self._ledger.job(job_id, account=caller.account.id)
        series = await self._ledger.lists.series(job_id)
        recent = await self._ledger.lists.recent_results([job_id])
        return JobSpeed(pace=pace_of(job, recent[job_id], now=series.now), series=shown_series(job, series, shown))

    async def job_failures(self, job_id: JobId, *, caller: Caller) -> list[FailureGroup]:
        """The most frequent code first."""
        job = await self._ledger.job(job_id, account=caller.account.id)
        ordered = sorted(job.tally.codes.items(), key=lambda entry: (-entry[1].count, entry[0]))
        return [self._group(job, code, tally) for code, tally in ordered]

    async def job_failures_of_code(self, job_id: JobId, code: str, *, caller: Caller) -> FailureGroup:
        """Also of a code with which no task has failed: then there are none."""
        job = await self._ledger.job(job_id, account=caller.account.id)
        tally = job.tally.codes.get(code, CodeTally(count=0))
        kept = await self._ledger.lists.failure_samples(job_id, code=code)
        return self._group(job, code, tally, samples=tuple(kept.get(code, ())))

    def _group(self, job: Job, code: str, tally: CodeTally, *, samples: tuple[FailureSample, ...] = ()) -> FailureGroup:
        hint = hint_for(code)
        return FailureGroup(
            code=code,
            tally=tally,
            share=tally.count / job.tally.failed if job.tally.failed else 0.0,
            is_retryable=hint.is_retryable,
            hint=hint.text,
            permissions=self._permissions(job) if code in ACCESS_CODES else (),
            samples=samples,
        )

    def _permissions(self, job: Job) -> tuple[str, ...]:
        """What its tasks need in the words of its stores; nothing where a region is not known any more."""
        source = self._regions.get(job.request.region)
        target = self._regions.get(region_written(job.request))
        if source is None or target is None or job.findings is None:
            return ()
        accesses = job_access(
            job.request,
            findings=job.findings,
            source_profile=self._profile_of(source),
            target_profile=self._profile_of(target),
            same_store=is_same_store(source, target),
        )
        return tuple(
            line
            for access in accesses
            if access.purpose in _OF_TASKS
            for line in _lines_of(access, provider=self._regions[access.region].provider)
        )


def _lines_of(access: Access, *, provider: Provider) -> list[str]:
    is_cos = provider is Provider.COS
    statements = cam_policy([access])["statement"] if is_cos else iam_policy([access])["Statement"]
    actions, resources = ("action", "resource") if is_cos else ("Action", "Resource")
    return [
        f"{access.purpose}: {_listed(statement[actions])} on {_listed(statement[resources])}"
        for statement in statements
    ]


def _listed(words: str | list[str]) -> str:
    return words if isinstance(words, str) else ", ".join(words)


def _count_of(found: Found, status: JobStatus) -> int:
    return sum(each.count for each in found.counts if each.status is status)


def _count_in(found: Found, group: JobGroup) -> int:
    return sum(
        each.count for each in found.counts if is_in(group, each.status, is_over_threshold=each.is_over_threshold)
    )
