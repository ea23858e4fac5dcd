"""The plan of one job: its manifest read once, from beginning to end, into chunk files and chunk rows.

A plan that a crash interrupted is made again from the first row: the manifest's ETag is pinned, so the rows that the
ledger has already in chunks are the same ones, and are passed over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace

from cosbatch.engine.chunk_files import ChunkRow, chunk_name, encode_chunk
from cosbatch.engine.chunker import Chunker, CutChunk
from cosbatch.engine.job_kit import facts_of
from cosbatch.engine.plan_preflight import PlanPreflight, PlanTools
from cosbatch.engine.ports import acting_of, buckets_of, regions_of
from cosbatch.engine.shared_targets import SharedTargets
from cosbatch.engine.versions import EachVersion, VersionRuns
from cosbatch.ledger.port import JobLease
from cosbatch.manifests.bodies import ManifestStore
from cosbatch.manifests.kept import KeptStore
from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.reader import ManifestHeader, ManifestReading, read_manifest
from cosbatch.model.errors import FailureCode, JobFailure, ManifestFaulty
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.jobs import Job, PlanFindings
from cosbatch.model.operations import DeleteObject, PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import NewChunk
from cosbatch.operations.dry_run import target_names
from cosbatch.operations.listed import Listing
from cosbatch.operations.target_key import overlap_rule

CHUNKS_A_TRANSACTION = 200


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
        self._preflight = PlanPreflight(job=job, lease=lease, tools=tools, permit=permit)
        self._shared: SharedTargets | None = None
        self._listing: Listing | None = None
        self.asks = buckets_of(job.request)
        """The buckets that planning sends requests to."""

    async def slices(self) -> AsyncGenerator[int, None]:
        """Rows planned so far, after each slice. When it ends the job has left Preparing.

        Raises JobFailure, ManifestFaulty or StorageError where the job cannot start, StaleFence where the lease is
        lost.
        """
        reading = await self._open_manifest()
        findings: PlanFindings | None = None
        runs: VersionRuns | EachVersion | None = None
        planned_at_last_slice = self._chunker.rows_cut
        async for batch in reading.batches():
            if findings is None:
                findings = await self._look_before_start(reading.header, batch)
                runs = self._version_runs(reading.header, findings)
            else:
                await self._preflight.look_at_destination(batch)
            await self._keep(self._cut(batch, runs))
            await self._count(batch)
            if self._chunker.rows_cut - planned_at_last_slice >= self._tools.limits.slice_rows:
                planned_at_last_slice = self._chunker.rows_cut
                await self._save()
                yield planned_at_last_slice
        await self._keep(self._cut_rest(runs))
        await self._save()
        await self._finish(findings)

    async def _count(self, batch: RowBatch) -> None:
        if self._listing is not None:
            self._listing.add(batch)
        if self._shared is not None:
            await self._shared.put_away()
        await self._preflight.check_count(self._chunker.rows_cut)

    async def _open_manifest(self) -> ManifestReading:
        request = self.job.request
        store: ManifestStore
        if request.manifest.location.retry_of is not None:
            store = KeptStore(self._tools.spool, request.manifest.location)
        else:
            store = self._tools.stores.open(request.region, acting=self._acting, permit=self._permit)
        try:
            return await read_manifest(request.manifest, store)
        except (JobFailure, ManifestFaulty) as error:
            await self._preflight.tell_unreadable(error)
            raise

    async def _look_before_start(self, header: ManifestHeader, batch: RowBatch) -> PlanFindings:
        """Before the first chunk; JobFailure where the job is not to start."""
        request = self.job.request
        regions = regions_of(request)
        self.asks.append((regions.source, header.source_bucket))
        if isinstance(request.operation, PutObjectCopy):
            self._refused = overlap_rule(
                request.operation, source_bucket=header.source_bucket, in_one_region=regions.target == regions.source
            )
        findings = await self._preflight.look(header, batch)
        facts = facts_of(request, findings, stores=self._tools.stores)
        self._listing = Listing(facts)
        if request.dry_run:
            self._shared = SharedTargets(
                self.job.id,
                fence=self.lease.fence,
                spool=self._tools.spool,
                names=target_names(request, max_key_bytes=facts.target_profile.max_key_bytes),
            )
        return findings

    @property
    def is_asking(self) -> bool:
        """An upload may be under way that asks whether the job may write: it outlives a plan that is broken off."""
        return self._preflight.is_asking

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

    async def _finish(self, findings: PlanFindings | None) -> None:
        if self._chunker.rows_cut == 0 or findings is None:
            raise JobFailure(FailureCode.MANIFEST_EMPTY, "the manifest lists no object")
        await self._preflight.check_count(self._chunker.rows_cut, is_all=True)
        if self._listing is not None:
            findings = replace(findings, listed=self._listing.totals)
        if self._shared is not None:
            findings = replace(findings, shared_targets=await self._shared.finish())
        asks = self.job.request.confirmation_required
        await self._tools.ledger.finish_plan(
            self.lease,
            findings=findings,
            to=JobStatus.SUSPENDED if asks else JobStatus.READY,
            reason=self._why_suspended() if asks else "planned",
        )

    def _why_suspended(self) -> str:
        """Of a deletion with the count: on a wire that has no word for it, it is what somebody confirms."""
        if not isinstance(self.job.request.operation, DeleteObject):
            return "awaiting confirmation"
        return f"awaiting confirmation: {self._chunker.rows_cut} objects or versions are to be deleted"
