"""The scheduler: moves jobs along the state table, and ends the leases of the dead. Any number may run at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch, LimitWatch, QuietWatch
from cosbatch.engine.renewal import until_stopped
from cosbatch.engine.schedule import Move, decide, limit_on, waits
from cosbatch.ledger.port import HeldLease, JobLedger, QueuedJob
from cosbatch.model.clock import Clock
from cosbatch.model.errors import IllegalMove
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.states import Actor

log = structlog.get_logger(__name__)

SWEEP_SECONDS: Final = 5.0
"""What the dead leave behind is in nobody's way. To look through it at each step would be a good part of what an idle
service does."""


class Scheduler:
    """Reads, decides, and writes each move as compare-and-set: a second scheduler changes nothing."""

    def __init__(
        self,
        *,
        ledger: JobLedger,
        clock: Clock,
        limits: EngineLimits,
        watch: LeaseWatch,
        sweep: Callable[[Sequence[WorkerId]], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._limits = limits
        self._watch = watch
        self._quiet = QuietWatch(clock=clock, request_timeout_seconds=limits.request_timeout_seconds)
        self._lasting = LimitWatch(clock=clock)
        self._sweep = sweep
        self._next_sweep_at = clock.boottime()
        self.leases_expired = 0
        """Those that it has ended since it was made; of several schedulers one ends each."""

    async def run(self, stop: asyncio.Event) -> None:
        await until_stopped(self.step, stop=stop, pause_seconds=self._limits.poll_seconds)

    async def step(self) -> bool:
        """One look; whether anything has changed by it."""
        held = await self._ledger.held_leases()
        for lease in self._watch.over(held):
            await self._expire(lease)
        if self._sweep is not None and self._clock.boottime() >= self._next_sweep_at:
            self._sweep([lease.owner for lease in held])
            self._next_sweep_at = self._clock.boottime() + SWEEP_SECONDS
        queued = await self._ledger.queued_jobs()
        quiet = self._quiet.over(queued)
        for job in quiet:
            await self._ledger.quieten(job.job.id, quiet_at=job.quiet_at)
        moves = decide(queued, overdue=self._overdue(queued), limits=self._limits)
        for move in moves:
            await self._move(move)
        moved = {move.job_id for move in moves}
        for wait in waits([job for job in queued if job.job.id not in moved]):
            await self._ledger.explain(wait.job_id, status=wait.status, reason=wait.reason)
        return bool(moves or quiet)

    def _overdue(self, queued: Sequence[QueuedJob]) -> frozenset[JobId]:
        """The jobs that have been for too long what they are, whoever has set clocks meanwhile."""
        self._lasting.keep_only({job.job.id for job in queued})
        lasting = [(job.job.id, limit) for job in queued if (limit := limit_on(job, limits=self._limits)) is not None]
        return frozenset(
            job_id
            for job_id, limit in lasting
            if self._lasting.is_over(
                job_id, since=limit.since, limit_seconds=limit.limit_seconds, passed_seconds=limit.passed_seconds
            )
        )

    async def _expire(self, lease: HeldLease) -> None:
        if await self._ledger.expire(lease, quiet_seconds=self._limits.request_timeout_seconds):
            self.leases_expired += 1
            log.warning("lease-expired", owner=lease.owner, lease=str(lease.lease))

    async def _move(self, move: Move) -> None:
        if move.ends_hold:
            await self._ledger.set_hold(move.job_id, None)
        try:
            await self._ledger.move(
                move.job_id,
                expect={move.expect},
                to=move.to,
                actor=Actor.ENGINE,
                reason=move.reason,
                paused_by=move.paused_by,
                failure=move.failure,
            )
        except IllegalMove:
            log.debug("moved-by-another", job_id=move.job_id, to=move.to)
        else:
            log.info("moved", job_id=move.job_id, to=move.to, reason=move.reason)
