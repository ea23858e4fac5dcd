"""Whether a job may write is asked before it starts, and nothing is left of the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from cosbatch.model.errors import FailureCode, JobFailure, StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.jobs import PlanFindings
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Versioning
from cosbatch.model.tasks import UploadRecord
from cosbatch.operations.checks import failed_check, raise_failed
from cosbatch.operations.port import JobFacts
from cosbatch.operations.write_check import WriteCheck, WriteTried, report_check, target_check, try_write
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ObjectStore, PutOptions
from cosbatch.storage.profiles import PROFILES
from tests.unit.operations.copy_rig import SOURCE, TARGET, HandClock, Trouble, TroubledStore, Wire, job_request

DENIED = StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403)
NO_UPLOADS = StorageError(StorageReason.NOT_IMPLEMENTED, "no", http_status=501)


class CheckRig:
    """A target store, what is sent to it, and the ledger's memory of uploads."""

    def __init__(self, *, profile: str = "s3") -> None:
        self.clock = HandClock()
        self.memory = MemoryStore(profile=PROFILES[profile], clock=self.clock)
        self.memory.create_bucket(TARGET)
        self.wire = Wire()
        self.records: list[UploadRecord] = []

    @property
    def store(self) -> ObjectStore:
        return cast(ObjectStore, TroubledStore(self.memory, self.wire))

    async def recorded(self, number: int) -> Sequence[UploadRecord]:
        return [record for record in self.records if record.task_number == number]

    async def add(self, number: int, target: ObjectRef, upload_id: str) -> None:
        self.records.append(UploadRecord(task_number=number, target=target, upload_id=upload_id, fence=1))

    async def remove(self, upload_id: str) -> None:
        self.records = [record for record in self.records if record.upload_id != upload_id]

    def check(self) -> WriteCheck:
        return report_check(TARGET, ObjectKey("a/key"), store=self.store)

    async def tried(self, check: WriteCheck | None = None) -> WriteTried:
        return await try_write(check or self.check(), uploads=self, since=self.clock.now() - 5)

    async def run(self, *checks: WriteCheck) -> None:
        """As pre-flight does: every refusal at once."""
        tried = [await self.tried(check) for check in checks or [self.check()]]
        faults = [one.fault for one in tried if one.fault is not None]
        raise_failed([failed_check("writable", FailureCode.ROLE_LACKS_PERMISSION, fault) for fault in faults])

    def left(self) -> set[str]:
        return {upload.upload_id for upload in self.memory.open_uploads()}


def facts(params: PutObjectCopy) -> JobFacts:
    return JobFacts(
        request=job_request(params),
        findings=PlanFindings(
            source_bucket=SOURCE,
            source_versioning=Versioning.NEVER,
            target_versioning=Versioning.NEVER,
            manifest_etag="e",
        ),
        source_profile=PROFILES["s3"],
        target_profile=PROFILES["s3"],
        same_store=True,
    )


def row(key: str, *, is_delete_marker: bool = False) -> ManifestRow:
    return ManifestRow(
        key=ObjectKey(key),
        version_id=None,
        size_bytes=1,
        is_latest=None,
        is_delete_marker=is_delete_marker,
        last_modified="",
        etag="",
    )


async def test_nothing_is_left_where_the_job_may_write() -> None:
    rig = CheckRig()
    await rig.run()
    assert rig.wire.sent == ["create_upload", "abort_upload"]
    assert (rig.left(), rig.records) == (set(), [])


async def test_a_refusal_names_the_action_and_the_key() -> None:
    rig = CheckRig()
    rig.wire.refuses["create_upload"] = DENIED
    with pytest.raises(JobFailure, match=f"s3:PutObject on {TARGET}/a/key") as caught:
        await rig.run()
    assert caught.value.failure_code is FailureCode.ROLE_LACKS_PERMISSION
    assert rig.records == []


async def test_all_places_are_told_at_once() -> None:
    rig = CheckRig()
    rig.wire.refuses["create_upload"] = DENIED
    with pytest.raises(JobFailure) as caught:
        await rig.run(rig.check(), replace(rig.check(), path="Operation"))
    assert [fault.path for fault in caught.value.faults] == ["Report.Bucket", "Operation"]


async def test_what_may_not_be_aborted_is_named_and_kept_in_the_ledger() -> None:
    rig = CheckRig()
    rig.wire.refuses["abort_upload"] = DENIED
    with pytest.raises(JobFailure, match="s3:AbortMultipartUpload") as caught:
        await rig.run()
    (left,) = rig.left()
    assert left in caught.value.faults[0].way_out
    assert [record.upload_id for record in rig.records] == [left]


@pytest.mark.parametrize("profile", ["s3", "cos"])
async def test_a_store_that_cannot_be_asked_that_way_is_left_to_the_tasks(profile: str) -> None:
    rig = CheckRig(profile=profile)
    rig.wire.refuses["create_upload"] = NO_UPLOADS if profile == "s3" else DENIED
    await rig.run()
    assert rig.records == []


async def test_a_reply_that_got_lost_leaves_no_upload() -> None:
    rig = CheckRig()
    rig.wire.trouble, rig.wire.at = Trouble.LOST_AFTER, 0
    await rig.run()
    assert (rig.left(), rig.records) == (set(), [])
    assert rig.wire.sent.count("create_upload") == 2


async def test_where_every_reply_is_lost_the_next_one_clears_up() -> None:
    rig = CheckRig()
    rig.wire.trouble, rig.wire.only = Trouble.LOST_AFTER, "create_upload"
    with pytest.raises(Unanswered):
        await rig.run()
    assert rig.left()
    assert [record.is_announced for record in rig.records] == [True]
    rig.wire.heal()
    await rig.run()
    assert (rig.left(), rig.records) == (set(), [])


async def test_an_upload_of_somebody_else_is_left_alone() -> None:
    rig = CheckRig()
    target = ObjectRef(TARGET, ObjectKey("a/key"))
    theirs = await rig.memory.create_upload(target, options=PutOptions())
    rig.clock.advance(3600)
    rig.wire.trouble, rig.wire.at = Trouble.LOST_AFTER, 0
    await rig.run()
    assert rig.left() == {theirs}


async def test_an_earlier_upload_that_cannot_be_ended_stays_in_the_ledger() -> None:
    rig = CheckRig()
    upload_id = await rig.memory.create_upload(rig.check().target, options=PutOptions())
    await rig.add(rig.check().number, rig.check().target, upload_id)
    rig.wire.refuses["abort_upload"] = DENIED
    await rig.run()
    assert "create_upload" not in rig.wire.sent
    assert [record.upload_id for record in rig.records] == [upload_id]


async def test_the_first_row_that_writes_is_asked_with_as_the_job_writes_it() -> None:
    rig = CheckRig()
    params = PutObjectCopy(
        target_bucket=TARGET,
        prefix_replace=True,
        resources_prefix="raw/",
        target_key_prefix="old/",
        storage_class="STANDARD_IA",
    )
    rows = [row("elsewhere"), row("raw/gone", is_delete_marker=True), row("raw/a"), row("raw/b")]
    check = target_check(facts(params), rows, store=rig.store)
    assert check
    assert check.target == ObjectRef(TARGET, ObjectKey("old/a"))
    assert check.options.storage_class == "STANDARD_IA"
    assert target_check(facts(params), rows[:2], store=rig.store) is None


async def test_a_key_that_the_store_does_not_take_is_passed_over() -> None:
    rig = CheckRig(profile="seaweedfs")
    check = target_check(
        facts(PutObjectCopy(target_bucket=TARGET)), [row("a//b"), row("é" * 600), row("c")], store=rig.store
    )
    assert check
    assert check.target.key == "c"
