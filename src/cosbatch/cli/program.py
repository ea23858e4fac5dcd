"""The process of the program: how it begins and ends cheaply. A job of a few objects is mostly that."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import threading
from typing import Final

ENDING_THREAD_SECONDS: Final = 0.2


def begin() -> None:
    """A verb imports a hundred thousand objects, none of which is garbage. To look through them again and again while
    they become more is a tenth of the import; :func:`imported` ends the rest."""
    gc.disable()


def import_log() -> None:
    """structlog brings rich along where there is one, for tracebacks that nobody draws here: a twentieth of what a run
    imports. While structlog is imported, there is none."""
    if sys.modules.keys() & {"structlog", "rich"}:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]  # what an import takes for: it cannot be found
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]


def imported() -> None:
    """What has been imported by now stays as long as the process, and is not looked through any more."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def end(code: object) -> None:
    """Ends the process with the code of a SystemExit, and leaves its memory to the kernel: the interpreter would free
    every object by itself first, which costs a quarter of what importing them did.

    Returns where that is not all that is left to do: a thread goes on, there is a message in place of a code, or the
    output cannot be written. The interpreter's own end knows what to do then.
    """
    if not (code is None or isinstance(code, int)) or not _threads_have_ended():
        return
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(code or 0)


def _threads_have_ended() -> bool:
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(ENDING_THREAD_SECONDS)  # a ledger's, which was closed just now
    return threading.active_count() == 1
