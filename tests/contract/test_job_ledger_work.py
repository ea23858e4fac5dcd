"""What every adapter of the JobLedger port promises to workers: claims, renewals, commits, marks and uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cosbatch.ledger.port import JobLedger
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import FailureCode, StaleFence
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.reports import CodeTally, Tally
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import Claim, ClaimMode, Lease, Then, UploadRecord
from tests.contract.ledgers import (
    ADAPTERS,
    ANNA,
    BERT,
    LEASE_SECONDS,
    HandClock,
    active_job,
    claim_one,
    engine_moves,
    failed,
    held,
    job_id,
    lose,
    lose_often,
    open_ledger,
    part_of,
    user_cancels,
    wait_for_quiet,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, clock)
    yield opened
    await opened.close()


async def claim(ledger: JobLedger, room: int, *, after_job: JobId | None = None) -> list[Claim]:
    return await ledger.claim(ANNA, room=room, lease_seconds=LEASE_SECONDS, after_job=after_job)


def places(claims: Sequence[Claim]) -> list[tuple[int, int]]:
    """Number of the job, and of the chunk."""
    return [(int(each.lease.job_id[-12:]), each.lease.seq) for each in claims]


class TestClaim:
    async def test_a_claim_carries_the_chunk(self, ledger: JobLedger, clock: HandClock) -> None:
        job = await active_job(ledger, sizes=[10, 20])
        first, second = await claim(ledger, 30)
        assert second == Claim(
            lease=Lease(job_id=job, seq=1, fence=1),
            owner=ANNA,
            mode=ClaimMode.RUN,
            first_task=10,
            task_count=20,
            spool_name="chunks/1-1",
            settled=Bitmap(size=20),
            losses=0,
            first_leased_at=clock.now(),
            started_task=None,
        )
        assert (await held(ledger, first.lease)).lease_until == clock.now() + LEASE_SECONDS

    async def test_chunks_are_claimed_until_the_room_is_filled(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10] * 30)
        assert [each.lease.seq for each in await claim(ledger, 15)] == [0, 1]
        assert [each.lease.seq for each in await claim(ledger, 20)] == [2, 3]
        assert len(await claim(ledger, 10_000)) == 26
        assert await claim(ledger, 1) == []

    async def test_no_room_claims_nothing(self, ledger: JobLedger) -> None:
        await active_job(ledger)
        assert await claim(ledger, 0) == []

    async def test_settled_tasks_take_no_room(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10, 10, 10])
        first = await claim_one(ledger)
        await ledger.commit(first, part_of(first, range(8)), then=Then.YIELD)
        again = await claim(ledger, 12)
        assert [each.lease.seq for each in again] == [0, 1]
        assert again[0].settled == Bitmap.of(range(8), size=10)

    async def test_one_claim_changes_at_most_two_hundred_rows(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[1] * 250)
        assert len(await claim(ledger, 1000)) == 200

    async def test_a_chunk_is_claimed_once(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10])
        await claim_one(ledger)
        assert await ledger.claim(BERT, room=10, lease_seconds=LEASE_SECONDS) == []

    async def test_the_greatest_priority_is_first_as_it_is_now(self, ledger: JobLedger) -> None:
        for number, priority in ((1, 5), (2, 9), (3, 1)):
            await active_job(ledger, number, sizes=[10, 10], priority=priority)
        assert places([await claim_one(ledger)]) == [(2, 0)]
        await ledger.set_priority(job_id(3), priority=20, actor=Actor.USER)
        assert places([await claim_one(ledger)]) == [(3, 0)]

    async def test_queues_are_served_in_turn_whatever_their_priorities(self, ledger: JobLedger) -> None:
        urgent = await active_job(ledger, 1, sizes=[10, 10, 10], priority=99, region=RegionName("a"))
        modest = await active_job(ledger, 2, sizes=[10, 10, 10], priority=1, region=RegionName("b"))
        claims = await ledger.claim(ANNA, room=40, lease_seconds=LEASE_SECONDS)
        assert [claim.lease.job_id for claim in claims] == [urgent, modest, urgent, modest]
        (claim,) = await ledger.claim(ANNA, room=10, lease_seconds=LEASE_SECONDS, after_job=urgent)
        assert claim.lease.job_id == modest

    async def test_jobs_that_the_worker_does_not_want_are_passed_over(self, ledger: JobLedger) -> None:
        held_job = await active_job(ledger, 1, priority=99)
        await active_job(ledger, 2, priority=1)
        claims = await ledger.claim(ANNA, room=10, lease_seconds=LEASE_SECONDS, but_not={held_job})
        assert places(claims) == [(2, 0)]

    async def test_a_lower_priority_has_its_turn_when_nothing_greater_is_claimable(self, ledger: JobLedger) -> None:
        await active_job(ledger, 1, sizes=[10, 10], priority=1)
        await active_job(ledger, 2, sizes=[10, 10], priority=2)
        assert places(await claim(ledger, 30)) == [(2, 0), (2, 1), (1, 0)]

    async def test_equal_priorities_come_in_turn(self, ledger: JobLedger) -> None:
        for number in (1, 2, 3):
            await active_job(ledger, number, sizes=[10] * 3)
        assert places(await claim(ledger, 10, after_job=job_id(1))) == [(2, 0)]
        assert places(await claim(ledger, 40, after_job=job_id(2))) == [(3, 0), (1, 0), (2, 1), (3, 1)]
        assert places(await claim(ledger, 10, after_job=job_id(3))) == [(1, 1)]

    @pytest.mark.parametrize("path", [(), (JobStatus.PAUSING,), (JobStatus.PAUSING, JobStatus.PAUSED)])
    async def test_only_active_jobs_run(self, ledger: JobLedger, path: tuple[JobStatus, ...]) -> None:
        job = await active_job(ledger)
        await lose_often(ledger, 1)
        await engine_moves(ledger, job, *path)
        assert bool(await claim(ledger, 1)) == (not path)

    @pytest.mark.parametrize("ending", [JobStatus.CANCELLING, JobStatus.FAILING])
    async def test_an_ending_job_settles_what_was_lost_when_all_is_quiet(
        self, ledger: JobLedger, clock: HandClock, ending: JobStatus
    ) -> None:
        job = await active_job(ledger, sizes=[10] * 3)
        await lose(ledger, (await claim_one(ledger)).lease)
        by = Actor.USER if ending is JobStatus.CANCELLING else Actor.ENGINE
        await ledger.move(job, expect=[JobStatus.ACTIVE], to=ending, actor=by, reason="")
        clock.tick(3600)
        assert await claim(ledger, 100) == []
        assert job not in await ledger.claimable_jobs()
        await wait_for_quiet(ledger, job)
        assert job in await ledger.claimable_jobs()
        [found] = await claim(ledger, 100)
        assert (found.lease.seq, found.mode, found.losses) == (0, ClaimMode.SETTLE_ONLY, 1)

    async def test_an_ending_job_waits_for_no_priority(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, 1, priority=1)
        await lose_often(ledger, 1)
        await wait_for_quiet(ledger, job)
        await user_cancels(ledger, job_id(1))
        await active_job(ledger, 2, priority=9)
        assert places(await claim(ledger, 20)) == [(1, 0), (2, 0)]

    async def test_a_chunk_lost_three_times_comes_alone_and_one_at_a_time(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10] * 3)
        await lose_often(ledger, 2)
        assert [each.mode for each in await claim(ledger, 1)] == [ClaimMode.RUN]
        await lose(ledger, Lease(job_id=job_id(1), seq=0, fence=3))
        [alone] = await claim(ledger, 100)
        assert (alone.lease.seq, alone.mode, alone.losses) == (0, ClaimMode.ONE_AT_A_TIME, 3)
        assert [each.mode for each in await claim(ledger, 100)] == [ClaimMode.RUN] * 2

    async def test_a_chunk_that_must_come_alone_does_not_join_others(self, ledger: JobLedger) -> None:
        await active_job(ledger, 2, sizes=[10])
        await lose_often(ledger, 3)
        await active_job(ledger, 1, sizes=[10])
        assert places(await claim(ledger, 100)) == [(1, 0)]
        assert places(await claim(ledger, 100)) == [(2, 0)]

    async def test_an_ending_job_is_only_settled_however_often_a_chunk_was_lost(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        await lose_often(ledger, 3)
        await wait_for_quiet(ledger, job)
        await user_cancels(ledger, job)
        assert [each.mode for each in await claim(ledger, 100)] == [ClaimMode.SETTLE_ONLY]

    async def test_the_first_lease_of_a_chunk_is_remembered(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger)
        first = await claim_one(ledger)
        await lose(ledger, first.lease)
        clock.tick(1000)
        assert (await claim_one(ledger)).first_leased_at == first.first_leased_at == clock.now() - 1000


class TestRenew:
    async def test_named_leases_become_longer(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger)
        claims = await claim(ledger, 20)
        clock.tick(5)
        renewal = await ledger.renew(ANNA, [each.lease for each in claims], lease_seconds=90)
        assert renewal.confirmed == {each.lease for each in claims}
        assert {each.lease_until for each in await ledger.held_leases()} == {clock.now() + 90}

    async def test_a_lease_that_was_not_named_goes_back_without_a_loss(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        kept, unheard_of = await claim(ledger, 20)
        await ledger.renew(ANNA, [kept.lease], lease_seconds=LEASE_SECONDS)
        again = await claim_one(ledger, BERT)
        assert (again.lease.seq, again.losses) == (unheard_of.lease.seq, 0)
        assert [each.losses for each in await ledger.chunk_states(job)] == [0, 0]
        with pytest.raises(StaleFence):
            await ledger.commit(unheard_of, part_of(unheard_of), then=Then.CLOSE)

    async def test_others_leases_are_left_alone(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger)
        bert = await claim_one(ledger, BERT)
        before = await held(ledger, bert.lease)
        clock.tick()
        assert (await ledger.renew(ANNA, [bert.lease], lease_seconds=90)).confirmed == frozenset()
        assert await held(ledger, bert.lease) == replace(before, is_past=False)

    async def test_a_lost_lease_is_not_confirmed(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await lose(ledger, mine.lease)
        assert (await ledger.renew(ANNA, [mine.lease], lease_seconds=90)).confirmed == frozenset()
        again = await claim_one(ledger)
        assert (await ledger.renew(ANNA, [mine.lease], lease_seconds=90)).confirmed == frozenset()
        assert again.lease.fence == mine.lease.fence + 1

    async def test_any_number_of_leases(self, ledger: JobLedger, clock: HandClock) -> None:
        await active_job(ledger, sizes=[1] * 900)
        claims = [each for _ in range(5) for each in await claim(ledger, 200)]
        named = [each.lease for each in claims[:450]]
        clock.tick()
        renewal = await ledger.renew(ANNA, named, lease_seconds=90)
        assert renewal.confirmed == frozenset(named)
        left = await ledger.held_leases()
        assert {each.lease for each in left} == frozenset(named)
        assert {each.lease_until for each in left} == {clock.now() + 90}


class TestForfeit:
    async def test_what_is_forfeited_is_a_loss_and_makes_the_job_quiet(
        self, ledger: JobLedger, clock: HandClock
    ) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        part = part_of(mine, [0, 1])
        await ledger.commit(mine, part, then=Then.FORFEIT, quiet_seconds=60)
        [queued] = await ledger.queued_jobs()
        assert (queued.has_leases, queued.has_lost_chunks, queued.quiet_at) == (False, True, clock.now() + 60)
        [again] = await claim(ledger, 10)
        assert (again.losses, len(again.settled), (await ledger.job(job)).tally.succeeded) == (1, 2, 2)

    async def test_the_mark_of_a_living_worker_blames_no_task(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10])
        await lose_often(ledger, 3)
        [mine] = await claim(ledger, 10)
        await ledger.mark_started(mine, 4)
        await ledger.commit(mine, None, then=Then.FORFEIT)
        [again] = await claim(ledger, 10)
        assert (again.mode, again.started_task) == (ClaimMode.ONE_AT_A_TIME, None)


class TestCommit:
    async def test_keep_is_a_checkpoint(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await ledger.commit(mine, part_of(mine, [1, 3]), then=Then.KEEP)
        assert (await held(ledger, mine.lease)).owner == ANNA
        [state] = await ledger.chunk_states(job)
        assert state.settled == Bitmap.of([1, 3], size=10)
        found = await ledger.job(job)
        assert (found.tally.succeeded, found.chunks_closed) == (2, 0)

    async def test_yield_gives_the_rest_back_without_a_loss(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await ledger.commit(mine, part_of(mine, [0]), then=Then.YIELD)
        again = await claim_one(ledger, BERT)
        assert (again.settled, again.losses) == (Bitmap.of([0], size=10), 0)

    async def test_a_chunk_that_was_lost_once_stays_a_lost_one_when_it_is_yielded(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10])
        await lose_often(ledger, 1)
        await ledger.commit(await claim_one(ledger), None, then=Then.YIELD)
        [queued] = await ledger.queued_jobs()
        assert queued.has_lost_chunks
        assert (await claim_one(ledger)).losses == 1

    async def test_close_ends_the_chunk(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await ledger.commit(mine, part_of(mine, [0]), then=Then.KEEP)
        await ledger.commit(mine, part_of(replace(mine, settled=Bitmap.of([0], size=10))), then=Then.CLOSE)
        found = await ledger.job(job)
        assert (found.chunks_closed, found.tally.succeeded, found.is_settled) == (1, 10, True)
        assert await ledger.held_leases() == []
        assert await claim(ledger, 10) == []

    async def test_tallies_add_up(self, ledger: JobLedger, clock: HandClock) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        one = Tally(
            succeeded=7,
            failed=3,
            skipped=1,
            outside_rate=2,
            failed_outside_rate=1,
            bytes_done=5 * 2**40,
            requests=11,
            codes={"NoSuchKey": CodeTally(count=3, samples=("a\n", "b//c"))},
            ignored_options={"storage-class": 1},
        )
        other = Tally(
            succeeded=9, failed=1, requests=9, bytes_done=1, codes={"AccessDenied": CodeTally(count=1, samples=("é",))}
        )
        seen = []
        for each, tally in zip(await claim(ledger, 20), (one, other), strict=True):
            await ledger.commit(each, part_of(each, tally=tally), then=Then.CLOSE)
            seen.append(tally.seen_at(clock.now()))
            clock.tick()
        assert (await ledger.job(job)).tally == seen[0].plus(seen[1])
        assert [committed.part.tally for _, committed in await ledger.parts(job)] == seen

    async def test_what_a_caller_does_to_a_tally_changes_nothing_here(
        self, ledger: JobLedger, clock: HandClock
    ) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        part = part_of(mine, tally=failed(1, of=10))
        await ledger.commit(mine, part, then=Then.KEEP)
        [(_, committed)] = await ledger.parts(job)
        [queued] = await ledger.queued_jobs()
        for tally in (part.tally, committed.part.tally, queued.job.tally, (await ledger.job(job)).tally):
            tally.codes.clear()
            tally.ignored_options["tagging"] = 9
        found = (await ledger.job(job)).tally
        [(_, kept)] = await ledger.parts(job)
        assert found == kept.part.tally == failed(1, of=10).seen_at(clock.now())

    async def test_what_a_caller_does_to_a_list_changes_nothing_here(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        await claim_one(ledger)
        for _ in range(2):
            lists: list[list[Any]] = [
                await ledger.events(job),
                await ledger.chunk_states(job),
                await ledger.held_leases(),
            ]
            assert all(lists)
            for found in lists:
                found.clear()

    async def test_the_same_part_again_is_success_and_counts_once(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        part = part_of(mine)
        for _ in range(3):
            await ledger.commit(mine, part, then=Then.CLOSE)
        found = await ledger.job(job)
        assert (found.tally.succeeded, found.chunks_closed) == (10, 1)
        assert len(await ledger.parts(job)) == 1

    async def test_the_same_part_again_is_success_also_when_the_lease_is_lost(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        part = part_of(mine, [0])
        await ledger.commit(mine, part, then=Then.KEEP)
        await lose(ledger, mine.lease)
        await ledger.commit(mine, part, then=Then.YIELD)
        assert (await ledger.job(job)).tally.succeeded == 1

    async def test_a_known_part_can_still_end_a_lease_that_is_held(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        part = part_of(mine)
        await ledger.commit(mine, part, then=Then.KEEP)
        await ledger.commit(mine, part, then=Then.CLOSE)
        found = await ledger.job(job)
        assert (found.tally.succeeded, found.chunks_closed) == (10, 1)

    @pytest.mark.parametrize("then", list(Then))
    async def test_a_lost_lease_commits_nothing(self, ledger: JobLedger, then: Then) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await lose(ledger, mine.lease)
        with pytest.raises(StaleFence):
            await ledger.commit(mine, part_of(mine), then=then)
        again = await claim_one(ledger)
        with pytest.raises(StaleFence):
            await ledger.commit(mine, part_of(mine), then=then)
        with pytest.raises(StaleFence):
            await ledger.commit(replace(again, owner=BERT), part_of(again), then=then)
        assert await ledger.parts(job) == []
        assert (await ledger.job(job)).tally == Tally()

    async def test_closing_with_tasks_unsettled_is_refused(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        with pytest.raises(ValueError, match="1 tasks are not settled"):
            await ledger.commit(mine, part_of(mine, range(9)), then=Then.CLOSE)
        assert await ledger.parts(job) == []

    async def test_parts_never_overlap(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await ledger.commit(mine, part_of(mine, [0, 1]), then=Then.KEEP)
        with pytest.raises(ValueError, match="settles"):
            await ledger.commit(mine, part_of(mine, [1, 2]), then=Then.KEEP)
        assert (await ledger.job(job)).tally.succeeded == 2

    async def test_a_part_is_of_the_chunks_size(self, ledger: JobLedger) -> None:
        await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        part = replace(part_of(mine), settled=Bitmap.full(9))
        with pytest.raises(ValueError, match="settles"):
            await ledger.commit(mine, part, then=Then.KEEP)

    async def test_an_unused_claim_is_yielded(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await ledger.commit(mine, None, then=Then.YIELD)
        assert (await claim_one(ledger)).losses == 0
        assert (await ledger.job(job)).tally == Tally()
        with pytest.raises(StaleFence):
            await ledger.commit(mine, None, then=Then.YIELD)

    async def test_a_chunk_that_is_settled_already_closes_without_a_part(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await ledger.commit(mine, part_of(mine), then=Then.KEEP)
        await lose(ledger, mine.lease)
        again = await claim_one(ledger)
        assert again.settled.is_full()
        await ledger.commit(again, None, then=Then.CLOSE)
        found = await ledger.job(job)
        assert (found.chunks_closed, found.tally.succeeded) == (1, 10)

    @pytest.mark.parametrize("status", [JobStatus.PAUSING, JobStatus.CANCELLING, JobStatus.FAILING])
    async def test_a_held_lease_commits_whatever_the_job_has_become(self, ledger: JobLedger, status: JobStatus) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        actor = Actor.USER if status is JobStatus.CANCELLING else Actor.ENGINE
        await ledger.move(job, expect=[JobStatus.ACTIVE], to=status, actor=actor, reason="")
        await ledger.commit(mine, part_of(mine, [0]), then=Then.YIELD)
        found = await ledger.job(job)
        assert (found.status, found.tally.succeeded) == (status, 1)


class TestJobFails:
    async def commit_all(self, ledger: JobLedger, *tallies: Tally) -> None:
        for tally in tallies:
            mine = await claim_one(ledger)
            await ledger.commit(mine, part_of(mine, tally=tally), then=Then.CLOSE)

    async def test_by_its_threshold(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[600, 600])
        await self.commit_all(ledger, failed(600, of=600))
        assert (await ledger.job(job)).status is JobStatus.ACTIVE
        await self.commit_all(ledger, failed(1, of=600))
        found = await ledger.job(job)
        assert (found.status, found.failure_code) == (JobStatus.FAILING, FailureCode.FAILURE_THRESHOLD_EXCEEDED)
        assert found.failure_reason == (
            "601 of the 1,200 objects done until then failed, which is more than the 50% that the job allows"
        )
        last = (await ledger.events(job))[-1]
        assert (last.status, last.actor, last.reason) == (JobStatus.FAILING, Actor.ENGINE, found.failure_reason)
        assert found.chunks_closed == 2

    async def test_not_at_the_threshold_itself(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[600, 600])
        await self.commit_all(ledger, failed(600, of=600), failed(0, of=600))
        assert (await ledger.job(job)).status is JobStatus.ACTIVE

    @pytest.mark.parametrize(("sizes", "fails"), [((500, 500), False), ((500, 501), True)])
    async def test_not_with_a_thousand_tasks(self, ledger: JobLedger, sizes: tuple[int, int], fails: bool) -> None:
        job = await active_job(ledger, sizes=sizes)
        await self.commit_all(ledger, *(failed(size, of=size) for size in sizes))
        assert ((await ledger.job(job)).status is JobStatus.FAILING) == fails

    @pytest.mark.parametrize(("outside", "fails"), [(201, False), (200, True)])
    async def test_not_before_a_thousand_count_in_the_rate(self, ledger: JobLedger, outside: int, fails: bool) -> None:
        job = await active_job(ledger, sizes=[1200])
        await self.commit_all(ledger, replace(failed(1000, of=1200), outside_rate=outside))
        assert ((await ledger.job(job)).status is JobStatus.FAILING) == fails

    @pytest.mark.parametrize(("outside", "fails"), [(0, True), (800, False)])
    async def test_failures_outside_the_rate_do_not_count(self, ledger: JobLedger, outside: int, fails: bool) -> None:
        job = await active_job(ledger, sizes=[2000])
        tally = replace(failed(1300, of=2000), outside_rate=outside, failed_outside_rate=outside)
        await self.commit_all(ledger, tally)
        assert ((await ledger.job(job)).status is JobStatus.FAILING) == fails

    @pytest.mark.parametrize(("threshold", "fails"), [(None, False), (0.0, True), (1.0, False), (0.1, True)])
    async def test_by_the_threshold_of_the_request(
        self, ledger: JobLedger, threshold: float | None, fails: bool
    ) -> None:
        job = await active_job(ledger, sizes=[1100], failure_threshold=threshold)
        await self.commit_all(ledger, failed(120, of=1100))
        assert ((await ledger.job(job)).status is JobStatus.FAILING) == fails

    async def test_never_of_a_dry_run(self, ledger: JobLedger) -> None:
        """Which shows every trouble."""
        job = await active_job(ledger, sizes=[1100], dry_run=True)
        await self.commit_all(ledger, failed(1100, of=1100))
        found = await ledger.job(job)
        assert found.request.dry_run
        assert found.status is not JobStatus.FAILING

    async def test_also_from_pausing(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[1100])
        mine = await claim_one(ledger)
        await engine_moves(ledger, job, JobStatus.PAUSING)
        await ledger.commit(mine, part_of(mine, tally=failed(1100, of=1100)), then=Then.CLOSE)
        assert (await ledger.job(job)).status is JobStatus.FAILING

    async def test_not_from_cancelling(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[1100])
        mine = await claim_one(ledger)
        await user_cancels(ledger, job)
        await ledger.commit(mine, part_of(mine, tally=failed(1100, of=1100)), then=Then.CLOSE)
        found = await ledger.job(job)
        assert (found.status, found.failure_code) == (JobStatus.CANCELLING, None)

    async def test_by_an_option_that_the_store_ignored_twice(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10] * 3)
        once = Tally(succeeded=9, failed=1, requests=10, ignored_options={"storage-class": 1})
        await self.commit_all(ledger, once, replace(once, ignored_options={"tagging": 1}))
        assert (await ledger.job(job)).status is JobStatus.ACTIVE
        await self.commit_all(ledger, once)
        found = await ledger.job(job)
        assert (found.status, found.failure_code) == (JobStatus.FAILING, FailureCode.STORE_IGNORED_OPTION)
        assert "storage-class" in found.failure_reason


class TestStartedMark:
    async def lost_three_times(self, ledger: JobLedger) -> Claim:
        await active_job(ledger, sizes=[10])
        await lose_often(ledger, 3)
        return await claim_one(ledger)

    async def test_the_next_claim_after_a_loss_knows_what_was_started(self, ledger: JobLedger) -> None:
        mine = await self.lost_three_times(ledger)
        assert mine.started_task is None
        await ledger.mark_started(mine, 3)
        await ledger.mark_started(mine, 4)
        await lose(ledger, mine.lease)
        assert (await claim_one(ledger)).started_task == 4

    async def test_a_mark_outlives_claims_that_marked_nothing(self, ledger: JobLedger) -> None:
        mine = await self.lost_three_times(ledger)
        await ledger.mark_started(mine, 4)
        await lose(ledger, mine.lease)
        await claim_one(ledger)
        await ledger.renew(ANNA, [], lease_seconds=LEASE_SECONDS)
        unused = await claim_one(ledger)
        await ledger.commit(unused, None, then=Then.YIELD)
        await lose(ledger, (await claim_one(ledger)).lease)
        assert (await claim_one(ledger)).started_task == 4

    async def test_a_worker_that_yields_blames_no_task(self, ledger: JobLedger) -> None:
        mine = await self.lost_three_times(ledger)
        await ledger.mark_started(mine, 4)
        await ledger.commit(mine, part_of(mine, [0]), then=Then.YIELD)
        assert (await claim_one(ledger)).started_task is None

    async def test_a_lost_lease_marks_nothing(self, ledger: JobLedger) -> None:
        mine = await self.lost_three_times(ledger)
        await lose(ledger, mine.lease)
        with pytest.raises(StaleFence):
            await ledger.mark_started(mine, 4)
        assert (await claim_one(ledger)).started_task is None

    async def test_only_a_task_of_the_chunk_can_start(self, ledger: JobLedger) -> None:
        mine = await self.lost_three_times(ledger)
        with pytest.raises(ValueError, match="task 10"):
            await ledger.mark_started(mine, 10)


def upload_of(claim: Claim, upload_id: str, *, task_number: int = 0) -> UploadRecord:
    target = ObjectRef(bucket=Bucket("t"), key=ObjectKey("a//b\n\x00é\udcff"), version_id=VersionId("null"))
    return UploadRecord(task_number=task_number, target=target, upload_id=upload_id, fence=claim.lease.fence)


class TestUploads:
    async def test_an_upload_is_kept_with_its_key_as_it_is(self, ledger: JobLedger) -> None:
        job = await active_job(ledger)
        mine = await claim_one(ledger)
        record = upload_of(mine, "u1")
        await ledger.add_upload(mine.lease, record)
        assert await ledger.uploads(job) == [record]

    async def test_the_same_upload_again_does_nothing(self, ledger: JobLedger) -> None:
        job = await active_job(ledger)
        mine = await claim_one(ledger)
        for _ in range(2):
            await ledger.add_upload(mine.lease, upload_of(mine, "u1"))
        assert len(await ledger.uploads(job)) == 1

    async def test_uploads_of_one_task(self, ledger: JobLedger) -> None:
        job = await active_job(ledger)
        mine = await claim_one(ledger)
        one, other = (
            upload_of(mine, "u1"),
            replace(upload_of(mine, "u2", task_number=5), target=ObjectRef(Bucket("t"), ObjectKey("k"))),
        )
        for record in (one, other):
            await ledger.add_upload(mine.lease, record)
        assert await ledger.uploads(job, task_number=5) == [other]
        assert await ledger.uploads(job) == [one, other]

    async def test_a_lost_lease_adds_no_upload(self, ledger: JobLedger) -> None:
        job = await active_job(ledger, sizes=[10])
        mine = await claim_one(ledger)
        await lose(ledger, mine.lease)
        with pytest.raises(StaleFence):
            await ledger.add_upload(mine.lease, upload_of(mine, "u1"))
        await claim_one(ledger)
        with pytest.raises(StaleFence):
            await ledger.add_upload(mine.lease, upload_of(mine, "u1"))
        assert await ledger.uploads(job) == []

    async def test_an_upload_outlives_its_lease_until_somebody_saw_its_end(self, ledger: JobLedger) -> None:
        job = await active_job(ledger)
        mine = await claim_one(ledger)
        await ledger.add_upload(mine.lease, upload_of(mine, "u1"))
        await lose(ledger, mine.lease)
        assert len(await ledger.uploads(job)) == 1
        for _ in range(2):
            await ledger.remove_upload(job, "u1")
        assert await ledger.uploads(job) == []
