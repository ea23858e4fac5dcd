"""A process's attendance: it checks in with the ledger, and has its shares of caps on requests and bytes from there.

A bucket with a cap is asked by nobody who has no share of it. A process wishes for one while somebody waits to send, or
has just sent, or there are chunks to claim of a job that writes the bucket; after that it gives the share back. Planner
and finisher do so like every worker.

A share ends here one renewal before it ends in the ledger, counted from before it was asked for on a clock that nobody
sets: a process that stood still finds its shares over before it sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.renewal import until_stopped
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.rate_shares import LEAST_RATES, RateWish
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import place_written
from cosbatch.model.regions import CappedPlace, Place, RateKind
from cosbatch.model.workers import BucketLoad, WorkerMetrics, WorkerProcess

log = structlog.get_logger(__name__)

RENEWALS: Final = 4
"""In the length of a share."""
LOOKS_WHILE_WAITING: Final = 4
"""In the time between two renewals."""


class RatedStores(Protocol):
    """The stores of this process, as far as their rates are concerned."""

    @property
    def caps_requests(self) -> bool:
        """Whether any region does."""
        ...

    def cap_of(self, name: RegionName, kind: RateKind) -> float | None:
        """Requests or bytes a second of each of its buckets, of all processes together; None: no cap."""
        ...

    def wanting_rate(self, *, since: float) -> set[CappedPlace]:
        """Caps for which somebody waits to send, or has sent at the boottime ``since`` or later."""
        ...

    def set_rate(self, capped: CappedPlace, per_second: float, *, until: float) -> None:
        """What may be sent until a boottime; 0: nothing."""
        ...

    def loads(self) -> tuple[BucketLoad, ...]: ...

    def answers(self) -> int:
        """Requests that were answered so far."""
        ...

    def repeats(self) -> int:
        """Requests that were sent again so far."""
        ...


class WorkShares(Protocol):
    """What a worker asks before it claims."""

    async def claimable(self, *, seeks: bool) -> Collection[JobId] | None:
        """Jobs that write where this process may send now; None: any job. Who ``seeks`` wishes for shares of the others
        with this; else it only goes on waiting where it does already, for there may be work that is more urgent."""
        ...

    def may_use(self, place: Place) -> bool:
        """Whether requests to the bucket may be sent now, as far as its cap goes."""
        ...


class NoCaps:
    """Where no region has a cap."""

    async def claimable(self, *, seeks: bool) -> None:
        return None

    def may_use(self, place: Place) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class _Share:
    rate: float
    until: float


class RateShares:
    """The shares that this process has, and those that it wishes for."""

    def __init__(self, stores: RatedStores, *, clock: Clock, limits: EngineLimits) -> None:
        self._stores = stores
        self._clock = clock
        self._linger_seconds = limits.share_seconds / RENEWALS
        self._shares: dict[CappedPlace, _Share] = {}
        self._sought: dict[CappedPlace, float] = {}

    @property
    def caps_requests(self) -> bool:
        return self._stores.caps_requests

    def may_use(self, place: Place) -> bool:
        """Whether requests may be sent there now. What a cap on bytes says is asked when there are some to be sent."""
        return self._cap_of(_requests_to(place)) is None or self._in_use(_requests_to(place)) > 0

    def waits_for(self, place: Place) -> bool:
        """Whether it has been wished for, in vain so far."""
        share = self._shares.get(_requests_to(place))
        return share is not None and share.rate == 0

    def seek(self, places: Iterable[Place]) -> None:
        """There is work for these buckets."""
        now = self._clock.boottime()
        self._sought |= {capped: now for capped in map(_requests_to, places) if self._cap_of(capped) is not None}

    def wanted(self) -> frozenset[CappedPlace]:
        since = self._clock.boottime() - self._linger_seconds
        self._sought = {capped: at for capped, at in self._sought.items() if at >= since}
        return frozenset(self._sought) | self._pressing()

    def _pressing(self) -> set[CappedPlace]:
        """Where requests or bodies wait to be sent, or were sent just now."""
        return self._stores.wanting_rate(since=self._clock.boottime() - self._linger_seconds)

    def wishes(self, wanted: Collection[CappedPlace]) -> dict[CappedPlace, RateWish]:
        """What to ask for. Nothing more is sent to the others from here on: their shares are about to go back."""
        for capped in self._shares.keys() - set(wanted):
            del self._shares[capped]
            self._stores.set_rate(capped, 0.0, until=0.0)
        caps = {capped: self._cap_of(capped) for capped in wanted}
        pressing = self._pressing()
        return {
            capped: RateWish(
                cap=cap,
                in_use=self._in_use(capped),
                is_pressing=capped in pressing,
                least=LEAST_RATES[capped.kind],
            )
            for capped, cap in caps.items()
            if cap is not None
        }

    def take(self, rates: Mapping[CappedPlace, float], *, until: float) -> None:
        for capped, rate in rates.items():
            self._shares[capped] = _Share(rate, until)
            self._stores.set_rate(capped, rate, until=until)

    def _cap_of(self, capped: CappedPlace) -> float | None:
        return self._stores.cap_of(capped.region, capped.kind)

    def _in_use(self, capped: CappedPlace) -> float:
        share = self._shares.get(capped)
        return share.rate if share is not None and self._clock.boottime() < share.until else 0.0


def _requests_to(place: Place) -> CappedPlace:
    return CappedPlace(*place, RateKind.REQUESTS)


class JobShares:
    """A worker's view of the shares: by job."""

    def __init__(self, shares: RateShares, *, ledger: JobLedger) -> None:
        self._shares = shares
        self._ledger = ledger
        self._places: dict[JobId, Place] = {}

    def may_use(self, place: Place) -> bool:
        return self._shares.may_use(place)

    async def claimable(self, *, seeks: bool) -> Collection[JobId] | None:
        if not self._shares.caps_requests:
            return None
        self._places = {job_id: await self._place_of(job_id) for job_id in await self._ledger.claimable_jobs()}
        self._shares.seek(place for place in self._places.values() if seeks or self._shares.waits_for(place))
        return {job_id for job_id, place in self._places.items() if self._shares.may_use(place)}

    async def _place_of(self, job_id: JobId) -> Place:
        if job_id in self._places:
            return self._places[job_id]
        job = await self._ledger.job(job_id)
        assert job.findings is not None, "only planned jobs have chunks"
        return place_written(job.request, job.findings)


class Attendance:
    """Checks in a few times in the length of a share, and at once where what is wished for has changed."""

    def __init__(
        self,
        process: WorkerProcess,
        *,
        ledger: JobLedger,
        clock: Clock,
        limits: EngineLimits,
        stores: RatedStores,
        shares: RateShares,
        chunks_held: Callable[[], int] = lambda: 0,
    ) -> None:
        self._process = process
        self._ledger = ledger
        self._clock = clock
        self._limits = limits
        self._stores = stores
        self._shares = shares
        self._chunks_held = chunks_held
        self._asked: frozenset[CappedPlace] = frozenset()
        self._due_at = clock.boottime()
        self._told_at = clock.boottime()
        self._told_answers = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then nothing of the process is left in the ledger."""
        await until_stopped(self.step, stop=stop, pause_seconds=self._limits.poll_seconds)
        try:
            await self._ledger.check_out(self._process.id)
        except LedgerUnavailable as error:
            log.warning("not-checked-out", worker=self._process.id, error=str(error))

    async def step(self) -> bool:
        """Whether to go on at once: a share became smaller, and the others wait to hear that we know."""
        wanted = self._shares.wanted()
        if wanted == self._asked and self._clock.boottime() < self._due_at:
            return False
        try:
            return await self._check_in(wanted)
        except LedgerUnavailable:
            raise
        except Exception:  # without shares nothing is sent: the process must not go on without asking for them
            log.exception("check-in-broke", worker=self._process.id)
            return False

    async def _check_in(self, wanted: frozenset[CappedPlace]) -> bool:
        seconds = self._limits.share_seconds
        wishes = self._shares.wishes(wanted)
        asked_at = self._clock.boottime()
        rates = await self._ledger.check_in(self._process, self._metrics(asked_at), wishes, seconds=seconds)
        self._shares.take(rates, until=asked_at + seconds - seconds / RENEWALS)
        self._asked = wanted
        has_shrunk = any(rate < wishes[capped].in_use for capped, rate in rates.items())
        self._due_at = asked_at if has_shrunk else asked_at + self._pause_seconds(rates)
        return has_shrunk

    def _pause_seconds(self, rates: Mapping[CappedPlace, float]) -> float:
        """Who waits looks more often, so that little is lost between one that leaves and one that comes."""
        renewal = self._limits.share_seconds / RENEWALS
        return renewal if all(rates.values()) else renewal / LOOKS_WHILE_WAITING

    def _metrics(self, now: float) -> WorkerMetrics:
        answers = self._stores.answers()
        since, before = self._told_at, self._told_answers
        self._told_at, self._told_answers = now, answers
        return WorkerMetrics(
            buckets=self._stores.loads(),
            chunks_held=self._chunks_held(),
            requests_per_second=(answers - before) / (now - since) if now > since else 0.0,
            repeats=self._stores.repeats(),
        )


@asynccontextmanager
async def attending(attendance: Attendance) -> AsyncIterator[None]:
    """Checks in while the context is open, and out at its end."""
    stop = asyncio.Event()
    running = asyncio.create_task(attendance.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running
