"""Waiting for a job beside a ledger that does not always answer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cosbatch.engine.limits import EngineLimits
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.model.errors import LedgerUnavailable
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus
from cosbatch.wiring.engine import LEDGER_PATIENCE_SECONDS, PROGRESS_SECONDS, Engine
from tests.contract.ledgers import new_job
from tests.unit.storage.virtual_time import VirtualClock, virtual_time


class SilentAtTimes(MemoryLedger):
    """Does not answer the first ``silences`` questions about a job."""

    silences = 0

    async def job(self, job_id: JobId, *, account: AccountId | None = None) -> Job:
        if self.silences > 0:
            self.silences -= 1
            raise LedgerUnavailable("disk I/O error: the disk refused")
        return await super().job(job_id, account=account)


def engine(ledger: MemoryLedger, *parts: asyncio.Task[None]) -> Engine:
    nothing = cast(Any, None)
    process = cast(Any, SimpleNamespace(ledger=ledger, limits=EngineLimits(), stores=None))
    return Engine(service=nothing, process=process, scheduler=nothing, group=nothing, parts=parts)


async def seen_at_once(ledger: MemoryLedger, job: Job) -> Job:
    return await engine(ledger).wait_for(job.id, until=lambda now: now.status is JobStatus.NEW)


@virtual_time
async def test_a_ledger_that_is_silent_for_a_while_is_waited_for(clock: VirtualClock) -> None:
    ledger = SilentAtTimes(clock)
    job = await new_job(ledger)
    ledger.silences = 5
    began = clock.boottime()
    assert (await seen_at_once(ledger, job)).id == job.id
    assert clock.boottime() - began == pytest.approx(5 * PROGRESS_SECONDS)


@virtual_time
async def test_a_ledger_that_stays_silent_ends_the_wait(clock: VirtualClock) -> None:
    ledger = SilentAtTimes(clock)
    job = await new_job(ledger)
    ledger.silences = 100_000
    began = clock.boottime()
    with pytest.raises(LedgerUnavailable, match="disk I/O error"):
        await seen_at_once(ledger, job)
    assert clock.boottime() - began == pytest.approx(LEDGER_PATIENCE_SECONDS, abs=PROGRESS_SECONDS)


@virtual_time
async def test_what_ends_a_part_of_the_engine_ends_the_wait(clock: VirtualClock) -> None:
    async def broken() -> None:
        raise RuntimeError("a part has ended")

    ledger = SilentAtTimes(clock)
    job = await new_job(ledger)
    part = asyncio.create_task(broken())
    with pytest.raises(RuntimeError, match="a part has ended"):
        await engine(ledger, part).wait_for(job.id, until=lambda now: now.status is JobStatus.COMPLETE)
