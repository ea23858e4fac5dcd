"""``cosbatch list-jobs``."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, WITH_ACCOUNT, Invocation, run_async, verb
from cosbatch.model.states import JobStatus


@verb("list-jobs", shared=WITH_ACCOUNT)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in JobStatus], case_sensitive=False),
    help="Only jobs in this status; may be given several times.",
)
@click.option("--region", default=None, help="Only jobs of this region.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many jobs.")
@click.option("--after", "next_token", default="", metavar="TOKEN", help="Go on where an earlier list ended.")
def list_jobs(
    invocation: Invocation, *, statuses: tuple[str, ...], region: str | None, limit: int, next_token: str
) -> int:
    """List jobs, newest first."""
    return run_async(_list(invocation, statuses=statuses, region=region, limit=limit, next_token=next_token))


async def _list(
    invocation: Invocation, *, statuses: tuple[str, ...], region: str | None, limit: int, next_token: str
) -> int:
    from cosbatch.cli.job_page import LIST_HEADER, list_row
    from cosbatch.cli.jobs_port import ListedJobs
    from cosbatch.cli.output import print_json, table
    from cosbatch.service.job_document import summary_document
    from cosbatch.service.people_names import check_account

    page = ListedJobs((), "")
    if invocation.may_have_jobs():
        async with invocation.open_jobs() as jobs:
            page = await jobs.list_jobs(
                region=region,
                statuses=[JobStatus(status) for status in statuses],
                max_results=limit,
                next_token=next_token,
            )
    else:
        check_account(invocation.account_name, known=())
    if invocation.as_json:
        print_json({"jobs": [summary_document(job) for job in page.jobs], "next_token": page.next_token})
        return EXIT_SUCCEEDED
    click.echo(table(LIST_HEADER, [list_row(job) for job in page.jobs]) if page.jobs else "No jobs.")
    if page.next_token:
        click.echo(f"More: --after {page.next_token}", err=True)
    return EXIT_SUCCEEDED
