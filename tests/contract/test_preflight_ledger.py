"""What every PreflightLedger promises: what was found of a job is kept with it, and goes with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.memory_preflights import MemoryPreflights
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.preflight_port import PreflightLedger
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.model.errors import FailureCode, NoSuchJob
from cosbatch.model.preflight import Check, CheckName, CheckOutcome, Preflight
from cosbatch.model.states import Actor, JobStatus
from tests.contract.ledgers import ADAPTERS, FINDINGS, HandClock, job_id, new_job, open_ledger

FAILED = Check(
    name=CheckName.DESTINATION_WRITABLE,
    outcome=CheckOutcome.FAILED,
    detail="the store refuses it",
    missing_permission="s3:PutObject on arn:aws:s3:::target/*",
    way_out="let it write",
    path="Operation",
    value="target",
    failure_code=FailureCode.ROLE_LACKS_PERMISSION,
)
PASSED = Check(name=CheckName.MANIFEST, outcome=CheckOutcome.PASSED, detail="it can be read")
FOUND = Preflight(checked_at=1_700_000_000.25, checks=(PASSED, FAILED), findings=FINDINGS)


@dataclass(frozen=True, slots=True)
class Pair:
    jobs: JobLedger
    preflights: PreflightLedger


@pytest.fixture(params=ADAPTERS)
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    jobs = await open_ledger(request.param, tmp_path, HandClock())
    if isinstance(jobs, SqlLedger):
        yield Pair(jobs, jobs.preflights)
    else:
        assert isinstance(jobs, MemoryLedger)
        yield Pair(jobs, MemoryPreflights(jobs))
    await jobs.close()


async def test_nothing_is_known_before_anything_was_asked(pair: Pair) -> None:
    job = await new_job(pair.jobs)
    assert await pair.preflights.preflight(job.id) is None
    assert await pair.preflights.preflight(job_id(99)) is None


async def test_what_was_found_comes_back_as_it_was(pair: Pair) -> None:
    job = await new_job(pair.jobs)
    await pair.preflights.keep_preflight(job.id, FOUND)
    assert await pair.preflights.preflight(job.id) == FOUND


async def test_the_last_one_counts(pair: Pair) -> None:
    job = await new_job(pair.jobs)
    await pair.preflights.keep_preflight(job.id, FOUND)
    later = replace(FOUND, checks=(PASSED,), findings=None)
    await pair.preflights.keep_preflight(job.id, later)
    assert await pair.preflights.preflight(job.id) == later


async def test_it_is_kept_of_jobs_alone(pair: Pair) -> None:
    with pytest.raises(NoSuchJob):
        await pair.preflights.keep_preflight(job_id(99), FOUND)


async def test_it_goes_with_its_job(pair: Pair) -> None:
    job = await new_job(pair.jobs)
    await pair.preflights.keep_preflight(job.id, FOUND)
    for status in (JobStatus.CANCELLING, JobStatus.CANCELLED):
        await pair.jobs.move(
            job.id, expect=set(JobStatus), to=status, actor=_ACTORS[status], reason="given up by the test"
        )
    await pair.jobs.remove(job.id)
    assert await pair.preflights.preflight(job.id) is None
    with pytest.raises(NoSuchJob):
        await pair.preflights.keep_preflight(job.id, FOUND)
    while await pair.jobs.delete_some_rows(job.id):
        pass
    assert await pair.preflights.preflight(job.id) is None


_ACTORS = {JobStatus.CANCELLING: Actor.USER, JobStatus.CANCELLED: Actor.ENGINE}
