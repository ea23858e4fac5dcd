"""A receiver of webhooks on a real socket, which answers as a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Got:
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """Answers with the statuses of ``answers`` in turn, the last one for ever."""

    answers: list[int] = field(default_factory=lambda: [204])
    location: str = ""
    gate: asyncio.Event | None = None
    """Nothing is answered before it is set."""
    got: list[Got] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            self.got.append(Got(headers, await reader.readexactly(int(headers["content-length"]))))
            self.arrived.set()
            if self.gate is not None:
                await self.gate.wait()
            status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            location = f"location: {self.location}\r\n" if self.location else ""
            writer.write(f"HTTP/1.1 {status} Said\r\n{location}content-length: 0\r\n\r\n".encode())
            await writer.drain()
        finally:
            writer.close()

    @property
    def statuses(self) -> list[str]:
        return [got.message["data"]["status"] for got in self.got]


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()
