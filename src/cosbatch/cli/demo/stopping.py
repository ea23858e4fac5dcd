"""How the demo ends when it is stopped: what it started is told to stop, waited for, and gone when it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Final

STOP_SECONDS: Final = 90
"""The job waits for what is in flight, which a timeout of 60 seconds bounds."""
_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): a signal for when the parent has died."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stopped_by_any_signal() -> Iterator[None]:
    """A closed terminal and a ``kill`` are as good as a Ctrl-C: all of them raise KeyboardInterrupt."""
    with _handling(signal.default_int_handler):
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """No signal interrupts the clearing up."""
    with _handling(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handling(handler: Any) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def ends_with_its_parent() -> Callable[[], None] | None:
    """For ``preexec_fn``: a parent that was killed on the spot leaves no child behind. Linux alone has it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


def run_program(
    command: Sequence[str],
    *,
    stdout: int | IO[Any] | None = None,
    stderr: int | None = None,
    stop_seconds: float = STOP_SECONDS,
) -> tuple[int, bytes]:
    """The exit code and, with ``stdout=PIPE``, what was written. KeyboardInterrupt once the program has ended.

    The program is in a session of its own, so that a Ctrl-C reaches it once, from here: a second one would end it at
    once. Here, too, a second one does.
    """
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
    ) as process:
        try:
            written, _ = process.communicate()
        except BaseException:
            _stop(process, stop_seconds=stop_seconds)
            raise
        return process.returncode, written or b""


def _stop(process: subprocess.Popen[bytes], *, stop_seconds: float) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(stop_seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        with undisturbed():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
