"""Answers read into frozen dataclasses, by the types of their fields.

A field has the name that the answer has for it, or the one that :class:`ToldAs` says; several fields may so be taken
out of one part of an answer. What a field cannot hold is a TypeError, a ValueError or a KeyError, which
:func:`cosbatch.client.reading.read` turns into a refusal. Fields of a newer service are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from cosbatch.client.reading import job_of, seconds_of
from cosbatch.model.jobs import Job

T = TypeVar("T")
Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ReadBy:
    """For ``Annotated``: a type that is read by a function of its own."""

    read: Reader


@dataclass(frozen=True, slots=True)
class ToldAs:
    """For ``Annotated``: where the answer has a field, ``progress_summary.planned_rows`` say; None: nowhere, and the
    default counts."""

    path: str | None


def _cursor_of(content: str | None) -> str:
    return content or ""


def _scalar_of(content: Any) -> bool | int | float | str:
    if not isinstance(content, bool | int | float | str):
        raise TypeError(f"{type(content).__name__} in place of a number, a text or a truth")
    return content


Time = Annotated[float, ReadBy(seconds_of)]
"""Unix seconds; on the wire RFC 3339."""
Cursor = Annotated[str, ReadBy(_cursor_of)]
"""Of the next page; empty where there is none."""
Scalar = Annotated[bool | int | float | str, ReadBy(_scalar_of)]
ReadJob = Annotated[Job, ReadBy(job_of)]


def record(shape: type[T]) -> Callable[[Any], T]:
    """Reads a JSON object as the dataclass ``shape``."""
    return partial(_record, shape)


def paths_of(shape: type) -> Mapping[str, tuple[str, ...]]:
    """Of each field of a dataclass that the answer has, where it has it."""
    told = {name: _told_as(name, kind) for name, kind in _kinds(shape).items()}
    return {name: tuple(path.split(".")) for name, path in told.items() if path is not None}


def _record(shape: type[T], content: Any) -> T:
    known: Any = shape
    return shape(**{name: read(_found(content, path)) for name, path, read in _plan(known)})


@cache
def _plan(shape: Any) -> tuple[tuple[str, tuple[str, ...], Reader], ...]:
    kinds = _kinds(shape)
    return tuple((name, path, _reader_of(kinds[name])) for name, path in paths_of(shape).items())


def _kinds(shape: Any) -> Mapping[str, Any]:
    known = get_type_hints(shape, include_extras=True)
    return {one.name: known[one.name] for one in fields(shape)}


def _told_as(name: str, kind: Any) -> str | None:
    notes = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return next((note.path for note in notes if isinstance(note, ToldAs)), name)


def _found(content: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        content = content[name]
    return content


def _reader_of(kind: Any) -> Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _noted_reader(*arguments)
    if origin in (Union, UnionType):
        [wanted] = [one for one in arguments if one is not NoneType]
        return partial(_if_there, _reader_of(wanted))
    if origin is tuple:
        return partial(_each, _reader_of(arguments[0]))
    if origin is not None:
        return partial(_mapping, *(_reader_of(one) for one in arguments))
    return _reader_of_one(kind)


def _reader_of_one(kind: Any) -> Reader:
    if kind is Any:
        return _as_it_is
    if isinstance(kind, NewType):
        return _reader_of(kind.__supertype__)
    if isinstance(kind, type) and is_dataclass(kind):
        return record(kind)
    return kind if issubclass(kind, StrEnum) else partial(_plain, kind)


def _noted_reader(kind: Any, *notes: Any) -> Reader:
    return next((note.read for note in notes if isinstance(note, ReadBy)), None) or _reader_of(kind)


def _if_there(read: Reader, content: Any) -> Any:
    return None if content is None else read(content)


def _each(read: Reader, content: Any) -> Any:
    if not isinstance(content, list):
        raise TypeError(f"{type(content).__name__} in place of a list")
    return tuple(read(one) for one in content)


def _mapping(read_name: Reader, read_value: Reader, content: Any) -> Any:
    return {read_name(name): read_value(value) for name, value in content.items()}


def _plain(kind: type, content: Any) -> Any:
    """JSON writes a whole number for some fractions."""
    if kind is float and type(content) is int:
        return float(content)
    if type(content) is not kind:
        raise TypeError(f"{type(content).__name__} in place of {kind.__name__}")
    return content


def _as_it_is(content: Any) -> Any:
    return content
