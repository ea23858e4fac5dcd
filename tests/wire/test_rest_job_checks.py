"""Checks over the API: of a job that is not made, and of one that is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cosbatch.model.errors import FailureCode
from cosbatch.model.jobs import ListedTotals
from cosbatch.model.preflight import Check, CheckName, CheckOutcome, Preflight
from cosbatch.model.states import JobStatus
from tests.contract.ledgers import FINDINGS, chunk_plan, plan_lease
from tests.unit.service.job_builders import job_content
from tests.wire.rest_rig import BASE, OPERATOR, STRANGER, VIEWER, faults, refusal, rest_rig, settings

FOUND = Preflight(
    checked_at=1_700_000_000.5,
    checks=(
        Check(name=CheckName.MANIFEST, outcome=CheckOutcome.PASSED, detail="it can be read"),
        Check(
            name=CheckName.DESTINATION_WRITABLE,
            outcome=CheckOutcome.FAILED,
            detail="the store refuses it",
            missing_permission="s3:PutObject on arn:aws:s3:::cold-125/*",
            way_out="let it write",
            path="Operation",
            failure_code=FailureCode.ROLE_LACKS_PERMISSION,
        ),
    ),
)


async def test_what_was_found_of_a_job(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        job_id = await rig.made()
        nothing = await rig.call("GET", f"/jobs/{job_id}/preflight", by=VIEWER)
        assert nothing.json() == {"outcome": None, "checked_at": None, "checks": []}
        await rig.ledger.preflights.keep_preflight(job_id, FOUND)
        found = (await rig.call("GET", f"/jobs/{job_id}/preflight", by=VIEWER)).json()
        assert (found["outcome"], found["checked_at"]) == ("failed", "2023-11-14T22:13:20.500Z")
        assert found["checks"][1] == {
            "name": "destination_writable",
            "outcome": "failed",
            "detail": "the store refuses it",
            "missing_permission": "s3:PutObject on arn:aws:s3:::cold-125/*",
            "way_out": "let it write",
        }
        assert refusal(await rig.call("GET", f"/jobs/{job_id}/preflight", by=STRANGER)) == (404, "NoSuchJob")


async def test_a_store_that_cannot_be_asked_is_an_answer(tmp_path: Path) -> None:
    """The regions of this rig have no credentials, and the job names no role."""
    async with rest_rig(tmp_path) as rig:
        answer = await rig.call("POST", "/jobs:check", by=OPERATOR, json=job_content())
        assert answer.status_code == 200, answer.text
        told = answer.json()
        (manifest,) = [check for check in told["checks"] if check["name"] == "manifest"]
        assert (told["outcome"], manifest["outcome"]) == ("failed", "failed")
        assert "has no credentials of its own" in manifest["detail"]
        assert told["estimate"] is None
        assert told["request"]["region"] == "ap-guangzhou"
        assert set(told["equivalents"]) == {"xml", "json", "cli"}
        assert (await rig.call("GET", "/jobs/x")).status_code == 404


async def test_a_job_is_told_in_other_words(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        told = (await rig.call("POST", "/jobs:check", json=job_content(description="夜间"))).json()
        words = told["equivalents"]
        assert json.loads(words["json"]) == told["request"]
        assert "<Description>夜间</Description>" in words["xml"]
        assert words["json"] in words["cli"]
        assert words["cli"].endswith(f"\ncosbatch create-job job.yaml --server {BASE}\n")


@pytest.mark.parametrize(
    ("origin", "server"),
    [("https://cosbatch.test", "https://cosbatch.test"), ("https://evil.test", BASE), ("null", BASE)],
)
async def test_a_page_of_its_own_knows_where_the_service_is_reached(tmp_path: Path, origin: str, server: str) -> None:
    """TLS may end at a proxy. A call with a token may come from any page."""
    headers = {"origin": origin, "host": "cosbatch.test"}
    async with rest_rig(tmp_path) as rig:
        answer = await rig.call("POST", "/jobs:check", json=job_content(), headers=headers)
        assert answer.json()["equivalents"]["cli"].endswith(f" --server {server}\n")


async def test_no_word_of_cos_makes_the_real_job_of_a_dry_run(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        words = (await rig.call("POST", "/jobs:check", json=job_content(dry_run=True))).json()["equivalents"]
        assert words["xml"] == ""
        assert json.loads(words["json"])["dry_run"] is True


async def test_faults_of_the_document_come_all_at_once(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        answer = await rig.call("POST", "/jobs:check", json=job_content(priority=-1, verify="some"))
        assert refusal(answer) == (400, "InvalidArgument")
        assert set(faults(answer)) == {"priority", "verify"}


async def test_a_viewer_may_not_check(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        assert refusal(await rig.call("POST", "/jobs:check", by=VIEWER, json=job_content()))[0] == 403


async def test_a_deletion_is_refused_where_it_is_switched_off(tmp_path: Path) -> None:
    body = job_content(operation={"cos_delete_object": {}})
    async with rest_rig(tmp_path) as rig:
        answer = await rig.call("POST", "/jobs", json=body)
        assert refusal(answer) == (403, "AccessDenied")
        assert "deletes_allowed" in answer.text


async def test_a_deletion_that_is_allowed_names_its_count(tmp_path: Path) -> None:
    body = job_content(operation={"cos_delete_object": {}})
    async with rest_rig(tmp_path, with_settings=settings(server={"deletes_allowed": True})) as rig:
        answer = await rig.call("POST", "/jobs", json=body)
        assert refusal(answer) == (400, "InvalidArgument")
        assert set(faults(answer)) == {"confirm_delete_count"}
        checked = (await rig.call("POST", "/jobs:check", json=body)).json()
        failed = [check["detail"] for check in checked["checks"] if check["name"] == "deletes"]
        assert failed == ["confirm_delete_count is missing: a deletion says how many objects it may delete at most"]
        made = await rig.call("POST", "/jobs", json={**body, "confirm_delete_count": 3})
        assert made.status_code == 201
        assert made.json()["request"]["confirm_delete_count"] == 3


async def test_what_a_planned_job_comes_to(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        job_id = await rig.made()
        assert (await rig.call("GET", f"/jobs/{job_id}/estimate", by=VIEWER)).json() == {"estimate": None}
        lease = await plan_lease(rig.ledger, job_id)
        await rig.ledger.add_chunks(lease, chunk_plan([7]), planned_rows=7)
        listed = ListedTotals(rows=7, not_sent=0, size_bytes=700, large=0, parts=0)
        await rig.ledger.finish_plan(
            lease, findings=replace(FINDINGS, listed=listed), to=JobStatus.SUSPENDED, reason="confirm it"
        )
        told = (await rig.call("GET", f"/jobs/{job_id}/estimate", by=VIEWER)).json()["estimate"]
        assert (told["is_exact"], told["objects"], told["size_bytes"]) == (True, 7, 700)
        assert told["requests"]["copy"] == 7
        assert refusal(await rig.call("GET", f"/jobs/{job_id}/estimate", by=STRANGER)) == (404, "NoSuchJob")
