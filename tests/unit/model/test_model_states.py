"""The state table, move by move, and what a job can never do by any walk over it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.states import ENDING, ENDS_IN, FINAL, MOVES, Actor, JobStatus, is_final, may_move, sources_of

S = JobStatus
USER, ENGINE = {Actor.USER}, {Actor.ENGINE}

# From -> to -> who: as the documentation of the states has it.
TABLE = {
    S.NEW: {S.PREPARING: ENGINE, S.CANCELLING: USER, S.FAILING: ENGINE},
    S.PREPARING: {S.SUSPENDED: ENGINE, S.READY: ENGINE, S.FAILING: ENGINE, S.CANCELLING: USER},
    S.SUSPENDED: {S.READY: USER, S.CANCELLING: USER, S.FAILING: ENGINE},
    S.READY: {S.ACTIVE: ENGINE, S.CANCELLING: USER, S.FAILING: ENGINE},
    S.ACTIVE: {S.PAUSING: USER | ENGINE, S.COMPLETING: ENGINE, S.CANCELLING: USER, S.FAILING: ENGINE},
    S.PAUSING: {S.PAUSED: ENGINE, S.CANCELLING: USER, S.FAILING: ENGINE},
    S.PAUSED: {S.ACTIVE: USER | ENGINE, S.CANCELLING: USER, S.FAILING: ENGINE},
    S.COMPLETING: {S.COMPLETE: ENGINE, S.FAILING: ENGINE},
    S.COMPLETE: {},
    S.CANCELLING: {S.CANCELLED: ENGINE},
    S.CANCELLED: {},
    S.FAILING: {S.FAILED: ENGINE},
    S.FAILED: {},
}


@pytest.mark.parametrize("current", list(JobStatus))
@pytest.mark.parametrize("to", list(JobStatus))
def test_a_move_is_in_the_table_or_it_is_none(current: JobStatus, to: JobStatus) -> None:
    allowed = TABLE[current].get(to, set())

    assert {actor for actor in Actor if may_move(current, to, by=actor)} == allowed


def test_the_statuses_are_the_thirteen_of_cos() -> None:
    names = (
        "New Preparing Suspended Ready Active Pausing Paused Completing Complete Cancelling Cancelled Failing Failed"
    )

    assert [status.value for status in JobStatus] == names.split()
    assert set(MOVES) == set(JobStatus)


def test_three_statuses_are_final_and_nothing_leaves_them() -> None:
    assert {S.COMPLETE, S.CANCELLED, S.FAILED} == FINAL
    assert [status for status in JobStatus if is_final(status)] == [S.COMPLETE, S.CANCELLED, S.FAILED]
    assert all(not may_move(final, to, by=actor) for final in FINAL for to in JobStatus for actor in Actor)


@pytest.mark.parametrize("actor", list(Actor))
@pytest.mark.parametrize("to", list(JobStatus))
def test_the_sources_of_a_status_are_where_it_can_be_reached_from(to: JobStatus, actor: Actor) -> None:
    assert sources_of(to, by=actor) == {current for current in JobStatus if actor in TABLE[current].get(to, set())}


def test_a_user_can_cancel_until_the_report_is_written() -> None:
    cancellable = sources_of(S.CANCELLING, by=Actor.USER)

    assert cancellable == set(JobStatus) - FINAL - ENDING - {S.COMPLETING}


@given(choices=st.lists(st.integers(0, 20), max_size=40))
def test_every_walk_begun_in_new_can_still_end_and_ends_once(choices: list[int]) -> None:
    status = S.NEW
    for choice in choices:
        onward = sorted(MOVES[status])
        if not onward:
            break
        came_from, status = status, onward[choice % len(onward)]
        assert may_move(came_from, status, by=Actor.USER) or may_move(came_from, status, by=Actor.ENGINE)
        if came_from in ENDING:
            assert status in {S.CANCELLED, S.FAILED}
    assert reachable_from(status) & FINAL


def test_each_last_step_leads_to_its_final_status() -> None:
    assert set(ENDS_IN.values()) == FINAL
    assert all(may_move(last, final, by=Actor.ENGINE) for last, final in ENDS_IN.items())


def test_every_status_can_be_reached_from_new() -> None:
    assert reachable_from(S.NEW) == set(JobStatus)


def reachable_from(status: JobStatus) -> set[JobStatus]:
    found, open_ends = {status}, [status]
    while open_ends:
        onward = set(MOVES[open_ends.pop()]) - found
        found |= onward
        open_ends += onward
    return found
