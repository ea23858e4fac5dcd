"""The whole engine under faults drawn from a seed, and the invariants that must hold after every run.

python -m tests.simulation.campaign 100         100 fresh seeds, printed
python -m tests.simulation.campaign SEED=123    that run once more, exactly
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import unquote

import structlog

from cosbatch.model.errors import IllegalMove
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.operations import CannedAcl, Directive, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportState
from cosbatch.model.states import FINAL, MOVES, Actor, JobStatus
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.port import ObjectMetadata, PutOptions
from tests.contract.ledger_pair import open_pair
from tests.simulation.faults import Freezer, Odds, Outage, faulty_ledger, faulty_spool, faulty_store
from tests.simulation.rig import LIMITS, SOURCE, TARGET, Report, Rig, Running, View
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

NOT_KNOWN = frozenset({"OutcomeUnknown", "WorkerLost"})
OWNER = b"the owner's own upload"
SEEDS_PER_PAIR = 20
"""One in so many runs has the SQL ledger beside the one in memory, and every answer of both is compared."""


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(slots=True)
class Plan:
    """What one seed means."""

    rng: Random
    keys: list[str]
    missing: set[str]
    operation: PutObjectCopy
    versioning: Versioning
    workers: int
    part_copy_above_bytes: int


def drawn_plan(seed: int) -> Plan:
    rng = Random(seed)
    count = rng.choice([1, 7, 40, 120])
    keys = [f"{rng.choice(['a', 'b', 'é'])}/{number:03d}" for number in range(count)]
    missing = {key for key in keys if rng.random() < 0.05}
    return Plan(
        rng=rng,
        keys=keys,
        missing=missing,
        operation=drawn_operation(rng),
        versioning=rng.choice(list(Versioning)),
        workers=rng.randint(1, 3),
        part_copy_above_bytes=rng.choice([5 * 2**30, 5 * 2**30, 8 * 2**20]),
    )


def drawn_operation(rng: Random) -> PutObjectCopy:
    target = rng.choice([TARGET, TARGET, TARGET, SOURCE])
    copy = PutObjectCopy(target_bucket=target)
    if rng.random() < 0.3:
        added = NewObjectMetadata(user_metadata=(("moved", "1"),))
        directive = rng.choice([Directive.ADD, Directive.REPLACED])
        copy = replace(copy, metadata_directive=directive, new_object_metadata=added)
    if rng.random() < 0.3:
        directive = rng.choice([Directive.ADD, Directive.REPLACED])
        copy = replace(copy, tagging_directive=directive, new_object_tagging=(Tag(key="tier", value="cold"),))
    if rng.random() < 0.2:
        copy = replace(
            copy, access_control_directive=Directive.REPLACED, canned_access_control_list=CannedAcl.PUBLIC_READ
        )
    if rng.random() < 0.4 or target == SOURCE:
        copy = replace(copy, storage_class="STANDARD_IA")
    if target == TARGET and rng.random() < 0.3:
        copy = replace(copy, prefix_replace=True, resources_prefix="", target_key_prefix="copy/")
    return copy


class Campaign:
    """One run."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.plan = drawn_plan(seed)
        self.rng = self.plan.rng
        self.clock = clock
        self.odds = Odds.drawn(self.rng)
        self.outage = Outage()
        self.freezers: list[Freezer] = []
        limits = replace(
            LIMITS, lease_seconds=10.0, first_chunks=3, first_chunk_rows=5, chunk_rows=20, slice_rows=30,
            poll_seconds=1.0, hold_limit_seconds=7200.0, yield_seconds=30.0, settle_limit_seconds=120.0,
        )  # fmt: skip
        self.rig = Rig(
            clock, limits=limits, seed=seed, target_versioning=self.plan.versioning,
            source_versioning=self.plan.versioning,
            ledger=None if seed % SEEDS_PER_PAIR else open_pair(clock),
        )  # fmt: skip
        self.rig.view = self._view
        self.touched_by_owner: set[str] = set()
        self.history: list[str] = []

    def _view(self) -> View:
        freezer = Freezer()
        self.freezers.append(freezer)
        store = faulty_store(
            self.rig.store, odds=self.odds, outage=self.outage, rng=self.rng, clock=self.clock, freezer=freezer
        )
        ledger = faulty_ledger(self.rig.ledger, odds=self.odds, rng=self.rng, clock=self.clock, freezer=freezer)
        return View(store, ledger, faulty_spool(self.rig.spool, odds=self.odds, rng=self.rng))

    # --- the run

    async def run(self) -> Job:
        self._fill()
        request = self.rig.request(self.rig.csv_manifest(self.plan.keys), operation=self.plan.operation)
        request = replace(request, part_copy_above_bytes=self.plan.part_copy_above_bytes, part_size_bytes=5 * 2**20)
        self.before = dict(self.rig.store.current_objects(SOURCE))
        job = await self.rig.submit(request)
        self.rig.start(workers=self.plan.workers)
        trouble = asyncio.create_task(self._make_trouble(job))
        done = await self.rig.when(job, self._is_over, within_seconds=5 * 86400, every_seconds=5.0)
        trouble.cancel()
        await asyncio.gather(trouble, return_exceptions=True)
        await self._calm_down()
        return done

    def _is_over(self, job: Job) -> bool:
        return job.status in FINAL and job.report_state is not ReportState.PENDING

    def _fill(self) -> None:
        for key in self.plan.keys:
            if key not in self.plan.missing:
                options = PutOptions(
                    metadata=ObjectMetadata(content_type="text/plain", user={"from": "source"}),
                    tags=(Tag(key="old", value="1"),),
                )
                if self.rng.random() < 0.1:
                    self.rig.store.put_sized(SOURCE, key, 12 * 2**20, options=options)
                else:
                    self.rig.store.put_now(SOURCE, key, f"content of {key}".encode(), options=options)
        self.rig.store.put_now(TARGET, "not/ours", b"untouched")

    async def _calm_down(self) -> None:
        self.odds = Odds()
        for freezer in self.freezers:
            freezer.until = 0.0
        for running in self.rig.running:
            running.kill()
        await asyncio.gather(*(running.task for running in self.rig.running), return_exceptions=True)

    async def _make_trouble(self, job: Job) -> None:
        """Something now and then; in the end everything gets well, so that every job can end."""
        acts = [self._kill, self._kill, self._freeze, self._outage, self._act_as_user, self._act_as_owner, self._drain]
        for _ in range(self.rng.randint(0, 12)):
            await asyncio.sleep(self.rng.choice([0.3, 2, 5, 30]) * self.rng.random())
            await self.rng.choice(acts)(job)
        await asyncio.sleep(600)
        await self._resume(job)

    def _note(self, text: str) -> None:
        self.history.append(f"{self.clock.boottime():9.1f} {text}")

    async def _kill(self, _: Job) -> None:
        victim = self.rng.choice(self.rig.running)
        self._note(f"kill {victim.name}")
        victim.kill()
        await asyncio.gather(victim.task, return_exceptions=True)
        self._replace(victim)

    async def _drain(self, _: Job) -> None:
        victim = self.rng.choice(self.rig.running)
        self._note(f"drain {victim.name}")
        victim.stop.set()
        self._replace(victim)

    def _replace(self, victim: Running) -> None:
        self.rig.running.remove(victim)
        starts = {
            "worker": self.rig.start_worker, "planner": self.rig.start_planner,
            "finisher": self.rig.start_finisher, "scheduler": self.rig.start_scheduler,
        }  # fmt: skip
        starts[victim.name.split("-")[0]]()

    async def _freeze(self, _: Job) -> None:
        freezer = self.rng.choice(self.freezers)
        seconds = self.rng.choice([5, 15, 40])
        self._note(f"freeze for {seconds} s")
        freezer.until = self.clock.boottime() + seconds

    async def _outage(self, _: Job) -> None:
        seconds = self.rng.choice([3, 60, 900])
        self._note(f"outage of {seconds} s")
        self.outage.windows.append((self.clock.boottime(), self.clock.boottime() + seconds))

    async def _act_as_user(self, job: Job) -> None:
        to = self.rng.choice([JobStatus.PAUSING, JobStatus.PAUSING, JobStatus.CANCELLING, JobStatus.ACTIVE])
        try:
            await self.rig.ledger.move(
                job.id, expect=set(JobStatus), to=to, actor=Actor.USER, reason="as the user wishes",
                paused_by=PausedBy.USER if to is JobStatus.PAUSING else None,
            )  # fmt: skip
            self._note(f"user: {to}")
        except IllegalMove:
            return

    async def _resume(self, job: Job) -> None:
        try:
            await self.rig.ledger.move(
                job.id, expect={JobStatus.PAUSED}, to=JobStatus.ACTIVE, actor=Actor.USER, reason="enough rest"
            )
            self._note("user: resume")
        except IllegalMove:
            pass
        await asyncio.sleep(300)
        await self._resume(job)

    async def _act_as_owner(self, _: Job) -> None:
        key = self._target_key(self.rng.choice(self.plan.keys))
        self._note(f"owner writes {key}")
        self.touched_by_owner.add(key)
        self.rig.store.put_now(self.plan.operation.target_bucket, key, OWNER)

    # --- the invariants

    def _target_key(self, key: str) -> str:
        return self.plan.operation.target_key_prefix + key

    async def check(self, job: Job) -> None:
        report = self.rig.report(job)
        self._check_rows(job, report)
        self._check_bucket(report)
        await self._check_history(job)
        self._check_uploads(report)

    def _check_rows(self, job: Job, report: Report) -> None:
        """Every row once: in the report, or never attempted."""
        reported = Counter(row[1] for row in report.rows)
        twice = [key for key, count in reported.items() if count > 1]
        require(not twice, f"reported twice: {twice}")
        ranges = report.summary["not_attempted_ranges"]
        assert isinstance(ranges, list)
        left = {
            self.plan.keys[number]
            for first, end in ranges
            for number in range(first, len(self.plan.keys) if end is None else end)
        }
        names = {decoded(key) for key in reported}
        require(not names & left, f"reported and not attempted: {names & left}")
        require(names | left == set(self.plan.keys), f"lost rows: {set(self.plan.keys) - names - left}")
        if job.status is JobStatus.COMPLETE:
            require(not left, f"complete, and not attempted: {left}")
        counts = Counter(row[3] for row in report.rows)
        require(
            (counts["succeeded"], counts["failed"]) == (job.tally.succeeded, job.tally.failed),
            f"counters {job.tally.succeeded}, {job.tally.failed} but rows {counts}",
        )
        nameless = [row for row in report.rows if row[3] == "failed" and not (row[4] and row[6])]
        require(not nameless, f"failed without a code or cause: {nameless}")
        if job.status is not JobStatus.FAILED:
            for key in left:
                self._require_untouched(key)

    def _require_untouched(self, key: str) -> None:
        target = self.plan.operation.target_bucket
        name = self._target_key(key)
        if target == SOURCE or name in self.touched_by_owner:
            return
        require(ObjectKey(name) not in self.rig.store.current_objects(target), f"not attempted, but there: {key}")

    def _check_bucket(self, report: Report) -> None:
        target = self.plan.operation.target_bucket
        objects = self.rig.store.current_objects(target)
        for row in report.rows:
            key = decoded(row[1])
            name = self._target_key(key)
            if name in self.touched_by_owner:
                continue
            found = objects.get(ObjectKey(name))
            if row[3] == "succeeded":
                require(key not in self.plan.missing, f"{key} never was, and succeeded")
                self._check_object(key, found)
            elif row[4] not in NOT_KNOWN and target == TARGET:
                require(found is None, f"{key} is reported {row[4]}, but there")
        for name in objects.keys() - {self._target_key(key) for key in self.plan.keys} - {"not/ours"}:
            raise Broken(f"{name} was never in the manifest")

    def _check_object(self, key: str, found: StoredObject | None) -> None:
        copy = self.plan.operation
        source = self.before[ObjectKey(key)]
        if found is None:
            raise Broken(f"{key} succeeded, but is not there")
        require(found.size_bytes == source.size_bytes, f"{key} has another size")
        if source.size_bytes < 2**20:
            require(found.content == source.content, f"{key} has another content")
        user = dict(found.metadata.user or {})
        wanted = {} if copy.metadata_directive is Directive.REPLACED else {"from": "source"}
        wanted |= dict(copy.new_object_metadata.user_metadata)
        require(user == wanted, f"{key} has the metadata {user} instead of {wanted}")
        tags = {tag.key: tag.value for tag in found.tags}
        expected = {} if copy.tagging_directive is Directive.REPLACED else {"old": "1"}
        expected |= {tag.key: tag.value for tag in copy.new_object_tagging}
        require(tags == expected, f"{key} has the tags {tags} instead of {expected}")
        if copy.storage_class:
            require(found.storage_class == copy.storage_class, f"{key} has the class {found.storage_class}")

    async def _check_history(self, job: Job) -> None:
        status = JobStatus.NEW
        for event in await self.rig.ledger.events(job.id):
            if event.kind != "moved" and event.status is status:
                continue
            require(event.status in MOVES[status], f"moved from {status} to {event.status}")
            require(event.actor in MOVES[status][event.status], f"{event.actor} moved it to {event.status}")
            status = event.status
        require(status is job.status, f"events end in {status}, the job in {job.status}")

    def _check_uploads(self, report: Report) -> None:
        named = {str(entry["upload_id"]) for entry in report.summary["unfinished_uploads"]}  # type: ignore[attr-defined]
        left = {upload.upload_id for upload in self.rig.store.open_uploads()} - named
        require(not left, f"uploads left: {left}")


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


def decoded(key: str) -> str:
    return unquote(key)


def run_seed(seed: int) -> Job:
    """One run with all checks; Broken tells the seed and what happened."""

    async def scenario(clock: VirtualClock) -> Job:
        campaign = Campaign(seed, clock)
        try:
            job = await campaign.run()
            await campaign.check(job)
        except Exception as error:
            story = "\n".join(campaign.history[-40:])
            raise Broken(f"seed {seed}: {error}\n{campaign.plan.operation}\n{campaign.odds}\n{story}") from error
        return job

    return run_virtually(scenario)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    arguments = sys.argv[1:] or ["100"]
    if arguments[0].startswith("SEED="):
        print(run_seed(int(arguments[0].removeprefix("SEED="))).status)
        return
    began, ends, broken = time.monotonic(), Counter[str](), 0
    for _ in range(int(arguments[0])):
        seed = int.from_bytes(os.urandom(6))
        try:
            ends[run_seed(seed).status] += 1
        except Exception as error:
            broken += 1
            print(f"BROKEN {error}", flush=True)
    seconds = time.monotonic() - began
    print(f"{sum(ends.values())} runs hold, {broken} broken, {seconds:.0f} s: {dict(ends)}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
