"""A store that is far away: ``python -m bench.delay_relay PORT UPSTREAM_PORT DELAY_SECONDS COUNTS``.

Passes connections on to the null store and holds every answer back for the time of a round trip. It counts the copies
as they come and writes at its end, to the file ``COUNTS``, how many came in each tenth of a second. Its own CPU is
nobody's. It ends at SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import uvloop

from bench.null_store import free_ports, wait_for_port

BIN_SECONDS: Final = 0.1
_COPY: Final = b"PUT /copies/"


class _Half(asyncio.Protocol):
    """One side of a relayed connection; what it receives goes to the other side's transport."""

    def __init__(self, pass_on: Callable[[bytes], None], *, end: Callable[[], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self._pass_on = pass_on
        self._end = end

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()


class _Relayed:
    """A connection of a client and the one to the store that belongs to it."""

    def __init__(self, *, upstream_port: int, delay_seconds: float, counts: Counter[int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay_seconds = delay_seconds
        self._counts = counts
        self._early: list[bytes] = []
        self.near = _Half(self._asked, end=self._close)
        self._far = _Half(self._answered, end=lambda: self._later(self._close))
        self._connecting = self._loop.create_task(self._connect(upstream_port))

    async def _connect(self, port: int) -> None:
        await self._loop.create_connection(lambda: self._far, "127.0.0.1", port)
        for block in self._early:
            self._asked_on(block)

    def _asked(self, block: bytes) -> None:
        if block.startswith(_COPY):
            self._counts[int(time.monotonic() / BIN_SECONDS)] += 1
        if self._far.transport is None:
            self._early.append(block)
        else:
            self._asked_on(block)

    def _asked_on(self, block: bytes) -> None:
        if self._far.transport is not None:
            self._far.transport.write(block)

    def _answered(self, block: bytes) -> None:
        self._later(self._give, block)

    def _give(self, block: bytes) -> None:
        if self.near.transport is not None and not self.near.transport.is_closing():
            self.near.transport.write(block)

    def _later(self, call: Callable[..., None], *arguments: bytes) -> None:
        self._loop.call_later(self._delay_seconds, call, *arguments)

    def _close(self) -> None:
        self._connecting.cancel()
        for half in (self.near, self._far):
            if half.transport is not None:
                half.transport.close()


async def relay(port: int, upstream_port: int, *, delay_seconds: float) -> Counter[int]:
    """Until SIGTERM; tenth of a second -> copies."""
    loop = asyncio.get_running_loop()
    counts: Counter[int] = Counter()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)

    def accept() -> _Half:
        return _Relayed(upstream_port=upstream_port, delay_seconds=delay_seconds, counts=counts).near

    server = await loop.create_server(accept, "127.0.0.1", port, backlog=4096)
    await ended.wait()
    server.close()
    return counts


def main() -> None:
    port, upstream_port, delay_seconds, counts = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(relay(int(port), int(upstream_port), delay_seconds=float(delay_seconds)))
    Path(counts).write_text(json.dumps(sorted(found.items())))


# --- for whoever measures


@dataclass(slots=True, kw_only=True)
class FarStore:
    """A running relay; ``counts`` is filled when it has ended."""

    port: int
    counts: list[tuple[int, int]]


@contextlib.contextmanager
def far_store(upstream_port: int, folder: Path, *, delay_seconds: float) -> Iterator[FarStore]:
    [port] = free_ports(1)
    told = folder / f"counts-{port}.json"
    command = [sys.executable, "-m", "bench.delay_relay", str(port), str(upstream_port), str(delay_seconds), str(told)]
    process = subprocess.Popen(command)
    far = FarStore(port=port, counts=[])
    try:
        wait_for_port(port, process)
        yield far
    finally:
        process.terminate()
        process.wait()
    far.counts += [(place, count) for place, count in json.loads(told.read_text())]


def middle_rate(counts: list[tuple[int, int]]) -> float:
    """Copies a second between the first and the last quarter of them: without the slow start and the last few."""
    total, seen = sum(count for _, count in counts), 0
    first_quarter: int | None = None
    began = 0
    for place, count in counts:
        seen += count
        if first_quarter is None:
            if seen >= total / 4:
                first_quarter, began = place, seen
        elif seen >= total * 3 / 4:
            return (seen - began) / ((place - first_quarter) * BIN_SECONDS)
    raise ValueError("too few copies to tell how fast they were")


if __name__ == "__main__":
    main()
