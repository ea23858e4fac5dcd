"""What the calls do: as cos-go-sdk-v5 and Terraform make them, read as they read the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
import xmltodict  # type: ignore[import-untyped]

from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import KeyEncoding
from cosbatch.model.operations import Directive, PutObjectCopy
from cosbatch.model.states import JobStatus
from cosbatch.service.follow_up import FollowUp
from cosbatch.storage.memory_spool import MemorySpool
from cosbatch.web.calls import CallFrame, CallLimits
from cosbatch.web.measures import CallMeasures
from tests.unit.service.ended_jobs import end, work
from tests.unit.service.job_builders import AWAY, HOME
from tests.unit.storage.virtual_time import VirtualClock, run_virtually
from tests.wire import go_sdk
from tests.wire.cos_rig import MINE, VIEWER, CosRig, cos_rig, message, signed, told, unsigned, wanted

AWAY_HOST = f"100000000001.cos-control.{AWAY}.myqcloud.com"
PLAIN_HOST = "batch.example.com"


async def described(rig: CosRig, job_id: JobId) -> Mapping[str, Any]:
    response = await rig.send(wanted("GET", f"/jobs/{job_id}"))
    assert response.status_code == 200, response.text
    job: Mapping[str, Any] = xmltodict.parse(response.content)["DescribeJobResult"]["Job"]
    return job


async def listed(rig: CosRig, *, host: str = "", **query: str) -> tuple[list[str], str]:
    """JobIds and NextToken."""
    request = wanted("GET", "/jobs", query)
    response = await rig.send(request.with_headers(host=host) if host else request)
    assert response.status_code == 200, response.text
    result = xmltodict.parse(response.content, force_list=("member",))["ListJobsResult"]
    members = (result["Jobs"] or {}).get("member", [])
    return [member["JobId"] for member in members], result["NextToken"] or ""


async def request_of(body: bytes) -> JobRequest:
    async with cos_rig() as rig:
        return (await rig.ledger.job(await rig.create(body))).request


# --- CreateJob


async def test_every_field_of_a_copy_arrives() -> None:
    request = await request_of(go_sdk.create_job(operation=go_sdk.copy_operation(*go_sdk.EVERY_COPY_FIELD)))
    copy = request.operation
    assert isinstance(copy, PutObjectCopy)
    assert (copy.target_bucket, copy.target_region) == ("cold-1250000001", AWAY)
    assert (copy.prefix_replace, copy.resources_prefix, copy.target_key_prefix) == (True, "raw/", "archive/raw/")
    assert (copy.modified_since_constraint, copy.unmodified_since_constraint) == (1576812701, 1754103600)
    assert copy.metadata_directive is Directive.ADD
    assert copy.new_object_metadata.user_metadata == (("moved", "1"), ("by", "batch & co"))
    assert copy.new_object_metadata.content_disposition == 'attachment; filename="a b.txt"'
    assert copy.access_control_grants[0].display_name == 'the "archive" team'
    assert [(tag.key, tag.value) for tag in copy.new_object_tagging] == [("tier", "cold")]
    assert request.manifest.location.etag == "9c1185a5c5e9fc54612808977ee8f548"
    assert request.manifest.spec.key_encoding is KeyEncoding.URL
    assert request.confirmation_required


async def test_the_arn_with_uid_and_the_one_without_mean_the_same() -> None:
    old = await request_of(go_sdk.create_job())
    arn = "qcs::cos:ap-guangzhou:uid/1250000001:logs-1250000001/inv/manifest.json"
    assert await request_of(go_sdk.create_job(object_arn=arn, etag="9c1185a5c5e9fc54612808977ee8f548")) == old


async def test_replace_is_taken_for_replaced() -> None:
    """The documentation has ``Replace`` where it means ``Replaced``."""
    tags: list[go_sdk.Pair] = [
        ("TaggingDirective", "Replace"),
        ("NewObjectTagging", [("COSTag", [("Key", "k"), ("Value", "")])]),
    ]
    operation = (await request_of(go_sdk.create_job(operation=go_sdk.copy_operation(*tags)))).operation
    assert isinstance(operation, PutObjectCopy)
    assert operation.tagging_directive is Directive.REPLACED


async def test_a_time_may_be_iso() -> None:
    fields = [("ModifiedSinceConstraint", "2025-08-01T00:00:00Z")]
    operation = (await request_of(go_sdk.create_job(operation=go_sdk.copy_operation(*fields)))).operation
    assert isinstance(operation, PutObjectCopy)
    assert operation.modified_since_constraint == 1754006400


async def test_several_grants_are_taken_though_the_go_sdk_writes_one() -> None:
    grant: go_sdk.Pair = (
        "COSGrant",
        [
            ("Grantee", [("Identifier", "qcs::cam::uin/1:uin/2"), ("TypeIdentifier", "ID")]),
            ("Permission", "FULL_CONTROL"),
        ],
    )
    operation = (
        await request_of(
            go_sdk.create_job(operation=go_sdk.copy_operation(("AccessControlGrants", [grant, grant, grant])))
        )
    ).operation
    assert isinstance(operation, PutObjectCopy)
    assert len(operation.access_control_grants) == 3


async def test_priority_nought_is_legal_here() -> None:
    assert (await request_of(go_sdk.create_job(priority="0"))).priority == 0


async def test_all_faults_are_told_at_once_in_the_words_of_the_wire() -> None:
    async with cos_rig() as rig:
        body = go_sdk.create_job(
            token="",
            priority="-1",
            spec=[("Fields", [("member", "Bucket"), ("member", "Kay")]), ("Format", "COSBatchOperations_CSV_V1")],
            operation=go_sdk.copy_operation(("ResourcesPrefix", "raw/")),
        )
        response = await rig.send(wanted("POST", "/jobs", body=body))
        assert told(response) == (400, "MalformedXML")
        for words in (
            "ClientRequestToken: is missing",
            "Priority: is out of range",
            "Manifest.Spec.Fields.member[1]: has a value that is not known",
            "Manifest.Spec.Fields: has no column Key",
            "Operation.COSPutObjectCopy.ResourcesPrefix: is given without PrefixReplace",
        ):
            assert words in message(response)


async def test_a_region_that_is_not_in_the_table_is_refused() -> None:
    async with cos_rig() as rig:
        body = go_sdk.create_job(operation=go_sdk.copy_operation(target="qcs::cos:ap-nowhere::cold-1250000001"))
        response = await rig.send(wanted("POST", "/jobs", body=body))
        assert told(response) == (400, "InvalidArgument")
        assert "Operation.COSPutObjectCopy: is not in the region table" in message(response)


async def test_a_manifest_that_was_replaced_is_refused() -> None:
    async with cos_rig() as rig:
        rig.looks.etag = "another"
        response = await rig.send(wanted("POST", "/jobs", body=go_sdk.create_job()))
        assert told(response) == (400, "InvalidArgument")
        assert "Manifest.Location.ETag" in message(response)


async def test_a_used_token_is_refused_and_the_answer_names_the_job() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job())
        for body in (go_sdk.create_job(), go_sdk.create_job(priority="11")):
            response = await rig.send(wanted("POST", "/jobs", body=body))
            assert told(response) == (400, "InvalidRequest")
            assert job_id in message(response)
        assert len(await rig.ledger.jobs()) == 1


async def test_a_body_may_come_in_chunks_and_without_md5() -> None:
    async with cos_rig() as rig:
        request = wanted("POST", "/jobs", body=go_sdk.create_job()).with_headers(content_md5=None)
        assert (await rig.send(request)).status_code == 200


# --- hosts and regions


async def test_the_host_says_the_region_of_a_job() -> None:
    async with cos_rig() as rig:
        response = await rig.send(wanted("POST", "/jobs", body=go_sdk.create_job(), host=AWAY_HOST))
        assert told(response) == (400, "MalformedXML")
        assert "names the region ap-guangzhou, the job runs in ap-shanghai" in message(response)


async def test_on_a_plain_host_the_manifest_says_it() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job(), host=PLAIN_HOST)
        assert (await rig.ledger.job(job_id)).request.region == HOME
        body = go_sdk.create_job(token="2", object_arn="arn:aws:s3:::logs-1250000001/inv/manifest.json")
        response = await rig.send(wanted("POST", "/jobs", body=body, host=PLAIN_HOST))
        assert "Manifest.Location.ObjectArn: names no region" in message(response)
        job_id = await rig.create(body)
        assert (await rig.ledger.job(job_id)).request.region == HOME


async def test_a_host_shows_the_jobs_of_its_region_and_a_plain_one_all() -> None:
    async with cos_rig() as rig:
        here = await rig.create(go_sdk.create_job(token="1"))
        arn = "qcs::cos:ap-shanghai::logs-1250000001/m"
        there = await rig.create(go_sdk.create_job(token="2", object_arn=arn), host=AWAY_HOST)
        last = await rig.create(go_sdk.create_job(token="3"))
        assert await listed(rig) == ([last, here], "")
        assert await listed(rig, maxResults="1") == ([last], last)
        assert await listed(rig, maxResults="1", nextToken=last) == ([here], "")
        assert await listed(rig, host=AWAY_HOST) == ([there], "")
        assert await listed(rig, host=PLAIN_HOST) == ([last, there, here], "")
        assert await listed(rig, host=PLAIN_HOST, maxResults="2") == ([last, there], there)
        for method, path, query in (
            ("GET", "", {}),
            ("DELETE", "", {}),
            ("POST", "/priority", {"priority": "1"}),
            ("POST", "/status", {"requestedJobStatus": "Cancelled"}),
        ):
            response = await rig.send(wanted(method, f"/jobs/{there}{path}", query))
            assert told(response) == (404, "NoSuchJob")


# --- DescribeJob and ListJobs


async def test_terraform_finds_no_difference_between_its_request_and_the_answer() -> None:
    """A difference would make it replace the job: each apply would run the batch again."""
    body = go_sdk.terraform_create_job()
    async with cos_rig() as rig:
        job = await described(rig, await rig.create(body))
    sent = xmltodict.parse(body)["CreateJobRequest"]
    del sent["Operation"]["COSPutObjectCopy"]["NewObjectTagging"]
    for name in ("ConfirmationRequired", "Description", "Manifest", "Operation", "Priority", "Report", "RoleArn"):
        assert job[name] == sent[name], name


async def test_the_go_sdk_finds_what_it_has_sent() -> None:
    body = go_sdk.create_job(operation=go_sdk.copy_operation(*go_sdk.EVERY_COPY_FIELD))
    async with cos_rig() as rig:
        job = await described(rig, await rig.create(body))
    sent = xmltodict.parse(body)["CreateJobRequest"]
    for name in ("Manifest", "Operation", "Report"):
        assert job[name] == sent[name], name
    assert job["Manifest"]["Location"]["ETag"] == '"9c1185a5c5e9fc54612808977ee8f548"'


async def test_a_job_of_another_wire_is_described_in_the_words_of_this_one() -> None:
    async with cos_rig() as rig:
        request = (await rig.ledger.job(await rig.create(go_sdk.create_job()))).request
        made = await rig.service.create_job(
            JobRequest(
                region=request.region,
                manifest=request.manifest,
                operation=request.operation,
                report=request.report,
                priority=3,
                role_arn=request.role_arn,
                description="a \x01 in it",
            ),
            caller=MINE.caller,
        )
        job = await described(rig, made.id)
    assert job["Manifest"]["Location"] == {
        "ETag": '"9c1185a5c5e9fc54612808977ee8f548"',
        "ObjectArn": "qcs::cos:ap-guangzhou:uid/1250000001:logs-1250000001/inv/manifest.json",
    }
    assert job["Operation"]["COSPutObjectCopy"] == {
        "MetadataDirective": "Copy",
        "TaggingDirective": "Copy",
        "TargetResource": "qcs::cos:ap-shanghai:uid/1250000001:cold-1250000001",
    }
    assert job["Report"]["Bucket"] == "qcs::cos:ap-guangzhou:uid/1250000001:logs-1250000001"
    assert job["Description"] == "a � in it"


async def test_a_retry_is_described_with_a_manifest_in_the_work_area() -> None:
    async with cos_rig() as rig:
        spool = MemorySpool()
        old = await rig.create(go_sdk.create_job())
        await work(rig.ledger, spool, old, [[("a", "NoSuchKey")]])
        await end(rig.ledger, old)
        desk = FollowUp(rig.service, ledger=rig.ledger, spool=spool)
        made = (await desk.retry_failed(old, caller=MINE.caller)).job
        job = await described(rig, made.id)
    location = made.request.manifest.location
    assert made.request.as_written == ""
    assert job["Manifest"] == {
        "Location": {
            "ETag": f'"{location.etag}"',
            "ObjectArn": f"qcs::cos:ap-guangzhou::(work area)/jobs/{made.id}/manifest/manifest.json",
        },
        "Spec": {"Format": "COSInventoryReport_CSV_V1"},
    }
    assert job["Description"] == f"Retry of {old}"
    target = job["Operation"]["COSPutObjectCopy"]["TargetResource"]
    assert target == "qcs::cos:ap-shanghai:uid/1250000001:cold-1250000001"


async def test_a_dry_run_is_neither_asked_for_nor_shown_on_this_wire() -> None:
    body = go_sdk.create_job()
    asked = body.replace(b"<Priority>", b"<DryRun>true</DryRun><Priority>")
    assert asked != body
    async with cos_rig() as rig:
        answer = await rig.send(wanted("POST", "/jobs", body=asked))
        assert told(answer) == (400, "MalformedXML")
        real = (await rig.ledger.job(await rig.create(go_sdk.create_job(token="another")))).request
        dry = await rig.service.create_job(replace(real, dry_run=True), caller=MINE.caller)
        shown = await described(rig, dry.id)
    assert [name for name in shown if "dry" in name.lower()] == []


async def test_times_that_are_not_there_have_no_element_and_no_failure_has_empty_ones() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job(description="", confirmation_required=""))
        job = await described(rig, job_id)
        assert job["FailureReasons"] == {"JobFailure": {"FailureCode": None, "FailureReason": None}}
        assert job["ConfirmationRequired"] == "false"
        assert not {"TerminationDate", "SuspendedDate", "SuspendedCause", "Description"} & set(job)
        created = datetime.fromisoformat(job["CreationTime"]).timestamp()
        assert created == (await rig.ledger.job(job_id)).created_at
        assert job["ProgressSummary"] == {
            "NumberOfTasksFailed": "0",
            "NumberOfTasksSucceeded": "0",
            "TotalNumberOfTasks": "0",
        }
        await rig.moved(job_id, JobStatus.PREPARING, JobStatus.SUSPENDED, reason="é" * 2000)
        job = await described(rig, job_id)
        assert job["SuspendedDate"].endswith("Z")
        assert len(job["StatusUpdateReason"].encode()) <= 256
        assert len(job["SuspendedCause"].encode()) <= 1024


async def test_a_list_is_walked_page_by_page() -> None:
    async with cos_rig() as rig:
        made = [await rig.create(go_sdk.create_job(token=str(number))) for number in range(7)]
        found, token = await listed(rig, maxResults="3")
        while token:
            page, token = await listed(rig, maxResults="3", nextToken=token)
            found += page
        assert found == made[::-1]
        assert await listed(rig, nextToken=made[0]) == ([], "")
        assert await listed(rig, jobStatuses="New,Active", maxResults="1000") == (made[::-1], "")
        assert await listed(rig, jobStatuses="Active") == ([], "")


# --- changing


async def test_a_priority_is_changed_also_while_the_job_runs() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job())
        await rig.moved(job_id, JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE)
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/priority", {"priority": "2147483647"}))
        assert xmltodict.parse(response.content) == {
            "UpdateJobPriorityResult": {"JobId": job_id, "Priority": "2147483647"}
        }
        assert (await described(rig, job_id))["Priority"] == "2147483647"
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/priority", {"priority": "2147483648"}))
        assert told(response) == (400, "InvalidArgument")


async def test_a_suspended_job_is_confirmed_with_a_reason() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job())
        await rig.moved(job_id, JobStatus.PREPARING, JobStatus.SUSPENDED)
        query = {"requestedJobStatus": "Ready", "statusUpdateReason": "a+b & 中文"}
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/status", query))
        assert xmltodict.parse(response.content) == {
            "UpdateJobStatusResult": {"JobId": job_id, "Status": "Ready", "StatusUpdateReason": "a+b & 中文"}
        }
        query = {"requestedJobStatus": "Cancelled", "statusUpdateReason": "x" * 257}
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/status", query))
        assert told(response) == (400, "InvalidArgument")
        assert "statusUpdateReason: is 257 bytes long" in message(response)


async def test_a_running_job_that_is_cancelled_may_answer_cancelling() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job())
        await rig.moved(job_id, JobStatus.PREPARING, JobStatus.READY, JobStatus.ACTIVE)
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/status", {"requestedJobStatus": "Cancelled"}))
        assert xmltodict.parse(response.content)["UpdateJobStatusResult"]["Status"] == "Cancelling"


@pytest.mark.parametrize(("planned_after_seconds", "status"), [(5.0, 200), (60.0, 400)])
def test_a_confirmation_that_comes_with_the_job_waits_for_its_plan(planned_after_seconds: float, status: int) -> None:
    """Terraform with ``status = "Ready"`` confirms in the moment that it has made the job, and forgets a job whose
    confirmation fails."""

    async def confirm(clock: VirtualClock) -> int:
        async with cos_rig(confirm_wait_seconds=20.0) as rig:
            job_id = await rig.create(go_sdk.terraform_create_job())

            async def plan() -> None:
                await rig.moved(job_id, JobStatus.PREPARING)
                await asyncio.sleep(planned_after_seconds)
                await rig.moved(job_id, JobStatus.SUSPENDED)

            planning = asyncio.create_task(plan())
            response = await rig.send(wanted("POST", f"/jobs/{job_id}/status", {"requestedJobStatus": "Ready"}))
            await planning
            return response.status_code

    assert run_virtually(confirm) == status


async def test_a_job_that_needs_no_confirmation_is_not_waited_for() -> None:
    async with cos_rig(confirm_wait_seconds=3600.0) as rig:
        job_id = await rig.create(go_sdk.terraform_create_job(confirm=False))
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/status", {"requestedJobStatus": "Ready"}))
        assert told(response) == (400, "InvalidRequest")


async def test_who_may_not_confirm_is_told_so_at_once() -> None:
    async with cos_rig(confirm_wait_seconds=3600.0) as rig, asyncio.timeout(10):
        job_id = await rig.create(go_sdk.terraform_create_job())
        response = await rig.send(wanted("POST", f"/jobs/{job_id}/status", {"requestedJobStatus": "Ready"}), VIEWER)
        assert told(response) == (403, "AccessDenied")


async def test_the_log_tells_which_job_a_call_has_made() -> None:
    async with cos_rig() as rig:
        frame = CallFrame(rig.app, limits=CallLimits(), measures=CallMeasures())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=frame)) as client:
            response = await client.send(signed(wanted("POST", "/jobs", body=go_sdk.create_job())))
        job_id = xmltodict.parse(response.content)["CreateJobResult"]["JobId"]
        assert [line["job_id"] for line in rig.logs if line["event"] == "call"] == [job_id]


async def test_only_a_job_that_has_ended_is_deleted() -> None:
    async with cos_rig() as rig:
        job_id = await rig.create(go_sdk.create_job(report=go_sdk.NO_REPORT))
        assert told(await rig.send(wanted("DELETE", f"/jobs/{job_id}"))) == (400, "InvalidRequest")
        await rig.moved(job_id, JobStatus.PREPARING, JobStatus.FAILING, JobStatus.FAILED)
        response = await rig.send(wanted("DELETE", f"/jobs/{job_id}"))
        assert (response.status_code, response.content) == (204, b"")
        assert told(await rig.send(wanted("DELETE", f"/jobs/{job_id}"))) == (404, "NoSuchJob")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/jobs/a%2Fb", "InvalidRequest"),
        ("GET", "/jobs/a//b", "InvalidRequest"),
        ("GET", "/jobs//", "InvalidRequest"),
        ("GET", "/jobs/%2e%2e%2fjobs", "InvalidRequest"),
        ("GET", "/jobs/%E4%B8%AD", "NoSuchJob"),
        ("GET", "/jobs/a%20b", "NoSuchJob"),
        ("GET", "/jobs/a%0D%0Ab", "NoSuchJob"),
        ("POST", "/jobs/a%0A/priority%0A", "InvalidRequest"),
        ("POST", "/jobs/", "InvalidRequest"),
        ("PUT", "/jobs/x", "MethodNotAllowed"),
        ("GET", "/jobs/x/status", "MethodNotAllowed"),
    ],
)
async def test_odd_paths_are_answered_in_xml(method: str, path: str, code: str) -> None:
    async with cos_rig() as rig:
        assert told(await rig.send(wanted(method, path)))[1] == code
        assert told(await rig.client.send(unsigned(wanted(method, path))))[1] == "AccessDenied"
