"""The rest of a long body, from the socket straight to where its reader wants it.

Handed on in blocks, each byte is copied three times before it is there: by the event loop, by the parser, and by who
puts the blocks together.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

_NOWHERE_BYTES: Final = 64 * 2**10


class RoomOwner(Protocol):
    """The connection whose place is taken. It hears of everything but the bytes."""

    def has_ended(self) -> bool: ...

    def filled(self, *, is_full: bool) -> None:
        """More of the body is here; all of it when ``is_full``."""
        ...

    def eof_received(self) -> None: ...

    def connection_lost(self, error: Exception | None) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


class RoomFiller(asyncio.BufferedProtocol):
    """Stands in for a connection at its transport until ``room`` is full. That is as long as what is left of the body,
    so that nothing that comes after it is taken."""

    __slots__ = ("_left", "_owner")

    def __init__(self, room: memoryview, *, owner: RoomOwner) -> None:
        self._left = room
        self._owner = owner

    def get_buffer(self, sizehint: int) -> bytearray:
        """After its end a connection writes nothing into the room: it may be somebody else's by then."""
        if self._owner.has_ended():
            return bytearray(_NOWHERE_BYTES)
        return cast("bytearray", self._left)  # any writable buffer will do

    def buffer_updated(self, count: int) -> None:
        if self._owner.has_ended():
            return
        self._left = self._left[count:]
        self._owner.filled(is_full=not self._left)

    def eof_received(self) -> None:
        self._owner.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.connection_lost(error)

    def pause_writing(self) -> None:
        self._owner.pause_writing()

    def resume_writing(self) -> None:
        self._owner.resume_writing()
