"""What is asked before a run touches an object, and who has to say yes."""

from __future__ import annotations

import click

from cosbatch.cli.invocation import Invocation
from cosbatch.cli.request_page import count_question, question
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.operations import DeleteObject


class Declined(Exception):
    """Somebody was asked and said no."""


def check_confirmable(invocation: Invocation, request: JobRequest, *, is_confirmed: bool, count: int | None) -> None:
    """What has not ended needs a yes; the totals of what has ended do not. ``count``: of ``--confirm-count``."""
    if not is_confirmed and not invocation.surroundings.can_ask:
        fault = Fault(path="--yes", value="", problem="is missing, and nobody can be asked here", way_out="add --yes")
        raise InvalidArgument("the run cannot be confirmed", faults=[fault])
    is_counted = count is not None or request.confirm_delete_count is not None
    is_real_deletion = isinstance(request.operation, DeleteObject) and not request.dry_run
    if is_confirmed and is_real_deletion and not is_counted:
        problem = "is missing: a deletion that nobody is asked about says how many objects it may delete at most"
        way_out = "add --confirm-count N, or confirm_delete_count to the file"
        fault = Fault(path="--confirm-count", value="", problem=problem, way_out=way_out)
        raise InvalidArgument("the deletion cannot be confirmed", faults=[fault])


def ask(job: Job, count: int | None) -> int | None:
    """The count that a deletion is confirmed with: somebody types it who has seen it. Raises Declined."""
    if not isinstance(job.request.operation, DeleteObject) or count is not None:
        if not click.confirm(question(job), err=True):
            raise Declined
        return count
    typed = click.prompt(count_question(job), default="", show_default=False, err=True)
    if str(typed).strip() != str(job.total):
        raise Declined
    return job.total
