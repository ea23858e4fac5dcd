"""What checks jobs before they run, over a running service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cosbatch.identity.credentials import StaticCredentials
from cosbatch.identity.policies import Access
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import NoSuchRole
from cosbatch.model.identifiers import AccountId
from cosbatch.model.jobs import JobRequest
from cosbatch.operations.preflight import RoleSession
from cosbatch.service.audit import Record
from cosbatch.service.job_checks import EstimateJob, JobChecker, OpenAs, OpenStores
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.service import JobService
from cosbatch.settings import Settings
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.wiring.stores import RegionStores, profile_of


def job_checker(
    settings: Settings,
    data_dir: Path,
    *,
    ledger: SqlLedger,
    service: JobService,
    stores: RegionStores,
    desk: RoleDesk | None,
    clock: Clock,
    record: Record,
    estimate: EstimateJob | None = None,
) -> JobChecker:
    """``estimate``: what a job would cost; without it nothing is said of that."""
    return JobChecker(
        jobs=ledger,
        preflights=ledger.preflights,
        check_request=service.check_request,
        regions=stores.regions,
        profile_of=profile_of,
        open_stores=_opening(stores, desk),
        free_space=FolderSpool(data_dir / "spool").free_share,
        min_free_share=settings.min_free_spool_share,
        deletes_allowed=settings.server.deletes_allowed,
        clock=clock,
        record=record,
        estimate=estimate,
    )


def _opening(stores: RegionStores, desk: RoleDesk | None) -> OpenStores:
    async def open_stores(request: JobRequest, account: AccountId, accesses: Sequence[Access]) -> OpenAs:
        """The bare stores: a person waits, and wants the refusal rather than a long hold."""
        if not request.role_arn:
            return OpenAs(store=stores.plain, role=None)
        if desk is None:
            raise NoSuchRole(f"there is no role {request.role_arn}")
        assumed = await desk.assume(request.role_arn, account=account, session_name="cosbatch-check", accesses=accesses)
        source = StaticCredentials(assumed.credentials)
        role = RoleSession(
            arn=request.role_arn, is_narrowed=assumed.is_narrowed, writable_buckets=assumed.writable_buckets
        )
        return OpenAs(store=lambda region: stores.signed_by(source, stores.region(region)), role=role)

    return open_stores
