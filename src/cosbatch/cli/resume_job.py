"""``cosbatch resume-job``, in short ``resume``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, verb


@verb("resume-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option("--reason", default="", help="Kept with the job, up to 256 bytes.")
def resume_job(invocation: Invocation, *, job_id: str, reason: str) -> int:
    """Resume a job that was paused."""
    return change_job(invocation, ask=lambda jobs: jobs.resume_job(job_id, reason=reason))
