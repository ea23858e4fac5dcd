"""The progress bar on a terminal, and a line of numbers below it."""

from __future__ import annotations

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text

from cosbatch.cli import progress as shown
from cosbatch.cli.output import count, one_line


class LiveScreen:
    """Redraws itself; notes stay above it."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), TaskProgressColumn()
        )
        self._line = self._bar.add_task("Starting", total=None)
        self._live = Live(self._bar, console=self._console, transient=True, refresh_per_second=4)
        self._live.start()

    def note(self, text: str) -> None:
        self._console.print(Text(text))

    def show(self, progress: shown.Progress) -> None:
        self._bar.update(
            self._line, description=one_line(progress.status), completed=progress.done, total=progress.total
        )
        lines = [Text(_numbers(progress))]
        if progress.hold:
            what = "Its report is on hold" if progress.holds_report else "On hold"
            lines.append(Text(f"{what}: {one_line(progress.hold)}", style="yellow"))
        self._live.update(Group(self._bar, *lines))

    def close(self) -> None:
        self._live.stop()

    def let_go(self) -> None:
        # No stop(): it waits for the drawing to end, which a terminal that is held up may never let it.
        self._console.show_cursor(True)


def _numbers(progress: shown.Progress) -> str:
    if progress.total is None:
        return f"{count(progress.done)} rows planned"
    return f"{count(progress.done)}/{count(progress.total)}, {count(progress.failed)} failed{shown.speeds(progress)}"
