"""Whatever COS can express comes back the same, and whatever anybody sends is answered in XML, never with a 500."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.jobs import JobRequest
from cosbatch.service.documents import Document
from cosbatch.service.job_schema import parse_job
from cosbatch.wire.cos_answers import request_parts
from cosbatch.wire.cos_requests import read_create_job
from cosbatch.wire.xml import Element, branch, leaf, write
from tests.wire import go_sdk
from tests.wire.cos_rig import Wanted, cos_rig, signed, told, unsigned, wanted

# --- round trip

xml_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20
)
some_text = xml_text.filter(bool)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
buckets = st.sampled_from(["logs-1250000001", "cold", "a.b-c_d", "Old-1"])
keys = some_text.filter(lambda key: len(key.encode()) < 900)
regions = st.sampled_from(["ap-guangzhou", "ap-shanghai"])
names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-"), min_size=1, max_size=8)
seconds = st.integers(0, 10**10)


def without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


tags: st.SearchStrategy[list[dict[str, str]]] = st.lists(
    st.fixed_dictionaries({"key": some_text, "value": xml_text}),
    min_size=1,
    max_size=10,
    unique_by=lambda tag: tag["key"],
)
arns = st.builds("qcs::cos:{}::{}".format, regions, buckets)
grants = st.lists(
    st.builds(
        lambda identifier, name, permission: {
            "grantee": without_none(identifier=identifier, display_name=name),
            "permission": permission,
        },
        header_text.filter(str.strip).map(str.strip),
        optional(some_text),
        st.sampled_from(["READ", "WRITE", "FULL_CONTROL"]),
    ),
    min_size=1,
    max_size=3,
)
metadata = st.builds(
    without_none,
    cache_control=optional(header_text),
    content_type=optional(header_text),
    http_expires_date=optional(header_text),
    sse_algorithm=optional(st.just("AES256")),
    user_metadata=optional(
        st.lists(
            st.builds(dict, key=names, value=header_text), min_size=1, max_size=4, unique_by=lambda pair: pair["key"]
        )
    ),
)
copies = st.builds(
    without_none,
    target_resource=arns,
    access_control_directive=optional(st.sampled_from(["Copy", "Replaced", "Add"])),
    access_control_grants=optional(grants),
    canned_access_control_list=optional(st.sampled_from(["private", "public-read"])),
    prefix_replace=optional(st.booleans()),
    resources_prefix=optional(xml_text),
    target_key_prefix=optional(xml_text),
    modified_since_constraint=optional(seconds),
    un_modified_since_constraint=optional(seconds),
    metadata_directive=optional(st.sampled_from(["Copy", "Replaced", "Add"])),
    new_object_metadata=optional(metadata),
    tagging_directive=optional(st.sampled_from(["Copy", "Replaced", "Add"])),
    new_object_tagging=optional(tags),
    storage_class=optional(st.sampled_from(["STANDARD", "DEEP_ARCHIVE"])),
)
operations = st.one_of(
    st.builds(lambda copy: {"cos_put_object_copy": copy}, copies),
    st.builds(
        lambda days, tier: {"cos_initiate_restore_object": {"expiration_in_days": days, "job_tier": tier}},
        st.integers(1, 365),
        st.sampled_from(["Bulk", "Standard"]),
    ),
    st.just({"cos_delete_object": {}}),
    st.builds(
        lambda directive, tag_set: {"cos_put_object_tagging": {"tagging_directive": directive, "tag_set": tag_set}},
        st.sampled_from(["Replaced", "Add", "Delete"]),
        tags,
    ),
)
specs = st.sampled_from(
    [
        {"format": "COSInventoryReport_CSV_V1"},
        {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
        {"format": "COSBatchOperations_CSV_V1", "fields": ["Ignore", "Key", "Ignore", "VersionId", "Bucket"]},
    ]
)
reports = st.just({"enabled": False}) | st.builds(
    without_none,
    enabled=st.just(True),
    bucket=arns,
    prefix=optional(some_text),
    report_scope=st.sampled_from(["AllTasks", "FailedTasksOnly"]),
)
jobs = st.builds(
    without_none,
    region=st.just("ap-guangzhou"),
    manifest=st.builds(
        lambda bucket, key, version, spec: {
            "location": without_none(
                object_arn=f"qcs::cos:ap-guangzhou::{bucket}/{key}", etag="e-1", object_version_id=version
            ),
            "spec": spec,
        },
        buckets,
        keys,
        optional(names),
        specs,
    ),
    operation=operations,
    report=reports,
    priority=st.integers(0, 2**31 - 1),
    description=optional(some_text),
    confirmation_required=st.booleans(),
    client_request_token=names,
    role_arn=st.just("qcs::cam::uin/100000000001:roleName/COSBatch_QcsRole"),
)


def parsed(content: dict[str, Any]) -> JobRequest | None:
    """None for what the rules of the service refuse."""
    try:
        return parse_job(Document(content=content, lines={}), lowest_priority=0).request
    except InvalidArgument:
        return None


def in_xml(request: JobRequest, *, token: str) -> Element:
    return branch(
        "CreateJobRequest",
        leaf("ClientRequestToken", token),
        leaf("ConfirmationRequired", "true" if request.confirmation_required else "false"),
        leaf("Description", request.description),
        *request_parts(request),
        leaf("Priority", str(request.priority)),
        leaf("RoleArn", request.role_arn),
    )


@given(jobs)
def test_what_cos_can_express_comes_back_the_same(content: dict[str, Any]) -> None:
    request = parsed(content)
    if request is None:
        return
    call = read_create_job(write(in_xml(request, token=content["client_request_token"])))
    assert call.faults == ()
    assert call.content["client_request_token"] == content["client_request_token"]
    assert parsed({**call.content, "region": "ap-guangzhou"}) == request
    again = read_create_job(call.as_written.encode())
    assert again.content == {name: call.content[name] for name in ("manifest", "operation", "report")}


def test_a_quarter_of_the_drawn_jobs_is_legal() -> None:
    """Else the property above would say little."""
    legal: list[bool] = []

    @given(jobs)
    def draw(content: dict[str, Any]) -> None:
        legal.append(parsed(content) is not None)

    draw()
    assert sum(legal) * 4 >= len(legal)


# --- anything at all

methods = st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH"])
segments = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-_.~%"), max_size=8).map(
    lambda text: text.replace("%", "%25")
)
paths = st.lists(segments | st.sampled_from(["priority", "status", "", "%2F", "%00", "%FF"]), max_size=4).map(
    lambda steps: "/".join(["/jobs", *steps])
)
parameters = st.dictionaries(
    st.sampled_from(["jobStatuses", "maxResults", "nextToken", "priority", "requestedJobStatus", "statusUpdateReason"])
    | st.text(max_size=5),
    st.text(max_size=10) | st.sampled_from(["1", "Ready", "Cancelled", "Active", "New,Active"]),
    max_size=4,
)


@st.composite
def damaged_jobs(draw: st.DrawFn) -> bytes:
    """A body that is nearly one."""
    body = bytearray(go_sdk.create_job(operation=go_sdk.copy_operation(*go_sdk.EVERY_COPY_FIELD)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body) - 1))
        length = draw(st.integers(0, 20))
        body[at : at + length] = draw(st.binary(max_size=4) | st.sampled_from([b"<", b"</", b"&", b"<Key/>", b"-1"]))
    return bytes(body)


bodies = st.just(b"") | st.binary(max_size=200) | damaged_jobs()
requests = st.builds(Wanted, method=methods, path=paths, query=parameters, body=bodies)


def answered(request: httpx.Request) -> httpx.Response:
    async def send() -> httpx.Response:
        async with cos_rig() as rig:
            return await rig.client.send(request)

    return asyncio.run(send())


def is_told(response: httpx.Response) -> None:
    if response.status_code not in (200, 204):
        assert 400 <= response.status_code < 500
        told(response)


@given(requests)
def test_any_signed_call_is_answered(request: Wanted) -> None:
    is_told(answered(signed(replace(request, headers=wanted("GET", "/").headers))))


@given(damaged_jobs())
def test_any_damaged_job_is_made_or_refused(body: bytes) -> None:
    is_told(answered(signed(wanted("POST", "/jobs", body=body))))


@given(
    requests,
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=60),
    st.binary(max_size=20),
)
def test_any_unsigned_call_is_refused(request: Wanted, authorization: bytes, host: bytes) -> None:
    sent = unsigned(request)
    headers = [(b"host", host), (b"authorization", authorization), (b"x-cos-appid", host)]
    response = answered(httpx.Request(sent.method, sent.url, headers=headers, content=sent.content))
    assert response.status_code in (400, 403)
    told(response)
