"""Restore, delete and tagging under faults: lost replies, deaths, an owner's uploads, a cancel; with and without
versions."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import structlog

from cosbatch.model.regions import Versioning
from cosbatch.model.states import JobStatus
from tests.simulation.campaign import log_into
from tests.simulation.in_place_run import (
    KEYS,
    OPERATIONS,
    Calm,
    Canceller,
    InPlaceRun,
    Killer,
    Losing,
    Owner,
    after_run,
)

WAYS: dict[str, dict[str, Any]] = {
    "never versioned": {"versioning": Versioning.NEVER},
    "versioned": {"versioning": Versioning.ENABLED},
    "suspended": {"versioning": Versioning.SUSPENDED},
    "by version": {"versioning": Versioning.ENABLED, "by_version": True},
}
SEEDS = range(5)
CLOCKS = (0.0, 3600.0, -3600.0)
"""How far the ledger's clock was ahead when chunks were first claimed."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    log_into([])
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OPERATIONS)
class TestFaults:
    def test_none(self, name: str, way: str) -> None:
        run = after_run(name, **WAYS[way])
        assert run.job.status is JobStatus.COMPLETE
        expected = {"delete": 0, "restore": 2}.get(name, 1)
        if run.by_version:
            expected = 2 if name == "restore" else 0
        assert run.job.tally.failed == expected
        assert run.job.tally.skipped == (11 if run.by_version and name != "delete" else 0)

    @pytest.mark.parametrize("ahead_seconds", CLOCKS)
    def test_lost_replies(self, name: str, way: str, ahead_seconds: float) -> None:
        for seed in SEEDS:
            run = after_run(name, weather=Losing(rng=Random(seed)), ahead_seconds=ahead_seconds, **WAYS[way])
            assert run.job.status is JobStatus.COMPLETE
            assert not {row[4] for row in run.report.rows} & {"OutcomeUnknown", "NotDone"}

    def test_deaths(self, name: str, way: str) -> None:
        """At every seventh call of a worker, right before it takes effect and right after."""
        undisturbed = Killer(0, after=False)
        after_run(name, observers=[undisturbed], workers=1, **WAYS[way])
        for at in range(1, undisturbed.calls + 1, 7):
            for after in (False, True):
                killer = Killer(at, after=after)
                try:
                    run = after_run(
                        name, weather=Calm(orphans_arrive=after), observers=[killer], workers=1, **WAYS[way]
                    )
                except Exception as error:
                    raise AssertionError(f"death {'after' if after else 'before'} call {at}, {killer.hit}") from error
                assert run.job.status is JobStatus.COMPLETE

    @pytest.mark.parametrize("ahead_seconds", CLOCKS)
    def test_an_owner_who_uploads_between_two_attempts(self, name: str, way: str, ahead_seconds: float) -> None:
        """His object stays, whatever becomes of the row, and however the ledger's clock was wrong."""
        for seed in SEEDS:
            owners: list[Owner] = []

            def begin(run: InPlaceRun, owners: list[Owner] = owners) -> None:
                owners.append(Owner(run, frozenset(KEYS[4:7])))
                run.network.observers.append(owners[0])

            weather = Losing(rng=Random(seed), share=0.8)
            run = after_run(name, weather=weather, meanwhile=begin, ahead_seconds=ahead_seconds, **WAYS[way])
            assert run.job.status is JobStatus.COMPLETE
            assert owners[0].has_put
            current = run.rig.store.current_objects("source")
            assert all(current[key].content.stored == b"an owner's" for key in current if key in owners[0].has_put)
            assert owners[0].has_put <= {str(key) for key in current}

    @pytest.mark.parametrize("ahead_seconds", CLOCKS)
    def test_a_cancel(self, name: str, way: str, ahead_seconds: float) -> None:
        """What is on its way when the worker dies is looked at, and nothing more is written."""
        for seed in SEEDS:

            def begin(run: InPlaceRun, seed: int = seed) -> None:
                run.network.observers.append(Canceller(run, at=2 + seed))

            weather = Losing(rng=Random(seed))
            run = after_run(name, weather=weather, meanwhile=begin, workers=1, ahead_seconds=ahead_seconds, **WAYS[way])
            assert run.job.status is JobStatus.CANCELLED
            assert {row[4] for row in run.report.rows} & {"NotDone", "OutcomeUnknown"}
