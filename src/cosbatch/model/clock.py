"""Time as a port, so that a test can own it."""

from __future__ import annotations

import time
from functools import partial
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
    """The machine's clocks. CLOCK_BOOTTIME, because CLOCK_MONOTONIC stands still while a machine is suspended.

    Both are asked several times for each object, so they are the C functions themselves.
    """

    now = staticmethod(time.time)
    boottime = staticmethod(partial(time.clock_gettime, time.CLOCK_BOOTTIME))
