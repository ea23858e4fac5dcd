"""The whole engine in one event loop, in virtual time: real rooms on adapters in memory.

Planner, workers, scheduler and finisher run as they do in processes of their own, each with its own pacing; killing one
cancels its coroutines at whatever await they stand, and leaves everything else as it was.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
import random
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from cosbatch.engine.finisher import Finisher, FinishTools
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch
from cosbatch.engine.plan import PlanTools
from cosbatch.engine.planner import Planner
from cosbatch.engine.scheduler import Scheduler
from cosbatch.engine.shares import Attendance, JobShares, RateShares, WorkShares
from cosbatch.engine.task_run import TaskTools
from cosbatch.engine.worker import Worker
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, ObjectKey, RegionName, WorkerId, new_job_id
from cosbatch.model.jobs import Hold, Job, JobRequest
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Place, Provider, Region, Versioning
from cosbatch.model.reports import ReportScope, ReportSpec
from cosbatch.model.states import FINAL, JobStatus
from cosbatch.model.workers import BucketLoad, WorkerProcess
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.spool import Spool

HERE = RegionName("here")
SOURCE = Bucket("source")
TARGET = Bucket("target")
CONTROL = Bucket("control")
"""Manifests and reports."""

LIMITS = replace(
    EngineLimits(), lease_seconds=30.0, poll_seconds=0.5, request_timeout_seconds=60.0, report_retry_seconds=30.0
)


class RigStores:
    """The stores of one simulated process."""

    def __init__(self, store: ObjectStore, *, clock: Clock, rng: random.Random, cap: float | None = None) -> None:
        """``cap``: requests a second to each bucket, of all processes together."""
        self._store = store
        self._rng = rng
        self._cap = cap
        self.board = PacerBoard(clock=clock, requests_per_second=None if cap is None else 0.0)

    def region(self, name: RegionName) -> Region:
        return Region(
            name=name, provider=Provider.S3, endpoint="http://memory", profile="s3", signing_region="us-east-1"
        )

    def plain(self, name: RegionName) -> ObjectStore:
        return self._store

    def open(
        self,
        name: RegionName,
        *,
        permit: Callable[[], None],
        stop: StopSignal | None = None,
        cut: StopSignal | None = None,
    ) -> PersistentStore:
        return PersistentStore(self._store, self.board, permit=permit, random=self._rng.random, stop=stop, cut=cut)

    def limit_of(self, name: RegionName, bucket: Bucket) -> int:
        return self.board.pacer(bucket).limit

    def hold_of(self, name: RegionName, bucket: Bucket) -> Hold | None:
        return self.board.pacer(bucket).held

    @property
    def has_caps(self) -> bool:
        return self._cap is not None

    def cap_of(self, name: RegionName) -> float | None:
        return self._cap if name == HERE else None

    def wanting_rate(self, *, since: float) -> set[Place]:
        return {(HERE, bucket) for bucket in self.board.wanting_rate(since=since)}

    def set_rate(self, place: Place, requests_per_second: float, *, until: float) -> None:
        self.board.pacer(place[1]).set_rate(requests_per_second, until=until)

    def loads(self) -> tuple[BucketLoad, ...]:
        return tuple(
            BucketLoad(region=HERE, bucket=pacer.bucket, in_flight=pacer.in_flight, limit=pacer.limit)
            for pacer in self.board.asked()
        )

    def answers(self) -> int:
        return self.board.answers

    async def close(self) -> None:
        """The memory store belongs to the rig."""


@dataclass(frozen=True, slots=True)
class View:
    """The world as one process sees it."""

    store: ObjectStore
    ledger: JobLedger
    spool: Spool


@dataclass(slots=True)
class Running:
    """A part of the engine at work."""

    name: WorkerId
    task: asyncio.Task[None]
    stop: asyncio.Event

    def kill(self) -> None:
        """At once, at whatever it stands."""
        self.task.cancel()

    async def drain(self) -> None:
        self.stop.set()
        await self.task


Begin = Callable[[WorkerId, asyncio.Event], Coroutine[None, None, None]]


@dataclass(slots=True)
class Report:
    """A delivered report, as somebody else reads it."""

    manifest: dict[str, object]
    summary: dict[str, object]
    rows: list[list[str]]

    def by_status(self, status: str) -> list[list[str]]:
        return [row for row in self.rows if row[3] == status]


class Rig:
    """One job service in memory. ``wrap`` changes what the engine sees; the rig itself looks at the bare store."""

    def __init__(
        self,
        clock: Clock,
        *,
        limits: EngineLimits = LIMITS,
        seed: int = 0,
        target_versioning: Versioning = Versioning.NEVER,
        source_versioning: Versioning = Versioning.NEVER,
        wrap: Callable[[ObjectStore], ObjectStore] | None = None,
        ledger: JobLedger | None = None,
        cap: float | None = None,
    ) -> None:
        self.clock = clock
        self.cap = cap
        self.limits = limits
        self.rng = random.Random(seed)
        self.store = MemoryStore(clock=clock)
        self.store.create_bucket(SOURCE, versioning=source_versioning)
        self.store.create_bucket(TARGET, versioning=target_versioning)
        self.store.create_bucket(CONTROL)
        self.ledger: JobLedger = ledger or MemoryLedger(clock)
        self.spool = MemorySpool()
        seen = wrap(self.store) if wrap else self.store
        self.view: Callable[[], View] = lambda: View(seen, self.ledger, self.spool)
        """What a new process sees of the world; a test may put something else in its place."""
        self.running: list[Running] = []
        self._count = 0

    # --- parts of the engine

    def start(self, *, workers: int = 1) -> list[Running]:
        """A planner, a scheduler, a finisher and some workers; the workers are returned."""
        self.start_stewards()
        return [self.start_worker() for _ in range(workers)]

    def start_stewards(self) -> list[Running]:
        """A planner, a scheduler and a finisher."""
        return [self.start_planner(), self.start_scheduler(), self.start_finisher()]

    def start_planner(self) -> Running:
        view, limits, clock = self.view(), self.limits, self.clock
        stores = self._stores(view)
        tools = PlanTools(ledger=view.ledger, spool=view.spool, stores=stores, limits=limits)

        async def begin(name: WorkerId, stop: asyncio.Event) -> None:
            async with self._attending(name, stores, view):
                await Planner(worker=name, tools=tools, clock=clock).run(stop)

        return self._run("planner", begin)

    def start_scheduler(self) -> Running:
        watch = LeaseWatch(clock=self.clock, lease_seconds=self.limits.lease_seconds, liveness=None)
        scheduler = Scheduler(ledger=self.view().ledger, clock=self.clock, limits=self.limits, watch=watch)
        return self._run("scheduler", lambda _, stop: scheduler.run(stop))

    def start_finisher(self) -> Running:
        view, limits, clock = self.view(), self.limits, self.clock
        stores = self._stores(view)
        tools = FinishTools(ledger=view.ledger, spool=view.spool, stores=stores, limits=limits, clock=clock)

        async def begin(name: WorkerId, stop: asyncio.Event) -> None:
            async with self._attending(name, stores, view):
                await Finisher(worker=name, tools=tools).run(stop)

        return self._run("finisher", begin)

    def start_worker(self) -> Running:
        view = self.view()
        tools = TaskTools(ledger=view.ledger, clock=self.clock, limits=self.limits, random=self.rng)
        stores = self._stores(view)

        async def begin(name: WorkerId, stop: asyncio.Event) -> None:
            async with self._attending(name, stores, view) as shares:
                worker = Worker(worker=name, tools=tools, spool=view.spool, stores=stores, shares=shares)
                await worker.run(stop)

        return self._run("worker", begin)

    @asynccontextmanager
    async def _attending(self, name: WorkerId, stores: RigStores, view: View) -> AsyncIterator[WorkShares | None]:
        """The process's shares where there is a cap. Who is killed does not check out."""
        if self.cap is None:
            yield None
            return
        shares = RateShares(stores, clock=self.clock, limits=self.limits)
        attendance = Attendance(
            WorkerProcess(id=name, role=name.partition("-")[0], host="rig", pid=1),
            ledger=view.ledger,
            clock=self.clock,
            limits=self.limits,
            stores=stores,
            shares=shares,
        )
        stop = asyncio.Event()
        attending = asyncio.create_task(attendance.run(stop))
        try:
            yield JobShares(shares, ledger=view.ledger)
            stop.set()
            await attending
        finally:
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)

    def _stores(self, view: View) -> RigStores:
        return RigStores(view.store, clock=self.clock, rng=self.rng, cap=self.cap)

    def _run(self, role: str, begin: Begin) -> Running:
        self._count += 1
        name = WorkerId(f"{role}-{self._count}")
        stop = asyncio.Event()
        running = Running(name, asyncio.create_task(begin(name, stop), name=name), stop)
        self.running.append(running)
        return running

    async def drain(self) -> None:
        await asyncio.gather(*(running.drain() for running in self.running if not running.task.done()))

    # --- jobs

    def put_objects(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.store.put_now(SOURCE, key, f"content of {key}".encode())

    def csv_manifest(self, keys: Iterable[str], *, name: str = "list.csv") -> Manifest:
        """A plain CSV of the source bucket."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows((SOURCE, key) for key in keys)
        outcome = self.store.put_now(CONTROL, name, text.getvalue().encode())
        return Manifest(
            location=ManifestLocation(bucket=CONTROL, key=ObjectKey(name), etag=outcome.etag),
            spec=ManifestSpec(format=ManifestFormat.COS_CSV, fields=(ManifestField.BUCKET, ManifestField.KEY)),
        )

    def inventory(self, rows: Iterable[Iterable[str]], *, schema: str, name: str = "inv") -> Manifest:
        """A COS inventory report with one data file."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        packed = gzip.compress(text.getvalue().encode(), mtime=0)
        self.store.put_now(CONTROL, f"{name}/part.csv.gz", packed)
        index = {
            "sourceAppid": "", "sourceBucket": SOURCE, "destinationAppid": "", "destinationBucket": CONTROL,
            "fileFormat": "CSV", "fileSchema": schema,
            "files": [
                {
                    "key": f"{name}/part.csv.gz",
                    "size": str(len(packed)),
                    "md5Checksum": hashlib.md5(packed).hexdigest(),
                }
            ],
        }  # fmt: skip
        outcome = self.store.put_now(CONTROL, f"{name}/manifest.json", json.dumps(index).encode())
        return Manifest(
            location=ManifestLocation(bucket=CONTROL, key=ObjectKey(f"{name}/manifest.json"), etag=outcome.etag),
            spec=ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV),
        )

    def request(
        self,
        manifest: Manifest,
        *,
        operation: PutObjectCopy | None = None,
        priority: int = 10,
        scope: ReportScope = ReportScope.ALL_TASKS,
        confirmation_required: bool = False,
        failure_threshold: float | None = 0.5,
    ) -> JobRequest:
        return JobRequest(
            region=HERE,
            manifest=manifest,
            operation=operation or PutObjectCopy(target_bucket=TARGET),
            report=ReportSpec(enabled=True, bucket=CONTROL, prefix="reports", scope=scope),
            priority=priority,
            confirmation_required=confirmation_required,
            failure_threshold=failure_threshold,
        )

    async def submit(self, request: JobRequest) -> Job:
        job_id = new_job_id()
        return await self.ledger.create(request, job_id=job_id, account=LOCAL_ACCOUNT, token=job_id, digest=job_id)

    async def until(self, job: Job, statuses: Collection[JobStatus] = FINAL, *, within_seconds: float = 3600.0) -> Job:
        """The job as soon as it has one of the statuses."""
        return await self.when(job, lambda found: found.status in statuses, within_seconds=within_seconds)

    async def when(
        self,
        job: Job,
        holds: Callable[[Job], bool],
        *,
        within_seconds: float = 3600.0,
        every_seconds: float = 0.05,
    ) -> Job:
        """The job as soon as something is true of it."""
        ends = self.clock.boottime() + within_seconds
        while self.clock.boottime() < ends:
            found = await self.ledger.job(job.id)
            if holds(found):
                return found
            await asyncio.sleep(every_seconds)
        raise AssertionError(
            f"not in {within_seconds} s: the job is {found.status}, {found.status_reason}, {found.tally}"
        )

    # --- what came of it

    def report(self, job: Job) -> Report:
        objects = self.store.current_objects(CONTROL)
        folder = f"reports/job-{job.id}/"
        manifest = json.loads(self._read(objects, f"{folder}manifest.json"))
        rows: list[list[str]] = []
        for entry in manifest["Results"]:
            content = self._read(objects, entry["Key"])
            assert hashlib.md5(content).hexdigest() == entry["MD5Checksum"]
            rows += csv.reader(io.StringIO(content.decode(), newline=""))
        summary = json.loads(self._read(objects, f"{folder}summary.json"))
        return Report(manifest, summary, rows)

    def _read(self, objects: Mapping[ObjectKey, StoredObject], key: str) -> bytes:
        return b"".join(objects[ObjectKey(key)].content.blocks())

    def copied(self) -> set[str]:
        return {str(key) for key in self.store.current_objects(TARGET)}
