"""Faults that a seed may draw, one at a time: what exactly comes of each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import structlog

from cosbatch.model.errors import FailureCode
from cosbatch.model.states import JobStatus
from cosbatch.storage.profiles import Option
from tests.simulation.campaign import log_into
from tests.simulation.drawn import Plan
from tests.simulation.run import Run
from tests.simulation.test_crash_points import JOB, PLAN, Calm
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

Meanwhile = Callable[[Run], None]
"""Called when the run has begun."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    log_into([])
    yield
    structlog.configure(**before)


def after_run(plan: Plan, *, meanwhile: Meanwhile = lambda run: None) -> Run:
    """A run that has gone through all checks."""

    async def scenario(clock: VirtualClock) -> Run:
        run = Run(1, clock, plan=plan, weather=Calm(orphans_arrive=False))
        asyncio.get_running_loop().call_later(0.001, meanwhile, run)
        await run.go()
        return run

    return run_virtually(scenario)


def codes(run: Run) -> Counter[str]:
    return Counter(row[4] or row[3] for row in run.rig.report(run.witness.cases[0].job).rows)


@pytest.mark.parametrize("has_lock_files", [False, True], ids=["leases run out", "lock files"])
def test_a_row_that_kills_its_workers_costs_itself_alone(has_lock_files: bool) -> None:
    run = after_run(replace(PLAN, poison="a/05", has_lock_files=has_lock_files))
    assert codes(run) == {"succeeded": 10, "NoSuchKey": 1, "WorkerLost": 1}
    (lost,) = [row for row in run.rig.report(run.witness.cases[0].job).rows if row[4] == "WorkerLost"]
    assert lost[1] == "a/05"
    assert sum("worker" in line for line in run.history) == 4  # three to be suspected, one to be sure


def test_a_row_that_is_done_before_it_kills_is_found_done() -> None:
    run = after_run(replace(PLAN, poison="a/05", poison_is_applied=True))
    assert codes(run) == {"succeeded": 11, "NoSuchKey": 1}


def test_an_option_that_is_ignored_in_silence_fails_the_job() -> None:
    job = replace(JOB, operation=replace(JOB.operation, storage_class="STANDARD_IA"))
    run = after_run(replace(PLAN, job=job, ignored=Option.STORAGE_CLASS))
    found = run.witness.cases[0].job
    assert (found.status, found.failure_code) == (JobStatus.FAILED, FailureCode.STORE_IGNORED_OPTION)
    assert codes(run)["succeeded"] == 0


@pytest.mark.parametrize("moment", [1.0, 1.5, 2.0, 2.2])
def test_a_worker_that_wakes_up_after_its_lease_sends_nothing_more(moment: float) -> None:
    def stop_the_worker(run: Run) -> None:
        loop = asyncio.get_running_loop()
        (worker,) = [one for one in run.rig.running if one.role == "worker"]
        loop.call_later(moment, worker.process.stop)
        loop.call_later(moment + 5, run.start, "worker")
        loop.call_later(moment + 60, worker.process.go_on)

    run = after_run(replace(PLAN, workers=1), meanwhile=stop_the_worker)
    assert codes(run) == {"succeeded": 11, "NoSuchKey": 1}
    senders = {call.process.name for calls in run.witness.writes.values() for call in calls if call.sent_at > moment}
    assert "worker-1" not in senders
