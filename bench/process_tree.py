"""What a program costs, with everything that it starts: CPU seconds, wall seconds, the largest process.

:func:`run_tree` starts this file as a small program of its own. It adopts what the measured program leaves behind
(PR_SET_CHILD_SUBREAPER of Linux), so that no grandchild's seconds are lost, and waits until all of them have ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PR_SET_CHILD_SUBREAPER: Final = 36


class ProgramFailed(Exception):
    """A measured program ended with an error, or not in time; the message has its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one run of a program."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    """Resident memory of the largest process."""
    output: str


def run_tree(
    command: Sequence[str],
    *,
    limit_seconds: float,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Cost:
    """Runs a program to its end. ProgramFailed where it says so, or takes longer than ``limit_seconds``."""
    readable, writable = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", __file__, str(writable), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=folder,
        env={**_surroundings(), **(environ or {})},
        pass_fds=[writable],
        start_new_session=True,
    )
    os.close(writable)
    with os.fdopen(readable) as told:
        try:
            output, _ = process.communicate(timeout=limit_seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ProgramFailed(f"{command[0]} took longer than {limit_seconds:g} s") from None
            raise
        found = json.loads(told.read() or "{}")
    if process.returncode:
        raise ProgramFailed(f"{' '.join(command[:4])} ended with {process.returncode}:\n{_tail(output)}")
    return Cost(output=output, **found)


def _surroundings() -> dict[str, str]:
    """Ours, but that Python keeps what it has compiled: an installed program does not compile itself at every start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-15:])


def main() -> None:
    """``process_tree.py DESCRIPTOR COMMAND...``: the cost goes to the descriptor, the exit code is the command's."""
    descriptor, command = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(descriptor, False)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    exit_code, cpu_seconds, peak_kilobytes = 1, 0.0, 0
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:  # nobody is left
            break
        cpu_seconds += usage.ru_utime + usage.ru_stime
        peak_kilobytes = max(peak_kilobytes, usage.ru_maxrss)
        if pid == child:
            exit_code = os.waitstatus_to_exitcode(status)
    cost = {
        "cpu_seconds": cpu_seconds,
        "wall_seconds": time.monotonic() - began,
        "peak_bytes": peak_kilobytes * 1024,
    }
    os.write(descriptor, json.dumps(cost).encode())
    sys.exit(exit_code if exit_code >= 0 else 128 - exit_code)


if __name__ == "__main__":
    main()
