"""``COSPutObjectCopy``: copies an object into the destination bucket, with what the job wants of it.

How a second attempt recognises its first: an object as the job wants it, dated after the chunk was first claimed
(:mod:`cosbatch.operations.copy_look`). Where that cannot be told, nothing is written and the outcome is unknown.
"""

from __future__ import annotations

from cosbatch.model.errors import Fault, StorageError, StorageReason
from cosbatch.model.identifiers import VersionId
from cosbatch.model.jobs import JobRequest
from cosbatch.model.operations import OperationName, PutObjectCopy
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.copy_checks import check_copy
from cosbatch.operations.copy_foresee import foresee_copy
from cosbatch.operations.copy_needs import copy_needs
from cosbatch.operations.copy_parts import copy_in_parts, says_too_large
from cosbatch.operations.copy_plan import CopyPlan, ObjectCopy, copy_of, plan_of, refs_of
from cosbatch.operations.copy_settle import settle_copy
from cosbatch.operations.copy_source import (
    Known,
    Wanted,
    check_dates,
    head_or_none,
    is_same_object,
    is_whole,
    read_source,
    wanted_of,
)
from cosbatch.operations.copy_verify import verify_copy
from cosbatch.operations.copy_write import copy_in_one, follow_up
from cosbatch.operations.cross_store import TRANSFER_MEMORY_BYTES, ByteBudget, transfer
from cosbatch.operations.outcome import TaskRefused, refused, succeeded
from cosbatch.operations.port import JobFacts, Needs, TaskContext
from cosbatch.storage.profiles import CapabilityProfile

TRIES_OF_A_CHANGING_SOURCE = 3
"""A source that is overwritten between reading and copying is read again so often."""


class CopyOperation:
    """One for each job and process: it keeps the job's plan, and bounds the bytes that its transfers hold."""

    name = OperationName.COPY

    def __init__(self, *, transfer_memory_bytes: int = TRANSFER_MEMORY_BYTES) -> None:
        self._budget = ByteBudget(transfer_memory_bytes)
        self._plan: CopyPlan | None = None

    def needs(self, facts: JobFacts) -> Needs:
        return copy_needs(self._plan_of(facts))

    def check(self, request: JobRequest, *, source: CapabilityProfile, target: CapabilityProfile) -> list[Fault]:
        if not isinstance(request.operation, PutObjectCopy):
            raise TypeError(f"a copy needs PutObjectCopy, this job has {type(request.operation).__name__}")
        return check_copy(request, request.operation, source=source, target=target)

    async def run(self, task: Task, context: TaskContext) -> Result:
        try:
            plan = self._plan_of(context.facts)
            source, target = refs_of(plan, task)
            is_in_place = plan.same_bucket and source.key == target.key
            if is_in_place or (task.size_bytes or 0) > plan.plain_limit_bytes:
                copy = ObjectCopy(plan, task, context, source, target)
                return succeeded(task, context, size_bytes=await self._copy_with_all(copy))
            # Nearly every object ends here; a call less is a percent less.
            try:
                outcome = await context.target.copy(source, target, options=plan.options)
            except StorageError as error:
                if not says_too_large(error):
                    raise
                copy = ObjectCopy(plan, task, context, source, target)
                return succeeded(task, context, size_bytes=await self._copy_with_all(copy, must_be_whole=True))
        except TaskRefused as refusal:
            return refused(task, context, refusal)
        context.written_version, context.written_etag = outcome.version_id, outcome.etag
        return succeeded(task, context, size_bytes=task.size_bytes or 0)

    async def foresee(self, task: Task, context: TaskContext) -> Result:
        try:
            return await foresee_copy(copy_of(self._plan_of(context.facts), task, context))
        except TaskRefused as refusal:
            return refused(task, context, refusal)

    async def settle(self, task: Task, context: TaskContext, *, may_write: bool) -> Result | None:
        try:
            copy = copy_of(self._plan_of(context.facts), task, context)
            return await settle_copy(copy, may_write=may_write)
        except TaskRefused as refusal:
            return refused(task, context, refusal)

    async def verify(self, task: Task, result: Result, context: TaskContext) -> tuple[str, ...]:
        return await verify_copy(copy_of(self._plan_of(context.facts), task, context))

    def _plan_of(self, facts: JobFacts) -> CopyPlan:
        """Kept, since adapters recognise the copy options of a job by identity."""
        if self._plan is None or self._plan.facts is not facts:
            self._plan = plan_of(facts)
        return self._plan

    async def _copy_with_all(self, copy: ObjectCopy, *, must_be_whole: bool = False) -> int:
        """Reads what is needed, writes, and reads again where the source was changed meanwhile. Gives the size."""
        for left in reversed(range(TRIES_OF_A_CHANGING_SOURCE)):
            known, whole = await _read(copy, must_be_whole=must_be_whole)
            if known.meta:
                check_dates(copy, known.meta)
            try:
                await self._write(copy, known, whole=whole)
            except StorageError as error:
                if says_too_large(error) and not whole and left:
                    must_be_whole = True
                elif not left or not await _has_source_changed(copy, known, error):
                    raise
            else:
                return known.meta.size_bytes if known.meta else copy.task.size_bytes or 0
        raise AssertionError("the last try returns or raises")

    async def _write(self, copy: ObjectCopy, known: Known, *, whole: bool) -> None:
        wanted = wanted_of(copy, known, whole=whole)
        version = copy.context.written_version = await self._write_object(copy, known, wanted, whole=whole)
        await follow_up(copy, wanted, version=version, whole=whole)

    async def _write_object(self, copy: ObjectCopy, known: Known, wanted: Wanted, *, whole: bool) -> VersionId | None:
        if not whole or known.meta is None:
            return await copy_in_one(copy, known, wanted)
        if copy.plan.facts.same_store:
            return await copy_in_parts(copy, wanted, known.meta)
        return await transfer(copy, wanted, known.meta, budget=self._budget)


async def _read(copy: ObjectCopy, *, must_be_whole: bool) -> tuple[Known, bool]:
    """The source, and whether it goes whole. Its own size counts where it is known: a manifest may be old."""
    whole = must_be_whole or is_whole(copy, size_bytes=copy.task.size_bytes)
    known = await read_source(copy, whole=whole)
    if known.meta is None:
        return known, whole
    is_large = must_be_whole or is_whole(copy, size_bytes=known.meta.size_bytes)
    if is_large and not whole:
        known = await read_source(copy, whole=True)
    return known, is_large


async def _has_source_changed(copy: ObjectCopy, known: Known, error: StorageError) -> bool:
    """Whether a precondition failed because the source is another one than what was read, and not the job's dates."""
    if error.reason is not StorageReason.PRECONDITION_FAILED or known.meta is None:
        return False
    return not is_same_object(known.meta, await head_or_none(copy.source_store, copy.source))
