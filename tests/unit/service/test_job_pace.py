"""How fast a job goes, when it may be done, and its series as a chart shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.ledger.list_port import RecentResults
from cosbatch.model.jobs import Job
from cosbatch.model.reports import Tally
from cosbatch.model.series import JobSeries, SeriesPoint
from cosbatch.model.states import JobStatus
from cosbatch.service.job_pace import POINTS_MAX, Pace, SeriesRange, ShownPoint, pace_of, shown_series
from tests.unit.reports.report_builders import a_job

NOW = 1_700_000_000.0
NONE = Pace(results_per_second=None, eta_seconds=None)


def job(*, active_for: float = 1000, **changes: Any) -> Job:
    began = NOW - active_for
    about: dict[str, Any] = {
        "status": JobStatus.ACTIVE,
        "changed_at": began,
        "started_at": began,
        "ended_at": None,
        "total": 1000,
    }
    return replace(a_job(), **(about | {"tally": Tally(succeeded=300, failed=100)} | changes))


def pace(made: Job, *, last_minute: int = 0, last_five_minutes: int = 0, now: float = NOW) -> Pace:
    recent = RecentResults(last_minute=last_minute, last_five_minutes=last_five_minutes)
    return pace_of(made, recent, now=now)


class TestPace:
    def test_is_that_of_the_last_minute(self) -> None:
        assert pace(job(), last_minute=120, last_five_minutes=900) == Pace(results_per_second=2.0, eta_seconds=300.0)

    def test_counts_whole_buckets_alone(self) -> None:
        assert pace(job(), last_minute=110, now=NOW + 5).results_per_second == 2.0

    def test_is_that_of_five_minutes_where_the_last_one_has_brought_nothing(self) -> None:
        assert pace(job(), last_five_minutes=600) == Pace(results_per_second=2.0, eta_seconds=300.0)

    def test_of_a_job_that_has_just_begun_or_gone_on(self) -> None:
        assert pace(job(active_for=20), last_minute=100) == Pace(results_per_second=5.0, eta_seconds=None)
        assert pace(job(active_for=30), last_minute=30) == Pace(results_per_second=1.0, eta_seconds=600.0)
        assert pace(job(active_for=0.5), last_minute=30) == NONE

    def test_nobody_knows_when_a_job_is_done_that_stands_still_or_has_no_total(self) -> None:
        assert pace(job()) == Pace(results_per_second=0.0, eta_seconds=None)
        assert pace(job(total=None), last_minute=60) == Pace(results_per_second=1.0, eta_seconds=None)

    @pytest.mark.parametrize("status", sorted(set(JobStatus) - {JobStatus.ACTIVE}))
    def test_there_is_none_of_a_job_that_is_not_active(self, status: JobStatus) -> None:
        assert pace(job(status=status), last_minute=60) == NONE


def point(at: float, *, seconds: int = 10, succeeded: int = 1, failed: int = 0) -> SeriesPoint:
    return SeriesPoint(at=int(at), seconds=seconds, succeeded=succeeded, failed=failed, bytes_done=succeeded * 7)


class TestSeries:
    def test_has_no_gaps_and_says_what_the_last_point_covers(self) -> None:
        series = JobSeries(now=NOW + 4, points=(point(NOW - 30, succeeded=5), point(NOW - 10, failed=2)))
        shown = shown_series(job(active_for=30), series, shown=SeriesRange.ALL)
        assert shown.bucket_seconds == 10
        assert [(each.at - NOW, each.seconds, each.succeeded, each.failed) for each in shown.points] == [
            (-30, 10, 5, 0), (-20, 10, 0, 0), (-10, 10, 1, 2), (0, 4, 0, 0),
        ]  # fmt: skip

    @pytest.mark.parametrize("shown", SeriesRange)
    @pytest.mark.parametrize("hours", [0.01, 0.3, 1, 3, 500])
    def test_has_few_points_and_loses_nothing(self, shown: SeriesRange, hours: float) -> None:
        narrow = [point(NOW - ago * 10) for ago in range(min(int(hours * 360), 700), -1, -1)]
        wide = [point(at, seconds=2560) for at in range(int(NOW - hours * 3600), int(NOW - 7100), 2560)]
        points = tuple([replace(each, at=each.at // 2560 * 2560) for each in wide] + narrow)
        found = shown_series(job(active_for=hours * 3600), JobSeries(now=NOW + 3, points=points), shown=shown)
        assert len(found.points) <= POINTS_MAX
        kept = {SeriesRange.LAST_15_MINUTES: 900.0, SeriesRange.LAST_HOUR: 3600.0}.get(shown, 1e9)
        wanted = sum(each.succeeded for each in points if each.at >= (NOW + 3 - kept) // 10 * 10)
        assert sum(each.succeeded for each in found.points) == wanted
        assert all(each.at % found.bucket_seconds == 0 or each.at == NOW - hours * 3600 for each in found.points)

    def test_of_a_job_that_has_ended_reaches_back_from_its_end(self) -> None:
        ended = job(active_for=9000, ended_at=NOW - 5000, status=JobStatus.COMPLETE)
        series = JobSeries(now=NOW, points=(point(NOW - 8000), point(NOW - 5010)))
        found = shown_series(ended, series, shown=SeriesRange.LAST_15_MINUTES)
        assert sum(each.succeeded for each in found.points) == 1
        assert found.points[-1] == ShownPoint(at=int(NOW - 5010), seconds=10, succeeded=1, failed=0, bytes_done=7)

    @pytest.mark.parametrize("shown", SeriesRange)
    @pytest.mark.parametrize(
        ("started", "ended", "at", "seconds"),
        [
            (3.5, 4.75, 3.5, 1.25),
            (3.5, None, 3.5, 6.5),
            (3.5, 3.75, 2.75, 1.0),
            (9.5, None, 9.0, 1.0),
            (0.0, None, 0.0, 10.0),
        ],
    )
    def test_its_first_point_begins_with_the_job(
        self, shown: SeriesRange, started: float, ended: float | None, at: float, seconds: float
    ) -> None:
        """Of a second, or less than one, it tells no tenth of the rate."""
        made = job(started_at=NOW + started, ended_at=None if ended is None else NOW + ended)
        first, *others = shown_series(made, JobSeries(now=NOW + 24, points=(point(NOW),)), shown=shown).points
        assert (first.at - NOW, first.seconds, first.succeeded) == (at, seconds, 1)
        assert [(each.at - NOW, each.seconds) for each in others] == ([] if ended else [(10, 10), (20, 4)])

    def test_before_the_first_result_there_are_no_points(self) -> None:
        for shown in SeriesRange:
            assert shown_series(job(), JobSeries(now=NOW, points=()), shown=shown).points == ()
