"""``cosbatch pause-job``, in short ``pause``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, verb
from cosbatch.model.identifiers import JobId


@verb("pause-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option("--reason", default="", help="Kept with the job, up to 256 bytes.")
def pause_job(invocation: Invocation, *, job_id: str, reason: str) -> int:
    """Pause an active job until it is resumed."""
    return change_job(
        invocation, ask=lambda service: service.pause_job(JobId(job_id), caller=invocation.caller, reason=reason)
    )
