"""Processes of a virtual run: the dead do nothing more, the stopped go on where they stood."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from tests.unit.storage.virtual_process import VirtualProcess
from tests.unit.storage.virtual_time import VirtualClock, run_virtually, virtual_time


class Diary:
    """A process that writes down each second, what came when it was cleaned up, and the same from a task within."""

    def __init__(self, clock: VirtualClock) -> None:
        self.lines: list[str] = []
        self._clock = clock

    async def keep(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write("inner"))
            await self._write("outer")

    async def _write(self, who: str) -> None:
        try:
            while True:
                await asyncio.sleep(1)
                self.lines.append(f"{who} {self._clock.boottime():.0f}")
        finally:
            self.lines.append(f"{who} cleans up")
            await asyncio.sleep(1)
            self.lines.append(f"{who} has cleaned up")


@virtual_time
async def test_of_a_dead_process_nothing_runs_any_more(clock: VirtualClock) -> None:
    diary, process = Diary(clock), VirtualProcess("p")
    process.start(diary.keep())
    await asyncio.sleep(2.5)
    process.kill()
    gc.collect()
    await asyncio.sleep(10)
    assert diary.lines == ["outer 1", "inner 1", "outer 2", "inner 2"]


@virtual_time
async def test_a_dead_process_hears_no_answer(clock: VirtualClock) -> None:
    process, answers = VirtualProcess("p"), []
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ask() -> None:
        answers.append(await answer)

    process.start(ask())
    await asyncio.sleep(1)
    process.kill()
    answer.set_result("too late")
    await asyncio.sleep(1)
    assert answers == []


@virtual_time
async def test_what_was_about_to_run_does_not(clock: VirtualClock) -> None:
    process, ran = VirtualProcess("p"), []

    async def run() -> None:
        ran.append("first")
        asyncio.get_running_loop().call_soon(ran.append, "second")
        process.kill()
        ran.append("up to the next await")
        await asyncio.sleep(0)
        ran.append("no further")

    process.start(run())
    await asyncio.sleep(1)
    assert ran == ["first", "up to the next await"]


@virtual_time
async def test_a_stopped_process_goes_on_where_it_stood(clock: VirtualClock) -> None:
    diary, process = Diary(clock), VirtualProcess("p")
    process.start(diary.keep())
    await asyncio.sleep(1.5)
    process.stop()
    await asyncio.sleep(60)
    assert diary.lines == ["outer 1", "inner 1"]
    process.go_on()
    await asyncio.sleep(0.1)
    assert diary.lines[2:] == ["outer 62", "inner 62"]
    process.stop()
    process.kill()
    process.go_on()
    await asyncio.sleep(10)
    assert len(diary.lines) == 4


@virtual_time
async def test_the_killer_is_told_at_once(clock: VirtualClock) -> None:
    process, told = VirtualProcess("p"), []
    process.at_death.append(lambda: told.append(clock.boottime()))
    process.start(asyncio.sleep(100))
    await asyncio.sleep(3)
    process.kill()
    process.kill()
    assert told == [3]


@virtual_time
async def test_generators_of_the_dead_are_not_finalized(clock: VirtualClock) -> None:
    process, ended = VirtualProcess("p"), []

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(100):
                await asyncio.sleep(1)
                yield number
        finally:
            ended.append("numbers")

    async def count() -> None:
        async for _ in numbers():
            pass

    process.start(count())
    await asyncio.sleep(5)
    process.kill()
    gc.collect()
    await asyncio.sleep(5)
    assert ended == []


def test_a_run_ends_with_its_processes() -> None:
    """Also where one refuses to be cleaned up, and where tasks of it have failed."""

    async def stubborn() -> None:
        failed = asyncio.create_task(asyncio.to_thread(divmod, 1, 0))
        try:
            await asyncio.wait({failed})
            await asyncio.sleep(1e9)
        finally:
            await asyncio.sleep(1)
            await asyncio.create_task(asyncio.sleep(1))

    async def scenario(clock: VirtualClock) -> str:
        process = VirtualProcess("p")
        process.start(stubborn())
        await asyncio.sleep(1)
        return "done"

    assert run_virtually(scenario) == "done"
    gc.collect()


def test_a_failure_in_a_living_process_is_still_seen() -> None:
    async def scenario(_: VirtualClock) -> None:
        dead = VirtualProcess("dead")
        dead.start(asyncio.sleep(1))
        await asyncio.sleep(0)
        dead.kill()
        VirtualProcess("p").start(asyncio.to_thread(divmod, 1, 0))
        await asyncio.sleep(1)
        gc.collect()

    with pytest.raises(AssertionError, match="never retrieved"):
        run_virtually(scenario)
