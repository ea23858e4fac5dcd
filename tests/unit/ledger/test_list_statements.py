"""No list walks over a table, whatever is looked for in whatever order; a walk over many jobs reads no job's row.

How long a list of ten thousand takes is measured by ``make bench`` (P9); here is counted what it does."""

from __future__ import annotations

import sqlite3
from itertools import chain, combinations, product
from typing import Any, Final

import pytest
from sqlalchemy import Connection

from bench.job_lists import add_rows
from cosbatch.ledger.list_port import JobFilter, JobGroup, JobSort, ListOrder, ListPlace
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.ledger.sqlite import open_memory
from cosbatch.model.identifiers import LOCAL_ACCOUNT, RegionName
from cosbatch.model.operations import OperationName
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Then
from tests.contract.ledgers import HandClock, active_job, claim_one, job_id, part_of
from tests.unit.ledger.test_ledger_statements import Ruler, listen, plan_of

WALK: Final = "SEARCH job USING COVERING INDEX job_listed (account=? AND removed_at=?"
FIRST_PAGE: Final = "SEARCH job USING INDEX job_of_account (account=?"
BY_ID: Final = "SEARCH job USING INDEX sqlite_autoindex_job_1 (id=?)"
SORTING: Final = "USE TEMP B-TREE FOR"
"""Of what the walk has found."""
FEW, MANY, PAGE = 100, 10_000, 50
STATEMENTS: Final = 3
"""The page's places, its jobs, and the counts."""
STEPS_FOR_A_JOB_MAX: Final = 50
"""Instructions of SQLite's machine. To read a job's row takes 100 and more."""
LOOKED_FOR: Final[dict[str, Any]] = {
    "statuses": frozenset({JobStatus.ACTIVE, JobStatus.PAUSED}),
    "groups": frozenset({JobGroup.NEEDS_ATTENTION, JobGroup.FAILED}),
    "region": RegionName("here"),
    "operation": OperationName.COPY,
    "creator": "alice",
    "created_from": 1.0,
    "created_to": 2.0,
    "search": "019",
}


def many_filters() -> list[JobFilter]:
    """Nothing, every single thing that can be looked for, every two of them, and all together."""
    chosen = chain.from_iterable(combinations(LOOKED_FOR, count) for count in (0, 1, 2, len(LOOKED_FOR)))
    return [JobFilter(account=LOCAL_ACCOUNT, **{name: LOOKED_FOR[name] for name in names}) for names in chosen]


def plans_of(connection: Connection, heard: list[tuple[str, Any]]) -> dict[str, list[str]]:
    reads = {statement: parameters for statement, parameters in heard if statement.startswith("SELECT")}
    plans = {statement: plan_of(connection, statement, parameters) for statement, parameters in reads.items()}
    connection.rollback()
    heard.clear()
    return plans


@pytest.mark.parametrize("sort", JobSort)
async def test_a_list_walks_along_one_index_and_reads_the_jobs_of_its_page(sort: JobSort) -> None:
    database = open_memory(clock=HandClock())
    ledger = SqlLedger(database)
    await active_job(ledger)
    heard = listen(database.connection)
    places = [None, ListPlace(key=0.5, job_id=job_id(9)), ListPlace(key=None, job_id=job_id(9))]
    for wanted, is_descending, after in product(many_filters(), (True, False), places):
        order = ListOrder(sort=sort, is_descending=is_descending)
        await ledger.lists.list_jobs(wanted, order=order, after=after)
        for statement, plan in plans_of(database.connection, heard).items():
            allowed = [step for step in plan if step.startswith((WALK, BY_ID, SORTING))]
            if sort is JobSort.CREATED and wanted.takes_all:
                allowed += [step for step in plan if step.startswith(FIRST_PAGE)]
            assert sorted(plan) == sorted(allowed), statement
            assert plan, statement


@pytest.mark.parametrize("looked_for", [{}, {"search": "019"}, {"region": RegionName("here")}], ids=str)
@pytest.mark.parametrize("sort", [JobSort.CREATED, JobSort.FAILED])
async def test_a_list_of_ten_thousand_jobs_reads_as_many_as_one_of_a_hundred(
    looked_for: dict[str, Any], sort: JobSort
) -> None:
    """The same statements, and the rows of the jobs of its page; for each other job a step along the index."""
    database = open_memory(clock=HandClock())
    ledger = SqlLedger(database)
    await active_job(ledger)
    heard, ruler = listen(database.connection), Ruler(database.connection)
    driver = database.connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    wanted = JobFilter(account=LOCAL_ACCOUNT, **looked_for)

    async def read() -> tuple[int, list[tuple[str, int]]]:
        """Instructions of SQLite; the statements, each with how many values were sent with it: a job's id is one."""
        heard.clear()
        steps = await ruler.measure(lambda: ledger.lists.list_jobs(wanted, order=ListOrder(sort=sort), limit=PAGE))
        return steps, [(statement, len(parameters)) for statement, parameters in heard]

    add_rows(driver, first=0, last=FEW)
    steps_of_few, read_of_few = await read()
    add_rows(driver, first=FEW, last=MANY)
    steps_of_many, read_of_many = await read()
    assert read_of_many == read_of_few
    assert len(read_of_many) == STATEMENTS
    assert (steps_of_many - steps_of_few) / (MANY - FEW) < STEPS_FOR_A_JOB_MAX


async def test_a_look_at_one_job_reads_its_own_rows() -> None:
    database = open_memory(clock=HandClock())
    ledger = SqlLedger(database)
    job = await active_job(ledger)
    claim = await claim_one(ledger)
    heard = listen(database.connection)
    await ledger.commit(claim, part_of(claim, [1]), then=Then.KEEP)
    await ledger.lists.series(job)
    await ledger.lists.recent_results([job])
    for code in (None, "AccessDenied"):
        await ledger.lists.failure_samples(job, code=code)
    await ledger.events(job, after=1, limit=5)
    plans = plans_of(database.connection, heard)
    steps = [step for plan in plans.values() for step in plan]
    assert [step for step in steps if step.startswith("SCAN")] == []
    for index in ("job_series_1 (job_id=?", "failure_sample_1 (job_id=? AND code=?", "event_of_job (job_id=?"):
        assert any(index in step for step in steps), index
