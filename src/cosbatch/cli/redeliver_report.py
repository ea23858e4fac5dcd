"""``cosbatch redeliver-report``."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb


@verb("redeliver-report", shared=WITH_ACCOUNT)
@click.argument("job_id")
def redeliver_report(invocation: Invocation, *, job_id: str) -> int:
    """Deliver the report of a job once more.

    Of a job that has ended, whether its report could be delivered or not. The engine that works on the data folder does
    it; describe-job shows what comes of it.
    """
    return run_async(_redeliver(invocation, job_id=job_id))


async def _redeliver(invocation: Invocation, *, job_id: str) -> int:
    from cosbatch.cli.job_page import report
    from cosbatch.cli.output import print_json
    from cosbatch.service.job_document import job_document

    async with invocation.open_follow_ups() as desk:
        job = await desk.redeliver_report(job_id)
    if invocation.as_json:
        print_json(job_document(job))
    else:
        click.echo(f"Job {job.id} is {job.status}; its report: {report(job)}")
    return EXIT_SUCCEEDED
