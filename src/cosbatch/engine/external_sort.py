"""Sorts more records than fit into memory: sorted runs in the work area, merged some at a time.

Records are bytes of one length. What is in memory is one run while they come, and a block of each merged run while they
go, however many there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from cosbatch.storage.spool import Spool

RUN_RECORDS: Final = 131_072
BLOCK_RECORDS: Final = 8_192
MERGED_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    folder: str
    blocks: int


@dataclass(slots=True, kw_only=True)
class _Head:
    """The next records of a run that is being merged."""

    run: _Run
    records: list[bytes]
    next_block: int = 1


class ExternalSort:
    """Records in, by :meth:`add`; then once, sorted, out by :meth:`merged`."""

    def __init__(
        self,
        spool: Spool,
        *,
        folder: str,
        record_bytes: int,
        run_records: int = RUN_RECORDS,
        block_records: int = BLOCK_RECORDS,
        merged_at_once: int = MERGED_AT_ONCE,
    ) -> None:
        """``folder`` of the work area ends in ``/`` and is this sort's alone. What is left there, when somebody dies,
        is for whoever sweeps it."""
        self._spool = spool
        self._folder = folder
        self._record_bytes = record_bytes
        self._run_records = run_records
        self._block_records = block_records
        self._merged_at_once = merged_at_once
        self._pending: list[bytes] = []
        self._runs: list[_Run] = []
        self._runs_made = 0

    async def add(self, records: Sequence[bytes]) -> None:
        self._pending += records
        while len(self._pending) >= self._run_records:
            run, self._pending = self._pending[: self._run_records], self._pending[self._run_records :]
            run.sort()
            await self._write_run(run)

    async def merged(self) -> AsyncIterator[list[bytes]]:
        """All records in order, some at a time. Files go as soon as they have served."""
        self._pending.sort()
        if not self._runs:
            yield self._pending
            return
        if self._pending:
            await self._write_run(self._pending)
            self._pending = []
        while len(self._runs) > self._merged_at_once:
            some, self._runs = self._runs[: self._merged_at_once], self._runs[self._merged_at_once :]
            self._runs.append(await self._merge_into_one(some))
        async for records in self._merge(self._runs):
            yield records

    async def _write_run(self, records: Sequence[bytes]) -> None:
        folder, size = self._new_folder(), self._block_records
        blocks = [records[start : start + size] for start in range(0, len(records), size)]
        for number, block in enumerate(blocks):
            await self._put(folder, number, block)
        self._runs.append(_Run(folder=folder, blocks=len(blocks)))

    async def _merge_into_one(self, runs: Sequence[_Run]) -> _Run:
        folder, number, held = self._new_folder(), 0, list[bytes]()
        async for records in self._merge(runs):
            held += records
            while len(held) >= self._block_records:
                block, held = held[: self._block_records], held[self._block_records :]
                await self._put(folder, number, block)
                number += 1
        if held:
            await self._put(folder, number, held)
            number += 1
        return _Run(folder=folder, blocks=number)

    async def _merge(self, runs: Sequence[_Run]) -> AsyncIterator[list[bytes]]:
        """Round by round, everything up to the least of the last records in sight: whatever comes later is greater."""
        heads = [_Head(run=run, records=await self._take(run, 0)) for run in runs]
        while heads:
            limit = min(head.records[-1] for head in heads)
            batch: list[bytes] = []
            for head in heads:
                cut = bisect_right(head.records, limit)
                batch += head.records[:cut]
                head.records = head.records[cut:]
                if not head.records and head.next_block < head.run.blocks:
                    head.records = await self._take(head.run, head.next_block)
                    head.next_block += 1
            heads = [head for head in heads if head.records]
            batch.sort()
            yield batch

    def _new_folder(self) -> str:
        self._runs_made += 1
        return f"{self._folder}{self._runs_made:06d}/"

    async def _put(self, folder: str, number: int, records: Sequence[bytes]) -> None:
        await self._spool.put(f"{folder}{number:06d}", b"".join(records))

    async def _take(self, run: _Run, number: int) -> list[bytes]:
        name, size = f"{run.folder}{number:06d}", self._record_bytes
        content = await self._spool.get(name)
        await self._spool.delete(name)
        return [content[start : start + size] for start in range(0, len(content), size)]
