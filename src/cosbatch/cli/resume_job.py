"""``cosbatch resume-job``, in short ``resume``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import Invocation, verb
from cosbatch.model.identifiers import JobId
from cosbatch.model.principals import LOCAL_CALLER


@verb("resume-job")
@click.argument("job_id")
@click.option("--reason", default="", help="Kept with the job, up to 256 bytes.")
def resume_job(invocation: Invocation, *, job_id: str, reason: str) -> int:
    """Resume a job that was paused."""
    return change_job(
        invocation, ask=lambda service: service.resume_job(JobId(job_id), caller=LOCAL_CALLER, reason=reason)
    )
