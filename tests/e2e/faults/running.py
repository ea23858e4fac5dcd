"""The program under faults: its processes by their roles, how far it is, signals to it, and the same command again."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import Signals
from typing import Any, Final

from tests.e2e.faults import ledger_look
from tests.e2e.faults.ledger_look import Progress, look, parse
from tests.e2e.faults.small_disk import SmallDisk
from tests.e2e.faults.stock import IN_PARTS, Stock
from tests.e2e.program import Ground

LEASE_SECONDS: Final = 3.0
CONNECTIONS: Final = 32
"""Of each worker. What waits in a slow store when its worker is killed is applied after it was looked for, and leaves a
second version: `docs/reliability.md` excepts that."""
"""The shortest that the settings allow."""
PACE: Final = 700
"""Requests a second: the copies of a job take some eight seconds."""
MARK: Final = "FAULTS_RUN"
"""A variable that the program's processes inherit: they are known by it, whatever became of their parent."""
_LOOK_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 400.0
_NOT_ANSWERED: Final = 1
_TASKS_FAILED: Final = 3
"""The exit code of a run to the end: rows without an object fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a job asks for, and of what kind its destination is."""

    name: str
    copy: Mapping[str, Any] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    added: Mapping[str, str] = field(default_factory=dict)
    """User metadata that a copy has besides its source's."""
    is_versioned: bool = False


@dataclass(slots=True, kw_only=True)
class FaultRun:
    """One job, and every process that ever works for it."""

    ground: Ground
    stock: Stock
    shape: Shape
    rng: Random
    settings: Mapping[str, Any] = field(default_factory=dict)
    disk: SmallDisk | None = None
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    story: list[str] = field(default_factory=list)
    kills: int = 0
    job_file: Path = field(init=False)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """The programs that are to end by themselves; the last one is who faults are for."""
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        entered = self.disk.wrapper if self.disk is not None else ()
        self.ground.wrapper = (*entered, "env", f"{MARK}={self.mark}")
        if self.shape.is_versioned:
            self.ground.client.put_bucket_versioning(
                Bucket=self.ground.target, VersioningConfiguration={"Status": "Enabled"}
            )
        document = self.ground.document(self.stock.arn, copy=dict(self.shape.copy))
        self.job_file = self.ground.write_job({**document, **IN_PARTS})
        self.pace(PACE)

    def pace(self, requests_per_second: int) -> None:
        """From the next start on."""
        region = {"requests_per_second": requests_per_second, "max_connections": CONNECTIONS}
        self.ground.write_settings(region=region, lease_seconds=LEASE_SECONDS, workers=2, **self.settings)

    def note(self, text: str) -> None:
        self.story.append(f"{time.monotonic() - self._began:6.2f} {text}")

    def __str__(self) -> str:
        return "\n".join([f"{self.shape}", *self.story, self.errors()[-2000:], *self.log_lines()[-25:]])

    def errors(self) -> str:
        """All that the programs have said to people."""
        return (self.ground.folder / "stderr").read_text(errors="replace")

    # --- the program

    @property
    def program(self) -> subprocess.Popen[bytes]:
        return self.running[-1]

    @property
    def state(self) -> Path:
        """The data folder as it is seen from here."""
        return self.disk.view if self.disk is not None else self.ground.folder / "state"

    def start(self) -> None:
        self.running.append(self.ground.start("run", self.job_file, "--yes"))
        self.note(f"start {self.program.pid}")

    def start_again(self) -> None:
        """The last program was killed, or has ended on a full disk: it has nothing to say any more."""
        code = self.running.pop().wait(_PATIENCE_SECONDS)
        self.note(f"gone with {code}")
        self.start()

    def has_ended(self) -> bool:
        return all(program.poll() is not None for program in self.running)

    def end(self) -> dict[str, Any]:
        """Every program runs to its end, and the same command once more tells the totals."""
        waiting = list(self.running)
        while waiting:
            program = waiting.pop()
            code = program.wait(_PATIENCE_SECONDS)
            self.note(f"{program.pid} ended with {code}")
            if code == _NOT_ANSWERED and self.disk is not None and self.disk.was_full:
                assert "the disk is full" in self.errors()
                self.start()  # there is room again: the same command goes on
                waiting.append(self.program)
            else:
                assert code == _TASKS_FAILED, f"{program.pid} ended with {code}"
        return dict(self.ground.call_json("run", self.job_file, "--yes", expect=_TASKS_FAILED))

    # --- its processes

    def processes(self) -> list[int]:
        """Every process of the run, those of killed programs too."""
        marked = f"{MARK}={self.mark}".encode()
        return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if marked in _environment(folder)]

    def of_role(self, role: str) -> list[int]:
        """Those that have got so far as to lock their file: it names worker, planner or finisher."""
        return [pid for pid in self.processes() if any(name.startswith(f"{role}-{pid}-") for name in _open_files(pid))]

    def at_work(self) -> list[int]:
        """Workers that hold a chunk."""
        holders = ledger_look.at_work(str(self.ground.folder / "state" / "ledger.db"))
        return [pid for pid in self.of_role("worker") if pid in holders]

    def send(self, number: Signals, pid: int, *, what: str) -> bool:
        """False where it was gone already."""
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        self.kills += number is Signals.SIGKILL
        self.note(f"{number.name} to {what} {pid}")
        return True

    def send_to_group(self, number: Signals, *, of: subprocess.Popen[bytes]) -> None:
        """A program with all of its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(of.pid, number)
            self.kills += number is Signals.SIGKILL
        self.note(f"{number.name} to the group of {of.pid}")

    # --- how far it is

    def progress(self) -> Progress:
        ledger = str(self.ground.folder / "state" / "ledger.db")
        if self.disk is None:
            return look(ledger)
        # SQLite follows the link into the disk's namespace by its text, which leads outside again.
        inside = [*self.disk.wrapper, sys.executable, "-I", "-S", ledger_look.__file__, ledger]
        return parse(subprocess.run(inside, capture_output=True, text=True, check=True).stdout)

    def wait_until(self, is_so: Callable[[Progress], bool]) -> Progress:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not is_so(now := self.progress()):
            assert time.monotonic() < ends, f"still at {now} after {_PATIENCE_SECONDS} s"
            assert not self.has_ended(), f"it ended too early, at {now}"
            time.sleep(_LOOK_SECONDS)
        return now

    def wait_for_share(self, share: float) -> None:
        """Until so much of the job is settled."""
        rows = len(self.stock.keys)
        self.note(f"wait for {share:.0%}")
        self.wait_until(lambda now: now.settled >= share * rows)

    def wait_for_more(self) -> None:
        """Until a moment between now and three quarters of what is left."""
        done = max(0.02, self.progress().settled / len(self.stock.keys))
        self.wait_for_share(self.rng.uniform(done, 0.25 * done + 0.75))
        self.wait(self.rng.uniform(0, 0.2))

    def wait(self, seconds: float) -> None:
        self.note(f"wait {seconds:.2f} s")
        time.sleep(seconds)

    def log_lines(self) -> list[str]:
        path = self.state / "cosbatch.log"
        return path.read_text(errors="replace").splitlines() if path.exists() else []

    def events(self) -> list[dict[str, Any]]:
        """The log, but for what a kill or a full disk broke off."""
        return list(_parsed(self.log_lines()))

    def count(self, event: str) -> int:
        return sum(entry.get("event") == event for entry in self.events())

    # --- what must not be left

    def held_locks(self) -> list[str]:
        return [path.name for path in self.state.rglob("*.lock") if is_locked(path)]


def is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _environment(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def _open_files(pid: int) -> list[str]:
    names = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                names.append(link.readlink().name)
    return names


def _parsed(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry
