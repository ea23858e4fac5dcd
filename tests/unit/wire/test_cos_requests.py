from __future__ import annotations

import pytest

from cosbatch.model.errors import Fault, InvalidArgument, MalformedDocument, RequestError
from cosbatch.model.states import JobStatus
from cosbatch.wire.cos_requests import (
    Query,
    control_host,
    read_create_job,
    read_list_jobs,
    read_priority,
    read_update_job_status,
    spell_fault,
)

JOB = """<CreateJobRequest><ClientRequestToken>t</ClientRequestToken>
<Manifest><Location><ETag>"e"</ETag><ObjectArn>qcs::cos:ap-x::logs-1/a</ObjectArn></Location>
<Spec><Format> COSInventoryReport_CSV_V1 </Format></Spec></Manifest>
<Operation>{operation}</Operation><Priority> 10 </Priority>
<Report><Bucket>qcs::cos:ap-x::logs-1</Bucket><Enabled>true</Enabled><Format>Report_CSV_V1</Format>
<ReportScope>AllTasks</ReportScope></Report><RoleArn>r</RoleArn>{more}</CreateJobRequest>"""
DELETE = "<COSDeleteObject/>"


def job(operation: str = DELETE, more: str = "") -> bytes:
    return JOB.format(operation=operation, more=more).encode()


def copy(fields: str) -> bytes:
    return job(f"<COSPutObjectCopy><TargetResource>t</TargetResource>{fields}</COSPutObjectCopy>")


def paths(body: bytes) -> list[str]:
    return [fault.path for fault in read_create_job(body).faults]


def test_a_job_is_read_as_the_service_takes_it() -> None:
    call = read_create_job(job(more="<ConfirmationRequired>TRUE</ConfirmationRequired><Description> a </Description>"))
    assert call.faults == ()
    assert call.content == {
        "client_request_token": "t",
        "confirmation_required": True,
        "description": " a ",
        "manifest": {
            "location": {"etag": '"e"', "object_arn": "qcs::cos:ap-x::logs-1/a"},
            "spec": {"format": "COSInventoryReport_CSV_V1"},
        },
        "operation": {"cos_delete_object": {}},
        "priority": 10,
        "report": {
            "bucket": "qcs::cos:ap-x::logs-1",
            "enabled": True,
            "format": "Report_CSV_V1",
            "report_scope": "AllTasks",
        },
        "role_arn": "r",
    }


def test_order_says_nothing() -> None:
    body = (
        b"<CreateJobRequest><Report><Enabled>false</Enabled></Report><RoleArn>r</RoleArn><Priority>1</Priority>"
        b"<Operation><COSDeleteObject></COSDeleteObject></Operation><Manifest><Spec><Format>f</Format></Spec><Location>"
        b"<ObjectArn>a</ObjectArn><ETag>e</ETag></Location></Manifest><ClientRequestToken>t</ClientRequestToken>"
        b"</CreateJobRequest>"
    )
    assert read_create_job(body).faults == ()


def test_of_a_report_that_is_not_wanted_nothing_is_looked_at() -> None:
    call = read_create_job(
        job().replace(b"<Enabled>true", b"<Enabled>false").replace(b"<Format>Report_CSV_V1", b"<Format>x")
    )
    assert call.content["report"] == {"enabled": False}
    assert "<Bucket>" in call.as_written


def test_every_fault_of_the_shape_is_found_at_once() -> None:
    body = (
        b"<CreateJobRequest>text<Manifest><Location><ETag/></Location><Spec><Format><x/></Format></Spec></Manifest>"
        b"<Operation><COSDeleteObject/><COSPutObjectTagging><TagSet><Tag/></TagSet></COSPutObjectTagging></Operation>"
        b"<Report><Enabled>true</Enabled><Owner>x</Owner></Report><Priority>1</Priority><Priority>2</Priority>"
        b"<RoleArn/></CreateJobRequest>"
    )
    assert sorted(paths(body)) == [
        "ClientRequestToken",
        "CreateJobRequest",
        "Manifest.Location.ETag",
        "Manifest.Location.ObjectArn",
        "Manifest.Spec.Format",
        "Manifest.Spec.Format",
        "Operation",
        "Operation.COSPutObjectTagging.TagSet.Tag",
        "Priority",
        "Priority",
        "Report.Bucket",
        "Report.Format",
        "Report.Owner",
        "Report.ReportScope",
        "RoleArn",
    ]


@pytest.mark.parametrize("operation", ["", DELETE + "<COSPutObjectTagging><TagSet/></COSPutObjectTagging>" + DELETE])
def test_there_is_exactly_one_operation(operation: str) -> None:
    assert "Operation" in paths(job(operation.replace("<TagSet/>", "<TaggingDirective>Add</TaggingDirective>")))


def test_an_element_that_stands_there_twice_with_one_content_is_one() -> None:
    """COS's own skeleton has MetadataDirective twice."""
    assert paths(copy("<MetadataDirective>Add</MetadataDirective>" * 2)) == []
    twice = "<MetadataDirective>Add</MetadataDirective><MetadataDirective>Copy</MetadataDirective>"
    assert paths(copy(twice)) == ["Operation.COSPutObjectCopy.MetadataDirective"]


def test_seconds_become_a_number_and_other_times_stay_text() -> None:
    call = read_create_job(copy("<ModifiedSinceConstraint>1576812701</ModifiedSinceConstraint>"))
    assert call.content["operation"]["cos_put_object_copy"]["modified_since_constraint"] == 1576812701
    call = read_create_job(copy("<UnModifiedSinceConstraint>2025-08-01T00:00:00Z</UnModifiedSinceConstraint>"))
    assert call.content["operation"]["cos_put_object_copy"]["un_modified_since_constraint"] == "2025-08-01T00:00:00Z"


def test_what_is_written_is_kept_without_what_is_empty() -> None:
    written = read_create_job(
        copy("<NewObjectTagging></NewObjectTagging><StorageClass/>\n<ResourcesPrefix> </ResourcesPrefix>")
    )
    assert written.as_written.startswith("<CreateJobRequest><Manifest><Location><ETag>&quot;e&quot;</ETag>")
    assert (
        "<TargetResource>t</TargetResource><ResourcesPrefix> </ResourcesPrefix></COSPutObjectCopy>"
        in written.as_written
    )
    assert "<Operation><COSDeleteObject></COSDeleteObject></Operation>" in read_create_job(job()).as_written


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", RequestError, "empty"),
        (b" \n", RequestError, "empty"),
        (b"<Other/>", MalformedDocument, "<Other>"),
        (b"<", MalformedDocument, "well-formed"),
    ],
)
def test_what_is_no_job_is_refused(body: bytes, kind: type[RequestError], words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        read_create_job(body)
    assert type(caught.value) is kind


def fault(path: str, problem: str = "is wrong", way_out: str = "") -> Fault:
    return Fault(path=path, value="x", problem=problem, way_out=way_out)


def test_the_service_s_words_become_the_wire_s() -> None:
    spelled = spell_fault(
        fault(
            "operation.cos_put_object_copy.new_object_metadata.user_metadata[1].key",
            "is given without prefix_replace",
            "add prefix_replace: true to operation.cos_put_object_copy, not new_thing",
        )
    )
    assert spelled.path == "Operation.COSPutObjectCopy.NewObjectMetadata.UserMetadata.member[1].Key"
    assert spelled.problem == "is given without PrefixReplace"
    assert spelled.way_out == "add PrefixReplace: true to operation.COSPutObjectCopy, not new_thing"
    assert spell_fault(fault("manifest.spec.fields[2]")).path == "Manifest.Spec.Fields.member[2]"
    assert spell_fault(fault("operation.cos_put_object_copy.access_control_grants[0].grantee.identifier")).path == (
        "Operation.COSPutObjectCopy.AccessControlGrants.COSGrant[0].Grantee.Identifier"
    )
    assert spell_fault(fault("status_update_reason")).path == "statusUpdateReason"
    assert spell_fault(fault("manifest.nothing[1].spec")).path == "Manifest.nothing[1].spec"
    assert spell_fault(spelled) == spelled


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("priority", InvalidArgument),
        ("role_arn", InvalidArgument),
        ("client_request_token", InvalidArgument),
        ("manifest.spec.fields[2]", MalformedDocument),
        ("report.prefix", MalformedDocument),
        ("operation", MalformedDocument),
    ],
)
def test_faults_of_the_three_parts_are_malformed_and_others_are_invalid(path: str, kind: type[RequestError]) -> None:
    error = read_create_job(job()).refusal([fault(path)])
    assert type(error) is kind
    assert len(error.faults) == 1


def test_an_element_of_no_place_is_malformed_wherever_it_stands() -> None:
    assert type(read_create_job(job(more="<Tags/>")).refusal([])) is MalformedDocument


def test_a_fault_that_both_have_found_is_told_once() -> None:
    call = read_create_job(job().replace(b"<RoleArn>r</RoleArn>", b""))
    assert [found.path for found in call.refusal([fault("role_arn"), fault("priority")]).faults] == [
        "RoleArn",
        "Priority",
    ]


def test_a_region_is_the_host_s_or_else_the_manifest_s() -> None:
    call = read_create_job(job())
    assert call.manifest_region == "ap-x"
    without = read_create_job(job().replace(b"qcs::cos:ap-x::logs-1/a", b"arn:aws:s3:::logs/a"))
    assert without.manifest_region is None
    error = without.refusal([fault("region")])
    assert [found.path for found in error.faults] == ["Manifest.Location.ObjectArn"]


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("100000000001.cos-control.ap-chengdu.myqcloud.com", ("100000000001", "ap-chengdu")),
        ("100000000001.COS-Control.ap-Chengdu.tencentcos.cn:8443", ("100000000001", "ap-chengdu")),
        ("1.cos-control.lab.batch.example.com", ("1", "lab")),
        ("batch.example.com", None),
        ("cos-control.ap-chengdu.myqcloud.com", None),
        ("x1.cos-control.ap-chengdu.myqcloud.com", None),
        ("1.cos-control.ap-chengdu", None),
        ("127.0.0.1:8000", None),
        ("", None),
    ],
)
def test_hosts(host: str, found: tuple[str, str] | None) -> None:
    named = control_host(host)
    assert (named and (named.uin, named.region)) == found


# --- queries


def test_a_list_without_parameters_is_of_everything() -> None:
    call = read_list_jobs(Query([("jobStatuses", ""), ("unknown", "x")]))
    assert (call.statuses, call.max_results, call.next_token) == ((), 1000, "")


def test_statuses_are_separated_by_commas_or_repeated() -> None:
    call = read_list_jobs(Query([("jobStatuses", "Active, New"), ("jobStatuses", "Complete"), ("maxResults", "2")]))
    assert call.statuses == (JobStatus.ACTIVE, JobStatus.NEW, JobStatus.COMPLETE)
    assert call.max_results == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jobStatuses", "Done"),
        ("jobStatuses", "Active,"),
        ("maxResults", "0"),
        ("maxResults", "1001"),
        ("maxResults", "-1"),
        ("maxResults", "many"),
        ("maxResults", "٣"),
        ("maxResults", "9" * 5000),
        ("nextToken", "x" * 65),
        ("nextToken", "a b"),
    ],
)
def test_what_a_list_cannot_be_of(name: str, value: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_list_jobs(Query([(name, value)]))
    assert [found.path for found in caught.value.faults] == [name]


def test_a_parameter_that_is_given_twice_is_refused_unless_both_say_the_same() -> None:
    with pytest.raises(InvalidArgument, match="more than once"):
        read_priority(Query([("priority", "1"), ("priority", "2")]))
    assert read_priority(Query([("priority", "1"), ("priority", "1")])) == 1


def test_priorities() -> None:
    assert read_priority(Query([("priority", "0")])) == 0
    with pytest.raises(RequestError, match="missing") as caught:
        read_priority(Query([]))
    assert type(caught.value) is RequestError
    for value in ("x", "-1", "1.5", "1" * 11):
        with pytest.raises(InvalidArgument):
            read_priority(Query([("priority", value)]))


def test_only_ready_and_cancelled_can_be_asked_for() -> None:
    asked = Query([("requestedJobStatus", "Cancelled"), ("statusUpdateReason", "wrong bucket")])
    assert read_update_job_status(asked).requested_job_status is JobStatus.CANCELLED
    assert read_update_job_status(asked).status_update_reason == "wrong bucket"
    for value in ("", "Active", "Paused", "ready"):
        with pytest.raises(InvalidArgument):
            read_update_job_status(Query([("requestedJobStatus", value)]))
