"""COS's wire: ``/jobs...``, as cos-go-sdk-v5 and Terraform call it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from cosbatch.identity.callers import KeyLookup
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    IllegalMove,
    InvalidArgument,
    LedgerError,
    NoSuchJob,
    RequestError,
    StorageError,
)
from cosbatch.model.identifiers import JobId, RegionName
from cosbatch.model.jobs import Job, JobRequest
from cosbatch.model.principals import UserRole
from cosbatch.model.states import JobStatus
from cosbatch.service.documents import Document
from cosbatch.service.job_schema import parse_job
from cosbatch.service.service import JobService, Repeat
from cosbatch.web.bodies import read_body
from cosbatch.web.calls import CALLER, JOB_ID
from cosbatch.web.cos_gate import CosCall, CosGate
from cosbatch.wire import cos_answers as answers
from cosbatch.wire.cos_errors import CosCode, CosRefusal, cos_error, write_error
from cosbatch.wire.cos_requests import (
    BODY_MAX_BYTES,
    CreateJobCall,
    read_create_job,
    read_list_jobs,
    read_priority,
    read_update_job_status,
)

CONFIRM_WAIT_SECONDS: Final = 20.0
"""How long a confirmation waits for its job's plan: Terraform sends it in the moment that the job is made."""
LISTED_SECONDS: Final = 90 * 86_400
"""COS lists the jobs of the last 90 days; each of them can be described for as long as it is kept."""
_CONFIRM_LOOK_SECONDS: Final = 0.25
_PLANNING: Final = (JobStatus.NEW, JobStatus.PREPARING)
_ID: Final = "*"
_log = structlog.get_logger(__name__)


def cos_routes(
    service: JobService,
    *,
    keys: KeyLookup,
    clock: Clock,
    new_request_id: Callable[[], str] | None = None,
    confirm_wait_seconds: float = CONFIRM_WAIT_SECONDS,
) -> list[Route]:
    """Everything below ``/jobs``; what is no call of COS's there is answered in XML too."""
    wire = _CosWire(
        service,
        gate=CosGate(keys, clock=clock),
        clock=clock,
        new_request_id=new_request_id or (lambda: _request_id(clock.now())),
        confirm_wait_seconds=confirm_wait_seconds,
    )
    below = Route("/jobs/{rest:path}", endpoint=wire, name="cos-job", include_in_schema=False)
    below.path_regex = re.compile(below.path_regex.pattern, re.DOTALL)  # a line's end may stand in a path, encoded
    return [Route("/jobs", endpoint=wire, name="cos-jobs", include_in_schema=False), below]


def _request_id(unix_seconds: float) -> str:
    """In the form of COS's own: the base64 text of time and random digits."""
    random = os.urandom(8).hex()
    return base64.b64encode(f"{int(unix_seconds):08x}_{random[:8]}_{random[8:12]}_{random[12:]}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """A call that was let in, with its job (empty for those of all jobs) and its body."""

    call: CosCall
    job_id: JobId
    body: bytes
    notes: MutableMapping[str, object]
    """The state of the request: what the log tells of the call."""


class _CosWire:
    """An ASGI application."""

    def __init__(
        self,
        service: JobService,
        *,
        gate: CosGate,
        clock: Clock,
        new_request_id: Callable[[], str],
        confirm_wait_seconds: float,
    ) -> None:
        self._service = service
        self._gate = gate
        self._clock = clock
        self._new_request_id = new_request_id
        self._confirm_wait_seconds = confirm_wait_seconds
        self._calls: Mapping[tuple[str, ...], Mapping[str, Callable[[_Arrived], Awaitable[bytes | None]]]] = {
            ("jobs",): {"POST": self._create_job, "GET": self._list_jobs},
            ("jobs", _ID): {"GET": self._describe_job, "DELETE": self._delete_job},
            ("jobs", _ID, "priority"): {"POST": self._update_job_priority},
            ("jobs", _ID, "status"): {"POST": self._update_job_status},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id = self._new_request_id()
        with structlog.contextvars.bound_contextvars(request_id=request_id, method=request.method, path=scope["path"]):
            try:
                response = await self._answer(request)
            except ClientDisconnect:
                return
            except Exception as error:
                # Whatever goes wrong, the client is told in its own language, under an id that the log has too.
                response = _error_response(error, request, request_id=request_id)
        response.headers["x-cos-request-id"] = request_id
        response.headers["server"] = "tencent-cos"
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        call = await self._gate.let_in(request)
        notes = request.scope.setdefault("state", {})
        notes[CALLER] = call.caller
        answer, job_id = self._find(request.method, request.scope["path"])
        notes[JOB_ID] = job_id
        body = await read_body(request, limit_bytes=BODY_MAX_BYTES)
        content = await answer(_Arrived(call=call, job_id=job_id, body=body, notes=notes))
        if content is None:
            return Response(status_code=204)
        return Response(content, media_type="application/xml")

    def _find(self, method: str, path: str) -> tuple[Callable[[_Arrived], Awaitable[bytes | None]], JobId]:
        steps = path.split("/")[1:]
        job_id = steps[1] if len(steps) > 1 else ""
        by_method = self._calls.get((*steps[:1], *([_ID] if len(steps) > 1 else []), *steps[2:]))
        if by_method is None:
            raise RequestError("there is no such call; known are /jobs, /jobs/<JobId>, and its /priority and /status")
        if len(steps) > 1 and not job_id:
            raise RequestError("the JobId is missing")
        if method not in by_method:
            allowed = ", ".join(by_method)
            message = f"{method[:20]} is not possible here, only {allowed}"
            raise CosRefusal(CosCode.METHOD_NOT_ALLOWED, message, headers={"allow": allowed})
        return by_method[method], JobId(job_id)

    # --- the calls

    async def _create_job(self, arrived: _Arrived) -> bytes:
        written = read_create_job(arrived.body)
        request, token = _parsed(written, region=arrived.call.region)
        job = await self._service.create_job(request, caller=arrived.call.caller, token=token, repeat=Repeat.REFUSE)
        arrived.notes[JOB_ID] = job.id
        return answers.write_create_job(job)

    async def _list_jobs(self, arrived: _Arrived) -> bytes:
        asked = read_list_jobs(arrived.call.query)
        page = await self._service.list_jobs(
            caller=arrived.call.caller,
            region=arrived.call.region,
            statuses=asked.statuses,
            created_after=self._clock.now() - LISTED_SECONDS,
            max_results=asked.max_results,
            next_token=asked.next_token,
        )
        return answers.write_list_jobs(page.jobs, next_token=page.next_token)

    async def _describe_job(self, arrived: _Arrived) -> bytes:
        return answers.write_describe_job(await self._job(arrived))

    async def _update_job_priority(self, arrived: _Arrived) -> bytes:
        priority = read_priority(arrived.call.query)
        await self._job(arrived)
        try:
            job = await self._service.update_job_priority(arrived.job_id, priority=priority, caller=arrived.call.caller)
        except IllegalMove as error:
            # COS says of a job that has ended what it says of one that never was.
            raise NoSuchJob(error.message) from error
        return answers.write_update_job_priority(job)

    async def _update_job_status(self, arrived: _Arrived) -> bytes:
        asked = read_update_job_status(arrived.call.query)
        job = await self._job(arrived)
        may = arrived.call.caller.role.may(UserRole.OPERATOR)
        if asked.requested_job_status is JobStatus.READY and job.request.confirmation_required and may:
            await self._until_planned(arrived)
        job = await self._service.update_job_status(
            arrived.job_id,
            requested_job_status=asked.requested_job_status,
            status_update_reason=asked.status_update_reason,
            caller=arrived.call.caller,
        )
        return answers.write_update_job_status(job)

    async def _until_planned(self, arrived: _Arrived) -> None:
        """Until the job waits for its confirmation, or has waited long enough to be told that it does not yet."""
        for _ in range(round(self._confirm_wait_seconds / _CONFIRM_LOOK_SECONDS)):
            if (await self._job(arrived)).status not in _PLANNING:
                return
            await asyncio.sleep(_CONFIRM_LOOK_SECONDS)

    async def _delete_job(self, arrived: _Arrived) -> None:
        await self._job(arrived)
        await self._service.delete_job(arrived.job_id, caller=arrived.call.caller)

    async def _job(self, arrived: _Arrived) -> Job:
        """NoSuchJob for one of another region than the host's."""
        job = await self._service.describe_job(arrived.job_id, caller=arrived.call.caller)
        if arrived.call.region not in (None, job.request.region):
            raise NoSuchJob(f"there is no job {arrived.job_id} in region {arrived.call.region}")
        return job


def _parsed(written: CreateJobCall, *, region: RegionName | None) -> tuple[JobRequest, str]:
    """The request and its token. Raises the error that has all faults, of shape and of values."""
    content = {**written.content, "region": region or written.manifest_region}
    try:
        parsed = parse_job(Document(content=content, lines={}), lowest_priority=0)
    except InvalidArgument as error:
        raise written.refusal(error.faults) from None
    if written.faults:
        raise written.refusal([])
    return replace(parsed.request, as_written=written.as_written), parsed.client_request_token


def _error_response(error: Exception, request: Request, *, request_id: str) -> Response:
    told = cos_error(error)
    if isinstance(error, LedgerError | StorageError):
        _log.warning("not answered", wire="cos", cause=str(error))
    elif not isinstance(error, RequestError):
        _log.error("internal error", wire="cos", exc_info=error)
    trace_id = base64.b64encode(hashlib.sha256(request_id.encode()).hexdigest().encode()).decode()
    resource = request.headers.get("host", "") + request.scope["path"]
    content = write_error(told, resource=resource, request_id=request_id, trace_id=trace_id)
    response = Response(content, status_code=told.http_status, media_type="application/xml")
    response.headers["x-cos-trace-id"] = trace_id
    if isinstance(error, CosRefusal):
        response.headers.update(error.headers)
    return response
