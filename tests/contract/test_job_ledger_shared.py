"""One ledger, several hands: two connections, two processes, a process killed inside a transaction, a busy disk."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import signal
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import reduce
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import text

from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.ledger.sqlite import open_file
from cosbatch.model.errors import LedgerError, LedgerUnavailable, StaleFence
from cosbatch.model.identifiers import LOCAL_ACCOUNT, JobId
from cosbatch.model.reports import Tally
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Then
from tests.contract.ledger_children import create_and_die, stop_inside_a_commit, work_until_all_is_closed
from tests.contract.ledgers import (
    ANNA,
    BERT,
    LEASE_SECONDS,
    ON_DISK,
    HandClock,
    active_job,
    chunk_plan,
    claim_one,
    job_id,
    new_job,
    open_ledger,
    part_of,
    plan_lease,
    request,
    user_cancels,
)


@pytest.fixture(params=ON_DISK)
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[JobLedger, JobLedger]]:
    clock = HandClock()
    one, other = [await open_ledger(request.param, tmp_path, clock) for _ in range(2)]
    yield one, other
    await one.close()
    await other.close()


class TestTwoConnections:
    async def test_each_sees_what_the_other_wrote(self, pair: tuple[JobLedger, JobLedger]) -> None:
        one, other = pair
        await new_job(one)
        await user_cancels(other, job_id(1))
        assert (await one.job(job_id(1))).status is JobStatus.CANCELLING

    async def test_a_chunk_is_claimed_by_one_of_them(self, pair: tuple[JobLedger, JobLedger]) -> None:
        one, other = pair
        await active_job(one, sizes=[10] * 40)
        taken = await asyncio.gather(
            *(
                ledger.claim(worker, room=10, lease_seconds=LEASE_SECONDS)
                for _ in range(25)
                for ledger, worker in ((one, ANNA), (other, BERT))
            )
        )
        assert sorted(claim.lease.seq for claims in taken for claim in claims) == list(range(40))

    async def test_what_one_lost_the_other_has(self, pair: tuple[JobLedger, JobLedger]) -> None:
        one, other = pair
        await active_job(one, sizes=[10])
        lost = await claim_one(one, ANNA)
        [seen] = await other.held_leases()
        await other.expire(seen, quiet_seconds=0)
        mine = await claim_one(other, BERT)
        with pytest.raises(StaleFence):
            await one.commit(lost, part_of(lost), then=Then.CLOSE)
        await other.commit(mine, part_of(mine), then=Then.CLOSE)
        assert (await one.job(job_id(1))).tally.succeeded == 10

    async def test_a_ledger_may_be_made_by_several_at_once(self, tmp_path: Path) -> None:
        ledgers = await asyncio.gather(*(open_sqlite_ledger(tmp_path / "new") for _ in range(4)))
        await new_job(ledgers[0])
        assert [len(await ledger.jobs()) for ledger in ledgers] == [1] * 4
        for ledger in ledgers:
            await ledger.close()


async def assert_every_task_is_settled_once(ledger: JobLedger, job: JobId) -> None:
    parts = [committed for _, committed in await ledger.parts(job, limit=100_000)]
    for state in await ledger.chunk_states(job):
        of_chunk = [each.part.settled for each in parts if each.seq == state.seq]
        assert state.settled.is_full()
        assert sum(len(settled) for settled in of_chunk) == state.task_count
    found = await ledger.job(job)
    assert found.tally == reduce(Tally.plus, (each.part.tally for each in parts), Tally())
    assert (found.tally.succeeded, found.chunks_closed) == (found.total, found.chunk_count)


class TestTwoProcesses:
    async def test_every_task_is_settled_exactly_once(self, tmp_path: Path) -> None:
        ledger = await open_sqlite_ledger(tmp_path)
        job = await active_job(ledger, sizes=[7] * 50)
        spawn = get_context("spawn")
        children = [
            spawn.Process(target=work_until_all_is_closed, args=(tmp_path, job, f"worker-{seed}", seed))
            for seed in (1, 2)
        ]
        for child in children:
            child.start()
        for child in children:
            await asyncio.to_thread(child.join)
        assert [child.exitcode for child in children] == [0, 0]
        await assert_every_task_is_settled_once(ledger, job)
        await ledger.close()

    async def test_a_process_killed_inside_a_commit_has_done_nothing(self, tmp_path: Path) -> None:
        ledger = await open_sqlite_ledger(tmp_path)
        job = await active_job(ledger, sizes=[1100])
        spawn = get_context("spawn")
        here, there = spawn.Pipe()
        child = spawn.Process(target=stop_inside_a_commit, args=(tmp_path, there))
        child.start()
        assert await asyncio.to_thread(here.recv) == "inside"
        child.kill()
        await asyncio.to_thread(child.join)

        assert await ledger.parts(job) == []
        found = await ledger.job(job)
        assert (found.status, found.tally.failed, found.chunks_closed) == (JobStatus.ACTIVE, 0, 0)
        [seen] = await ledger.held_leases()
        assert await ledger.expire(seen, quiet_seconds=0)
        again = await claim_one(ledger)
        assert (again.losses, len(again.settled)) == (1, 0)
        await ledger.commit(again, part_of(again), then=Then.CLOSE)
        await assert_every_task_is_settled_once(ledger, job)
        await ledger.close()

    async def test_a_job_of_a_process_killed_before_its_reply_is_found_by_its_token(self, tmp_path: Path) -> None:
        child = get_context("spawn").Process(target=create_and_die, args=(tmp_path, "t"))
        child.start()
        await asyncio.to_thread(child.join)
        assert child.exitcode == -signal.SIGKILL

        ledger = await open_sqlite_ledger(tmp_path)
        again = await ledger.create(request(), job_id=job_id(2), account=LOCAL_ACCOUNT, token="t", digest="d")

        assert again.id == job_id(1)
        assert [job.id for job in await ledger.jobs()] == [job_id(1)]
        await ledger.close()


@contextmanager
def lock_held(folder: Path) -> Iterator[None]:
    """As a process that was stopped inside a write would hold it."""
    with (folder / "ledger.lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def no_more_space(*, beyond_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (beyond_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class BlockingClock(HandClock):
    """Holds whoever asks it until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.go = threading.Event()

    def now(self) -> float:
        self.asked.set()
        self.go.wait()
        return super().now()


class TestSqliteOnDisk:
    async def test_a_lock_that_is_never_let_go_is_an_error_and_the_write_is_not_made(self, tmp_path: Path) -> None:
        await (await open_sqlite_ledger(tmp_path)).close()
        ledger = await open_sqlite_ledger(tmp_path, patience_seconds=1.0)
        with lock_held(tmp_path), pytest.raises(LedgerUnavailable, match=r"ledger\.lock"):
            await new_job(ledger)
        assert await ledger.jobs() == []
        assert (await new_job(ledger)).status is JobStatus.NEW
        await ledger.close()

    async def test_a_cancelled_write_that_waits_for_the_lock_is_not_made(self, tmp_path: Path) -> None:
        ledger = await open_sqlite_ledger(tmp_path)
        with lock_held(tmp_path):
            writing = asyncio.create_task(new_job(ledger))
            await asyncio.sleep(0)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
        assert await ledger.jobs() == []
        await ledger.close()

    async def test_reads_are_answered_while_another_process_holds_the_lock(self, tmp_path: Path) -> None:
        ledger = await open_sqlite_ledger(tmp_path)
        await new_job(ledger, 1)
        with lock_held(tmp_path):
            writing = asyncio.create_task(new_job(ledger, 2))
            assert (await ledger.job(job_id(1))).status is JobStatus.NEW
            assert [job.id for job in await ledger.jobs()] == [job_id(1)]
            assert not writing.done()
        await writing
        assert [job.id for job in await ledger.jobs()] == [job_id(2), job_id(1)]
        await ledger.close()

    async def test_a_cancelled_write_that_has_begun_ends_and_the_next_one_works(self, tmp_path: Path) -> None:
        clock = BlockingClock()
        ledger = await open_sqlite_ledger(tmp_path, clock=clock)
        writing = asyncio.create_task(new_job(ledger, 1))
        await asyncio.to_thread(clock.asked.wait)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        clock.go.set()
        assert [job.id for job in await ledger.jobs()] == [job_id(1)]
        await new_job(ledger, 2)
        await ledger.close()

    async def test_a_foreign_transaction_is_an_error_with_a_way_out(self, tmp_path: Path) -> None:
        await (await open_sqlite_ledger(tmp_path)).close()
        ledger = await open_sqlite_ledger(tmp_path, patience_seconds=1.0)
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnavailable, match="another program"):
            await new_job(ledger)
        other.execute("ROLLBACK")
        other.close()
        assert (await new_job(ledger)).status is JobStatus.NEW
        await ledger.close()

    async def test_a_full_disk_changes_nothing_and_passes(self, tmp_path: Path) -> None:
        ledger = await open_sqlite_ledger(tmp_path)
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        chunks = chunk_plan([1] * 200)
        with (
            no_more_space(beyond_bytes=(tmp_path / "ledger.db-wal").stat().st_size + 8192),
            pytest.raises(LedgerUnavailable, match="disk"),
        ):
            await ledger.add_chunks(lease, chunks, planned_rows=200)
        assert await ledger.chunk_states(job_id(1)) == []
        await ledger.add_chunks(lease, chunks, planned_rows=200)
        assert (await ledger.job(job_id(1))).chunk_count == 200
        await ledger.close()

    async def test_a_file_that_is_no_ledger_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").write_bytes(b"not a database at all" * 100)
        with pytest.raises(LedgerUnavailable, match="not a database"):
            await open_sqlite_ledger(tmp_path)

    async def test_a_folder_that_cannot_be_made_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(LedgerUnavailable, match="folder cannot be used"):
            await open_sqlite_ledger(tmp_path / "file" / "folder")

    async def test_a_newer_ledger_is_refused(self, tmp_path: Path) -> None:
        await (await open_sqlite_ledger(tmp_path)).close()
        with sqlite3.connect(tmp_path / "ledger.db") as other:
            other.execute("UPDATE alembic_version SET version_num = '9999'")
        other.close()
        with pytest.raises(LedgerError, match="newer cosbatch"):
            await open_sqlite_ledger(tmp_path)

    async def test_a_closed_ledger_answers_no_more(self, tmp_path: Path) -> None:
        before = set(Path("/proc/self/fd").iterdir())
        ledger = await open_sqlite_ledger(tmp_path)
        await ledger.close()
        with pytest.raises(LedgerUnavailable, match="closed"):
            await ledger.jobs()
        assert set(Path("/proc/self/fd").iterdir()) <= before

    async def test_its_clock_is_the_databases_own(self, tmp_path: Path) -> None:
        ledger = await open_sqlite_ledger(tmp_path)
        job = await new_job(ledger)
        other = sqlite3.connect(tmp_path / "ledger.db")
        [[whole_seconds]] = other.execute("SELECT unixepoch('now')").fetchall()
        other.close()
        assert whole_seconds - 60 < job.created_at < whole_seconds + 1
        await ledger.close()

    @pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
    async def test_it_is_durable_at_every_commit(self, tmp_path: Path, pragma: str, value: object) -> None:
        database = await open_file(tmp_path, clock=None, patience_seconds=30)
        assert await database.write(lambda tx: tx.all(text(f"PRAGMA {pragma}"))) == [(value,)]
        await database.close()

    async def test_what_says_that_it_reads_cannot_write(self, tmp_path: Path) -> None:
        database = await open_file(tmp_path, clock=None, patience_seconds=30)
        with pytest.raises(LedgerUnavailable, match="readonly"):
            await database.read(lambda tx: tx.change(text("UPDATE alembic_version SET version_num = 0"), {}))
        await database.close()
