"""Time as a port, so that a test can own it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that people set, and one that nobody can."""

    def now(self) -> float:
        """Unix seconds of the wall clock: for timestamps and signatures, never for deadlines."""
        ...

    def boottime(self) -> float:
        """Seconds that only grow, also while the machine sleeps: for deadlines and durations."""
        ...


class SystemClock:
    """The machine's clocks. CLOCK_BOOTTIME, because CLOCK_MONOTONIC stands still while a machine is suspended."""

    def now(self) -> float:
        return time.time()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
