"""Cuts a stream of bytes into segments of whole CSV records, and knows the physical line at which each begins.

A record ends at a line feed that an even number of quotes precedes. That rule alone decides where records end, in
well-formed text and in any other, so that a fault is the same fault however the network cut the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from cosbatch.manifests.faults import StreamBroken

SEGMENT_BYTES: Final = 64 * 1024
"""Some 600 rows: enough to make the work per segment small, and few enough to stay in a CPU's cache (at four times
    that, reading takes a third longer)."""
RECORD_LIMIT: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


class Segment(NamedTuple):
    line: int
    """Physical line of its first byte, from 1."""
    content: bytes
    """Whole records; the last byte is a line feed."""


class RecordCutter:
    """Push bytes in, get segments out. A byte-order mark at the very start is dropped.

    ``segment_bytes`` is what is gathered before a cut; pieces pushed in must not be longer than the record limit.
    """

    def __init__(self, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.line = 1
        """Line of the first byte that is not in a segment yet."""
        self.had_bom = False
        self._segment_bytes = segment_bytes
        self._goal = segment_bytes
        self._pending = bytearray()
        self._began = False

    def feed(self, piece: bytes) -> Iterator[Segment]:
        """Raises StreamBroken where a record is longer than 1 MiB."""
        self._pending += piece
        if len(self._pending) >= self._goal:
            yield from self.flush()

    def flush(self) -> Iterator[Segment]:
        """The whole records so far."""
        content = bytes(self._pending)
        end = last_record_end(content)
        self._refuse_long(content, end)
        self._pending = bytearray(content[end:])
        # Doubling keeps the cost of looking at one long record again and again linear.
        self._goal = self._segment_bytes if end else max(self._segment_bytes, min(2 * len(content), RECORD_LIMIT + 1))
        if end:
            yield self._segment(content[:end])

    def finish(self) -> Iterator[Segment]:
        """The rest, whose last line may lack its end. Raises StreamBroken where a quote is still open."""
        if self._pending and not self._pending.endswith(b"\n"):
            self._pending += b"\n"
        yield from self.flush()
        if self._pending:
            raise StreamBroken("a quote is opened and never closed", way_out='write it as ""', line=self.line)

    def reached_line(self) -> int:
        """The line of the last byte that was pushed in."""
        return self.line + self._pending.count(b"\n")

    def _segment(self, content: bytes) -> Segment:
        line = self.line
        self.line += content.count(b"\n")
        if not self._began:
            self._began = True
            self.had_bom = content.startswith(_BOM)
            content = content.removeprefix(_BOM)
        return Segment(line, content)

    def _refuse_long(self, content: bytes, end: int) -> None:
        """Only the first record can be too long: it is the one that earlier pieces left unfinished."""
        if len(content) <= RECORD_LIMIT:
            return
        if not end or first_record_end(content) > RECORD_LIMIT:
            raise StreamBroken(
                "a record is longer than 1 MiB" + (", a quote in it may never be closed" if b'"' in content else ""),
                line=self.line,
            )


def last_record_end(content: bytes) -> int:
    """The number of bytes up to the end of the last whole record; 0 where none is whole."""
    odd = content.count(b'"') & 1
    end = len(content)
    while True:
        at = content.rfind(b"\n", 0, end)
        if at < 0:
            return 0
        odd ^= content.count(b'"', at, end) & 1
        if not odd:
            return at + 1
        end = at


def first_record_end(content: bytes) -> int:
    odd = 0
    start = 0
    while True:
        at = content.find(b"\n", start)
        if at < 0:
            return len(content)
        odd ^= content.count(b'"', start, at) & 1
        if not odd:
            return at + 1
        start = at + 1
