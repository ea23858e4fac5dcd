"""Bodies that are whole in memory for a while: filled from a store, then sent to another, without a copy in between."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import NamedTuple

from cosbatch.model.errors import StorageError, StorageReason


class HeldBody(NamedTuple):
    """A :class:`~cosbatch.storage.port.SizedBody` that is known as a whole, so that it can be hashed before it is sent.

    The memory may be used for something else as soon as the call that sends it has ended: nobody keeps it.
    """

    content: memoryview

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    async def blocks(self) -> AsyncIterator[memoryview]:
        yield self.content


def _none_directly(_: memoryview) -> int:
    return 0


async def fill_room(
    room: memoryview, blocks: AsyncIterable[bytes], *, rest_into: Callable[[memoryview], int] = _none_directly
) -> int:
    """Puts the blocks into ``room``, one behind the other; returns how many bytes there are.

    ``rest_into`` is asked after each block whether what follows comes into the given room by itself, before the blocks
    end: how many bytes. Raises BODY_DAMAGED for more than there is room for.
    """
    filled = 0
    async for block in blocks:
        end = filled + len(block)
        if end > len(room):
            raise StorageError(StorageReason.BODY_DAMAGED, f"the body is longer than the {len(room)} bytes expected")
        room[filled:end] = block
        filled = end + rest_into(room[end:])
    return filled
