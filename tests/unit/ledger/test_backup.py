"""The ledger is copied while it is worked on, and put back whole or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from cosbatch.ledger.backup import back_up, restore
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.ledger.sqlite import DATABASE_FILE
from cosbatch.model.errors import InvalidArgument, LedgerUnavailable
from tests.contract.people import account, entry


def nobody_works() -> None:
    return


async def put(folder: Path, *numbers: int) -> None:
    book = await open_sqlite_people(folder)
    for number in numbers:
        await book.add_account(account(number), entry=entry("create-account"))
    await book.close()


async def found(folder: Path) -> list[str]:
    book = await open_sqlite_people(folder)
    names = [each.name for each in await book.accounts()]
    await book.close()
    return names


async def test_a_backup_is_one_file_of_its_owner_alone(tmp_path: Path) -> None:
    await put(tmp_path / "a", 1)
    saved = tmp_path / "saved.db"
    assert back_up(tmp_path / "a", saved) == saved.stat().st_size
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "saved.db"]
    assert restore(tmp_path / "b", saved, check_unused=nobody_works) is None
    assert await found(tmp_path / "b") == ["company-1"]
    assert stat.S_IMODE((tmp_path / "b" / DATABASE_FILE).stat().st_mode) == 0o600


async def test_it_has_what_is_not_yet_in_the_database_file(tmp_path: Path) -> None:
    book = await open_sqlite_people(tmp_path / "a")
    await book.add_account(account(1), entry=entry("create-account"))
    back_up(tmp_path / "a", tmp_path / "saved.db")
    await book.add_account(account(2), entry=entry("create-account"))
    await book.close()
    restore(tmp_path / "b", tmp_path / "saved.db", check_unused=nobody_works)
    assert await found(tmp_path / "b") == ["company-1"]


async def test_each_backup_made_while_others_write_is_a_moment(tmp_path: Path) -> None:
    """Each transaction writes an account and a line of the log: a moment has as many of both."""
    stop, made = threading.Event(), list[Path]()

    def copy() -> None:
        while not stop.is_set():
            made.append(tmp_path / f"{len(made)}.db")
            back_up(tmp_path / "a", made[-1])

    await put(tmp_path / "a", 0)
    book = await open_sqlite_people(tmp_path / "a")
    copier = asyncio.create_task(asyncio.to_thread(copy))
    for number in range(1, 100):
        await book.add_account(account(number), entry=entry("create-account"))
    stop.set()
    await copier
    await book.close()
    counts = []
    for path in made:
        with closing(sqlite3.connect(path)) as connection:
            [pair] = connection.execute("SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM audit)")
            counts.append(pair)
    assert [accounts for accounts, told in counts if accounts != told] == []
    assert counts == sorted(counts)
    assert counts


async def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    await put(tmp_path / "a", 1)
    saved = tmp_path / "saved.db"
    back_up(tmp_path / "a", saved)
    await put(tmp_path / "a", 2)
    before = saved.read_bytes()
    with pytest.raises(InvalidArgument, match="--force"):
        back_up(tmp_path / "a", saved)
    assert saved.read_bytes() == before
    with pytest.raises(InvalidArgument, match="--force"):
        restore(tmp_path / "a", saved, check_unused=nobody_works)
    assert await found(tmp_path / "a") == ["company-1", "company-2"]
    kept = restore(tmp_path / "a", saved, force=True, check_unused=nobody_works)
    assert await found(tmp_path / "a") == ["company-1"]
    assert kept is not None
    restore(tmp_path / "c", kept, check_unused=nobody_works)
    assert await found(tmp_path / "c") == ["company-1", "company-2"]
    back_up(tmp_path / "c", saved, force=True)
    restore(tmp_path / "d", saved, check_unused=nobody_works)
    assert await found(tmp_path / "d") == ["company-1", "company-2"]


async def test_a_folder_that_is_used_is_left_alone(tmp_path: Path) -> None:
    await put(tmp_path / "a", 1)
    back_up(tmp_path / "a", tmp_path / "saved.db")
    await put(tmp_path / "a", 2)

    def somebody_works() -> None:
        raise InvalidArgument("in use")

    with pytest.raises(InvalidArgument, match="in use"):
        restore(tmp_path / "a", tmp_path / "saved.db", force=True, check_unused=somebody_works)
    assert await found(tmp_path / "a") == ["company-1", "company-2"]


async def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    await put(tmp_path / "a", 1)
    back_up(tmp_path / "a", tmp_path / "saved.db")
    whole = (tmp_path / "saved.db").read_bytes()
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at" * 20)
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken.db").write_bytes(whole[:8192] + bytes(8192) + whole[16384:])
    (tmp_path / "empty.db").touch()
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
    (tmp_path / "newer.db").write_bytes(whole)
    with closing(sqlite3.connect(tmp_path / "newer.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for name in ("text.db", "cut.db", "broken.db", "empty.db", "other.db", "newer.db", "missing.db"):
        with pytest.raises(InvalidArgument) as refused:
            restore(tmp_path / "a", tmp_path / name, force=True, check_unused=nobody_works)
        assert name in str(refused.value), name
    assert await found(tmp_path / "a") == ["company-1"]
    assert [path.name for path in (tmp_path / "a").iterdir() if path.name.startswith(".")] == []


async def test_a_damaged_ledger_is_replaced_and_kept(tmp_path: Path) -> None:
    await put(tmp_path / "a", 1)
    back_up(tmp_path / "a", tmp_path / "saved.db")
    (tmp_path / "a" / DATABASE_FILE).write_bytes(b"rubbish" * 1000)
    with pytest.raises(LedgerUnavailable, match="damaged"):
        back_up(tmp_path / "a", tmp_path / "again.db")
    assert not (tmp_path / "again.db").exists()
    kept = restore(tmp_path / "a", tmp_path / "saved.db", force=True, check_unused=nobody_works)
    assert kept is not None
    assert kept.read_bytes() == b"rubbish" * 1000
    assert await found(tmp_path / "a") == ["company-1"]


def test_a_folder_without_a_ledger_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="no ledger in it"):
        back_up(tmp_path, tmp_path / "saved.db")
    assert list(tmp_path.iterdir()) == []
