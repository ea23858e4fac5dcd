"""Retries, clones, reports once more and downloads over the JSON API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cosbatch.model.identifiers import JobId
from cosbatch.model.reports import ReportState
from cosbatch.wiring.follow_up import own_spool
from tests.unit.service.ended_jobs import Outcome, end, work
from tests.wire.rest_rig import BASE, OPERATOR, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig

RESULTS: list[list[Outcome]] = [[("a b", ""), ("=é", "NoSuchKey")], [("c", "AccessDenied")]]
CALLS = [
    ("POST", "retry"),
    ("POST", "retry:check"),
    ("POST", "clone"),
    ("POST", "clone:check"),
    ("POST", "redeliver-report"),
    ("GET", "report"),
    ("GET", "report/preview"),
    ("GET", "summary"),
]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


async def ended_job(rig: RestRig) -> JobId:
    job_id = await rig.made()
    await work(rig.ledger, own_spool(rig.folder), job_id, RESULTS)
    await end(rig.ledger, job_id, state=ReportState.FAILED)
    return job_id


async def test_a_retry_is_checked_before_it_is_made(rig: RestRig) -> None:
    """The regions of this rig have no credentials, and the job names no role."""
    old = await ended_job(rig)
    asked = {"error_code": "NoSuchKey", "changes": {"priority": 3}}
    checked = await rig.call("POST", f"/jobs/{old}/retry:check", json=asked)
    assert checked.status_code == 200, checked.text
    told = checked.json()
    outcomes = {check["name"]: check["outcome"] for check in told["checks"]}
    assert (told["outcome"], outcomes["manifest"], outcomes["destination_bucket"]) == ("failed", "passed", "failed")
    assert (told["estimate"]["rows"], told["estimate"]["is_exact"]) == (1, True)
    assert told["request"]["priority"] == 3
    location = {
        "object_arn": "arn:aws:s3:::(work area)/manifest.json",
        "retry_of": {"job_id": old, "error_code": "NoSuchKey"},
    }
    assert told["request"]["manifest"]["location"] == location
    whole = await rig.call("POST", f"/jobs/{old}/retry:check")
    assert whole.json()["estimate"]["rows"] == 2
    refused = await rig.call("POST", f"/jobs/{old}/retry:check", json={"changes": {"region": "ap-shanghai"}})
    assert (refusal(refused), set(faults(refused))) == ((400, "InvalidArgument"), {"region"})
    assert [job.id for job in await rig.ledger.jobs()] == [old]


async def test_a_clone_of_a_retry_is_checked_before_it_is_made(rig: RestRig) -> None:
    """The regions of this rig have no credentials, and the job names no role."""
    old = await ended_job(rig)
    retry = (await rig.call("POST", f"/jobs/{old}/retry", json={"error_code": "NoSuchKey"})).json()["job"]
    checked = await rig.call("POST", f"/jobs/{retry['job_id']}/clone:check", json={"changes": {"priority": 3}})
    assert checked.status_code == 200, checked.text
    told = checked.json()
    outcomes = {check["name"]: check["outcome"] for check in told["checks"]}
    assert (told["outcome"], outcomes["manifest"], outcomes["destination_bucket"]) == ("failed", "passed", "failed")
    assert (told["estimate"]["rows"], told["estimate"]["is_exact"]) == (1, True)
    assert (told["request"]["priority"], told["equivalents"]["xml"]) == (3, "")
    assert json.loads(told["equivalents"]["json"]) == {"changes": {"priority": 3}}
    assert told["equivalents"]["cli"].endswith(f" --changes changes.yaml --server {BASE}\n")
    made = await rig.call("POST", f"/jobs/{retry['job_id']}/clone", json=json.loads(told["equivalents"]["json"]))
    assert made.json()["job"]["priority"] == 3
    plain = await rig.call("POST", f"/jobs/{old}/clone:check")
    assert plain.json()["equivalents"]["xml"].startswith("<CreateJobRequest>")
    refused = await rig.call("POST", f"/jobs/{old}/clone:check", json={"changes": {"region": "nowhere"}})
    assert (refusal(refused), set(faults(refused))) == ((400, "InvalidArgument"), {"region"})


async def test_a_retry_and_the_same_again(rig: RestRig) -> None:
    old = await ended_job(rig)
    asked = {"error_code": "NoSuchKey", "changes": {"priority": 3}, "client_request_token": "once"}
    made = await rig.call("POST", f"/jobs/{old}/retry", json=asked)
    assert made.status_code == 201, made.text
    job = made.json()["job"]
    assert made.headers["location"] == f"/api/v1/jobs/{job['job_id']}"
    assert (job["status"], job["priority"], job["description"]) == ("New", 3, f"Retry of {old}")
    assert job["request"]["manifest"]["location"]["retry_of"] == {"job_id": old, "error_code": "NoSuchKey"}
    described = await rig.call("GET", f"/jobs/{job['job_id']}", by=VIEWER)
    assert described.json() == job

    header = {"idempotency-key": "once"}
    del asked["client_request_token"]
    again = await rig.call("POST", f"/jobs/{old}/retry", json=asked, headers=header)
    assert (again.status_code, again.json()["job"]["job_id"]) == (200, job["job_id"])
    other = await rig.call("POST", f"/jobs/{old}/retry", headers=header)
    assert refusal(other) == (409, "TokenReused")
    told = [entry.outcome for entry in await rig.told() if entry.action == "retry-failed"]
    assert told == ["refused", "done", "done"]


async def test_a_retry_needs_no_body(rig: RestRig) -> None:
    old = await ended_job(rig)
    made = await rig.call("POST", f"/jobs/{old}/retry")
    assert made.status_code == 201, made.text


async def test_what_is_refused(rig: RestRig) -> None:
    new = await rig.made()
    assert refusal(await rig.call("POST", f"/jobs/{new}/retry")) == (409, "IllegalMove")
    assert refusal(await rig.call("POST", f"/jobs/{new}/redeliver-report")) == (409, "IllegalMove")
    old = await ended_job(rig)
    assert refusal(await rig.call("POST", f"/jobs/{old}/retry", json={"error_code": "X"})) == (409, "NoSuchResults")
    fixed = await rig.call("POST", f"/jobs/{old}/retry", json={"changes": {"operation": {}}})
    assert (refusal(fixed), faults(fixed)) == ((400, "InvalidArgument"), {"operation": "cannot be changed here"})
    odd = await rig.call("POST", f"/jobs/{old}/clone", json={"changes": {"report": {"prefixx": "a"}}})
    assert faults(odd) == {"report.prefixx": "is no field that is known here"}
    unknown = await rig.call("POST", f"/jobs/{old}/clone", json={"overrides": {}})
    assert refusal(unknown) == (400, "InvalidArgument")
    both = await rig.call(
        "POST", f"/jobs/{old}/clone", json={"client_request_token": "a"}, headers={"idempotency-key": "b"}
    )
    assert refusal(both) == (400, "InvalidArgument")


async def test_a_clone_says_that_the_manifest_is_another(rig: RestRig) -> None:
    old = await rig.made()
    rig.looks.etag = "0" * 32
    made = await rig.call("POST", f"/jobs/{old}/clone", json={"changes": {"description": "once more"}})
    assert (made.status_code, made.json()["manifest_changed"]) == (201, True)
    assert made.json()["job"]["request"]["manifest"]["location"]["etag"] == "0" * 32


async def test_a_report_is_asked_for_again(rig: RestRig) -> None:
    old = await ended_job(rig)
    asked = await rig.call("POST", f"/jobs/{old}/redeliver-report")
    assert (asked.status_code, asked.json()["report"]["state"]) == (200, "pending")
    events = (await rig.call("GET", f"/jobs/{old}/events")).json()["items"]
    assert (events[-1]["kind"], events[-1]["by"]) == ("report", f"{OPERATOR} via rest")


async def test_results_are_downloaded(rig: RestRig) -> None:
    old = await ended_job(rig)
    found = await rig.call("GET", f"/jobs/{old}/report", by=VIEWER)
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert found.headers["content-disposition"] == f'attachment; filename="job-{old}-results.csv"'
    assert found.headers["x-content-type-options"] == "nosniff"
    rows = found.text.splitlines()
    assert [row.split(",")[1] for row in rows] == ["a%20b", "%3D%C3%A9", "c"]

    failed = await rig.call("GET", f"/jobs/{old}/report?scope=FailedTasksOnly", by=VIEWER)
    assert failed.text.splitlines() == rows[1:]
    lines = await rig.call("GET", f"/jobs/{old}/report?format=jsonl&code=NoSuchKey", by=VIEWER)
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["key"] for line in lines.text.splitlines()] == ["=é"]
    assert refusal(await rig.call("GET", f"/jobs/{old}/report?format=xlsx")) == (400, "InvalidArgument")


async def test_results_that_are_gone_are_a_refusal_and_no_file(rig: RestRig) -> None:
    old = await ended_job(rig)
    spool = own_spool(rig.folder)
    for name in await spool.list("jobs/"):
        await spool.delete(name)
    for path in ("report", "report/preview"):
        assert refusal(await rig.call("GET", f"/jobs/{old}/{path}")) == (409, "NoSuchResults")
    assert refusal(await rig.call("POST", f"/jobs/{old}/retry")) == (409, "NoSuchResults")
    assert refusal(await rig.call("POST", f"/jobs/{old}/redeliver-report")) == (409, "NoSuchResults")


async def test_the_first_rows(rig: RestRig) -> None:
    old = await ended_job(rig)
    found = (await rig.call("GET", f"/jobs/{old}/report/preview?limit=2", by=VIEWER)).json()
    assert ([row["key"] for row in found["items"]], found["has_more"]) == (["a b", "=é"], True)
    assert refusal(await rig.call("GET", f"/jobs/{old}/report/preview?limit=1001")) == (400, "InvalidArgument")


async def test_the_summary(rig: RestRig) -> None:
    old = await ended_job(rig)
    found = await rig.call("GET", f"/jobs/{old}/summary", by=VIEWER)
    assert (found.headers["content-type"], found.json()["failed"]) == ("application/json", 2)
    table = await rig.call("GET", f"/jobs/{old}/summary?format=csv", by=VIEWER)
    assert table.headers["content-disposition"] == f'attachment; filename="job-{old}-summary.csv"'
    assert "failures.AccessDenied,1" in table.text


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_who_may(rig: RestRig, method: str, path: str) -> None:
    old = await ended_job(rig)
    assert refusal(await rig.call(method, f"/jobs/{old}/{path}", by=STRANGER)) == (404, "NoSuchJob")
    assert refusal(await rig.call(method, f"/jobs/{old}/{path}", by=None)) == (401, "NotAuthenticated")
    looked = await rig.call(method, f"/jobs/{old}/{path}", by=VIEWER)
    assert looked.status_code == (200 if method == "GET" else 403)
