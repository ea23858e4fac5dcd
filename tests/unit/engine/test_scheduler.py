"""What a step of the scheduler does not do each time."""

from __future__ import annotations

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import LeaseWatch
from cosbatch.engine.scheduler import SWEEP_SECONDS, Scheduler
from cosbatch.ledger.memory import MemoryLedger
from tests.contract.ledgers import HandClock


async def test_what_the_dead_left_is_swept_at_first_and_then_now_and_again() -> None:
    clock, limits = HandClock(), EngineLimits()
    swept: list[float] = []
    scheduler = Scheduler(
        ledger=MemoryLedger(clock),
        clock=clock,
        limits=limits,
        watch=LeaseWatch(clock=clock, lease_seconds=limits.lease_seconds, liveness=None),
        sweep=lambda _: swept.append(clock.at),
    )
    begun = clock.at
    while clock.at <= begun + SWEEP_SECONDS:
        await scheduler.step()
        clock.tick(limits.poll_seconds)
    assert swept == [begun, begun + SWEEP_SECONDS]
