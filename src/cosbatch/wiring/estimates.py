"""What speaks for estimates: over the stores of the region table, a folder's ledger, and the prices of the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from cosbatch.identity.credentials import StaticCredentials
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import InvalidArgument, JobFailure, ManifestFaulty, RoleNotAssumed, StorageError
from cosbatch.model.identifiers import AccountId, RegionName
from cosbatch.model.jobs import JobRequest
from cosbatch.model.principals import Caller
from cosbatch.model.regions import Region
from cosbatch.operations.job_access import manifest_access
from cosbatch.service.estimates import Estimates, estimate_document
from cosbatch.service.job_checks import EstimateJob
from cosbatch.service.role_desk import RoleDesk
from cosbatch.settings import Settings
from cosbatch.settings.prices import price_table
from cosbatch.storage.port import ObjectStore
from cosbatch.storage.profiles import CapabilityProfile
from cosbatch.wiring.service import desk_where_needed, has_jobs, opened_for_look
from cosbatch.wiring.stores import RegionStores, open_stores, profile_of


class StoreGround:
    """An :class:`cosbatch.service.estimates.EstimateGround` over the stores of this process."""

    def __init__(self, stores: RegionStores, *, desk: RoleDesk | None) -> None:
        self._stores = stores
        self._desk = desk

    def region(self, name: RegionName, /) -> Region:
        return self._stores.region(name)

    def profile(self, name: RegionName, /) -> CapabilityProfile:
        return profile_of(self._stores.region(name))

    async def manifest_store(self, request: JobRequest, /, *, account: AccountId) -> ObjectStore:
        """The bare store: a person waits, and wants the refusal rather than a long hold."""
        if not request.role_arn:
            return opened_for_look(partial(self._stores.plain, request.region), request.region)
        if self._desk is None:
            raise InvalidArgument(f"there is no role {request.role_arn}; declare it, or make it with cosbatch admin")
        assumed = await self._desk.assume(
            request.role_arn,
            account=account,
            session_name="cosbatch-estimate",
            accesses=[manifest_access(request.manifest, region=request.region)],
        )
        source = StaticCredentials(assumed.credentials)
        return opened_for_look(
            lambda: self._stores.signed_by(source, self._stores.region(request.region)), request.region
        )


def estimates(
    settings: Settings, stores: RegionStores, *, ledger: SqlLedger | None, desk: RoleDesk | None
) -> Estimates:
    return Estimates(
        StoreGround(stores, desk=desk), ledger=ledger, prices=price_table(settings.prices), clock=SystemClock()
    )


def estimate_of_check(found: Estimates) -> EstimateJob:
    """For a check of a job: a manifest that cannot be used is told there, and has no estimate."""

    async def estimate(request: JobRequest, caller: Caller) -> Mapping[str, object] | None:
        try:
            return estimate_document(await found.of_request(request, caller=caller))
        except (ManifestFaulty, JobFailure, StorageError, RoleNotAssumed):
            return None

    return estimate


@asynccontextmanager
async def open_estimates(settings: Settings, data_dir: Path) -> AsyncIterator[Estimates]:
    """Of a folder whose ledger is not made by looking: without one nothing was measured, and no role is kept."""
    async with AsyncExitStack() as stack:
        ledger = await open_sqlite_ledger(data_dir) if has_jobs(data_dir) else None
        if ledger is not None:
            stack.push_async_callback(ledger.close)
        kept = None if ledger is None else ledger.regions
        stores = await stack.enter_async_context(open_stores(settings, clock=SystemClock(), kept=kept))
        desk = None if ledger is None else desk_where_needed(settings, data_dir, ledger, regions=stores.regions)
        yield estimates(settings, stores, ledger=ledger, desk=desk)
