"""Pre-flight and estimate of a retry that is not made: of the rows that its manifest would list."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

from cosbatch.manifests.plain import RowBatch
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.preflight import Preflight
from cosbatch.model.principals import Caller
from cosbatch.operations.estimate import Estimate
from cosbatch.reports.again import TaskAgain
from cosbatch.service.audit import Record, audited
from cosbatch.service.estimates import Estimates
from cosbatch.service.failed_rows import failed_with
from cosbatch.service.follow_up import NO_CHANGES, FollowUp, RetryWanted, none_failed
from cosbatch.service.job_checks import JobChecker
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


class RetryChecker:
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
        return RetryChecked(preflight=preflight, estimate=estimate, request=wanted.request)


class JobChecks(NamedTuple):
    """What checks jobs that are not made, and retries."""

    jobs: JobChecker
    retries: RetryChecker


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
