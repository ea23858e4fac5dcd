"""Estimates as the service gives them: of a request, at the rate of jobs before it, and of a planned job."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, new_job_id
from cosbatch.model.jobs import Job, JobRequest, ListedTotals, PlanFindings
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.prices import PriceTable
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.regions import Versioning
from cosbatch.operations.estimate import EstimateLimits, Rate
from cosbatch.service.estimates import Estimates, estimate_document
from tests.unit.cli.memory_engine import MemoryGround, TickingClock
from tests.unit.service.job_builders import job_request

BUCKET = Bucket("logs-125")
FINDINGS = PlanFindings(
    source_bucket=BUCKET, source_versioning=Versioning.NEVER, target_versioning=Versioning.NEVER, manifest_etag="e"
)
LISTED = ListedTotals(rows=300, not_sent=10, size_bytes=5000, large=0, parts=0)


def _estimates(ground: MemoryGround, *, ledger: MemoryLedger | None = None) -> Estimates:
    prices = PriceTable(currency="CNY", regions={})
    return Estimates(ground, ledger=ledger, prices=prices, clock=TickingClock())


def _listed(ground: MemoryGround, rows: int) -> JobRequest:
    """A request whose manifest lists so many keys."""
    ground.store.create_bucket(BUCKET)
    content = b"".join(b"%s,raw/%d\n" % (BUCKET.encode(), number) for number in range(rows))
    outcome = ground.store.put_now(BUCKET, "list.csv", content)
    manifest = Manifest(
        location=ManifestLocation(bucket=BUCKET, key=ObjectKey("list.csv"), etag=outcome.etag),
        spec=ManifestSpec(format=ManifestFormat.COS_CSV, fields=(ManifestField.BUCKET, ManifestField.KEY)),
    )
    return replace(job_request(), manifest=manifest)


def test_of_a_request_within_limits() -> None:
    ground = MemoryGround()
    request = _listed(ground, 700)
    found = asyncio.run(_estimates(ground).of_request(request, caller=LOCAL_CALLER, limits=EstimateLimits()))

    assert (found.is_exact, found.objects, found.rate, found.duration_seconds) == (True, 700, None, None)
    assert estimate_document(found)["cost"]["total"] is None


def test_a_given_rate_counts_instead_of_a_measured_one() -> None:
    ground = MemoryGround()
    request = _listed(ground, 700)
    rate = Rate(requests_per_second=9.0)
    found = asyncio.run(_estimates(ground, ledger=MemoryLedger(TickingClock())).of_request(
        request, caller=LOCAL_CALLER, rate=rate
    ))  # fmt: skip

    assert found.duration_seconds == found.total_requests / 9.0
    assert estimate_document(found)["rate"] == {
        "requests_per_second": 9.0, "bytes_per_second": None, "measured_jobs": 0
    }  # fmt: skip


def test_of_a_planned_job_nothing_is_asked() -> None:
    ground = MemoryGround()
    ledger = MemoryLedger(TickingClock())

    async def scenario() -> tuple[object, object, object]:
        job_id: JobId = new_job_id()
        job: Job = await ledger.create(
            job_request(), job_id=job_id, account=LOCAL_CALLER.account.id, token="t", digest="d"
        )
        estimates = _estimates(ground, ledger=ledger)
        unplanned = await estimates.of_job(job)
        uncounted = await estimates.of_job(replace(job, findings=FINDINGS))
        planned = await estimates.of_job(replace(job, findings=replace(FINDINGS, listed=LISTED)))
        return unplanned, uncounted, planned and (planned.is_exact, planned.objects, planned.size_bytes)

    assert asyncio.run(scenario()) == (None, None, (True, 290, 5000))
