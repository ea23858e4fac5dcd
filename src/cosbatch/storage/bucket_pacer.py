"""How fast a bucket is asked: how many requests at a time, how many a second, and when not at all.

One :class:`BucketPacer` stands before each bucket in each worker process. Whoever wants to send takes a *ticket*, and
gives it back with what became of the request::

    ticket = pacer.try_admit() or await pacer.wait(stop)
    ...                                # send
    pacer.answered(ticket)             # or failed(ticket, error, witness=...), or release(ticket)

**Limit.** At first the limit grows by one with each answer that comes while more than half of it is in use (so it
doubles in a round trip), up to the connections there are. While all of it is in use would not do: of answers that come
together only the first one finds it so. SlowDown, 503 and timeouts halve it; from then on it grows by a fixed step a
round trip. A ticket is a generation number, and each cut begins a new generation: failures of requests that were sent
before the last cut cut nothing, so a burst of them counts once.

**Hold.** When every request of the bucket fails for a reason that may be the store's, nothing more is sent but one
probe at a time: the waiting request that came first. An answer to a probe ends the hold. "Every request" is: as many
failures in a row as requests were under way when the row began, and at least four. An error that may be the fault of a
single object must besides have been met by four different senders, for else the one broken object that a job has left
would look like an outage, be repeated for hours, and fail the job. Expired credentials hold at once.

Waiters are served in the order in which they came. A slot that becomes free is handed to the first of them, so nobody
is woken in vain.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from contextlib import suppress
from math import inf
from typing import Any, Final

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Hold
from cosbatch.storage.disposition import Blame, blame, disposition, is_local, is_pressure
from cosbatch.storage.rate import RateCap
from cosbatch.storage.stop_signal import StopSignal, Ticket

START_LIMIT: Final = 32
FAILURES_FOR_HOLD: Final = 4
"""Failures in a row, and senders that met them, that a hold takes at least."""
FIRST_PROBE_SECONDS: Final = 1.0
LAST_PROBE_SECONDS: Final = 30.0

_GROWTH_SHARE: Final = 32
"""After a cut the limit grows by this part of the connections a round trip: 1,000 connections at 200 ms have their
half back in 4 s, where one a round trip would take minutes."""
_NEVER: Final = 2**31
_REASON_LENGTH: Final = 200


class BucketPacer:
    """Admission to one bucket, for all tasks of one process. Belongs to one event loop."""

    __slots__ = (
        "_clock",
        "_credit",
        "_hold_generation",
        "_is_free",
        "_is_growing_fast",
        "_is_probing",
        "_max_connections",
        "_probe_at",
        "_probe_delay",
        "_queue",
        "_rate",
        "_reach",
        "_row",
        "_row_needed",
        "_step",
        "_stopping",
        "_target_limit",
        "_timer",
        "_timer_at",
        "_witnesses",
        "answers",
        "bucket",
        "generation",
        "held",
        "in_flight",
        "limit",
    )

    def __init__(
        self,
        bucket: Bucket,
        *,
        clock: Clock,
        max_connections: int,
        start_limit: int = START_LIMIT,
        requests_per_second: float | None = None,
    ) -> None:
        self.bucket = bucket
        self.limit = min(start_limit, max_connections)
        """Requests that may be under way at a time. It changes by :meth:`_set_limit` alone."""
        self.in_flight = 0
        self.answers = 0
        """Requests that the store has looked at and answered, also with a refusal."""
        self.held: Hold | None = None
        self.generation: Ticket = 1
        self._clock = clock
        self._max_connections = max_connections
        self._step = max(1, max_connections // _GROWTH_SHARE)
        self._credit = 0
        self._target_limit = max_connections
        self._is_growing_fast = True
        self._reach = 0
        """With more under way than so many an answer makes the limit grow; none is so many
        where the limit is as great as it may be, and nobody looks again."""
        self._set_limit(self.limit)
        self._rate: RateCap | None = None
        self._queue: deque[asyncio.Future[Ticket]] = deque()
        self._stopping = StopSignal()
        self._row = 0
        self._row_needed = FAILURES_FOR_HOLD
        self._witnesses: set[Hashable] = set()
        self._hold_generation: Ticket = 0
        self._is_probing = False
        self._probe_delay = FIRST_PROBE_SECONDS
        self._probe_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._is_free = True
        self.set_rate(requests_per_second)

    # --- admission

    def try_admit(self) -> Ticket:
        """A ticket if a request may go at once, else 0. Raises :class:`SendingStopped` after :meth:`stop`."""
        if self._is_free:
            if self.in_flight < self.limit:
                self.in_flight += 1
                return self.generation
            return 0
        self._stopping.check()
        return self._admit() if not self._queue and self._may_go() else 0

    async def wait(self, stop: StopSignal | None = None) -> Ticket:
        """A ticket, when it is our turn. Raises :class:`SendingStopped` as soon as the pacer or ``stop`` is stopped."""
        self._check(stop)
        waiter: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        self._is_free = False
        try:
            self._serve()
            await self._until(waiter, stop)
            self._check(stop)
        except BaseException:
            self._leave(waiter)
            raise
        return waiter.result()

    async def sleep(self, seconds: float, stop: StopSignal | None = None) -> None:
        """A pause before a repetition; ended by :class:`SendingStopped` like :meth:`wait`."""
        self._check(stop)
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Ticket] = loop.create_future()
        timer = loop.call_later(seconds, _end_sleep, waiter)
        try:
            await self._until(waiter, stop)
        finally:
            timer.cancel()

    async def until(self, turn: asyncio.Future[None], stop: StopSignal | None) -> None:
        """Waits for what somebody else sets; ended by :class:`SendingStopped` like :meth:`wait`."""
        self._check(stop)
        await self._until(turn, stop)

    async def _until(self, waiter: asyncio.Future[Any], stop: StopSignal | None) -> None:
        signals = (self._stopping,) if stop is None else (self._stopping, stop)
        for signal in signals:
            signal.watch(waiter)
        try:
            await waiter
        finally:
            for signal in signals:
                signal.forget(waiter)
            if waiter.done() and not waiter.cancelled():
                waiter.exception()  # seen, also where our task was cancelled in the same moment

    def _check(self, stop: StopSignal | None) -> None:
        self._stopping.check()
        if stop is not None:
            stop.check()

    def _leave(self, waiter: asyncio.Future[Ticket]) -> None:
        """Out of the queue without sending: a slot that was handed over just now goes to the next."""
        with suppress(ValueError):
            self._queue.remove(waiter)
        if not waiter.done():
            waiter.cancel()
        elif not waiter.cancelled() and waiter.exception() is None:
            self.release(waiter.result())
        self._serve()

    def _serve(self) -> None:
        """Hands free slots to those who wait, first come first served."""
        queue = self._queue
        while queue and (queue[0].done() or self._may_go()):
            waiter = queue.popleft()
            if not waiter.done():
                waiter.set_result(self._admit())
        self._update_freedom()

    def _admit(self) -> Ticket:
        self.in_flight += 1
        if self.held is not None:
            self._is_probing = True
        return self.generation

    def _may_go(self) -> bool:
        """Whether one more request may go now; where only time is missing and somebody waits, sees to a wake-up."""
        if self.held is not None:
            if self._is_probing or not self._is_due(self._probe_at - self._clock.boottime()):
                return False
        elif self.in_flight >= self.limit:
            return False
        if self._rate is None:
            return True
        at = self._clock.boottime()
        return self._rate.take(at) or self._is_due(self._rate.seconds_left(at))

    def _is_due(self, seconds_left: float) -> bool:
        if seconds_left <= 0:
            return True
        if self._queue and seconds_left < inf:
            self._wake_in(seconds_left)
        return False

    def _wake_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        wake_at = loop.time() + seconds
        if self._timer is not None:
            if self._timer_at <= wake_at:
                return
            self._timer.cancel()
        self._timer_at = wake_at
        self._timer = loop.call_at(wake_at, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._serve()

    def _update_freedom(self) -> None:
        """``_is_free``: only the limit counts; whatever may stand in the way besides makes it false."""
        self._is_free = not (self._queue or self._rate or self.held or self._stopping.reason is not None)
        if self._timer is not None and not self._queue:
            self._timer.cancel()
            self._timer = None

    # --- what became of a request

    def answered(self, ticket: Ticket) -> None:
        """The store answered, be it with a refusal of just this request."""
        if self._row or self.in_flight > self._reach or not self._is_free:
            self.hear(ticket)
        else:
            self.answers += 1
        self.in_flight -= 1
        if not self._is_free:
            self._serve()

    def hear(self, ticket: Ticket) -> None:
        """The store has begun to answer; the slot stays taken until :meth:`release`, or :meth:`failed`."""
        self.answers += 1
        if self._row:
            self._row = 0
            self._witnesses.clear()
        if self.in_flight > self._reach and ticket >= self.generation:
            self._grow()
        if self.held is not None and ticket >= self._hold_generation:
            self._end_hold()

    def release(self, ticket: Ticket) -> None:
        """Gives the slot back and tells nothing: the request was not sent, or its sender was cancelled."""
        self.in_flight -= 1
        if self.held is not None and ticket >= self._hold_generation:
            self._is_probing = False
        self._serve()

    def failed(self, ticket: Ticket, error: StorageError, *, witness: Hashable) -> None:
        """The request ended in ``error``. ``witness`` stands for its sender, the same for all attempts of a task."""
        if is_local(error):
            self.release(ticket)
            return
        culprit = blame(error)
        if culprit is Blame.REQUEST:
            self.answered(ticket)
            return
        if ticket >= self._hold_generation:  # what was sent before the last hold is no news
            if self.held is not None:
                self._probe_failed(error, since=self.held.since)
            else:
                self._count_failure(error, culprit, witness)
                if is_pressure(error) and ticket >= self.generation:
                    self._cut()
        self.in_flight -= 1
        self._serve()

    def _grow(self) -> None:
        if self._is_growing_fast:
            self._set_limit(self.limit + 1)
            self._is_growing_fast = self.limit < self._target_limit
            return
        self._credit += min(self._step, self.limit)
        if self._credit >= self.limit:
            self._credit -= self.limit
            self._set_limit(self.limit + 1)

    def _set_limit(self, limit: int) -> None:
        self.limit = limit
        self._reach = limit // 2 if limit < self._max_connections else _NEVER

    def _cut(self) -> None:
        self.generation += 1
        self._set_limit(max(1, min(self.limit, self.in_flight) // 2))
        self._is_growing_fast = False
        self._credit = 0

    # --- hold

    def _count_failure(self, error: StorageError, culprit: Blame, witness: Hashable) -> None:
        if not self._row:
            self._row_needed = max(FAILURES_FOR_HOLD, self.in_flight)
        self._row += 1
        if len(self._witnesses) < FAILURES_FOR_HOLD:
            self._witnesses.add(witness)
        is_certain = culprit is Blame.STORE or len(self._witnesses) >= FAILURES_FOR_HOLD
        if culprit is Blame.IDENTITY or (is_certain and self._row >= self._row_needed):
            self._begin_hold(error)

    def _begin_hold(self, error: StorageError) -> None:
        self.generation += 1
        self._hold_generation = self.generation
        self.held = Hold(bucket=self.bucket, reason=_reason_of(error), since=self._clock.now())
        self._is_probing = False
        self._probe_delay = FIRST_PROBE_SECONDS
        self._plan_probe(error)

    def _plan_probe(self, error: StorageError) -> None:
        asked = disposition(error, writes=False).after_seconds or 0.0
        self._probe_at = self._clock.boottime() + max(self._probe_delay, asked)

    def _probe_failed(self, error: StorageError, *, since: float) -> None:
        self._is_probing = False
        self._probe_delay = min(2 * self._probe_delay, LAST_PROBE_SECONDS)
        self._plan_probe(error)
        self.held = Hold(bucket=self.bucket, reason=_reason_of(error), since=since)

    def _end_hold(self) -> None:
        """Begins as carefully as at first, for a store that comes back has everybody at its door."""
        self.held = None
        self._is_probing = False
        if self.limit > START_LIMIT:
            self._target_limit = self.limit
            self._is_growing_fast = True
            self._set_limit(START_LIMIT)
        self._serve()

    # --- control

    def wants_rate(self, *, since: float) -> bool:
        """Whether somebody waits, or was let through at the boottime ``since`` or later; of a bucket with a cap."""
        return bool(self._queue) or (self._rate is not None and self._rate.taken_at >= since)

    @property
    def is_asked(self) -> bool:
        """Whether a request is under way, or waits."""
        return bool(self.in_flight or self._queue)

    def set_rate(self, requests_per_second: float | None, *, until: float = inf) -> None:
        """This process's share of the bucket's cap, which ends at the boottime ``until``. 0, and what has ended: who
        wants to send waits for another share. None: no cap."""
        if requests_per_second is None:
            self._rate = None
        else:
            self._rate = self._rate or RateCap(requests_per_second)
            self._rate.change(requests_per_second, at=self._clock.boottime(), until=until)
        if self._queue:
            self._serve()
        else:
            self._update_freedom()

    def set_connections(self, max_connections: int) -> None:
        """At most so many requests at a time from now on; those under way go on. A greater number is grown into."""
        self._max_connections = max_connections
        self._step = max(1, max_connections // _GROWTH_SHARE)
        self._target_limit = max_connections
        self._set_limit(min(self.limit, max_connections))
        if self._queue:
            self._serve()

    def stop(self, reason: str) -> None:
        """Nothing more is admitted: who waits, or comes later, gets :class:`SendingStopped`. Requests under way go
        on. There is no way back."""
        self._stopping.stop(reason)
        self._is_free = False


def _end_sleep(waiter: asyncio.Future[Ticket]) -> None:
    if not waiter.done():
        waiter.set_result(0)


def _reason_of(error: StorageError) -> str:
    return f"{error.code}: {error.message}"[:_REASON_LENGTH]
