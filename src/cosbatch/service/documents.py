"""Reads YAML or JSON text into plain values, and knows the line of each: faults can then say where they are.

YAML is read as its 1.2 core schema reads it: ``no`` and ``on`` are text, ``010`` is ten, a date is text. Aliases and
tags are refused, as are keys that stand twice, half characters, and what is too long or too deep to be meant. The
messages about that do not show what stands there: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from cosbatch.model.errors import Fault, InvalidArgument

Step = str | int
Path = tuple[Step, ...]

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[Mapping[str, bool | None]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_PLAIN_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))
_SHOWN: Final = 200
_MAX_CHARACTERS: Final = 2**20
_MAX_DEPTH: Final = 50
_MAX_DIGITS: Final = 64
_QUOTED: Final = re.compile(r"'[^'<]{2,}'|\"[^\"<]{2,}\"")
"""Words of the text in a message of the YAML reader; ``'<block end>'`` is a word of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A mapping as it was written. ``lines`` has the line (from 1) of every value; empty where there was no text."""

    content: Mapping[str, Any]
    source: str = ""
    """The file's name, for people."""
    lines: Mapping[Path, int]

    def place(self, path: Path) -> str:
        """``operation.target (line 7)``; the line of the nearest step that is written where the value is missing."""
        shown = dotted(path) or "(document)"
        for length in range(len(path), 0, -1):
            line = self.lines.get(path[:length])
            if line is not None:
                return f"{shown} (line {line})"
        return shown


def dotted(path: Path) -> str:
    """``("fields", 2)`` is ``fields[2]``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def shorten(value: object) -> str:
    """A value for a message: at most 200 characters."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def read_document(text: str, *, source: str) -> Document:
    """Raises InvalidArgument with every fault of the text's form."""
    if len(text) > _MAX_CHARACTERS:
        problem = f"has {len(text)} characters, {_MAX_CHARACTERS} are allowed"
        raise _unreadable(Fault(path=source, value="", problem=problem), source=source)
    try:
        _check_events(text, source=source)
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise _unreadable(_syntax_fault(error, source=source), source=source) from None
    if root is None:
        return Document(content={}, source=source, lines={})
    walk = _Walk(faults=[], lines={})
    content = walk.value(root, ())
    if not walk.faults and not isinstance(content, dict):
        walk.faults.append(Fault(path=source, value="", problem="holds no fields", way_out="write `name: value` lines"))
    if walk.faults:
        raise _unreadable(*walk.faults, source=source)
    return Document(content=content, source=source, lines=walk.lines)


def _unreadable(*faults: Fault, source: str) -> InvalidArgument:
    return InvalidArgument(f"{source} cannot be read", faults=faults)


def _check_events(text: str, *, source: str) -> None:
    """Before the text becomes a tree, which takes one call for each level of it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            problem, way_out = "aliases are not read", "write the value itself"
        elif isinstance(event, yaml.CollectionStartEvent) and depth == _MAX_DEPTH:
            problem, way_out = f"is more than {_MAX_DEPTH} levels deep", "close the brackets"
        else:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            continue
        fault = Fault(path=f"{source}:{_line_of(event)}", value="", problem=problem, way_out=way_out)
        raise _unreadable(fault, source=source)


def _syntax_fault(error: yaml.YAMLError, *, source: str) -> Fault:
    mark = getattr(error, "problem_mark", None)
    place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Fault(path=place, value="", problem=f"is not YAML: {_QUOTED.sub('a word', problem)}")


def _line_of(written: yaml.Node | yaml.Event) -> int:
    assert written.start_mark is not None
    return written.start_mark.line + 1


@dataclass(slots=True, kw_only=True)
class _Walk:
    faults: list[Fault]
    lines: dict[Path, int]

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines[path] = _line_of(node)
        if node.tag not in _PLAIN_TAGS:
            self._fault(node, path, problem="tags are not read", way_out="leave it out, or put the text in quotes")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(member, (*path, position)) for position, member in enumerate(node.value)]
        text = self._text(node, path)
        if not isinstance(node, yaml.ScalarNode) or node.style is not None:
            return text
        if _INTEGER.fullmatch(text) and len(text) > _MAX_DIGITS:
            self._fault(node, path, problem=f"has {len(text)} digits", way_out="write a number that can be meant")
            return None
        return _scalar(text)

    def _text(self, node: yaml.Node, path: Path) -> str:
        """A character may be written as two escapes, as JSON does; half a one is no text."""
        try:
            return str(node.value).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            self._fault(node, path, problem="has half a character", way_out="write the whole one, not \\ud800 alone")
            return ""

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                self._fault(name_node, path, problem="has a name that is no word", way_out="write `name: value` lines")
                continue
            name = self._text(name_node, path)
            step = (*path, name)
            if name in content:
                self._fault(name_node, step, problem="stands twice", way_out="keep one of them")
            content[name] = self.value(value_node, step)
            self.lines[step] = _line_of(name_node)
        return content

    def _fault(self, node: yaml.Node, path: Path, *, problem: str, way_out: str) -> None:
        place = f"{dotted(path) or '(document)'} (line {_line_of(node)})"
        self.faults.append(Fault(path=place, value="", problem=problem, way_out=way_out))


def _scalar(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
