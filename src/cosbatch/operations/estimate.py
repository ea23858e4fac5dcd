"""What a job would come to, before it runs: objects, bytes, requests by kind, duration, cost.

Requests come from the tables that say what each operation sends for an object, and from the listed sizes of those that
go in parts. What nobody can know beforehand is not in it: requests that are sent again, objects that are not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.reader import ManifestHeader, ManifestReading, read_manifest
from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Job, JobRequest, ListedTotals, PlanFindings, Verify, operation_name_of, region_written
from cosbatch.model.operations import Directive, PutObjectCopy
from cosbatch.model.prices import PriceTable
from cosbatch.model.regions import Versioning
from cosbatch.operations import copy_costs
from cosbatch.operations.copy_plan import CopyPlan, plan_of
from cosbatch.operations.cost import Cost, cost_of
from cosbatch.operations.listed import Listing
from cosbatch.operations.port import JobFacts, Needs
from cosbatch.operations.registry import operation_for
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile, Option, Support

FIRST_READ_BACK: Final = 100
READ_BACK_EVERY: Final = 1000
"""As the engine reads back."""
BEGIN_UPLOAD: Final = "begin-upload"
COPY_PART: Final = "copy-part"
PUT_PART: Final = "put-part"
COMPLETE_UPLOAD: Final = "complete-upload"
READ_BACK: Final = "read-back"
FEWEST_REQUESTS_MEASURED: Final = 100
"""Smaller jobs tell more of their beginning and end than of their rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How fast jobs like this one get on."""

    requests_per_second: float
    bytes_per_second: float | None = None
    """Of bytes that go through us; None where nothing is known, or none do."""
    measured_jobs: int = 0
    """How many jobs it was measured of; 0: it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateLimits:
    """How far a manifest is read; None: to its end."""

    rows: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    is_exact: bool
    """Whether every row of the manifest was counted; else the counts are those of the rows read, scaled up."""
    rows_read: int
    rows: int
    objects: int
    """Rows that would be sent; delete markers that would not be are left out."""
    size_bytes: int | None
    """Of these objects; None where the manifest does not say it."""
    objects_in_parts: int
    requests: Mapping[str, int]
    """By kind; kinds are those of the page "What a copy costs", and of the operations."""
    duration_seconds: float | None
    """None where no rate is known."""
    rate: Rate | None
    cost: Cost
    notes: tuple[str, ...]
    """What the numbers leave out, for people."""

    @property
    def total_requests(self) -> int:
        return sum(self.requests.values())


async def estimate_job(
    request: JobRequest,
    *,
    store: ObjectStore,
    source_profile: CapabilityProfile,
    target_profile: CapabilityProfile,
    same_store: bool,
    prices: PriceTable,
    rate: Rate | None,
    limits: EstimateLimits,
    clock: Clock,
) -> Estimate:
    """Of a job that is not made yet; ``store`` is that of its region, and has the manifest.

    Raises like :func:`cosbatch.manifests.reader.read_manifest` where the manifest cannot be used.
    """
    reading = await read_manifest(request.manifest, store)
    async with aclosing(reading):
        facts = JobFacts(
            request=request,
            findings=await _findings(request, reading.header, store),
            source_profile=source_profile,
            target_profile=target_profile,
            same_store=same_store,
        )
        listing = Listing(facts)
        factor = await _read(reading, listing, limits=limits, clock=clock)
    read = listing.totals
    totals = read if factor is None else _scaled(read, factor)
    estimate = _estimate(facts, totals, prices=prices, rate=rate)
    notes = (*_notes_of(request, has_versions=reading.header.has_versions), *estimate.notes)
    return replace(estimate, is_exact=factor is None, rows_read=read.rows, notes=notes)


async def estimate_rows(
    facts: JobFacts,
    batches: AsyncIterator[tuple[RowBatch, int]],
    *,
    whole: int,
    prices: PriceTable,
    rate: Rate | None,
    limits: EstimateLimits,
    clock: Clock,
) -> Estimate:
    """Of rows that stand in no manifest yet. Each batch comes with how much of ``whole`` it is; what that counts is the
    caller's affair. Raises what ``batches`` does."""
    begun, seen, factor = clock.boottime(), 0, None
    listing, has_versions = Listing(facts), False
    async for batch, share in batches:
        listing.add(batch)
        has_versions = has_versions or any(row.version_id is not None for row in batch)
        seen += share
        is_long = limits.rows is not None and listing.totals.rows >= limits.rows
        if is_long or (limits.seconds is not None and clock.boottime() - begun >= limits.seconds):
            factor = whole / seen if 0 < seen < whole else None
            break
    read = listing.totals
    estimate = _estimate(facts, read if factor is None else _scaled(read, factor), prices=prices, rate=rate)
    notes = (*_notes_of(facts.request, has_versions=has_versions), *estimate.notes)
    return replace(estimate, is_exact=factor is None, rows_read=read.rows, notes=notes)


def estimate_planned(job: Job, facts: JobFacts, *, prices: PriceTable, rate: Rate | None) -> Estimate | None:
    """Of a job whose plan is complete: every row was counted then. None where it was planned without counting."""
    listed = None if job.findings is None else job.findings.listed
    return None if listed is None else _estimate(facts, listed, prices=prices, rate=rate)


def measured_rate(jobs: Iterable[Job], request: JobRequest) -> Rate | None:
    """Of those among ``jobs`` that did the same in the same regions; pauses count, as they may come again."""
    alike = [job for job in jobs if _is_alike(job, request)]
    seconds = sum(job.ended_at - job.started_at for job in alike if job.ended_at and job.started_at)
    if seconds <= 0:
        return None
    return Rate(
        requests_per_second=sum(job.tally.requests for job in alike) / seconds,
        bytes_per_second=sum(job.tally.bytes_done for job in alike) / seconds,
        measured_jobs=len(alike),
    )


def _is_alike(job: Job, request: JobRequest) -> bool:
    is_measured = job.ended_at is not None and job.started_at is not None
    places = (job.request.region, region_written(job.request), job.operation_name)
    return (
        is_measured
        and job.request.dry_run == request.dry_run
        and job.tally.requests >= FEWEST_REQUESTS_MEASURED
        and places == (request.region, region_written(request), operation_name_of(request.operation))
    )


# --- the manifest


async def _read(reading: ManifestReading, listing: Listing, *, limits: EstimateLimits, clock: Clock) -> float | None:
    """How many times the rows that were read there are; None where they are all.

    Bytes are read ahead of rows. So reading goes on until more bytes are asked for: then the rows are those of the
    bytes before.
    """
    begun, bytes_before = clock.boottime(), reading.bytes_read
    is_over = False
    async with aclosing(reading.batches()) as batches:
        async for batch in batches:
            if is_over and reading.bytes_read > bytes_before:
                return _factor(listing.totals.rows, reading.header, bytes_read=bytes_before)
            listing.add(batch)
            bytes_before = reading.bytes_read
            is_long = limits.rows is not None and listing.totals.rows >= limits.rows
            is_over = is_long or (limits.seconds is not None and clock.boottime() - begun >= limits.seconds)
    return None


async def _findings(request: JobRequest, header: ManifestHeader, store: ObjectStore) -> PlanFindings:
    versioning = await _versioning(header.source_bucket, store)
    return PlanFindings(
        source_bucket=header.source_bucket,
        source_versioning=versioning,
        target_versioning=Versioning.NEVER if isinstance(request.operation, PutObjectCopy) else versioning,
        manifest_etag=header.etag,
    )


async def _versioning(bucket: Bucket, store: ObjectStore) -> Versioning:
    """NEVER where the store does not say: then a request for an object may be missing, and no more."""
    if store.profile.supports(Option.VERSIONS) is Support.REFUSED:
        return Versioning.NEVER
    try:
        return await store.versioning(bucket)
    except StorageError:
        return Versioning.NEVER


def _factor(rows: int, header: ManifestHeader, *, bytes_read: int) -> float:
    """By the inventory's own count, else by its bytes."""
    if header.listed_objects:
        return max(1.0, header.listed_objects / max(1, rows))
    return max(1.0, header.size_bytes / max(1, bytes_read))


def _scaled(read: ListedTotals, factor: float) -> ListedTotals:
    return ListedTotals(
        rows=round(read.rows * factor),
        not_sent=round(read.not_sent * factor),
        size_bytes=None if read.size_bytes is None else round(read.size_bytes * factor),
        large=round(read.large * factor),
        parts=round(read.parts * factor),
    )


# --- from totals to requests


def _estimate(facts: JobFacts, totals: ListedTotals, *, prices: PriceTable, rate: Rate | None) -> Estimate:
    requests = _requests(facts, totals)
    return Estimate(
        is_exact=True,
        rows_read=totals.rows,
        rows=totals.rows,
        objects=totals.rows - totals.not_sent,
        size_bytes=totals.size_bytes,
        objects_in_parts=totals.large,
        requests=requests,
        duration_seconds=None if rate is None else _duration(facts, requests, totals, rate),
        rate=rate,
        cost=cost_of(facts.request, requests, size_bytes=totals.size_bytes, prices=prices),
        notes=_notes_of_sizes(facts, totals),
    )


def _requests(facts: JobFacts, totals: ListedTotals) -> Mapping[str, int]:
    needs = operation_for(operation_name_of(facts.request.operation)).needs(facts)
    objects = totals.rows - totals.not_sent
    whole = totals.large
    if facts.request.dry_run:
        return _foreseen(facts, needs, objects=objects, large=whole)
    found: Counter[str] = Counter()
    for kind, each in needs.requests_per_object.items():
        found[kind] += round(each * (objects - whole))
    if whole and isinstance(facts.request.operation, PutObjectCopy):
        found.update(_requests_in_parts(plan_of(facts), large=whole, parts=totals.parts))
    found[READ_BACK] += _read_back(objects, facts)
    return {kind: count for kind, count in found.items() if count}


def _foreseen(facts: JobFacts, needs: Needs, *, objects: int, large: int) -> Mapping[str, int]:
    """Of a dry run. Nothing is read back, since nothing was written."""
    found: Counter[str] = Counter()
    for kind, each in needs.foreseen_per_object.items():
        found[kind] += round(each * (objects - large))
    if large and isinstance(facts.request.operation, PutObjectCopy):
        for kind, each in copy_costs.foreseen_requests(plan_of(facts), in_parts=True).items():
            found[kind] += round(each * large)
    return {kind: count for kind, count in found.items() if count}


def _requests_in_parts(plan: CopyPlan, *, large: int, parts: int) -> Mapping[str, int]:
    """As :mod:`cosbatch.operations.copy_uploads` sends them: nothing goes along by itself."""
    is_near = plan.facts.same_store
    each = {kind for kind in copy_costs.copy_requests(plan) if kind not in _OF_ONE_REQUEST}
    each |= {copy_costs.HEAD_SOURCE, BEGIN_UPLOAD, COMPLETE_UPLOAD}
    if is_near and not plan.matches_source:
        each.add(copy_costs.HEAD_SOURCE_AGAIN)
    if plan.params.tagging_directive is not Directive.REPLACED and plan.has_source_tags:
        each.add(copy_costs.GET_SOURCE_TAGS)
    if plan.facts.target_profile.supports(Option.UPLOAD_TAGGING) is Support.APPLIED:
        each.discard(copy_costs.PUT_TARGET_TAGS)
    of_parts = {COPY_PART: parts} if is_near else {copy_costs.GET: parts, PUT_PART: parts}
    return {**dict.fromkeys(each, large), **of_parts}


_OF_ONE_REQUEST: Final = frozenset({copy_costs.COPY, copy_costs.GET, copy_costs.PUT})


def _read_back(objects: int, facts: JobFacts) -> int:
    """The engine reads the first 100 back and then 1 in 1,000, or all."""
    request = facts.request
    if request.verify is Verify.ALL:
        count = objects
    else:
        later = len(range(READ_BACK_EVERY, objects, READ_BACK_EVERY))
        count = min(objects, FIRST_READ_BACK) + later
    return count * _requests_to_read_back(facts)


def _requests_to_read_back(facts: JobFacts) -> int:
    """HEAD on the target, and on the source of a copy that has not taken its place."""
    operation = facts.request.operation
    if not isinstance(operation, PutObjectCopy):
        return 1
    return 1 if plan_of(facts).same_bucket and not operation.prefix_replace else 2


def _duration(facts: JobFacts, requests: Mapping[str, int], totals: ListedTotals, rate: Rate) -> float:
    """Bytes count where they go through us; inside a store a request takes what it takes."""
    seconds = sum(requests.values()) / rate.requests_per_second
    if facts.request.dry_run or facts.same_store or not rate.bytes_per_second or totals.size_bytes is None:
        return seconds
    return max(seconds, totals.size_bytes / rate.bytes_per_second)


def _notes_of(request: JobRequest, *, has_versions: bool) -> Iterable[str]:
    if has_versions and isinstance(request.operation, PutObjectCopy):
        yield "every version is counted; where the destination keeps one, older ones are not sent"


def _notes_of_sizes(facts: JobFacts, totals: ListedTotals) -> tuple[str, ...]:
    if totals.size_bytes is None and isinstance(facts.request.operation, PutObjectCopy):
        return ("the manifest lists no sizes: each object is counted as one that is not copied in parts",)
    return ()
