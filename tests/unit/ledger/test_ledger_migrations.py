"""A ledger that an earlier version made is brought up to date, with everything that is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, NullPool, create_engine, insert

from cosbatch.ledger import tables
from cosbatch.ledger.list_port import JobFilter, JobGroup, JobSort, ListOrder
from cosbatch.ledger.migrate import upgrade
from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.ledger.sqlite import DATABASE_FILE
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, JobId
from cosbatch.model.operations import OperationName
from cosbatch.model.states import JobStatus
from cosbatch.model.workers import WorkerMetrics, WorkerProcess
from tests.contract.ledgers import ANNA, claim_one

REQUEST = {
    "v": 1,
    "region": "here",
    "manifest": {
        "location": {"bucket": "lists", "key": "a/list.csv", "etag": "9f2c", "version_id": None},
        "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
    },
    "operation": {"kind": "COSPutObjectCopy", "target_bucket": "target"},
    "report": {"enabled": False},
    "priority": 10,
}
FINDINGS = {
    "v": 1,
    "source_bucket": "source",
    "source_versioning": "never",
    "target_versioning": "never",
    "manifest_etag": "9f2c",
}
JOB = {
    "id": "a-job", "account": "local", "region": "here", "token": "", "digest": "d", "status": "Active", "priority": 10,
    "created_at": 1.0, "changed_at": 2.0, "suspended_cause": "", "status_reason": "", "failure_reason": "", "fence": 1,
    "quiet_at": 0.0, "planned_rows": 20, "total": 20, "chunk_count": 2, "chunks_closed": 1, "succeeded": 10,
    "failed": 0, "skipped": 0, "outside_rate": 0, "failed_outside_rate": 0, "bytes_done": 0, "requests": 10,
    "failures": '{"v":1,"codes":{},"ignored_options":{}}', "report_state": "none", "report_location": "",
    "findings": json.dumps(FINDINGS), "request": json.dumps(REQUEST),
}  # fmt: skip
BY_PROGRESS = ListOrder(sort=JobSort.PROGRESS, is_descending=False)
CHUNKS = [
    {
        "job_id": "a-job", "seq": seq, "state": state, "fence": 1, "losses": 0, "lost": 0, "first_task": 10 * seq,
        "task_count": 10, "settled": b"", "spool_name": f"chunks/{seq}",
    }
    for seq, state in enumerate(["closed", "open"])
]  # fmt: skip


def connection_to(folder: Path) -> Connection:
    return create_engine(f"sqlite:///{folder / DATABASE_FILE}", poolclass=NullPool).connect()


def structure(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    return {name: " ".join(sql.split()) for name, sql in rows}


@pytest.mark.parametrize("released", ["0001"])
async def test_a_ledger_of_every_released_version_goes_on(tmp_path: Path, released: str) -> None:
    with connection_to(tmp_path) as connection:
        upgrade(connection, to=released)
        connection.execute(insert(tables.job), JOB)
        connection.execute(insert(tables.chunk), CHUNKS)
        connection.commit()
        assert "worker" not in structure(connection)
    (tmp_path / "new").mkdir()
    await (await open_sqlite_ledger(tmp_path / "new")).close()

    ledger = await open_sqlite_ledger(tmp_path)

    [queued] = await ledger.queued_jobs()
    assert (queued.job.id, queued.job.status, queued.job.tally.succeeded) == ("a-job", JobStatus.ACTIVE, 10)
    assert queued.job.findings is not None
    assert queued.job.findings.source_bucket == Bucket("source")
    assert (await claim_one(ledger)).lease.seq == 1
    process = WorkerProcess(id=ANNA, role="worker", host="copper", pid=4711)
    await ledger.check_in(process, WorkerMetrics(), {}, seconds=10)
    assert [seen.process for seen in await ledger.workers(seen_within_seconds=10)] == [process]
    await ledger.close()
    with connection_to(tmp_path) as migrated, connection_to(tmp_path / "new") as new:
        assert structure(migrated) == structure(new)


async def test_what_was_told_before_there_were_users_is_nobodys(tmp_path: Path) -> None:
    with connection_to(tmp_path) as connection:
        upgrade(connection, to="0002")
        connection.execute(insert(tables.job), JOB)
        connection.exec_driver_sql(
            "INSERT INTO job_event (job_id, at, actor, kind, status, reason)"
            " VALUES ('a-job', 1.0, 'user', 'priority', 'Active', '1 -> 10')"
        )
        connection.commit()

    ledger = await open_sqlite_ledger(tmp_path)

    assert [(event.reason, event.by) for event in await ledger.events(JobId("a-job"))] == [("1 -> 10", "")]
    assert [job.id for job in await ledger.jobs()] == ["a-job"]
    assert await ledger.removed_jobs() == []
    await ledger.close()


async def test_jobs_of_before_are_counted_with_their_roles(tmp_path: Path) -> None:
    with connection_to(tmp_path) as connection:
        upgrade(connection, to="0006")
        for name, arn in {"a-job": "arn-1", "b-job": ""}.items():
            request = {"request": json.dumps(REQUEST | {"role_arn": arn})}
            connection.execute(insert(tables.job), JOB | request | {"id": name})
        connection.commit()

    ledger = await open_sqlite_ledger(tmp_path)

    (use,) = (await ledger.lists.role_uses(account=LOCAL_ACCOUNT)).items()
    assert (use[0], use[1].total) == ("arn-1", 1)
    await ledger.close()


async def test_lists_find_what_was_there_before_there_were_lists(tmp_path: Path) -> None:
    described = {"request": json.dumps(REQUEST | {"description": "The ARCHIVE \u6570"})}
    in_trouble = {"id": "b-job", "succeeded": 4, "failed": 6, "failed_outside_rate": 0, "failure_threshold": 0.5}
    unplanned = {"id": "c-job", "status": "Preparing", "total": None, "succeeded": 0}
    with connection_to(tmp_path) as connection:
        upgrade(connection, to="0006")
        for changes in (described, in_trouble, unplanned):
            connection.execute(insert(tables.job), JOB | changes)
        connection.exec_driver_sql(
            'INSERT INTO job_event (job_id, at, actor, kind, status, reason, "by")'
            " VALUES ('a-job', 1.0, 'user', 'created', 'New', '', 'alice via cos')"
        )
        connection.commit()

    ledger = await open_sqlite_ledger(tmp_path)

    async def found(**changes: Any) -> list[str]:
        listing = await ledger.lists.list_jobs(JobFilter(account=LOCAL_ACCOUNT, **changes), order=BY_PROGRESS)
        return [job.id for job in listing.jobs]

    assert await found() == ["a-job", "b-job", "c-job"]
    assert await found(search="the archive \u6570") == await found(creator="alice") == ["a-job"]
    assert await found(groups=frozenset({JobGroup.NEEDS_ATTENTION})) == ["b-job"]
    assert await found(operation=OperationName.COPY, creator="") == ["b-job", "c-job"]
    await ledger.close()
