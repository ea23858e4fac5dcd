"""Settings -> objects: the only place that names concrete adapters."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from cosbatch.engine.finisher import Finisher, FinishTools
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch, LockFiles
from cosbatch.engine.plan import PlanTools
from cosbatch.engine.planner import Planner
from cosbatch.engine.processes import ChildSpec, ParentLink, ProcessGroup
from cosbatch.engine.scheduler import Scheduler
from cosbatch.engine.task_run import TaskTools
from cosbatch.engine.worker import Worker
from cosbatch.identity.credentials import StaticCredentials
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.ledger.sqlite import DATABASE_FILE
from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import FailureCode, Fault, InvalidArgument, JobFailure
from cosbatch.model.identifiers import Bucket, JobId, ObjectRef, RegionName, WorkerId, new_worker_id
from cosbatch.model.jobs import Hold, Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.regions import Region
from cosbatch.service.service import JobService
from cosbatch.settings import Settings, read_credentials, region_table
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.patience import LOOK_SECONDS, answered_within
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.probe import Probed, probe_store
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.signer import TemplateSigner
from cosbatch.storage.telling_why import bucket_region_or_cause, head_or_cause

PROGRESS_SECONDS = 0.5
SLOWEST_ANSWER = 5
"""An answer that comes bit by bit may take so many times as long as one that does not come at all."""
STEWARD_RATE_SHARE = 0.05
"""Of a bucket's rate cap for the planner, and for the finisher; the workers have the rest in equal parts."""


# --- values from settings


def engine_limits(settings: Settings) -> EngineLimits:
    return EngineLimits(
        lease_seconds=settings.lease_seconds,
        poll_seconds=settings.poll_seconds,
        request_timeout_seconds=settings.request_timeout_seconds * SLOWEST_ANSWER,
        yield_seconds=settings.request_timeout_seconds,
        drain_seconds=2 * settings.request_timeout_seconds + settings.lease_seconds,
        checkpoint_seconds=settings.checkpoint_seconds,
        hold_limit_seconds=settings.hold_limit_seconds,
        settle_limit_seconds=settings.settle_limit_seconds,
        suspended_expiry_seconds=settings.suspended_expiry_days * 86400,
        report_limit_seconds=settings.report_limit_hours * 3600,
        chunk_rows=settings.chunk_rows,
        min_free_spool_share=settings.min_free_spool_share,
    )


def profile_of(region: Region) -> CapabilityProfile:
    overrides = {Option(option): Support(support) for option, support in region.profile_overrides}
    profile = PROFILES[region.profile].with_overrides(overrides)
    return replace(profile, storage_classes=frozenset(region.storage_classes)) if region.storage_classes else profile


# --- logs


@contextmanager
def logging_to_folder(data_dir: Path, *, level: str) -> Iterator[None]:
    """One JSON object a line into ``cosbatch.log`` in the data folder; the screen is for people. For this process,
    while the context is open; processes append whole lines. InvalidArgument where the folder cannot be used."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        log_path = data_dir / "cosbatch.log"
        log_path.touch(mode=0o600)  # keys are in it, and the folder may be open to others
        log_file = log_path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        problem = f"cannot be written to: {error.strerror}"
        fault = Fault(
            path="--data", value=str(data_dir), problem=problem, way_out="name a folder that you may write to"
        )
        raise InvalidArgument("the data folder cannot be used", faults=[fault]) from error
    with log_file as file:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
            logger_factory=structlog.WriteLoggerFactory(file=file),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()


# --- stores


@dataclass(frozen=True, slots=True)
class _OpenRegion:
    store: S3Store
    board: PacerBoard


class RegionStores:
    """The stores of one process: one client and one set of pacers for each region, made when it is first asked for."""

    def __init__(self, settings: Settings, *, clock: Clock, rate_share: float) -> None:
        """``rate_share`` is this process's part of each bucket's rate cap."""
        self._settings = settings
        self._clock = clock
        self._rate_share = rate_share
        self._regions = region_table(settings)
        self._open: dict[RegionName, _OpenRegion] = {}

    def region(self, name: RegionName) -> Region:
        try:
            return self._regions[name]
        except KeyError:
            raise JobFailure(
                FailureCode.INTERNAL_ERROR, f"the settings have no region {name!r} any more; put it back"
            ) from None

    def plain(self, name: RegionName) -> S3Store:
        return self._opened(name).store

    def open(
        self,
        name: RegionName,
        *,
        permit: Callable[[], None],
        stop: StopSignal | None = None,
        cut: StopSignal | None = None,
    ) -> PersistentStore:
        opened = self._opened(name)
        return PersistentStore(opened.store, opened.board, permit=permit, random=random.random, stop=stop, cut=cut)

    def limit_of(self, name: RegionName, bucket: Bucket) -> int:
        return self._opened(name).board.pacer(bucket).limit

    def hold_of(self, name: RegionName, bucket: Bucket) -> Hold | None:
        return self._opened(name).board.pacer(bucket).held

    def in_flight(self) -> int:
        return sum(opened.board.in_flight for opened in self._open.values())

    async def close(self) -> None:
        for opened in self._open.values():
            await opened.store.close()

    def _opened(self, name: RegionName) -> _OpenRegion:
        if name not in self._open:
            self._open[name] = self._make(self.region(name))
        return self._open[name]

    def _make(self, region: Region) -> _OpenRegion:
        settings = self._settings
        client = HttpClient(
            region.endpoint,
            ca_file=region.ca_file,
            timeouts=Timeouts(
                connect_seconds=settings.connect_timeout_seconds,
                answer_seconds=settings.request_timeout_seconds,
                total_seconds=settings.request_timeout_seconds * SLOWEST_ANSWER,
            ),
            max_connections=region.max_connections,
            clock=self._clock,
        )
        store = S3Store(
            region=region,
            credentials=StaticCredentials(read_credentials(settings, region.name)),
            client=client,
            signer=TemplateSigner(region=region.signing_region, clock=self._clock),
            profile=profile_of(region),
            clock=self._clock,
        )
        rate = region.requests_per_second
        board = PacerBoard(
            clock=self._clock,
            max_connections=region.max_connections,
            requests_per_second=rate * self._rate_share if rate else None,
        )
        return _OpenRegion(store, board)


@asynccontextmanager
async def _stores(settings: Settings, *, clock: Clock, rate_share: float = 1.0) -> AsyncIterator[RegionStores]:
    stores = RegionStores(settings, clock=clock, rate_share=rate_share)
    try:
        yield stores
    finally:
        await stores.close()


# --- the service alone


def has_jobs(data_dir: Path) -> bool:
    """False where no job was ever made in the folder. Looking must not make one."""
    try:
        return (data_dir / DATABASE_FILE).exists()
    except OSError:
        return True  # opening it tells what is wrong


@asynccontextmanager
async def open_service(settings: Settings, data_dir: Path) -> AsyncIterator[JobService]:
    """Ledger and verbs, without an engine: what another process of the same data folder does is seen and steered."""
    clock = SystemClock()
    async with _stores(settings, clock=clock) as stores:
        ledger = await open_sqlite_ledger(data_dir)
        try:
            yield _service(settings, ledger, stores)
        finally:
            await ledger.close()


def _service(settings: Settings, ledger: JobLedger, stores: RegionStores) -> JobService:
    async def look(manifest: Manifest, *, region: RegionName) -> str:
        # The bare store: a person waits, and wants the refusal rather than a long hold.
        meta = await head_or_cause(stores.plain(region), _ref_of(manifest))
        return meta.etag

    return JobService(ledger, regions=region_table(settings), look=look)


def _ref_of(manifest: Manifest) -> ObjectRef:
    location = manifest.location
    return ObjectRef(location.bucket, location.key, location.version_id)


def _always() -> None:
    """The permit of requests that belong to no lease."""


@asynccontextmanager
async def borrowed_store(settings: Settings, region: RegionName) -> AsyncIterator[PersistentStore]:
    """A region's store for a while, with retries and pacing."""
    async with _stores(settings, clock=SystemClock()) as stores:
        yield stores.open(region, permit=_always)


async def inspect(
    settings: Settings, region: RegionName, manifest: Manifest, *, guess_format: bool = False
) -> Inspection:
    """What a manifest looks like, from its first rows."""
    async with _stores(settings, clock=SystemClock()) as stores:
        return await inspect_manifest(manifest, stores.plain(region), guess_format=guess_format)


async def probe(settings: Settings, region: RegionName, bucket: Bucket, prefix: str) -> Probed:
    """What a store does with each option, beside what its region's profile says."""
    async with _stores(settings, clock=SystemClock()) as stores:
        async with answered_within(LOOK_SECONDS, store=f"the store of region {region}", target=f"HEAD {bucket}"):
            await bucket_region_or_cause(stores.plain(region), bucket)
        found = await probe_store(stores.plain(region), bucket, prefix=prefix)
        return Probed(found, stores.plain(region).profile)


# --- the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLoad:
    """What the engine's processes are about."""

    in_flight: int


class Engine:
    """A running engine and the service beside it."""

    def __init__(
        self, *, service: JobService, ledger: JobLedger, group: ProcessGroup, parts: Sequence[asyncio.Task[None]]
    ) -> None:
        """``parts`` run in this process, beside the group's."""
        self.service = service
        self._ledger = ledger
        self._group = group
        self._parts = parts

    def load(self) -> EngineLoad:
        return EngineLoad(in_flight=self._group.in_flight())

    def pids(self) -> dict[str, int]:
        return self._group.pids()

    async def wait_for(
        self,
        job_id: JobId,
        *,
        until: Callable[[Job], bool],
        on_progress: Callable[[Job, EngineLoad], None] | None = None,
    ) -> Job:
        """The job as soon as ``until`` is true of it, looked at twice a second. Raises what ended a part of the engine:
        without it the job would wait for ever."""
        while True:
            for part in self._parts:
                if part.done():
                    part.result()
            job = await self._ledger.job(job_id)
            if on_progress is not None:
                on_progress(job, self.load())
            if until(job):
                return job
            await asyncio.sleep(PROGRESS_SECONDS)

    def kill(self) -> None:
        """Ends the engine's processes at once; what was under way is settled by the next engine."""
        self._group.kill()


@asynccontextmanager
async def open_engine(settings: Settings, data_dir: Path, *, log_level: str = "info") -> AsyncIterator[Engine]:
    """Planner and workers in processes of their own, scheduler and finisher in this one; drained on exit."""
    clock = SystemClock()
    limits = engine_limits(settings)
    locks = LockFiles(data_dir / "processes")
    me = new_worker_id("finisher")
    descriptor = locks.hold(me)
    group = ProcessGroup(_children(settings, data_dir, log_level))
    stop = asyncio.Event()
    async with _stores(settings, clock=clock, rate_share=STEWARD_RATE_SHARE) as stores:
        ledger = await open_sqlite_ledger(data_dir)
        spool = FolderSpool(data_dir / "spool")
        watch = LeaseWatch(clock=clock, lease_seconds=limits.lease_seconds, liveness=locks)
        scheduler = Scheduler(
            ledger=ledger,
            clock=clock,
            limits=limits,
            watch=watch,
            sweep=lambda named: locks.sweep(still_named=[me, *named]),
        )
        finisher = Finisher(
            worker=me,
            tools=FinishTools(ledger=ledger, spool=spool, stores=stores, limits=limits, clock=clock),
        )
        running = [asyncio.create_task(scheduler.run(stop)), asyncio.create_task(finisher.run(stop))]
        group.start()
        try:
            yield Engine(service=_service(settings, ledger, stores), ledger=ledger, group=group, parts=running)
        finally:
            stop.set()
            await group.drain()
            await asyncio.gather(*running, return_exceptions=True)
            await ledger.close()
            descriptor.close()


def _children(settings: Settings, data_dir: Path, log_level: str) -> list[ChildSpec]:
    arguments = (settings, data_dir, log_level)
    workers = [
        ChildSpec(name=f"worker-{number}", entry=run_worker, arguments=arguments)
        for number in range(1, settings.workers + 1)
    ]
    return [ChildSpec(name="planner", entry=run_planner, arguments=arguments), *workers]


async def run_planner(link: ParentLink, settings: Settings, data_dir: Path, log_level: str) -> None:
    """A planner process, until it is told to drain."""
    async with _process(settings, data_dir, "planner", log_level) as process:
        tools = PlanTools(
            ledger=process.ledger, spool=process.spool, stores=process.stores, limits=engine_limits(settings)
        )
        await Planner(worker=process.id, tools=tools, clock=process.clock).run(link.stop)


async def run_worker(link: ParentLink, settings: Settings, data_dir: Path, log_level: str) -> None:
    """A worker process, until it is told to drain."""
    async with _process(settings, data_dir, "worker", log_level) as process:
        tools = TaskTools(
            ledger=process.ledger,
            clock=process.clock,
            limits=engine_limits(settings),
            random=random.Random(),  # noqa: S311  # for jitter
        )
        worker = Worker(worker=process.id, tools=tools, spool=process.spool, stores=process.stores)
        telling = asyncio.create_task(link.tell_load(lambda: worker.load().in_flight))
        try:
            await worker.run(link.stop)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    id: WorkerId
    clock: Clock
    ledger: JobLedger
    spool: FolderSpool
    stores: RegionStores


def _rate_share(role: str, settings: Settings) -> float:
    return (1 - 2 * STEWARD_RATE_SHARE) / settings.workers if role == "worker" else STEWARD_RATE_SHARE


@asynccontextmanager
async def _process(settings: Settings, data_dir: Path, role: str, log_level: str) -> AsyncIterator[_Process]:
    """What every child process has; its lock file is free as soon as it is gone."""
    worker = new_worker_id(role)
    with logging_to_folder(data_dir, level=log_level), LockFiles(data_dir / "processes").hold(worker):
        clock = SystemClock()
        ledger = await open_sqlite_ledger(data_dir)
        async with _stores(settings, clock=clock, rate_share=_rate_share(role, settings)) as stores:
            try:
                spool = FolderSpool(data_dir / "spool")
                yield _Process(id=worker, clock=clock, ledger=ledger, spool=spool, stores=stores)
            finally:
                await ledger.close()
