"""One POST to an address that somebody else has named, against real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from cosbatch.model.errors import PostFailed
from cosbatch.storage.guarded_post import GuardedPost, resolve_host

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Serve = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


class Receiver:
    """Keeps what it got, as it came."""

    def __init__(self, answer: bytes = OK, *, hangs: bool = False, floods: bool = False) -> None:
        self.port = 0
        self.got: list[bytes] = []
        self.serving: set[asyncio.Task[None]] = set()
        self._answer = answer
        self._hangs = hangs
        self._floods = floods

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))[15:])
            self.got.append(head + await reader.readexactly(size))
            if self._hangs:
                await reader.read()
            writer.write(self._answer)
            while self._floods:
                writer.write(b"x" * 65536)
                await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def listening(receiver: Receiver, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*receiver.serving)  # whose end the server does not wait for


async def test_the_message_arrives_as_it_is() -> None:
    async with listening(Receiver()) as receiver:
        post = GuardedPost(allow_private=True, resolve=resolving("127.0.0.1"))
        url = f"http://hooks.example.com:{receiver.port}/a%20b/c?d=e%26f"
        assert await post(url, headers={"webhook-id": "m-1"}, body=b'{"a":1}') == 204
    [got] = receiver.got
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a%20b/c?d=e%26f HTTP/1.1"
    assert f"host: hooks.example.com:{receiver.port}".encode() in [line.lower() for line in lines]
    assert b"webhook-id: m-1" in lines
    assert body == b'{"a":1}'


async def test_nothing_is_followed() -> None:
    async with listening(Receiver()) as inside:
        away = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n"
        async with listening(Receiver(away % inside.port)) as receiver:
            post = GuardedPost(allow_private=True)
            assert await post(f"http://127.0.0.1:{receiver.port}/", headers={}, body=b"{}") == 307
    assert len(receiver.got) == 1
    assert inside.got == []


async def test_a_private_address_is_never_connected_to() -> None:
    async with listening(Receiver()) as receiver:
        for url, resolve in [
            (f"http://127.0.0.1:{receiver.port}/", resolve_host),
            (f"http://localhost:{receiver.port}/", resolve_host),
            (f"http://[::ffff:127.0.0.1]:{receiver.port}/", resolve_host),
            (f"http://hooks.example.com:{receiver.port}/", resolving("127.0.0.1")),
            (f"http://hooks.example.com:{receiver.port}/", resolving("93.184.216.34", "127.0.0.1")),
        ]:
            with pytest.raises(PostFailed, match="is not an address of the public internet"):
                await GuardedPost(resolve=resolve)(url, headers={}, body=b"{}")
    assert receiver.got == []


async def test_a_name_is_asked_once_so_that_it_cannot_lead_elsewhere_afterwards() -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with listening(Receiver()) as receiver:
        post = GuardedPost(allow_private=True, resolve=rebinding)
        assert await post(f"http://hooks.example.com:{receiver.port}/", headers={}, body=b"{}") == 204
    assert asked == ["hooks.example.com"]


async def test_another_address_is_tried_where_one_takes_no_connection() -> None:
    async with listening(Receiver()) as receiver:
        post = GuardedPost(allow_private=True, resolve=resolving("127.0.0.2", "127.0.0.1"))
        assert await post(f"http://hooks.example.com:{receiver.port}/", headers={}, body=b"{}") == 204


async def test_tls_is_verified_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.com").configure_cert(context)
    async with listening(Receiver(), tls=context) as receiver:
        trusting = GuardedPost(allow_private=True, ca_file=str(ca_file), resolve=resolving("127.0.0.1"))
        assert await trusting(f"https://hooks.example.com:{receiver.port}/", headers={}, body=b"{}") == 204
        with pytest.raises(PostFailed, match="certificate verify failed"):
            await trusting(f"https://other.example.com:{receiver.port}/", headers={}, body=b"{}")
        distrusting = GuardedPost(allow_private=True, resolve=resolving("127.0.0.1"))
        with pytest.raises(PostFailed, match="certificate verify failed"):
            await distrusting(f"https://hooks.example.com:{receiver.port}/", headers={}, body=b"{}")
    assert len(receiver.got) == 1


async def test_who_does_not_answer_in_time_is_left_alone() -> None:
    async with listening(Receiver(hangs=True)) as receiver:
        post = GuardedPost(allow_private=True, total_seconds=0.2)
        while not receiver.got:  # a busy machine may need all of the time to connect
            with pytest.raises(PostFailed, match=r"no answer within 0\.2 s"):
                await post(f"http://127.0.0.1:{receiver.port}/", headers={}, body=b"{}")


async def test_an_answer_without_end_is_not_read() -> None:
    async with listening(Receiver(b"HTTP/1.1 200 OK\r\n\r\n", floods=True)) as receiver:
        post = GuardedPost(allow_private=True, total_seconds=10)
        assert await post(f"http://127.0.0.1:{receiver.port}/", headers={}, body=b"{}") == 200


@pytest.mark.parametrize(
    ("answer", "why"), [(b"", "gave no answer"), (b"I speak no HTTP\r\n\r\n", "gave no answer")], ids=["none", "other"]
)
async def test_no_answer_says_why(answer: bytes, why: str) -> None:
    async with listening(Receiver(answer)) as receiver:
        with pytest.raises(PostFailed, match=why):
            await GuardedPost(allow_private=True)(f"http://127.0.0.1:{receiver.port}/", headers={}, body=b"{}")


async def test_a_name_without_an_address_says_so() -> None:
    post = GuardedPost(allow_private=True)
    with pytest.raises(PostFailed, match="cannot be resolved"):
        await post("http://no-such-host.invalid/", headers={}, body=b"{}")
    with pytest.raises(PostFailed, match="has no address"):
        await GuardedPost(resolve=resolving())("http://hooks.example.com/", headers={}, body=b"{}")
    with pytest.raises(PostFailed, match="cannot be resolved"):
        await post(f"http://{'a' * 70}.example.com/", headers={}, body=b"{}")


async def test_nobody_listens() -> None:
    async with listening(Receiver()) as receiver:
        port = receiver.port
    with pytest.raises(PostFailed, match=r"cannot connect to 127\.0\.0\.1"):
        await GuardedPost(allow_private=True)(f"http://127.0.0.1:{port}/", headers={}, body=b"{}")
