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
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from concurrent.futures import Executor
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple

from tests.unit.storage.virtual_process import CURRENT, VirtualProcess

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

EPOCH = 1_750_000_000.0
"""Unix seconds at which every run begins."""


_MANY_TIMERS = 100
_LONGEST_WAIT_SECONDS = 86_400.0
"""Both as in asyncio: when a heap is made anew, and when a loop that waits turns, is part of the order of a run."""


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
        ready = super().select(0)
        if not ready:
            self.pass_by(timeout)
        return ready

    def pass_by(self, timeout: float | None) -> None:
        if timeout is None:
            raise Stuck("nothing can run and no timer is set: every task waits for another one")
        if timeout > 0.0:
            self.passed += timeout


class _Handle(asyncio.Handle):
    """Asyncio's, made without a look at its debug mode: a run makes thousands."""

    __slots__ = ()
    _context: Context
    _callback: Callable[..., Any]
    _args: Sequence[Any]

    def __init__(
        self, callback: Callable[..., Any], args: Sequence[Any], loop: VirtualTimeLoop, context: Context | None
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class _Timer(asyncio.TimerHandle):
    __slots__ = ()
    _context: Context
    _callback: Callable[..., Any]
    _args: Sequence[Any]
    _scheduled: bool

    def __init__(
        self,
        when: float,
        callback: Callable[..., Any],
        args: Sequence[Any],
        loop: VirtualTimeLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __lt__(self, other: object) -> bool:
        """In a heap of (when, timer) this is asked for two of the same moment only: neither comes first."""
        return False


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Turns as asyncio's loop does, with the same order in each turn, and with less work for each."""

    _ready: deque[_Handle | _Timer]
    _timers: list[tuple[float, _Timer]]
    """A heap; what was cancelled stays until it comes up, or is the greater part. In tuples it is compared in C."""
    _timer_cancelled_count: int
    _stopping: bool

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self._watched: Mapping[int, Any] = self._jumping._fd_to_key  # type: ignore[attr-defined]
        self.unseen: list[Mapping[str, Any]] = []
        """What went wrong without anybody to tell: contexts of asyncio's exception handler."""
        self.processes: dict[VirtualProcess, list[AsyncGenerator[Any, Any]]] = {}
        """Those that have begun something, and their generators: nobody finalizes them after a death."""
        self._timers = []
        self._had_dead = False
        super().__init__(self._jumping)
        # asyncio runs what is due before time() plus this; the machine's nanosecond vanishes in a float after a year.
        self._clock_resolution = 1e-6
        self.set_exception_handler(self._note_unseen)

    def time(self) -> float:
        return self._jumping.passed

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        self._check_closed()  # type: ignore[attr-defined]
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._jumping.passed + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, timer))
        return timer

    def _run_once(self) -> None:
        """One turn: time passes if nothing can run, and then what can runs once."""
        ready, timers = self._ready, self._timers
        if len(timers) > _MANY_TIMERS or (timers and timers[0][1]._cancelled):
            self._forget_cancelled()
        # The loop's own wake-up pipe is always there; with nothing beside it there is nothing to ask the system for.
        if not ready or len(self._watched) > 1:
            self._wait()
        end = self._jumping.passed + self._clock_resolution
        while timers and timers[0][0] < end:
            timer = heapq.heappop(timers)[1]
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(CURRENT)
            if process is not None and process.keeps_back(handle):
                continue
            try:
                handle._context.run(handle._callback, *handle._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                message = f"Exception in callback {handle._callback!r}"
                self.call_exception_handler({"message": message, "exception": error, "handle": handle})

    def _forget_cancelled(self) -> None:
        timers = self._timers
        if len(timers) > _MANY_TIMERS and self._timer_cancelled_count > len(timers) / 2:
            for _, timer in timers:
                timer._scheduled = not timer._cancelled
            timers[:] = [each for each in timers if not each[1]._cancelled]
            heapq.heapify(timers)
            self._timer_cancelled_count = 0
            return
        while timers and timers[0][1]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)[1]._scheduled = False

    def _wait(self) -> None:
        timeout = None
        if self._ready or self._stopping:
            timeout = 0.0
        elif self._timers:
            timeout = min(max(0.0, self._timers[0][0] - self._jumping.passed), _LONGEST_WAIT_SECONDS)
        if len(self._watched) == 1:
            self._jumping.pass_by(timeout)
        else:
            self._process_events(self._jumping.select(timeout))  # type: ignore[attr-defined]

    # --- processes

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
        self._had_dead |= any(process.is_dead for process in self.processes)
        if not (self._had_dead and "future" in context and not isinstance(context["future"], asyncio.Task)):
            self.unseen.append(context)

    def bury_the_dead(self) -> None:
        self._had_dead |= bool(self.processes)
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
