"""No statement walks over a table: what a call costs does not depend on how many chunks there are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from cosbatch.ledger.rate_shares import RateWish
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.ledger.sqlite import open_memory
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, RegionName
from cosbatch.model.regions import CappedPlace, RateKind
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Then
from cosbatch.model.workers import WorkerMetrics, WorkerProcess
from tests.contract.ledgers import (
    ANNA,
    LEASE_SECONDS,
    HandClock,
    active_job,
    bring_to,
    claim_one,
    job_id,
    lose,
    part_of,
    request,
    user_cancels,
    wait_for_quiet,
)

PROCESS = WorkerProcess(id=ANNA, role="worker", host="copper", pid=4711)
BULKY = ("chunk", "part", "upload", "job_event")
"""Tables that grow with the work; those of jobs may be walked along an index of unfinished ones."""
GREW_FROM, GREW_TO = 1_000, 100_000


def listen(connection: Connection) -> list[tuple[str, Any]]:
    """Every statement that runs from now on, with its parameters."""
    heard: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, ___: Any, executemany: bool) -> None:
        heard.append((statement, parameters[0] if executemany else parameters))

    event.listen(connection, "before_cursor_execute", hear)
    return heard


def plan_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return [row.detail for row in rows]


async def a_day_in_the_life(ledger: SqlLedger) -> None:
    job = await active_job(ledger, 1, sizes=[10] * 5)
    await active_job(ledger, 2, sizes=[10] * 5)
    claims = await ledger.claim(ANNA, room=30, lease_seconds=LEASE_SECONDS, after_job=job)
    await ledger.commit(claims[0], part_of(claims[0], [0]), then=Then.KEEP)
    await ledger.commit(claims[1], part_of(claims[1]), then=Then.CLOSE)
    await lose(ledger, claims[2].lease)
    await ledger.renew(ANNA, [claims[0].lease], lease_seconds=LEASE_SECONDS)
    await ledger.queued_jobs()
    await ledger.held_leases()
    await wait_for_quiet(ledger, claims[2].lease.job_id)
    await user_cancels(ledger, job_id(2))
    await ledger.claim(ANNA, room=30, lease_seconds=LEASE_SECONDS)
    await ledger.uploads(job)
    await ledger.uploads(job, task_number=1)
    await ledger.parts(job)
    await ledger.part_names(job, first_seq=0, last_seq=9)
    await ledger.chunk_states(job)
    await ledger.events(job)
    await ledger.pulses([job])
    await ledger.job(job)
    await ledger.jobs(account=LOCAL_ACCOUNT)
    await ledger.jobs(statuses=[JobStatus.ACTIVE], limit=5)
    await ledger.jobs(account=LOCAL_ACCOUNT, region=RegionName("here"), created_after=1.0)
    await ledger.jobs(account=LOCAL_ACCOUNT, statuses=[JobStatus.ACTIVE])
    await ledger.jobs(account=LOCAL_ACCOUNT, token_prefix="run-")
    await ledger.explain(job, status=JobStatus.READY, reason="waits")
    await ledger.claimable_jobs()
    await ledger.census()
    for wishes in (
        {CappedPlace(RegionName("here"), Bucket("target"), kind): RateWish(cap=5, in_use=0) for kind in RateKind},
        {},
    ):
        await ledger.check_in(PROCESS, WorkerMetrics(), wishes, seconds=10)
    await ledger.queued_jobs()
    await ledger.workers(seen_within_seconds=10)
    await ledger.check_out(ANNA)
    await the_end_of_a_job(ledger)


async def the_end_of_a_job(ledger: SqlLedger) -> None:
    wanted = request()
    await ledger.create(wanted, job_id=job_id(3), account=LOCAL_ACCOUNT, token="", digest="d", max_unfinished=9)
    await bring_to(ledger, job_id(3), JobStatus.CANCELLED)
    await ledger.remove_ended(older_than_seconds=1.0, limit=5)
    await ledger.remove(job_id(3))
    await ledger.removed_jobs()
    while await ledger.delete_some_rows(job_id(3)):
        pass
    await ledger.known_jobs([job_id(3)])


async def test_every_statement_uses_an_index() -> None:
    database = open_memory(clock=HandClock())
    heard = listen(database.connection)
    ledger = SqlLedger(database)
    await a_day_in_the_life(ledger)
    plans = {
        statement: plan_of(database.connection, statement, parameters)
        for statement, parameters in list(heard)
        if statement.split()[0] in ("SELECT", "UPDATE", "DELETE")
    }
    steps = [step for plan in plans.values() for step in plan]
    walked = [step for step in steps if step.startswith("SCAN")]
    assert [step for step in walked if step.split()[1] in BULKY] == []
    assert [step for step in walked if "INDEX" not in step] == []
    of_chunks = ("chunk_open", "chunk_lost", "chunk_leased", "chunk_owned")
    of_jobs = ("job_queued", "job_held", "job_by_status", "job_of_region", "job_of_status", "job_of_account")
    for index in (*of_chunks, *of_jobs, "job_ended", "job_removed", "job_of_status (account=? AND status=?)"):
        assert any(index in step for step in steps), index


class Ruler:
    """Counts what SQLite does, in instructions of its machine."""

    def __init__(self, connection: Connection) -> None:
        self._driver = connection.connection.driver_connection
        assert self._driver is not None

    async def measure(self, call: Callable[[], Awaitable[object]]) -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        self._driver.set_progress_handler(step, 1)  # type: ignore[union-attr]
        await call()
        self._driver.set_progress_handler(None, 1)  # type: ignore[union-attr]
        return count


def add_closed_chunks(connection: Connection, *, first: int, last: int) -> None:
    """Straight into the table: planning a hundred thousand would take the test's time."""
    connection.exec_driver_sql(
        "WITH RECURSIVE n(seq) AS (SELECT ? UNION ALL SELECT seq + 1 FROM n WHERE seq < ?) "
        "INSERT INTO chunk (job_id, seq, state, fence, losses, lost, first_task, task_count, settled, spool_name) "
        "SELECT ?, seq, CASE WHEN seq % 2 THEN 'closed' ELSE 'open' END, 1, 0, 0, seq, 1, x'', 'c' FROM n",
        (first, last, job_id(1)),
    )
    connection.commit()


@pytest.mark.parametrize("call", ["claim", "commit", "renew", "queued_jobs", "held_leases", "expire"])
async def test_the_cost_of_a_call_does_not_grow_with_the_chunks(call: str) -> None:
    database = open_memory(clock=HandClock())
    ledger = SqlLedger(database)
    await active_job(ledger, 1, sizes=[10] * 20)
    ruler = Ruler(database.connection)

    async def cost() -> int:
        mine = await claim_one(ledger)
        seen = (await ledger.held_leases())[0]
        newcomer = SqlLedger(database)  # it has not looked yet, and so finds nothing that it knows already
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "claim": lambda: ledger.claim(ANNA, room=30, lease_seconds=LEASE_SECONDS),
            "commit": lambda: ledger.commit(mine, part_of(mine), then=Then.CLOSE),
            "renew": lambda: ledger.renew(ANNA, [mine.lease], lease_seconds=LEASE_SECONDS),
            "queued_jobs": newcomer.queued_jobs,
            "held_leases": newcomer.held_leases,
            "expire": lambda: ledger.expire(seen, quiet_seconds=1),
        }
        return await ruler.measure(calls[call])

    add_closed_chunks(database.connection, first=20, last=GREW_FROM)
    small = await cost()
    add_closed_chunks(database.connection, first=GREW_FROM + 1, last=GREW_TO)
    await ledger.renew(ANNA, [], lease_seconds=LEASE_SECONDS)
    assert 20 < await cost() <= 2 * small
