"""The planner: turns the manifests of new jobs into chunks, a slice at a time, by the same queue rule as work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import structlog

from cosbatch.engine.plan import Plan
from cosbatch.engine.plan_preflight import PlanTools
from cosbatch.engine.ports import acting_of
from cosbatch.engine.renewal import JobLeaseKeeper, until_stopped
from cosbatch.engine.schedule import Queue, queue_of
from cosbatch.ledger.port import Duty, QueuedJob
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    CosbatchError,
    FailureCode,
    Fault,
    IllegalMove,
    JobFailure,
    LedgerUnavailable,
    ManifestFaulty,
    SendingStopped,
    SpoolError,
    StaleFence,
    StorageError,
)
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.jobs import WORK_AREA, Hold, Job
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.disposition import Action, disposition, failure_code

log = structlog.get_logger(__name__)

TO_PLAN = frozenset({JobStatus.NEW, JobStatus.PREPARING})
PASSING = frozenset({Action.RETRY, Action.HOLD_IF_ALL})


@dataclass(slots=True, kw_only=True)
class _OpenPlan:
    plan: Plan
    slices: AsyncGenerator[int, None]
    keeper: JobLeaseKeeper
    served: int
    """Turn at which it was last served."""
    slice: asyncio.Task[int] | None = None
    """The slice under way."""
    is_held: bool = False
    """It waits for a store that does not answer; others have their turn meanwhile."""
    shows_hold: bool = False
    """The job shows a hold, perhaps of an earlier attempt; it ends when planning gets on."""

    def gets_on(self) -> bool:
        """A hold ends by a request that gets through. With no slice under way nobody sends one: the next is begun."""
        return not self.is_held or self.slice is None or self.slice.done()


class Planner:
    """Plans one slice at a time of whichever job is next."""

    def __init__(self, *, worker: WorkerId, tools: PlanTools, clock: Clock) -> None:
        self._worker = worker
        self._tools = tools
        self._clock = clock
        self._open: dict[JobId, _OpenPlan] = {}
        self._interrupted: dict[JobId, float] = {}
        """Jobs whose plan a store or the work area broke off, and until when they rest."""
        self._turn = 0
        self._queue_turns: dict[Queue, int] = {}
        """Turn at which a queue (account and region) was last served: one with great priorities starves no other."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; plans under way are given back and begun again by whoever claims them next."""
        try:
            await until_stopped(self.step, stop=stop, pause_seconds=self._tools.limits.poll_seconds)
        finally:
            for job_id in list(self._open):
                await self._drop(job_id)

    async def step(self) -> bool:
        """A part of one slice, no longer than a poll; False where nothing got on."""
        queue = [queued.job for queued in await self._tools.ledger.queued_jobs() if self._is_mine(queued)]
        waiting = {job.id for job in queue}
        for job_id in self._open.keys() - waiting:
            await self._drop(job_id)
        self._interrupted = {job_id: until for job_id, until in self._interrupted.items() if job_id in waiting}
        if not queue or not await self._has_space(queue):
            return False
        for job in queue:
            await self._tell_hold(job)
        queues = {queue_of(job) for job in queue}
        self._queue_turns = {queue: turn for queue, turn in self._queue_turns.items() if queue in queues}
        ready = [job for job in queue if self._is_ready(job) and await self._may_act(job)]
        if not ready:
            return False
        job = min(ready, key=self._queue_place)
        open_plan = self._open.get(job.id) or await self._claim(job)
        if open_plan is None:
            return False
        return await self._serve(open_plan)

    def _is_mine(self, queued: QueuedJob) -> bool:
        return queued.job.status in TO_PLAN and (queued.job.id in self._open or not queued.has_leases)

    def _is_ready(self, job: Job) -> bool:
        if job.id in self._open:
            return self._open[job.id].gets_on()
        return self._clock.boottime() >= self._interrupted.get(job.id, 0.0)

    async def _may_act(self, job: Job) -> bool:
        """A job waits in New until there are credentials of its role."""
        return job.id in self._open or await self._tools.stores.may_act(acting_of(job))

    def _queue_place(self, job: Job) -> tuple[int, int, int, JobId]:
        """The queue that has waited longest; in it the greatest priority first, and of equal ones the one that has
        waited longest for its turn."""
        known = self._open.get(job.id)
        return (self._queue_turns.get(queue_of(job), 0), -job.priority, known.served if known else 0, job.id)

    # --- what may be in the way

    async def _has_space(self, queue: Sequence[Job]) -> bool:
        free = await self._tools.spool.free_share()
        least = self._tools.limits.min_free_spool_share
        if free is None or free >= least:
            for job in queue:
                is_begun = job.id in self._open or job.id in self._interrupted
                if job.hold is not None and job.hold.bucket == WORK_AREA and not is_begun:
                    await self._tools.ledger.set_hold(job.id, None)
            return True
        reason = f"planning waits: {free:.0%} of the work area is free, and it needs {least:.0%}; make room there"
        for job in queue:
            if job.hold is None:
                hold = Hold(bucket=WORK_AREA, reason=reason, since=self._clock.now())
                await self._tools.ledger.set_hold(job.id, hold)
        return False

    async def _tell_hold(self, job: Job) -> None:
        """Shows on the job that one of its stores does not answer, and when it does again."""
        open_plan = self._open.get(job.id)
        if open_plan is None:
            return
        stores = self._tools.stores
        holds = [stores.pace_of(region, bucket).held for region, bucket in open_plan.plan.asks]
        hold = next((hold for hold in holds if hold is not None), None)
        if (hold is not None) is not open_plan.is_held:
            open_plan.is_held = open_plan.shows_hold = hold is not None
            await self._tools.ledger.set_hold(job.id, hold)

    async def _end_hold(self, open_plan: _OpenPlan) -> None:
        """Planning gets on."""
        self._interrupted.pop(open_plan.plan.job.id, None)
        if open_plan.shows_hold and not open_plan.is_held:
            open_plan.shows_hold = False
            await self._tools.ledger.set_hold(open_plan.plan.job.id, None)

    # --- one plan

    async def _claim(self, job: Job) -> _OpenPlan | None:
        limits = self._tools.limits
        asked_at = self._clock.boottime()
        lease = await self._tools.ledger.claim_job(
            self._worker, job_id=job.id, duty=Duty.PLAN, lease_seconds=limits.lease_seconds
        )
        if lease is None:
            return None
        keeper = JobLeaseKeeper(
            lease, ledger=self._tools.ledger, clock=self._clock, lease_seconds=limits.lease_seconds, taken_at=asked_at
        )
        try:
            job = await self._tools.ledger.job(job.id)
            await self._tools.stores.look_again()
        except BaseException:
            await keeper.close()
            raise
        plan = Plan(job=job, lease=lease, tools=self._tools, permit=keeper.deadline.check)
        self._open[job.id] = _OpenPlan(
            plan=plan, slices=plan.slices(), keeper=keeper, served=self._turn, shows_hold=job.hold is not None
        )
        log.info("planning", job_id=job.id, planned_rows=job.planned_rows)
        return self._open[job.id]

    async def _serve(self, open_plan: _OpenPlan) -> bool:
        """Goes on with a slice for at most a poll: who waits for a store must not keep the others waiting."""
        if open_plan.slice is None:
            self._turn += 1
            open_plan.served = self._queue_turns[queue_of(open_plan.plan.job)] = self._turn
            open_plan.slice = asyncio.create_task(_next(open_plan.slices))
        done, _ = await asyncio.wait({open_plan.slice}, timeout=self._tools.limits.poll_seconds)
        if not done:
            return True
        ended, open_plan.slice = open_plan.slice, None
        goes_on = False
        try:
            goes_on = await self._take(open_plan, ended)
        finally:
            if not goes_on:
                await self._drop(open_plan.plan.job.id)
        return goes_on

    async def _take(self, open_plan: _OpenPlan, ended: asyncio.Task[int]) -> bool:
        """Whether the plan goes on after the slice that has ended."""
        job_id = open_plan.plan.job.id
        try:
            rows = ended.result()
        except _Planned:
            log.info("planned", job_id=job_id)
            await self._end_hold(open_plan)
        except (StaleFence, SendingStopped, IllegalMove):
            log.info("plan-lost", job_id=job_id)
        except LedgerUnavailable as error:
            log.error("plan-interrupted", job_id=job_id, error=str(error))
        except SpoolError as error:
            await self._interrupt(open_plan, bucket=WORK_AREA, error=error)
        except StorageError as error:
            if disposition(error, writes=False).action in PASSING:
                await self._interrupt(
                    open_plan, bucket=open_plan.plan.job.request.manifest.location.bucket, error=error
                )
            else:
                await self._fail(open_plan, error)
        except (JobFailure, ManifestFaulty) as error:
            await self._fail(open_plan, error)
        except Exception as error:
            log.exception("plan-broke", job_id=job_id)
            await self._fail(open_plan, JobFailure(FailureCode.INTERNAL_ERROR, f"{type(error).__name__}: {error}"))
        else:
            log.debug("slice-planned", job_id=job_id, rows=rows)
            await self._end_hold(open_plan)
            return True
        return False

    async def _interrupt(self, open_plan: _OpenPlan, *, bucket: str, error: CosbatchError) -> None:
        """What may pass does not fail a job at once: it shows why it waits, and is planned again after a rest."""
        job_id = open_plan.plan.job.id
        log.warning("plan-interrupted", job_id=job_id, error=str(error))
        self._interrupted[job_id] = self._clock.boottime() + self._tools.limits.plan_retry_seconds
        await self._tools.ledger.set_hold(job_id, Hold(bucket=bucket, reason=str(error), since=self._clock.now()))

    async def _fail(self, open_plan: _OpenPlan, error: CosbatchError) -> None:
        code, reason = explain_failure(error)
        log.warning("plan-failed", job_id=open_plan.plan.job.id, failure_code=code, reason=reason)
        try:
            await self._tools.ledger.move(
                open_plan.plan.job.id,
                expect={JobStatus.PREPARING},
                to=JobStatus.FAILING,
                actor=Actor.ENGINE,
                reason=reason,
                failure=code,
            )
        except IllegalMove:
            log.info("plan-lost", job_id=open_plan.plan.job.id)

    async def _drop(self, job_id: JobId) -> None:
        open_plan = self._open.pop(job_id)
        self._tools.stores.leave(acting_of(open_plan.plan.job))
        breaks_off = open_plan.slice is not None
        if open_plan.slice is not None:
            open_plan.slice.cancel()
            await asyncio.gather(open_plan.slice, return_exceptions=True)
        await open_plan.keeper.close()
        await open_plan.slices.aclose()
        if breaks_off and open_plan.plan.is_asking:
            # What was sent may still arrive. The lease ends as a loss: whoever comes next waits until nothing can.
            return
        try:
            await self._tools.ledger.release_job(open_plan.plan.lease)
        except LedgerUnavailable as error:
            log.warning("plan-not-released", job_id=job_id, error=str(error))


class _Planned(Exception):
    """The plan is complete. (A task cannot end in StopAsyncIteration.)"""


async def _next(slices: AsyncGenerator[int, None]) -> int:
    try:
        return await anext(slices)
    except StopAsyncIteration:
        raise _Planned from None


def explain_failure(error: CosbatchError) -> tuple[FailureCode, str]:
    """Why a job cannot start, with all faults that were found, one a line."""
    match error:
        case ManifestFaulty(failure_code=code, faults=faults, more=more):
            return code, _with_faults(f"the manifest has {len(faults)}{'+' if more else ''} faults", faults)
        case JobFailure(failure_code=code, reason=reason, faults=faults):
            return code, _with_faults(reason, faults)
        case StorageError():
            return failure_code(error) or FailureCode.STORE_UNAVAILABLE, str(error)
        case _:
            return FailureCode.INTERNAL_ERROR, str(error)


def _with_faults(reason: str, faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return str(faults[0])
    return "\n".join([reason, *map(str, faults)])
