"""The JobLedger over a SQL database: each intention is one transaction of statements in the modules beside this one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from cosbatch.ledger import census, claims, commits, duties, jobs, removals, scheduling, sqlite, uploads, workers
from cosbatch.ledger.job_lists import SqlJobLists
from cosbatch.ledger.port import (
    ChunkState,
    CommittedPart,
    Duty,
    HeldLease,
    JobLease,
    JobLedger,
    Pulse,
    QueuedJob,
    Renewal,
)
from cosbatch.ledger.preflights import SqlPreflights
from cosbatch.ledger.rate_shares import RateWish
from cosbatch.ledger.regions import SqlRegionLedger
from cosbatch.ledger.roles import SqlRoleLedger
from cosbatch.ledger.rules import ROWS_PER_WRITE
from cosbatch.ledger.sql_people import SqlPeople
from cosbatch.ledger.transaction import Database, LastLook
from cosbatch.ledger.webhooks import SqlWebhookLedger
from cosbatch.model.census import JobCensus
from cosbatch.model.clock import Clock
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, JobId, RegionName, WorkerId
from cosbatch.model.jobs import Hold, Job, JobEvent, JobRequest, PausedBy, PlanFindings
from cosbatch.model.regions import CappedPlace
from cosbatch.model.reports import Part, ReportState
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import Claim, Lease, NewChunk, Then, UploadRecord
from cosbatch.model.workers import WorkerMetrics, WorkerProcess, WorkerSeen


async def open_sqlite_ledger(folder: Path, *, clock: Clock | None = None, patience_seconds: float = 30.0) -> SqlLedger:
    """The ledger in ``folder``/ledger.db, which is made, or brought up to date, where need be.

    ``clock`` replaces SQLite's own, for tests. LedgerUnavailable where a call gets no answer for ``patience_seconds``,
    or the folder cannot be used; LedgerError where a newer version of the program made it."""
    return SqlLedger(await sqlite.open_file(folder, clock=clock, patience_seconds=patience_seconds))


def open_memory_ledger(clock: Clock) -> SqlLedger:
    """A ledger of this process and thread alone, with the same statements; no call of it ever suspends."""
    return SqlLedger(sqlite.open_memory(clock=clock))


class SqlLedger(JobLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.roles = SqlRoleLedger(database)
        self.preflights = SqlPreflights(database)
        self.people = SqlPeople(database)
        self.regions = SqlRegionLedger(database)
        self.lists = SqlJobLists(database)
        self.webhooks = SqlWebhookLedger(database)
        """Of the same database."""
        self._queue = LastLook(scheduling.QueueLook())
        self._leases = LastLook(scheduling.leases)
        self._claimable = LastLook(claims.claimable_jobs)

    async def close(self) -> None:
        await self._database.close()

    # --- what users want

    async def create(
        self,
        request: JobRequest,
        *,
        job_id: JobId,
        account: AccountId,
        token: str,
        digest: str,
        by: str = "",
        max_unfinished: int | None = None,
    ) -> Job:
        return await self._database.write(
            partial(
                jobs.create,
                request=request,
                job_id=job_id,
                account=account,
                token=token,
                digest=digest,
                by=by,
                max_unfinished=max_unfinished,
            )
        )

    async def job(self, job_id: JobId, *, account: AccountId | None = None) -> Job:
        return await self._database.read(partial(jobs.job, job_id=job_id, account=account))

    async def jobs(
        self,
        *,
        account: AccountId | None = None,
        region: RegionName | None = None,
        statuses: Collection[JobStatus] = (),
        created_after: float | None = None,
        after: JobId | None = None,
        limit: int = 1000,
        token: str | None = None,
        token_prefix: str | None = None,
    ) -> list[Job]:
        return await self._database.read(
            partial(
                jobs.jobs,
                account=account,
                region=region,
                statuses=statuses,
                created_after=created_after,
                after=after,
                limit=limit,
                token=token,
                token_prefix=token_prefix,
            )
        )

    async def move(
        self,
        job_id: JobId,
        *,
        expect: Collection[JobStatus],
        to: JobStatus,
        actor: Actor,
        reason: str,
        by: str = "",
        paused_by: PausedBy | None = None,
        failure: FailureCode | None = None,
    ) -> Job:
        return await self._database.write(
            partial(
                jobs.move,
                job_id=job_id,
                expect=expect,
                to=to,
                actor=actor,
                reason=reason,
                by=by,
                paused_by=paused_by,
                failure=failure,
            )
        )

    async def set_priority(self, job_id: JobId, *, priority: int, actor: Actor, by: str = "") -> Job:
        return await self._database.write(
            partial(jobs.set_priority, job_id=job_id, priority=priority, actor=actor, by=by)
        )

    async def events(self, job_id: JobId, *, after: int = 0, limit: int | None = None) -> list[JobEvent]:
        return await self._database.read(partial(jobs.events, job_id=job_id, after=after, limit=limit))

    async def set_hold(self, job_id: JobId, hold: Hold | None) -> None:
        await self._database.write(partial(jobs.set_hold, job_id=job_id, hold=hold))

    async def redeliver(self, job_id: JobId, *, by: str = "") -> Job:
        return await self._database.write(partial(jobs.redeliver, job_id=job_id, by=by))

    async def explain(self, job_id: JobId, *, status: JobStatus, reason: str) -> bool:
        return await self._database.write(partial(jobs.explain, job_id=job_id, status=status, reason=reason))

    # --- removing

    async def remove(self, job_id: JobId) -> None:
        await self._database.write(partial(removals.remove, job_id=job_id))

    async def remove_ended(self, *, older_than_seconds: float, limit: int) -> list[JobId]:
        return await self._database.write(
            partial(removals.remove_ended, older_than_seconds=older_than_seconds, limit=limit)
        )

    async def removed_jobs(self, *, limit: int = 100) -> list[JobId]:
        return await self._database.read(partial(removals.removed_jobs, limit=limit))

    async def delete_some_rows(self, job_id: JobId) -> bool:
        return await self._database.write(partial(removals.delete_some_rows, job_id=job_id))

    async def known_jobs(self, job_ids: Collection[JobId]) -> frozenset[JobId]:
        return await self._database.read(partial(removals.known_jobs, job_ids=job_ids))

    # --- scheduling

    async def queued_jobs(self) -> list[QueuedJob]:
        return await self._database.read(partial(scheduling.queued_jobs, look=self._queue))

    async def held_leases(self) -> list[HeldLease]:
        return await self._database.read(partial(scheduling.held_leases, look=self._leases))

    async def expire(self, held: HeldLease, *, quiet_seconds: float) -> bool:
        return await self._database.write(partial(scheduling.expire, held=held, quiet_seconds=quiet_seconds))

    async def quieten(self, job_id: JobId, *, quiet_at: float) -> bool:
        return await self._database.write(partial(scheduling.quieten, job_id=job_id, quiet_at=quiet_at))

    # --- planning and sealing

    async def claim_job(self, worker: WorkerId, *, job_id: JobId, duty: Duty, lease_seconds: float) -> JobLease | None:
        return await self._database.write(
            partial(duties.claim_job, worker=worker, job_id=job_id, duty=duty, lease_seconds=lease_seconds)
        )

    async def renew_job(self, lease: JobLease, *, lease_seconds: float) -> None:
        await self._database.write(partial(duties.renew_job, lease=lease, lease_seconds=lease_seconds))

    async def release_job(self, lease: JobLease) -> None:
        await self._database.write(partial(duties.release_job, lease=lease))

    async def add_chunks(self, lease: JobLease, chunks: Sequence[NewChunk], *, planned_rows: int) -> None:
        await self._database.write(partial(duties.add_chunks, lease=lease, chunks=chunks, planned_rows=planned_rows))

    async def chunk_states(self, job_id: JobId, *, after_seq: int = -1, limit: int = 1000) -> list[ChunkState]:
        return await self._database.read(partial(duties.chunk_states, job_id=job_id, after_seq=after_seq, limit=limit))

    async def finish_plan(self, lease: JobLease, *, findings: PlanFindings, to: JobStatus, reason: str) -> Job:
        return await self._database.write(
            partial(duties.finish_plan, lease=lease, findings=findings, to=to, reason=reason)
        )

    async def parts(
        self, job_id: JobId, *, after: tuple[int, int] = (-1, -1), limit: int = 1000
    ) -> list[tuple[tuple[int, int], CommittedPart]]:
        return await self._database.read(partial(duties.parts, job_id=job_id, after=after, limit=limit))

    async def part_names(self, job_id: JobId, *, first_seq: int, last_seq: int) -> frozenset[str]:
        return await self._database.read(
            partial(duties.part_names, job_id=job_id, first_seq=first_seq, last_seq=last_seq)
        )

    async def report_done(
        self,
        lease: JobLease,
        *,
        state: ReportState,
        location: str,
        to: JobStatus | None,
        reason: str,
        failure: FailureCode | None = None,
        hold: Hold | None = None,
    ) -> Job:
        return await self._database.write(
            partial(
                duties.report_done,
                lease=lease,
                state=state,
                location=location,
                to=to,
                reason=reason,
                failure=failure,
                hold=hold,
            )
        )

    # --- working

    async def claim(
        self,
        worker: WorkerId,
        *,
        room: int,
        lease_seconds: float,
        after_job: JobId | None = None,
        but_not: Collection[JobId] = (),
        only: Collection[JobId] | None = None,
    ) -> list[Claim]:
        claimable = await self.claimable_jobs() - frozenset(but_not)
        if not (claimable if only is None else claimable.intersection(only)):
            return []  # nobody waits for the right to write only to find that there is nothing
        return await self._database.write(
            partial(
                claims.claim,
                worker=worker,
                room=room,
                lease_seconds=lease_seconds,
                after_job=after_job,
                but_not=but_not,
                only=only,
            )
        )

    async def claimable_jobs(self) -> frozenset[JobId]:
        return await self._database.read(self._claimable)

    async def renew(self, worker: WorkerId, leases: Collection[Lease], *, lease_seconds: float) -> Renewal:
        named = frozenset(leases)
        waiting = claims.sorted_leases(named)
        confirmed: frozenset[Lease] = frozenset()
        while True:
            batch, waiting = waiting[:ROWS_PER_WRITE], waiting[ROWS_PER_WRITE:]
            step = await self._database.write(
                partial(claims.renew_some, worker=worker, leases=batch, named=named, lease_seconds=lease_seconds)
            )
            confirmed |= step.confirmed
            if not waiting and not step.has_more:
                return Renewal(confirmed=confirmed)

    async def pulses(self, job_ids: Collection[JobId]) -> Mapping[JobId, Pulse]:
        return await self._database.read(partial(jobs.pulses, job_ids=job_ids))

    async def commit(self, claim: Claim, part: Part | None, *, then: Then, quiet_seconds: float = 0.0) -> None:
        await self._database.write(
            partial(commits.commit, claim=claim, part=part, then=then, quiet_seconds=quiet_seconds)
        )

    async def mark_started(self, claim: Claim, task_number: int) -> None:
        await self._database.write(partial(claims.mark_started, claim=claim, task_number=task_number))

    # --- multipart uploads

    async def add_upload(self, lease: Lease | JobLease, record: UploadRecord) -> None:
        await self._database.write(partial(uploads.add_upload, lease=lease, record=record))

    async def uploads(self, job_id: JobId, *, task_number: int | None = None) -> list[UploadRecord]:
        return await self._database.read(partial(uploads.uploads, job_id=job_id, task_number=task_number))

    async def remove_upload(self, job_id: JobId, upload_id: str) -> None:
        await self._database.write(partial(uploads.remove_upload, job_id=job_id, upload_id=upload_id))

    # --- all jobs together

    async def census(self) -> JobCensus:
        return await self._database.read(census.census)

    # --- processes, and their shares of rate caps

    async def check_in(
        self,
        process: WorkerProcess,
        metrics: WorkerMetrics,
        wishes: Mapping[CappedPlace, RateWish],
        *,
        seconds: float,
    ) -> Mapping[CappedPlace, float]:
        return await self._database.write(
            partial(workers.check_in, process=process, metrics=metrics, wishes=wishes, seconds=seconds)
        )

    async def check_out(self, process: WorkerId) -> None:
        await self._database.write(partial(workers.check_out, process=process))

    async def workers(self, *, seen_within_seconds: float) -> list[WorkerSeen]:
        return await self._database.read(partial(workers.workers, seen_within_seconds=seen_within_seconds))
