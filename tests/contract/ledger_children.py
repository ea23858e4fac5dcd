"""What the processes beside a test do to its ledger."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.errors import StaleFence
from cosbatch.model.identifiers import LOCAL_ACCOUNT, JobId, WorkerId
from cosbatch.model.tasks import Claim, Then
from tests.contract.ledgers import HandClock, claim_one, failed, job_id, part_of, request


class TellingClock(HandClock):
    """Once armed, whoever asks it tells the parent and waits for ever: he stands inside a transaction."""

    def __init__(self, parent: Connection) -> None:
        super().__init__()
        self._parent = parent
        self.is_armed = False

    def now(self) -> float:
        if self.is_armed:
            self._parent.send("inside")
            threading.Event().wait()
        return super().now()


def work_until_all_is_closed(folder: Path, job: JobId, name: str, seed: int) -> None:
    """A worker that keeps, yields, closes, forgets claims, repeats what it said, and ends others' leases."""
    asyncio.run(_work(folder, job, WorkerId(name), random.Random(seed)))


def stop_inside_a_commit(folder: Path, parent: Connection) -> None:
    """The commit makes the job fail: the clock is asked when part, chunk and counters are written already."""
    asyncio.run(_stop_inside(folder, TellingClock(parent)))


def create_and_die(folder: Path, token: str) -> None:
    """The job is in the ledger; whoever asked for it never hears so."""

    async def create() -> None:
        ledger = await open_sqlite_ledger(folder)
        await ledger.create(request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token=token, digest="d")
        os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(create())


async def _work(folder: Path, job: JobId, worker: WorkerId, chance: random.Random) -> None:
    ledger = await open_sqlite_ledger(folder)
    while not (await ledger.job(job)).is_settled:
        claims = await ledger.claim(worker, room=chance.randrange(1, 40), lease_seconds=60)
        for claim in claims:
            await _work_on(ledger, claim, chance)
        for held in await ledger.held_leases():
            if chance.random() < 0.1:
                await ledger.expire(held, quiet_seconds=0)
        await ledger.renew(worker, [], lease_seconds=60)
    await ledger.close()


async def _work_on(ledger: SqlLedger, claim: Claim, chance: random.Random) -> None:
    todo = [place for place in range(claim.task_count) if place not in claim.settled]
    some = sorted(chance.sample(todo, chance.randrange(len(todo) + 1)))
    then = Then.CLOSE if len(some) == len(todo) else chance.choice([Then.KEEP, Then.YIELD])
    try:
        for _ in range(chance.choice([0, 1, 1, 1, 2])):
            await ledger.commit(claim, part_of(claim, some) if some else None, then=then)
    except StaleFence:
        return


async def _stop_inside(folder: Path, clock: TellingClock) -> None:
    ledger = await open_sqlite_ledger(folder, clock=clock)
    claim = await claim_one(ledger)
    clock.is_armed = True
    await ledger.commit(claim, part_of(claim, tally=failed(1100, of=1100)), then=Then.CLOSE)
