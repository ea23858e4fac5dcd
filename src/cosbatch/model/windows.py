"""Windows: the hours in which a job may work, such as ``mon-fri 22:00-06:00 Asia/Shanghai``.

A window is open while a clock on the wall of its zone shows a time in it: its end does not belong to it. Days are those
on which it opens, so one over midnight that opens on Friday closes on Saturday. Whatever the wall shows counts: hours
that are shown twice when summer ends are open twice, hours that are never shown when it begins never come, and a clock
that was set counts as it is now. Nothing is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY: Final = tuple(range(len(DAYS)))
DAY_MINUTES: Final = 24 * 60
_FORM: Final = re.compile(
    r"(?:(?P<days>[a-z,-]+) )?(?P<begin>\d{2}:\d{2})-(?P<end>\d{2}:\d{2}) (?P<zone>[A-Za-z0-9_+/-]{1,64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Its ``str`` is the text that :func:`parse_window` takes."""

    days: tuple[int, ...] = EVERY_DAY
    """On which it opens, ascending; 0 is Monday."""
    begin_minute: int
    """Of the day, 0 to 1439."""
    end_minute: int
    """1 to 1440; at or before ``begin_minute`` it is on the next day."""
    zone: str
    """Of the tz database."""

    def __str__(self) -> str:
        days = "" if self.days == EVERY_DAY else ",".join(DAYS[day] for day in self.days) + " "
        return f"{days}{_clock(self.begin_minute)}-{_clock(self.end_minute)} {self.zone}"


def parse_window(text: str) -> Window | str:
    """The window, or what is wrong with the text."""
    found = _FORM.fullmatch(text)
    if found is None:
        return "is no window"
    days = EVERY_DAY if found["days"] is None else _days(found["days"])
    begin, end = _minute(found["begin"]), _minute(found["end"])
    if days is None:
        return "names a day that there is not"
    if begin is None or end is None or begin == DAY_MINUTES:
        return "names a time of day that there is not"
    if begin == end:
        return "is empty: it ends when it begins"
    if zone_named(found["zone"]) is None:
        return f"names the zone {found['zone']}, which the tz database does not have"
    return Window(days=days, begin_minute=begin, end_minute=end or DAY_MINUTES, zone=found["zone"])


def is_open(windows: Sequence[Window], at: float) -> bool:
    """Whether one of them is open at the Unix second ``at``; without any there is no limit. One of an unknown zone
    (the tz database of this host is older) never opens."""
    return not windows or any(_is_open(window, at) for window in windows)


def opens_at(windows: Sequence[Window], at: float) -> float | None:
    """The next Unix second after ``at`` at which one is open, while none is at ``at``; None: not within eight days."""
    moments = {moment for window in windows for moment in _beginnings(window, at) if moment > at}
    return next((moment for moment in sorted(moments) if is_open(windows, moment)), None)


def zone_named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _is_open(window: Window, at: float) -> bool:
    zone = zone_named(window.zone)
    if zone is None:
        return False
    shown = datetime.fromtimestamp(at, tz=zone)
    minute = shown.hour * 60 + shown.minute
    today, yesterday = shown.weekday(), (shown.weekday() - 1) % len(DAYS)
    if window.begin_minute < window.end_minute:
        return today in window.days and window.begin_minute <= minute < window.end_minute
    is_late = today in window.days and minute >= window.begin_minute
    return is_late or (yesterday in window.days and minute < window.end_minute)


def _beginnings(window: Window, at: float) -> Iterator[float]:
    """Among them every moment of the next eight days at which the window may become open: its beginnings, and jumps of
    the clock on the wall."""
    zone = zone_named(window.zone)
    if zone is None:
        return
    today = datetime.fromtimestamp(at, tz=zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    for number in range(-1, len(DAYS) + 1):
        day = today + timedelta(days=number)
        for fold in (0, 1):
            begin = day + timedelta(minutes=window.begin_minute)
            yield begin.replace(tzinfo=zone, fold=fold).timestamp()
    first = int(at)
    for day_begins in range(first, first + (len(DAYS) + 1) * 86400, 86400):
        yield from _jump(zone, day_begins, day_begins + 86400)


def _jump(zone: ZoneInfo, begin: int, end: int) -> Iterator[float]:
    """The first second of another offset between two Unix seconds, where their offsets differ."""
    if _offset(zone, begin) == _offset(zone, end):
        return
    while end - begin > 1:
        middle = (begin + end) // 2
        begin, end = (middle, end) if _offset(zone, middle) == _offset(zone, begin) else (begin, middle)
    yield float(end)


def _offset(zone: ZoneInfo, at: int) -> timedelta | None:
    return datetime.fromtimestamp(at, tz=UTC).astimezone(zone).utcoffset()


def _days(text: str) -> tuple[int, ...] | None:
    """``mon-fri,sun``; a span may go over Sunday."""
    found: set[int] = set()
    for span in text.split(","):
        first, separator, last = span.partition("-")
        last = last if separator else first
        if first not in DAYS or last not in DAYS:
            return None
        begin, length = DAYS.index(first), (DAYS.index(last) - DAYS.index(first)) % len(DAYS)
        found |= {(begin + step) % len(DAYS) for step in range(length + 1)}
    return tuple(sorted(found))


def _minute(text: str) -> int | None:
    hour, minute = int(text[:2]), int(text[3:])
    total = hour * 60 + minute
    return total if minute < 60 and total <= DAY_MINUTES else None


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
