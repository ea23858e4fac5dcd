"""Pre-flight and estimate of a job that would be made of another one: of a retry by the rows that its manifest would
list, of a clone of a retry by those that the service keeps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.reader import ManifestHeader
from cosbatch.model.errors import JobFailure, ManifestFaulty, NoSuchResults
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job, JobRequest, PlanFindings
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.preflight import Preflight
from cosbatch.model.principals import Caller
from cosbatch.model.regions import Versioning
from cosbatch.operations.estimate import Estimate
from cosbatch.reports.again import TaskAgain
from cosbatch.service.audit import Record, audited
from cosbatch.service.equivalents import Equivalents, equivalents_of_clone, equivalents_of_retry
from cosbatch.service.estimates import Estimates, estimate_document
from cosbatch.service.failed_rows import failed_with
from cosbatch.service.follow_up import NO_CHANGES, CloneWanted, FollowUp, RetryWanted, none_failed
from cosbatch.service.job_checks import JobChecked, JobChecker
from cosbatch.service.rims import answering, results_kept

ROWS_TRIED: Final = 1000
"""Of the first, to find one that will write an object: as many as the engine takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryChecked:
    """All that can be said of a retry before it is made."""

    preflight: Preflight
    estimate: Estimate | None
    request: JobRequest
    """Its manifest is not written: the location says whose rows it would list."""
    equivalents: Equivalents


class FollowUpChecker:
    """By the rules of :class:`FollowUp`."""

    def __init__(
        self, follow_up: FollowUp, checker: JobChecker, *, estimates: Estimates, record: Record | None
    ) -> None:
        """``record``: the audit log."""
        self._follow_up = follow_up
        self._checker = checker
        self._estimates = estimates
        self._record = record

    @answering
    async def check_retry(
        self, job_id: JobId, *, caller: Caller, error_code: str = "", changes: Mapping[str, Any] = NO_CHANGES
    ) -> RetryChecked:
        """A failed check is an answer. What keeps the retry from being made at all is raised, as by
        :meth:`FollowUp.retry_failed`. Nothing is written; of millions that failed some are read."""
        async with audited(self._record, caller, "check-retry", target=job_id) as write:
            with results_kept():
                checked = await self._check(job_id, caller=caller, error_code=error_code, changes=changes)
            write.detail = f"{checked.preflight.outcome}"
        return checked

    async def _check(
        self, job_id: JobId, *, caller: Caller, error_code: str, changes: Mapping[str, Any]
    ) -> RetryChecked:
        wanted = await self._follow_up.retry_wanted(job_id, caller=caller, error_code=error_code, changes=changes)
        first = await _first_rows(wanted)
        if not first:
            raise none_failed(wanted.old, error_code)
        preflight = await self._checker.check_rows(
            wanted.request, first, source_bucket=wanted.findings.source_bucket, caller=caller
        )
        async with aclosing(_batches(wanted)) as batches:
            estimate = await self._estimates.of_rows(
                wanted.request,
                batches,
                findings=wanted.findings,
                whole=failed_with(wanted.old.tally, error_code),
                caller=caller,
            )
        return RetryChecked(
            preflight=preflight,
            estimate=estimate,
            request=wanted.request,
            equivalents=equivalents_of_retry(job_id, error_code=error_code, changes=changes),
        )

    @answering
    async def check_clone(
        self, job_id: JobId, *, caller: Caller, changes: Mapping[str, Any] = NO_CHANGES
    ) -> JobChecked:
        """A failed check is an answer. What keeps the clone from being made at all is raised, as by
        :meth:`FollowUp.clone_job`. Nothing is written."""
        async with audited(self._record, caller, "check-clone", target=job_id) as write:
            wanted = await self._follow_up.clone_wanted(job_id, caller=caller, changes=changes)
            if wanted.is_kept:
                with results_kept():
                    checked = await self._check_kept(wanted, caller=caller, changes=changes)
            else:
                checked = await self._checker.check_unasked(wanted.request, caller=caller)
            write.detail = f"{checked.preflight.outcome}"
        return checked

    async def _check_kept(self, wanted: CloneWanted, *, caller: Caller, changes: Mapping[str, Any]) -> JobChecked:
        header, first = await _beginning(wanted)
        preflight = await self._checker.check_rows(
            wanted.request, first, source_bucket=header.source_bucket, caller=caller
        )
        async with aclosing(_kept_batches(wanted)) as batches:
            estimate = await self._estimates.of_rows(
                wanted.request,
                batches,
                findings=wanted.old.findings or _unplanned(header),
                whole=header.listed_objects or 0,
                caller=caller,
            )
        return JobChecked(
            preflight=preflight,
            estimate=None if estimate is None else estimate_document(estimate),
            request=wanted.request,
            equivalents=equivalents_of_clone(wanted.old.id, changes=changes),
        )


class JobChecks(NamedTuple):
    """What checks jobs that are not made, and those that would be made of another one."""

    jobs: JobChecker
    follow_ups: FollowUpChecker


async def _first_rows(wanted: RetryWanted) -> list[ManifestRow]:
    async with aclosing(wanted.chunks()) as chunks:
        async for chunk in chunks:
            if chunk.rows:
                return [_row(row) for row in islice(chunk.rows, ROWS_TRIED)]
    return []


async def _batches(wanted: RetryWanted) -> AsyncGenerator[tuple[RowBatch, int], None]:
    """With how many failures each stands for."""
    async with aclosing(wanted.chunks()) as chunks:
        async for chunk in chunks:
            yield RowBatch.of_rows([_row(row) for row in chunk.rows]), chunk.failed


async def _beginning(wanted: CloneWanted) -> tuple[ManifestHeader, list[ManifestRow]]:
    """What the kept manifest is, and its first rows."""
    with _manifest_kept(wanted.old):
        reading = await wanted.read()
        async with aclosing(reading.batches()) as batches:
            return reading.header, list(islice(await anext(batches), ROWS_TRIED))


async def _kept_batches(wanted: CloneWanted) -> AsyncGenerator[tuple[RowBatch, int], None]:
    """With how many rows each has."""
    with _manifest_kept(wanted.old):
        reading = await wanted.read()
        async with aclosing(reading.batches()) as batches:
            async for batch in batches:
                yield batch, len(batch)


@contextmanager
def _manifest_kept(old: Job) -> Iterator[None]:
    """Around what reads a manifest in the work area."""
    try:
        yield
    except (JobFailure, ManifestFaulty) as error:
        raise NoSuchResults(f"the list of objects of job {old.id} cannot be read any more: {error}") from error


def _unplanned(header: ManifestHeader) -> PlanFindings:
    """Of a job whose buckets were not looked at yet: a request for an object may be missing in an estimate."""
    return PlanFindings(
        source_bucket=header.source_bucket,
        source_versioning=Versioning.NEVER,
        target_versioning=Versioning.NEVER,
        manifest_etag=header.etag,
    )


def _row(row: TaskAgain) -> ManifestRow:
    """As the reader of the manifest would give it."""
    return ManifestRow(
        key=row.key,
        version_id=row.version_id,
        size_bytes=row.size_bytes,
        is_latest=row.is_latest,
        is_delete_marker=False,
        last_modified="",
        etag="",
    )
