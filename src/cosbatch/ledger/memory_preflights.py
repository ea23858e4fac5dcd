"""The PreflightLedger in plain Python objects, beside the JobLedger in memory. No call of it ever suspends."""

from __future__ import annotations

from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.preflight_port import PreflightLedger
from cosbatch.model.errors import NoSuchJob
from cosbatch.model.identifiers import JobId
from cosbatch.model.preflight import Preflight


class MemoryPreflights(PreflightLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, jobs: JobLedger) -> None:
        """``jobs`` says which jobs there are."""
        self._jobs = jobs
        self._found: dict[JobId, Preflight] = {}

    async def keep_preflight(self, job_id: JobId, found: Preflight) -> None:
        await self._jobs.job(job_id)
        self._found[job_id] = found

    async def preflight(self, job_id: JobId) -> Preflight | None:
        try:
            await self._jobs.job(job_id)
        except NoSuchJob:
            return None
        return self._found.get(job_id)
