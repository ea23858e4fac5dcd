"""The remover: nothing refers to nothing, wherever it dies; what belongs to nobody goes, and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.engine.chunk_files import chunk_folder
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.remover import FILES_A_STEP, Remover
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import NoSuchJob, SpoolError
from cosbatch.model.identifiers import JobId
from cosbatch.model.states import JobStatus
from cosbatch.reports.parts import part_folder
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.spool import Spool
from tests.contract.ledgers import HandClock, bring_to, engine_moves, job_id, new_job, ready_job, user_cancels

LIMITS = replace(EngineLimits(), retention_seconds=1000.0, retention_poll_seconds=100.0)
MADE_AT = 0x01900000_0000 / 1000
"""Of all ids of :func:`job_id`."""


class Broken(Exception):
    """The process dies here."""


class Breaking:
    """A port whose user dies at one of its calls, before or after it takes effect."""

    def __init__(self, inner: Any, count: Callable[[], bool], *, after: bool) -> None:
        self._inner = inner
        self._count = count
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        assert inspect.iscoroutinefunction(method)

        async def call(*args: Any, **options: Any) -> Any:
            dies = self._count()
            if dies and not self._after:
                raise Broken(name)
            answer = await method(*args, **options)
            if dies:
                raise Broken(name)
            return answer

        return call


@pytest.fixture
def clock() -> HandClock:
    return HandClock(MADE_AT + 10)


@pytest.fixture
def spool() -> MemorySpool:
    return MemorySpool()


@pytest.fixture(params=[MemoryLedger, open_memory_ledger])
def ledger(request: pytest.FixtureRequest, clock: HandClock) -> JobLedger:
    made: Callable[[Clock], JobLedger] = request.param
    return made(clock)


def remover_of(ledger: JobLedger, spool: Spool, clock: HandClock) -> Remover:
    return Remover(ledger=ledger, spool=spool, clock=clock, limits=LIMITS)


async def until_idle(remover: Remover) -> int:
    steps = 1
    while await remover.step():
        steps += 1
    return steps


async def ended_job(ledger: JobLedger, spool: Spool, number: int = 1, *, parts: int = 3) -> JobId:
    job = await ready_job(ledger, number, sizes=[1] * 3)
    await user_cancels(ledger, job)
    await engine_moves(ledger, job, JobStatus.CANCELLED)
    for part in range(parts):
        await spool.put(f"{part_folder(job, 0)}{part}-1-cafe", b"part")
    await spool.put(f"{chunk_folder(job, 0)}0-1-cafe", b"chunk")
    await spool.put(f"{chunk_folder(job, 1000)}1000-1-cafe", b"chunk")
    return job


async def test_a_deleted_job_goes_with_all_that_is_left_of_it(
    ledger: JobLedger, spool: MemorySpool, clock: HandClock
) -> None:
    gone, kept = await ended_job(ledger, spool, 1, parts=FILES_A_STEP + 5), await ended_job(ledger, spool, 2)
    await ledger.remove(gone)

    steps = await until_idle(remover_of(ledger, spool, clock))

    assert steps > 5
    assert await ledger.known_jobs([gone, kept]) == {kept}
    assert await spool.list(f"jobs/{gone}/") == []
    assert len(await spool.list(f"jobs/{kept}/")) == 5
    assert (await ledger.job(kept)).status is JobStatus.CANCELLED


async def test_retention_ends_by_the_end_of_the_job(ledger: JobLedger, spool: MemorySpool, clock: HandClock) -> None:
    job = await ended_job(ledger, spool)
    await new_job(ledger, 2)
    remover = remover_of(ledger, spool, clock)

    clock.tick(LIMITS.retention_seconds)
    await until_idle(remover)
    assert (await ledger.job(job)).status is JobStatus.CANCELLED

    clock.tick(LIMITS.retention_poll_seconds)
    await until_idle(remover)
    with pytest.raises(NoSuchJob):
        await ledger.job(job)
    assert await spool.list("jobs/") == []
    assert [job.id for job in await ledger.jobs()] == [job_id(2)]


async def test_however_many_have_ended(ledger: JobLedger, spool: MemorySpool, clock: HandClock) -> None:
    for number in range(1, 131):
        await new_job(ledger, number)
        await bring_to(ledger, job_id(number), JobStatus.COMPLETE)
    clock.tick(LIMITS.retention_seconds + 1)

    await until_idle(remover_of(ledger, spool, clock))

    assert await ledger.jobs() == []
    assert await ledger.removed_jobs() == []


@pytest.mark.parametrize("after", [False, True])
async def test_it_may_die_at_every_call(after: bool) -> None:
    """Whatever it leaves, the next one goes on; what can be seen meanwhile is whole or not there at all."""
    died = 0
    for at in range(1, 100):
        clock = HandClock(MADE_AT + 10)
        ledger, spool, calls = open_memory_ledger(clock), MemorySpool(), iter(range(1, 10_000))
        job = await ended_job(ledger, spool)
        files = await spool.list("jobs/")
        clock.tick(LIMITS.retention_seconds + 1)

        def dies(calls: Iterator[int] = calls, at: int = at) -> bool:
            return next(calls) == at

        seen_ledger = cast(JobLedger, Breaking(ledger, dies, after=after))
        seen_spool = cast(Spool, Breaking(spool, dies, after=after))
        try:
            await until_idle(remover_of(seen_ledger, seen_spool, clock))
        except Broken:
            died += 1
        else:
            break
        if [found.id for found in await ledger.jobs()] == [job]:
            assert await spool.list("jobs/") == files, "a job that can be seen has lost a file"
        if await spool.list("jobs/"):
            assert await ledger.known_jobs([job]) == {job}, "files belong to nothing"
        await until_idle(remover_of(ledger, spool, clock))
        assert await ledger.known_jobs([job]) == frozenset()
        assert await spool.list("jobs/") == []
    assert died > 20


async def test_two_may_run_at_once(ledger: JobLedger, spool: MemorySpool, clock: HandClock) -> None:
    job = await ended_job(ledger, spool)
    await ledger.remove(job)
    first, second = remover_of(ledger, spool, clock), remover_of(ledger, spool, clock)

    while any([await first.step(), await second.step()]):
        pass

    assert await ledger.known_jobs([job]) == frozenset()
    assert await spool.list("jobs/") == []


async def test_files_of_no_job_are_swept_when_they_are_old(
    ledger: JobLedger, spool: MemorySpool, clock: HandClock
) -> None:
    """A process that was held up for long has written after its job had gone."""
    known = await new_job(ledger, 1)
    for number in (1, 2):
        await spool.put(f"{part_folder(job_id(number), 0)}0-1-cafe", b"late")
    await spool.put("jobs/not-a-job/x", b"somebody else's")
    remover = remover_of(ledger, spool, clock)

    await until_idle(remover)
    assert len(await spool.list("jobs/")) == 3

    clock.tick(LIMITS.retention_seconds + LIMITS.retention_poll_seconds)
    await until_idle(remover)
    assert await spool.list("jobs/") == [f"{part_folder(known.id, 0)}0-1-cafe", "jobs/not-a-job/x"]


class FullSpool(MemorySpool):
    """Refuses to delete while it is broken."""

    is_broken = True

    async def delete(self, name: str) -> None:
        if self.is_broken:
            raise SpoolError("the disk does not work")
        await super().delete(name)


async def test_rows_wait_for_a_work_area_that_refuses(ledger: JobLedger, clock: HandClock) -> None:
    spool = FullSpool()
    job = await ended_job(ledger, spool)
    await ledger.remove(job)
    remover = remover_of(ledger, spool, clock)

    assert await until_idle(remover) == 1
    assert await ledger.removed_jobs() == [job]
    assert len(await ledger.chunk_states(job)) == 3

    spool.is_broken = False
    await until_idle(remover)
    assert await ledger.known_jobs([job]) == frozenset()


async def test_orphans_wait_for_a_work_area_that_refuses(ledger: JobLedger, clock: HandClock) -> None:
    spool = FullSpool()
    await spool.put(f"{part_folder(job_id(7), 0)}0-1-cafe", b"late")
    clock.tick(LIMITS.retention_seconds)
    remover = remover_of(ledger, spool, clock)
    await until_idle(remover)
    assert len(await spool.list("jobs/")) == 1

    spool.is_broken = False
    clock.tick(LIMITS.retention_poll_seconds)
    await until_idle(remover)
    assert await spool.list("jobs/") == []
