"""A host of several addresses: which is tried first, which next, and when the first one again."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.http_dialer import AVOIDED_SECONDS, Address
from tests.unit.storage.scripted_server import ManualClock, ScriptedServer, answer, answering_all, on_both_loops
from tests.unit.storage.test_http_client import OK, PUT

FIRST = answer(b"first")


def at(port: int, *, host: str = "127.0.0.1") -> Address:
    return Address(socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port))


@pytest.fixture
def dead_port() -> int:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    assert isinstance(port, int)
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes no connection and refuses none: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.asynccontextmanager
async def client_at(
    *addresses: Address, clock: Clock | None = None, timeouts: Timeouts | None = None
) -> AsyncIterator[HttpClient]:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        assert (host, port) == ("store.example", 8080)
        return addresses

    client = HttpClient(
        "http://store.example:8080", timeouts=timeouts or Timeouts(), clock=clock or SystemClock(), resolve=resolve
    )
    try:
        yield client
    finally:
        await client.close()


@on_both_loops
async def test_an_address_of_the_sixth_version() -> None:
    with ScriptedServer(answering_all(OK), host="::1") as server:
        client = HttpClient(server.endpoint, clock=SystemClock())
        assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
        await client.close()


@on_both_loops
async def test_the_next_address_when_one_refuses(dead_port: int) -> None:
    with ScriptedServer(answering_all(OK), host="::1") as server:
        async with client_at(at(dead_port), at(server.port, host="::1")) as client:
            assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
        assert (server.connections, len(server.heads)) == (1, 1)


@on_both_loops
async def test_the_next_address_when_one_is_silent(silent_port: int) -> None:
    """It gets a share of the time, not all of it."""
    timeouts = Timeouts(connect_seconds=2)
    with ScriptedServer(answering_all(OK)) as server:
        async with client_at(at(silent_port), at(server.port), timeouts=timeouts) as client:
            assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"


@on_both_loops
async def test_the_first_one_is_preferred_and_comes_last_for_a_while_after_it_failed(dead_port: int) -> None:
    clock = ManualClock()
    with ScriptedServer(answering_all(OK)) as second:
        async with client_at(at(dead_port), at(second.port), clock=clock) as client:

            async def ask() -> bytes:
                return (await client.exchange(PUT, reads_only=False, target="t", host="store.example")).body

            assert await ask() == b"fine"
            with ScriptedServer(answering_all(FIRST), port=dead_port) as first:
                streams = [await client.open(b"GET / HTTP/1.1\r\n\r\n", target="t") for _ in range(2)]
                assert (first.connections, second.connections) == (0, 2)
                clock.seconds += AVOIDED_SECONDS + 1
                streams += [await client.open(b"GET / HTTP/1.1\r\n\r\n", target="t")]
                assert (first.connections, second.connections) == (1, 2)
                for stream in streams:
                    await stream.aclose()


@on_both_loops
async def test_no_address_takes_a_connection(dead_port: int, silent_port: int) -> None:
    timeouts = Timeouts(connect_seconds=0.1)
    for addresses, reason in (
        ((at(silent_port), at(dead_port)), StorageReason.REFUSED),
        ((at(dead_port), at(silent_port)), StorageReason.CONNECT_TIMEOUT),
        ((), StorageReason.NAME_NOT_RESOLVED),
    ):
        async with client_at(*addresses, timeouts=timeouts) as client:
            with pytest.raises(StorageError) as raised:
                await client.exchange(PUT, reads_only=False, target="t")
        assert raised.value.reason is reason
