"""The whole engine in one event loop, in virtual time: real rooms on adapters in memory.

Planner, workers, scheduler and finisher run as they do in processes of their own, each with its own pacing. A kill
stops one at whatever await its code stands; nothing of it runs any more.
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
from functools import partial
from typing import Final, Protocol

from cosbatch.engine.finisher import Finisher, FinishTools
from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch, Liveness
from cosbatch.engine.plan_preflight import PlanTools
from cosbatch.engine.planner import Planner
from cosbatch.engine.scheduler import Scheduler
from cosbatch.engine.shares import Attendance, JobShares, RateShares, WorkShares
from cosbatch.engine.task_run import TaskTools
from cosbatch.engine.worker import Worker
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.memory_preflights import MemoryPreflights
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.role_port import CredentialTerms
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, JobId, ObjectKey, RegionName, WorkerId, new_job_id
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import CappedPlace, Provider, RateKind, Region, Versioning
from cosbatch.model.reports import ReportScope, ReportSpec
from cosbatch.model.states import FINAL, JobStatus
from cosbatch.model.workers import BucketLoad, WorkerProcess
from cosbatch.storage.byte_gate import ByteGate
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.pacing import BucketPacer, PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.spool import Spool
from tests.unit.storage.virtual_process import VirtualProcess

HERE = RegionName("here")
THERE = RegionName("there")
SOURCE = Bucket("source")
TARGET = Bucket("target")
CONTROL = Bucket("control")
"""Manifests and reports."""

CONNECTIONS: Final = 40
"""So few that a job takes a while."""
LIMITS = replace(
    EngineLimits(), lease_seconds=30.0, poll_seconds=0.5, request_timeout_seconds=60.0, report_retry_seconds=30.0
)


class RigStores:
    """The stores of one simulated process."""

    def __init__(
        self,
        stores: Mapping[RegionName, ObjectStore],
        *,
        clock: Clock,
        rng: random.Random,
        cap: float | None = None,
        byte_cap: float | None = None,
        connections: int = CONNECTIONS,
        source_of: Callable[[JobId], JobCredentialSource] | None = None,
        signed: Callable[[ObjectStore, JobCredentialSource], ObjectStore] | None = None,
    ) -> None:
        """``cap``, ``byte_cap``: requests and bytes a second of each bucket, of all processes together. ``signed``
        makes a store to which the source's credentials have to be shown."""
        self._stores = stores
        self._source_of = source_of
        self._signed = signed
        self._sources: dict[JobId, JobCredentialSource] = {}
        self._rng = rng
        self._cap = cap
        self._byte_cap = byte_cap
        self._boards = {
            name: PacerBoard(
                clock=clock,
                max_connections=connections,
                requests_per_second=None if cap is None else 0.0,
                bytes_per_second=None if byte_cap is None else 0.0,
            )
            for name in stores
        }

    async def look_again(self) -> None:
        """There are no others."""

    def region(self, name: RegionName) -> Region:
        """Each region is a store of its own, which cannot read from the other."""
        return Region(
            name=name, provider=Provider.S3, endpoint=f"http://{name}", profile="s3", signing_region="us-east-1"
        )

    def plain(self, name: RegionName, *, acting: JobId | None = None) -> ObjectStore:
        if acting is None or self._signed is None:
            return self._stores[name]
        return self._signed(self._stores[name], self._source(acting))

    async def may_act(self, acting: JobId | None) -> bool:
        return acting is None or self._source_of is None or await self._source(acting).are_there()

    async def terms(self, acting: JobId | None) -> CredentialTerms | None:
        return None if acting is None or self._source_of is None else await self._source(acting).terms()

    def leave(self, acting: JobId | None) -> None:
        if acting is not None:
            self._sources.pop(acting, None)

    def _source(self, acting: JobId) -> JobCredentialSource:
        assert self._source_of is not None
        if acting not in self._sources:
            self._sources[acting] = self._source_of(acting)
        return self._sources[acting]

    def open(
        self,
        name: RegionName,
        *,
        acting: JobId | None,
        permit: Callable[[], None],
        stop: StopSignal | None = None,
        cut: StopSignal | None = None,
        may_write: bool = True,
    ) -> PersistentStore:
        store, board = self.plain(name, acting=acting), self._boards[name]
        return PersistentStore(
            store, board, permit=permit, random=self._rng.random, stop=stop, cut=cut, may_write=may_write
        )

    def pace_of(self, name: RegionName, bucket: Bucket) -> BucketPacer:
        return self._boards[name].pacer(bucket)

    def byte_gate(self, name: RegionName, bucket: Bucket) -> ByteGate:
        gate = self._boards[name].byte_gate(bucket)
        assert gate is not None
        return gate

    @property
    def caps_requests(self) -> bool:
        return self._cap is not None

    def cap_of(self, name: RegionName, kind: RateKind) -> float | None:
        cap = self._cap if kind is RateKind.REQUESTS else self._byte_cap
        return cap if name in self._stores else None

    def wanting_rate(self, *, since: float) -> set[CappedPlace]:
        return {
            CappedPlace(name, bucket, kind)
            for name, board in self._boards.items()
            for kind in RateKind
            for bucket in board.wanting_rate(kind, since=since)
        }

    def set_rate(self, capped: CappedPlace, per_second: float, *, until: float) -> None:
        self._boards[capped.region].set_share(capped.bucket, capped.kind, per_second, until=until)

    def loads(self) -> tuple[BucketLoad, ...]:
        return tuple(
            BucketLoad(region=name, bucket=pacer.bucket, in_flight=pacer.in_flight, limit=pacer.limit)
            for name, board in self._boards.items()
            for pacer in board.asked()
        )

    def answers(self) -> int:
        return sum(board.answers for board in self._boards.values())

    def repeats(self) -> int:
        return 0

    async def close(self) -> None:
        """The memory store belongs to the rig."""


class Acting(Protocol):
    """Who signs for jobs that have a role."""

    def source(self, job_id: JobId, *, for_tasks: bool) -> JobCredentialSource: ...

    def signed(self, store: ObjectStore, source: JobCredentialSource) -> ObjectStore:
        """``store``, as whoever has the source's credentials sees it."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """The world as one process sees it."""

    store: ObjectStore
    ledger: JobLedger
    spool: Spool
    clock: Clock | None = None
    """None: the rig's."""
    there: ObjectStore | None = None
    """A second store, which cannot read from the first."""


@dataclass(slots=True)
class Running:
    """A part of the engine at work, in a process of its own."""

    name: WorkerId
    role: str
    process: VirtualProcess
    task: asyncio.Task[None]
    stop: asyncio.Event

    def kill(self) -> None:
        """As ``kill -9`` does: at once, and without a word."""
        self.process.kill()

    @property
    def is_over(self) -> bool:
        return self.process.is_dead or self.task.done()

    async def drain(self) -> None:
        self.stop.set()
        if not self.is_over:
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
        connections: int = CONNECTIONS,
        store_clock: Clock | None = None,
    ) -> None:
        """``connections``: of each worker to each bucket. ``store_clock``: None where the store has everybody's."""
        self.clock = clock
        self.cap = cap
        self.connections = connections
        self.limits = limits
        self.rng = random.Random(seed)
        self.store = MemoryStore(clock=store_clock or clock)
        self.store.create_bucket(SOURCE, versioning=source_versioning)
        self.store.create_bucket(TARGET, versioning=target_versioning)
        self.store.create_bucket(CONTROL)
        self.ledger: JobLedger = ledger or MemoryLedger(clock)
        self.preflights = MemoryPreflights(self.ledger)
        self.spool = MemorySpool()
        seen = wrap(self.store) if wrap else self.store
        self.view: Callable[[], View] = lambda: View(seen, self.ledger, self.spool)
        """What a new process sees of the world, asked inside it; a test may put something else in its place."""
        self.acting: Acting | None = None
        """Who signs for jobs that have a role; set before the processes start."""
        self.liveness: Liveness | None = None
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
        return self._run("planner", self._plan)

    def start_scheduler(self) -> Running:
        return self._run("scheduler", self._schedule)

    def start_finisher(self) -> Running:
        return self._run("finisher", self._finish)

    def start_worker(self) -> Running:
        return self._run("worker", self._work)

    async def _plan(self, name: WorkerId, stop: asyncio.Event) -> None:
        view = self.view()
        stores, clock = self._stores(view), view.clock or self.clock
        tools = PlanTools(
            ledger=view.ledger,
            preflights=self.preflights,
            spool=view.spool,
            stores=stores,
            limits=self.limits,
            clock=clock,
        )
        async with self._attending(name, stores, view):
            await Planner(worker=name, tools=tools, clock=clock).run(stop)

    async def _schedule(self, _: WorkerId, stop: asyncio.Event) -> None:
        view = self.view()
        clock, limits = view.clock or self.clock, self.limits
        watch = LeaseWatch(clock=clock, lease_seconds=limits.lease_seconds, liveness=self.liveness)
        await Scheduler(ledger=view.ledger, clock=clock, limits=limits, watch=watch).run(stop)

    async def _finish(self, name: WorkerId, stop: asyncio.Event) -> None:
        view = self.view()
        stores, clock = self._stores(view), view.clock or self.clock
        tools = FinishTools(ledger=view.ledger, spool=view.spool, stores=stores, limits=self.limits, clock=clock)
        async with self._attending(name, stores, view):
            await Finisher(worker=name, tools=tools).run(stop)

    async def _work(self, name: WorkerId, stop: asyncio.Event) -> None:
        view = self.view()
        stores, clock = self._stores(view, for_tasks=True), view.clock or self.clock
        tools = TaskTools(ledger=view.ledger, clock=clock, limits=self.limits, random=self.rng)
        async with self._attending(name, stores, view) as shares:
            await Worker(worker=name, tools=tools, spool=view.spool, stores=stores, shares=shares).run(stop)

    @asynccontextmanager
    async def _attending(self, name: WorkerId, stores: RigStores, view: View) -> AsyncIterator[WorkShares | None]:
        """The process's shares where there is a cap. Who is killed does not check out."""
        if self.cap is None:
            yield None
            return
        clock = view.clock or self.clock
        shares = RateShares(stores, clock=clock, limits=self.limits)
        attendance = Attendance(
            WorkerProcess(id=name, role=name.partition("-")[0], host="rig", pid=1),
            ledger=view.ledger,
            clock=clock,
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

    def _stores(self, view: View, *, for_tasks: bool = False) -> RigStores:
        stores = {HERE: view.store} | ({THERE: view.there} if view.there else {})
        source_of = None if self.acting is None else partial(self.acting.source, for_tasks=for_tasks)
        return RigStores(
            stores,
            clock=view.clock or self.clock,
            rng=self.rng,
            cap=self.cap,
            connections=self.connections,
            source_of=source_of,
            signed=None if self.acting is None else self.acting.signed,
        )

    def _run(self, role: str, begin: Begin) -> Running:
        self._count += 1
        name = WorkerId(f"{role}-{self._count}")
        process, stop = VirtualProcess(name), asyncio.Event()
        task = process.start(begin(name, stop), name=name)
        running = Running(name, role, process, task, stop)
        self.running.append(running)
        return running

    def is_dead(self, owner: WorkerId) -> bool:
        """What lock files would say (:class:`Liveness`)."""
        return not any(running.name == owner and not running.is_over for running in self.running)

    async def drain(self) -> None:
        await asyncio.gather(*(running.drain() for running in self.running))

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

    def inventory(
        self, rows: Iterable[Iterable[str]], *, schema: str, name: str = "inv", listed: int | None = None
    ) -> Manifest:
        """A COS inventory report with one data file; ``listed``: how many objects it says that it lists."""
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
        if listed is not None:
            index["listObjectCount"] = str(listed)
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

    async def submit(self, request: JobRequest, *, job_id: JobId | None = None) -> Job:
        job_id = job_id or new_job_id()
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

    def has_report(self, job: Job) -> bool:
        return f"reports/job-{job.id}/manifest.json" in self.store.current_objects(CONTROL)

    def _read(self, objects: Mapping[ObjectKey, StoredObject], key: str) -> bytes:
        return b"".join(objects[ObjectKey(key)].content.blocks())

    def copied(self) -> set[str]:
        return {str(key) for key in self.store.current_objects(TARGET)}
