"""Takes gzip off a stream, block by block, with bounded output; a plain stream passes through.

Which of the two it is, is seen from the first two bytes, never from a name. Zlib objects are used directly because
``gzip`` wants a file to pull from, and a manifest is pushed by the network.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from cosbatch.manifests.faults import StreamBroken

PIECE_BYTES: Final = 64 * 1024
"""No piece of output is longer, however well it was compressed."""
_INPUT_BYTES: Final = 64 * 1024
"""Input is fed in slices: what zlib has not consumed is copied after every piece of output."""
_MAGIC: Final = b"\x1f\x8b"
_GZIP_CONTAINER: Final = 31
_WAY_OUT: Final = "upload the file again"


class Unpacker:
    """Gzip as RFC 1952 has it: several members in a row are one stream; zero bytes may pad its end."""

    def __init__(self) -> None:
        self.is_gzip: bool | None = None
        """None until two bytes are there."""
        self._head = b""
        self._member: zlib._Decompress | None = None
        self._members_ended = 0
        self._member_spoke = False

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The text of ``block`` in pieces of at most 64 KiB. Raises StreamBroken."""
        if self.is_gzip is None:
            block = self._head + block
            self._head = block
            if len(block) < len(_MAGIC):
                return
            self.is_gzip = block.startswith(_MAGIC)
        if self.is_gzip:
            for start in range(0, len(block), _INPUT_BYTES):
                yield from self._inflate(block[start : start + _INPUT_BYTES])
        else:
            for start in range(0, len(block), PIECE_BYTES):
                yield block[start : start + PIECE_BYTES]

    def finish(self) -> Iterator[bytes]:
        """To be called after the last block. Raises StreamBroken where a gzip stream is cut off."""
        if self.is_gzip is None:
            self.is_gzip = False
            if self._head:
                yield self._head
        if self._member is not None:
            raise StreamBroken("the gzip stream is cut off", way_out=_WAY_OUT)

    def _inflate(self, block: bytes) -> Iterator[bytes]:
        while block:
            if self._member is None:
                block = block.lstrip(b"\0") if self._members_ended else block
                if not block:
                    return
                self._member = zlib.decompressobj(_GZIP_CONTAINER)
                self._member_spoke = False
            member = self._member
            yield from self._drain(member, block)
            block = b""
            if member.eof:
                block = member.unused_data
                self._member = None
                self._members_ended += 1

    def _drain(self, member: zlib._Decompress, block: bytes) -> Iterator[bytes]:
        """Everything that ``block`` unfolds to. A full piece may leave more inside zlib even when all was consumed."""
        piece = b""
        while block or len(piece) == PIECE_BYTES:
            try:
                piece = member.decompress(block, PIECE_BYTES)
            except zlib.error as error:
                raise self._broken(error) from error
            if piece:
                self._member_spoke = True
                yield piece
            if member.eof:
                return
            block = member.unconsumed_tail

    def _broken(self, error: zlib.error) -> StreamBroken:
        if self._members_ended and not self._member_spoke:
            return StreamBroken("bytes that are not gzip follow the end of the gzip stream", way_out=_WAY_OUT)
        return StreamBroken(f"the gzip stream is damaged ({error})", way_out=_WAY_OUT)
