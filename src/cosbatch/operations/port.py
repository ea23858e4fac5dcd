"""What the engine asks of an operation, and what an operation may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cosbatch.model.clock import Clock
from cosbatch.model.errors import Fault
from cosbatch.model.identifiers import Bucket, ObjectRef, VersionId
from cosbatch.model.jobs import JobRequest, PlanFindings
from cosbatch.model.operations import OperationName
from cosbatch.model.tasks import Result, Task, UploadRecord
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile

CONTENT: Final = "content"
"""What ``verify`` names beside options where the bytes themselves are not as they should be."""
OTHER_TAGS: Final = "other-tags"
"""What ``verify`` names where the object has tags, and not those that its source has now: who has changed which of them
since cannot be known."""


class Uploads(Protocol):
    """The ledger's memory of multipart uploads, for one claimed chunk."""

    async def of_task(self, task_number: int) -> Sequence[UploadRecord]:
        """Uploads begun for this task and not yet ended, by this claim or an older one."""
        ...

    async def announce(self, task_number: int, target: ObjectRef) -> None:
        """In the ledger before the upload is asked for, so that one whose id got lost is looked for."""
        ...

    async def withdraw(self, task_number: int) -> None:
        """No upload of an unknown id is left of this task."""
        ...

    async def doubt(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        """This upload may be ours, and may be somebody else's: to be named at the job's end."""
        ...

    async def begin(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        """In the ledger before the first part is sent, in place of its announcement. StaleFence where the lease is no
        longer ours."""
        ...

    async def end(self, upload_id: str) -> None:
        """Completed or aborted: forget it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """What was found out about a job's buckets when it was prepared; the same for all of its tasks."""

    request: JobRequest
    findings: PlanFindings
    source_profile: CapabilityProfile
    target_profile: CapabilityProfile
    same_store: bool
    """Whether the target's store can read the source by itself: one copy request, no bytes through us."""


@dataclass(slots=True, kw_only=True)
class TaskContext:
    """What an operation may use for one task. ``source`` and ``target`` retry, pace and count by themselves: what
    they raise is final for the request, or :class:`Unanswered`."""

    facts: JobFacts
    source: ObjectStore
    target: ObjectStore
    """The same object as ``source`` where both buckets are in one region."""
    uploads: Uploads
    clock: Clock
    first_leased_at: float
    """Unix seconds, on the ledger's clock, of the first claim of the task's chunk: what is newer in the bucket was not
    there before any attempt of ours."""
    requests_sent: Callable[[], int]
    """Requests sent for this task so far."""
    may_have_run: bool = False
    """An earlier attempt, of this claim or another, may have been applied; ``settle`` has looked."""
    written_version: VersionId | None = None
    """The version that this task has made, so that it is read back and not an owner's newer one."""
    written_etag: str | None = None
    """What the store called its content: without versions, another one is an owner's newer upload."""
    same_target: int | None = None
    """In a dry run: the number of another row that writes the same target, the first of them if it is another."""
    unproved: str = ""
    """Why the last :meth:`Operation.settle` could not say that nothing was done, where it lets the task run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a job needs from the outside: for pre-flight, policies, estimates."""

    source_actions: tuple[str, ...]
    """S3 action names, ``s3:GetObject``."""
    target_actions: tuple[str, ...]
    target_bucket: Bucket | None
    requests_per_object: Mapping[str, float]
    """Kind of request (``copy``, ``head``, ``get-tags`` ...) -> requests for each object, on top of nothing: the whole
    table. Objects in parts are not in it."""
    foreseen_per_object: Mapping[str, float]
    """The same of a dry run: requests of :meth:`Operation.foresee`."""


class Operation(Protocol):
    """One operation. Stateless: everything it needs comes with the call."""

    name: OperationName

    def needs(self, facts: JobFacts) -> Needs: ...

    def check(self, request: JobRequest, *, source: CapabilityProfile, target: CapabilityProfile) -> list[Fault]:
        """Faults of the parameters against what the stores can do: the job fails in Preparing, UnsupportedOption."""
        ...

    async def run(self, task: Task, context: TaskContext) -> Result:
        """Do it. Raises StorageError where a request was finally refused (the engine makes the failed result), and
        Unanswered, after which only :meth:`settle` may be called for the task."""
        ...

    async def foresee(self, task: Task, context: TaskContext) -> Result:
        """What :meth:`run` would come to, by requests that only read: a result in whose message stands what would be
        done. Raises StorageError as the run's request would be refused."""
        ...

    async def settle(self, task: Task, context: TaskContext, *, may_write: bool) -> Result | None:
        """Look first: what became of earlier attempts of this task? A result where it is known to be done, or cannot be
        known (``OutcomeUnknown``); None where it is not done, or where ``context.unproved`` says why that is not
        proved: in both cases :meth:`run` may run again.

        ``may_write`` is False when the job is ending: then nothing is written, half-done uploads are left to the
        finisher, and a task that is done in part is not done."""
        ...

    async def verify(self, task: Task, result: Result, context: TaskContext) -> tuple[str, ...]:
        """Read back what ``result`` says succeeded; the names of the options that the object does not show."""
        ...
