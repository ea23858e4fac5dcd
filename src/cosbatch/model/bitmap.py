"""Sets of tasks of one chunk: bit ``i`` stands for the task ``first_task + i``.

Stored as little-endian bytes, so that equal sets have equal bytes. A Python integer does the set algebra: a chunk has
at most some thousand tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Bitmap:
    """An immutable set of small integers below ``size``."""

    __slots__ = ("bits", "size")

    def __init__(self, *, size: int, bits: int = 0) -> None:
        if bits < 0 or bits >> size:
            raise ValueError(f"a bit beyond the {size} tasks is set")
        self.size = size
        self.bits = bits

    @classmethod
    def of(cls, members: Iterable[int], *, size: int) -> Bitmap:
        flags = bytearray(size)
        found = list(members)
        for end in (min(found, default=0), max(found, default=-1)):
            if found and not 0 <= end < size:
                raise ValueError(f"{end} is not one of the {size} tasks")
        for member in found:
            flags[member] = 1
        bits = int(bytes(flags[::-1]).translate(_TO_DIGITS) or b"0", 2)
        return cls(size=size, bits=bits)

    @classmethod
    def full(cls, size: int) -> Bitmap:
        return cls(size=size, bits=(1 << size) - 1)

    @classmethod
    def from_bytes(cls, stored: bytes, *, size: int) -> Bitmap:
        """No bytes at all are the empty set. ValueError where they are not the bytes of a set of this size: a bitmap
        that was cut off is not a smaller set."""
        if stored and len(stored) != (size + 7) // 8:
            raise ValueError(f"{len(stored)} bytes are no bitmap of {size} tasks")
        return cls(size=size, bits=int.from_bytes(stored, "little"))

    def to_bytes(self) -> bytes:
        return self.bits.to_bytes((self.size + 7) // 8, "little")

    def __contains__(self, member: int) -> bool:
        return member >= 0 and bool(self.bits >> member & 1)

    def __iter__(self) -> Iterator[int]:
        digits = bin(self.bits)[:1:-1]
        position = digits.find("1")
        while position >= 0:
            yield position
            position = digits.find("1", position + 1)

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bitmap) and (self.size, self.bits) == (other.size, other.bits)

    def __hash__(self) -> int:
        return hash((self.size, self.bits))

    def __or__(self, other: Bitmap) -> Bitmap:
        return Bitmap(size=self.size, bits=self.bits | other.bits)

    def __sub__(self, other: Bitmap) -> Bitmap:
        return Bitmap(size=self.size, bits=self.bits & ~other.bits)

    def is_disjoint(self, other: Bitmap) -> bool:
        return not self.bits & other.bits

    def is_full(self) -> bool:
        return self.bits == (1 << self.size) - 1

    def ranges(self, *, offset: int = 0) -> list[tuple[int, int]]:
        """The members as half-open ranges ``(from, to)``, each shifted by ``offset``."""
        found: list[tuple[int, int]] = []
        for member in self:
            if found and found[-1][1] == member + offset:
                found[-1] = (found[-1][0], member + offset + 1)
            else:
                found.append((member + offset, member + offset + 1))
        return found

    def __repr__(self) -> str:
        return f"Bitmap(size={self.size}, members={self.ranges()})"


_TO_DIGITS = bytes([0x30, 0x31]) + bytes(range(2, 256))
