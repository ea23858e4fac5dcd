"""Every check of pre-flight in each of its outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from cosbatch.model.errors import FailureCode, Fault, JobFailure, ManifestFaulty, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, VersionId
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import FailedRows, ManifestField, ManifestRow
from cosbatch.model.operations import (
    CannedAcl,
    DeleteObject,
    Directive,
    InitiateRestoreObject,
    NewObjectMetadata,
    PutObjectCopy,
    PutObjectTagging,
    RestoreTier,
    Tag,
    TaggingChange,
)
from cosbatch.model.preflight import Check, CheckName, CheckOutcome, option_check
from cosbatch.model.regions import Provider, Region, Versioning
from cosbatch.model.reports import ReportSpec
from cosbatch.operations.checks import Checks, raise_failed
from cosbatch.operations.preflight import Found, Ground, RoleSession, look_at_destination, look_before_start
from cosbatch.operations.preflight_ground import check_count, check_spool, manifest_read, manifest_unreadable
from cosbatch.operations.preflight_rows import SAMPLED_ROWS
from cosbatch.operations.write_check import WriteCheck, WriteTried
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import LockRule, ObjectStore
from cosbatch.storage.profiles import PROFILES, Option
from tests.unit.operations.copy_rig import SOURCE, TARGET, HandClock, job_request
from tests.unit.operations.test_preflight import HERE, RefusingStore

DENIED = StorageError(StorageReason.ACCESS_DENIED, "no", code="AccessDenied", http_status=403)
SILENT = StorageError(StorageReason.CONNECT_TIMEOUT, "no answer")
ODD = StorageError(StorageReason.INVALID_REQUEST, "its own key is needed", code="InvalidRequest", http_status=400)
NO_LOCKS = StorageError(StorageReason.NOT_IMPLEMENTED, "no", code="NotImplemented", http_status=501)
PASSED, FAILED, UNKNOWN = CheckOutcome.PASSED, CheckOutcome.FAILED, CheckOutcome.UNKNOWN
COPY = PutObjectCopy(target_bucket=TARGET)
KEYS = [f"k{number}" for number in range(20)]
ROLE = RoleSession(arn="arn:aws:iam::1:role/batch", is_narrowed=True)
REPORTS = Bucket("reports")


def row(key: str, *, is_delete_marker: bool = False, version_id: str | None = None) -> ManifestRow:
    return ManifestRow(
        key=ObjectKey(key),
        version_id=VersionId(version_id) if version_id else None,
        size_bytes=1,
        is_latest=None,
        is_delete_marker=is_delete_marker,
        last_modified="",
        etag="",
    )


class Job:
    """A job over stores in memory, some questions of which are refused."""

    def __init__(self, operation: Any = COPY, *, profile: str = "s3", region: Region = HERE) -> None:
        self.memory = MemoryStore(profile=PROFILES[profile], clock=HandClock())
        for name in (SOURCE, TARGET, REPORTS):
            self.memory.create_bucket(name)
        for key in KEYS:
            self.memory.put_sized(SOURCE, key, 1)
        self.refusals: dict[str, StorageError | JobFailure] = {}
        self.operation = operation
        self.region = region
        self.rows: Sequence[ManifestRow] = [row(key) for key in KEYS]
        self.changes: dict[str, Any] = {}
        self.role: RoleSession | None = None
        self.tried = WriteTried()
        self.asked: list[WriteCheck] = []
        self.report = ReportSpec(enabled=True, bucket=REPORTS, prefix="r")

    @property
    def ground(self) -> Ground:
        store = cast(ObjectStore, RefusingStore(self.memory, self.refusals))
        request = replace(job_request(self.operation, report=self.report), **self.changes)
        if self.role is not None:
            request = replace(request, role_arn=self.role.arn)
        return Ground(
            request=request,
            source_bucket=SOURCE,
            source=store,
            target=store,
            report=store,
            source_region=self.region,
            target_region=self.region,
            report_region=self.region,
            report_keys=[ObjectKey("r/job-1/manifest.json")],
            rows=self.rows,
            role=self.role,
        )

    async def ask_write(self, check: WriteCheck) -> WriteTried:
        self.asked.append(check)
        return self.tried

    async def look(self, *, waits: bool = False) -> Found:
        return await look_before_start(self.ground, ask_write=self.ask_write, waits=waits)

    async def check(self, name: str, *, waits: bool = False) -> Check:
        """The only one of that name."""
        (found,) = [check for check in (await self.look(waits=waits)).checks if check.name == name]
        return found


async def test_a_job_that_is_well_passes_everything_that_can_be_told() -> None:
    found = await Job().look()
    assert {check.name: check.outcome for check in found.checks if check.outcome is not PASSED} == {}
    assert not [check for check in found.checks if check.missing_permission or check.way_out]
    raise_failed(found.checks)


# --- role, and what it may write


async def test_a_session_that_is_not_narrowed_says_so() -> None:
    job = Job()
    assert "names no role" in (await job.check(CheckName.ROLE)).detail
    job.role = ROLE
    assert "narrowed to what the job does" in (await job.check(CheckName.ROLE)).detail
    job.role = replace(ROLE, is_narrowed=False)
    wide = await job.check(CheckName.ROLE)
    assert (wide.outcome, "does not narrow it" in wide.detail) == (PASSED, True)
    job.role, job.changes = None, {"role_arn": ROLE.arn}
    assert (await job.check(CheckName.ROLE)).outcome is UNKNOWN


async def test_buckets_that_the_role_is_not_registered_for() -> None:
    job = Job()
    job.role = replace(ROLE, writable_buckets=(TARGET, REPORTS))
    assert (await job.check(CheckName.ALLOWED_BUCKETS)).outcome is PASSED
    job.role = replace(ROLE, writable_buckets=(TARGET,))
    refused = await job.check(CheckName.ALLOWED_BUCKETS)
    assert (refused.outcome, refused.value, refused.failure_code) == (FAILED, REPORTS, FailureCode.BUCKET_NOT_ALLOWED)
    job.operation, job.role = DeleteObject(), replace(ROLE, writable_buckets=(REPORTS,))
    refused = await job.check(CheckName.ALLOWED_BUCKETS)
    assert (refused.outcome, refused.path, refused.value) == (FAILED, "Manifest.Location", SOURCE)


# --- buckets and regions


@pytest.mark.parametrize(
    ("refusal", "outcome", "permission"),
    [
        (None, PASSED, ""),
        (DENIED, FAILED, f"s3:ListBucket on arn:aws:s3:::{SOURCE}"),
        (SILENT, UNKNOWN, ""),
    ],
)
async def test_a_bucket(refusal: StorageError | None, outcome: CheckOutcome, permission: str) -> None:
    job = Job()
    job.refusals = {"bucket_region": refusal} if refusal else {}
    found = await job.check(CheckName.SOURCE_BUCKET)
    assert (found.outcome, found.missing_permission) == (outcome, permission)
    others = [CheckName.SOURCE_READABLE, CheckName.FIRST_ROWS, CheckName.VERSIONING, CheckName.OBJECT_LOCK]
    for name in [*others, CheckName.DESTINATION_WRITABLE, CheckName.REPORT_WRITABLE]:
        assert (await job.check(name)).outcome is (PASSED if outcome is PASSED else UNKNOWN)


async def test_a_key_that_the_store_does_not_know_fails_a_check() -> None:
    job = Job()
    job.refusals["bucket_region"] = StorageError(StorageReason.CREDENTIALS_REFUSED, "no", code="InvalidAccessKeyId")
    assert (await job.check(CheckName.DESTINATION_BUCKET)).outcome is FAILED


async def test_a_store_that_nobody_can_sign_for_fails_a_check() -> None:
    job = Job()
    job.refusals["bucket_region"] = JobFailure(FailureCode.ASSUME_ROLE_FAILED, "there are no credentials")
    check = await job.check(CheckName.DESTINATION_BUCKET)
    assert (check.outcome, check.failure_code) == (FAILED, FailureCode.ASSUME_ROLE_FAILED)
    with pytest.raises(JobFailure):
        await job.look(waits=True)


async def test_regions() -> None:
    job = Job()
    assert (await job.check(CheckName.SOURCE_REGION)).outcome is PASSED
    job.memory.create_bucket(TARGET, region="eu-west-1")
    elsewhere = await job.check(CheckName.DESTINATION_REGION)
    assert (elsewhere.outcome, elsewhere.failure_code) == (FAILED, FailureCode.REGION_MISMATCH)
    job.memory.create_bucket(REPORTS, region="")
    assert (await job.check(CheckName.REPORT_REGION)).outcome is UNKNOWN
    job.region = replace(HERE, profile="ceph")
    assert (await job.check(CheckName.DESTINATION_REGION)).outcome is PASSED


@pytest.mark.parametrize(
    ("provider", "permission"),
    [
        (Provider.S3, "s3:GetBucketVersioning on arn:aws:s3:::target"),
        (Provider.COS, "name/cos:GetBucketVersioning on qcs::cos:us-east-1::target/"),
    ],
)
async def test_versioning(provider: Provider, permission: str) -> None:
    job = Job(region=replace(HERE, provider=provider))
    assert "keeps no versions" in (await job.check(CheckName.VERSIONING)).detail
    job.memory.set_versioning(TARGET, Versioning.ENABLED)
    assert "stays as an earlier version" in (await job.check(CheckName.VERSIONING)).detail
    job.refusals["versioning"] = DENIED
    refused = await job.check(CheckName.VERSIONING)
    assert (refused.outcome, refused.missing_permission) == (FAILED, permission)
    job.refusals["versioning"] = SILENT
    assert (await job.check(CheckName.VERSIONING)).outcome is UNKNOWN


async def test_object_lock_is_told_and_never_fails() -> None:
    job = Job()
    assert "has no object lock" in (await job.check(CheckName.OBJECT_LOCK)).detail
    job.memory.set_object_lock(TARGET, LockRule(mode="COMPLIANCE", days=30, years=0))
    held = await job.check(CheckName.OBJECT_LOCK)
    assert (held.outcome, "30 days (COMPLIANCE)" in held.detail) == (PASSED, True)
    job.refusals["object_lock"] = DENIED
    refused = await job.check(CheckName.OBJECT_LOCK)
    assert (refused.outcome, refused.missing_permission) == (
        UNKNOWN,
        f"s3:GetBucketObjectLockConfiguration on arn:aws:s3:::{TARGET}",
    )
    job.refusals["object_lock"] = NO_LOCKS
    assert (await job.check(CheckName.OBJECT_LOCK, waits=True)).outcome is UNKNOWN


async def test_versions_that_are_held_are_no_sure_deletion() -> None:
    job = Job(DeleteObject())
    job.memory.set_object_lock(SOURCE, LockRule(mode="GOVERNANCE", days=0, years=1))
    assert (await job.check(CheckName.OBJECT_LOCK)).outcome is PASSED
    manifest = job.ground.request.manifest
    fields = (*manifest.spec.fields, ManifestField.VERSION_ID)
    job.changes = {"manifest": replace(manifest, spec=replace(manifest.spec, fields=fields))}
    assert (await job.check(CheckName.OBJECT_LOCK)).outcome is UNKNOWN


# --- the first rows


@pytest.mark.parametrize(
    ("refusal", "readable", "found"),
    [(None, PASSED, PASSED), (DENIED, FAILED, UNKNOWN), (ODD, UNKNOWN, UNKNOWN), (SILENT, UNKNOWN, UNKNOWN)],
)
async def test_objects_are_looked_at(refusal: StorageError | None, readable: CheckOutcome, found: CheckOutcome) -> None:
    job = Job()
    job.refusals = {"head": refusal} if refusal else {}
    check = await job.check(CheckName.SOURCE_READABLE)
    assert check.outcome is readable
    assert check.missing_permission == ("" if refusal is not DENIED else f"s3:GetObject on arn:aws:s3:::{SOURCE}/*")
    assert (await job.check(CheckName.FIRST_ROWS)).outcome is found


async def test_who_may_not_read_may_delete() -> None:
    job = Job(DeleteObject())
    job.refusals = {"head": DENIED}
    check = await job.check(CheckName.SOURCE_READABLE)
    assert (check.outcome, bool(check.missing_permission)) == (UNKNOWN, True)


async def test_one_object_of_many_is_enough() -> None:
    job = Job()
    job.rows = [row("k0"), *(row(f"gone{number}") for number in range(SAMPLED_ROWS - 1))]
    assert "1 of 5 sampled" in (await job.check(CheckName.FIRST_ROWS)).detail


@pytest.mark.parametrize(
    ("operation", "rows", "outcome"),
    [
        (COPY, SAMPLED_ROWS, FAILED),
        (COPY, SAMPLED_ROWS - 1, UNKNOWN),
        (DeleteObject(), SAMPLED_ROWS, UNKNOWN),
        (COPY, 0, PASSED),
    ],
)
async def test_keys_that_are_not_there(operation: Any, rows: int, outcome: CheckOutcome) -> None:
    job = Job(operation)
    job.rows = [row("k1", is_delete_marker=True), *(row(f"gone%20{number}") for number in range(rows))]
    check = await job.check(CheckName.FIRST_ROWS)
    assert check.outcome is outcome
    assert check.failure_code is (FailureCode.FIRST_ROWS_NOT_FOUND if outcome is FAILED else None)
    assert ("key_encoding" in check.way_out) is (outcome is not PASSED)


@pytest.mark.parametrize("operation", [COPY, DeleteObject()])
@pytest.mark.parametrize("rows", [SAMPLED_ROWS - 1, SAMPLED_ROWS])
async def test_keys_of_a_retry_that_are_still_not_there(operation: Any, rows: int) -> None:
    job = retry_of(operation)
    job.rows = [row(f"gone{number}") for number in range(rows)]
    check = await job.check(CheckName.FIRST_ROWS)
    assert (check.outcome, check.failure_code) == (UNKNOWN, None)
    assert f"none of {rows} sampled" in check.detail
    assert "column" not in check.way_out


async def test_objects_of_a_retry_that_are_still_refused() -> None:
    job = retry_of(COPY)
    job.refusals = {"head": DENIED}
    check = await job.check(CheckName.SOURCE_READABLE)
    assert (check.outcome, check.failure_code) == (UNKNOWN, None)
    assert check.missing_permission == f"s3:GetObject on arn:aws:s3:::{SOURCE}/*"
    assert "let the job's credentials read" in check.way_out


def retry_of(operation: Any) -> Job:
    job = Job(operation)
    manifest = job.ground.request.manifest
    location = replace(manifest.location, retry_of=FailedRows(job_id=JobId("j1")))
    job.changes = {"manifest": replace(manifest, location=location)}
    return job


async def test_a_store_that_does_not_answer_is_waited_for_or_told() -> None:
    job = Job()
    job.refusals = {"head": SILENT}
    with pytest.raises(StorageError):
        await job.look(waits=True)
    job.refusals = {"object_lock": SILENT}
    with pytest.raises(StorageError):
        await job.look(waits=True)
    assert (await job.check(CheckName.OBJECT_LOCK)).outcome is UNKNOWN


# --- writing


FAULT = Fault(path="Operation", value=TARGET, problem="the store refuses it")


@pytest.mark.parametrize("name", [CheckName.DESTINATION_WRITABLE, CheckName.REPORT_WRITABLE])
async def test_whether_it_may_be_written(name: CheckName) -> None:
    job = Job()
    assert (await job.check(name)).outcome is PASSED
    assert [check.target for check in job.asked] == [(TARGET, "k0", None), (REPORTS, "r/job-1/manifest.json", None)]
    job.tried = WriteTried(fault=FAULT, missing_action="s3:PutObject")
    refused = await job.check(name)
    bucket = TARGET if name is CheckName.DESTINATION_WRITABLE else REPORTS
    assert (refused.outcome, refused.failure_code, refused.missing_permission) == (
        FAILED,
        FailureCode.ROLE_LACKS_PERMISSION,
        f"s3:PutObject on arn:aws:s3:::{bucket}/*",
    )
    job.tried = WriteTried(why_unknown="no uploads")
    assert (await job.check(name)).outcome is UNKNOWN


async def test_a_missing_permission_in_the_words_of_cos() -> None:
    job = Job(region=replace(HERE, provider=Provider.COS, signing_region="ap-guangzhou"))
    job.operation = replace(COPY, target_bucket=job.memory.create_bucket("copies-1250000000", region="ap-guangzhou"))
    job.tried = WriteTried(fault=FAULT, missing_action="s3:PutObject")
    refused = await job.check(CheckName.DESTINATION_WRITABLE)
    resource = "qcs::cos:ap-guangzhou:uid/1250000000:copies-1250000000/*"
    assert refused.missing_permission == f"name/cos:PutObject on {resource}"


async def test_what_cannot_be_tried() -> None:
    assert (await Job(DeleteObject()).check(CheckName.DESTINATION_WRITABLE)).outcome is UNKNOWN
    on_cos = Job(profile="cos")
    assert (await on_cos.check(CheckName.DESTINATION_WRITABLE)).outcome is UNKNOWN


async def test_a_key_to_ask_with_may_come_later() -> None:
    job = Job(replace(COPY, prefix_replace=True, resources_prefix="z"))
    found = await job.look()
    assert not found.asked_target
    assert (await job.check(CheckName.DESTINATION_WRITABLE)).outcome is UNKNOWN
    job.tried = WriteTried(fault=FAULT, missing_action="s3:PutObject")
    nothing = await look_at_destination(job.ground, [row("a")], found.findings, ask_write=job.ask_write)
    assert nothing is None
    later = await look_at_destination(job.ground, [row("a"), row("z1")], found.findings, ask_write=job.ask_write)
    assert later is not None
    assert (later.name, later.outcome) == (CheckName.DESTINATION_WRITABLE, FAILED)


async def test_keys_of_the_report() -> None:
    assert (await Job().check(CheckName.REPORT_KEYS)).outcome is PASSED
    job = Job()
    ground = replace(job.ground, report_keys=[ObjectKey("x" * 2000)])
    found = await look_before_start(ground, ask_write=job.ask_write, waits=False)
    (check,) = [check for check in found.checks if check.name == CheckName.REPORT_KEYS]
    assert (check.outcome, check.failure_code) == (FAILED, FailureCode.UNSUPPORTED_OPTION)


# --- options


@pytest.mark.parametrize(
    ("profile", "operation", "name", "outcome", "words"),
    [
        ("s3", replace(COPY, storage_class="GLACIER"), CheckName.STORAGE_CLASS, PASSED, "GLACIER"),
        ("s3", replace(COPY, storage_class="COLD"), CheckName.STORAGE_CLASS, FAILED, "no such class"),
        (
            "s3",
            replace(COPY, new_object_metadata=NewObjectMetadata(sse_algorithm="AES256")),
            CheckName.ENCRYPTION,
            PASSED,
            "AES256",
        ),
        (
            "ceph",
            replace(COPY, new_object_metadata=NewObjectMetadata(sse_algorithm="AES256")),
            CheckName.ENCRYPTION,
            FAILED,
            "not offered",
        ),
        (
            "seaweedfs",
            replace(COPY, access_control_directive=Directive.REPLACED, canned_access_control_list=CannedAcl("private")),
            option_check(Option.CANNED_ACL),
            PASSED,
            "2 more requests for each object: get-target-acl, put-target-acl",
        ),
        (
            "ceph",
            replace(COPY, tagging_directive=Directive.REPLACED, new_object_tagging=(Tag(key="a", value="b"),)),
            option_check(Option.TAGGING_REPLACE),
            PASSED,
            "1 more request for each object: put-target-tags",
        ),
        (
            "minio",
            replace(COPY, access_control_directive=Directive.COPY),
            option_check(Option.OBJECT_ACL),
            FAILED,
            "not offered",
        ),
        (
            "s3",
            InitiateRestoreObject(expiration_in_days=1, job_tier=RestoreTier("Bulk")),
            option_check(Option.RESTORE),
            PASSED,
            "does it",
        ),
        (
            "ceph",
            InitiateRestoreObject(expiration_in_days=1, job_tier=RestoreTier("Bulk")),
            option_check(Option.RESTORE),
            FAILED,
            "not offered",
        ),
        (
            "s3",
            PutObjectTagging(tagging_directive=TaggingChange.REPLACED, tag_set=(Tag(key="a", value="b"),)),
            option_check(Option.OBJECT_TAGGING),
            PASSED,
            "does it",
        ),
        (
            "s3",
            InitiateRestoreObject(expiration_in_days=999, job_tier=RestoreTier("Bulk")),
            CheckName.OPTIONS,
            FAILED,
            "out of range",
        ),
    ],
)
async def test_what_the_store_does_with_an_option(
    profile: str, operation: Any, name: str, outcome: CheckOutcome, words: str
) -> None:
    check = await Job(operation, profile=profile).check(name)
    assert (check.outcome, words in check.detail) == (outcome, True), check.detail
    assert check.failure_code is (FailureCode.UNSUPPORTED_OPTION if outcome is FAILED else None)


# --- manifest, work area, count


def outcomes(checks: Checks) -> list[tuple[str, CheckOutcome, FailureCode | None]]:
    return [(check.name, check.outcome, check.failure_code) for check in checks.found]


@pytest.mark.parametrize(("code", "words"), [("", "failed in job j1 can"), ("E", "failed in job j1 with E can")])
def test_the_manifest_of_a_retry(code: str, words: str) -> None:
    location = replace(job_request(COPY).manifest.location, retry_of=FailedRows(job_id=JobId("j1"), error_code=code))
    checks = Checks()
    manifest_read(checks, location, etag="e1")
    assert words in checks.found[0].detail


def test_the_manifest() -> None:
    location, checks = job_request(COPY).manifest.location, Checks()
    manifest_read(checks, location, etag="e1")
    manifest_unreadable(checks, location, JobFailure(FailureCode.MANIFEST_ETAG_MISMATCH, "it was replaced"))
    manifest_unreadable(checks, location, ManifestFaulty([FAULT, FAULT]))
    assert outcomes(checks) == [
        (CheckName.MANIFEST, PASSED, None),
        (CheckName.MANIFEST, FAILED, FailureCode.MANIFEST_ETAG_MISMATCH),
        (CheckName.MANIFEST, FAILED, FailureCode.MANIFEST_PARSING_ERROR),
        (CheckName.MANIFEST, FAILED, FailureCode.MANIFEST_PARSING_ERROR),
    ]


@pytest.mark.parametrize(
    ("free", "waits", "outcome"),
    [(0.5, True, PASSED), (0.1, True, UNKNOWN), (0.1, False, FAILED), (None, False, UNKNOWN)],
)
def test_the_work_area(free: float | None, waits: bool, outcome: CheckOutcome) -> None:
    checks = Checks()
    check_spool(checks, free=free, least=0.2, waits=waits)
    assert [check.outcome for check in checks.found] == [outcome]


@pytest.mark.parametrize(
    ("limit", "rows", "is_all", "expected"),
    [
        (10, 10, True, [PASSED]),
        (10, 10, False, []),
        (10, 11, False, [FAILED]),
        (10, 11, True, [FAILED]),
        (None, 11, True, []),
    ],
)
def test_the_count_of_a_deletion(limit: int | None, rows: int, is_all: bool, expected: list[CheckOutcome]) -> None:
    checks = Checks()
    request: JobRequest = replace(job_request(DeleteObject()), confirm_delete_count=limit)
    check_count(request, rows, checks=checks, is_all=is_all)
    assert [check.outcome for check in checks.found] == expected


def test_the_first_failed_check_gives_the_code_and_all_are_told() -> None:
    checks = Checks()
    checks.passed(CheckName.MANIFEST, "well")
    checks.failed(CheckName.FIRST_ROWS, FailureCode.FIRST_ROWS_NOT_FOUND, FAULT)
    checks.unknown(CheckName.OBJECT_LOCK, "nobody knows")
    checks.failed(CheckName.REPORT_KEYS, FailureCode.UNSUPPORTED_OPTION, FAULT)
    with pytest.raises(JobFailure) as caught:
        raise_failed(checks.found)
    assert (caught.value.failure_code, len(caught.value.faults)) == (FailureCode.FIRST_ROWS_NOT_FOUND, 2)
