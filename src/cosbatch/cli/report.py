"""``cosbatch report``."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb


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
    async with invocation.open_results() as results:

        async def ask(write: Callable[[bytes], object]) -> None:
            if wants_summary:
                await results.summary(job_id, write, as_json=invocation.as_json)
            else:
                await results.report(
                    job_id, write, as_json=invocation.as_json, only_failed=only_failed, error_code=error_code
                )

        if output is None:
            await ask(sys.stdout.buffer.write)
            sys.stdout.buffer.flush()
        else:
            await _into_file(output, ask)
            click.echo(f"Written to {output}", err=True)
    return EXIT_SUCCEEDED


async def _into_file(path: Path, ask: Callable[[Callable[[bytes], object]], Awaitable[None]]) -> None:
    from cosbatch.model.errors import Fault, InvalidArgument

    try:
        with path.open("xb") as file:
            await ask(file.write)
    except OSError as error:
        problem = f"cannot be written: {error.strerror or error}"
        fault = Fault(path="--output", value=str(path), problem=problem, way_out="name another file")
        raise InvalidArgument("the report cannot be written", faults=[fault]) from error
