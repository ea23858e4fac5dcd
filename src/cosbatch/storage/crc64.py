"""Whether bytes have a given CRC-64, as COS names it: ECMA-182, reflected (``x-cos-hash-crc64ecma``).

Python has no such function, and one in Python takes a tenth of a second for a megabyte. The XZ format has the same
check, and the library that reads it is in Python: the bytes are put into an XZ stream as they are, uncompressed, and
the library compares (The .xz File Format, sections 2.1, 3.1 and 3.4; LZMA2 chunks of the kind "uncompressed").
"""

from __future__ import annotations

import lzma
import zlib
from typing import Final

_CHUNK_BYTES: Final = 65_536
"""The longest chunk that is not compressed."""
_FIRST, _NEXT, _END = b"\x01", b"\x02", b"\x00"
_CHECKED_BY_CRC64: Final = b"\x00\x04"
_LZMA2_4_KIB: Final = b"\x02\x00\x21\x01\x00\x00\x00\x00"


def _with_crc32(fields: bytes) -> bytes:
    return fields + zlib.crc32(fields).to_bytes(4, "little")


_HEADERS: Final = b"\xfd7zXZ\x00" + _with_crc32(_CHECKED_BY_CRC64) + _with_crc32(_LZMA2_4_KIB)


class Crc64:
    """Takes bytes as they come, and compares at the end."""

    def __init__(self) -> None:
        self._reader = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
        self._reader.decompress(_HEADERS)
        self._kind = _FIRST
        self._packed_bytes = 0

    def update(self, content: bytes | memoryview) -> None:
        for start in range(0, len(content), _CHUNK_BYTES):
            chunk = content[start : start + _CHUNK_BYTES]
            self._reader.decompress(self._kind + (len(chunk) - 1).to_bytes(2, "big"))
            self._reader.decompress(chunk)
            self._kind = _NEXT
            self._packed_bytes += 3 + len(chunk)

    def ends_as(self, named: str) -> bool:
        """Whether all that came has the CRC that a header names, in decimal. May be asked once."""
        if not (named.isascii() and named.isdecimal()) or int(named) >= 2**64:
            return False
        padding = bytes(-(self._packed_bytes + 1) % 4)
        try:
            self._reader.decompress(_END + padding + int(named).to_bytes(8, "little"))
        except lzma.LZMAError:
            return False
        return True
