"""Lists of jobs, and how jobs went: reads alone.

A list is two walks along the index ``job_listed``, which has everything that they look at: one counts, one finds the
page; then the jobs of the page are read by their ids. Without an index for each order and filter a commit has one index
to keep, not twenty, and no filter is slow because little is found: ten thousand jobs take one to two milliseconds.
Newest first and unfiltered, the page is found without a walk.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, null, or_, select

from cosbatch.ledger import tables
from cosbatch.ledger.codec import decode
from cosbatch.ledger.job_rows import JOB, job_from
from cosbatch.ledger.list_port import (
    NEWEST_FIRST,
    STATUSES_OF,
    JobCount,
    JobFilter,
    JobGroup,
    JobListing,
    JobLists,
    JobSort,
    ListOrder,
    ListPlace,
    RecentResults,
    RoleUse,
    folded_text,
)
from cosbatch.ledger.series import POINTS, SERIES, point_from
from cosbatch.ledger.tables import IS_THERE
from cosbatch.ledger.transaction import Database, Transaction
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.jobs import Job
from cosbatch.model.reports import FailureSample
from cosbatch.model.series import JobSeries
from cosbatch.model.states import JobStatus, is_final

_SAMPLE: Final = tables.failure_sample.c
_KEYS: Final[Mapping[JobSort, ColumnElement[Any]]] = {
    JobSort.PRIORITY: JOB.priority,
    JobSort.PROGRESS: JOB.progress,
    JobSort.TOTAL: JOB.total,
    JobSort.FAILED: JOB.failed,
    JobSort.FINISHED: JOB.ended_at,
}
"""Creation order is id order."""

_BY_ID: Final = select(tables.job).where(JOB.id.in_(bindparam("the_jobs", expanding=True)), IS_THERE)
_IS_THERE: Final = select(JOB.id).where(JOB.id == bindparam("the_job"), IS_THERE)
_RESULTS: Final = SERIES.succeeded + SERIES.failed
_RECENT: Final = (
    select(
        SERIES.job_id,
        func.sum(case((SERIES.at >= bindparam("a_minute_ago"), _RESULTS), else_=0)).label("last_minute"),
        func.sum(_RESULTS).label("last_five_minutes"),
    )
    .where(SERIES.job_id.in_(bindparam("the_jobs", expanding=True)), SERIES.at >= bindparam("five_minutes_ago"))
    .group_by(SERIES.job_id)
)
_ROLE_USES: Final = (
    select(JOB.role_arn, JOB.status, func.count().label("count_found"), func.max(JOB.created_at).label("newest_at"))
    .where(JOB.account == bindparam("the_account"), tables.HAS_ROLE, IS_THERE)
    .group_by(JOB.role_arn, JOB.status)
    .order_by(JOB.role_arn, JOB.status)
)
_SAMPLES: Final = (
    select(tables.failure_sample).where(_SAMPLE.job_id == bindparam("the_job")).order_by(_SAMPLE.code, _SAMPLE.place)
)
_SAMPLES_OF_CODE: Final = _SAMPLES.where(_SAMPLE.code == bindparam("the_code"))


class SqlJobLists(JobLists):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_jobs(
        self, wanted: JobFilter, *, order: ListOrder = NEWEST_FIRST, after: ListPlace | None = None, limit: int = 50
    ) -> JobListing:
        return await self._database.read(partial(_list_jobs, wanted=wanted, order=order, after=after, limit=limit))

    async def series(self, job_id: JobId) -> JobSeries:
        return await self._database.read(partial(_series, job_id=job_id))

    async def recent_results(self, job_ids: Collection[JobId]) -> Mapping[JobId, RecentResults]:
        return await self._database.read(partial(_recent_results, job_ids=job_ids))

    async def role_uses(self, *, account: AccountId) -> Mapping[str, RoleUse]:
        return await self._database.read(partial(_role_uses, account=account))

    async def failure_samples(self, job_id: JobId, *, code: str | None = None) -> dict[str, list[FailureSample]]:
        return await self._database.read(partial(_failure_samples, job_id=job_id, code=code))


def _list_jobs(
    tx: Transaction, *, wanted: JobFilter, order: ListOrder, after: ListPlace | None, limit: int
) -> JobListing:
    found = tx.all(page_statement(wanted, order=order, after=after).limit(limit + 1))
    places = [ListPlace(key=row.key, job_id=JobId(row.id)) for row in found]
    page = places[:limit]
    return JobListing(
        jobs=_jobs_at(tx, page),
        next=page[-1] if len(places) > limit else None,
        counts=tuple(
            JobCount(status=JobStatus(row.status), is_over_threshold=bool(row.over_threshold), count=row.count_found)
            for row in tx.all(count_statement(wanted))
        ),
        now=tx.now(),
    )


def _jobs_at(tx: Transaction, places: Sequence[ListPlace]) -> tuple[Job, ...]:
    if not places:
        return ()
    rows = {row.id: row for row in tx.all(_BY_ID, {"the_jobs": [place.job_id for place in places]})}
    return tuple(job_from(rows[place.job_id]) for place in places)


def count_statement(wanted: JobFilter) -> Select[Any]:
    """Statuses and groups are told apart here, not left out."""
    return (
        select(JOB.status, JOB.over_threshold, func.count().label("count_found"))
        .where(*_conditions(wanted))
        .group_by(JOB.status, JOB.over_threshold)
        .order_by(JOB.status, JOB.over_threshold)
    )


def page_statement(wanted: JobFilter, *, order: ListOrder, after: ListPlace | None) -> Select[Any]:
    """Ids and keys of the jobs after a place, in order."""
    if order.sort is JobSort.CREATED:
        statement = select(JOB.id, null().label("key"))
    else:
        statement = select(JOB.id, _KEYS[order.sort].label("key"))
    statement = statement.where(*_conditions(wanted), *_status_conditions(wanted))
    if after is not None:
        statement = statement.where(_is_after(wanted, order, after))
    return statement.order_by(*_ordering(wanted, order))


def _id_of(wanted: JobFilter, order: ListOrder) -> ColumnElement[str]:
    """What the order of ids is told by. But for all jobs in this order, it is no column: else a database might follow
    the index of ids, and read the row of every job that it passes."""
    return JOB.id if wanted.takes_all and order.sort is JobSort.CREATED else JOB.id.concat("")


def _ordering(wanted: JobFilter, order: ListOrder) -> Iterator[ColumnElement[Any]]:
    by_id = _id_of(wanted, order)
    if order.sort is not JobSort.CREATED:
        key = _KEYS[order.sort]
        yield key.is_(None)  # jobs without a value last: databases do not agree on where they come
        yield key.desc() if order.is_descending else key
    yield by_id.desc() if order.is_descending else by_id


def _is_after(wanted: JobFilter, order: ListOrder, place: ListPlace) -> ColumnElement[bool]:
    by_id = _id_of(wanted, order)
    is_later = by_id < place.job_id if order.is_descending else by_id > place.job_id
    if order.sort is JobSort.CREATED:
        return is_later
    key = _KEYS[order.sort]
    if place.key is None:
        return and_(key.is_(None), is_later)
    is_beyond = key < place.key if order.is_descending else key > place.key
    return or_(is_beyond, and_(key == place.key, is_later), key.is_(None))


def _conditions(wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    yield JOB.account == wanted.account
    yield IS_THERE
    if wanted.region is not None:
        yield JOB.region == wanted.region
    if wanted.operation is not None:
        yield JOB.operation == str(wanted.operation)
    if wanted.creator is not None:
        yield JOB.creator == wanted.creator
    if wanted.priority_from is not None:
        yield JOB.priority >= wanted.priority_from
    if wanted.created_from is not None:
        yield JOB.created_at >= wanted.created_from
    if wanted.created_to is not None:
        yield JOB.created_at < wanted.created_to
    if wanted.search:
        yield _is_found(folded_text(wanted.search))


def _is_found(text: str) -> ColumnElement[bool]:
    is_described = JOB.description_folded.contains(text, autoescape=True)
    if not text.isascii():  # as every id is
        return is_described
    return or_(is_described, and_(JOB.id >= text, JOB.id < text[:-1] + chr(ord(text[-1]) + 1)))


def _status_conditions(wanted: JobFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.statuses:
        yield JOB.status.in_(sorted(str(status) for status in wanted.statuses))
    if wanted.groups:
        statuses = {status for group in wanted.groups for status in STATUSES_OF[group]}
        in_statuses = JOB.status.in_(sorted(str(status) for status in statuses))
        yield or_(in_statuses, JOB.over_threshold == 1) if JobGroup.NEEDS_ATTENTION in wanted.groups else in_statuses


def _series(tx: Transaction, *, job_id: JobId) -> JobSeries:
    the_job = {"the_job": job_id}
    if tx.one(_IS_THERE, the_job) is None:
        return JobSeries(now=tx.now(), points=())
    return JobSeries(now=tx.now(), points=tuple(point_from(row) for row in tx.all(POINTS, the_job)))


def _recent_results(tx: Transaction, *, job_ids: Collection[JobId]) -> Mapping[JobId, RecentResults]:
    now = tx.now()
    if not job_ids:
        return {}
    rows = tx.all(_RECENT, {"the_jobs": sorted(job_ids), "a_minute_ago": now - 60, "five_minutes_ago": now - 300})
    found = {
        JobId(row.job_id): RecentResults(last_minute=row.last_minute, last_five_minutes=row.last_five_minutes)
        for row in rows
    }
    return {job_id: found.get(job_id, RecentResults()) for job_id in job_ids}


def _role_uses(tx: Transaction, *, account: AccountId) -> Mapping[str, RoleUse]:
    found: dict[str, RoleUse] = {}
    for row in tx.all(_ROLE_USES, {"the_account": account}):
        before = found.get(row.role_arn, RoleUse())
        unfinished = 0 if is_final(JobStatus(row.status)) else row.count_found
        found[row.role_arn] = RoleUse(
            unfinished=before.unfinished + unfinished,
            total=before.total + row.count_found,
            newest_at=max(before.newest_at or 0.0, row.newest_at),
        )
    return found


def _failure_samples(tx: Transaction, *, job_id: JobId, code: str | None) -> dict[str, list[FailureSample]]:
    the_job = {"the_job": job_id}
    if tx.one(_IS_THERE, the_job) is None:
        return {}
    rows = tx.all(_SAMPLES, the_job) if code is None else tx.all(_SAMPLES_OF_CODE, the_job | {"the_code": code})
    found: dict[str, list[FailureSample]] = defaultdict(list)
    for row in rows:
        found[row.code].append(decode(row.sample, FailureSample))
    return dict(found)
