"""Cuts the rows of a manifest into chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cosbatch.engine.chunk_files import ChunkRow, plain_records, records_of
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.versions import plain_row
from cosbatch.manifests.plain import RowBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class CutChunk:
    seq: int
    first_task: int
    records: list[str]
    """As they stand in the chunk file."""


class Chunker:
    """A chunk closes at 1,000 rows (the first 16: at 100), or when its listed sizes reach 64 GiB, never inside a
    run."""

    def __init__(self, *, limits: EngineLimits, cut_chunks: int = 0, cut_rows: int = 0) -> None:
        """``cut_chunks`` and ``cut_rows``: what an earlier plan of the same rows has saved. Those rows are passed over,
        so that it does not matter whether they would be cut at the same places today."""
        self._limits = limits
        self._seq = cut_chunks
        self._first_task = cut_rows
        self._to_pass = cut_rows
        self._records: list[str] = []
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
        self._records.extend(records_of(run))
        self._bytes += sum([row[2] or 0 for row in run])
        if len(self._records) >= self._row_limit() or self._bytes >= self._limits.chunk_bytes:
            yield self._cut()

    def add_batch(self, batch: RowBatch) -> Iterator[CutChunk]:
        """Rows of a manifest that names no versions: each for itself, so that they may be cut anywhere."""
        if batch.plain is not None:
            keys, sizes = batch.plain
            return self._add_records(plain_records(keys, sizes), sizes)
        rows = [plain_row(row) for row in batch]
        return self._add_records(records_of(rows), [row[2] or 0 for row in rows])

    def _add_records(self, records: Sequence[str], sizes: Sequence[int] | None) -> Iterator[CutChunk]:
        start = min(self._to_pass, len(records))
        self._to_pass -= start
        while start < len(records):
            end = min(len(records), start + self._row_limit() - len(self._records))
            if sizes is not None:
                end = self._add_sizes(sizes, start, end)
            self._records.extend(records[start:end])
            start = end
            if len(self._records) >= self._row_limit() or self._bytes >= self._limits.chunk_bytes:
                yield self._cut()

    def finish(self) -> Iterator[CutChunk]:
        if self._to_pass:
            raise ValueError(f"an earlier plan has saved {self._to_pass} rows more than the manifest has now")
        if self._records:
            yield self._cut()

    def _not_cut_before(self, rows: Sequence[ChunkRow]) -> Sequence[ChunkRow]:
        if not self._to_pass:
            return rows
        passed = min(self._to_pass, len(rows))
        self._to_pass -= passed
        return rows[passed:]

    def _add_sizes(self, sizes: Sequence[int], start: int, end: int) -> int:
        """The place before ``end`` where the chunk has reached its bytes, or ``end``."""
        total = self._bytes + sum(sizes[start:end])
        if total >= self._limits.chunk_bytes:
            total = self._bytes
            for place in range(start, end):
                total += sizes[place]
                if total >= self._limits.chunk_bytes:
                    end = place + 1
                    break
        self._bytes = total
        return end

    def _row_limit(self) -> int:
        is_first = self._seq < self._limits.first_chunks
        return self._limits.first_chunk_rows if is_first else self._limits.chunk_rows

    def _cut(self) -> CutChunk:
        chunk = CutChunk(seq=self._seq, first_task=self._first_task, records=self._records)
        self._seq += 1
        self._first_task += len(self._records)
        self._records = []
        self._bytes = 0
        return chunk
