"""The remover: takes away what is left of jobs that were deleted or have ended long ago. Any number may run at once.

A job is removed in the ledger first: from then on it is nobody's. Its files go next, then its rows, its own row last.
So a remover that dies leaves a removed job with fewer files or rows, and the next one goes on with it. Files without
any row are those of a process that was held up for long and wrote after the job had gone: they are swept once the
retention of a job of that age must be over.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.renewal import until_stopped
from cosbatch.ledger.port import JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import SpoolError
from cosbatch.model.identifiers import JobId, made_at
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)

JOBS_FOLDER: Final = "jobs/"
"""Of the work area: in it each job has a folder."""
FILES_A_STEP: Final = 100
JOBS_A_LOOK: Final = 100


class Remover:
    """Works in small steps, so that it holds nobody up."""

    def __init__(self, *, ledger: JobLedger, spool: Spool, clock: Clock, limits: EngineLimits) -> None:
        self._ledger = ledger
        self._spool = spool
        self._clock = clock
        self._limits = limits
        self._next_look_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        await until_stopped(self.step, stop=stop, pause_seconds=self._limits.removal_poll_seconds)

    async def step(self) -> bool:
        """Some of the work; whether there may be more."""
        if self._clock.boottime() >= self._next_look_at:
            if await self._end_retention():
                return True
            await self._sweep_orphans()
            self._next_look_at = self._clock.boottime() + self._limits.retention_poll_seconds
        for job_id in await self._ledger.removed_jobs():
            if await self._take_some(job_id):
                return True
        return False

    async def _end_retention(self) -> bool:
        ended = await self._ledger.remove_ended(older_than_seconds=self._limits.retention_seconds, limit=JOBS_A_LOOK)
        for job_id in ended:
            log.info("retention-ended", job_id=job_id)
        return len(ended) == JOBS_A_LOOK

    async def _take_some(self, job_id: JobId) -> bool:
        """Whether something was taken away. Rows only go when no file is left: they say that there may be some."""
        try:
            if await self._delete_some_files(job_id):
                return True
        except SpoolError as error:
            log.warning("removal-waits", job_id=job_id, error=str(error))
            return False
        has_more = await self._ledger.delete_some_rows(job_id)
        if not has_more:
            log.info("removed", job_id=job_id)
        return has_more

    async def _sweep_orphans(self) -> None:
        """A job's row is there before its first file, so a folder that has no row after it was seen has none for good.
        Young ones are left alone: they may be those of a ledger that is about to be restored."""
        before = self._clock.now() - self._limits.retention_seconds
        try:
            folders = await self._spool.folders(JOBS_FOLDER)
            old = [JobId(name) for name in folders if (made := made_at(JobId(name))) is not None and made < before]
            for first in range(0, len(old), JOBS_A_LOOK):
                some = old[first : first + JOBS_A_LOOK]
                known = await self._ledger.known_jobs(some)
                for job_id in (job_id for job_id in some if job_id not in known):
                    log.warning("orphans-swept", job_id=job_id)
                    while await self._delete_some_files(job_id):
                        pass
        except SpoolError as error:
            log.warning("orphans-not-swept", error=str(error))

    async def _delete_some_files(self, job_id: JobId) -> bool:
        """From the first folder that has some: the names of all files of a great job would not fit into memory."""
        folder = f"{JOBS_FOLDER}{job_id}/"
        while below := await self._spool.folders(folder):
            folder += f"{below[0]}/"
        names = await self._spool.list(folder)
        for name in names[:FILES_A_STEP]:
            await self._spool.delete(name)
        return bool(names)
