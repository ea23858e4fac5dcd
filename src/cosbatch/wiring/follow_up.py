"""What is asked of jobs that are there already, over a data folder: it reads their results in the work area."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.service.follow_up import FollowUp
from cosbatch.service.report_downloads import ReportDownloads
from cosbatch.service.service import JobService
from cosbatch.settings import Settings
from cosbatch.storage.folder_spool import FolderSpool
from cosbatch.wiring.service import desk_where_needed, job_service
from cosbatch.wiring.stores import open_stores


def follow_up(jobs: JobService, ledger: SqlLedger, data_dir: Path) -> FollowUp:
    return FollowUp(jobs, ledger=ledger, spool=own_spool(data_dir), record=ledger.people.record)


def report_downloads(ledger: SqlLedger, data_dir: Path, *, clock: Clock) -> ReportDownloads:
    return ReportDownloads(ledger, spool=own_spool(data_dir), clock=clock)


def own_spool(data_dir: Path) -> FolderSpool:
    """The work area of a data folder."""
    return FolderSpool(data_dir / "spool")


@asynccontextmanager
async def open_follow_up(settings: Settings, data_dir: Path) -> AsyncIterator[FollowUp]:
    """Without an engine: the jobs that are made are run by whatever engine works on the folder."""
    ledger = await open_sqlite_ledger(data_dir)
    try:
        async with open_stores(settings, clock=SystemClock(), kept=ledger.regions) as stores:
            desk = desk_where_needed(settings, data_dir, ledger, regions=stores.regions)
            yield follow_up(job_service(settings, ledger, stores, desk=desk), ledger, data_dir)
    finally:
        await ledger.close()


@asynccontextmanager
async def open_report_downloads(data_dir: Path) -> AsyncIterator[ReportDownloads]:
    ledger = await open_sqlite_ledger(data_dir)
    try:
        yield report_downloads(ledger, data_dir, clock=SystemClock())
    finally:
        await ledger.close()
