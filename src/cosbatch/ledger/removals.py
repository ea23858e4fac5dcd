"""The end of a job's records: first the job is nobody's any more, then its rows go, a few in each transaction.

The job's own row goes last. So whoever dies in between leaves a removed job, which the next sweep finds and goes on
with, and never a row that belongs to nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Delete, FromClause, bindparam, delete, select, tuple_, update

from cosbatch.ledger import tables
from cosbatch.ledger.job_rows import JOB, THE_JOB, load_row
from cosbatch.ledger.rules import ROWS_PER_WRITE, check_may_be_removed
from cosbatch.ledger.tables import HAS_ENDED, IS_REMOVED
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import JobId
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus

# An empty token is none: the index of tokens does not have it, so the next job may bear the removed one's.
_REMOVE: Final = update(tables.job).where(THE_JOB).values(token="", removed_at=bindparam("now"))
_ENDED: Final = (
    select(JOB.id)
    .where(HAS_ENDED, JOB.ended_at < bindparam("before"), JOB.report_state != str(ReportState.PENDING))
    .order_by(JOB.ended_at, JOB.id)
    .limit(bindparam("most"))
)
_REMOVED: Final = select(JOB.id).where(IS_REMOVED).order_by(JOB.id).limit(bindparam("most"))
_IS_REMOVED: Final = select(JOB.id).where(THE_JOB, IS_REMOVED)
_KNOWN: Final = select(JOB.id).where(JOB.id.in_(bindparam("the_jobs", expanding=True)))
_DELETE_JOB: Final = delete(tables.job).where(THE_JOB, IS_REMOVED)


def _delete_some(table: FromClause, *key: str) -> Delete:
    """The first of a job's rows in a table with this primary key."""
    columns = [table.c[name] for name in key]
    some = select(*columns).where(table.c.job_id == bindparam("the_job")).order_by(*columns).limit(ROWS_PER_WRITE)
    place = tuple_(*columns) if len(columns) > 1 else columns[0]
    return delete(table).where(place.in_(some))  # type: ignore[arg-type]


_DELETE_ROWS: Final = (  # what refers to something goes before it
    _delete_some(tables.part, "job_id", "seq", "place"),
    _delete_some(tables.chunk, "job_id", "seq"),
    _delete_some(tables.upload, "job_id", "upload_id"),
    _delete_some(tables.job_series, "job_id", "at"),
    _delete_some(tables.failure_sample, "job_id", "code", "place"),
    _delete_some(tables.job_event, "id"),
)


def remove(tx: Transaction, job_id: JobId) -> None:
    row = load_row(tx, job_id)
    check_may_be_removed(job_id, JobStatus(row.status), report_state=ReportState(row.report_state))
    tx.change(_REMOVE, {"the_job": job_id, "now": tx.now()})


def remove_ended(tx: Transaction, *, older_than_seconds: float, limit: int) -> list[JobId]:
    rows = tx.all(_ENDED, {"before": tx.now() - older_than_seconds, "most": limit})
    tx.change_each(_REMOVE, [{"the_job": row.id, "now": tx.now()} for row in rows])
    return [JobId(row.id) for row in rows]


def removed_jobs(tx: Transaction, *, limit: int) -> list[JobId]:
    return [JobId(row.id) for row in tx.all(_REMOVED, {"most": limit})]


def delete_some_rows(tx: Transaction, job_id: JobId) -> bool:
    the_job = {"the_job": job_id}
    if tx.one(_IS_REMOVED, the_job) is None:
        return False
    if any(tx.change(statement, the_job) for statement in _DELETE_ROWS):
        return True
    tx.change(_DELETE_JOB, the_job)
    return False


def known_jobs(tx: Transaction, job_ids: Collection[JobId]) -> frozenset[JobId]:
    return frozenset(JobId(row.id) for row in tx.all(_KNOWN, {"the_jobs": list(job_ids)}))
