"""``cosbatch update-job-status``, and its two short words ``confirm`` and ``cancel``."""

from __future__ import annotations

import click

from cosbatch.cli.change import change_job
from cosbatch.cli.invocation import WITH_ACCOUNT, Invocation, verb
from cosbatch.model.states import JobStatus

_count = click.option(
    "--confirm-count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of a deletion that says no count itself: how many objects it deletes at most.",
)
_reason = click.option("--reason", default="", help="Kept with the job, up to 256 bytes.")


@verb("update-job-status", shared=WITH_ACCOUNT)
@click.argument("job_id")
@click.option(
    "--to",
    "requested",
    required=True,
    type=click.Choice([JobStatus.READY.value, JobStatus.CANCELLED.value]),
    help="Ready confirms a suspended job, Cancelled cancels.",
)
@_count
@_reason
def update_job_status(
    invocation: Invocation, *, job_id: str, requested: str, confirm_count: int | None, reason: str
) -> int:
    """Confirm or cancel a job."""
    return _update(invocation, job_id=job_id, to=JobStatus(requested), reason=reason, count=confirm_count)


@verb("confirm", shared=WITH_ACCOUNT)
@click.argument("job_id")
@_count
@_reason
def confirm(invocation: Invocation, *, job_id: str, confirm_count: int | None, reason: str) -> int:
    """Confirm a suspended job (update-job-status --to Ready)."""
    return _update(invocation, job_id=job_id, to=JobStatus.READY, reason=reason, count=confirm_count)


@verb("cancel", shared=WITH_ACCOUNT)
@click.argument("job_id")
@_reason
def cancel(invocation: Invocation, *, job_id: str, reason: str) -> int:
    """Cancel a job (update-job-status --to Cancelled)."""
    return _update(invocation, job_id=job_id, to=JobStatus.CANCELLED, reason=reason)


def _update(invocation: Invocation, *, job_id: str, to: JobStatus, reason: str, count: int | None = None) -> int:
    return change_job(
        invocation,
        ask=lambda jobs: jobs.update_job_status(
            job_id, requested_job_status=to, status_update_reason=reason, confirm_delete_count=count
        ),
    )
