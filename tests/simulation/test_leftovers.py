"""What lies in the work area when a job has ended, and how much of it is looked at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from cosbatch.ledger.port import JobLedger
from cosbatch.model.states import JobStatus
from cosbatch.storage.spool import Spool
from tests.simulation.rig import LIMITS, Rig, View
from tests.simulation.test_trouble import Between, Call
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

KEYS = [f"logs/{number:04d}" for number in range(2005)]


@virtual_time
async def test_leftovers_of_many_chunks_are_swept_a_folder_at_a_time(clock: VirtualClock) -> None:
    rig = Rig(clock, limits=replace(LIMITS, first_chunk_rows=1, chunk_rows=1, first_chunks=1))
    seen: list[int] = []

    async def counted(method: Call, *args: Any, **options: Any) -> Any:
        answer = await method(*args, **options)
        seen.append(len(answer))
        return answer

    spool = cast(Spool, Between(rig.spool, list=counted))
    ledger = cast(JobLedger, Between(rig.ledger, part_names=counted))
    rig.view = lambda: View(rig.store, ledger, spool)
    rig.put_objects(KEYS)
    job = await rig.submit(rig.request(rig.csv_manifest(KEYS)))
    orphans = [f"jobs/{job.id}/parts/{folder}/{folder}001-9-orphan" for folder in range(3)]
    orphans += [f"jobs/{job.id}/chunks/{folder:05d}/{folder}999-9-orphan" for folder in range(3)]
    for name in orphans:
        await rig.spool.put(name, b"")
    rig.start()
    done = await rig.until(job)
    assert (done.status, done.chunk_count) == (JobStatus.COMPLETE, len(KEYS))
    left = await rig.spool.list(f"jobs/{job.id}/")
    assert frozenset(left) == await rig.ledger.part_names(job.id, first_seq=0, last_seq=len(KEYS))
    assert 0 < max(seen) <= 1001
    await rig.drain()
