"""Faults from a seed, for everything that the engine talks to.

A lost reply comes in two kinds that look the same to the caller: the request was applied, or it was not. Both are drawn
for every method of store and ledger. A frozen process stands still at its next call and goes on when its leases are
long over, as after SIGSTOP and SIGCONT.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, cast

from cosbatch.ledger.port import JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable, SpoolError, StorageError, StorageReason, Unanswered
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.spool import Spool

READS: Final = frozenset(
    [
        "head",
        "get",
        "list_parts",
        "list_uploads",
        "get_acl",
        "get_tags",
        "list_objects",
        "list_versions",
        "bucket_region",
        "versioning",
    ]
)
REQUEST_TIMEOUT_SECONDS: Final = 60.0


@dataclass(slots=True)
class Odds:
    """How often what goes wrong; shares of calls."""

    refused: float = 0.0
    slow_down: float = 0.0
    server_error: float = 0.0
    lost_after: float = 0.0
    """Applied, and the reply is lost."""
    lost_before: float = 0.0
    """Not applied, and no reply comes."""
    spike: float = 0.0
    """Takes nearly the request timeout."""
    ledger_lost: float = 0.0
    spool_refuses: float = 0.0
    latency_seconds: float = 0.05

    @classmethod
    def drawn(cls, rng: Random) -> Odds:
        def share(most: float) -> float:
            return rng.choice([0.0, rng.uniform(0, most)])

        return cls(
            refused=share(0.05),
            slow_down=share(0.1),
            server_error=share(0.05),
            lost_after=share(0.08),
            lost_before=share(0.08),
            spike=share(0.01),
            ledger_lost=share(0.03),
            spool_refuses=share(0.02),
            latency_seconds=rng.choice([0.05, 1.0, 4.0]),
        )


@dataclass(slots=True)
class Outage:
    """Windows in which the store refuses everything."""

    windows: list[tuple[float, float]] = field(default_factory=list)

    def is_on(self, now: float) -> bool:
        return any(begin <= now < end for begin, end in self.windows)


@dataclass(slots=True)
class Freezer:
    """A process that can be stopped and continued."""

    until: float = 0.0

    async def pass_by(self, clock: Clock) -> None:
        while (left := self.until - clock.boottime()) > 0:
            await asyncio.sleep(left)


class _Proxy:
    """Passes every coroutine method of ``inner`` through ``call``."""

    def __init__(self, inner: Any, call: Callable[[str, Any, tuple[Any, ...], dict[str, Any]], Any]) -> None:
        self._inner = inner
        self._call = call

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def called(*args: Any, **options: Any) -> Any:
            return await self._call(name, method, args, options)

        return called


def faulty_store(
    inner: ObjectStore, *, odds: Odds, outage: Outage, rng: Random, clock: Clock, freezer: Freezer
) -> ObjectStore:
    async def call(name: str, method: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        await asyncio.sleep(rng.uniform(0, odds.latency_seconds))
        if outage.is_on(clock.boottime()) or rng.random() < odds.refused:
            raise StorageError(StorageReason.REFUSED, "connection refused", target=name)
        if rng.random() < odds.slow_down:
            raise StorageError(StorageReason.SLOW_DOWN, "please reduce your request rate", http_status=503, target=name)
        if rng.random() < odds.lost_before:
            await asyncio.sleep(REQUEST_TIMEOUT_SECONDS if rng.random() < 0.1 else 0)
            raise _no_answer(name)
        if rng.random() < odds.server_error and rng.random() < 0.5:
            raise StorageError(
                StorageReason.SERVER_ERROR, "we encountered an internal error", http_status=500, target=name
            )
        answer = await method(*args, **options)
        if rng.random() < odds.spike:
            await asyncio.sleep(rng.uniform(0.5, 0.95) * REQUEST_TIMEOUT_SECONDS)
        await asyncio.sleep(rng.uniform(0, odds.latency_seconds))
        await freezer.pass_by(clock)
        if rng.random() < odds.lost_after:
            raise _no_answer(name)
        if rng.random() < odds.server_error:
            raise StorageError(
                StorageReason.SERVER_ERROR, "we encountered an internal error", http_status=500, target=name
            )
        return answer

    return cast(ObjectStore, _Proxy(inner, call))


def _no_answer(name: str) -> StorageError:
    if name in READS:
        return StorageError(StorageReason.UNANSWERED, "the connection was lost", target=name)
    return Unanswered("the connection was lost", target=name)


def faulty_ledger(inner: JobLedger, *, odds: Odds, rng: Random, clock: Clock, freezer: Freezer) -> JobLedger:
    async def call(name: str, method: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        await freezer.pass_by(clock)
        await asyncio.sleep(0)
        if rng.random() < odds.ledger_lost / 2:
            raise LedgerUnavailable("the ledger did not answer")
        answer = await method(*args, **options)
        if rng.random() < odds.ledger_lost / 2:
            raise LedgerUnavailable("the ledger's answer was lost")
        return answer

    return cast(JobLedger, _Proxy(inner, call))


def faulty_spool(inner: Spool, *, odds: Odds, rng: Random) -> Spool:
    async def call(name: str, method: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        await asyncio.sleep(0)
        if name != "free_share" and rng.random() < odds.spool_refuses:
            raise SpoolError("the work area refused")
        return await method(*args, **options)

    return cast(Spool, _Proxy(inner, call))
