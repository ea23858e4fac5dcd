"""The whole of what the command line reaches, in memory: a ledger, the service, and an engine that takes one step each
time it is looked at. Run as a program it is ``cosbatch`` on top of that."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from cosbatch import wiring
from cosbatch.cli.invocation import Surroundings
from cosbatch.cli.wiring_port import Load
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import Duty, JobLedger
from cosbatch.manifests.inspect import Inspection
from cosbatch.manifests.sample import Remark, SampleRow, VersionCounts
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode, Fault, JobFailure, StorageError
from cosbatch.model.identifiers import AccountId, Bucket, JobId, ObjectKey, RegionName, WorkerId
from cosbatch.model.jobs import Hold, Job, JobRequest, PlanFindings
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestRow
from cosbatch.model.regions import Provider, Region, Versioning
from cosbatch.model.reports import CodeTally, Part, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus, is_final
from cosbatch.model.tasks import NewChunk, Then
from cosbatch.service.estimates import Estimates
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.people_names import check_account
from cosbatch.service.report_downloads import ReportDownloads
from cosbatch.service.service import JobService
from cosbatch.settings import LogFormat, Settings, region_table
from cosbatch.settings.prices import price_table
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.probe import Finding, OptionFinding, Probed, ProbeReport
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option
from cosbatch.wiring import logging_to_folder

WORKER = WorkerId("engine-1")
HOLD = Hold(bucket="logs-125", reason="connection refused", since=1_754_103_600)
FIRST_KEY = ObjectKey("raw/a b.txt")


class TickingClock:
    """A second goes by each time that anybody looks."""

    def __init__(self) -> None:
        self._seconds = itertools.count(1_754_103_600)

    def now(self) -> float:
        return float(next(self._seconds))

    def boottime(self) -> float:
        return float(next(self._seconds))


@dataclass(frozen=True, slots=True)
class SteadyLoad:
    in_flight: int = 7
    limit: int = 32


@dataclass
class Script:
    """What is to happen to jobs."""

    tasks: int = 4
    failed: int = 0
    fails_in_planning: FailureCode | None = None
    stays_in: JobStatus | None = None
    drain_lasts: bool = False
    holds_in: JobStatus | None = None
    """For one step."""
    report_waits: bool = False
    """The first try to deliver a report fails."""
    next_try: str = "delivers"
    """Of a report that waits: ``delivers``, ``is held``, or ``never ends``."""
    service_hangs: bool = False
    confirmed_by_another: bool = False
    """Right after the job was seen to wait for it."""


@dataclass
class MemoryEngine:
    service: JobService
    ledger: JobLedger
    script: Script
    steps: dict[JobStatus, Callable[[Job], object]] = field(init=False)

    async def wait_for(
        self, job_id: JobId, *, until: Callable[[Job], bool], on_progress: Callable[[Job, Load], None]
    ) -> Job:
        while True:
            job = await self.ledger.job(job_id)
            on_progress(job, SteadyLoad())
            if until(job):
                await self._confirm_beside(job)
                return job
            if job.status is self.script.stays_in:
                await asyncio.Event().wait()
            await self._step(job)

    async def _confirm_beside(self, job: Job) -> None:
        if self.script.confirmed_by_another and job.status is JobStatus.SUSPENDED:
            await self.ledger.move(
                job.id, expect=[job.status], to=JobStatus.READY, actor=Actor.USER, reason="in another terminal"
            )

    async def _step(self, job: Job) -> None:
        if job.status is self.script.holds_in:
            await self.ledger.set_hold(job.id, None if job.hold else HOLD)
            self.script.holds_in = None if job.hold else job.status
            return
        match job.status:
            case JobStatus.CANCELLED | JobStatus.FAILED:
                await self._try_again(job)
            case JobStatus.NEW | JobStatus.PREPARING:
                await self._plan(job)
            case JobStatus.READY:
                await self._move(job, JobStatus.ACTIVE)
            case JobStatus.ACTIVE:
                await self._work(job)
            case JobStatus.PAUSING:
                await self._move(job, JobStatus.PAUSED)
            case JobStatus.COMPLETING:
                await self._seal(job, JobStatus.COMPLETE)
            case JobStatus.CANCELLING:
                await self._seal(job, JobStatus.CANCELLED)
            case JobStatus.FAILING:
                await self._seal(job, JobStatus.FAILED)
            case _:
                raise AssertionError(f"nobody would end the wait for a job that is {job.status}")

    async def _move(self, job: Job, to: JobStatus, *, failure: FailureCode | None = None) -> None:
        await self.ledger.move(
            job.id, expect=[job.status], to=to, actor=Actor.ENGINE, reason="by script", failure=failure
        )

    async def _plan(self, job: Job) -> None:
        lease = await self.ledger.claim_job(WORKER, job_id=job.id, duty=Duty.PLAN, lease_seconds=30)
        assert lease is not None
        if self.script.fails_in_planning:
            await self.ledger.release_job(lease)
            await self._move(await self.ledger.job(job.id), JobStatus.FAILING, failure=self.script.fails_in_planning)
            return
        chunk = NewChunk(seq=0, first_task=0, task_count=self.script.tasks, spool_name=f"{job.id}/0")
        await self.ledger.add_chunks(lease, [chunk], planned_rows=self.script.tasks)
        findings = PlanFindings(
            source_bucket=Bucket("logs-125"),
            source_versioning=Versioning.NEVER,
            target_versioning=Versioning.NEVER,
            manifest_etag="e1",
        )
        await self.ledger.finish_plan(lease, findings=findings, to=JobStatus.SUSPENDED, reason="awaiting confirmation")

    async def _work(self, job: Job) -> None:
        claims = await self.ledger.claim(WORKER, room=1000, lease_seconds=30)
        for claim in claims:
            failed = self.script.failed
            tally = Tally(
                succeeded=claim.task_count - failed,
                failed=failed,
                bytes_done=1_500_000,
                requests=claim.task_count,
                codes={"NoSuchKey": CodeTally(count=failed, samples=("raw/gone\n",))} if failed else {},
            )
            part = Part(spool_name=f"{job.id}/part", settled=Bitmap.full(claim.task_count), tally=tally)
            await self.ledger.commit(claim, part, then=Then.CLOSE)
        if not claims:
            await self._move(job, JobStatus.COMPLETING)

    async def _try_again(self, job: Job) -> None:
        match self.script.next_try:
            case "delivers":
                self.script.report_waits = False
                await self._seal(job, None)
            case "is held":
                await self.ledger.set_hold(job.id, HOLD)
            case _:
                await asyncio.Event().wait()

    async def _seal(self, job: Job, to: JobStatus | None) -> None:
        lease = await self.ledger.claim_job(WORKER, job_id=job.id, duty=Duty.SEAL, lease_seconds=30)
        assert lease is not None
        state = ReportState.PENDING if self.script.report_waits else ReportState.DELIVERED
        location = "" if self.script.report_waits else f"s3://logs-125/reports/job-{job.id}/manifest.json"
        await self.ledger.report_done(lease, state=state, location=location, to=to, reason="by script")


class MemoryGround:
    """A store in memory, for estimates."""

    def __init__(self) -> None:
        self.store = MemoryStore(clock=TickingClock())

    def region(self, name: RegionName, /) -> Region:
        return Region(name=name, provider=Provider.S3, endpoint="http://here", profile="s3", signing_region="us-east-1")

    def profile(self, name: RegionName, /) -> CapabilityProfile:
        return self.store.profile

    async def manifest_store(self, request: JobRequest, /, *, account: AccountId) -> ObjectStore:
        return self.store


class MemoryWiring:
    """Everything that would be on disk or in a store is in here, from call to call."""

    open_serving = staticmethod(wiring.open_serving)
    open_people = staticmethod(wiring.open_people)
    open_roles = staticmethod(wiring.open_roles)
    open_regions = staticmethod(wiring.open_regions)
    open_webhooks = staticmethod(wiring.open_webhooks)
    open_job_checks = staticmethod(wiring.open_job_checks)
    known_regions = staticmethod(wiring.known_regions)
    rotate_key = staticmethod(wiring.rotate_key)
    back_up_ledger = staticmethod(wiring.back_up_ledger)
    restore_ledger = staticmethod(wiring.restore_ledger)

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or Script()
        self.etag = "e1"
        self.ledger: JobLedger = MemoryLedger(TickingClock())
        self.spool = MemorySpool()
        self.unreachable: Exception | None = None
        self.engines = 0
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """What another terminal does while the plan is shown."""
        self.seen_ledger: JobLedger = self.ledger
        """As the service sees it."""
        self.inspection: Inspection = inspection()
        self.accounts: Collection[str] = ("main", "other")
        self.is_untouched = False
        """No job was ever made."""
        self.probe_refusal: StorageError | None = None
        self.ground = MemoryGround()
        self.guessed_format: bool | None = None
        """Whether the last inspection was to guess the format."""

    @asynccontextmanager
    async def open_service(
        self, settings: Settings, state_folder: Path, *, account: str = ""
    ) -> AsyncIterator[JobService]:
        check_account(account, known=self.accounts)
        if self.unreachable:
            raise self.unreachable
        if self.script.service_hangs:
            print("asked", file=sys.stderr, flush=True)
            await asyncio.Event().wait()
        yield self._service(settings)

    @asynccontextmanager
    async def open_follow_up(self, settings: Settings, state_folder: Path) -> AsyncIterator[FollowUp]:
        yield FollowUp(self._service(settings), ledger=self.seen_ledger, spool=self.spool)

    @asynccontextmanager
    async def open_report_downloads(self, state_folder: Path) -> AsyncIterator[ReportDownloads]:
        yield ReportDownloads(self.seen_ledger, spool=self.spool, clock=TickingClock())

    def has_jobs(self, state_folder: Path) -> bool:
        return not self.is_untouched

    def logging_to_folder(
        self, state_folder: Path, *, level: str, log_format: LogFormat = LogFormat.JSON
    ) -> AbstractContextManager[None]:
        return logging_to_folder(state_folder, level=level, log_format=log_format)

    def engine_supervisor(self, settings: Settings) -> AbstractContextManager[None]:
        return nullcontext()

    @asynccontextmanager
    async def open_engine(
        self, settings: Settings, state_folder: Path, *, log_level: str = "info", supervisor: None = None
    ) -> AsyncIterator[MemoryEngine]:
        self.engines += 1
        try:
            yield MemoryEngine(service=self._service(settings), ledger=self.ledger, script=self.script)
        finally:
            if self.script.drain_lasts:
                await asyncio.Event().wait()
            print("drained", file=sys.stderr, flush=True)

    @asynccontextmanager
    async def open_estimates(self, settings: Settings, state_folder: Path) -> AsyncIterator[Estimates]:
        yield Estimates(self.ground, ledger=self.ledger, prices=price_table(settings.prices), clock=TickingClock())

    async def inspect(
        self, settings: Settings, region: RegionName, manifest: Manifest, *, guess_format: bool = False
    ) -> Inspection:
        self.guessed_format = guess_format
        if manifest.location.key == "gone.csv":
            raise JobFailure(FailureCode.MANIFEST_NOT_FOUND, "there is no such object")
        if self.meanwhile:
            await self.meanwhile()
        return self.inspection

    async def probe(self, settings: Settings, region: RegionName, bucket: Bucket, prefix: str) -> Probed:
        if self.probe_refusal:
            raise self.probe_refusal
        findings = {option: OptionFinding(finding=Finding.APPLIED) for option in Option}
        findings[Option.GRANTS] = OptionFinding(
            finding=Finding.IGNORED, detail=f"no grants on {region} {bucket} {prefix}"
        )
        findings[Option.RESTORE] = OptionFinding(finding=Finding.UNKNOWN, detail="needs an archived object")
        return Probed(ProbeReport(findings=findings, left_behind=("p/x",)), PROFILES["s3"])

    def _service(self, settings: Settings) -> JobService:
        async def look(manifest: Manifest, *, region: RegionName) -> str:
            return self.etag

        return JobService(self.seen_ledger, regions=region_table(settings), look=look, deletes_allowed=True)


def inspection(*, faults: tuple[Fault, ...] = (), warnings: tuple[Remark, ...] = ()) -> Inspection:
    row = ManifestRow(
        key=FIRST_KEY,
        version_id=None,
        size_bytes=5,
        is_latest=None,
        is_delete_marker=False,
        last_modified="",
        etag="",
    )
    return Inspection(
        etag="e1",
        size_bytes=1234,
        last_modified=1_754_103_600,
        version_id=None,
        format=ManifestFormat.COS_CSV,
        is_gzip=True,
        columns=(),
        guessed_fields=(),
        source_bucket=Bucket("logs-125"),
        first_rows=(
            SampleRow(line=1, cells=("logs-125", "raw/a%20b.txt"), row=row),
            SampleRow(line=2, cells=("logs-125", "%ZZ"), row=None),
        ),
        rows_looked_at=2,
        versions=VersionCounts(),
        warnings=warnings,
        faults=faults,
        more_faults=False,
        inventory=None,
        checksum_ok=None,
    )


def surroundings(
    wiring: MemoryWiring, *, can_ask: bool = False, is_live: bool = False, patience_seconds: float = 60
) -> Surroundings:
    return Surroundings(wiring=lambda: wiring, can_ask=can_ask, is_live=is_live, patience_seconds=patience_seconds)


def main() -> None:
    """``python -m tests.unit.cli.memory_engine STATUS WHAT ...``: jobs stay in STATUS. WHAT is ``ends``, ``lasts`` for
    a drain without end, ``lasts-live`` for one below a live screen, ``hangs`` for a ledger that does not answer."""
    from cosbatch.cli.main import cli

    status, what, *arguments = sys.argv[1:]
    script = Script(stays_in=JobStatus(status), drain_lasts=what.startswith("lasts"), service_hangs=what == "hangs")
    assert not is_final(JobStatus(status))
    cli(arguments, prog_name="cosbatch", obj=surroundings(MemoryWiring(script), is_live=what == "lasts-live"))


if __name__ == "__main__":
    main()
