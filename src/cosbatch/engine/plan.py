"""The plan of one job: its manifest read once, from beginning to end, into chunk files and chunk rows.

A plan that a crash interrupted is made again from the first row: the manifest's ETag is pinned, so the rows that the
ledger has already in chunks are the same ones, and are passed over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from cosbatch.engine.chunk_files import ChunkRow, chunk_name, encode_chunk
from cosbatch.engine.chunker import Chunker, CutChunk
from cosbatch.engine.job_kit import PlanUploads, facts_of
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.ports import Stores, acting_of, buckets_of, regions_of
from cosbatch.engine.shared_targets import SharedTargets
from cosbatch.engine.versions import EachVersion, VersionRuns
from cosbatch.ledger.port import JobLease, JobLedger
from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.reader import ManifestHeader, ManifestReading, read_manifest
from cosbatch.model.errors import FailureCode, JobFailure
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.jobs import Job, PlanFindings
from cosbatch.model.operations import DeleteObject, PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import NewChunk
from cosbatch.operations.dry_run import target_names
from cosbatch.operations.listed import Listing
from cosbatch.operations.preflight import overlap_rule, prepare_job
from cosbatch.operations.write_check import WriteCheck, check_writable, report_check, target_check
from cosbatch.reports.seal import report_keys
from cosbatch.storage.spool import Spool

CHUNKS_A_TRANSACTION = 200
ROWS_TRIED = 1000
"""Of a batch, to find one that will write an object."""
CHECK_CLOCK_SECONDS = 6.0
"""How far a store's clock may be behind the ledger's."""


@dataclass(slots=True, kw_only=True)
class PlanTools:
    ledger: JobLedger
    spool: Spool
    stores: Stores
    limits: EngineLimits


class Plan:
    """One job being planned. :meth:`slices` yields after every slice, so that another job may get its turn.

    ``job`` was read after its lease was taken: it says how much of the plan is saved."""

    def __init__(self, *, job: Job, lease: JobLease, tools: PlanTools, permit: Callable[[], None]) -> None:
        self.job = job
        self.lease = lease
        self._tools = tools
        self._permit = permit
        self._acting = acting_of(job)
        self._chunker = Chunker(limits=tools.limits, cut_chunks=job.chunk_count, cut_rows=job.planned_rows)
        self._unsaved: list[NewChunk] = []
        self._refused: Callable[[ObjectKey], bool] | None = None
        self._may_write_report = self._may_write_target = False
        self._shared: SharedTargets | None = None
        self.is_asking = False
        """An upload may be under way that asks whether the job may write: it outlives a plan that is broken off."""
        self.asks = buckets_of(job.request)
        """The buckets that planning sends requests to."""

    async def slices(self) -> AsyncGenerator[int, None]:
        """Rows planned so far, after each slice. When it ends the job has left Preparing.

        Raises JobFailure, ManifestFaulty or StorageError where the job cannot start, StaleFence where the lease is
        lost.
        """
        reading = await self._open_manifest()
        findings = await self._prepare(reading.header)
        runs = self._version_runs(reading.header, findings)
        listing = Listing(facts_of(self.job.request, findings, stores=self._tools.stores))
        planned_at_last_slice = self._chunker.rows_cut
        async for batch in reading.batches():
            await self._check_writable(batch, findings)
            await self._keep(self._cut(batch, runs))
            listing.add(batch)
            if self._shared is not None:
                await self._shared.put_away()
            if self._chunker.rows_cut - planned_at_last_slice >= self._tools.limits.slice_rows:
                planned_at_last_slice = self._chunker.rows_cut
                await self._save()
                yield planned_at_last_slice
        await self._keep(self._cut_rest(runs))
        await self._save()
        findings = replace(findings, listed=listing.totals)
        if self._shared is not None:
            findings = replace(findings, shared_targets=await self._shared.finish())
        await self._finish(findings)

    async def _open_manifest(self) -> ManifestReading:
        request = self.job.request
        store = self._tools.stores.open(request.region, acting=self._acting, permit=self._permit)
        return await read_manifest(request.manifest, store)

    async def _prepare(self, header: ManifestHeader) -> PlanFindings:
        request = self.job.request
        regions = regions_of(request)
        self.asks.append((regions.source, header.source_bucket))
        stores = self._tools.stores
        open_store = partial(stores.open, acting=self._acting, permit=self._permit, may_write=not request.dry_run)
        source = open_store(regions.source)
        target = source if regions.target == regions.source else open_store(regions.target)
        report = open_store(regions.report) if regions.report else None
        if request.dry_run:
            self._shared = SharedTargets(
                self.job.id,
                fence=self.lease.fence,
                spool=self._tools.spool,
                names=target_names(request, max_key_bytes=target.profile.max_key_bytes),
            )
        if isinstance(request.operation, PutObjectCopy):
            self._refused = overlap_rule(
                request.operation, source_bucket=header.source_bucket, in_one_region=regions.target == regions.source
            )
        return await prepare_job(
            request,
            source_bucket=header.source_bucket,
            source=source,
            target=target,
            report=report,
            report_keys=report_keys(self.job) if report else (),
            source_region=stores.region(regions.source),
            target_region=stores.region(regions.target),
        )

    async def _check_writable(self, batch: RowBatch, findings: PlanFindings) -> None:
        """Before the first chunk: where it is to be written is asked with a key of the manifest's own."""
        if self._may_write_target:
            return
        request, stores = self.job.request, self._tools.stores
        regions = regions_of(request)
        checks: list[WriteCheck] = []
        if not self._may_write_report and regions.report and request.report.bucket:
            store = stores.open(regions.report, acting=self._acting, permit=self._permit)
            checks.append(report_check(request.report.bucket, report_keys(self.job)[0], store=store))
        target = None if request.dry_run else self._target_check(batch, findings)
        uploads = PlanUploads(self.lease, ledger=self._tools.ledger)
        self.is_asking = True
        await check_writable(
            [*checks, target] if target else checks, uploads=uploads, since=self.job.created_at - CHECK_CLOCK_SECONDS
        )
        self.is_asking = False
        self._may_write_report = True
        # What is done to the objects themselves cannot be tried without doing it: the first tasks find out. Nor does a
        # dry run try it.
        is_untried = request.dry_run or not isinstance(request.operation, PutObjectCopy)
        self._may_write_target = target is not None or is_untried

    def _target_check(self, batch: RowBatch, findings: PlanFindings) -> WriteCheck | None:
        request, stores = self.job.request, self._tools.stores
        return target_check(
            facts_of(request, findings, stores=stores),
            islice(batch, ROWS_TRIED),
            store=stores.open(regions_of(request).target, acting=self._acting, permit=self._permit),
        )

    def _version_runs(self, header: ManifestHeader, findings: PlanFindings) -> VersionRuns | EachVersion | None:
        if not header.has_versions:
            return None
        if not isinstance(self.job.request.operation, PutObjectCopy):
            return EachVersion(removes_markers=isinstance(self.job.request.operation, DeleteObject))
        return VersionRuns(
            keeps_versions=findings.target_versioning is Versioning.ENABLED,
            first_number=0,
            longest_run=self._tools.limits.versions_of_one_key,
        )

    def _cut(self, batch: RowBatch, runs: VersionRuns | EachVersion | None) -> Iterator[CutChunk]:
        if self._refused is not None:
            self._refuse_overlap(batch)
        if runs is None:
            if self._shared is not None:
                self._shared.note_batch(batch)
            yield from self._chunker.add_batch(batch)
            return
        for run in runs.feed(list(batch)):
            yield from self._add_run(run)

    def _cut_rest(self, runs: VersionRuns | EachVersion | None) -> Iterator[CutChunk]:
        if runs is not None:
            for run in runs.finish():
                yield from self._add_run(run)
        yield from self._chunker.finish()

    def _add_run(self, run: Sequence[ChunkRow]) -> Iterator[CutChunk]:
        if self._shared is not None:
            self._shared.note_run(run)
        return self._chunker.add_run(run)

    def _refuse_overlap(self, batch: RowBatch) -> None:
        assert self._refused is not None
        for key in batch.keys:
            if self._refused(ObjectKey(key)):
                raise JobFailure(
                    FailureCode.OVERLAPPING_PREFIX,
                    f"the key {key!r} of the manifest may also be written by this job, so the result would depend"
                    " on the order; choose a TargetKeyPrefix that no listed key begins with",
                )

    async def _keep(self, cut: Iterator[CutChunk]) -> None:
        """Writes chunk files; rows go to the ledger some at a time."""
        for chunk in cut:
            content = encode_chunk(chunk.records)
            name = chunk_name(self.job.id, seq=chunk.seq, fence=self.lease.fence, content=content)
            await self._tools.spool.put(name, content)
            self._unsaved.append(
                NewChunk(seq=chunk.seq, first_task=chunk.first_task, task_count=len(chunk.records), spool_name=name)
            )
            if len(self._unsaved) >= CHUNKS_A_TRANSACTION:
                await self._save()

    async def _save(self) -> None:
        if self._unsaved:
            last = self._unsaved[-1]
            await self._tools.ledger.add_chunks(
                self.lease, self._unsaved, planned_rows=last.first_task + last.task_count
            )
            self._unsaved = []

    async def _finish(self, findings: PlanFindings) -> None:
        if self._chunker.rows_cut == 0:
            raise JobFailure(FailureCode.MANIFEST_EMPTY, "the manifest lists no object")
        asks = self.job.request.confirmation_required
        await self._tools.ledger.finish_plan(
            self.lease,
            findings=findings,
            to=JobStatus.SUSPENDED if asks else JobStatus.READY,
            reason="awaiting confirmation" if asks else "planned",
        )
