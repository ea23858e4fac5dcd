"""One shape for all that goes wrong in the API, whoever found it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cosbatch.model.errors import (
    AuthenticationReason,
    CosbatchError,
    Fault,
    IllegalMove,
    InvalidArgument,
    LedgerError,
    MalformedDocument,
    ManifestFaulty,
    NotAuthenticated,
    RequestError,
    RoleNotAssumed,
    ServiceUnavailable,
    StorageError,
    TokenReused,
    TooManyAttempts,
    TooManyJobs,
)
from cosbatch.service.faults import fault_of
from cosbatch.web.calls import REQUEST_ID
from cosbatch.web.rest.calls import Call

CALL: Final = "rest_call"
"""Where the gate leaves the :class:`Call` in the request's state."""
NO_STORE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_SOON_SECONDS: Final = 5
_log = structlog.get_logger(__name__)


class RestRefusal(RequestError):
    """A refusal of the API's own, with the code and status that it says."""

    def __init__(self, code: str, message: str, *, http_status: int, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, faults=faults)
        self.code = code
        self.http_status = http_status


# --- the shape


class FaultShape(BaseModel):
    """One thing wrong with what was sent."""

    path: str = Field(description="Where it is: `manifest.spec.fields[2]`, `limit`; empty: the whole.")
    value: str = Field(description="What stands there, shortened; empty where nothing does or it may be a secret.")
    problem: str
    way_out: str = Field(description="What to write instead; may be empty.")


class ErrorShape(BaseModel):
    code: str = Field(description="One of a closed list: see `error_codes` of `get_capabilities`.")
    message: str
    request_id: str = Field(description="The same as in the header `x-request-id`, and in the service's log.")
    faults: list[FaultShape]


class ErrorAnswer(BaseModel):
    """What every refusal looks like."""

    error: ErrorShape


# --- codes and statuses

_OF_CLASS: Final[Sequence[tuple[type[CosbatchError], str, int]]] = (
    (NotAuthenticated, "NotAuthenticated", 401),
    (IllegalMove, "IllegalMove", 409),
    (TokenReused, "TokenReused", 409),
    (TooManyJobs, "TooManyJobs", 409),
    (MalformedDocument, "MalformedDocument", 400),
    (ServiceUnavailable, "ServiceUnavailable", 503),
    (LedgerError, "ServiceUnavailable", 503),
    (StorageError, "StoreUnavailable", 503),
    (ManifestFaulty, "ManifestFaulty", 400),
    (RoleNotAssumed, "RoleNotAssumed", 409),
)
"""Where the API says it otherwise than COS's wire. The first that fits counts."""

ERROR_CODES: Final[Mapping[str, str]] = {
    "AccessDenied": "403: the caller is known, and may not do this; the message says what is missing.",
    "AccessDeniedOnManifest": "409: the store does not let the manifest be read; the message says what is missing.",
    "BodyTooLarge": "413: no call needs so long a body.",
    "CsrfRefused": "403: a write of a session without its CSRF token, or with that of another session.",
    "EntityAlreadyExists": "409: another thing of that kind has that name.",
    "ExpiredToken": "401: the API token's time is over.",
    "IllegalMove": "409: the job's status does not allow it; the message says what it allows.",
    "InternalError": "500: a fault of the service; its log has more under the request id.",
    "InvalidArgument": "400: one or more fields have values that they may not have: see `faults`.",
    "InvalidRequest": "400: what was asked cannot be done so.",
    "InvalidToken": "401: there is no such session or API token, or it was ended.",
    "MalformedDocument": "400: the body is no JSON that can be read: see `faults` for the place.",
    "ManifestETagMismatch": "409: the manifest was changed while it was looked at.",
    "ManifestFaulty": "400: the manifest cannot be used: see `faults`.",
    "ManifestNotFound": "404: the store has no such manifest.",
    "MethodNotAllowed": "405: the path has no such method; the header `allow` lists what it has.",
    "NoSuchBucket": "404: the store has no such bucket.",
    "NoSuchEntity": "404: nothing of that kind has that name in the account.",
    "NoSuchJob": "404: no job of the account has that id.",
    "NoSuchPath": "404: there is no such path.",
    "NoSuchRole": "404: no role of the account has that name.",
    "NoSuchResults": "409: no task came to that, or the results of the job are not kept any more.",
    "NotAuthenticated": "401: nobody knows who calls: log in, or send an API token.",
    "OriginRefused": "403: a write that comes from a page of another origin.",
    "RegionMismatch": "409: the bucket lies in another region than was named.",
    "RoleNotAssumed": "409: the role's provider gives no credentials.",
    "ServiceUnavailable": "503: the service cannot do it now; `retry-after` says when to try again.",
    "StoreRefused": "409: the object store has looked at the request and said no.",
    "StoreUnavailable": "503: the object store said no, or did not answer.",
    "TokenReused": "409: the client request token belongs to another request.",
    "TooManyAttempts": "429: too many logins; `retry-after` says when to try again.",
    "TooManyCalls": "429: more calls than this credential may make; `retry-after` says when to try again.",
    "TooManyJobs": "409: the account's quota of unfinished jobs is used up.",
    "UnsupportedMediaType": "415: the body is not `application/json`.",
}
"""Every code of the API, and its status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A refusal, ready to be written."""

    code: str
    status: int
    message: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def told_of(error: Exception) -> Told:
    """How the API says it. Whatever is no refusal is a fault of the service, of which nothing more is told."""
    if not isinstance(error, CosbatchError):
        return _broken()
    if isinstance(error, NotAuthenticated):
        return _unknown_caller(error)
    for kind, code, status in _OF_CLASS:
        if isinstance(error, kind):
            return Told(
                code=code,
                status=status,
                message=_message(error),
                faults=getattr(error, "faults", ()),
                headers={"retry-after": str(_SOON_SECONDS)} if status == 503 else {},
            )
    if isinstance(error, RequestError):
        retry = math.ceil(error.retry_after_seconds) if isinstance(error, TooManyAttempts) else None
        headers = {} if retry is None else {"retry-after": str(max(retry, 1))}
        return Told(
            code=error.code, status=error.http_status, message=error.message, faults=error.faults, headers=headers
        )
    return _broken()


def _message(error: CosbatchError) -> str:
    if isinstance(error, LedgerError):
        return "the service cannot reach its records now; try again in a moment"
    return str(getattr(error, "message", error))


def _unknown_caller(error: NotAuthenticated) -> Told:
    is_plain = error.reason is AuthenticationReason.MISSING
    code = "NotAuthenticated" if is_plain else error.code
    challenge = 'Bearer realm="cosbatch"' + ("" if is_plain else ', error="invalid_token"')
    return Told(code=code, status=401, message=error.message, headers={"www-authenticate": challenge})


def _broken() -> Told:
    message = "a fault of the service; its log has more under this request id"
    return Told(code="InternalError", status=500, message=message)


# --- where they are told


def tell_errors(app: FastAPI) -> None:
    """Every error that comes out of a call of ``app`` is told in the one shape."""
    for kind in (CosbatchError, Exception):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, LedgerError | StorageError) or error.__cause__ is not None:
        _log.warning("not answered", wire="rest", cause=str(error.__cause__ or error))
    return answer_of(request, told_of(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    call: Call | None = request.scope["state"].get(CALL)
    faults = [_fault(detail, hides=call is None or call.has_secrets) for detail in error.errors()]
    told = told_of(InvalidArgument("the call cannot be made as it was sent", faults=faults))
    return answer_of(request, told)


def _fault(detail: ErrorDetails, *, hides: bool) -> Fault:
    """FastAPI says first where it looked: ``body``, ``query``, ``path``, ``header``."""
    inside: ErrorDetails = {**detail, "loc": tuple(detail["loc"][1:])}
    found = fault_of(inside)
    is_guess = detail["type"] in ("extra_forbidden", "missing")  # a secret may stand under a wrong name
    return Fault(
        path=found.path, value="" if hides or is_guess else found.value, problem=found.problem, way_out=found.way_out
    )


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status_code == 404:
        told = Told(code="NoSuchPath", status=404, message="there is no such path in the API", headers=headers)
    elif error.status_code == 405:
        allowed = ", ".join(_methods_at(request))
        message = f"the path has no such method, only {allowed}"
        told = Told(code="MethodNotAllowed", status=405, message=message, headers={**headers, "allow": allowed})
    else:
        told = Told(code="InvalidRequest", status=error.status_code, message=error.detail, headers=headers)
    return answer_of(request, told)


def _methods_at(request: Request) -> list[str]:
    """Of the path that was called: each of them is a route of its own."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    routes = [route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path)]
    return sorted({method for route in routes for method in route.methods or ()})


def answer_of(request: Request, told: Told) -> Response:
    faults = [
        {"path": fault.path, "value": fault.value, "problem": fault.problem, "way_out": fault.way_out}
        for fault in told.faults
    ]
    request_id = request.scope.get("state", {}).get(REQUEST_ID, "")
    content = {"error": {"code": told.code, "message": told.message, "request_id": request_id, "faults": faults}}
    return JSONResponse(content, status_code=told.status, headers={**NO_STORE, **told.headers})
