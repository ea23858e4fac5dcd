"""Bodies that do not fit into memory, in both directions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.storage.http_client import Timeouts
from cosbatch.storage.http_limits import READ_AHEAD_BYTES
from tests.unit.storage.scripted_server import (
    ManualClock,
    Peer,
    Script,
    ScriptedServer,
    answer,
    answering,
    answering_all,
    length_of,
    on_both_loops,
)
from tests.unit.storage.test_http_client import GET, OK, PUT, client_of

BLOCK = bytes(range(256)) * 1024
MANY = 128  # blocks: 32 MiB, more than the sockets' buffers hold


class Blocks:
    """A SizedBody of equal blocks that counts how many were taken."""

    def __init__(self, count: int, *, announced: int | None = None, block: bytes = BLOCK) -> None:
        self.size_bytes = announced if announced is not None else count * len(block)
        self.count = count
        self.taken = 0
        self.is_closed = False
        self._block = block

    async def blocks(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self.count):
                self.taken += 1
                yield self._block
        finally:
            self.is_closed = True


def put_of(body: Blocks, *, expect: bool = False) -> bytes:
    extra = b"\r\nExpect: 100-continue" if expect else b""
    return PUT.replace(b"length: 0", b"length: %d%s" % (body.size_bytes, extra))


# --- sending


@on_both_loops
async def test_a_body_is_taken_no_faster_than_the_store_reads() -> None:
    may_read, received = threading.Event(), 0

    def script(peer: Peer) -> None:
        nonlocal received
        left = length_of(peer.read_head())
        may_read.wait()
        while left:
            block = peer.read(min(left, len(BLOCK)))
            assert block == BLOCK
            received += len(block)
            left -= len(block)
        peer.send(OK)
        peer.read_request()
        peer.send(OK)

    body = Blocks(MANY)
    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            sending = asyncio.ensure_future(client.send(put_of(body), body, target="t"))
            stalled_at = -1
            while body.taken != stalled_at or not body.taken:
                stalled_at = body.taken
                await asyncio.sleep(0.1)
            assert stalled_at < MANY // 2
            may_read.set()
            assert (await sending).body == b"fine"
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert received == body.size_bytes
        assert server.connections == 1


@on_both_loops
async def test_an_answer_in_the_middle_of_a_body_ends_it_and_the_connection() -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(answer(b"no", status="403 Forbidden"))
        peer.wait_for_hang_up()

    body = Blocks(MANY)
    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            assert (await client.send(put_of(body), body, target="t"))[::2] == (403, b"no")
            assert body.taken < MANY
            assert body.is_closed
            assert (await client.exchange(PUT, reads_only=False, target="t")).status == 200
        assert server.connections == 2


@on_both_loops
async def test_a_body_waits_for_100_continue() -> None:
    order: list[str] = []

    def script(peer: Peer) -> None:
        head = peer.read_head()
        peer.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            peer.sock.recv(1)
        peer.sock.settimeout(None)
        order.append("continue")
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.read(length_of(head))
        order.append("body")
        peer.send(OK)
        peer.wait_for_hang_up()

    body = Blocks(2)
    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            assert (await client.send(put_of(body, expect=True), body, target="t")).body == b"fine"
    assert order == ["continue", "body"]


@on_both_loops
async def test_a_refusal_instead_of_100_continue_spares_the_body() -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(answer(b"no", status="403 Forbidden"))
        assert peer.sock.recv(1) == b""

    body = Blocks(2)
    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            assert (await client.send(put_of(body, expect=True), body, target="t")).status == 403
            assert body.taken == 0


@on_both_loops
async def test_a_store_that_never_says_continue_gets_the_body_all_the_same() -> None:
    body = Blocks(1)
    with ScriptedServer(answering(OK)) as server:
        async with client_of(server, timeouts=Timeouts(continue_seconds=0.01)) as client:
            assert (await client.send(put_of(body, expect=True), body, target="t")).status == 200


@pytest.mark.parametrize(("count", "announced"), [(3, 2 * len(BLOCK) + 1), (1, 2 * len(BLOCK))])
@on_both_loops
async def test_a_body_of_another_length_is_never_sent_to_its_end(count: int, announced: int) -> None:
    received = b""

    def script(peer: Peer) -> None:
        nonlocal received
        peer.read_head()
        received = peer.read_rest()

    body = Blocks(count, announced=announced)
    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            with pytest.raises(StorageError) as raised:
                await client.send(put_of(body), body, target="t")
    assert raised.value.reason is StorageReason.BODY_DAMAGED
    assert len(received) < announced


@on_both_loops
async def test_the_fault_of_a_source_is_raised_as_it_is() -> None:
    class Faulty(Blocks):
        async def blocks(self) -> AsyncIterator[bytes]:
            yield BLOCK
            raise RuntimeError("the source is gone")

    body = Faulty(2)
    with ScriptedServer(Peer.wait_for_hang_up) as server:
        async with client_of(server) as client:
            with pytest.raises(RuntimeError, match="the source is gone"):
                await client.send(put_of(body), body, target="t")


@pytest.mark.parametrize("read_bytes", [0, 3 * len(BLOCK)])
@on_both_loops
async def test_a_reset_in_a_body_is_unanswered(read_bytes: int) -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.read(read_bytes)
        peer.reset()

    body = Blocks(MANY)
    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            with pytest.raises(Unanswered):
                await client.send(put_of(body), body, target="t")
        assert body.taken < MANY
        assert body.is_closed
        assert server.connections == 1


@on_both_loops
async def test_a_slow_source_is_not_the_fault_of_the_store() -> None:
    class Slow(Blocks):
        async def blocks(self) -> AsyncIterator[bytes]:
            for _ in range(2):
                clock.seconds += 1
                await asyncio.sleep(0.05)  # sweeps pass
                yield BLOCK

    clock = ManualClock()
    with ScriptedServer(answering(OK)) as server:
        async with client_of(server, clock=clock, timeouts=Timeouts(answer_seconds=0.04)) as client:
            body = Slow(2)
            assert (await client.send(put_of(body), body, target="t")).status == 200


@on_both_loops
async def test_a_store_that_stops_reading_is_given_up() -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        done.wait()

    done = threading.Event()
    body = Blocks(MANY)
    with ScriptedServer(script) as server:
        async with client_of(server, timeouts=Timeouts(answer_seconds=0.04)) as client:
            with pytest.raises(Unanswered, match="nothing came or went"):
                await client.send(put_of(body), body, target="t")
        done.set()
    assert body.taken < MANY
    assert body.is_closed


@on_both_loops
async def test_cancelling_a_send_closes_its_connection_and_its_source() -> None:
    done = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_head()
        done.wait()

    body = Blocks(MANY)
    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            sending = asyncio.ensure_future(client.send(put_of(body), body, target="t"))
            while not body.taken:
                await asyncio.sleep(0.001)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert body.is_closed
            assert (await client.exchange(PUT, reads_only=False, target="t")).status == 200
        done.set()


# --- receiving


def serving(blocks: int, *, chunked: bool = False, sent: list[int] | None = None) -> Script:
    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            length = f"content-length: {blocks * len(BLOCK)}" if not chunked else "transfer-encoding: chunked"
            peer.send(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
            for number in range(blocks):
                peer.send(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
                if sent is not None:
                    sent.append(number)
            peer.send(b"0\r\n\r\n" if chunked else b"")

    return script


@pytest.mark.parametrize("chunked", [True, False])
@on_both_loops
async def test_a_body_is_received_no_faster_than_it_is_read(*, chunked: bool) -> None:
    sent: list[int] = []
    clock = ManualClock()
    with ScriptedServer(serving(MANY, chunked=chunked, sent=sent)) as server:
        async with client_of(server, clock=clock, timeouts=Timeouts(answer_seconds=0.1)) as client:
            reply = await client.open(GET, target="t")
            while reply._blocks.buffered_bytes <= READ_AHEAD_BYTES:
                await asyncio.sleep(0.001)
            stalled_at = -1
            while len(sent) != stalled_at:
                stalled_at = len(sent)
                await asyncio.sleep(0.2)
            assert stalled_at < MANY // 2
            clock.seconds += 1  # longer than a store may be silent
            await asyncio.sleep(0.05)  # sweeps pass
            received = b"".join([block async for block in reply])
            assert received == BLOCK * MANY
        assert server.connections == 1


@on_both_loops
async def test_what_is_buffered_is_bounded() -> None:
    with ScriptedServer(serving(MANY)) as server:
        async with client_of(server) as client:
            reply = await client.open(GET, target="t")
            most = 0
            async for _ in reply:
                await asyncio.sleep(0)
                most = max(most, reply._blocks.buffered_bytes)
            assert 0 < most <= READ_AHEAD_BYTES + 2**20


@on_both_loops
async def test_a_streamed_body_leaves_its_connection_for_others() -> None:
    with ScriptedServer(serving(8)) as server:
        async with client_of(server, max_connections=1) as client:
            for _ in range(3):
                reply = await client.open(GET, target="t")
                assert reply.status == 200
                assert sum([len(block) async for block in reply]) == 8 * len(BLOCK)
                assert [block async for block in reply] == []
        assert server.connections == 1


@on_both_loops
async def test_small_and_empty_bodies_are_streamed_alike() -> None:
    with ScriptedServer(answering(OK, answer(b""), answer(status="204 No Content"))) as server:
        async with client_of(server) as client:
            for expected in ([b"fine"], [], []):
                reply = await client.open(GET, target="t")
                assert reply.body == b""
                assert [block async for block in reply] == expected
        assert server.connections == 1


@pytest.mark.parametrize("chunked", [True, False])
@on_both_loops
async def test_the_body_of_a_refusal_is_read_whole(*, chunked: bool) -> None:
    refusal = answer(b"<Error/>", status="404 Not Found")
    if chunked:
        refusal = b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n8\r\n<Error/>\r\n0\r\n\r\n"
    with ScriptedServer(answering(refusal, OK)) as server:
        async with client_of(server) as client:
            reply = await client.open(GET, target="t")
            assert (reply.status, reply.body) == (404, b"<Error/>")
            assert [block async for block in reply] == []
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert server.connections == 1


@on_both_loops
async def test_closing_early_gives_the_connection_up() -> None:
    with ScriptedServer(serving(MANY), answering_all(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            reply = await client.open(GET, target="t")
            await anext(aiter(reply))
            await reply.aclose()
            await reply.aclose()
            assert [block async for block in reply] == []
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert server.connections == 2


@pytest.mark.parametrize("ending", ["close", "reset"])
@on_both_loops
async def test_a_body_that_ends_early_is_damaged(ending: str) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        read.wait()
        if ending == "reset":
            peer.reset()

    read = threading.Event()
    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            reply = await client.open(GET, target="GET bucket/key")
            blocks = aiter(reply)
            assert await anext(blocks) == b"half"
            read.set()
            with pytest.raises(StorageError) as raised:
                await anext(blocks)
        assert raised.value.reason is StorageReason.BODY_DAMAGED
        assert raised.value.target == "GET bucket/key"


@on_both_loops
async def test_a_body_that_stalls_is_given_up() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        peer.wait_for_hang_up()

    clock = ManualClock()
    with ScriptedServer(script) as server:
        async with client_of(server, clock=clock, timeouts=Timeouts(answer_seconds=0.02)) as client:
            reply = await client.open(GET, target="t")
            blocks = aiter(reply)
            assert await anext(blocks) == b"half"
            clock.seconds += 1
            with pytest.raises(StorageError) as raised:
                await anext(blocks)
        assert raised.value.reason is StorageReason.UNANSWERED


@on_both_loops
async def test_open_is_sent_again_until_its_head_is_here() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK[:10])

    with ScriptedServer(script, script, answering_all(OK)) as server:
        async with client_of(server) as client:
            reply = await client.open(GET, target="t")
            assert [block async for block in reply] == [b"fine"]
        assert server.connections == 3
    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            with pytest.raises(StorageError) as raised:
                await client.open(GET, target="t")
        assert raised.value.reason is StorageReason.UNANSWERED
        assert server.connections == 3


@on_both_loops
async def test_cancelling_a_reader_gives_its_connection_up() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")
        peer.wait_for_hang_up()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            reply = await client.open(GET, target="t")
            reading = asyncio.ensure_future(anext(aiter(reply)))
            await asyncio.sleep(0.01)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
