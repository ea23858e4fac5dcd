"""How answers become dataclasses, and what is not taken for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import pytest

from cosbatch.client.shape_reader import Cursor, Scalar, Time, ToldAs, record
from cosbatch.model.identifiers import JobId


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    id: Annotated[JobId, ToldAs("job_id")]
    colour: Colour
    at: Time | None
    rate: float
    parts: tuple[Part, ...]
    by_name: Mapping[Colour, Part]
    inner: Annotated[int, ToldAs("outer.inner")]
    maybe: Part | None
    value: Scalar
    anything: Any
    next_cursor: Cursor
    is_new: Annotated[bool, ToldAs(None)] = True


ANSWER: dict[str, Any] = {
    "job_id": "j",
    "colour": "red",
    "at": "1970-01-01T00:00:01.500Z",
    "rate": 2,
    "parts": [{"count": 1}],
    "by_name": {"red": {"count": 2}},
    "outer": {"inner": 3},
    "maybe": None,
    "value": False,
    "anything": {"a": [1]},
    "next_cursor": None,
    "of_a_newer_service": 1,
}


def test_an_answer_becomes_what_it_stands_for() -> None:
    found = record(Whole)(ANSWER)
    assert found == Whole(
        id=JobId("j"),
        colour=Colour.RED,
        at=1.5,
        rate=2.0,
        parts=(Part(count=1),),
        by_name={Colour.RED: Part(count=2)},
        inner=3,
        maybe=None,
        value=False,
        anything={"a": [1]},
        next_cursor="",
    )
    assert isinstance(found.rate, float)


@pytest.mark.parametrize(
    "changes",
    [
        {"job_id": 7},
        {"colour": "blue"},
        {"at": "yesterday"},
        {"rate": True},
        {"rate": "2"},
        {"parts": {"count": 1}},
        {"parts": [{"count": 1.5}]},
        {"parts": [{}]},
        {"by_name": {"blue": {"count": 2}}},
        {"by_name": []},
        {"outer": {}},
        {"outer": None},
        {"value": []},
    ],
)
def test_what_does_not_fit_is_not_taken(changes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError)):
        record(Whole)(ANSWER | changes)


@pytest.mark.parametrize("name", sorted(set(ANSWER) - {"of_a_newer_service"}))
def test_nothing_may_be_left_out(name: str) -> None:
    with pytest.raises(KeyError):
        record(Whole)({key: value for key, value in ANSWER.items() if key != name})
