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
_new: Final = tuple.__new__


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
        tasks = _plain_tasks(text, first_task)
        if tasks is None:
            rows = csv.reader(io.StringIO(text, newline=""))
            tasks = [_task(row, number) for number, row in enumerate(rows, first_task)]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error, ValueError, IndexError) as error:
        raise SpoolDamaged(f"the chunk file of task {first_task} and following is damaged: {error}") from error
    if len(tasks) != task_count:
        raise SpoolDamaged(f"the chunk file of task {first_task} has {len(tasks)} tasks instead of {task_count}")
    return tasks


def _plain_tasks(text: str, first_task: int) -> list[Task] | None:
    """The tasks of a file without quotes whose records have three columns, as nearly all have: cut into columns, which
    takes half the time of making a list of each record. None where it has another form."""
    records = text.count("\r\n")
    if '"' in text or text.count(",") != (_PLAIN_COLUMNS - 1) * records or not text.endswith("\r\n"):
        return None
    cells = text.replace("\r\n", ",").split(",")
    versions, sizes = cells[1:-1:_PLAIN_COLUMNS], cells[2::_PLAIN_COLUMNS]
    columns = zip(
        range(first_task, first_task + records),
        cells[:-1:_PLAIN_COLUMNS],
        [version or None for version in versions],
        [int(size) if size else None for size in sizes],
        repeat(None),
        repeat(-1),
        repeat(0),
        strict=False,  # the last three go on for ever
    )
    return [_new(Task, values) for values in columns]


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
