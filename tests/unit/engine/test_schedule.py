"""The scheduler's decisions, as a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.schedule import SEALABLE, Limit, Move, decide, limit_on, may_seal, waits
from cosbatch.ledger.port import QueuedJob
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId, RegionName
from cosbatch.model.jobs import WORK_AREA, Hold, PausedBy
from cosbatch.model.states import FINAL, JobStatus
from cosbatch.model.windows import Window, parse_window
from tests.unit.reports.report_builders import a_job

LIMITS = EngineLimits()
NOW = 1_000_000.0
OPEN = {"has_open_chunks": True}


def queued(name: str, status: JobStatus, *, priority: int = 5, **facts: Any) -> QueuedJob:
    of_queue = {"has_open_chunks", "has_leases", "has_lost_chunks", "quiet_at", "quiet_in_seconds", "is_rate_taken"}
    of_queue |= {"suspended_seconds", "seen_at"}
    windows = tuple(found for text in facts.pop("windows", ()) if isinstance(found := parse_window(text), Window))
    made = a_job(status=status)
    job = replace(
        made,
        request=replace(made.request, windows=windows),
        id=JobId(name),
        priority=priority,
        **{"total": 9, "chunk_count": 2, "chunks_closed": 1}
        | {fact: value for fact, value in facts.items() if fact not in of_queue},
    )
    seen: dict[str, Any] = {"has_open_chunks": False, "has_leases": False, "has_lost_chunks": False, "quiet_at": 0.0}
    seen |= {"is_rate_taken": False, "quiet_in_seconds": 0.0, "suspended_seconds": 0.0, "seen_at": NOW}
    return QueuedJob(job=job, **{fact: facts.get(fact, default) for fact, default in seen.items()})


def moves(*jobs: QueuedJob, overdue: Collection[str] = ()) -> dict[str, JobStatus]:
    named = {JobId(name) for name in overdue}
    return {move.job_id: move.to for move in decide(jobs, overdue=named, limits=LIMITS)}


def the_move(*jobs: QueuedJob, overdue: Collection[str] = ()) -> Move:
    (move,) = decide(jobs, overdue={JobId(name) for name in overdue}, limits=LIMITS)
    return move


def test_a_ready_job_runs() -> None:
    assert moves(queued("a", JobStatus.READY, **OPEN)) == {"a": JobStatus.ACTIVE}


def test_equal_priorities_run_together() -> None:
    both = (queued("a", JobStatus.ACTIVE, **OPEN), queued("b", JobStatus.READY, **OPEN))
    assert moves(*both) == {"b": JobStatus.ACTIVE}


def test_a_lower_priority_waits() -> None:
    assert moves(queued("a", JobStatus.ACTIVE, priority=9, **OPEN), queued("b", JobStatus.READY, **OPEN)) == {}


def test_a_greater_priority_pre_empts_and_is_named() -> None:
    move = the_move(queued("low", JobStatus.ACTIVE, **OPEN), queued("high", JobStatus.ACTIVE, priority=9, **OPEN))
    assert (move.job_id, move.to, move.paused_by) == ("low", JobStatus.PAUSING, PausedBy.PRIORITY)
    assert "high" in move.reason


def reasons(*jobs: QueuedJob) -> dict[str, str]:
    return {wait.job_id: wait.reason for wait in waits(jobs)}


HIGH = queued("high", JobStatus.ACTIVE, priority=9, **OPEN)


def test_a_job_that_is_held_back_names_the_greater_one() -> None:
    paused = queued("paused", JobStatus.PAUSED, paused_by=PausedBy.PRIORITY, **OPEN)
    assert reasons(queued("ready", JobStatus.READY, **OPEN), HIGH, paused) == {
        "ready": "waits for job high, which has priority 9",
        "paused": "pre-empted by job high, which has priority 9",
    }


def test_of_several_greater_ones_the_greatest_is_named_and_stays_so_while_it_wants_work() -> None:
    low = queued("low", JobStatus.READY, **OPEN)
    middle = queued("middle", JobStatus.READY, priority=7, **OPEN)
    assert reasons(low, middle, HIGH)["low"] == "waits for job high, which has priority 9"
    told = queued("low", JobStatus.READY, status_reason="waits for job middle, which has priority 7", **OPEN)
    assert reasons(told, queued("middle", JobStatus.ACTIVE, priority=7, **OPEN), HIGH) == {}
    claimed = queued("middle", JobStatus.ACTIVE, priority=7)
    assert reasons(told, claimed, HIGH) == {"low": "waits for job high, which has priority 9"}
    raised = queued("middle", JobStatus.ACTIVE, priority=8, **OPEN)
    assert reasons(told, raised) == {"low": "waits for job middle, which has priority 8"}


def test_nobody_else_says_that_it_waits() -> None:
    others = [
        queued("by user", JobStatus.PAUSED, paused_by=PausedBy.USER, **OPEN),
        queued("active", JobStatus.ACTIVE, **OPEN),
        queued("suspended", JobStatus.SUSPENDED, **OPEN),
        queued("equal", JobStatus.READY, priority=9, **OPEN),
    ]
    assert reasons(HIGH, *others) == {}
    assert reasons(queued("ready", JobStatus.READY, **OPEN), queued("high", JobStatus.ACTIVE, priority=9)) == {}
    assert reasons(elsewhere(queued("ready", JobStatus.READY, **OPEN)), HIGH) == {}


def elsewhere(job: QueuedJob) -> QueuedJob:
    return replace(job, job=replace(job.job, request=replace(job.job.request, region=RegionName("elsewhere"))))


@pytest.mark.parametrize("status", [*sorted(FINAL), *SEALABLE, JobStatus.SUSPENDED, JobStatus.PREPARING, JobStatus.NEW])
def test_what_was_held_back_goes_on_when_the_greater_one_does_not_run(status: JobStatus) -> None:
    """Complete, failed, cancelled, or itself waiting for a confirmation."""
    greater = queued("high", status, priority=9, **OPEN)
    paused = queued("low", JobStatus.PAUSED, paused_by=PausedBy.PRIORITY, **OPEN)
    assert moves(greater, paused)["low"] is JobStatus.ACTIVE
    assert moves(greater, queued("low", JobStatus.READY, **OPEN))["low"] is JobStatus.ACTIVE


def test_a_priority_that_is_raised_turns_the_two_round() -> None:
    running = queued("a", JobStatus.ACTIVE, priority=5, **OPEN)
    paused = queued("b", JobStatus.PAUSED, priority=6, paused_by=PausedBy.PRIORITY, **OPEN)
    assert moves(running, paused) == {"a": JobStatus.PAUSING, "b": JobStatus.ACTIVE}


def test_a_job_without_unclaimed_chunks_holds_nobody_back() -> None:
    assert moves(queued("high", JobStatus.ACTIVE, priority=9), queued("low", JobStatus.READY, **OPEN)) == {
        "low": JobStatus.ACTIVE
    }


def test_a_job_whose_rate_is_taken_holds_nobody_back() -> None:
    high = queued("high", JobStatus.ACTIVE, priority=9, is_rate_taken=True, **OPEN)
    paused = queued("low", JobStatus.PAUSED, paused_by=PausedBy.PRIORITY, **OPEN)
    assert moves(high, paused) == {"low": JobStatus.ACTIVE}
    assert moves(high, queued("low", JobStatus.ACTIVE, **OPEN)) == {}


def test_a_job_whose_bucket_is_held_holds_nobody_back() -> None:
    hold = Hold(bucket="b", reason="refused", since=NOW - 5)
    high = queued("high", JobStatus.ACTIVE, priority=9, hold=hold, **OPEN)
    assert moves(high, queued("low", JobStatus.READY, **OPEN)) == {"low": JobStatus.ACTIVE}


def test_a_job_paused_by_priority_resumes_by_itself() -> None:
    paused = queued("a", JobStatus.PAUSED, paused_by=PausedBy.PRIORITY, **OPEN)
    assert moves(paused) == {"a": JobStatus.ACTIVE}


def test_a_job_paused_by_its_user_stays_and_holds_nobody_back() -> None:
    paused = queued("a", JobStatus.PAUSED, priority=9, paused_by=PausedBy.USER, **OPEN)
    assert moves(paused, queued("b", JobStatus.READY, **OPEN)) == {"b": JobStatus.ACTIVE}


def test_queues_do_not_know_each_other() -> None:
    waiting = queued("b", JobStatus.READY, **OPEN)
    another = replace(waiting, job=replace(waiting.job, account=AccountId("another")))
    for other in (elsewhere(waiting), another):
        assert moves(queued("a", JobStatus.ACTIVE, priority=9, **OPEN), other) == {"b": JobStatus.ACTIVE}
    assert moves(queued("a", JobStatus.ACTIVE, priority=9, **OPEN), waiting) == {}


def test_pausing_ends_when_nothing_is_leased_and_all_is_quiet() -> None:
    assert moves(queued("a", JobStatus.PAUSING, has_leases=True)) == {}
    assert moves(queued("a", JobStatus.PAUSING, quiet_at=NOW - 1)) == {}
    assert moves(queued("a", JobStatus.PAUSING, quiet_at=0.0)) == {"a": JobStatus.PAUSED}


def test_a_settled_job_is_completed() -> None:
    settled = {"total": 3, "chunk_count": 1, "chunks_closed": 1}
    assert moves(queued("a", JobStatus.ACTIVE, **settled)) == {"a": JobStatus.COMPLETING}


def test_nobody_confirmed() -> None:
    suspended = queued("a", JobStatus.SUSPENDED, suspended_at=NOW - 60, suspended_seconds=61.0)
    days = LIMITS.suspended_expiry_seconds
    assert limit_on(suspended, limits=LIMITS) == Limit(since=NOW - 60, limit_seconds=days, passed_seconds=61.0)
    assert moves(suspended) == moves(suspended, overdue=["another"]) == {}
    move = the_move(suspended, overdue=["a"])
    assert (move.to, move.failure) == (JobStatus.FAILING, FailureCode.SUSPENDED_EXPIRED)
    assert move.reason == "nobody confirmed the job within 30 days"


def test_a_hold_that_lasts_too_long_fails_the_job() -> None:
    held = queued("a", JobStatus.ACTIVE, hold=Hold(bucket="b", reason="refused", since=NOW - 60), **OPEN)
    assert limit_on(held, limits=LIMITS) == Limit(since=NOW - 60, limit_seconds=LIMITS.hold_limit_seconds)
    assert moves(held) == {}
    move = the_move(held, overdue=["a"])
    assert (move.to, move.failure, move.reason) == (JobStatus.FAILING, FailureCode.STORE_UNAVAILABLE, "b: refused")


@pytest.mark.parametrize("status", sorted(set(JobStatus) - {JobStatus.PREPARING, JobStatus.ACTIVE}))
def test_a_hold_has_no_end_where_nobody_asks_the_bucket(status: JobStatus) -> None:
    """And what is overdue in another state is so no more."""
    hold = Hold(bucket="b", reason="refused", since=NOW - 60)
    held = queued("a", status, hold=hold, quiet_at=NOW, **OPEN)
    assert limit_on(held, limits=LIMITS) is None
    assert moves(queued("a", JobStatus.ACTIVE, **OPEN), overdue=["a"]) == {}


def test_sealing_waits_for_whatever_may_still_be_under_way() -> None:
    assert may_seal(queued("a", JobStatus.COMPLETING))
    assert not may_seal(queued("a", JobStatus.ACTIVE))
    assert not may_seal(queued("a", JobStatus.CANCELLING, has_leases=True))
    assert not may_seal(queued("a", JobStatus.CANCELLING, has_lost_chunks=True))
    assert not may_seal(queued("a", JobStatus.FAILING, quiet_at=NOW - 1))
    assert may_seal(queued("a", JobStatus.FAILING, quiet_at=0.0))


def test_a_pending_report_of_a_final_job_is_tried_again() -> None:
    assert may_seal(queued("a", JobStatus.CANCELLED))


def test_a_work_area_that_refuses_for_too_long_fails_the_job_by_its_own_code() -> None:
    held = queued("a", JobStatus.PREPARING, hold=Hold(bucket=WORK_AREA, reason="no space", since=NOW - 60))
    assert limit_on(held, limits=LIMITS) == Limit(since=NOW - 60, limit_seconds=LIMITS.hold_limit_seconds)
    move = the_move(held, overdue=["a"])
    assert (move.to, move.failure) == (JobStatus.FAILING, FailureCode.SPOOL_FULL)
    assert moves(held) == {}


# NOW is 13:46:40 on a Monday, UTC.
SHUT: dict[str, Any] = {"windows": ["22:00-06:00 UTC"]}
UNTIL = "outside its windows until 1970-01-12T22:00:00Z"
OPENED: dict[str, Any] = {"windows": ["mon 13:00-14:00 UTC"]}


def test_a_job_outside_its_windows_pauses_also_where_all_its_chunks_are_claimed() -> None:
    for facts in (OPEN, {"has_leases": True}):
        move = the_move(queued("a", JobStatus.ACTIVE, **SHUT, **facts))
        assert (move.to, move.paused_by, move.reason) == (JobStatus.PAUSING, PausedBy.WINDOW, UNTIL)
    assert moves(queued("a", JobStatus.ACTIVE, **OPENED, **OPEN)) == {}


def test_what_is_done_ends_also_outside_of_the_windows() -> None:
    assert moves(queued("a", JobStatus.ACTIVE, chunks_closed=2, **SHUT)) == {"a": JobStatus.COMPLETING}
    assert may_seal(queued("a", JobStatus.COMPLETING, **SHUT))


def test_a_ready_job_waits_for_its_window_and_says_until_when() -> None:
    assert moves(queued("a", JobStatus.READY, **SHUT, **OPEN)) == {}
    assert reasons(queued("a", JobStatus.READY, **SHUT, **OPEN)) == {"a": UNTIL}
    assert reasons(queued("a", JobStatus.READY, status_reason=UNTIL, **SHUT, **OPEN)) == {}
    assert moves(queued("a", JobStatus.READY, **OPENED, **OPEN)) == {"a": JobStatus.ACTIVE}
    never = queued("a", JobStatus.READY, **OPEN)
    unknown = (Window(begin_minute=0, end_minute=1440, zone="Asia/Atlantis"),)
    never = replace(never, job=replace(never.job, request=replace(never.job.request, windows=unknown)))
    assert reasons(never) == {"a": "outside its windows, of which none opens within a week"}


def test_a_job_that_its_window_has_paused_resumes_by_itself_and_asks_its_bucket_anew() -> None:
    assert moves(queued("a", JobStatus.PAUSED, paused_by=PausedBy.WINDOW, **SHUT, **OPEN)) == {}
    move = the_move(queued("a", JobStatus.PAUSED, paused_by=PausedBy.WINDOW, **OPENED, **OPEN))
    assert (move.to, move.reason, move.ends_hold) == (JobStatus.ACTIVE, "one of its windows is open", False)
    hold = Hold(bucket="b", reason="refused", since=NOW - 86400)
    assert the_move(queued("a", JobStatus.PAUSED, paused_by=PausedBy.WINDOW, hold=hold, **OPENED, **OPEN)).ends_hold


def test_a_greater_job_outside_its_windows_holds_nobody_back() -> None:
    high = queued("high", JobStatus.READY, priority=9, **SHUT, **OPEN)
    assert moves(high, queued("low", JobStatus.READY, **OPEN)) == {"low": JobStatus.ACTIVE}
    assert reasons(high, queued("low", JobStatus.READY, **OPEN)) == {"high": UNTIL}


def test_a_window_that_is_open_does_not_put_a_job_before_a_greater_one() -> None:
    low = queued("low", JobStatus.PAUSED, paused_by=PausedBy.WINDOW, **OPENED, **OPEN)
    assert moves(HIGH, low) == {}
    assert reasons(HIGH, low) == {"low": "pre-empted by job high, which has priority 9"}


def test_a_window_does_not_resume_what_gave_way_or_what_a_user_paused() -> None:
    assert moves(queued("a", JobStatus.PAUSED, paused_by=PausedBy.USER, **OPENED, **OPEN)) == {}
    assert moves(queued("a", JobStatus.PAUSED, paused_by=PausedBy.PRIORITY, **SHUT, **OPEN)) == {}
    assert reasons(queued("a", JobStatus.PAUSED, paused_by=PausedBy.PRIORITY, **SHUT, **OPEN)) == {"a": UNTIL}
    assert reasons(queued("a", JobStatus.PAUSED, paused_by=PausedBy.USER, **SHUT, **OPEN)) == {}


def test_a_clock_that_was_set_counts_as_it_is() -> None:
    job = queued("a", JobStatus.PAUSED, paused_by=PausedBy.WINDOW, **SHUT, **OPEN)
    assert moves(replace(job, seen_at=NOW + 10 * 3600)) == {"a": JobStatus.ACTIVE}
    assert moves(replace(job, seen_at=NOW + 20 * 3600)) == {}
    assert moves(replace(job, seen_at=NOW - 10 * 3600)) == {"a": JobStatus.ACTIVE}
