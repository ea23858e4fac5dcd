"""Jobs, tasks, results and committed parts, as small as a test needs them."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence

from cosbatch.ledger.port import CommittedPart
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, JobId, ObjectKey, RegionName, VersionId
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.reports import Part, ReportScope, ReportSpec, ReportState, Tally
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Result, Task, TaskStatus
from cosbatch.reports.parts import encode_part, part_name
from cosbatch.reports.seal import PartSource, Place
from cosbatch.storage.spool import Spool

JOB_ID = JobId("01980000-0000-7000-8000-000000000001")
BUCKET = Bucket("logs-1250000000")
REPORT_BUCKET = Bucket("reports-1250000000")

Entry = tuple[Task, Result]


def a_task(number: int = 0, *, key: str | None = None, version: str | None = None) -> Task:
    named = ObjectKey(f"key-{number}" if key is None else key)
    return Task(number, named, VersionId(version) if version is not None else None, 10, None, -1, 0)


def a_success(number: int = 0, *, message: str = "", size_bytes: int = 10, in_failure_rate: bool = True) -> Result:
    return Result(number, TaskStatus.SUCCEEDED, "", 200, message, size_bytes, 1, in_failure_rate)


def a_failure(
    number: int = 0, *, code: str = "NoSuchKey", message: str = "gone", http_status: int = 404, requests: int = 1
) -> Result:
    return Result(number, TaskStatus.FAILED, code, http_status, message, 0, requests)


def succeeded(number: int = 0, *, key: str | None = None, version: str | None = None, message: str = "") -> Entry:
    return a_task(number, key=key, version=version), a_success(number, message=message)


def failed(number: int = 0, *, key: str | None = None, code: str = "NoSuchKey", message: str = "gone") -> Entry:
    return a_task(number, key=key), a_failure(number, code=code, message=message)


def read_csv(content: bytes) -> list[list[str]]:
    """As somebody else's reader sees it."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def a_job(
    *,
    status: JobStatus = JobStatus.COMPLETING,
    prefix: str = "",
    scope: ReportScope = ReportScope.ALL_TASKS,
    tally: Tally | None = None,
    total: int | None = 0,
    planned_rows: int = 0,
    started_at: float | None = 1_754_103_610.0,
    ended_at: float | None = None,
) -> Job:
    location = ManifestLocation(
        bucket=Bucket("inventory-1250000000"), key=ObjectKey("daily/manifest.json"), etag="e7a9"
    )
    request = JobRequest(
        region=RegionName("ap-guangzhou"),
        manifest=Manifest(location=location, spec=ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV)),
        operation=PutObjectCopy(target_bucket=Bucket("target-1250000000")),
        report=ReportSpec(enabled=True, bucket=REPORT_BUCKET, prefix=prefix, scope=scope),
        priority=1,
    )
    return Job(
        id=JOB_ID,
        account=LOCAL_ACCOUNT,
        request=request,
        status=status,
        priority=1,
        created_at=1_754_103_600.0,
        changed_at=1_754_103_660.5,
        planned_rows=planned_rows,
        total=total,
        chunk_count=0,
        chunks_closed=0,
        tally=tally or Tally(),
        report_state=ReportState.PENDING,
        started_at=started_at,
        ended_at=ended_at,
    )


async def commit(spool: Spool, parts: Sequence[Sequence[Entry]]) -> PartSource:
    """Each part as a chunk of its own, put where a worker would put it."""
    committed: list[tuple[Place, CommittedPart]] = []
    for seq, entries in enumerate(parts):
        first = entries[0][0].number if entries else 0
        encoded = encode_part(entries, bucket=BUCKET, first_task=first, task_count=len(entries))
        name = part_name(JOB_ID, seq=seq, fence=1, content=encoded.content)
        await spool.put(name, encoded.content)
        part = Part(spool_name=name, settled=encoded.settled, tally=encoded.tally)
        committed.append(((seq, 10 + seq), CommittedPart(seq=seq, part=part)))

    async def after(place: Place) -> AsyncIterator[tuple[Place, CommittedPart]]:
        for placed in committed:
            if placed[0] > place:
                yield placed

    return after
