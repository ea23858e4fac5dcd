"""Windows of a job: their text, when they are open, and when the next one opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.windows import DAYS, Window, is_open, opens_at, parse_window

SHANGHAI, BERLIN, NEW_YORK = "Asia/Shanghai", "Europe/Berlin", "America/New_York"


def window(text: str) -> Window:
    found = parse_window(text)
    assert isinstance(found, Window), found
    return found


def at(text: str, zone: str = SHANGHAI, *, fold: int = 0) -> float:
    """What the clock on the wall of the zone shows -> Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def opens(text: str, moment: float, zone: str = SHANGHAI) -> str:
    """When it opens, as the wall of the zone shows it, with the offset."""
    found = opens_at([window(text)], moment)
    assert found is not None
    return datetime.fromtimestamp(found, tz=ZoneInfo(zone)).isoformat()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("22:00-06:00 Asia/Shanghai", ""),
        ("00:00-24:00 UTC", ""),
        ("mon-fri 22:00-06:00 Asia/Shanghai", "mon,tue,wed,thu,fri 22:00-06:00 Asia/Shanghai"),
        ("sat,sun 00:00-24:00 Europe/Berlin", ""),
        ("sun,mon 01:30-02:30 America/New_York", "mon,sun 01:30-02:30 America/New_York"),
        ("fri-mon 08:00-09:00 UTC", "mon,fri,sat,sun 08:00-09:00 UTC"),
        ("mon-sun 08:00-09:00 UTC", "08:00-09:00 UTC"),
        ("22:00-00:00 UTC", "22:00-24:00 UTC"),
        ("08:00-09:00 Etc/GMT+5", ""),
    ],
)
def test_a_window_is_written_as_it_was_read(text: str, written: str) -> None:
    assert str(window(text)) == (written or text)
    assert window(written or text) == window(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is no window"),
        ("22:00-06:00", "is no window"),
        ("22-06 UTC", "is no window"),
        ("22:00-06:00  UTC", "is no window"),
        ("Mon 22:00-06:00 UTC", "is no window"),
        ("25:00-06:00 UTC", "names a time of day that there is not"),
        ("24:00-06:00 UTC", "names a time of day that there is not"),
        ("22:60-06:00 UTC", "names a time of day that there is not"),
        ("22:00-24:01 UTC", "names a time of day that there is not"),
        ("22:00-22:00 UTC", "is empty: it ends when it begins"),
        ("day 22:00-06:00 UTC", "names a day that there is not"),
        ("mon- 22:00-06:00 UTC", "names a day that there is not"),
        ("mon,,tue 22:00-06:00 UTC", "names a day that there is not"),
        ("22:00-06:00 Asia/Atlantis", "names the zone Asia/Atlantis, which the tz database does not have"),
        ("22:00-06:00 Asia", "names the zone Asia, which the tz database does not have"),
        ("22:00-06:00 /etc/passwd", "names the zone /etc/passwd, which the tz database does not have"),
    ],
)
def test_what_is_no_window_says_why(text: str, problem: str) -> None:
    assert parse_window(text) == problem


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("09:00-17:00 Asia/Shanghai", "2026-11-26T08:59:59", False),
        ("09:00-17:00 Asia/Shanghai", "2026-11-26T09:00:00", True),
        ("09:00-17:00 Asia/Shanghai", "2026-11-26T16:59:59", True),
        ("09:00-17:00 Asia/Shanghai", "2026-11-26T17:00:00", False),
        ("22:00-06:00 Asia/Shanghai", "2026-11-26T21:59:59", False),
        ("22:00-06:00 Asia/Shanghai", "2026-11-26T22:00:00", True),
        ("22:00-06:00 Asia/Shanghai", "2026-11-27T00:00:00", True),
        ("22:00-06:00 Asia/Shanghai", "2026-11-27T05:59:59", True),
        ("22:00-06:00 Asia/Shanghai", "2026-11-27T06:00:00", False),
        ("22:00-24:00 Asia/Shanghai", "2026-11-26T23:59:59", True),
        ("22:00-24:00 Asia/Shanghai", "2026-11-27T00:00:00", False),
        ("00:00-24:00 Asia/Shanghai", "2026-11-27T12:34:56", True),
        # 2026-11-27 is a Friday. Days are those on which a window opens.
        ("fri 22:00-06:00 Asia/Shanghai", "2026-11-27T03:00:00", False),
        ("fri 22:00-06:00 Asia/Shanghai", "2026-11-27T23:00:00", True),
        ("fri 22:00-06:00 Asia/Shanghai", "2026-11-28T03:00:00", True),
        ("fri 22:00-06:00 Asia/Shanghai", "2026-11-28T23:00:00", False),
        ("sun 22:00-06:00 Asia/Shanghai", "2026-11-30T03:00:00", True),
        ("sat,sun 00:00-24:00 Asia/Shanghai", "2026-11-29T12:00:00", True),
        ("sat,sun 00:00-24:00 Asia/Shanghai", "2026-11-30T00:00:00", False),
    ],
)
def test_when_a_window_is_open(text: str, moment: str, expected: bool) -> None:
    assert is_open([window(text)], at(moment)) is expected


def test_without_windows_a_job_may_always_work_and_of_several_one_is_enough() -> None:
    assert is_open([], 0.0)
    both = [window("09:00-12:00 Asia/Shanghai"), window("22:00-23:00 Asia/Shanghai")]
    assert is_open(both, at("2026-11-26T10:00"))
    assert is_open(both, at("2026-11-26T22:30"))
    assert not is_open(both, at("2026-11-26T13:00"))
    assert opens_at(both, at("2026-11-26T13:00")) == at("2026-11-26T22:00")


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("22:00-06:00 Asia/Shanghai", "2026-11-26T12:00", "2026-11-26T22:00:00+08:00"),
        ("09:00-17:00 Asia/Shanghai", "2026-11-26T17:00", "2026-11-27T09:00:00+08:00"),
        ("thu 09:00-17:00 Asia/Shanghai", "2026-11-26T18:00", "2026-12-03T09:00:00+08:00"),
        ("mon 09:00-17:00 Asia/Shanghai", "2026-11-26T18:00", "2026-11-30T09:00:00+08:00"),
    ],
)
def test_when_the_next_one_opens(text: str, moment: str, expected: str) -> None:
    assert opens(text, at(moment)) == expected


def test_an_hour_that_is_never_shown_opens_nothing_and_one_that_lies_across_it_opens_after_it() -> None:
    # Berlin, 29 March 2026: after 01:59:59 the wall shows 03:00:00.
    inside = [window("02:00-03:00 Europe/Berlin")]
    before = at("2026-03-29T01:00", BERLIN)
    assert not any(is_open(inside, before + 60 * minute) for minute in range(240))
    assert opens("02:00-03:00 Europe/Berlin", before, BERLIN) == "2026-03-30T02:00:00+02:00"
    assert opens("02:30-04:00 Europe/Berlin", before, BERLIN) == "2026-03-29T03:00:00+02:00"
    assert opens("01:30-02:30 Europe/Berlin", before, BERLIN) == "2026-03-29T01:30:00+01:00"


def test_an_hour_that_is_shown_twice_is_open_twice() -> None:
    # New York, 1 November 2026: after 01:59:59 the wall shows 01:00:00 again.
    twice = [window("01:15-01:45 America/New_York")]
    first, second = (at("2026-11-01T01:30", NEW_YORK, fold=fold) for fold in (0, 1))
    assert second - first == 3600
    assert is_open(twice, first)
    assert is_open(twice, second)
    between = at("2026-11-01T01:50", NEW_YORK, fold=0)
    assert not is_open(twice, between)
    assert opens_at(twice, between) == at("2026-11-01T01:15", NEW_YORK, fold=1)
    ends = [window("00:00-02:00 America/New_York")]
    begins = at("2026-11-01T00:00", NEW_YORK)
    assert is_open(ends, begins + 3 * 3600 - 1)
    assert not is_open(ends, begins + 3 * 3600)


def test_a_zone_that_this_host_does_not_know_never_opens() -> None:
    unknown = [Window(begin_minute=0, end_minute=1440, zone="Asia/Atlantis")]
    assert not is_open(unknown, 0.0)
    assert opens_at(unknown, 0.0) is None


ZONES = ["UTC", SHANGHAI, BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
WINDOWS = st.builds(
    Window,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    begin_minute=st.integers(0, 1439),
    end_minute=st.integers(1, 1440),
    zone=st.sampled_from(ZONES),
).filter(lambda window: window.begin_minute != window.end_minute)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = st.integers(0, 365 * 1440).map(lambda minute: (YEAR + timedelta(minutes=minute)).timestamp())


@given(WINDOWS)
def test_every_window_is_read_back(drawn: Window) -> None:
    assert parse_window(str(drawn)) == drawn
    assert len(DAYS) == 7


@given(st.lists(WINDOWS, min_size=1, max_size=3), MINUTES)
def test_between_now_and_the_next_opening_none_is_open(windows: list[Window], now: float) -> None:
    if is_open(windows, now):
        return
    found = opens_at(windows, now)
    if found is None:  # one on a single day, in an hour that is not shown on it
        return
    assert now < found <= now + 8 * 86400
    assert is_open(windows, found)
    assert not is_open(windows, found - 1)
    step = max(60, int(found - now) // 200 // 60 * 60)
    assert not any(is_open(windows, moment) for moment in range(int(now), int(found), step))
