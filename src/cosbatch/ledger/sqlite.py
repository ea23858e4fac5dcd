"""The embedded database: one connection, its lock file, its thread, and what its errors mean.

SQLite has one writer at a time, and its busy handler sleeps in growing steps: a process that writes often starves the
others for whole seconds. So every write waits for a lock file first, in the kernel's queue, and only then begins, with
BEGIN IMMEDIATE: a transaction that begins as a reader cannot always become a writer. Local disks only.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from cosbatch.ledger.migrate import migrate
from cosbatch.ledger.runners import InlineRunner, Runner, ThreadRunner
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerError, LedgerUnavailable

T = TypeVar("T")
DATABASE_FILE: Final = "ledger.db"
LOCK_FILE: Final = "ledger.lock"

# SQLite 3.40 has no unixepoch() with fractions. The Julian day counts milliseconds; 2440587.5 is 1 January 1970.
_NOW: Final = "SELECT (julianday('now') - 2440587.5) * 86400.0"

_WAYS_OUT: Final = {
    sqlite3.SQLITE_BUSY: "another program holds the ledger; close it (a database browser, a backup) and try again",
    sqlite3.SQLITE_LOCKED: "another program holds the ledger; close it (a database browser, a backup) and try again",
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again",
    sqlite3.SQLITE_IOERR: "the disk refused; look for free space, quotas and errors in the kernel's log",
    sqlite3.SQLITE_READONLY: "the ledger may not be written; give its folder and files to the user that runs cosbatch",
    sqlite3.SQLITE_CANTOPEN: "the ledger cannot be opened; give its folder to the user that runs cosbatch",
    sqlite3.SQLITE_PROTOCOL: "its locks do not work; keep it on a local disk, not on a network file system",
    sqlite3.SQLITE_CORRUPT: "the ledger is damaged; restore ledger.db from a backup",
    sqlite3.SQLITE_NOTADB: "ledger.db is not a database; restore it from a backup",
}
_PRIMARY_CODE: Final = 0xFF


class LedgerLock:
    """The lock file of a folder, among processes and among ledgers of one process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)


class SqliteDatabase:
    """A Database on one SQLite connection, which only its runner's thread touches."""

    def __init__(self, *, runner: Runner, clock: Clock | None) -> None:
        self._runner = runner
        self._tell_time = _database_time if clock is None else partial(_clock_time, clock)
        self._lock: LedgerLock | None = None
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise LedgerUnavailable("the ledger is closed in this process; open it again")
        return self._connection

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._run(work, begin="BEGIN", gate=nullcontext())

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return await self._run(work, begin="BEGIN IMMEDIATE", gate=self._lock.held() if self._lock else nullcontext())

    async def close(self) -> None:
        await self._runner.run(self._release, gate=nullcontext())
        self.abandon()

    def abandon(self) -> None:
        """Closes without waiting for it."""
        self._runner.stop(last=self._release)

    async def open_in(self, folder: Path, *, busy_seconds: float) -> None:
        with errors_translated():
            await self._runner.run(partial(self._open_lock, folder), gate=nullcontext())
            assert self._lock is not None
            connect = partial(self._connect, str(folder / DATABASE_FILE), busy_seconds=busy_seconds)
            await self._runner.run(connect, gate=self._lock.held())

    def open_here(self) -> None:
        """In memory, and in the caller's thread."""
        self._connection = _memory_engine().connect()

    def _open_lock(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = LedgerLock(folder / LOCK_FILE)
        database = folder / DATABASE_FILE
        if not database.exists():  # SQLite would let others read it, where the folder does
            database.touch(mode=0o600)

    def _connect(self, database: str, *, busy_seconds: float) -> None:
        self._connection = _connection_to(database, busy_seconds=busy_seconds)
        migrate(self._connection)

    async def _run(self, work: Callable[[Transaction], T], *, begin: str, gate: AbstractContextManager[None]) -> T:
        with errors_translated():
            return await self._runner.run(partial(self._transact, work, begin=begin), gate=gate)

    def _transact(self, work: Callable[[Transaction], T], *, begin: str) -> T:
        # The driver sends no BEGIN of its own (isolation_level None), but COMMIT and ROLLBACK at the end of the block.
        with self.connection.begin():
            self.connection.exec_driver_sql(begin)
            return work(Transaction(self.connection, tell_time=self._tell_time))

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._lock is not None:
            self._lock.close()
        self._connection, self._lock = None, None


async def open_file(folder: Path, *, clock: Clock | None, patience_seconds: float) -> SqliteDatabase:
    """``folder``/ledger.db, made or brought up to date under ``folder``/ledger.lock."""
    runner = ThreadRunner(name="cosbatch-ledger", patience_seconds=patience_seconds)
    database = SqliteDatabase(runner=runner, clock=clock)
    try:
        await database.open_in(folder, busy_seconds=patience_seconds / 2)
    except BaseException:
        database.abandon()
        raise
    return database


def open_memory(*, clock: Clock) -> SqliteDatabase:
    """A database that is gone with its last user; calls run at once, in the caller's thread."""
    database = SqliteDatabase(runner=InlineRunner(), clock=clock)
    database.open_here()
    return database


@contextmanager
def errors_translated() -> Iterator[None]:
    """What SQLite and the system say about the disk, in our words. Errors of our own making stay as they are."""
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        way_out = _WAYS_OUT.get(code & _PRIMARY_CODE)
        if way_out is None:
            raise
        raise LedgerUnavailable(f"{error.orig}: {way_out}") from error
    except OSError as error:
        raise LedgerUnavailable(f"{error}: the ledger's folder cannot be used; look at its owner and disk") from error


def _connection_to(database: str, *, busy_seconds: float) -> Connection:
    return _engine(partial(_connect_driver, database, busy_seconds=busy_seconds)).connect()


def _engine(create: Callable[[], sqlite3.Connection]) -> Engine:
    """Its errors name no values: among them are hashes, sealed secrets and requests, and errors go into the log."""
    return create_engine("sqlite://", creator=create, poolclass=NullPool, hide_parameters=True)


def _connect_driver(database: str, *, busy_seconds: float) -> sqlite3.Connection:
    # Any thread may finalize it: of a ledger that was not closed, the collector's.
    connection = sqlite3.connect(database, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    [[mode]] = connection.execute("PRAGMA journal_mode = WAL").fetchall()
    if mode not in ("wal", "memory"):
        connection.close()
        raise LedgerError(f"{database}: processes cannot share memory on its file system; use a local disk")
    return connection


@cache  # a simulation opens thousands: the statements are compiled for all of them once
def _memory_engine() -> Engine:
    def create() -> sqlite3.Connection:
        connection = _connect_driver(":memory:", busy_seconds=0)
        connection.executescript(_migrated_schema())
        return connection

    return _engine(create)


@cache
def _migrated_schema() -> str:
    """What becomes of an empty database, as a script: it runs several times as fast."""
    connection = _connection_to(":memory:", busy_seconds=0)
    migrate(connection)
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    script = "\n".join(driver.iterdump())
    connection.close()
    return script


def _database_time(connection: Connection) -> float:
    return float(connection.exec_driver_sql(_NOW).scalar_one())


def _clock_time(clock: Clock, _: Connection) -> float:
    return clock.now()
