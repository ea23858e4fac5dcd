"""``cosbatch retry-failed``."""

from __future__ import annotations

from typing import Any

import click

from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, run_async, verb
from cosbatch.cli.job_changes import changes_of, tell_made, with_changes


@verb("retry-failed", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option("--code", "error_code", default="", help="Only what failed with this error code.")
@click.option("--check", "only_checks", is_flag=True, help="Make no job: check it, and show what it comes to.")
@with_changes
def retry_failed(
    invocation: Invocation, *, job_id: str, error_code: str, only_checks: bool, token: str, **options: Any
) -> int:
    """Make a job of what has failed in one that has ended.

    It does to the same objects, and to the same versions of them, what the old job was to do. The engine that works on
    the data folder runs it. Older versions that were never sent (NotLatestVersion) are not part of it. With --check the
    exit code is 4 where the job would not start.
    """
    if only_checks:
        return run_async(_check(invocation, job_id=job_id, error_code=error_code, changes=changes_of(**options)))
    return run_async(
        _retry(invocation, job_id=job_id, error_code=error_code, token=token, changes=changes_of(**options))
    )


async def _retry(invocation: Invocation, *, job_id: str, error_code: str, token: str, changes: dict[str, Any]) -> int:
    async with invocation.open_follow_ups() as desk:
        made = await desk.retry_failed(job_id, error_code=error_code, changes=changes, token=token)
    return tell_made(invocation, made)


async def _check(invocation: Invocation, *, job_id: str, error_code: str, changes: dict[str, Any]) -> int:
    from cosbatch.cli.check_job import tell_checked

    async with invocation.open_checks() as checks:
        checked = await checks.check_retry(job_id, error_code=error_code, changes=changes)
    return tell_checked(invocation, checked)
