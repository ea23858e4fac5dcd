"""Adapters of the JobLedger port under one name each, a clock moved by hand, and builders of jobs in any state."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import Duty, HeldLease, JobLease, JobLedger
from cosbatch.ledger.sql_ledger import open_memory_ledger, open_sqlite_ledger
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket, JobId, ObjectKey, RegionName, WorkerId
from cosbatch.model.jobs import Job, JobRequest, PausedBy, PlanFindings
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import CodeTally, Part, ReportSpec, Tally
from cosbatch.model.states import MOVES, Actor, JobStatus
from cosbatch.model.tasks import Claim, Lease, NewChunk

T = TypeVar("T")
ADAPTERS = ["memory", "sqlite-memory", "sqlite-file"]
ON_DISK = ["sqlite-file"]
"""Those that a second connection can open."""

PLANNER = WorkerId("planner-1")
ANNA = WorkerId("worker-anna")
BERT = WorkerId("worker-bert")
LEASE_SECONDS = 60.0
FINDINGS = PlanFindings(
    source_bucket=Bucket("source"),
    source_versioning=Versioning.NEVER,
    target_versioning=Versioning.ENABLED,
    manifest_etag="9f2c",
)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, at: float = 1_700_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def boottime(self) -> float:
        return self.at

    def tick(self, seconds: float = 1.0) -> float:
        self.at += seconds
        return self.at


async def open_ledger(adapter: str, folder: Path, clock: HandClock) -> JobLedger:
    if adapter == "memory":
        return MemoryLedger(clock)
    if adapter == "sqlite-memory":
        return open_memory_ledger(clock)
    return await open_sqlite_ledger(folder, clock=clock)


def now(call: Coroutine[Any, Any, T]) -> T:
    """The result of a call that never suspends."""
    try:
        call.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a call of the ledger in memory suspended")


def request(**changes: Any) -> JobRequest:
    location = ManifestLocation(bucket=Bucket("lists"), key=ObjectKey("a/manifest.csv"), etag="9f2c")
    wanted: dict[str, Any] = {
        "region": RegionName("here"),
        "manifest": Manifest(location=location, spec=ManifestSpec(format=ManifestFormat.COS_CSV)),
        "operation": PutObjectCopy(target_bucket=Bucket("target")),
        "report": ReportSpec(enabled=False),
        "priority": 10,
    }
    return JobRequest(**(wanted | changes))


def reported_request(**changes: Any) -> JobRequest:
    return request(report=ReportSpec(enabled=True, bucket=Bucket("reports")), **changes)


def job_id(number: int) -> JobId:
    """Greater numbers are newer jobs."""
    return JobId(f"01900000-0000-7000-8000-{number:012d}")


async def new_job(ledger: JobLedger, number: int = 1, *, account: AccountId = LOCAL_ACCOUNT, **changes: Any) -> Job:
    return await ledger.create(request(**changes), job_id=job_id(number), account=account, token="", digest="d")


def chunk_plan(sizes: Sequence[int], *, first_seq: int = 0, first_task: int = 0) -> list[NewChunk]:
    plan = []
    for seq, size in enumerate(sizes, first_seq):
        plan.append(NewChunk(seq=seq, first_task=first_task, task_count=size, spool_name=f"chunks/{seq}-1"))
        first_task += size
    return plan


async def plan_lease(ledger: JobLedger, job: JobId) -> JobLease:
    lease = await ledger.claim_job(PLANNER, job_id=job, duty=Duty.PLAN, lease_seconds=LEASE_SECONDS)
    assert lease is not None
    return lease


async def seal_lease(ledger: JobLedger, job: JobId) -> JobLease:
    lease = await ledger.claim_job(PLANNER, job_id=job, duty=Duty.SEAL, lease_seconds=LEASE_SECONDS)
    assert lease is not None
    return lease


async def ready_job(ledger: JobLedger, number: int = 1, *, sizes: Sequence[int] = (10, 10), **changes: Any) -> JobId:
    job = await new_job(ledger, number, **changes)
    lease = await plan_lease(ledger, job.id)
    for first in range(0, len(sizes), 200):
        plan = chunk_plan(sizes[first : first + 200], first_seq=first, first_task=sum(sizes[:first]))
        await ledger.add_chunks(lease, plan, planned_rows=sum(sizes[: first + 200]))
    await ledger.finish_plan(lease, findings=FINDINGS, to=JobStatus.READY, reason="planned")
    return job.id


async def active_job(ledger: JobLedger, number: int = 1, *, sizes: Sequence[int] = (10, 10), **changes: Any) -> JobId:
    job = await ready_job(ledger, number, sizes=sizes, **changes)
    await engine_moves(ledger, job, JobStatus.ACTIVE)
    return job


async def engine_moves(ledger: JobLedger, job: JobId, *path: JobStatus) -> None:
    for to in path:
        await ledger.move(job, expect=list(JobStatus), to=to, actor=Actor.ENGINE, reason=f"to {to}")


async def user_cancels(ledger: JobLedger, job: JobId) -> None:
    await ledger.move(job, expect=list(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="enough")


async def bring_to(ledger: JobLedger, job: JobId, status: JobStatus) -> None:
    """Along the shortest way through the state table."""
    for to, actor in _way_to(status):
        paused_by = PausedBy.USER if to is JobStatus.PAUSING else None
        await ledger.move(job, expect=list(JobStatus), to=to, actor=actor, reason=f"to {to}", paused_by=paused_by)


def _way_to(status: JobStatus) -> list[tuple[JobStatus, Actor]]:
    ways: dict[JobStatus, list[tuple[JobStatus, Actor]]] = {JobStatus.NEW: []}
    waiting = deque([JobStatus.NEW])
    while status not in ways:
        current = waiting.popleft()
        for to, actors in MOVES[current].items():
            if to not in ways:
                ways[to] = [*ways[current], (to, min(actors))]
                waiting.append(to)
    return ways[status]


async def claim_one(ledger: JobLedger, worker: WorkerId = ANNA) -> Claim:
    [claim] = await ledger.claim(worker, room=1, lease_seconds=LEASE_SECONDS)
    return claim


def part_of(claim: Claim, members: Sequence[int] | None = None, *, name: str = "", tally: Tally | None = None) -> Part:
    """Settles ``members`` (places in the chunk), or all that is not settled, as succeeded."""
    todo = Bitmap.full(claim.task_count) - claim.settled
    settled = todo if members is None else Bitmap.of(members, size=claim.task_count)
    return Part(
        spool_name=name or f"parts/{claim.lease.seq}-{claim.lease.fence}-{settled.bits:x}",
        settled=settled,
        tally=tally or Tally(succeeded=len(settled), requests=len(settled)),
    )


def failed(count: int, *, of: int, code: str = "NoSuchKey") -> Tally:
    return Tally(succeeded=of - count, failed=count, requests=of, codes={code: CodeTally(count=count, samples=("k",))})


async def held(ledger: JobLedger, lease: Lease | JobLease) -> HeldLease:
    [found] = [each for each in await ledger.held_leases() if each.lease == lease]
    return found


async def lose(ledger: JobLedger, lease: Lease | JobLease, *, quiet_seconds: float = 30.0) -> None:
    assert await ledger.expire(await held(ledger, lease), quiet_seconds=quiet_seconds)


async def wait_for_quiet(ledger: JobLedger, job: JobId) -> None:
    """As if somebody had waited for the requests of every lease that was lost."""
    [seen] = [each for each in await ledger.queued_jobs() if each.job.id == job]
    assert await ledger.quieten(job, quiet_at=seen.quiet_at)


async def lose_often(ledger: JobLedger, times: int, worker: WorkerId = BERT) -> None:
    """Loses the chunk that is next, so many times."""
    for _ in range(times):
        await lose(ledger, (await claim_one(ledger, worker)).lease)
