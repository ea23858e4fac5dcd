"""How fast a job goes and when it may be done, and its series in as many points as a chart has room for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from cosbatch.ledger.list_port import RecentResults
from cosbatch.ledger.series_rules import BUCKET_SECONDS, widened, width_for
from cosbatch.model.jobs import Job
from cosbatch.model.series import JobSeries, SeriesPoint
from cosbatch.model.states import JobStatus

POINTS_MAX: Final = 300
ETA_FROM_SECONDS: Final = 30
"""Before it has been active for so long, nobody can say when a job will be done."""
_MINUTE: Final = 60
_LEAST_SECONDS: Final = 1.0
_FIVE_MINUTES: Final = 300


class SeriesRange(StrEnum):
    """How far back from a job's end, or from now."""

    LAST_15_MINUTES = "15m"
    LAST_HOUR = "1h"
    ALL = "all"


_SECONDS: Final = {SeriesRange.LAST_15_MINUTES: 900.0, SeriesRange.LAST_HOUR: 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Of a job that is not Active there is none."""

    results_per_second: float | None
    """Over the last minute; over the last five where that has brought nothing, since slow tasks are committed once a
    minute."""
    eta_seconds: float | None
    """Until every task has a result, at this pace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPoint:
    at: float
    """Unix seconds: a multiple of the width, but for a first one in whose middle the job has started."""
    seconds: float
    """How much time it covers: less than the others where the job started or ended in it, or it goes on."""
    succeeded: int
    failed: int
    bytes_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSeries:
    bucket_seconds: int
    points: tuple[ShownPoint, ...]
    """Without gaps: a bucket in which nothing was committed is there too. At most 300."""


def pace_of(job: Job, recent: RecentResults, *, now: float) -> Pace:
    if job.status is not JobStatus.ACTIVE:
        return Pace(results_per_second=None, eta_seconds=None)
    window, results = _MINUTE, recent.last_minute
    if not results:
        window, results = _FIVE_MINUTES, recent.last_five_minutes
    first = ceil((now - window) / BUCKET_SECONDS) * BUCKET_SECONDS  # where the first whole bucket begins
    active_seconds = now - job.changed_at
    seconds = min(now - first, active_seconds)
    rate = results / seconds if seconds >= 1 else None
    return Pace(results_per_second=rate, eta_seconds=_eta(job, rate, active_seconds=active_seconds))


def _eta(job: Job, rate: float | None, *, active_seconds: float) -> float | None:
    if not rate or job.total is None or active_seconds < ETA_FROM_SECONDS:
        return None
    return max(job.total - job.tally.succeeded - job.tally.failed, 0) / rate


def shown_series(job: Job, series: JobSeries, shown: SeriesRange) -> ShownSeries:
    points, begin = series.points, _begin(job, shown, now=series.now)
    if begin is not None:
        points = tuple(point for point in points if point.at >= begin)
    if not points:
        return ShownSeries(bucket_seconds=BUCKET_SECONDS, points=())
    first = points[0].at if begin is None else begin
    end = max(_end_of(job, now=series.now), points[-1].at + 1.0)
    width = max(width_for(end - first, most=POINTS_MAX - 1), *[point.seconds for point in points])
    found = {point.at: point for point in widened(points, seconds=width)}
    shown_points = []
    for at in range(int(first // width * width), ceil(end), width):
        over = min(at + width, end)
        shown_points.append(_point(found.get(at), at=_starts(job, at, end=over), end=over))
    return ShownSeries(bucket_seconds=width, points=tuple(shown_points))


def _begin(job: Job, shown: SeriesRange, *, now: float) -> float | None:
    """None: with the first point. A job that began later has no time before that."""
    if shown is SeriesRange.ALL:
        return None
    return max(_end_of(job, now=now) - _SECONDS[shown], job.started_at or 0.0) // BUCKET_SECONDS * BUCKET_SECONDS


def _starts(job: Job, at: int, *, end: float) -> float:
    """When a bucket begins, or the job in it: before that nothing could be done. A second is left to it, since nothing
    can be said of the rate of less."""
    return max(at, min(job.started_at or 0.0, end - _LEAST_SECONDS))


def _point(found: SeriesPoint | None, *, at: float, end: float) -> ShownPoint:
    return ShownPoint(
        at=round(at, 3),
        seconds=round(end - at, 3),
        succeeded=found.succeeded if found else 0,
        failed=found.failed if found else 0,
        bytes_done=found.bytes_done if found else 0,
    )


def _end_of(job: Job, *, now: float) -> float:
    return now if job.ended_at is None else job.ended_at
