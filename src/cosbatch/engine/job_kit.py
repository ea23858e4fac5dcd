"""What a worker keeps for each job whose chunks it holds: the operation, the facts, the stores, its uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from cosbatch.engine.ports import JobRegions, Stores, TaskStore, acting_of, regions_of
from cosbatch.ledger.port import JobLease, JobLedger
from cosbatch.model.errors import FailureCode, JobFailure
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef
from cosbatch.model.jobs import Job, JobRequest, PlanFindings, Verify, place_written
from cosbatch.model.regions import Place, is_same_store
from cosbatch.model.tasks import Lease, UploadRecord, announced_upload, doubted_upload
from cosbatch.operations.port import JobFacts, Operation
from cosbatch.operations.registry import operation_for
from cosbatch.storage.pacing import StopSignal

FIRST_VERIFIED = 100
VERIFIED_EVERY = 1000
LOOKS_FOR_CREDENTIALS = 8


@dataclass(slots=True, kw_only=True)
class JobKit:
    """Made once for each job and worker."""

    job: Job
    operation: Operation
    facts: JobFacts
    regions: JobRegions
    stores: Stores
    failure: JobFailure | None = None
    """Set by a task whose error concerns the whole job."""
    held: bool = False
    """Whether the job shows a hold, as far as this worker knows."""
    ignored: set[tuple[ObjectKey, str]] = field(default_factory=set)
    """Objects and the options that they do not show. Few: a second object fails the job."""
    place: Place = field(init=False)
    """The bucket that the job writes; lanes look for their chunks by it."""
    verifies_all: bool = field(init=False)
    """Whether every object is read back; asked for each of them."""

    def __post_init__(self) -> None:
        self.place = place_written(self.job.request, self.facts.findings)
        self.verifies_all = self.job.request.verify is Verify.ALL

    @property
    def bucket(self) -> Bucket:
        return self.facts.findings.source_bucket

    @property
    def target_bucket(self) -> Bucket:
        return self.place[1]

    def open_stores(
        self, *, permit: Callable[[], None], stop: StopSignal, cut: StopSignal
    ) -> tuple[TaskStore, TaskStore]:
        """Source and target; one object where both are one region's."""
        open_store = partial(
            self.stores.open,
            acting=acting_of(self.job),
            permit=permit,
            stop=stop,
            cut=cut,
            may_write=not self.is_dry_run,
        )
        target = open_store(self.regions.target)
        return (target if self.regions.target == self.regions.source else open_store(self.regions.source)), target

    @property
    def is_dry_run(self) -> bool:
        return self.job.request.dry_run

    @property
    def has_shared_targets(self) -> bool:
        """Known of dry runs only."""
        return self.facts.findings.shared_targets > 0

    def is_verified(self, task_number: int) -> bool:
        """The first 100 tasks and then 1 in 1,000, or all."""
        return task_number < FIRST_VERIFIED or task_number % VERIFIED_EVERY == 0 or self.verifies_all


def facts_of(request: JobRequest, findings: PlanFindings, *, stores: Stores) -> JobFacts:
    regions = regions_of(request)
    source, target = stores.region(regions.source), stores.region(regions.target)
    return JobFacts(
        request=request,
        findings=findings,
        source_profile=stores.plain(regions.source).profile,
        target_profile=stores.plain(regions.target).profile,
        same_store=is_same_store(source, target),
    )


def kit_for(job: Job, *, stores: Stores) -> JobKit:
    if job.findings is None:
        raise JobFailure(FailureCode.INTERNAL_ERROR, "the plan has left no findings")
    return JobKit(
        job=job,
        operation=operation_for(job.operation_name),
        facts=facts_of(job.request, job.findings, stores=stores),
        regions=regions_of(job.request),
        stores=stores,
        held=job.hold is not None,  # perhaps of a worker that is gone: this one ends it when the bucket answers
    )


async def wait_to_act(job: Job, *, stores: Stores, pause_seconds: float) -> None:
    """Waits a while for credentials that may be used for tasks: they are made when the plan is, by another process.

    Where they stay away the stores say so, and their buckets are held like those that do not answer.
    """
    for _ in range(LOOKS_FOR_CREDENTIALS):
        if await stores.may_act(acting_of(job)):
            return
        await asyncio.sleep(pause_seconds)


class PlanUploads:
    """The ledger's memory of uploads, seen from the plan of a job."""

    def __init__(self, lease: JobLease, *, ledger: JobLedger) -> None:
        self._lease = lease
        self._ledger = ledger

    async def recorded(self, number: int) -> Sequence[UploadRecord]:
        return await self._ledger.uploads(self._lease.job_id, task_number=number)

    async def add(self, number: int, target: ObjectRef, upload_id: str) -> None:
        record = UploadRecord(task_number=number, target=target, upload_id=upload_id, fence=self._lease.fence)
        await self._ledger.add_upload(self._lease, record)

    async def remove(self, upload_id: str) -> None:
        await self._ledger.remove_upload(self._lease.job_id, upload_id)


class ChunkUploads:
    """The ledger's memory of uploads, seen from one claimed chunk."""

    def __init__(self, lease: Lease, *, ledger: JobLedger) -> None:
        self._lease = lease
        self._ledger = ledger

    async def of_task(self, task_number: int) -> Sequence[UploadRecord]:
        known = await self._ledger.uploads(self._lease.job_id, task_number=task_number)
        return [record for record in known if not record.is_announced and not record.doubted_id]

    async def announce(self, task_number: int, target: ObjectRef) -> None:
        await self._add(task_number, target, announced_upload(task_number))

    async def withdraw(self, task_number: int) -> None:
        await self.end(announced_upload(task_number))

    async def doubt(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        await self._add(task_number, target, doubted_upload(task_number, upload_id))

    async def begin(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        await self._add(task_number, target, upload_id)
        await self.withdraw(task_number)

    async def _add(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        record = UploadRecord(task_number=task_number, target=target, upload_id=upload_id, fence=self._lease.fence)
        await self._ledger.add_upload(self._lease, record)

    async def end(self, upload_id: str) -> None:
        await self._ledger.remove_upload(self._lease.job_id, upload_id)
