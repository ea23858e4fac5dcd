"""What a document of a dialect looks like, and how it is read: names and nesting, no rules.

A dialect is a table of shapes. Reading one gives plain values in the names of the model (``Manifest.Spec.Fields``
becomes ``manifest.spec.fields``), which is the form in which the service takes a job from anybody: its rules, limits
and words are the same for every wire. What the service then says about ``manifest.spec.fields[2]`` is said to the
client in its own words, ``Manifest.Spec.Fields.member[2]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from cosbatch.model.errors import Fault
from cosbatch.wire.xml import Element

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,20}")
_STEP: Final = re.compile(r"([^.\[]+)|\[([0-9]+)\]")
_SHOWN: Final = 200


class Kind(StrEnum):
    TEXT = "text"
    """As it stands, with its blanks."""
    WORD = "word"
    """Text whose outer blanks mean nothing."""
    BOOLEAN = "boolean"
    INTEGER = "integer"
    """Also a moment in Unix seconds; one that is written otherwise stays text."""
    BRANCH = "branch"
    LIST = "list"
    """Its one child may stand in it any number of times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    name: str
    kind: Kind = Kind.TEXT
    field: str = ""
    """The name in the model, where it is not simply ``name`` in snake_case."""
    is_required: bool = False
    may_be_empty: bool = False
    """For a branch: that it is there says something."""
    children: tuple[Shape, ...] = ()

    @property
    def field_name(self) -> str:
        return self.field or _HUMP.sub("_", self.name).lower()

    @property
    def member(self) -> Shape:
        """Of a list."""
        return self.children[0]

    def child(self, name: str) -> Shape | None:
        return next((child for child in self.children if child.name == name), None)

    def child_of_field(self, field_name: str) -> Shape | None:
        return next((child for child in self.children if child.field_name == field_name), None)


def required(shape: Shape) -> Shape:
    return replace(shape, is_required=True)


@dataclass(slots=True, kw_only=True)
class Reading:
    """What was read, and what is wrong with its shape; paths are in the words of the dialect."""

    content: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    """Elements that have to be there and are not, or are empty."""

    def add(self, path: str, problem: str, way_out: str, *, value: str = "") -> None:
        shown = value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
        self.faults.append(Fault(path=path, value=shown, problem=problem, way_out=way_out))


def read(root: Element, shape: Shape) -> Reading:
    """The content of ``root`` by the shape. Empty elements count as absent."""
    reading = Reading()
    reading.content = _branch(root, shape, path="", reading=reading)
    return reading


def _branch(element: Element, shape: Shape, *, path: str, reading: Reading) -> dict[str, Any]:
    content: dict[str, Any] = {}
    prefix = f"{path}." if path else ""
    if element.text.strip():
        reading.add(path or shape.name, "has text beside its elements", "leave it out", value=element.text.strip())
    for name, found in _by_name(element).items():
        child = shape.child(name)
        if child is None:
            known = ", ".join(known.name for known in shape.children) or "none"
            reading.add(f"{prefix}{name}", "is no element that is known here", f"leave it out; known are {known}")
        elif any(other != found[0] for other in found[1:]):
            reading.add(f"{prefix}{name}", "stands there more than once, with different content", "keep one of them")
        else:
            value = _value(found[0], child, path=f"{prefix}{name}", reading=reading)
            if value is not None:
                content[child.field_name] = value
    for child in shape.children:
        if child.is_required and child.field_name not in content:
            reading.missing.append(
                Fault(path=f"{prefix}{child.name}", value="", problem="is missing or empty", way_out="add it")
            )
    return content


def _by_name(element: Element) -> dict[str, list[Element]]:
    """In the order in which each stands there first."""
    found: dict[str, list[Element]] = {}
    for child in element.children:
        found.setdefault(child.name, []).append(child)
    return found


def _value(element: Element, shape: Shape, *, path: str, reading: Reading) -> Any:
    """None where it is empty."""
    match shape.kind:
        case Kind.BRANCH:
            if not element.children and not element.text.strip():
                return {} if shape.may_be_empty else None
            return _branch(element, shape, path=path, reading=reading)
        case Kind.LIST:
            return _list(element, shape, path=path, reading=reading) or None
        case _:
            return _scalar(element, shape, path=path, reading=reading)


def _list(element: Element, shape: Shape, *, path: str, reading: Reading) -> list[Any]:
    member = shape.member
    if element.text.strip():
        reading.add(path, "has text beside its elements", f"write <{member.name}>", value=element.text.strip())
    values: list[Any] = []
    nothing: Any = {} if member.kind is Kind.BRANCH else ""
    for position, child in enumerate(element.children):
        if child.name != member.name:
            reading.add(f"{path}.{child.name}", "is no element that is known here", f"write <{member.name}>")
            continue
        value = _value(child, member, path=f"{path}.{member.name}[{position}]", reading=reading)
        values.append(nothing if value is None else value)
    return values


def _scalar(element: Element, shape: Shape, *, path: str, reading: Reading) -> str | int | bool | None:
    if element.children:
        reading.add(path, f"has an element <{element.children[0].name}>", "write text only")
        return None
    text = element.text if shape.kind is Kind.TEXT else element.text.strip()
    if shape.kind is Kind.BOOLEAN and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if shape.kind is Kind.INTEGER and _INTEGER.fullmatch(text):
        return int(text)
    return text or None


# --- the dialect's words for what the model calls otherwise


def spell_path(path: str, shape: Shape) -> str:
    """``manifest.spec.fields[2]`` as ``Manifest.Spec.Fields.member[2]``; what the shape does not have stays."""
    here: Shape | None = shape
    spelled: list[str] = []
    for name, position in _STEP.findall(path):
        if position:
            member = here.member if here is not None and here.kind is Kind.LIST else None
            spelled.append(f".{member.name}[{position}]" if member else f"[{position}]")
            here = member
            continue
        here = here.child_of_field(name) if here is not None else None
        spelled.append(f".{here.name if here else name}")
    return "".join(spelled).removeprefix(".")


def names_of(shape: Shape) -> Iterator[tuple[str, str]]:
    """Each field's name in the model, and in the dialect."""
    for child in shape.children:
        yield child.field_name, child.name
        yield from names_of(child)
