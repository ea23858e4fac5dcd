"""Rows that name versions of one key: which of them are sent, and in which order.

What is done to the objects themselves is done to each version by its id. Copies of them meet at one key: a manifest
with versions lists those of one key next to each other. On a destination that keeps one version only the newest may be
sent: the others would overwrite it in any order. On a versioned destination all are sent, one after another, so that
the newest is the newest there too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from cosbatch.engine.chunk_files import ChunkRow
from cosbatch.model.errors import Fault, ManifestFaulty
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.tasks import Skip


def plain_row(row: ManifestRow) -> ChunkRow:
    if row.is_delete_marker:
        return (row.key, row.version_id, row.size_bytes, Skip.DELETE_MARKER.value, -1, 0)
    return (row.key, row.version_id, row.size_bytes)


class VersionRuns:
    """Turns rows into chunk rows, run by run: a run is all neighbouring rows of one key, and is never split."""

    def __init__(self, *, keeps_versions: bool, first_number: int, longest_run: int) -> None:
        self._keeps_versions = keeps_versions
        self._number = first_number
        self._longest_run = longest_run
        self._pending: list[ManifestRow] = []

    def feed(self, rows: Sequence[ManifestRow]) -> Iterator[list[ChunkRow]]:
        """The runs that are known to have ended; the last one waits for what follows."""
        if not rows:
            return
        for _, members in groupby([*self._pending, *rows], key=_key):
            run = list(members)
            if run[-1] is rows[-1]:
                self._pending = run
                self._refuse_long(run)
                return
            yield self._numbered(run)
        self._pending = []

    def finish(self) -> Iterator[list[ChunkRow]]:
        if self._pending:
            yield self._numbered(self._pending)
            self._pending = []

    def _numbered(self, run: list[ManifestRow]) -> list[ChunkRow]:
        self._refuse_long(run)
        first = self._number
        self._number += len(run)
        live = sum(not row.is_delete_marker for row in run)
        was_deleted = any(row.is_delete_marker and row.is_latest for row in run)
        if live >= 2 and self._keeps_versions:
            return in_turn(run, group=first)
        if live >= 2 or (live and was_deleted and not self._keeps_versions):
            return only_latest(run, first_number=first)
        return [plain_row(row) for row in run]

    def _refuse_long(self, run: Sequence[ManifestRow]) -> None:
        if len(run) > self._longest_run:
            raise ManifestFaulty(
                [
                    Fault(
                        path=f"row {self._number}",
                        value=run[0].key[:200],
                        problem=f"more than {self._longest_run} versions of one key stand in a row",
                        way_out="copy this key by a job of its own, or list fewer of its versions",
                    )
                ]
            )


class EachVersion:
    """For what is done to the objects themselves: each version by its own id, in any order. Offers what
    :class:`VersionRuns` offers."""

    def __init__(self, *, removes_markers: bool) -> None:
        self._removes_markers = removes_markers

    def feed(self, rows: Sequence[ManifestRow]) -> Iterator[list[ChunkRow]]:
        for row in rows:
            yield [self._row(row)]

    def finish(self) -> Iterator[list[ChunkRow]]:
        yield from ()

    def _row(self, row: ManifestRow) -> ChunkRow:
        """A delete marker is removed like any version where its row names it; nothing else can be done to one."""
        if row.is_delete_marker and not (self._removes_markers and row.version_id):
            return plain_row(row)
        return (row.key, row.version_id, row.size_bytes)


def only_latest(run: Sequence[ManifestRow], *, first_number: int) -> list[ChunkRow]:
    """Sends the row marked IsLatest; the others are reported NotLatestVersion. Without the mark nobody knows which."""
    if any(row.is_latest is None for row in run):
        raise ManifestFaulty(
            [
                Fault(
                    path=f"row {first_number}",
                    value=run[0].key[:200],
                    problem="several versions of one key, a destination without versioning, and no IsLatest column",
                    way_out="use an inventory of all versions (it has IsLatest), or a versioned destination",
                )
            ]
        )
    return [
        plain_row(row)
        if row.is_delete_marker or row.is_latest
        else (row.key, row.version_id, row.size_bytes, Skip.NOT_LATEST.value, -1, 0)
        for row in run
    ]


def in_turn(run: Sequence[ManifestRow], *, group: int) -> list[ChunkRow]:
    """All rows, oldest first by LastModifiedDate (else reversed: inventories list the newest first), IsLatest last."""
    dated = all(row.last_modified for row in run)

    def age(place: int) -> tuple[bool, str, int]:
        row = run[place]
        return (bool(row.is_latest), row.last_modified if dated else "", -place)

    turns = {place: turn for turn, place in enumerate(sorted(range(len(run)), key=age))}
    return [
        (
            row.key,
            row.version_id,
            row.size_bytes,
            Skip.DELETE_MARKER.value if row.is_delete_marker else "",
            group,
            turns[place],
        )
        for place, row in enumerate(run)
    ]


def _key(row: ManifestRow) -> str:
    return row.key
