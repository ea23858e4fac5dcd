"""A process dies at each of its calls to store, ledger and work area: right before it takes effect, and right after.

The job is small, so that every point is tried. Dead leases are found by lock files at odd points, by their silence at
even ones; what else the dead process had sent is lost in the first half of the runs, and arrives in the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cosbatch.model.identifiers import Bucket
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.states import JobStatus
from tests.simulation.campaign import log_into
from tests.simulation.drawn import JobPlan, Plan
from tests.simulation.rig import SOURCE, TARGET
from tests.simulation.run import Run
from tests.simulation.wire import Call, Fate
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

KEYS = tuple(f"a/{number:02d}" for number in range(12))
JOB = JobPlan(
    name="list",
    keys=KEYS,
    missing=frozenset({"a/03"}),
    large=frozenset({"a/07"}),
    has_versions=False,
    operation=PutObjectCopy(target_bucket=TARGET),
    part_copy_above_bytes=8 * 2**20,
    priority=10,
)
PLAN = Plan(
    job=JOB,
    second=None,
    versioning=Versioning.ENABLED,
    workers=2,
    ignored=None,
    poison=None,
    poison_is_applied=False,
    has_lock_files=True,
    clocks_jump=False,
    is_calm=True,
    damages_a_part=False,
)
IN_PLACE = replace(JOB, operation=PutObjectCopy(target_bucket=Bucket(SOURCE), storage_class="STANDARD_IA"))


@dataclass(slots=True)
class Killer:
    """Kills the process that makes the n-th call of a role; an observer of the network."""

    role: str
    at: int
    after: bool
    calls: int = 0
    hit: Call | None = None

    def sent(self, call: Call) -> None:
        if call.process.name.startswith(self.role):
            self.calls += 1
            if self.calls == self.at:
                self.hit = call
                if not self.after:
                    call.process.kill()

    def applied(self, call: Call, _: Any) -> None:
        if call is self.hit:
            call.process.kill()


@dataclass(slots=True)
class Calm:
    """Every call takes a moment on its way, and one on the way back."""

    orphans_arrive: bool

    def fate(self, call: Call) -> Fate:
        return Fate(arrives_in=0.01, answered_in=0.01)

    def at_the_door(self, call: Call) -> Exception | None:
        return None

    def delay_of_orphan(self, call: Call) -> float | None:
        return 0.0 if self.orphans_arrive else None


def run_with(killer: Killer, plan: Plan) -> str:
    """The job's final status, with all invariants checked."""
    broke: list[str] = []

    async def scenario(clock: VirtualClock) -> str:
        weather = Calm(orphans_arrive=killer.after)
        run = Run(killer.at, clock, plan=plan, weather=weather, observers=[killer], broke=broke)
        await run.go()
        return run.witness.cases[0].job.status

    return run_virtually(scenario)


def points(role: str, plan: Plan) -> Iterator[Killer]:
    undisturbed = Killer(role, at=0, after=False)
    assert run_with(undisturbed, plan) == JobStatus.COMPLETE
    for at in range(1, undisturbed.calls + 1):
        for after in (False, True):
            yield Killer(role, at, after)


@pytest.mark.usefixtures("quiet")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("role", "job"),
    [("worker", JOB), ("worker", IN_PLACE), ("planner", JOB), ("finisher", JOB), ("scheduler", JOB)],
    ids=["worker", "worker in place", "planner", "finisher", "scheduler"],
)
def test_no_death_breaks_the_promise(role: str, job: JobPlan) -> None:
    plan = replace(PLAN, job=job)
    tried = 0
    for killer in points(role, plan):
        try:
            status = run_with(killer, replace(plan, has_lock_files=killer.at % 2 == 1))
        except Exception as error:
            where = "after" if killer.after else "before"
            raise AssertionError(f"death of the {role} {where} call {killer.at}, {killer.hit}: {error}") from error
        assert status == JobStatus.COMPLETE
        tried += 1
    assert tried > 10


@pytest.fixture(name="quiet")
def _quiet() -> Iterator[None]:
    import structlog

    before = structlog.get_config()
    log_into([])
    yield
    structlog.configure(**before)
