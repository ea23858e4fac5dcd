"""What ends waits from outside: for a place among a bucket's requests, or until it is time for another attempt."""

from __future__ import annotations

import asyncio
from typing import Any

from cosbatch.model.errors import SendingStopped

Ticket = int
"""The generation of a request, never 0."""


class StopSignal:
    """Ends every wait that watches it, now and later. One for whatever is stopped at once: a claim, a job, a worker."""

    __slots__ = ("_waiters", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        """None: not stopped."""
        self._waiters: dict[asyncio.Future[Any], None] = {}
        """In the order in which they came: the same run is to wake them in the same order."""

    def stop(self, reason: str) -> None:
        """Every wait raises :class:`SendingStopped` with this reason. What was sent goes on. Repeating it does
        nothing."""
        if self.reason is not None:
            return
        self.reason = reason
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(SendingStopped(reason))

    def check(self) -> None:
        """Raises :class:`SendingStopped` where it is stopped."""
        if self.reason is not None:
            raise SendingStopped(self.reason)

    def watch(self, waiter: asyncio.Future[Any]) -> None:
        self._waiters[waiter] = None

    def forget(self, waiter: asyncio.Future[Any]) -> None:
        self._waiters.pop(waiter, None)
