"""What every ledger does when a job is removed, and how it keeps to quotas, narrows lists and says why a job waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import IllegalMove, NoSuchJob, StaleFence, TokenReused, TooManyJobs
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket, JobId, ObjectKey, ObjectRef, RegionName
from cosbatch.model.jobs import Hold, JobRequest
from cosbatch.model.reports import ReportState
from cosbatch.model.states import FINAL, Actor, JobStatus
from cosbatch.model.tasks import Then, UploadRecord
from tests.contract.ledgers import (
    ADAPTERS,
    LEASE_SECONDS,
    HandClock,
    active_job,
    bring_to,
    claim_one,
    engine_moves,
    job_id,
    new_job,
    open_ledger,
    part_of,
    ready_job,
    reported_request,
    request,
    seal_lease,
    user_cancels,
)

OTHER = AccountId("other")
DAY = 86400.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, clock)
    yield opened
    await opened.close()


async def ended_job(
    ledger: JobLedger, number: int = 1, status: JobStatus = JobStatus.COMPLETE, *, token: str = ""
) -> JobId:
    job = await ledger.create(request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token=token, digest="d")
    await bring_to(ledger, job.id, status)
    return job.id


async def a_full_job(ledger: JobLedger, number: int = 1, *, chunks: int = 3) -> JobId:
    """One that has ended, with something in every table."""
    job = await active_job(ledger, number, sizes=[2] * chunks)
    for seq in range(chunks):
        claim = await claim_one(ledger)
        ref = ObjectRef(Bucket("target"), ObjectKey("k"))
        record = UploadRecord(task_number=claim.first_task, target=ref, upload_id=f"u{seq}", fence=claim.lease.fence)
        await ledger.add_upload(claim.lease, record)
        await ledger.commit(claim, part_of(claim, [0]), then=Then.KEEP)
        await ledger.commit(claim, part_of(claim, [1]), then=Then.CLOSE)
    await engine_moves(ledger, job, JobStatus.COMPLETING, JobStatus.COMPLETE)
    return job


async def delete_all(ledger: JobLedger, job: JobId) -> int:
    """How many steps it took."""
    steps = 1
    while await ledger.delete_some_rows(job):
        steps += 1
    return steps


class TestRemove:
    @pytest.mark.parametrize("status", sorted(FINAL))
    async def test_a_removed_job_does_not_exist_for_anybody(self, ledger: JobLedger, status: JobStatus) -> None:
        job = await ended_job(ledger, status=status)
        await ledger.remove(job)
        for account in (None, LOCAL_ACCOUNT):
            with pytest.raises(NoSuchJob):
                await ledger.job(job, account=account)
        assert await ledger.jobs() == []
        assert await ledger.events(job) == []
        assert await ledger.pulses([job]) == {}
        assert await ledger.queued_jobs() == []
        assert await ledger.removed_jobs() == [job]
        with pytest.raises(NoSuchJob):
            await ledger.remove(job)
        with pytest.raises(NoSuchJob):
            await ledger.set_priority(job, priority=1, actor=Actor.USER)
        with pytest.raises(NoSuchJob):
            await user_cancels(ledger, job)
        with pytest.raises(NoSuchJob):
            await ledger.set_hold(job, Hold(bucket="b", reason="r", since=1.0))

    @pytest.mark.parametrize("status", sorted(set(JobStatus) - FINAL))
    async def test_a_job_that_has_not_ended_stays(self, ledger: JobLedger, status: JobStatus) -> None:
        job = await ended_job(ledger, status=status)
        with pytest.raises(IllegalMove, match=f"is {status}: only a job that has ended can be deleted; cancel it"):
            await ledger.remove(job)
        assert (await ledger.job(job)).status is status

    async def test_a_job_whose_report_is_pending_stays_and_says_so(self, ledger: JobLedger) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.CANCELLED)
        with pytest.raises(IllegalMove, match="its report is not delivered yet"):
            await ledger.remove(job_id(1))
        lease = await seal_lease(ledger, job_id(1))
        await ledger.report_done(lease, state=ReportState.FAILED, location="", to=None, reason="gone")
        await ledger.remove(job_id(1))
        assert await ledger.removed_jobs() == [job_id(1)]

    async def test_its_token_is_free_again(self, ledger: JobLedger) -> None:
        job = await ended_job(ledger, token="t")
        with pytest.raises(TokenReused):
            await ledger.create(request(), job_id=job_id(2), account=LOCAL_ACCOUNT, token="t", digest="else")
        await ledger.remove(job)
        made = await ledger.create(request(), job_id=job_id(2), account=LOCAL_ACCOUNT, token="t", digest="else")
        assert (made.id, made.token) == (job_id(2), "t")

    async def test_its_id_is_taken_as_long_as_anything_is_left(self, ledger: JobLedger) -> None:
        job = await ended_job(ledger)
        await ledger.remove(job)
        with pytest.raises(ValueError, match="is taken"):
            await ledger.create(request(), job_id=job, account=LOCAL_ACCOUNT, token="", digest="d")

    async def test_a_lease_on_it_is_stale(self, ledger: JobLedger) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.CANCELLED)
        lease = await seal_lease(ledger, job_id(1))
        await ledger.report_done(lease, state=ReportState.DELIVERED, location="s3://b/k", to=None, reason="")
        await ledger.remove(job_id(1))
        with pytest.raises(StaleFence):
            await ledger.report_done(lease, state=ReportState.DELIVERED, location="s3://b/k", to=None, reason="")
        with pytest.raises(StaleFence):
            await ledger.renew_job(lease, lease_seconds=LEASE_SECONDS)


class TestDeleteRows:
    async def test_everything_goes_and_nothing_of_others(self, ledger: JobLedger) -> None:
        job, other = await a_full_job(ledger, 1), await a_full_job(ledger, 2)
        events = await ledger.events(other)
        await ledger.remove(job)
        await delete_all(ledger, job)
        assert await ledger.removed_jobs() == []
        assert await ledger.known_jobs([job, other]) == {other}
        assert (await ledger.parts(job), await ledger.chunk_states(job), await ledger.uploads(job)) == ([], [], [])
        assert await ledger.part_names(job, first_seq=0, last_seq=9) == frozenset()
        assert len(await ledger.parts(other)) == 6
        assert len(await ledger.chunk_states(other)) == len(await ledger.uploads(other)) == 3
        assert await ledger.events(other) == events

    async def test_its_id_may_be_used_then(self, ledger: JobLedger) -> None:
        job = await a_full_job(ledger)
        await ledger.remove(job)
        await delete_all(ledger, job)
        made = await ledger.create(request(), job_id=job, account=LOCAL_ACCOUNT, token="", digest="d")
        assert [event.kind for event in await ledger.events(made.id)] == ["created"]
        assert await ledger.chunk_states(job) == []

    async def test_a_step_takes_two_hundred_rows_at_most(self, ledger: JobLedger) -> None:
        job = await ready_job(ledger, sizes=[1] * 450)
        await user_cancels(ledger, job)
        await engine_moves(ledger, job, JobStatus.CANCELLED)
        await ledger.remove(job)
        left = [450]
        while await ledger.delete_some_rows(job):
            left.append(len(await ledger.chunk_states(job)))
        assert left[:4] == [450, 250, 50, 0]

    async def test_nothing_is_done_to_a_job_that_is_not_removed(self, ledger: JobLedger) -> None:
        job = await a_full_job(ledger)
        assert not await ledger.delete_some_rows(job)
        assert not await ledger.delete_some_rows(job_id(9))
        assert len(await ledger.parts(job)) == 6
        assert (await ledger.job(job)).status is JobStatus.COMPLETE


class TestRetention:
    async def test_jobs_that_ended_long_ago_are_removed_the_oldest_first(
        self, ledger: JobLedger, clock: HandClock
    ) -> None:
        for number in (3, 1, 2):
            await ended_job(ledger, number)
            clock.tick(DAY)
        assert await ledger.remove_ended(older_than_seconds=3 * DAY, limit=9) == []
        clock.tick(1)
        assert await ledger.remove_ended(older_than_seconds=3 * DAY, limit=9) == [job_id(3)]
        clock.tick(3 * DAY)
        assert await ledger.remove_ended(older_than_seconds=3 * DAY, limit=1) == [job_id(1)]
        assert await ledger.remove_ended(older_than_seconds=3 * DAY, limit=9) == [job_id(2)]
        assert await ledger.remove_ended(older_than_seconds=3 * DAY, limit=9) == []
        assert await ledger.removed_jobs() == [job_id(1), job_id(2), job_id(3)]
        assert await ledger.removed_jobs(limit=2) == [job_id(1), job_id(2)]

    async def test_unfinished_jobs_and_pending_reports_stay(self, ledger: JobLedger, clock: HandClock) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.FAILED)
        for number, status in enumerate(sorted(set(JobStatus) - FINAL), 2):
            await ended_job(ledger, number, status)
        clock.tick(1000 * DAY)
        assert await ledger.remove_ended(older_than_seconds=DAY, limit=99) == []


class TestQuota:
    async def test_so_many_unfinished_jobs_of_an_account(self, ledger: JobLedger) -> None:
        async def create(number: int, *, account: AccountId = LOCAL_ACCOUNT, token: str = "") -> JobId:
            job = await ledger.create(
                request(), job_id=job_id(number), account=account, token=token, digest="d", max_unfinished=2
            )
            return job.id

        await create(1, token="t")
        await create(2)
        with pytest.raises(
            TooManyJobs, match=r"has 2 of the 2 unfinished jobs that it may have; .* max_unfinished_jobs"
        ):
            await create(3)
        assert await create(3, token="t") == job_id(1), "a repeated create makes nothing"
        assert await create(4, account=OTHER) == job_id(4)
        await bring_to(ledger, job_id(2), JobStatus.FAILED)
        assert await create(5) == job_id(5)
        assert [job.id for job in await ledger.jobs(account=LOCAL_ACCOUNT)] == [job_id(5), job_id(2), job_id(1)]

    async def test_however_many_are_made_at_once(self, ledger: JobLedger) -> None:
        creates = [
            ledger.create(
                request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token="", digest="d", max_unfinished=5
            )
            for number in range(1, 21)
        ]
        outcomes = await asyncio.gather(*creates, return_exceptions=True)
        assert sum(isinstance(outcome, TooManyJobs) for outcome in outcomes) == 15
        assert len(await ledger.jobs()) == 5


class TestList:
    async def test_by_region_status_and_time(self, ledger: JobLedger, clock: HandClock) -> None:
        there = RegionName("there")
        wanted: list[JobRequest] = [request(), request(region=there), request(), request(region=there)]
        made_at = []
        for number, each in enumerate(wanted, 1):
            await ledger.create(each, job_id=job_id(number), account=LOCAL_ACCOUNT, token="", digest="d")
            made_at.append(clock.now())
            clock.tick()
        await ledger.create(request(), job_id=job_id(5), account=OTHER, token="", digest="d")
        await bring_to(ledger, job_id(4), JobStatus.FAILED)

        async def listed(
            *,
            region: RegionName | None = None,
            created_after: float | None = None,
            statuses: frozenset[JobStatus] = frozenset(),
        ) -> list[JobId]:
            found = await ledger.jobs(
                account=LOCAL_ACCOUNT, region=region, created_after=created_after, statuses=statuses
            )
            return [job.id for job in found]

        assert await listed(region=there) == [job_id(4), job_id(2)]
        assert await listed(region=RegionName("nowhere")) == []
        assert await listed(created_after=made_at[1]) == [job_id(4), job_id(3)]
        assert await listed(created_after=made_at[1], region=there) == [job_id(4)]
        assert await listed(region=there, statuses=frozenset({JobStatus.NEW})) == [job_id(2)]

    async def test_by_what_a_token_begins_with(self, ledger: JobLedger) -> None:
        for number, token in enumerate(["run-a", "run-a.2", "run-b", "run-"], 1):
            await ledger.create(request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token=token, digest="d")
        found = await ledger.jobs(account=LOCAL_ACCOUNT, token_prefix="run-a")
        assert [job.token for job in found] == ["run-a.2", "run-a"]


class TestExplain:
    async def test_a_waiting_job_says_why(self, ledger: JobLedger, clock: HandClock) -> None:
        job = await ready_job(ledger)
        moved_at = (await ledger.job(job)).changed_at
        clock.tick()
        assert await ledger.explain(job, status=JobStatus.READY, reason="waits for job x")
        shown = await ledger.job(job)
        assert (shown.status, shown.status_reason, shown.changed_at) == (JobStatus.READY, "waits for job x", moved_at)
        last = (await ledger.events(job))[-1]
        assert (last.kind, last.status, last.actor) == ("waiting", JobStatus.READY, Actor.ENGINE)
        assert (last.reason, last.at) == ("waits for job x", clock.now())

    async def test_only_once_and_only_where_it_still_is(self, ledger: JobLedger) -> None:
        job = await ready_job(ledger)
        assert await ledger.explain(job, status=JobStatus.READY, reason="waits")
        before = await ledger.events(job)
        assert not await ledger.explain(job, status=JobStatus.READY, reason="waits")
        assert not await ledger.explain(job, status=JobStatus.PAUSED, reason="another")
        assert not await ledger.explain(job_id(9), status=JobStatus.READY, reason="waits")
        assert await ledger.events(job) == before


class TestSuspended:
    async def test_how_long_it_has_waited_is_told_by_the_ledgers_clock(
        self, ledger: JobLedger, clock: HandClock
    ) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), JobStatus.SUSPENDED)
        clock.tick(3 * DAY)
        [seen] = await ledger.queued_jobs()
        assert seen.suspended_seconds == 3 * DAY
        await ledger.move(job_id(1), expect=list(JobStatus), to=JobStatus.READY, actor=Actor.USER, reason="go")
        [seen] = await ledger.queued_jobs()
        assert seen.suspended_seconds == 0


class TestRedelivery:
    """A report that is asked for once more."""

    async def ended(self, ledger: JobLedger, state: ReportState) -> JobId:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.COMPLETING)
        lease = await seal_lease(ledger, job_id(1))
        location = "s3://b/k" if state is ReportState.DELIVERED else ""
        await ledger.report_done(lease, state=state, location=location, to=JobStatus.COMPLETE, reason="done")
        return job_id(1)

    @pytest.mark.parametrize("state", [ReportState.DELIVERED, ReportState.FAILED])
    async def test_it_is_pending_again_and_queued(
        self, ledger: JobLedger, clock: HandClock, state: ReportState
    ) -> None:
        job = await self.ended(ledger, state)
        assert await ledger.queued_jobs() == []
        clock.tick(DAY)
        asked = await ledger.redeliver(job, by="anna via rest")
        assert (asked.status, asked.report_state, asked.report_location) == (
            JobStatus.COMPLETE,
            ReportState.PENDING,
            "",
        )
        assert asked.report_asked_at == clock.at
        assert [queued.job for queued in await ledger.queued_jobs()] == [asked]
        event = (await ledger.events(job))[-1]
        assert (event.kind, event.actor, event.by, event.at) == ("report", Actor.USER, "anna via rest", clock.at)
        lease = await seal_lease(ledger, job)
        done = await ledger.report_done(
            lease, state=ReportState.DELIVERED, location="s3://b/k", to=None, reason="Job complete"
        )
        assert (done.report_state, done.status) == (ReportState.DELIVERED, JobStatus.COMPLETE)

    async def test_asking_twice_is_asking_once(self, ledger: JobLedger, clock: HandClock) -> None:
        job = await self.ended(ledger, ReportState.FAILED)
        asked = await ledger.redeliver(job)
        told = await ledger.events(job)
        clock.tick()
        assert await ledger.redeliver(job) == asked
        assert await ledger.events(job) == told

    async def test_only_a_job_that_has_ended_with_a_report(self, ledger: JobLedger) -> None:
        without = await ended_job(ledger, 2)
        with pytest.raises(IllegalMove, match="none was asked for"):
            await ledger.redeliver(without)
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.COMPLETING)
        with pytest.raises(IllegalMove, match="when it ends"):
            await ledger.redeliver(job_id(1))
        with pytest.raises(NoSuchJob):
            await ledger.redeliver(job_id(3))
        await ledger.remove(without)
        with pytest.raises(NoSuchJob):
            await ledger.redeliver(without)
