"""What engine and service ask of the ledger about pre-flight: what was found out about a job before it started."""

from __future__ import annotations

from typing import Protocol

from cosbatch.model.identifiers import JobId
from cosbatch.model.preflight import Preflight


class PreflightLedger(Protocol):
    """What a job's pre-flight has found goes with the job."""

    async def keep_preflight(self, job_id: JobId, found: Preflight) -> None:
        """In place of what was found before. NoSuchJob where there is no such job. It needs no lease: what was seen was
        seen, whoever plans the job by now."""
        ...

    async def preflight(self, job_id: JobId) -> Preflight | None:
        """None where nothing was asked yet, or there is no such job."""
        ...
