"""Chunk files: the tasks of one chunk as they lie in the spool.

gzip (level 1) over CSV with one record a task: key, version id, size, and only where one is set: skip, group, turn. The
number of a task is its place; keys are decoded here already. CSV because the C reader of the standard library is
the fastest there is for such rows, and because a person can read it with zcat.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final

from cosbatch.model.errors import SpoolDamaged
from cosbatch.model.identifiers import JobId, ObjectKey, VersionId
from cosbatch.model.tasks import Skip, Task

ChunkRow = tuple[str, str | None, int | None] | tuple[str, str | None, int | None, str, int, int]
"""A task without its number: three columns, or six where it is skipped or belongs to a run of versions."""

CHUNKS_PER_FOLDER: Final = 1000
_PLAIN_COLUMNS: Final = 3
_QUOTED_FOR: Final = (",", '"', "\r", "\n")
"""What makes the CSV writer put a cell in quotes."""


def encode_chunk(records: Iterable[str]) -> bytes:
    """The chunk file of these records. The same ones give the same bytes."""
    return gzip.compress("".join(records).encode(), compresslevel=1, mtime=0)


def records_of(rows: Iterable[ChunkRow]) -> list[str]:
    """Each task as it stands in the chunk file, with its line end."""
    records = _Records()
    # \r\n as line end makes the writer quote fields that hold either character.
    csv.writer(records, lineterminator="\r\n").writerows(rows)
    return records.written


def plain_records(keys: Sequence[str], sizes: Sequence[int] | None) -> list[str]:
    """The records of tasks that have a key and at most a size: :func:`records_of` in a tenth of the time, as long as no
    key needs quotes."""
    text = "".join(keys)
    if any(character in text for character in _QUOTED_FOR):
        return records_of([(key, None, size) for key, size in zip(keys, sizes or repeat(None), strict=False)])
    if sizes is None:
        return [f"{key},,\r\n" for key in keys]
    return [f"{key},,{size}\r\n" for key, size in zip(keys, sizes, strict=True)]


class _Records:
    """The file that the CSV writer writes to: it writes one record at a time."""

    __slots__ = ("write", "written")

    def __init__(self) -> None:
        self.written: list[str] = []
        self.write = self.written.append


def decode_chunk(content: bytes, *, first_task: int, task_count: int) -> list[Task]:
    """The tasks, in manifest order. SpoolDamaged where the file is damaged or has another number of rows."""
    try:
        text = gzip.decompress(content).decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        tasks = _plain_tasks(rows, first_task) or [_task(row, first_task + place) for place, row in enumerate(rows)]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise SpoolDamaged(f"the chunk file of task {first_task} and following is damaged: {error}") from error
    if len(tasks) != task_count:
        raise SpoolDamaged(f"the chunk file of task {first_task} has {len(tasks)} tasks instead of {task_count}")
    return tasks


def _plain_tasks(rows: Sequence[Sequence[str]], first_task: int) -> list[Task]:
    """The tasks of rows that have three columns, as nearly all have; none where one has more. In a third of the time
    that one call a row would take."""
    if max(map(len, rows), default=0) != _PLAIN_COLUMNS:
        return []
    return [
        Task._make((number, key, version or None, int(size) if size else None, None, -1, 0))
        for number, (key, version, size) in enumerate(rows, first_task)
    ]


def _task(row: Sequence[str], number: int) -> Task:
    key, version, size = row[:_PLAIN_COLUMNS]
    version_id = VersionId(version) if version else None
    size_bytes = int(size) if size else None
    if len(row) == _PLAIN_COLUMNS:
        return Task(number, ObjectKey(key), version_id, size_bytes, None, -1, 0)
    skip = Skip(row[3]) if row[3] else None
    return Task(number, ObjectKey(key), version_id, size_bytes, skip, int(row[4]), int(row[5]))


def chunk_folder(job_id: JobId, seq: int) -> str:
    """Where the files of this chunk and of its neighbours lie."""
    return f"jobs/{job_id}/chunks/{seq // CHUNKS_PER_FOLDER:05d}/"


def chunk_name(job_id: JobId, *, seq: int, fence: int, content: bytes) -> str:
    """``<seq>-<fence>-<sha16>`` in folders of 1,000: never the name of another content."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"{chunk_folder(job_id, seq)}{seq}-{fence}-{digest}"
