"""The PreflightLedger over a SQL database."""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import bindparam, delete, insert, select

from cosbatch.ledger import tables
from cosbatch.ledger.codec import decode, encode
from cosbatch.ledger.preflight_port import PreflightLedger
from cosbatch.ledger.preflight_tables import job_preflight
from cosbatch.ledger.rules import no_such_job
from cosbatch.ledger.tables import IS_REMOVED
from cosbatch.ledger.transaction import Database, Transaction
from cosbatch.model.identifiers import JobId
from cosbatch.model.preflight import Preflight

_JOB: Final = select(tables.job.c.id).where(tables.job.c.id == bindparam("the_job"), ~IS_REMOVED)
_OF_JOB: Final = job_preflight.c.job_id == bindparam("the_job")
_FOUND: Final = (
    select(job_preflight.c.found)
    .join(tables.job, tables.job.c.id == job_preflight.c.job_id)
    .where(_OF_JOB, ~IS_REMOVED)
)
_ADD: Final = insert(job_preflight)
_REMOVE: Final = delete(job_preflight).where(_OF_JOB)


class SqlPreflights(PreflightLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        """``database`` belongs to the JobLedger beside it, which closes it."""
        self._database = database

    async def keep_preflight(self, job_id: JobId, found: Preflight) -> None:
        await self._database.write(partial(_keep, job_id=job_id, found=found))

    async def preflight(self, job_id: JobId) -> Preflight | None:
        row = await self._database.read(lambda tx: tx.one(_FOUND, {"the_job": job_id}))
        return None if row is None else decode(row.found, Preflight)


def _keep(tx: Transaction, *, job_id: JobId, found: Preflight) -> None:
    if tx.one(_JOB, {"the_job": job_id}) is None:
        raise no_such_job(job_id)
    tx.change(_REMOVE, {"the_job": job_id})
    tx.change(_ADD, {"job_id": job_id, "found": encode(found)})
