"""Who is dead, and which leases are over."""

from __future__ import annotations

from pathlib import Path

from cosbatch.engine.liveness import LeaseWatch, LockFiles
from cosbatch.ledger.port import HeldLease
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.tasks import Lease


class HandClock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def boottime(self) -> float:
        return self.time


def held(*, until: float = 30.0, past: bool, owner: str = "w", fence: int = 1) -> HeldLease:
    return HeldLease(
        lease=Lease(job_id=JobId("j"), seq=0, fence=fence), owner=WorkerId(owner), lease_until=until, is_past=past
    )


def test_a_lease_is_over_when_both_clocks_say_so() -> None:
    clock = HandClock()
    watch = LeaseWatch(clock=clock, lease_seconds=30, liveness=None)
    assert watch.over([held(past=True)]) == []  # past, but only just seen: the ledger's clock may have jumped
    clock.time = 29.9
    assert watch.over([held(past=True)]) == []
    clock.time = 30.0
    assert watch.over([held(past=True)]) == [held(past=True)]


def test_a_renewed_lease_is_watched_anew() -> None:
    clock = HandClock()
    watch = LeaseWatch(clock=clock, lease_seconds=30, liveness=None)
    watch.over([held(past=False)])
    clock.time = 40.0
    assert watch.over([held(until=60.0, past=True)]) == []


def test_a_lease_that_is_not_past_is_never_over_by_silence() -> None:
    clock = HandClock()
    watch = LeaseWatch(clock=clock, lease_seconds=30, liveness=None)
    watch.over([held(past=False)])
    clock.time = 1000.0
    assert watch.over([held(past=False)]) == []


def test_a_free_lock_file_proves_death_at_once(tmp_path: Path) -> None:
    locks = LockFiles(tmp_path)
    watch = LeaseWatch(clock=HandClock(), lease_seconds=30, liveness=locks)
    with locks.hold(WorkerId("w")):
        assert watch.over([held(past=False)]) == []
    assert watch.over([held(past=False)]) == [held(past=False)]


def test_a_missing_lock_file_proves_nothing(tmp_path: Path) -> None:
    assert not LockFiles(tmp_path).is_dead(WorkerId("another host's"))


def test_files_of_the_dead_go_when_no_lease_names_them(tmp_path: Path) -> None:
    locks = LockFiles(tmp_path)
    locks.hold(WorkerId("dead")).close()
    with locks.hold(WorkerId("alive")):
        locks.sweep(still_named=[WorkerId("dead")])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["alive.lock", "dead.lock"]
        locks.sweep(still_named=[])
        assert [path.name for path in tmp_path.iterdir()] == ["alive.lock"]
