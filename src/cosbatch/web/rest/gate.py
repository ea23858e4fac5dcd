"""What every call of the API passes before and after its own function."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, Final

from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from cosbatch.identity.tokens import TokenScope, role_within
from cosbatch.model.errors import Fault, InvalidArgument, NotAllowed
from cosbatch.model.principals import Caller, UserRole
from cosbatch.service.audit import audited
from cosbatch.service.faults import nearest
from cosbatch.web.calls import CALLER, JOB_ID
from cosbatch.web.negotiation import has_already, takes_gzip
from cosbatch.web.rest.bodies import check_body
from cosbatch.web.rest.callers import address_of, check_origin, let_in
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import Desks
from cosbatch.web.rest.errors import CALL, NO_STORE
from cosbatch.web.rest.limits import CallCounts

GZIP_MIN_BYTES: Final = 4096
"""Smaller answers gain little. The session's is among them, whose CSRF token lengths shall not tell."""
_QUERY_MAX: Final = 100
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GatedRoute(APIRoute):
    """A route of FastAPI whose calls pass the gate of their application. (This is how FastAPI lets one do it.)"""

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()
        known = [field.alias for field in get_flat_params(self.dependant) if isinstance(field.field_info, Query)]
        operation_id, has_body = self.operation_id or "", self.body_field is not None

        async def gated(request: Request) -> Response:
            gate: Gate = request.app.state.gate
            return await gate.passed(operation_id, request, answer, query=known, has_body=has_body)

        return gated


class Gate:
    """Lets calls in, counts them, and looks at what they bring before any of it is used."""

    def __init__(self, calls: Collection[Call], *, desks: Desks, counts: CallCounts) -> None:
        self._calls = {call.operation_id: call for call in calls}
        self._desks = desks
        self._counts = counts

    async def passed(
        self,
        operation_id: str,
        request: Request,
        answer: Callable[[Request], Awaitable[Response]],
        *,
        query: Collection[str],
        has_body: bool,
    ) -> Response:
        """Who may not make a call learns nothing about what he has sent with it."""
        call = self._calls[operation_id]
        notes = request.scope["state"]
        notes[CALL] = call
        if call.proves_password:
            check_origin(request)
            self._counts.count_login(address_of(request))
        if call.access is not Access.OPEN:
            caller = await let_in(request, call, sign_in=self._desks.sign_in)
            notes[CALLER] = caller
            self._counts.count_call(caller.credential)
            await self._check_role(call, caller, target=request.path_params.get("job_id", ""))
        if "job_id" in request.path_params:
            notes[JOB_ID] = request.path_params["job_id"]
        _check_query(request, known=query)
        if has_body:
            await check_body(request)
        return _finished(await answer(request), request, call)

    async def _check_role(self, call: Call, caller: Caller, *, target: str) -> None:
        role = call.access.role
        if role is None or caller.role.may(role):
            return
        refusal = NotAllowed(_missing(call, caller, role))
        if not call.writes:
            raise refusal
        async with audited(self._desks.record, caller, call.operation_id.replace("_", "-"), target=target):
            raise refusal


def _missing(call: Call, caller: Caller, role: UserRole) -> str:
    what = call.summary[0].lower() + call.summary[1:]
    told = f"user {caller.user} calls as {caller.role} and may not {what}: that takes the role {role}"
    if caller.via != "rest":
        return told
    scopes = [scope for scope in TokenScope if role_within(UserRole.ADMIN, frozenset({scope})).may(role)]
    return f"{told}, and of the API token the scope {scopes[0]}"


def _check_query(request: Request, *, known: Collection[str]) -> None:
    """A parameter that nobody knows is a mistake that would else go unseen."""
    names = list(request.query_params)
    if len(request.query_params.multi_items()) > _QUERY_MAX:
        raise InvalidArgument(f"the call has more than {_QUERY_MAX} parameters")
    faults = [
        Fault(
            path=name[:200], value="", problem="is no parameter that is known here", way_out=nearest(name, known=known)
        )
        for name in names
        if name not in known
    ]
    if faults:
        raise InvalidArgument("the call cannot be made as it was sent", faults=faults)


def _finished(response: Response, request: Request, call: Call) -> Response:
    """Answers that are read may be kept by their reader, who asks each time whether they still hold."""
    for name, value in NO_STORE.items():
        response.headers.setdefault(name, value)
    if call.writes or response.status_code != 200:
        return response
    body = getattr(response, "body", None)  # what is streamed has none
    if not isinstance(body, bytes):
        return response
    response.headers["cache-control"] = "private, no-cache"
    response.headers["vary"] = "authorization, cookie, accept-encoding"
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    response.headers["etag"] = tag
    if has_already(request, tag):
        kept = {name: response.headers[name] for name in ("cache-control", "vary", "etag")}
        return Response(status_code=304, headers=kept)
    if len(body) >= GZIP_MIN_BYTES and takes_gzip(request):
        response.body = gzip.compress(body, compresslevel=5, mtime=0)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))
    return response
