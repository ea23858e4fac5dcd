"""Who is dead, and which leases are over."""

from __future__ import annotations

from pathlib import Path

from cosbatch.engine.liveness import Dated, LeaseWatch, LimitWatch, LockFiles, OrderWatch, QuietWatch
from cosbatch.ledger.port import HeldLease, QueuedJob
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Lease
from tests.unit.engine.test_schedule import queued


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


def test_the_living_are_those_who_hold_their_file(tmp_path: Path) -> None:
    locks = LockFiles(tmp_path)
    assert locks.living() == []
    locks.hold(WorkerId("dead")).close()
    with locks.hold(WorkerId("b")), locks.hold(WorkerId("a")):
        assert locks.living() == ["a", "b"]
    assert locks.living() == []


def test_files_of_the_dead_go_when_no_lease_names_them(tmp_path: Path) -> None:
    locks = LockFiles(tmp_path)
    locks.hold(WorkerId("dead")).close()
    with locks.hold(WorkerId("alive")):
        locks.sweep(still_named=[WorkerId("dead")])
        assert sorted(path.name for path in tmp_path.iterdir()) == ["alive.lock", "dead.lock"]
        locks.sweep(still_named=[])
        assert [path.name for path in tmp_path.iterdir()] == ["alive.lock"]


def loud(*, quiet_at: float = 1000.0, left: float) -> QueuedJob:
    return queued("j", JobStatus.CANCELLING, quiet_at=quiet_at, quiet_in_seconds=left)


def test_a_job_is_quiet_when_what_was_left_has_passed_on_our_own_clock() -> None:
    clock = HandClock()
    watch = QuietWatch(clock=clock, request_timeout_seconds=60)
    assert watch.over([loud(left=40)]) == []
    clock.time = 39.9
    assert watch.over([loud(left=-3600)]) == []  # the ledger's clock has jumped
    clock.time = 40.0
    assert watch.over([loud(left=3600)]) == [loud(left=3600)]


def test_a_job_that_has_long_been_quiet_is_so_at_first_sight() -> None:
    watch = QuietWatch(clock=HandClock(), request_timeout_seconds=60)
    assert watch.over([loud(left=-5)]) == [loud(left=-5)]
    assert watch.over([loud(quiet_at=0.0, left=-5)]) == []


def test_nobody_waits_longer_than_the_longest_request() -> None:
    clock = HandClock()
    watch = QuietWatch(clock=clock, request_timeout_seconds=60)
    watch.over([loud(left=3600)])
    clock.time = 60.0
    assert watch.over([loud(left=3540)]) == [loud(left=3540)]


def test_another_loss_is_waited_for_anew() -> None:
    clock = HandClock()
    watch = QuietWatch(clock=clock, request_timeout_seconds=60)
    watch.over([loud(left=60)])
    clock.time = 59.0
    watch.over([loud(quiet_at=1059.0, left=60)])
    clock.time = 118.0
    assert watch.over([loud(quiet_at=1059.0, left=1)]) == []
    clock.time = 119.0
    assert len(watch.over([loud(quiet_at=1059.0, left=0)])) == 1


class JumpingClock:
    """Two clocks, of which one can be set."""

    def __init__(self) -> None:
        self.wall = self.boot = 10_000.0

    def now(self) -> float:
        return self.wall

    def boottime(self) -> float:
        return self.boot

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.boot += seconds


JOB = JobId("j")


def test_a_limit_is_over_when_its_time_has_passed() -> None:
    clock = JumpingClock()
    watch = LimitWatch(clock=clock)
    clock.advance(20_000)
    assert not watch.is_over(JOB, since=10_000.0, limit_seconds=86_400)
    clock.advance(66_399)
    assert not watch.is_over(JOB, since=10_000.0, limit_seconds=86_400)
    clock.advance(1)
    assert watch.is_over(JOB, since=10_000.0, limit_seconds=86_400)
    assert not watch.is_over(JOB, since=clock.wall, limit_seconds=86_400), "another beginning"


def test_a_limit_does_not_heed_who_sets_the_clock() -> None:
    for jump in (3600.0, -3600.0):
        clock = JumpingClock()
        watch = LimitWatch(clock=clock)
        assert not watch.is_over(JOB, since=clock.wall, limit_seconds=7200)
        since = clock.wall
        clock.wall += jump
        clock.advance(7199)
        assert not watch.is_over(JOB, since=since, limit_seconds=7200)
        clock.advance(1)
        assert watch.is_over(JOB, since=since, limit_seconds=7200)


def test_a_wall_clock_that_says_over_at_first_sight_is_not_believed_at_once() -> None:
    clock = JumpingClock()
    watch = LimitWatch(clock=clock)
    assert not watch.is_over(JOB, since=clock.wall - 90_000, limit_seconds=86_400)
    clock.advance(3600)
    assert watch.is_over(JOB, since=clock.wall - 93_600, limit_seconds=86_400)


def test_how_long_ago_it_began_may_be_told_by_the_clock_that_has_dated_it() -> None:
    for ours in (0.0, 1e9):
        clock = JumpingClock()
        clock.wall = ours
        watch = LimitWatch(clock=clock)
        assert not watch.is_over(JOB, since=5.0, limit_seconds=7200, passed_seconds=3000.0)
        clock.advance(4199)
        assert not watch.is_over(JOB, since=5.0, limit_seconds=7200, passed_seconds=9e9), "it is asked once"
        clock.advance(1)
        assert watch.is_over(JOB, since=5.0, limit_seconds=7200, passed_seconds=0.0)


def test_limits_of_other_jobs_are_forgotten() -> None:
    clock = JumpingClock()
    watch = LimitWatch(clock=clock)
    assert not watch.is_over(JOB, since=clock.wall, limit_seconds=60)
    watch.keep_only([])
    clock.boot += 60
    assert not watch.is_over(JOB, since=clock.wall, limit_seconds=60)


def test_what_came_into_sight_first_began_first_whatever_its_date() -> None:
    credentials, hold = Dated("credentials", 1000.0), Dated("hold of b", 500.0)
    job, watch = JobId("j"), OrderWatch()
    watch.look({job: [credentials]})
    watch.look({job: [credentials, hold]})
    assert watch.is_later(job, hold, than=credentials)
    renewed = Dated("credentials", 400.0)
    watch.look({job: [hold, renewed]})
    assert not watch.is_later(job, hold, than=renewed)


def test_of_two_that_came_into_sight_together_the_dates_decide() -> None:
    older, newer = Dated("a", 1.0), Dated("b", 2.0)
    job, watch = JobId("j"), OrderWatch()
    watch.look({job: [newer, older]})
    assert watch.is_later(job, newer, than=older)
    assert not watch.is_later(job, older, than=newer)


def test_what_was_gone_meanwhile_began_anew() -> None:
    credentials, hold = Dated("credentials", 1.0), Dated("hold of b", 0.0)
    job, watch = JobId("j"), OrderWatch()
    watch.look({job: [hold]})
    watch.look({job: [credentials]})
    watch.look({job: [credentials, hold]})
    assert watch.is_later(job, hold, than=credentials)
