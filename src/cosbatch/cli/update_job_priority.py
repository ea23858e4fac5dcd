"""``cosbatch update-job-priority``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, verb
from cosbatch.model.jobs import PRIORITY_MAX


@verb("update-job-priority", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.argument("priority", type=click.IntRange(1, PRIORITY_MAX))
def update_job_priority(invocation: Invocation, *, job_id: str, priority: int) -> int:
    """Change a job's priority. Greater runs first; it counts at once."""
    return change_job(invocation, ask=lambda jobs: jobs.update_job_priority(job_id, priority=priority))
