"""The harness's own arithmetic: rounds in which everybody runs once, medians, ratios, bars, the rows of the table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

NOT_MEASURED: Final = "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """Somebody who runs once a round."""

    name: str
    measure: Callable[[], float]
    rounds: int | None = None
    """In how many rounds it takes part, for those that take long; None: in all."""


@dataclass(slots=True, kw_only=True)
class Samples:
    """What the rounds have brought. A contender that broke once is out, with the reason."""

    found: dict[str, list[float]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float | None:
        values = self.found.get(name)
        return statistics.median(values) if values and name not in self.broken else None

    def ratio(self, name: str, other: str) -> float | None:
        """The median of the ratios of each round: both ran in the same minute of it."""
        if name in self.broken or other in self.broken:
            return None
        pairs = list(zip(self.found.get(name, []), self.found.get(other, []), strict=False))
        return statistics.median(mine / theirs for mine, theirs in pairs) if pairs else None


def interleave(
    contenders: Sequence[Contender], *, rounds: int, errors: tuple[type[Exception], ...], say: Callable[[str], None]
) -> Samples:
    """Everybody once, then everybody again; every second round backwards, so that nobody always comes after the same.

    ``say`` is told what runs.
    """
    samples = Samples()
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            if contender.name in samples.broken or number >= (contender.rounds or rounds):
                continue
            say(f"round {number + 1} of {rounds}: {contender.name}")
            try:
                samples.found.setdefault(contender.name, []).append(contender.measure())
            except errors as error:
                samples.broken[contender.name] = str(error)
                say(f"{contender.name} broke: {error}")
    return samples


class Verdict(StrEnum):
    REACHED = "reached"
    MISSED = "not reached"
    UNKNOWN = NOT_MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a figure is held against."""

    limit: float
    at_least: bool = False
    """The figure has to be this large; else it may be this large at most."""
    unit: str = "x"

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}{self.unit}"

    def verdict(self, figure: float | None) -> Verdict:
        if figure is None:
            return Verdict.UNKNOWN
        return Verdict.REACHED if (figure >= self.limit if self.at_least else figure <= self.limit) else Verdict.MISSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    number: str
    """Of the bar: P1."""
    what: str
    figure: float | None
    bar: Bar | None = None
    unit: str = "x"
    remark: str = ""

    def cells(self) -> tuple[str, str, str, str, str]:
        shown = NOT_MEASURED if self.figure is None else f"{_rounded(self.figure)}{self.unit}"
        if self.remark:
            shown = f"{shown} ({self.remark})"
        return (
            self.number,
            self.what,
            shown,
            str(self.bar) if self.bar else "",
            self.bar.verdict(self.figure) if self.bar else "",
        )


def _rounded(figure: float) -> str:
    """Three digits that mean something; no exponent. A count is shown as it is."""
    if isinstance(figure, int):
        return f"{figure:,}"
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


HEADING: Final = ("#", "What", "Measured", "Bar", "Verdict")


def markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a page."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def aligned(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a terminal."""
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]
    return "".join(_padded(row, widths) for row in [heading, ["-" * width for width in widths], *rows])


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def per_copy_rows(samples: Samples, *, names: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Who, microseconds of CPU a copy, and between what they lay."""
    for name, shown in names.items():
        median = samples.median(name)
        if median is not None:
            values = samples.found[name]
            yield shown, _rounded(median), f"{_rounded(min(values))} to {_rounded(max(values))}, {len(values)} rounds"
