"""The application: the routes of the wires and of the operators in one frame. The routes come from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from cosbatch.model.errors import RequestError
from cosbatch.web.calls import REQUEST_ID, CallFrame, CallLimits
from cosbatch.web.measures import CallMeasures

_CODES: Final = {404: "NoSuchPath", 405: "MethodNotAllowed"}


def create_app(routes: Sequence[BaseRoute], *, limits: CallLimits, measures: CallMeasures) -> ASGIApp:
    """A wire tells its errors itself, in its own form; whatever no wire has told is told as JSON."""
    inner = Starlette(
        routes=list(routes),
        exception_handlers={HTTPException: _no_route, RequestError: _refused, Exception: _broken},
    )
    inner.router.redirect_slashes = False  # a signature is of one path, not of another one beside it
    return CallFrame(inner, limits=limits, measures=measures)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, RequestError.code)
    return _told(request, code=code, message=error.detail, status=error.status_code, headers=error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return _told(request, code=error.code, message=str(error), status=error.http_status)


async def _broken(request: Request, error: Exception) -> Response:
    message = "a fault of the service; its log has more under this request id"
    return _told(request, code="InternalError", message=message, status=500)


def _told(
    request: Request, *, code: str, message: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    request_id = request.scope["state"][REQUEST_ID]
    content = {"error": {"code": code, "message": message, "request_id": request_id, "faults": []}}
    return JSONResponse(content, status_code=status, headers={"cache-control": "no-store", **(headers or {})})
