"""The scheduler's decisions, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.schedule import Move, decide, may_seal
from cosbatch.ledger.port import QueuedJob
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import WORK_AREA, Hold, PausedBy
from cosbatch.model.states import JobStatus
from tests.unit.reports.report_builders import a_job

LIMITS = EngineLimits()
NOW = 1_000_000.0
OPEN = {"has_open_chunks": True}


def queued(name: str, status: JobStatus, *, priority: int = 5, **facts: Any) -> QueuedJob:
    of_queue = {"has_open_chunks", "has_leases", "has_lost_chunks", "quiet_at", "quiet_in_seconds", "is_rate_taken"}
    job = replace(
        a_job(status=status),
        id=JobId(name),
        priority=priority,
        **{"total": 9, "chunk_count": 2, "chunks_closed": 1}
        | {fact: value for fact, value in facts.items() if fact not in of_queue},
    )
    seen: dict[str, Any] = {"has_open_chunks": False, "has_leases": False, "has_lost_chunks": False, "quiet_at": 0.0}
    seen |= {"is_rate_taken": False, "quiet_in_seconds": 0.0}
    return QueuedJob(job=job, **{fact: facts.get(fact, default) for fact, default in seen.items()})


def moves(*jobs: QueuedJob) -> dict[str, JobStatus]:
    return {move.job_id: move.to for move in decide(jobs, now=NOW, limits=LIMITS)}


def the_move(*jobs: QueuedJob) -> Move:
    (move,) = decide(jobs, now=NOW, limits=LIMITS)
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
    elsewhere = queued("b", JobStatus.READY, **OPEN)
    elsewhere = replace(
        elsewhere, job=replace(elsewhere.job, request=replace(elsewhere.job.request, region=RegionName("elsewhere")))
    )
    assert moves(queued("a", JobStatus.ACTIVE, priority=9, **OPEN), elsewhere) == {"b": JobStatus.ACTIVE}


def test_pausing_ends_when_nothing_is_leased_and_all_is_quiet() -> None:
    assert moves(queued("a", JobStatus.PAUSING, has_leases=True)) == {}
    assert moves(queued("a", JobStatus.PAUSING, quiet_at=NOW - 1)) == {}
    assert moves(queued("a", JobStatus.PAUSING, quiet_at=0.0)) == {"a": JobStatus.PAUSED}


def test_a_settled_job_is_completed() -> None:
    settled = {"total": 3, "chunk_count": 1, "chunks_closed": 1}
    assert moves(queued("a", JobStatus.ACTIVE, **settled)) == {"a": JobStatus.COMPLETING}


def test_nobody_confirmed() -> None:
    late = NOW - LIMITS.suspended_expiry_seconds - 1
    move = the_move(queued("a", JobStatus.SUSPENDED, suspended_at=late))
    assert (move.to, move.failure) == (JobStatus.FAILING, FailureCode.SUSPENDED_EXPIRED)


def test_a_hold_that_lasts_too_long_fails_the_job() -> None:
    hold = Hold(bucket="b", reason="refused", since=NOW - LIMITS.hold_limit_seconds - 1)
    move = the_move(queued("a", JobStatus.ACTIVE, hold=hold, **OPEN))
    assert (move.to, move.failure, move.reason) == (JobStatus.FAILING, FailureCode.STORE_UNAVAILABLE, "b: refused")


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
    hold = Hold(bucket=WORK_AREA, reason="no space", since=NOW - LIMITS.hold_limit_seconds - 1)
    move = the_move(queued("a", JobStatus.PREPARING, hold=hold))
    assert (move.to, move.failure) == (JobStatus.FAILING, FailureCode.SPOOL_FULL)
    assert moves(queued("a", JobStatus.PREPARING, hold=replace(hold, since=NOW - 60))) == {}
