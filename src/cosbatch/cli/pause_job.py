"""``cosbatch pause-job``, in short ``pause``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, verb


@verb("pause-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option("--reason", default="", help="Kept with the job, up to 256 bytes.")
def pause_job(invocation: Invocation, *, job_id: str, reason: str) -> int:
    """Pause an active job until it is resumed."""
    return change_job(invocation, ask=lambda jobs: jobs.pause_job(job_id, reason=reason))
