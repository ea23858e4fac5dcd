"""A copy job on stores in memory, with a clock that tests set and requests that can be made to fail."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, cast

from cosbatch.model.errors import SendingStopped, StorageError, Unanswered
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.jobs import JobRequest, PlanFindings
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import OperationParameters, PutObjectCopy, Tag
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportSpec
from cosbatch.model.tasks import Result, Task, UploadRecord
from cosbatch.operations.copy import CopyOperation
from cosbatch.operations.port import JobFacts, TaskContext
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.port import ObjectMetadata, ObjectStore, PutOptions
from cosbatch.storage.profiles import PROFILES, CapabilityProfile, Option, Support

SOURCE = Bucket("source")
TARGET = Bucket("target")
REGION = RegionName("here")
WRITES = frozenset(
    {
        "put",
        "copy",
        "create_upload",
        "upload_part",
        "upload_part_copy",
        "complete_upload",
        "abort_upload",
        "put_acl",
        "put_tags",
        "delete_tags",
        "delete",
        "restore",
    }
)
READS = frozenset({"head", "get", "list_parts", "list_uploads", "get_acl", "get_tags", "list_versions"})

METADATA = ObjectMetadata(content_type="text/plain", cache_control="no-cache", user={"colour": "red", "shape": "round"})
TAGS = (Tag(key="tier", value="hot"), Tag(key="team", value="a"))


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def now(self) -> float:
        return self.seconds

    def boottime(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Trouble(Enum):
    LOST_AFTER = auto()
    """Applied, but the reply is lost."""
    LOST_BEFORE = auto()
    """Not applied, and no reply."""
    DIES_AFTER = auto()
    """Applied, and the worker is gone."""
    DIES_BEFORE = auto()


@dataclass(slots=True, kw_only=True)
class Wire:
    """What was sent to all stores of a rig, and what befalls which request."""

    sent: list[str] = field(default_factory=list)
    trouble: Trouble | None = None
    at: int = -1
    """Number of the request that is befallen, from 0."""
    only: str = ""
    """Befalls every request of this kind instead."""
    refuses: dict[str, StorageError] = field(default_factory=dict)
    before: dict[int, Callable[[], object]] = field(default_factory=dict)
    """What happens in the world before the request of that number."""
    is_dead: bool = False

    def heal(self) -> None:
        self.sent.clear()
        self.refuses.clear()
        self.before.clear()
        self.trouble, self.at, self.only, self.is_dead = None, -1, "", False

    async def send(self, name: str, act: Callable[[], Awaitable[Any]]) -> Any:
        if self.is_dead:
            raise SendingStopped("this worker is gone")
        number = len(self.sent)
        self.sent.append(name)
        if number in self.before:
            self.before[number]()
        if name in self.refuses:
            raise self.refuses[name]
        trouble = self.trouble if number == self.at or name == self.only else None
        if trouble in (Trouble.DIES_AFTER, Trouble.DIES_BEFORE):
            self.is_dead = True
        if trouble is Trouble.DIES_BEFORE:
            raise SendingStopped("this worker is gone")
        loses = name in WRITES
        if trouble is Trouble.LOST_BEFORE and loses:
            raise Unanswered("lost", target=name)
        answer = await act()
        if trouble is Trouble.LOST_AFTER and loses:
            raise Unanswered("lost", target=name)
        if trouble is Trouble.DIES_AFTER:
            raise SendingStopped("this worker is gone")
        return answer


class TroubledStore:
    """A store whose requests pass through a :class:`Wire`."""

    def __init__(self, inner: MemoryStore, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in WRITES | READS or not inspect.iscoroutinefunction(method):
            return method

        async def send(*args: Any, **options: Any) -> Any:
            return await self._wire.send(name, lambda: method(*args, **options))

        return send


class ListedUploads:
    """The ledger's uploads, in a list."""

    def __init__(self) -> None:
        self.records: list[UploadRecord] = []
        self.announced: set[int] = set()
        self.doubted: set[str] = set()

    async def announce(self, task_number: int, target: ObjectRef) -> None:
        self.announced.add(task_number)

    async def withdraw(self, task_number: int) -> None:
        self.announced.discard(task_number)

    async def of_task(self, task_number: int) -> Sequence[UploadRecord]:
        return [record for record in self.records if record.task_number == task_number]

    async def doubt(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        self.doubted.add(upload_id)

    async def begin(self, task_number: int, target: ObjectRef, upload_id: str) -> None:
        self.records.append(UploadRecord(task_number=task_number, target=target, upload_id=upload_id, fence=1))
        await self.withdraw(task_number)

    async def end(self, upload_id: str) -> None:
        self.records = [record for record in self.records if record.upload_id != upload_id]


def profile_with(name: str = "s3", *, emulated: str = "", refused: str = "", **limits: int) -> CapabilityProfile:
    overrides = {Option(option): Support.EMULATED for option in emulated.split()}
    overrides |= {Option(option): Support.REFUSED for option in refused.split()}
    return replace(PROFILES[name].with_overrides(overrides), **cast("dict[str, Any]", limits))


def job_request(params: OperationParameters, **changes: Any) -> JobRequest:
    request = JobRequest(
        region=REGION,
        manifest=Manifest(
            location=ManifestLocation(bucket=SOURCE, key=ObjectKey("manifest.json"), etag="e"),
            spec=ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV),
        ),
        operation=params,
        report=ReportSpec(enabled=False),
        priority=1,
    )
    return replace(request, **changes)


def task_of(
    key: str = "a/key", *, size: int | None = 3, version: str | None = None, group: int = -1, turn: int = 0
) -> Task:
    return Task(7, ObjectKey(key), VersionId(version) if version else None, size, None, group, turn)


class CopyRig:
    """One job: two hours pass between what ``put_source`` makes and the first claim of the chunk."""

    def __init__(
        self,
        params: PutObjectCopy | None = None,
        *,
        versioned: bool = False,
        profile: CapabilityProfile = PROFILES["s3"],
        target_profile: CapabilityProfile | None = None,
        **request: Any,
    ) -> None:
        self.clock = HandClock()
        self.wire = Wire()
        self.versioning = Versioning.ENABLED if versioned else Versioning.NEVER
        self.source = MemoryStore(profile=profile, clock=self.clock)
        self.source.create_bucket(SOURCE, versioning=self.versioning)
        self.target = self.source
        if target_profile is not None:
            self.target = MemoryStore(profile=target_profile, clock=self.clock)
        self.target.create_bucket(TARGET, versioning=self.versioning)
        self.params = params or PutObjectCopy(target_bucket=TARGET)
        self.request = job_request(self.params, **request)
        self.uploads = ListedUploads()
        self.operation = CopyOperation()
        self.first_leased_at = self.clock.now() + 7200.0

    @property
    def facts(self) -> JobFacts:
        return JobFacts(
            request=self.request,
            findings=PlanFindings(
                source_bucket=SOURCE,
                source_versioning=self.versioning,
                target_versioning=self.versioning,
                manifest_etag="e",
            ),
            source_profile=self.source.profile,
            target_profile=self.target.profile,
            same_store=self.source is self.target,
        )

    def put_source(
        self,
        key: str = "a/key",
        body: bytes = b"abc",
        *,
        metadata: ObjectMetadata = METADATA,
        tags: tuple[Tag, ...] = TAGS,
        **options: Any,
    ) -> VersionId | None:
        outcome = self.source.put_now(SOURCE, key, body, options=PutOptions(metadata=metadata, tags=tags, **options))
        return outcome.version_id

    def claim(self) -> None:
        """Time passes until the chunk is claimed for the first time, and a little longer."""
        self.clock.seconds = max(self.clock.seconds, self.first_leased_at + 10)

    def context(self) -> TaskContext:
        self.claim()
        source = cast(ObjectStore, TroubledStore(self.source, self.wire))
        target = source if self.source is self.target else cast(ObjectStore, TroubledStore(self.target, self.wire))
        before = len(self.wire.sent)
        return TaskContext(
            facts=self.facts,
            source=source,
            target=target,
            uploads=self.uploads,
            clock=self.clock,
            first_leased_at=self.first_leased_at,
            requests_sent=lambda: len(self.wire.sent) - before,
        )

    async def run(self, task: Task | None = None) -> Result:
        return await self.operation.run(task or task_of(), self.context())

    async def settle(self, task: Task | None = None, *, may_write: bool = True) -> Result | None:
        return await self.operation.settle(task or task_of(), self.context(), may_write=may_write)

    async def recover(self, task: Task | None = None) -> Result:
        """What the next worker does after an attempt whose end is not known."""
        self.wire.heal()
        self.clock.advance(60)
        known = await self.settle(task)
        return known if known is not None else await self.run(task)

    async def run_through_losses(self, task: Task | None = None) -> Result:
        """What one worker does: it looks where a reply was lost, and runs again where nothing was done."""
        try:
            return await self.run(task)
        except Unanswered:
            return await self.recover(task)

    def copied(self, key: str = "a/key") -> StoredObject:
        return self.target.current_objects(self.params.target_bucket)[ObjectKey(key)]

    def has_copy(self, key: str = "a/key") -> bool:
        return ObjectKey(key) in self.target.current_objects(self.params.target_bucket)

    async def versions(self, key: str = "a/key") -> list[VersionId | None]:
        page = await self.target.list_versions(self.params.target_bucket, prefix=key)
        return [entry.version_id for entry in page.objects if entry.key == key]
