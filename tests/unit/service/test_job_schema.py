from __future__ import annotations

from typing import Any

import pytest

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.jobs import JobRequest, Verify
from cosbatch.model.manifests import KeyEncoding, ManifestField
from cosbatch.model.operations import CannedAcl, Directive, Grant, NewObjectMetadata, Permission, PutObjectCopy, Tag
from cosbatch.model.reports import ReportScope, ReportSpec
from cosbatch.service.documents import read_document
from cosbatch.service.job_schema import parse_job
from tests.unit.service.job_builders import AWAY, HOME, job_content, job_request, without_places

COPY = "operation.cos_put_object_copy"
GRANT = {"grantee": {"identifier": "qcs::cam::uin/1:uin/2"}, "permission": "READ"}


def copy_of(request: JobRequest) -> PutObjectCopy:
    assert isinstance(request.operation, PutObjectCopy)
    return request.operation


def faults(content: dict[str, Any], *, lowest_priority: int = 1) -> list[Fault]:
    with pytest.raises(InvalidArgument) as raised:
        parse_job(without_places(content), lowest_priority=lowest_priority)
    return list(raised.value.faults)


def fault_paths(content: dict[str, Any]) -> list[str]:
    return [fault.path for fault in faults(content)]


class TestWhatAJobSays:
    def test_a_plain_copy_takes_the_defaults_of_the_protocol(self) -> None:
        request = job_request()

        assert copy_of(request) == PutObjectCopy(target_bucket=copy_of(request).target_bucket)
        assert copy_of(request).target_bucket == "cold-125"
        assert request.priority == 10
        assert request.failure_threshold == 0.5
        assert request.manifest.location.bucket == "logs-125"
        assert request.manifest.location.key == "inv/manifest.json"

    def test_all_options_of_a_copy(self) -> None:
        copy = copy_of(
            job_request(
                copy={
                    "target_resource": "qcs::cos:ap-shanghai:uid/125:cold-125",
                    "prefix_replace": True,
                    "resources_prefix": "raw/",
                    "target_key_prefix": "old/",
                    "modified_since_constraint": 1_700_000_000,
                    "un_modified_since_constraint": "2025-08-01T00:00:00+08:00",
                    "storage_class": "STANDARD_IA",
                    "metadata_directive": "Add",
                    "new_object_metadata": {
                        "cache_control": "no-store",
                        "sse_algorithm": "AES256",
                        "user_metadata": [
                            {"key": "x-cos-meta-Moved", "value": "1"},
                            {"key": "X-Amz-Meta-by", "value": "二"},
                            {"key": "plain"},
                        ],
                    },
                    "tagging_directive": "Replace",
                    "new_object_tagging": [{"key": "tier", "value": "cold"}, {"key": "empty"}],
                    "access_control_directive": "Add",
                    "access_control_grants": [GRANT],
                }
            )
        )

        assert copy == PutObjectCopy(
            target_bucket=copy.target_bucket,
            target_region=AWAY,
            access_control_directive=Directive.ADD,
            access_control_grants=(Grant(identifier="qcs::cam::uin/1:uin/2", permission=Permission.READ),),
            prefix_replace=True,
            resources_prefix="raw/",
            target_key_prefix="old/",
            modified_since_constraint=1_700_000_000,
            unmodified_since_constraint=1_753_977_600,
            metadata_directive=Directive.ADD,
            new_object_metadata=NewObjectMetadata(
                cache_control="no-store",
                sse_algorithm="AES256",
                user_metadata=(("moved", "1"), ("by", "二"), ("plain", "")),
            ),
            tagging_directive=Directive.REPLACED,
            new_object_tagging=(Tag(key="tier", value="cold"), Tag(key="empty", value="")),
            storage_class="STANDARD_IA",
        )

    def test_new_metadata_tags_and_permission_without_a_directive_replace_the_sources(self) -> None:
        copy = copy_of(
            job_request(
                copy={
                    "new_object_metadata": {"content_type": "text/plain"},
                    "new_object_tagging": [{"key": "a", "value": "b"}],
                    "canned_access_control_list": "public-read",
                }
            )
        )

        assert copy.metadata_directive is Directive.REPLACED
        assert copy.tagging_directive is Directive.REPLACED
        assert copy.access_control_directive is Directive.REPLACED
        assert copy.canned_access_control_list is CannedAcl.PUBLIC_READ

    def test_encryption_goes_with_every_metadata_directive(self) -> None:
        encrypted = {"new_object_metadata": {"sse_algorithm": "AES256"}}

        assert copy_of(job_request(copy=encrypted)).metadata_directive is Directive.COPY
        assert copy_of(job_request(copy=encrypted | {"metadata_directive": "Copy"})).new_object_metadata == (
            NewObjectMetadata(sse_algorithm="AES256")
        )

    def test_adding_nothing_but_encryption_copies_the_metadata(self) -> None:
        added = {"metadata_directive": "Add", "new_object_metadata": {"sse_algorithm": "AES256"}}

        copy = copy_of(job_request(copy=added))

        assert copy.metadata_directive is Directive.COPY
        assert copy.new_object_metadata == NewObjectMetadata(sse_algorithm="AES256")

    def test_replaced_without_new_metadata_removes_the_sources(self) -> None:
        copy = copy_of(job_request(copy={"metadata_directive": "Replaced"}))

        assert copy.metadata_directive is Directive.REPLACED
        assert not copy.new_object_metadata.has_metadata()

    def test_empty_fields_count_as_absent(self) -> None:
        plain = job_request()
        emptied = job_request(
            copy={
                "metadata_directive": "Copy",
                "new_object_metadata": {"cache_control": "", "content_type": None, "user_metadata": []},
                "tagging_directive": "Copy",
                "new_object_tagging": [],
                "resources_prefix": "",
                "storage_class": "",
                "access_control_directive": None,
            },
            description="",
            role_arn="",
        )

        assert emptied == plain

    def test_a_csv_manifest_maps_its_columns(self) -> None:
        request = job_request(
            manifest={
                "location": {"object_arn": "arn:aws:s3:::bkt/a//list.csv", "etag": '"abc"', "object_version_id": "7"},
                "spec": {
                    "format": "COSBatchOperations_CSV_V1",
                    "fields": ["Ignore", "Bucket", "Key", "VersionId"],
                    "key_encoding": "raw",
                },
            }
        )

        assert request.manifest.location.key == "a//list.csv"
        assert request.manifest.location.etag == "abc"
        assert request.manifest.location.version_id == "7"
        assert request.manifest.spec.key_encoding is KeyEncoding.RAW
        assert request.manifest.spec.fields[1] is ManifestField.BUCKET

    def test_a_report_elsewhere_or_none(self) -> None:
        elsewhere = job_request(
            report={"bucket": "qcs::cos:ap-shanghai:uid/125:reports-125", "report_scope": "FailedTasksOnly"}
        )

        assert elsewhere.report.region == AWAY
        assert elsewhere.report.scope is ReportScope.FAILED_TASKS_ONLY
        assert job_request(report={"enabled": False}).report == ReportSpec(enabled=False)
        assert job_request(report={"enabled": False, "bucket": "arn:aws:s3:::bkt"}).report == ReportSpec(enabled=False)

    def test_our_own_options(self) -> None:
        request = job_request(
            failure_threshold="never", verify="all", part_copy_above_bytes=2**30, part_size_bytes=2**26
        )

        assert request.failure_threshold is None
        assert request.verify is Verify.ALL
        assert (request.part_copy_above_bytes, request.part_size_bytes) == (2**30, 2**26)

    def test_an_empty_threshold_is_no_way_to_switch_it_off(self) -> None:
        assert job_request(failure_threshold=None).failure_threshold == 0.5

    def test_the_wires_allow_priority_0_and_files_do_not(self) -> None:
        content = job_content(priority=0)

        assert parse_job(without_places(content), lowest_priority=0).request.priority == 0
        assert fault_paths(content) == ["priority"]

    def test_the_token_stands_beside_the_request(self) -> None:
        assert parse_job(without_places(job_content(client_request_token="t-1"))).client_request_token == "t-1"


class TestFaults:
    def test_all_are_found_at_once_each_with_its_line(self) -> None:
        text = """\
region: ap-guangzhou
priorty: 3
manifest:
  location:
    object_arn: logs/manifest.json
  spec:
    format: COSBatchOperations_CSV_V1
operation:
  cos_put_object_copy:
    target_resource: qcs::cos:ap-guangzhou::cold-125
    storageclass: STANDARD_IA
    metadata_directive: Copy
    new_object_metadata:
      cache_control: no-store
    tagging_directive: Replaced
    resources_prefix: raw/
report:
  enabled: yes
"""
        with pytest.raises(InvalidArgument) as raised:
            parse_job(read_document(text, source="job.yaml"))

        found = {fault.path: fault.way_out for fault in raised.value.faults}
        assert raised.value.message == f"job.yaml has {len(raised.value.faults)} faults"
        assert set(found) == {
            "priorty (line 2)",
            "manifest.location.object_arn (line 5)",
            "manifest.spec.fields (line 6)",
            f"{COPY}.storageclass (line 11)",
            f"{COPY}.new_object_metadata.cache_control (line 14)",
            f"{COPY}.new_object_tagging (line 9)",
            f"{COPY}.resources_prefix (line 16)",
            "report.enabled (line 18)",
        }
        assert found["priorty (line 2)"] == 'did you mean "priority"?'
        assert found[f"{COPY}.storageclass (line 11)"] == 'did you mean "storage_class"?'

    def test_an_empty_job_names_what_is_missing(self) -> None:
        assert fault_paths({}) == ["region", "manifest", "operation", "report"]

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"region": 7}, "region"),
            ({"priority": "10"}, "priority"),
            ({"priority": True}, "priority"),
            ({"priority": 2**31}, "priority"),
            ({"description": "中" * 86}, "description"),
            ({"client_request_token": "x" * 65}, "client_request_token"),
            ({"role_arn": "admin"}, "role_arn"),
            ({"failure_threshold": 1.5}, "failure_threshold"),
            ({"failure_threshold": "half"}, "failure_threshold"),
            ({"failure_threshold": True}, "failure_threshold"),
            ({"verify": "none"}, "verify"),
            ({"part_size_bytes": 1024}, "part_size_bytes"),
            ({"windows": ["22:00-06:00 UTC", "22:00 UTC"]}, "windows[1]"),
            ({"windows": [7]}, "windows[0]"),
            ({"windows": "22:00-06:00 UTC"}, "windows"),
            ({"windows": ["22:00-06:00 UTC"] * 21}, "windows"),
            ({"part_copy_above_bytes": 5 * 2**30 + 1}, "part_copy_above_bytes"),
            ({"confirmation_required": "true"}, "confirmation_required"),
            ({"report": {"prefix": "x"}}, "report.bucket"),
            ({"report": {"bucket": "arn:aws:s3:::bkt/k"}}, "report.bucket"),
            ({"report": {"bucket": "arn:aws:s3:::bkt", "prefix": "x" * 257}}, "report.prefix"),
            ({"report": {"bucket": "arn:aws:s3:::bkt", "format": "Report_CSV_V2"}}, "report.format"),
            ({"operation": {"cos_rename_object": {}}}, "operation.cos_rename_object"),
            ({"operation": []}, "operation"),
        ],
    )
    def test_a_field_that_may_not_be_so(self, changes: dict[str, Any], path: str) -> None:
        assert path in fault_paths(job_content(**changes))

    @pytest.mark.parametrize(
        ("copy", "path"),
        [
            ({"target_resource": "cold-125"}, "target_resource"),
            ({"target_resource": "arn:aws:s3:::bkt/prefix"}, "target_resource"),
            ({"target_region": "ap-shanghai"}, "target_region"),
            ({"resources_prefix": "a/"}, "resources_prefix"),
            ({"target_key_prefix": "a/", "prefix_replace": False}, "target_key_prefix"),
            ({"prefix_replace": True, "target_key_prefix": "中" * 342}, "target_key_prefix"),
            ({"modified_since_constraint": "2025-08-01T00:00:00"}, "modified_since_constraint"),
            ({"modified_since_constraint": "yesterday"}, "modified_since_constraint"),
            ({"modified_since_constraint": 1_700_000_000_000}, "modified_since_constraint"),
            ({"modified_since_constraint": -1}, "modified_since_constraint"),
            (
                {"modified_since_constraint": 20, "un_modified_since_constraint": "1970-01-01T00:00:20Z"},
                "modified_since_constraint",
            ),
            ({"storage_class": "cold stuff"}, "storage_class"),
            ({"metadata_directive": "Merge"}, "metadata_directive"),
            ({"metadata_directive": "Add"}, "new_object_metadata"),
            ({"metadata_directive": "Add", "new_object_metadata": {"user_metadata": []}}, "new_object_metadata"),
            ({"new_object_metadata": {"sse_algorithm": "aws:kms"}}, "new_object_metadata.sse_algorithm"),
            ({"new_object_metadata": {"cache_control": "a\r\nx-evil: 1"}}, "new_object_metadata.cache_control"),
            (
                {"new_object_metadata": {"user_metadata": [{"key": "a b", "value": "1"}]}},
                "new_object_metadata.user_metadata[0].key",
            ),
            (
                {"new_object_metadata": {"user_metadata": [{"key": "A"}, {"key": "x-cos-meta-a"}]}},
                "new_object_metadata.user_metadata",
            ),
            (
                {"new_object_metadata": {"user_metadata": [{"key": "a", "value": "x" * 2048}]}},
                "new_object_metadata.user_metadata",
            ),
            ({"tagging_directive": "Replaced"}, "new_object_tagging"),
            ({"tagging_directive": "Add"}, "new_object_tagging"),
            ({"tagging_directive": "Copy", "new_object_tagging": [{"key": "a"}]}, "new_object_tagging"),
            ({"new_object_tagging": [{"key": "a"}, {"key": "a"}]}, "new_object_tagging"),
            ({"new_object_tagging": [{"key": str(number)} for number in range(11)]}, "new_object_tagging"),
            ({"new_object_tagging": [{"key": "k" * 129}]}, "new_object_tagging[0].key"),
            ({"new_object_tagging": [{"key": "k", "value": "v" * 257}]}, "new_object_tagging[0].value"),
            ({"access_control_directive": "Replaced"}, "access_control_directive"),
            ({"access_control_directive": "Add"}, "access_control_grants"),
            (
                {"access_control_directive": "Copy", "canned_access_control_list": "private"},
                "canned_access_control_list",
            ),
            (
                {"canned_access_control_list": "private", "access_control_grants": [GRANT]},
                "canned_access_control_list",
            ),
            ({"canned_access_control_list": "public-read-write"}, "canned_access_control_list"),
            ({"access_control_grants": [GRANT | {"permission": "ALL"}]}, "access_control_grants[0].permission"),
            ({"access_control_grants": [{"permission": "READ"}]}, "access_control_grants[0].grantee"),
        ],
    )
    def test_an_option_of_the_copy_that_may_not_be_so(self, copy: dict[str, Any], path: str) -> None:
        assert fault_paths(job_content(copy=copy)) == [f"{COPY}.{path}"]

    @pytest.mark.parametrize(
        ("spec", "problem"),
        [
            ({"format": "COSInventoryReport_CSV_V1", "fields": ["Key"]}, "is given for an inventory report"),
            ({"format": "COSBatchOperations_CSV_V1", "fields": ["Key"]}, "has no column Bucket"),
            ({"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key", "Key"]}, "has the column Key twice"),
        ],
    )
    def test_the_columns_of_a_manifest(self, spec: dict[str, Any], problem: str) -> None:
        location = {"object_arn": "arn:aws:s3:::bkt/list.csv"}

        (fault,) = faults(job_content(manifest={"location": location, "spec": spec}))

        assert (fault.path, fault.problem) == ("manifest.spec.fields", problem)

    @pytest.mark.parametrize("form", ["COSInventoryReport_CSV_V1", "S3InventoryReport_CSV_20161130"])
    def test_the_keys_of_an_inventory_are_never_raw(self, form: str) -> None:
        location = {"object_arn": "arn:aws:s3:::bkt/manifest.json"}

        (fault,) = faults(job_content(manifest={"location": location, "spec": {"format": form, "key_encoding": "raw"}}))

        assert fault.path == "manifest.spec.key_encoding"
        assert fault.way_out == "leave it out: the keys of an inventory are always URL-encoded"

    @pytest.mark.parametrize(
        ("after", "before", "way_out"),
        [(30, 20, "exchange them"), (20, 20, "make it earlier, or leave one of the two out")],
    )
    def test_dates_between_which_nothing_lies(self, after: int, before: int, way_out: str) -> None:
        copy = {"modified_since_constraint": after, "un_modified_since_constraint": before}

        (fault,) = faults(job_content(copy=copy))

        assert fault.way_out == way_out

    def test_half_a_character_is_no_metadata(self) -> None:
        metadata = {"user_metadata": [{"key": "a", "value": "\ud800"}]}

        assert fault_paths(job_content(copy={"new_object_metadata": metadata})) == [
            f"{COPY}.new_object_metadata.user_metadata[0].value"
        ]

    def test_the_manifest_lies_in_the_jobs_region(self) -> None:
        location = {"object_arn": "qcs::cos:ap-shanghai::logs-125/manifest.json"}
        content = job_content(manifest={"location": location, "spec": {"format": "COSInventoryReport_CSV_V1"}})

        (fault,) = faults(content)

        assert fault.path == "manifest.location.object_arn"
        assert AWAY in fault.problem
        assert HOME in fault.problem

    def test_copy_with_new_metadata_names_every_field(self) -> None:
        metadata = {"cache_control": "no-store", "user_metadata": [{"key": "a"}], "sse_algorithm": "AES256"}

        assert fault_paths(job_content(copy={"metadata_directive": "Copy", "new_object_metadata": metadata})) == [
            f"{COPY}.new_object_metadata.cache_control",
            f"{COPY}.new_object_metadata.user_metadata",
        ]


class TestAgainstTheSettings:
    def test_what_they_do_not_have_is_told_beside_all_else_with_its_line(self) -> None:
        text = """\
region: nowhere
role_arn: qcs::cam::uin/1:roleName/worker
manifest:
  location: {object_arn: "arn:aws:s3:::lists/list.csv"}
  spec: {format: COSInventoryReport_CSV_V1}
operation:
  cos_put_object_copy:
    target_resource: arn:aws:s3:::B_
    target_region: nope
    storage_class: "a b"
report: {bucket: "qcs::cos:mars::lists"}
"""
        with pytest.raises(InvalidArgument) as caught:
            parse_job(read_document(text, source="job.yaml"), regions=["home"])
        told = {fault.path: fault.problem for fault in caught.value.faults}
        assert told == {
            "region (line 1)": "is not in the region table",
            "operation.cos_put_object_copy.target_resource (line 8)": "names the bucket B_, which cannot be one's name",
            "operation.cos_put_object_copy.target_region (line 9)": "is not in the region table",
            "operation.cos_put_object_copy.storage_class (line 10)": "cannot be a storage class",
            "report.bucket (line 11)": "is not in the region table",
        }

    @pytest.mark.parametrize("bucket", ["old.Bucket_of-S3", "a" * 255, "123"])
    def test_names_that_some_store_takes(self, bucket: str) -> None:
        copy = {"target_resource": f"arn:aws:s3:::{bucket}"}
        request = parse_job(without_places(job_content(copy=copy)), regions=[HOME]).request
        assert isinstance(request.operation, PutObjectCopy)
        assert request.operation.target_bucket == bucket
