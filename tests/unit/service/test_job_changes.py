"""Another request made of an old one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import Bucket, ObjectKey, VersionId
from cosbatch.model.jobs import JobRequest, Verify
from cosbatch.model.manifests import FailedRows
from cosbatch.model.operations import DeleteObject, PutObjectCopy
from cosbatch.service.job_changes import changed_request, digest_of
from tests.contract.ledgers import job_id
from tests.unit.service.job_builders import AWAY, job_request


def pinned(request: JobRequest, *, etag: str = "e1", version: str | None = None) -> JobRequest:
    location = replace(request.manifest.location, etag=etag, version_id=VersionId(version) if version else None)
    return replace(request, manifest=replace(request.manifest, location=location))


def kept(request: JobRequest) -> JobRequest:
    location = replace(
        request.manifest.location,
        bucket=Bucket("(work area)"),
        key=ObjectKey("jobs/x/manifest/manifest.json"),
        etag="e9",
        retry_of=FailedRows(job_id=job_id(1)),
    )
    return replace(request, manifest=replace(request.manifest, location=location))


def faults(changes: dict[str, Any], **named: Any) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as refusal:
        changed_request(job_request(), changes, **named)
    return {fault.path: fault.problem for fault in refusal.value.faults}


def test_without_changes_all_stays_but_the_etag_and_the_words_of_a_wire() -> None:
    old = replace(pinned(job_request(priority=7), version="v1"), as_written="<Job/>")
    assert changed_request(old, {}) == pinned(old, etag="", version="v1")
    assert changed_request(old, {}).as_written == ""


def test_what_a_document_does_not_say_stays_too() -> None:
    old = replace(job_request(), failure_threshold=0.123, priority=0)
    made = changed_request(old, {"description": "x"})
    assert (made.failure_threshold, made.priority, made.description) == (0.123, 0, "x")


def test_fields_are_replaced_taken_away_and_added() -> None:
    old = job_request(copy={"storage_class": "ARCHIVE", "new_object_tagging": [{"key": "a", "value": "1"}]})
    changes = {
        "verify": "all",
        "report": {"prefix": None, "report_scope": "FailedTasksOnly"},
        "operation": {
            "cos_put_object_copy": {"storage_class": None, "new_object_tagging": [{"key": "b", "value": "2"}]}
        },
    }
    made = changed_request(old, changes)
    assert isinstance(made.operation, PutObjectCopy)
    assert (made.verify, made.report.prefix, made.report.scope) == (Verify.ALL, "", "FailedTasksOnly")
    assert (made.report.bucket, made.operation.storage_class) == (old.report.bucket, "")
    assert [tag.key for tag in made.operation.new_object_tagging] == ["b"]


def test_another_operation_takes_the_place_of_the_old_one() -> None:
    made = changed_request(job_request(), {"operation": {"cos_put_object_copy": None, "cos_delete_object": {}}})
    assert made.operation == DeleteObject()


def test_another_manifest_does_not_inherit_the_version_of_the_old_one() -> None:
    location = {"object_arn": "qcs::cos:ap-guangzhou::logs-125/other/manifest.json"}
    made = changed_request(pinned(job_request(), version="v1"), {"manifest": {"location": location}})
    assert (made.manifest.location.key, made.manifest.location.version_id) == ("other/manifest.json", None)


def test_an_etag_may_be_named() -> None:
    made = changed_request(pinned(job_request()), {"manifest": {"location": {"etag": "e2"}}})
    assert made.manifest.location.etag == "e2"


def test_a_manifest_of_the_work_area_stays_unless_another_one_is_named() -> None:
    old = kept(job_request())
    assert changed_request(old, {"priority": 3}) == replace(old, priority=3)
    location = {"object_arn": "qcs::cos:ap-guangzhou::logs-125/other.json"}
    spec = {"format": "COSInventoryReport_CSV_V1"}
    made = changed_request(old, {"manifest": {"location": location, "spec": spec}})
    assert (made.manifest.location.key, made.manifest.location.retry_of) == ("other.json", None)


def test_all_faults_are_told_at_once_with_their_paths() -> None:
    found = faults({"priority": "high", "report": {"buckett": "x"}, "nonsense": 1})
    assert set(found) == {"priority", "report.buckett", "nonsense"}


def test_some_fields_may_be_fixed() -> None:
    found = faults({"region": AWAY, "manifest": {}, "priority": 3}, fixed=("region", "manifest"), way_out="clone")
    assert found == {"region": "cannot be changed here", "manifest": "cannot be changed here"}


def test_a_document_that_shows_whose_rows_a_job_lists_cannot_be_asked_for() -> None:
    changes = {"manifest": {"location": {"retry_of": {"job_id": "x"}}}}
    assert faults(changes) == {"manifest.location.retry_of": "cannot be asked for"}


def test_equal_wishes_have_equal_digests() -> None:
    once = digest_of("retry_failed", "j", "A", changes={"a": 1, "b": {"c": 2, "d": 3}})
    assert once == digest_of("retry_failed", "j", "A", changes={"b": {"d": 3, "c": 2}, "a": 1})
    others = [
        digest_of("retry_failed", "j", "B", changes={"a": 1, "b": {"c": 2, "d": 3}}),
        digest_of("clone_job", "j", "A", changes={"a": 1, "b": {"c": 2, "d": 3}}),
        digest_of("retry_failed", "j", "A", changes={}),
    ]
    assert len({once, *others}) == 4
