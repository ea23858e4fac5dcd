"""How the demo is called, and how it ends when it is stopped: with a program of ours in the place of the job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cosbatch.cli.main import cli

DEMO = """
import sys
from cosbatch.cli.demo.stopping import run_program, stopped_by_any_signal

try:
    with stopped_by_any_signal():
        run_program([sys.executable, "-c", sys.argv[1]], stop_seconds=float(sys.argv[2]))
except KeyboardInterrupt:
    sys.exit(130)
"""
PATIENT = """
import signal, sys, time

def stop(number, frame):
    print("asked", flush=True)
    time.sleep(0.6)  # longer than the quarter of a second that subprocess.run() gives
    print("clean", flush=True)
    sys.exit(130)

signal.signal(signal.SIGINT, stop)
print("up", flush=True)
signal.pause()
"""
STUBBORN = """
import os, signal, time

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
child = os.fork()
print("up", os.getpid(), child, flush=True) if child else None
time.sleep(60)
"""
DEADLINE_SECONDS = 30


def started(program: str, *, stop_seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DEMO, program, str(stop_seconds)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_job_gets_the_time_to_stop(number: signal.Signals) -> None:
    with started(PATIENT, stop_seconds=30) as process:
        assert line_of(process) == "up"
        os.killpg(process.pid, number)
        assert (line_of(process), line_of(process)) == ("asked", "clean")
        assert process.wait(30) == 130


def test_nothing_is_left_of_a_job_that_does_not_stop() -> None:
    with started(STUBBORN, stop_seconds=0.1) as process:
        pids = [int(word) for word in line_of(process).split()[1:]]
        assert all(is_running(pid) for pid in pids)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130

    ends = time.monotonic() + DEADLINE_SECONDS
    while left := [pid for pid in pids if is_running(pid)]:  # killed, but its turn to die has yet to come
        assert time.monotonic() < ends, left
        time.sleep(0.02)


def test_a_second_ctrl_c_ends_it_at_once() -> None:
    with started(PATIENT.replace("0.6", "60"), stop_seconds=60) as process:
        assert line_of(process) == "up"
        os.killpg(process.pid, signal.SIGINT)
        assert line_of(process) == "asked"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130


def test_a_demo_of_fewer_objects_than_it_needs_is_2() -> None:
    result = CliRunner().invoke(cli, ["demo", "--objects", "10"])

    assert result.exit_code == 2
    assert "10 is not in the range x>=100" in result.stderr
