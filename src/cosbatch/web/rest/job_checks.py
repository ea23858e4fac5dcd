"""What is asked before a job runs: of one that is not made yet, and what was found of one that is."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body
from pydantic import Field

from cosbatch.model.identifiers import JobId
from cosbatch.model.preflight import Check, CheckOutcome, Preflight
from cosbatch.service.documents import Document
from cosbatch.service.equivalents import Equivalents
from cosbatch.service.estimates import estimate_document
from cosbatch.service.job_checks import JobChecked
from cosbatch.service.job_document import request_document
from cosbatch.service.job_schema import parse_job
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, OwnAddress, WhoCalls
from cosbatch.web.rest.job_examples import ASKED_JOB
from cosbatch.web.rest.job_shapes import JobDocument
from cosbatch.web.rest.jobs import TAG, OneJob
from cosbatch.web.rest.shapes import Time, View, time_text


class CheckView(View):
    name: str = Field(description="What was asked. Several things may be wrong under one name: each is a check.")
    outcome: CheckOutcome = Field(description="One that failed keeps the job from starting; an unknown one does not.")
    detail: str
    missing_permission: str = Field(
        description="As the provider writes it, `s3:PutObject on arn:aws:s3:::bucket/*`; empty where none is missing."
    )
    way_out: str


class PreflightView(View):
    """What was found of a job before it started."""

    outcome: CheckOutcome | None = Field(description="The worst of the checks; null where nothing was asked yet.")
    checked_at: Time | None
    checks: list[CheckView]


class EquivalentsView(View):
    """The same job in other words."""

    xml: str = Field(
        description="The body of COS's CreateJob; empty where COS has none: for a dry run, and where the service itself"
        " keeps the manifest."
    )
    json_: str = Field(
        alias="json",
        description="The body of `POST /jobs`; as a file, a job file. Where the service itself keeps the manifest: the"
        " body of the call that makes the job of another one.",
    )
    cli: str = Field(
        description="Lines for a shell, which make the job with this service, at the address where it was asked. The"
        " API token comes from the variable `COSBATCH_API_TOKEN`."
    )


EXAMPLE_SERVER: Final = "https://batch.example.com"


class JobCheckedView(View):
    outcome: CheckOutcome
    checks: list[CheckView]
    estimate: dict[str, Any] | None = Field(description="What the job would cost; null where nothing can be told.")
    request: JobDocument = Field(description="As it would be kept, with the ETag that the manifest has now.")
    equivalents: EquivalentsView


class EstimateView(View):
    estimate: dict[str, Any] | None = Field(
        description="As `check_job` has it; null while the job is not planned, and where a region is gone."
    )


CHECKS: Final[list[dict[str, Any]]] = [
    {
        "name": "manifest",
        "outcome": "passed",
        "detail": "inventory-1250000000/logs/manifest.json can be read and has the ETag"
        " 9c1185a5c5e9fc54612808977ee8f548",
        "missing_permission": "",
        "way_out": "",
    },
    {
        "name": "source_readable",
        "outcome": "failed",
        "detail": "the store refuses HEAD logs-1250000000/2025/01/a.gz and what else was asked for (5 in all)",
        "missing_permission": "name/cos:GetObject on qcs::cos:ap-guangzhou:uid/1250000000:logs-1250000000/*",
        "way_out": "let the job's credentials read the objects",
    },
]


def job_check_calls() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/jobs:check",
            answer=check_job,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Check a job that is not made yet",
            shape=JobCheckedView,
            asked=ASKED_JOB,
            example={
                "outcome": "failed",
                "checks": CHECKS,
                "estimate": None,
                "request": {key: value for key, value in ASKED_JOB.items() if key != "client_request_token"},
                "equivalents": {
                    "xml": "<CreateJobRequest>...",
                    "json": "{...}",
                    "cli": f"... cosbatch create-job job.yaml --server {EXAMPLE_SERVER}",
                },
            },
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/preflight",
            answer=job_preflight,
            access=Access.VIEWER,
            tag=TAG,
            summary="Show what was checked before a job started",
            shape=PreflightView,
            example={"outcome": "failed", "checked_at": "2026-11-26T08:00:12.345Z", "checks": CHECKS},
        ),
        Call(
            method="GET",
            path="/jobs/{job_id}/estimate",
            answer=job_estimate,
            access=Access.VIEWER,
            tag=TAG,
            summary="Estimate what a planned job comes to",
            shape=EstimateView,
            example={"estimate": None},
        ),
    ]


async def check_job(
    document: Annotated[JobDocument, Body()], desks: AllDesks, caller: WhoCalls, address: OwnAddress
) -> JobCheckedView:
    """Asks all that is asked before a job starts, and leaves nothing behind. The body is a job document. A check that
    fails is an answer; faults of the document are told as when the job is made."""
    parsed = parse_job(Document(content=document, lines={}), lowest_priority=0)
    return checked_view(await desks.checker.check_job(parsed.request, caller=caller), address=address)


async def job_estimate(job_id: OneJob, desks: AllDesks, caller: WhoCalls) -> EstimateView:
    """Of the rows of its plan: exact, and no store is asked. For whoever is to confirm it."""
    found = await desks.estimates.of_job(await desks.jobs.describe_job(JobId(job_id), caller=caller))
    return EstimateView(estimate=None if found is None else estimate_document(found))


async def job_preflight(job_id: OneJob, desks: AllDesks, caller: WhoCalls) -> PreflightView:
    """It is asked while the job is in Preparing; before that there are no checks."""
    found = await desks.checker.job_preflight(JobId(job_id), caller=caller)
    if found is None:
        return PreflightView(outcome=None, checked_at=None, checks=[])
    return PreflightView(outcome=found.outcome, checked_at=time_text(found.checked_at), checks=check_views(found))


def checked_view(checked: JobChecked, *, address: str) -> JobCheckedView:
    return JobCheckedView(
        outcome=checked.preflight.outcome,
        checks=check_views(checked.preflight),
        estimate=None if checked.estimate is None else dict(checked.estimate),
        request=request_document(checked.request),
        equivalents=equivalents_view(checked.equivalents, address=address),
    )


def equivalents_view(words: Equivalents, *, address: str) -> EquivalentsView:
    return EquivalentsView(**words.content(server=address))


def check_views(found: Preflight) -> list[CheckView]:
    return [_view(check) for check in found.checks]


def _view(check: Check) -> CheckView:
    return CheckView(
        name=check.name,
        outcome=check.outcome,
        detail=check.detail,
        missing_permission=check.missing_permission,
        way_out=check.way_out,
    )
