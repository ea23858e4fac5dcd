"""``cosbatch delete-job``."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb


@verb("delete-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
def delete_job(invocation: Invocation, *, job_id: str) -> int:
    """Delete the records of a job that has ended.

    Its report in the bucket stays. What is left of it in the data folder goes while an engine runs.
    """
    return run_async(_delete(invocation, job_id=job_id))


async def _delete(invocation: Invocation, *, job_id: str) -> int:
    from cosbatch.cli.output import print_json

    async with invocation.open_jobs() as jobs:
        await jobs.delete_job(job_id)
    if invocation.as_json:
        print_json({"deleted": job_id})
    else:
        click.echo(f"Job {job_id} is deleted.")
    return EXIT_SUCCEEDED
