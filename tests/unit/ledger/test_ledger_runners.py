"""The ledger's thread: one call after another, and none for a caller who has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest

from cosbatch.ledger.runners import InlineRunner, Runner, ThreadRunner
from cosbatch.model.errors import LedgerUnavailable


@contextmanager
def shut(until: threading.Event, *, entered: threading.Event) -> Iterator[None]:
    entered.set()
    until.wait()
    yield


def nothing() -> None:
    """Has no effect."""


def thread_runner(patience_seconds: float = 30.0) -> ThreadRunner:
    return ThreadRunner(name="test", patience_seconds=patience_seconds)


@pytest.mark.parametrize("make", [InlineRunner, thread_runner])
async def test_a_call_gives_its_value_or_its_error(make: Callable[[], Runner]) -> None:
    runner = make()
    assert await runner.run(lambda: 7, gate=nullcontext()) == 7
    with pytest.raises(ZeroDivisionError):
        await runner.run(lambda: 1 // 0, gate=nullcontext())
    assert await runner.run(lambda: 8, gate=nullcontext()) == 8
    runner.stop(last=nothing)


async def test_inline_calls_run_in_the_callers_thread() -> None:
    assert await InlineRunner().run(threading.get_ident, gate=nullcontext()) == threading.get_ident()


async def test_calls_run_in_one_other_thread() -> None:
    runner = thread_runner()
    idents = {await runner.run(threading.get_ident, gate=nullcontext()) for _ in range(3)}
    assert len(idents) == 1
    assert threading.get_ident() not in idents
    runner.stop(last=nothing)


async def test_a_call_whose_caller_has_gone_at_the_gate_is_not_made() -> None:
    runner = thread_runner()
    made: list[str] = []
    opened, entered = threading.Event(), threading.Event()
    waiting = asyncio.create_task(runner.run(lambda: made.append("left"), gate=shut(opened, entered=entered)))
    await asyncio.to_thread(entered.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    opened.set()
    await runner.run(lambda: made.append("next"), gate=nullcontext())
    assert made == ["next"]
    runner.stop(last=nothing)


async def test_patience_ends() -> None:
    runner = thread_runner(patience_seconds=0.01)
    opened, entered = threading.Event(), threading.Event()
    with pytest.raises(LedgerUnavailable, match=r"no answer within 0\.01 s"):
        await runner.run(nothing, gate=shut(opened, entered=entered))
    opened.set()
    runner.stop(last=nothing)


async def test_a_stopped_runner_makes_its_last_call_and_no_other() -> None:
    runner = thread_runner()
    last = threading.Event()
    runner.stop(last=last.set)
    assert await asyncio.to_thread(last.wait, 30)
    with pytest.raises(LedgerUnavailable, match="closed"):
        await runner.run(nothing, gate=nullcontext())


def test_an_answer_for_a_loop_that_is_gone_does_no_harm() -> None:
    opened, entered = threading.Event(), threading.Event()
    runner = thread_runner()

    async def leave_a_call_behind() -> None:
        task = asyncio.create_task(runner.run(opened.wait, gate=nullcontext()))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave_a_call_behind())
    opened.set()
    assert asyncio.run(runner.run(lambda: 7, gate=shut(opened, entered=entered))) == 7
    runner.stop(last=nothing)
