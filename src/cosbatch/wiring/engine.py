"""The engine of a data folder: its processes, and what runs in this one."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from cosbatch.engine.credential_keeper import CredentialKeeper
from cosbatch.engine.finisher import Finisher, FinishTools
from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch, LockFiles
from cosbatch.engine.plan_preflight import PlanTools
from cosbatch.engine.planner import Planner
from cosbatch.engine.processes import ChildSpec, ParentLink, ProcessGroup, Supervisor
from cosbatch.engine.remover import Remover
from cosbatch.engine.scheduler import Scheduler
from cosbatch.engine.shares import Attendance, JobShares, RateShares, attending
from cosbatch.engine.task_run import TaskTools
from cosbatch.engine.webhook_sender import WebhookSender
from cosbatch.engine.worker import Worker
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.roles import JOB_CREDENTIALS
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import FailureCode, JobFailure, LedgerUnavailable
from cosbatch.model.identifiers import JobId, WorkerId, new_worker_id
from cosbatch.model.jobs import Job
from cosbatch.model.workers import WorkerProcess
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.service import JobService
from cosbatch.settings import Settings, variables_of_the_program
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.storage.http_memory import keep_large_blocks
from cosbatch.wiring.follow_up import own_spool
from cosbatch.wiring.logs import logging_to_folder
from cosbatch.wiring.service import desk_where_needed, job_service, own_cipher
from cosbatch.wiring.stores import SLOWEST_ANSWER, RegionStores, looking_again, open_stores
from cosbatch.wiring.webhooks import webhook_sender

log = structlog.get_logger(__name__)

PROGRESS_SECONDS = 0.5
LEDGER_PATIENCE_SECONDS = 60.0
WORKER, PLANNER, FINISHER = "worker", "planner", "finisher"


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
        retention_seconds=settings.retention_days * 86400,
        report_limit_seconds=settings.report_limit_hours * 3600,
        chunk_rows=settings.chunk_rows,
        min_free_spool_share=settings.min_free_spool_share,
    )


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
        process: EngineProcess,
        scheduler: Scheduler,
        group: ProcessGroup,
        parts: Sequence[asyncio.Task[None]],
        sender: WebhookSender | None = None,
        roles: RoleDesk | None = None,
    ) -> None:
        """``parts`` run in this process, beside the group's."""
        self.service = service
        self.roles = roles
        self.ledger = process.ledger
        self._process = process
        self._scheduler = scheduler
        self._group = group
        self._parts = parts
        self._sender = sender

    @property
    def stores(self) -> RegionStores:
        return self._process.stores

    async def load(self) -> EngineLoad:
        workers = await self.ledger.workers(seen_within_seconds=self._process.limits.share_seconds)
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
        without it the job would wait for ever. A ledger that does not answer for a minute ends it too; for less (a full
        disk, a busy machine), the engine waits as well."""
        unanswered = 0
        while True:
            for part in self._parts:
                if part.done():
                    part.result()
            try:
                job, load = await self.ledger.job(job_id), await self.load()
            except LedgerUnavailable as error:
                unanswered += 1
                log.warning("ledger-unavailable", error=str(error), in_a_row=unanswered)
                if unanswered * PROGRESS_SECONDS >= LEDGER_PATIENCE_SECONDS:
                    raise
            else:
                unanswered = 0
                if on_progress is not None:
                    on_progress(job, load)
                if until(job):
                    return job
            await asyncio.sleep(PROGRESS_SECONDS)

    # --- how it is

    async def until_broken(self) -> None:
        """Until a part ends, which it does by an error alone while the engine is open; raises that."""
        done, _ = await asyncio.wait(self._parts, return_when=asyncio.FIRST_COMPLETED)
        for part in done:
            part.result()

    @property
    def leases_expired(self) -> int:
        return self._scheduler.leases_expired

    @property
    def webhook_outcomes(self) -> Mapping[str, int]:
        """Messages that this process has tried to send to webhooks, by what came of them."""
        return {} if self._sender is None else self._sender.outcomes

    def parts(self) -> dict[str, bool]:
        """Part -> whether it runs. A process that has died is started again."""
        here = {part.get_name(): not part.done() for part in self._parts}
        running = self._group.pids()
        return here | {name: name in running for name in self._group.names}

    async def written_seconds_ago(self) -> float | None:
        """When the ledger took the last check-in of this process; None: not lately."""
        lately = self._process.limits.share_seconds
        seen = await self.ledger.workers(seen_within_seconds=lately)
        mine = next((worker for worker in seen if worker.process.id == self._process.id), None)
        return None if mine is None else max(self._process.clock.now() - mine.seen_at, 0.0)

    async def free_spool_share(self) -> float | None:
        return await self._process.spool.free_share()


def engine_supervisor(settings: Settings) -> Supervisor:
    """For :func:`open_engine`, begun before there is an event loop: that saves an import of the program. And before
    keys are read: what the program has read by then, its children have too."""
    return Supervisor.begin(without=variables_of_the_program(settings))


@asynccontextmanager
async def open_engine(
    settings: Settings,
    data_dir: Path,
    *,
    log_level: str = "info",
    supervisor: Supervisor | None = None,
    cipher: Cipher | None = None,
    deletes_allowed: bool = True,
) -> AsyncIterator[Engine]:
    """Planner and workers in processes of their own, scheduler and finisher in this one; drained on exit.

    ``cipher`` opens the secrets of roles. Without one, the data folder's own is used, where it has one or the settings
    have roles; else no job can have a role. ``deletes_allowed``: whether jobs may be made here that delete."""
    cipher = cipher or own_cipher(settings, data_dir)
    narrowed = cipher.narrowed(JOB_CREDENTIALS) if cipher else None
    children = _children(settings, data_dir, log_level, narrowed)
    group = ProcessGroup(children, supervisor=supervisor or engine_supervisor(settings))
    stop = asyncio.Event()
    async with _process(settings, data_dir, FINISHER, narrowed) as process:
        regions = process.stores.regions
        desk = desk_where_needed(settings, data_dir, process.ledger, cipher=cipher, regions=regions)
        finisher = _finisher(process)
        scheduler = _scheduler(process, LockFiles(data_dir / "processes"))
        async with attending(process.attendance()):
            group.start()
            running = [
                asyncio.create_task(group.watch(), name="supervisor"),
                asyncio.create_task(scheduler.run(stop), name="scheduler"),
                asyncio.create_task(finisher.run(stop), name="finisher"),
                asyncio.create_task(_remover(process).run(stop), name="remover"),
            ]
            if desk is not None and narrowed is not None:
                keeper = _keeper(process, desk, narrowed)
                running.append(asyncio.create_task(keeper.run(stop), name="credential-keeper"))
            sender = None
            if cipher is not None:
                sender = webhook_sender(settings, ledger=process.ledger.webhooks, cipher=cipher, clock=process.clock)
                running.append(asyncio.create_task(sender.run(stop), name="webhook-sender"))
            try:
                yield Engine(
                    sender=sender,
                    service=job_service(
                        settings, process.ledger, process.stores, desk=desk, deletes_allowed=deletes_allowed
                    ),
                    process=process,
                    scheduler=scheduler,
                    group=group,
                    parts=running,
                    roles=desk,
                )
            finally:
                stop.set()
                await group.drain()
                await asyncio.gather(*running, return_exceptions=True)


def _finisher(process: EngineProcess) -> Finisher:
    tools = FinishTools(
        ledger=process.ledger,
        spool=process.spool,
        stores=process.stores,
        limits=process.limits,
        clock=process.clock,
    )
    return Finisher(worker=process.id, tools=tools)


def _scheduler(process: EngineProcess, locks: LockFiles) -> Scheduler:
    limits = process.limits
    return Scheduler(
        ledger=process.ledger,
        clock=process.clock,
        limits=limits,
        watch=LeaseWatch(clock=process.clock, lease_seconds=limits.lease_seconds, liveness=locks),
        sweep=lambda named: locks.sweep(still_named=[process.id, *named]),
    )


def _remover(process: EngineProcess) -> Remover:
    return Remover(ledger=process.ledger, spool=process.spool, clock=process.clock, limits=process.limits)


def _keeper(process: EngineProcess, desk: RoleDesk, narrowed: Cipher) -> CredentialKeeper:
    return CredentialKeeper(
        ledger=process.ledger,
        roles=process.ledger.roles,
        preflights=process.ledger.preflights,
        assume=desk.assume,
        key_numbers=desk.key_numbers,
        cipher=narrowed,
        stores=process.stores,
        clock=process.clock,
        limits=process.limits,
    )


def _children(settings: Settings, data_dir: Path, log_level: str, narrowed: Cipher | None) -> list[ChildSpec]:
    """They learn what jobs act with, and nothing of the secrets that it is made with."""
    arguments = (settings.model_copy(update={"roles": [], "webhooks": {}}), data_dir, log_level, narrowed)
    workers = [
        ChildSpec(name=f"{WORKER}-{number}", entry=run_worker, arguments=arguments)
        for number in range(1, settings.workers + 1)
    ]
    return [ChildSpec(name=PLANNER, entry=run_planner, arguments=arguments), *workers]


async def run_planner(
    link: ParentLink, settings: Settings, data_dir: Path, log_level: str, narrowed: Cipher | None
) -> None:
    """A planner process, until it is told to drain."""
    with logging_to_folder(data_dir, level=log_level, log_format=settings.log_format):
        async with _process(settings, data_dir, PLANNER, narrowed) as process:
            tools = PlanTools(
                ledger=process.ledger,
                preflights=process.ledger.preflights,
                spool=process.spool,
                stores=process.stores,
                limits=process.limits,
                clock=process.clock,
            )
            async with attending(process.attendance()):
                await Planner(worker=process.id, tools=tools, clock=process.clock).run(link.stop)


async def run_worker(
    link: ParentLink, settings: Settings, data_dir: Path, log_level: str, narrowed: Cipher | None
) -> None:
    """A worker process, until it is told to drain."""
    with logging_to_folder(data_dir, level=log_level, log_format=settings.log_format):
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
class EngineProcess:
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
async def _process(
    settings: Settings, data_dir: Path, role: str, narrowed: Cipher | None
) -> AsyncIterator[EngineProcess]:
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

        try:
            async with (
                open_stores(
                    settings,
                    clock=clock,
                    waits_for_shares=True,
                    source_of=source_of,
                    kept=ledger.regions,
                ) as stores,
                looking_again(stores),
            ):
                yield EngineProcess(
                    id=worker,
                    role=role,
                    clock=clock,
                    limits=limits,
                    ledger=ledger,
                    spool=own_spool(data_dir),
                    stores=stores,
                    shares=RateShares(stores, clock=clock, limits=limits),
                )
        finally:
            await ledger.close()
