"""Turns what pydantic found into our faults: a path, what stands there, what is wrong, and the way out."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from cosbatch.model.errors import Fault
from cosbatch.service.documents import Path, dotted, shorten

OWN_ERROR: Final = "cosbatch"
_OF_A_KEY: Final = "[key]"
_OF_NO_KNOWN_FIELD: Final = frozenset({"extra_forbidden", "model_type", "model_attributes_type", "dict_type"})
_USER_IN_URL: Final = re.compile(r"//[^/@]*@")


def refused(problem: str, *, way_out: str = "", is_secret: bool = False) -> PydanticCustomError:
    """What a validator raises: ``problem`` and ``way_out`` are sentences without a full stop. ``is_secret``: no message
    shows the value, which may be a secret."""
    context = {"problem": problem, "way_out": way_out, "is_secret": is_secret}
    return PydanticCustomError(OWN_ERROR, "{problem}", context)


def faults_of(
    error: ValidationError, *, model: type[BaseModel], place: Callable[[Path], str], secrets_below: str = ""
) -> list[Fault]:
    """Every fault, in the order of the document; ``place`` says where a path stands.

    With ``secrets_below``, the name of a field, no value is shown that may be a secret in a wrong place: none below
    such a field, of a field that is not known, or where fields belong.
    """
    return [fault_of(detail, model=model, place=place, secrets_below=secrets_below) for detail in error.errors()]


def fault_of(
    detail: ErrorDetails,
    *,
    model: type[BaseModel] | None = None,
    place: Callable[[Path], str] = dotted,
    secrets_below: str = "",
) -> Fault:
    """One of them; without ``model`` nobody knows what a field that is not known was meant to be."""
    path = tuple(step for step in detail["loc"] if step != _OF_A_KEY)
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    value = "" if kind == "missing" or isinstance(detail["input"], dict | list) else shorten(detail["input"])
    is_below = bool(secrets_below) and (secrets_below in detail["loc"] or kind in _OF_NO_KNOWN_FIELD)
    may_be_secret = is_below or bool(context.get("is_secret"))
    problem, way_out = _words(kind, detail=detail, context=context, path=path, model=model)
    return Fault(
        path=place(path),
        value="(hidden)" if value and may_be_secret else _USER_IN_URL.sub("//(hidden)@", value),
        problem=problem,
        way_out=way_out,
    )


def _words(
    kind: str, *, detail: ErrorDetails, context: Mapping[str, Any], path: Path, model: type[BaseModel] | None
) -> tuple[str, str]:
    match kind:
        case _ if kind == OWN_ERROR:
            return str(context["problem"]), str(context["way_out"])
        case "missing":
            return "is missing", "add it"
        case "extra_forbidden":
            return "is no field that is known here", nearest(
                str(path[-1]), known=_fields_at(model, path[:-1]) if model else ()
            )
        case "enum" | "literal_error":
            expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
            return "has a value that is not known", nearest(str(detail["input"]), known=expected.split(", "))
        case "string_type":
            return "is not text", "put it in quotes"
        case "bool_type":
            return "is neither true nor false", "write true or false"
        case _:
            message = detail["msg"]
            return message[0].lower() + message[1:].rstrip("."), ""


def nearest(word: str, *, known: Iterable[str]) -> str:
    """``did you mean "x"?`` where one of ``known`` is close, else the whole list."""
    names = list(known)
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in names], n=1)
    if close:
        return f'did you mean "{next(name for name in names if name.lower() == close[0])}"?'
    return "known are " + ", ".join(sorted(names)) if names else "leave it out"


def _fields_at(model: type[BaseModel], path: Path) -> list[str]:
    """Names of the fields of the model that stands at ``path`` below ``model``."""
    here: type[BaseModel] | None = model
    for step in path:
        if here is None:
            return []
        if isinstance(step, str) and step in here.model_fields:
            here = _model_in(here.model_fields[step].annotation)
    return list(here.model_fields) if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, list, tuple, dict):
        return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
    return None
