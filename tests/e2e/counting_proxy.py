"""Stands before a store, passes everything on, notes each request when it comes, and is slow where it is told to be."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_REQUEST_LINE = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) /([^/? ]*)[^ \r\n]* HTTP/1\.1\r\n")
_LONGEST_LINE = 8192


class SeenRequest(NamedTuple):
    at: float
    """Seconds of a clock that only grows."""
    method: str
    bucket: str


class Wait(NamedTuple):
    """What the requests to one bucket have to wait, but for the first ``after``."""

    bucket: str
    after: int
    seconds: float


class CountingProxy:
    """For path-style requests. Runs in a thread of its own, since the test waits for programs."""

    def __init__(self, endpoint: str) -> None:
        target = urlsplit(endpoint)
        self._target = (target.hostname, target.port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._wait: Wait | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.seen: list[SeenRequest] = []

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def times_of(self, bucket: str) -> list[float]:
        return [request.at for request in self.seen if request.bucket == bucket]

    def hold_back(self, bucket: str, *, after: int, seconds: float) -> None:
        """Each request to the bucket, but for the first ``after``, reaches the store so much later.

        For what has to happen in the middle of a job: with n connections the job needs ``seconds`` for n rows, however
        slow the machine is to do something in between, and no time is lost before and after.
        """
        self._wait = Wait(bucket, after, seconds)

    def let_go(self) -> None:
        """The next requests are passed on at once."""
        self._wait = None

    def __enter__(self) -> Self:
        self._thread.start()
        begun = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._connected, "127.0.0.1", 0), self._loop)
        self._server = begun.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Once a client has gone, nothing else holds on to what still waits for the store: it could be collected."""
        connection = asyncio.create_task(self._pass_on(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        await connection

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(*self._target)
        try:
            await asyncio.gather(self._there(reader, to_there), _back(there, writer))
        except ConnectionError:
            pass
        finally:
            to_there.close()
            writer.close()

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unread = b""
        while block := await reader.read(65536):
            unread += block
            end = 0
            for line in _REQUEST_LINE.finditer(unread):
                self.seen.append(SeenRequest(time.monotonic(), line[1].decode(), line[2].decode()))
                end = line.end()
                await self._waited(line[2].decode())
            unread = unread[max(end, len(unread) - _LONGEST_LINE) :]
            writer.write(block)
            await writer.drain()
        writer.write_eof()

    async def _waited(self, bucket: str) -> None:
        wait = self._wait
        if wait is not None and wait.bucket == bucket and len(self.times_of(bucket)) > wait.after:
            await asyncio.sleep(wait.seconds)


async def _back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(65536):
        writer.write(block)
        await writer.drain()
    writer.close()
