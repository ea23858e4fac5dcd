"""What is asked of a job that is there already: what failed once more, the whole once more, its report once more."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Header, Response
from pydantic import Field

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import JobId
from cosbatch.model.preflight import CheckOutcome
from cosbatch.service.estimates import estimate_document
from cosbatch.service.follow_up import FollowUpJob
from cosbatch.service.job_document import request_document
from cosbatch.service.job_schema import TOKEN_MAX_BYTES
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.desks import AllDesks, Desks, OwnAddress, WhoCalls
from cosbatch.web.rest.job_checks import (
    CHECKS,
    EXAMPLE_SERVER,
    CheckView,
    EquivalentsView,
    JobCheckedView,
    check_views,
    checked_view,
    equivalents_view,
)
from cosbatch.web.rest.job_examples import ASKED_JOB, JOB
from cosbatch.web.rest.job_shapes import JobDocument, JobView, job_view
from cosbatch.web.rest.jobs import TAG, OneJob
from cosbatch.web.rest.shapes import Form, View

_MADE_BEFORE: Final = "An equal call with the same client request token has made it before."
_CHANGES: Final = {"description": "the rest of the logs", "priority": 20, "report": {"prefix": "batch/again"}}
_RETRIED: Final = ASKED_JOB | {
    "manifest": {
        "location": {
            "object_arn": "arn:aws:s3:::(work area)/manifest.json",
            "retry_of": {"job_id": JOB["job_id"], "error_code": "AccessDenied"},
        },
        "spec": {"format": "COSInventoryReport_CSV_V1"},
    }
}
_MADE: Final = {"job": JOB, "manifest_changed": False}


def _words(command: str) -> dict[str, str]:
    line = f"... cosbatch {command} --changes changes.yaml --server {EXAMPLE_SERVER}"
    return {"xml": "", "json": "{...}", "cli": line}


def follow_up_calls() -> list[Call]:
    return [
        *_calls_of_retries(),
        *_calls_of_clones(),
        Call(
            method="POST",
            path="/jobs/{job_id}/redeliver-report",
            answer=redeliver_report,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Deliver the report of a job once more",
            shape=JobView,
            example=JOB,
        ),
    ]


def _calls_of_retries() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/jobs/{job_id}/retry",
            answer=retry_failed,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Retry what failed in a job that has ended",
            shape=FollowUpView,
            status=201,
            also={200: _MADE_BEFORE},
            asked={"error_code": "AccessDenied", "changes": _CHANGES, "client_request_token": "logs-2025-again"},
            example=_MADE,
        ),
        Call(
            method="POST",
            path="/jobs/{job_id}/retry:check",
            answer=check_retry,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Check a retry that is not made yet",
            shape=RetryCheckedView,
            asked={"error_code": "AccessDenied", "changes": _CHANGES},
            example={
                "outcome": "failed",
                "checks": CHECKS,
                "estimate": None,
                "request": _RETRIED,
                "equivalents": _words(f"retry-failed {JOB['job_id']} --code AccessDenied"),
            },
        ),
    ]


def _calls_of_clones() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/jobs/{job_id}/clone",
            answer=clone_job,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Clone a job",
            shape=FollowUpView,
            status=201,
            also={200: _MADE_BEFORE},
            asked={"changes": _CHANGES, "client_request_token": "logs-2025-clone"},
            example=_MADE,
        ),
        Call(
            method="POST",
            path="/jobs/{job_id}/clone:check",
            answer=check_clone,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Check a clone that is not made yet",
            shape=JobCheckedView,
            asked={"changes": _CHANGES},
            example={
                "outcome": "failed",
                "checks": CHECKS,
                "estimate": None,
                "request": _RETRIED,
                "equivalents": _words(f"clone-job {JOB['job_id']}"),
            },
        ),
    ]


class FollowUpForm(Form):
    changes: dict[str, Any] = Field(
        default_factory=dict,
        description="A part of a job document: its fields take the place of the old job's, null takes one away, and a"
        " list is replaced as a whole.",
    )
    client_request_token: str = Field(default="", max_length=TOKEN_MAX_BYTES)


class RetryForm(FollowUpForm):
    error_code: str = Field(default="", max_length=1024, description="Only what failed with it; empty: all.")


class CloneCheckForm(Form):
    changes: dict[str, Any] = Field(default_factory=dict, description="As the clone would have them.")


class RetryCheckForm(Form):
    changes: dict[str, Any] = Field(default_factory=dict, description="As the retry would have them.")
    error_code: str = Field(default="", max_length=1024, description="Only what failed with it; empty: all.")


class RetryCheckedView(View):
    outcome: CheckOutcome
    checks: list[CheckView]
    estimate: dict[str, Any] | None = Field(
        description="What the retry would cost, as `check_job` has it; null where nothing can be told."
    )
    request: JobDocument = Field(
        description="As it would be kept. Its manifest is not written: `retry_of` says whose rows it would list."
    )
    equivalents: EquivalentsView


class FollowUpView(View):
    """A job that was made of another one."""

    job: JobView
    manifest_changed: bool = Field(description="Its manifest is not the one that the old job was made of.")


IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=TOKEN_MAX_BYTES,
        description="The same as `client_request_token` in the body.",
    ),
]


async def retry_failed(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    response: Response,
    form: Annotated[RetryForm | None, Body()] = None,
    idempotency_key: IdempotencyKey = "",
) -> FollowUpView:
    """A new job over the tasks that failed, all or those with one error code. Older versions that were never sent
    (`NotLatestVersion`) are not part of it. `changes` may not name region, manifest and operation."""
    asked = form or RetryForm()
    made = await desks.follow_up.retry_failed(
        JobId(job_id),
        caller=caller,
        error_code=asked.error_code,
        changes=asked.changes,
        token=_token(asked, header=idempotency_key),
    )
    return _told(made, response, desks)


async def check_retry(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    address: OwnAddress,
    form: Annotated[RetryCheckForm | None, Body()] = None,
) -> RetryCheckedView:
    """Asks of a retry what `check_job` asks of a job, and makes none: of the rows that its manifest would list, which
    the service counts in what it keeps of the old job. A check that fails is an answer; what keeps the retry from being
    made at all is refused as there."""
    asked = form or RetryCheckForm()
    checked = await desks.follow_up_checks.check_retry(
        JobId(job_id), caller=caller, error_code=asked.error_code, changes=asked.changes
    )
    return RetryCheckedView(
        outcome=checked.preflight.outcome,
        checks=check_views(checked.preflight),
        estimate=None if checked.estimate is None else estimate_document(checked.estimate),
        request=request_document(checked.request),
        equivalents=equivalents_view(checked.equivalents, address=address),
    )


async def check_clone(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    address: OwnAddress,
    form: Annotated[CloneCheckForm | None, Body()] = None,
) -> JobCheckedView:
    """Asks of a clone what `check_job` asks of a job, and makes none. Of the clone of a retry the manifest is the one
    that the service keeps."""
    asked = form or CloneCheckForm()
    checked = await desks.follow_up_checks.check_clone(JobId(job_id), caller=caller, changes=asked.changes)
    return checked_view(checked, address=address)


async def clone_job(
    job_id: OneJob,
    desks: AllDesks,
    caller: WhoCalls,
    response: Response,
    form: Annotated[FollowUpForm | None, Body()] = None,
    idempotency_key: IdempotencyKey = "",
) -> FollowUpView:
    """A new job that asks for what an old one, in any status, has asked for, but for the `changes`. The ETag of the
    manifest is read again."""
    asked = form or FollowUpForm()
    made = await desks.follow_up.clone_job(
        JobId(job_id), caller=caller, changes=asked.changes, token=_token(asked, header=idempotency_key)
    )
    return _told(made, response, desks)


async def redeliver_report(job_id: OneJob, desks: AllDesks, caller: WhoCalls) -> JobView:
    """Of a job that has ended, whether its report could be delivered or not. `report.state` shows what comes of it."""
    job = await desks.follow_up.redeliver_report(JobId(job_id), caller=caller)
    return job_view(job, desks.outlook(job))


def _token(form: FollowUpForm, *, header: str) -> str:
    written = form.client_request_token
    if written and header and written != header:
        problem = "is another one than that of the header idempotency-key"
        fault = Fault(path="client_request_token", value=written, problem=problem, way_out="send one of them")
        raise InvalidArgument("the job cannot be made", faults=[fault])
    return written or header


def _told(made: FollowUpJob, response: Response, desks: Desks) -> FollowUpView:
    response.headers["location"] = f"{PREFIX}/jobs/{made.job.id}"
    response.status_code = 201 if made.is_new else 200
    return FollowUpView(job=job_view(made.job, desks.outlook(made.job)), manifest_changed=made.manifest_changed)
