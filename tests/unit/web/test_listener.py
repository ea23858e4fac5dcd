"""Where a service listens, and where it must not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trustme
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from cosbatch.model.errors import InvalidArgument
from cosbatch.web.app import create_app
from cosbatch.web.calls import CallLimits
from cosbatch.web.heads import HEAD_MAX_BYTES
from cosbatch.web.listener import Listener, Listening
from cosbatch.web.measures import CallMeasures


def app(*, gate: asyncio.Event | None = None, arrived: asyncio.Event | None = None) -> ASGIApp:
    async def answer(request: Request) -> Response:
        if gate is not None and arrived is not None:
            arrived.set()
            await gate.wait()
        return PlainTextResponse(f"{request.client.host if request.client else ''} {request.url.scheme}")

    return create_app([Route("/", answer)], limits=CallLimits(), measures=CallMeasures())


def faults(listening: Listening) -> str:
    with pytest.raises(InvalidArgument) as raised:
        Listener(listening)
    return str(raised.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_beyond_loopback_it_takes_tls_or_a_word(host: str) -> None:
    assert "there is no TLS" in faults(Listening(host=host, port=0))


def test_with_a_word_it_may() -> None:
    listener = Listener(Listening(host="0.0.0.0", port=0, allow_plain_beyond_loopback=True))
    assert listener.port > 0
    listener.close()


def test_a_host_that_is_none_is_named() -> None:
    text = faults(Listening(host="no.such.host.invalid", port=0))
    assert "server.host: is no address of this machine" in text


def test_an_address_of_another_machine_is_named() -> None:
    text = faults(Listening(host="192.0.2.1", port=0, allow_plain_beyond_loopback=True))
    assert "cannot be listened at on 192.0.2.1" in text


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"server.port: cannot be listened at on 127.0.0.1: Address already in use (it is '{port}')" in faults(
            Listening(host="127.0.0.1", port=port)
        )


async def test_calls_are_answered_until_its_end() -> None:
    listener = Listener(Listening(host="127.0.0.1", port=0))
    async with listener.serving(app()), httpx.AsyncClient() as client:
        assert (await client.get(listener.address)).text == "127.0.0.1 http"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", listener.port)


async def test_a_request_line_may_name_the_whole_address() -> None:
    """As clients send it that take the service for a proxy."""
    listener = Listener(Listening(host="127.0.0.1", port=0))
    async with listener.serving(app()):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"GET http://somewhere.example/ HTTP/1.1\r\nhost: somewhere.example\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_ipv6() -> None:
    listener = Listener(Listening(host="::1", port=0))
    assert listener.address == f"http://[::1]:{listener.port}"
    async with listener.serving(app()), httpx.AsyncClient() as client:
        assert (await client.get(listener.address)).text == "::1 http"


async def test_a_call_under_way_is_answered_at_the_end() -> None:
    gate, arrived = asyncio.Event(), asyncio.Event()
    listener = Listener(Listening(host="127.0.0.1", port=0))
    async with httpx.AsyncClient() as client:
        async with listener.serving(app(gate=gate, arrived=arrived)):
            asked = asyncio.create_task(client.get(listener.address))
            await arrived.wait()
            asyncio.get_running_loop().call_later(0.3, gate.set)
        assert (await asked).status_code == 200


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def certificate(authority: trustme.CA, folder: Path) -> tuple[str, str]:
    made = authority.issue_cert("localhost", "127.0.0.1")
    key, chain = folder / "key.pem", folder / "chain.pem"
    made.private_key_pem.write_to_path(key)
    for block in made.cert_chain_pems:
        block.write_to_path(chain, append=True)
    return str(chain), str(key)


async def test_tls(authority: trustme.CA, tmp_path: Path) -> None:
    chain, key = certificate(authority, tmp_path)
    listener = Listener(Listening(host="127.0.0.1", port=0, certificate_file=chain, key_file=key))
    assert listener.address.startswith("https://")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with listener.serving(app()), httpx.AsyncClient(verify=context) as client:
        assert (await client.get(listener.address)).text == "127.0.0.1 https"


@pytest.mark.parametrize("broken", ["missing", "no key", "another key"])
def test_a_certificate_that_cannot_be_used_is_named(authority: trustme.CA, tmp_path: Path, broken: str) -> None:
    chain, key = certificate(authority, tmp_path)
    match broken:
        case "missing":
            Path(chain).unlink()
        case "no key":
            Path(key).write_text("none")
        case _:
            authority.issue_cert("other").private_key_pem.write_to_path(key)
    text = faults(Listening(host="0.0.0.0", port=0, certificate_file=chain, key_file=key))
    assert "server.tls_certificate_file" in text


@pytest.mark.parametrize(("proxies", "expected"), [((), "127.0.0.1 http"), (("127.0.0.0/8",), "10.9.8.7 https")])
async def test_what_a_proxy_says_holds_where_it_is_trusted(proxies: tuple[str, ...], expected: str) -> None:
    listener = Listener(Listening(host="127.0.0.1", port=0, trusted_proxies=proxies))
    headers = {"x-forwarded-for": "10.9.8.7", "x-forwarded-proto": "https"}
    async with listener.serving(app()), httpx.AsyncClient() as client:
        assert (await client.get(listener.address, headers=headers)).text == expected


# --- who does not come to an end

WHOLE = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
WITHOUT_END = {
    "a header": b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ",
    "the path": b"GET /",
    "headers": b"GET / HTTP/1.1\r\nhost: x\r\n",
    "what stands behind a chunk": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-long: ",
    "the head of a further call": WHOLE + b"GET /",
}


async def write_for_ever(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        writer.write(piece)
        await writer.drain()


@pytest.mark.parametrize("begun", WITHOUT_END.values(), ids=WITHOUT_END)
async def test_what_is_no_body_and_has_no_end_is_broken_off(begun: bytes) -> None:
    listener = Listener(Listening(host="127.0.0.1", port=0))
    async with listener.serving(app()), asyncio.timeout(30):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(begun)
        line = b"x: y\r\n" if begun.endswith(b"\r\n") else b"longer"
        with pytest.raises(ConnectionError):
            await write_for_ever(writer, line * 1000)
        writer.close()


@pytest.mark.parametrize("calls_before", [0, 2])
@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n", b"\r\n", b"G"])
async def test_a_head_that_does_not_come_is_not_waited_for(calls_before: int, sent: bytes) -> None:
    """Else a thousand of those who send nothing keep everybody else out."""
    listener = Listener(Listening(host="127.0.0.1", port=0, head_seconds=0.2))
    async with listener.serving(app()), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        for _ in range(calls_before):
            writer.write(WHOLE)
            await reader.readuntil(b"127.0.0.1 http")
        writer.write(sent)
        assert (await reader.read()).endswith(b"The head of the request did not come in time.")
        writer.close()


async def test_who_connects_and_says_nothing_is_sent_away_without_a_word() -> None:
    """A browser that connected ahead of need would take a word for the answer to the call that it makes then."""
    listener = Listener(Listening(host="127.0.0.1", port=0, head_seconds=0.2))
    async with listener.serving(app()), asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await reader.read() == b""
        writer.close()


async def test_more_connections_than_there_may_be_are_told_so_in_the_form_of_every_error() -> None:
    listener = Listener(Listening(host="127.0.0.1", port=0, max_connections=1))
    async with listener.serving(app()), httpx.AsyncClient() as first, httpx.AsyncClient() as second:
        assert (await first.get(listener.address)).status_code == 200
        with capture_logs() as logs:
            refused = await second.get(listener.address, headers={"x-request-id": "mine"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert (refused.headers["connection"], refused.headers["x-request-id"]) == ("close", "mine")
        assert refused.json()["error"]["code"] == "ServiceUnavailable"
        assert [(line["event"], line["status"], line["path"]) for line in logs] == [("call", 503, "/")]
        assert (await first.get(listener.address)).status_code == 200


async def test_a_long_head_and_a_call_that_lasts_are_no_fault() -> None:
    gate, arrived = asyncio.Event(), asyncio.Event()
    listener = Listener(Listening(host="127.0.0.1", port=0, head_seconds=0.2))
    async with listener.serving(app(gate=gate, arrived=arrived)), httpx.AsyncClient() as client:
        for _ in range(2):
            asked = asyncio.create_task(client.get(listener.address, headers={"x-long": "x" * (HEAD_MAX_BYTES // 2)}))
            await arrived.wait()
            asyncio.get_running_loop().call_later(0.5, gate.set)
            assert (await asked).status_code == 200


async def test_a_long_body_in_many_pieces_is_no_head() -> None:
    listener = Listener(Listening(host="127.0.0.1", port=0))

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    async def length(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    frame = create_app([Route("/", length, methods=["POST"])], limits=CallLimits(), measures=CallMeasures())
    async with listener.serving(frame), httpx.AsyncClient() as client:
        assert (await client.post(listener.address, content=pieces())).text == "400000"
