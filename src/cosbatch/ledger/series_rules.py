"""How a job's commits become a series of bounded length: pure functions, the same for every adapter.

A commit adds to the bucket of 10 s in which it is made. What is older than an hour is folded into wider buckets, now
and then, by the commit that finds it due. So the last hour is there in full however old the job is, and a job of weeks
has no more rows than one of a day: at most :data:`ROWS_MAX`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from cosbatch.model.reports import FAILURES_KEPT, OTHER_CODES, FailureSample, Tally
from cosbatch.model.series import SeriesPoint

BUCKET_SECONDS: Final = 10
FOLDS_AFTER_SECONDS: Final = 7200
"""A job whose narrow buckets reach back so far has those older than an hour folded."""
STAYS_SECONDS: Final = 3600
FOLDED_MAX: Final = 1000
"""Wide buckets, about."""
ROWS_MAX: Final = 2000


def bucket_of(now: float) -> int:
    return int(now // BUCKET_SECONDS) * BUCKET_SECONDS


def is_told(tally: Tally) -> bool:
    """Whether there is anything in it for a series."""
    return bool(tally.succeeded or tally.failed or tally.bytes_done)


def point_of(tally: Tally, *, now: float) -> SeriesPoint:
    """The narrow bucket of now, with a tally alone in it."""
    return SeriesPoint(
        at=bucket_of(now),
        seconds=BUCKET_SECONDS,
        succeeded=tally.succeeded,
        failed=tally.failed,
        bytes_done=tally.bytes_done,
    )


def with_results(points: Sequence[SeriesPoint], tally: Tally, *, now: float) -> list[SeriesPoint]:
    """With what a commit brings now, in the bucket that begins when the narrow one of now does, be it wide or new."""
    new = point_of(tally, now=now)
    place = bisect_left(points, new.at, key=lambda point: point.at)
    rest = points[place:]
    if rest and rest[0].at == new.at:
        old, rest = rest[0], rest[1:]
        new = replace(
            old,
            succeeded=old.succeeded + new.succeeded,
            failed=old.failed + new.failed,
            bytes_done=old.bytes_done + new.bytes_done,
        )
    return [*points[:place], new, *rest]


def is_fold_due(narrow_from: float | None, *, now: float) -> bool:
    return narrow_from is not None and now - narrow_from >= FOLDS_AFTER_SECONDS


def folded(points: Sequence[SeriesPoint], *, now: float) -> tuple[list[SeriesPoint], int]:
    """What the points, in order, become: wide ones up to a time, narrow ones from then on; and that time."""
    width = max([width_for(now - points[0].at, most=FOLDED_MAX), *[point.seconds for point in points]])
    cut = int((now - STAYS_SECONDS) // width) * width
    old = [point for point in points if point.at < cut]
    return [*widened(old, seconds=width), *points[len(old) :]], cut


def widened(points: Iterable[SeriesPoint], *, seconds: int) -> list[SeriesPoint]:
    """Points in order, in buckets of so many seconds, a multiple of theirs."""
    return [
        SeriesPoint(
            at=at,
            seconds=seconds,
            succeeded=sum(point.succeeded for point in same),
            failed=sum(point.failed for point in same),
            bytes_done=sum(point.bytes_done for point in same),
        )
        for at, group in groupby(points, key=lambda point: point.at // seconds * seconds)
        if (same := list(group))
    ]


def width_for(span_seconds: float, *, most: int) -> int:
    """Of buckets, so that about ``most`` cover the time: 10 s, doubled as often as it takes. Such widths fit into each
    other."""
    width = BUCKET_SECONDS
    while span_seconds > width * most:
        width *= 2
    return width


def new_samples(before: Tally, after: Tally, samples: Sequence[FailureSample]) -> list[tuple[str, int, FailureSample]]:
    """Which of a part's samples a job keeps, each with the code that it is counted under and its place among those of
    that code: so many as there is room for. ``before`` and ``after`` are what the job has counted."""
    found = []
    places: dict[str, int] = {}
    for sample in samples:
        code = sample.error_code if sample.error_code in after.codes else OTHER_CODES
        known = before.codes.get(code)
        place = places.setdefault(code, known.count if known else 0)
        if place < FAILURES_KEPT:
            found.append((code, place, sample))
            places[code] = place + 1
    return found
