"""Ctrl-C, a ``kill``, a closed terminal: the first one stops cleanly, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from cosbatch.cli.invocation import EXIT_INTERRUPTED

Answer = TypeVar("Answer")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _heeded() -> list[signal.Signals]:
    """Below ``nohup`` a closed terminal is none of our business."""
    is_detached = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in _SIGNALS if number is not signal.SIGHUP or not is_detached]


class Interrupted(Exception):
    """The work was asked to stop, and has stopped cleanly."""


async def until_interrupted(
    work: Coroutine[Any, Any, Answer], *, on_first: Callable[[], None], on_second: Callable[[], None]
) -> Answer:
    """The answer of ``work``; Interrupted where a signal came first and ``work`` has wound up by itself.

    A second signal ends the process on the spot, after ``on_second`` has given the terminal back: what was begun is
    found again from the ledger.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    signals_seen = 0

    def on_signal() -> None:
        nonlocal signals_seen
        signals_seen += 1
        if signals_seen > 1:
            try:
                on_second()
            finally:
                os._exit(EXIT_INTERRUPTED)
        task.cancel()
        with suppress(OSError):  # the terminal may be what has gone
            on_first()

    heeded = _heeded()
    for number in heeded:
        loop.add_signal_handler(number, on_signal)
    try:
        return await task
    except asyncio.CancelledError:
        if signals_seen:
            raise Interrupted from None
        raise
    finally:
        for number in heeded:
            loop.remove_signal_handler(number)
