"""Jobs over the JSON API: made, described, changed, deleted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cosbatch.ledger.people_port import Outcome
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import Hold
from cosbatch.model.reports import CodeTally, ReportState, Tally
from cosbatch.model.states import JobStatus
from cosbatch.service.job_outlook import JobOutlook
from cosbatch.service.job_schema import parse_job
from cosbatch.web.rest.job_shapes import JobAction, job_view
from tests.unit.reports.report_builders import a_job
from tests.unit.service.job_builders import job_content, job_request, without_places
from tests.wire.rest_rig import ETAG, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig, settings

S = JobStatus
OUTLOOK = JobOutlook(
    waiting_until=4.0, waits_for_job=JobId("another"), expires_at=5.0, report_tried_until=7.0, removed_after=6.0
)
TO_ACTIVE = (S.PREPARING, S.READY, S.ACTIVE)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


# --- making


async def test_a_job_is_made_and_described(rig: RestRig) -> None:
    made = await rig.call("POST", "/jobs", json=job_content(description="夜间归档", confirmation_required=True))
    assert made.status_code == 201, made.text
    job = made.json()
    assert made.headers["location"] == f"/api/v1/jobs/{job['job_id']}"
    assert (job["status"], job["priority"], job["description"]) == ("New", 10, "夜间归档")
    assert job["request"]["manifest"]["location"]["etag"] == ETAG
    assert job["creation_time"] == "2023-11-14T22:13:20.000Z"
    assert job["actions"] == ["clone", "cancel", "change_priority"]
    assert job["client_request_token"] == ""
    described = await rig.call("GET", f"/jobs/{job['job_id']}", by=VIEWER)
    assert described.json() == job


async def test_the_request_of_a_job_can_be_sent_again(rig: RestRig) -> None:
    copy = {"storage_class": "ARCHIVE", "new_object_tagging": [{"key": "a", "value": "b"}], "prefix_replace": True}
    copy |= {"resources_prefix": "in/", "target_key_prefix": "out/", "modified_since_constraint": 5}
    made = await rig.call("POST", "/jobs", json=job_content(copy=copy, failure_threshold="never", priority=0))
    assert made.status_code == 201, made.text
    again = await rig.call("POST", "/jobs", json=made.json()["request"])
    assert again.status_code == 201, again.text
    assert again.json()["request"] == made.json()["request"]


async def test_an_equal_call_under_the_same_token_finds_the_job_that_it_made(rig: RestRig) -> None:
    body = job_content(client_request_token="t-1")
    first = await rig.call("POST", "/jobs", json=body)
    again = await rig.call("POST", "/jobs", json=body)
    by_header = await rig.call("POST", "/jobs", json=job_content(), headers={"idempotency-key": "t-1"})
    assert [answer.status_code for answer in (first, again, by_header)] == [201, 200, 200]
    assert first.json() == again.json() == by_header.json()
    assert first.json()["client_request_token"] == "t-1"
    assert again.headers["location"] == first.headers["location"]


async def test_a_token_of_another_request_is_a_conflict(rig: RestRig) -> None:
    await rig.call("POST", "/jobs", json=job_content(client_request_token="t-1"))
    answer = await rig.call("POST", "/jobs", json=job_content(client_request_token="t-1", description="other"))
    assert refusal(answer) == (409, "TokenReused")
    theirs = await rig.call("POST", "/jobs", by=STRANGER, json=job_content(client_request_token="t-1"))
    assert theirs.status_code == 201


async def test_two_tokens_are_one_too_many(rig: RestRig) -> None:
    body = job_content(client_request_token="t-1")
    answer = await rig.call("POST", "/jobs", json=body, headers={"idempotency-key": "t-2"})
    assert list(faults(answer)) == ["client_request_token"]


async def test_all_faults_of_a_job_are_told_at_once(rig: RestRig) -> None:
    body = job_content(copy={"target_resource": "nowhere", "storage_clas": "X"}, priority="high")
    answer = await rig.call("POST", "/jobs", json=body)
    assert refusal(answer) == (400, "InvalidArgument")
    copy = "operation.cos_put_object_copy"
    assert set(faults(answer)) >= {f"{copy}.target_resource", f"{copy}.storage_clas", "priority"}
    way_out = next(fault["way_out"] for fault in answer.json()["error"]["faults"] if "clas" in fault["path"])
    assert way_out == 'did you mean "storage_class"?'


async def test_a_region_that_is_not_there_is_a_fault(rig: RestRig) -> None:
    body = json.loads(json.dumps(job_content()).replace("ap-guangzhou", "ap-nowhere"))
    answer = await rig.call("POST", "/jobs", json=body)
    assert refusal(answer) == (400, "InvalidArgument")
    assert "region" in faults(answer)


async def test_the_quota_of_an_account_is_a_conflict(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, max_unfinished_jobs=1) as rig:
        await rig.made()
        assert refusal(await rig.call("POST", "/jobs", json=job_content())) == (409, "TooManyJobs")


# --- describing


async def test_another_accounts_job_is_not_there(rig: RestRig) -> None:
    job_id = await rig.made()
    theirs = await rig.call("GET", f"/jobs/{job_id}", by=STRANGER)
    none = await rig.call("GET", "/jobs/none", by=STRANGER)
    assert refusal(theirs) == refusal(none) == (404, "NoSuchJob")


def test_everything_that_a_job_has_is_shown() -> None:
    codes = {"AccessDenied": CodeTally(count=2, samples=("a", "b"))}
    tally = Tally(succeeded=6, failed=2, skipped=1, outside_rate=1, bytes_done=70, requests=9, codes=codes)
    job = replace(
        a_job(status=S.FAILED),
        tally=tally,
        total=10,
        failure_code=FailureCode.FAILURE_THRESHOLD_EXCEEDED,
        failure_reason="too many",
        hold=Hold(bucket="b", reason="503", since=1.5),
        report_state=ReportState.DELIVERED,
        report_location="s3://b/k",
        started_at=2.0,
        ended_at=3.25,
        token="mine",
    )
    shown = job_view(job, OUTLOOK).model_dump(mode="json")
    progress = shown["progress_summary"]
    assert progress["number_of_tasks_remaining"] == 2
    assert progress["failure_rate"] == pytest.approx(2 / 7)
    assert shown["failure_reasons"] == [{"failure_code": "FailureThresholdExceeded", "failure_reason": "too many"}]
    assert shown["failures_by_code"] == {"AccessDenied": {"count": 2, "sample_keys": ["a", "b"]}}
    assert shown["hold"] == {"bucket": "b", "reason": "503", "since": "1970-01-01T00:00:01.500Z"}
    assert (shown["started_time"], shown["termination_date"]) == (
        "1970-01-01T00:00:02.000Z",
        "1970-01-01T00:00:03.250Z",
    )
    until = "1970-01-01T00:00:07.000Z"
    assert shown["report"] == {"state": "delivered", "location": "s3://b/k", "tried_until": until}
    assert shown["is_final"]
    assert [shown[name] for name in ("waiting_until", "waits_for_job", "expires_at", "removed_after")] == [
        "1970-01-01T00:00:04.000Z", "another", "1970-01-01T00:00:05.000Z", "1970-01-01T00:00:06.000Z"
    ]  # fmt: skip
    assert shown["actions"] == ["retry", "clone", "redeliver", "delete"]
    assert shown["client_request_token"] == "mine"


async def test_a_job_says_until_when_it_may_stay_as_it_is(tmp_path: Path) -> None:
    chosen = settings(suspended_expiry_days=2, retention_days=3, hold_limit_seconds=60)
    async with rest_rig(tmp_path, with_settings=chosen) as rig:
        outside = await rig.made(windows=["23:00-23:30 UTC"])
        await rig.moved(outside, S.PREPARING, S.READY)
        waiting = (await rig.call("GET", f"/jobs/{outside}")).json()
        assert waiting["waiting_until"] == "2023-11-14T23:00:00.000Z"
        unconfirmed = await rig.made(confirmation_required=True)
        await rig.moved(unconfirmed, S.PREPARING, S.SUSPENDED)
        assert (await rig.call("GET", f"/jobs/{unconfirmed}")).json()["expires_at"] == "2023-11-16T22:13:20.000Z"
        await rig.call("PUT", f"/jobs/{outside}/status", json={"requested_job_status": "Cancelled"})
        await rig.moved(outside, S.CANCELLED)
        gone = (await rig.call("GET", f"/jobs/{outside}")).json()
        assert (gone["waiting_until"], gone["removed_after"]) == (None, "2023-11-17T22:13:20.000Z")


@pytest.mark.parametrize("status", JobStatus)
def test_every_action_is_one_of_the_list(status: JobStatus) -> None:
    assert set(job_view(a_job(status=status), OUTLOOK).actions) <= set(JobAction)


def test_the_request_is_shown_as_a_document() -> None:
    request = job_request(copy={"storage_class": "ARCHIVE"})
    job = replace(a_job(status=S.NEW), request=request)
    assert parse_job(without_places(job_view(job, OUTLOOK).request)).request == request


# --- changing


async def test_a_job_is_paused_and_resumed(rig: RestRig) -> None:
    job_id = await rig.made()
    await rig.moved(job_id, *TO_ACTIVE)
    paused = await rig.call("POST", f"/jobs/{job_id}/pause", json={"reason": "store busy"})
    assert (paused.status_code, paused.json()["status"]) == (200, "Pausing")
    assert paused.json()["status_update_reason"] == "store busy"
    assert paused.json()["paused_by"] == "user"
    await rig.moved(job_id, S.PAUSED)
    resumed = await rig.call("POST", f"/jobs/{job_id}/resume")
    assert resumed.json()["status"] == "Active"


async def test_a_job_is_confirmed_or_cancelled(rig: RestRig) -> None:
    job_id = await rig.made(confirmation_required=True)
    await rig.moved(job_id, S.PREPARING, S.SUSPENDED)
    body = {"requested_job_status": "Ready", "status_update_reason": "looks good"}
    assert (await rig.call("PUT", f"/jobs/{job_id}/status", json=body)).json()["status"] == "Ready"
    body = {"requested_job_status": "Cancelled"}
    assert (await rig.call("PUT", f"/jobs/{job_id}/status", json=body)).json()["status"] == "Cancelling"
    assert refusal(await rig.call("PUT", f"/jobs/{job_id}/status", json=body)) == (409, "IllegalMove")


@pytest.mark.parametrize("asked", ["Active", "Paused", "New", "Nonsense", ""])
async def test_no_other_status_can_be_asked_for(rig: RestRig, asked: str) -> None:
    job_id = await rig.made()
    answer = await rig.call("PUT", f"/jobs/{job_id}/status", json={"requested_job_status": asked})
    assert refusal(answer) == (400, "InvalidArgument")
    assert list(faults(answer)) == ["requested_job_status"]


async def test_what_a_status_does_not_allow_is_said_with_what_it_allows(rig: RestRig) -> None:
    job_id = await rig.made()
    answer = await rig.call("POST", f"/jobs/{job_id}/pause")
    assert refusal(answer) == (409, "IllegalMove")
    assert "possible are cancel, update-job-priority" in answer.json()["error"]["message"]


@pytest.mark.parametrize("priority", [0, 2**31 - 1])
async def test_a_priority_is_changed(rig: RestRig, priority: int) -> None:
    job_id = await rig.made()
    answer = await rig.call("PUT", f"/jobs/{job_id}/priority", json={"priority": priority})
    assert answer.json()["priority"] == priority
    assert answer.json()["request"]["priority"] == 10


@pytest.mark.parametrize("priority", [-1, 2**31, 2**63, "10", 1.5, None, True])
async def test_a_priority_that_is_none_is_a_fault(rig: RestRig, priority: Any) -> None:
    job_id = await rig.made()
    answer = await rig.call("PUT", f"/jobs/{job_id}/priority", json={"priority": priority})
    assert list(faults(answer)) == ["priority"]


async def test_a_reason_that_is_too_long_is_a_fault(rig: RestRig) -> None:
    job_id = await rig.made()
    await rig.moved(job_id, *TO_ACTIVE)
    answer = await rig.call("POST", f"/jobs/{job_id}/pause", json={"reason": "中" * 86})
    assert refusal(answer) == (400, "InvalidArgument")


async def test_a_job_that_has_ended_is_deleted(rig: RestRig) -> None:
    job_id = await rig.made(report={"enabled": False})
    assert refusal(await rig.call("DELETE", f"/jobs/{job_id}")) == (409, "IllegalMove")
    await rig.moved(job_id, S.FAILING, S.FAILED)
    answer = await rig.call("DELETE", f"/jobs/{job_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert refusal(await rig.call("GET", f"/jobs/{job_id}")) == (404, "NoSuchJob")


async def test_every_write_is_in_the_audit_log(rig: RestRig) -> None:
    job_id = await rig.made(report={"enabled": False})
    await rig.call("PUT", f"/jobs/{job_id}/priority", json={"priority": 3})
    await rig.call("POST", f"/jobs/{job_id}/pause")
    await rig.moved(job_id, S.FAILING, S.FAILED)
    await rig.call("DELETE", f"/jobs/{job_id}")
    told = [(entry.action, entry.via, entry.outcome) for entry in await rig.told() if entry.target == job_id]
    assert told == [
        ("delete-job", "rest", Outcome.DONE),
        ("pause-job", "rest", Outcome.REFUSED),
        ("update-job-priority", "rest", Outcome.DONE),
        ("create-job", "rest", Outcome.DONE),
    ]


# --- events


async def test_events_are_told_page_by_page(rig: RestRig) -> None:
    job_id = await rig.made()
    await rig.moved(job_id, *TO_ACTIVE, reason="its turn")
    whole = (await rig.call("GET", f"/jobs/{job_id}/events", by=VIEWER)).json()
    assert [event["status"] for event in whole["items"]] == ["New", "Preparing", "Ready", "Active"]
    assert whole["next_cursor"] is None
    assert whole["items"][0]["by"] == "olga via rest"
    assert whole["items"][3] | {"at": ""} == {
        "at": "",
        "actor": "engine",
        "by": "",
        "kind": "moved",
        "status": "Active",
        "reason": "its turn",
    }
    pages, cursor = [], ""
    while cursor is not None:
        page = (await rig.call("GET", f"/jobs/{job_id}/events", params={"limit": "3", "cursor": cursor})).json()
        pages.append(page["items"])
        cursor = page["next_cursor"]
    assert [len(page) for page in pages] == [3, 1]
    assert [event for page in pages for event in page] == whole["items"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyIzIl0", "Wy0xXQ", "bnVsbA", "é", "Wzs", "W1tbW1td"])
async def test_a_cursor_of_another_list_is_a_fault(rig: RestRig, cursor: str) -> None:
    job_id = await rig.made()
    answer = await rig.call("GET", f"/jobs/{job_id}/events", params={"cursor": cursor})
    assert refusal(answer) == (400, "InvalidArgument")
    assert list(faults(answer)) == ["cursor"]
