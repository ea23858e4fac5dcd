"""What failed in a job that has ended, as rows of a manifest: read from what its report parts keep."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from cosbatch.ledger.port import CommittedPart, JobLedger
from cosbatch.model.errors import NoSuchResults
from cosbatch.model.identifiers import JobId
from cosbatch.model.manifests import FailedRows
from cosbatch.model.reports import OTHER_CODES, Tally
from cosbatch.model.tasks import OutcomeCode
from cosbatch.reports.again import TaskAgain, TaskKept, decode_again, rows_again
from cosbatch.reports.seal import BEFORE_ALL, parts_of, read_part
from cosbatch.storage.spool import Spool

KEPT_ELSEWHERE: Final = "make a job of its report: a report is a manifest as it stands"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedChunk:
    """Of one chunk of a job."""

    rows: list[TaskAgain]
    """To be done again, in order of the manifest: what failed, and newer versions of the same keys that succeeded."""
    failed: int
    """Tasks that are meant, by the ledger's count: see :func:`failed_with`."""


async def failed_chunks(failed: FailedRows, *, ledger: JobLedger, spool: Spool) -> AsyncGenerator[FailedChunk, None]:
    """A chunk at a time: versions of one key are never in two. Chunks without failures that are meant are not read.

    Raises NoSuchResults where an earlier cosbatch kept them, SpoolError where they are gone or damaged."""
    async for parts in _chunks(failed.job_id, ledger):
        count = sum(failed_with(one.part.tally, failed.error_code) for one in parts)
        if count:
            kept = await _kept_of(parts, spool)
            yield FailedChunk(rows=rows_again(kept, error_code=failed.error_code), failed=count)


def failed_with(tally: Tally, error_code: str) -> int:
    """How many tasks failed so, at most; with an empty code all that failed and had been sent. Codes that have no place
    of their own in a tally are counted as if each of them were meant."""
    if error_code:
        found = tally.codes.get(error_code) or tally.codes.get(OTHER_CODES)
        return found.count if found else 0
    never_sent = tally.codes.get(OutcomeCode.NOT_LATEST_VERSION)
    return tally.failed - (never_sent.count if never_sent else 0)


async def _chunks(job_id: JobId, ledger: JobLedger) -> AsyncGenerator[list[CommittedPart], None]:
    """All parts of one chunk together."""
    parts: list[CommittedPart] = []
    async for _, committed in parts_of(ledger, job_id)(BEFORE_ALL):
        if parts and parts[0].seq != committed.seq:
            yield parts
            parts = []
        parts.append(committed)
    if parts:
        yield parts


async def _kept_of(parts: list[CommittedPart], spool: Spool) -> list[TaskKept]:
    kept: list[TaskKept] = []
    for committed in parts:
        block = (await read_part(spool, committed)).again
        if block is None:
            why = "the results of this job were kept by an earlier cosbatch, without what a retry needs"
            raise NoSuchResults(f"{why}; {KEPT_ELSEWHERE}")
        kept += decode_again(block)
    return kept
