"""Sealing: which files there are, that they are complete, and that doing it twice changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.ledger.port import CommittedPart
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import JobId, ObjectRef
from cosbatch.model.reports import Part, ReportScope, Tally
from cosbatch.model.tasks import TaskStatus
from cosbatch.reports.rows import encode_rows
from cosbatch.reports.seal import (
    BEFORE_ALL,
    Place,
    iso_time,
    parts_of,
    report_folder,
)
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.storage.port import PutOptions, PutOutcome, SizedBody
from tests.unit.reports.report_builders import (
    BUCKET,
    JOB_ID,
    REPORT_BUCKET,
    Entry,
    a_job,
    commit,
    failed,
    read_csv,
    succeeded,
)
from tests.unit.reports.seal_builders import FOLDER, NO_OPTIONS, THREE_PARTS, Shelf, seal


async def test_a_report_has_its_files_and_a_manifest_that_names_them() -> None:
    spool, shelf = MemorySpool(), Shelf()

    sealed = await seal(shelf, await commit(spool, THREE_PARTS), spool)

    good, bad = (shelf.files[f"{FOLDER}results/{status}-00000.csv"] for status in ("succeeded", "failed"))
    assert [row[1] for row in read_csv(good)] == ["key-0", "key-2", "key-5", "key-6"]
    assert [row[1] for row in read_csv(bad)] == ["key-1", "key-3", "key-4"]
    assert json.loads(shelf.files[f"{FOLDER}manifest.json"]) == {
        "Format": "Report_CSV_V1",
        "ReportCreationDate": "2025-08-02T03:01:00.500Z",
        "Results": [
            {
                "TaskExecutionStatus": status,
                "Bucket": REPORT_BUCKET,
                "MD5Checksum": hashlib.md5(content).hexdigest(),
                "Key": f"{FOLDER}results/{status}-00000.csv",
            }
            for status, content in (("succeeded", good), ("failed", bad))
        ],
        "ReportSchema": "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage",
    }
    assert sealed.location == f"s3://{REPORT_BUCKET}/{FOLDER}manifest.json"
    assert [(file.status, file.rows, file.size_bytes) for file in sealed.files] == [
        (TaskStatus.SUCCEEDED, 4, len(good)),
        (TaskStatus.FAILED, 3, len(bad)),
    ]


async def test_the_manifest_comes_last_after_its_checksum() -> None:
    spool, shelf = MemorySpool(), Shelf()

    await seal(shelf, await commit(spool, THREE_PARTS), spool)

    assert [key.removeprefix(FOLDER) for key in shelf.order] == [
        "results/succeeded-00000.csv",
        "results/failed-00000.csv",
        "summary.json",
        "manifest.json.md5",
        "manifest.json",
    ]
    manifest = shelf.files[f"{FOLDER}manifest.json"]
    assert shelf.files[f"{FOLDER}manifest.json.md5"] == hashlib.md5(manifest).hexdigest().encode()


async def test_files_say_what_they_are() -> None:
    spool, shelf = MemorySpool(), Shelf()

    await seal(shelf, await commit(spool, THREE_PARTS), spool)

    assert {key.removeprefix(FOLDER): kind for key, kind in shelf.types.items()} == {
        "results/succeeded-00000.csv": "text/csv; charset=utf-8",
        "results/failed-00000.csv": "text/csv; charset=utf-8",
        "summary.json": "application/json",
        "manifest.json.md5": "text/plain",
        "manifest.json": "application/json",
    }


async def test_the_summary_is_written_with_the_list_of_files() -> None:
    spool, shelf = MemorySpool(), Shelf()

    await seal(shelf, await commit(spool, [[succeeded(0)]]), spool, summary={"job_id": JOB_ID, "note": "бакет \udcff"})

    content = shelf.files[f"{FOLDER}results/succeeded-00000.csv"]
    assert json.loads(shelf.files[f"{FOLDER}summary.json"]) == {
        "job_id": JOB_ID,
        "note": "бакет \udcff",
        "report_files": [
            {
                "status": "succeeded",
                "key": f"{FOLDER}results/succeeded-00000.csv",
                "rows": 1,
                "size_bytes": len(content),
                "md5": hashlib.md5(content).hexdigest(),
            }
        ],
    }


async def test_sealing_again_writes_the_same_bytes() -> None:
    spool, once, again = MemorySpool(), Shelf(), Shelf()
    parts = await commit(spool, THREE_PARTS)

    first = await seal(once, parts, spool, rows_per_file=2)
    second = await seal(again, parts, spool, rows_per_file=2)

    assert first == second
    assert once.files == again.files
    assert once.order == again.order


async def test_a_job_without_results_has_a_report_without_files() -> None:
    spool, shelf = MemorySpool(), Shelf()

    sealed = await seal(shelf, await commit(spool, []), spool)

    assert sealed.files == ()
    assert json.loads(shelf.files[f"{FOLDER}manifest.json"])["Results"] == []
    assert len(shelf.files) == 3


async def test_a_series_without_rows_has_no_file() -> None:
    spool, shelf = MemorySpool(), Shelf()

    sealed = await seal(shelf, await commit(spool, [[succeeded(0)], [succeeded(1)]]), spool)

    assert [file.key for file in sealed.files] == [f"{FOLDER}results/succeeded-00000.csv"]


async def test_failed_tasks_only_leaves_the_succeeded_out_and_unread() -> None:
    spool, shelf = MemorySpool(), Shelf()
    parts = await commit(spool, THREE_PARTS)
    for name in (await spool.list("jobs/"))[2:]:  # the third part has succeeded rows only: it is never opened
        await spool.delete(name)

    sealed = await seal(shelf, parts, spool, job=a_job(scope=ReportScope.FAILED_TASKS_ONLY))

    assert [(file.status, file.rows) for file in sealed.files] == [(TaskStatus.FAILED, 3)]
    assert not any("succeeded" in key for key in shelf.files)


@pytest.mark.parametrize(
    ("prefix", "folder"),
    [
        ("", f"job-{JOB_ID}/"),
        ("reports", f"reports/job-{JOB_ID}/"),
        ("reports/", f"reports/job-{JOB_ID}/"),
        ("/a//b", f"/a//b/job-{JOB_ID}/"),
        ("/", f"/job-{JOB_ID}/"),
    ],
)
def test_the_prefix_is_the_users_own(prefix: str, folder: str) -> None:
    assert report_folder(a_job(prefix=prefix)) == folder


def test_times_are_written_in_utc_to_the_millisecond() -> None:
    assert iso_time(1_754_103_600) == "2025-08-02T03:00:00.000Z"
    assert iso_time(1_754_103_600.9876) == "2025-08-02T03:00:00.987Z"


async def test_a_file_is_full_at_exactly_its_number_of_rows() -> None:
    spool, shelf = MemorySpool(), Shelf()
    entries = [succeeded(number) for number in range(10)]

    sealed = await seal(shelf, await commit(spool, [entries[:4], entries[4:5], entries[5:]]), spool, rows_per_file=5)

    assert [file.rows for file in sealed.files] == [5, 5]
    keys = [[row[1] for row in read_csv(shelf.files[file.key])] for file in sealed.files]
    assert keys == [[f"key-{number}" for number in range(5)], [f"key-{number}" for number in range(5, 10)]]


async def test_a_file_ends_early_where_its_rows_are_too_long_for_one_request() -> None:
    spool, shelf = MemorySpool(), Shelf()
    parts = [[succeeded(number, key="k" * 500)] for number in range(4)]

    sealed = await seal(shelf, await commit(spool, parts), spool, bytes_per_file=1200)

    assert [file.rows for file in sealed.files] == [2, 2]
    assert all(file.size_bytes <= 1200 for file in sealed.files)


MESSAGES = st.sampled_from(["", "plain", 'a "quoted" word', "two\nlines", '"\n"', "\n", '"', "cr\r\nlf", ',"\n",'])
PARTS = st.lists(
    st.lists(st.tuples(st.booleans(), MESSAGES), max_size=7),
    max_size=6,
)


@given(shapes=PARTS, rows_per_file=st.integers(1, 9))
@settings(deadline=None)
async def test_the_files_of_a_series_joined_are_its_rows_in_order(
    shapes: list[list[tuple[bool, str]]], rows_per_file: int
) -> None:
    parts = number_entries(shapes)
    spool, shelf = MemorySpool(), Shelf()

    sealed = await seal(shelf, await commit(spool, parts), spool, rows_per_file=rows_per_file)

    for status in TaskStatus:
        expected = [entry for part in parts for entry in part if entry[1].status is status]
        files = [file for file in sealed.files if file.status is status]
        joined = b"".join(shelf.files[file.key] for file in files)
        assert joined == encode_rows(expected, bucket=BUCKET, status=status)
        assert [file.key for file in files] == [
            f"{FOLDER}results/{status.value}-{number:05d}.csv" for number in range(len(files))
        ]
        for file in files:
            assert len(read_csv(shelf.files[file.key])) == file.rows
            assert file.md5 == hashlib.md5(shelf.files[file.key]).hexdigest()
        assert all(file.rows == rows_per_file for file in files[:-1])


def number_entries(shapes: Sequence[Sequence[tuple[bool, str]]]) -> list[list[Entry]]:
    parts: list[list[Entry]] = []
    number = 0
    for shape in shapes:
        part: list[Entry] = []
        for is_good, message in shape:
            part.append(succeeded(number, message=message) if is_good else failed(number, message=message))
            number += 1
        parts.append(part)
    return parts


async def test_a_body_can_be_begun_again() -> None:
    class Twice(Shelf):
        """Takes a part of a body, drops it, and begins again, as a store does after a reset."""

        async def put(self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = NO_OPTIONS) -> PutOutcome:
            if not isinstance(body, bytes):
                async for _ in body.blocks():
                    break
            return await super().put(ref, body, options=options)

    spool, plain, twice = MemorySpool(), Shelf(), Twice()
    parts = await commit(spool, THREE_PARTS)

    await seal(plain, parts, spool)
    await seal(twice, parts, spool)

    assert plain.files == twice.files


class Pages:
    """A ledger's parts, two on a page."""

    def __init__(self, places: Sequence[Place]) -> None:
        part = Part(spool_name="x", settled=Bitmap(size=0), tally=Tally())
        self.placed = [(place, CommittedPart(seq=place[0], part=part)) for place in places]

    async def parts(self, job_id: JobId, *, after: Place) -> list[tuple[Place, CommittedPart]]:
        assert job_id == JOB_ID
        return [placed for placed in self.placed if placed[0] > after][:2]


@pytest.mark.parametrize("after", [BEFORE_ALL, (0, 4), (2, 9)])
async def test_all_pages_of_the_ledger_are_read(after: Place) -> None:
    places = [(0, 4), (0, 7), (1, 5), (2, 3), (2, 9)]

    found = [place async for place, _ in parts_of(Pages(places), JOB_ID)(after)]

    assert found == [place for place in places if place > after]
