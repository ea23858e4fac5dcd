"""Processes of a virtual run: killed or stopped from outside, at whatever await their code stands.

A process is a mark in the context of its tasks. Tasks, callbacks and timers inherit their context from whoever made
them, so that everything that begins inside a process belongs to it. The loop asks before it runs anything. Of a dead
process nothing runs any more, its ``finally`` blocks neither: ``kill -9`` asks nobody. What a stopped one was to do
waits until it goes on, in order, as after SIGSTOP and SIGCONT.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _unregister_task
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar
from weakref import WeakSet

_T = TypeVar("_T")

CURRENT: ContextVar[VirtualProcess | None] = ContextVar("current", default=None)
_CLOSES = 100
"""A coroutine may wait in each of its ``finally`` blocks."""


class VirtualProcess:
    """One process; its tasks begin with :meth:`start`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_stopped = False
        self.at_death: list[Callable[[], None]] = []
        """Called when it dies, by its killer."""
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._kept: list[asyncio.Task[Any]] = []
        self._parked: list[asyncio.Handle] = []

    def start(self, work: Coroutine[Any, Any, _T], *, name: str | None = None) -> asyncio.Task[_T]:
        context = copy_context()
        context.run(CURRENT.set, self)
        return asyncio.get_running_loop().create_task(work, name=name, context=context)

    def kill(self) -> None:
        """At once. Code of its own that calls this goes on to its next await and no further."""
        if self.is_dead:
            return
        self.is_dead = True
        self._parked.clear()
        # A task that nobody refers to is collected, and its coroutine closed: that would run its finally blocks.
        self._kept = list(self.tasks)
        for task in self._kept:
            _unregister_task(task)  # the loop's end waits for every task that it knows of
        for tell in self.at_death:
            tell()

    def stop(self) -> None:
        """SIGSTOP."""
        self.is_stopped = True

    def go_on(self) -> None:
        """SIGCONT."""
        self.is_stopped = False
        loop = asyncio.get_running_loop()
        parked, self._parked = self._parked, []
        for handle in parked:
            loop._ready.append(handle)  # type: ignore[attr-defined]

    def keeps_back(self, handle: asyncio.Handle) -> bool:
        """Whether the loop must not run this now."""
        if self.is_dead:
            return True
        if self.is_stopped:
            self._parked.append(handle)
        return self.is_stopped

    def bury(self) -> None:
        """After the run: ends what was left standing, so that its memory is free. Whatever that does is of no
        account."""
        for task in self._kept:
            if task.done():
                _see(task)
            else:
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                _close(task.get_coro())
        self._kept.clear()


def _see(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _close(coroutine: Any) -> None:
    for _ in range(_CLOSES):
        try:
            coroutine.close()
        except BaseException:  # it waits in a finally block, or finds that the loop is gone
            continue
        return
