"""``cosbatch run``: a job file from start to end, or on from where it was."""

from __future__ import annotations

from pathlib import Path

import click

from cosbatch.cli import program
from cosbatch.cli.invocation import WITH_SERVICE, Invocation, verb


@verb("run", shared=WITH_SERVICE)
@click.argument("job_file", metavar="JOB.yaml", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", "is_confirmed", is_flag=True, help="Do not ask before the first object is touched.")
@click.option(
    "--confirm-count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of a deletion: how many objects it may delete at most; needed with --yes where the file does not say it.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing but the report: what would become of each object.")
@click.option("--again", is_flag=True, help="Run anew what has run to its end before.")
def run(
    invocation: Invocation,
    *,
    job_file: Path,
    is_confirmed: bool,
    confirm_count: int | None,
    dry_run: bool,
    again: bool,
) -> int:
    """Run the job of a file from start to end, or go on with it.

    The same command goes on with a run that was stopped, and repeats the totals of one that has ended. A run is known
    by the content of the file and the manifest's ETag.
    """
    login = invocation.login
    if login is not None:
        from cosbatch.cli.run_remote import run_job_file_remotely

        return run_job_file_remotely(
            invocation,
            login,
            job_file=job_file,
            is_confirmed=is_confirmed,
            confirm_count=confirm_count,
            dry_run=dry_run,
            again=again,
        )
    program.import_log()
    from cosbatch.cli.run_session import run_job_file

    return run_job_file(
        invocation,
        job_file=job_file,
        is_confirmed=is_confirmed,
        confirm_count=confirm_count,
        dry_run=dry_run,
        again=again,
    )
