"""A job on the objects of one bucket in memory, with a clock that tests set and requests that can be made to fail."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

from cosbatch.model.errors import SendingStopped, Unanswered
from cosbatch.model.identifiers import ObjectKey, ObjectRef, VersionId
from cosbatch.model.jobs import JobRequest, PlanFindings, operation_name_of
from cosbatch.model.operations import OperationParameters
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import Result, Task
from cosbatch.operations.port import JobFacts, TaskContext
from cosbatch.operations.registry import operation_for
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ListedObject, ObjectStore, PutOptions
from cosbatch.storage.profiles import PROFILES, CapabilityProfile
from tests.unit.operations.copy_rig import (
    SOURCE,
    HandClock,
    ListedUploads,
    TroubledStore,
    Wire,
    job_request,
    task_of,
)

KEY = ObjectKey("a/key")


@dataclass(slots=True)
class InPlaceRig:
    """Two hours pass between what ``put`` makes and the first claim of the chunk."""

    params: OperationParameters
    versioning: Versioning = Versioning.NEVER
    profile: CapabilityProfile = PROFILES["s3"]
    ahead_seconds: float = 0.0
    """How far the ledger's clock was ahead of all others at the first claim."""
    wire: Wire = field(default_factory=Wire)
    clock: HandClock = field(default_factory=HandClock)
    store: MemoryStore = field(init=False)
    first_leased_at: float = field(init=False)
    last_context: TaskContext | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.store = MemoryStore(profile=self.profile, clock=self.clock)
        self.store.create_bucket(SOURCE, versioning=self.versioning)
        self.first_leased_at = self.clock.now() + 7200.0

    @property
    def request(self) -> JobRequest:
        return job_request(self.params)

    @property
    def facts(self) -> JobFacts:
        findings = PlanFindings(
            source_bucket=SOURCE,
            source_versioning=self.versioning,
            target_versioning=self.versioning,
            manifest_etag="e",
        )
        return JobFacts(
            request=self.request,
            findings=findings,
            source_profile=self.profile,
            target_profile=self.profile,
            same_store=True,
        )

    def put(self, body: bytes = b"abc", *, key: str = KEY, **options: Any) -> VersionId | None:
        return self.store.put_now(SOURCE, key, body, options=PutOptions(**options)).version_id

    def owner_puts(self, body: bytes = b"an owner's", **options: Any) -> VersionId | None:
        """After the first attempt."""
        self.clock.seconds = max(self.clock.seconds, self.first_leased_at - self.ahead_seconds + 20)
        return self.put(body, **options)

    def context(self, *, may_have_run: bool = False) -> TaskContext:
        self.clock.seconds = max(self.clock.seconds, self.first_leased_at - self.ahead_seconds + 10)
        store = cast(ObjectStore, TroubledStore(self.store, self.wire))
        before = len(self.wire.sent)
        self.last_context = TaskContext(
            facts=self.facts,
            source=store,
            target=store,
            uploads=ListedUploads(),
            clock=self.clock,
            first_leased_at=self.first_leased_at,
            requests_sent=lambda: len(self.wire.sent) - before,
            may_have_run=may_have_run,
        )
        return self.last_context

    async def run(self, task: Task | None = None, *, may_have_run: bool = False) -> Result:
        operation = operation_for(operation_name_of(self.params))
        return await operation.run(task or task_of(), self.context(may_have_run=may_have_run))

    async def settle(self, task: Task | None = None, *, may_write: bool = True) -> Result | None:
        operation = operation_for(operation_name_of(self.params))
        return await operation.settle(task or task_of(), self.context(may_have_run=True), may_write=may_write)

    async def recover(self, task: Task | None = None) -> Result:
        """What the next worker does after an attempt whose end is not known."""
        self.wire.heal()
        self.clock.advance(60)
        known = await self.settle(task)
        return known if known is not None else await self.run(task, may_have_run=True)

    async def lose(self, task: Task | None = None) -> None:
        """A first attempt whose end is not known."""
        try:
            await self.run(task)
        except (Unanswered, SendingStopped):
            return
        raise AssertionError("nothing was lost")

    async def verify(self, task: Task, result: Result) -> tuple[str, ...]:
        assert self.last_context is not None
        self.wire.heal()
        return await operation_for(operation_name_of(self.params)).verify(task, result, replace(self.last_context))

    def is_there(self, key: str = KEY) -> bool:
        return ObjectKey(key) in self.store.current_objects(SOURCE)

    async def versions(self, key: str = KEY) -> list[ListedObject]:
        page = await self.store.list_versions(SOURCE, prefix=key)
        return [entry for entry in page.objects if entry.key == key]

    async def markers(self, key: str = KEY) -> int:
        return sum(entry.is_delete_marker for entry in await self.versions(key))

    def ref(self, version: str | None = None) -> ObjectRef:
        return ObjectRef(SOURCE, KEY, VersionId(version) if version else None)
