"""The engine's processes: children with one event loop each, told to drain through a pipe, gone with their parent.

The pipe is the whole relation. The parent writes one byte string to it when the child is to drain. When the parent's
end closes, the child knows that it is an orphan.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

import structlog

log = structlog.get_logger(__name__)

ORPHAN_SECONDS = 10.0
"""How long an orphan may take to give its chunks back."""
RESTART_SECONDS = (0.1, 0.5, 2.0, 5.0, 10.0)
DRAIN = b"drain"
YOUNG_OBJECTS = 10_000
"""New objects between two looks of the garbage collector for cycles. A chunk keeps thousands for a second, none of them
in a cycle: at Python's own 700 they are looked through again and again, at 1 us of CPU for each copy."""

try:
    import uvloop

    _new_loop: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
except ImportError:  # the same code runs on the standard library's loop, at about twice the cost
    _new_loop = None


def run_in_new_loop(main: Callable[[], Awaitable[None]]) -> None:
    """Runs ``main`` on uvloop where it is installed."""

    async def started() -> None:
        await main()

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(started())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """A process to keep running. ``entry`` and ``arguments`` travel to it by pickle."""

    name: str
    entry: Callable[..., Awaitable[None]]
    """Called as ``entry(link, *arguments)`` in the child's event loop; it returns when it has drained."""
    arguments: tuple[Any, ...]


class ParentLink:
    """The child's end: when to stop."""

    def __init__(self, connection: Connection) -> None:
        self.stop = asyncio.Event()
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        self.stop.set()
        try:
            self._connection.recv_bytes()
        except (EOFError, OSError):
            # The parent is dead. What is answered is still committed, but not for long.
            self._loop.remove_reader(self._connection.fileno())
            self._loop.call_later(ORPHAN_SECONDS, os._exit, 1)


def _child(spec: ChildSpec, connection: Connection) -> None:
    """A terminal sends Ctrl-C, and its own end, to the whole group: only the parent decides what that means."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    async def main() -> None:
        await spec.entry(ParentLink(connection), *spec.arguments)

    gc.freeze()  # what was imported stays as long as the process: nothing is to be found there
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    run_in_new_loop(main)


@dataclass(slots=True)
class _Running:
    spec: ChildSpec
    process: ForkServerProcess
    connection: Connection


class ProcessGroup:
    """Keeps children running until they are told to drain; one that dies is replaced."""

    def __init__(self, specs: list[ChildSpec]) -> None:
        self._specs = specs
        # Importing the program takes as much CPU as 30,000 copies: one process does it, and the children are forked
        # from that, which has neither threads nor an event loop.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", *sorted({spec.entry.__module__ for spec in specs})])
        self._running: dict[str, _Running] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._draining = False

    def start(self) -> None:
        self._keepers = [asyncio.create_task(self._keep(spec), name=spec.name) for spec in self._specs]

    @property
    def names(self) -> list[str]:
        """Of the processes that should run."""
        return [spec.name for spec in self._specs]

    @property
    def keepers(self) -> list[asyncio.Task[None]]:
        """One for each process, until it has drained; it ends earlier only by an error."""
        return self._keepers

    def pids(self) -> dict[str, int]:
        return {name: child.process.pid or 0 for name, child in self._running.items()}

    async def drain(self) -> None:
        """Tells every child to give its work back, and waits until all have ended."""
        self._draining = True
        for child in self._running.values():
            self._tell_to_drain(child)
        await asyncio.gather(*self._keepers)

    def kill(self) -> None:
        """At once: what was under way is settled by whoever claims it next."""
        self._draining = True
        for child in self._running.values():
            child.process.kill()

    def _tell_to_drain(self, child: _Running) -> None:
        try:
            child.connection.send_bytes(DRAIN)
        except OSError:
            log.debug("child-gone", name=child.spec.name)

    async def _keep(self, spec: ChildSpec) -> None:
        deaths = 0
        while not self._draining:
            child = self._spawn(spec)
            await self._ended(child)
            if self._draining:
                return
            log.error("process-died", name=spec.name, exit_code=child.process.exitcode)
            await asyncio.sleep(RESTART_SECONDS[min(deaths, len(RESTART_SECONDS) - 1)])
            deaths += 1

    def _spawn(self, spec: ChildSpec) -> _Running:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_child, args=(spec, theirs), name=spec.name, daemon=True)
        process.start()
        theirs.close()
        self._running[spec.name] = child = _Running(spec, process, ours)
        return child

    async def _ended(self, child: _Running) -> None:
        """Waits for the child's end by its sentinel, then lets go of the pipe."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        loop.add_reader(child.process.sentinel, _set, ended)
        try:
            await ended
        finally:
            loop.remove_reader(child.process.sentinel)
            child.connection.close()
            child.process.join()
            self._running.pop(child.spec.name, None)


def _set(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
