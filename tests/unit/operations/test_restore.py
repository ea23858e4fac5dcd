"""Restorations: what each answer means at first sight and later, and how a second attempt recognises its first."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from cosbatch.model.errors import StorageError
from cosbatch.model.operations import DeleteObject, InitiateRestoreObject, RestoreTier
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import OutcomeCode, TaskStatus
from cosbatch.operations.restore import RestoreOperation
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import Trouble, task_of
from tests.unit.operations.in_place_rig import InPlaceRig

PARAMS = InitiateRestoreObject(expiration_in_days=3, job_tier=RestoreTier.BULK)
LOSSES = [Trouble.LOST_AFTER, Trouble.LOST_BEFORE, Trouble.DIES_AFTER, Trouble.DIES_BEFORE]
APPLIED = (Trouble.LOST_AFTER, Trouble.DIES_AFTER)
ONGOING = 'ongoing-request="true"'
DAY = 86_400


def rig(*, versioned: bool = False) -> InPlaceRig:
    job = InPlaceRig(PARAMS, versioning=Versioning.ENABLED if versioned else Versioning.NEVER)
    job.put(storage_class="DEEP_ARCHIVE")
    return job


def readable(job: InPlaceRig, *, days: float) -> None:
    """It can be read already, for so many days from the first claim."""
    until = formatdate(job.first_leased_at + days * DAY, usegmt=True)
    job.store.mark_restored(job.ref(), restore=f'ongoing-request="false", expiry-date="{until}"')


async def shown(job: InPlaceRig, version: str | None = None) -> str:
    return (await job.store.head(job.ref(version))).restore


class TestAtFirstSight:
    async def test_begun(self) -> None:
        job = rig()
        assert await job.run() == (7, TaskStatus.SUCCEEDED, "", 202, "Successful", 0, 1, True, "")
        assert await shown(job) == ONGOING

    async def test_what_can_be_read_already_is_kept_longer(self) -> None:
        job = rig()
        readable(job, days=1)
        assert await job.run() == (7, TaskStatus.SUCCEEDED, "", 200, "Successful", 0, 1, True, "")
        assert "expiry-date" in await shown(job)

    async def test_in_progress_is_a_failure(self) -> None:
        """Somebody else has asked, perhaps for another tier or other days."""
        job = rig()
        await job.store.restore(job.ref(), days=1, tier=RestoreTier.STANDARD)
        with pytest.raises(StorageError) as raised:
            await job.run()
        assert (raised.value.code, raised.value.http_status) == ("RestoreAlreadyInProgress", 409)

    async def test_not_archived(self) -> None:
        job = InPlaceRig(PARAMS)
        job.put()
        with pytest.raises(StorageError) as raised:
            await job.run()
        assert (raised.value.code, raised.value.http_status) == ("InvalidObjectState", 403)

    async def test_by_version_id(self) -> None:
        job = rig(versioned=True)
        newer = job.put(b"2", storage_class="DEEP_ARCHIVE")
        older = (await job.versions())[1].version_id
        assert older
        await job.run(task_of(version=older))
        assert (await shown(job, older), await shown(job, newer)) == (ONGOING, "")

    async def test_an_empty_key(self) -> None:
        job = rig()
        result = await job.run(task_of(""))
        assert (result.error_code, result.requests) == (OutcomeCode.EMPTY_KEY, 0)
        assert await job.settle(task_of("")) == result


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("trouble", LOSSES)
class TestSecondAttempt:
    async def test_begun(self, trouble: Trouble, versioned: bool) -> None:
        job = rig(versioned=versioned)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        result = await job.recover()
        assert (result.status, result.http_status) == (TaskStatus.SUCCEEDED, 202)
        assert await shown(job) == ONGOING
        assert (trouble in APPLIED) == ("restore" not in job.wire.sent)

    async def test_extended(self, trouble: Trouble, versioned: bool) -> None:
        job = rig(versioned=versioned)
        readable(job, days=1)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        result = await job.recover()
        assert (result.status, result.http_status) == (TaskStatus.SUCCEEDED, 200)
        assert (trouble in APPLIED) == ("restore" not in job.wire.sent)

    async def test_it_arrives_after_the_look(self, trouble: Trouble, versioned: bool) -> None:
        """The first request is applied between looking and asking again: 409, and no failure."""
        job = rig(versioned=versioned)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        job.store.mark_restored(job.ref(), restore="")
        job.wire.heal()
        job.wire.before[1] = lambda: job.store.mark_restored(job.ref(), restore=ONGOING)
        assert await job.settle() is None
        result = await job.run(may_have_run=True)
        assert (result.status, result.http_status) == (TaskStatus.SUCCEEDED, 202)

    async def test_an_owners_new_object_is_asked_for_too(self, trouble: Trouble, versioned: bool) -> None:
        """A row without a version id means the newest."""
        job = rig(versioned=versioned)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        job.owner_puts(storage_class="GLACIER")
        assert (await job.recover()).status is TaskStatus.SUCCEEDED
        assert await shown(job) == ONGOING

    async def test_of_a_job_that_ends(self, trouble: Trouble, versioned: bool) -> None:
        job = rig(versioned=versioned)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        job.wire.heal()
        result = await job.settle(may_write=False)
        assert (result is not None) == (trouble in APPLIED)
        assert job.wire.sent == ["head"]


class TestWhatCannotBeKnown:
    """Of a job that ends; one that goes on asks again."""

    async def test_gone(self) -> None:
        job = InPlaceRig(PARAMS)
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN
        assert await job.settle() is None

    async def test_another_object(self) -> None:
        job = rig()
        job.owner_puts(storage_class="GLACIER")
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN
        assert await job.settle() is None

    @pytest.mark.parametrize("header", ['ongoing-request="false"', 'ongoing-request="false", expiry-date="soon"'])
    async def test_readable_for_nobody_knows_how_long(self, header: str) -> None:
        job = rig()
        job.store.mark_restored(job.ref(), restore=header)
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN
        assert await job.settle() is None

    @pytest.mark.parametrize(("days", "is_done"), [(2.9, False), (3.0, True), (3.5, True)])
    async def test_readable_for_long_enough(self, days: float, is_done: bool) -> None:
        job = rig()
        readable(job, days=days)
        assert (await job.settle(may_write=False) is not None) is is_done


class TestWrongClock:
    """The ledger's clock was an hour ahead or behind when the chunk was first claimed, or clocks may have been."""

    @pytest.mark.parametrize("short_seconds", [60.0, 3600.0])
    async def test_readable_for_less_than_an_hour_too_short(self, short_seconds: float) -> None:
        """Our own request looks so where the ledger's clock was ahead."""
        job = rig()
        readable(job, days=3 - short_seconds / DAY)
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN
        assert "where clocks are set" in result.message

    @pytest.mark.parametrize("ahead_seconds", [3600.0, -3600.0])
    async def test_an_owners_new_object_proves_nothing_and_is_no_lie_of_the_store(self, ahead_seconds: float) -> None:
        job = InPlaceRig(PARAMS, ahead_seconds=ahead_seconds)
        job.put(storage_class="GLACIER")
        done = await job.run()
        job.owner_puts(storage_class="GLACIER")
        assert await job.verify(task_of(), done) == ()
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN

    async def test_so_late_that_what_was_asked_for_may_be_over(self) -> None:
        job = rig()
        job.clock.seconds = job.first_leased_at + 2.9 * DAY
        assert await job.settle(may_write=False) is None
        job.clock.seconds = job.first_leased_at + 3 * DAY - 7200
        result = await job.settle(may_write=False)
        assert result is not None
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN

    async def test_the_next_attempt_is_told_what_was_not_proved(self) -> None:
        job = rig()
        assert await job.settle() is None
        assert job.last_context is not None
        assert job.last_context.unproved == ""
        job.owner_puts(storage_class="GLACIER")
        assert await job.settle() is None
        assert "another object" in job.last_context.unproved


class TestReadingBack:
    async def test_shown(self) -> None:
        job = rig()
        assert await job.verify(task_of(), await job.run()) == ()

    async def test_a_store_that_lies(self) -> None:
        job = rig()
        result = await job.run()
        job.store.mark_restored(job.ref(), restore="")
        assert await job.verify(task_of(), result) == ("restore",)

    async def test_an_owners_new_object_says_nothing(self) -> None:
        job = rig()
        result = await job.run()
        job.owner_puts()
        assert await job.verify(task_of(), result) == ()


class TestChecks:
    @pytest.mark.parametrize("name", PROFILES)
    def test_a_store_without_restore_is_named(self, name: str) -> None:
        faults = RestoreOperation().check(rig().request, source=PROFILES[name], target=PROFILES[name])
        problems = [fault.problem for fault in faults]
        offers = name in ("cos", "s3", "minio")
        assert problems == ([] if offers else [f"restore is not offered by a {name} store"])

    @pytest.mark.parametrize("days", [0, 366])
    def test_days(self, days: int) -> None:
        params = InitiateRestoreObject(expiration_in_days=days, job_tier=RestoreTier.BULK)
        (fault,) = RestoreOperation().check(InPlaceRig(params).request, source=PROFILES["s3"], target=PROFILES["s3"])
        assert (fault.path, fault.way_out) == (
            "Operation.COSInitiateRestoreObject.ExpirationInDays",
            "write 1 to 365",
        )

    def test_parameters_of_another_operation_are_a_mistake_of_ours(self) -> None:
        with pytest.raises(TypeError):
            RestoreOperation().check(InPlaceRig(DeleteObject()).request, source=PROFILES["s3"], target=PROFILES["s3"])

    async def test_it_costs_what_it_says(self) -> None:
        job = rig()
        await job.run()
        needs = RestoreOperation().needs(job.facts)
        assert dict.fromkeys(job.wire.sent, 1.0) == needs.requests_per_object
        assert "s3:RestoreObject" in needs.source_actions
