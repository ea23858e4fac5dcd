"""Cuts the rows of a manifest into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cosbatch.engine.chunk_files import ChunkRow
from cosbatch.engine.limits import EngineLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class CutChunk:
    seq: int
    first_task: int
    rows: list[ChunkRow]


class Chunker:
    """A chunk closes at 1,000 rows (the first 64: at 100), or when its listed sizes reach 64 GiB, never inside a
    run."""

    def __init__(self, *, limits: EngineLimits, cut_chunks: int = 0, cut_rows: int = 0) -> None:
        """``cut_chunks`` and ``cut_rows``: what an earlier plan of the same rows has saved. Those rows are passed over,
        so that it does not matter whether they would be cut at the same places today."""
        self._limits = limits
        self._seq = cut_chunks
        self._first_task = cut_rows
        self._to_pass = cut_rows
        self._rows: list[ChunkRow] = []
        self._bytes = 0

    @property
    def rows_cut(self) -> int:
        """Rows in the chunks that were given out so far, by an earlier plan too."""
        return self._first_task

    def add_run(self, run: Sequence[ChunkRow]) -> Iterator[CutChunk]:
        """Rows that must stay together."""
        run = self._not_cut_before(run)
        if not run:
            return
        self._rows.extend(run)
        self._bytes += sum([row[2] or 0 for row in run])
        if len(self._rows) >= self._row_limit() or self._bytes >= self._limits.chunk_bytes:
            yield self._cut()

    def add_rows(self, rows: Sequence[ChunkRow]) -> Iterator[CutChunk]:
        """Rows that may be cut anywhere: the fast path, a slice at a time."""
        rows = self._not_cut_before(rows)
        start = 0
        while start < len(rows):
            room = self._row_limit() - len(self._rows)
            taken = rows[start : start + room]
            sizes = [row[2] or 0 for row in taken]
            if self._bytes + sum(sizes) >= self._limits.chunk_bytes:
                taken = taken[: self._rows_to_byte_limit(sizes)]
                sizes = sizes[: len(taken)]
            self._rows.extend(taken)
            self._bytes += sum(sizes)
            start += len(taken)
            if len(self._rows) >= self._row_limit() or self._bytes >= self._limits.chunk_bytes:
                yield self._cut()

    def finish(self) -> Iterator[CutChunk]:
        if self._to_pass:
            raise ValueError(f"an earlier plan has saved {self._to_pass} rows more than the manifest has now")
        if self._rows:
            yield self._cut()

    def _not_cut_before(self, rows: Sequence[ChunkRow]) -> Sequence[ChunkRow]:
        if not self._to_pass:
            return rows
        passed = min(self._to_pass, len(rows))
        self._to_pass -= passed
        return rows[passed:]

    def _rows_to_byte_limit(self, sizes: Sequence[int]) -> int:
        total = self._bytes
        for place, size in enumerate(sizes):
            total += size
            if total >= self._limits.chunk_bytes:
                return place + 1
        return len(sizes)

    def _row_limit(self) -> int:
        is_first = self._seq < self._limits.first_chunks
        return self._limits.first_chunk_rows if is_first else self._limits.chunk_rows

    def _cut(self) -> CutChunk:
        chunk = CutChunk(seq=self._seq, first_task=self._first_task, rows=self._rows)
        self._seq += 1
        self._first_task += len(self._rows)
        self._rows = []
        self._bytes = 0
        return chunk
