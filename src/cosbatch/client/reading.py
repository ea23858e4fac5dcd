"""What the API answers, as the dataclasses of the model.

Fields that are not known here are passed over: a newer service may have more of them. A value that is not known, of a
status say, is not: the program that uses it could not know what it means.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from cosbatch.client.refusals import Refusal
from cosbatch.client.transport import ApiAnswer
from cosbatch.model.errors import CosbatchError, FailureCode
from cosbatch.model.identifiers import AccountId, Bucket, JobId, ObjectKey
from cosbatch.model.jobs import Hold, Job, JobEvent, JobRequest, ListedTotals, PausedBy, PlanFindings
from cosbatch.model.manifests import FailedRows, ManifestLocation
from cosbatch.model.regions import Versioning
from cosbatch.model.reports import CodeTally, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus
from cosbatch.service.documents import Document
from cosbatch.service.job_schema import parse_job

T = TypeVar("T")
Content = Mapping[str, Any]
_ARN_BEGINS: Final = "arn:aws:s3:::"


def read(answer: ApiAnswer, shape: Callable[[Any], T]) -> T:
    """Raises :class:`Refusal` for a success that this version of the client does not understand."""
    try:
        return shape(json.loads(answer.body))
    except (ValueError, KeyError, TypeError, AttributeError, CosbatchError) as error:
        message = f"the service's answer is not understood ({error!r}); use a client of the service's own version"
        raise Refusal("UnknownAnswer", message, http_status=answer.status) from error


def job_of(content: Content) -> Job:
    progress, report = content["progress_summary"], content["report"]
    failure = next(iter(content["failure_reasons"]), None)
    return Job(
        id=JobId(content["job_id"]),
        account=AccountId(content["account"]),
        request=_request_of(content["request"]),
        status=JobStatus(content["status"]),
        priority=content["priority"],
        created_at=seconds_of(content["creation_time"]),
        changed_at=seconds_of(content["changed_time"]),
        planned_rows=progress["planned_rows"],
        total=progress["total_number_of_tasks"],
        chunk_count=progress["planned_chunks"],
        chunks_closed=progress["closed_chunks"],
        tally=_tally_of(content),
        report_state=ReportState(report["state"]),
        report_location=report["location"],
        status_reason=content["status_update_reason"],
        failure_code=FailureCode(failure["failure_code"]) if failure else None,
        failure_reason=failure["failure_reason"] if failure else "",
        paused_by=_if_there(content["paused_by"], PausedBy),
        suspended_at=_if_there(content["suspended_date"], seconds_of),
        suspended_cause=content["suspended_cause"],
        started_at=_if_there(content["started_time"], seconds_of),
        ended_at=_if_there(content["termination_date"], seconds_of),
        token=content["client_request_token"] or content["job_id"],
        hold=_if_there(content["hold"], _hold_of),
        findings=_if_there(content["findings"], _findings_of),
        creator=content["creator"],
    )


def _request_of(content: Content) -> JobRequest:
    """A manifest in the service's work area is shown, and can be asked for in no document: another one stands in for
    it while the rest is read."""
    location: Content = content["manifest"]["location"]
    failed = location.get("retry_of")
    if failed is None:
        return _parsed(content)
    bucket, _, key = location["object_arn"].removeprefix(_ARN_BEGINS).partition("/")
    own = ManifestLocation(
        bucket=Bucket(bucket),
        key=ObjectKey(key),
        etag=location["etag"],
        retry_of=FailedRows(job_id=JobId(failed["job_id"]), error_code=failed.get("error_code", "")),
    )
    shown = {**content["manifest"], "location": {"object_arn": f"{_ARN_BEGINS}stand-in/manifest.json"}}
    request = _parsed({**content, "manifest": shown})
    return replace(request, manifest=replace(request.manifest, location=own))


def _parsed(content: Content) -> JobRequest:
    return parse_job(Document(content=content, lines={}), lowest_priority=0).request


def event_of(job_id: JobId, content: Content) -> JobEvent:
    return JobEvent(
        job_id=job_id,
        at=seconds_of(content["at"]),
        actor=Actor(content["actor"]),
        kind=content["kind"],
        status=JobStatus(content["status"]),
        reason=content["reason"],
        by=content["by"],
    )


def _tally_of(content: Content) -> Tally:
    progress = content["progress_summary"]
    return Tally(
        succeeded=progress["number_of_tasks_succeeded"],
        failed=progress["number_of_tasks_failed"],
        skipped=progress["number_of_tasks_skipped"],
        bytes_done=progress["bytes_done"],
        requests=progress["requests"],
        codes={
            code: CodeTally(count=found["count"], samples=tuple(found["sample_keys"]))
            for code, found in content["failures_by_code"].items()
        },
        ignored_options=dict(content["ignored_options"]),
    )


def _hold_of(content: Content) -> Hold:
    return Hold(bucket=content["bucket"], reason=content["reason"], since=seconds_of(content["since"]))


def _findings_of(content: Content) -> PlanFindings:
    return PlanFindings(
        source_bucket=Bucket(content["source_bucket"]),
        source_versioning=Versioning(content["source_versioning"]),
        target_versioning=Versioning(content["target_versioning"]),
        manifest_etag=content["manifest_etag"],
        shared_targets=content["shared_targets"],
        listed=_if_there(content["listed"], _listed_of),
    )


def _listed_of(content: Content) -> ListedTotals:
    return ListedTotals(
        rows=content["rows"],
        not_sent=content["not_sent"],
        size_bytes=content["size_bytes"],
        large=content["large"],
        parts=content["parts"],
    )


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def wire_time(unix_seconds: float | None) -> str | None:
    """As queries have it: RFC 3339."""
    return None if unix_seconds is None else datetime.fromtimestamp(unix_seconds, tz=UTC).isoformat()


def _if_there(value: Any, read_it: Callable[[Any], T]) -> T | None:
    return None if value is None else read_it(value)
