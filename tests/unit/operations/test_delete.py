"""Deletions: the versioning table, and how a second attempt recognises its first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.manifests import ManifestField
from cosbatch.model.operations import DeleteObject, InitiateRestoreObject, RestoreTier
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import OutcomeCode, TaskStatus
from cosbatch.operations.delete import DeleteOperation
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import SOURCE, Trouble, profile_with, task_of
from tests.unit.operations.in_place_rig import InPlaceRig

NEVER, ENABLED, SUSPENDED = Versioning.NEVER, Versioning.ENABLED, Versioning.SUSPENDED
LOSSES = [Trouble.LOST_AFTER, Trouble.LOST_BEFORE, Trouble.DIES_AFTER, Trouble.DIES_BEFORE]
APPLIED = (Trouble.LOST_AFTER, Trouble.DIES_AFTER)


HOUR = 3600.0


def rig(versioning: Versioning = NEVER, *, ahead_seconds: float = 0.0) -> InPlaceRig:
    return InPlaceRig(DeleteObject(), versioning=versioning, ahead_seconds=ahead_seconds)


class TestTable:
    """What becomes of an object, by versioning and version id (COS, batch delete)."""

    async def test_without_versioning(self) -> None:
        job = rig()
        job.put()
        result = await job.run()
        assert result == (7, TaskStatus.SUCCEEDED, "", 204, "Successful", 0, 1, True, "")
        assert await job.versions() == []

    async def test_enabled_without_a_version_id(self) -> None:
        """A marker is put over it, and the message names it: without its id nobody brings the object back."""
        job = rig(ENABLED)
        kept = job.put()
        result = await job.run()
        marker, version = await job.versions()
        assert (marker.is_delete_marker, version.version_id) == (True, kept)
        assert result.message == f"Successful: delete marker {marker.version_id}"

    async def test_enabled_with_a_version_id(self) -> None:
        job = rig(ENABLED)
        old, new = job.put(b"1"), job.put(b"2")
        result = await job.run(task_of(version=old))
        assert (result.message, result.http_status) == ("Successful", 204)
        assert [entry.version_id for entry in await job.versions()] == [new]

    async def test_a_marker_by_its_version_id(self) -> None:
        job = rig(ENABLED)
        kept = job.put()
        marker = await job.store.delete(job.ref())
        await job.run(task_of(version=marker))
        assert [entry.version_id for entry in await job.versions()] == [kept]

    async def test_suspended_without_a_version_id(self) -> None:
        """The null version is gone for good, a null marker is in its place, and other versions stay."""
        job = rig(ENABLED)
        kept = job.put(b"1")
        job.versioning = SUSPENDED
        job.store.set_versioning(SOURCE, SUSPENDED)
        job.put(b"null")
        assert (await job.run()).message == "Successful: delete marker null"
        seen = [(entry.version_id, entry.is_delete_marker) for entry in await job.versions()]
        assert seen == [("null", True), (kept, False)]

    async def test_suspended_with_a_version_id(self) -> None:
        job = rig(SUSPENDED)
        job.put(b"null")
        await job.run(task_of(version="null"))
        assert await job.versions() == []

    async def test_nothing_there_is_deleted_as_well(self) -> None:
        assert (await rig().run()).status is TaskStatus.SUCCEEDED

    async def test_an_empty_key_never_reaches_the_bucket(self) -> None:
        job = rig()
        result = await job.run(task_of(""))
        assert (result.error_code, result.requests) == (OutcomeCode.EMPTY_KEY, 0)
        assert await job.settle(task_of("")) == result

    async def test_what_the_store_refuses_is_refused(self) -> None:
        job = rig()
        job.wire.refuses["delete"] = StorageError(StorageReason.ACCESS_DENIED, "no")
        with pytest.raises(StorageError):
            await job.run()


@pytest.mark.parametrize("trouble", LOSSES)
class TestSecondAttempt:
    @pytest.mark.parametrize("versioning", Versioning)
    async def test_without_a_version_id(self, versioning: Versioning, trouble: Trouble) -> None:
        """Never a second marker."""
        job = rig(versioning)
        job.put()
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        result = await job.recover()
        assert (result.status, result.http_status) == (TaskStatus.SUCCEEDED, 204)
        assert not job.is_there()
        assert await job.markers() == (versioning is not NEVER)
        assert (trouble in APPLIED) == ("delete" not in job.wire.sent)
        if versioning is not NEVER:
            assert result.message == f"Successful: delete marker {(await job.versions())[0].version_id}"

    @pytest.mark.parametrize("versioning", Versioning)
    async def test_an_owners_new_upload_stays(self, versioning: Versioning, trouble: Trouble) -> None:
        job = rig(versioning)
        job.put()
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        job.owner_puts()
        result = await job.recover()
        assert job.is_there()
        assert "delete" not in job.wire.sent
        assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN
        # In a bucket that keeps versions the marker is still there, below the new object.
        below = [entry.version_id for entry in await job.versions() if entry.is_delete_marker]
        assert len(below) == (versioning is ENABLED and trouble in APPLIED)
        assert all(f"delete marker {marker} below it" in result.message for marker in below)

    @pytest.mark.parametrize("versioning", [ENABLED, SUSPENDED])
    async def test_with_a_version_id(self, versioning: Versioning, trouble: Trouble) -> None:
        job = rig(ENABLED)
        old = job.put(b"1")
        job.versioning = versioning
        job.store.set_versioning(SOURCE, versioning)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose(task_of(version=old))
        new = job.owner_puts()
        result = await job.recover(task_of(version=old))
        assert result.status is TaskStatus.SUCCEEDED
        assert [entry.version_id for entry in await job.versions()] == [new]

    async def test_an_owners_new_null_version_stays(self, trouble: Trouble) -> None:
        job = rig(SUSPENDED)
        job.put()
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose(task_of(version="null"))
        job.owner_puts()
        assert (await job.recover(task_of(version="null"))).error_code == OutcomeCode.OUTCOME_UNKNOWN
        assert job.is_there()

    async def test_a_marker_of_an_all_versions_list(self, trouble: Trouble) -> None:
        job = rig(ENABLED)
        kept = job.put()
        marker = await job.store.delete(job.ref())
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose(task_of(version=marker))
        assert (await job.recover(task_of(version=marker))).status is TaskStatus.SUCCEEDED
        assert [entry.version_id for entry in await job.versions()] == [kept]

    @pytest.mark.parametrize("versioning", Versioning)
    async def test_of_a_key_that_is_not_there(self, versioning: Versioning, trouble: Trouble) -> None:
        job = rig(versioning)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        assert (await job.recover()).status is TaskStatus.SUCCEEDED
        assert await job.markers() == (versioning is not NEVER)

    @pytest.mark.parametrize("versioning", Versioning)
    @pytest.mark.parametrize("version", [None, "null"])
    async def test_of_a_job_that_ends(self, versioning: Versioning, version: str | None, trouble: Trouble) -> None:
        """Nothing is written: done is told as done, and not done is proved."""
        job = rig(NEVER)
        job.put()
        job.versioning = versioning
        job.store.set_versioning(SOURCE, versioning)
        task = task_of(version=version)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose(task)
        job.wire.heal()
        result = await job.settle(task, may_write=False)
        assert (result is not None) == (trouble in APPLIED)
        assert "delete" not in job.wire.sent


@pytest.mark.parametrize("ahead_seconds", [HOUR, -HOUR])
class TestWrongClock:
    """The ledger's clock was an hour ahead or behind when the chunk was first claimed."""

    @pytest.mark.parametrize("trouble", LOSSES)
    @pytest.mark.parametrize("versioning", Versioning)
    async def test_a_second_attempt(self, versioning: Versioning, trouble: Trouble, ahead_seconds: float) -> None:
        job = rig(versioning, ahead_seconds=ahead_seconds)
        job.put()
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        assert (await job.recover()).status is TaskStatus.SUCCEEDED
        assert not job.is_there()
        assert await job.markers() == (versioning is not NEVER)

    @pytest.mark.parametrize("trouble", LOSSES)
    @pytest.mark.parametrize("version", [None, "null"])
    @pytest.mark.parametrize("versioning", Versioning)
    async def test_an_owners_new_upload_stays(
        self, versioning: Versioning, version: str | None, trouble: Trouble, ahead_seconds: float
    ) -> None:
        job = rig(NEVER if version else versioning, ahead_seconds=ahead_seconds)
        job.put()
        job.versioning = SUSPENDED if version else versioning
        job.store.set_versioning(SOURCE, job.versioning)
        task = task_of(version=version)
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose(task)
        job.owner_puts()
        result = await job.recover(task)
        assert job.is_there()
        assert "delete" not in job.wire.sent
        is_ours_below = version is None and versioning is ENABLED and trouble in APPLIED
        is_known = is_ours_below and ahead_seconds < 0  # then its marker is surely of a later date
        assert result.error_code == ("" if is_known else OutcomeCode.OUTCOME_UNKNOWN)
        ended = await job.settle(task, may_write=False)
        assert ended is not None
        assert (ended.status, ended.error_code) == (result.status, result.error_code)

    @pytest.mark.parametrize("versioning", Versioning)
    async def test_an_owners_new_upload_is_no_lie_of_the_store(
        self, versioning: Versioning, ahead_seconds: float
    ) -> None:
        job = rig(versioning, ahead_seconds=ahead_seconds)
        job.put()
        result = await job.run()
        job.owner_puts()
        assert await job.verify(task_of(), result) == ()

    @pytest.mark.parametrize("trouble", LOSSES)
    async def test_what_an_owner_deleted_and_put_again_before_the_job_is_not_called_deleted(
        self, trouble: Trouble, ahead_seconds: float
    ) -> None:
        """His marker lies below the object that the row means, and both look as if they had come after our request."""
        job = rig(ENABLED, ahead_seconds=ahead_seconds)
        job.put()
        job.clock.seconds = job.first_leased_at - ahead_seconds - 1200
        await job.store.delete(job.ref())
        job.put(b"again")
        job.wire.trouble, job.wire.at = trouble, 0
        await job.lose()
        result = await job.recover()
        assert (result.status is TaskStatus.SUCCEEDED) <= (not job.is_there())
        if trouble not in APPLIED and ahead_seconds < 0:
            assert result.error_code == OutcomeCode.OUTCOME_UNKNOWN
            assert "below it may be of this job" in result.message


@pytest.mark.parametrize("versioning", [NEVER, ENABLED])
@pytest.mark.parametrize(("seconds", "is_deleted"), [(3607.0, True), (3606.0, False), (60.0, False), (-60.0, False)])
async def test_only_what_is_surely_older_than_the_first_attempt_is_deleted_again(
    versioning: Versioning, seconds: float, is_deleted: bool
) -> None:
    job = rig(versioning)
    job.clock.seconds = job.first_leased_at - seconds
    job.put()
    job.wire.trouble, job.wire.at = Trouble.LOST_BEFORE, 0
    await job.lose()
    result = await job.recover()
    assert job.is_there() is not is_deleted
    assert (result.error_code, "delete" in job.wire.sent) == (
        "" if is_deleted else OutcomeCode.OUTCOME_UNKNOWN,
        is_deleted,
    )


async def test_a_marker_of_a_doubtful_date_below_what_is_surely_newer_has_hidden_what_the_row_means() -> None:
    """Ours or an owner's: nothing that may have been there before the first attempt lies above it."""
    job = rig(ENABLED)
    job.put()
    job.wire.trouble, job.wire.at = Trouble.LOST_AFTER, 0
    await job.lose()
    job.clock.advance(2 * HOUR)
    job.owner_puts()
    result = await job.recover()
    (marker,) = [entry.version_id for entry in await job.versions() if entry.is_delete_marker]
    assert result.message == f"Successful: delete marker {marker}"


async def test_an_older_marker_is_none_of_ours() -> None:
    """A row without a version id puts a marker over a marker, as a DELETE does; that an old one is there proves
    nothing."""
    job = rig(ENABLED)
    job.put()
    await job.store.delete(job.ref())
    job.wire.trouble, job.wire.at = Trouble.LOST_BEFORE, 0
    await job.lose()
    assert await job.settle() is None
    await job.recover()
    assert await job.markers() == 2


async def test_keys_that_begin_alike_are_other_keys() -> None:
    job = rig(ENABLED)
    job.put(key="a/key.1")
    job.wire.trouble, job.wire.at = Trouble.LOST_AFTER, 0
    await job.lose()
    job.put(key="a/key/below")
    assert (await job.recover()).status is TaskStatus.SUCCEEDED
    assert job.is_there("a/key.1")


async def test_versions_beyond_a_page_are_found() -> None:
    """Our marker is one of 1,500 entries."""
    job = rig(ENABLED)
    for number in range(1500):
        job.put(str(number).encode())
    old = (await job.store.list_versions(SOURCE, limit=2000)).objects[-1].version_id
    assert await job.settle(task_of(version=old)) is None
    await job.run(task_of(version=old))
    result = await job.settle(task_of(version=old))
    assert result is not None
    assert result.status is TaskStatus.SUCCEEDED


class TestReadingBack:
    @pytest.mark.parametrize("versioning", Versioning)
    async def test_gone(self, versioning: Versioning) -> None:
        job = rig(versioning)
        job.put()
        assert await job.verify(task_of(), await job.run()) == ()

    @pytest.mark.parametrize("versioning", Versioning)
    async def test_a_store_that_lies(self, versioning: Versioning) -> None:
        job = rig(versioning)
        job.put()
        result = await job.run(task_of("another"))
        assert await job.verify(task_of(), result) == ("deletion",)

    @pytest.mark.parametrize("versioning", Versioning)
    async def test_an_owners_new_upload_says_nothing(self, versioning: Versioning) -> None:
        job = rig(versioning)
        job.put()
        result = await job.run()
        job.owner_puts()
        assert await job.verify(task_of(), result) == ()

    async def test_a_marker_of_a_store_whose_clock_is_behind(self) -> None:
        job = rig(ENABLED)
        job.put()
        job.first_leased_at += 7200
        context = job.context()
        job.clock.seconds -= 7200
        operation = DeleteOperation()
        result = await operation.run(task_of(), context)
        assert await operation.verify(task_of(), result, context) == ()


class TestChecks:
    def test_a_store_without_versions_takes_no_version_column(self) -> None:
        job = rig()
        spec = replace(job.request.manifest.spec, fields=(ManifestField.KEY, ManifestField.VERSION_ID))
        request = replace(job.request, manifest=replace(job.request.manifest, spec=spec))
        profile = profile_with(refused="versions")
        (fault,) = DeleteOperation().check(request, source=profile, target=profile)
        assert fault.path == "Manifest.Spec.Fields[1]"
        assert DeleteOperation().check(request, source=PROFILES["s3"], target=PROFILES["s3"]) == []

    def test_parameters_of_another_operation_are_a_mistake_of_ours(self) -> None:
        job = InPlaceRig(InitiateRestoreObject(expiration_in_days=1, job_tier=RestoreTier.BULK))
        with pytest.raises(TypeError):
            DeleteOperation().check(job.request, source=PROFILES["s3"], target=PROFILES["s3"])

    async def test_it_costs_what_it_says(self) -> None:
        job = rig()
        job.put()
        await job.run()
        needs = DeleteOperation().needs(job.facts)
        assert dict.fromkeys(job.wire.sent, 1.0) == needs.requests_per_object
        assert {"s3:DeleteObject", "s3:DeleteObjectVersion"} <= set(needs.source_actions)
        assert (needs.target_bucket, needs.target_actions) == (None, ())
