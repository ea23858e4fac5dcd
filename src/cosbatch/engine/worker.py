"""The worker: claims chunks, runs their tasks as concurrently as the buckets take it, commits what came of them.

Work is done by *lanes*: coroutines that take one task after another, as many as the buckets of the claimed jobs take
requests at present. One long-lived coroutine a lane costs less than one asyncio task an object.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable
from itertools import chain

import structlog

from cosbatch.engine.chunk_files import decode_chunk
from cosbatch.engine.chunk_run import ChunkRun
from cosbatch.engine.committer import Committer
from cosbatch.engine.job_kit import JobKit, kit_for, wait_to_act
from cosbatch.engine.leases import LeaseBook
from cosbatch.engine.liveness import LimitWatch
from cosbatch.engine.ports import Stores, acting_of
from cosbatch.engine.renewal import Deadline, sleep_or_stop, until_stopped
from cosbatch.engine.shared_targets import NOBODY, read_shared
from cosbatch.engine.shares import NoCaps, WorkShares
from cosbatch.engine.task_run import TaskRun, TaskTools, keyless, never_looked_for, worker_lost
from cosbatch.ledger.port import Pulse
from cosbatch.model.errors import (
    FailureCode,
    IllegalMove,
    JobFailure,
    LedgerUnavailable,
    SpoolDamaged,
    SpoolError,
    SpoolMissing,
    StaleFence,
)
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.jobs import Hold
from cosbatch.model.regions import Place
from cosbatch.model.states import ENDING, Actor, JobStatus
from cosbatch.model.tasks import Claim, ClaimMode, Result, Task, Then
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)


class Worker:
    """One process's worker. All of its coroutines run in one event loop."""

    def __init__(
        self, *, worker: WorkerId, tools: TaskTools, spool: Spool, stores: Stores, shares: WorkShares | None = None
    ) -> None:
        """Without ``shares`` no bucket has a rate cap that others have a part of."""
        self._worker = worker
        self._tools = tools
        self._limits = tools.limits
        self._clock = tools.clock
        self._spool = spool
        self._stores = stores
        self._shares = shares or NoCaps()
        self._leases = LeaseBook(
            worker, ledger=tools.ledger, clock=tools.clock, lease_seconds=tools.limits.lease_seconds
        )
        self._committer = Committer(
            ledger=tools.ledger,
            spool=spool,
            random=tools.random,
            quiet_seconds=tools.limits.request_timeout_seconds,
        )
        self._looking = LimitWatch(clock=tools.clock)
        """Of jobs that end; kept for each, since its chunks may be claimed one after another."""
        self._kits: dict[JobId, JobKit] = {}
        self._runs: list[ChunkRun] = []
        self._lanes: Counter[Place] = Counter()
        self._crowded: set[Place] = set()
        """Buckets with more lanes than they take requests, as of the last look: lanes ask no more often."""
        self._background: set[asyncio.Task[None]] = set()
        self._last_job: JobId | None = None
        self._ahead = 0
        """With so few tasks left of a chunk it is time to claim another one; as of the last look."""
        self._claiming = asyncio.Lock()
        self._lone: ChunkRun | None = None
        """A chunk that runs one task at a time, and nothing beside it: whoever dies with it is known to die of it."""
        self._draining = False

    @property
    def chunks_held(self) -> int:
        return len(self._runs)

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; then every chunk is given back with what was settled, and nothing is left under way."""
        poll = self._limits.poll_seconds
        keepers = [
            asyncio.create_task(until_stopped(self._renew, stop=stop, pause_seconds=self._limits.lease_seconds / 3)),
            asyncio.create_task(until_stopped(self._tend, stop=stop, pause_seconds=poll)),
            asyncio.create_task(until_stopped(self._claim, stop=stop, pause_seconds=poll)),
        ]
        try:
            await asyncio.gather(*keepers)
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await self._drain()

    # --- leases

    async def _renew(self) -> bool:
        await self._leases.renew([run.claim.lease for run in self._runs])
        for run in list(self._runs):
            if run.deadline.lost:
                self._drop(run)
        return False

    async def _claim(self) -> bool:
        async with self._claiming:
            return await self._claim_some()

    async def _claim_early(self) -> None:
        """A store that answers fast works a chunk off in less than a poll: lanes do not wait for the next one."""
        if self._claiming.locked() or self._room() <= 0:
            return
        try:
            await self._claim()
        except LedgerUnavailable as error:
            log.warning("ledger-unavailable", error=str(error))

    async def _claim_some(self) -> bool:
        room = self._room()
        only = await self._shares.claimable(seeks=room > 0)
        if room <= 0:
            return False
        claimed = await self._leases.claim(
            room=room, after_job=self._last_job, but_not=self._provided_jobs(), only=only
        )
        begun = 0
        for claim, deadline in claimed:
            if self._draining:
                await self._hand_back(claim)
                continue
            self._last_job = claim.lease.job_id
            try:
                begun += await self._begin(claim, deadline)
            except Exception:
                # Forgotten, it goes back with the next renewal; the other claims are begun all the same.
                log.exception("claim-not-begun", job_id=claim.lease.job_id, seq=claim.lease.seq)
                self._leases.forget(claim.lease)
        return begun > 0

    def _room(self) -> int:
        """Tasks to ask for: two rounds of the concurrency, less those that are waiting here already. A bucket that has
        enough of them here leaves room for others: it may be slow, and none of them shall wait for it."""
        if self._draining or self._lone or len(self._runs) >= self._limits.max_claimed_chunks:
            return 0
        wanting = [place for place in self._places() if not self._is_provided(place)]
        lanes = sum(map(self._lane_limit, wanting))
        self._ahead = self._limits.rounds_ahead * (lanes or self._limits.first_lanes)
        return self._ahead - sum(map(self._waiting, wanting))

    def _is_provided(self, place: Place) -> bool:
        """Whether more tasks of the bucket would only lie here: it takes nothing now, or has two rounds of them."""
        enough = self._limits.rounds_ahead * self._lane_limit(place)
        return self._is_held(place) or self._waiting(place) >= enough

    def _waiting(self, place: Place) -> int:
        return sum(run.unstarted for run in self._runs if run.kit.place == place)

    def _provided_jobs(self) -> set[JobId]:
        provided = {place for place in self._places() if self._is_provided(place)}
        return {run.kit.job.id for run in self._runs if run.kit.place in provided}

    async def _begin(self, claim: Claim, deadline: Deadline) -> bool:
        """Whether its tasks run now; else it was handed back."""
        try:
            kit = await self._kit(claim.lease.job_id)
            content = await self._spool.get(claim.spool_name)
            tasks = decode_chunk(content, first_task=claim.first_task, task_count=claim.task_count)
            same_targets = await read_shared(claim, spool=self._spool) if kit.has_shared_targets else NOBODY
        except JobFailure as failure:
            await self._fail_job(claim.lease.job_id, failure)
            await self._hand_back(claim)
        except (SpoolMissing, SpoolDamaged) as error:
            if claim.mode is ClaimMode.SETTLE_ONLY:
                self._start(ChunkRun(claim=claim, kit=kit, deadline=deadline, tasks=()), brings=keyless(claim))
                return True
            if not deadline.is_over():  # else somebody may have closed the chunk since, and its file has served
                why = f"the work area has lost a part of the plan: {error}; make the job again"
                await self._fail_job(claim.lease.job_id, JobFailure(FailureCode.INTERNAL_ERROR, why))
            await self._hand_back(claim)
        except (SpoolError, LedgerUnavailable) as error:
            log.error("chunk-not-begun", job_id=claim.lease.job_id, seq=claim.lease.seq, error=str(error))
            await self._hand_back(claim)
        else:
            run = ChunkRun(claim=claim, kit=kit, deadline=deadline, tasks=tasks, same_targets=same_targets)
            self._start(run)
            return True
        return False

    def _start(self, run: ChunkRun, *, brings: Iterable[tuple[Task, Result]] = ()) -> None:
        self._runs.append(run)
        for task, result in brings:
            run.bring(task, result, now=self._clock.boottime())
        if run.claim.mode is ClaimMode.ONE_AT_A_TIME:
            self._lone = run
            self._spawn(self._run_alone(run))
        elif run.is_idle():
            self._spawn(self._finish(run))
        else:
            self._top_up_lanes()

    async def _kit(self, job_id: JobId) -> JobKit:
        if job_id not in self._kits:
            job = await self._tools.ledger.job(job_id)
            await self._stores.look_again()
            await wait_to_act(job, stores=self._stores, pause_seconds=self._limits.poll_seconds)
            self._kits[job_id] = kit_for(job, stores=self._stores)
        return self._kits[job_id]

    async def _hand_back(self, claim: Claim) -> None:
        try:
            await self._tools.ledger.commit(claim, None, then=Then.YIELD)
        except (StaleFence, LedgerUnavailable) as error:
            # What is no longer named goes back with the next renewal: nothing was sent under it.
            log.info("claim-not-handed-back", job_id=claim.lease.job_id, seq=claim.lease.seq, error=str(error))
        self._leases.forget(claim.lease)

    # --- lanes

    def _places(self) -> set[Place]:
        """The buckets that the claimed chunks write."""
        return {run.kit.place for run in self._runs}

    def _lane_limit(self, place: Place) -> int:
        return self._stores.pace_of(*place).limit

    def _is_held(self, place: Place) -> bool:
        """It does not answer, or its rate cap has no share for us at present."""
        return self._stores.pace_of(*place).held is not None or not self._shares.may_use(place)

    def _top_up_lanes(self) -> None:
        """Each bucket has lanes of its own, as many as it takes requests at a time: one that does not answer keeps no
        other waiting."""
        if self._lone:
            return
        self._crowded = {place for place, lanes in self._lanes.items() if lanes > self._lane_limit(place)}
        for place in self._places():
            units = sum(len(run.units) for run in self._runs if run.kit.place == place)
            for _ in range(min(self._lane_limit(place) - self._lanes[place], units)):
                self._add_lane(place)

    def _add_lane(self, place: Place) -> None:
        self._lanes[place] += 1
        self._spawn(self._lane(place))

    async def _lane(self, place: Place) -> None:
        try:
            while not self._is_crowded(place) and (run := self._next_run(place)) is not None:
                await self._work_off(run, place)
        finally:
            self._lanes[place] -= 1

    def _is_crowded(self, place: Place) -> bool:
        if self._lanes[place] > self._lane_limit(place):
            return True
        self._crowded.discard(place)  # the last look is out of date: lanes have ended since, or the limit has grown
        return False

    def _next_run(self, place: Place) -> ChunkRun | None:
        """The oldest claim first, so that chunks close in the order in which they were claimed."""
        if self._lone:
            return None
        return next((run for run in self._runs if run.units and run.kit.place == place), None)

    async def _work_off(self, run: ChunkRun, place: Place) -> None:
        """Units of a run, one after another, while it has any and the lane is wanted. Every object passes here: what
        could be a step of its own is not, for each coroutine on the way costs it half a microsecond."""
        task_run, pace = TaskRun(run, tools=self._tools), self._stores.pace_of(*place)
        while run.units and not self._lone and place not in self._crowded:
            if self._lanes[place] < pace.limit:  # it grows with answers, and only what is sent makes it grow further
                self._add_lane(place)
            unit = run.begin()
            if (left := len(run.units)) == self._ahead or not left:
                self._spawn(self._claim_early())
            try:
                for turn, task in enumerate(unit):
                    if turn and run.is_stopping():
                        break
                    result = await task_run.execute(task)  # as in :meth:`_run_task`
                    if result is not None:
                        run.bring(task, result, now=self._clock.boottime())
                    if run.kit.failure is not None:
                        await self._fail_job(run.claim.lease.job_id, run.kit.failure)
            finally:
                run.in_flight -= 1
            if not run.in_flight and run.is_idle():
                await self._finish(run)

    async def _run_alone(self, run: ChunkRun) -> None:
        try:
            while self._has_company():  # noqa: ASYNC110  # any task of many may be the last to end
                await asyncio.sleep(self._limits.poll_seconds)
            await self._run_one_at_a_time(run)
        finally:
            self._lone = None
            self._top_up_lanes()

    def _has_company(self) -> bool:
        """Whether a task of another chunk is under way, and not only waits for a bucket that does not answer."""
        return any(run.in_flight and not self._is_held(run.kit.place) for run in self._runs)

    async def _run_one_at_a_time(self, run: ChunkRun) -> None:
        """A chunk that was lost three times: whichever task is at fault is found out, and only that one is given up."""
        task_run = TaskRun(run, tools=self._tools)
        while run.units and not run.deadline.is_over():
            (task, *rest) = run.begin()
            if rest:
                run.units.appendleft(rest)
            if task.number == run.claim.started_task:
                run.bring(task, worker_lost(task), now=self._clock.boottime())
                run.in_flight -= 1
            else:
                try:
                    if await self._mark_started(run, task):
                        await self._run_task(run, task, task_run)
                finally:
                    run.in_flight -= 1
            await self._committer.commit(run, then=Then.KEEP)
        await self._finish(run)

    async def _run_task(self, run: ChunkRun, task: Task, task_run: TaskRun) -> None:
        result = await task_run.execute(task)
        if result is not None:
            run.bring(task, result, now=self._clock.boottime())
        if run.kit.failure is not None:
            await self._fail_job(run.claim.lease.job_id, run.kit.failure)

    async def _mark_started(self, run: ChunkRun, task: Task) -> bool:
        while not run.deadline.is_over():
            try:
                await self._tools.ledger.mark_started(run.claim, task.number)
            except StaleFence:
                run.deadline.lost = True
            except LedgerUnavailable:
                await asyncio.sleep(self._limits.poll_seconds)
            else:
                return True
        return False

    # --- ends of runs

    async def _finish(self, run: ChunkRun) -> None:
        """Nothing of the run is under way any more: the last commit."""
        if run.finishing or run not in self._runs:
            return
        run.finishing = True
        try:
            await self._committer.commit(run, then=run.ending())
        except Exception:
            # Results may be gone that stand for requests: the chunk has to be looked after, not just given back.
            log.exception("commit-broke", job_id=run.claim.lease.job_id, seq=run.claim.lease.seq)
            await self._committer.forfeit(run)
        finally:
            self._drop(run)

    def _drop(self, run: ChunkRun) -> None:
        """Forget a run that is committed, or lost: a lost one's tasks find its deadline over before their next send."""
        run.stop_beginning(now=self._clock.boottime())
        if run in self._runs:
            self._runs.remove(run)
            self._leases.forget(run.claim.lease)
        if not any(other.kit is run.kit for other in self._runs):
            self._kits.pop(run.claim.lease.job_id, None)
            self._stores.leave(acting_of(run.kit.job))

    # --- tending

    async def _tend(self) -> bool:
        """Stops what a job's status stops, commits what has waited long enough, tells of holds, tops lanes up."""
        runs = list(self._runs)  # one that begins meanwhile was not asked about
        pulses = await self._tools.ledger.pulses({run.claim.lease.job_id for run in runs})
        now = self._clock.boottime()
        for run in runs:
            self._stop_if_told(run, pulses.get(run.claim.lease.job_id), now=now)
            if self._is_due(run, now=now):
                self._spawn(self._committer.commit(run, then=Then.KEEP))
        kits = {run.kit.job.id: run.kit for run in self._runs}
        for job_id, kit in kits.items():
            if kit.failure is not None:
                await self._fail_job(job_id, kit.failure)
        await self._tell_holds(kits.values())
        self._top_up_lanes()
        return False

    def _stop_if_told(self, run: ChunkRun, pulse: Pulse | None, *, now: float) -> None:
        if run.is_settle_only:
            if not run.given_up and (pulse is None or self._is_overdue(run.kit.job.id, since=pulse.changed_at)):
                self._give_up(run, now=now)
            return
        if pulse is None or pulse.status is not JobStatus.ACTIVE or self._draining:
            run.is_ending = pulse is not None and pulse.status in ENDING
            self._stop(run, now=now)

    def _is_overdue(self, job_id: JobId, *, since: float) -> bool:
        """Whether this worker has looked for long enough: a job that ended while none was there is looked after too."""
        return self._looking.is_over(job_id, since=since, limit_seconds=self._limits.settle_limit_seconds)

    def _give_up(self, run: ChunkRun, *, now: float) -> None:
        """The time to look is over, also for what no lane has come to: other chunks may have kept them all."""
        run.given_up = True
        for task in chain.from_iterable(run.units):
            run.bring(task, never_looked_for(task), now=now)
        run.stop_beginning(now=now)
        run.cut_off()
        if run.is_idle():
            self._spawn(self._finish(run))

    def _stop(self, run: ChunkRun, *, now: float) -> None:
        was_running = not run.is_stopping()
        run.stop_beginning(now=now)
        if was_running and run.is_idle():
            self._spawn(self._finish(run))
        if now - run.stopped_at > self._limits.yield_seconds:
            run.cut_off()

    def _is_due(self, run: ChunkRun, *, now: float) -> bool:
        if run.oldest_result_at is None or run.committing.locked():
            return False
        if now - run.oldest_result_at > self._limits.checkpoint_seconds:
            return True
        return not run.units and now - run.last_settled_at > self._limits.slow_tail_seconds

    async def _tell_holds(self, kits: Iterable[JobKit]) -> None:
        for kit in kits:
            notice = (
                self._stores.pace_of(kit.regions.target, kit.target_bucket).held
                or self._stores.pace_of(kit.regions.source, kit.bucket).held
            )
            if notice is not None and not kit.held:
                kit.held = True
                hold = Hold(bucket=notice.bucket, reason=notice.reason, since=notice.since)
                await self._tools.ledger.set_hold(kit.job.id, hold)
            elif notice is None and kit.held:
                kit.held = False
                await self._tools.ledger.set_hold(kit.job.id, None)

    async def _fail_job(self, job_id: JobId, failure: JobFailure) -> None:
        """An error that concerns the whole job, told by one of its tasks."""
        try:
            await self._tools.ledger.move(
                job_id,
                expect={JobStatus.ACTIVE, JobStatus.PAUSING},
                to=JobStatus.FAILING,
                actor=Actor.ENGINE,
                reason=failure.reason,
                failure=failure.failure_code,
            )
        except IllegalMove:
            log.debug("job-ends-already", job_id=job_id, failure_code=failure.failure_code)
        except LedgerUnavailable as error:
            log.warning("job-not-failed", job_id=job_id, failure_code=failure.failure_code, error=str(error))

    # --- the end

    async def _drain(self) -> None:
        """Waits for every request in flight, settles what got no answer, and gives the rest back."""
        self._draining = True
        give_up_at = self._clock.boottime() + self._limits.drain_seconds
        stop_renewing = asyncio.Event()
        renewing = asyncio.create_task(
            until_stopped(self._renew, stop=stop_renewing, pause_seconds=self._limits.lease_seconds / 3)
        )
        while (self._runs or self._background) and (now := self._clock.boottime()) < give_up_at:
            for run in list(self._runs):
                self._stop(run, now=now)
            await sleep_or_stop(self._limits.poll_seconds / 5, stop=stop_renewing)
        stop_renewing.set()
        await renewing
        await self._leave()

    async def _leave(self) -> None:
        """What is left now could not be committed: the leases end as losses, and the next claim looks first."""
        for run in self._runs:
            log.error("results-left", job_id=run.claim.lease.job_id, seq=run.claim.lease.seq, results=len(run.results))
        for task in (left := list(self._background)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("worker-coroutine-broke", error=repr(error), exc_info=error)
