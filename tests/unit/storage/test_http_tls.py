"""TLS: who is trusted, who is not, and that requests are the same inside it."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.storage.http_client import HttpClient, Timeouts
from tests.unit.storage.scripted_server import Peer, ScriptedServer, answer, answering_all, on_both_loops
from tests.unit.storage.test_http_client import GET, OK, PUT
from tests.unit.storage.test_http_streaming import BLOCK, Blocks, put_of, serving


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def context_for(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@on_both_loops
async def test_a_named_authority_is_trusted_and_connections_are_kept(authority: trustme.CA, ca_file: str) -> None:
    with ScriptedServer(answering_all(OK), tls=context_for(authority, "127.0.0.1")) as server:
        client = HttpClient(server.endpoint, ca_file=ca_file, clock=SystemClock())
        for _ in range(5):
            assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
        await client.close()
        assert (server.connections, len(server.heads)) == (1, 5)


@on_both_loops
async def test_the_name_that_is_asked_for_goes_along_and_is_verified(authority: trustme.CA, ca_file: str) -> None:
    asked: list[str | None] = []
    context = context_for(authority, "localhost")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with ScriptedServer(answering_all(OK), tls=context) as server:
        client = HttpClient(server.endpoint, ca_file=ca_file, clock=SystemClock())
        assert (await client.exchange(PUT, reads_only=False, target="t", host="localhost")).status == 200
        with pytest.raises(StorageError) as raised:
            await client.exchange(PUT, reads_only=False, target="t")
        await client.close()
    assert raised.value.reason is StorageReason.TLS_FAILED
    assert asked[0] == "localhost"
    assert len(server.heads) == 1


@on_both_loops
async def test_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    with ScriptedServer(answering_all(OK), tls=context_for(authority, "127.0.0.1")) as server:
        client = HttpClient(server.endpoint, clock=SystemClock())
        with pytest.raises(StorageError) as raised:
            await client.exchange(PUT, reads_only=False, target="PUT bucket/key")
        await client.close()
    assert raised.value.reason is StorageReason.TLS_FAILED
    assert raised.value.target == "PUT bucket/key"
    assert server.heads == []


@on_both_loops
async def test_a_server_without_tls_and_one_that_hangs_up(ca_file: str) -> None:
    def plain(peer: Peer) -> None:
        peer.read(1)
        peer.send(answer(b"I speak no TLS", status="400 Bad Request"))

    with ScriptedServer(plain, Peer.reset) as server:
        client = HttpClient(server.endpoint.replace("http", "https"), ca_file=ca_file, clock=SystemClock())
        for _ in range(2):
            with pytest.raises(StorageError) as raised:
                await client.exchange(PUT, reads_only=False, target="t")
            assert raised.value.reason is StorageReason.TLS_FAILED
        await client.close()


@on_both_loops
async def test_a_handshake_that_never_ends_is_a_connect_timeout(ca_file: str) -> None:
    with ScriptedServer(Peer.wait_for_hang_up) as server:
        endpoint = server.endpoint.replace("http", "https")
        client = HttpClient(endpoint, ca_file=ca_file, timeouts=Timeouts(connect_seconds=0.02), clock=SystemClock())
        with pytest.raises(StorageError) as raised:
            await client.exchange(PUT, reads_only=False, target="t")
        assert raised.value.reason is StorageReason.CONNECT_TIMEOUT
        await client.close()


@on_both_loops
async def test_closing_the_client_ends_a_handshake(ca_file: str) -> None:
    with ScriptedServer(Peer.wait_for_hang_up) as server:
        client = HttpClient(server.endpoint.replace("http", "https"), ca_file=ca_file, clock=SystemClock())
        request = asyncio.ensure_future(client.exchange(PUT, reads_only=False, target="t"))
        while not server.connections:
            await asyncio.sleep(0.001)
        await client.close()
        with pytest.raises(StorageError):
            await asyncio.wait_for(request, 5)


@on_both_loops
async def test_a_write_that_is_cut_off_is_unanswered(authority: trustme.CA, ca_file: str) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK[:10])
        peer.reset()

    with ScriptedServer(script, answering_all(OK), tls=context_for(authority, "127.0.0.1")) as server:
        client = HttpClient(server.endpoint, ca_file=ca_file, clock=SystemClock())
        with pytest.raises(Unanswered):
            await client.exchange(PUT, reads_only=False, target="t")
        await client.close()
        assert server.connections == 1


@on_both_loops
async def test_bodies_stream_through_tls_in_both_directions(authority: trustme.CA, ca_file: str) -> None:
    received = 0

    def receiving(peer: Peer) -> None:
        nonlocal received
        received = len(peer.read_request()[1])
        peer.send(OK)
        serving(64)(peer)

    with ScriptedServer(receiving, tls=context_for(authority, "127.0.0.1")) as server:
        client = HttpClient(server.endpoint, ca_file=ca_file, clock=SystemClock())
        body = Blocks(64)
        assert (await client.send(put_of(body), body, target="t")).status == 200
        reply = await client.open(GET, target="t")
        size = 0
        async for block in reply:
            await asyncio.sleep(0)
            size += len(block)
        await client.close()
        assert (received, size) == (64 * len(BLOCK), 64 * len(BLOCK))
        assert server.connections == 1
