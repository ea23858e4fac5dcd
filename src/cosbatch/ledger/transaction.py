"""What the ledger's intentions run in: one open transaction, and the ledger's idea of the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Executable, Row

T = TypeVar("T")
Parameters = dict[str, Any]
_NEVER: Final = object()


class Transaction:
    """Runs statements. Begins and ends elsewhere."""

    __slots__ = ("_connection", "_now", "_tell_time", "_tell_version")

    def __init__(
        self,
        connection: Connection,
        *,
        tell_time: Callable[[Connection], float],
        tell_version: Callable[[Connection], object],
    ) -> None:
        self._connection = connection
        self._tell_time = tell_time
        self._tell_version = tell_version
        self._now: float | None = None

    def now(self) -> float:
        """Unix seconds on the ledger's clock: one time for the whole transaction, asked after its locks were taken."""
        if self._now is None:
            self._now = self._tell_time(self._connection)
        return self._now

    def version(self) -> object:
        """Of what the database holds: where two transactions of one connection find the same one, nobody has changed
        anything in between."""
        return self._tell_version(self._connection)

    def one(self, statement: Executable, parameters: Parameters) -> Row[Any] | None:
        return self._connection.execute(statement, parameters).first()

    def all(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        return self._connection.execute(statement, parameters or {}).all()

    def change(self, statement: Executable, parameters: Parameters) -> int:
        """Runs a statement that changes rows; how many it changed."""
        return self._connection.execute(statement, parameters).rowcount

    def change_each(self, statement: Executable, parameters: Sequence[Parameters]) -> None:
        """The statement once for each set of parameters; none for none."""
        if parameters:
            self._connection.execute(statement, parameters)


class LastLook(Generic[T]):
    """What a look has found, which is made anew only where the database has changed since: the parts of a service look
    several times a second, mostly while nothing happens.

    ``look`` depends on what the database holds and on nothing else; of the time, on no more than that what is past now
    stays so. Whoever is told what it has found leaves that as it is. One for each ledger: versions of two connections
    have nothing to do with each other.
    """

    def __init__(self, look: Callable[[Transaction], T]) -> None:
        self._look = look
        self._version: object = _NEVER
        self._found: T

    def __call__(self, tx: Transaction) -> T:
        version = tx.version()
        if version != self._version:
            self._found = self._look(tx)
            self._version = version
        return self._found


class Database(Protocol):
    """The place for everything that differs between databases: connection, locks, BEGIN, clock, errors."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """``work`` in a transaction that changes nothing. LedgerUnavailable where the database does not answer."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """``work`` in a transaction that is committed when it returns and undone when it raises. LedgerUnavailable
        where the database does not answer: the change may or may not have been made."""
        ...

    async def close(self) -> None: ...
