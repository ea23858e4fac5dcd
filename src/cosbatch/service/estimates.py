"""Estimates of jobs that are not made yet, and of jobs that are planned: the rate is measured of jobs before them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Protocol

from cosbatch.ledger.port import JobLedger
from cosbatch.manifests.plain import RowBatch
from cosbatch.model.clock import Clock
from cosbatch.model.errors import JobFailure
from cosbatch.model.identifiers import AccountId, RegionName
from cosbatch.model.jobs import Job, JobRequest, PlanFindings, region_written
from cosbatch.model.prices import PriceTable
from cosbatch.model.principals import Caller
from cosbatch.model.regions import Region, is_same_store
from cosbatch.model.states import JobStatus
from cosbatch.operations.cost import Cost
from cosbatch.operations.estimate import (
    Estimate,
    EstimateLimits,
    Rate,
    estimate_job,
    estimate_planned,
    estimate_rows,
    measured_rate,
)
from cosbatch.operations.port import JobFacts
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile

JOBS_MEASURED: Final = 20
"""The newest that have ended, at most."""
LOOK: Final = EstimateLimits(rows=1_000_000, seconds=5.0)
"""Somebody waits for the answer."""
WHOLE: Final = EstimateLimits()


class EstimateGround(Protocol):
    """What an estimate asks of the stores."""

    def region(self, name: RegionName, /) -> Region: ...

    def profile(self, name: RegionName, /) -> CapabilityProfile: ...

    async def manifest_store(self, request: JobRequest, /, *, account: AccountId) -> ObjectStore:
        """The store of the job's region, as whoever the job acts as sees it."""
        ...


class Estimates:
    """Without a ``ledger`` nothing is measured."""

    def __init__(self, ground: EstimateGround, *, ledger: JobLedger | None, prices: PriceTable, clock: Clock) -> None:
        self._ground = ground
        self._ledger = ledger
        self._prices = prices
        self._clock = clock

    async def of_request(
        self, request: JobRequest, *, caller: Caller, limits: EstimateLimits = LOOK, rate: Rate | None = None
    ) -> Estimate:
        """``rate``: instead of the measured one. Raises ManifestFaulty, JobFailure or StorageError where the manifest
        cannot be used or read."""
        account = caller.account.id
        return await estimate_job(
            request,
            store=await self._ground.manifest_store(request, account=account),
            source_profile=self._ground.profile(request.region),
            target_profile=self._ground.profile(region_written(request)),
            same_store=self._is_same_store(request),
            prices=self._prices,
            rate=rate or await self._measured(request, account=account),
            limits=limits,
            clock=self._clock,
        )

    async def of_job(self, job: Job) -> Estimate | None:
        """Of a planned job: exact, and without a request. None where its plan is not complete, or a region is gone."""
        if job.findings is None:
            return None
        try:
            facts = self._facts(job.request, job.findings)
        except JobFailure:
            return None
        rate = await self._measured(job.request, account=job.account)
        return estimate_planned(job, facts, prices=self._prices, rate=rate)

    async def of_rows(
        self,
        request: JobRequest,
        batches: AsyncIterator[tuple[RowBatch, int]],
        *,
        findings: PlanFindings,
        whole: int,
        caller: Caller,
    ) -> Estimate | None:
        """Of a job whose rows stand in no manifest yet, as far as somebody waits for it; no store is asked. See
        :func:`cosbatch.operations.estimate.estimate_rows`. None where a region is gone."""
        try:
            facts = self._facts(request, findings)
        except JobFailure:
            return None
        return await estimate_rows(
            facts,
            batches,
            whole=whole,
            prices=self._prices,
            rate=await self._measured(request, account=caller.account.id),
            limits=LOOK,
            clock=self._clock,
        )

    def _facts(self, request: JobRequest, findings: PlanFindings) -> JobFacts:
        return JobFacts(
            request=request,
            findings=findings,
            source_profile=self._ground.profile(request.region),
            target_profile=self._ground.profile(region_written(request)),
            same_store=self._is_same_store(request),
        )

    def _is_same_store(self, request: JobRequest) -> bool:
        return is_same_store(self._ground.region(request.region), self._ground.region(region_written(request)))

    async def _measured(self, request: JobRequest, *, account: AccountId) -> Rate | None:
        if self._ledger is None:
            return None
        ended = await self._ledger.jobs(
            account=account, region=request.region, statuses={JobStatus.COMPLETE}, limit=JOBS_MEASURED
        )
        return measured_rate(ended, request)


def estimate_document(estimate: Estimate) -> dict[str, Any]:
    """For machines; what is not known is null."""
    rate = estimate.rate
    return {
        "is_exact": estimate.is_exact,
        "rows_read": estimate.rows_read,
        "rows": estimate.rows,
        "objects": estimate.objects,
        "size_bytes": estimate.size_bytes,
        "objects_in_parts": estimate.objects_in_parts,
        "requests": dict(estimate.requests),
        "total_requests": estimate.total_requests,
        "duration_seconds": estimate.duration_seconds,
        "rate": None if rate is None else _rate(rate),
        "cost": _cost(estimate.cost),
        "notes": list(estimate.notes),
    }


def _rate(rate: Rate) -> Mapping[str, Any]:
    return {
        "requests_per_second": rate.requests_per_second,
        "bytes_per_second": rate.bytes_per_second,
        "measured_jobs": rate.measured_jobs,
    }


def _cost(cost: Cost) -> Mapping[str, Any]:
    return {
        "currency": cost.currency,
        "total": cost.total,
        "lines": [
            {
                "what": line.what,
                "quantity": line.quantity,
                "unit_quantity": line.unit_quantity,
                "unit_price": line.unit_price,
                "amount": line.amount,
            }
            for line in cost.lines
        ],
        "unpriced": list(cost.unpriced),
    }
