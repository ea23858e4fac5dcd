"""``cosbatch describe-job``."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb


@verb("describe-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
def describe_job(invocation: Invocation, *, job_id: str) -> int:
    """Show a job: progress, failures, settings, events."""
    return run_async(_describe(invocation, job_id=job_id))


async def _describe(invocation: Invocation, *, job_id: str) -> int:
    from cosbatch.cli.job_page import describe
    from cosbatch.cli.output import print_json
    from cosbatch.service.job_document import event_document, job_document

    async with invocation.open_jobs() as jobs:
        job = await jobs.describe_job(job_id)
        events = await jobs.job_events(job_id)
    if invocation.as_json:
        print_json(job_document(job) | {"events": [event_document(event) for event in events]})
    else:
        click.echo(describe(job, events=events))
    return EXIT_SUCCEEDED
