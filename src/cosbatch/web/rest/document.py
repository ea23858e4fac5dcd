"""The OpenAPI document of the API, and the call that answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from copy import deepcopy
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

_HEADERS: Final[dict[str, Any]] = {
    "etag": {"description": "For `if-none-match` of the next call.", "schema": {"type": "string"}},
    "location": {"description": "Path of what was made.", "schema": {"type": "string"}},
    "retry-after": {"description": "Seconds.", "required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "www-authenticate": {"description": "How to say who calls.", "required": True, "schema": {"type": "string"}},
}
_HEADERS_OF: Final = {"retry-after": (429, 503), "www-authenticate": (401,)}
_USED: Final = re.compile(r'"#/components/schemas/([^"]+)"')
_ROLE: Final = re.compile(r":\w+:`~?([^`]+)`")


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
    made["components"]["responses"] = {_name_of(status): _refusal(status, text) for status, text in _MEANINGS.items()}
    made["components"]["headers"] = deepcopy(_HEADERS)
    made["components"]["securitySchemes"] = _schemes()
    for call in calls:
        _complete(made["paths"][call.path][call.method.lower()], call)
    _drop_unused(made, schemas)
    _tidy(made)
    return made


def _drop_unused(made: dict[str, Any], schemas: dict[str, Any]) -> None:
    """What a field of ours is read into stands there too, though no field shows it."""
    while unused := schemas.keys() - set(_USED.findall(json.dumps(made))):
        for name in unused:
            del schemas[name]


def _tidy(written: Any) -> None:
    """Docstrings become descriptions: in Markdown, without the marks of another language."""
    if isinstance(written, list):
        for member in written:
            _tidy(member)
    elif isinstance(written, dict):
        if isinstance(written.get("description"), str):
            written["description"] = _ROLE.sub(r"`\1`", written["description"]).replace("``", "`").strip()
        for member in written.values():
            _tidy(member)


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
    if call.status == 201:
        usual["headers"] = {"location": {"$ref": "#/components/headers/location"}}
    if not call.writes:
        usual["headers"] = {"etag": {"$ref": "#/components/headers/etag"}}
        answers["304"] = {"description": "It still is what `if-none-match` names."}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and call.asked is not None:
        body["example"] = call.asked
    for status in sorted(_refusals(call, has_body=body is not None)):
        answers[str(status)] = {"$ref": f"#/components/responses/{_name_of(status)}"}
    for status, meaning in call.refusals.items():
        answers[str(status)] = _refusal(status, meaning)
    operation["responses"] = {status: answers[status] for status in sorted(answers)}


def _name_of(status: int) -> str:
    return f"Refused{status}"


def _refusal(status: int, meaning: str) -> dict[str, Any]:
    headers = [name for name, statuses in _HEADERS_OF.items() if status in statuses]
    return {
        "description": meaning,
        **({"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers}} if headers else {}),
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_ERROR_SCHEMA}"}}},
    }


def _security(call: Call) -> list[dict[str, list[str]]]:
    if call.access is Access.OPEN:
        return []
    session: dict[str, list[str]] = {_SESSION: []}
    if call.writes:
        session[_CSRF] = []
    return [{_TOKEN: []}, session]


def _refusals(call: Call, *, has_body: bool) -> list[int]:
    """Those that calls of its kind have anyway."""
    statuses = [400, 429, 500, 503]
    if call.access is not Access.OPEN:
        statuses += [401, 403]
    if "{" in call.path:
        statuses.append(404)
    if call.writes:
        statuses.append(409)
    if has_body:
        statuses += [413, 415]
    return statuses
