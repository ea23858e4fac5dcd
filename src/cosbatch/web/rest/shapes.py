"""What the shapes of all calls are made of: times, pages, and documents that have a form of their own."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from cosbatch.model.errors import Fault, InvalidArgument

PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 1000
_CURSOR_MAX: Final = 1024
_MS: Final = 1000


class View(BaseModel):
    """An answer, or a part of one. Its fields have no defaults: what is not there is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Form(BaseModel):
    """A body that is sent. A field that nobody knows is a mistake that would else go unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""``2026-11-26T08:00:00.000Z``."""
PageLimit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="How many items the page may have.")]
PageCursor = Annotated[
    str, Query(max_length=_CURSOR_MAX, description="`next_cursor` of the page before; without it: the first page.")
]


def time_text(unix_seconds: float) -> str:
    """``2026-11-26T08:00:00.000Z``."""
    whole, milliseconds = divmod(round(unix_seconds * _MS), _MS)
    return f"{datetime.fromtimestamp(whole, tz=UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def time_or_none(unix_seconds: float | None) -> str | None:
    return None if unix_seconds is None else time_text(unix_seconds)


# --- cursors


def write_cursor(*steps: str | int | float | None) -> str:
    """Where a page ends, as a text in which nobody should read."""
    return base64.urlsafe_b64encode(json.dumps(steps, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[Any, ...]:
    """What :func:`write_cursor` was given; whoever asks checks of which kinds it is. Raises InvalidArgument."""
    try:
        steps = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong_cursor(cursor) from None
    if not isinstance(steps, list) or not all(step is None or isinstance(step, str | int | float) for step in steps):
        raise wrong_cursor(cursor)
    return tuple(steps)


def wrong_cursor(cursor: str) -> InvalidArgument:
    way_out = "send the next_cursor of the page before as it is, or none for the first page"
    fault = Fault(path="cursor", value=cursor[:200], problem="is no cursor of this list", way_out=way_out)
    return InvalidArgument("the list cannot be made", faults=[fault])


# --- documents


class ShownAs:
    """For a plain dict that the service reads itself: the document describes it as ``form``."""

    def __init__(self, form: type[BaseModel]) -> None:
        self._form = form

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(self._form.__pydantic_core_schema__)
