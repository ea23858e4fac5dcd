"""What every adapter of the JobLedger port promises to users, scheduler, planner and finisher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from cosbatch.ledger.port import Duty, JobLease, JobLedger, Pulse, QueuedJob
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode, IllegalMove, NoSuchJob, StaleFence, TokenReused
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, JobId, RegionName
from cosbatch.model.jobs import Hold, PausedBy
from cosbatch.model.reports import ReportState, Tally
from cosbatch.model.states import FINAL, MOVES, Actor, JobStatus
from cosbatch.model.tasks import NewChunk, Then
from tests.contract.ledgers import (
    ADAPTERS,
    ANNA,
    BERT,
    FINDINGS,
    LEASE_SECONDS,
    PLANNER,
    HandClock,
    active_job,
    bring_to,
    chunk_plan,
    claim_one,
    engine_moves,
    held,
    job_id,
    lose,
    new_job,
    open_ledger,
    part_of,
    plan_lease,
    ready_job,
    reported_request,
    request,
    seal_lease,
    user_cancels,
)

OTHER_ACCOUNT = AccountId("other")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, clock)
    yield opened
    await opened.close()


async def queued(ledger: JobLedger, job: JobId) -> QueuedJob:
    [found] = [each for each in await ledger.queued_jobs() if each.job.id == job]
    return found


class TestCreate:
    async def test_a_new_job_is_new_and_empty(self, ledger: JobLedger, clock: HandClock) -> None:
        wanted = reported_request(priority=7, description="all of it")
        job = await ledger.create(wanted, job_id=job_id(1), account=LOCAL_ACCOUNT, token="t", digest="d")
        assert (job.id, job.account, job.token) == (job_id(1), LOCAL_ACCOUNT, "t")
        assert (job.status, job.priority, job.request) == (JobStatus.NEW, 7, wanted)
        assert (job.created_at, job.changed_at) == (clock.now(), clock.now())
        assert (job.planned_rows, job.total, job.chunk_count, job.chunks_closed) == (0, None, 0, 0)
        assert job.tally == Tally()
        assert job.report_state is ReportState.PENDING
        assert await ledger.job(job_id(1)) == job

    async def test_without_a_report_its_state_is_none(self, ledger: JobLedger) -> None:
        assert (await new_job(ledger)).report_state is ReportState.NONE

    async def test_the_same_token_and_digest_give_the_same_job(self, ledger: JobLedger) -> None:
        first = await ledger.create(request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="t", digest="d")
        again = await ledger.create(request(), job_id=job_id(2), account=LOCAL_ACCOUNT, token="t", digest="d")
        assert again == first
        assert [job.id for job in await ledger.jobs()] == [job_id(1)]

    async def test_the_same_token_with_another_digest_is_refused_naming_the_job(self, ledger: JobLedger) -> None:
        await ledger.create(request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="t", digest="d")
        with pytest.raises(TokenReused, match=job_id(1)):
            await ledger.create(request(), job_id=job_id(2), account=LOCAL_ACCOUNT, token="t", digest="else")

    async def test_a_token_is_of_its_account_and_region(self, ledger: JobLedger) -> None:
        await ledger.create(request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="t", digest="d")
        other = await ledger.create(request(), job_id=job_id(2), account=OTHER_ACCOUNT, token="t", digest="x")
        there = request(region=RegionName("there"))
        elsewhere = await ledger.create(there, job_id=job_id(3), account=LOCAL_ACCOUNT, token="t", digest="y")
        assert (other.id, elsewhere.id) == (job_id(2), job_id(3))

    async def test_an_empty_token_is_no_token(self, ledger: JobLedger) -> None:
        await new_job(ledger, 1)
        assert (await new_job(ledger, 2)).id == job_id(2)

    async def test_the_same_call_again_is_the_same_job_also_without_a_token(self, ledger: JobLedger) -> None:
        assert await new_job(ledger, 1) == await new_job(ledger, 1)

    async def test_an_id_belongs_to_one_account(self, ledger: JobLedger) -> None:
        await new_job(ledger, 1)
        with pytest.raises(ValueError, match=job_id(1)):
            await new_job(ledger, 1, account=OTHER_ACCOUNT)


class TestFinding:
    async def test_an_unknown_job_does_not_exist(self, ledger: JobLedger) -> None:
        with pytest.raises(NoSuchJob, match=job_id(9)):
            await ledger.job(job_id(9))

    async def test_anothers_job_does_not_exist(self, ledger: JobLedger) -> None:
        await new_job(ledger, 1, account=OTHER_ACCOUNT)
        assert (await ledger.job(job_id(1), account=OTHER_ACCOUNT)).id == job_id(1)
        with pytest.raises(NoSuchJob):
            await ledger.job(job_id(1), account=LOCAL_ACCOUNT)

    async def test_jobs_are_listed_newest_first_in_pages(self, ledger: JobLedger) -> None:
        for number in (1, 2, 3, 4):
            await new_job(ledger, number)
        first = await ledger.jobs(limit=2)
        rest = await ledger.jobs(after=first[-1].id)
        assert [job.id for job in first + rest] == [job_id(4), job_id(3), job_id(2), job_id(1)]

    async def test_jobs_are_filtered(self, ledger: JobLedger) -> None:
        await new_job(ledger, 1)
        await new_job(ledger, 2, account=OTHER_ACCOUNT)
        await ledger.create(request(), job_id=job_id(3), account=LOCAL_ACCOUNT, token="t", digest="d")
        await user_cancels(ledger, job_id(1))
        assert [job.id for job in await ledger.jobs(account=LOCAL_ACCOUNT)] == [job_id(3), job_id(1)]
        assert [job.id for job in await ledger.jobs(statuses=[JobStatus.CANCELLING])] == [job_id(1)]
        both = [JobStatus.CANCELLING, JobStatus.NEW]
        assert [job.id for job in await ledger.jobs(account=LOCAL_ACCOUNT, statuses=both)] == [job_id(3), job_id(1)]
        assert [job.id for job in await ledger.jobs(token="t")] == [job_id(3)]

    async def test_pulses_tell_status_priority_and_change(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger, 1, priority=3)
        moved_at = clock.tick()
        await user_cancels(ledger, job_id(1))
        found = await ledger.pulses([job_id(1), job_id(9)])
        assert found == {job_id(1): Pulse(status=JobStatus.CANCELLING, priority=3, changed_at=moved_at)}
        assert await ledger.pulses([]) == {}


class TestMove:
    @pytest.mark.parametrize("status", list(JobStatus))
    async def test_only_the_state_tables_moves_are_made(self, ledger: JobLedger, status: JobStatus) -> None:
        standing = await new_job(ledger, 1)
        await bring_to(ledger, standing.id, status)
        for number, (to, actor) in enumerate(product(JobStatus, Actor), 2):
            if actor in MOVES[status].get(to, ()):
                job = await new_job(ledger, number)
                await bring_to(ledger, job.id, status)
                moved = await ledger.move(job.id, expect=[status], to=to, actor=actor, reason="why")
                assert (moved.status, moved.status_reason) == (to, "why")
            else:
                with pytest.raises(IllegalMove, match=f"is {status}"):
                    await ledger.move(standing.id, expect=[status], to=to, actor=actor, reason="why")
        assert (await ledger.job(standing.id)).status is status

    async def test_a_status_that_was_not_expected_is_refused_by_name(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        with pytest.raises(IllegalMove, match="is New"):
            await ledger.move(job_id(1), expect=[JobStatus.READY], to=JobStatus.CANCELLING, actor=Actor.USER, reason="")

    async def test_a_repeated_move_is_refused(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        await user_cancels(ledger, job_id(1))
        with pytest.raises(IllegalMove, match="is Cancelling"):
            await user_cancels(ledger, job_id(1))

    async def test_an_unknown_job_cannot_move(self, ledger: JobLedger) -> None:
        with pytest.raises(NoSuchJob):
            await user_cancels(ledger, job_id(9))

    async def test_each_move_has_its_event(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        await engine_moves(ledger, job_id(1), JobStatus.PREPARING)
        moved_at = clock.tick()
        await user_cancels(ledger, job_id(1))
        _, first, second = await ledger.events(job_id(1))
        assert (first.status, first.actor) == (JobStatus.PREPARING, Actor.ENGINE)
        assert (second.kind, second.status, second.actor) == ("moved", JobStatus.CANCELLING, Actor.USER)
        assert (second.at, second.reason, second.job_id) == (moved_at, "enough", job_id(1))

    async def test_an_event_says_which_user(self, ledger: JobLedger, clock: HandClock) -> None:
        created_at = clock.now()
        await ledger.create(
            request(priority=1), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d", by="anna via cos"
        )
        clock.tick()
        await ledger.set_priority(job_id(1), priority=5, actor=Actor.USER, by="bert via rest")
        await engine_moves(ledger, job_id(1), JobStatus.PREPARING)
        await ledger.move(
            job_id(1), expect=list(JobStatus), to=JobStatus.CANCELLING, actor=Actor.USER, reason="no", by="anna via cli"
        )
        events = await ledger.events(job_id(1))
        assert (events[0].at, events[0].status, events[0].actor) == (created_at, JobStatus.NEW, Actor.USER)
        assert events[0].reason
        assert [(event.kind, event.by) for event in events] == [
            ("created", "anna via cos"),
            ("priority", "bert via rest"),
            ("moved", ""),
            ("moved", "anna via cli"),
        ]

    async def test_a_repeated_create_tells_nothing_again(self, ledger: JobLedger) -> None:
        for number in (1, 2):
            await ledger.create(request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token="t", digest="d")
        assert [event.kind for event in await ledger.events(job_id(1))] == ["created"]
        assert await ledger.events(job_id(2)) == []

    async def test_a_refused_move_leaves_no_event(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        with pytest.raises(IllegalMove):
            await engine_moves(ledger, job_id(1), JobStatus.COMPLETE)
        assert [event.kind for event in await ledger.events(job_id(1))] == ["created"]

    async def test_started_at_is_the_first_time_active(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        await engine_moves(ledger, job_id(1), JobStatus.PREPARING, JobStatus.READY)
        assert (await ledger.job(job_id(1))).started_at is None
        started_at = clock.tick()
        await engine_moves(ledger, job_id(1), JobStatus.ACTIVE)
        clock.tick()
        await engine_moves(ledger, job_id(1), JobStatus.PAUSING, JobStatus.PAUSED, JobStatus.ACTIVE)
        job = await ledger.job(job_id(1))
        assert (job.started_at, job.changed_at) == (started_at, clock.now())

    async def test_paused_by_lasts_until_active(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), JobStatus.PAUSED)
        assert (await ledger.job(job_id(1))).paused_by is PausedBy.USER
        await engine_moves(ledger, job_id(1), JobStatus.ACTIVE)
        assert (await ledger.job(job_id(1))).paused_by is None

    async def test_a_suspension_has_time_and_cause(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), JobStatus.PREPARING)
        suspended_at = clock.tick()
        await engine_moves(ledger, job_id(1), JobStatus.SUSPENDED)
        job = await ledger.job(job_id(1))
        assert (job.suspended_at, job.suspended_cause) == (suspended_at, "to Suspended")

    @pytest.mark.parametrize("status", sorted(FINAL))
    async def test_a_final_job_has_an_end(self, ledger: JobLedger, clock: HandClock, status: JobStatus) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), status)
        assert (await ledger.job(job_id(1))).ended_at == clock.now()

    async def test_a_failure_keeps_its_code_and_reason(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        code = FailureCode.MANIFEST_NOT_FOUND
        new = [JobStatus.NEW]
        moved = await ledger.move(
            job_id(1), expect=new, to=JobStatus.FAILING, actor=Actor.ENGINE, reason="gone", failure=code
        )
        assert (moved.failure_code, moved.failure_reason) == (code, "gone")
        await engine_moves(ledger, job_id(1), JobStatus.FAILED)
        job = await ledger.job(job_id(1))
        assert (job.failure_code, job.failure_reason, job.status_reason) == (code, "gone", "to Failed")


class TestPriorityAndHold:
    async def test_priority_changes_with_an_event(self, ledger: JobLedger) -> None:
        await new_job(ledger, priority=1)
        job = await ledger.set_priority(job_id(1), priority=5, actor=Actor.USER)
        assert (job.priority, job.request.priority) == (5, 1)
        _, event = await ledger.events(job_id(1))
        assert (event.kind, event.actor, event.reason) == ("priority", Actor.USER, "1 -> 5")

    async def test_the_same_priority_again_is_no_event(self, ledger: JobLedger) -> None:
        await new_job(ledger, priority=1)
        await ledger.set_priority(job_id(1), priority=5, actor=Actor.USER)
        await ledger.set_priority(job_id(1), priority=5, actor=Actor.USER)
        assert [event.kind for event in await ledger.events(job_id(1))] == ["created", "priority"]

    @pytest.mark.parametrize("status", sorted(FINAL))
    async def test_a_final_jobs_priority_stays(self, ledger: JobLedger, status: JobStatus) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), status)
        with pytest.raises(IllegalMove, match=status):
            await ledger.set_priority(job_id(1), priority=5, actor=Actor.USER)

    async def test_a_hold_shows_and_its_earliest_since_stays(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        await ledger.set_hold(job_id(1), Hold(bucket="b", reason="refused", since=100.0))
        await ledger.set_hold(job_id(1), Hold(bucket="b", reason="503", since=200.0))
        assert (await ledger.job(job_id(1))).hold == Hold(bucket="b", reason="503", since=100.0)

    async def test_a_hold_has_an_event_when_it_begins_and_when_it_ends(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        for hold in (
            Hold(bucket="b", reason="refused", since=1.0),
            Hold(bucket="b", reason="503", since=2.0),
            Hold(bucket="c", reason="TLS", since=3.0),
            None,
            None,
        ):
            await ledger.set_hold(job_id(1), hold)
        assert (await ledger.job(job_id(1))).hold is None
        told = [(event.kind, event.reason) for event in await ledger.events(job_id(1))]
        assert told[1:] == [
            ("hold", "b: refused"),
            ("hold-ended", "b: 503"),
            ("hold", "c: TLS"),
            ("hold-ended", "c: TLS"),
        ]


class TestQueuedJobs:
    async def test_unfinished_jobs_oldest_first(self, ledger: JobLedger) -> None:
        for number, status in enumerate(JobStatus, 1):
            await new_job(ledger, number)
            await bring_to(ledger, job_id(number), status)
        found = [each.job.status for each in await ledger.queued_jobs()]
        assert found == [status for status in JobStatus if status not in FINAL]

    async def test_a_final_job_with_a_pending_report_is_queued(self, ledger: JobLedger) -> None:
        job = await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job.id, JobStatus.CANCELLED)
        assert (await queued(ledger, job.id)).job == await ledger.job(job.id)

    async def test_open_chunks_count_whatever_the_status(self, ledger: JobLedger) -> None:
        job = await ready_job(ledger, sizes=[10])
        assert (await queued(ledger, job)).has_open_chunks
        await engine_moves(ledger, job, JobStatus.ACTIVE)
        assert (await queued(ledger, job)).has_open_chunks
        await user_cancels(ledger, job)
        assert (await queued(ledger, job)).has_open_chunks

    async def test_a_leased_chunk_is_a_lease_and_not_open(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        assert not (await queued(ledger, job)).has_leases
        claim = await claim_one(ledger)
        leased = await queued(ledger, job)
        assert (leased.has_open_chunks, leased.has_leases) == (False, True)
        await ledger.commit(claim, part_of(claim), then=Then.CLOSE)
        closed = await queued(ledger, job)
        assert (closed.has_open_chunks, closed.has_leases) == (False, False)

    async def test_a_jobs_own_lease_is_a_lease(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        assert (await queued(ledger, job_id(1))).has_leases
        await ledger.release_job(lease)
        assert not (await queued(ledger, job_id(1))).has_leases

    async def test_a_lost_chunk_is_claimable_also_while_cancelling(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        assert not (await queued(ledger, job)).has_lost_chunks
        await lose(ledger, (await claim_one(ledger)).lease)
        await user_cancels(ledger, job)
        found = await queued(ledger, job)
        assert (found.has_open_chunks, found.has_lost_chunks) == (True, True)

    async def test_quiet_at_is_the_latest_of_all_losses(self, ledger: JobLedger, clock: HandClock) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        one, other = await ledger.claim(ANNA, room=20, lease_seconds=LEASE_SECONDS)
        assert (await queued(ledger, job)).is_quiet
        await lose(ledger, one.lease, quiet_seconds=10)
        await lose(ledger, other.lease, quiet_seconds=300)
        found = await queued(ledger, job)
        assert (found.quiet_at, found.quiet_in_seconds, found.is_quiet) == (clock.now() + 300, 300, False)

    async def test_every_loss_changes_quiet_at_also_when_the_clock_was_put_back(
        self, ledger: JobLedger, clock: HandClock
    ) -> None:
        job = await active_job(ledger, sizes=[10, 10, 10])
        claims = await ledger.claim(ANNA, room=30, lease_seconds=LEASE_SECONDS)
        seen = []
        for each in claims:
            await lose(ledger, each.lease, quiet_seconds=300)
            seen.append((await queued(ledger, job)).quiet_at)
            clock.tick(-1800)
        assert seen == sorted(set(seen))
        assert seen[-1] - seen[0] < 1

    async def test_a_job_is_quiet_when_its_latest_loss_was_waited_for(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        one, other = await ledger.claim(ANNA, room=20, lease_seconds=LEASE_SECONDS)
        await lose(ledger, one.lease, quiet_seconds=300)
        first = (await queued(ledger, job)).quiet_at
        await lose(ledger, other.lease, quiet_seconds=300)
        second = (await queued(ledger, job)).quiet_at
        assert not await ledger.quieten(job, quiet_at=first)
        assert not (await queued(ledger, job)).is_quiet
        assert await ledger.quieten(job, quiet_at=second)
        assert (await queued(ledger, job)).is_quiet
        for again in (second, 0.0):
            assert not await ledger.quieten(job, quiet_at=again)
        assert not await ledger.quieten(job_id(77), quiet_at=second)


class TestLeasesAndTheirEnd:
    async def test_held_leases_are_those_of_chunks_and_jobs(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger, 1)
        claim = await claim_one(ledger)
        await new_job(ledger, 2)
        lease = await plan_lease(ledger, job_id(2))
        found = {each.lease: each for each in await ledger.held_leases()}
        assert found.keys() == {claim.lease, lease}
        assert (found[claim.lease].owner, found[lease].owner) == (ANNA, PLANNER)
        assert {each.lease_until for each in found.values()} == {clock.now() + LEASE_SECONDS}

    async def test_a_lease_is_past_by_the_ledgers_clock(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger)
        claim = await claim_one(ledger)
        clock.tick(LEASE_SECONDS)
        assert not (await held(ledger, claim.lease)).is_past
        clock.tick(0.001)
        assert (await held(ledger, claim.lease)).is_past

    async def test_an_expired_chunk_is_open_again_with_a_loss(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        claim = await claim_one(ledger)
        assert await ledger.expire(await held(ledger, claim.lease), quiet_seconds=30)
        again = await claim_one(ledger, BERT)
        assert (again.lease.seq, again.lease.fence, again.losses) == (0, claim.lease.fence + 1, 1)
        [state] = await ledger.chunk_states(job)
        assert state.losses == 1

    async def test_expire_compares_owner_fence_and_end(self, ledger: JobLedger) -> None:
        await active_job(ledger)
        seen = await held(ledger, (await claim_one(ledger)).lease)
        for other in (
            replace(seen, owner=BERT),
            replace(seen, lease=replace(seen.lease, fence=seen.lease.fence + 1)),
            replace(seen, lease_until=seen.lease_until + 1),
        ):
            assert not await ledger.expire(other, quiet_seconds=30)
        assert await ledger.held_leases() == [seen]

    async def test_expire_again_does_nothing(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        seen = await held(ledger, (await claim_one(ledger)).lease)
        assert await ledger.expire(seen, quiet_seconds=30)
        assert not await ledger.expire(seen, quiet_seconds=3000)
        assert [state.losses for state in await ledger.chunk_states(job)] == [1]

    async def test_a_renewed_lease_does_not_expire_as_it_was_seen(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger)
        claim = await claim_one(ledger)
        seen = await held(ledger, claim.lease)
        clock.tick()
        await ledger.renew(ANNA, [claim.lease], lease_seconds=LEASE_SECONDS)
        assert not await ledger.expire(seen, quiet_seconds=30)

    async def test_an_expired_job_lease_is_free(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        seen = await held(ledger, lease)
        for other in (replace(seen, owner=BERT), replace(seen, lease_until=0.0)):
            assert not await ledger.expire(other, quiet_seconds=30)
        assert await ledger.expire(seen, quiet_seconds=30)
        assert await ledger.held_leases() == []
        assert (await queued(ledger, job_id(1))).quiet_at == clock.now() + 30
        with pytest.raises(StaleFence):
            await ledger.renew_job(lease, lease_seconds=LEASE_SECONDS)


class TestJobLease:
    async def test_planning_makes_a_new_job_preparing(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        assert lease == JobLease(job_id=job_id(1), owner=PLANNER, fence=1, duty=Duty.PLAN)
        assert (await ledger.job(job_id(1))).status is JobStatus.PREPARING
        assert [event.status for event in await ledger.events(job_id(1))] == [JobStatus.NEW, JobStatus.PREPARING]

    @pytest.mark.parametrize("duty", list(Duty))
    @pytest.mark.parametrize("status", list(JobStatus))
    async def test_the_status_must_fit_the_duty(self, ledger: JobLedger, status: JobStatus, duty: Duty) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), status)
        fits = {
            Duty.PLAN: {JobStatus.NEW, JobStatus.PREPARING},
            Duty.SEAL: {JobStatus.COMPLETING, JobStatus.CANCELLING, JobStatus.FAILING},
        }
        lease = await ledger.claim_job(BERT, job_id=job_id(1), duty=duty, lease_seconds=LEASE_SECONDS)
        assert (lease is not None) == (status in fits[duty])

    async def test_a_final_job_is_sealed_while_its_report_is_pending(self, ledger: JobLedger) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.CANCELLED)
        lease = await seal_lease(ledger, job_id(1))
        await ledger.report_done(lease, state=ReportState.FAILED, location="", to=None, reason="denied")
        again = await ledger.claim_job(BERT, job_id=job_id(1), duty=Duty.SEAL, lease_seconds=LEASE_SECONDS)
        assert again is None

    async def test_nobody_takes_what_somebody_holds(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        await plan_lease(ledger, job_id(1))
        clock.tick(10 * LEASE_SECONDS)
        taken = await ledger.claim_job(BERT, job_id=job_id(1), duty=Duty.PLAN, lease_seconds=LEASE_SECONDS)
        assert taken is None

    async def test_each_lease_has_a_greater_fence(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        first = await plan_lease(ledger, job_id(1))
        await ledger.release_job(first)
        second = await plan_lease(ledger, job_id(1))
        assert second.fence > first.fence

    async def test_renewing_makes_it_longer(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        clock.tick()
        await ledger.renew_job(lease, lease_seconds=90)
        assert (await held(ledger, lease)).lease_until == clock.now() + 90

    async def test_releasing_what_is_lost_is_no_error(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await ledger.release_job(lease)
        mine = await plan_lease(ledger, job_id(1))
        await ledger.release_job(lease)
        assert [each.lease for each in await ledger.held_leases()] == [mine]


class TestPlanning:
    async def test_chunks_and_planned_rows_move_together(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await ledger.add_chunks(lease, chunk_plan([5, 3]), planned_rows=8)
        job = await ledger.job(job_id(1))
        assert (job.planned_rows, job.chunk_count, job.total) == (8, 2, None)
        states = await ledger.chunk_states(job_id(1))
        assert [(each.seq, each.first_task, each.task_count) for each in states] == [(0, 0, 5), (1, 5, 3)]
        assert [each.settled for each in states] == [Bitmap(size=5), Bitmap(size=3)]

    async def test_the_same_chunks_again_are_left_alone(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await ledger.add_chunks(lease, chunk_plan([5]), planned_rows=5)
        await ledger.add_chunks(lease, chunk_plan([5, 3]), planned_rows=8)
        await ledger.add_chunks(lease, chunk_plan([5]), planned_rows=5)
        job = await ledger.job(job_id(1))
        assert (job.planned_rows, job.chunk_count) == (8, 2)

    @pytest.mark.parametrize(
        ("chunks", "planned_rows"),
        [
            ([NewChunk(seq=2, first_task=5, task_count=1, spool_name="x")], 6),
            ([NewChunk(seq=1, first_task=6, task_count=1, spool_name="x")], 7),
            ([NewChunk(seq=1, first_task=4, task_count=1, spool_name="x")], 5),
            ([NewChunk(seq=1, first_task=5, task_count=0, spool_name="x")], 5),
            ([NewChunk(seq=1, first_task=5, task_count=2, spool_name="x")], 6),
            ([NewChunk(seq=0, first_task=0, task_count=5, spool_name="other")], 5),
        ],
        ids=["seq-gap", "task-gap", "overlap", "empty", "wrong-end", "other-file"],
    )
    async def test_a_plan_with_a_gap_or_an_overlap_is_refused(
        self, ledger: JobLedger, chunks: list[NewChunk], planned_rows: int
    ) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await ledger.add_chunks(lease, chunk_plan([5]), planned_rows=5)
        with pytest.raises(ValueError, match="chunk"):
            await ledger.add_chunks(lease, chunks, planned_rows=planned_rows)
        assert (await ledger.job(job_id(1))).planned_rows == 5

    async def test_two_hundred_rows_are_the_most(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        with pytest.raises(ValueError, match="200"):
            await ledger.add_chunks(lease, chunk_plan([1] * 201), planned_rows=201)
        await ledger.add_chunks(lease, chunk_plan([1] * 200), planned_rows=200)

    async def test_a_lost_lease_plans_nothing(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await lose(ledger, lease)
        await plan_lease(ledger, job_id(1))
        with pytest.raises(StaleFence):
            await ledger.add_chunks(lease, chunk_plan([5]), planned_rows=5)
        with pytest.raises(StaleFence):
            await ledger.finish_plan(lease, findings=FINDINGS, to=JobStatus.READY, reason="")
        assert await ledger.chunk_states(job_id(1)) == []

    async def test_a_cancelled_job_is_planned_no_further(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await user_cancels(ledger, job_id(1))
        with pytest.raises(StaleFence):
            await ledger.add_chunks(lease, chunk_plan([5]), planned_rows=5)
        with pytest.raises(StaleFence):
            await ledger.finish_plan(lease, findings=FINDINGS, to=JobStatus.READY, reason="")
        await ledger.release_job(lease)
        assert await ledger.held_leases() == []

    async def test_a_finished_plan_has_findings_and_a_total(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        await ledger.add_chunks(lease, chunk_plan([5]), planned_rows=5)
        job = await ledger.finish_plan(lease, findings=FINDINGS, to=JobStatus.READY, reason="planned")
        assert (job.status, job.status_reason, job.findings, job.total) == (JobStatus.READY, "planned", FINDINGS, 5)
        assert await ledger.held_leases() == []

    async def test_a_plan_may_end_suspended(self, ledger: JobLedger, clock: HandClock) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        job = await ledger.finish_plan(lease, findings=FINDINGS, to=JobStatus.SUSPENDED, reason="confirm it")
        assert (job.suspended_at, job.suspended_cause) == (clock.now(), "confirm it")

    async def test_a_plan_cannot_end_elsewhere(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        lease = await plan_lease(ledger, job_id(1))
        with pytest.raises(IllegalMove):
            await ledger.finish_plan(lease, findings=FINDINGS, to=JobStatus.COMPLETE, reason="")
        assert [each.lease for each in await ledger.held_leases()] == [lease]

    async def test_chunk_states_come_in_pages(self, ledger: JobLedger) -> None:
        job = await ready_job(ledger, sizes=[1] * 5)
        first = await ledger.chunk_states(job, limit=2)
        rest = await ledger.chunk_states(job, after_seq=first[-1].seq)
        assert [each.seq for each in first + rest] == [0, 1, 2, 3, 4]


class TestSealing:
    async def test_parts_come_in_order_of_chunk_and_of_commit(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[3, 3])
        first, second = await ledger.claim(ANNA, room=6, lease_seconds=LEASE_SECONDS)
        await ledger.commit(second, part_of(second, name="z"), then=Then.CLOSE)
        late, early = part_of(first, [2], name="y"), part_of(first, [0], name="x")
        await ledger.commit(first, late, then=Then.KEEP)
        await ledger.commit(first, early, then=Then.KEEP)
        page = await ledger.parts(job, limit=2)
        rest = await ledger.parts(job, after=page[-1][0])
        assert [committed.part for _, committed in page] == [late, early]
        assert [(committed.seq, committed.part.spool_name) for _, committed in rest] == [(1, "z")]
        assert await ledger.part_names(job, first_seq=0, last_seq=1) == {"x", "y", "z"}
        assert await ledger.part_names(job, first_seq=0, last_seq=0) == {"x", "y"}
        assert await ledger.part_names(job, first_seq=1, last_seq=999) == {"z"}
        assert await ledger.part_names(job, first_seq=2, last_seq=999) == frozenset()

    async def test_a_delivered_report_completes_the_job(self, ledger: JobLedger) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.COMPLETING)
        lease = await seal_lease(ledger, job_id(1))
        job = await ledger.report_done(
            lease, state=ReportState.DELIVERED, location="s3://b/k", to=JobStatus.COMPLETE, reason="done"
        )
        assert (job.status, job.report_state, job.report_location) == (
            JobStatus.COMPLETE,
            ReportState.DELIVERED,
            "s3://b/k",
        )
        assert await ledger.held_leases() == []
        told = [(event.kind, event.status) for event in await ledger.events(job_id(1))]
        assert told[-2:] == [("moved", JobStatus.COMPLETE), ("report", JobStatus.COMPLETE)]

    async def test_a_report_without_a_move_leaves_the_status(self, ledger: JobLedger) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.FAILED)
        lease = await seal_lease(ledger, job_id(1))
        job = await ledger.report_done(lease, state=ReportState.DELIVERED, location="s3://b/k", to=None, reason="")
        assert (job.status, job.report_state) == (JobStatus.FAILED, ReportState.DELIVERED)
        assert await ledger.queued_jobs() == []

    async def test_a_failed_report_fails_the_job_with_its_code(self, ledger: JobLedger) -> None:
        await ledger.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
        await bring_to(ledger, job_id(1), JobStatus.COMPLETING)
        lease = await seal_lease(ledger, job_id(1))
        code = FailureCode.REPORT_DELIVERY_FAILED
        job = await ledger.report_done(
            lease, state=ReportState.FAILED, location="", to=JobStatus.FAILING, reason="denied", failure=code
        )
        assert (job.status, job.failure_code, job.failure_reason) == (JobStatus.FAILING, code, "denied")

    async def test_a_lost_lease_reports_nothing(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), JobStatus.COMPLETING)
        lease = await seal_lease(ledger, job_id(1))
        await lose(ledger, lease)
        with pytest.raises(StaleFence):
            await ledger.report_done(lease, state=ReportState.NONE, location="", to=JobStatus.COMPLETE, reason="")
        assert (await ledger.job(job_id(1))).status is JobStatus.COMPLETING

    async def test_an_illegal_end_keeps_the_lease(self, ledger: JobLedger) -> None:
        await new_job(ledger)
        await bring_to(ledger, job_id(1), JobStatus.CANCELLING)
        lease = await seal_lease(ledger, job_id(1))
        with pytest.raises(IllegalMove, match="Cancelling"):
            await ledger.report_done(lease, state=ReportState.NONE, location="", to=JobStatus.COMPLETE, reason="")
        assert [each.lease for each in await ledger.held_leases()] == [lease]
