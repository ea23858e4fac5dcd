"""What a job is said to need, before and after its manifest was read."""

from __future__ import annotations

from dataclasses import replace

from cosbatch.identity.policies import Access, Purpose
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import JobRequest, PlanFindings
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import ReportSpec
from cosbatch.operations.job_access import job_access, with_source
from cosbatch.storage.profiles import PROFILES
from tests.unit.service.job_builders import AWAY, HOME, job_request

FOUND = PlanFindings(
    source_bucket=Bucket("hot-125"),
    source_versioning=Versioning.NEVER,
    target_versioning=Versioning.NEVER,
    manifest_etag="e",
)


def accesses(request: JobRequest, findings: PlanFindings | None = None) -> dict[Purpose, Access]:
    found = job_access(
        request, findings=findings, source_profile=PROFILES["s3"], target_profile=PROFILES["s3"], same_store=True
    )
    assert len({access.purpose for access in found}) == len(found)
    return {access.purpose: access for access in found}


def test_before_the_manifest_was_read_nothing_is_read_of_a_bucket_that_nobody_has_named() -> None:
    found = accesses(job_request())

    assert set(found) == set(Purpose)
    assert found[Purpose.SOURCE_READ].bucket is None
    assert found[Purpose.SOURCE_READ].actions == ("s3:ListBucket", "s3:GetBucketVersioning")
    assert found[Purpose.TARGET_WRITE].bucket == "cold-125"
    assert "s3:PutObject" in found[Purpose.TARGET_WRITE].actions


def test_afterwards_it_is_held_to_the_source() -> None:
    found = accesses(job_request(), FOUND)

    assert found[Purpose.SOURCE_READ].bucket == "hot-125"
    assert {"s3:GetObject", "s3:ListBucket"} <= set(found[Purpose.SOURCE_READ].actions)
    assert "s3:PutObject" not in found[Purpose.SOURCE_READ].actions


def test_options_need_what_they_ask_of_the_store() -> None:
    plain, tagged = [
        set(accesses(job_request(copy=copy), FOUND)[Purpose.TARGET_WRITE].actions)
        for copy in ({}, {"access_control_directive": "Copy", "new_object_tagging": [{"key": "a", "value": "b"}]})
    ]
    assert not any("Acl" in action for action in plain)
    assert {"s3:PutObjectAcl", "s3:PutObjectTagging", "s3:AbortMultipartUpload"} <= tagged


def test_a_report_is_written_below_its_prefix() -> None:
    report = accesses(job_request())[Purpose.REPORT_WRITE]
    assert (report.bucket, report.key_prefix) == ("logs-125", "reports")
    assert Purpose.REPORT_WRITE not in accesses(replace(job_request(), report=ReportSpec(enabled=False)))


def test_an_inventory_names_files_beside_it_and_a_list_does_not() -> None:
    assert accesses(job_request())[Purpose.MANIFEST_READ].key_prefix == ""
    csv = {
        "location": {"object_arn": "qcs::cos:ap-guangzhou::logs-125/lists/a.csv"},
        "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
    }
    assert accesses(job_request(manifest=csv))[Purpose.MANIFEST_READ].key_prefix == "lists/a.csv"


def test_another_region_is_told() -> None:
    found = accesses(job_request(copy={"target_resource": "qcs::cos:ap-shanghai::cold-125"}))
    assert (found[Purpose.SOURCE_READ].region, found[Purpose.TARGET_WRITE].region) == (HOME, AWAY)


def test_a_source_can_be_named_beforehand() -> None:
    found = with_source(list(accesses(job_request()).values()), Bucket("hot-125"))
    assert {access.bucket for access in found} == {"hot-125", "logs-125", "cold-125"}


def test_a_dry_run_needs_nothing_that_writes_but_its_report() -> None:
    for findings in (None, FOUND):
        found = accesses(replace(job_request(), dry_run=True), findings)
        for purpose in (Purpose.SOURCE_READ, Purpose.TARGET_WRITE):
            assert all(action.startswith(("s3:Get", "s3:List")) for action in found[purpose].actions)
        assert "s3:PutObject" in found[Purpose.REPORT_WRITE].actions
