"""What the verbs that change a job have in common: ask for it, show where the job is now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, run_async

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.cli.jobs_port import Jobs
    from cosbatch.model.jobs import Job


def change_job(invocation: Invocation, *, ask: Callable[[Jobs], Awaitable[Job]]) -> int:
    return run_async(_change(invocation, ask=ask))


async def _change(invocation: Invocation, *, ask: Callable[[Jobs], Awaitable[Job]]) -> int:
    from cosbatch.cli.output import print_json
    from cosbatch.service.job_document import job_document

    async with invocation.open_jobs() as jobs:
        job = await ask(jobs)
    if invocation.as_json:
        print_json(job_document(job))
    else:
        click.echo(f"Job {job.id} is {job.status}, priority {job.priority}")
    return EXIT_SUCCEEDED
