"""What all jobs add up to. Each statement walks over the jobs along an index; none looks at a chunk."""

from __future__ import annotations

import json
from collections import Counter
from typing import Final

from sqlalchemy import func, select

from cosbatch.ledger import tables
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.census import JobCensus
from cosbatch.model.reports import ReportState
from cosbatch.model.states import FINAL, JobStatus

WAITING: Final = (JobStatus.NEW, JobStatus.READY)
_JOB: Final = tables.job.c
_BY_STATUS: Final = (
    select(
        _JOB.status,
        func.count().label("jobs"),
        func.sum(_JOB.succeeded).label("succeeded"),
        func.sum(_JOB.failed).label("failed"),
        func.sum(_JOB.skipped).label("skipped"),
        func.sum(_JOB.requests).label("requests"),
        func.sum(_JOB.bytes_done).label("bytes_done"),
        func.count(_JOB.hold).label("held"),
    )
    .group_by(_JOB.status)
    .order_by(_JOB.status)
)
_FAILURES: Final = select(_JOB.failures).where(_JOB.failed > 0).order_by(_JOB.status, _JOB.priority, _JOB.id)
_PENDING: Final = (
    select(func.count())
    .select_from(tables.job)
    .where(_JOB.status.in_(sorted(FINAL)), _JOB.report_state == ReportState.PENDING.value)
)
_WAITING_SINCE: Final = select(func.min(_JOB.changed_at)).where(_JOB.status.in_([status.value for status in WAITING]))


def census(tx: Transaction) -> JobCensus:
    rows = tx.all(_BY_STATUS, {})
    since = tx.all(_WAITING_SINCE, {})[0][0]
    return JobCensus(
        jobs={JobStatus(row.status): row.jobs for row in rows},
        succeeded=sum(row.succeeded for row in rows),
        failed=sum(row.failed for row in rows),
        skipped=sum(row.skipped for row in rows),
        requests=sum(row.requests for row in rows),
        bytes_done=sum(row.bytes_done for row in rows),
        failed_by_code=_failed_by_code(tx),
        on_hold=sum(row.held for row in rows if JobStatus(row.status) not in FINAL),
        reports_pending=tx.all(_PENDING, {})[0][0],
        longest_wait_seconds=0.0 if since is None else max(tx.now() - since, 0.0),
    )


def _failed_by_code(tx: Transaction) -> dict[str, int]:
    """Of thousands of jobs only the counts are wanted: the samples beside them are not made into values."""
    found: Counter[str] = Counter()
    for row in tx.all(_FAILURES, {}):
        found.update({code: tally["count"] for code, tally in json.loads(row.failures)["codes"].items()})
    return dict(found)
