"""The SDK on the real application: lists, what went wrong, checks, and what is asked of a job that has ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cosbatch.client import AsyncClient
from cosbatch.model.errors import IllegalMove, InvalidArgument
from cosbatch.model.identifiers import JobId
from cosbatch.model.preflight import CheckOutcome
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus
from cosbatch.wiring.follow_up import own_spool
from tests.unit.service.ended_jobs import Outcome, end, work
from tests.unit.service.job_builders import HOME, job_content
from tests.wire.rest_rig import OPERATOR, RestRig
from tests.wire.test_sdk import sdk, without_fractions

RESULTS: list[list[Outcome]] = [[("a b", ""), ("=é", "NoSuchKey")], [("c", "AccessDenied")]]


async def ended_job(rig: RestRig) -> JobId:
    job_id = await rig.made()
    await work(rig.ledger, own_spool(rig.folder), job_id, RESULTS)
    await end(rig.ledger, job_id, state=ReportState.FAILED)
    return job_id


async def test_a_retry_comes_back_as_the_service_has_it(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        old = await ended_job(rig)
        made = await client.retry_failed(
            old,
            error_code="NoSuchKey",
            changes={"priority": 3},
            client_request_token="t",  # no secret
        )
        assert (made.is_new, made.job.priority) == (True, 3)
        assert without_fractions(made.job) == without_fractions(await rig.ledger.job(made.job.id))
        again = await client.retry_failed(
            old,
            error_code="NoSuchKey",
            changes={"priority": 3},
            client_request_token="t",  # no secret
        )
        assert (again.is_new, again.job) == (False, made.job)
        assert await client.describe_job(made.job.id) == made.job
        clone = await client.clone_job(made.job.id)
        assert clone.job.request.manifest.location.retry_of == made.job.request.manifest.location.retry_of


async def test_a_clone_says_whether_the_manifest_is_another(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        old = await client.create_job(job_content())
        same = await client.clone_job(old.id, changes={"description": "once more"})
        assert (same.manifest_changed, same.job.request.description) == (False, "once more")
        rig.looks.etag = "0" * 32
        assert (await client.clone_job(old.id)).manifest_changed
        with pytest.raises(InvalidArgument) as caught:
            await client.clone_job(old.id, changes={"report": {"prefixx": "a"}})
        assert [fault.path for fault in caught.value.faults] == ["report.prefixx"]


async def test_a_report_is_asked_for_again(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        assert (await client.redeliver_report(await ended_job(rig))).report_state is ReportState.PENDING
        with pytest.raises(IllegalMove):
            await client.redeliver_report(await rig.made())


async def downloaded(client: AsyncClient, job_id: str, **choice: str) -> str:
    pieces: list[bytes] = []
    await client.download_report(job_id, pieces.append, **choice)
    return b"".join(pieces).decode()


async def test_results_are_downloaded(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        old = await ended_job(rig)
        rows = (await downloaded(client, old)).splitlines()
        assert [row.split(",")[1] for row in rows] == ["a%20b", "%3D%C3%A9", "c"]
        assert (await downloaded(client, old, scope="FailedTasksOnly")).splitlines() == rows[1:]
        assert json.loads(await downloaded(client, old, form="jsonl", code="NoSuchKey"))["key"] == "=é"
        with pytest.raises(InvalidArgument):
            await downloaded(client, old, form="xlsx")
        pieces: list[bytes] = []
        await client.download_summary(old, pieces.append)
        assert json.loads(b"".join(pieces))["failed"] == 2


async def test_what_went_wrong_and_how_it_went(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        old = await ended_job(rig)
        found = await client.job_failures(old)
        groups = found.items
        assert found.failed == 2
        assert {group.error_code: group.count for group in groups} == {"NoSuchKey": 1, "AccessDenied": 1}
        assert sum(group.share for group in groups) == pytest.approx(1.0)
        [group] = [group for group in groups if group.error_code == "NoSuchKey"]
        one = await client.job_failures_of_code(old, "NoSuchKey")
        assert (one.count, one.hint, one.sample_keys) == (group.count, group.hint, group.sample_keys)
        pace = await client.job_series(old, last="all")
        assert sum(point.succeeded for point in pace.points) == 1
        assert sum(point.failed for point in pace.points) == 2


async def test_jobs_are_listed_page_by_page(tmp_path: Path) -> None:
    async with sdk(tmp_path) as (rig, client):
        made = [await rig.made(description=f"job {number}") for number in range(3)]
        first = await client.list_jobs(limit=2)
        second = await client.list_jobs(limit=2, cursor=first.next_cursor)
        assert [job.id for job in [*first.items, *second.items]] == made[::-1]
        assert (second.next_cursor, first.items[0].description) == ("", "job 2")
        await rig.moved(made[0], JobStatus.PREPARING)
        new = await client.list_jobs(statuses=[JobStatus.NEW], region=HOME, descending=False)
        assert [job.id for job in new.items] == made[1:]
        [found] = (await client.list_jobs(search="job 1")).items
        assert found.id == made[1]


async def test_a_check_is_an_answer(tmp_path: Path) -> None:
    """The regions of this rig have no credentials, and the job names no role."""
    async with sdk(tmp_path, by=OPERATOR) as (rig, client):
        checked = await client.check_job(job_content())
        [manifest] = [check for check in checked.checks if check.name == "manifest"]
        assert (checked.outcome, manifest.outcome, checked.estimate) == ("failed", "failed", None)
        assert checked.request["region"] == HOME
        assert await rig.ledger.jobs() == []
        job = await client.create_job(job_content())
        assert (await client.check_job(job.request)).outcome is CheckOutcome.FAILED
        assert (await client.job_preflight(job.id)).checks == ()


async def test_a_retry_is_checked_before_it_is_made(tmp_path: Path) -> None:
    """The regions of this rig have no credentials, and the job names no role."""
    async with sdk(tmp_path, by=OPERATOR) as (rig, client):
        old = await ended_job(rig)
        checked = await client.check_retry(old, error_code="NoSuchKey", changes={"priority": 3})
        assert checked.outcome is CheckOutcome.FAILED
        assert {check.name: check.outcome for check in checked.checks}["manifest"] is CheckOutcome.PASSED
        assert checked.estimate is not None
        assert (checked.estimate.rows, checked.request["priority"]) == (1, 3)
        with pytest.raises(InvalidArgument):
            await client.check_retry(old, error_code="NotLatestVersion")
        assert checked.equivalents.cli.startswith("cat > changes.yaml")
        clone = await client.check_clone(old, changes={"priority": 3})
        assert (clone.outcome, clone.request["priority"]) == (CheckOutcome.FAILED, 3)
        assert [job.id for job in await rig.ledger.jobs()] == [old]
