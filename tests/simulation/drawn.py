"""What a seed means: a job, its manifest and its source objects, and the kind of trouble that it gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any, Final
from urllib.parse import quote

from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import CannedAcl, Directive, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.port import ObjectMetadata, PutOptions
from cosbatch.storage.profiles import Option, Support
from tests.simulation.rig import HERE, SOURCE, TARGET, THERE
from tests.simulation.wire import drive
from tests.unit.storage.virtual_time import EPOCH

SCHEMA: Final = "Appid, Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate"
LARGE_BYTES: Final = 12 * 2**20
PART_BYTES: Final = 5 * 2**20
SOURCE_OPTIONS: Final = PutOptions(
    metadata=ObjectMetadata(content_type="text/plain", user={"from": "source"}), tags=(Tag(key="old", value="1"),)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a manifest."""

    key: ObjectKey
    version: VersionId | None = None
    source: StoredObject | None = None
    """What it names, as it was before the job; None where nothing is there."""
    is_latest: bool = True
    is_marker: bool = False
    modified: float = EPOCH

    @property
    def name(self) -> tuple[str, str]:
        """As a report names it."""
        return (self.key, self.version or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A job to make."""

    name: str
    keys: tuple[str, ...]
    missing: frozenset[str]
    """Keys of the manifest that are not in the source bucket."""
    large: frozenset[str]
    has_versions: bool
    """The manifest is an inventory of all versions."""
    operation: PutObjectCopy
    part_copy_above_bytes: int
    priority: int

    @property
    def region(self) -> RegionName:
        return self.operation.target_region or HERE

    @property
    def bucket(self) -> Bucket:
        return self.operation.target_bucket

    @property
    def is_in_place(self) -> bool:
        return self.bucket == SOURCE

    def target_of(self, key: str) -> str:
        return self.operation.target_key_prefix + key if self.operation.prefix_replace else key


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run."""

    job: JobPlan
    second: JobPlan | None
    """Comes in the middle, with a greater priority."""
    versioning: Versioning
    """Of the target."""
    workers: int
    ignored: Option | None
    """What the store does not do, without a word."""
    poison: str | None
    """The key that kills each worker that sends it."""
    poison_is_applied: bool
    """The worker dies after the copy was made, not before."""
    has_lock_files: bool
    clocks_jump: bool
    is_calm: bool
    """No faults at all: whatever happens then, happens to everybody."""
    damages_a_part: bool

    def lines(self) -> Iterator[str]:
        """What was drawn, for people: without what is as always."""
        for job in (self.job, self.second):
            if job is not None:
                told = {name: value for name, value in vars_of(job).items() if name not in ("keys", "operation")}
                yield f"{len(job.keys)} keys from {job.keys[0]}, {told}, {changed(job.operation)}"
        yield str({name: value for name, value in vars_of(self).items() if name not in ("job", "second")})


def vars_of(value: Any) -> dict[str, object]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def changed(copy: PutObjectCopy) -> dict[str, object]:
    plain = vars_of(PutObjectCopy(target_bucket=copy.target_bucket))
    return {name: value for name, value in vars_of(copy).items() if name == "target_bucket" or value != plain[name]}


def drawn_plan(rng: Random) -> Plan:
    is_calm = rng.random() < 0.05
    job = drawn_job(rng, name="list", priority=10)
    asked = [*options_asked(job.operation)]
    ignored = rng.choice(asked) if asked and rng.random() < 0.1 else None
    return Plan(
        job=job,
        second=drawn_job(rng, name="urgent", priority=99) if rng.random() < 0.2 and ignored is None else None,
        versioning=rng.choice([*Versioning]),
        workers=rng.randint(1, 3),
        ignored=ignored,
        poison=rng.choice(job.keys) if not is_calm and rng.random() < 0.08 else None,
        poison_is_applied=rng.random() < 0.3,
        has_lock_files=rng.random() < 0.5,
        clocks_jump=not is_calm and rng.random() < 0.12,
        is_calm=is_calm,
        damages_a_part=not is_calm and rng.random() < 0.02,
    )


def drawn_job(rng: Random, *, name: str, priority: int) -> JobPlan:
    count = rng.choice([1, 7, 7, 25, 60])
    keys = [f"{rng.choice(['a', 'b', 'é +'])}/{name}/{number:03d}" for number in range(count)]
    has_versions = rng.random() < 0.2
    if not has_versions and rng.random() < 0.15:
        keys += rng.choices(keys, k=rng.randint(1, 3))
    operation = drawn_operation(rng, in_place=not has_versions and rng.random() < 0.25)
    is_large = 0.1 if operation.target_region is None else 0.01
    return JobPlan(
        name=name,
        keys=tuple(keys),
        missing=frozenset(key for key in dict.fromkeys(keys) if rng.random() < 0.05),
        large=frozenset(key for key in dict.fromkeys(keys) if rng.random() < is_large),
        has_versions=has_versions,
        operation=operation,
        part_copy_above_bytes=rng.choice([5 * 2**30, 8 * 2**20]),
        priority=priority,
    )


def drawn_operation(rng: Random, *, in_place: bool) -> PutObjectCopy:
    copy = PutObjectCopy(target_bucket=SOURCE if in_place else TARGET)
    if not in_place and rng.random() < 0.15:
        copy = replace(copy, target_region=THERE)
    if rng.random() < 0.3:
        added = NewObjectMetadata(user_metadata=(("moved", "1"),))
        directive = rng.choice([Directive.ADD, Directive.REPLACED])
        copy = replace(copy, metadata_directive=directive, new_object_metadata=added)
    if rng.random() < 0.3:
        directive = rng.choice([Directive.ADD, Directive.REPLACED])
        copy = replace(copy, tagging_directive=directive, new_object_tagging=(Tag(key="tier", value="cold"),))
    if rng.random() < 0.2:
        copy = replace(
            copy, access_control_directive=Directive.REPLACED, canned_access_control_list=CannedAcl.PUBLIC_READ
        )
    if rng.random() < 0.4 or in_place:
        copy = replace(copy, storage_class="STANDARD_IA")
    if not in_place and rng.random() < 0.3:
        copy = replace(copy, prefix_replace=True, resources_prefix="", target_key_prefix="copy/")
    return copy


def options_asked(copy: PutObjectCopy) -> Iterator[Option]:
    """What a store may fail to do of this."""
    if copy.metadata_directive is not Directive.COPY and copy.target_region is None:
        yield Option.METADATA_REPLACE
    if copy.tagging_directive is not Directive.COPY and copy.target_region is None:
        yield Option.TAGGING_REPLACE
    if copy.canned_access_control_list:
        yield Option.CANNED_ACL
    if copy.storage_class:
        yield Option.STORAGE_CLASS
    if copy.tagging_directive is Directive.COPY and copy.target_region is None:
        yield Option.TAGGING_COPY


def lies_about(store: MemoryStore, option: Option) -> None:
    """From now on the store ignores the option in silence; its profile, as the engine knows it, says otherwise."""
    store.profile = store.profile.with_overrides({option: Support.EMULATED})


class Filling:
    """Puts the objects of a job into the source bucket, and says what its manifest lists."""

    def __init__(self, store: MemoryStore, plan: JobPlan, rng: Random) -> None:
        self._store = store
        self._plan = plan
        self._rng = rng

    def rows(self) -> list[Row]:
        made = {key: self._versions_of(ObjectKey(key)) for key in dict.fromkeys(self._plan.keys)}
        return [row for key in self._plan.keys for row in made[key]]

    def _versions_of(self, key: ObjectKey) -> list[Row]:
        if key in self._plan.missing:
            missing = VersionId("version-none") if self._plan.has_versions else None
            return [Row(key=key, version=missing)]
        if not self._plan.has_versions:
            return [Row(key=key, source=self._put(key, 0))]
        rows = [self._version(key, number) for number in range(self._rng.choice([1, 1, 2, 3]))]
        if self._rng.random() < 0.15:
            rows.append(self._marker(key))
        # An inventory lists the newest first.
        return [replace(row, is_latest=row is rows[-1]) for row in reversed(rows)]

    def _version(self, key: ObjectKey, number: int) -> Row:
        put = self._put(key, number)
        return Row(key=key, version=put.version_id, source=put, modified=EPOCH + number)

    def _marker(self, key: ObjectKey) -> Row:
        version = drive(self._store.delete(ObjectRef(SOURCE, key)))
        return Row(key=key, version=version, is_marker=True, modified=EPOCH + 50)

    def _put(self, key: ObjectKey, number: int) -> StoredObject:
        if key in self._plan.large:
            self._store.put_sized(SOURCE, key, LARGE_BYTES, options=SOURCE_OPTIONS)
        else:
            self._store.put_now(SOURCE, key, f"content {number} of {key}".encode(), options=SOURCE_OPTIONS)
        return self._store.current_objects(SOURCE)[key]


def inventory_rows(rows: list[Row]) -> list[list[str]]:
    return [
        [
            "",
            SOURCE,
            quote(row.key),
            row.version or "",
            str(row.is_latest),
            str(row.is_marker),
            str(row.source.size_bytes if row.source else 0),
            f"2026-01-01T00:00:{int(row.modified - EPOCH):02d}Z",
        ]
        for row in rows
    ]
