from __future__ import annotations

import io

import pytest
from rich.console import Console

from cosbatch.cli.live import LiveScreen
from cosbatch.cli.output import counted, duration, one_line, pairs, size, table
from cosbatch.cli.progress import Meter, PlainScreen, Progress, Speed, progress_line


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


class TestLiveScreen:
    def test_says_why_a_job_waits(self) -> None:
        drawn = io.StringIO()
        screen = LiveScreen(Console(file=drawn, force_terminal=True, width=80, highlight=False))

        screen.show(progress(status="Completing")._replace(hold="b: refused"))
        screen.close()

        assert "On hold: b: refused" in drawn.getvalue()

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
