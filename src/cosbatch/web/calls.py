"""What every call meets before and after its wire: an id, limits on its body, one line in the log, its measures."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cosbatch.model.errors import RequestError, ServiceUnavailable
from cosbatch.model.identifiers import new_request_id
from cosbatch.model.principals import Caller
from cosbatch.web.heads import IS_TOO_MANY
from cosbatch.web.measures import CallMeasures

REQUEST_ID_HEADER: Final = "x-request-id"
REQUEST_ID: Final = "request_id"
CALLER: Final = "caller"
"""Where a wire leaves the :class:`Caller` in the request's state, once it knows who calls; and the job's id below."""
JOB_ID: Final = "job_id"
_OTHERS_ID: Final = re.compile(rb"[A-Za-z0-9._=-]{1,64}")
_PATH_SHOWN: Final = 200
_NO_WIRE: Final = "none"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    body_seconds: float = 60.0
    """How long a client may take to send a body. What a wire then does with it has limits of its own."""
    max_body_bytes: int = 2**20


class CallFrame:
    """An ASGI application around another one.

    A request id that a client or proxy has sent is kept if it looks like one. It is bound to every log line of the call
    (``request_id``), and every answer carries it. The query stays out of the log: a signature may stand there.
    """

    def __init__(self, app: ASGIApp, *, limits: CallLimits, measures: CallMeasures) -> None:
        self._app = app
        self._limits = limits
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        answer = _Answer(send, request_id=request_id)
        began = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id), self._measures.in_progress():
            scope.setdefault("state", {})[REQUEST_ID] = request_id
            app = _too_many if scope["state"].get(IS_TOO_MANY) else self._app
            try:
                await app(scope, _LimitedBody(scope, receive, self._limits), answer.send)
            except Exception as error:
                _log.exception("internal-error", error=repr(error))
                if not answer.is_whole:
                    raise  # half an answer is broken off, so that nobody takes it for a whole one
            finally:
                self._tell_of(scope, answer, seconds=time.perf_counter() - began)

    def _tell_of(self, scope: Scope, answer: _Answer, *, seconds: float) -> None:
        call = _route_name(scope)
        self._measures.answered(call=call, method=scope["method"], status=answer.status, seconds=seconds)
        client = scope.get("client")
        fields: dict[str, object] = {
            "method": scope["method"],
            "path": scope["path"][:_PATH_SHOWN],
            "status": answer.status,
            "duration_ms": round(seconds * 1000, 1),
            "address": client[0] if client else "",
        }
        _log.info("call", **fields, **_whose(scope), **_of_job(scope))


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """Nothing else is looked at, nor is a body waited for: there is no room."""
    error = {
        "code": ServiceUnavailable.code,
        "message": "the service has as many calls and connections as it may; repeat this one in a second",
        "request_id": scope["state"][REQUEST_ID],
    }
    headers = {"connection": "close", "retry-after": "1"}
    await JSONResponse({"error": error}, status_code=503, headers=headers)(scope, receive, send)


class _Answer:
    """What goes out: its status is kept, and the request id put on it."""

    def __init__(self, send: Send, *, request_id: str) -> None:
        self.status = 0
        """0 while nothing has gone out."""
        self.is_whole = False
        self._send = send
        self._header = (REQUEST_ID_HEADER.encode(), request_id.encode())

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), self._header]}
        await self._send(message)
        self.is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)


class _LimitedBody:
    """Gives a body piece by piece; RequestError, for the wire to tell, where it is too long or does not come."""

    def __init__(self, scope: Scope, receive: Receive, limits: CallLimits) -> None:
        self._receive = receive
        self._limits = limits
        self._left = limits.max_body_bytes
        self._announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        self._ends_at: float | None = None
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:  # all that can still come is that the client leaves
            return await self._receive()
        if self._announced.isdigit() and int(self._announced[:20]) > self._limits.max_body_bytes:
            raise self._too_long()
        now = asyncio.get_running_loop().time()
        self._ends_at = self._ends_at or now + self._limits.body_seconds
        try:
            async with asyncio.timeout_at(self._ends_at):
                message = await self._receive()
        except TimeoutError:
            raise RequestError(f"the body did not come within {self._limits.body_seconds:g} seconds") from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_long()
        self._is_whole = not message.get("more_body", False)
        return message

    def _too_long(self) -> RequestError:
        return RequestError(f"the body has more than {self._limits.max_body_bytes} bytes, which no call needs")


def current_request_id() -> str:
    """Of the call that is being answered."""
    return str(structlog.contextvars.get_contextvars()[REQUEST_ID])


def _request_id(scope: Scope) -> str:
    sent = next((value for name, value in scope["headers"] if name == REQUEST_ID_HEADER.encode()), b"")
    return sent.decode() if _OTHERS_ID.fullmatch(sent) else new_request_id()


def _route_name(scope: Scope) -> str:
    """Of the route that took the call: few names, whatever paths clients make up."""
    route = scope.get("route")
    name = getattr(route, "name", "")
    return name or _NO_WIRE


def _whose(scope: Scope) -> dict[str, object]:
    caller = scope.get("state", {}).get(CALLER)
    if not isinstance(caller, Caller):
        return {}
    return {"account": caller.account.id, "user": caller.user, "via": caller.via, "credential": caller.credential}


def _of_job(scope: Scope) -> dict[str, object]:
    job_id = scope.get("state", {}).get(JOB_ID)
    return {JOB_ID: job_id} if job_id else {}
