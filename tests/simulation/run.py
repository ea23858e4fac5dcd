"""One run of the campaign: a service in virtual time, a job or two, and trouble from a seed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import FailureCode, IllegalMove
from cosbatch.model.identifiers import JobId, ObjectKey
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportState
from cosbatch.model.states import FINAL, Actor, JobStatus
from cosbatch.model.tasks import Then
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_objects import StoredUpload
from cosbatch.storage.profiles import PROFILES
from tests.contract.ledger_pair import open_pair
from tests.simulation.drawn import PART_BYTES, Filling, JobPlan, Plan, drawn_plan, inventory_rows, lies_about
from tests.simulation.drawn import SCHEMA as INVENTORY_SCHEMA
from tests.simulation.faults import REQUEST_TIMEOUT_SECONDS, SPELLS, Odds, SeededWeather, Spell
from tests.simulation.invariants import Audit, check_events, check_report_told, check_shown, require
from tests.simulation.retried import check_retry
from tests.simulation.rig import CONTROL, HERE, LIMITS, SOURCE, TARGET, THERE, Report, Rig, Running, View
from tests.simulation.wire import Call, Network, Observer, Port, Weather
from tests.simulation.witness import Case, Witness
from tests.unit.storage.virtual_process import CURRENT, VirtualProcess
from tests.unit.storage.virtual_time import VirtualClock

OWNER = b"the owner's own upload"
SEEDS_PER_PAIR = 20
"""One in so many runs has the SQL ledger beside the one in memory, and every answer of both is compared."""
SEEDS_PER_YOUNG_SOURCE = 4
"""In one of so many runs the objects are as young as the job, so that their dates prove nothing."""
RUN_LIMITS = replace(
    LIMITS, lease_seconds=10.0, first_chunks=3, first_chunk_rows=5, chunk_rows=20, slice_rows=30,
    poll_seconds=1.0, request_timeout_seconds=REQUEST_TIMEOUT_SECONDS, yield_seconds=15.0, settle_limit_seconds=60.0,
    checkpoint_seconds=10.0, hold_limit_seconds=7200.0, report_retry_seconds=10.0,
)  # fmt: skip
DRY_RUNS = 0.06
A_JUMP_SECONDS = 3600.0
LONGEST_SECONDS = 2 * 86_400.0
_ANNOUNCED = "(announced by"
_NOT_OURS = ObjectKey("not/ours")
_CONTROL_KEYS = ("reports/job-", "list", "urgent")


def source_versioning(plan: Plan) -> Versioning:
    has_versions = any(job is not None and job.has_versions for job in (plan.job, plan.second))
    return Versioning.ENABLED if has_versions else plan.versioning


def _tasks_ignored(job: Job) -> int:
    """Tasks that show the most ignored option."""
    return max(job.tally.ignored_options.values(), default=0)


@dataclass(slots=True)
class JumpingClock:
    """A wall clock that somebody sets; boottime does not know."""

    base: Clock
    offset: float = 0.0

    def now(self) -> float:
        return self.base.now() + self.offset

    def boottime(self) -> float:
        return self.base.boottime()


@dataclass(slots=True)
class Poison:
    """Kills each worker that sends a certain object."""

    plan: Plan

    def _is_it(self, call: Call) -> bool:
        job = self.plan.job
        is_write = call.writes and call.process.name.startswith("worker") and call.ref is not None
        return is_write and call.ref.key == job.target_of(self.plan.poison or "")  # type: ignore[union-attr]

    def sent(self, call: Call) -> None:
        if not self.plan.poison_is_applied and self._is_it(call):
            call.process.kill()

    def applied(self, call: Call, answer: Any) -> None:
        if self.plan.poison_is_applied and self._is_it(call):
            call.process.kill()


@dataclass(slots=True)
class LastWrite:
    """A worker dies with a write under way that arrives at the last moment, and the user cancels the job as soon as
    others have worked off a lost chunk. Who does not wait for what the dead have sent has sealed the report by then."""

    at: int
    """Which write of a worker it is, from 1."""
    dies: Callable[[VirtualProcess], None]
    cancel: Callable[[], None]
    outside: Context
    writes: int = 0
    has_cancelled: bool = False

    def sent(self, call: Call) -> None:
        if not (call.writes and call.process.name.startswith("worker")):
            return
        self.writes += 1
        if self.writes == self.at:
            loop = asyncio.get_running_loop()
            loop.call_later(0.001, self.dies, call.process, context=self.outside)

    def applied(self, call: Call, answer: Any) -> None:
        if self.has_cancelled or self.writes < self.at or call.name != "commit" or call.error is not None:
            return
        if call.options["then"] is Then.CLOSE and call.args[0].losses:
            self.has_cancelled = True
            self.cancel()


class Run:
    """One seed."""

    def __init__(
        self,
        seed: int,
        clock: VirtualClock,
        *,
        plan: Plan | None = None,
        weather: Weather | None = None,
        observers: Iterable[Observer] = (),
        broke: Sequence[str] = (),
    ) -> None:
        """``plan``: instead of a drawn one, and then nobody makes trouble. ``broke`` is where the engine's log tells of
        errors of its own."""
        self.broke = broke
        self.rng = Random(seed)
        self.clock = clock
        self.plan = plan or drawn_plan(self.rng)
        self.odds = Odds() if self.plan.is_calm else Odds.drawn(self.rng)
        self.seeded = SeededWeather(self.rng, clock, self.odds)
        self._acts = 0 if plan else self.rng.randint(0, 10)
        self.ledger_clock = JumpingClock(clock)
        self.process_clocks: list[JumpingClock] = []
        self.store_clock = JumpingClock(clock)
        self._source_age = 0.0 if seed % SEEDS_PER_YOUNG_SOURCE == 0 else 86_400.0
        limits = replace(RUN_LIMITS, report_limit_seconds=600.0) if self.plan.damages_a_part else RUN_LIMITS
        self.rig = Rig(
            clock, limits=limits, seed=seed, target_versioning=self.plan.versioning,
            source_versioning=source_versioning(self.plan), store_clock=self.store_clock,
            ledger=MemoryLedger(self.ledger_clock) if seed % SEEDS_PER_PAIR else open_pair(self.ledger_clock),
        )  # fmt: skip
        self.there = MemoryStore(clock=clock)
        self.there.create_bucket(TARGET, versioning=self.plan.versioning)
        self.stores = {HERE: self.rig.store, THERE: self.there}
        self.witness = Witness()
        self.network = Network(weather or self.seeded, [self.witness, *observers])
        if self.plan.poison is not None:
            self.network.observers.append(Poison(self.plan))
        own = Random(f"{seed} last write")  # so that no other draw depends on this one
        if plan is None and not self.plan.is_calm and own.random() < 0.1:
            self.network.observers.append(
                LastWrite(
                    at=own.randint(1, 12), dies=self._die_writing, cancel=self._cancel_soon,
                    outside=self.network.outside,
                )
            )  # fmt: skip
        self.is_dry_run = plan is None and Random(f"{seed} dry run").random() < DRY_RUNS
        self.rig.view = self._view
        self.rig.liveness = self.rig if self.plan.has_lock_files else None
        self.history: list[str] = []
        self._restarts = True
        self._cancelling: asyncio.Task[None] | None = None

    def _view(self) -> View:
        process = CURRENT.get()
        assert process is not None
        clock = JumpingClock(self.clock)
        self.process_clocks.append(clock)
        connect = partial(self.network.connect, process)
        here, there = (
            connect(Port.STORE, store, region=name, profile=PROFILES["s3"]) for name, store in self.stores.items()
        )
        ledger, spool = connect(Port.LEDGER, self.rig.ledger), connect(Port.SPOOL, self.rig.spool)
        return View(here, ledger, spool, clock=clock, there=there)

    # --- the run

    async def go(self) -> None:
        cases = [await self._submit(self.plan.job)]
        self.rig.store.put_now(TARGET, "not/ours", b"untouched")
        self.source = dict(self.rig.store.current_objects(SOURCE))
        if self.plan.ignored is not None:
            lies_about(self.stores[self.plan.job.region], self.plan.ignored)
        for _ in range(self.plan.workers):
            self.start("worker")
        for role in ("planner", "scheduler", "finisher"):
            self.start(role)
        trouble = asyncio.create_task(self._make_trouble(cases))
        while not await self._is_over(cases):
            require(not self.broke, f"the engine broke: {self.broke}")
            require(not trouble.done(), f"nobody makes trouble any more, or resumes a job: {trouble}")
            require(self.clock.boottime() < LONGEST_SECONDS, "the job does not end")
            await asyncio.sleep(5)
        trouble.cancel()
        await asyncio.gather(trouble, return_exceptions=True)
        await self._close()
        require(not self.broke, f"the engine broke: {self.broke}")
        for case in cases:
            await self._check(case)
        self._check_outside()

    async def _submit(self, plan: JobPlan) -> Case:
        self.store_clock.offset = -self._source_age
        rows = Filling(self.rig.store, plan, self.rng).rows()
        self.store_clock.offset = 0.0
        if plan.has_versions:
            manifest = self.rig.inventory(inventory_rows(rows), schema=INVENTORY_SCHEMA, name=plan.name)
        else:
            manifest = self.rig.csv_manifest([quote(row.key) for row in rows], name=f"{plan.name}.csv")
        request = self.rig.request(manifest, operation=plan.operation, priority=plan.priority)
        request = replace(
            request,
            part_copy_above_bytes=plan.part_copy_above_bytes,
            part_size_bytes=PART_BYTES,
            dry_run=self.is_dry_run,
        )
        job_id = JobId(str(uuid.UUID(int=plan.priority)))
        case = Case(plan, rows, await self.rig.submit(request, job_id=job_id))
        self.witness.expect(case)
        return case

    def start(self, role: str) -> None:
        starts: dict[str, Callable[[], Running]] = {
            "worker": self.rig.start_worker, "planner": self.rig.start_planner,
            "finisher": self.rig.start_finisher, "scheduler": self.rig.start_scheduler,
        }  # fmt: skip
        running = starts[role]()
        loop = asyncio.get_running_loop()

        def restart() -> None:
            if self._restarts:
                self._note(f"{running.name} is dead")
                loop.call_later(self.rng.choice([0.0, 1.0, 15.0]), self.start, role, context=self.network.outside)

        running.process.at_death.append(restart)

    async def _is_over(self, cases: list[Case]) -> bool:
        for case in cases:
            case.job = await self.rig.ledger.job(case.job.id)
        is_second_due = self.plan.second is not None and len(cases) == 1
        states = [case.job.status in FINAL and case.job.report_state is not ReportState.PENDING for case in cases]
        return all(states) and not is_second_due

    async def _close(self) -> None:
        """Everything calms down; every process drains, and leaves nothing behind."""
        self._restarts = False
        self.seeded.odds = Odds()
        self.seeded.spells.clear()
        for running in self.rig.running:
            running.process.go_on()
        async with asyncio.timeout(300):
            await self.rig.drain()
        held = await self.rig.ledger.held_leases()
        require(not [lease for lease in held if not self.rig.is_dead(lease.owner)], f"leases left: {held}")
        await asyncio.sleep(2 * REQUEST_TIMEOUT_SECONDS)

    # --- trouble

    async def _make_trouble(self, cases: list[Case]) -> None:
        """Something now and then; in the end everything gets well, so that every job can end."""
        acts: list[Callable[[list[Case]], Awaitable[None]]] = [self._act_as_user, self._drain]
        if not self.plan.is_calm:
            acts += [self._kill, self._kill, self._kill, self._freeze, self._spell, self._act_as_owner]
            acts += [self._jump] if self.plan.clocks_jump else []
        for act in [self.rng.choice(acts) for _ in range(self._acts)]:
            await asyncio.sleep(self.rng.choice([0.3, 1, 4, 20]) * self.rng.random())
            await act(cases)
            if self.plan.second is not None and len(cases) == 1 and self.rng.random() < 0.5:
                cases.append(await self._submit(self.plan.second))
        if self.plan.second is not None and len(cases) == 1:
            cases.append(await self._submit(self.plan.second))
        if self.plan.damages_a_part:
            await self._damage_a_part(cases)
        while True:
            await asyncio.sleep(60)
            await self._resume(cases)

    def _note(self, text: str) -> None:
        self.history.append(f"{self.clock.boottime():9.2f} {text}")

    def _living(self) -> Running | None:
        """Somebody, mostly a worker; None where all are dead at once, and not begun again yet."""
        living = [running for running in self.rig.running if not running.is_over]
        workers = [running for running in living if running.role == "worker"]
        among = workers if workers and self.rng.random() < 0.6 else living
        return self.rng.choice(among) if among else None

    async def _kill(self, _: list[Case]) -> None:
        if victim := self._living():
            victim.kill()

    async def _drain(self, _: list[Case]) -> None:
        if (victim := self._living()) is None:
            return
        self._note(f"drain {victim.name}")
        victim.stop.set()
        self.start(victim.role)

    async def _freeze(self, _: list[Case]) -> None:
        if (victim := self._living()) is None:
            return
        seconds = self.rng.choice([5, 15, 40, 40])
        self._note(f"stop {victim.name} for {seconds} s")
        victim.process.stop()
        asyncio.get_running_loop().call_later(seconds, victim.process.go_on)

    async def _spell(self, _: list[Case]) -> None:
        reason, seconds = self.rng.choice(SPELLS), self.rng.choice([3, 20, 300])
        self._note(f"{reason} for {seconds} s")
        now = self.clock.boottime()
        self.seeded.spells.append(Spell(now, now + seconds, reason))

    async def _jump(self, _: list[Case]) -> None:
        clock = self.rng.choice([self.ledger_clock, *self.process_clocks[-4:]])
        seconds = self.rng.choice([-1.0, 1.0, 1.0, 1.0]) * A_JUMP_SECONDS
        self._note(f"a clock jumps by {seconds:.0f} s: {'ledger' if clock is self.ledger_clock else 'process'}")
        # Never further off than the hour that the promise names.
        clock.offset = min(max(clock.offset + seconds, -A_JUMP_SECONDS), A_JUMP_SECONDS)

    def _die_writing(self, process: VirtualProcess) -> None:
        self._note(f"{process.name} dies with a write under way")
        self.seeded.stubborn.add(process)
        process.kill()

    def _cancel_soon(self) -> None:
        self._cancelling = asyncio.get_running_loop().create_task(self._cancel(), context=self.network.outside)

    async def _cancel(self) -> None:
        job_id = self.witness.cases[0].job.id
        try:
            await self.rig.ledger.move(
                job_id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough"
            )
            self._note("user: cancel")
        except IllegalMove:
            return

    async def _act_as_user(self, cases: list[Case]) -> None:
        job = self.rng.choice(cases).job
        to = self.rng.choice([JobStatus.PAUSING, JobStatus.PAUSING, JobStatus.CANCELLING, JobStatus.ACTIVE])
        try:
            await self.rig.ledger.move(
                job.id, expect=set(JobStatus), to=to, actor=Actor.USER, reason="as the user wishes",
                paused_by=PausedBy.USER if to is JobStatus.PAUSING else None,
            )  # fmt: skip
            self._note(f"user: {to}")
        except IllegalMove:
            return

    async def _resume(self, cases: list[Case]) -> None:
        for case in cases:
            try:
                await self.rig.ledger.move(
                    case.job.id, expect={JobStatus.PAUSED}, to=JobStatus.ACTIVE, actor=Actor.USER, reason="enough rest"
                )
                self._note("user: resume")
            except IllegalMove:
                continue

    async def _act_as_owner(self, cases: list[Case]) -> None:
        case = self.rng.choice(cases)
        key = case.plan.target_of(self.rng.choice(case.rows).key)
        self._note(f"owner writes {key}")
        case.touched_by_owner.add(key)
        self.stores[case.plan.region].put_now(case.plan.bucket, key, OWNER)

    async def _damage_a_part(self, cases: list[Case]) -> None:
        """As soon as there is one: a job that is paused before its first has to go on."""
        job = cases[0].job
        while not (names := sorted(await self.rig.ledger.part_names(job.id, first_seq=0, last_seq=999))):
            await asyncio.sleep(1)
            await self._resume(cases)
        name = self.rng.choice(names)
        self._note(f"{name} is damaged")
        content = await self.rig.spool.get(name)
        await self.rig.spool.delete(name)
        await self.rig.spool.put(name, content[:-1])

    # --- what came of it

    async def _check(self, case: Case) -> None:
        case.job = await self.rig.ledger.job(case.job.id)
        events = await self.rig.ledger.events(case.job.id)
        check_events(case.job, events)
        check_report_told(case.job, events)
        await check_shown(case.job, self.rig.ledger.lists)
        self._check_failure(case)
        if case.job.report_state is not ReportState.DELIVERED:
            require(self.plan.damages_a_part, f"no report: {case.job.status_reason}")
            require(not self.rig.has_report(case.job), "a report that is not delivered, and there")
            return
        report = self.rig.report(case.job)
        store = self.stores[case.plan.region]
        Audit(
            plan=self.plan, case=case, job=case.job, witness=self.witness, store=store, report=report,
            is_dry_run=self.is_dry_run, history=self.history,
        ).check()  # fmt: skip
        left = list(self._uploads_left(case, report))
        require(not left, f"uploads left: {left}")
        if not self.plan.damages_a_part:
            await check_retry(case.job, report, ledger=self.rig.ledger, spool=self.rig.spool)

    def _uploads_left(self, case: Case, report: Report) -> Iterator[StoredUpload]:
        """At the job's keys, and neither named in its summary nor begun by a dead process's late request. Where the
        store was not to be asked for the id, the announcement names the key."""
        entries: list[dict[str, object]] = report.summary["unfinished_uploads"]  # type: ignore[assignment]
        named = {entry["upload_id"] for entry in entries}
        announced = {
            (entry["bucket"], entry["key"]) for entry in entries if str(entry["upload_id"]).startswith(_ANNOUNCED)
        }
        late = {call.ref for call in self.witness.late("create_upload")}
        for region, store in self.stores.items():
            for one in store.open_uploads():
                is_known = one.upload_id in named or one.target[:2] in announced or one.target in late
                if (region, *one.target[:2]) in case.places and not is_known:
                    yield one

    def _check_failure(self, case: Case) -> None:
        job = case.job
        if job.status is not JobStatus.FAILED:
            require(
                job.status is not JobStatus.COMPLETE or self.plan.ignored is None or _tasks_ignored(job) < 2,
                "a lie kept",
            )
            return
        may_fail = {
            FailureCode.STORE_IGNORED_OPTION: self.plan.ignored is not None,
            FailureCode.REPORT_DELIVERY_FAILED: self.plan.damages_a_part,
        }
        is_explained = job.failure_code is not None and may_fail.get(job.failure_code, False)
        require(is_explained, f"failed without a reason: {job.failure_code} {job.failure_reason}")

    def _check_outside(self) -> None:
        require(not self.witness.violations, "\n".join(self.witness.violations[:5]))
        kept = self.rig.store.current_objects(TARGET)
        require(b"".join(kept[_NOT_OURS].content.blocks()) == b"untouched", "what is not ours was touched")
        if not any(case.plan.is_in_place for case in self.witness.cases):
            now = self.rig.store.current_objects(SOURCE)
            require({**now, **self.source} == now, "the source bucket was written")
        strange = [key for key in self.rig.store.current_objects(CONTROL) if not key.startswith(_CONTROL_KEYS)]
        require(not strange, f"strange objects beside the reports: {strange}")
