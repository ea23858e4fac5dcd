"""What guards objects against a job that was not meant so: the switch for deletions, the count that somebody types, and
the buckets that a role may be used to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cosbatch.model.errors import Fault, InvalidArgument, NotAllowed
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.operations import DeleteObject
from cosbatch.model.principals import Caller
from cosbatch.operations.preflight import RoleSession, not_allowed

WITHOUT_A_COUNT: Final = frozenset({"cos", "s3"})
"""Ways in whose protocols have no word for it: there the switch decides, and a confirmation shows the number."""
_COUNT: Final = "confirm_delete_count"
_ROLE: Final = "role_arn"
"""Laid to the role, not to the bucket's field: that one is well written."""


def switch_faults(request: JobRequest, *, deletes_allowed: bool) -> Iterator[Fault]:
    """Of a deletion, where nobody has switched them on. A dry run deletes nothing."""
    if isinstance(request.operation, DeleteObject) and not request.dry_run and not deletes_allowed:
        yield Fault(
            path="operation.cos_delete_object",
            value="",
            problem="deletions are switched off in this service",
            way_out="let its operator write deletes_allowed: true under server in the settings",
        )


def check_switch(request: JobRequest, *, deletes_allowed: bool) -> None:
    """NotAllowed: nothing is wrong with the request, and AccessDenied is what every wire has for that."""
    for fault in switch_faults(request, deletes_allowed=deletes_allowed):
        raise NotAllowed(f"{fault.problem}; {fault.way_out}")


def count_faults(request: JobRequest, *, caller: Caller) -> Iterator[Fault]:
    """A deletion names how many objects it may delete at most, wherever it can. Whoever runs the program himself may do
    so later, when the plan is shown."""
    if not isinstance(request.operation, DeleteObject) or request.confirm_delete_count is not None:
        return
    if request.dry_run:  # it tells the number
        return
    is_asked_later = caller.via == "cli" and request.confirmation_required
    if caller.via not in WITHOUT_A_COUNT and not is_asked_later:
        yield Fault(
            path=_COUNT,
            value="",
            problem="is missing: a deletion says how many objects it may delete at most",
            way_out="write the number of rows of the manifest",
        )


def bucket_faults(request: JobRequest, *, writable_buckets: tuple[Bucket, ...]) -> Iterator[Fault]:
    """Buckets that the job writes, as far as it names them, and that its role is not registered for. Which bucket the
    manifest names is seen when the job is planned."""
    role = RoleSession(arn=request.role_arn, is_narrowed=False, writable_buckets=writable_buckets)
    for fault in not_allowed(request, role, source_bucket=None):
        yield Fault(path=_ROLE, value=fault.value, problem=fault.problem, way_out=fault.way_out)


def check_confirmed_count(job: Job, *, count: int | None, caller: Caller) -> None:
    """InvalidArgument where a deletion is confirmed by somebody who has not said how much it deletes."""
    request = job.request
    if not isinstance(request.operation, DeleteObject) or request.dry_run or caller.via in WITHOUT_A_COUNT:
        return
    said, total = count if count is not None else request.confirm_delete_count, job.total or 0
    if said is None:
        problem, way_out = f"is missing: the job deletes {total} objects or versions", f"write {total} to confirm that"
    elif said < total:
        problem, way_out = (
            f"is less than the {total} objects or versions that the job deletes",
            "look at the plan again",
        )
    else:
        return
    fault = Fault(path=_COUNT, value="" if said is None else str(said), problem=problem, way_out=way_out)
    raise InvalidArgument("the deletion is not confirmed", faults=[fault])
