"""Which rows of a dry run have the same target: found while the manifest is read, told to the tasks by number.

Rows next to each other are seen by the plan itself (:mod:`cosbatch.engine.versions`). Those far apart meet by sorting:
a digest of each target with its row's number, sorted by digest, puts rows of one target beside each other; the pairs,
sorted by number, go into one file of the work area for every 1,000 rows that have any.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from cosbatch.engine.chunk_files import ChunkRow
from cosbatch.engine.external_sort import ExternalSort
from cosbatch.manifests.plain import RowBatch
from cosbatch.model.errors import SpoolMissing
from cosbatch.model.identifiers import JobId, ObjectKey, VersionId
from cosbatch.model.tasks import Claim
from cosbatch.operations.dry_run import TargetNames
from cosbatch.storage.spool import Spool

DIGEST_BYTES: Final = 16
"""Two of 10^9 different targets have the same with a probability of 10^-21."""
NUMBER_BYTES: Final = 8
ROWS_A_FILE: Final = 1000
FILES_A_FOLDER: Final = 1000
NOBODY: Final[Mapping[int, int]] = {}


class SharedTargets:
    """One plan's search. Rows come in the order of the manifest, and every row comes."""

    def __init__(
        self, job_id: JobId, *, fence: int, spool: Spool, names: TargetNames, run_records: int | None = None
    ) -> None:
        """``fence``: of the plan, so that no other plan of the job writes the same files."""
        folder = f"{_sort_folder(job_id)}{fence}-"
        options = {} if run_records is None else {"run_records": run_records}
        self._job_id = job_id
        self._spool = spool
        self._names = names
        self._by_target = ExternalSort(
            spool, folder=f"{folder}targets/", record_bytes=DIGEST_BYTES + NUMBER_BYTES, **options
        )
        self._by_number = ExternalSort(spool, folder=f"{folder}rows/", record_bytes=2 * NUMBER_BYTES, **options)
        self._number = 0
        self._noted: list[bytes] = []

    def note_batch(self, batch: RowBatch) -> None:
        """Rows of a manifest without versions."""
        if batch.plain is not None:
            for key in batch.plain.keys:
                self._note(key, None)
            return
        for row in batch:
            if row.is_delete_marker:
                self._number += 1
            else:
                self._note(row.key, row.version_id)

    def note_run(self, run: Sequence[ChunkRow]) -> None:
        """Neighbours of one key, of which the plan knows that they share a target: one of them stands for all."""
        first = self._number
        sent = [place for place, row in enumerate(run) if len(row) == _PLAIN_COLUMNS or not row[3]]
        if sent:
            key, version, *_ = run[sent[0]]
            self._number = first + sent[0]
            self._note(key, version)
        self._number = first + len(run)

    def _note(self, key: str, version: str | None) -> None:
        name = self._names(ObjectKey(key), VersionId(version) if version else None)
        if name is not None:
            digest = hashlib.blake2b(name, digest_size=DIGEST_BYTES).digest()
            self._noted.append(digest + self._number.to_bytes(NUMBER_BYTES))
        self._number += 1

    async def put_away(self) -> None:
        """Called after some rows, so that what was noted of them does not stay in memory."""
        noted, self._noted = self._noted, []
        await self._by_target.add(noted)

    async def finish(self) -> int:
        """Rows that share their target; the files that :func:`read_shared` reads are there then."""
        await self.put_away()
        count = 0
        async for pairs in self._pairs():
            count += len(pairs)
            await self._by_number.add(pairs)
        await self._write_files()
        return count

    async def _pairs(self) -> AsyncIterator[list[bytes]]:
        """The number of each row that shares its target, with the first row's, or of that one the next one's."""
        digest, first, is_alone = b"", b"", False
        async for records in self._by_target.merged():
            pairs: list[bytes] = []
            for record in records:
                number = record[DIGEST_BYTES:]
                if record[:DIGEST_BYTES] != digest:
                    digest, first, is_alone = record[:DIGEST_BYTES], number, True
                    continue
                if is_alone:
                    pairs.append(first + number)
                    is_alone = False
                pairs.append(number + first)
            yield pairs

    async def _write_files(self) -> None:
        file_number, held = -1, list[bytes]()
        async for records in self._by_number.merged():
            for record in records:
                found = int.from_bytes(record[:NUMBER_BYTES]) // ROWS_A_FILE
                if found != file_number:
                    await self._write_file(file_number, held)
                    file_number, held = found, []
                held.append(record)
        await self._write_file(file_number, held)

    async def _write_file(self, file_number: int, records: Sequence[bytes]) -> None:
        """A plan that is made again writes the same bytes: its manifest is pinned."""
        if records:
            await self._spool.put(_file_name(self._job_id, file_number), b"".join(records))


_PLAIN_COLUMNS: Final = 3


async def read_shared(claim: Claim, *, spool: Spool) -> Mapping[int, int]:
    """Of the tasks of a chunk that share their target with another row: their number, and that row's."""
    end = claim.first_task + claim.task_count
    found: dict[int, int] = {}
    for file_number in range(claim.first_task // ROWS_A_FILE, (end - 1) // ROWS_A_FILE + 1):
        try:
            content = await spool.get(_file_name(claim.lease.job_id, file_number))
        except SpoolMissing:
            continue
        found |= {number: other for number, other in _decode(content) if claim.first_task <= number < end}
    return found


def _decode(content: bytes) -> Iterable[tuple[int, int]]:
    for start in range(0, len(content), 2 * NUMBER_BYTES):
        middle = start + NUMBER_BYTES
        yield int.from_bytes(content[start:middle]), int.from_bytes(content[middle : middle + NUMBER_BYTES])


async def sweep_shared(job_id: JobId, *, spool: Spool) -> None:
    """Deletes what the search has left: nobody asks for it once every task has its result."""
    for name in await spool.list(_sort_folder(job_id)):
        await spool.delete(name)
    for folder in await spool.folders(_files_folder(job_id)):
        for name in await spool.list(f"{_files_folder(job_id)}{folder}/"):
            await spool.delete(name)


def _sort_folder(job_id: JobId) -> str:
    return f"jobs/{job_id}/sort/"


def _files_folder(job_id: JobId) -> str:
    return f"jobs/{job_id}/targets/"


def _file_name(job_id: JobId, file_number: int) -> str:
    return f"{_files_folder(job_id)}{file_number // FILES_A_FOLDER:05d}/{file_number}"
