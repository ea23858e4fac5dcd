"""How far a job is: speeds out of what was seen, and the screens that show it, drawn on a terminal or line by line."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import click

from cosbatch.cli.output import count, duration, one_line, size
from cosbatch.model.jobs import Job
from cosbatch.model.states import ENDS_IN, FINAL, JobStatus, is_final
from cosbatch.model.undelivered import why_undelivered

if TYPE_CHECKING:
    from cosbatch.cli.invocation import Invocation

WINDOW_SECONDS: Final = 30.0
"""Results are committed in bursts: a shorter window would make the speed jump."""
LINE_SECONDS: Final = 5.0
HOLD_LINE_SECONDS: Final = 60.0
"""A job that only waits has nothing new to say."""
WORKING: Final = frozenset({JobStatus.ACTIVE, JobStatus.PAUSING})
OVER: Final = FINAL | ENDS_IN.keys()
"""No task is begun any more."""


class Speed(NamedTuple):
    tasks_per_second: float
    bytes_per_second: float


class Meter:
    """Speed over the last half minute, and over all of the time between looks that was no rest."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()
        self._worked = (0.0, 0, 0)

    def observe(self, at: float, *, tasks: int, size_bytes: int) -> Speed:
        """``tasks`` and ``size_bytes`` are the sums so far, ``at`` is seconds of a clock that only grows."""
        if self._seen:
            last_at, last_tasks, last_bytes = self._seen[-1]
            seconds, more_tasks, more_bytes = self._worked
            self._worked = (
                seconds + at - last_at,
                more_tasks + tasks - last_tasks,
                more_bytes + size_bytes - last_bytes,
            )
        self._seen.append((at, tasks, size_bytes))
        while len(self._seen) > 2 and self._seen[1][0] <= at - WINDOW_SECONDS:
            self._seen.popleft()
        first_at, first_tasks, first_bytes = self._seen[0]
        elapsed = at - first_at
        if elapsed <= 0:
            return Speed(0.0, 0.0)
        return Speed((tasks - first_tasks) / elapsed, (size_bytes - first_bytes) / elapsed)

    def rest(self) -> None:
        """Until the next look nothing is done; the time does not count."""
        self._seen.clear()

    def overall(self) -> Speed | None:
        """None where it has not been looked at for any time."""
        seconds, tasks, size_bytes = self._worked
        return Speed(tasks / seconds, size_bytes / seconds) if seconds > 0 else None


class Progress(NamedTuple):
    """What a screen shows of a job at one moment."""

    status: str
    done: int
    total: int | None
    failed: int
    speed: Speed | None
    """At present; of a job whose tasks are done or given up, over its work as far as it was seen."""
    seconds_left: float | None
    in_flight: int | None
    """None where nobody here knows."""
    limit: int
    """Requests that may be in flight at a time; 0 where nobody sends any."""
    hold: str = ""
    """Where the job waits, and why; empty where it does not."""
    holds_report: bool = False
    """The job has ended, and it is its report that waits there."""
    is_working: bool = True
    """There is an end to look forward to."""
    has_sizes: bool = True
    """Some bytes are known: a manifest may list no sizes."""


def progress_of(job: Job, *, in_flight: int | None, limit: int, speed: Speed | None) -> Progress:
    done = job.tally.succeeded + job.tally.failed
    seconds_left = None
    if job.status in WORKING and job.total is not None and speed is not None and speed.tasks_per_second > 0:
        seconds_left = (job.total - done) / speed.tasks_per_second
    return Progress(
        status=_status(job),
        done=done if job.total is not None else job.planned_rows,
        total=job.total,
        failed=job.tally.failed,
        speed=speed,
        seconds_left=seconds_left,
        in_flight=in_flight,
        limit=limit,
        hold=_hold(job),
        holds_report=is_final(job.status),
        is_working=job.status in WORKING,
        has_sizes=job.tally.bytes_done > 0,
    )


def _status(job: Job) -> str:
    if job.paused_by is not None:
        return f"{job.status} (by {job.paused_by})"
    return job.status.value


def _hold(job: Job) -> str:
    if job.hold is None:
        return ""
    return why_undelivered(job.hold) if is_final(job.status) else f"{job.hold.bucket}: {job.hold.reason}"


def progress_line(progress: Progress) -> str:
    """One line; the failed count is always in it, and why the job waits."""
    what = "its report on hold" if progress.holds_report else "on hold"
    status = progress.status + (f", {what} ({one_line(progress.hold)})" if progress.hold else "")
    if progress.total is None:
        return f"{status}: {count(progress.done)} rows planned, {count(progress.failed)} failed"
    share = f" ({progress.done / progress.total:.1%})" if progress.total else ""
    return f"{status}: {count(progress.done)}/{count(progress.total)}{share}, {count(progress.failed)} failed" + speeds(
        progress
    )


def speeds(progress: Progress) -> str:
    """``, 1,234 objects/s, 5.6 MB/s, ETA 0:00:31, 64/128 in flight``, without what means nothing at present."""
    shown: list[str] = []
    if progress.speed is not None:
        volume = size(progress.speed.bytes_per_second) if progress.has_sizes else "- MB"
        shown += [f"{progress.speed.tasks_per_second:,.0f} objects/s", f"{volume}/s"]
    if progress.is_working:
        shown.append("ETA ?" if progress.seconds_left is None else f"ETA {duration(progress.seconds_left)}")
    if progress.in_flight is not None and (progress.is_working or progress.in_flight):
        limit = f"/{progress.limit}" if progress.limit else ""
        shown.append(f"{progress.in_flight}{limit} in flight")
    return "".join(f", {each}" for each in shown)


class Screen(Protocol):
    """Where a run is shown; standard output is left to its result."""

    def note(self, text: str) -> None:
        """Something worth reading, for good."""
        ...

    def show(self, progress: Progress) -> None:
        """Takes the place of what was shown before."""
        ...

    def close(self) -> None: ...

    def let_go(self) -> None:
        """Gives the terminal back, on the spot, before the program ends."""
        ...


def screen_for(invocation: Invocation) -> Screen:
    """One that draws where somebody looks at a terminal, else lines."""
    if not invocation.surroundings.is_live or invocation.as_json:
        return PlainScreen()
    from cosbatch.cli.live import LiveScreen  # what draws is not imported where nobody looks

    return LiveScreen()


class PlainScreen:
    """A line every few seconds, at each change of status, and when a hold begins or ends; rarely while it lasts."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown_at = float("-inf")
        self._state: tuple[str, str, int] = ("", "", 0)

    def note(self, text: str) -> None:
        click.echo(text, err=True)

    def show(self, progress: Progress) -> None:
        now = self._clock()
        state = (progress.status, progress.hold, progress.done if progress.hold else 0)
        is_known = state[:2] == self._state[:2]
        pause = HOLD_LINE_SECONDS if progress.hold and state == self._state else LINE_SECONDS
        if is_known and now - self._shown_at < pause:
            return
        self._shown_at, self._state = now, state
        click.echo(progress_line(progress), err=True)

    def close(self) -> None:
        """Nothing is drawn that would have to go."""

    def let_go(self) -> None:
        """Nothing of the terminal was taken."""


class Watch:
    """Turns what the engine tells about a job into what a screen shows."""

    def __init__(self, screen: Screen, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._clock = clock
        self._meter = Meter()
        self._was_working = False

    def see(self, job: Job, *, in_flight: int | None, limit: int) -> None:
        if job.status in (JobStatus.NEW, JobStatus.SUSPENDED) and job.hold is None:
            return
        speed = self._speed(job)
        self._screen.show(progress_of(job, in_flight=in_flight, limit=limit, speed=speed))

    def _speed(self, job: Job) -> Speed | None:
        """The last results come with the end of the work, so that look counts as well."""
        is_working, was_working = job.status in WORKING, self._was_working
        self._was_working = is_working
        tally = job.tally
        if is_working or was_working:
            now = self._meter.observe(self._clock(), tasks=tally.succeeded + tally.failed, size_bytes=tally.bytes_done)
            if is_working:
                return now
        self._meter.rest()
        return self._meter.overall() if job.status in OVER else None
