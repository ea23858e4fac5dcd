"""The test loop itself: time jumps, order is kept, and nothing hangs or fails unseen."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from tests.unit.storage.virtual_time import EPOCH, Stuck, VirtualClock, run_virtually, virtual_time


@virtual_time
async def test_a_year_passes_at_once(clock: VirtualClock) -> None:
    began = time.monotonic()
    await asyncio.sleep(365 * 86_400)
    assert clock.boottime() == pytest.approx(365 * 86_400)
    assert clock.now() - EPOCH == pytest.approx(365 * 86_400)
    assert time.monotonic() - began < 10


@virtual_time
async def test_sleepers_wake_in_the_order_of_their_times(clock: VirtualClock) -> None:
    woken: list[tuple[float, str]] = []

    async def sleep(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((round(clock.boottime(), 6), name))

    await asyncio.gather(sleep("late", 2.5), sleep("early", 0.5), sleep("first of two", 1), sleep("second of two", 1))
    assert woken == [(0.5, "early"), (1.0, "first of two"), (1.0, "second of two"), (2.5, "late")]


@virtual_time
async def test_a_jump_of_the_wall_clock_leaves_boottime_alone(clock: VirtualClock) -> None:
    clock.jump(-3600)
    assert (clock.now(), clock.boottime()) == (EPOCH - 3600, 0)


@virtual_time
async def test_executors_run_in_line_and_take_no_time(clock: VirtualClock) -> None:
    assert await asyncio.to_thread(sum, [1, 2]) == 3
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(divmod, 1, 0)
    assert clock.boottime() == 0


@virtual_time
async def test_sockets_within_the_loop_work_and_take_no_time(clock: VirtualClock) -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    with near, far:
        received = asyncio.create_task(asyncio.get_running_loop().sock_recv(near, 10))
        await asyncio.get_running_loop().sock_sendall(far, b"hello")
        async with asyncio.timeout(5):
            assert await received == b"hello"
    assert clock.boottime() == 0


def test_waiting_for_nothing_ends_the_run() -> None:
    async def scenario(_: VirtualClock) -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run_virtually(scenario)


def test_a_failure_that_nobody_saw_fails_the_run() -> None:
    async def scenario(_: VirtualClock) -> None:
        asyncio.get_running_loop().call_soon(divmod, 1, 0)
        await asyncio.sleep(1)

    with pytest.raises(AssertionError) as caught:
        run_virtually(scenario)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_result_comes_back() -> None:
    async def scenario(clock: VirtualClock) -> float:
        await asyncio.sleep(3)
        return clock.boottime()

    assert run_virtually(scenario) == 3
