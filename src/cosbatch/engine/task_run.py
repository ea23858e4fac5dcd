"""One task: run it, and where a reply was lost, look before anything is sent again.

``may_have_run`` is the whole matter. It is true when an earlier claim of the chunk was lost, or as soon as a request of
ours got no answer. From then on only ``settle`` decides: done, not done (run again), or not to be known.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from random import Random
from typing import Final

import structlog

from cosbatch.engine.chunk_run import ChunkRun
from cosbatch.engine.job_kit import ChunkUploads
from cosbatch.engine.limits import EngineLimits
from cosbatch.ledger.port import JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    FailureCode,
    JobFailure,
    LedgerUnavailable,
    SendingStopped,
    StaleFence,
    StorageError,
    Unanswered,
)
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.tasks import Claim, OutcomeCode, Result, Task, TaskStatus
from cosbatch.operations.port import CONTENT, OTHER_TAGS, TaskContext
from cosbatch.storage.disposition import (
    Action,
    backoff_seconds,
    disposition,
    failure_code,
)

log = structlog.get_logger(__name__)

UNANSWERED: Final = "a request got no answer, and looking did not tell whether it was done"
NOT_IN_TIME: Final = "the store could not be asked in time what became of it"


@dataclass(slots=True, kw_only=True)
class TaskTools:
    ledger: JobLedger
    clock: Clock
    limits: EngineLimits
    random: Random


class TaskRun:
    """The attempts of one task after another under one claim. What a task needs is made once and used again: making it
    costs as much as the rest of the bookkeeping for an object."""

    __slots__ = (
        "_context",
        "_is_dry_run",
        "_looking",
        "_may_have_run",
        "_operation",
        "_run",
        "_source",
        "_target",
        "_task",
        "_tools",
        "_unanswered",
    )

    def __init__(self, run: ChunkRun, *, tools: TaskTools) -> None:
        self._run = run
        self._tools = tools
        self._operation = run.kit.operation
        self._is_dry_run = run.kit.is_dry_run
        self._task: Task
        self._may_have_run = False
        self._unanswered = 0
        self._looking = False
        self._source, self._target = run.kit.open_stores(permit=run.deadline.check, stop=run.stop, cut=run.cut)
        self._context = TaskContext(
            facts=run.kit.facts,
            source=self._source,
            target=self._target,
            uploads=ChunkUploads(run.claim.lease, ledger=self._tools.ledger),
            clock=self._tools.clock,
            first_leased_at=run.claim.first_leased_at,
            requests_sent=self._requests,
        )

    def _begin(self, task: Task) -> None:
        self._task = task
        self._may_have_run = self._context.may_have_run = self._run.claim.losses > 0
        self._unanswered = 0
        self._looking = False
        self._target.begin()
        if self._source is not self._target:
            self._source.begin()
        self._context.written_version = self._context.written_etag = None
        self._context.unproved = ""

    def _requests(self) -> int:
        if self._source is self._target:
            return self._target.requests
        return self._source.requests + self._target.requests

    async def execute(self, task: Task) -> Result | None:
        """The outcome; None where it is left to whoever claims the chunk next.

        Where something may be written and it is left, the run is marked ``abandoned``: its lease then counts as lost,
        so that the next claimer looks first.
        """
        self._begin(task)
        if self._is_dry_run:
            return await self._foresee()
        while True:
            try:
                if self._run.is_settle_only:
                    return await self._settle_only()
                if self._may_have_run:
                    result = await self._settle_or_run()
                else:
                    result = await self._operation.run(task, self._context)
                # Something was repaired on the way, or is to be read back.
                is_unusual = self._target.has_failed or self._run.kit.is_verified(task.number)
                return await self._verified(result) if is_unusual else result
            except SendingStopped:
                return self._stopped()
            except StaleFence:
                self._run.deadline.lost = True
                return None
            except LedgerUnavailable as error:
                await self._after_silent_ledger(error)
            except StorageError as error:
                if not isinstance(error, Unanswered):
                    return self._refused(error)
                if self._unanswered >= self._tools.limits.unanswered_limit:
                    return self._unknown(str(error), of=error)
                await self._after_lost_reply(error)
            except Exception as error:
                log.exception("task-broke", job_id=self._run.claim.lease.job_id, task=self._task.number)
                return self._broke(error)

    async def _foresee(self) -> Result | None:
        """The look of a dry run. It writes nothing, so that nothing has to be settled: whoever claims the chunk next
        looks anew, also where the job ends."""
        self._context.same_target = self._run.same_targets.get(self._task.number)
        try:
            return await self._operation.foresee(self._task, self._context)
        except SendingStopped:
            return self._unknown(NOT_IN_TIME) if self._run.given_up else None
        except StorageError as error:
            return self._refused(error)
        except Exception as error:
            log.exception("task-broke", job_id=self._run.claim.lease.job_id, task=self._task.number)
            return self._broke(error)

    async def _settle_or_run(self) -> Result:
        self._looking = True
        known = await self._operation.settle(self._task, self._context, may_write=True)
        self._looking = False
        if known is not None:
            return known
        self._may_have_run = False
        return await self._operation.run(self._task, self._context)

    async def _settle_only(self) -> Result:
        self._looking = True
        known = await self._operation.settle(self._task, self._context, may_write=False)
        if known is not None:
            return known
        return self._failed(OutcomeCode.NOT_DONE, "the job ended before this was done, and looking proves it")

    async def _verified(self, result: Result) -> Result:
        """Reads a sample back: what a store answers is not always what it did."""
        kit = self._run.kit
        if result.status is TaskStatus.FAILED or not result.requests or not kit.is_verified(self._task.number):
            return result._replace(message=self._with_causes(result.message)) if self._target.causes else result
        told = self._with_causes(result.message)  # that a deleted object is not there repairs nothing
        try:
            ignored = await self._read_back(result)
        except StorageError as error:
            return self._failed(OutcomeCode.NOT_VERIFIED, f"it was done, and could not be read back: {error}", of=error)
        if not ignored:
            return result._replace(requests=self._requests(), message=told)
        if OTHER_TAGS in ignored:
            why = "it was done, and its tags are not those that its source has now: one of the two was changed since"
            return self._failed(OutcomeCode.NOT_VERIFIED, why)
        if CONTENT not in ignored:  # another content may be an owner's upload in between: no word on the store
            self._run.note_ignored(self._task.key, ignored)
        named = ", ".join(ignored)
        return self._failed(
            OutcomeCode.STORE_IGNORED_OPTION, f"the store answered success, but the object does not show: {named}"
        )

    async def _read_back(self, result: Result) -> tuple[str, ...]:
        """The options that do not show. Of a sample with stores of its own: the result stands already, so that a stop
        may break these reads off at once. Where every object is to be read back there is no result without."""
        run = self._run
        if run.kit.verifies_all:
            return await self._operation.verify(self._task, result, self._context)
        source, target = run.kit.open_stores(permit=run.deadline.check, stop=run.stop, cut=run.cut)
        try:
            return await self._operation.verify(
                self._task, result, replace(self._context, source=source, target=target)
            )
        except (StorageError, SendingStopped) as error:
            log.info("not-read-back", job_id=run.claim.lease.job_id, task=self._task.number, error=str(error))
            return ()
        finally:
            self._target.requests += target.requests + (source.requests if source is not target else 0)

    async def _after_lost_reply(self, error: Exception) -> None:
        self._may_have_run = self._context.may_have_run = True
        log.debug("outcome-open", job_id=self._run.claim.lease.job_id, task=self._task.number, error=str(error))
        await self._back_off()

    async def _after_silent_ledger(self, error: LedgerUnavailable) -> None:
        """Where the store was sent nothing, there is nothing to look for: what lies there is somebody else's."""
        if self._may_have_run or self._run.claim.losses or self._has_written():
            await self._after_lost_reply(error)
        else:
            await self._back_off()

    async def _back_off(self) -> None:
        self._unanswered += 1
        await asyncio.sleep(backoff_seconds(self._unanswered, self._tools.random.random))

    def _has_written(self) -> bool:
        return self._target.has_written or self._source.has_written

    def _stopped(self) -> Result | None:
        if self._run.given_up:
            return self._unknown(NOT_IN_TIME)
        if self._has_written():
            self._run.abandoned = True
        elif self._run.is_ending and self._target.was_refused and not self._run.claim.losses:
            # It was sent, so it is not among the tasks that never were; and nothing was done. Of a chunk that was lost
            # this cannot be said yet, whatever a look has shown: what its loser had sent may still arrive. Such a chunk
            # is looked after once nothing can.
            causes = ", ".join(self._target.causes)
            return self._failed(
                OutcomeCode.NOT_DONE, f"the job ended before this was done; the store had said {causes}"
            )
        return None

    def _is_unproved(self) -> bool:
        """Whether an earlier attempt may have been applied: it was sent, and looking could not rule it out."""
        return bool(self._context.unproved) and (self._run.claim.losses > 0 or self._target.has_written)

    def _refused(self, error: StorageError) -> Result | None:
        """A definite answer. While looking, it means that the outcome cannot be known; and of a chunk that was lost, in
        a job that ends, it says nothing yet: see :meth:`_stopped`."""
        what = disposition(error, writes=not self._looking)
        if what.action is Action.FAIL_JOB and self._run.kit.failure is None:
            self._run.kit.failure = JobFailure(failure_code(error) or FailureCode.INTERNAL_ERROR, str(error))
        if self._looking:
            return self._unknown(str(error), of=error)
        if self._is_unproved():
            return self._unknown(f"{self._context.unproved}; a further attempt was refused: {error}", of=error)
        if self._run.is_ending and self._run.claim.losses:
            return None
        return Result(
            self._task.number,
            TaskStatus.FAILED,
            error_code=error.code,
            http_status=error.http_status,
            message=self._with_causes(error.message, but=error.code),
            requests=self._requests(),
            request_id=error.request_id,
        )

    def _with_causes(self, message: str, *, but: str = "") -> str:
        """What was repaired on the way, ``Successful (after SlowDown x2)``; the last error is told anyway."""
        repaired = [cause for cause in self._target.causes or self._source.causes if cause != f"{but} x1"]
        return f"{message} (after {', '.join(repaired)})" if repaired else message

    def _unknown(self, why: str, *, of: StorageError | None = None) -> Result:
        return self._failed(OutcomeCode.OUTCOME_UNKNOWN, f"{UNANSWERED}: {why}", of=of)

    def _broke(self, error: Exception) -> Result:
        code = OutcomeCode.OUTCOME_UNKNOWN if self._requests() else OutcomeCode.INTERNAL_ERROR
        return self._failed(code, f"an error of the service itself: {type(error).__name__}: {error}")

    def _failed(self, code: OutcomeCode, message: str, *, of: StorageError | None = None) -> Result:
        """``of``: the refusal that it comes from."""
        return Result(
            self._task.number,
            TaskStatus.FAILED,
            error_code=code,
            message=message,
            requests=self._requests(),
            request_id=of.request_id if of else "",
        )


def worker_lost(task: Task) -> Result:
    """The task that a fourth lease was lost with."""
    return Result(
        task.number,
        TaskStatus.FAILED,
        error_code=OutcomeCode.WORKER_LOST,
        message="the worker was lost each time this task ran; whether it was done is not known",
    )


def never_looked_for(task: Task) -> Result:
    """The time to find out what became of it was over before its turn came."""
    return Result(
        task.number,
        TaskStatus.FAILED,
        error_code=OutcomeCode.OUTCOME_UNKNOWN,
        message=f"{UNANSWERED}: {NOT_IN_TIME}",
    )


def keyless(claim: Claim) -> list[tuple[Task, Result]]:
    """What is reported of unsettled tasks whose chunk file is gone: nobody knows any more which objects they were."""
    return [
        (
            Task(number, ObjectKey(""), None, None, None, -1, 0),
            Result(
                number,
                TaskStatus.FAILED,
                error_code=OutcomeCode.OUTCOME_UNKNOWN,
                message=f"the work area has lost the key of row {number} of the manifest (the first is 0);"
                " a request for it may have been sent",
            ),
        )
        for number in range(claim.first_task, claim.first_task + claim.task_count)
        if number - claim.first_task not in claim.settled
    ]
