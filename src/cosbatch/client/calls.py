"""The calls of the API, each as what is sent and how its answer is read. Both clients are made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from cosbatch.client.reading import event_of, job_of, read
from cosbatch.client.refusals import error_of
from cosbatch.client.shapes import (
    FailureGroup,
    FollowUpJob,
    JobPace,
    Page,
    failure_group_of,
    failure_groups_of,
    follow_up_of,
    pace_of,
    summary_of,
    told_new,
)
from cosbatch.client.transport import ApiAnswer, ApiRequest
from cosbatch.model.identifiers import JobId
from cosbatch.model.job_summaries import JobSummary
from cosbatch.model.jobs import Job, JobEvent, JobRequest
from cosbatch.model.states import JobStatus
from cosbatch.service.job_document import request_document

T = TypeVar("T")
CREATED: Final = 201
NO_CONTENT: Final = 204
JobContent = Mapping[str, Any] | JobRequest
"""A job document, as a job file has it, or the request that one stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[T]):
    request: ApiRequest
    shape: Callable[[Any], T]
    may_repeat: bool
    """Made twice it does no more than once."""
    tell: Callable[[T, bool], T] | None = None
    """Puts into what was read whether something new was made."""
    is_download: bool = False
    """What it answers has gone into the request's sink."""

    def read(self, answer: ApiAnswer) -> T:
        if not 200 <= answer.status < 300:
            raise error_of(answer)
        if self.is_download or answer.status == NO_CONTENT:
            return self.shape(None)
        found = read(answer, self.shape)
        return found if self.tell is None else self.tell(found, answer.status == CREATED)


def create_job(job: JobContent, *, client_request_token: str = "") -> ApiCall[Job]:
    content = request_document(job) if isinstance(job, JobRequest) else dict(job)
    token = client_request_token or content.get("client_request_token", "")
    if token:
        content["client_request_token"] = token
    return ApiCall(request=_request("POST", "/jobs", content), shape=job_of, may_repeat=bool(token))


def describe_job(job_id: str) -> ApiCall[Job]:
    return ApiCall(request=_request("GET", _job(job_id)), shape=job_of, may_repeat=True)


def list_jobs(**query: Any) -> ApiCall[Page[JobSummary]]:
    request = _request("GET", "/jobs", query=_query(**query))
    return ApiCall(request=request, shape=partial(_page, summary_of), may_repeat=True)


def job_failures(job_id: str) -> ApiCall[tuple[FailureGroup, ...]]:
    return ApiCall(request=_request("GET", _job(job_id, "failures")), shape=failure_groups_of, may_repeat=True)


def job_failures_of_code(job_id: str, code: str) -> ApiCall[FailureGroup]:
    path = _job(job_id, "failures", quote(code, safe=""))
    return ApiCall(request=_request("GET", path), shape=failure_group_of, may_repeat=True)


def job_series(job_id: str, *, last: str) -> ApiCall[JobPace]:
    query = _query(range=last)
    return ApiCall(request=_request("GET", _job(job_id, "series"), query=query), shape=pace_of, may_repeat=True)


def job_events(job_id: str, *, cursor: str, limit: int) -> ApiCall[Page[JobEvent]]:
    query = _query(cursor=cursor, limit=limit)
    shape = partial(_page, partial(event_of, JobId(job_id)))
    return ApiCall(request=_request("GET", _job(job_id, "events"), query=query), shape=shape, may_repeat=True)


def update_job_priority(job_id: str, *, priority: int) -> ApiCall[Job]:
    request = _request("PUT", _job(job_id, "priority"), {"priority": priority})
    return ApiCall(request=request, shape=job_of, may_repeat=True)


def update_job_status(job_id: str, *, to: JobStatus, reason: str, count: int | None) -> ApiCall[Job]:
    content: dict[str, Any] = {"requested_job_status": str(to), "status_update_reason": reason}
    if count is not None:
        content["confirm_delete_count"] = count
    return ApiCall(request=_request("PUT", _job(job_id, "status"), content), shape=job_of, may_repeat=False)


def pause_job(job_id: str, *, reason: str) -> ApiCall[Job]:
    return ApiCall(request=_request("POST", _job(job_id, "pause"), {"reason": reason}), shape=job_of, may_repeat=False)


def resume_job(job_id: str, *, reason: str) -> ApiCall[Job]:
    return ApiCall(request=_request("POST", _job(job_id, "resume"), {"reason": reason}), shape=job_of, may_repeat=False)


def retry_failed(
    job_id: str, *, error_code: str, changes: Mapping[str, Any], client_request_token: str
) -> ApiCall[FollowUpJob]:
    return _follow_up(job_id, "retry", client_request_token, {"error_code": error_code, "changes": dict(changes)})


def clone_job(job_id: str, *, changes: Mapping[str, Any], client_request_token: str) -> ApiCall[FollowUpJob]:
    return _follow_up(job_id, "clone", client_request_token, {"changes": dict(changes)})


def redeliver_report(job_id: str) -> ApiCall[Job]:
    return ApiCall(request=_request("POST", _job(job_id, "redeliver-report")), shape=job_of, may_repeat=False)


def check_job(job: JobContent) -> ApiCall[Mapping[str, Any]]:
    content = request_document(job) if isinstance(job, JobRequest) else dict(job)
    return ApiCall(request=_request("POST", "/jobs:check", content), shape=_as_it_is, may_repeat=True)


def job_preflight(job_id: str) -> ApiCall[Mapping[str, Any]]:
    return ApiCall(request=_request("GET", _job(job_id, "preflight")), shape=_as_it_is, may_repeat=True)


def job_estimate(job_id: str) -> ApiCall[Mapping[str, Any] | None]:
    return ApiCall(request=_request("GET", _job(job_id, "estimate")), shape=_estimate, may_repeat=True)


def _estimate(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = content["estimate"]
    return found


def download_report(job_id: str, sink: Callable[[bytes], object], *, form: str, scope: str, code: str) -> ApiCall[None]:
    return _download(_job(job_id, "report"), sink, _query(format=form, scope=scope, code=code))


def download_summary(job_id: str, sink: Callable[[bytes], object], *, form: str) -> ApiCall[None]:
    return _download(_job(job_id, "summary"), sink, _query(format=form))


def _download(path: str, sink: Callable[[bytes], object], query: tuple[tuple[str, str], ...]) -> ApiCall[None]:
    """Not made again: the sink may have got a part of it."""
    request = ApiRequest(method="GET", path=path, query=query, sink=sink)
    return ApiCall(request=request, shape=_nothing, may_repeat=False, is_download=True)


def _follow_up(job_id: str, what: str, token: str, content: dict[str, Any]) -> ApiCall[FollowUpJob]:
    if token:
        content["client_request_token"] = token
    request = _request("POST", _job(job_id, what), content)
    return ApiCall(request=request, shape=follow_up_of, may_repeat=bool(token), tell=told_new)


def delete_job(job_id: str) -> ApiCall[None]:
    return ApiCall(request=_request("DELETE", _job(job_id)), shape=_nothing, may_repeat=False)


def any_call(method: str, path: str, *, query: Mapping[str, Any], body: Any) -> ApiCall[Any]:
    """A call that has no method of its own here; its answer as JSON has it."""
    request = _request(method, path, body, query=_query(**query))
    return ApiCall(request=request, shape=_as_it_is, may_repeat=method == "GET")


def _request(method: str, path: str, content: Any = None, *, query: tuple[tuple[str, str], ...] = ()) -> ApiRequest:
    if content is None:
        return ApiRequest(method=method, path=path, query=query)
    body = json.dumps(content, ensure_ascii=False).encode()
    return ApiRequest(method=method, path=path, query=query, body=body, headers={"content-type": "application/json"})


def _job(job_id: str, *below: str) -> str:
    return "/".join(["/jobs", quote(job_id, safe=""), *below])


def _query(**given: Any) -> tuple[tuple[str, str], ...]:
    """Without what is not given; a list is named once for each of its members."""
    pairs = []
    for name, value in given.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values if one is not None and one != ""]
    return tuple(pairs)


def _page(shape: Callable[[Any], T], content: Mapping[str, Any]) -> Page[T]:
    return Page(items=tuple(shape(item) for item in content["items"]), next_cursor=content["next_cursor"] or "")


def _nothing(_: Any) -> None:
    return None


def _as_it_is(content: Any) -> Any:
    return content
