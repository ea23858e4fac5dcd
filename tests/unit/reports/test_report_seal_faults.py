"""What can go wrong while a report is sealed: each is an error, and none leaves a manifest.json behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cosbatch.ledger.port import CommittedPart
from cosbatch.model.errors import SpoolError, SpoolMissing, StaleFence, StorageError, StorageReason
from cosbatch.model.reports import Tally
from cosbatch.reports.long_json import LongObject
from cosbatch.reports.seal import (
    BEFORE_ALL,
    Place,
    seal_report,
)
from cosbatch.storage.memory_spool import MemorySpool
from tests.unit.reports.report_builders import (
    REPORT_BUCKET,
    a_job,
    commit,
    succeeded,
)
from tests.unit.reports.seal_builders import FOLDER, THREE_PARTS, Shelf, seal


async def test_a_seal_that_is_not_ours_any_more_writes_nothing_further() -> None:
    spool, shelf = MemorySpool(), Shelf()
    parts = await commit(spool, THREE_PARTS)
    looks = 0

    async def lost_at_the_end() -> None:
        nonlocal looks
        looks += 1
        if len(shelf.files) == 4:
            raise StaleFence("somebody else seals it")

    with pytest.raises(StaleFence):
        await seal_report(
            job=a_job(),
            parts=parts,
            spool=spool,
            store=shelf,
            summary=LongObject(fields={}),
            created_at=0,
            still_ours=lost_at_the_end,
        )

    assert shelf.order[-1] == f"{FOLDER}manifest.json.md5"
    assert f"{FOLDER}manifest.json" not in shelf.files
    assert looks == 4


async def test_other_bytes_in_the_store_are_an_error() -> None:
    spool = MemorySpool()
    parts = await commit(spool, THREE_PARTS)

    with pytest.raises(StorageError, match="other bytes") as caught:
        await seal(Shelf(etags_lie=True), parts, spool)

    assert caught.value.reason is StorageReason.BODY_DAMAGED
    assert caught.value.target == f"PUT {REPORT_BUCKET}/{FOLDER}results/succeeded-00000.csv"


@pytest.mark.parametrize("shelf", [Shelf(multipart_etags=True), Shelf(etags_lie=True, sse="aws:kms")])
async def test_an_etag_that_is_no_md5_is_not_compared(shelf: Shelf) -> None:
    spool = MemorySpool()

    await seal(shelf, await commit(spool, THREE_PARTS), spool)

    assert f"{FOLDER}manifest.json" in shelf.files


async def test_a_missing_part_is_said_before_anything_is_written() -> None:
    spool, shelf = MemorySpool(), Shelf()
    parts = await commit(spool, THREE_PARTS)
    await spool.delete((await spool.list("jobs/"))[1])

    with pytest.raises(SpoolMissing):
        await seal(shelf, parts, spool)

    assert shelf.files == {}


async def test_a_part_with_other_results_than_were_committed_is_refused() -> None:
    spool, shelf = MemorySpool(), Shelf()
    honest = await commit(spool, THREE_PARTS)

    async def lying(after: Place) -> AsyncIterator[tuple[Place, CommittedPart]]:
        async for place, committed in honest(after):
            yield place, replace(committed, part=replace(committed.part, tally=Tally(succeeded=9)))

    with pytest.raises(SpoolError, match="does not hold the results"):
        await seal(shelf, lying, spool)

    assert shelf.files == {}


async def test_parts_that_vanish_while_they_are_sent_are_an_error() -> None:
    spool, shelf = MemorySpool(), Shelf()
    honest = await commit(spool, THREE_PARTS)
    passes = 0

    async def vanishing(after: Place) -> AsyncIterator[tuple[Place, CommittedPart]]:
        nonlocal passes
        passes += 1
        limit = 3 if passes == 1 else 1
        async for place, committed in honest(after):
            if place[0] < limit:
                yield place, committed

    with pytest.raises(SpoolError, match="are gone"):
        await seal(shelf, vanishing, spool)


async def test_a_file_begins_to_be_read_where_it_begins_not_at_the_first_part() -> None:
    spool, shelf = MemorySpool(), Shelf()
    honest = await commit(spool, [[succeeded(number)] for number in range(6)])
    begun: list[Place] = []

    def noted(after: Place) -> AsyncIterator[tuple[Place, CommittedPart]]:
        begun.append(after)
        return honest(after)

    await seal(shelf, noted, spool, rows_per_file=2)

    assert begun == [BEFORE_ALL, BEFORE_ALL, (1, 11), (3, 13)]
