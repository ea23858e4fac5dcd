"""The finisher: clears up after a job, seals its report, and moves it to its final status.

Complete only with the report delivered; after 24 hours of trying Completing fails with ReportDeliveryFailed. Cancelled
and Failed do not wait: the report is tried once, and then on and on for 24 hours while the job is final already. A job
whose report is tried again shows a hold, whatever its status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

import structlog

from cosbatch.engine.chunk_files import CHUNKS_PER_FOLDER, chunk_folder
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LimitWatch
from cosbatch.engine.plan import CHUNKS_A_TRANSACTION
from cosbatch.engine.ports import Stores, TaskStore, acting_of, regions_of
from cosbatch.engine.renewal import JobLeaseKeeper, until_stopped
from cosbatch.engine.schedule import may_seal
from cosbatch.engine.shared_targets import sweep_shared
from cosbatch.ledger.port import Duty, JobLease, JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    FailureCode,
    IllegalMove,
    LedgerUnavailable,
    SendingStopped,
    SpoolError,
    StaleFence,
    StorageError,
)
from cosbatch.model.identifiers import Bucket, JobId, RegionName, WorkerId
from cosbatch.model.jobs import Hold, Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import ENDS_IN, JobStatus, is_final
from cosbatch.model.tasks import UploadRecord, doubted_upload
from cosbatch.model.undelivered import told_of_undelivered
from cosbatch.operations.stray_uploads import end_upload, is_open, stray_uploads
from cosbatch.operations.write_check import REPORT_CHECK
from cosbatch.reports.parts import PARTS_PER_FOLDER, part_folder
from cosbatch.reports.seal import parts_of, seal_report
from cosbatch.reports.sealed import sealed_location
from cosbatch.reports.summary import build_summary, chunk_states_of, report_time
from cosbatch.storage.disposition import Action, disposition
from cosbatch.storage.pacing import StopSignal
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)

STORE_CLOCK_SECONDS = 6.0
"""How far a store's clock may be behind the ledger's."""


@dataclass(slots=True, kw_only=True)
class FinishTools:
    ledger: JobLedger
    spool: Spool
    stores: Stores
    limits: EngineLimits
    clock: Clock


class Finisher:
    """Seals one job at a time."""

    def __init__(self, *, worker: WorkerId, tools: FinishTools) -> None:
        self._worker = worker
        self._tools = tools
        self._not_before: dict[JobId, float] = {}
        self._undelivered = LimitWatch(clock=tools.clock)

    async def run(self, stop: asyncio.Event) -> None:
        await until_stopped(lambda: self.step(stop), stop=stop, pause_seconds=self._tools.limits.poll_seconds)

    async def step(self, stop: asyncio.Event) -> bool:
        """Seals the first job that is ready for it; False where there is none."""
        jobs = await self._tools.ledger.queued_jobs()
        self._not_before = {queued.job.id: self._not_before.get(queued.job.id, 0.0) for queued in jobs}
        self._undelivered.keep_only(self._not_before.keys())
        for queued in jobs:
            waits = self._tools.clock.boottime() < self._not_before.get(queued.job.id, 0.0)
            if may_seal(queued) and not waits:
                return await self._claim_and_seal(queued.job.id, stop=stop)
        return False

    async def _claim_and_seal(self, job_id: JobId, *, stop: asyncio.Event) -> bool:
        tools = self._tools
        asked_at = tools.clock.boottime()
        lease = await tools.ledger.claim_job(
            self._worker, job_id=job_id, duty=Duty.SEAL, lease_seconds=tools.limits.lease_seconds
        )
        if lease is None:
            return False
        keeper = JobLeaseKeeper(
            lease,
            ledger=tools.ledger,
            clock=tools.clock,
            lease_seconds=tools.limits.lease_seconds,
            taken_at=asked_at,
        )
        try:
            job = await tools.ledger.job(job_id)
            await tools.stores.look_again()
            sealing = Sealing(job=job, lease=lease, keeper=keeper, tools=tools, undelivered=self._undelivered)
            await self._finish(sealing, stop=stop)
        except (StaleFence, SendingStopped, IllegalMove, LedgerUnavailable) as error:
            log.info("seal-lost", job_id=job_id, error=str(error))
        except Exception:
            log.exception("seal-broke", job_id=job_id)
        finally:
            await keeper.close()
            self._not_before[job_id] = tools.clock.boottime() + tools.limits.report_retry_seconds
            await self._release(lease)
        return True

    async def _finish(self, sealing: Sealing, *, stop: asyncio.Event) -> None:
        """Broken off when this process stops, and when a bucket does not answer: others want to be sealed too."""
        work = asyncio.create_task(sealing.finish())
        try:
            while not (await asyncio.wait({work}, timeout=self._tools.limits.poll_seconds))[0]:
                if stop.is_set():
                    sealing.stop.stop("the finisher stops")
                elif (hold := sealing.hold()) is not None:
                    sealing.stop.stop(f"{hold.bucket} does not answer: {hold.reason}")
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _release(self, lease: JobLease) -> None:
        try:
            await self._tools.ledger.release_job(lease)
        except LedgerUnavailable as error:
            log.warning("seal-not-released", job_id=lease.job_id, error=str(error))


class Sealing:
    """The end of one job."""

    def __init__(
        self, *, job: Job, lease: JobLease, keeper: JobLeaseKeeper, tools: FinishTools, undelivered: LimitWatch
    ) -> None:
        self.stop = StopSignal()
        """Breaks off waits for a store; the report then counts as not delivered for now."""
        self._asked: tuple[RegionName, Bucket] | None = None
        self._job = job
        self._lease = lease
        self._deadline = keeper.deadline
        self._tools = tools
        self._undelivered = undelivered

    def hold(self) -> Hold | None:
        """The bucket that is waited for."""
        return None if self._asked is None else self._tools.stores.pace_of(*self._asked).held

    async def finish(self) -> None:
        try:
            left = await self._abort_uploads()
            if self._job.report_state is ReportState.PENDING:
                location = await self._deliver(left)
                log.info("report-delivered", job_id=self._job.id, location=location)
                await self._sweep()
                await self._end(state=ReportState.DELIVERED, location=location)
            else:
                await self._sweep()
                await self._end(state=self._job.report_state, location=self._job.report_location)
        except StorageError as error:
            await self._not_delivered(_refused(error) or str(error))
        except SpoolError as error:
            await self._not_delivered(str(error))
        except SendingStopped as error:
            self._deadline.check()
            await self._not_delivered(str(error))
        finally:
            self._tools.stores.leave(acting_of(self._job))

    # --- the report

    async def _may_act(self) -> bool:
        """Asking without credentials would hold the bucket, for the reports of others too."""
        return await self._tools.stores.may_act(acting_of(self._job))

    async def _deliver(self, left: list[UploadRecord]) -> str:
        if not await self._may_act():
            raise SendingStopped(f"there are no credentials of the role {self._job.request.role_arn}")
        region = regions_of(self._job.request).report
        bucket = self._job.request.report.bucket
        assert region is not None
        assert bucket is not None
        summary = await build_summary(
            self._job,
            chunk_states=chunk_states_of(self._tools.ledger, self._job.id),
            unfinished_uploads=left,
            created_at=report_time(self._job),
        )
        try:
            sealed = await seal_report(
                job=self._job,
                parts=parts_of(self._tools.ledger, self._job.id),
                spool=self._tools.spool,
                store=self._open(region, bucket),
                summary=summary,
                created_at=report_time(self._job),
                still_ours=self._renew,
            )
        except (SpoolError, StorageError):
            location = await self._sealed_before(region, bucket)
            if location is None:
                raise
            return location
        return sealed.location

    async def _sealed_before(self, region: RegionName, bucket: Bucket) -> str | None:
        """Where an earlier attempt has put the whole report, whose word was lost."""
        try:
            return await sealed_location(self._job, store=self._open(region, bucket))
        except StorageError as error:
            log.info("report-not-looked-for", job_id=self._job.id, error=str(error))
            return None

    def _open(self, region: RegionName, bucket: Bucket) -> TaskStore:
        self._asked = (region, bucket)
        return self._tools.stores.open(
            region, acting=acting_of(self._job), permit=self._deadline.check, stop=self.stop, cut=self.stop
        )

    async def _renew(self) -> None:
        await self._tools.ledger.renew_job(self._lease, lease_seconds=self._tools.limits.lease_seconds)

    async def _not_delivered(self, error: str) -> None:
        """Says so on the job; it is tried again until its time is over."""
        job = self._job
        log.warning("report-not-delivered", job_id=job.id, error=error)
        limit = self._tools.limits.report_limit_seconds
        is_over = self._undelivered.is_over(job.id, since=job.report_due_at, limit_seconds=limit)
        if is_over and (is_final(job.status) or job.status is JobStatus.COMPLETING):
            await self._given_up(error)
            return
        bucket = job.request.report.bucket or job.request.manifest.location.bucket
        hold = Hold(bucket=bucket, reason=told_of_undelivered(error), since=self._tools.clock.now())
        await self._end(state=ReportState.PENDING, location="", hold=hold)

    async def _given_up(self, error: str) -> None:
        """A job that has not ended fails by it; one that has stays as it is."""
        fails = self._job.status is JobStatus.COMPLETING
        await self._tools.ledger.report_done(
            self._lease,
            state=ReportState.FAILED,
            location="",
            to=JobStatus.FAILING if fails else None,
            reason=error,
            failure=FailureCode.REPORT_DELIVERY_FAILED if fails else None,
        )

    # --- the job

    def _moves_to(self, state: ReportState) -> JobStatus | None:
        status = self._job.status
        waits = status is JobStatus.COMPLETING and state is ReportState.PENDING
        return None if waits or is_final(status) else ENDS_IN.get(status, status)

    def _completed(self) -> str:
        """Told wherever the job is shown, also where nothing else says that it was a dry run."""
        return "Dry run complete: nothing was written" if self._job.request.dry_run else "Job complete"

    async def _end(self, *, state: ReportState, location: str, hold: Hold | None = None) -> None:
        to = self._moves_to(state)
        reason = self._job.status_reason if to is not JobStatus.COMPLETE else self._completed()
        await self._tools.ledger.report_done(
            self._lease, state=state, location=location, to=to, reason=reason, hold=hold
        )

    # --- clearing up

    async def _abort_uploads(self) -> list[UploadRecord]:
        """Aborts what is left of our multipart uploads; the ones that would not go, for summary.json to name."""
        left: list[UploadRecord] = []
        uploads = await self._tools.ledger.uploads(self._job.id)
        if is_final(self._job.status):
            return uploads  # nothing is sent for a job that has ended, but its report
        if uploads and not await self._may_act():
            return uploads
        for upload in uploads:
            try:
                remain = await self._abort(upload)
            except SendingStopped:
                self._deadline.check()
                remain = [upload]
            except StorageError as error:
                log.warning("upload-left", job_id=self._job.id, key=upload.target.key, error=str(error))
                remain = [upload]
            if upload not in remain:
                for doubted in remain:
                    await self._tools.ledger.add_upload(self._lease, doubted)
                await self._tools.ledger.remove_upload(self._job.id, upload.upload_id)
            left += remain
        return left

    async def _abort(self, upload: UploadRecord) -> list[UploadRecord]:
        """What is left of it: uploads that may be somebody else's."""
        regions = regions_of(self._job.request)
        region = regions.report if upload.task_number == REPORT_CHECK else regions.target
        assert region is not None
        store = self._open(region, upload.target.bucket)
        if upload.doubted_id:
            return [upload] if await is_open(store, upload.target, upload_id=upload.doubted_id) else []
        if not upload.is_announced:
            await end_upload(store, upload.target, upload_id=upload.upload_id)
            return []
        strays = await stray_uploads(store, upload.target, since=self._since(upload))
        for upload_id in strays.ours:
            await end_upload(store, upload.target, upload_id=upload_id)
        return [
            replace(upload, upload_id=doubted_upload(upload.task_number, upload_id)) for upload_id in strays.doubtful
        ]

    def _since(self, upload: UploadRecord) -> float:
        """No upload of this record is older, on the store's clock: a task's is begun after the job has started."""
        is_check = upload.task_number < 0
        begun = self._job.created_at if is_check else self._job.started_at
        return (begun or 0.0) - STORE_CLOCK_SECONDS

    async def _sweep(self) -> None:
        """Chunk files have served, and part files that no ledger row names are orphans. Before the final status, so
        that whoever seals again sweeps again."""
        try:
            await self._delete_leftovers()
        except SpoolError as error:
            log.warning("leftovers-not-swept", job_id=self._job.id, error=str(error))

    async def _delete_leftovers(self) -> None:
        """Folder by folder: the names of all files of a great job would not fit into memory."""
        if self._job.request.dry_run:
            await sweep_shared(self._job.id, spool=self._tools.spool)
        planned = self._job.chunk_count + CHUNKS_A_TRANSACTION  # what a planner had written and not yet told
        for first_seq in range(0, planned, CHUNKS_PER_FOLDER):
            await self._delete_some(await self._tools.spool.list(chunk_folder(self._job.id, first_seq)))
        for first_seq in range(0, self._job.chunk_count, PARTS_PER_FOLDER):
            found = await self._tools.spool.list(part_folder(self._job.id, first_seq))
            known = await self._tools.ledger.part_names(
                self._job.id, first_seq=first_seq, last_seq=first_seq + PARTS_PER_FOLDER - 1
            )
            await self._delete_some(name for name in found if name not in known)

    async def _delete_some(self, names: Iterable[str]) -> None:
        for name in names:
            await self._tools.spool.delete(name)


def _refused(error: StorageError) -> str:
    """A store that has said no is told apart from one that does not answer: the first needs a person."""
    if disposition(error, writes=True).action not in (Action.FAIL_TASK, Action.FAIL_JOB):
        return ""
    return f"the store refuses it ({error}); mend that there"
