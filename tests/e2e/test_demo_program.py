"""``cosbatch demo`` as a stranger sees it: it ends well, or stops when told, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.program import PROGRAM

pytestmark = pytest.mark.timeout(300)
RUN_SECONDS = 240


def start_demo(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / "output").open("wb") as output:
        return subprocess.Popen(
            [str(PROGRAM), "demo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder)},
            start_new_session=True,
        )


def wait_for(folder: Path, words: str, *, seconds: float) -> str:
    ends = time.monotonic() + seconds
    while words not in (text := (folder / "output").read_text()):
        assert time.monotonic() < ends, text
        time.sleep(0.1)
    return text


def left_of(folder: Path) -> list[str]:
    """Command lines of living processes that name the folder, and what is in it beside the output."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(folder) in line:
            lines.append(line)
    return lines + [path.name for path in folder.glob("cosbatch-demo-*")]


def test_the_demo_agrees_with_its_report(tmp_path: Path) -> None:
    demo = start_demo(tmp_path, "--objects", "300")
    assert demo.wait(RUN_SECONDS) == 0, (tmp_path / "output").read_text()
    text = (tmp_path / "output").read_text()
    assert re.search(r"300 rows, 288 succeeded", text)
    assert "288 objects" in text
    assert left_of(tmp_path) == []


def test_ctrl_c_stops_the_demo_and_leaves_nothing(tmp_path: Path) -> None:
    demo = start_demo(tmp_path, "--objects", "3000")
    wait_for(tmp_path, "Active", seconds=RUN_SECONDS)
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(RUN_SECONDS) == 130, (tmp_path / "output").read_text()
    assert left_of(tmp_path) == []
