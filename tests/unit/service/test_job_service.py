from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.errors import (
    IllegalMove,
    InvalidArgument,
    LedgerUnavailable,
    NoSuchJob,
    NotAllowed,
    ServiceUnavailable,
    StorageError,
    StorageReason,
    TokenReused,
    TooManyJobs,
)
from cosbatch.model.identifiers import JobId, RegionName, new_job_id
from cosbatch.model.jobs import Job, JobRequest, PausedBy
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import Caller, UserRole
from cosbatch.model.states import Actor, JobStatus
from cosbatch.service.service import JobService, Repeat, possible_verbs
from tests.unit.service.job_builders import AWAY, HOME, caller_of, job_request, region

ME, OTHER = caller_of("me"), caller_of("other")

_PATHS: dict[JobStatus, list[JobStatus]] = {
    JobStatus.NEW: [],
    JobStatus.PREPARING: [JobStatus.PREPARING],
    JobStatus.SUSPENDED: [JobStatus.PREPARING, JobStatus.SUSPENDED],
    JobStatus.READY: [JobStatus.PREPARING, JobStatus.READY],
    JobStatus.ACTIVE: [JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE],
    JobStatus.PAUSING: [JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE, JobStatus.PAUSING],
    JobStatus.PAUSED: [JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE, JobStatus.PAUSING, JobStatus.PAUSED],
    JobStatus.COMPLETING: [JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE, JobStatus.COMPLETING],
    JobStatus.FAILED: [JobStatus.PREPARING, JobStatus.FAILING, JobStatus.FAILED],
}


class StillClock:
    def __init__(self) -> None:
        self.at = 1_754_103_600.0

    def now(self) -> float:
        return self.at

    def boottime(self) -> float:
        return 100.0


@dataclass
class Looks:
    """A manifest's ETag, and how often it was asked for."""

    etag: str = "e1"
    asked: int = 0
    refusal: StorageError | None = None

    async def __call__(self, manifest: Manifest, *, region: RegionName) -> str:
        self.asked += 1
        if self.refusal:
            raise self.refusal
        return self.etag


class Flaky:
    """A ledger whose replies get lost, or that is away."""

    def __init__(self, inner: JobLedger) -> None:
        self._inner = inner
        self.loses: set[str] = set()
        """Calls of these names are carried out once, and not answered."""
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call(*args: Any, **options: Any) -> Any:
            if self.is_away:
                raise LedgerUnavailable("/var/lib/x/ledger.db: database is locked: close the database browser")
            answer = await method(*args, **options)
            if name in self.loses:
                self.loses.remove(name)
                raise LedgerUnavailable("no answer in 30 s")
            return answer

        return call


class Rig:
    def __init__(self) -> None:
        self.looks = Looks()
        self.clock = StillClock()
        self.ledger = open_memory_ledger(self.clock)
        regions = {name: region(name) for name in (HOME, AWAY)}
        self.entries: list[AuditEntry] = []
        self.service = JobService(self.ledger, regions=regions, look=self.looks, record=self._record)

    async def _record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def told(self) -> list[tuple[str, str, str, str]]:
        """Action, target, outcome and detail of each entry in the audit log."""
        return [(entry.action, entry.target, entry.outcome, entry.detail) for entry in self.entries]

    async def create(self, request: JobRequest | None = None, *, token: str = "", caller: Caller = ME) -> Job:
        return await self.service.create_job(request or job_request(), caller=caller, token=token)

    async def job_in(
        self,
        status: JobStatus,
        *,
        paused_by: PausedBy | None = PausedBy.USER,
        request: JobRequest | None = None,
        token: str = "",
    ) -> Job:
        """A job that the engine has brought to a status."""
        job = await self.create(request, token=token)
        for step in _PATHS[status]:
            job = await self.ledger.move(
                job.id,
                expect=[job.status],
                to=step,
                actor=Actor.ENGINE,
                reason="test",
                paused_by=paused_by if step is JobStatus.PAUSING else None,
            )
        return job


@pytest.fixture
def rig() -> Rig:
    return Rig()


class TestCreate:
    async def test_a_job_is_new_and_its_manifest_is_pinned(self, rig: Rig) -> None:
        job = await rig.create(token="t")

        assert job.status is JobStatus.NEW
        assert job.request.manifest.location.etag == "e1"
        assert job.token == "t"

    async def test_the_same_request_under_the_same_token_is_the_same_job(self, rig: Rig) -> None:
        first = await rig.create(token="t")
        rig.looks.etag = "replaced since"

        assert (await rig.create(token="t")).id == first.id
        assert rig.looks.asked == 1

    async def test_another_request_under_a_known_token_is_refused(self, rig: Rig) -> None:
        await rig.create(token="t")

        with pytest.raises(TokenReused):
            await rig.create(job_request(priority=99), token="t")

    async def test_a_wire_may_refuse_even_an_equal_request_and_is_told_the_job(self, rig: Rig) -> None:
        job = await rig.service.create_job(job_request(), caller=ME, token="t", repeat=Repeat.REFUSE)

        with pytest.raises(TokenReused, match=job.id):
            await rig.service.create_job(job_request(), caller=ME, token="t", repeat=Repeat.REFUSE)
        with pytest.raises(TokenReused, match=job.id):
            await rig.service.create_job(job_request(priority=99), caller=ME, token="t", repeat=Repeat.REFUSE)
        assert [each.id for each in (await rig.service.list_jobs(caller=ME)).jobs] == [job.id]

    async def test_without_a_token_every_call_makes_a_job(self, rig: Rig) -> None:
        assert (await rig.create()).id != (await rig.create()).id

    async def test_tokens_of_two_accounts_do_not_meet(self, rig: Rig) -> None:
        mine = await rig.create(token="t")
        other = await rig.create(job_request(priority=99), token="t", caller=OTHER)

        assert mine.id != other.id
        found = await rig.service.find_job(token="t", caller=OTHER)
        assert found is not None
        assert found.id == other.id
        assert await rig.service.find_job(token="t", caller=OTHER, region=AWAY) is None

    async def test_all_faults_are_told_at_once(self, rig: Rig) -> None:
        request = replace(
            job_request(copy={"target_resource": "qcs::cos:ap-shangai::cold-125"}),
            region=RegionName("ap-gangzhou"),
            role_arn="qcs::cam::uin/1:roleName/r",
            priority=-1,
        )

        with pytest.raises(InvalidArgument) as raised:
            await rig.create(request, token="x" * 65)

        found = {fault.path: fault.way_out for fault in raised.value.faults}
        assert set(found) == {
            "region",
            "operation.cos_put_object_copy",
            "priority",
            "role_arn",
            "client_request_token",
        }
        assert found["region"] == 'did you mean "ap-guangzhou"?'
        assert rig.looks.asked == 0

    async def test_another_etag_than_the_one_named_is_a_fault(self, rig: Rig) -> None:
        request = job_request()
        location = replace(request.manifest.location, etag="older")

        with pytest.raises(InvalidArgument) as raised:
            await rig.create(replace(request, manifest=replace(request.manifest, location=location)))

        (fault,) = raised.value.faults
        assert (fault.path, fault.value) == ("manifest.location.etag", "older")
        assert "e1" in fault.problem

    @pytest.mark.parametrize("reason", [StorageReason.NO_SUCH_KEY, StorageReason.ACCESS_DENIED])
    async def test_what_a_store_says_about_the_manifest_is_a_fault(self, rig: Rig, reason: StorageReason) -> None:
        rig.looks.refusal = StorageError(reason, "no", http_status=404)

        with pytest.raises(InvalidArgument) as raised:
            await rig.create()

        assert raised.value.faults[0].path == "manifest.location.object_arn"
        assert reason in raised.value.faults[0].problem

    async def test_a_store_is_not_waited_for_without_end(self, rig: Rig) -> None:
        async def never(manifest: Manifest, *, region: RegionName) -> str:
            return await asyncio.Future()

        regions = {HOME: region(HOME)}
        service = JobService(rig.ledger, regions=regions, look=never, look_seconds=0)

        with pytest.raises(StorageError, match="ap-guangzhou did not answer"):
            await service.create_job(job_request(), caller=ME)

    async def test_a_store_that_says_nothing_is_no_fault_of_the_caller(self, rig: Rig) -> None:
        rig.looks.refusal = StorageError(StorageReason.REFUSED, "connection refused")

        with pytest.raises(StorageError):
            await rig.create()
        assert (await rig.service.list_jobs(caller=ME)).jobs == ()

    async def test_whoever_heard_no_answer_finds_the_job_under_the_same_token(self, rig: Rig) -> None:
        """Also where the program was killed between the insert and its reply: nothing of it is kept but the ledger."""
        flaky = Flaky(rig.ledger)
        flaky.loses = {"create"}
        dying = JobService(cast(JobLedger, flaky), regions={HOME: region(HOME), AWAY: region(AWAY)}, look=rig.looks)
        with pytest.raises(ServiceUnavailable, match="same ClientRequestToken"):
            await dying.create_job(job_request(), caller=ME, token="t")

        again = await rig.create(token="t")

        assert [job.id for job in (await rig.service.list_jobs(caller=ME)).jobs] == [again.id]
        with pytest.raises(TokenReused, match=again.id):
            await rig.service.create_job(job_request(), caller=ME, token="t", repeat=Repeat.REFUSE)

    async def test_an_account_has_its_quota_of_unfinished_jobs(self, rig: Rig) -> None:
        regions = {HOME: region(HOME), AWAY: region(AWAY)}
        service = JobService(rig.ledger, regions=regions, look=rig.looks, max_unfinished_jobs=2)
        first = await service.create_job(job_request(), caller=ME, token="t")
        await service.create_job(job_request(), caller=ME)

        with pytest.raises(TooManyJobs, match=r"account me has 2 of the 2 unfinished jobs.*cancel some") as raised:
            await service.create_job(job_request(), caller=ME)

        assert (raised.value.code, raised.value.http_status) == ("TooManyJobs", 500)
        assert (await service.create_job(job_request(), caller=ME, token="t")).id == first.id
        await service.create_job(job_request(), caller=OTHER)


class TestUnavailable:
    async def test_a_ledger_that_is_away_is_the_services_trouble_and_tells_nobody_where_it_is(self, rig: Rig) -> None:
        job = await rig.create()
        flaky = Flaky(rig.ledger)
        flaky.is_away = True
        service = JobService(cast(JobLedger, flaky), regions={HOME: region(HOME), AWAY: region(AWAY)}, look=rig.looks)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "create_job": lambda: service.create_job(job_request(), caller=ME),
            "find_job": lambda: service.find_job(token="t", caller=ME),
            "find_jobs": lambda: service.find_jobs(token_prefix="t", caller=ME),
            "describe_job": lambda: service.describe_job(job.id, caller=ME),
            "list_jobs": lambda: service.list_jobs(caller=ME),
            "job_events": lambda: service.job_events(job.id, caller=ME),
            "update_job_priority": lambda: service.update_job_priority(job.id, priority=1, caller=ME),
            "update_job_status": lambda: service.update_job_status(
                job.id, requested_job_status=JobStatus.CANCELLED, caller=ME
            ),
            "pause_job": lambda: service.pause_job(job.id, caller=ME),
            "resume_job": lambda: service.resume_job(job.id, caller=ME),
            "delete_job": lambda: service.delete_job(job.id, caller=ME),
        }
        assert calls.keys() == {name for name in vars(JobService) if not name.startswith("_")} - {
            "check_request",
            "pin_manifest",
            "places_of",
            "check_job",  # of these two the verbs are made
            "make_job",
        }
        for call in calls.values():
            with pytest.raises(ServiceUnavailable) as raised:
                await call()
            assert "ledger.db" not in str(raised.value)
            assert isinstance(raised.value.__cause__, LedgerUnavailable)


class TestDelete:
    async def test_a_job_that_has_ended_is_gone_and_its_token_is_free(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.FAILED, token="t", request=job_request(report={"enabled": False}))
        assert possible_verbs(job) == ("delete-job",)

        await rig.service.delete_job(job.id, caller=ME)

        with pytest.raises(NoSuchJob):
            await rig.service.describe_job(job.id, caller=ME)
        with pytest.raises(NoSuchJob):
            await rig.service.delete_job(job.id, caller=ME)
        assert await rig.service.find_job(token="t", caller=ME) is None
        assert (await rig.create(job_request(priority=99), token="t")).id != job.id

    @pytest.mark.parametrize("status", [JobStatus.NEW, JobStatus.SUSPENDED, JobStatus.ACTIVE, JobStatus.COMPLETING])
    async def test_one_that_has_not_has_to_be_cancelled_first(self, rig: Rig, status: JobStatus) -> None:
        job = await rig.job_in(status)

        with pytest.raises(IllegalMove, match="cancel it first"):
            await rig.service.delete_job(job.id, caller=ME)
        assert (await rig.service.describe_job(job.id, caller=ME)).status is status

    async def test_a_report_that_is_not_delivered_yet_is_waited_for(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.FAILED)

        with pytest.raises(IllegalMove, match="report is not delivered yet"):
            await rig.service.delete_job(job.id, caller=ME)
        assert possible_verbs(job) == ()

    async def test_another_accounts_job_is_not_there_to_delete(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.FAILED, request=job_request(report={"enabled": False}))

        with pytest.raises(NoSuchJob):
            await rig.service.delete_job(job.id, caller=OTHER)
        with pytest.raises(NotAllowed):
            await rig.service.delete_job(job.id, caller=caller_of("me", role=UserRole.VIEWER))
        assert (await rig.service.describe_job(job.id, caller=ME)).id == job.id


class TestLook:
    async def test_pages_go_from_new_to_old(self, rig: Rig) -> None:
        ids = [(await rig.create()).id for _ in range(5)]

        first = await rig.service.list_jobs(caller=ME, max_results=3)
        rest = await rig.service.list_jobs(caller=ME, max_results=3, next_token=first.next_token)

        assert [job.id for job in (*first.jobs, *rest.jobs)] == sorted(ids, reverse=True)
        assert first.next_token == first.jobs[-1].id
        assert rest.next_token == ""

    async def test_a_full_last_page_has_no_token(self, rig: Rig) -> None:
        for _ in range(3):
            await rig.create()

        assert (await rig.service.list_jobs(caller=ME, max_results=3)).next_token == ""

    async def test_lists_can_be_narrowed_by_status(self, rig: Rig) -> None:
        active = await rig.job_in(JobStatus.ACTIVE)
        await rig.create()

        page = await rig.service.list_jobs(caller=ME, statuses=[JobStatus.ACTIVE, JobStatus.PAUSED])

        assert [job.id for job in page.jobs] == [active.id]

    async def test_lists_can_be_narrowed_by_region_and_time(self, rig: Rig) -> None:
        old = await rig.create()
        made_at = rig.clock.at
        rig.clock.at += 91 * 86400
        new = await rig.create()

        assert [job.id for job in (await rig.service.list_jobs(caller=ME, region=HOME)).jobs] == [new.id, old.id]
        assert (await rig.service.list_jobs(caller=ME, region=AWAY)).jobs == ()
        recent = await rig.service.list_jobs(caller=ME, created_after=rig.clock.at - 90 * 86400)
        assert [job.id for job in recent.jobs] == [new.id]
        assert len((await rig.service.list_jobs(caller=ME, created_after=made_at - 1)).jobs) == 2

    @pytest.mark.parametrize("size", [0, 1001])
    async def test_a_page_has_1_to_1000_jobs(self, rig: Rig, size: int) -> None:
        with pytest.raises(InvalidArgument):
            await rig.service.list_jobs(caller=ME, max_results=size)

    async def test_another_accounts_job_does_not_exist(self, rig: Rig) -> None:
        job = await rig.create(caller=OTHER)

        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: rig.service.describe_job(job.id, caller=ME),
            lambda: rig.service.job_events(job.id, caller=ME),
            lambda: rig.service.update_job_priority(job.id, priority=1, caller=ME),
            lambda: rig.service.update_job_status(job.id, requested_job_status=JobStatus.CANCELLED, caller=ME),
            lambda: rig.service.pause_job(job.id, caller=ME),
            lambda: rig.service.resume_job(job.id, caller=ME),
        ]
        for call in calls:
            with pytest.raises(NoSuchJob):
                await call()
        assert (await rig.service.list_jobs(caller=ME)).jobs == ()

    async def test_an_unknown_id_is_no_job(self, rig: Rig) -> None:
        with pytest.raises(NoSuchJob):
            await rig.service.describe_job(JobId(new_job_id()), caller=ME)


class TestWhoMay:
    async def test_a_viewer_only_looks(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.ACTIVE)
        viewer = caller_of("me", role=UserRole.VIEWER)

        assert await rig.service.describe_job(job.id, caller=viewer) == job
        assert [each.id for each in (await rig.service.list_jobs(caller=viewer)).jobs] == [job.id]
        assert await rig.service.job_events(job.id, caller=viewer)
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: rig.service.create_job(job_request(), caller=viewer),
            lambda: rig.service.update_job_priority(job.id, priority=1, caller=viewer),
            lambda: rig.service.update_job_status(job.id, requested_job_status=JobStatus.CANCELLED, caller=viewer),
            lambda: rig.service.pause_job(job.id, caller=viewer),
            lambda: rig.service.resume_job(job.id, caller=viewer),
            lambda: rig.service.delete_job(job.id, caller=viewer),
        ]
        for call in calls:
            with pytest.raises(NotAllowed, match="that takes the role operator"):
                await call()
        assert await rig.service.describe_job(job.id, caller=viewer) == job
        assert rig.looks.asked == 1

    @pytest.mark.parametrize("role", [UserRole.OPERATOR, UserRole.ADMIN])
    async def test_an_operator_changes_jobs(self, rig: Rig, role: UserRole) -> None:
        job = await rig.create(caller=caller_of("me", role=role))

        changed = await rig.service.update_job_priority(job.id, priority=1, caller=caller_of("me", role=role))

        assert changed.priority == 1

    async def test_the_events_say_which_user_and_which_way(self, rig: Rig) -> None:
        job = await rig.create(caller=caller_of("me", user="anna", via="rest"))
        await rig.service.update_job_priority(job.id, priority=1, caller=caller_of("me", user="bert", via="cos"))
        await rig.ledger.move(
            job.id, expect=[JobStatus.NEW], to=JobStatus.PREPARING, actor=Actor.ENGINE, reason="its turn"
        )
        await rig.service.update_job_status(
            job.id, requested_job_status=JobStatus.CANCELLED, caller=caller_of("me", user="anna", via="console")
        )

        told = [(event.kind, event.actor, event.by) for event in await rig.service.job_events(job.id, caller=ME)]
        assert told == [
            ("created", Actor.USER, "anna via rest"),
            ("priority", Actor.USER, "bert via cos"),
            ("moved", Actor.ENGINE, ""),
            ("moved", Actor.USER, "anna via console"),
        ]


class TestChange:
    async def test_confirm_moves_suspended_to_ready(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.SUSPENDED)

        confirmed = await rig.service.update_job_status(
            job.id, requested_job_status=JobStatus.READY, caller=ME, status_update_reason="go"
        )

        assert confirmed.status is JobStatus.READY
        last = (await rig.service.job_events(job.id, caller=ME))[-1]
        assert (last.actor, last.status, last.reason) == (Actor.USER, JobStatus.READY, "go")

    @pytest.mark.parametrize(
        "status", [JobStatus.NEW, JobStatus.PREPARING, JobStatus.SUSPENDED, JobStatus.ACTIVE, JobStatus.PAUSED]
    )
    async def test_cancel_from_everywhere_before_the_end(self, rig: Rig, status: JobStatus) -> None:
        job = await rig.job_in(status)

        cancelled = await rig.service.update_job_status(job.id, requested_job_status=JobStatus.CANCELLED, caller=ME)

        assert cancelled.status is JobStatus.CANCELLING

    async def test_pause_is_the_users_and_resume_ends_it(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.ACTIVE)

        pausing = await rig.service.pause_job(job.id, caller=ME)
        assert (pausing.status, pausing.paused_by) == (JobStatus.PAUSING, PausedBy.USER)
        await rig.ledger.move(
            job.id, expect=[JobStatus.PAUSING], to=JobStatus.PAUSED, actor=Actor.ENGINE, reason="nothing in flight"
        )
        resumed = await rig.service.resume_job(job.id, caller=ME)

        assert (resumed.status, resumed.paused_by) == (JobStatus.ACTIVE, None)

    async def test_what_gave_way_to_a_greater_priority_is_not_resumed_by_hand(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.PAUSED, paused_by=PausedBy.PRIORITY)

        with pytest.raises(IllegalMove, match="update-job-priority"):
            await rig.service.resume_job(job.id, caller=ME)
        assert "resume" not in possible_verbs(job)

    async def test_what_is_outside_its_windows_is_not_resumed_by_hand(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.PAUSED, paused_by=PausedBy.WINDOW)

        with pytest.raises(IllegalMove, match="resumes by itself when one opens"):
            await rig.service.resume_job(job.id, caller=ME)
        assert "resume" not in possible_verbs(job)

    @pytest.mark.parametrize(
        ("status", "possible"),
        [
            (JobStatus.PREPARING, "cancel, update-job-priority"),
            (JobStatus.SUSPENDED, "confirm, cancel, update-job-priority"),
            (JobStatus.PAUSED, "resume, cancel, update-job-priority"),
            (JobStatus.COMPLETING, "update-job-priority"),
        ],
    )
    async def test_an_illegal_move_says_what_is_possible(self, rig: Rig, status: JobStatus, possible: str) -> None:
        job = await rig.job_in(status)

        with pytest.raises(IllegalMove) as raised:
            await rig.service.pause_job(job.id, caller=ME)

        assert raised.value.message == (f"job {job.id} is {status}: pause is not possible now; possible are {possible}")

    async def test_a_job_that_has_ended_does_not_move(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.FAILED)

        with pytest.raises(IllegalMove, match="has ended"):
            await rig.service.update_job_status(job.id, requested_job_status=JobStatus.CANCELLED, caller=ME)
        with pytest.raises(IllegalMove, match="any more"):
            await rig.service.update_job_priority(job.id, priority=3, caller=ME)
        assert possible_verbs(job) == ()

    async def test_only_ready_and_cancelled_can_be_asked_for(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.ACTIVE)

        with pytest.raises(InvalidArgument):
            await rig.service.update_job_status(job.id, requested_job_status=JobStatus.PAUSED, caller=ME)

    async def test_a_reason_is_at_most_256_bytes(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.ACTIVE)

        with pytest.raises(InvalidArgument):
            await rig.service.pause_job(job.id, caller=ME, reason="中" * 86)
        assert (await rig.service.describe_job(job.id, caller=ME)).status is JobStatus.ACTIVE

    async def test_the_priority_is_changed_and_told(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.ACTIVE)

        changed = await rig.service.update_job_priority(job.id, priority=0, caller=ME)

        assert changed.priority == 0
        assert (await rig.service.job_events(job.id, caller=ME))[-1].kind == "priority"

    @pytest.mark.parametrize("priority", [-1, 2**31])
    async def test_a_priority_out_of_range_is_refused(self, rig: Rig, priority: int) -> None:
        job = await rig.create()

        with pytest.raises(InvalidArgument):
            await rig.service.update_job_priority(job.id, priority=priority, caller=ME)


class TestAuditLog:
    async def test_every_write_is_told_with_who_and_what(self, rig: Rig) -> None:
        job = await rig.job_in(JobStatus.ACTIVE)
        await rig.service.update_job_priority(job.id, priority=7, caller=ME)
        await rig.service.pause_job(job.id, caller=ME)
        await rig.service.update_job_status(job.id, requested_job_status=JobStatus.CANCELLED, caller=ME)
        assert rig.told() == [
            ("create-job", job.id, "done", ""),
            ("update-job-priority", job.id, "done", "to 7"),
            ("pause-job", job.id, "done", ""),
            ("update-job-status", job.id, "done", "to Cancelled"),
        ]
        assert {(entry.account, entry.actor, entry.via) for entry in rig.entries} == {("me", "anna", "rest")}

    async def test_so_is_every_refusal_with_its_cause(self, rig: Rig) -> None:
        viewer = caller_of("me", user="vera", role=UserRole.VIEWER)
        with pytest.raises(NotAllowed):
            await rig.create(caller=viewer)
        job = await rig.create()
        with pytest.raises(IllegalMove):
            await rig.service.resume_job(job.id, caller=ME)
        with pytest.raises(NoSuchJob):
            await rig.service.delete_job(job.id, caller=OTHER)
        with pytest.raises(InvalidArgument):
            await rig.service.update_job_status(job.id, requested_job_status=JobStatus.PAUSED, caller=ME)
        refused = [entry for entry in rig.entries if entry.outcome == "refused"]
        assert [(entry.action, entry.target, entry.actor) for entry in refused] == [
            ("create-job", "", "vera"),
            ("resume-job", job.id, "anna"),
            ("delete-job", job.id, "anna"),
            ("update-job-status", job.id, "anna"),
        ]
        assert "may not make jobs" in refused[0].detail
        assert refused[2].account == "other"

    async def test_looking_leaves_no_entry(self, rig: Rig) -> None:
        job = await rig.create()
        rig.entries.clear()
        await rig.service.describe_job(job.id, caller=ME)
        await rig.service.list_jobs(caller=ME)
        await rig.service.job_events(job.id, caller=ME)
        assert rig.entries == []
