"""One case for each call and each error of COS's wire, and the golden files that hold them: what goes over the wire,
both ways. ``python -m tests.wire.cos_cases`` writes the files anew; what has changed is then in the diff.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from cosbatch.model.errors import LedgerUnavailable, StorageError, StorageReason
from cosbatch.model.identifiers import JobId
from cosbatch.model.states import JobStatus
from tests.wire import go_sdk
from tests.wire.cos_rig import (
    MINE,
    TEMPORARY,
    THEIRS,
    VIEWER,
    CosRig,
    Wanted,
    cos_rig,
    signed,
    signing_key,
    unsigned,
    wanted,
)

GOLDEN: Final = Path(__file__).parent / "golden"
JOB: Final = "/jobs/{job}"
_JOB_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_SIGNATURE: Final = re.compile(r"q-sign-algorithm=sha1&\S+")
_STRING_TO_SIGN: Final = re.compile(r"'sha1\\n\S+'")
_TIMED_OUT: Final = "1576812701;1576819901"
S = JobStatus
TO_SUSPENDED: Final = (S.PREPARING, S.SUSPENDED)
TO_COMPLETE: Final = (S.PREPARING, S.READY, S.ACTIVE, S.COMPLETING, S.COMPLETE)

Prepare = Callable[[CosRig], Awaitable[JobId | None]]
Sign = Callable[[Wanted], httpx.Request]


async def nothing(rig: CosRig) -> None:
    """No job is there."""


def one_job(*steps: JobStatus, body: bytes | None = None) -> Prepare:
    """One job is there, which the engine has brought through ``steps``."""

    async def prepare(rig: CosRig) -> JobId:
        job_id = await rig.create(go_sdk.create_job() if body is None else body)
        await rig.moved(job_id, *steps)
        return job_id

    return prepare


def service_says(error: Exception) -> Prepare:
    """The manifest cannot be looked at: the one place where a test can make the service's surroundings fail."""

    async def prepare(rig: CosRig) -> None:
        rig.looks.refusal = error

    return prepare


async def three_jobs(rig: CosRig) -> None:
    for number in range(3):
        await rig.create(go_sdk.create_job(token=f"token {number}", description=f"job {number}" if number else ""))
    await rig.moved((await rig.ledger.jobs())[0].id, *TO_COMPLETE)


@dataclass(frozen=True)
class Case:
    name: str
    request: Wanted
    status: int
    code: str = ""
    """Of an error."""
    prepare: Prepare = nothing
    sign: Sign = signed
    max_unfinished_jobs: int | None = None


def create(**changes: Any) -> Wanted:
    return wanted("POST", "/jobs", body=go_sdk.create_job(**changes))


def edited(old: bytes, new: bytes) -> Wanted:
    body = go_sdk.create_job()
    assert old in body
    return wanted("POST", "/jobs", body=body.replace(old, new))


def status(asked: str, *, reason: str = "") -> Wanted:
    query = {"requestedJobStatus": asked} | ({"statusUpdateReason": reason} if reason else {})
    return wanted("POST", f"{JOB}/status", query)


COLUMNS: Final = [("member", "Bucket"), ("member", "Key"), ("member", "Ignore")]
CSV: Final = [("Fields", COLUMNS), ("Format", "COSBatchOperations_CSV_V1")]
NO_JOB: Final = "/jobs/0199a5b0-0000-7000-8000-000000000000"
RESTORE: Final = [("COSInitiateRestoreObject", [("ExpirationInDays", " 3 "), ("JobTier", "Bulk")])]
DELETE: Final = [("COSDeleteObject", "")]
TAGGING: Final = [
    ("COSPutObjectTagging", [("TaggingDirective", "Add"), ("TagSet", [("COSTag", [("Key", "k"), ("Value", "v")])])])
]
EXPIRED: Final = (
    f"q-sign-algorithm=sha1&q-ak={MINE.access_key_id}&q-sign-time={_TIMED_OUT}&q-key-time={_TIMED_OUT}"
    f"&q-header-list=host;x-cos-appid&q-url-param-list=&q-signature={'0' * 40}"
)
AHEAD: Final = EXPIRED.replace(_TIMED_OUT, "9999990000;9999999999")

WITHOUT_REPORT: Final = go_sdk.create_job(report=go_sdk.NO_REPORT)

CALLS: Final = [
    Case("create-copy", create(), 200),
    Case("create-copy-with-everything", create(operation=go_sdk.copy_operation(*go_sdk.EVERY_COPY_FIELD)), 200),
    Case("create-by-terraform", wanted("POST", "/jobs", body=go_sdk.terraform_create_job()), 200),
    Case("create-from-csv", create(spec=CSV, confirmation_required="", description=""), 200),
    Case("create-restore", create(operation=RESTORE), 200),
    Case("create-delete", create(operation=DELETE), 200),
    Case("create-tagging", create(operation=TAGGING), 200),
    Case("create-without-report", create(report=go_sdk.NO_REPORT), 200),
    Case("create-with-temporary-key", create(), 200, sign=lambda request: signed(request, TEMPORARY)),
    Case("describe", wanted("GET", JOB), 200, prepare=one_job()),
    Case("describe-suspended", wanted("GET", JOB), 200, prepare=one_job(*TO_SUSPENDED)),
    Case("describe-complete", wanted("GET", JOB), 200, prepare=one_job(*TO_COMPLETE)),
    Case("describe-failed", wanted("GET", JOB), 200, prepare=one_job(S.PREPARING, S.FAILING, S.FAILED)),
    Case("describe-by-terraform", wanted("GET", JOB), 200, prepare=one_job(body=go_sdk.terraform_create_job())),
    Case("list", wanted("GET", "/jobs"), 200, prepare=three_jobs),
    Case("list-of-nothing", wanted("GET", "/jobs"), 200),
    Case("list-page", wanted("GET", "/jobs", {"maxResults": "2"}), 200, prepare=three_jobs),
    Case("list-by-status", wanted("GET", "/jobs", {"jobStatuses": "Complete,Active"}), 200, prepare=three_jobs),
    Case("update-priority", wanted("POST", f"{JOB}/priority", {"priority": "20"}), 200, prepare=one_job()),
    Case("confirm", status("Ready", reason="looks good: a+b & c"), 200, prepare=one_job(*TO_SUSPENDED)),
    Case("cancel", status("Cancelled"), 200, prepare=one_job()),
    Case("delete", wanted("DELETE", JOB), 204, prepare=one_job(*TO_COMPLETE, body=WITHOUT_REPORT)),
]

ERRORS: Final = [
    # COS's own table of errors (1.13), row by row
    Case("argument-empty", create(token=""), 400, "InvalidArgument"),
    Case("argument-not-valid", create(role_arn="nobody"), 400, "InvalidArgument"),
    Case("appid-missing", wanted("GET", "/jobs").with_headers(x_cos_appid=None), 400, "InvalidArgument"),
    Case("appid-empty", wanted("GET", "/jobs").with_headers(x_cos_appid=""), 400, "InvalidArgument"),
    Case("priority-too-great", create(priority="2147483648"), 400, "InvalidArgument"),
    Case("priority-no-integer", create(priority="high"), 400, "InvalidArgument"),
    Case("status-not-settable", status("Active"), 400, "InvalidArgument", prepare=one_job()),
    Case("status-of-list-unknown", wanted("GET", "/jobs", {"jobStatuses": "Done"}), 400, "InvalidArgument"),
    Case("max-results-not-positive", wanted("GET", "/jobs", {"maxResults": "0"}), 400, "InvalidArgument"),
    Case("next-token-invalid", wanted("GET", "/jobs", {"nextToken": "no token"}), 400, "InvalidArgument"),
    Case("body-empty", wanted("POST", "/jobs"), 400, "InvalidRequest"),
    Case("job-id-missing", wanted("GET", "/jobs/"), 400, "InvalidRequest"),
    Case("job-id-missing-in-the-middle", wanted("POST", "/jobs//priority", {"priority": "1"}), 400, "InvalidRequest"),
    Case("priority-missing", wanted("POST", f"{JOB}/priority"), 400, "InvalidRequest", prepare=one_job()),
    Case("token-used", create(), 400, "InvalidRequest", prepare=one_job()),
    Case("token-used-otherwise", create(priority="11"), 400, "InvalidRequest", prepare=one_job()),
    Case("job-finished", status("Cancelled"), 400, "InvalidRequest", prepare=one_job(*TO_COMPLETE)),
    Case("status-change-illegal", status("Ready"), 400, "InvalidRequest", prepare=one_job(S.PREPARING, S.READY)),
    Case("delete-unfinished", wanted("DELETE", JOB), 400, "InvalidRequest", prepare=one_job()),
    Case("call-unknown", wanted("GET", f"{JOB}/events"), 400, "InvalidRequest", prepare=one_job()),
    Case("internal", create(), 500, "InternalError", prepare=service_says(RuntimeError("a fault"))),
    Case("xml-malformed", wanted("POST", "/jobs", body=b"<CreateJobRequest>"), 400, "MalformedXML"),
    Case("xml-of-another-kind", wanted("POST", "/jobs", body=b"<Delete/>"), 400, "MalformedXML"),
    Case("xml-with-entity", wanted("POST", "/jobs", body=b"<!DOCTYPE a [<!ENTITY x 'y'>]><a/>"), 400, "MalformedXML"),
    Case("element-unknown", edited(b"<Priority>", b"<Tags>x</Tags><Priority>"), 400, "MalformedXML"),
    Case("manifest-faulty", create(spec=[("Format", "COSBatchOperations_CSV_V1")]), 400, "MalformedXML"),
    Case("operation-missing", create(operation=[]), 400, "MalformedXML"),
    Case("operation-faulty", create(operation=go_sdk.copy_operation(target="cold")), 400, "MalformedXML"),
    Case("operations-two", create(operation=[*RESTORE, *DELETE]), 400, "MalformedXML"),
    Case(
        "metadata-beside-copy",
        create(
            operation=go_sdk.copy_operation(
                ("MetadataDirective", "Copy"), ("NewObjectMetadata", [("CacheControl", "no-store")])
            )
        ),
        400,
        "MalformedXML",
    ),
    Case("report-faulty", create(report=[("Enabled", "yes"), ("ReportScope", "Some")]), 400, "MalformedXML"),
    Case("job-unknown", wanted("GET", NO_JOB), 404, "NoSuchJob"),
    Case(
        "job-of-another-account",
        wanted("GET", JOB),
        404,
        "NoSuchJob",
        prepare=one_job(),
        sign=lambda request: signed(
            request.with_headers(
                host=f"{THEIRS.caller.account.uin}.cos-control.ap-guangzhou.myqcloud.com",
                x_cos_appid=THEIRS.caller.account.appid,
            ),
            THEIRS,
        ),
    ),
    Case(
        "job-of-another-region",
        wanted("GET", JOB, host=f"{MINE.caller.account.uin}.cos-control.ap-shanghai.myqcloud.com"),
        404,
        "NoSuchJob",
        prepare=one_job(),
    ),
    Case(
        "priority-of-a-finished-job",
        wanted("POST", f"{JOB}/priority", {"priority": "1"}),
        404,
        "NoSuchJob",
        prepare=one_job(*TO_COMPLETE),
    ),
    Case("ledger-unavailable", create(), 500, "ServiceUnavailable", prepare=service_says(LedgerUnavailable("gone"))),
    Case(
        "store-unavailable",
        create(),
        500,
        "ServiceUnavailable",
        prepare=service_says(StorageError(StorageReason.SERVER_ERROR, "busy")),
    ),
    Case("too-many-jobs", create(token="2"), 500, "TooManyJobs", prepare=one_job(), max_unfinished_jobs=1),
    Case("delete-before-the-report", wanted("DELETE", JOB), 400, "InvalidRequest", prepare=one_job(*TO_COMPLETE)),
    # generic errors of COS (7.6)
    Case("not-signed", wanted("GET", "/jobs"), 403, "AccessDenied", sign=unsigned),
    Case(
        "signature-wrong",
        wanted("GET", "/jobs"),
        403,
        "SignatureDoesNotMatch",
        sign=lambda request: signed(request, secret="another"),
    ),
    Case(
        "signature-over", wanted("GET", "/jobs").with_headers(authorization=EXPIRED), 403, "AccessDenied", sign=unsigned
    ),
    Case(
        "signature-ahead",
        wanted("GET", "/jobs").with_headers(authorization=AHEAD),
        403,
        "RequestTimeTooSkewed",
        sign=unsigned,
    ),
    Case(
        "signature-incomplete",
        wanted("GET", "/jobs").with_headers(authorization="q-sign-algorithm=sha1"),
        400,
        "InvalidArgument",
        sign=unsigned,
    ),
    Case(
        "key-unknown",
        wanted("GET", "/jobs"),
        403,
        "InvalidAccessKeyId",
        sign=lambda request: signed(request, signing_key(3)),
    ),
    Case(
        "token-invalid",
        wanted("GET", "/jobs").with_headers(x_cos_security_token="other"),
        400,
        "InvalidToken",
        sign=lambda request: signed(request, TEMPORARY),
    ),
    Case("viewer", create(), 403, "AccessDenied", sign=lambda request: signed(request, VIEWER)),
    Case(
        "appid-of-another-account", wanted("GET", "/jobs").with_headers(x_cos_appid="1250000002"), 403, "AccessDenied"
    ),
    Case(
        "host-of-another-account",
        wanted("GET", "/jobs", host=f"{THEIRS.caller.account.uin}.cos-control.ap-guangzhou.myqcloud.com"),
        403,
        "AccessDenied",
    ),
    Case("method-not-allowed", wanted("PUT", "/jobs"), 405, "MethodNotAllowed"),
    Case("digest-wrong", create().with_headers(content_md5="1B2M2Y8AsgTpgAmY7PhCfg=="), 400, "BadDigest"),
    Case("digest-no-digest", create().with_headers(content_md5="abc"), 400, "InvalidDigest"),
    Case("body-too-large", wanted("POST", "/jobs", body=b"<a>" + b" " * 512 * 1024), 400, "XMLSizeLimit"),
]


async def play(case: Case) -> tuple[httpx.Request, httpx.Response]:
    """The request of a case and its answer."""
    async with cos_rig(max_unfinished_jobs=case.max_unfinished_jobs) as rig:
        job_id = await case.prepare(rig)
        request = case.request
        if job_id:
            request = Wanted(
                method=request.method,
                path=request.path.format(job=job_id),
                query=request.query,
                headers=request.headers,
                body=request.body,
            )
        sent = case.sign(request)
        return sent, await rig.client.send(sent)


def written(sent: httpx.Request, response: httpx.Response) -> str:
    """As a golden file holds it: job ids and times are numbered, the signature, which is of this hour, is left out."""
    request_line = f"{sent.method} {sent.url.raw_path.decode()} HTTP/1.1"
    body = sent.content.decode() if len(sent.content) < 10_000 else f"({len(sent.content)} bytes)"
    parts = [
        request_line,
        *sorted(f"{name}: {value}" for name, value in sent.headers.items()),
        "",
        body,
        "",
        f"HTTP/1.1 {response.status_code}",
        *sorted(f"{name}: {value}" for name, value in response.headers.items()),
        "",
        response.text,
        "",
    ]
    text = _STRING_TO_SIGN.sub("(string to sign)", _SIGNATURE.sub("(signature)", "\n".join(parts)))
    return _numbered(_TIME, "time", _numbered(_JOB_ID, "job", text))


def _numbered(pattern: re.Pattern[str], name: str, text: str) -> str:
    known = {found: f"({name} {number})" for number, found in enumerate(dict.fromkeys(pattern.findall(text)), 1)}
    return pattern.sub(lambda found: known[found[0]], text)


async def _write_all() -> None:
    for case in [*CALLS, *ERRORS]:
        sent, response = await play(case)
        (GOLDEN / f"{case.name}.http").write_text(written(sent, response), encoding="utf-8", newline="")


if __name__ == "__main__":
    asyncio.run(_write_all())
