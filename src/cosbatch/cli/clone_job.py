"""``cosbatch clone-job``."""

from __future__ import annotations

from typing import Any

import click

from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, run_async, verb
from cosbatch.cli.job_changes import changes_of, tell_made, with_changes


@verb("clone-job", shared=WITH_ACCOUNT)
@click.argument("job_id")
@with_changes
def clone_job(invocation: Invocation, *, job_id: str, token: str, **options: Any) -> int:
    """Make a job that asks for what another one has asked for.

    The manifest is looked at again, and it is told where it has changed. The engine that works on the data folder runs
    the job.
    """
    return run_async(_clone(invocation, job_id=job_id, token=token, changes=changes_of(**options)))


async def _clone(invocation: Invocation, *, job_id: str, token: str, changes: dict[str, Any]) -> int:
    async with invocation.open_follow_ups() as desk:
        made = await desk.clone_job(job_id, changes=changes, token=token)
    return tell_made(invocation, made)
