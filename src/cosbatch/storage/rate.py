"""A cap in requests per second, kept exactly over time and cheap to ask; and one in bytes per second."""

from __future__ import annotations

from math import inf
from typing import Final

SLACK_SECONDS: Final = 0.05
"""How far a late request may be made up for: timers come late, and the rate is to be reached all the same."""

_ROUNDING_SECONDS: Final = 1e-9


class RateCap:
    """A token bucket in its virtual-scheduling form (GCRA, ITU-T I.371): one number, the time of the last request if
    all came evenly. In any span of T seconds at most ``rate * (T + 0.05) + 1`` requests pass."""

    __slots__ = ("_counts_at", "_interval", "_until", "taken_at")

    def __init__(self, requests_per_second: float) -> None:
        self.taken_at = -inf
        """When a request passed for the last time."""
        self._counts_at = -inf
        self._until = inf
        self.change(requests_per_second, at=-inf)

    def change(self, requests_per_second: float, *, at: float, until: float = inf) -> None:
        """Another rate from the time ``at`` on, which ends at ``until``: nothing passes afterwards, nor at a rate of 0.

        The last request counts on: whoever changes the rate often gains nothing by it. Where the rate had ended others
        may have had it, so one request counts as just sent: a share that goes round must not bring one for each."""
        if at >= self._until:
            self._counts_at = max(self._counts_at, at)
        if requests_per_second < 0:
            raise ValueError(f"a rate cannot be less than 0, as {requests_per_second} is")
        self._interval = 1.0 / requests_per_second if requests_per_second else inf
        self._until = until if requests_per_second else -inf

    def take(self, at: float) -> bool:
        """Whether a request may go at the time ``at``; it then counts."""
        next_at = self._counts_at + self._interval
        if at >= self._until or next_at - SLACK_SECONDS > at + _ROUNDING_SECONDS:
            return False
        self._counts_at = max(next_at, at)
        self.taken_at = at
        return True

    def seconds_left(self, at: float) -> float:
        """Until the next request may go; without end where the rate has ended."""
        if at >= self._until:
            return inf
        return max(0.0, self._counts_at + self._interval - SLACK_SECONDS - at)


class ByteRate:
    """A rate in bytes per second that bodies of any size keep on average: each goes at full speed, and the next one
    begins when, at this rate, the one before would have ended. In any span of T seconds bodies of at most
    ``rate * (T + 0.05)`` bytes and one more begin."""

    __slots__ = ("_free_at", "_rate", "_until", "taken_at")

    def __init__(self, bytes_per_second: float) -> None:
        self.taken_at = -inf
        """When a body passed for the last time."""
        self._free_at = -inf
        self._rate = bytes_per_second
        self._until = inf
        self.change(bytes_per_second)

    def change(self, bytes_per_second: float, *, until: float = inf) -> None:
        """Another rate, which ends at the time ``until``: nothing passes afterwards, nor at a rate of 0. What has
        passed counts on as it was taken."""
        if bytes_per_second:
            self._rate = bytes_per_second
        self._until = until if bytes_per_second else -inf

    def take(self, size_bytes: int, *, at: float, has_waited: bool = False) -> bool:
        """Whether a body may begin at the time ``at``; it then counts. Who has waited may make up for a late timer."""
        if at >= self._until or self._free_at > at + _ROUNDING_SECONDS:
            return False
        self.taken_at = at
        self._free_at = max(self._free_at, at - SLACK_SECONDS if has_waited else at)
        self.charge(size_bytes)
        return True

    def charge(self, size_bytes: int) -> None:
        """More of a body that has passed, whose size nobody knew then."""
        self._free_at += size_bytes / self._rate

    def is_owed(self, at: float) -> bool:
        """Whether the rate is still used for what has passed."""
        return self._free_at > at

    def seconds_left(self, at: float) -> float:
        """Until the next body may begin; without end where the rate has ended."""
        return inf if at >= self._until else max(0.0, self._free_at - at)
