"""How fast a job was: what its commits brought, by the time at which they were made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """What was committed from ``at`` on, for ``seconds``."""

    at: int
    """Unix seconds on the ledger's clock; a multiple of ``seconds``."""
    seconds: int
    succeeded: int
    failed: int
    bytes_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSeries:
    """Points in order of time, none of which is empty."""

    now: float
    """On the ledger's clock, when they were read."""
    points: tuple[SeriesPoint, ...]
