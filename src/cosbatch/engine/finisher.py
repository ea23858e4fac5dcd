"""The finisher: clears up after a job, seals its report, and moves it to its final status.

Complete only with the report delivered; after 24 hours of trying Completing fails with ReportDeliveryFailed. Cancelled
and Failed do not wait: the report is tried once, and then on and on for 24 hours while the job is final already.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from cosbatch.engine.chunk_files import chunk_folder
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.ports import Stores, regions_of
from cosbatch.engine.renewal import JobLeaseKeeper, until_stopped
from cosbatch.engine.schedule import may_seal
from cosbatch.ledger.port import Duty, JobLease, JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    FailureCode,
    IllegalMove,
    SendingStopped,
    SpoolError,
    StaleFence,
    StorageError,
    StorageReason,
)
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import ENDS_IN, JobStatus, is_final
from cosbatch.model.tasks import UploadRecord
from cosbatch.reports.seal import parts_of, seal_report
from cosbatch.reports.summary import build_summary, chunk_states_of, report_time
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)


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

    async def run(self, stop: asyncio.Event) -> None:
        await until_stopped(self.step, stop=stop, pause_seconds=self._tools.limits.poll_seconds)

    async def step(self) -> bool:
        """Seals the first job that is ready for it; False where there is none."""
        now = self._tools.clock.now()
        jobs = await self._tools.ledger.queued_jobs()
        self._not_before = {queued.job.id: self._not_before.get(queued.job.id, 0.0) for queued in jobs}
        for queued in jobs:
            waits = self._tools.clock.boottime() < self._not_before.get(queued.job.id, 0.0)
            if may_seal(queued, now=now) and not waits:
                return await self._claim_and_seal(queued.job.id)
        return False

    async def _claim_and_seal(self, job_id: JobId) -> bool:
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
            await Sealing(job=await tools.ledger.job(job_id), lease=lease, keeper=keeper, tools=tools).finish()
        except (StaleFence, SendingStopped, IllegalMove) as error:
            log.info("seal-lost", job_id=job_id, error=str(error))
        finally:
            await keeper.close()
            self._not_before[job_id] = tools.clock.boottime() + tools.limits.report_retry_seconds
            await tools.ledger.release_job(lease)
        return True


class Sealing:
    """The end of one job."""

    def __init__(self, *, job: Job, lease: JobLease, keeper: JobLeaseKeeper, tools: FinishTools) -> None:
        self._job = job
        self._lease = lease
        self._permit = keeper.deadline.check
        self._tools = tools

    async def finish(self) -> None:
        left = await self._abort_uploads()
        if self._job.report_state is not ReportState.PENDING:
            await self._end(state=self._job.report_state, location=self._job.report_location)
            await self._sweep()
            return
        try:
            location = await self._deliver(left)
        except (StorageError, SpoolError) as error:
            log.warning("report-not-delivered", job_id=self._job.id, error=str(error))
            await self._not_delivered(str(error))
        else:
            log.info("report-delivered", job_id=self._job.id, location=location)
            await self._end(state=ReportState.DELIVERED, location=location)
        await self._sweep()

    # --- the report

    async def _deliver(self, left: list[UploadRecord]) -> str:
        region = regions_of(self._job.request).report
        assert region is not None
        summary = await build_summary(
            self._job,
            chunk_states=chunk_states_of(self._tools.ledger, self._job.id),
            unfinished_uploads=left,
            created_at=report_time(self._job),
        )
        sealed = await seal_report(
            job=self._job,
            parts=parts_of(self._tools.ledger, self._job.id),
            spool=self._tools.spool,
            store=self._tools.stores.open(region, permit=self._permit),
            summary=summary,
            created_at=report_time(self._job),
            still_ours=self._renew,
        )
        return sealed.location

    async def _renew(self) -> None:
        await self._tools.ledger.renew_job(self._lease, lease_seconds=self._tools.limits.lease_seconds)

    async def _not_delivered(self, error: str) -> None:
        since = self._job.ended_at or self._job.changed_at
        is_over = self._tools.clock.now() - since > self._tools.limits.report_limit_seconds
        if self._job.status is JobStatus.COMPLETING:
            if is_over:
                await self._tools.ledger.report_done(
                    self._lease,
                    state=ReportState.FAILED,
                    location="",
                    to=JobStatus.FAILING,
                    reason=error,
                    failure=FailureCode.REPORT_DELIVERY_FAILED,
                )
            return
        await self._end(state=ReportState.FAILED if is_over else ReportState.PENDING, location="", note=error)

    # --- the job

    def _ending(self) -> JobStatus:
        return ENDS_IN.get(self._job.status, self._job.status)

    async def _end(self, *, state: ReportState, location: str, note: str = "") -> None:
        to = None if is_final(self._job.status) else self._ending()
        reason = self._job.status_reason if to is not JobStatus.COMPLETE else "Job complete"
        await self._tools.ledger.report_done(self._lease, state=state, location=location, to=to, reason=note or reason)

    # --- clearing up

    async def _abort_uploads(self) -> list[UploadRecord]:
        """Aborts what is left of our multipart uploads; the ones that would not go, for summary.json to name."""
        left = []
        uploads = await self._tools.ledger.uploads(self._job.id)
        if not uploads:
            return []
        store = self._tools.stores.open(regions_of(self._job.request).target, permit=self._permit)
        for upload in uploads:
            try:
                await store.abort_upload(upload.target, upload_id=upload.upload_id)
            except StorageError as error:
                if error.reason is not StorageReason.NO_SUCH_UPLOAD:
                    left.append(upload)
                    continue
            await self._tools.ledger.remove_upload(self._job.id, upload.upload_id)
        return left

    async def _sweep(self) -> None:
        """Chunk files have served, and part files that no ledger row names are orphans."""
        if (await self._tools.ledger.job(self._job.id)).report_state is ReportState.PENDING:
            return
        spool = self._tools.spool
        for name in await spool.list(chunk_folder(self._job.id)):
            await spool.delete(name)
        known = await self._tools.ledger.part_names(self._job.id)
        for name in await spool.list(f"jobs/{self._job.id}/parts/"):
            if name not in known:
                await spool.delete(name)
