"""summary.json: the counts, the times, and the exact ranges of what was never attempted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.ledger.port import ChunkState
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, ObjectRef
from cosbatch.model.jobs import Job, PlanFindings
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import CodeTally, Tally
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import UploadRecord, doubted_upload
from cosbatch.reports.long_json import measured, to_json
from cosbatch.reports.summary import build_summary, chunk_states_of, report_time
from tests.unit.reports.report_builders import JOB_ID, a_job


async def chunks(sizes_and_settled: Sequence[tuple[int, set[int]]]) -> AsyncIterator[ChunkState]:
    """Chunks that follow one another; the numbers settled count from the chunk's first task."""
    first = 0
    for seq, (size, settled) in enumerate(sizes_and_settled):
        yield ChunkState(seq=seq, first_task=first, task_count=size, settled=Bitmap.of(settled, size=size), losses=0)
        first += size


async def summarise(
    job: Job,
    sizes_and_settled: Sequence[tuple[int, set[int]]] = (),
    unfinished_uploads: Sequence[UploadRecord] = (),
) -> dict[str, object]:
    """As a whole, and as it would be read from the file."""
    summary = await build_summary(
        job,
        chunk_states=lambda: chunks(sizes_and_settled),
        unfinished_uploads=unfinished_uploads,
        created_at=report_time(job),
    )
    assert summary.entries is not None
    whole = {**summary.fields, summary.list_name: [entry async for entry in summary.entries()]}
    text = b"".join([block async for block in (await measured(summary)).blocks()])
    assert text == to_json(whole)
    return whole


async def test_a_whole_summary_in_its_order() -> None:
    tally = Tally(
        succeeded=6,
        failed=2,
        skipped=1,
        outside_rate=1,
        bytes_done=1000,
        requests=12,
        codes={
            "AccessDenied": CodeTally(count=1, samples=("b",)),
            "NoSuchKey": CodeTally(count=1, samples=("a/数据",)),
        },
    )
    job = replace(
        a_job(tally=tally, total=8, planned_rows=8),
        status_reason="every task has an outcome",
        findings=PlanFindings(
            source_bucket=Bucket("logs-1250000000"),
            source_versioning=Versioning.NEVER,
            target_versioning=Versioning.NEVER,
            manifest_etag="c0ffee",
        ),
    )

    summary = await summarise(job, [(8, set(range(8)))])

    assert json.dumps(summary) == json.dumps(
        {
            "schema_version": 1,
            "job_id": JOB_ID,
            "account": "local",
            "operation": "COSPutObjectCopy",
            "region": "ap-guangzhou",
            "description": "",
            "manifest": {
                "bucket": "inventory-1250000000",
                "key": "daily/manifest.json",
                "version_id": None,
                "etag": "c0ffee",
                "format": "COSInventoryReport_CSV_V1",
            },
            "dry_run": False,
            "status": "Complete",
            "status_reason": "every task has an outcome",
            "failure_code": None,
            "failure_reason": "",
            "created_at": "2025-08-02T03:00:00.000Z",
            "started_at": "2025-08-02T03:00:10.000Z",
            "ended_at": "2025-08-02T03:01:00.500Z",
            "waiting_seconds": 10.0,
            "running_seconds": 50.5,
            "total": 8,
            "planned_rows": 8,
            "succeeded": 6,
            "failed": 2,
            "skipped": 1,
            "not_attempted": 0,
            "not_attempted_ranges": [],
            "failures": [
                {"error_code": "AccessDenied", "count": 1, "sample_keys": ["b"]},
                {"error_code": "NoSuchKey", "count": 1, "sample_keys": ["a/数据"]},
            ],
            "ignored_options": {},
            "bytes": 1000,
            "requests": 12,
            "requests_per_object": 1.5,
            "objects_per_second": 0.158,
            "bytes_per_second": 19.802,
            "unfinished_uploads": [],
        }
    )


async def test_it_is_the_same_each_time() -> None:
    job = a_job(tally=Tally(succeeded=3), total=5, planned_rows=5)

    assert await summarise(job, [(5, {0, 1, 4})]) == await summarise(job, [(5, {0, 1, 4})])


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (JobStatus.COMPLETING, "Complete"),
        (JobStatus.CANCELLING, "Cancelled"),
        (JobStatus.FAILING, "Failed"),
        (JobStatus.CANCELLED, "Cancelled"),
        (JobStatus.FAILED, "Failed"),
    ],
)
async def test_it_names_the_status_that_the_job_ends_in(status: JobStatus, shown: str) -> None:
    assert (await summarise(a_job(status=status)))["status"] == shown


async def test_a_failed_job_says_why() -> None:
    job = replace(
        a_job(status=JobStatus.FAILING),
        failure_code=FailureCode.FAILURE_THRESHOLD_EXCEEDED,
        failure_reason="1,200 of 2,000 tasks failed",
    )

    summary = await summarise(job)

    assert summary["failure_code"] == "FailureThresholdExceeded"
    assert summary["failure_reason"] == "1,200 of 2,000 tasks failed"


async def test_what_was_not_attempted_is_named_exactly_and_merged_across_chunks() -> None:
    job = a_job(status=JobStatus.CANCELLING, total=1010, planned_rows=1010)

    summary = await summarise(job, [(10, {0, 2, 9}), (10, set(range(10))), (10, {0}), (970, set()), (10, {3})])

    assert summary["not_attempted_ranges"] == [(1, 2), (3, 9), (21, 1003), (1004, 1010)]
    assert summary["not_attempted"] == 1 + 6 + 982 + 6


async def test_a_job_that_ended_before_its_plan_was_complete_has_an_open_end() -> None:
    job = a_job(status=JobStatus.CANCELLING, total=None, planned_rows=20)

    summary = await summarise(job, [(20, set())])

    assert summary["total"] is None
    assert summary["not_attempted"] is None
    assert summary["not_attempted_ranges"] == [(0, 20), (20, None)]


async def test_a_job_that_never_began_attempted_nothing() -> None:
    summary = await summarise(a_job(status=JobStatus.FAILING, total=None, started_at=None))

    assert summary["not_attempted_ranges"] == [(0, None)]
    assert summary["started_at"] is None
    assert summary["running_seconds"] == 0.0
    assert summary["waiting_seconds"] == 60.5
    assert [summary[name] for name in ("requests_per_object", "objects_per_second", "bytes_per_second")] == [None] * 3


@given(shapes=st.lists(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1))))))
async def test_ranges_hold_exactly_the_tasks_without_a_result(shapes: list[tuple[int, set[int]]]) -> None:
    total = sum(size for size, _ in shapes)
    unsettled, first = set[int](), 0
    for size, settled in shapes:
        unsettled |= {first + number for number in range(size) if number not in settled}
        first += size

    summary = await summarise(a_job(total=total, planned_rows=total), shapes)

    ranges = summary["not_attempted_ranges"]
    assert isinstance(ranges, list)
    assert [number for start, end in ranges for number in range(start, end)] == sorted(unsettled)
    assert all(end < start for (_, end), (start, _) in pairwise(ranges))
    assert summary["not_attempted"] == len(unsettled)


async def test_the_most_frequent_failure_comes_first() -> None:
    codes = {"B": CodeTally(count=1), "C": CodeTally(count=5, samples=("k",)), "A": CodeTally(count=1)}

    failures = (await summarise(a_job(tally=Tally(failed=7, codes=codes))))["failures"]

    assert failures == [
        {"error_code": "C", "count": 5, "sample_keys": ["k"]},
        {"error_code": "A", "count": 1, "sample_keys": []},
        {"error_code": "B", "count": 1, "sample_keys": []},
    ]


async def test_uploads_that_could_not_be_ended_are_named() -> None:
    record = UploadRecord(
        task_number=7, target=ObjectRef(Bucket("target-1250000000"), ObjectKey("big")), upload_id="u1", fence=3
    )

    assert (await summarise(a_job(), unfinished_uploads=[record]))["unfinished_uploads"] == [
        {"task": 7, "bucket": "target-1250000000", "key": "big", "upload_id": "u1", "certain": True}
    ]


async def test_an_upload_that_may_be_somebody_elses_is_named_as_such() -> None:
    target = ObjectRef(Bucket("target-1250000000"), ObjectKey("big"))
    record = UploadRecord(task_number=7, target=target, upload_id=doubted_upload(7, "u1"), fence=3)

    assert (await summarise(a_job(), unfinished_uploads=[record]))["unfinished_uploads"] == [
        {"task": 7, "bucket": "target-1250000000", "key": "big", "upload_id": "u1", "certain": False}
    ]


async def test_the_report_is_dated_when_the_work_ended() -> None:
    assert report_time(a_job()) == 1_754_103_660.5
    assert report_time(a_job(status=JobStatus.CANCELLED, ended_at=1_754_103_700.0)) == 1_754_103_700.0


class Pages:
    """A ledger's chunks, two on a page."""

    async def chunk_states(self, job_id: JobId, *, after_seq: int) -> list[ChunkState]:
        assert job_id == JOB_ID
        return [chunk async for chunk in chunks([(1, set())] * 5) if chunk.seq > after_seq][:2]


async def test_all_pages_of_the_ledger_are_read() -> None:
    in_order = chunk_states_of(Pages(), JOB_ID)
    for _ in range(2):
        assert [chunk.seq async for chunk in in_order()] == [0, 1, 2, 3, 4]
