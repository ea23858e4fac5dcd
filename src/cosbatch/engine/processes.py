"""The engine's processes: children with one event loop each, kept running by a supervisor.

::

    program --pipe--> supervisor --a pipe for each--> children

Importing the program takes as much CPU as 30,000 copies, so it is done once: the supervisor is forked from the program,
and the children from the supervisor. A process can be forked safely only while it has neither threads nor an event
loop: a program that wants to save the import starts the supervisor early.

The pipes are the whole relation. A byte string tells the supervisor, and it each child, to drain. When the upper end of
a pipe closes, whoever has the lower one knows that it is an orphan.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, NamedTuple, Self

import structlog

log = structlog.get_logger(__name__)

ORPHAN_SECONDS: Final = 10.0
"""How long an orphan may take to give its chunks back."""
RESTART_SECONDS: Final = (0.1, 0.5, 2.0, 5.0, 10.0)
ENDING_THREAD_SECONDS: Final = 0.2
DRAIN: Final = b"drain"
YOUNG_OBJECTS: Final = 10_000
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


class SupervisorDied(Exception):
    """Nobody keeps the engine's processes running any more; they end by themselves."""


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


def _child(spec: ChildSpec, connection: Connection, others: list[Connection]) -> None:
    for other in others:
        other.close()  # forked along: nobody would be an orphan while a brother has its parent's end

    async def main() -> None:
        await spec.entry(ParentLink(connection), *spec.arguments)

    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    run_in_new_loop(main)


# --- the supervisor's own process


class _Told(NamedTuple):
    """What the supervisor tells the program: a child that began, or one that has died (with its exit code)."""

    name: str
    pid: int
    exit_code: int | None = None


@dataclass(slots=True)
class _Running:
    spec: ChildSpec
    process: BaseProcess
    connection: Connection


class _Children:
    """Keeps children running until they are told to drain; one that dies is replaced. No threads, no event loop."""

    def __init__(self, program: Connection, specs: list[ChildSpec]) -> None:
        self._program = program
        self._context = multiprocessing.get_context("fork")
        self._due = [(0.0, spec) for spec in specs]
        self._running: dict[int, _Running] = {}
        """By sentinel."""
        self._deaths: Counter[str] = Counter()
        self._draining = False

    def keep(self) -> None:
        """Until it was told to drain, or the program is gone, and no child is left."""
        while self._running or not self._draining:
            self._start_what_is_due()
            ready = wait([*self._running, *([] if self._draining else [self._program])], timeout=self._idle_seconds())
            for sentinel in ready:
                if isinstance(sentinel, int):
                    self._ended(self._running.pop(sentinel))
                else:
                    self._drain()

    def _idle_seconds(self) -> float | None:
        return max(0.0, min(at for at, _ in self._due) - time.monotonic()) if self._due else None

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        due = [spec for at, spec in self._due if at <= now]
        self._due = [(at, spec) for at, spec in self._due if at > now]
        for spec in due:
            self._start(spec)

    def _start(self, spec: ChildSpec) -> None:
        ours, theirs = self._context.Pipe()
        others = [self._program, ours, *[child.connection for child in self._running.values()]]
        process = self._context.Process(target=_child, args=(spec, theirs, others), name=spec.name, daemon=True)
        process.start()
        theirs.close()
        self._running[process.sentinel] = _Running(spec, process, ours)
        self._tell(_Told(spec.name, process.pid or 0))

    def _ended(self, child: _Running) -> None:
        child.process.join()
        child.connection.close()
        self._tell(_Told(child.spec.name, child.process.pid or 0, child.process.exitcode))
        if not self._draining:
            deaths = self._deaths[child.spec.name]
            pause = RESTART_SECONDS[min(deaths, len(RESTART_SECONDS) - 1)]
            self._deaths[child.spec.name] += 1
            self._due.append((time.monotonic() + pause, child.spec))

    def _drain(self) -> None:
        """Also where the program is gone: then every child finds its own pipe closed."""
        self._draining = True
        self._due = []
        try:
            self._program.recv_bytes()
        except (EOFError, OSError):
            for child in self._running.values():
                child.connection.close()
            return
        for child in self._running.values():
            with suppress(OSError):
                child.connection.send_bytes(DRAIN)

    def _tell(self, told: _Told) -> None:
        with suppress(OSError):
            self._program.send(told)


def _forget_variables(names: Collection[str]) -> None:
    """Takes variables out of the environment of this process and of those that it starts, and overwrites the block
    that the kernel shows of it (``/proc/<pid>/environ``)."""
    if not names:
        return
    import ctypes

    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    for name in names:
        place, value = getenv(os.fsencode(name)), os.environb.pop(os.fsencode(name), None)
        if place and value:
            ctypes.memset(place, 0, len(value))


def _supervise(orders: Connection, programs_end: Connection | None, without: Collection[str]) -> None:
    """A terminal sends Ctrl-C, and its own end, to the whole group: only the program decides what that means."""
    _forget_variables(without)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if programs_end is not None:
        programs_end.close()
    try:
        specs = orders.recv()
    except EOFError:
        return  # the program did not need it
    gc.freeze()  # what was imported stays as long as the process, and the children's: nothing is to be found there
    _Children(orders, specs).keep()


# --- the program's side


def _has_no_threads() -> bool:
    """Once those that are about to end (a ledger's, which was closed just now) have done so."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(ENDING_THREAD_SECONDS)
    return threading.active_count() == 1


class Supervisor:
    """The process that the engine's processes are forked from, seen from the program. It waits until it is told which
    those are, and ends with the program."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        """Use :meth:`begin`."""
        self.process = process
        self.connection = connection

    @classmethod
    def begin(cls, *, without: Collection[str] = ()) -> Self:
        """Forked with everything that the program has imported, if that is safe at present; else in an interpreter of
        its own, which imports it once more. Secrets that the program has read by then are forked along.

        ``without``: environment variables that it and the children shall not have."""
        if asyncio._get_running_loop() is None and _has_no_threads():
            forking = multiprocessing.get_context("fork")
            ours, theirs = forking.Pipe()
            return cls._started(forking.Process(target=_supervise, args=(theirs, ours, without)), ours, theirs)
        spawning = multiprocessing.get_context("spawn")
        ours, theirs = spawning.Pipe()
        return cls._started(spawning.Process(target=_supervise, args=(theirs, None, without)), ours, theirs)

    @classmethod
    def _started(cls, process: BaseProcess, ours: Connection, theirs: Connection) -> Self:
        process.start()
        theirs.close()
        return cls(process, ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """It ends as soon as its children have."""
        self.connection.close()
        self.process.join()


class ProcessGroup:
    """The engine's processes, which a supervisor keeps running until they are told to drain."""

    def __init__(self, specs: list[ChildSpec], *, supervisor: Supervisor) -> None:
        self._specs = specs
        self._supervisor = supervisor
        self._pids: dict[str, int] = {}
        self._draining = False
        self._ended: asyncio.Future[None] | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        loop.add_reader(self._supervisor.process.sentinel, self._on_end)
        loop.add_reader(self._supervisor.connection.fileno(), self._on_told)
        self._supervisor.connection.send(self._specs)

    @property
    def names(self) -> list[str]:
        """Of the processes that should run."""
        return [spec.name for spec in self._specs]

    def pids(self) -> dict[str, int]:
        return dict(self._pids)

    async def watch(self) -> None:
        """Returns once all processes have drained; SupervisorDied where nobody keeps them running any more."""
        assert self._ended is not None, "it was never started"
        await asyncio.shield(self._ended)
        if not self._draining:
            raise SupervisorDied("the process that keeps the engine's processes running has died")

    async def drain(self) -> None:
        """Tells every child to give its work back, and waits until all have ended."""
        self._draining = True
        with suppress(OSError):
            self._supervisor.connection.send_bytes(DRAIN)
        await self.watch()

    def _on_told(self) -> None:
        try:
            self._hear(self._supervisor.connection.recv())
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._supervisor.connection.fileno())

    def _hear(self, told: _Told) -> None:
        if told.exit_code is None:
            self._pids[told.name] = told.pid
            return
        self._pids.pop(told.name, None)
        if not self._draining:
            log.error("process-died", name=told.name, exit_code=told.exit_code)

    def _on_end(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._supervisor.process.sentinel)
        loop.remove_reader(self._supervisor.connection.fileno())
        with suppress(EOFError, OSError):  # its last words may not have been read yet
            while self._supervisor.connection.poll():
                self._hear(self._supervisor.connection.recv())
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
