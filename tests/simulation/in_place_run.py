"""Jobs that restore, delete or tag objects where they are, through the whole engine; and what must be true afterwards.

The copies of :mod:`tests.simulation.run` leave objects by which an outcome can be told. What is done in place leaves a
state: it is held against the report here, key by key, and against what the owner has put there meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any
from urllib.parse import unquote

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.model.errors import Unanswered
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.operations import (
    DeleteObject,
    InitiateRestoreObject,
    OperationParameters,
    PutObjectTagging,
    RestoreTier,
    Tag,
    TaggingChange,
)
from cosbatch.model.regions import Versioning
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.port import PutOptions
from tests.simulation.rig import HERE, LIMITS, SOURCE, Report, Rig, View
from tests.simulation.run import JumpingClock
from tests.simulation.wire import Call, Fate, Network, Observer, Port, Weather
from tests.unit.storage.virtual_process import CURRENT
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

KEYS = tuple(f"k/{number:02d}" for number in range(12))
MISSING = "k/03"
WARM = "k/07"
"""Not archived, where the others are."""
UNLISTED = "other"
OLD = (Tag(key="team", value="a"), Tag(key="tier", value="hot"))
NEW = (Tag(key="tier", value="cold"), Tag(key="year", value="2026"))
OWNERS = b"an owner's"
OPERATIONS: dict[str, OperationParameters] = {
    "delete": DeleteObject(),
    "restore": InitiateRestoreObject(expiration_in_days=3, job_tier=RestoreTier.BULK),
    "replaced": PutObjectTagging(tagging_directive=TaggingChange.REPLACED, tag_set=NEW),
    "added": PutObjectTagging(tagging_directive=TaggingChange.ADD, tag_set=NEW),
    "one removed": PutObjectTagging(tagging_directive=TaggingChange.DELETE, tag_set=(Tag(key="tier", value=""),)),
    "all removed": PutObjectTagging(tagging_directive=TaggingChange.DELETE),
}
WANTED_TAGS = {
    "replaced": set(NEW),
    "added": {Tag(key="team", value="a"), *NEW},
    "one removed": {Tag(key="team", value="a")},
    "all removed": set[Tag](),
}
REQUESTS = {"delete": {"delete"}, "restore": {"restore"}}
MOST_LOST = 2
"""Replies about one key: whoever gets no answer again and again is told that the outcome is unknown."""
UNKNOWN = frozenset({"OutcomeUnknown", "WorkerLost"})
_SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker"

Row = tuple[str, str]
"""Key, and version id or nothing."""


@dataclass(slots=True)
class Calm:
    """Every call takes a moment on its way, and one on the way back."""

    orphans_arrive: bool = True

    def fate(self, call: Call) -> Fate:
        return Fate(arrives_in=0.01, answered_in=0.01)

    def at_the_door(self, call: Call) -> Exception | None:
        return None

    def delay_of_orphan(self, call: Call) -> float | None:
        return 0.0 if self.orphans_arrive else None


@dataclass(slots=True)
class Losing(Calm):
    """Replies to what is done to the objects get lost, of requests that were applied and of such that were not."""

    rng: Random = field(default_factory=lambda: Random(0))
    share: float = 0.4
    lost: Counter[str] = field(default_factory=Counter)

    def fate(self, call: Call) -> Fate:
        fate = Calm.fate(self, call)
        key = call.ref.key if call.writes and call.ref is not None and call.ref.bucket == SOURCE else ""
        if not key or self.lost[key] == MOST_LOST or self.rng.random() > self.share:
            return fate
        self.lost[key] += 1
        lost = Unanswered("connection reset", target=call.name)
        return fate._replace(loss=lost) if self.rng.random() < 0.6 else fate._replace(refusal=lost)


@dataclass(slots=True)
class Killer:
    """Kills the process that makes the n-th call of a role."""

    at: int
    after: bool
    role: str = "worker"
    calls: int = 0
    hit: Call | None = None

    def sent(self, call: Call) -> None:
        if call.process.name.startswith(self.role):
            self.calls += 1
            if self.calls == self.at:
                self.hit = call
                if not self.after:
                    call.process.kill()

    def applied(self, call: Call, answer: Any) -> None:
        if call is self.hit:
            call.process.kill()


@dataclass(slots=True)
class Canceller:
    """The worker dies with the n-th write, which is applied, and a little later the job is cancelled."""

    run: InPlaceRun
    at: int
    writes: int = 0

    def sent(self, call: Call) -> None:
        """Nothing."""

    def applied(self, call: Call, answer: Any) -> None:
        if call.writes and call.ref is not None and call.ref.bucket == SOURCE:
            self.writes += 1
            if self.writes == self.at:
                call.process.kill()
                asyncio.get_running_loop().call_later(0.3, self.run.cancel, context=self.run.network.outside)


@dataclass(slots=True)
class Owner:
    """Puts a new object over each of some keys, right after the first attempt on it: whether that was applied or lost
    on its way."""

    run: InPlaceRun
    keys: frozenset[str]
    has_put: set[str] = field(default_factory=set)

    def sent(self, call: Call) -> None:
        key = call.ref.key if call.writes and call.ref else ""
        if key in self.keys and key not in self.has_put:
            self.has_put.add(key)
            # Behind its arrival, and before any second attempt.
            loop = asyncio.get_running_loop()
            loop.call_later(0.012, self.run.put, key, OWNERS, context=self.run.network.outside)

    def applied(self, call: Call, answer: Any) -> None:
        """Nothing."""


@dataclass(slots=True)
class Log:
    """All writes to the bucket of the objects."""

    writes: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))

    def sent(self, call: Call) -> None:
        if call.writes and call.ref is not None and call.ref.bucket == SOURCE:
            self.writes[call.ref.key].append(call)

    def applied(self, call: Call, answer: Any) -> None:
        """Nothing."""


@dataclass(slots=True)
class PutRight:
    """Somebody sets the ledger's clock right when the first object is written to: its chunk is claimed by then."""

    clock: JumpingClock

    def sent(self, call: Call) -> None:
        if call.writes and call.ref is not None and call.ref.bucket == SOURCE:
            self.clock.offset = 0.0

    def applied(self, call: Call, answer: Any) -> None:
        """Nothing."""


class InPlaceRun:
    """One job over twelve keys, one of which is not there; by version, two versions and a marker of each."""

    def __init__(
        self,
        clock: VirtualClock,
        name: str,
        *,
        versioning: Versioning,
        by_version: bool = False,
        weather: Weather | None = None,
        observers: Sequence[Observer] = (),
        workers: int = 2,
        ahead_seconds: float = 0.0,
    ) -> None:
        """``ahead_seconds``: how far the ledger's clock is ahead until the first object is written to."""
        self.clock = clock
        self.name = name
        self.by_version = by_version
        self.workers = workers
        self.versioning = versioning
        self.ledger_clock = JumpingClock(clock, offset=ahead_seconds)
        self.rig = Rig(
            clock,
            limits=replace(LIMITS, lease_seconds=10.0, first_chunks=2, first_chunk_rows=3, chunk_rows=4),
            source_versioning=versioning,
            ledger=MemoryLedger(self.ledger_clock),
        )
        # Else the lease of a dead worker lasts until the ledger's clock has caught up with it.
        self.rig.liveness = self.rig if ahead_seconds else None
        self.log = Log()
        self.network = Network(weather or Calm(), [self.log, PutRight(self.ledger_clock), *observers])
        self.rig.view = self._view
        self.before: dict[Row, StoredObject | None] = {}
        self.job: Job
        self.report: Report

    @property
    def is_versioned(self) -> bool:
        return self.versioning is not Versioning.NEVER

    def put(self, key: str, body: bytes) -> None:
        storage_class = "GLACIER" if self.name == "restore" and key != WARM else ""
        self.rig.store.put_now(SOURCE, key, body, options=PutOptions(storage_class=storage_class, tags=OLD))

    async def prepare(self) -> None:
        """The objects, so long before the job that no clock makes them look as if they were made since."""
        for key in (*KEYS, UNLISTED):
            if key == MISSING:
                continue
            self.put(key, b"first")
            if self.by_version:
                self.put(key, b"second")
                await self.rig.store.delete(ObjectRef(SOURCE, ObjectKey(key)))
        await asyncio.sleep(3 * 3600)
        self.job = await self.rig.submit(await self._request())
        self.untouched = await self._all_of(UNLISTED)

    async def _request(self) -> JobRequest:
        if not self.by_version:
            manifest = self.rig.csv_manifest(KEYS)
            self.before = {(key, ""): await self._seen((key, "")) for key in KEYS}
        else:
            page = await self.rig.store.list_versions(SOURCE, prefix="k/")
            entries = [(entry, str(entry.version_id)) for entry in page.objects]
            manifest = self.rig.inventory(
                [
                    (SOURCE, entry.key, version, str(entry.is_latest), str(entry.is_delete_marker))
                    for entry, version in entries
                ],
                schema=_SCHEMA,
            )
            self.before = {(entry.key, version): await self._seen((entry.key, version)) for entry, version in entries}
        return replace(self.rig.request(manifest, failure_threshold=None), operation=OPERATIONS[self.name])

    async def go(self, *, meanwhile: Callable[[InPlaceRun], Any] = lambda run: None) -> None:
        await self.prepare()
        for _ in range(self.workers):
            self._start_worker()
        self.rig.start_stewards()
        meanwhile(self)
        self.job = await self.rig.until(self.job)
        await self.rig.drain()
        self.report = self.rig.report(self.job)
        await self._check()

    def cancel(self) -> None:
        move = self.rig.ledger.move(
            self.job.id, expect={JobStatus.ACTIVE}, to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough"
        )
        self._cancelling = asyncio.get_running_loop().create_task(move, context=self.network.outside.copy())

    def _start_worker(self) -> None:
        """And another one where it dies."""
        loop = asyncio.get_running_loop()

        def start_again() -> None:
            loop.call_later(1.0, self._start_worker, context=self.network.outside)

        self.rig.start_worker().process.at_death.append(start_again)

    def _view(self) -> View:
        process = CURRENT.get()
        assert process is not None
        connect = partial(self.network.connect, process)
        store = connect(Port.STORE, self.rig.store, region=HERE, profile=self.rig.store.profile)
        return View(store, connect(Port.LEDGER, self.rig.ledger), connect(Port.SPOOL, self.rig.spool))

    # --- what must be true

    async def _check(self) -> None:
        rows = {(unquote(row[1]), row[2]): row for row in self.report.rows}
        left = await self._rows_left()
        assert len(rows) == len(self.report.rows)
        assert rows.keys() | left == self.before.keys()
        assert not rows.keys() & left
        counts = Counter(row[3] for row in rows.values())
        assert (counts["succeeded"], counts["failed"]) == (self.job.tally.succeeded, self.job.tally.failed)
        assert self.job.total is None or self.job.total == len(self.before)
        for row in left:
            assert not any(not call.is_refused for call in self.log.writes[row[0]]) or self.by_version, (
                f"{row} was sent"
            )
            assert await self._seen(row) == self.before[row]
        for row, (_, _, _, status, code, _, message) in rows.items():
            await self._check_row(row, status, code, message)
        assert await self._all_of(UNLISTED) == self.untouched
        assert self.log.writes.keys() <= {key for key, _ in self.before}
        made = {call.name for calls in self.log.writes.values() for call in calls}
        assert made <= REQUESTS.get(self.name, {"put_tags", "delete_tags"}), "nothing else is tried on the objects"
        ended = self.job.ended_at
        assert ended is not None
        assert all(call.sent_at <= ended for calls in self.log.writes.values() for call in calls)

    async def _rows_left(self) -> set[Row]:
        ranges = self.report.summary["not_attempted_ranges"]
        assert isinstance(ranges, list)
        listed = list(self.before)
        return {row for first, end in ranges for row in listed[first : len(listed) if end is None else end]}

    async def _check_row(self, row: Row, status: str, code: str, message: str) -> None:
        seen = await self._seen(row)
        is_owners = seen is not None and seen.content.stored == OWNERS
        if code == "NotDone":
            assert seen == self.before[row], f"{row} is said to be untouched"
        elif code in UNKNOWN:
            assert is_owners or self.job.status is JobStatus.CANCELLED, f"{row} could be known: {message}"
        elif self.name == "delete":
            await self._check_deleted(row, status, seen, is_owners=is_owners)
        elif self._is_marker(row):
            assert (status, message, seen) == ("succeeded", "Skipped: delete marker", self.before[row])
        elif row[0] == MISSING:
            assert (status, code) == ("failed", "NoSuchKey")
        elif self.name == "restore":
            self._check_restored(row, status, code, seen)
        else:
            assert (status, code) == ("succeeded", ""), f"{row}: {code} {message}"
            assert seen is not None
            assert is_owners or set(seen.tags) == WANTED_TAGS[self.name], f"{row} has {seen.tags}"

    async def _check_deleted(self, row: Row, status: str, seen: StoredObject | None, *, is_owners: bool) -> None:
        assert status == "succeeded"
        assert seen is None or is_owners, f"{row} is there"
        if not self.by_version:
            markers = [entry for entry in await self._all_of(row[0]) if entry.is_delete_marker]
            # In a suspended bucket an owner's null version takes the place of the null marker.
            expected = [0, 1] if is_owners and self.versioning is Versioning.SUSPENDED else [int(self.is_versioned)]
            assert len(markers) in expected, f"{row[0]} has {len(markers)} delete markers"

    def _check_restored(self, row: Row, status: str, code: str, seen: StoredObject | None) -> None:
        assert seen is not None
        if row[0] == WARM:
            assert (status, code, seen.restore) == ("failed", "InvalidObjectState", "")
        else:
            assert (status, code) == ("succeeded", ""), f"{row}: {code}"
            assert seen.restore == 'ongoing-request="true"' or seen.content.stored == OWNERS

    def _is_marker(self, row: Row) -> bool:
        before = self.before[row]
        return before is not None and before.is_delete_marker

    async def _seen(self, row: Row) -> StoredObject | None:
        """The version that a row names, markers too; without one the current object."""
        key, version = row
        found = await self._all_of(key)
        if version:
            return next((entry for entry in found if entry.version_id == version), None)
        return found[0] if found and not found[0].is_delete_marker else None

    async def _all_of(self, key: str) -> list[StoredObject]:
        bucket = self.rig.store._buckets[SOURCE]
        return bucket.newest_first(key.encode()) if bucket.current(ObjectKey(key)) else []


def after_run(
    name: str,
    *,
    versioning: Versioning,
    meanwhile: Callable[[InPlaceRun], Any] = lambda run: None,
    **options: Any,
) -> InPlaceRun:
    """A run that has gone through all checks."""

    async def scenario(clock: VirtualClock) -> InPlaceRun:
        run = InPlaceRun(clock, name, versioning=versioning, **options)
        await run.go(meanwhile=meanwhile)
        return run

    return run_virtually(scenario)
