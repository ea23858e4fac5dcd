"""The embedded database: a connection that writes and one that reads, the lock file, and what its errors mean.

SQLite has one writer at a time, and its busy handler sleeps in growing steps: a process that writes often starves the
others for whole seconds. So every write waits for a lock file first, in the kernel's queue, and only then begins, with
BEGIN IMMEDIATE: a transaction that begins as a reader cannot always become a writer. Readers wait for nobody (WAL), but
on one connection they would wait behind their own process's write, which waits for the others': so they have one of
their own, in a thread of its own. A read sees every write that was answered before it began, and every one that is made
for a caller who had gone by then. Local disks only.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
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

_FULL: Final = "the disk is full; free some space and try again"
_WAYS_OUT: Final = {
    sqlite3.SQLITE_BUSY: "another program holds the ledger; close it (a database browser, a backup) and try again",
    sqlite3.SQLITE_LOCKED: "another program holds the ledger; close it (a database browser, a backup) and try again",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,  # the file that its readers and writers share cannot grow
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


class _Line:
    """A connection, which only its runner's thread touches."""

    def __init__(self, runner: Runner, *, tell_time: Callable[[Connection], float]) -> None:
        self.runner = runner
        self._tell_time = tell_time
        self._connection: Connection | None = None

    def connect(self, connect: Callable[[], Connection]) -> None:
        self._connection = connect()

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise LedgerUnavailable("the ledger is closed in this process; open it again")
        return self._connection

    def transact(self, work: Callable[[Transaction], T], *, begin: str) -> T:
        # The driver sends no BEGIN of its own (isolation_level None), but COMMIT and ROLLBACK at the end of the block.
        with self.connection.begin():
            _driver_of(self.connection).execute(begin)
            return work(Transaction(self.connection, tell_time=self._tell_time, tell_version=_version))

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class SqliteDatabase:
    """A Database on one SQLite file, or in memory."""

    def __init__(self, *, writer: Runner, reader: Runner | None, clock: Clock | None) -> None:
        """Without ``reader`` reads are made where writes are: what is in memory belongs to one connection."""
        tell_time = _database_time if clock is None else partial(_clock_time, clock)
        self._writes = _Line(writer, tell_time=tell_time)
        self._reads = self._writes if reader is None else _Line(reader, tell_time=tell_time)
        self._lock: LedgerLock | None = None
        self._writing = threading.Lock()
        self._was_left = False
        """The caller of a write went before its answer: whether it is made, or is being made, nobody knows."""

    @property
    def connection(self) -> Connection:
        """The one that writes."""
        return self._writes.connection

    async def read(self, work: Callable[[Transaction], T]) -> T:
        gate = self._after_what_was_left() if self._was_left else nullcontext()
        return await self._run(self._reads, work, begin="BEGIN", gate=gate)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        gate = self._locked(self._lock) if self._lock else nullcontext()
        try:
            return await self._run(self._writes, work, begin="BEGIN IMMEDIATE", gate=gate)
        except (asyncio.CancelledError, LedgerUnavailable):
            self._was_left = self._reads is not self._writes
            raise

    async def close(self) -> None:
        if self._reads is not self._writes:
            await self._reads.runner.run(self._reads.release, gate=nullcontext())
        await self._writes.runner.run(self._release, gate=nullcontext())
        self.abandon()

    def abandon(self) -> None:
        """Closes without waiting for it."""
        if self._reads is not self._writes:
            self._reads.runner.stop(last=self._reads.release)
        self._writes.runner.stop(last=self._release)

    async def open_in(self, folder: Path, *, busy_seconds: float) -> None:
        with errors_translated():
            await self._writes.runner.run(partial(self._open_lock, folder), gate=nullcontext())
            assert self._lock is not None
            connect = partial(_connection_to, str(folder / DATABASE_FILE), busy_seconds=busy_seconds)
            opened = partial(self._writes.connect, partial(_migrated, connect))
            await self._writes.runner.run(opened, gate=self._lock.held())
            opened = partial(self._reads.connect, partial(connect, only_reads=True))
            await self._reads.runner.run(opened, gate=nullcontext())

    def open_here(self) -> None:
        """In memory, and in the caller's thread."""
        self._writes.connect(_memory_engine().connect)

    def _open_lock(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = LedgerLock(folder / LOCK_FILE)
        database = folder / DATABASE_FILE
        if not database.exists():  # SQLite would let others read it, where the folder does
            database.touch(mode=0o600)

    @contextmanager
    def _locked(self, lock: LedgerLock) -> Iterator[None]:
        with lock.held(), self._writing:
            yield

    @contextmanager
    def _after_what_was_left(self) -> Iterator[None]:
        """A write that has not begun when its caller goes is not made: there is one to wait for at the most."""
        self._was_left = False
        with self._writing:
            pass
        yield

    async def _run(
        self, line: _Line, work: Callable[[Transaction], T], *, begin: str, gate: AbstractContextManager[None]
    ) -> T:
        with errors_translated():
            return await line.runner.run(partial(line.transact, work, begin=begin), gate=gate)

    def _release(self) -> None:
        self._writes.release()
        if self._lock is not None:
            self._lock.close()
        self._lock = None


async def open_file(folder: Path, *, clock: Clock | None, patience_seconds: float) -> SqliteDatabase:
    """``folder``/ledger.db, made or brought up to date under ``folder``/ledger.lock."""
    writer, reader = (
        ThreadRunner(name=f"cosbatch-ledger-{what}", patience_seconds=patience_seconds) for what in ("writes", "reads")
    )
    database = SqliteDatabase(writer=writer, reader=reader, clock=clock)
    try:
        await database.open_in(folder, busy_seconds=patience_seconds / 2)
    except BaseException:
        database.abandon()
        raise
    return database


def open_memory(*, clock: Clock) -> SqliteDatabase:
    """A database that is gone with its last user; calls run at once, in the caller's thread."""
    database = SqliteDatabase(writer=InlineRunner(), reader=None, clock=clock)
    database.open_here()
    return database


@contextmanager
def errors_translated() -> Iterator[None]:
    """What SQLite and the system say about the disk, in our words. Errors of our own making stay as they are."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        way_out = _WAYS_OUT.get(code) or _WAYS_OUT.get(code & _PRIMARY_CODE)
        if way_out is None:
            raise
        raise LedgerUnavailable(f"{cause}: {way_out}") from error
    except OSError as error:
        raise LedgerUnavailable(f"{error}: the ledger's folder cannot be used; look at its owner and disk") from error


def _connection_to(database: str, *, busy_seconds: float, only_reads: bool = False) -> Connection:
    create = partial(_connect_driver, database, busy_seconds=busy_seconds, only_reads=only_reads)
    return _engine(create).connect()


def _migrated(connect: Callable[[], Connection]) -> Connection:
    connection = connect()
    migrate(connection)
    return connection


def _engine(create: Callable[[], sqlite3.Connection]) -> Engine:
    """Its errors name no values: among them are hashes, sealed secrets and requests, and errors go into the log."""
    return create_engine("sqlite://", creator=create, poolclass=NullPool, hide_parameters=True)


def _connect_driver(database: str, *, busy_seconds: float, only_reads: bool = False) -> sqlite3.Connection:
    # Any thread may finalize it: of a ledger that was not closed, the collector's.
    connection = sqlite3.connect(database, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA query_only = {'ON' if only_reads else 'OFF'}")
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
    script = "\n".join(_driver_of(connection).iterdump())
    connection.close()
    return script


def _driver_of(connection: Connection) -> sqlite3.Connection:
    """For what every transaction says anew: SQLAlchemy takes ten times as long over a statement without values as
    SQLite does."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _version(connection: Connection) -> tuple[int, int]:
    """SQLite counts what other connections have committed, and what this one has changed."""
    driver = _driver_of(connection)
    [[commits_of_others]] = driver.execute("PRAGMA data_version").fetchall()
    return commits_of_others, driver.total_changes


def _database_time(connection: Connection) -> float:
    [[now]] = _driver_of(connection).execute(_NOW).fetchall()
    return float(now)


def _clock_time(clock: Clock, _: Connection) -> float:
    return clock.now()
