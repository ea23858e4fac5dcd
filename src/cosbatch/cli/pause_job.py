"""``cosbatch pause-job``, in short ``pause``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import Invocation, verb
from cosbatch.model.identifiers import JobId
from cosbatch.model.principals import LOCAL_CALLER


@verb("pause-job")
@click.argument("job_id")
@click.option("--reason", default="", help="Kept with the job, up to 256 bytes.")
def pause_job(invocation: Invocation, *, job_id: str, reason: str) -> int:
    """Pause an active job until it is resumed."""
    return change_job(
        invocation, ask=lambda service: service.pause_job(JobId(job_id), caller=LOCAL_CALLER, reason=reason)
    )
