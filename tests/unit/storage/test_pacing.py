"""Admission to a bucket: how many at a time, how many a second, and when not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import SendingStopped, StorageReason
from cosbatch.model.identifiers import Bucket
from cosbatch.model.regions import RateKind
from cosbatch.storage.pacing import BucketPacer, PacerBoard, StopSignal
from cosbatch.storage.rate import SLACK_SECONDS, RateCap
from tests.unit.storage.scripted_store import BUCKET, refusal
from tests.unit.storage.virtual_time import EPOCH, VirtualClock, virtual_time

R = StorageReason


class StillClock:
    """For what needs no loop."""

    def now(self) -> float:
        return EPOCH

    def boottime(self) -> float:
        return 0.0


def still_pacer(*, start_limit: int = 32, max_connections: int = 256) -> BucketPacer:
    return BucketPacer(BUCKET, clock=StillClock(), start_limit=start_limit, max_connections=max_connections)


def pacer_at(clock: VirtualClock, *, limit: int = 32, rate: float | None = None) -> BucketPacer:
    return BucketPacer(BUCKET, clock=clock, start_limit=limit, max_connections=limit, requests_per_second=rate)


async def take(pacer: BucketPacer, stop: StopSignal | None = None) -> int:
    return pacer.try_admit() or await pacer.wait(stop)


def admit(pacer: BucketPacer, count: int) -> list[int]:
    tickets = [pacer.try_admit() for _ in range(count)]
    assert all(tickets)
    return tickets


def fail(
    pacer: BucketPacer, reason: StorageReason, *, ticket: int = 0, witness: Hashable = "task", http_status: int = 0
) -> None:
    pacer.failed(ticket or pacer.try_admit(), refusal(reason, http_status=http_status), witness=witness)


def hold(pacer: BucketPacer) -> None:
    for _ in range(4):
        fail(pacer, R.REFUSED)
    assert pacer.held


# --- the limit


def test_the_start_is_no_higher_than_the_connections_there_are() -> None:
    assert still_pacer(max_connections=8).limit == 8
    assert still_pacer(max_connections=256).limit == 32


def test_no_more_than_the_limit_are_admitted() -> None:
    pacer = still_pacer(start_limit=3)
    admit(pacer, 3)
    assert (pacer.try_admit(), pacer.in_flight) == (0, 3)
    pacer.answered(1)
    assert (pacer.try_admit(), pacer.in_flight) == (1, 3)


async def rounds(pacer: BucketPacer, clock: VirtualClock, *, count: int, refused_at: float = -1) -> list[int]:
    """Requests under way in each of ``count`` round trips of a second, with far more to send than the limit lets
    through; one of those that are over at ``refused_at`` gets a SlowDown."""
    refusals = [refused_at]

    async def work() -> None:
        while clock.boottime() < count:
            ticket = await take(pacer)
            await asyncio.sleep(1)
            if clock.boottime() in refusals:
                refusals.clear()
                fail(pacer, R.SLOW_DOWN, ticket=ticket)
            else:
                pacer.answered(ticket)

    workers = [asyncio.create_task(work()) for _ in range(500)]
    seen = []
    for _ in range(count):
        await asyncio.sleep(0.5)
        seen.append(pacer.in_flight)
        await asyncio.sleep(0.5)
    await asyncio.gather(*workers)
    assert pacer.in_flight == 0
    return seen


@virtual_time
async def test_the_limit_doubles_in_a_round_trip_while_nothing_is_refused(clock: VirtualClock) -> None:
    pacer = BucketPacer(BUCKET, clock=clock, start_limit=4, max_connections=100)
    assert await rounds(pacer, clock, count=8) == [4, 8, 16, 32, 64, 100, 100, 100]


def test_answers_that_come_together_all_count() -> None:
    """Nobody waits: each answer finds one request less under way than the one before."""
    pacer = still_pacer(start_limit=32)
    for ticket in admit(pacer, 32)[:8]:
        pacer.answered(ticket)
    assert (pacer.limit, pacer.in_flight) == (40, 24)


def test_a_limit_that_nobody_needs_grows_to_twice_what_is_in_use() -> None:
    pacer = still_pacer(start_limit=32)
    tickets = admit(pacer, 20)
    for _ in range(1000):
        pacer.answered(tickets.pop())
        tickets.append(pacer.try_admit())
    assert pacer.limit == 40


@virtual_time
async def test_after_a_cut_the_limit_grows_by_a_step_a_round_trip(clock: VirtualClock) -> None:
    pacer = BucketPacer(BUCKET, clock=clock, start_limit=128, max_connections=256)
    first, cut, *later = await rounds(pacer, clock, count=12, refused_at=1)
    assert (first, cut) == (128, 64)
    growth = [after - before for before, after in pairwise([cut, *later])]
    assert set(growth) <= {7, 8}, "a 32nd of 256 connections; the growth within the round trip slows it a little"


@virtual_time
async def test_a_limit_of_one_grows_no_faster_than_it_can_double(clock: VirtualClock) -> None:
    pacer = BucketPacer(BUCKET, clock=clock, start_limit=2, max_connections=256)
    assert await rounds(pacer, clock, count=7, refused_at=1) == [2, 1, 2, 4, 8, 14, 20]


def test_a_limit_that_is_not_reached_does_not_grow() -> None:
    pacer = still_pacer(start_limit=4)
    for _ in range(100):
        pacer.answered(pacer.try_admit())
    assert (pacer.limit, pacer.answers) == (4, 100)


@pytest.mark.parametrize(
    ("reason", "status", "limit"),
    [
        (R.SLOW_DOWN, 503, 8),
        (R.SERVER_ERROR, 504, 8),
        (R.CONNECT_TIMEOUT, 0, 8),
        (R.UNANSWERED, 0, 8),
        (R.SERVER_ERROR, 500, 16),
        (R.REFUSED, 0, 16),
        (R.ACCESS_DENIED, 403, 17),
    ],
)
def test_pressure_halves_the_limit_and_other_failures_do_not(reason: StorageReason, status: int, limit: int) -> None:
    pacer = still_pacer(start_limit=16)
    ticket, *_ = admit(pacer, 16)
    fail(pacer, reason, ticket=ticket, http_status=status)
    assert (pacer.limit, pacer.in_flight) == (limit, 15)


def test_a_burst_of_refusals_halves_once_and_the_next_burst_again() -> None:
    pacer = still_pacer(start_limit=16)
    first_burst = admit(pacer, 16)
    for ticket in first_burst[:8]:
        fail(pacer, R.SLOW_DOWN, ticket=ticket)
    assert pacer.limit == 8
    for ticket in first_burst[8:]:
        pacer.answered(ticket)
    second_burst = admit(pacer, pacer.limit)
    limit = pacer.limit
    for ticket in second_burst[:4]:
        fail(pacer, R.SLOW_DOWN, ticket=ticket)
    assert pacer.limit == limit // 2


def test_halving_starts_from_what_was_under_way_and_ends_at_one() -> None:
    pacer = still_pacer(start_limit=32)
    tickets = admit(pacer, 10)
    fail(pacer, R.SLOW_DOWN, ticket=tickets[0])
    assert pacer.limit == 5
    for ticket in tickets[1:]:
        pacer.answered(ticket)
    for _ in range(3):
        fail(pacer, R.SLOW_DOWN)
    assert pacer.limit == 1
    assert pacer.try_admit(), "one may always try"


# --- the rate


@virtual_time
async def test_the_cap_holds_exactly_over_time(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=1000, rate=50)
    sent: list[float] = []

    async def send() -> None:
        ticket = await take(pacer)
        sent.append(clock.boottime())
        await asyncio.sleep(0.2)
        pacer.answered(ticket)

    await asyncio.gather(*(send() for _ in range(500)))
    for end in (0.5, 1.0, 2.0, 7.0):
        assert sum(at <= end + 1e-6 for at in sent) == int(50 * (end + SLACK_SECONDS) + 1e-6) + 1
    assert clock.boottime() == pytest.approx(499 / 50 - SLACK_SECONDS + 0.2)


@virtual_time
async def test_after_a_quiet_time_there_is_no_burst(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, rate=10)
    pacer.answered(await take(pacer))
    await asyncio.sleep(60)
    assert pacer.try_admit()
    assert not pacer.try_admit()


@virtual_time
async def test_a_new_rate_counts_at_once(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=100, rate=0.001)
    await take(pacer)
    waiting = [asyncio.create_task(take(pacer)) for _ in range(20)]
    await asyncio.sleep(1)
    assert not any(task.done() for task in waiting)
    pacer.set_rate(10)
    await asyncio.sleep(1)
    assert sum(task.done() for task in waiting) == 11, "the last one was long ago"
    pacer.set_rate(None)
    await asyncio.sleep(0)
    assert all([await task for task in waiting])
    assert clock.boottime() == pytest.approx(2)


@virtual_time
async def test_a_rate_that_is_set_again_and_again_is_no_way_around_it(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=100, rate=10)
    waiting = [asyncio.create_task(take(pacer)) for _ in range(60)]
    for _ in range(40):
        await asyncio.sleep(0.05)
        pacer.set_rate(10)
    assert sum(task.done() for task in waiting) == 21
    pacer.set_rate(None)
    await asyncio.gather(*waiting)


@virtual_time
async def test_without_a_share_everybody_waits_until_there_is_one(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=100, rate=0)
    waiting = [asyncio.create_task(take(pacer)) for _ in range(3)]
    await asyncio.sleep(3600)
    assert not any(task.done() for task in waiting)
    pacer.set_rate(1000)
    await asyncio.sleep(0.1)
    assert all([await task for task in waiting])
    assert not RateCap(0).take(7)


@virtual_time
async def test_a_share_ends_by_itself_at_its_time(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=100, rate=0)
    pacer.set_rate(10, until=2.0)
    sent: list[float] = []

    async def send() -> None:
        await take(pacer)
        sent.append(clock.boottime())

    waiting = [asyncio.create_task(send()) for _ in range(50)]
    await asyncio.sleep(600)
    assert len(sent) == 20
    assert min(sent) == pytest.approx(0.1 - SLACK_SECONDS), "somebody else may have sent just before"
    assert max(sent) < 2.0
    assert not pacer.try_admit()
    pacer.set_rate(10, until=700.0)
    await asyncio.gather(*waiting)


@virtual_time
async def test_who_waits_or_has_just_sent_wants_some_of_the_rate(clock: VirtualClock) -> None:
    board = PacerBoard(clock=clock, requests_per_second=0.0)
    wanted, idle = Bucket("wanted"), Bucket("idle")
    assert not board.pacer(idle).try_admit()
    waiting = asyncio.create_task(take(board.pacer(wanted)))
    await asyncio.sleep(5)
    assert board.wanting_rate(RateKind.REQUESTS, since=5.0) == {wanted}
    board.pacer(wanted).set_rate(1)
    await waiting
    assert board.wanting_rate(RateKind.REQUESTS, since=5.0) == {wanted}
    await asyncio.sleep(5)
    assert board.wanting_rate(RateKind.REQUESTS, since=7.0) == set()
    assert [pacer.bucket for pacer in board.asked()] == [wanted]


def test_a_rate_below_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="less than 0"):
        RateCap(-1)


@given(
    pauses=st.lists(st.floats(min_value=0, max_value=0.5), min_size=1, max_size=80),
    rate=st.floats(min_value=0.5, max_value=500),
)
def test_no_span_of_time_has_more_than_its_share(pauses: list[float], rate: float) -> None:
    cap, at, passed = RateCap(rate), 0.0, []
    for pause in pauses:
        at += pause
        while cap.take(at):
            passed.append(at)
    for first, began in enumerate(passed):
        for last, ended in enumerate(passed[first:], start=first):
            assert last - first + 1 <= rate * (ended - began + SLACK_SECONDS) + 1 + 1e-6


# --- waiting


@virtual_time
async def test_who_came_first_goes_first_and_only_they_wake(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=2)
    tickets = admit(pacer, 2)
    order: list[str] = []

    async def wait(name: str) -> None:
        await take(pacer)
        order.append(name)

    waiting = [asyncio.create_task(wait(name)) for name in "abcde"]
    await asyncio.sleep(1)
    pacer.answered(tickets[0])
    assert not pacer.try_admit(), "the free slot is the first waiter's"
    await asyncio.sleep(1)
    assert order == ["a"]
    pacer.answered(tickets[1])
    pacer.answered(tickets[1])
    await asyncio.sleep(1)
    assert order == ["a", "b", "c"]
    assert pacer.in_flight == 2
    for task in waiting:
        task.cancel()


@virtual_time
async def test_who_is_cancelled_while_waiting_takes_no_slot(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=1)
    ticket = await take(pacer)
    first, second, third = (asyncio.create_task(take(pacer)) for _ in range(3))
    await asyncio.sleep(1)
    first.cancel()
    await asyncio.sleep(1)
    pacer.answered(ticket)
    second.cancel()  # the slot was handed to it in this very moment
    await asyncio.wait_for(third, 1)
    assert first.cancelled()
    assert second.cancelled()
    assert pacer.in_flight == 1
    pacer.answered(third.result())
    assert pacer.try_admit()


# --- hold


def test_a_hold_takes_as_many_failures_in_a_row_as_were_under_way() -> None:
    pacer = still_pacer(start_limit=8, max_connections=8)
    tickets = admit(pacer, 8)
    for ticket in tickets[:7]:
        fail(pacer, R.REFUSED, ticket=ticket)
    assert pacer.held is None
    fail(pacer, R.REFUSED, ticket=tickets[7])
    assert pacer.held is not None


@pytest.mark.parametrize("reason", [R.NO_SUCH_KEY, R.ACCESS_DENIED, None])
def test_any_answer_breaks_the_row(reason: StorageReason | None) -> None:
    pacer = still_pacer()
    for _ in range(3):
        for _ in range(3):
            fail(pacer, R.NAME_NOT_RESOLVED)
        if reason is None:
            pacer.answered(pacer.try_admit())
        else:
            fail(pacer, reason)
    assert (pacer.held, pacer.answers) == (None, 3)


@pytest.mark.parametrize("reason", [R.REFUSED, R.NAME_NOT_RESOLVED, R.TLS_FAILED, R.CONNECT_TIMEOUT, R.SLOW_DOWN])
def test_one_sender_alone_may_find_out_that_a_store_is_away(reason: StorageReason) -> None:
    pacer = still_pacer()
    for _ in range(4):
        fail(pacer, reason, witness="the only task")
    assert pacer.held is not None


@pytest.mark.parametrize("reason", [R.SERVER_ERROR, R.UNANSWERED, R.MALFORMED_ANSWER])
def test_what_may_be_one_objects_fault_takes_four_senders(reason: StorageReason) -> None:
    pacer = still_pacer()
    for _ in range(20):
        for witness in ("one", "two", "three"):
            fail(pacer, reason, witness=witness)
    assert pacer.held is None
    fail(pacer, reason, witness="four")
    assert pacer.held is not None


def test_expired_credentials_hold_at_once() -> None:
    pacer = still_pacer()
    fail(pacer, R.CREDENTIALS_EXPIRED)
    assert pacer.held is not None


@virtual_time
async def test_a_hold_says_what_and_since_when(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    await asyncio.sleep(5)
    hold(pacer)
    assert pacer.held
    assert (pacer.held.bucket, pacer.held.reason, pacer.held.since) == (BUCKET, "ConnectionRefused: no", EPOCH + 5)
    ticket = await take(pacer)
    fail(pacer, R.TLS_FAILED, ticket=ticket)
    assert (pacer.held.reason, pacer.held.since) == ("TLSFailed: no", EPOCH + 5)


@virtual_time
async def test_probes_go_out_one_at_a_time_and_ever_more_rarely(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    hold(pacer)
    probes: list[tuple[float, str]] = []

    async def insist(name: str) -> None:
        while clock.boottime() < 125:
            ticket = await take(pacer)
            probes.append((round(clock.boottime(), 3), name))
            fail(pacer, R.REFUSED, ticket=ticket)

    tasks = [asyncio.create_task(insist(name)) for name in "abc"]
    await asyncio.sleep(130)
    assert probes == [(1, "a"), (3, "b"), (7, "c"), (15, "a"), (31, "b"), (61, "c"), (91, "a"), (121, "b")]
    assert pacer.in_flight == 0
    for task in tasks:
        task.cancel()


@virtual_time
async def test_while_a_probe_is_under_way_nothing_else_goes(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    hold(pacer)
    probe = await take(pacer)
    others = [asyncio.create_task(take(pacer)) for _ in range(5)]
    await asyncio.sleep(1000)
    assert not pacer.try_admit()
    assert not any(task.done() for task in others)
    pacer.answered(probe)
    await asyncio.sleep(0)
    assert pacer.held is None
    assert all([await task for task in others])


@virtual_time
async def test_a_probe_that_was_never_sent_leaves_its_place_to_the_next(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    hold(pacer)
    probe = await take(pacer)
    other = asyncio.create_task(take(pacer))
    await asyncio.sleep(1)
    pacer.release(probe)
    assert await asyncio.wait_for(other, 1)
    assert pacer.held


@virtual_time
async def test_what_was_sent_before_the_hold_gives_back_no_probes_place(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    old = await take(pacer)
    fail(pacer, R.CREDENTIALS_EXPIRED)
    await take(pacer)
    pacer.release(old)
    await asyncio.sleep(60)
    assert not pacer.try_admit(), "the probe is still under way"


@virtual_time
async def test_the_store_says_when_the_probe_may_come(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    for _ in range(4):
        pacer.failed(pacer.try_admit(), refusal(R.SLOW_DOWN, retry_after=90), witness="task")
    await take(pacer)
    assert clock.boottime() == pytest.approx(90)


def test_news_from_before_the_hold_neither_end_nor_renew_it() -> None:
    pacer = still_pacer()
    old = admit(pacer, 7)
    fail(pacer, R.CREDENTIALS_EXPIRED, ticket=old[0])
    pacer.answered(old[1])
    assert pacer.held is not None, "it was signed with the old credentials"
    pacer.answered(pacer.generation)  # the probe's
    assert pacer.held is None
    for ticket in old[2:]:
        fail(pacer, R.CREDENTIALS_EXPIRED, ticket=ticket)
    assert pacer.held is None


@virtual_time
async def test_a_store_that_comes_back_is_not_overrun(clock: VirtualClock) -> None:
    pacer = BucketPacer(BUCKET, clock=clock, start_limit=200, max_connections=256)
    hold(pacer)
    pacer.answered(await take(pacer))
    assert pacer.limit == 32
    while pacer.limit < 200:
        pacer.answered(admit(pacer, pacer.limit - pacer.in_flight)[0])
    fast_growth = pacer.answers
    assert fast_growth == 169


# --- stopping


@virtual_time
async def test_stop_ends_every_wait_at_once_and_those_to_come(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=1)
    ticket = await take(pacer)
    waits = [asyncio.create_task(take(pacer)), asyncio.create_task(pacer.sleep(60))]
    await asyncio.sleep(1)
    pacer.stop("the worker drains")
    for wait in waits:
        with pytest.raises(SendingStopped, match="the worker drains"):
            await wait
    with pytest.raises(SendingStopped):
        pacer.try_admit()
    with pytest.raises(SendingStopped):
        await pacer.wait()
    with pytest.raises(SendingStopped):
        await pacer.sleep(1)
    pacer.answered(ticket)  # what was sent goes on
    assert (pacer.in_flight, pacer.answers, clock.boottime()) == (0, 1, 1)


@virtual_time
async def test_a_signal_stops_its_own_waits_only(clock: VirtualClock) -> None:
    pacer = pacer_at(clock)
    hold(pacer)
    signal = StopSignal()
    ours = [asyncio.create_task(take(pacer, signal)), asyncio.create_task(pacer.sleep(60, signal))]
    other = asyncio.create_task(take(pacer))
    await asyncio.sleep(0.5)
    signal.stop("the job pauses")
    for wait in ours:
        with pytest.raises(SendingStopped, match="the job pauses"):
            await wait
    with pytest.raises(SendingStopped):
        await pacer.wait(signal)
    assert clock.boottime() == 0.5
    assert await other
    assert pacer.in_flight == 1


@virtual_time
async def test_a_slot_handed_to_one_who_is_stopped_goes_to_the_next(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=1)
    ticket = await take(pacer)
    signal = StopSignal()
    stopped = asyncio.create_task(take(pacer, signal))
    next_one = asyncio.create_task(take(pacer))
    await asyncio.sleep(1)
    pacer.answered(ticket)
    signal.stop("now")
    with pytest.raises(SendingStopped):
        await stopped
    assert await asyncio.wait_for(next_one, 1)
    assert pacer.in_flight == 1


@virtual_time
async def test_stopped_and_cancelled_in_one_moment_leaves_nothing_behind(clock: VirtualClock) -> None:
    pacer = pacer_at(clock, limit=1)
    await take(pacer)
    waits = [asyncio.create_task(take(pacer)), asyncio.create_task(pacer.sleep(9))]
    await asyncio.sleep(1)
    pacer.stop("now")
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert all(wait.cancelled() for wait in waits)
    assert pacer.in_flight == 1


# --- the board


@virtual_time
async def test_the_board_keeps_one_pacer_a_bucket_and_adds_them_up(clock: VirtualClock) -> None:
    board = PacerBoard(clock=clock, max_connections=10)
    one, two = board.pacer(Bucket("one")), board.pacer(Bucket("two"))
    assert board.pacer(Bucket("one")) is one
    assert one is not two
    admit(one, 3)
    admit(two, 1)
    assert (board.in_flight, board.limit, board.holds()) == (4, 20, [])
    fail(two, R.CREDENTIALS_EXPIRED)
    await asyncio.sleep(1)
    fail(one, R.CREDENTIALS_EXPIRED)
    assert [held.bucket for held in board.holds()] == ["two", "one"]
    assert board.limit == 0


@virtual_time
async def test_the_board_stops_also_what_comes_later(clock: VirtualClock) -> None:
    board = PacerBoard(clock=clock)
    early = board.pacer(Bucket("early"))
    board.stop("drain")
    for pacer in (early, board.pacer(Bucket("late"))):
        with pytest.raises(SendingStopped, match="drain"):
            pacer.try_admit()


@virtual_time
async def test_the_boards_rate_holds_for_each_bucket(clock: VirtualClock) -> None:
    board = PacerBoard(clock=clock, requests_per_second=1)
    for name in ("one", "two"):
        assert board.pacer(Bucket(name)).try_admit()
        assert not board.pacer(Bucket(name)).try_admit()
    board.set_rate(None)
    for name in ("one", "two", "three"):
        admit(board.pacer(Bucket(name)), 5)
