"""Copies between stores that cannot read from one another: the bytes go through cosbatch, a bounded number at a time.

What is in memory is bounded for all tasks of a worker together, not for each: a small object is held whole, a large one
in parts. Bodies are held, not streamed through, so that every request carries its checksum and can be sent again
without a second download.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import VersionId
from cosbatch.operations.copy_plan import ObjectCopy
from cosbatch.operations.copy_source import Wanted, source_changed
from cosbatch.operations.copy_uploads import PartRange, Sending, part_ranges, put_options, upload_whole
from cosbatch.operations.copy_write import SENDS
from cosbatch.operations.port import JobFacts
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.port import CompletedPart, ObjectMeta

TRANSFER_PART_BYTES: Final = 16 * 2**20
"""Larger objects are sent in parts; the parts are larger only where there would be too many."""
TRANSFERS_AT_ONCE: Final = 4
"""Parts of one object in flight."""
TRANSFER_MEMORY_BYTES: Final = TRANSFER_PART_BYTES * TRANSFERS_AT_ONCE
KEPT_FROM_BYTES: Final = 2**20
"""Smaller pieces of memory are not kept: they come cheaply."""


class ByteBudget:
    """A number of bytes that may be held at once. First come, first served: a large claim is not starved by small ones.

    One claim larger than the whole budget is let through when nothing else is held. The memory itself is lent, and
    large pieces are kept for the next claim of the same size: fresh memory costs more than filling it. What is lent and
    what is kept are never more than the budget together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._kept: deque[bytearray] = deque()
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator[memoryview]:
        """Memory of this size, whatever it has in it; nobody may use it after the ``with``."""
        claimed = min(size_bytes, self._limit)
        await self._take(claimed)
        try:
            piece = self._piece(size_bytes)
            yield memoryview(piece)
            # After a failure the piece is not kept: nobody can say who else may still have it in hand.
            if KEPT_FROM_BYTES <= size_bytes <= self._limit:
                self._kept.append(piece)
        finally:
            self._held -= claimed
            self._wake()

    def _piece(self, size_bytes: int) -> bytearray:
        """Called when its bytes are claimed."""
        for piece in self._kept:
            if len(piece) == size_bytes:
                self._kept.remove(piece)
                return piece
        while self._kept and self._held + self.kept_bytes > self._limit:
            self._kept.popleft()
        return bytearray(size_bytes)

    @property
    def kept_bytes(self) -> int:
        """What is kept for claims to come."""
        return sum(map(len, self._kept))

    async def _take(self, claimed: int) -> None:
        if not self._waiting and self._held + claimed <= self._limit:
            self._held += claimed
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((claimed, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._held -= claimed
            else:
                self._waiting.remove((claimed, turn))
            self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting and self._held + self._waiting[0][0] <= self._limit:
            claimed, turn = self._waiting.popleft()
            self._held += claimed
            turn.set_result(None)


async def transfer(copy: ObjectCopy, wanted: Wanted, meta: ObjectMeta, *, budget: ByteBudget) -> VersionId | None:
    """Downloads and uploads one object."""
    if meta.size_bytes > transfer_part_bytes(copy):
        return await _transfer_in_parts(copy, wanted, meta, budget=budget)
    async with budget.hold(meta.size_bytes) as room:
        await _download(copy, meta, room, first_byte=0, last_byte=None)
        outcome = await copy.target_store.put(copy.target, HeldBody(room), options=put_options(copy, wanted))
    copy.context.written_etag = outcome.etag
    return outcome.version_id


def transfer_part_bytes(copy: ObjectCopy) -> int:
    return transfer_part_size(copy.plan.facts)


def transfer_part_size(facts: JobFacts) -> int:
    """Parts are never larger than the job asks for, nor than keeps memory bounded."""
    return max(min(facts.request.part_size_bytes, TRANSFER_PART_BYTES), facts.target_profile.min_part_bytes)


def transfer_ranges(copy: ObjectCopy, size_bytes: int) -> tuple[PartRange, ...]:
    profile = copy.plan.facts.target_profile
    return part_ranges(
        size_bytes,
        part_bytes=transfer_part_bytes(copy),
        min_part_bytes=profile.min_part_bytes,
        max_parts=profile.max_parts,
    )


async def _transfer_in_parts(
    copy: ObjectCopy, wanted: Wanted, meta: ObjectMeta, *, budget: ByteBudget
) -> VersionId | None:
    ranges = transfer_ranges(copy, meta.size_bytes)

    async def send(upload_id: str, part: PartRange) -> CompletedPart:
        async with budget.hold(part.size_bytes) as room:
            await _download(copy, meta, room, first_byte=part.first_byte, last_byte=part.last_byte)
            return await copy.target_store.upload_part(
                copy.target, upload_id=upload_id, number=part.number, body=HeldBody(room)
            )

    sending = Sending(ranges=ranges, send=send, at_once=min(TRANSFERS_AT_ONCE, len(ranges)))
    return await upload_whole(copy, wanted, meta, sending=sending, before_end=_nothing_to_check)


async def _nothing_to_check() -> None:
    """Every download has compared the source's ETag already."""


async def _download(
    copy: ObjectCopy, meta: ObjectMeta, room: memoryview, *, first_byte: int, last_byte: int | None
) -> None:
    """Fills ``room`` with a range of the source, as long as it is still the object that ``meta`` describes. A body
    that breaks off is begun again: nothing was written yet."""
    for left in reversed(range(SENDS)):
        try:
            await _read_range(copy, meta, room, first_byte=first_byte, last_byte=last_byte)
            return
        except StorageError as error:
            if not left or error.reason is not StorageReason.BODY_DAMAGED:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _read_range(
    copy: ObjectCopy, meta: ObjectMeta, room: memoryview, *, first_byte: int, last_byte: int | None
) -> None:
    body = await copy.source_store.get(copy.source, first_byte=first_byte, last_byte=last_byte)
    try:
        if body.meta.etag != meta.etag:
            raise source_changed(copy)
        size_bytes = await body.read_into(room)
    finally:
        await body.aclose()
    if size_bytes != len(room):
        text = f"the source sent {size_bytes} bytes of {len(room)}"
        raise StorageError(StorageReason.BODY_DAMAGED, text, target=f"GET {copy.source.bucket}/{copy.source.key}")
