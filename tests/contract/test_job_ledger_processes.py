"""What every adapter of the JobLedger port promises about processes, shares of rate caps, and jobs without one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.rate_shares import RateWish
from cosbatch.model.identifiers import Bucket, RegionName, WorkerId
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import CappedPlace, RateKind
from cosbatch.model.workers import BucketLoad, WorkerMetrics, WorkerProcess, WorkerSeen
from tests.contract.ledgers import (
    ADAPTERS,
    ANNA,
    BERT,
    LEASE_SECONDS,
    HandClock,
    active_job,
    claim_one,
    lose,
    new_job,
    open_ledger,
    user_cancels,
)

HERE = RegionName("here")
TARGET = CappedPlace(HERE, Bucket("target"), RateKind.REQUESTS)
OTHER = TARGET._replace(region=RegionName("there"))
BYTES = TARGET._replace(kind=RateKind.BYTES)
CLEO = WorkerId("planner-cleo")
SECONDS = 10.0
METRICS = WorkerMetrics(
    buckets=(BucketLoad(region=HERE, bucket=Bucket("target"), in_flight=7, limit=32),),
    chunks_held=3,
    requests_per_second=12.5,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, clock)
    yield opened
    await opened.close()


def process(worker: WorkerId) -> WorkerProcess:
    return WorkerProcess(id=worker, role=worker.partition("-")[0], host="copper", pid=4711)


def wish(cap: float = 100.0, *, in_use: float = 0.0, is_pressing: bool = True) -> RateWish:
    return RateWish(cap=cap, in_use=in_use, is_pressing=is_pressing)


async def check_in(
    ledger: JobLedger, worker: WorkerId, wishes: Mapping[CappedPlace, RateWish]
) -> Mapping[CappedPlace, float]:
    return await ledger.check_in(process(worker), METRICS, wishes, seconds=SECONDS)


async def seen(ledger: JobLedger, *, within: float = 60.0) -> list[WorkerId]:
    return [each.process.id for each in await ledger.workers(seen_within_seconds=within)]


class TestProcesses:
    async def test_who_checks_in_is_seen_with_its_metrics(self, ledger: JobLedger, clock: HandClock) -> None:
        first = clock.now()
        await check_in(ledger, ANNA, {})
        clock.tick(5)
        await check_in(ledger, ANNA, {})
        await check_in(ledger, CLEO, {})
        assert await ledger.workers(seen_within_seconds=60) == [
            WorkerSeen(process=process(ANNA), started_at=first, seen_at=first + 5, metrics=METRICS),
            WorkerSeen(process=process(CLEO), started_at=first + 5, seen_at=first + 5, metrics=METRICS),
        ]

    async def test_who_was_silent_is_not_seen_and_later_forgotten(self, ledger: JobLedger, clock: HandClock) -> None:
        await check_in(ledger, ANNA, {})
        clock.tick(30)
        await check_in(ledger, BERT, {})
        assert await seen(ledger, within=20) == [BERT]
        assert await seen(ledger, within=30) == [ANNA, BERT]
        clock.tick(10 * SECONDS)
        await check_in(ledger, BERT, {})
        assert await seen(ledger, within=10_000) == [BERT]

    async def test_who_checks_out_leaves_nothing(self, ledger: JobLedger) -> None:
        await check_in(ledger, ANNA, {TARGET: wish()})
        for _ in range(2):
            await ledger.check_out(ANNA)
        assert await seen(ledger) == []
        assert await check_in(ledger, BERT, {TARGET: wish()}) == {TARGET: 100}


class TestShares:
    async def test_each_bucket_has_a_cap_of_its_own(self, ledger: JobLedger) -> None:
        assert await check_in(ledger, ANNA, {TARGET: wish(100), OTHER: wish(3)}) == {TARGET: 100, OTHER: 3}

    async def test_two_share_a_cap_after_the_first_one_has_shrunk(self, ledger: JobLedger) -> None:
        await check_in(ledger, ANNA, {TARGET: wish()})
        assert await check_in(ledger, BERT, {TARGET: wish()}) == {TARGET: 0}
        assert await check_in(ledger, ANNA, {TARGET: wish(in_use=100)}) == {TARGET: 50}
        assert await check_in(ledger, BERT, {TARGET: wish()}) == {TARGET: 0}
        assert await check_in(ledger, ANNA, {TARGET: wish(in_use=50)}) == {TARGET: 50}
        assert await check_in(ledger, BERT, {TARGET: wish()}) == {TARGET: 50}

    async def test_what_is_not_wished_for_any_more_is_given_back(self, ledger: JobLedger) -> None:
        await check_in(ledger, ANNA, {TARGET: wish(), OTHER: wish()})
        assert await check_in(ledger, ANNA, {OTHER: wish(in_use=100)}) == {OTHER: 100}
        assert await check_in(ledger, BERT, {TARGET: wish(), OTHER: wish()}) == {TARGET: 100, OTHER: 0}

    async def test_the_share_of_the_dead_ends_by_itself(self, ledger: JobLedger, clock: HandClock) -> None:
        await check_in(ledger, ANNA, {TARGET: wish()})
        clock.tick(SECONDS - 0.1)
        assert await check_in(ledger, BERT, {TARGET: wish()}) == {TARGET: 0}
        clock.tick(0.1)
        assert await check_in(ledger, BERT, {TARGET: wish()}) == {TARGET: 100}

    async def test_of_three_that_want_the_smallest_cap_two_have_some(self, ledger: JobLedger, clock: HandClock) -> None:
        for worker in (ANNA, BERT, CLEO):
            await check_in(ledger, worker, {TARGET: wish(1)})
            clock.tick()
        await check_in(ledger, ANNA, {TARGET: wish(1, in_use=1)})
        await check_in(ledger, ANNA, {TARGET: wish(1, in_use=0.5)})
        assert await check_in(ledger, BERT, {TARGET: wish(1)}) == {TARGET: 0.5}
        assert await check_in(ledger, CLEO, {TARGET: wish(1)}) == {TARGET: 0}

    async def test_requests_and_bytes_of_a_bucket_are_shared_apart(self, ledger: JobLedger) -> None:
        wishes = {TARGET: wish(), BYTES: wish(4e6, in_use=4e6)}
        assert await check_in(ledger, ANNA, wishes) == {TARGET: 100, BYTES: 4e6}
        assert await check_in(ledger, BERT, {BYTES: wish(4e6)}) == {BYTES: 0}
        assert await check_in(ledger, ANNA, wishes) == {TARGET: 100, BYTES: 2e6}
        await check_in(ledger, ANNA, {TARGET: wish(in_use=100)})
        assert await check_in(ledger, BERT, {TARGET: wish(), BYTES: wish(4e6)}) == {TARGET: 0, BYTES: 4e6}

    async def test_a_cap_on_bytes_keeps_no_job_from_its_turn(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger, 1)
        for _ in range(6):
            for worker in (ANNA, BERT):
                await check_in(ledger, worker, {BYTES: wish(5, in_use=0.0)})
            await check_in(ledger, CLEO, {BYTES: wish(5)})
            clock.tick(SECONDS / 4)
        assert not any(queued.is_rate_taken for queued in await ledger.queued_jobs())

    async def test_a_lease_is_nobodys_share(self, ledger: JobLedger) -> None:
        await active_job(ledger)
        claim = await claim_one(ledger)
        await check_in(ledger, ANNA, {TARGET: wish()})
        await ledger.check_out(ANNA)
        assert [held.lease for held in await ledger.held_leases()] == [claim.lease]


class TestJobsWithoutAShare:
    async def test_only_the_named_jobs_are_claimed(self, ledger: JobLedger) -> None:
        await active_job(ledger, 1, priority=20)
        lower = await active_job(ledger, 2, priority=10)
        claims = await ledger.claim(ANNA, room=100, lease_seconds=LEASE_SECONDS, only={lower})
        assert [claim.lease.job_id for claim in claims] == [lower, lower]
        assert await ledger.claim(ANNA, room=100, lease_seconds=LEASE_SECONDS, only=set()) == []
        assert await ledger.claim(ANNA, room=100, lease_seconds=LEASE_SECONDS, only={lower}) == []
        assert len(await ledger.claim(ANNA, room=100, lease_seconds=LEASE_SECONDS)) == 2

    async def test_named_jobs_can_be_passed_over_besides(self, ledger: JobLedger) -> None:
        one, other = await active_job(ledger, 1), await active_job(ledger, 2)
        claims = await ledger.claim(ANNA, room=100, lease_seconds=LEASE_SECONDS, only={one, other}, but_not={one})
        assert {claim.lease.job_id for claim in claims} == {other}

    async def test_jobs_are_claimable_while_they_have_open_chunks(self, ledger: JobLedger) -> None:
        await new_job(ledger, 1)
        active = await active_job(ledger, 2, sizes=[10, 10])
        assert await ledger.claimable_jobs() == {active}
        first = await claim_one(ledger)
        assert await ledger.claimable_jobs() == {active}
        await claim_one(ledger)
        assert await ledger.claimable_jobs() == frozenset()
        await user_cancels(ledger, active)
        await lose(ledger, first.lease, quiet_seconds=30)
        assert await ledger.claimable_jobs() == frozenset(), "what was sent could still arrive"
        (lost,) = [queued for queued in await ledger.queued_jobs() if queued.job.id == active]
        await ledger.quieten(active, quiet_at=lost.quiet_at)
        assert await ledger.claimable_jobs() == {active}

    async def test_a_rate_is_taken_while_somebody_finds_no_share_to_work_with(
        self, ledger: JobLedger, clock: HandClock
    ) -> None:
        await active_job(ledger, 1)
        await active_job(ledger, 2, operation=PutObjectCopy(target_bucket=Bucket("target"), target_region=OTHER.region))
        await new_job(ledger, 3)
        taken: list[list[bool]] = []
        for _ in range(6):
            for worker in (ANNA, BERT):
                await check_in(ledger, worker, {TARGET: wish(5, in_use=0.0)})
            await check_in(ledger, CLEO, {TARGET: wish(5, is_pressing=False)})
            taken.append([queued.is_rate_taken for queued in await ledger.queued_jobs()])
            clock.tick(SECONDS / 4)
        assert taken == [[False] * 3] * 4 + [[True, False, False]] * 2
        clock.tick(SECONDS)
        assert not any(queued.is_rate_taken for queued in await ledger.queued_jobs())
