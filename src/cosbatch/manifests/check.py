"""A manifest read as far as somebody waits for it: whether a job could use it, and which rows name an object twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from cosbatch.manifests.bodies import ManifestStore
from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.reader import ManifestHeader, ManifestReading, read_manifest
from cosbatch.model.errors import FailureCode, Fault, JobFailure, ManifestFaulty
from cosbatch.model.manifests import Manifest, ManifestRow

REPEATS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLimits:
    """How far is read. A row takes 64 bytes of memory: nothing else is kept of it."""

    rows: int = 1_000_000
    seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A row that names what a row before it names."""

    row: int
    """Number among the rows of all files, from 1."""
    key: str
    version_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestChecked:
    is_complete: bool
    """Whether it was read to its end; else the numbers are of the rows read."""
    header: ManifestHeader | None
    """None where not even its first rows can be read."""
    rows: int
    """Read; where there are faults, those before the first one."""
    bytes_read: int
    listed_bytes: int | None
    """Sum of the sizes that the rows name; None where they name none."""
    delete_markers: int
    repeats: int
    """Rows that name what a row before them names."""
    first_repeats: tuple[Repeat, ...]
    """Up to 10."""
    faults: tuple[Fault, ...]
    more_faults: bool


async def check_manifest(
    manifest: Manifest, store: ManifestStore, *, limits: CheckLimits, time: Callable[[], float]
) -> ManifestChecked:
    """``time``: seconds that only go forward. What is wrong inside the manifest is in ``faults``. Raises JobFailure and
    StorageError like :func:`cosbatch.manifests.reader.read_manifest`."""
    begun, seen = time(), _Seen()
    reading: ManifestReading | None = None
    try:
        reading = await read_manifest(manifest, store)
        is_complete = await _read(reading, seen, until=lambda: time() - begun >= limits.seconds, most=limits.rows)
    except ManifestFaulty as error:
        return _checked(seen, reading, is_complete=not error.more, faults=tuple(error.faults), more=error.more)
    except JobFailure as failure:
        if failure.failure_code is not FailureCode.MANIFEST_EMPTY:
            raise
        fault = Fault(path=manifest.location.key, value="", problem=failure.reason)
        return _checked(seen, reading, is_complete=True, faults=(fault,))
    return _checked(seen, reading, is_complete=is_complete)


async def _read(reading: ManifestReading, seen: _Seen, *, until: Callable[[], bool], most: int) -> bool:
    """Whether there was nothing left to read."""
    async with aclosing(reading), aclosing(reading.batches()) as batches:
        async for batch in batches:
            if seen.rows >= most or until():
                return False
            seen.add(batch)
    return True


def _checked(
    seen: _Seen,
    reading: ManifestReading | None,
    *,
    is_complete: bool,
    faults: tuple[Fault, ...] = (),
    more: bool = False,
) -> ManifestChecked:
    header = reading.header if reading else None
    return ManifestChecked(
        is_complete=is_complete,
        header=header,
        rows=seen.rows,
        bytes_read=reading.bytes_read if reading else 0,
        listed_bytes=seen.listed_bytes if header and header.has_sizes else None,
        delete_markers=seen.delete_markers,
        repeats=seen.repeats,
        first_repeats=tuple(seen.first_repeats),
        faults=faults,
        more_faults=more,
    )


@dataclass(slots=True)
class _Seen:
    """What the rows so far add up to."""

    rows: int = 0
    listed_bytes: int = 0
    delete_markers: int = 0
    repeats: int = 0
    first_repeats: list[Repeat] = field(default_factory=list)
    _named: set[int] = field(default_factory=set)
    """64 bits of each object named: among a million, two that differ are taken for one once in ten million checks."""

    def add(self, batch: RowBatch) -> None:
        for row in batch:
            self.rows += 1
            self.listed_bytes += row.size_bytes or 0
            self.delete_markers += row.is_delete_marker
            known = len(self._named)
            self._named.add(hash((row.key, row.version_id)))
            if len(self._named) == known:
                self._note_repeat(row)

    def _note_repeat(self, row: ManifestRow) -> None:
        self.repeats += 1
        if len(self.first_repeats) < REPEATS_SHOWN:
            self.first_repeats.append(Repeat(row=self.rows, key=row.key, version_id=row.version_id))
