"""A job's results and its summary, as downloads and to look at."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import Field
from starlette.responses import StreamingResponse

from cosbatch.model.identifiers import JobId
from cosbatch.model.reports import ReportScope
from cosbatch.service.report_downloads import PREVIEW_MAX, Download, RowFilter, RowForm, SummaryForm, row_document
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.jobs import OneJob
from cosbatch.web.rest.shapes import View

TAG: Final = "reports"
_PREVIEW_DEFAULT: Final = 100
_ROW: Final = {
    "bucket": "logs-1250000000",
    "key": "2025/08/a b.log",
    "version_id": None,
    "status": "failed",
    "error_code": "AccessDenied",
    "http_status": 403,
    "message": "Access Denied.",
}

_SUMMARY: Final = {
    "schema_version": 1,
    "job_id": "019ac01f-7b00-7000-8000-0123456789ab",
    "status": "Complete",
    "total": 120000,
    "succeeded": 119999,
    "failed": 1,
    "not_attempted": 0,
    "failures": [{"error_code": "AccessDenied", "count": 1, "sample_keys": ["2025/08/a b.log"]}],
    "report_state": "failed",
    "report_location": None,
}
"""A part of one."""


def report_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/jobs/{job_id}/report",
            answer=download_report,
            access=Access.VIEWER,
            tag=TAG,
            summary="Download the results of a job",
            media_types=("text/csv", "application/x-ndjson"),
            refusals={409: "The results are not kept any more."},
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/report/preview",
            answer=preview_report,
            access=Access.VIEWER,
            tag=TAG,
            summary="Look at the first results of a job",
            shape=PreviewView,
            refusals={409: "The results are not kept any more."},
            example={"items": [_ROW], "has_more": True},
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/summary",
            answer=download_summary,
            access=Access.VIEWER,
            tag=TAG,
            summary="Download the summary of a job",
            shape=dict[str, Any],
            media_types=("text/csv",),
            example=_SUMMARY,
        ),
    ]


Scope = Annotated[ReportScope, Query(description="All tasks, or those that failed.")]
Code = Annotated[str, Query(max_length=1024, description="Only tasks that failed with this error code.")]


class RowView(View):
    """What became of one task."""

    bucket: str
    key: str = Field(description="Decoded.")
    version_id: str | None
    status: str = Field(description="`succeeded` or `failed`.")
    error_code: str
    http_status: int | None = Field(description="Null where no request was answered.")
    message: str


class PreviewView(View):
    items: list[RowView]
    has_more: bool


async def download_report(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    form: Annotated[RowForm, Query(alias="format", description="CSV, or one JSON object a line.")] = RowForm.CSV,
    scope: Scope = ReportScope.ALL_TASKS,
    code: Code = "",
) -> StreamingResponse:
    """All that succeeded, then all that failed, as they are now; also before the report is delivered, where it could
    not be, and of jobs without one. CSV has no header; its bytes are those of the files of a delivered report. An
    answer that breaks off is not whole."""
    rows = RowFilter(scope=scope, error_code=code)
    return _streamed(await desks.reports.report(JobId(job_id), caller=caller, form=form, rows=rows))


async def preview_report(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    scope: Scope = ReportScope.ALL_TASKS,
    code: Code = "",
    limit: Annotated[int, Query(ge=1, le=PREVIEW_MAX, description="How many rows.")] = _PREVIEW_DEFAULT,
) -> PreviewView:
    """The first rows of what `download_report` answers."""
    rows = RowFilter(scope=scope, error_code=code)
    found = await desks.reports.preview(JobId(job_id), caller=caller, limit=limit, rows=rows)
    return PreviewView(items=[RowView(**row_document(row)) for row in found.rows], has_more=found.has_more)


async def download_summary(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    form: Annotated[
        SummaryForm, Query(alias="format", description="JSON, or CSV of two columns with a header, without lists.")
    ] = SummaryForm.JSON,
) -> StreamingResponse:
    """What `summary.json` of the report says, or would say now: totals, times, rates, failures by code, and the ranges
    of tasks that were not attempted."""
    return _streamed(await desks.reports.summary(JobId(job_id), caller=caller, form=form))


def _streamed(download: Download) -> StreamingResponse:
    """A browser saves it, and does not look into it for what else it may be."""
    headers = {
        "content-disposition": f'attachment; filename="{download.file_name}"',
        "content-type": download.media_type,
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(download.blocks, headers=headers)
