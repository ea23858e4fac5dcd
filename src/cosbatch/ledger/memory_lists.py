"""The JobLists over the rows of the ledger in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from cosbatch.ledger.list_port import (
    NEWEST_FIRST,
    JobCount,
    JobFilter,
    JobListing,
    JobLists,
    JobSort,
    ListOrder,
    ListPlace,
    RecentResults,
    RoleUse,
    folded_text,
)
from cosbatch.ledger.memory_rows import JobRow
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.jobs import Job
from cosbatch.model.reports import FailureSample
from cosbatch.model.series import JobSeries, SeriesPoint
from cosbatch.model.states import is_final

_NOTHING: Final[tuple[SeriesPoint, ...]] = ()


class MemoryJobLists(JobLists):
    """The port's docstrings say what each method promises."""

    def __init__(self, rows: Mapping[JobId, JobRow], clock: Clock) -> None:
        """``rows``: the ledger's own, which change."""
        self._rows = rows
        self._clock = clock

    async def list_jobs(
        self, wanted: JobFilter, *, order: ListOrder = NEWEST_FIRST, after: ListPlace | None = None, limit: int = 50
    ) -> JobListing:
        found = [row for row in self._rows.values() if not row.is_removed and _fits(row.job, wanted)]
        taken = [row for row in found if wanted.takes(row.job.status, is_over_threshold=row.job.is_over_threshold)]
        places = in_order([_place(row.job, order) for row in taken], order)
        if after is not None:
            places = [place for place in places if is_after(place, after, order)]
        page = places[:limit]
        counts = Counter((row.job.status, row.job.is_over_threshold) for row in found)
        return JobListing(
            jobs=tuple(self._rows[place.job_id].as_seen() for place in page),
            next=page[-1] if len(places) > limit else None,
            counts=tuple(
                JobCount(status=status, is_over_threshold=is_over, count=count)
                for (status, is_over), count in sorted(counts.items())
            ),
            now=self._clock.now(),
        )

    async def series(self, job_id: JobId) -> JobSeries:
        return JobSeries(now=self._clock.now(), points=tuple(self._points(job_id)))

    async def recent_results(self, job_ids: Collection[JobId]) -> Mapping[JobId, RecentResults]:
        now = self._clock.now()
        found = {}
        for job_id in job_ids:
            points = self._rows[job_id].series if job_id in self._rows else _NOTHING
            results = [(point.at, point.succeeded + point.failed) for point in points]
            found[job_id] = RecentResults(
                last_minute=sum(count for at, count in results if at >= now - 60),
                last_five_minutes=sum(count for at, count in results if at >= now - 300),
            )
        return found

    async def role_uses(self, *, account: AccountId) -> Mapping[str, RoleUse]:
        jobs = [row.job for row in self._rows.values() if not row.is_removed and row.job.account == account]
        total = Counter(job.request.role_arn for job in jobs if job.request.role_arn)
        unfinished = Counter(job.request.role_arn for job in jobs if not is_final(job.status))
        newest: dict[str, float] = defaultdict(float)
        for job in jobs:
            newest[job.request.role_arn] = max(newest[job.request.role_arn], job.created_at)
        return {
            arn: RoleUse(unfinished=unfinished[arn], total=count, newest_at=newest[arn])
            for arn, count in sorted(total.items())
        }

    async def failure_samples(self, job_id: JobId, *, code: str | None = None) -> dict[str, list[FailureSample]]:
        row = self._rows.get(job_id)
        if row is None or row.is_removed:
            return {}
        return {name: list(kept) for name, kept in sorted(row.samples.items()) if code in (None, name)}

    def _points(self, job_id: JobId) -> Collection[SeriesPoint]:
        row = self._rows.get(job_id)
        return _NOTHING if row is None or row.is_removed else row.series


def _fits(job: Job, wanted: JobFilter) -> bool:
    """But for statuses and groups."""
    text = folded_text(wanted.search)
    return (
        job.account == wanted.account
        and wanted.region in (None, job.request.region)
        and wanted.operation in (None, job.operation_name)
        and wanted.creator in (None, job.creator)
        and (wanted.priority_from is None or job.priority >= wanted.priority_from)
        and (wanted.created_from is None or job.created_at >= wanted.created_from)
        and (wanted.created_to is None or job.created_at < wanted.created_to)
        and (job.id.startswith(text) or text in folded_text(job.request.description))
    )


def _place(job: Job, order: ListOrder) -> ListPlace:
    return ListPlace(key=_key(job, order.sort), job_id=job.id)


def _key(job: Job, sort: JobSort) -> float | None:
    match sort:
        case JobSort.CREATED:
            return None
        case JobSort.PRIORITY:
            return job.priority
        case JobSort.PROGRESS:
            return job.progress
        case JobSort.TOTAL:
            return job.total
        case JobSort.FAILED:
            return job.tally.failed
        case JobSort.FINISHED:
            return job.ended_at


def in_order(places: list[ListPlace], order: ListOrder) -> list[ListPlace]:
    """Those without a key last, whatever the direction."""
    known = [place for place in places if place.key is not None]
    unknown = [place for place in places if place.key is None]
    known.sort(key=lambda place: (place.key, place.job_id), reverse=order.is_descending)
    unknown.sort(key=lambda place: place.job_id, reverse=order.is_descending)
    return known + unknown


def is_after(place: ListPlace, other: ListPlace, order: ListOrder) -> bool:
    return place != other and in_order([place, other], order)[0] == other
