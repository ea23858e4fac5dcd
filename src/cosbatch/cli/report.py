"""``cosbatch report``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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
            with _new_file(output) as file:
                await ask(file.write)
            click.echo(f"Written to {output}", err=True)
    return EXIT_SUCCEEDED


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A report that does not come whole leaves no file: the same command can be given again."""
    try:
        file = path.open("xb")
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> Exception:
    from cosbatch.model.errors import Fault, InvalidArgument

    problem = f"cannot be written: {error.strerror or error}"
    fault = Fault(path="--output", value=str(path), problem=problem, way_out="name another file")
    return InvalidArgument("the report cannot be written", faults=[fault])
