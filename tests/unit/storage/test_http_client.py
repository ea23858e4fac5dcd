"""What the client sends, what it sends again, and what it says about answers that did not come."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import pytest

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.storage.http_client import HttpClient, Timeouts
from tests.unit.storage.scripted_server import (
    HungUp,
    ManualClock,
    Peer,
    Script,
    ScriptedServer,
    answer,
    answering,
    answering_all,
    on_both_loops,
)
from tests.unit.storage.test_http_answer import MALFORMED, SAMPLES

GET = b"GET /bucket/key HTTP/1.1\r\nhost: store\r\n\r\n"
PUT = b"PUT /bucket/key HTTP/1.1\r\nhost: store\r\ncontent-length: 0\r\n\r\n"
OK = answer(b"fine")


@contextlib.asynccontextmanager
async def client_of(
    server: ScriptedServer,
    *,
    timeouts: Timeouts | None = None,
    max_connections: int = 4,
    clock: ManualClock | None = None,
) -> AsyncIterator[HttpClient]:
    client = HttpClient(
        server.endpoint,
        timeouts=timeouts or Timeouts(),
        max_connections=max_connections,
        clock=clock or SystemClock(),
    )
    try:
        yield client
    finally:
        await client.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}


def resetting_after(request_bytes: int) -> Script:
    def script(peer: Peer) -> None:
        peer.read(request_bytes)
        peer.reset()

    return script


def closing_after_answer(peer: Peer) -> None:
    peer.read_request()
    peer.send(OK)


# --- answers


@pytest.mark.parametrize("name", SAMPLES)
@on_both_loops
async def test_every_kind_of_answer_sent_byte_by_byte(name: str) -> None:
    sample = SAMPLES[name]

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send_bytewise(sample.wire)
        if sample.may_be_followed:
            peer.read_request()
            peer.send(OK)

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            head = GET.replace(b"GET", b"HEAD") if sample.to_head else GET
            assert await client.exchange(head, reads_only=True, target="t") == sample[1:4]
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert server.connections == (1 if sample.may_be_followed else 2)


@pytest.mark.parametrize("wire", MALFORMED)
@pytest.mark.parametrize("reads_only", [True, False])
@on_both_loops
async def test_a_malformed_answer_is_said_to_be_one_and_not_asked_for_again(wire: bytes, *, reads_only: bool) -> None:
    with ScriptedServer(answering(wire)) as server:
        async with client_of(server) as client:
            with pytest.raises(StorageError) as raised:
                await client.exchange(GET, reads_only=reads_only, target="GET bucket/key")
        assert raised.value.reason is StorageReason.MALFORMED_ANSWER
        assert raised.value.target == "GET bucket/key"
        assert len(server.heads) == 1


@on_both_loops
async def test_an_endless_answer_is_malformed() -> None:
    block = b"x" * 65536

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(block)

    def endless_head(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            peer.send(b"a: b\r\n" * 1000)

    with ScriptedServer(script, endless_head) as server:
        async with client_of(server) as client:
            for size in ("16777216 bytes", "262144 bytes"):
                with pytest.raises(StorageError, match=size) as raised:
                    await client.exchange(GET, reads_only=True, target="t")
                assert raised.value.reason is StorageReason.MALFORMED_ANSWER


@on_both_loops
async def test_a_large_answer_is_held_whole() -> None:
    body = bytes(range(256)) * 4096 * 4
    with ScriptedServer(answering(answer(body))) as server:
        async with client_of(server) as client:
            assert (await client.exchange(GET, reads_only=True, target="t")).body == body


# --- what is sent


@on_both_loops
async def test_head_and_body_arrive_as_they_were_given() -> None:
    head = b"POST /b/a/../c//%252F%0A?delete= HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n"
    received: list[tuple[bytes, bytes]] = []

    def script(peer: Peer) -> None:
        received.append(peer.read_request())
        peer.send(OK)

    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            await client.exchange(head, b"abc", reads_only=False, target="t")
    assert received == [(head, b"abc")]


@on_both_loops
async def test_a_large_body_given_as_bytes_arrives_whole() -> None:
    body = bytes(range(256)) * 4096
    received: list[bytes] = []

    def script(peer: Peer) -> None:
        received.append(peer.read_request()[1])
        peer.send(OK)

    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            head = PUT.replace(b"length: 0", b"length: %d" % len(body))
            assert (await client.exchange(head, body, reads_only=False, target="t")).status == 200
    assert received == [body]


# --- connections


@on_both_loops
async def test_one_connection_serves_request_after_request() -> None:
    with ScriptedServer(answering_all(OK)) as server:
        async with client_of(server) as client:
            for _ in range(20):
                await client.exchange(PUT, reads_only=False, target="t")
        assert (server.connections, len(server.heads)) == (1, 20)


@on_both_loops
async def test_never_more_connections_than_allowed_and_everybody_is_served() -> None:
    gate, busy, most = threading.Semaphore(0), 0, 0

    def script(peer: Peer) -> None:
        nonlocal busy, most
        while True:
            peer.read_request()
            busy += 1
            most = max(most, busy)
            gate.acquire()
            busy -= 1
            peer.send(OK)

    with ScriptedServer(script) as server:
        async with client_of(server, max_connections=3) as client:
            requests = [asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t")) for _ in range(12)]
            while len(server.heads) < 3:
                await asyncio.sleep(0.001)
            for _ in range(12):
                gate.release()
            assert [reply.status for reply in await asyncio.gather(*requests)] == [200] * 12
        assert server.connections == 3
        assert most == 3


@on_both_loops
async def test_the_bound_holds_over_all_hosts_and_the_oldest_idle_one_makes_room() -> None:
    with ScriptedServer(answering_all(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            for host in ("127.0.0.1", "localhost", "localhost", "127.0.0.1"):
                await client.exchange(PUT, reads_only=False, target="t", host=host)
        assert server.connections == 3


@on_both_loops
async def test_a_connection_that_was_closed_while_idle_is_not_used_for_a_write() -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        closing_after_answer(peer)
        peer.sock.close()
        closed.set()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            await client.exchange(PUT, reads_only=False, target="t")
            await asyncio.to_thread(closed.wait)
            assert (await client.exchange(PUT, reads_only=False, target="t")).status == 200
        assert (server.connections, len(server.heads)) == (2, 2)


@on_both_loops
async def test_a_close_that_the_loop_has_not_seen_yet_is_seen_before_a_write() -> None:
    close, closed = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        closing_after_answer(peer)
        close.wait()
        peer.sock.close()
        closed.set()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server, clock=ManualClock(), timeouts=Timeouts(idle_seconds=0.04)) as client:
            await client.exchange(PUT, reads_only=False, target="t")
            await asyncio.sleep(0.05)  # a sweep passes: from now on the connection counts as idle
            close.set()
            closed.wait()  # without giving the loop a turn
            assert (await client.exchange(PUT, reads_only=False, target="t")).status == 200
        assert (server.connections, len(server.heads)) == (2, 2)


@on_both_loops
async def test_an_idle_connection_is_closed_before_the_store_does_it() -> None:
    hung_up = threading.Event()
    clock = ManualClock()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.wait_for_hang_up()
        hung_up.set()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server, clock=clock, timeouts=Timeouts(idle_seconds=0.02)) as client:
            await client.exchange(PUT, reads_only=False, target="t")
            await asyncio.sleep(0.05)
            assert not hung_up.is_set()
            clock.seconds += 1
            assert await asyncio.to_thread(hung_up.wait, 10)
            await client.exchange(PUT, reads_only=False, target="t")
        assert server.connections == 2


@on_both_loops
async def test_an_answer_that_nobody_asked_for_reaches_nobody() -> None:
    spoken = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.send(answer(b"not for you", status="408 Request Timeout"))
        spoken.set()
        peer.wait_for_hang_up()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
            await asyncio.to_thread(spoken.wait)
            await asyncio.sleep(0.01)
            assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
        assert server.connections == 2


# --- lost answers


@pytest.mark.parametrize("received", [1, len(PUT) // 2, len(PUT)])
@on_both_loops
async def test_a_write_that_reached_the_socket_is_unanswered_and_sent_once(received: int) -> None:
    with ScriptedServer(resetting_after(received), answering_all(OK)) as server:
        async with client_of(server) as client:
            with pytest.raises(Unanswered) as raised:
                await client.exchange(PUT, reads_only=False, target="PUT bucket/key")
            assert raised.value.reason is StorageReason.UNANSWERED
            assert raised.value.target == "PUT bucket/key"
        assert server.connections == 1


@on_both_loops
async def test_a_write_on_a_connection_that_is_reset_at_once_is_never_sent_twice() -> None:
    with ScriptedServer(resetting_after(0), answering_all(OK)) as server:
        async with client_of(server) as client:
            with pytest.raises(StorageError) as raised:
                await client.exchange(PUT, reads_only=False, target="t")
            assert raised.value.reason in {StorageReason.UNANSWERED, StorageReason.REFUSED}
        assert server.connections == 1


@pytest.mark.parametrize("cut", range(0, len(OK), 3))
@pytest.mark.parametrize("ending", ["close", "reset"])
@on_both_loops
async def test_a_half_answer_to_a_write_is_unanswered(cut: int, ending: str) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK[:cut])
        if ending == "reset":
            peer.reset()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            with pytest.raises(Unanswered):
                await client.exchange(PUT, reads_only=False, target="t")
        assert len(server.heads) == 1


@pytest.mark.parametrize("cut", range(0, len(OK), 7))
@on_both_loops
async def test_a_read_is_sent_again_on_a_fresh_connection(cut: int) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK[:cut])
        peer.reset()

    with ScriptedServer(script, script, answering_all(OK)) as server:
        async with client_of(server) as client:
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
        assert (server.connections, len(server.heads)) == (3, 3)


@on_both_loops
async def test_a_read_is_sent_three_times_at_most() -> None:
    with ScriptedServer(resetting_after(len(GET))) as server:
        async with client_of(server) as client:
            with pytest.raises(StorageError) as raised:
                await client.exchange(GET, reads_only=True, target="t")
        assert raised.value.reason is StorageReason.UNANSWERED
        assert not isinstance(raised.value, Unanswered)
        assert server.connections == 3


@pytest.mark.parametrize("ending", ["close", "reset"])
@on_both_loops
async def test_a_reused_connection_that_ends_under_a_request(ending: str) -> None:
    """A read is sent again, and not on another idle connection, which may be as dead; a write is Unanswered."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        if ending == "reset":
            peer.reset()

    with ScriptedServer(script, script, answering_all(OK)) as server:
        async with client_of(server) as client:
            both = [client.exchange(PUT, reads_only=False, target="t") for _ in range(2)]
            await asyncio.gather(*both)
            assert server.connections == 2
            assert (await client.exchange(GET, reads_only=True, target="t")).body == b"fine"
            assert server.connections == 3
            # the third serves on; the second is dead on its next request
            third = asyncio.ensure_future(client.exchange(GET, reads_only=True, target="t"))
            with pytest.raises(Unanswered):
                await asyncio.gather(third, client.exchange(PUT, reads_only=False, target="t"))
            assert (await third).status == 200
        assert server.connections == 3


@on_both_loops
async def test_100_continue_is_no_answer() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    with ScriptedServer(script) as server:
        async with client_of(server) as client:
            with pytest.raises(Unanswered):
                await client.exchange(PUT, reads_only=False, target="t")
        assert server.connections == 1


# --- time


@pytest.mark.parametrize(("head", "reads_only"), [(GET, True), (PUT, False)])
@on_both_loops
async def test_silence_is_given_up_and_nothing_is_sent_again(head: bytes, *, reads_only: bool) -> None:
    with ScriptedServer(Peer.wait_for_hang_up) as server:
        async with client_of(server, timeouts=Timeouts(answer_seconds=0.02)) as client:
            with pytest.raises(StorageError, match=r"0\.02 s") as raised:
                await client.exchange(head, reads_only=reads_only, target="t")
        assert raised.value.reason is StorageReason.UNANSWERED
        assert isinstance(raised.value, Unanswered) is not reads_only
    assert server.connections == 1


@on_both_loops
async def test_progress_pushes_the_deadline_but_not_the_last_one() -> None:
    clock = ManualClock()
    steps, sent = threading.Semaphore(0), threading.Semaphore(0)

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            steps.acquire()
            with contextlib.suppress(HungUp):
                peer.send(b" ")
            sent.release()
            if over.is_set():
                return

    over = threading.Event()
    with ScriptedServer(script) as server:
        timeouts = Timeouts(answer_seconds=0.04, total_seconds=1)
        async with client_of(server, clock=clock, timeouts=timeouts) as client:
            request = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            started = clock.seconds
            while not request.done():
                steps.release()
                await asyncio.to_thread(sent.acquire)
                await asyncio.sleep(0.002)
                clock.seconds += 0.03
            with pytest.raises(Unanswered, match="no whole answer within 1 s"):
                await request
            assert clock.seconds - started > 1
        over.set()
        steps.release()


@on_both_loops
async def test_nobody_listens() -> None:
    with ScriptedServer(Peer.wait_for_hang_up) as server:
        endpoint = server.endpoint
    client = HttpClient(endpoint, clock=SystemClock())
    with pytest.raises(StorageError) as raised:
        await client.exchange(PUT, reads_only=False, target="t")
    assert raised.value.reason is StorageReason.REFUSED
    await client.close()


@on_both_loops
async def test_a_name_that_does_not_resolve() -> None:
    client = HttpClient("http://store.invalid", clock=SystemClock())
    with pytest.raises(StorageError) as raised:
        await client.exchange(PUT, reads_only=False, target="t")
    assert raised.value.reason is StorageReason.NAME_NOT_RESOLVED
    with pytest.raises(StorageError) as raised:
        await client.exchange(PUT, reads_only=False, target="t", host=f"{'x' * 64}.invalid")
    assert raised.value.reason is StorageReason.NAME_NOT_RESOLVED
    await client.close()


@pytest.mark.parametrize("endpoint", ["store", "ftp://store", "http://", "http://s/p", "http://u@s", "http://s?q"])
def test_an_endpoint_has_a_scheme_a_host_and_nothing_more(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        HttpClient(endpoint, clock=SystemClock())


# --- cancelling and closing


@on_both_loops
async def test_the_answer_to_a_cancelled_request_reaches_nobody() -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        go_on.wait()
        with contextlib.suppress(HungUp):
            peer.send(answer(b"for the one who left"))

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server, max_connections=1) as client:
            request = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            while not server.heads:
                await asyncio.sleep(0.001)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            go_on.set()
            assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
        assert server.connections == 2


@on_both_loops
async def test_who_is_cancelled_while_waiting_for_a_connection_takes_none_with_him() -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            go_on.wait()
            peer.send(OK)

    with ScriptedServer(script) as server:
        async with client_of(server, max_connections=1) as client:
            requests = [asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t")) for _ in range(4)]
            while not server.heads:
                await asyncio.sleep(0.001)
            requests[1].cancel()
            go_on.set()
            await requests[0]
            requests[2].cancel()  # its permit has just been given to it
            assert (await requests[3]).status == 200
            assert (await client.exchange(PUT, reads_only=False, target="t")).status == 200
            assert [request.cancelled() for request in requests] == [False, True, True, False]


@on_both_loops
async def test_closing_waits_for_what_was_sent_and_sends_nothing_more() -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        go_on.wait()
        peer.send(OK)
        peer.read_request()

    with ScriptedServer(script) as server:
        async with client_of(server, max_connections=1) as client:
            asked = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            waiting = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            while not server.heads:
                await asyncio.sleep(0.001)
            closing = asyncio.ensure_future(client.close())
            with pytest.raises(StorageError, match="closed"):
                await waiting
            with pytest.raises(StorageError, match="closed"):
                await client.exchange(PUT, reads_only=False, target="t")
            assert not closing.done()
            go_on.set()
            assert (await asked).body == b"fine"
            await closing
        assert len(server.heads) == 1


@on_both_loops
async def test_a_read_that_is_lost_while_the_client_closes_is_not_sent_again() -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        go_on.wait()

    with ScriptedServer(script, answering_all(OK)) as server:
        async with client_of(server) as client:
            asked = asyncio.ensure_future(client.exchange(GET, reads_only=True, target="t"))
            while not server.heads:
                await asyncio.sleep(0.001)
            closing = asyncio.ensure_future(client.close())
            await asyncio.sleep(0)
            go_on.set()
            with pytest.raises(StorageError, match="closed"):
                await asked
            await closing
        assert (server.connections, len(server.heads)) == (1, 1)


@on_both_loops
async def test_deadlines_are_kept_while_the_client_closes() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.wait_for_hang_up()

    with ScriptedServer(script) as server:
        async with client_of(server, timeouts=Timeouts(answer_seconds=0.05, close_seconds=60)) as client:
            asked = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            while not server.heads:
                await asyncio.sleep(0.001)
            await client.close()
            with pytest.raises(Unanswered, match="nothing came"):
                await asked


@on_both_loops
async def test_a_connection_that_is_being_opened_while_the_client_closes_is_closed_too() -> None:
    with ScriptedServer(Peer.wait_for_hang_up) as server:
        client = HttpClient(server.endpoint, clock=SystemClock())
        asked = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(StorageError) as raised:
            await asked
        assert not isinstance(raised.value, Unanswered)
        assert server.heads == []


@on_both_loops
async def test_closing_ends_what_is_under_way_for_too_long() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.wait_for_hang_up()

    with ScriptedServer(script) as server:
        async with client_of(server, timeouts=Timeouts(close_seconds=0.01), max_connections=1) as client:
            asked = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            waiting = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
            while not server.heads:
                await asyncio.sleep(0.001)
            await client.close()
            with pytest.raises(Unanswered):
                await asked
            for request in (waiting, client.exchange(PUT, reads_only=False, target="t")):
                with pytest.raises(StorageError, match="closed") as raised:
                    await request
                assert raised.value.reason is StorageReason.REFUSED
