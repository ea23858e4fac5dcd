"""The cap on bytes of one bucket, in one process: bodies wait here for their turn, first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from cosbatch.model.clock import Clock
from cosbatch.storage.bucket_pacer import BucketPacer
from cosbatch.storage.rate import ByteRate
from cosbatch.storage.stop_signal import StopSignal

LONGEST_SLEEP_SECONDS: Final = 0.25
"""Of the first in the queue, who has to notice that there is another share."""


class ByteGate:
    """Nothing is reserved ahead, so that a smaller share holds for everybody who has not begun."""

    __slots__ = ("_clock", "_pacer", "_queue", "_rate")

    def __init__(self, bytes_per_second: float, *, pacer: BucketPacer, clock: Clock) -> None:
        """0 bytes per second: there is no share yet."""
        self._rate = ByteRate(bytes_per_second)
        self._pacer = pacer
        self._clock = clock
        self._queue: deque[asyncio.Future[None]] = deque()

    def set_rate(self, bytes_per_second: float, *, until: float) -> None:
        """0, and what has ended at the boottime ``until``: everybody waits for another share. Without end: no cap."""
        self._rate.change(bytes_per_second, until=until)

    def wants_rate(self, *, since: float) -> bool:
        """Whether somebody waits, or has begun at the boottime ``since`` or later, or so much that it is still owed."""
        return bool(self._queue) or self._rate.taken_at >= since or self._rate.is_owed(self._clock.boottime())

    async def enter(self, size_bytes: int, stop: StopSignal | None) -> None:
        """Comes back when a body of this size may begin; it then counts. Raises SendingStopped, and nothing counts."""
        if not self._queue and self._rate.take(size_bytes, at=self._clock.boottime()):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            if self._queue[0] is not turn:
                await self._pacer.until(turn, stop)
            while not self._rate.take(size_bytes, at=self._clock.boottime(), has_waited=True):
                seconds = self._rate.seconds_left(self._clock.boottime())
                await self._pacer.sleep(min(seconds, LONGEST_SLEEP_SECONDS), stop)
        finally:
            self._queue.remove(turn)
            if self._queue and not self._queue[0].done():
                self._queue[0].set_result(None)

    def charge(self, size_bytes: int) -> None:
        """More bytes of a body that has begun: whoever comes next waits for them."""
        self._rate.charge(size_bytes)
