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
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

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


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        self.unseen: list[Mapping[str, Any]] = []
        """What went wrong without anybody to tell: contexts of asyncio's exception handler."""
        super().__init__(self._jumping)
        # asyncio runs what is due before time() plus this; the machine's nanosecond vanishes in a float after a year.
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda _, context: self.unseen.append(context))

    def time(self) -> float:
        return self._jumping.passed

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        done: asyncio.Future[_T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run_virtually(scenario: Callable[[VirtualClock], Coroutine[Any, Any, _T]]) -> _T:
    """What ``scenario`` returns. Tasks that it leaves behind are cancelled."""
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(scenario(VirtualClock(loop)))
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
