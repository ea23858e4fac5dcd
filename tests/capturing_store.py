"""A server on loopback that notes each request as it came, and answers what it was told to: for tests of what is sent.

>>> async with CapturingStore() as server:
...     server.answer(b"<Error><Code>SlowDown</Code></Error>", status=503)
...     ...  # any S3 client against server.endpoint
...     server.requests[0].path
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import NamedTuple, Self


class CapturedRequest(NamedTuple):
    """``path`` is as it stood on the wire, without the query."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class CapturingStore:
    """Answers are used up in order; 200 without a body when there are no more."""

    def __init__(self) -> None:
        self.requests: list[CapturedRequest] = []
        self._answers: deque[bytes] = deque()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def endpoint(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def connections(self) -> int:
        """Open now."""
        return len(self._writers)

    def answer(self, body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        named = {"content-length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        self._answers.append(f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode() + body)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                request = await _read_request(reader, writer)
                self.requests.append(request)
                answer = self._answers.popleft() if self._answers else b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
                if request.method == "HEAD":
                    answer = answer[: answer.index(b"\r\n\r\n") + 4]
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> CapturedRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
    lines = head.split("\r\n")[:-2]
    method, target, _ = lines[0].split(" ")
    pairs = (line.partition(":") for line in lines[1:])
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    path, _, query = target.partition("?")
    return CapturedRequest(method, path, query, headers, body)
