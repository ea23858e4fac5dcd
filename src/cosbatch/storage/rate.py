"""A cap in requests per second, kept exactly over time and cheap to ask."""

from __future__ import annotations

from typing import Final

SLACK_SECONDS: Final = 0.05
"""How far a late request may be made up for: timers come late, and the rate is to be reached all the same."""

_ROUNDING_SECONDS: Final = 1e-9


class RateCap:
    """A token bucket in its virtual-scheduling form (GCRA, ITU-T I.371): one number, the time of the next request if
    all came evenly. In any span of T seconds at most ``rate * (T + 0.05) + 1`` requests pass."""

    __slots__ = ("_interval", "_next_at")

    def __init__(self, requests_per_second: float) -> None:
        if requests_per_second <= 0:
            raise ValueError(f"a rate must be greater than 0, not {requests_per_second}")
        self._interval = 1.0 / requests_per_second
        self._next_at = float("-inf")

    def take(self, at: float) -> bool:
        """Whether a request may go at the time ``at``; it then counts."""
        if self._next_at - SLACK_SECONDS > at + _ROUNDING_SECONDS:
            return False
        self._next_at = max(self._next_at, at) + self._interval
        return True

    def seconds_left(self, at: float) -> float:
        """Until the next request may go."""
        return max(0.0, self._next_at - SLACK_SECONDS - at)
