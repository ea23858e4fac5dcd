"""What goes wrong with SQLite is told without what was to be written."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cosbatch.ledger.sqlite import SqliteDatabase, open_file, open_memory
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.clock import SystemClock

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
