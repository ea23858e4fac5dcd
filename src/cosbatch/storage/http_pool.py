"""Connections to keep and to share: bounded, the last one used first, swept for what is overdue or idle.

The bound counts requests: who holds one of ``max_connections`` permits may use one connection. Idle connections fill up
what is left, so that there are never more than ``max_connections`` sockets. Permits go to those who wait in the order
in which they came.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage.http_connection import Connection
from cosbatch.storage.http_connector import Connector
from cosbatch.storage.http_limits import Timeouts


class ConnectionPool:
    def __init__(self, connector: Connector, *, max_connections: int, timeouts: Timeouts, clock: Clock) -> None:
        self._connector = connector
        self._permits = max_connections
        self._timeouts = timeouts
        self._clock = clock
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._idle: defaultdict[str, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()
        self._opening = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._emptied: asyncio.Future[None] | None = None

    def take_idle(self, host: str) -> Connection | None:
        """A connection that is open already, if there is one and a permit: the quick way, without a wait."""
        idle = self._idle.get(host)
        if not idle or not self._permits:
            return None
        last = idle[-1]
        is_fresh = last.idle_since is None and last.is_usable()
        connection = idle.pop() if is_fresh else self._pop_idle(host)
        if connection is not None:
            self._permits -= 1
        return connection

    async def take(self, host: str, *, target: str, fresh: bool = False) -> Connection:
        """A connection on which nothing is under way. Give it back, or drop it.

        ``fresh``: one on which nothing was ever asked. Raises StorageError as :meth:`Connector.connect` does.
        """
        await self._take_permit(target)
        try:
            return (None if fresh else self._pop_idle(host)) or await self._connect(host, target=target)
        except BaseException:
            self._give_permit()
            raise

    def give_back(self, connection: Connection) -> None:
        if connection.is_usable() and not self._is_closed:
            connection.idle_since = None
            self._idle[connection.host].append(connection)
        else:
            connection.abort()
        if self._waiters:
            self._give_permit()
        else:
            self._permits += 1

    def drop(self, connection: Connection) -> None:
        """Closes a connection of which it is not known what comes next."""
        connection.abort()
        self._give_permit()

    async def close(self) -> None:
        """Gives out no connection any more, waits for those in use, ``close_seconds`` at most, and closes the rest.

        Who waits for an answer still gets AnswerLost then. Returns when every socket is closed.
        """
        self._is_closed = True
        self._connector.stop()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
        for idle in self._idle.values():
            for connection in idle:
                connection.abort()
        self._idle.clear()
        try:
            await self._until_empty(self._timeouts.close_seconds)
        finally:
            for connection in list(self._open):
                connection.abort()
        await self._until_empty(None)
        if self._sweeper is not None:
            self._sweeper.cancel()

    async def _until_empty(self, seconds: float | None) -> None:
        """Returns when no socket is open and none is being opened, or when the time is over."""
        if self._open or self._opening:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._emptied], timeout=seconds)

    def _look_whether_empty(self) -> None:
        if not self._open and not self._opening and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    # --- permits

    async def _take_permit(self, target: str) -> None:
        if self._permits and not self._is_closed:
            self._permits -= 1
            return
        if not self._is_closed:
            await self._wait_for_permit()
        if self._is_closed:
            raise StorageError(StorageReason.REFUSED, "the client is closed", target=target)

    async def _wait_for_permit(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if not waiter.cancelled():  # the permit came in the same moment: it goes to the next
                self._give_permit()
            raise

    def _give_permit(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._permits += 1

    # --- connections

    def _pop_idle(self, host: str) -> Connection | None:
        idle = self._idle.get(host)
        while idle:
            connection = idle.pop()
            # One that was idle for the time of a sweep is looked at before a request is staked on it.
            if connection.is_usable() and (connection.idle_since is None or connection.is_quiet()):
                return connection
            connection.abort()
        return None

    async def _connect(self, host: str, *, target: str) -> Connection:
        self._make_room()
        self._opening += 1
        try:
            connection = await self._connector.connect(host, target=target, on_gone=self._forget)
            if not connection.is_gone:
                self._open.add(connection)
        finally:
            self._opening -= 1
            self._look_whether_empty()
        if self._is_closed or not connection.is_usable():
            connection.abort()
            who = "the client" if self._is_closed else "the store"
            raise StorageError(StorageReason.REFUSED, f"{who} closed the new connection at once", target=target)
        if self._sweeper is None:
            self._plan_sweep()
        return connection

    def _make_room(self) -> None:
        """Closes the oldest idle connections, of other hosts, until one more socket keeps to the bound."""
        excess = sum(map(len, self._idle.values())) - self._permits
        for idle in self._idle.values():
            while excess > 0 and idle:
                idle.pop(0).abort()
                excess -= 1

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._look_whether_empty()

    # --- sweeping

    def _plan_sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(self._timeouts.sweep_seconds(), self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        now = self._clock.boottime()
        for connection in list(self._open):
            connection.sweep(now)
        for host, idle in list(self._idle.items()):
            self._idle[host] = [connection for connection in idle if self._stays(connection, now)]
            if not self._idle[host]:
                del self._idle[host]
        if self._open:
            self._plan_sweep()

    def _stays(self, connection: Connection, now: float) -> bool:
        if connection.idle_since is None:
            connection.idle_since = now
        if connection.is_usable() and now - connection.idle_since <= self._timeouts.idle_seconds:
            return True
        connection.abort()
        return False
