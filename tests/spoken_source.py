"""Reads expressions of Python's source as the sentences that they may be, a number for each value that is put in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Final, TypeVar

PLACE: Final = re.compile(r"\{\d+\}")
KEYWORDS: Final = frozenset(
    {"problem", "way_out", "reason", "detail", "why", "why_unknown", "why_not", "message", "told"}
)
"""What arguments, fields and names are called that hold a sentence."""
ARGUMENTS: Final[Mapping[str, int]] = {
    **dict.fromkeys(
        (
            "IllegalMove",
            "InvalidArgument",
            "MalformedDocument",
            "NameTaken",
            "NoSuchJob",
            "NoSuchName",
            "NoSuchResults",
            "NoSuchRole",
            "NotAllowed",
            "PostFailed",
            "RequestError",
            "ServiceUnavailable",
            "StreamBroken",
            "TokenReused",
            "TooManyAttempts",
            "TooManyJobs",
            "refused",
        ),
        0,
    ),
    **dict.fromkeys(
        (
            "JobFailure",
            "NotAuthenticated",
            "RestRefusal",
            "RoleNotAssumed",
            "TaskRefused",
            "passed",
            "unknown",
            "_untested",
        ),
        1,
    ),
    **dict.fromkeys(("_failing", "_move"), 2),
}
"""Who is called with a sentence at which place."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Node = TypeVar("_Node")
SAID_ELSEWHERE: Final = KEYWORDS | {"message", "problems", "status_reason", "disabled_reason", "text", "args"}
"""Attributes that hold what somebody else has said."""


class Names:
    """What names of any file stand for."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._functions: dict[str, list[tuple[str, Function]]] = {}
        self._constants: dict[str, list[tuple[str, ast.expr]]] = {}
        for file, tree in trees.items():
            for node in ast.walk(tree):
                if isinstance(node, Function):
                    self._functions.setdefault(node.name, []).append((file, node))
            for node in tree.body:
                for name, value in _bound(node):
                    self._constants.setdefault(name, []).append((file, value))

    def functions(self, name: str, *, file: str) -> list[Function]:
        """Those of the file itself, else those of all."""
        return _nearest(self._functions.get(name, []), file)

    def constants(self, name: str, *, file: str) -> list[ast.expr]:
        return _nearest(self._constants.get(name, []), file)


def _nearest(found: list[tuple[str, _Node]], file: str) -> list[_Node]:
    here = [node for place, node in found if place == file]
    return here or [node for _, node in found]


_DEEPEST: Final = 4


class Unread(Exception):
    """Nobody can tell from the source what is said there."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns expressions into the sentences that they may be."""

    known: Names
    file: str
    around: tuple[Function, ...]
    """The functions that the expression stands in, the innermost first."""
    depth: int = 0

    def read(self, said: ast.expr, *, nth: int | None = None) -> list[str]:
        """``nth``: of a tuple, that element."""
        if self.depth > _DEEPEST:
            return []
        match said:
            case ast.Constant(value=value):
                return [value] if isinstance(value, str) else []
            case ast.JoinedStr(values=parts):
                return [joined(parts), *self._inside(parts)]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [_renumbered(one + other) for one, other in product(self._whole(left), self._whole(right))]
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(attr=name) if name in SAID_ELSEWHERE:
                return []
            case ast.Call(func=function):
                return self._returned(name_of(function), nth=nth)
            case ast.Subscript(value=ast.Name(id=name)):
                return self._named(name)
        return [text for each in _either(said, nth=nth) for text in self.read(each, nth=nth)]

    def _deeper(self) -> Reader:
        return replace(self, depth=self.depth + 1)

    def _whole(self, said: ast.expr) -> list[str]:
        try:
            return self.read(said) or ["{0}"]
        except Unread:
            return ["{0}"]

    def _inside(self, parts: Iterable[ast.expr]) -> Iterator[str]:
        """What a value says that is put in, where that is a part of a sentence."""
        for part in parts:
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, _PARTS):
                try:
                    yield from (text for text in self.read(part.value) if " " in text)
                except Unread:
                    continue

    def _named(self, name: str) -> list[str]:
        for function in self.around:
            assigned = _assigned(function, name)
            if assigned:
                return [text for value, nth in assigned for text in self._deeper().read(value, nth=nth)]
            if name in _parameters(function):
                if name in KEYWORDS or function.name in ARGUMENTS:
                    return []
                raise Unread
        constants = self.known.constants(name, file=self.file)
        if not constants:
            raise Unread
        return [text for value in constants for text in self._deeper().read(value)]

    def _returned(self, name: str, *, nth: int | None) -> list[str]:
        if name in _SHOWING:
            return []
        functions = self.known.functions(name, file=self.file)
        if not functions:
            raise Unread
        found = []
        for function in functions:
            inside = replace(self._deeper(), around=(function,))
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    found.extend(inside.read(node.value, nth=nth))
        return found


_SHOWING: Final = frozenset({"shorten", "str"})
"""They say again what they are given."""
_PARTS: Final = (ast.Name, ast.Call, ast.Subscript, ast.IfExp)


def _either(said: ast.expr, *, nth: int | None) -> Sequence[ast.expr]:
    """What an expression is one of."""
    match said:
        case ast.Tuple(elts=elements) if nth is not None:
            return [elements[nth]]
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.BoolOp(values=values) | ast.Dict(values=values):
            return values
    raise Unread


def _assigned(function: Function, name: str) -> Sequence[tuple[ast.expr, int | None]]:
    return _assignments(function).get(name, ())


@cache
def _assignments(function: Function) -> Mapping[str, Sequence[tuple[ast.expr, int | None]]]:
    found: dict[str, list[tuple[ast.expr, int | None]]] = {}
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) or value is None:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append((value, None))
            elif isinstance(target, ast.Tuple):
                for nth, element in enumerate(target.elts):
                    if isinstance(element, ast.Name):
                        found.setdefault(element.id, []).append((value, nth))
    return found


def _bound(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    value = getattr(node, "value", None)
    if isinstance(node, ast.Assign | ast.AnnAssign) and value is not None:
        yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))


def _parameters(function: Function) -> set[str]:
    arguments = function.args
    return {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def joined(parts: Iterable[ast.expr]) -> str:
    """The sentence of an f-string."""
    text, number = "", 0
    for part in parts:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"{{{number}}}"
            number += 1
    return text


def _renumbered(text: str) -> str:
    pieces = PLACE.split(text)
    return "".join(piece + f"{{{number}}}" for number, piece in enumerate(pieces[:-1])) + pieces[-1]
