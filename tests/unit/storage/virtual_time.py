"""Runs asyncio code in virtual time: whoever sleeps costs nothing, and the same run gives the same order every time.

::

    @virtual_time
    async def test_a_pause(clock: VirtualClock) -> None:
        await asyncio.sleep(3600)
        assert clock.boottime() == pytest.approx(3600)

    result = run_virtually(scenario)      # or with arguments of one's own, from any test

Time stands still while anything can run, and jumps to the next timer when nothing can. Sockets between tasks of the
loop work (they are looked at before each jump; another process would be left behind). Threads do not exist: what is
sent to an executor runs at once, in line. Where no timer is left and nothing can run, the run ends with :class:`Stuck`
rather than hanging. An exception that nobody saw (of a task that was not awaited, of a callback) fails the run.

A run may have processes of its own (:mod:`tests.unit.storage.virtual_process`), to be killed or stopped.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from tests.unit.storage.virtual_process import CURRENT, VirtualProcess

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

EPOCH = 1_750_000_000.0
"""Unix seconds at which every run begins."""


class Stuck(RuntimeError):
    """Everybody waits for somebody: no timer is set and nothing can run."""


class VirtualClock:
    """A Clock that follows its loop: ``boottime`` starts at 0 and is the loop's time. ``jump`` sets the wall clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, epoch: float = EPOCH) -> None:
        self._loop = loop
        self._epoch = epoch

    def now(self) -> float:
        return self._epoch + self._loop.time()

    def boottime(self) -> float:
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock, forward or back; boottime does not know."""
        self._epoch += seconds


class _JumpingSelector(selectors.DefaultSelector):
    """Never blocks: where it would have waited, time has passed instead."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # The loop's own wake-up pipe is always there; with nothing beside it there is nothing to ask the system for.
        ready = super().select(0) if len(self.get_map()) > 1 else []
        if not ready:
            if timeout is None:
                raise Stuck("nothing can run and no timer is set: every task waits for another one")
            self.passed += max(timeout, 0.0)
        return ready


class _Handle(asyncio.Handle):
    """Asks its process, if it has one, before it runs."""

    __slots__ = ()
    _context: Context

    def _run(self) -> None:
        process = self._context.get(CURRENT)
        if process is None or not process.keeps_back(self):
            super()._run()


class _Timer(asyncio.TimerHandle):
    __slots__ = ()
    _context: Context

    def _run(self) -> None:
        process = self._context.get(CURRENT)
        if process is None or not process.keeps_back(self):
            super()._run()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    _ready: Any
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self.unseen: list[Mapping[str, Any]] = []
        """What went wrong without anybody to tell: contexts of asyncio's exception handler."""
        self.processes: dict[VirtualProcess, list[AsyncGenerator[Any, Any]]] = {}
        """Those that have begun something, and their generators: nobody finalizes them after a death."""
        super().__init__(self._jumping)
        # asyncio runs what is due before time() plus this; the machine's nanosecond vanishes in a float after a year.
        self._clock_resolution = 1e-6
        self.set_exception_handler(self._note_unseen)

    def time(self) -> float:
        return self._jumping.passed

    # --- processes: the same as in asyncio, but for the handles that ask first

    def _call_soon(self, callback: Callable[..., Any], args: Sequence[Any], context: Context | None) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def create_task(
        self,
        coro: Generator[Any, None, _T] | Coroutine[Any, Any, _T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[_T]:
        task = super().create_task(coro, name=name, context=context)
        process = CURRENT.get() if context is None else context.get(CURRENT)
        if process is not None:
            self.processes.setdefault(process, [])
            process.tasks.add(task)
        return task

    def _asyncgen_firstiter_hook(self, agen: AsyncGenerator[Any, Any]) -> None:
        process = CURRENT.get()
        if process is None:
            super()._asyncgen_firstiter_hook(agen)  # type: ignore[misc]
        else:
            self.processes[process].append(agen)

    def _note_unseen(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A future's failure that a dead process was to look at is nobody's fault; a living task's always is."""
        has_dead = any(process.is_dead for process in self.processes)
        if not (has_dead and "future" in context and not isinstance(context["future"], asyncio.Task)):
            self.unseen.append(context)

    def bury_the_dead(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of coroutines that are never awaited now
            for process in self.processes:
                process.bury()
        self.processes.clear()

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        done: asyncio.Future[_T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run_virtually(scenario: Callable[[VirtualClock], Coroutine[Any, Any, _T]]) -> _T:
    """What ``scenario`` returns. Tasks that it leaves behind are cancelled, but for those of processes: they die."""
    loop = VirtualTimeLoop()

    async def until_all_are_dead() -> _T:
        try:
            return await scenario(VirtualClock(loop))
        finally:
            for process in loop.processes:
                process.kill()

    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            result = runner.run(until_all_are_dead())
    finally:
        loop.bury_the_dead()
    if loop.unseen:
        raise _first_unseen(loop.unseen)
    return result


def virtual_time(test: Callable[[VirtualClock], Awaitable[None]]) -> Callable[[], None]:
    """Makes a plain test of one that is a coroutine and takes the clock."""

    async def scenario(clock: VirtualClock) -> None:
        await test(clock)

    def run_test() -> None:
        run_virtually(scenario)

    for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(run_test, attribute, getattr(test, attribute))
    return run_test


def _first_unseen(unseen: list[Mapping[str, Any]]) -> Exception:
    context = unseen[0]
    error = AssertionError(f"nobody saw: {context.get('message')}")
    error.__cause__ = context.get("exception")
    return error
