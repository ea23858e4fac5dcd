"""Bodies that go straight from the socket to where their reader wants them."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc

import pytest
import trustme

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage.http_client import HttpClient, StreamedAnswer, Timeouts
from cosbatch.storage.http_limits import READ_AHEAD_BYTES
from cosbatch.storage.http_room import RoomFiller
from tests.unit.storage.scripted_server import (
    ManualClock,
    Peer,
    Script,
    ScriptedServer,
    answer,
    answering,
    on_both_loops,
)
from tests.unit.storage.test_http_client import GET, OK, client_of
from tests.unit.storage.test_http_streaming import BLOCK, MANY, serving
from tests.unit.storage.test_http_tls import authority as authority
from tests.unit.storage.test_http_tls import ca_file as ca_file
from tests.unit.storage.test_http_tls import context_for

COUNT = 16
WHOLE = BLOCK * COUNT


def room_for(size_bytes: int = len(WHOLE)) -> memoryview:
    return memoryview(bytearray(size_bytes))


async def read_directly(reply: StreamedAnswer, room: memoryview) -> asyncio.Task[int]:
    """Begun, and so far that nothing goes through the blocks any more."""
    reading = asyncio.ensure_future(reply.read_into(room))
    while reply._connection is None or reply._connection._transport is None or _is_own(reply):
        assert not reading.done()
        await asyncio.sleep(0)
    return reading


def _is_own(reply: StreamedAnswer) -> bool:
    assert reply._connection is not None
    assert reply._connection._transport is not None
    return reply._connection._transport.get_protocol() is reply._connection


def pieces(*sent: bytes, go_on: threading.Event, ending: str = "wait") -> Script:
    """A body announced as ten bytes, sent in pieces; each but the first waits to be let through."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        for number, piece in enumerate(sent):
            if number:
                go_on.wait()
                go_on.clear()
            peer.send(piece)
        if ending == "reset":
            peer.reset()
        elif ending == "wait":
            peer.wait_for_hang_up()

    return script


@pytest.mark.parametrize("chunked", [True, False])
@on_both_loops
async def test_a_body_fills_its_room_and_leaves_its_connection_for_others(*, chunked: bool) -> None:
    with ScriptedServer(serving(COUNT, chunked=chunked)) as server:
        async with client_of(server, max_connections=1) as client:
            for _ in range(3):
                room = room_for()
                reply = await client.open(GET, target="t")
                assert await reply.read_into(room) == len(WHOLE)
                assert bytes(room) == WHOLE
                assert await reply.read_into(room) == 0
        assert server.connections == 1


@on_both_loops
async def test_filling_a_room_takes_no_memory_beside_it() -> None:
    room = room_for(MANY * len(BLOCK))
    with ScriptedServer(serving(MANY)) as server:
        async with client_of(server) as client:
            reply = await client.open(GET, target="t")
            tracemalloc.start()
            try:
                assert await reply.read_into(room) == len(room)
                _, peak_bytes = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert peak_bytes < READ_AHEAD_BYTES + 2**20


@on_both_loops
async def test_small_and_empty_bodies_fill_their_room_alike() -> None:
    with ScriptedServer(answering(OK, answer(b""), answer(status="204 No Content"))) as server:
        async with client_of(server) as client:
            for expected in (b"fine", b"", b""):
                room = room_for(len(expected))
                reply = await client.open(GET, target="t")
                assert await reply.read_into(room) == len(expected)
                assert bytes(room) == expected
        assert server.connections == 1


@on_both_loops
async def test_room_that_is_larger_than_the_body() -> None:
    room, go_on = room_for(12), threading.Event()
    with ScriptedServer(pieces(b"half", b"rest", b"!!", go_on=go_on)) as server:
        async with client_of(server) as client:
            reading = await read_directly(await client.open(GET, target="t"), room)
            go_on.set()
            while bytes(room[4:8]) != b"rest":
                await asyncio.sleep(0.001)
            go_on.set()
            assert await reading == 10
    assert bytes(room) == b"halfrest!!\0\0"


@pytest.mark.parametrize("chunked", [True, False])
@on_both_loops
async def test_a_body_that_is_longer_than_its_room_is_damaged(*, chunked: bool) -> None:
    with ScriptedServer(serving(COUNT, chunked=chunked), serving(COUNT)) as server:
        async with client_of(server, max_connections=1) as client:
            reply = await client.open(GET, target="t")
            with pytest.raises(StorageError, match="longer than") as raised:
                await reply.read_into(room_for(len(WHOLE) - 1))
            await reply.aclose()
            assert raised.value.reason is StorageReason.BODY_DAMAGED
            reply = await client.open(GET, target="t")
            assert await reply.read_into(room_for()) == len(WHOLE)
        assert server.connections == 2


@on_both_loops
async def test_what_follows_a_body_is_not_taken_for_it() -> None:
    room, go_on = room_for(10), threading.Event()
    with ScriptedServer(pieces(b"half", b"ending" + OK, go_on=go_on), answering(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            reading = await read_directly(await client.open(GET, target="t"), room)
            go_on.set()
            assert (await reading, bytes(room)) == (10, b"halfending")
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert server.connections == 2


@pytest.mark.parametrize("ending", ["close", "reset"])
@on_both_loops
async def test_a_body_that_ends_early_is_damaged(ending: str) -> None:
    go_on = threading.Event()
    with ScriptedServer(pieces(b"half", b"", go_on=go_on, ending=ending)) as server:
        async with client_of(server) as client:
            reading = await read_directly(await client.open(GET, target="GET bucket/key"), room_for(10))
            go_on.set()
            with pytest.raises(StorageError) as raised:
                await reading
    assert raised.value.reason is StorageReason.BODY_DAMAGED
    assert raised.value.target == "GET bucket/key"


@on_both_loops
async def test_only_a_body_that_stalls_is_given_up() -> None:
    """Each piece that comes gives the store its time anew."""
    clock, room, go_on = ManualClock(), room_for(10), threading.Event()
    with ScriptedServer(pieces(b"half", b"more", go_on=go_on)) as server:
        async with client_of(server, clock=clock, timeouts=Timeouts(answer_seconds=0.2)) as client:
            reading = await read_directly(await client.open(GET, target="t"), room)
            clock.seconds += 0.15
            go_on.set()
            while bytes(room[4:8]) != b"more":
                await asyncio.sleep(0.001)
            clock.seconds += 0.15
            await asyncio.sleep(0.15)  # sweeps pass
            assert not reading.done()
            clock.seconds += 0.1
            with pytest.raises(StorageError) as raised:
                await reading
    assert raised.value.reason is StorageReason.UNANSWERED


@on_both_loops
async def test_nothing_is_written_into_a_room_that_was_left() -> None:
    """By then it may hold another body."""
    room, go_on = room_for(10), threading.Event()
    with ScriptedServer(pieces(b"half", b"ending", go_on=go_on), answering(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            reading = await read_directly(await client.open(GET, target="t"), room)
            reading.cancel()
            await asyncio.wait([reading])
            room[:] = b"0123456789"
            go_on.set()
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert server.connections == 2
    assert bytes(room) == b"0123456789"


@on_both_loops
async def test_a_body_fills_its_room_through_tls(authority: trustme.CA, ca_file: str) -> None:
    with ScriptedServer(serving(COUNT), tls=context_for(authority, "127.0.0.1")) as server:
        client = HttpClient(server.endpoint, ca_file=ca_file, clock=SystemClock())
        for _ in range(2):
            room = room_for()
            reply = await client.open(GET, target="t")
            assert await reply.read_into(room) == len(WHOLE)
            assert bytes(room) == WHOLE
        await client.close()
        assert server.connections == 1


class EndedOwner:
    def has_ended(self) -> bool:
        return True

    def filled(self, *, is_full: bool) -> None:
        raise AssertionError("nothing is awaited any more")

    def eof_received(self) -> None: ...

    def connection_lost(self, error: Exception | None) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


def test_what_comes_after_the_end_of_a_connection_goes_nowhere() -> None:
    """A transport that was aborted may still hand over what it has decrypted."""
    room = room_for(10)
    filler = RoomFiller(room, owner=EndedOwner())
    filler.get_buffer(4)[:4] = b"late"
    filler.buffer_updated(4)
    assert bytes(room) == bytes(10)
