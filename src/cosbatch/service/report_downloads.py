"""A job's results and its summary as they are now, from what the service keeps: before the report is delivered, where
it could not be, and of jobs that ask for none.

Rows are those of the report, byte by byte: all that succeeded, then all that failed. Keys are percent-encoded in CSV
and decoded in JSON. What a spreadsheet takes for a formula is a key here, and stays as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote

from cosbatch.ledger.port import JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Job
from cosbatch.model.principals import Caller
from cosbatch.model.reports import ReportScope
from cosbatch.model.tasks import TaskStatus
from cosbatch.reports.long_json import LongObject, blocks_of
from cosbatch.reports.rows import encode_field
from cosbatch.reports.seal import BEFORE_ALL, parts_of, read_part, rows_in, statuses_of
from cosbatch.reports.summary import RANGES, build_summary, chunk_states_of, report_time
from cosbatch.service.rims import answering, results_kept
from cosbatch.storage.spool import Spool

PREVIEW_MAX: Final = 1000
CSV_TYPE: Final = "text/csv; charset=utf-8"
_LISTS: Final = frozenset({RANGES, "failures", "unfinished_uploads"})


class RowForm(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"


class SummaryForm(StrEnum):
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows of a report are meant."""

    scope: ReportScope = ReportScope.ALL_TASKS
    error_code: str = ""
    """Only tasks that failed so; then the scope says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file for somebody who asks for it. Take its blocks once."""

    file_name: str
    media_type: str
    blocks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    bucket: str
    key: str
    """Decoded."""
    version_id: str | None
    status: str
    """The report's word for it."""
    error_code: str
    http_status: int | None
    """None where no request was answered."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    rows: tuple[ReportRow, ...]
    has_more: bool


EVERY_ROW: Final = RowFilter()


class ReportDownloads:
    """Reading is for everybody in the account, viewers too. Memory does not grow with a job.

    Of a job that has not ended the results are those that were committed when it was asked, and perhaps some later
    ones."""

    def __init__(self, ledger: JobLedger, *, spool: Spool, clock: Clock) -> None:
        self._ledger = ledger
        self._spool = spool
        self._clock = clock

    @answering
    async def report(
        self, job_id: JobId, *, caller: Caller, form: RowForm = RowForm.CSV, rows: RowFilter = EVERY_ROW
    ) -> Download:
        """The rows as one file, without a header: empty where there are none.

        Raises NoSuchJob, and NoSuchResults where they are not kept any more. What goes wrong later on breaks the blocks
        off with a SpoolError or LedgerUnavailable.
        """
        await self._ledger.job(job_id, account=caller.account.id)
        blocks = self._blocks(job_id, rows)
        if form is RowForm.JSON_LINES:
            blocks = _as_json_lines(blocks)
        kind = "failed" if rows.error_code or rows.scope is ReportScope.FAILED_TASKS_ONLY else "results"
        return Download(
            file_name=f"job-{job_id}-{kind}.{form.value}",
            media_type=CSV_TYPE if form is RowForm.CSV else "application/x-ndjson",
            blocks=await _begun(blocks),
        )

    @answering
    async def preview(self, job_id: JobId, *, caller: Caller, limit: int, rows: RowFilter = EVERY_ROW) -> Preview:
        """The first ``limit`` rows, 1 to 1000. Raises like :meth:`report`."""
        if not 1 <= limit <= PREVIEW_MAX:
            problem, way_out = "is out of range", f"write 1 to {PREVIEW_MAX}"
            fault = Fault(path="limit", value=str(limit), problem=problem, way_out=way_out)
            raise InvalidArgument("the preview cannot be made", faults=[fault])
        await self._ledger.job(job_id, account=caller.account.id)
        found: list[ReportRow] = []
        with results_kept():
            async for block in self._blocks(job_id, rows):
                found += [_row_of(cells) for cells in _cells_of(block)]
                if len(found) > limit:
                    break
        return Preview(rows=tuple(found[:limit]), has_more=len(found) > limit)

    @answering
    async def summary(self, job_id: JobId, *, caller: Caller, form: SummaryForm = SummaryForm.JSON) -> Download:
        """What summary.json of the report says or would say now; as CSV, two columns with a header, without what is a
        list of its own length. Raises NoSuchJob."""
        job = await self._ledger.job(job_id, account=caller.account.id)
        content = await self._summary_of(job)
        is_json = form is SummaryForm.JSON
        return Download(
            file_name=f"job-{job_id}-summary.{form.value}",
            media_type="application/json" if is_json else CSV_TYPE,
            blocks=await _begun(blocks_of(content) if is_json else _as_table(content)),
        )

    async def _summary_of(self, job: Job) -> LongObject:
        """A job that has not ended has no end yet, and no final status."""
        has_ended = job.ended_at is not None
        content = await build_summary(
            job,
            chunk_states=chunk_states_of(self._ledger, job.id),
            unfinished_uploads=await self._ledger.uploads(job.id),
            created_at=report_time(job) if has_ended else self._clock.now(),
        )
        own: dict[str, object] = {
            "status": job.status.value,
            "report_state": job.report_state.value,
            "report_location": job.report_location or None,
        }
        return replace(content, fields={**content.fields, **own} | ({} if has_ended else {"ended_at": None}))

    async def _blocks(self, job_id: JobId, rows: RowFilter) -> AsyncIterator[bytes]:
        """Whole rows, a part at a time."""
        scope = ReportScope.FAILED_TASKS_ONLY if rows.error_code else rows.scope
        for status in statuses_of(scope):
            async for _, committed in parts_of(self._ledger, job_id)(BEFORE_ALL):
                if not rows_in(committed, status):
                    continue
                blocks = await read_part(self._spool, committed)
                block = blocks.succeeded if status is TaskStatus.SUCCEEDED else blocks.failed
                if rows.error_code:
                    block = _with_code(block, rows.error_code)
                if block:
                    yield block


async def _begun(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """With the first block read: what is wrong from the start is an answer of its own, and no broken file."""
    with results_kept():
        first = await anext(blocks, b"")

    async def all_blocks() -> AsyncIterator[bytes]:
        yield first
        async for block in blocks:
            yield block

    return all_blocks()


def _cells_of(block: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(block.decode(), newline=""), strict=True)


def _with_code(block: bytes, error_code: str) -> bytes:
    """The rows that failed so, written as the report writes them."""
    rows = [",".join(map(encode_field, cells)) for cells in _cells_of(block) if cells[4] == error_code]
    return "".join(f"{row}\n" for row in rows).encode()


def _row_of(cells: Sequence[str]) -> ReportRow:
    bucket, key, version, status, code, http_status, message = cells
    return ReportRow(
        bucket=bucket,
        key=unquote(key),
        version_id=version or None,
        status=status,
        error_code=code,
        http_status=int(http_status) if http_status else None,
        message=message,
    )


def row_document(row: ReportRow) -> dict[str, Any]:
    return {
        "bucket": row.bucket,
        "key": row.key,
        "version_id": row.version_id,
        "status": row.status,
        "error_code": row.error_code,
        "http_status": row.http_status,
        "message": row.message,
    }


async def _as_json_lines(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for block in blocks:
        documents = (row_document(_row_of(cells)) for cells in _cells_of(block))
        yield "".join(f"{json.dumps(document, ensure_ascii=False)}\n" for document in documents).encode()


async def _as_table(content: LongObject) -> AsyncIterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("field", "value"))
    writer.writerows(_flat(content.fields))
    failures = content.fields["failures"]
    assert isinstance(failures, list)
    writer.writerows((f"failures.{one['error_code']}", one["count"]) for one in failures)
    yield text.getvalue().encode("utf-8", "backslashreplace")


def _flat(fields: Mapping[str, Any], *, above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if name in _LISTS:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, above=f"{above}{name}.")
        else:
            yield f"{above}{name}", _cell_of(value)


def _cell_of(value: object) -> object:
    """Words as JSON has them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value
