"""Copies of the ledger: made while services work on it, and put back while none does."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from cosbatch.ledger.migrate import knows_version
from cosbatch.ledger.sqlite import DATABASE_FILE, LOCK_FILE, LedgerLock
from cosbatch.model.errors import Fault, InvalidArgument, LedgerUnavailable

BUSY_SECONDS: Final = 30.0
_COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""Files beside a database that belong to it."""


def back_up(folder: Path, to: Path, *, force: bool = False) -> int:
    """The ledger of ``folder`` as it is at one moment, into one file that only its owner may read; how many bytes.

    Writers are not held up. The file is there whole or not at all. InvalidArgument where there is no ledger, or ``to``
    exists and ``force`` is not given."""
    database = folder / DATABASE_FILE
    if not database.exists():
        raise _cannot("--data", folder, "there is no ledger in it", "name the folder of the service")
    if to.exists() and not force:
        raise _cannot("FILE", to, "it is there already", "name another file, or give --force to replace it")
    fresh = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        with _disk_errors():
            fresh.unlink(missing_ok=True)
            fresh.touch(mode=0o600)
            _copy(database, fresh)
            _check(fresh)
            _sync(fresh)
            fresh.replace(to)
            _sync(to.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return to.stat().st_size


def restore(folder: Path, source: Path, *, force: bool = False, check_unused: Callable[[], None]) -> Path | None:
    """Makes ``folder``'s ledger what ``source`` is; where the ledger that was there went, or None if there was none.

    ``check_unused`` raises where something uses the folder; it is called when nobody new can begin. InvalidArgument
    where ``source`` is no whole ledger of a version that this program knows, or there is a ledger and ``force`` is not
    given. After a crash the old ledger is there, or the new one."""
    if not source.is_file():
        raise _cannot("FILE", source, "there is no such file", "name a file that cosbatch admin backup made")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = folder / DATABASE_FILE
    lock = LedgerLock(folder / LOCK_FILE)
    try:
        with _disk_errors(), lock.held():
            check_unused()
            if database.exists() and not force:
                way_out = "give --force to replace it: it is kept beside the new one"
                raise _cannot("--data", folder, "there is a ledger in it", way_out)
            return _put(source, database)
    finally:
        lock.close()


def _put(source: Path, database: Path) -> Path | None:
    fresh = database.with_name(f".{DATABASE_FILE}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        _copy_backup(source, fresh)
        _check(fresh, shown=source)
        _sync(fresh)
        kept = _keep_old(database)
        fresh.replace(database)
        _sync(database.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return kept


def _keep_old(database: Path) -> Path | None:
    """Another name for the old ledger, which keeps its own until the new one takes it: no moment is without a ledger.
    The log beside it is written into it first, else it would be taken for the new one's."""
    if not database.exists():
        for companion in _COMPANIONS:
            database.with_name(DATABASE_FILE + companion).unlink(missing_ok=True)
        return None
    kept = database.with_name(f"{DATABASE_FILE}.{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.{os.getpid()}")
    try:
        with closing(_connect(database)) as connection:
            [[busy, _, _]] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise LedgerUnavailable("another program holds the ledger; close it (a database browser) and try again")
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # it is damaged: that is why somebody restores; its log is kept with it
        for companion in _COMPANIONS:
            beside = database.with_name(DATABASE_FILE + companion)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + companion))
    os.link(database, kept)
    for companion in _COMPANIONS:
        database.with_name(DATABASE_FILE + companion).unlink(missing_ok=True)
    return kept


def _copy(source: Path, to: Path) -> None:
    with closing(_connect(source)) as reader, closing(sqlite3.connect(to, isolation_level=None)) as writer:
        reader.backup(writer)
        # One file, without a log beside it: it can be copied as it is.
        writer.execute("PRAGMA journal_mode = DELETE")


def _copy_backup(source: Path, to: Path) -> None:
    try:
        _copy(source, to)
    except sqlite3.DatabaseError as error:
        raise _no_ledger(source, f"it cannot be read as a ledger: {error}") from error


def _check(copy: Path, *, shown: Path | None = None) -> None:
    """Whether it is whole, and of a version that this program knows."""
    with closing(sqlite3.connect(copy)) as connection:
        try:
            [[verdict]] = connection.execute("PRAGMA quick_check(1)").fetchall()
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise _no_ledger(shown or copy, f"it is no ledger: {error}") from error
    if verdict != "ok":
        raise _no_ledger(shown or copy, f"it is damaged: {verdict}")
    if version is None or not knows_version(version[0]):
        raise _no_ledger(shown or copy, "it was made by a newer cosbatch")


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerUnavailable(f"{error}: look at the owner of the folder, and at the disk") from error
    except sqlite3.OperationalError as error:
        raise LedgerUnavailable(f"{error}: another program holds the ledger, or the disk refused; try again") from error
    except sqlite3.DatabaseError as error:
        raise LedgerUnavailable(f"{error}: the ledger is damaged; restore a backup") from error


def _cannot(path: str, value: Path, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path=path, value=str(value), problem=problem, way_out=way_out)
    return InvalidArgument("this cannot be done", faults=[fault])


def _no_ledger(source: Path, problem: str) -> InvalidArgument:
    fault = Fault(path="FILE", value=str(source), problem=problem, way_out="take another backup")
    return InvalidArgument("the ledger cannot be restored from this file", faults=[fault])
