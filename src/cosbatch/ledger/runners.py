"""Where the ledger's blocking calls run: in a thread of their own, or right here.

A thread of our own instead of an executor, because a call that waits for the ledger's lock may have to be left behind:
its caller gets an answer in time, the call finds out that nobody waits any more, and the process can still end.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from cosbatch.model.errors import LedgerUnavailable

T = TypeVar("T")
_WAITING: Final = "waiting"
_STARTED: Final = "started"
_LEFT: Final = "left"


class Runner(Protocol):
    async def run(self, work: Callable[[], T], *, gate: AbstractContextManager[None]) -> T:
        """The value of ``work``, called inside ``gate``. Not called at all where the caller has gone while the gate
        was being entered; once called it always ends, whatever becomes of the caller."""
        ...

    def stop(self, *, last: Callable[[], None]) -> None:
        """``last`` is called after everything that was asked for before, and nothing after it. Does not wait."""
        ...


class InlineRunner:
    """Runs at once, in the caller's thread: for a ledger in memory, where nothing blocks and order must not vary."""

    async def run(self, work: Callable[[], T], *, gate: AbstractContextManager[None]) -> T:
        with gate:
            return work()

    def stop(self, *, last: Callable[[], None]) -> None:
        last()


class ThreadRunner:
    """One daemon thread, one call after another."""

    def __init__(self, *, name: str, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._stopped = False
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, work: Callable[[], T], *, gate: AbstractContextManager[None]) -> T:
        if self._stopped:
            raise LedgerUnavailable("the ledger is closed in this process; open it again")
        call = _Call(work, gate=gate)
        self._calls.put(call)
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await call.answer
        except TimeoutError as cause:
            raise LedgerUnavailable(
                f"no answer within {self._patience_seconds:g} s: another process holds the ledger's lock, or the disk "
                "hangs; look for a stopped process that has ledger.lock open, then try again"
            ) from cause
        finally:
            call.leave()

    def stop(self, *, last: Callable[[], None]) -> None:
        self._stopped = True
        self._calls.put(last)
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


class _Call(Generic[T]):
    """A call on its way to the thread, and its answer on the way back."""

    def __init__(self, work: Callable[[], T], *, gate: AbstractContextManager[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[T] = self._loop.create_future()
        self._work = work
        self._gate = gate
        self._state = _WAITING
        self._deciding = threading.Lock()

    def leave(self) -> None:
        """The caller waits no more: what has not begun will not begin."""
        self._change(_LEFT)

    def __call__(self) -> None:
        if self._state == _LEFT:
            return
        try:
            with self._gate:
                if not self._change(_STARTED):
                    return
                value = self._work()
        except BaseException as error:
            self._reply(partial(self.answer.set_exception, error))
        else:
            self._reply(partial(self.answer.set_result, value))

    def _change(self, to: str) -> bool:
        """False where it was no longer waiting."""
        with self._deciding:
            if self._state != _WAITING:
                return False
            self._state = to
            return True

    def _reply(self, deliver: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(self._deliver, deliver)

    def _deliver(self, deliver: Callable[[], None]) -> None:
        if not self.answer.done():
            deliver()
