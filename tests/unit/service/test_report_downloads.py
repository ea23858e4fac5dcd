"""Results as downloads: the bytes of a delivered report, at any time, without holding them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import InvalidArgument, NoSuchJob, NoSuchResults
from cosbatch.model.identifiers import Bucket, JobId, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import UserRole
from cosbatch.model.reports import ReportScope, ReportState
from cosbatch.reports.seal import parts_of, seal_report
from cosbatch.reports.summary import build_summary, chunk_states_of, report_time
from cosbatch.service.report_downloads import Download, ReportDownloads, RowFilter, RowForm, SummaryForm
from cosbatch.service.service import JobService
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.memory_spool import MemorySpool
from tests.contract.ledgers import HandClock
from tests.unit.service.ended_jobs import Outcome, end, work
from tests.unit.service.job_builders import AWAY, HOME, caller_of, job_request, region

ME, OTHER, VIEWER = caller_of("me"), caller_of("other"), caller_of("me", user="vera", role=UserRole.VIEWER)
FAILED = RowFilter(scope=ReportScope.FAILED_TASKS_ONLY)
ODD: list[list[Outcome]] = [
    [("=1+1", ""), ('a,b\n"c" é +%41', "NoSuchKey"), ("plain", "")],
    [("x", 'Odd "code", and\nline'), ("@SUM(A1)", "NoSuchKey")],
    [("z", "")],
]


class CountingSpool(MemorySpool):
    reads = 0

    async def get(self, name: str) -> bytes:
        self.reads += 1
        return await super().get(name)


class Rig:
    def __init__(self, make: Callable[[Clock], JobLedger]) -> None:
        self.clock = HandClock()
        self.ledger = make(self.clock)
        self.spool = CountingSpool()
        self.desk = ReportDownloads(self.ledger, spool=self.spool, clock=self.clock)
        regions = {name: region(name) for name in (HOME, AWAY)}
        self.jobs = JobService(self.ledger, regions=regions, look=self._look)

    async def _look(self, manifest: Manifest, *, region: RegionName) -> str:
        return "e1"

    async def worked(self, chunks: Sequence[Sequence[Outcome]] = ODD, **changes: Any) -> Job:
        job = await self.jobs.create_job(job_request(**changes), caller=ME)
        return await work(self.ledger, self.spool, job.id, chunks)

    async def csv(self, job: Job, rows: RowFilter = RowFilter()) -> bytes:  # noqa: B008  # frozen
        return await whole(await self.desk.report(job.id, caller=ME, rows=rows))

    async def lines(self, job: Job, rows: RowFilter = RowFilter()) -> list[dict[str, Any]]:  # noqa: B008  # frozen
        text = await whole(await self.desk.report(job.id, caller=ME, form=RowForm.JSON_LINES, rows=rows))
        return [json.loads(line) for line in text.decode().splitlines()]

    async def delivered(self, job: Job) -> list[bytes]:
        """The files of the delivered report, in the order of its manifest.json."""
        store, bucket = MemoryStore(clock=self.clock), job.request.report.bucket
        assert bucket is not None
        store.create_bucket(bucket)
        summary = await build_summary(
            job, chunk_states=chunk_states_of(self.ledger, job.id), created_at=report_time(job)
        )
        sealed = await seal_report(
            job=job,
            parts=parts_of(self.ledger, job.id),
            spool=self.spool,
            store=store,
            summary=summary,
            created_at=report_time(job),
            still_ours=self._always,
            rows_per_file=2,
        )
        objects = store.current_objects(bucket)
        return [b"".join(objects[file.key].content.blocks()) for file in sealed.files]

    async def _always(self) -> None: ...


@pytest.fixture(params=[MemoryLedger, open_memory_ledger])
def rig(request: pytest.FixtureRequest) -> Rig:
    return Rig(request.param)


async def whole(download: Download) -> bytes:
    return b"".join([block async for block in download.blocks])


@pytest.mark.parametrize("scope", ["AllTasks", "FailedTasksOnly"])
async def test_the_bytes_are_those_of_the_delivered_files(rig: Rig, scope: str) -> None:
    job = await rig.worked(report={"bucket": "arn:aws:s3:::reports-125", "report_scope": scope})
    files = await rig.delivered(job)
    assert len(files) == (4 if scope == "AllTasks" else 2)
    assert await rig.csv(job, RowFilter(scope=ReportScope(scope))) == b"".join(files)


async def test_rows_of_one_code_are_the_rows_of_the_report(rig: Rig) -> None:
    job = await rig.worked()
    every = list(csv.reader(io.StringIO((await rig.csv(job, FAILED)).decode(), newline="")))
    for code in {row[4] for row in every}:
        one = await rig.csv(job, RowFilter(error_code=code))
        assert list(csv.reader(io.StringIO(one.decode(), newline=""))) == [row for row in every if row[4] == code]
        assert one in await rig.csv(job, FAILED) or code == "NoSuchKey"
    assert await rig.csv(job, RowFilter(error_code="SlowDown")) == b""


async def test_keys_are_what_they_are_in_both_forms(rig: Rig) -> None:
    job = await rig.worked()
    found = {row["key"]: row for row in await rig.lines(job)}
    assert set(found) == {key for chunk in ODD for key, _ in chunk}
    assert found['a,b\n"c" é +%41'] == {
        "bucket": "raw-125",
        "key": 'a,b\n"c" é +%41',
        "version_id": None,
        "status": "failed",
        "error_code": "NoSuchKey",
        "http_status": 403,
        "message": 'no, "a,b\n"c" é +%41"',
    }
    assert b"raw-125,%3D1%2B1,,succeeded" in await rig.csv(job)


async def test_a_file_has_a_name_and_a_type(rig: Rig) -> None:
    job = await rig.worked()
    found = await rig.desk.report(job.id, caller=VIEWER, rows=FAILED)
    assert (found.file_name, found.media_type) == (f"job-{job.id}-failed.csv", "text/csv; charset=utf-8")
    found = await rig.desk.report(job.id, caller=VIEWER, form=RowForm.JSON_LINES)
    assert (found.file_name, found.media_type) == (f"job-{job.id}-results.jsonl", "application/x-ndjson")


async def test_a_job_without_results_or_without_a_report(rig: Rig) -> None:
    new = await rig.jobs.create_job(job_request(report={"enabled": False}), caller=ME)
    assert await rig.csv(new) == b""
    assert await rig.lines(new) == []
    await work(rig.ledger, rig.spool, new.id, [[("a", "")]])
    assert await rig.csv(new) == b"raw-125,a,,succeeded,,200,Successful\n"


async def test_a_preview_reads_no_more_than_it_shows(rig: Rig) -> None:
    job = await rig.worked([[(f"{seq}-{number}", "") for number in range(3)] for seq in range(5)])
    rig.spool.reads = 0
    preview = await rig.desk.preview(job.id, caller=VIEWER, limit=4)
    assert ([row.key for row in preview.rows], preview.has_more) == (["0-0", "0-1", "0-2", "1-0"], True)
    assert rig.spool.reads == 2
    whole_one = await rig.desk.preview(job.id, caller=VIEWER, limit=15)
    assert (len(whole_one.rows), whole_one.has_more) == (15, False)
    for limit in (0, 1001):
        with pytest.raises(InvalidArgument):
            await rig.desk.preview(job.id, caller=ME, limit=limit)


async def test_a_stream_holds_one_part_at_a_time(rig: Rig) -> None:
    job = await rig.worked([[(f"{seq}-{number}", "") for number in range(3)] for seq in range(5)])
    rig.spool.reads = 0
    blocks = (await rig.desk.report(job.id, caller=ME)).blocks
    assert rig.spool.reads == 1
    await anext(blocks)
    await anext(blocks)
    assert rig.spool.reads == 2


async def test_another_accounts_results_are_not_there(rig: Rig) -> None:
    job = await rig.worked()
    for job_id, caller in ((job.id, OTHER), (JobId("nothing"), ME)):
        with pytest.raises(NoSuchJob):
            await rig.desk.report(job_id, caller=caller)
        with pytest.raises(NoSuchJob):
            await rig.desk.preview(job_id, caller=caller, limit=1)
        with pytest.raises(NoSuchJob):
            await rig.desk.summary(job_id, caller=caller)


async def test_results_that_are_gone_are_told_before_anything_is_sent(rig: Rig) -> None:
    job = await rig.worked()
    for name in await rig.spool.list("jobs/"):
        await rig.spool.delete(name)
    with pytest.raises(NoSuchResults):
        await rig.desk.report(job.id, caller=ME)
    with pytest.raises(NoSuchResults):
        await rig.desk.preview(job.id, caller=ME, limit=1)


async def test_the_summary_is_that_of_the_report_once_a_job_has_ended(rig: Rig) -> None:
    job = await rig.worked(report={"bucket": "arn:aws:s3:::reports-125"})
    running = json.loads(await whole(await rig.desk.summary(job.id, caller=ME)))
    assert (running["status"], running["ended_at"], running["report_state"]) == ("Active", None, "pending")
    rig.clock.tick(10)
    await end(rig.ledger, job.id, state=ReportState.FAILED)
    found = json.loads(await whole(await rig.desk.summary(job.id, caller=VIEWER)))
    assert (found["status"], found["succeeded"], found["failed"], found["not_attempted"]) == ("Complete", 3, 3, 0)
    assert (found["report_state"], found["report_location"]) == ("failed", None)
    assert found["failures"][0]["error_code"] == "NoSuchKey"


async def test_the_summary_as_a_table(rig: Rig) -> None:
    job = await rig.worked()
    found = await rig.desk.summary(job.id, caller=ME, form=SummaryForm.CSV)
    assert found.file_name == f"job-{job.id}-summary.csv"
    rows = list(csv.reader(io.StringIO((await whole(found)).decode(), newline="")))
    table = dict(rows)
    assert rows[0] == ["field", "value"]
    assert (table["succeeded"], table["manifest.bucket"], table["ended_at"]) == ("3", "logs-125", "")
    assert (table["failures.NoSuchKey"], table['failures.Odd "code", and\nline']) == ("2", "1")
    assert "not_attempted_ranges" not in table
    assert table["dry_run"] == "false"
    assert Bucket(table["manifest.bucket"])
