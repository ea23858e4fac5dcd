"""What a commit writes for people who look on: how many results it brought when, and some failures as they were."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, delete, insert, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.codec import encode
from cosbatch.ledger.series_rules import bucket_of, folded, is_fold_due, is_told, new_samples, point_of
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.identifiers import JobId
from cosbatch.model.reports import FailureSample, Tally
from cosbatch.model.series import SeriesPoint

SERIES: Final = tables.job_series.c
POINTS: Final = select(tables.job_series).where(SERIES.job_id == bindparam("the_job")).order_by(SERIES.at)
_THE_BUCKET: Final = and_(SERIES.job_id == bindparam("the_job"), SERIES.at == bindparam("the_time"))
_ADD: Final = (
    update(tables.job_series)
    .where(_THE_BUCKET)
    .values(
        succeeded=SERIES.succeeded + bindparam("more_succeeded"),
        failed=SERIES.failed + bindparam("more_failed"),
        bytes_done=SERIES.bytes_done + bindparam("more_bytes"),
    )
)
_BEGIN: Final = insert(tables.job_series)
_DROP: Final = delete(tables.job_series).where(
    SERIES.job_id == bindparam("the_job"), SERIES.at == bindparam("the_time")
)
_ADD_SAMPLE: Final = insert(tables.failure_sample)


def add_results(tx: Transaction, row: Row[Any], tally: Tally) -> Parameters:
    """To the series of the job in ``row``; what changes in the row itself by it."""
    if not is_told(tally):
        return {}
    now = tx.now()
    bucket = bucket_of(now)
    added = {"more_succeeded": tally.succeeded, "more_failed": tally.failed, "more_bytes": tally.bytes_done}
    if not tx.change(_ADD, {"the_job": row.id, "the_time": bucket} | added):
        tx.change(_BEGIN, _point_row(row.id, point_of(tally, now=now)))
    if is_fold_due(row.narrow_from, now=now):
        return {"narrow_from": _fold(tx, row.id, now=now)}
    return {"narrow_from": bucket} if row.narrow_from is None else {}


def _fold(tx: Transaction, job_id: JobId, *, now: float) -> int:
    points = [point_from(row) for row in tx.all(POINTS, {"the_job": job_id})]
    left, narrow_from = folded(points, now=now)
    before, after = set(points), set(left)
    tx.change_each(_DROP, [{"the_job": job_id, "the_time": point.at} for point in points if point not in after])
    tx.change_each(_BEGIN, [_point_row(job_id, point) for point in left if point not in before])
    return narrow_from


def add_samples(
    tx: Transaction, job_id: JobId, samples: tuple[FailureSample, ...], *, before: Tally, after: Tally
) -> None:
    """Where there is room for them. ``before`` and ``after``: what the job has counted."""
    rows = [
        {"job_id": job_id, "code": code, "place": place, "sample": encode(sample)}
        for code, place, sample in new_samples(before, after, samples)
    ]
    tx.change_each(_ADD_SAMPLE, rows)


def point_from(row: Row[Any]) -> SeriesPoint:
    return SeriesPoint(
        at=row.at, seconds=row.seconds, succeeded=row.succeeded, failed=row.failed, bytes_done=row.bytes_done
    )


def _point_row(job_id: JobId, point: SeriesPoint) -> Parameters:
    return {
        "job_id": job_id,
        "at": point.at,
        "seconds": point.seconds,
        "succeeded": point.succeeded,
        "failed": point.failed,
        "bytes_done": point.bytes_done,
    }
