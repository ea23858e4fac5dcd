"""What a report part keeps besides report rows, so that a task can be done again: report rows have no sizes, and do not
say which version of a key was to be written after which.

CSV with one record a task: its number, key, version id, size, error code (empty where it succeeded), group and turn.
Kept are tasks that failed, and every version of a key that stood among several: where an older one is done again, the
newer ones have to follow it. Tasks that were never sent are none of them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from cosbatch.model.errors import SpoolDamaged
from cosbatch.model.identifiers import ObjectKey, VersionId
from cosbatch.model.tasks import Result, Task, TaskStatus


class TaskKept(NamedTuple):
    number: int
    key: ObjectKey
    version_id: VersionId | None
    size_bytes: int | None
    error_code: str
    """Empty where it succeeded."""
    group: int
    """-1, or the number of the first task of its run of versions."""
    turn: int


class TaskAgain(NamedTuple):
    """A row of the manifest of a retry."""

    key: ObjectKey
    version_id: VersionId | None
    size_bytes: int | None
    is_latest: bool | None
    """Of several versions of one key, whether this is the newest; None where one version stands alone."""


def encode_again(entries: Sequence[tuple[Task, Result]]) -> bytes:
    """The same entries give the same bytes; empty where there is nothing to keep."""
    good = TaskStatus.SUCCEEDED
    kept = [
        entry for entry in entries if (entry[1].status is not good or entry[0].group >= 0) and entry[0].skip is None
    ]
    if not kept:
        return b""
    written = io.StringIO(newline="")
    # \r\n as line end makes the writer quote fields that hold either character.
    csv.writer(written, lineterminator="\r\n").writerows(
        (task.number, task.key, task.version_id, task.size_bytes, result.error_code, task.group, task.turn)
        for task, result in kept
    )
    return written.getvalue().encode("utf-8", "backslashreplace")


def decode_again(block: bytes) -> list[TaskKept]:
    """SpoolDamaged where it is not what :func:`encode_again` writes."""
    try:
        rows = csv.reader(io.StringIO(block.decode(), newline=""), strict=True)
        return [
            TaskKept(
                number=int(number),
                key=ObjectKey(key),
                version_id=VersionId(version) if version else None,
                size_bytes=int(size) if size else None,
                error_code=code,
                group=int(group),
                turn=int(turn),
            )
            for number, key, version, size, code, group, turn in rows
        ]
    except (ValueError, csv.Error) as error:
        raise SpoolDamaged(f"a report part is damaged: {error}") from error


def rows_again(chunk: Sequence[TaskKept], *, error_code: str = "") -> list[TaskAgain]:
    """Of the tasks that all parts of one chunk keep, those to be done again, in order of the manifest; with
    ``error_code`` those that failed so.

    Versions of one key that were written one after another come newest first, as inventories list them, and each that
    is done again brings along all that are newer: else an old version would end up over the newest one.
    """
    ordered = sorted(chunk, key=lambda kept: (kept.group if kept.group >= 0 else kept.number, -kept.turn))
    found: list[TaskAgain] = []
    for group, members in groupby(ordered, key=lambda kept: kept.group):
        if group < 0:
            found += [_again(kept, is_latest=None) for kept in members if _is_meant(kept, error_code)]
        else:
            found += _run_again(list(members), error_code)
    return found


def _run_again(run: Sequence[TaskKept], error_code: str) -> list[TaskAgain]:
    """``run`` is in order, newest first."""
    meant = [place for place, kept in enumerate(run) if _is_meant(kept, error_code)]
    if not meant:
        return []
    oldest = meant[-1]
    if oldest == 0:
        return [_again(run[0], is_latest=None)]
    return [_again(kept, is_latest=place == 0) for place, kept in enumerate(run[: oldest + 1])]


def _is_meant(kept: TaskKept, error_code: str) -> bool:
    return kept.error_code == error_code if error_code else bool(kept.error_code)


def _again(kept: TaskKept, *, is_latest: bool | None) -> TaskAgain:
    return TaskAgain(kept.key, kept.version_id, kept.size_bytes, is_latest)
