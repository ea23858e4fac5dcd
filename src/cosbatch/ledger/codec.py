"""Frozen dataclasses of the model <-> JSON, exactly.

The field's types say how a value is written and are checked when it is read, so a new field needs no code here. What
is written carries a version; an unknown key is an error, never ignored (it would be a newer version's wish that this
one does not fulfil); a missing one takes the field's default (it was written before there was such a field).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from cosbatch.model.errors import LedgerError
from cosbatch.model.operations import (
    DeleteObject,
    InitiateRestoreObject,
    OperationName,
    PutObjectCopy,
    PutObjectTagging,
)

T = TypeVar("T")
VERSION: Final = 1
_KIND: Final = "kind"
_KINDS: Final[dict[str, type]] = {
    OperationName.COPY: PutObjectCopy,
    OperationName.RESTORE: InitiateRestoreObject,
    OperationName.DELETE: DeleteObject,
    OperationName.TAGGING: PutObjectTagging,
}
"""Members of a union are told apart by the operation's wire name, which outlives the name of a class."""
_NAMES: Final = {member: str(name) for name, member in _KINDS.items()}


class Unreadable(LedgerError):
    """Stored JSON that is not what this version writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    hint: Any
    is_required: bool


def encode(value: object) -> str:
    """A dataclass of the model as one line of ASCII."""
    return json.dumps({"v": VERSION} | _plain(value), separators=(",", ":"), allow_nan=False)


def decode(stored: str, as_type: type[T]) -> T:
    """What :func:`encode` wrote. Unreadable where it is anything else."""
    found = json.loads(stored)
    version = found.pop("v", None) if isinstance(found, dict) else None
    if version != VERSION:
        raise Unreadable(f"{as_type.__name__} was stored in version {version}; use the cosbatch that wrote it")
    return cast(T, _value(found, as_type, as_type.__name__))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        members = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        name = _NAMES.get(type(value))
        return members if name is None else {_KIND: name} | members
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return value


def _value(found: Any, hint: Any, path: str) -> Any:
    """``found`` as the type that ``hint`` describes."""
    if isinstance(hint, NewType):
        return _value(found, hint.__supertype__, path)
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _union(found, get_args(hint), path)
    if origin is tuple:
        return _tuple(found, get_args(hint), path)
    if origin is dict:
        return _dict(found, get_args(hint)[1], path)
    if is_dataclass(hint):
        return _dataclass(found, cast(type, hint), path)
    return _scalar(found, hint, path)


def _union(found: Any, hints: tuple[Any, ...], path: str) -> Any:
    if found is None and NoneType in hints:
        return None
    members = [hint for hint in hints if hint is not NoneType]
    if len(members) == 1:
        return _value(found, members[0], path)
    kind = found.get(_KIND) if isinstance(found, dict) else None
    if kind not in _KINDS or _KINDS[kind] not in members:
        raise Unreadable(f"{path}: {kind!r} is not a kind that this version knows")
    return _value(found, _KINDS[kind], path)


def _tuple(found: Any, hints: tuple[Any, ...], path: str) -> tuple[Any, ...]:
    members = _checked(found, list, path)
    if hints[-1] is Ellipsis:
        hints = (hints[0],) * len(members)
    if len(members) != len(hints):
        raise Unreadable(f"{path}: {len(members)} members where {len(hints)} belong")
    return tuple(_value(members[i], hints[i], f"{path}[{i}]") for i in range(len(hints)))


def _dict(found: Any, hint: Any, path: str) -> dict[str, Any]:
    return {name: _value(member, hint, f"{path}[{name!r}]") for name, member in _checked(found, dict, path).items()}


def _dataclass(found: Any, made: type, path: str) -> Any:
    known = {field.name: field for field in _fields_of(made)}
    members = dict(_checked(found, dict, path))
    if made in _NAMES and members.pop(_KIND, None) != _NAMES[made]:
        raise Unreadable(f"{path}: it is not a {made.__name__}")
    if unknown := members.keys() - known.keys():
        raise Unreadable(f"{path}: {', '.join(sorted(unknown))} is not known; use the cosbatch that wrote it")
    if missing := [name for name, field in known.items() if field.is_required and name not in members]:
        raise Unreadable(f"{path}: {', '.join(missing)} is missing")
    return made(**{name: _value(member, known[name].hint, f"{path}.{name}") for name, member in members.items()})


def _scalar(found: Any, hint: Any, path: str) -> Any:
    if hint is float and type(found) is int:
        return found  # equal, and it stays what it was
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _member(_checked(found, str, path), hint, path)
    return _checked(found, hint, path)


def _member(found: str, words: Callable[[str], Any], path: str) -> Any:
    try:
        return words(found)
    except ValueError as error:
        raise Unreadable(f"{path}: {error}") from error


def _checked(found: Any, wanted: Any, path: str) -> Any:
    if type(found) is not wanted:
        raise Unreadable(f"{path}: {found!r:.80} where a {wanted.__name__} belongs")
    return found


@cache  # of classes, which do not change: resolving the annotations anew costs ten times the rest
def _fields_of(made: type) -> tuple[_Field, ...]:
    hints = get_type_hints(made)
    return tuple(
        _Field(
            name=field.name,
            hint=hints[field.name],
            is_required=field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(made)
    )
