"""Deadlines of leases, on the holder's own clock.

A lease that the ledger made longer is worth nothing if its holder stood still meanwhile. So a holder counts from the
moment *before* it asked, on a clock that also runs while the machine sleeps, and compares before every send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from cosbatch.ledger.port import JobLease, JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable, SendingStopped, StaleFence

log = structlog.get_logger(__name__)

BROKEN_STEPS_LIMIT = 10


class Deadline:
    """The end of a lease as its holder knows it."""

    __slots__ = ("_now", "lost", "until")

    def __init__(self, *, clock: Clock, until: float) -> None:
        self._now = clock.boottime
        self.until = until
        self.lost = False
        """The ledger said so, whatever the clock says."""

    def is_over(self) -> bool:
        return self.lost or self._now() >= self.until

    def check(self) -> None:
        """To be called before every send."""
        if self.lost or self._now() >= self.until:
            raise SendingStopped("the lease is over")


class JobLeaseKeeper:
    """Renews a job's own lease in the background while it is planned or sealed."""

    def __init__(
        self, lease: JobLease, *, ledger: JobLedger, clock: Clock, lease_seconds: float, taken_at: float
    ) -> None:
        self.deadline = Deadline(clock=clock, until=taken_at + lease_seconds)
        self._lease = lease
        self._ledger = ledger
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._renewing = asyncio.create_task(self._renew_forever(), name=f"renew {lease.duty} {lease.job_id}")

    async def _renew_forever(self) -> None:
        while not self.deadline.lost:
            await asyncio.sleep(self._lease_seconds / 3)
            asked_at = self._clock.boottime()
            try:
                await self._ledger.renew_job(self._lease, lease_seconds=self._lease_seconds)
            except StaleFence:
                self.deadline.lost = True
            except LedgerUnavailable as error:
                log.warning("lease-not-renewed", job_id=self._lease.job_id, error=str(error))
            else:
                self.deadline.until = asked_at + self._lease_seconds

    async def close(self) -> None:
        self._renewing.cancel()
        await asyncio.gather(self._renewing, return_exceptions=True)


async def until_stopped(step: Callable[[], Awaitable[bool]], *, stop: asyncio.Event, pause_seconds: float) -> None:
    """Repeats ``step`` until ``stop`` is set; at once again after a step that found something to work on.

    A ledger that does not answer is no reason to end: the next step finds out. Nor is one error of ours, which the next
    step may not meet; only where every step ends so does this end too, for whoever watches it.
    """
    broken_steps = 0
    while not stop.is_set():
        found_work = False
        try:
            found_work = await step()
            broken_steps = 0
        except LedgerUnavailable as error:
            log.warning("ledger-unavailable", error=str(error))
        except Exception as error:
            broken_steps += 1
            log.exception("step-broke", error=repr(error), in_a_row=broken_steps)
            if broken_steps >= BROKEN_STEPS_LIMIT:
                raise
        if not found_work:
            await sleep_or_stop(pause_seconds, stop=stop)


async def sleep_or_stop(seconds: float, *, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):  # wait_for would make a task for each poll
            await stop.wait()
    except TimeoutError:
        return
