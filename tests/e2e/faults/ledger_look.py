"""How far a job is, read from its ledger without disturbing it; a program too, for looks from inside a namespace."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from typing import Final, NamedTuple


class Progress(NamedTuple):
    status: str
    planned: int
    settled: int


NOTHING: Final = Progress("", 0, 0)


def look(database: str) -> Progress:
    """Of its only job; nothing where there is no ledger yet, or no job in it."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(database)) as ledger:
        row = ledger.execute("SELECT status, planned_rows, succeeded + failed FROM job").fetchone()
        return NOTHING if row is None else Progress(*row)
    return NOTHING


def at_work(database: str) -> set[int]:
    """Process ids of those who hold a chunk."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(_read_only(database)) as ledger:
        owners = ledger.execute("SELECT DISTINCT owner FROM chunk WHERE state = 'leased'").fetchall()
        return {int(owner.split("-")[1]) for (owner,) in owners}
    return set()


def parse(line: str) -> Progress:
    """What the program prints."""
    status, planned, settled = line.rstrip("\n").split(",")
    return Progress(status, int(planned), int(settled))


def _read_only(database: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)


if __name__ == "__main__":
    print(*look(sys.argv[1]), sep=",")
