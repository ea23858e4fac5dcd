"""Settings -> objects: the only place that names concrete adapters."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from io import FileIO
from pathlib import Path

import structlog

from cosbatch.engine.credential_keeper import CredentialKeeper
from cosbatch.engine.finisher import Finisher, FinishTools
from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch, LockFiles
from cosbatch.engine.plan import PlanTools
from cosbatch.engine.planner import Planner
from cosbatch.engine.processes import ChildSpec, ParentLink, ProcessGroup
from cosbatch.engine.scheduler import Scheduler
from cosbatch.engine.shares import Attendance, JobShares, RateShares, attending
from cosbatch.engine.task_run import TaskTools
from cosbatch.engine.worker import Worker
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials, CredentialSource, RenewingCredentials, StaticCredentials
from cosbatch.identity.roles import JOB_CREDENTIALS
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.sqlite import DATABASE_FILE
from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import FailureCode, Fault, InvalidArgument, JobFailure
from cosbatch.model.identifiers import AccountId, Bucket, JobId, ObjectRef, RegionName, WorkerId, new_worker_id
from cosbatch.model.jobs import Hold, Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import RoleProvider
from cosbatch.model.regions import Place, Region
from cosbatch.model.workers import BucketLoad, WorkerProcess
from cosbatch.operations.job_access import manifest_access
from cosbatch.service.role_desk import DeclaredRole, ProviderOfRoles, RoleDesk
from cosbatch.service.service import JobService
from cosbatch.settings import Settings, declared_roles, read_credentials, region_table
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.http_memory import keep_large_blocks
from cosbatch.storage.http_proxy import ProxyRules, ProxyUnusable, read_proxy_rules
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.patience import LOOK_SECONDS, answered_within
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.probe import Probed, probe_store
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.s3_routes import Neighbour
from cosbatch.storage.signer import TemplateSigner
from cosbatch.storage.telling_why import bucket_region_or_cause, head_or_cause
from cosbatch.wiring.keys import key_ring, key_ring_file

PROGRESS_SECONDS = 0.5
SLOWEST_ANSWER = 5
"""An answer that comes bit by bit may take so many times as long as one that does not come at all."""
WORKER, PLANNER, FINISHER = "worker", "planner", "finisher"


# --- values from settings


def engine_limits(settings: Settings) -> EngineLimits:
    return EngineLimits(
        lease_seconds=settings.lease_seconds,
        share_seconds=min(EngineLimits().share_seconds, settings.lease_seconds),
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
        log_file = log_path.open("ab", buffering=0)
    except OSError as error:
        problem = f"cannot be written to: {error.strerror}"
        fault = Fault(
            path="--data", value=str(data_dir), problem=problem, way_out="name a folder that you may write to"
        )
        raise InvalidArgument("the data folder cannot be used", faults=[fault]) from error
    with log_file as file:
        lines = _LogLines(file)
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
            logger_factory=lambda *_: lines,
        )
        try:
            yield
        finally:
            structlog.reset_defaults()


class _LogLines:
    """What structlog writes to. A line that the disk refuses is lost: who tells of a full disk must not break off over
    it, for the work goes on when there is room again."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def msg(self, message: str) -> None:
        with suppress(OSError):
            self._file.write(f"{message}\n".encode(errors="backslashreplace"))

    debug = info = warning = error = critical = msg


# --- stores


class RegionStores:
    """The stores of one process: one client and one set of pacers for each region, made when it is first asked for."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        waits_for_shares: bool,
        proxies: ProxyRules,
        source_of: Callable[[JobId], JobCredentialSource] | None = None,
    ) -> None:
        """``waits_for_shares``: a bucket with a rate cap is asked only after :meth:`set_rate`; else this process has
        the whole of each cap. ``source_of``: what a job with a role signs with; without it none can be acted for."""
        self._settings = settings
        self._proxies = proxies
        self._clock = clock
        self._waits_for_shares = waits_for_shares
        self._regions = region_table(settings)
        self._stores: dict[RegionName, S3Store] = {}
        self._boards: dict[RegionName, PacerBoard] = {}
        self._clients: dict[RegionName, HttpClient] = {}
        """Also of regions to which another one's store redirects, whatever their credentials."""
        self._source_of = source_of
        self._sources: dict[JobId, JobCredentialSource] = {}
        self._acting: dict[JobId, dict[RegionName, S3Store]] = {}

    def region(self, name: RegionName) -> Region:
        try:
            return self._regions[name]
        except KeyError:
            raise JobFailure(
                FailureCode.INTERNAL_ERROR, f"the settings have no region {name!r} any more; put it back"
            ) from None

    def plain(self, name: RegionName, *, acting: JobId | None = None) -> S3Store:
        stores = self._stores if acting is None else self._acting.setdefault(acting, {})
        if name not in stores:
            source = self._credentials(name) if acting is None else self._source(acting)
            stores[name] = self.signed_by(source, self.region(name))
        return stores[name]

    def signed_by(self, source: CredentialSource, region: Region) -> S3Store:
        """A region's store over the same connections, whoever signs."""
        return self._make(region, source)

    async def may_act(self, acting: JobId | None) -> bool:
        return acting is None or await self._source(acting).are_there()

    def leave(self, acting: JobId | None) -> None:
        if acting is not None:
            self._acting.pop(acting, None)
            self._sources.pop(acting, None)

    def _source(self, acting: JobId) -> JobCredentialSource:
        if self._source_of is None:
            raise JobFailure(
                FailureCode.ASSUME_ROLE_FAILED,
                "the program that runs the job has no key to open the credentials of its role",
            )
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
    ) -> PersistentStore:
        return PersistentStore(
            self.plain(name, acting=acting),
            self._board(name),
            permit=permit,
            random=random.random,
            stop=stop,
            cut=cut,
        )

    def limit_of(self, name: RegionName, bucket: Bucket) -> int:
        return self._board(name).pacer(bucket).limit

    def hold_of(self, name: RegionName, bucket: Bucket) -> Hold | None:
        return self._board(name).pacer(bucket).held

    # --- rates

    @property
    def has_caps(self) -> bool:
        return any(region.requests_per_second is not None for region in self._regions.values())

    def cap_of(self, name: RegionName) -> float | None:
        return self._regions[name].requests_per_second if name in self._regions else None

    def wanting_rate(self, *, since: float) -> set[Place]:
        return {
            (name, bucket)
            for name, board in self._boards.items()
            if self.cap_of(name) is not None
            for bucket in board.wanting_rate(since=since)
        }

    def set_rate(self, place: Place, requests_per_second: float, *, until: float) -> None:
        name, bucket = place
        self._board(name).pacer(bucket).set_rate(requests_per_second, until=until)

    def loads(self) -> tuple[BucketLoad, ...]:
        return tuple(
            BucketLoad(region=name, bucket=pacer.bucket, in_flight=pacer.in_flight, limit=pacer.limit)
            for name, board in self._boards.items()
            for pacer in board.asked()
        )

    def answers(self) -> int:
        return sum(board.answers for board in self._boards.values())

    async def close(self) -> None:
        await asyncio.gather(*[client.close() for client in self._clients.values()])

    def _board(self, name: RegionName) -> PacerBoard:
        if name not in self._boards:
            region = self.region(name)
            has_to_wait = self._waits_for_shares and region.requests_per_second is not None
            self._boards[name] = PacerBoard(
                clock=self._clock,
                max_connections=region.max_connections,
                requests_per_second=0.0 if has_to_wait else region.requests_per_second,
            )
        return self._boards[name]

    def _make(self, region: Region, source: CredentialSource) -> S3Store:
        return S3Store(
            region=region,
            credentials=source,
            client=self._client(region),
            signer=TemplateSigner(region=region.signing_region, clock=self._clock),
            profile=profile_of(region),
            clock=self._clock,
            neighbours=[
                Neighbour(other, partial(self._client, other))
                for other in self._regions.values()
                if other.name != region.name
            ],
        )

    def _credentials(self, name: RegionName) -> RenewingCredentials:
        """Read again when a store calls them expired: whoever renews them writes them where they were read."""

        async def read_again() -> Credentials:
            return read_credentials(self._settings, name)

        return RenewingCredentials(read_credentials(self._settings, name), fetch=read_again, clock=self._clock)

    def _client(self, region: Region) -> HttpClient:
        if region.name not in self._clients:
            self._clients[region.name] = self._new_client(region)
        return self._clients[region.name]

    def _new_client(self, region: Region) -> HttpClient:
        settings = self._settings
        try:
            return HttpClient(
                region.endpoint,
                ca_file=region.ca_file,
                timeouts=Timeouts(
                    connect_seconds=settings.connect_timeout_seconds,
                    answer_seconds=settings.request_timeout_seconds,
                    total_seconds=settings.request_timeout_seconds * SLOWEST_ANSWER,
                ),
                max_connections=region.max_connections,
                clock=self._clock,
                proxies=self._proxies,
            )
        except ProxyUnusable as error:
            way_out = f"name an http:// proxy, or the host of {region.endpoint} in NO_PROXY"
            fault = Fault(path="the environment", value="", problem=str(error), way_out=way_out)
            raise InvalidArgument(f"region {region.name} cannot be reached", faults=[fault]) from None


@asynccontextmanager
async def opened_stores(
    settings: Settings,
    *,
    clock: Clock,
    waits_for_shares: bool = False,
    source_of: Callable[[JobId], JobCredentialSource] | None = None,
) -> AsyncIterator[RegionStores]:
    proxies = read_proxy_rules(os.environ)
    stores = RegionStores(
        settings, clock=clock, waits_for_shares=waits_for_shares, proxies=proxies, source_of=source_of
    )
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
    async with opened_stores(settings, clock=clock) as stores:
        ledger = await open_sqlite_ledger(data_dir)
        try:
            yield _service(settings, ledger, stores, desk=_desk(settings, data_dir, ledger))
        finally:
            await ledger.close()


def _service(settings: Settings, ledger: JobLedger, stores: RegionStores, *, desk: RoleDesk | None) -> JobService:
    async def look(manifest: Manifest, *, region: RegionName) -> str:
        # The bare store: a person waits, and wants the refusal rather than a long hold.
        meta = await head_or_cause(stores.plain(region), _ref_of(manifest))
        return meta.etag

    roles = None if desk is None else _DeskRoles(desk, stores)
    return JobService(ledger, regions=region_table(settings), look=look, roles=roles)


# --- roles


def _desk(settings: Settings, data_dir: Path, ledger: SqlLedger, *, cipher: Cipher | None = None) -> RoleDesk | None:
    """None where there can be no role."""
    cipher = cipher or _own_cipher(settings, data_dir)
    return None if cipher is None else role_desk(settings, ledger, cipher=cipher)


def _own_cipher(settings: Settings, data_dir: Path) -> Cipher | None:
    """Of a folder whose ledger may have sealed roles, or for roles of the settings; else none is made."""
    file = key_ring_file(settings, data_dir)
    if not settings.roles and file is not None and not file.exists():
        return None
    return Cipher(key_ring(settings, data_dir, may_make=True))


def role_desk(settings: Settings, ledger: SqlLedger, *, cipher: Cipher) -> RoleDesk:
    declared = [DeclaredRole(role=role, key=key) for role, key in declared_roles(settings)]
    provider = partial(_provider_of_roles, settings)
    return RoleDesk(ledger.roles, cipher=cipher, declared=declared, provider=provider)


class _DeskRoles:
    """What making a job asks about its role."""

    def __init__(self, desk: RoleDesk, stores: RegionStores) -> None:
        self._desk = desk
        self._stores = stores

    async def is_known(self, arn: str, *, account: AccountId) -> bool:
        return await self._desk.is_known(arn, account=account)

    async def look(self, manifest: Manifest, *, region: RegionName, account: AccountId, role_arn: str) -> str:
        accesses = [manifest_access(manifest, region=region)]
        assumed = await self._desk.assume(role_arn, account=account, session_name="cosbatch-look", accesses=accesses)
        store = self._stores.signed_by(StaticCredentials(assumed.credentials), self._stores.region(region))
        return (await head_or_cause(store, _ref_of(manifest))).etag


def _provider_of_roles(settings: Settings, kind: RoleProvider) -> ProviderOfRoles:
    """Their libraries are heavy: only who assumes a role pays for them."""
    if kind is RoleProvider.TENCENT_STS:
        from cosbatch.identity.sts_tencent import TencentRoles

        return TencentRoles()
    from cosbatch.identity.sts_aws import AwsRoles

    ca_files = {region.endpoint: region.ca_file for region in settings.regions.values() if region.ca_file}
    return AwsRoles(ca_files=ca_files)


def _ref_of(manifest: Manifest) -> ObjectRef:
    location = manifest.location
    return ObjectRef(location.bucket, location.key, location.version_id)


def _always() -> None:
    """The permit of requests that belong to no lease."""


@asynccontextmanager
async def borrowed_store(settings: Settings, region: RegionName) -> AsyncIterator[PersistentStore]:
    """A region's store for a while, with retries and pacing."""
    async with opened_stores(settings, clock=SystemClock()) as stores:
        yield stores.open(region, acting=None, permit=_always)


async def inspect(
    settings: Settings, region: RegionName, manifest: Manifest, *, guess_format: bool = False
) -> Inspection:
    """What a manifest looks like, from its first rows."""
    async with opened_stores(settings, clock=SystemClock()) as stores:
        return await inspect_manifest(manifest, stores.plain(region), guess_format=guess_format)


async def probe(settings: Settings, region: RegionName, bucket: Bucket, prefix: str) -> Probed:
    """What a store does with each option, beside what its region's profile says."""
    async with opened_stores(settings, clock=SystemClock()) as stores:
        async with answered_within(LOOK_SECONDS, store=f"the store of region {region}", target=f"HEAD {bucket}"):
            await bucket_region_or_cause(stores.plain(region), bucket)
        found = await probe_store(stores.plain(region), bucket, prefix=prefix)
        return Probed(found, stores.plain(region).profile)


# --- the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLoad:
    """What the processes on the ledger send at present, all programs together, as they last told."""

    in_flight: int
    limit: int


class Engine:
    """A running engine and the service beside it."""

    def __init__(
        self,
        *,
        service: JobService,
        ledger: JobLedger,
        group: ProcessGroup,
        parts: Sequence[asyncio.Task[None]],
        limits: EngineLimits,
    ) -> None:
        """``parts`` run in this process, beside the group's."""
        self.service = service
        self._ledger = ledger
        self._group = group
        self._parts = parts
        self._limits = limits

    async def load(self) -> EngineLoad:
        workers = await self._ledger.workers(seen_within_seconds=self._limits.share_seconds)
        buckets = [bucket for worker in workers for bucket in worker.metrics.buckets]
        return EngineLoad(
            in_flight=sum(bucket.in_flight for bucket in buckets), limit=sum(bucket.limit for bucket in buckets)
        )

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
                on_progress(job, await self.load())
            if until(job):
                return job
            await asyncio.sleep(PROGRESS_SECONDS)

    def kill(self) -> None:
        """Ends the engine's processes at once; what was under way is settled by the next engine."""
        self._group.kill()


@asynccontextmanager
async def open_engine(
    settings: Settings, data_dir: Path, *, log_level: str = "info", cipher: Cipher | None = None
) -> AsyncIterator[Engine]:
    """Planner and workers in processes of their own, scheduler and finisher in this one; drained on exit.

    ``cipher`` opens the secrets of roles. Without one, the data folder's own is used, where it has one or the settings
    have roles; else no job can have a role."""
    cipher = cipher or _own_cipher(settings, data_dir)
    narrowed = cipher.narrowed(JOB_CREDENTIALS) if cipher else None
    group = ProcessGroup(_children(settings, data_dir, log_level, narrowed))
    stop = asyncio.Event()
    async with _process(settings, data_dir, FINISHER, narrowed) as process:
        desk = _desk(settings, data_dir, process.ledger, cipher=cipher)
        tools = FinishTools(
            ledger=process.ledger,
            spool=process.spool,
            stores=process.stores,
            limits=process.limits,
            clock=process.clock,
        )
        finisher = Finisher(worker=process.id, tools=tools)
        scheduler = _scheduler(process, LockFiles(data_dir / "processes"))
        async with attending(process.attendance()):
            running = [asyncio.create_task(scheduler.run(stop)), asyncio.create_task(finisher.run(stop))]
            if desk is not None and narrowed is not None:
                running.append(asyncio.create_task(_keeper(process, desk, narrowed).run(stop)))
            group.start()
            try:
                yield Engine(
                    service=_service(settings, process.ledger, process.stores, desk=desk),
                    ledger=process.ledger,
                    group=group,
                    parts=running,
                    limits=process.limits,
                )
            finally:
                stop.set()
                await group.drain()
                await asyncio.gather(*running, return_exceptions=True)


def _scheduler(process: _Process, locks: LockFiles) -> Scheduler:
    limits = process.limits
    return Scheduler(
        ledger=process.ledger,
        clock=process.clock,
        limits=limits,
        watch=LeaseWatch(clock=process.clock, lease_seconds=limits.lease_seconds, liveness=locks),
        sweep=lambda named: locks.sweep(still_named=[process.id, *named]),
    )


def _keeper(process: _Process, desk: RoleDesk, narrowed: Cipher) -> CredentialKeeper:
    return CredentialKeeper(
        ledger=process.ledger,
        roles=process.ledger.roles,
        assume=desk.assume,
        cipher=narrowed,
        stores=process.stores,
        clock=process.clock,
        limits=process.limits,
    )


def _children(settings: Settings, data_dir: Path, log_level: str, narrowed: Cipher | None) -> list[ChildSpec]:
    """They learn what jobs act with, and nothing of the secrets that it is made with."""
    arguments = (settings.model_copy(update={"roles": []}), data_dir, log_level, narrowed)
    workers = [
        ChildSpec(name=f"{WORKER}-{number}", entry=run_worker, arguments=arguments)
        for number in range(1, settings.workers + 1)
    ]
    return [ChildSpec(name=PLANNER, entry=run_planner, arguments=arguments), *workers]


async def run_planner(
    link: ParentLink, settings: Settings, data_dir: Path, log_level: str, narrowed: Cipher | None
) -> None:
    """A planner process, until it is told to drain."""
    with logging_to_folder(data_dir, level=log_level):
        async with _process(settings, data_dir, PLANNER, narrowed) as process:
            tools = PlanTools(ledger=process.ledger, spool=process.spool, stores=process.stores, limits=process.limits)
            async with attending(process.attendance()):
                await Planner(worker=process.id, tools=tools, clock=process.clock).run(link.stop)


async def run_worker(
    link: ParentLink, settings: Settings, data_dir: Path, log_level: str, narrowed: Cipher | None
) -> None:
    """A worker process, until it is told to drain."""
    with logging_to_folder(data_dir, level=log_level):
        async with _process(settings, data_dir, WORKER, narrowed) as process:
            tools = TaskTools(
                ledger=process.ledger,
                clock=process.clock,
                limits=process.limits,
                random=random.Random(),  # noqa: S311  # for jitter
            )
            shares = JobShares(process.shares, ledger=process.ledger)
            worker = Worker(worker=process.id, tools=tools, spool=process.spool, stores=process.stores, shares=shares)
            async with attending(process.attendance(lambda: worker.chunks_held)):
                await worker.run(link.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """What every process of the engine has."""

    id: WorkerId
    role: str
    clock: Clock
    limits: EngineLimits
    ledger: SqlLedger
    spool: FolderSpool
    stores: RegionStores
    shares: RateShares

    def attendance(self, chunks_held: Callable[[], int] = lambda: 0) -> Attendance:
        return Attendance(
            WorkerProcess(id=self.id, role=self.role, host=socket.gethostname(), pid=os.getpid()),
            ledger=self.ledger,
            clock=self.clock,
            limits=self.limits,
            stores=self.stores,
            shares=self.shares,
            chunks_held=chunks_held,
        )


@asynccontextmanager
async def _process(settings: Settings, data_dir: Path, role: str, narrowed: Cipher | None) -> AsyncIterator[_Process]:
    """Its lock file is free as soon as it is gone. ``narrowed`` opens what jobs with a role act with."""
    keep_large_blocks()
    worker, clock, limits = new_worker_id(role), SystemClock(), engine_limits(settings)
    with LockFiles(data_dir / "processes").hold(worker):
        ledger = await open_sqlite_ledger(data_dir)

        def source_of(job_id: JobId) -> JobCredentialSource:
            if narrowed is None:
                raise JobFailure(FailureCode.ASSUME_ROLE_FAILED, "this program was started without a key for roles")
            return JobCredentialSource(
                job_id, roles=ledger.roles, cipher=narrowed, clock=clock, for_tasks=role == WORKER
            )

        async with opened_stores(settings, clock=clock, waits_for_shares=True, source_of=source_of) as stores:
            try:
                yield _Process(
                    id=worker,
                    role=role,
                    clock=clock,
                    limits=limits,
                    ledger=ledger,
                    spool=FolderSpool(data_dir / "spool"),
                    stores=stores,
                    shares=RateShares(stores, clock=clock, limits=limits),
                )
            finally:
                await ledger.close()
