"""What goes wrong with SQLite is told without what was to be written."""

from __future__ import annotations

import resource
import sqlite3
import traceback
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cosbatch.ledger.sqlite import SqliteDatabase, errors_translated, open_file, open_memory
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import LedgerUnavailable

SECRET = "hush"


@pytest.mark.parametrize("is_in_memory", [True, False])
async def test_an_error_names_no_value(tmp_path: Path, is_in_memory: bool) -> None:
    def wrong(tx: Transaction) -> None:
        tx.change(text("INSERT INTO no_such_table VALUES (:secret)"), {"secret": SECRET})

    clock = SystemClock()
    database: SqliteDatabase = (
        open_memory(clock=clock) if is_in_memory else await open_file(tmp_path, clock=clock, patience_seconds=30)
    )
    with pytest.raises(DBAPIError, match="no_such_table") as raised:
        await database.write(wrong)
    await database.close()
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_no_room_for_what_readers_and_writers_share_is_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as before:
        before.execute("PRAGMA journal_mode=WAL")
        before.execute("CREATE TABLE t (x)")
    files_end_at = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(sqlite3.connect(path)) as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, files_end_at[1]))
        try:
            with pytest.raises(LedgerUnavailable, match="the disk is full; free some space"), errors_translated():
                ledger.execute("SELECT * FROM t").fetchall()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, files_end_at)
