"""What every adapter of the JobLists port promises to people who look at jobs, and what commits write for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cosbatch.ledger.list_port import (
    NEWEST_FIRST,
    STATUSES_OF,
    JobFilter,
    JobGroup,
    JobListing,
    JobLists,
    JobSort,
    ListOrder,
    ListPlace,
    RecentResults,
    RoleUse,
)
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.series_rules import ROWS_MAX
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, JobId, ObjectKey, RegionName, VersionId
from cosbatch.model.operations import DeleteObject, OperationName
from cosbatch.model.reports import CODES_KEPT, FAILURES_KEPT, OTHER_CODES, CodeTally, FailureSample, Tally
from cosbatch.model.series import SeriesPoint
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import Claim, Then
from tests.contract.ledgers import (
    ADAPTERS,
    ON_DISK,
    HandClock,
    active_job,
    bring_to,
    claim_one,
    engine_moves,
    failed,
    job_id,
    new_job,
    open_ledger,
    part_of,
    ready_job,
    request,
)

IN_MEMORY = [adapter for adapter in ADAPTERS if adapter not in ON_DISK]
"""Thousands of commits: a disk would take minutes."""
OTHER_ACCOUNT = AccountId("other")
MINE = JobFilter(account=LOCAL_ACCOUNT)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=ADAPTERS)
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[JobLedger]:
    opened = await open_ledger(request.param, tmp_path, clock)
    yield opened
    await opened.close()


@pytest.fixture
def lists(ledger: JobLedger) -> JobLists:
    return ledger.lists


def wanted(**changes: Any) -> JobFilter:
    return replace(MINE, **changes)


def numbers(listing: JobListing) -> list[int]:
    return [int(job.id[-12:]) for job in listing.jobs]


async def found(lists: JobLists, **changes: Any) -> list[int]:
    return numbers(await lists.list_jobs(wanted(**changes)))


async def paged(lists: JobLists, order: ListOrder, *, limit: int = 2) -> list[int]:
    seen: list[int] = []
    after: ListPlace | None = None
    while True:
        page = await lists.list_jobs(MINE, order=order, after=after, limit=limit)
        seen += numbers(page)
        assert len(page.jobs) <= limit
        after = page.next
        if after is None:
            return seen


async def commit(ledger: JobLedger, tally: Tally, *, samples: tuple[FailureSample, ...] = ()) -> Claim:
    """Closes the next chunk of whatever job it is."""
    claim = await claim_one(ledger)
    part = replace(part_of(claim, tally=tally), samples=samples)
    await ledger.commit(claim, part, then=Then.CLOSE)
    return claim


class TestFilter:
    async def test_jobs_of_one_account_newest_first(self, ledger: JobLedger, lists: JobLists) -> None:
        for number in (2, 1, 3):
            await new_job(ledger, number)
        await new_job(ledger, 4, account=OTHER_ACCOUNT)
        listing = await lists.list_jobs(MINE)
        assert numbers(listing) == [3, 2, 1]
        assert listing.next is None
        assert listing.jobs[0] == await ledger.job(job_id(3))

    async def test_by_region_operation_and_time(self, ledger: JobLedger, lists: JobLists, clock: HandClock) -> None:
        times = []
        there: dict[str, Any] = {"region": RegionName("there")}
        for number, changes in enumerate([there, {"operation": DeleteObject()}, there], 1):
            await new_job(ledger, number, **changes)
            times.append(clock.now())
            clock.tick()
        assert await found(lists, region=RegionName("there")) == [3, 1]
        assert await found(lists, operation=OperationName.DELETE) == [2]
        assert await found(lists, operation=OperationName.COPY, region=RegionName("here")) == []
        assert await found(lists, created_from=times[1]) == [3, 2]
        assert await found(lists, created_to=times[1]) == [1]
        assert await found(lists, created_from=times[1], created_to=times[2]) == [2]

    async def test_by_priority(self, ledger: JobLedger, lists: JobLists) -> None:
        for number, priority in enumerate([0, 10, 11, 2_147_483_647], 1):
            await new_job(ledger, number, priority=priority)
        assert await found(lists, priority_from=11) == [4, 3]
        assert await found(lists, priority_from=0) == [4, 3, 2, 1]
        await ledger.set_priority(job_id(1), priority=10, actor=Actor.USER)
        assert await found(lists, priority_from=10) == [4, 3, 2, 1]

    async def test_jobs_of_a_role_are_counted(self, ledger: JobLedger, lists: JobLists, clock: HandClock) -> None:
        times = []
        for number, arn in enumerate(["a", "b", "a", "", "a"], 1):
            await new_job(ledger, number, role_arn=arn)
            times.append(clock.now())
            clock.tick()
        await new_job(ledger, 6, account=OTHER_ACCOUNT, role_arn="a")
        for number in (3, 5):
            await bring_to(ledger, job_id(number), JobStatus.CANCELLED)
        assert await lists.role_uses(account=LOCAL_ACCOUNT) == {
            "a": RoleUse(unfinished=1, total=3, newest_at=times[4]),
            "b": RoleUse(unfinished=1, total=1, newest_at=times[1]),
        }
        await ledger.remove(job_id(5))
        (use, _) = (await lists.role_uses(account=LOCAL_ACCOUNT)).values()
        assert use == RoleUse(unfinished=1, total=2, newest_at=times[2])

    async def test_by_creator(self, ledger: JobLedger, lists: JobLists) -> None:
        for number, by in enumerate(["alice via rest", "bob via cos", "alice via cli", ""], 1):
            await ledger.create(request(), job_id=job_id(number), account=LOCAL_ACCOUNT, token="", digest="d", by=by)
        assert await found(lists, creator="alice") == [3, 1]
        assert await found(lists, creator="") == [4]
        assert (await ledger.job(job_id(2))).creator == "bob"

    @pytest.mark.parametrize(
        ("search", "numbers_found"),
        [
            ("archive", [2, 1]),
            ("ARCHIVE OF", [1]),
            ("100%_done\\", [2]),
            ("%", [2]),
            ("_", [2]),
            ("数据", [3]),
            ("ÉTÉ", [3]),
            ("été", []),
            (job_id(2).upper(), [2]),
            (job_id(2)[:-1], [4, 3, 2, 1]),
            (job_id(2)[1:], []),
            ("nothing like it", []),
            ("\U0010ffff", []),
        ],
    )
    async def test_by_words_of_the_description_or_the_beginning_of_the_id(
        self, ledger: JobLedger, lists: JobLists, search: str, numbers_found: list[int]
    ) -> None:
        for number, description in enumerate(["Archive of May", "the archive: 100%_done\\", "数据 ÉTÉ", ""], 1):
            await new_job(ledger, number, description=description)
        assert await found(lists, search=search) == numbers_found

    async def test_a_removed_job_is_in_no_list(self, ledger: JobLedger, lists: JobLists) -> None:
        for number in (1, 2):
            await new_job(ledger, number)
            await bring_to(ledger, job_id(number), JobStatus.CANCELLED)
        await ledger.remove(job_id(1))
        listing = await lists.list_jobs(MINE)
        assert numbers(listing) == [2]
        assert [count.count for count in listing.counts] == [1]


class TestStatuses:
    @pytest.mark.parametrize("status", list(JobStatus))
    async def test_by_status_and_group(self, ledger: JobLedger, lists: JobLists, status: JobStatus) -> None:
        await new_job(ledger, 1)
        await new_job(ledger, 2)
        await bring_to(ledger, job_id(2), status)
        groups = [group for group, statuses in STATUSES_OF.items() if status in statuses]
        assert len(groups) == 1
        assert 2 in await found(lists, statuses=frozenset({status}))
        assert 2 in await found(lists, groups=frozenset(groups))
        assert 2 not in await found(lists, groups=frozenset(JobGroup) - set(groups))
        assert 2 not in await found(lists, statuses=frozenset(JobStatus) - {status})
        assert await found(lists, statuses=frozenset({status}), groups=frozenset(JobGroup) - set(groups)) == []

    async def test_counts_are_of_the_filter_without_its_statuses(self, ledger: JobLedger, lists: JobLists) -> None:
        for number, status in enumerate([JobStatus.NEW, JobStatus.NEW, JobStatus.READY, JobStatus.FAILED], 1):
            await new_job(ledger, number, description="yes")
            await bring_to(ledger, job_id(number), status)
        await new_job(ledger, 5, description="no")
        await new_job(ledger, 6, description="yes", account=OTHER_ACCOUNT)
        listing = await lists.list_jobs(wanted(search="yes", statuses=frozenset({JobStatus.READY})), limit=1)
        assert numbers(listing) == [3]
        counts = {count.status: count.count for count in listing.counts}
        assert counts == {JobStatus.NEW: 2, JobStatus.READY: 1, JobStatus.FAILED: 1}

    @pytest.mark.parametrize(
        ("threshold", "count", "is_over"), [(0.5, 5, False), (0.5, 6, True), (0.0, 1, True), (None, 10, False)]
    )
    async def test_a_job_over_its_threshold_needs_attention(
        self, ledger: JobLedger, lists: JobLists, threshold: float | None, count: int, is_over: bool
    ) -> None:
        await active_job(ledger, sizes=[10], failure_threshold=threshold)
        assert await found(lists, groups=frozenset({JobGroup.NEEDS_ATTENTION})) == []
        await commit(ledger, failed(count, of=10))
        assert await found(lists, groups=frozenset({JobGroup.NEEDS_ATTENTION})) == [1] * is_over
        assert await found(lists, groups=frozenset({JobGroup.IN_PROGRESS})) == [1]
        [counted] = (await lists.list_jobs(MINE)).counts
        assert counted.is_over_threshold is is_over
        assert (await ledger.job(job_id(1))).is_over_threshold is is_over


class TestOrder:
    @pytest.fixture
    async def five(self, ledger: JobLedger, clock: HandClock) -> None:
        """1 and 2 have a plan, 2 some results, 3 has ended, 4 and 5 are new and alike."""
        await active_job(ledger, 2, sizes=[10, 10], priority=7)
        await commit(ledger, failed(3, of=10))
        await active_job(ledger, 1, sizes=[50], priority=5)
        await ready_job(ledger, 3, sizes=[10], priority=5)
        clock.tick()
        await ledger.move(job_id(3), expect=[JobStatus.READY], to=JobStatus.CANCELLING, actor=Actor.USER, reason="x")
        await engine_moves(ledger, job_id(3), JobStatus.CANCELLED)
        for number in (4, 5):
            await new_job(ledger, number, priority=1)

    @pytest.mark.usefixtures("five")
    @pytest.mark.parametrize("limit", [1, 2, 5])
    @pytest.mark.parametrize(
        ("sort", "ascending", "descending"),
        [
            (JobSort.CREATED, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
            (JobSort.PRIORITY, [4, 5, 1, 3, 2], [2, 3, 1, 5, 4]),
            (JobSort.PROGRESS, [1, 3, 2, 4, 5], [2, 3, 1, 5, 4]),
            (JobSort.TOTAL, [3, 2, 1, 4, 5], [1, 2, 3, 5, 4]),
            (JobSort.FAILED, [1, 3, 4, 5, 2], [2, 5, 4, 3, 1]),
            (JobSort.FINISHED, [3, 1, 2, 4, 5], [3, 5, 4, 2, 1]),
        ],
    )
    async def test_pages_go_on_where_the_last_one_ended(
        self, lists: JobLists, sort: JobSort, ascending: list[int], descending: list[int], limit: int
    ) -> None:
        assert await paged(lists, ListOrder(sort=sort, is_descending=False), limit=limit) == ascending
        assert await paged(lists, ListOrder(sort=sort, is_descending=True), limit=limit) == descending

    async def test_a_page_goes_on_after_a_job_that_is_gone(self, ledger: JobLedger, lists: JobLists) -> None:
        for number in (1, 2, 3):
            await new_job(ledger, number)
            await bring_to(ledger, job_id(number), JobStatus.CANCELLED)
        first = await lists.list_jobs(MINE, limit=2)
        await ledger.remove(job_id(2))
        assert numbers(await lists.list_jobs(MINE, order=NEWEST_FIRST, after=first.next)) == [1]


def point(clock: HandClock, *, ago: float = 0, seconds: int = 10, **counts: int) -> SeriesPoint:
    """The bucket of a time."""
    at = int(clock.now() - ago) // seconds * seconds
    return SeriesPoint(at=at, seconds=seconds, **({"succeeded": 0, "failed": 0, "bytes_done": 0} | counts))


class TestSeries:
    async def test_commits_add_up_in_buckets_of_ten_seconds(
        self, ledger: JobLedger, lists: JobLists, clock: HandClock
    ) -> None:
        job = await active_job(ledger, sizes=[10] * 3)
        await commit(ledger, Tally(succeeded=10, bytes_done=3 * 2**40))
        clock.tick(9)
        await commit(ledger, failed(4, of=10))
        clock.tick(1)
        await commit(ledger, Tally(succeeded=10, bytes_done=1))
        series = await lists.series(job)
        assert series.now == clock.now()
        assert series.points == (
            point(clock, ago=10, succeeded=16, failed=4, bytes_done=3 * 2**40),
            point(clock, succeeded=10, bytes_done=1),
        )

    async def test_a_repeated_commit_adds_nothing(self, ledger: JobLedger, lists: JobLists) -> None:
        job = await active_job(ledger, sizes=[10, 10])
        claim = await claim_one(ledger)
        part = replace(part_of(claim, tally=failed(1, of=10)), samples=(a_sample(1),))
        for _ in range(3):
            await ledger.commit(claim, part, then=Then.KEEP)
        await ledger.commit(claim, None, then=Then.CLOSE)
        assert [each.succeeded for each in (await lists.series(job)).points] == [9]
        assert await lists.failure_samples(job) == {"NoSuchKey": [a_sample(1)]}

    @pytest.mark.parametrize("ledger", IN_MEMORY, indirect=True)
    async def test_a_long_job_keeps_its_last_hour_in_full_and_few_rows(
        self, ledger: JobLedger, lists: JobLists, clock: HandClock
    ) -> None:
        days, step = 30, 21600
        job = await active_job(ledger, sizes=[2])
        await settle_something(ledger, clock, step=step, times=days * 86400 // step)
        await settle_something(ledger, clock, step=10, times=360)
        series = await lists.series(job)
        assert sum(each.succeeded for each in series.points) == days * 86400 // step + 360
        assert [each.seconds for each in series.points if each.at > clock.now() - 3600] == [10] * 360
        assert all(one.at + one.seconds <= other.at for one, other in pairwise(series.points))
        assert max(each.seconds for each in series.points) >= days * 86400 / 1000

    @pytest.mark.parametrize("ledger", IN_MEMORY, indirect=True)
    async def test_rows_stay_few_where_every_bucket_has_results(
        self, ledger: JobLedger, lists: JobLists, clock: HandClock
    ) -> None:
        job = await active_job(ledger, sizes=[2])
        most = 0
        for _ in range(6):
            await settle_something(ledger, clock, step=10, times=360)
            most = max(most, len((await lists.series(job)).points))
        assert 1000 < most <= ROWS_MAX

    async def test_a_clock_that_is_put_back_loses_nothing(
        self, ledger: JobLedger, lists: JobLists, clock: HandClock
    ) -> None:
        job = await active_job(ledger, sizes=[2])
        await settle_something(ledger, clock, step=600, times=60)
        clock.tick(-5 * 3600)
        await settle_something(ledger, clock, step=600, times=60)
        assert sum(each.succeeded for each in (await lists.series(job)).points) == 120

    async def test_recent_results(self, ledger: JobLedger, lists: JobLists, clock: HandClock) -> None:
        await active_job(ledger, 1, sizes=[10] * 3)
        for number, wait in enumerate((200, 60, 30), 1):
            await commit(ledger, failed(1, of=number))
            clock.tick(wait)
        recent = await lists.recent_results([job_id(1), job_id(2)])
        assert recent == {job_id(1): RecentResults(last_minute=3, last_five_minutes=6), job_id(2): RecentResults()}
        clock.tick(60)
        assert await lists.recent_results([job_id(1)]) == {job_id(1): RecentResults(last_minute=0, last_five_minutes=5)}

    async def test_nothing_of_a_job_that_is_not_there(self, ledger: JobLedger, lists: JobLists) -> None:
        job = await active_job(ledger, sizes=[10])
        await commit(ledger, failed(1, of=10), samples=(a_sample(1),))
        await engine_moves(ledger, job, JobStatus.COMPLETING, JobStatus.COMPLETE)
        await ledger.remove(job)
        for absent in (job, job_id(9)):
            assert (await lists.series(absent)).points == ()
            assert await lists.failure_samples(absent) == {}
        while await ledger.delete_some_rows(job):
            pass
        again = await active_job(ledger, sizes=[10])
        assert (await lists.series(again)).points == ()
        assert await lists.failure_samples(again) == {}


async def settle_something(ledger: JobLedger, clock: HandClock, *, step: float, times: int) -> None:
    """Commits that bring one result each: of a task that is never settled, so that there is always another."""
    claim = await claim_one(ledger)
    for _ in range(times):
        name = f"parts/{clock.tick(step)}-{claim.lease.fence}"
        await ledger.commit(claim, part_of(claim, [], name=name, tally=Tally(succeeded=1)), then=Then.KEEP)
    await ledger.commit(claim, None, then=Then.YIELD)


def a_sample(number: int, *, code: str = "NoSuchKey") -> FailureSample:
    return FailureSample(
        error_code=code,
        key=ObjectKey(f"a//\n\udcff{number}"),
        version_id=VersionId("v1") if number % 2 else None,
        message="Le fichier n'est pas là",
        http_status=404,
        requests=number,
        request_id=f"r{number}",
    )


class TestFailureSamples:
    async def test_the_first_failures_of_a_code_are_kept_whole(self, ledger: JobLedger, lists: JobLists) -> None:
        job = await active_job(ledger, sizes=[30] * 3)
        first = tuple(a_sample(number) for number in range(15))
        await commit(ledger, failed(15, of=30), samples=first)
        more = tuple(a_sample(number) for number in range(15, 35))
        await commit(ledger, failed(20, of=30), samples=more)
        other = a_sample(1, code="AccessDenied")
        await commit(ledger, failed(1, of=30, code="AccessDenied"), samples=(other,))
        kept = {"AccessDenied": [other], "NoSuchKey": [*first, *more][:FAILURES_KEPT]}
        assert await lists.failure_samples(job) == kept
        assert await lists.failure_samples(job, code="AccessDenied") == {"AccessDenied": [other]}
        assert await lists.failure_samples(job, code="NoSuchVersion") == {}
        assert all(not committed.part.samples for _, committed in await ledger.parts(job))

    async def test_when_failures_were_seen_and_how_answered(self, ledger: JobLedger, clock: HandClock) -> None:
        job = await active_job(ledger, sizes=[30] * 2)
        seen_first = clock.now()
        await commit(ledger, with_statuses((403, 2), (404, 1)))
        seen_last = clock.tick(100)
        await commit(ledger, with_statuses((0, 1), (403, 2)))
        [code] = (await ledger.job(job)).tally.codes.values()
        assert (code.count, code.http_statuses) == (6, ((0, 1), (403, 4), (404, 1)))
        assert (code.first_seen, code.last_seen) == (seen_first, seen_last)

    async def test_codes_counted_together_share_their_samples(self, ledger: JobLedger, lists: JobLists) -> None:
        job = await active_job(ledger, sizes=[CODES_KEPT] * 2)
        for first in (0, CODES_KEPT):
            codes = [f"Code{number:03d}" for number in range(first, first + CODES_KEPT)]
            tally = Tally(failed=CODES_KEPT, codes={code: CodeTally(count=1) for code in codes})
            await commit(ledger, tally, samples=tuple(a_sample(0, code=code) for code in codes))
        counted = (await ledger.job(job)).tally.codes
        kept = await lists.failure_samples(job)
        assert kept.keys() == counted.keys()
        assert counted[OTHER_CODES].count == CODES_KEPT
        assert [each.error_code for each in kept[OTHER_CODES]] == [f"Code{number}" for number in range(100, 120)]


def with_statuses(*statuses: tuple[int, int]) -> Tally:
    count = sum(count for _, count in statuses)
    return Tally(succeeded=30 - count, failed=count, codes={"E": CodeTally(count=count, http_statuses=statuses)})


class TestEvents:
    async def test_events_are_read_in_pages(self, ledger: JobLedger) -> None:
        job: JobId = (await new_job(ledger)).id
        for priority in range(5):
            await ledger.set_priority(job, priority=priority, actor=Actor.USER)
        events = await ledger.events(job)
        assert len(events) == 6
        assert await ledger.events(job, after=2, limit=3) == events[2:5]
        assert await ledger.events(job, after=4, limit=3) == events[4:]
        assert await ledger.events(job, after=4) == events[4:]
        assert await ledger.events(job, after=6, limit=1) == []
