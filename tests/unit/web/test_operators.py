"""``/healthz``, ``/readyz`` and ``/metrics``, called in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.model.census import JobCensus
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import LedgerUnavailable, SpoolError
from cosbatch.web.app import create_app
from cosbatch.web.calls import CallLimits
from cosbatch.web.measures import CallMeasures
from cosbatch.web.operators import OperatorNeeds, operator_routes
from tests.contract.ledgers import new_job


@dataclass
class Workplace:
    """An engine that is as the test says."""

    running: dict[str, bool] = field(default_factory=lambda: {"scheduler": True, "worker-1": True})
    written: float | None = 0.5
    free: float | None = 0.9
    trouble: Exception | None = None
    is_stuck: bool = False
    leases_expired: int = 0
    webhook_outcomes: dict[str, int] = field(default_factory=lambda: {"delivered": 5, "retried": 2, "given-up": 1})

    def parts(self) -> dict[str, bool]:
        return self.running

    async def written_seconds_ago(self) -> float | None:
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.trouble:
            raise self.trouble
        return self.written

    async def free_spool_share(self) -> float | None:
        if self.trouble:
            raise self.trouble
        return self.free


class SilentLedger(MemoryLedger):
    async def census(self) -> JobCensus:
        raise LedgerUnavailable("disk full: sensitive path")


@asynccontextmanager
async def opened(
    workplace: Workplace, *, token: str = "", ledger: JobLedger | None = None, check_seconds: float = 3.0
) -> AsyncIterator[httpx.AsyncClient]:
    measures = CallMeasures()
    needs = OperatorNeeds(
        version="1.0",
        ledger=ledger or MemoryLedger(SystemClock()),
        webhook_queue=MemoryLedger(SystemClock()).webhooks.queue,
        workplace=workplace,
        measures=measures,
        seen_within_seconds=10,
        min_free_spool_share=0.2,
        check_seconds=check_seconds,
        token=token,
    )
    app = create_app(operator_routes(needs), limits=CallLimits(), measures=measures)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        yield client


async def test_a_process_that_answers_is_healthy_whatever_else_is_wrong() -> None:
    async with opened(Workplace(running={"scheduler": False}, written=None)) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_ready_says_why() -> None:
    async with opened(Workplace()) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert answer.json()["checks"]["work area"] == {"ok": True, "detail": "90.0% free"}


@pytest.mark.parametrize(
    ("workplace", "check"),
    [
        (Workplace(written=None), "ledger"),
        (Workplace(running={"scheduler": True, "worker-1": False}), "worker-1"),
        (Workplace(free=0.1), "work area"),
        (Workplace(trouble=LedgerUnavailable("sensitive path")), "ledger"),
        (Workplace(trouble=SpoolError("sensitive path")), "work area"),
    ],
)
async def test_one_thing_that_is_not_well_is_enough(workplace: Workplace, check: str) -> None:
    async with opened(workplace) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert not answer.json()["checks"][check]["ok"]
    assert "sensitive" not in answer.text


async def test_what_does_not_come_to_an_answer_is_not_well() -> None:
    async with opened(Workplace(is_stuck=True), check_seconds=0.01) as client, asyncio.timeout(10):
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["ledger"] == {"ok": False, "detail": "it does not answer"}


async def test_a_work_area_that_cannot_tell_its_space_is_no_reason() -> None:
    async with opened(Workplace(free=None)) as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_metrics_of_the_ledger() -> None:
    ledger = MemoryLedger(SystemClock())
    await new_job(ledger, 1)
    async with opened(Workplace(leases_expired=3), ledger=ledger) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, sample.labels.get("status", "") or sample.labels.get("outcome", "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["cosbatch_jobs", "New"] == 1
    assert found["cosbatch_lease_losses_total", ""] == 3
    outcomes = {
        outcome: found["cosbatch_webhook_deliveries_total", outcome] for outcome in Workplace().webhook_outcomes
    }
    assert outcomes == {"delivered": 5, "retried": 2, "given-up": 1}
    assert found["cosbatch_webhook_messages_waiting", ""] == 0


async def test_metrics_without_a_ledger_are_none() -> None:
    async with opened(Workplace(), ledger=SilentLedger(SystemClock())) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 503
    assert "sensitive" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic the-token"}, 401),
        ({"authorization": "Bearer the-token"}, 200),
        ({"authorization": "bearer  the-token "}, 200),
    ],
)
async def test_a_token_guards_metrics_and_details(headers: dict[str, str], status: int) -> None:
    async with opened(Workplace(), token="the-token") as client:
        answer = await client.get("/metrics", headers=headers)
        ready: dict[str, Any] = (await client.get("/readyz", headers=headers)).json()
    assert answer.status_code == status
    assert ("checks" in ready) == (status == 200)
    assert ready["status"] == "ready"
