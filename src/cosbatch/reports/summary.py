"""summary.json: what a job came to, for people and scripts, beside the rows of the report.

Everything in it comes from the job and its chunks, nothing from the moment of writing: a second seal writes the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final, Protocol

from cosbatch.ledger.port import ChunkState
from cosbatch.ledger.rules import failure_of
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import ManifestLocation
from cosbatch.model.reports import Tally
from cosbatch.model.states import ENDS_IN, JobStatus
from cosbatch.model.tasks import UploadRecord
from cosbatch.reports.long_json import LongObject
from cosbatch.reports.seal import iso_time

SCHEMA_VERSION: Final = 1
RANGES: Final = "not_attempted_ranges"

ChunkSource = Callable[[], AsyncIterator[ChunkState]]
"""A job's chunks in order of the tasks, the same each time; called several times."""


class ChunkPages(Protocol):
    """What a summary asks of the ledger."""

    async def chunk_states(self, job_id: JobId, *, after_seq: int) -> list[ChunkState]: ...


def report_time(job: Job) -> float:
    """When the job's work ended: the same each time the job is sealed, so it dates the report. Unix seconds."""
    return job.changed_at if job.ended_at is None else job.ended_at


def chunk_states_of(ledger: ChunkPages, job_id: JobId) -> ChunkSource:
    """A job's chunks page by page."""

    async def in_order() -> AsyncIterator[ChunkState]:
        after = -1
        while page := await ledger.chunk_states(job_id, after_seq=after):
            for chunk in page:
                yield chunk
            after = page[-1].seq

    return in_order


async def build_summary(
    job: Job,
    *,
    chunk_states: ChunkSource,
    unfinished_uploads: Iterable[UploadRecord] = (),
    created_at: float,
) -> LongObject:
    """What summary.json says, without the list of files, which sealing adds.

    ``created_at`` is :func:`report_time`'s. ``not_attempted_ranges`` are pairs ``[first, end)`` of task numbers that
    were never sent, read from the chunks while they are written, as there may be one for every other task; a job that
    ended before its plan was complete has no total, and its last range is open: ``[planned_rows, null]``.
    """
    ended_at = created_at if job.ended_at is None else job.ended_at
    tally = job.tally
    fields: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        **_identity_of(job),
        **_dry_run_of(job),
        "status": ENDS_IN.get(job.status, job.status).value,
        "status_reason": job.status_reason,
        "failure_code": job.failure_code.value if job.failure_code else None,
        "failure_reason": job.failure_reason,
        **_times_of(job, ended_at=ended_at),
        "total": job.total,
        "planned_rows": job.planned_rows,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "not_attempted": None if job.total is None else await _unsettled_count(chunk_states),
        RANGES: [],
        "failures": _failures_of(tally),
        "ignored_options": dict(sorted(tally.ignored_options.items())),
        **_rates_of(job, ended_at=ended_at),
        "unfinished_uploads": [_upload_entry(record) for record in unfinished_uploads],
    }

    async def ranges() -> AsyncIterator[tuple[int, int | None]]:
        async for closed in _unsettled_ranges(chunk_states):
            yield closed
        if job.total is None:
            yield job.planned_rows, None

    return LongObject(fields=fields, list_name=RANGES, entries=ranges)


async def _unsettled_count(chunk_states: ChunkSource) -> int:
    count = 0
    async for first, end in _unsettled_ranges(chunk_states):
        count += end - first
    return count


async def _unsettled_ranges(chunk_states: ChunkSource) -> AsyncIterator[tuple[int, int]]:
    """Neighbours become one range, also across chunks, so there are as many as there are gaps in the work."""
    last: tuple[int, int] | None = None
    async for chunk in chunk_states():
        if chunk.settled.is_full():
            continue
        unsettled = Bitmap.full(chunk.task_count) - chunk.settled
        for first, end in unsettled.ranges(offset=chunk.first_task):
            if last is not None and last[1] == first:
                last = (last[0], end)
                continue
            if last is not None:
                yield last
            last = (first, end)
    if last is not None:
        yield last


def _identity_of(job: Job) -> dict[str, object]:
    request, location = job.request, job.request.manifest.location
    return {
        "job_id": job.id,
        "account": job.account,
        "operation": job.operation_name.value,
        "region": request.region,
        "description": request.description,
        "manifest": {
            "bucket": location.bucket,
            "key": location.key,
            "version_id": location.version_id,
            "etag": job.findings.manifest_etag if job.findings else location.etag,
            "format": request.manifest.spec.format.value,
            **_failed_rows_of(location),
        },
    }


def _failed_rows_of(location: ManifestLocation) -> dict[str, object]:
    """Of a manifest in the work area only."""
    failed = location.retry_of
    return {} if failed is None else {"retry_of": {"job_id": failed.job_id, "error_code": failed.error_code or None}}


def _dry_run_of(job: Job) -> dict[str, object]:
    """Of a dry run also what its rows do not say: how many share their target, and whether the run would be stopped."""
    if not job.request.dry_run:
        return {"dry_run": False}
    stop = failure_of(JobStatus.ACTIVE, job.tally, total=job.total, threshold=job.request.failure_threshold)
    return {
        "dry_run": True,
        "shared_targets": job.findings.shared_targets if job.findings else None,
        "would_exceed_failure_threshold": stop is not None,
    }


def _times_of(job: Job, *, ended_at: float) -> dict[str, object]:
    """The seconds before the first object, and from then to the end."""
    started_at = job.started_at
    return {
        "created_at": iso_time(job.created_at),
        "started_at": iso_time(started_at) if started_at is not None else None,
        "ended_at": iso_time(ended_at),
        "waiting_seconds": _seconds(job.created_at, started_at if started_at is not None else ended_at),
        "running_seconds": _seconds(started_at, ended_at) if started_at is not None else 0.0,
    }


def _rates_of(job: Job, *, ended_at: float) -> dict[str, object]:
    """Averages over the whole time since the job was first active, pauses included; null where they mean nothing."""
    tally = job.tally
    executed = tally.succeeded + tally.failed
    seconds = _seconds(job.started_at, ended_at) if job.started_at is not None else 0.0
    return {
        "bytes": tally.bytes_done,
        "requests": tally.requests,
        "requests_per_object": _share(tally.requests, executed),
        "objects_per_second": _share(executed, seconds),
        "bytes_per_second": _share(tally.bytes_done, seconds),
    }


def _failures_of(tally: Tally) -> Sequence[dict[str, object]]:
    """The most frequent code first."""
    ordered = sorted(tally.codes.items(), key=lambda entry: (-entry[1].count, entry[0]))
    return [{"error_code": code, "count": one.count, "sample_keys": list(one.samples)} for code, one in ordered]


def _upload_entry(record: UploadRecord) -> dict[str, object]:
    return {
        "task": record.task_number if record.task_number >= 0 else None,  # a check of the plan, no task
        "bucket": record.target.bucket,
        "key": record.target.key,
        "upload_id": record.doubted_id or record.upload_id,
        "certain": not record.doubted_id,  # else it may be somebody else's, and was left for that
    }


def _seconds(start: float, end: float) -> float:
    return round(max(0.0, end - start), 3)


def _share(amount: float, of: float) -> float | None:
    return round(amount / of, 3) if of else None
