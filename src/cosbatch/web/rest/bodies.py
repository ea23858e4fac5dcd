"""Reads a call's JSON before anything else does: how long and deep it may be, and what is no JSON to us."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from starlette.requests import ClientDisconnect, Request

from cosbatch.model.errors import Fault, MalformedDocument
from cosbatch.web.rest.errors import RestRefusal

BODY_MAX_BYTES: Final = 512 * 2**10
DEPTH_MAX: Final = 32
DIGITS_MAX: Final = 64
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A text that does not end goes to the end: looking for its end from each quotation mark would take for ever."""
_HALF: Final = re.compile("[\ud800-\udfff]")
_CONSTANTS: Final = ("NaN", "Infinity", "-Infinity")


async def check_body(request: Request) -> None:
    """RestRefusal for a body that is too long or no JSON by its type; MalformedDocument with the place of what is wrong
    for one that cannot be read. The body can be read again afterwards."""
    body = await _whole_body(request)
    if not body:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        message = "the body has to be JSON: send it with content-type application/json"
        raise RestRefusal("UnsupportedMediaType", message, http_status=415)
    _check_json(body)


async def _whole_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > BODY_MAX_BYTES:
        raise _too_large()
    try:
        body = await request.body()
    except ClientDisconnect:
        raise MalformedDocument("the body has not come whole") from None
    if len(body) > BODY_MAX_BYTES:
        raise _too_large()
    return body


def _too_large() -> RestRefusal:
    message = f"the body has more than {BODY_MAX_BYTES} bytes, which no call needs"
    return RestRefusal("BodyTooLarge", message, http_status=413)


def _check_json(body: bytes) -> None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("body", f"is not UTF-8 at byte {error.start}", "send JSON in UTF-8")
    _check_depth(text)
    try:
        json.loads(
            text,
            object_pairs_hook=_members,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as error:
        _refuse(f"body:{error.lineno}:{error.colno}", f"is no JSON: {error.msg}", "")
    if _HALF.search(text) or _has_half_escape(text):
        _refuse("body", "has half a character", "write the whole one, not \\ud800 alone")


def _check_depth(text: str) -> None:
    """Before the text becomes a tree, which takes one call for each level of it."""
    depth = 0
    for token in _TOKENS.finditer(text):
        mark = token[0]
        if mark[0] == '"':
            continue
        depth += 1 if mark in "[{" else -1
        if depth > DEPTH_MAX:
            line = text.count("\n", 0, token.start()) + 1
            column = token.start() - text.rfind("\n", 0, token.start())
            _refuse(f"body:{line}:{column}", f"is more than {DEPTH_MAX} levels deep", "no call needs that")


def _has_half_escape(text: str) -> bool:
    """JSON may write one character as two escapes; what stays half after that is no text."""
    return "\\u" in text and bool(_HALF.search(json.dumps(json.loads(text), ensure_ascii=False)))


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        _refuse(twice[:200], "stands twice", "keep one of them")
    return content


def _no_constant(word: str) -> NoReturn:
    _refuse("body", f"has {word}, which is no JSON", "write a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        _refuse("body", f"has the number {text[:40]}, which is too large", "write a number that can be meant")
    return value


def _short(text: str) -> int:
    if len(text) > DIGITS_MAX:
        _refuse("body", f"has a number of {len(text)} digits", "write a number that can be meant")
    return int(text)


def _refuse(path: str, problem: str, way_out: str) -> NoReturn:
    fault = Fault(path=path, value="", problem=problem, way_out=way_out)
    raise MalformedDocument("the body cannot be read", faults=[fault])
