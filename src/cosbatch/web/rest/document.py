"""The OpenAPI document of the API, and the call that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse

from cosbatch.web.rest.callers import CSRF_HEADER, SESSION_COOKIE
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.errors import ErrorAnswer

_ERROR_SCHEMA: Final = "ErrorAnswer"
_TOKEN: Final = "token"  # noqa: S105  # the scheme's name
_SESSION: Final = "session"
_CSRF: Final = "csrf"
_ABOUT: Final = """The JSON API of cosbatch: everything that the service can do.

Calls name who makes them by an API token (`authorization: Bearer cosb_...`) or by a session cookie; writes of a session
also bring its CSRF token. Times are RFC 3339 in UTC, sizes are bytes. Every refusal has the shape `ErrorAnswer`.
"""
_MEANINGS: Final = {
    400: "What was sent cannot be done so: see `faults`.",
    401: "Nobody knows who calls.",
    403: "The caller is known, and may not do this.",
    404: "There is nothing of that name in the caller's account.",
    409: "It does not go with the present state.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    429: "Too many calls: try again after `retry-after` seconds.",
    500: "A fault of the service.",
    503: "The service cannot do it now: try again after `retry-after` seconds.",
}


def document_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/openapi.json",
            answer=get_openapi_document,
            access=Access.OPEN,
            tag="service",
            summary="Get this document",
            shape=dict[str, Any],
            example={"openapi": "3.1.0"},
        )
    ]


async def get_openapi_document(request: Request) -> JSONResponse:
    """OpenAPI 3.1, for programs that make clients or look at answers."""
    return JSONResponse(request.app.openapi())


def openapi_document(app: FastAPI, calls: Sequence[Call]) -> dict[str, Any]:
    """Plain values, the same each time for the same code."""
    made = get_openapi(
        title="cosbatch",
        version=app.version,
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=app.routes,
        servers=[{"url": PREFIX}],
        separate_input_output_schemas=False,
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(_error_schemas())
    made["components"]["securitySchemes"] = _schemes()
    for call in calls:
        _complete(made["paths"][call.path][call.method.lower()], call)
    return made


def _error_schemas() -> dict[str, Any]:
    made = ErrorAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**made.pop("$defs"), _ERROR_SCHEMA: made}


def _schemes() -> dict[str, Any]:
    return {
        _TOKEN: {"type": "http", "scheme": "bearer", "description": "An API token."},
        _SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION_COOKIE,
            "description": "Set by `log_in`; over TLS its name begins with `__Host-`.",
        },
        _CSRF: {
            "type": "apiKey",
            "in": "header",
            "name": CSRF_HEADER,
            "description": "For writes of a session: `csrf_token` of `log_in` and `get_session`.",
        },
    }


def _complete(operation: dict[str, Any], call: Call) -> None:
    operation["security"] = _security(call)
    operation["x-cosbatch-access"] = call.access.value
    answers = operation["responses"]
    answers.pop("422", None)
    usual = answers[str(call.status)]
    usual["description"] = "Done."
    if call.shape is None:
        usual.pop("content", None)
    for kind in call.media_types:
        usual.setdefault("content", {})[kind] = {"schema": {"type": "string"}}
    json_answer = usual.get("content", {}).get("application/json")
    if json_answer is not None and call.example is not None:
        json_answer["example"] = call.example
    for status, meaning in call.also.items():
        answers[str(status)] = {**usual, "description": meaning}
    if not call.writes:
        answers["304"] = {"description": "It is what `if-none-match` names."}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and call.asked is not None:
        body["example"] = call.asked
    for status, meaning in sorted(_refusals(call, has_body=body is not None).items()):
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_ERROR_SCHEMA}"}}}
        answers[str(status)] = {"description": meaning, "content": content}


def _security(call: Call) -> list[dict[str, list[str]]]:
    if call.access is Access.OPEN:
        return []
    session: dict[str, list[str]] = {_SESSION: []}
    if call.writes:
        session[_CSRF] = []
    return [{_TOKEN: []}, session]


def _refusals(call: Call, *, has_body: bool) -> dict[int, str]:
    statuses = [400, 429, 500, 503]
    if call.access is not Access.OPEN:
        statuses += [401, 403]
    if "{" in call.path:
        statuses.append(404)
    if call.writes:
        statuses.append(409)
    if has_body:
        statuses += [413, 415]
    return {status: _MEANINGS[status] for status in statuses} | dict(call.refusals)
