"""Faults of each kind at random moments, and what each must have brought about to count as one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from signal import Signals
from typing import Any, Final

from tests.e2e.faults.running import PACE, FaultRun, is_locked

UNPLANNED: Final = frozenset({"", "New", "Preparing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``strike`` is called with a program that has just been started, and leaves one that will end by itself."""

    name: str
    strike: Callable[[FaultRun], None]
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_on_small_disk: bool = False

    def __str__(self) -> str:
        return self.name


# --- one process


def kill_one(run: FaultRun, role: str) -> bool:
    pids = run.of_role(role)
    return bool(pids) and run.send(Signals.SIGKILL, run.rng.choice(sorted(pids)), what=role)


def kill_workers(run: FaultRun) -> None:
    """Three times, whichever it is."""
    killed = 0
    for _ in range(3):
        run.wait_for_more()
        killed += kill_one(run, "worker")
    run.wait_until(lambda _: run.count("process-died") >= killed)
    assert killed
    assert run.count("lease-expired")


def kill_planners(run: FaultRun) -> None:
    """Twice while it plans; the plan is made in many small chunks, so that it takes a while."""
    killed = 0
    for longest_wait in (0.1, 0.8):
        run.wait_until(lambda now: now.status not in UNPLANNED or bool(run.of_role("planner")))
        run.wait(run.rng.uniform(0, longest_wait))
        if run.progress().status in UNPLANNED:
            killed += kill_one(run, "planner")
    assert killed
    run.wait_until(lambda now: now.status not in UNPLANNED)


# --- the program


def kill_program(run: FaultRun) -> None:
    """Scheduler and finisher go, and the same command is called again while the orphans still give their work back."""
    run.wait_for_more()
    kill_main(run)


def kill_main(run: FaultRun) -> None:
    run.send(Signals.SIGKILL, run.program.pid, what="program")
    run.start_again()


def kill_group(run: FaultRun) -> None:
    """Everything at once, as a power cut would, but for what the kernel has."""
    run.wait_for_more()
    kill_all(run)


def kill_all(run: FaultRun) -> None:
    run.send_to_group(Signals.SIGKILL, of=run.program)
    run.start_again()


def kill_while_completing(run: FaultRun) -> None:
    """Near the end, and then twice while the report is on its way, with fewer and fewer requests a second.

    The report is a dozen requests: with many more a second it is there before it is seen to be on its way.
    """
    run.wait_for_share(run.rng.uniform(0.92, 0.96))
    run.pace(20)
    kill_all(run)
    run.wait_until(lambda now: now.status == "Completing")
    for requests_per_second, longest_wait in ((2, 0.1), (PACE, 2.0)):
        run.wait(run.rng.uniform(0, longest_wait))
        assert run.progress().status == "Completing", "the report was delivered before it could be killed"
        run.pace(requests_per_second)
        kill_all(run)
        run.wait_until(lambda _: bool(run.of_role("finisher")))


# --- standing still


def stop_worker(run: FaultRun) -> None:
    """One worker stands still until others take its chunks, and then it wakes up."""
    run.wait_for_share(run.rng.uniform(0.02, 0.2))
    run.wait_until(lambda _: bool(run.at_work()))
    pid = run.rng.choice(sorted(run.at_work()))
    freeze_worker(run, pid, rest=lambda: until_taken_over(run), is_meant=lambda: pid in run.at_work())


def until_taken_over(run: FaultRun) -> None:
    before = run.count("lease-expired")
    run.wait_until(lambda _: run.count("lease-expired") > before)
    run.wait(run.rng.uniform(0, 2))


def freeze_any_worker(run: FaultRun, *, rest: Callable[[], None]) -> None:
    pids = sorted(run.of_role("worker"))
    if pids:
        freeze_worker(run, run.rng.choice(pids), rest=rest)


def freeze_worker(
    run: FaultRun, pid: int, *, rest: Callable[[], None], is_meant: Callable[[], bool] = lambda: True
) -> None:
    stop_outside_the_ledger(run, lambda number: run.send(number, pid, what="worker"), is_meant=is_meant)
    rest()
    run.send(Signals.SIGCONT, pid, what="worker")


def stop_program(run: FaultRun) -> None:
    """The whole program stands still until a second one has taken its chunks, and then it wakes up beside that."""
    run.wait_for_share(run.rng.uniform(0.02, 0.2))
    freeze_program(run, rest=lambda: until_taken_over(run), beside=True, is_meant=lambda: bool(run.at_work()))


def freeze_program(
    run: FaultRun, *, rest: Callable[[], None], beside: bool, is_meant: Callable[[], bool] = lambda: True
) -> None:
    """``beside`` starts a second one meanwhile."""
    first = run.program
    stop_outside_the_ledger(run, lambda number: run.send_to_group(number, of=first), is_meant=is_meant)
    if beside:
        run.start()
    rest()
    run.send_to_group(Signals.SIGCONT, of=first)


def stop_outside_the_ledger(run: FaultRun, send: Callable[[Signals], object], *, is_meant: Callable[[], bool]) -> None:
    """Not while it holds the ledger's lock: everybody would wait for it, and nothing would be taken over. And where it
    has to lose something, only while it holds a chunk, which ``is_meant`` says."""
    for _ in range(100):
        send(Signals.SIGSTOP)
        time.sleep(0.02)  # until the signal has arrived everywhere
        if not is_locked(run.state / "ledger.lock") and is_meant():
            return
        send(Signals.SIGCONT)
        time.sleep(run.rng.uniform(0, 0.05))
    raise AssertionError("the ledger's lock is never free, or there is no chunk to lose")


# --- the disk


def fill_disk(run: FaultRun) -> None:
    """Twice: not a byte is left for some seconds; then there is room again."""
    for _ in range(2):
        run.wait_for_more()
        full_for(run, seconds=run.rng.uniform(1, 4))


def full_for(run: FaultRun, *, seconds: float) -> None:
    assert run.disk is not None
    run.note(f"disk full, after {run.disk.fill()} bytes")
    run.wait(seconds)
    run.disk.free()
    run.note("room again")


def kill_on_full_disk(run: FaultRun, *, seconds: float) -> None:
    """What is started on a full disk may end at once: the same command goes on when there is room."""
    assert run.disk is not None
    run.note(f"disk full, after {run.disk.fill()} bytes")
    kill_all(run)
    run.wait(seconds)
    run.disk.free()
    run.note("room again")
    if run.program.poll() is not None:
        run.start_again()


# --- all of it


def strike_at_random(run: FaultRun) -> None:
    """Two to six faults of any kind at any moment, until the job has ended."""
    for _ in range(run.rng.randint(2, 6)):
        run.wait(run.rng.choice([0.3, 1, 4]) * run.rng.random())
        if run.has_ended():
            return
        run.rng.choice(_ACTS)(run)


_ACTS: Final[tuple[Callable[[FaultRun], object], ...]] = (
    lambda run: kill_one(run, "worker"),
    lambda run: kill_one(run, "worker"),
    lambda run: kill_one(run, "planner"),
    kill_main,
    kill_all,
    lambda run: freeze_any_worker(run, rest=lambda: run.wait(run.rng.uniform(1, 12))),
    lambda run: freeze_program(run, rest=lambda: run.wait(run.rng.uniform(1, 12)), beside=run.rng.random() < 0.7),
    lambda run: full_for(run, seconds=run.rng.uniform(0.2, 5)),
    lambda run: kill_on_full_disk(run, seconds=run.rng.uniform(0.2, 4)),
)

WORKER_KILLED: Final = Fault(name="worker-killed", strike=kill_workers)
PLANNER_KILLED: Final = Fault(name="planner-killed", strike=kill_planners, settings={"chunk_rows": 10})
PROGRAM_KILLED: Final = Fault(name="program-killed", strike=kill_program)
GROUP_KILLED: Final = Fault(name="group-killed", strike=kill_group)
KILLED_WHILE_COMPLETING: Final = Fault(name="killed-while-completing", strike=kill_while_completing)
WORKER_STOPPED: Final = Fault(name="worker-stopped", strike=stop_worker)
PROGRAM_STOPPED: Final = Fault(name="program-stopped", strike=stop_program)
DISK_FULL: Final = Fault(name="disk-full", strike=fill_disk, is_on_small_disk=True)
ANY: Final = Fault(name="any", strike=strike_at_random, is_on_small_disk=True)
