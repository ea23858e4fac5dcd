"""Copies between stores that cannot read from one another: what arrives, and how much is held on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.model.errors import SendingStopped, StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import ObjectRef, RegionName
from cosbatch.model.operations import CannedAcl, Directive, NewObjectMetadata, PutObjectCopy, Tag
from cosbatch.model.tasks import TaskStatus
from cosbatch.operations.copy import CopyOperation
from cosbatch.operations.cross_store import ByteBudget
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.memory import ALL_USERS, MemoryStore
from cosbatch.storage.port import AclGrant, CompletedPart, ObjectBody
from tests.unit.operations.copy_rig import (
    METADATA,
    TAGS,
    TARGET,
    CopyRig,
    Trouble,
    profile_with,
    task_of,
)

MIB = 2**20
BODY = bytes(range(250))
LARGE = task_of(size=250)
SMALL_WAY = ["head", "get_tags", "get", "put"]


def far_rig(*, emulated: str = "", body: bytes = b"abc", versioned: bool = False, **changes: Any) -> CopyRig:
    operation = replace(PutObjectCopy(target_bucket=TARGET, target_region=RegionName("far")), **changes)
    rig = CopyRig(
        operation,
        versioned=versioned,
        profile=profile_with("seaweedfs"),
        target_profile=profile_with(emulated=emulated, min_part_bytes=10),
        part_size_bytes=60,
    )
    rig.put_source(body=body)
    return rig


async def test_a_small_object_goes_in_one_piece() -> None:
    rig = far_rig(storage_class="STANDARD_IA")
    result = await rig.run()
    copied = rig.copied()
    assert (result.status, result.size_bytes, rig.wire.sent) == (TaskStatus.SUCCEEDED, 3, SMALL_WAY)
    assert (copied.content.stored, copied.metadata, copied.tags) == (b"abc", METADATA, TAGS)
    assert copied.storage_class == "STANDARD_IA"


async def test_a_large_object_goes_in_parts() -> None:
    rig = far_rig(body=BODY)
    result = await rig.run(LARGE)
    assert (result.size_bytes, rig.copied().content.stored) == (250, BODY)
    assert rig.wire.sent.count("upload_part") == rig.wire.sent.count("get") == 5
    assert (rig.copied().metadata, rig.copied().tags) == (METADATA, TAGS)
    assert rig.target.open_uploads() == ()


async def test_an_empty_object() -> None:
    rig = far_rig(body=b"")
    await rig.run(task_of(size=0))
    assert rig.copied().content.stored == b""


@pytest.mark.parametrize("emulated", ["", "tagging-replace canned-acl"])
async def test_options_of_the_target(emulated: str) -> None:
    rig = far_rig(
        emulated=emulated,
        metadata_directive=Directive.ADD,
        new_object_metadata=NewObjectMetadata(user_metadata=(("size", "l"),), sse_algorithm="AES256"),
        tagging_directive=Directive.ADD,
        new_object_tagging=(Tag(key="tier", value="cold"),),
        canned_access_control_list=CannedAcl.PUBLIC_READ,
    )
    await rig.run()
    copied = rig.copied()
    assert copied.metadata.user == {"colour": "red", "shape": "round", "size": "l"}
    assert {tag.key: tag.value for tag in copied.tags} == {"tier": "cold", "team": "a"}
    assert AclGrant("", ALL_USERS, "READ") in copied.acl.grants
    assert copied.sse_algorithm == "AES256"


async def test_dates_are_compared() -> None:
    rig = far_rig(modified_since_constraint=2_000_000_000)
    with pytest.raises(StorageError) as caught:
        await rig.run()
    assert caught.value.reason is StorageReason.PRECONDITION_FAILED


@pytest.mark.parametrize("number", range(1, 8))
async def test_bytes_are_of_one_object(number: int) -> None:
    rig = far_rig(body=BODY)
    rig.claim()
    changed = bytes(reversed(BODY))

    def change() -> None:
        rig.clock.advance(2)
        rig.put_source(body=changed)

    rig.wire.before[number] = change
    assert (await rig.run(LARGE)).status is TaskStatus.SUCCEEDED
    assert rig.copied().content.stored == changed
    assert rig.target.open_uploads() == ()


@pytest.mark.parametrize("versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("body", [b"abc", BODY], ids=["small", "large"])
@pytest.mark.parametrize("trouble", list(Trouble))
async def test_every_request_may_be_the_last(trouble: Trouble, body: bytes, versioned: bool) -> None:
    task = task_of(size=len(body))
    calm = far_rig(body=body, versioned=versioned)
    await calm.run(task)
    for number in range(len(calm.wire.sent)):
        rig = far_rig(body=body, versioned=versioned)
        rig.wire.trouble, rig.wire.at = trouble, number
        try:
            result = await rig.run(task)
        except (Unanswered, SendingStopped):
            result = await rig.recover(task)
        assert (result.status, rig.copied().content.stored) == (TaskStatus.SUCCEEDED, body)
        assert (rig.copied().metadata, rig.copied().tags) == (METADATA, TAGS)
        assert (rig.target.open_uploads(), rig.uploads.records) == ((), [])
        assert len(await rig.versions()) == 1


class BreakingStore:
    """Bodies break off, the first few times."""

    def __init__(self, inner: MemoryStore, *, times: int, tells: bool = True) -> None:
        """Without ``tells``, a byte is missing at the end, and nothing says so."""
        self._inner = inner
        self._times = times
        self._tells = tells

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get(self, ref: ObjectRef, **place: Any) -> ObjectBody:
        self._times -= 1
        if self._times >= 0:
            if self._tells:
                raise StorageError(StorageReason.BODY_DAMAGED, "the body breaks off")
            place["last_byte"] -= 1
        return await self._inner.get(ref, **place)


@pytest.mark.parametrize(("times", "is_copied"), [(2, True), (3, False)])
async def test_a_download_that_breaks_off_is_begun_again(times: int, is_copied: bool) -> None:
    rig = far_rig()
    rig.source = cast(MemoryStore, BreakingStore(rig.source, times=times))
    if is_copied:
        assert (await rig.run()).status is TaskStatus.SUCCEEDED
    else:
        with pytest.raises(StorageError, match="breaks off"):
            await rig.run()
    assert rig.has_copy() is is_copied


@pytest.mark.parametrize(("times", "is_copied"), [(2, True), (10, False)])
async def test_a_part_that_comes_short_is_never_sent_on(times: int, is_copied: bool) -> None:
    rig = far_rig(body=BODY)
    rig.source = cast(MemoryStore, BreakingStore(rig.source, times=times, tells=False))
    if is_copied:
        await rig.run(LARGE)
        assert rig.copied().content.stored == BODY
    else:
        with pytest.raises(StorageError, match="bytes of"):
            await rig.run(LARGE)
    assert rig.has_copy() is is_copied


# --- memory -------------------------------------------------------------------------------------------------------


class Gauge:
    """Bytes held at once, at most."""

    def __init__(self) -> None:
        self.held = self.most = 0

    async def use(self, budget: ByteBudget, size: int) -> None:
        async with budget.hold(size):
            self.held += size
            self.most = max(self.most, self.held)
            await asyncio.sleep(0)
            self.held -= size


async def test_the_budget_bounds_what_is_held() -> None:
    gauge, budget = Gauge(), ByteBudget(100)
    await asyncio.gather(*(gauge.use(budget, size) for size in [30, 60, 90, 10, 100, 40] * 5))
    assert gauge.most <= 100
    assert gauge.held == 0


async def test_what_is_larger_than_the_budget_goes_alone() -> None:
    gauge, budget = Gauge(), ByteBudget(100)
    await asyncio.gather(*(gauge.use(budget, size) for size in [30, 500, 30]))
    assert gauge.most == 500


async def test_who_is_cancelled_while_waiting_holds_nothing() -> None:
    gauge, budget = Gauge(), ByteBudget(100)
    async with budget.hold(80):
        waiting = [asyncio.create_task(gauge.use(budget, 50)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(10):
        await gauge.use(budget, 100)
    assert gauge.most == 100


async def test_large_memory_is_lent_again() -> None:
    budget = ByteBudget(3 * MIB)
    async with budget.hold(MIB) as first:
        first[:] = bytes(MIB)
    async with budget.hold(MIB) as second, budget.hold(MIB) as third:
        assert second.obj is first.obj
        assert third.obj is not first.obj
    async with budget.hold(MIB - 1) as small:
        assert small.obj is not first.obj
    assert budget.kept_bytes == 2 * MIB


async def test_what_is_kept_and_what_is_lent_stay_in_the_budget() -> None:
    budget = ByteBudget(3 * MIB)
    async with budget.hold(MIB), budget.hold(MIB), budget.hold(MIB):
        assert budget.kept_bytes == 0
    assert budget.kept_bytes == 3 * MIB
    async with budget.hold(2 * MIB):
        assert budget.kept_bytes == MIB
        async with budget.hold(MIB):
            assert budget.kept_bytes == 0
    async with budget.hold(4 * MIB) as alone:
        assert (len(alone), budget.kept_bytes) == (4 * MIB, 0)
    assert budget.kept_bytes == 0


async def test_memory_is_not_lent_again_after_a_failure() -> None:
    budget = ByteBudget(MIB)
    with pytest.raises(StorageError):
        async with budget.hold(MIB):
            raise StorageError(StorageReason.UNANSWERED, "no answer")
    assert budget.kept_bytes == 0
    async with asyncio.timeout(10), budget.hold(MIB):
        pass


class Meter:
    """Between two stores: counts what was read from the one and not yet written to the other."""

    def __init__(self, inner: MemoryStore, gauge: Gauge) -> None:
        self._inner = inner
        self._gauge = gauge

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get(self, ref: ObjectRef, *, first_byte: int, last_byte: int) -> ObjectBody:
        self._gauge.held += last_byte + 1 - first_byte
        self._gauge.most = max(self._gauge.most, self._gauge.held)
        return await self._inner.get(ref, first_byte=first_byte, last_byte=last_byte)

    async def upload_part(self, target: ObjectRef, *, upload_id: str, number: int, body: HeldBody) -> CompletedPart:
        receipt = await self._inner.upload_part(target, upload_id=upload_id, number=number, body=body)
        self._gauge.held -= body.size_bytes
        return receipt


async def test_many_tasks_share_one_budget() -> None:
    """No matter how many objects are on their way, no more bytes are held than one worker may hold."""
    rig, gauge = far_rig(), Gauge()
    rig.operation = CopyOperation(transfer_memory_bytes=120)
    for number in range(10):
        rig.put_source(f"k{number}", BODY)
    rig.source = cast(MemoryStore, Meter(rig.source, gauge))
    rig.target = cast(MemoryStore, Meter(rig.target, gauge))
    await asyncio.gather(*(rig.run(task_of(f"k{number}", size=250)) for number in range(10)))
    assert (gauge.most, gauge.held) == (120, 0)
    assert rig.copied("k9").content.stored == BODY
