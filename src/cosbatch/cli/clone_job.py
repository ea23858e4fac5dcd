"""``cosbatch clone-job``."""

from __future__ import annotations

from typing import Any

import click

from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, run_async, verb
from cosbatch.cli.job_changes import changes_of, tell_made, with_changes


@verb("clone-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option("--check", "only_checks", is_flag=True, help="Make no job: check it, and show what it comes to.")
@with_changes
def clone_job(invocation: Invocation, *, job_id: str, only_checks: bool, token: str, **options: Any) -> int:
    """Make a job that asks for what another one has asked for.

    The manifest is looked at again, and it is told where it has changed. The engine that works on the data folder runs
    the job. With --check the exit code is 4 where the job would not start.
    """
    if only_checks:
        return run_async(_check(invocation, job_id=job_id, changes=changes_of(**options)))
    return run_async(_clone(invocation, job_id=job_id, token=token, changes=changes_of(**options)))


async def _clone(invocation: Invocation, *, job_id: str, token: str, changes: dict[str, Any]) -> int:
    async with invocation.open_follow_ups() as desk:
        made = await desk.clone_job(job_id, changes=changes, token=token)
    return tell_made(invocation, made)


async def _check(invocation: Invocation, *, job_id: str, changes: dict[str, Any]) -> int:
    from cosbatch.cli.check_job import tell_checked

    async with invocation.open_checks() as checks:
        checked = await checks.check_clone(job_id, changes=changes)
    return tell_checked(invocation, checked)
