"""P5: the largest memory of a worker process at 256 connections, and of a whole service with a very long job."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.delay_relay import far_store
from bench.figures import Bar, Row
from bench.ground import Ground
from bench.planning import peak_bytes_of
from bench.process_tree import ProgramFailed
from bench.whole_job import LIMIT_SECONDS, job_text, put_inventory, settings_text, succeeded

CONNECTIONS: Final = 256
ROUND_TRIP_SECONDS: Final = 0.1
"""So that all connections are in use at a time."""
ROWS: Final = 50_000
LONG_ROWS: Final = 10_000_000
LOOK_SECONDS: Final = 0.2
MB: Final = 10**6


def memory_rows(ground: Ground, *, has_long: bool) -> Iterator[Row]:
    ground.say(f"memory of a worker at {CONNECTIONS} connections")
    worker, broken = None, ""
    try:
        with far_store(ground.null.port, ground.folder, delay_seconds=ROUND_TRIP_SECONDS) as far:
            peaks = _peaks(ground, endpoint=f"http://127.0.0.1:{far.port}", rows=ROWS, workers=1)
        worker = max(peak.peak_bytes for peak in peaks if peak.role == "worker") / MB
    except (ProgramFailed, OSError) as error:
        broken = str(error).splitlines()[0]
    what = f"peak memory of a worker process at {CONNECTIONS} connections"
    yield Row(number="P5", what=what, figure=worker, bar=Bar(limit=120, unit=" MB"), unit=" MB", remark=broken)
    service, remark = None, "only with LONG=1"
    if has_long:
        ground.say(f"memory of the whole service with {LONG_ROWS:,} rows")
        peaks = _peaks(ground, endpoint=ground.null.endpoint(tls=False), rows=LONG_ROWS, workers=2)
        service = sum(peak.peak_bytes for peak in peaks) / MB
        remark = ", ".join(f"{peak.role} {peak.peak_bytes / MB:.0f}" for peak in peaks)
    what = f"peak memory of the embedded service with a job of {LONG_ROWS:,} rows, processes added up"
    yield Row(number="P5", what=what, figure=service, bar=Bar(limit=400, unit=" MB"), unit=" MB", remark=remark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    role: str
    """worker, planner, finisher (which is the program itself), or nothing."""
    peak_bytes: int


def _peaks(ground: Ground, *, endpoint: str, rows: int, workers: int) -> list[Peak]:
    """The high-water mark of each process of one job."""
    folder = ground.folder / "memory"
    folder.mkdir()
    try:
        inventory = put_inventory(ground.admin, rows)
        (folder / "cosbatch.yaml").write_text(
            settings_text(folder, endpoint=endpoint, workers=workers, connections=CONNECTIONS)
        )
        (folder / "job.yaml").write_text(job_text(inventory))
        options = ["--yes", "--config", str(folder / "cosbatch.yaml"), "--data", str(folder / "state")]
        command = [sys.executable, "-m", "cosbatch", "run", str(folder / "job.yaml"), *options]
        found, output = _watched(command, folder)
        if succeeded(output) != rows:
            raise ProgramFailed(f"not every row has succeeded: {output[-500:]}")
        roles = _roles(folder / "state" / "processes")
        return [Peak(role=roles.get(pid, ""), peak_bytes=peak) for pid, peak in found.items()]
    finally:
        shutil.rmtree(folder)


def _watched(command: list[str], folder: Path) -> tuple[dict[int, int], str]:
    """Process -> peak, of the whole tree, looked at until it ends. The kernel keeps the mark: nothing is missed but the
    last moment of each process."""
    peaks: dict[int, int] = {}
    ends = time.monotonic() + 4 * LIMIT_SECONDS
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            while process.poll() is None:
                for pid in tree_of(process.pid):
                    try:
                        peaks[pid] = peak_bytes_of(pid)
                    except (OSError, StopIteration):  # it has ended just now
                        continue
                if time.monotonic() > ends:
                    raise ProgramFailed("the job took too long")
                time.sleep(LOOK_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        return peaks, output.read()


def tree_of(pid: int) -> Iterator[int]:
    """A process and everything that descends from it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from tree_of(int(child))


def _roles(locks: Path) -> dict[int, str]:
    """Process -> what it was, by the lock files that the engine's processes leave: ``worker-<pid>-<random>.lock``."""
    named = (path.name.split("-") for path in locks.iterdir())
    return {int(pid): role for role, pid, *_ in named}
