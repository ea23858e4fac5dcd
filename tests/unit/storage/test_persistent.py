"""What one task sees of a store that refuses, stumbles, stays away, or loses replies."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random
from typing import Final

import pytest

from cosbatch.model.errors import SendingStopped, StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import Bucket
from cosbatch.model.operations import RestoreTier
from cosbatch.storage.disposition import Blame, blame, is_outcome_unknown
from cosbatch.storage.pacing import PacerBoard, StopSignal
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.port import (
    AccessControl,
    CompletedPart,
    CopyOptions,
    CopyOutcome,
    ObjectStore,
    PutOptions,
)
from tests.unit.storage.scripted_store import (
    BUCKET,
    META,
    Script,
    ScriptedBody,
    ScriptedStore,
    Sent,
    always,
    in_turn,
    ref,
    refusal,
    until,
)
from tests.unit.storage.virtual_time import EPOCH, VirtualClock, run_virtually, virtual_time

R = StorageReason
LONGEST: Final = 0.999999
OPTIONS: Final = CopyOptions()


class Bench:
    """A scripted store, the board before it, and tasks at work on both."""

    def __init__(self, clock: VirtualClock, script: Script = lambda _: None, *, random: float = LONGEST) -> None:
        self.store = ScriptedStore(clock, script)
        self.board = PacerBoard(clock=clock)
        self.pacer = self.board.pacer(BUCKET)
        self.stop = StopSignal()
        self.cut = StopSignal()
        self.random = random
        self.refusals_of_permit: list[str] = []

    def permit(self) -> None:
        if self.refusals_of_permit:
            raise SendingStopped(self.refusals_of_permit[0])

    def task(self) -> PersistentStore:
        return PersistentStore(
            self.store, self.board, permit=self.permit, random=lambda: self.random, stop=self.stop, cut=self.cut
        )


async def copy(store: ObjectStore, key: str = "k") -> CopyOutcome:
    return await store.copy(ref(key, bucket="source"), ref(key), options=OPTIONS)


async def chatter(bench: Bench, *, seconds: float) -> None:
    """Other tasks, which are answered: proof that the bucket is there."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                await bench.task().head(ref("chatter"))
                await asyncio.sleep(0.02)


def except_chatter(reason: StorageReason) -> Script:
    return lambda sent: None if sent.key == "chatter" else refusal(reason)


def lost_reply(_: Sent) -> StorageError:
    return Unanswered("connection reset", target="PUT target/k")


# --- passing on

CALLS: dict[str, Callable[[ObjectStore], Awaitable[object]]] = {
    "head": lambda store: store.head(ref()),
    "get": lambda store: store.get(ref(), first_byte=1, last_byte=2),
    "put": lambda store: store.put(ref(), b"abc", options=PutOptions(storage_class="X")),
    "copy": copy,
    "delete": lambda store: store.delete(ref()),
    "restore": lambda store: store.restore(ref(), days=3, tier=RestoreTier.BULK),
    "create_upload": lambda store: store.create_upload(ref(), options=PutOptions(storage_class="X")),
    "upload_part": lambda store: store.upload_part(ref(), upload_id="u", number=2, body=b"abc"),
    "upload_part_copy": lambda store: store.upload_part_copy(
        ref("s", bucket="source"), ref(), upload_id="u", number=2, first_byte=3, last_byte=4, if_source_etag="e"
    ),
    "complete_upload": lambda store: store.complete_upload(ref(), upload_id="u", parts=[CompletedPart(1, "e")]),
    "abort_upload": lambda store: store.abort_upload(ref(), upload_id="u"),
    "list_parts": lambda store: store.list_parts(ref(), upload_id="u"),
    "list_uploads": lambda store: store.list_uploads(BUCKET, prefix="p", token="t"),
    "get_acl": lambda store: store.get_acl(ref()),
    "put_acl": lambda store: store.put_acl(ref(), AccessControl(owner_id="o", owner_display_name="", grants=())),
    "get_tags": lambda store: store.get_tags(ref()),
    "put_tags": lambda store: store.put_tags(ref(), []),
    "delete_tags": lambda store: store.delete_tags(ref()),
    "list_objects": lambda store: store.list_objects(BUCKET, prefix="p", start_after="a", token="t", limit=7),
    "list_versions": lambda store: store.list_versions(BUCKET, prefix="p", token="t", limit=7),
    "bucket_region": lambda store: store.bucket_region(BUCKET),
    "versioning": lambda store: store.versioning(BUCKET),
    "object_lock": lambda store: store.object_lock(BUCKET),
}
READS = {"head", "get", "list_parts", "list_uploads", "get_acl", "get_tags", "list_objects", "list_versions"} | {
    "bucket_region",
    "versioning",
    "object_lock",
}
WRITES = CALLS.keys() - READS


def test_every_method_of_the_port_is_tried() -> None:
    methods = {name for name, _ in inspect.getmembers(ObjectStore, inspect.isfunction) if not name.startswith("_")}
    assert methods - {"close"} == CALLS.keys()


@pytest.mark.parametrize("method", CALLS)
def test_arguments_and_answers_go_through_unchanged(method: str) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench, bare = Bench(clock), ScriptedStore(clock)
        bench.store.body = bare.body
        task = bench.task()
        began = clock.boottime()
        answer = await CALLS[method](task)
        assert clock.boottime() - began == pytest.approx(0.01)
        expected = await CALLS[method](bare)
        if method == "get":
            assert isinstance(expected, ScriptedBody)
            assert getattr(answer, "meta", None) is META
        else:
            assert answer == expected
        assert [sent._replace(at=0) for sent in bench.store.sent] == [sent._replace(at=0) for sent in bare.sent]
        assert (task.requests, task.causes, task.profile) == (1, [], bare.profile)

    run_virtually(scenario)


@pytest.mark.parametrize("method", CALLS)
def test_a_store_that_may_not_write_sends_what_reads_alone(method: str) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock)
        task = PersistentStore(bench.store, bench.board, permit=bench.permit, random=lambda: 0.5, may_write=False)
        if method in READS:
            await CALLS[method](task)
            assert len(bench.store.sent) == 1
            return
        with pytest.raises(RuntimeError, match="may only read"):
            await CALLS[method](task)
        assert (bench.store.sent, task.requests, bench.pacer.in_flight) == ([], 0, 0)

    run_virtually(scenario)


@pytest.mark.parametrize("method", sorted(READS))
def test_a_read_is_sent_again_after_any_passing_failure(method: str) -> None:
    async def scenario(clock: VirtualClock) -> None:
        reasons = (R.SERVER_ERROR, R.UNANSWERED, R.MALFORMED_ANSWER, R.SLOW_DOWN, R.REFUSED, R.BODY_DAMAGED)
        bench = Bench(clock, in_turn(*reasons))
        task = bench.task()
        await CALLS[method](task)
        assert {sent.method for sent in bench.store.sent} == {method}
        assert task.requests == len(bench.store.sent) == len(reasons) + 1

    run_virtually(scenario)


@pytest.mark.parametrize("method", sorted(WRITES))
@pytest.mark.parametrize("reason", [R.SERVER_ERROR, R.MALFORMED_ANSWER, R.UNANSWERED])
def test_a_write_that_may_have_been_done_is_never_sent_again(method: str, reason: StorageReason) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock, lambda _: refusal(reason, code="Oops", http_status=500))
        task = bench.task()
        with pytest.raises(Unanswered) as caught:
            await CALLS[method](task)
        assert (caught.value.code, caught.value.http_status) == ("Oops", 500)
        assert is_outcome_unknown(caught.value)
        assert task.requests == len(bench.store.sent) == 1
        assert clock.boottime() == pytest.approx(0.01), "at once"

    run_virtually(scenario)


@pytest.mark.parametrize("method", sorted(WRITES))
@pytest.mark.parametrize("reason", [R.SLOW_DOWN, R.REFUSED, R.CONNECT_TIMEOUT, R.CREDENTIALS_EXPIRED])
def test_a_write_that_was_not_done_is_sent_again(method: str, reason: StorageReason) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock, in_turn(reason))
        await CALLS[method](bench.task())
        assert len(bench.store.sent) == 2

    run_virtually(scenario)


@virtual_time
async def test_a_lost_reply_comes_as_it_was_raised(clock: VirtualClock) -> None:
    with pytest.raises(Unanswered) as caught:
        await copy(Bench(clock, lost_reply).task())
    assert caught.value.target == "PUT target/k"
    assert caught.value.__cause__ is None


@virtual_time
async def test_a_refusal_is_raised_at_once_and_counts_as_an_answer(clock: VirtualClock) -> None:
    bench = Bench(clock, always(R.ACCESS_DENIED))
    with pytest.raises(StorageError) as caught:
        await copy(bench.task())
    assert (caught.value.reason, len(bench.store.sent)) == (R.ACCESS_DENIED, 1)
    assert (bench.pacer.answers, bench.pacer.in_flight) == (1, 0)


@virtual_time
async def test_a_copy_is_paced_by_the_bucket_it_writes(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await copy(bench.task())
    assert (bench.pacer.answers, bench.board.pacer(Bucket("source")).answers) == (1, 0)


@virtual_time
async def test_closing_closes_the_store(clock: VirtualClock) -> None:
    bench = Bench(clock)
    await bench.task().close()
    assert bench.store.is_closed


# --- repeating


@virtual_time
async def test_attempts_are_ten_with_ever_longer_pauses(clock: VirtualClock) -> None:
    bench = Bench(clock, except_chatter(R.SLOW_DOWN))
    others = asyncio.create_task(chatter(bench, seconds=100))
    await asyncio.sleep(0.005)
    task = bench.task()
    with pytest.raises(StorageError) as caught:
        await copy(task)
    tries = [sent.at for sent in bench.store.sent if sent.method == "copy"]
    pauses = [round(after - before - 0.01, 3) for before, after in pairwise(tries)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20.0]
    assert caught.value.reason is R.SLOW_DOWN
    assert caught.value.__notes__ == ["given up after 10 attempts"]
    assert (task.requests, task.causes) == (10, ["SlowDown x10"])
    await others


@virtual_time
async def test_the_stores_wish_is_obeyed(clock: VirtualClock) -> None:
    wishes = [refusal(R.SLOW_DOWN, retry_after=7)]
    bench = Bench(clock, lambda _: wishes.pop() if wishes else None, random=0)
    await copy(bench.task())
    assert bench.store.times == [0, 7.01]


@virtual_time
async def test_one_broken_object_that_is_left_alone_fails_in_the_end(clock: VirtualClock) -> None:
    bench = Bench(clock, always(R.SERVER_ERROR))
    with pytest.raises(StorageError) as caught:
        await bench.task().head(ref())
    assert not isinstance(caught.value, Unanswered)
    assert len(bench.store.sent) == 10
    assert clock.boottime() < 60
    assert bench.board.holds() == []


@virtual_time
async def test_causes_are_counted_and_bounded(clock: VirtualClock) -> None:
    codes = [f"Busy{number % 12}" for number in range(24)]
    bench = Bench(clock, lambda _: refusal(R.SLOW_DOWN, code=codes.pop(0)) if codes else None)
    task = bench.task()
    await copy(task)
    assert task.causes == [*(f"Busy{number} x2" for number in range(8)), "other errors x8"]


# --- outages


@pytest.mark.parametrize("reason", [R.REFUSED, R.NAME_NOT_RESOLVED, R.TLS_FAILED, R.SLOW_DOWN, R.CREDENTIALS_EXPIRED])
@pytest.mark.parametrize("tasks", [1, 50])
def test_an_outage_of_ten_minutes_costs_no_attempt(reason: StorageReason, tasks: int) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock, until(600, reason))
        stores = [
            PersistentStore(bench.store, bench.board, permit=bench.permit, random=lambda: 0.5, max_attempts=1)
            for _ in range(tasks)
        ]
        work = asyncio.gather(*(copy(store) for store in stores))
        await asyncio.sleep(300)
        assert [(held.bucket, EPOCH <= held.since < EPOCH + 5) for held in bench.board.holds()] == [(BUCKET, True)]
        in_outage = len(bench.store.sent)
        await asyncio.sleep(290)
        assert len(bench.store.sent) - in_outage in (9, 10), "one probe in 30 s"
        await work
        assert 600 < clock.boottime() < 640
        assert bench.board.holds() == []
        assert sum(store.requests for store in stores) == len(bench.store.sent)

    run_virtually(scenario)


@virtual_time
async def test_an_outage_of_errors_costs_each_read_one_attempt_at_most(clock: VirtualClock) -> None:
    bench = Bench(clock, until(600, R.SERVER_ERROR))
    stores = [
        PersistentStore(bench.store, bench.board, permit=bench.permit, random=lambda: 0.5, max_attempts=2)
        for _ in range(50)
    ]
    await asyncio.gather(*(store.head(ref(str(number))) for number, store in enumerate(stores)))
    assert 600 < clock.boottime() < 640


@virtual_time
async def test_a_hiccup_of_one_request_is_no_hold(clock: VirtualClock) -> None:
    bench = Bench(clock, except_chatter(R.REFUSED))
    others = asyncio.create_task(chatter(bench, seconds=60))
    with pytest.raises(StorageError):
        await copy(bench.task())
    assert bench.board.holds() == []
    await others


# --- stopping


@virtual_time
async def test_without_a_permit_nothing_is_sent(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.refusals_of_permit.append("the lease is over")
    task = bench.task()
    for call in CALLS.values():
        with pytest.raises(SendingStopped, match="the lease is over"):
            await call(task)
    assert (bench.store.sent, task.requests, bench.pacer.in_flight) == ([], 0, 0)


@virtual_time
async def test_a_permit_is_asked_for_before_each_repetition(clock: VirtualClock) -> None:
    bench = Bench(clock, always(R.SLOW_DOWN))
    work = asyncio.create_task(copy(bench.task()))
    await asyncio.sleep(0.05)
    bench.refusals_of_permit.append("the lease is over")
    with pytest.raises(SendingStopped):
        await work
    assert (len(bench.store.sent), bench.pacer.in_flight) == (1, 0)


async def waits_for_admission(bench: Bench) -> None:
    """Nobody gives a place back."""
    while bench.pacer.try_admit():
        pass


async def waits_for_the_rate(bench: Bench) -> None:
    bench.board.set_rate(0.001)
    bench.pacer.try_admit()


async def is_in_a_hold(bench: Bench) -> None:
    """Somebody else's probe is under way."""
    bench.pacer.failed(bench.pacer.try_admit(), refusal(R.CREDENTIALS_EXPIRED), witness="other")
    await bench.pacer.wait()


async def is_in_backoff(bench: Bench) -> None:
    bench.store.script = lambda _: refusal(R.SLOW_DOWN, retry_after=100)


async def is_in_a_hold_of_its_own(bench: Bench) -> None:
    bench.store.script = lambda _: refusal(R.CREDENTIALS_EXPIRED, retry_after=100)


WAITS = [waits_for_admission, waits_for_the_rate, is_in_a_hold, is_in_backoff, is_in_a_hold_of_its_own]


def stop_board(bench: Bench) -> None:
    bench.board.stop("enough")


def give_stop(bench: Bench) -> None:
    bench.stop.stop("enough")


def give_cut(bench: Bench) -> None:
    bench.cut.stop("enough")


@pytest.mark.parametrize("state", WAITS)
@pytest.mark.parametrize(
    ("has_written", "signal", "is_felt"),
    [
        (False, stop_board, True),
        (False, give_stop, True),
        (False, give_cut, False),
        (True, stop_board, True),
        (True, give_stop, False),
        (True, give_cut, True),
    ],
)
def test_a_signal_is_felt_at_once_where_it_is_meant(
    state: Callable[[Bench], Awaitable[None]], has_written: bool, signal: Callable[[Bench], None], is_felt: bool
) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock)
        task = bench.task()
        if has_written:
            await copy(task)
        await state(bench)
        work = asyncio.create_task(copy(task))
        await asyncio.sleep(2.5)
        sent, began, in_flight = len(bench.store.sent), clock.boottime(), bench.pacer.in_flight
        assert not work.done()
        signal(bench)
        await asyncio.wait([work], timeout=1)
        assert work.done() == is_felt
        assert (len(bench.store.sent), bench.pacer.in_flight) == (sent, in_flight)
        if is_felt:
            assert isinstance(work.exception(), SendingStopped)
            assert clock.boottime() == began
        work.cancel()

    run_virtually(scenario)


@virtual_time
async def test_a_stop_lets_what_was_sent_go_on(clock: VirtualClock) -> None:
    bench = Bench(clock)
    work = asyncio.create_task(copy(bench.task()))
    await asyncio.sleep(0.005)
    bench.board.stop("drain")
    assert (await work).etag == "e"
    assert bench.pacer.in_flight == 0


@virtual_time
async def test_a_cancelled_request_gives_its_place_back(clock: VirtualClock) -> None:
    bench = Bench(clock)
    work = [asyncio.create_task(copy(bench.task())), asyncio.create_task(CALLS["get"](bench.task()))]  # type: ignore[arg-type]
    await asyncio.sleep(0.005)
    assert bench.pacer.in_flight == 2
    for task in work:
        task.cancel()
    await asyncio.wait(work)
    assert (bench.pacer.in_flight, bench.pacer.answers) == (0, 0)


# --- bodies


@virtual_time
async def test_a_body_keeps_its_place_until_it_is_read(clock: VirtualClock) -> None:
    bench = Bench(clock)
    body = await bench.task().get(ref())
    assert (bench.pacer.in_flight, bench.pacer.answers) == (1, 1)
    assert [block async for block in body] == [b"abc"]
    assert bench.pacer.in_flight == 0
    await body.aclose()
    assert bench.pacer.in_flight == 0


@virtual_time
async def test_a_body_that_is_closed_early_gives_its_place_back(clock: VirtualClock) -> None:
    bench = Bench(clock)
    bench.store.body = ScriptedBody([b"abc", b"def"])
    body = await bench.task().get(ref())
    async for _ in body:
        break
    await body.aclose()
    assert (bench.store.body.is_closed, bench.pacer.in_flight) == (True, 0)


@pytest.mark.parametrize("error", [refusal(R.UNANSWERED), refusal(R.BODY_DAMAGED), Unanswered("reset")])
def test_a_body_that_breaks_off_is_a_damaged_body(error: StorageError) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock)
        bench.store.body = ScriptedBody([b"abc", error])
        task = bench.task()
        body = await task.get(ref())
        blocks = aiter(body)
        assert await anext(blocks) == b"abc"
        with pytest.raises(StorageError) as caught:
            await anext(blocks)
        await body.aclose()
        assert (caught.value.reason, caught.value.__cause__) == (R.BODY_DAMAGED, error)
        assert not is_outcome_unknown(caught.value)
        assert (task.causes, bench.pacer.in_flight) == ([f"{error.code} x1"], 0)

    run_virtually(scenario)


@virtual_time
async def test_the_head_of_a_body_ends_a_hold(clock: VirtualClock) -> None:
    bench = Bench(clock, until(10, R.REFUSED))
    bench.store.body = ScriptedBody([b"abc"] * 1000)
    body = await bench.task().get(ref())
    assert bench.board.holds() == []
    await asyncio.wait_for(copy(bench.task()), 1)
    await body.aclose()


# --- everything at once


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_every_request_ends_and_every_place_comes_back(seed: int) -> None:
    """Outages, throttling, lost replies, cancelled tasks and a new rate now and then; nobody is forgotten."""
    random = Random(seed)
    troubles = [reason for reason in StorageReason if blame(refusal(reason)) is not Blame.REQUEST]
    outages = [(random.uniform(0, 300), random.uniform(1, 200), random.choice(troubles)) for _ in range(4)]
    open_writes = set()

    def choose(sent: Sent) -> StorageError | None:
        for began, seconds, reason in outages:
            if began <= sent.at < began + seconds:
                return refusal(reason)
        return refusal(random.choice(list(StorageReason))) if random.random() < 0.2 else None

    def script(sent: Sent) -> StorageError | None:
        assert sent.key not in open_writes, "a write that may have been done is not repeated"
        error = choose(sent)
        if error is not None and is_outcome_unknown(error, writes=sent.method == "copy"):
            open_writes.add(sent.key)
        return error

    async def work(bench: Bench, number: int) -> None:
        await asyncio.sleep(random.uniform(0, 300))
        with contextlib.suppress(StorageError):
            await (copy(bench.task(), str(number)) if number % 2 else bench.task().head(ref(str(number))))

    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock, script, random=0.5)
        bench.board.set_rate(20)
        tasks = [asyncio.create_task(work(bench, number)) for number in range(600)]
        while not all(task.done() for task in tasks):
            await asyncio.sleep(random.uniform(0, 20))
            random.choice(tasks).cancel()
            bench.board.set_rate(random.choice([5.0, 50.0, None]))
            assert bench.pacer.in_flight <= 256
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {type(None), asyncio.CancelledError}
        assert bench.pacer.in_flight == 0
        assert bench.pacer.limit >= 1
        assert open_writes
        assert len(bench.store.sent) > len({sent.key for sent in bench.store.sent}), "others were repeated"
        assert clock.boottime() < 900

    run_virtually(scenario)


# --- what an adapter refuses by itself


@pytest.mark.parametrize("reason", [R.INVALID_KEY, R.INVALID_REQUEST])
@pytest.mark.parametrize("method", ["copy", "get"])
def test_what_was_never_sent_is_no_request_and_no_answer(method: str, reason: StorageReason) -> None:
    async def scenario(clock: VirtualClock) -> None:
        bench = Bench(clock, always(reason))
        task = bench.task()
        with pytest.raises(StorageError):
            await CALLS[method](task)
        assert (task.requests, bench.pacer.answers, bench.pacer.in_flight) == (0, 0, 0)

    run_virtually(scenario)


@virtual_time
async def test_a_refusal_by_the_store_is_a_request_and_an_answer(clock: VirtualClock) -> None:
    bench = Bench(clock, lambda _: refusal(R.INVALID_KEY, http_status=400))
    task = bench.task()
    with pytest.raises(StorageError):
        await copy(task)
    assert (task.requests, bench.pacer.answers) == (1, 1)


@virtual_time
async def test_what_was_never_sent_ends_no_hold(clock: VirtualClock) -> None:
    bench = Bench(clock, lambda sent: refusal(R.INVALID_KEY if sent.key == "odd" else R.REFUSED))
    waiting = [asyncio.create_task(copy(bench.task(), str(number))) for number in range(4)]
    await asyncio.sleep(0.5)
    assert bench.pacer.held
    with pytest.raises(StorageError):
        await copy(bench.task(), "odd")
    assert bench.pacer.held
    bench.store.script = lambda _: None
    await asyncio.gather(*waiting)
    assert bench.pacer.in_flight == 0
