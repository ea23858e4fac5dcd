"""Lists of jobs, series and failures over the JSON API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cosbatch.ledger.port import Duty
from cosbatch.model.identifiers import JobId, ObjectKey
from cosbatch.model.reports import CodeTally, FailureSample, Tally
from cosbatch.model.states import JobStatus
from cosbatch.model.tasks import Then
from cosbatch.web.rest.shapes import write_cursor
from tests.contract.ledgers import FINDINGS, LEASE_SECONDS, PLANNER, chunk_plan, claim_one, part_of
from tests.unit.service.job_builders import AWAY, HOME
from tests.wire.rest_rig import ADMIN, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig

S = JobStatus


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


async def listed(rig: RestRig, query: str = "", *, by: str = VIEWER) -> dict[str, Any]:
    answer = await rig.call("GET", f"/jobs{query}", by=by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ids(rig: RestRig, query: str) -> list[str]:
    return [job["job_id"] for job in (await listed(rig, query))["items"]]


async def planned(rig: RestRig, *, tasks: int, **changes: Any) -> JobId:
    """An Active job with two chunks."""
    job_id = await rig.made(**changes)
    lease = await rig.ledger.claim_job(PLANNER, job_id=job_id, duty=Duty.PLAN, lease_seconds=LEASE_SECONDS)
    assert lease is not None
    await rig.ledger.add_chunks(lease, chunk_plan([tasks // 2] * 2), planned_rows=tasks)
    await rig.ledger.finish_plan(lease, findings=FINDINGS, to=S.READY, reason="planned")
    await rig.moved(job_id, S.ACTIVE)
    return job_id


async def commit(rig: RestRig, tally: Tally, *, samples: tuple[FailureSample, ...] = ()) -> None:
    claim = await claim_one(rig.ledger)
    await rig.ledger.commit(claim, replace(part_of(claim, tally=tally), samples=samples), then=Then.CLOSE)


# --- lists


async def test_jobs_are_listed_page_by_page_with_their_counts(rig: RestRig) -> None:
    made = [await rig.made(description=f"number {number}") for number in range(5)]
    first = await listed(rig, "?limit=2")
    second = await listed(rig, f"?limit=2&cursor={first['next_cursor']}")
    third = await listed(rig, f"?limit=2&cursor={second['next_cursor']}")
    seen = [job["job_id"] for page in (first, second, third) for job in page["items"]]
    assert seen == made[::-1]
    assert third["next_cursor"] is None
    assert {page["total"] for page in (first, second, third)} == {5}
    assert first["counts"]["by_status"] == {status.value: 5 * (status is S.NEW) for status in S}
    assert first["counts"]["by_group"]["in_progress"] == 5


async def test_a_job_in_a_list_says_what_the_job_says(rig: RestRig) -> None:
    job_id = await planned(rig, tasks=100, description="夜间归档")
    [job] = (await listed(rig))["items"]
    described = (await rig.call("GET", f"/jobs/{job_id}")).json()
    assert {name: job[name] for name in job if name in described} == {
        name: described[name] for name in job if name in described
    }
    assert (job["creator"], job["progress"], job["description"]) == ("olga", 0.0, "夜间归档")
    assert job["manifest_key"] in described["request"]["manifest"]["location"]["object_arn"]


async def test_jobs_are_found_and_put_in_order(rig: RestRig) -> None:
    home = await rig.made(description="Nightly COPY", priority=3)
    by_admin = await rig.made(description="other", priority=9, by=ADMIN)
    cancelled = await rig.made(description="third", priority=5)
    await rig.call("PUT", f"/jobs/{cancelled}/status", json={"requested_job_status": "Cancelled"})
    assert await ids(rig, "?q=nightly%20copy") == [home]
    assert await ids(rig, f"?q={home.upper()}") == [home]
    assert await ids(rig, "?creator=anna") == [by_admin]
    assert await ids(rig, f"?region={AWAY}") == []
    assert len(await ids(rig, f"?region={HOME}&operation=COSPutObjectCopy")) == 3
    assert await ids(rig, "?status=Cancelling&status=Paused") == [cancelled]
    assert await ids(rig, "?group=needs_attention") == []
    assert await ids(rig, "?sort=priority") == [by_admin, cancelled, home]
    assert await ids(rig, "?sort=priority&direction=asc") == [home, cancelled, by_admin]
    assert await ids(rig, "?sort=priority&priority_from=5") == [by_admin, cancelled]
    assert (await listed(rig, f"?region={HOME}&priority_from=4&limit=1"))["counts"]["by_status"]["New"] == 1
    assert await ids(rig, "?created_from=2023-11-14T22:13:20Z") == [cancelled, by_admin, home]
    assert await ids(rig, "?created_to=2023-11-14T22:13:20Z") == []
    assert (await listed(rig, "?status=New&limit=1"))["total"] == 2
    assert (await listed(rig, "?status=New"))["counts"]["by_status"]["Cancelling"] == 1


async def test_another_accounts_jobs_are_in_no_list(rig: RestRig) -> None:
    await rig.made()
    found = await listed(rig, by=STRANGER)
    assert (found["items"], found["total"]) == ([], 0)
    assert not any(found["counts"]["by_status"].values())


async def test_a_cursor_of_another_list_is_refused(rig: RestRig) -> None:
    for _ in range(2):
        await rig.made()
    cursor = (await listed(rig, "?limit=1"))["next_cursor"]
    others = ("sort=priority", "direction=asc", "q=x", "status=New", "group=paused", "creator=a", "region=x")
    for query in (*others, "created_to=2026-01-01T00:00:00Z"):
        answer = await rig.call("GET", f"/jobs?limit=1&cursor={cursor}&{query}")
        assert refusal(answer) == (400, "InvalidArgument"), query
        assert faults(answer) == {"cursor": "is no cursor of this list"}
    assert refusal(await rig.call("GET", f"/jobs?cursor={cursor}", by=STRANGER)) == (400, "InvalidArgument")


@pytest.mark.parametrize("steps", [(), (1,), ("x", None, "y"), ("x", 10**400, "y")])
async def test_a_cursor_that_is_none_is_refused(rig: RestRig, steps: tuple[Any, ...]) -> None:
    answer = await rig.call("GET", f"/jobs?cursor={write_cursor(*steps)}")
    assert refusal(answer) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "query",
    ["status=Sleeping", "group=all", "sort=size", "created_from=2026-01-01", "limit=0", "operation=Copy", "x=1"],
)
async def test_a_query_that_nobody_knows_is_refused(rig: RestRig, query: str) -> None:
    assert refusal(await rig.call("GET", f"/jobs?{query}"))[0] == 400


# --- how a job goes


async def test_the_series_of_a_job_and_its_pace(rig: RestRig) -> None:
    job_id = await planned(rig, tasks=100)
    empty = (await rig.call("GET", f"/jobs/{job_id}/series", by=VIEWER)).json()
    assert (empty["points"], empty["eta_seconds"]) == ([], None)
    rig.clock.tick(20)
    await commit(rig, Tally(succeeded=40, failed=10, bytes_done=4096, codes={"E": CodeTally(count=10)}))
    early = (await rig.call("GET", f"/jobs/{job_id}/series?range=15m")).json()
    assert (early["results_per_second"], early["eta_seconds"]) == (2.5, None)
    rig.clock.tick(20)
    series = (await rig.call("GET", f"/jobs/{job_id}/series?range=all")).json()
    assert (series["results_per_second"], series["eta_seconds"]) == (1.25, 40.0)
    assert series["points"][0] == {
        "at": "2023-11-14T22:13:40.000Z", "seconds": 10.0, "succeeded": 40, "failed": 10, "bytes_done": 4096,
    }  # fmt: skip
    [job] = (await listed(rig))["items"]
    assert (job["results_per_second"], job["eta_seconds"]) == (1.25, 40.0)


async def test_failures_by_code_with_samples_and_what_helps(rig: RestRig) -> None:
    job_id = await planned(rig, tasks=100)
    code = CodeTally(count=3, samples=("a//b", "c"), http_statuses=((0, 1), (403, 2)))
    gone = CodeTally(count=1, samples=("x",), http_statuses=((404, 1),))
    sample = FailureSample(
        error_code="AccessDenied", key=ObjectKey("a//\udcff"), message="no", http_status=403, request_id="r\udcff"
    )
    unsent = FailureSample(error_code="AccessDenied", key=ObjectKey("c"))
    tally = Tally(succeeded=46, failed=4, codes={"NoSuchKey": gone, "AccessDenied": code})
    await commit(rig, tally, samples=(sample, unsent))

    overview = (await rig.call("GET", f"/jobs/{job_id}/failures", by=VIEWER)).json()

    assert overview["failed"] == 4
    denied, missing = overview["items"]
    assert (denied["error_code"], denied["count"], denied["share"]) == ("AccessDenied", 3, 0.75)
    assert denied["http_statuses"] == [{"http_status": None, "count": 1}, {"http_status": 403, "count": 2}]
    assert denied["first_seen"] == denied["last_seen"] == "2023-11-14T22:13:20.000Z"
    assert any("PutObject" in line and "target" in line for line in denied["needed_permissions"])
    assert (missing["is_retryable"], missing["needed_permissions"]) == (False, [])
    group = (await rig.call("GET", f"/jobs/{job_id}/failures/AccessDenied", by=VIEWER)).json()
    assert {name: group[name] for name in denied} == denied
    assert group["samples"] == [
        {
            "key": "a//\\udcff", "version_id": None, "error_code": "AccessDenied", "http_status": 403,
            "message": "no", "requests": 0, "request_id": "r\\udcff",
        },
        {
            "key": "c", "version_id": None, "error_code": "AccessDenied", "http_status": None,
            "message": "", "requests": 0, "request_id": None,
        },
    ]  # fmt: skip


async def test_of_a_code_with_which_nothing_failed_there_are_no_failures(rig: RestRig) -> None:
    job_id = await rig.made()
    overview = (await rig.call("GET", f"/jobs/{job_id}/failures")).json()
    assert overview == {"failed": 0, "items": []}
    group = (await rig.call("GET", f"/jobs/{job_id}/failures/{quote('(other codes)')}")).json()
    assert (group["count"], group["share"], group["samples"], group["last_seen"]) == (0, 0.0, [], None)


async def test_events_are_read_in_pages(rig: RestRig) -> None:
    job_id = await rig.made()
    for priority in range(3):
        await rig.call("PUT", f"/jobs/{job_id}/priority", json={"priority": priority})
    first = (await rig.call("GET", f"/jobs/{job_id}/events?limit=3", by=VIEWER)).json()
    second = (await rig.call("GET", f"/jobs/{job_id}/events?cursor={first['next_cursor']}", by=VIEWER)).json()
    assert [event["kind"] for event in first["items"] + second["items"]] == ["created"] + ["priority"] * 3
    assert second["next_cursor"] is None
    answer = await rig.call("GET", f"/jobs/{job_id}/events?cursor={write_cursor(2**70)}")
    assert refusal(answer) == (400, "InvalidArgument")


async def test_another_accounts_job_is_not_there(rig: RestRig) -> None:
    job_id = await rig.made()
    for path in ("series", "failures", "failures/E"):
        assert refusal(await rig.call("GET", f"/jobs/{job_id}/{path}", by=STRANGER)) == (404, "NoSuchJob")
