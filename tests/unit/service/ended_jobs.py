"""Jobs that have results, as an engine leaves them: real parts in a work area, and the ledger's rows that name them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from cosbatch.ledger.port import Duty, JobLedger
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, VersionId, WorkerId
from cosbatch.model.jobs import Job, PlanFindings
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import Part, ReportState
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import NewChunk, Result, Task, TaskStatus, Then
from cosbatch.reports.parts import encode_part, part_name
from cosbatch.storage.spool import Spool

ENGINE = WorkerId("engine-1")
SOURCE = Bucket("raw-125")
Outcome = tuple[str, str]
"""Key, and the error code; empty where it succeeded."""


def results(chunk: Sequence[Outcome], *, first: int, version: str | None = None) -> list[tuple[Task, Result]]:
    return [
        (
            Task(number, ObjectKey(key), VersionId(version) if version else None, 7, None, -1, 0),
            Result(number, TaskStatus.FAILED, code, 403, f'no, "{key}"', 0, 1)
            if code
            else Result(number, TaskStatus.SUCCEEDED, "", 200, "", 7, 1),
        )
        for number, (key, code) in enumerate(chunk, first)
    ]


async def work(ledger: JobLedger, spool: Spool, job_id: JobId, chunks: Sequence[Sequence[Outcome]]) -> Job:
    """The job, Active, with these results; each chunk has one part."""
    lease = await ledger.claim_job(ENGINE, job_id=job_id, duty=Duty.PLAN, lease_seconds=60)
    assert lease is not None
    firsts = list(accumulate(map(len, chunks), initial=0))
    planned = [
        NewChunk(seq=seq, first_task=firsts[seq], task_count=len(chunk), spool_name=f"jobs/{job_id}/chunks/{seq}")
        for seq, chunk in enumerate(chunks)
    ]
    await ledger.add_chunks(lease, planned, planned_rows=sum(map(len, chunks)))
    findings = PlanFindings(
        source_bucket=SOURCE,
        source_versioning=Versioning.NEVER,
        target_versioning=Versioning.NEVER,
        manifest_etag="e1",
    )
    await ledger.finish_plan(lease, findings=findings, to=JobStatus.READY, reason="planned")
    await _moved(ledger, job_id, JobStatus.ACTIVE)
    for claim in await ledger.claim(ENGINE, room=10**6, lease_seconds=60):
        entries = results(chunks[claim.lease.seq], first=claim.first_task)
        encoded = encode_part(entries, bucket=SOURCE, first_task=claim.first_task, task_count=claim.task_count)
        name = part_name(job_id, seq=claim.lease.seq, fence=claim.lease.fence, content=encoded.content)
        await spool.put(name, encoded.content)
        part = Part(spool_name=name, settled=encoded.settled, tally=encoded.tally)
        await ledger.commit(claim, part, then=Then.CLOSE)
    return await ledger.job(job_id)


async def end(
    ledger: JobLedger, job_id: JobId, *, state: ReportState = ReportState.DELIVERED, status: JobStatus | None = None
) -> Job:
    """Of a job that is Active; Complete, unless another final status is named that Failing leads to."""
    if status is JobStatus.FAILED:
        await _moved(ledger, job_id, JobStatus.FAILING)
    else:
        await _moved(ledger, job_id, JobStatus.COMPLETING)
    lease = await ledger.claim_job(ENGINE, job_id=job_id, duty=Duty.SEAL, lease_seconds=60)
    assert lease is not None
    if not (await ledger.job(job_id)).request.report.enabled:
        state = ReportState.NONE
    location = f"s3://reports/job-{job_id}/manifest.json" if state is ReportState.DELIVERED else ""
    to = status or JobStatus.COMPLETE
    return await ledger.report_done(lease, state=state, location=location, to=to, reason="Job complete")


async def _moved(ledger: JobLedger, job_id: JobId, to: JobStatus) -> None:
    job = await ledger.job(job_id)
    await ledger.move(job_id, expect=[job.status], to=to, actor=Actor.ENGINE, reason="by the test")
