"""Rows of one target find each other, however far apart they stand and however little fits into memory."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from cosbatch.engine.chunk_files import ChunkRow
from cosbatch.engine.shared_targets import SharedTargets, read_shared, sweep_shared
from cosbatch.manifests.plain import PlainRows, RowBatch
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, VersionId, WorkerId
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.operations import DeleteObject, OperationParameters, PutObjectCopy
from cosbatch.model.tasks import Claim, ClaimMode, Lease
from cosbatch.operations.dry_run import target_names
from cosbatch.storage.memory_spool import MemorySpool
from tests.unit.operations.copy_rig import job_request

JOB = JobId("0199a1b2-0000-7000-8000-000000000000")
COPY = PutObjectCopy(target_bucket=Bucket("target"))


def _plain(keys: Sequence[str]) -> RowBatch:
    return RowBatch(plain=PlainRows(keys, None), read=list)


def _claim(first: int, count: int) -> Claim:
    return Claim(
        lease=Lease(job_id=JOB, seq=0, fence=1), owner=WorkerId("w"), mode=ClaimMode.RUN, first_task=first,
        task_count=count, spool_name="s", settled=Bitmap(size=count), losses=0, first_leased_at=0.0, started_task=None,
    )  # fmt: skip


async def _searched(
    spool: MemorySpool,
    batches: Sequence[RowBatch] = (),
    *,
    runs: Sequence[list[ChunkRow]] = (),
    operation: OperationParameters = COPY,
    run_records: int = 5,
) -> int:
    names = target_names(job_request(operation), max_key_bytes=20)
    search = SharedTargets(JOB, fence=3, spool=spool, names=names, run_records=run_records)
    for batch in batches:
        search.note_batch(batch)
        await search.put_away()
    for run in runs:
        search.note_run(run)
    return await search.finish()


def _shared(
    keys: Sequence[str], *, operation: OperationParameters = COPY, run_records: int = 5
) -> tuple[int, Mapping[int, int]]:
    async def scenario() -> tuple[int, Mapping[int, int]]:
        spool = MemorySpool()
        batches = [_plain(keys[at : at + 3]) for at in range(0, len(keys), 3)]
        count = await _searched(spool, batches, operation=operation, run_records=run_records)
        found = await read_shared(_claim(0, len(keys)), spool=spool)
        await sweep_shared(JOB, spool=spool)
        assert await spool.list(f"jobs/{JOB}/") == []
        return count, found

    return asyncio.run(scenario())


@given(keys=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), run_records=st.integers(1, 9))
def test_each_row_names_the_first_of_its_target_and_the_first_names_the_second(
    keys: list[str], run_records: int
) -> None:
    rows: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        rows[key].append(number)
    expected: dict[int, int] = {}
    for numbers in rows.values():
        if len(numbers) > 1:
            expected |= {numbers[0]: numbers[1], **dict.fromkeys(numbers[1:], numbers[0])}
    assert _shared(keys, run_records=run_records) == (len(expected), expected)


def test_a_prefix_rule_gives_the_targets_and_rows_without_one_have_none() -> None:
    copy = PutObjectCopy(
        target_bucket=Bucket("target"), prefix_replace=True, resources_prefix="a/", target_key_prefix="b/"
    )
    assert _shared(["a/1", "x", "x", "a/1", "a/" + 20 * "l", "a/" + 20 * "l"], operation=copy) == (2, {0: 3, 3: 0})


def test_what_is_done_to_the_objects_themselves_tells_versions_apart() -> None:
    rows = [
        ManifestRow(key=ObjectKey("k"), version_id=VersionId(version) if version else None, size_bytes=None,
                    is_latest=None, is_delete_marker=False, last_modified="", etag="")
        for version in ("1", "2", "", "1")
    ]  # fmt: skip

    async def scenario() -> tuple[int, Mapping[int, int]]:
        spool = MemorySpool()
        count = await _searched(spool, [RowBatch.of_rows(rows)], operation=DeleteObject())
        return count, await read_shared(_claim(0, 4), spool=spool)

    assert asyncio.run(scenario()) == (2, {0: 3, 3: 0})


def test_neighbouring_versions_of_one_key_stand_for_one_target() -> None:
    runs: list[list[ChunkRow]] = [
        [("k", "3", 1, "", 0, 1), ("k", "2", 1, "", 0, 0)],
        [("m", "9", 1, "M", -1, 0)],
        [("k", "1", 1)],
        [("n", "1", 1, "N", -1, 0), ("n", "2", 1)],
    ]

    async def scenario() -> tuple[int, Mapping[int, int]]:
        spool = MemorySpool()
        count = await _searched(spool, runs=runs)
        return count, await read_shared(_claim(0, 6), spool=spool)

    assert asyncio.run(scenario()) == (2, {0: 3, 3: 0})


def test_a_chunk_reads_its_own_rows_from_the_files_that_it_lies_in() -> None:
    keys = [f"{number}" for number in range(2500)]
    keys[2400], keys[1001], keys[10] = "7", "999", "7"

    async def scenario() -> list[Mapping[int, int]]:
        spool = MemorySpool()
        await _searched(spool, [_plain(keys)], run_records=300)
        return [await read_shared(_claim(first, 100), spool=spool) for first in (0, 950, 1100, 2400)]

    assert asyncio.run(scenario()) == [{7: 10, 10: 7}, {999: 1001, 1001: 999}, {}, {2400: 7}]


def test_a_plan_made_again_writes_the_same_files() -> None:
    async def scenario() -> list[str]:
        spool = MemorySpool()
        for _ in range(2):
            await _searched(spool, [_plain(["a", "b", "a"])])
        return await spool.list(f"jobs/{JOB}/targets/")

    assert len(asyncio.run(scenario())) == 1
