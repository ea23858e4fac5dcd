"""A look that is asked for again finds everything anew where something has changed, and does nothing where not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import event

from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.sqlite import SqliteDatabase, open_memory
from cosbatch.ledger.transaction import LastLook, Transaction
from cosbatch.model.identifiers import LOCAL_ACCOUNT
from cosbatch.model.states import Actor, JobStatus
from tests.contract.ledgers import ANNA, LEASE_SECONDS, HandClock, active_job, bring_to, job_id, request


def statements_of(database: SqliteDatabase) -> list[str]:
    """Those that run from now on."""
    heard: list[str] = []

    @event.listens_for(database.connection, "before_cursor_execute")
    def _(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard.append(statement)

    return heard


async def test_an_idle_ledger_is_asked_nothing_twice() -> None:
    clock = HandClock()
    database = open_memory(clock=clock)
    ledger = SqlLedger(database)
    await active_job(ledger, 1, sizes=[10])
    [claim] = await ledger.claim(ANNA, room=10, lease_seconds=LEASE_SECONDS)

    async def look_around() -> None:
        assert [queued.job.id for queued in await ledger.queued_jobs()] == [claim.lease.job_id]
        assert [held.lease for held in await ledger.held_leases()] == [claim.lease]
        assert await ledger.claim(ANNA, room=10, lease_seconds=LEASE_SECONDS) == []
        assert await ledger.roles.credential_terms() == {}
        assert await ledger.roles.key_numbers() == {}

    await look_around()
    heard = statements_of(database)
    await look_around()
    assert heard == []


async def test_the_time_goes_on_where_nothing_else_does() -> None:
    clock = HandClock()
    ledger = SqlLedger(open_memory(clock=clock))
    await active_job(ledger, 1, sizes=[10])
    await ledger.claim(ANNA, room=10, lease_seconds=LEASE_SECONDS)
    before = ((await ledger.queued_jobs())[0].seen_at, (await ledger.held_leases())[0].is_past)
    clock.tick(LEASE_SECONDS + 1)
    after = ((await ledger.queued_jobs())[0].seen_at, (await ledger.held_leases())[0].is_past)
    assert (before, after) == ((clock.at - LEASE_SECONDS - 1, False), (clock.at, True))


async def test_changes_of_this_ledger_and_of_others_are_seen(tmp_path: Path) -> None:
    mine = await open_sqlite_ledger(tmp_path)
    other = await open_sqlite_ledger(tmp_path)
    try:
        for number, ledger in enumerate([mine, other, mine, other]):
            assert len(await mine.queued_jobs()) == number
            await ledger.create(request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(other, job_id(0), JobStatus.CANCELLED)
        assert [queued.job.id for queued in await mine.queued_jobs()] == [job_id(1), job_id(2), job_id(3)]
    finally:
        await mine.close()
        await other.close()


async def test_of_the_queue_only_what_has_changed_is_made_anew() -> None:
    ledger = SqlLedger(open_memory(clock=HandClock()))
    for number in range(3):
        await ledger.create(request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token="", digest="d")
    before = [queued.job for queued in await ledger.queued_jobs()]
    await ledger.set_priority(job_id(1), priority=77, actor=Actor.USER)
    after = [queued.job for queued in await ledger.queued_jobs()]
    assert [job.priority for job in after] == [before[0].priority, 77, before[2].priority]
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, False, True]
    await bring_to(ledger, job_id(0), JobStatus.CANCELLED)
    assert [queued.job.id for queued in await ledger.queued_jobs()] == [job_id(1), job_id(2)]


async def test_a_look_that_broke_is_made_again() -> None:
    database = open_memory(clock=HandClock())
    answers: Iterator[str | ValueError] = iter([ValueError("not now"), "found"])

    def look(_: Transaction) -> str:
        answer = next(answers)
        if isinstance(answer, ValueError):
            raise answer
        return answer

    last_look = LastLook(look)
    found = []
    for _ in range(3):
        try:
            found.append(await database.read(last_look))
        except ValueError as error:
            found.append(str(error))
    assert found == ["not now", "found", "found"]
