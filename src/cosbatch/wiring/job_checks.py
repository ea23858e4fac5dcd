"""What checks jobs before they run, over a running service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from cosbatch.identity.credentials import StaticCredentials
from cosbatch.identity.policies import Access
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import NoSuchRole
from cosbatch.model.identifiers import AccountId
from cosbatch.model.jobs import JobRequest
from cosbatch.operations.preflight import RoleSession
from cosbatch.service.audit import Record
from cosbatch.service.follow_up_checks import FollowUpChecker, JobChecks
from cosbatch.service.job_checks import EstimateJob, JobChecker, OpenAs, OpenStores
from cosbatch.service.role_desk import RoleDesk
from cosbatch.service.service import JobService
from cosbatch.settings import Settings
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.wiring.estimates import estimate_of_check, estimates
from cosbatch.wiring.follow_up import follow_up
from cosbatch.wiring.service import check_known, desk_where_needed, job_service
from cosbatch.wiring.stores import RegionStores, open_stores, profile_of


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
    deletes_allowed: bool | None = None,
) -> JobChecker:
    """``estimate``: what a job would cost; without it nothing is said of that. ``deletes_allowed``: by default what the
    settings of the service say."""
    return JobChecker(
        jobs=ledger,
        preflights=ledger.preflights,
        check_request=service.check_request,
        regions=stores.regions,
        profile_of=profile_of,
        open_stores=_opening(stores, desk),
        free_space=FolderSpool(data_dir / "spool").free_share,
        min_free_share=settings.min_free_spool_share,
        deletes_allowed=settings.server.deletes_allowed if deletes_allowed is None else deletes_allowed,
        clock=clock,
        record=record,
        estimate=estimate,
    )


@asynccontextmanager
async def open_job_checks(settings: Settings, data_dir: Path, *, account: str = "") -> AsyncIterator[JobChecks]:
    """Without an engine or a service: of jobs that are run on this folder, where nothing switches deletions off.
    NoSuchName where somebody asks for an ``account`` that there is not."""
    clock = SystemClock()
    ledger = await open_sqlite_ledger(data_dir)
    try:
        await check_known(ledger, account)
        async with open_stores(settings, clock=clock, kept=ledger.regions) as stores:
            desk = desk_where_needed(settings, data_dir, ledger, regions=stores.regions)
            service = job_service(settings, ledger, stores, desk=desk)
            found = estimates(settings, stores, ledger=ledger, desk=desk)
            checker = job_checker(
                settings,
                data_dir,
                ledger=ledger,
                service=service,
                stores=stores,
                desk=desk,
                clock=clock,
                record=ledger.people.record,
                estimate=estimate_of_check(found),
                deletes_allowed=True,
            )
            of_jobs = FollowUpChecker(
                follow_up(service, ledger, data_dir), checker, estimates=found, record=ledger.people.record
            )
            yield JobChecks(checker, of_jobs)
    finally:
        await ledger.close()


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
