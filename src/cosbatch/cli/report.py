"""``cosbatch report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.service.report_downloads import Download, ReportDownloads


@verb("report", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option("--failed", "only_failed", is_flag=True, help="Only tasks that failed.")
@click.option("--code", "error_code", default="", help="Only tasks that failed with this error code.")
@click.option("--summary", "wants_summary", is_flag=True, help="Totals and failures by code instead of the rows.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write it to this file, which must not be there yet. Default: standard output.",
)
def report(
    invocation: Invocation,
    *,
    job_id: str,
    only_failed: bool,
    error_code: str,
    wants_summary: bool,
    output: Path | None,
) -> int:
    """Print what became of each task of a job, or a summary.

    CSV, as in a delivered report: bucket, key (percent-encoded), version, status, error code, HTTP status, message;
    with --json one JSON object a line. It works before the report is delivered, and where it could not be.
    """
    return run_async(
        _report(
            invocation,
            job_id=job_id,
            only_failed=only_failed,
            error_code=error_code,
            wants_summary=wants_summary,
            output=output,
        )
    )


async def _report(
    invocation: Invocation,
    *,
    job_id: str,
    only_failed: bool,
    error_code: str,
    wants_summary: bool,
    output: Path | None,
) -> int:
    async with invocation.wiring.open_report_downloads(invocation.state_folder) as desk:
        if wants_summary:
            download = await _summary(desk, invocation, job_id)
        else:
            download = await _rows(desk, invocation, job_id, only_failed=only_failed, error_code=error_code)
        if output is None:
            await _write(download, sys.stdout.buffer)
        else:
            await _write_file(download, output)
            click.echo(f"Written to {output}", err=True)
    return EXIT_SUCCEEDED


async def _summary(desk: ReportDownloads, invocation: Invocation, job_id: str) -> Download:
    from cosbatch.model.identifiers import JobId
    from cosbatch.service.report_downloads import SummaryForm

    form = SummaryForm.JSON if invocation.as_json else SummaryForm.CSV
    return await desk.summary(JobId(job_id), caller=invocation.caller, form=form)


async def _rows(
    desk: ReportDownloads, invocation: Invocation, job_id: str, *, only_failed: bool, error_code: str
) -> Download:
    from cosbatch.model.identifiers import JobId
    from cosbatch.model.reports import ReportScope
    from cosbatch.service.report_downloads import RowFilter, RowForm

    scope = ReportScope.FAILED_TASKS_ONLY if only_failed else ReportScope.ALL_TASKS
    return await desk.report(
        JobId(job_id),
        caller=invocation.caller,
        form=RowForm.JSON_LINES if invocation.as_json else RowForm.CSV,
        rows=RowFilter(scope=scope, error_code=error_code),
    )


async def _write(download: Download, file: BinaryIO) -> None:
    async for block in download.blocks:
        file.write(block)
    file.flush()


async def _write_file(download: Download, path: Path) -> None:
    from cosbatch.model.errors import Fault, InvalidArgument

    try:
        with path.open("xb") as file:
            await _write(download, file)
    except OSError as error:
        problem = f"cannot be written: {error.strerror or error}"
        fault = Fault(path="--output", value=str(path), problem=problem, way_out="name another file")
        raise InvalidArgument("the report cannot be written", faults=[fault]) from error
