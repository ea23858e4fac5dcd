from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from cosbatch.cli.live import LiveScreen
from cosbatch.cli.output import counted, duration, one_line, pairs, size, table
from cosbatch.cli.progress import Meter, PlainScreen, Progress, Speed, Watch, progress_line, progress_of
from cosbatch.model.jobs import Hold
from cosbatch.model.reports import Tally
from cosbatch.model.states import JobStatus
from tests.unit.reports.report_builders import a_job


def progress(*, status: str = "Active", done: int = 500, total: int | None = 2000, failed: int = 3) -> Progress:
    return Progress(
        status=status,
        done=done,
        total=total,
        failed=failed,
        speed=Speed(123.4, 5_600_000),
        seconds_left=12.2,
        in_flight=64,
        limit=128,
    )


class TestMeter:
    def test_one_look_has_no_speed(self) -> None:
        assert Meter().observe(10, tasks=500, size_bytes=100) == Speed(0, 0)

    def test_the_speed_of_the_last_half_minute(self) -> None:
        meter = Meter()
        meter.observe(0, tasks=0, size_bytes=0)
        assert meter.observe(10, tasks=100, size_bytes=5000) == Speed(10, 500)
        for at in range(20, 80, 10):
            steady = meter.observe(at, tasks=100 + (at - 10) * 2, size_bytes=5000)

        assert steady == Speed(2, 0)

    def test_a_pause_between_looks_is_counted(self) -> None:
        meter = Meter()
        meter.observe(0, tasks=0, size_bytes=0)

        assert meter.observe(100, tasks=50, size_bytes=0).tasks_per_second == 0.5


class TestLines:
    def test_a_job_that_runs(self) -> None:
        assert progress_line(progress()) == (
            "Active: 500/2,000 (25.0%), 3 failed, 123 objects/s, 5.6 MB/s, ETA 0:00:12, 64/128 in flight"
        )

    def test_a_job_that_is_planned(self) -> None:
        assert progress_line(progress(status="Preparing", total=None, failed=0)) == (
            "Preparing: 500 rows planned, 0 failed"
        )

    def test_a_job_that_waits_says_why(self) -> None:
        assert progress_line(progress(status="Preparing", total=None)._replace(hold="b: refused\n")) == (
            "Preparing, on hold (b: refused\\n): 500 rows planned, 3 failed"
        )

    def test_a_job_that_has_ended_waits_for_nothing_but_its_report(self) -> None:
        hold = Hold(bucket="b", reason="the report is not delivered: refused", since=1.0)
        ended = replace(a_job(status=JobStatus.CANCELLED), hold=hold)
        shown = progress_of(ended, in_flight=0, limit=0, speed=None)
        assert progress_line(shown).startswith("Cancelled, its report on hold (b: refused): ")
        silent = replace(hold, reason="the report is not delivered: b does not answer: refused")
        shown = progress_of(replace(ended, hold=silent), in_flight=0, limit=0, speed=None)
        assert progress_line(shown).startswith("Cancelled, its report on hold (b does not answer: refused): ")
        waits = progress_of(replace(ended, status=JobStatus.COMPLETING), in_flight=0, limit=0, speed=None)
        assert progress_line(waits).startswith("Completing, on hold (b: the report is not delivered: refused): ")

    def test_a_job_without_speed_has_no_end_in_sight(self) -> None:
        assert "ETA ?" in progress_line(progress()._replace(seconds_left=None))

    def test_every_few_seconds_and_at_each_change_of_status(self, capsys: pytest.CaptureFixture[str]) -> None:
        now = 0.0
        screen = PlainScreen(clock=lambda: now)

        for now in (0.0, 1.0, 4.9, 5.0, 6.0):
            screen.show(progress(done=int(now * 10)))
        screen.show(progress(status="Completing"))

        lines = capsys.readouterr().err.splitlines()
        assert [line.split(" ")[:2] for line in lines] == [
            ["Active:", "0/2,000"],
            ["Active:", "50/2,000"],
            ["Completing:", "500/2,000"],
        ]

    def test_a_hold_is_told_when_it_begins_and_when_it_ends(self, capsys: pytest.CaptureFixture[str]) -> None:
        screen = PlainScreen(clock=lambda: 0.0)

        for hold in ("", "b: refused", "b: refused", ""):
            screen.show(progress()._replace(hold=hold))

        lines = capsys.readouterr().err.splitlines()
        assert ["on hold (b: refused)" in line for line in lines] == [False, True, False]

    def test_a_hold_that_lasts_is_told_once_a_minute(self, capsys: pytest.CaptureFixture[str]) -> None:
        now = 0.0
        screen = PlainScreen(clock=lambda: now)

        for at in (0.0, 5.0, 10.0, 59.0, 60.0, 65.0):
            now = at
            screen.show(progress()._replace(hold="b: refused"))
        assert len(capsys.readouterr().err.splitlines()) == 2

        screen.show(progress(done=501)._replace(hold="b: refused"))
        assert "501/2,000" in capsys.readouterr().err, "it gets on again"

    def test_an_ended_job_has_no_end_in_sight(self) -> None:
        ended = progress(status="Cancelled")._replace(is_working=False, in_flight=0, seconds_left=None)
        assert progress_line(ended) == "Cancelled: 500/2,000 (25.0%), 3 failed, 123 objects/s, 5.6 MB/s"
        assert progress_line(ended._replace(speed=None)) == "Cancelled: 500/2,000 (25.0%), 3 failed"

    def test_a_manifest_without_sizes_has_no_volume(self) -> None:
        assert "objects/s, - MB/s, ETA" in progress_line(progress()._replace(has_sizes=False))


class Shown:
    """A screen that keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[Progress] = []

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def show(self, progress: Progress) -> None:
        self.seen.append(progress)

    def close(self) -> None:
        """Nothing is held."""

    def let_go(self) -> None:
        """Nothing is held."""


def watched(*looks: tuple[float, JobStatus, int]) -> list[Progress]:
    now = 0.0
    screen = Shown()
    watch = Watch(screen, clock=lambda: now)
    for at, status, done in looks:
        now = at
        job = replace(a_job(status=status), total=1000, tally=Tally(succeeded=done))
        watch.see(job, in_flight=0, limit=0)
    return screen.seen


class TestWatch:
    def test_the_speed_of_the_work_stays_when_the_work_is_done(self) -> None:
        looks = watched(
            (0, JobStatus.ACTIVE, 0),
            (40, JobStatus.ACTIVE, 400),
            (50, JobStatus.COMPLETING, 1000),
            (500, JobStatus.COMPLETING, 1000),
            (600, JobStatus.COMPLETE, 1000),
        )
        assert [look.speed for look in looks[2:]] == [Speed(20, 0)] * 3
        assert [look.is_working for look in looks] == [True, True, False, False, False]

    def test_a_rest_is_no_work(self) -> None:
        looks = watched(
            (0, JobStatus.ACTIVE, 0),
            (10, JobStatus.ACTIVE, 100),
            (11, JobStatus.PAUSED, 110),
            (900, JobStatus.PAUSED, 110),
            (1000, JobStatus.ACTIVE, 110),
            (1009, JobStatus.ACTIVE, 200),
            (1010, JobStatus.COMPLETING, 210),
        )
        assert [look.speed for look in looks[2:]] == [None, None, Speed(0, 0), Speed(10, 0), Speed(10, 0)]

    def test_only_a_job_that_works_has_time_left(self) -> None:
        working, failed = (
            watched((0, JobStatus.ACTIVE, 0), (10, JobStatus.ACTIVE, 100))[1:]
            + watched((0, JobStatus.ACTIVE, 0), (10, JobStatus.FAILED, 100))[1:]
        )
        assert (working.seconds_left, failed.seconds_left) == (90, None)

    def test_who_comes_after_the_work_knows_no_speed(self) -> None:
        [look] = watched((0, JobStatus.COMPLETING, 1000))
        assert look.speed is None

    def test_bytes_are_known_where_some_were_counted(self) -> None:
        [look] = watched((0, JobStatus.ACTIVE, 10))
        assert not look.has_sizes


class TestLiveScreen:
    @pytest.mark.parametrize(
        ("holds_report", "told"), [(False, "On hold: b: refused"), (True, "Its report is on hold: b: refused")]
    )
    def test_says_why_a_job_waits(self, holds_report: bool, told: str) -> None:
        drawn = io.StringIO()
        screen = LiveScreen(Console(file=drawn, force_terminal=True, width=80, highlight=False))

        screen.show(progress(status="Completing")._replace(hold="b: refused", holds_report=holds_report))
        screen.close()

        assert told in drawn.getvalue()

    def test_draws_counts_and_keeps_notes(self) -> None:
        drawn = io.StringIO()
        screen = LiveScreen(Console(file=drawn, force_terminal=True, width=80, highlight=False))

        screen.note("First  [bold]raw/a[/bold] -> b")
        screen.show(progress(status="Active, on hold (b: [red]refused)"))
        screen.close()

        assert "First  [bold]raw/a[/bold] -> b" in drawn.getvalue()
        assert "500/2,000, 3 failed, 123 objects/s, 5.6 MB/s, ETA 0:00:12, 64/128 in flight" in drawn.getvalue()
        assert "[red]refused" in drawn.getvalue()


class TestOutput:
    @pytest.mark.parametrize(
        ("size_bytes", "text"),
        [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e9, "2.5 GB"), (1e15, "1.0 PB"), (2e18, "2,000.0 PB")],
    )
    def test_sizes(self, size_bytes: float, text: str) -> None:
        assert size(size_bytes) == text

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0, "0:00:00"), (59.6, "0:01:00"), (3661, "1:01:01"), (90_061, "1 d 1:01:01")]
    )
    def test_durations(self, seconds: float, text: str) -> None:
        assert duration(seconds) == text

    def test_counts(self) -> None:
        assert (counted(1, "task"), counted(0, "task"), counted(5000, "row")) == ("1 task", "0 tasks", "5,000 rows")

    def test_keys_cannot_drive_the_terminal(self) -> None:
        assert one_line("a\x1b[31m\nb 中\u202e") == "a\\x1b[31m\\nb 中\\u202e"

    def test_columns_line_up(self) -> None:
        assert table(("A", "LONG"), [("xxxx", "1"), ("y", "2\n")]) == "A     LONG\nxxxx  1\ny     2\\n"
        assert pairs([("A", "1"), ("Long", "2"), ("Empty", "")]) == "A     1\nLong  2"
