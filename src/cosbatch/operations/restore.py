"""``COSInitiateRestoreObject``: asks for a readable copy of each archived object. It begins, and does not wait for it.

How a second attempt recognises its first: by the restore header of the object, whoever asked for it. What is going on,
or can be read for as long as the job asks, is done. Where nothing is to be seen the request is sent again, for it only
sets the same time anew; "already in progress" is then no failure, as it is at first sight. That nothing was asked for
is proved by an object that is surely older than the first attempt, and that nobody can read for about as long.
"""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from cosbatch.model.errors import Fault, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.jobs import JobRequest
from cosbatch.model.operations import InitiateRestoreObject, OperationName
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.clocks import CLOCK_ALLOWANCE_SECONDS, CLOCK_JUMP_SECONDS
from cosbatch.operations.copy_source import head_or_none
from cosbatch.operations.dry_run import (
    is_archived,
    is_being_restored,
    is_restored,
    not_archived,
    restore_under_way,
    seen,
    would_succeed,
)
from cosbatch.operations.in_place import LOOKS, may_be_another, object_of
from cosbatch.operations.outcome import TaskRefused, refused, succeeded, unknown
from cosbatch.operations.port import JobFacts, Needs, TaskContext
from cosbatch.operations.shared_checks import check_offered, check_version_column
from cosbatch.storage.port import ObjectMeta, RestoreOutcome
from cosbatch.storage.profiles import CapabilityProfile, Option

ROOT: Final = "Operation.COSInitiateRestoreObject"
DAYS_MAX: Final = 365
"""COS, ExpirationInDays."""
BEGUN: Final = 202
EXTENDED: Final = 200
MARKER_CODE: Final = "MethodNotAllowed"
MARKER_STATUS: Final = 405
"""What S3 answers about a version that is a delete marker."""
_DAY_SECONDS: Final = 86_400
_ONGOING: Final = re.compile(r'ongoing-request="true"')
_EXPIRY: Final = re.compile(r'expiry-date="([^"]*)"')


class RestoreOperation:
    name = OperationName.RESTORE

    def needs(self, facts: JobFacts) -> Needs:
        return Needs(
            source_actions=(*LOOKS, "s3:RestoreObject"),
            target_actions=(),
            target_bucket=None,
            requests_per_object={"restore": 1.0},
            foreseen_per_object={"head": 1.0},
        )

    def check(self, request: JobRequest, *, source: CapabilityProfile, target: CapabilityProfile) -> list[Fault]:
        params = _params(request)
        faults = [
            *check_version_column(request, source),
            *check_offered(
                source, Option.RESTORE, path=ROOT, value="", way_out="run it where the store has archived classes"
            ),
        ]
        if not 1 <= params.expiration_in_days <= DAYS_MAX:
            path, value = f"{ROOT}.ExpirationInDays", str(params.expiration_in_days)
            faults.append(Fault(path=path, value=value, problem="is out of range", way_out=f"write 1 to {DAYS_MAX}"))
        return faults

    async def run(self, task: Task, context: TaskContext) -> Result:
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        params = _params(context.facts.request)
        try:
            outcome = await context.target.restore(ref, days=params.expiration_in_days, tier=params.job_tier)
        except StorageError as error:
            if error.reason is StorageReason.RESTORE_IN_PROGRESS and context.may_have_run:
                return succeeded(task, context, http_status=BEGUN)
            raise
        return succeeded(task, context, http_status=BEGUN if outcome is RestoreOutcome.BEGUN else EXTENDED)

    async def foresee(self, task: Task, context: TaskContext) -> Result:
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        meta = await seen(context.target, ref, verb="POST", marker_code=MARKER_CODE, marker_status=MARKER_STATUS)
        if not is_archived(meta):
            raise not_archived(ref, profile_name=context.facts.target_profile.name)
        if is_being_restored(meta):
            raise restore_under_way(ref, why="the object is being restored")
        if is_restored(meta):
            return would_succeed(task, context, what="It can be read, and would be for longer", http_status=EXTENDED)
        if context.same_target is not None and context.same_target < task.number:
            raise restore_under_way(ref, why=f"row {context.same_target} would have asked for it")
        return would_succeed(task, context, what="Would be asked for", http_status=BEGUN)

    async def settle(self, task: Task, context: TaskContext, *, may_write: bool) -> Result | None:
        try:
            ref = object_of(task, context)
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        found = await head_or_none(context.target, ref)
        if found is None:
            return None if may_write else unknown(task, context, why="the object is gone")
        if _ONGOING.search(found.restore):
            return succeeded(task, context, http_status=BEGUN)
        expiry = _expiry(found.restore)
        if expiry is not None and expiry >= _earliest_expiry(context):
            return succeeded(task, context, http_status=EXTENDED)
        context.unproved = _doubt(found, ref, context)
        if may_write or not context.unproved:
            return None
        return unknown(task, context, why=context.unproved)

    async def verify(self, task: Task, result: Result, context: TaskContext) -> tuple[str, ...]:
        ref = object_of(task, context)
        found = await head_or_none(context.target, ref)
        if found is None or found.restore or may_be_another(found, ref, context):
            return ()
        return (Option.RESTORE,)


def _params(request: JobRequest) -> InitiateRestoreObject:
    if not isinstance(request.operation, InitiateRestoreObject):
        raise TypeError(f"a restore needs InitiateRestoreObject, this job has {type(request.operation).__name__}")
    return request.operation


def _doubt(found: ObjectMeta, ref: ObjectRef, context: TaskContext) -> str:
    """Why an object that does not show what was asked for may have been asked for it all the same; empty where it
    surely was not."""
    if may_be_another(found, ref, context):
        return "another object may be in the place of the one that was asked for"
    expiry, earliest = _expiry(found.restore), _earliest_expiry(context)
    if found.restore and expiry is None:
        return "the object can be read, and the store does not say for how long"
    if expiry is not None and expiry >= earliest - CLOCK_JUMP_SECONDS:
        return (
            "the object can be read for up to an hour less than the job asks for, which proves nothing where clocks are"
            " set"
        )
    # Two clocks may be wrong here: the ledger's at the beginning, and ours now.
    if context.clock.now() >= earliest - 2 * CLOCK_JUMP_SECONDS:
        return "so much time has passed that what was asked for may be over"
    return ""


def _earliest_expiry(context: TaskContext) -> float:
    """Of any request of ours, as long as nobody sets clocks. S3 rounds up to midnight, so an earlier request for as
    many days may look the same: then the object is as the job wants it. Where the ledger's clock was an hour behind,
    it is so for an hour less."""
    days = _params(context.facts.request).expiration_in_days
    return context.first_leased_at + days * _DAY_SECONDS - CLOCK_ALLOWANCE_SECONDS


def _expiry(header: str) -> float | None:
    """``ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`` (HEAD Object of S3 and COS)."""
    found = _EXPIRY.search(header)
    if found is None:
        return None
    try:
        moment = parsedate_to_datetime(found[1])
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
