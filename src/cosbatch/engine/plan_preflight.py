"""Pre-flight of a job that is being planned: asked with its first rows, kept on the job, and its end where something is
wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

import structlog

from cosbatch.engine.job_kit import PlanUploads
from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.ports import Stores, acting_of, regions_of
from cosbatch.ledger.port import JobLease, JobLedger
from cosbatch.ledger.preflight_port import PreflightLedger
from cosbatch.ledger.role_port import CredentialTerms
from cosbatch.manifests.plain import RowBatch
from cosbatch.manifests.reader import ManifestHeader
from cosbatch.model.clock import Clock
from cosbatch.model.errors import JobFailure, ManifestFaulty
from cosbatch.model.jobs import Job, PlanFindings
from cosbatch.model.preflight import Check, Preflight
from cosbatch.operations.checks import Checks, raise_failed
from cosbatch.operations.preflight import (
    Found,
    Ground,
    RoleSession,
    look_at_destination,
    look_at_objects,
    look_before_start,
    objects_unseen,
)
from cosbatch.operations.preflight_ground import check_count, check_spool, manifest_read, manifest_unreadable
from cosbatch.operations.write_check import WriteCheck, WriteTried, try_write
from cosbatch.reports.seal import report_keys
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)

ROWS_TRIED: Final = 1000
"""Of a batch, to find one that will write an object."""
LOOKS_FOR_CREDENTIALS: Final = 40
"""At pauses of a poll: the keeper of credentials looks as often, and an STS answers in less than a second."""
CHECK_CLOCK_SECONDS: Final = 6.0
"""How far a store's clock may be behind the ledger's."""


@dataclass(slots=True, kw_only=True)
class PlanTools:
    ledger: JobLedger
    preflights: PreflightLedger
    spool: Spool
    stores: Stores
    limits: EngineLimits
    clock: Clock


class PlanPreflight:
    """What is asked for one plan. Every method raises JobFailure where the job is not to start, StorageError for what
    may pass by itself."""

    def __init__(self, *, job: Job, lease: JobLease, tools: PlanTools, permit: Callable[[], None]) -> None:
        self._job = job
        self._lease = lease
        self._tools = tools
        self._permit = permit
        self._acting = acting_of(job)
        self._ground: Ground | None = None
        self._found: Found | None = None
        self.is_asking = False
        """An upload may be under way that asks whether the job may write: it outlives a plan that is broken off."""

    async def look(self, header: ManifestHeader, batch: RowBatch) -> PlanFindings:
        """With the first rows of the manifest."""
        limits, location = self._tools.limits, self._job.request.manifest.location
        before = Checks()
        manifest_read(before, location, etag=header.etag)
        check_spool(before, free=await self._tools.spool.free_share(), least=limits.min_free_spool_share, waits=True)
        terms = await self._tools.stores.terms(self._acting)
        self._ground = self._ground_of(header, batch, terms)
        sees_objects = terms is None or terms.is_for_tasks
        found = await look_before_start(self._ground, ask_write=self._ask_write, waits=True, sees_objects=sees_objects)
        self._found = replace(found, checks=(*before.found, *found.checks))
        await self._keep_and_raise(self._found.checks)
        if not sees_objects:
            self._found = replace(self._found, checks=(*self._found.checks, *await self._look_at_objects(self._ground)))
            await self._keep_and_raise(self._found.checks)
        log.info("pre-flight-passed", job_id=self._job.id, checks=len(self._found.checks))
        return found.findings

    async def _look_at_objects(self, ground: Ground) -> tuple[Check, ...]:
        """The role was assumed before anybody knew which bucket the manifest names, and may read nothing there. What is
        kept of the job says it by now: the keeper of credentials narrows the role to that bucket."""
        stores = self._tools.stores
        for _ in range(LOOKS_FOR_CREDENTIALS):
            terms = await stores.terms(self._acting)
            if terms is not None and terms.is_for_tasks:
                stores.leave(self._acting)  # what was opened before signs with what there was before
                source, target, report = self._open_stores()
                return await look_at_objects(replace(ground, source=source, target=target, report=report))
            await asyncio.sleep(self._tools.limits.poll_seconds)
        return objects_unseen("the role was not assumed in time for the bucket that the manifest names")

    async def look_at_destination(self, batch: RowBatch) -> None:
        """Where no earlier row has named a key that is written, these may."""
        found, ground = self._found, self._ground
        if found is None or ground is None or found.asked_target:
            return
        rows = list(islice(batch, ROWS_TRIED))
        check = await look_at_destination(ground, rows, found.findings, ask_write=self._ask_write)
        if check is not None:
            checks = tuple(check if known.name == check.name else known for known in found.checks)
            self._found = replace(found, checks=checks, asked_target=True)
            await self._keep_and_raise(checks)

    async def check_count(self, rows: int, *, is_all: bool = False) -> None:
        """Of a deletion: ``rows`` are planned so far, or in all, and the job says how many it may delete at most."""
        checks = Checks()
        check_count(self._job.request, rows, checks=checks, is_all=is_all)
        if checks.found and self._found is not None:
            await self._keep_and_raise((*self._found.checks, *checks.found))

    async def tell_unreadable(self, error: JobFailure | ManifestFaulty) -> None:
        """The manifest cannot be used at all, so that nothing else is asked."""
        checks = Checks()
        manifest_unreadable(checks, self._job.request.manifest.location, error)
        await self._keep(checks.found)

    async def _keep_and_raise(self, checks: Sequence[Check]) -> None:
        await self._keep(checks)
        raise_failed(checks)

    async def _keep(self, checks: Sequence[Check]) -> None:
        self._permit()
        findings = self._found.findings if self._found else None
        found = Preflight(checked_at=self._tools.clock.now(), checks=tuple(checks), findings=findings)
        await self._tools.preflights.keep_preflight(self._job.id, found)

    def _ground_of(self, header: ManifestHeader, batch: RowBatch, terms: CredentialTerms | None) -> Ground:
        request, stores = self._job.request, self._tools.stores
        regions = regions_of(request)
        source, target, report = self._open_stores()
        return Ground(
            request=request,
            source_bucket=header.source_bucket,
            source=source,
            target=target,
            report=report,
            source_region=stores.region(regions.source),
            target_region=stores.region(regions.target),
            report_region=stores.region(regions.report) if regions.report else None,
            report_keys=report_keys(self._job) if report else (),
            rows=list(islice(batch, ROWS_TRIED)),
            role=self._role_session(terms),
        )

    def _open_stores(self) -> tuple[ObjectStore, ObjectStore, ObjectStore | None]:
        """Source, target and report; one object where source and target are one region's."""
        request = self._job.request
        regions = regions_of(request)
        open_store = partial(self._tools.stores.open, acting=self._acting, permit=self._permit)
        source = open_store(regions.source, may_write=not request.dry_run)
        is_one = regions.target == regions.source
        target = source if is_one else open_store(regions.target, may_write=not request.dry_run)
        return source, target, open_store(regions.report) if regions.report else None

    def _role_session(self, terms: CredentialTerms | None) -> RoleSession | None:
        if terms is None:
            return None
        return RoleSession(
            arn=self._job.request.role_arn, is_narrowed=terms.is_narrowed, writable_buckets=terms.writable_buckets
        )

    async def _ask_write(self, check: WriteCheck) -> WriteTried:
        uploads = PlanUploads(self._lease, ledger=self._tools.ledger)
        self.is_asking = True
        tried = await try_write(check, uploads=uploads, since=self._job.created_at - CHECK_CLOCK_SECONDS)
        self.is_asking = False
        return tried
