"""A store on a real socket of the test's own loop, which plays one fault after another; a task's view of it.

Unlike :mod:`tests.unit.storage.scripted_server` it has no threads, so that it lives in virtual time, and scripts are
for requests, not connections: the n-th request of all is answered by the n-th play. A play is given the connection
before anything of the request was read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from cosbatch.identity.credentials import Credentials, CredentialSource, StaticCredentials
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.regions import Provider, Region
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.pacing import PacerBoard
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.s3_routes import Neighbour
from cosbatch.storage.signer import TemplateSigner
from tests.unit.storage.scripted_server import length_of

BUCKET = Bucket("target")
OBJECT = ObjectRef(BUCKET, ObjectKey("k"))
SOURCE = ObjectRef(Bucket("source"), ObjectKey("k"))
KEYS = Credentials(access_key_id="AK", secret_access_key="SK")


class Received(NamedTuple):
    head: bytes
    body: bytes
    at: float
    """Seconds of the loop."""


class HungUp(Exception):
    """The client closed."""


class Caller:
    """One connection, seen from the store."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: FaultyServer) -> None:
        self._reader = reader
        self._writer = writer
        self._server = server
        self._peeked = b""
        self._is_over = False

    async def wait(self) -> bool:
        """Whether another request begins."""
        if self._is_over:
            return False
        with contextlib.suppress(ConnectionError):
            self._peeked = await self._reader.read(1)
        return bool(self._peeked)

    async def read(self, count: int) -> bytes:
        """At most so many bytes of what comes."""
        try:
            block = self._peeked[:count] + await self._reader.readexactly(max(0, count - len(self._peeked)))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise HungUp from error
        self._peeked = self._peeked[count:]
        return block

    async def read_request(self) -> Received:
        try:
            head = self._peeked + await self._reader.readuntil(b"\r\n\r\n")
            self._peeked = b""
            body = await self._reader.readexactly(length_of(head))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise HungUp from error
        received = Received(head, body, asyncio.get_running_loop().time())
        self._server.received.append(received)
        return received

    async def send(self, block: bytes) -> None:
        self._writer.write(block)
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def close(self) -> None:
        self._is_over = True
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    def reset(self) -> None:
        """Ends with RST instead of FIN."""
        self._is_over = True
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Play = Callable[[Caller], Awaitable[None]]


class FaultyServer:
    """Requests after the last play get the last one again."""

    def __init__(self, *plays: Play) -> None:
        self.received: list[Received] = []
        """Requests that came whole."""
        self.begun = 0
        """Requests of which a byte came."""
        self.connections = 0
        self._plays = plays
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers.add(task)
        self.connections += 1
        caller = Caller(reader, writer, self)
        try:
            with contextlib.suppress(HungUp, asyncio.CancelledError):  # asyncio calls a cancelled one an error
                while await caller.wait():
                    play = self._plays[min(self.begun, len(self._plays) - 1)]
                    self.begun += 1
                    await play(caller)
        finally:
            self._callers.discard(task)
            writer.transport.abort()


# --- plays


def reply(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


def refusing(code: str, *, status: str = "400 Bad Request", headers: str = "") -> Play:
    return answering(reply(f"<Error><Code>{code}</Code></Error>".encode(), status=status, headers=headers))


def answering(block: bytes, *, after_seconds: float = 0, ending: str = "") -> Play:
    """Sends ``block`` and then, where ``ending`` says so, a close or a reset."""

    async def play(caller: Caller) -> None:
        await caller.read_request()
        await asyncio.sleep(after_seconds)
        if block:
            await caller.send(block)
        await _end(caller, ending)

    return play


def breaking_off(request_bytes: int, *, ending: str = "reset") -> Play:
    """In the middle of the request."""

    async def play(caller: Caller) -> None:
        await caller.read(request_bytes)
        await _end(caller, ending)

    return play


async def _end(caller: Caller, ending: str) -> None:
    if ending == "reset":
        caller.reset()
    elif ending == "close":
        await caller.close()


# --- a task


@contextlib.asynccontextmanager
async def faulty(*plays: Play) -> AsyncIterator[FaultyServer]:
    server = FaultyServer(*plays)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def region_at(endpoint: str) -> Region:
    return Region(
        name=RegionName(endpoint), provider=Provider.S3, endpoint=endpoint, profile="s3", signing_region="us-east-1"
    )


class Worker:
    """What a worker has of a store: the adapter, the pacers, and one persistent view for each task."""

    def __init__(
        self,
        endpoint: str,
        *,
        clock: Clock,
        timeouts: Timeouts | None = None,
        credentials: CredentialSource | None = None,
        neighbours: Sequence[Worker] = (),
    ) -> None:
        self.region = region = region_at(endpoint)
        self.client = HttpClient(endpoint, timeouts=timeouts or Timeouts(), clock=clock)
        self.board = PacerBoard(clock=clock)
        self.pacer = self.board.pacer(BUCKET)
        self.store = S3Store(
            region=region,
            credentials=credentials or StaticCredentials(KEYS),
            client=self.client,
            signer=TemplateSigner(region=region.signing_region, clock=clock),
            profile=PROFILES["s3"],
            clock=clock,
            neighbours=[Neighbour(each.region, each.reach) for each in neighbours],
        )

    def reach(self) -> HttpClient:
        return self.client

    def task(self) -> PersistentStore:
        return PersistentStore(self.store, self.board, permit=lambda: None, random=lambda: 0.5)

    async def __aenter__(self) -> Worker:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()
