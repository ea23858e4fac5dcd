"""What tables of calls, cursors and times are made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.principals import UserRole
from cosbatch.web.rest.calls import Access
from cosbatch.web.rest.shapes import read_cursor, time_or_none, time_text, write_cursor


@pytest.mark.parametrize(
    ("access", "role"),
    [
        (Access.OPEN, None),
        (Access.OWN, None),
        (Access.VIEWER, UserRole.VIEWER),
        (Access.OPERATOR, UserRole.OPERATOR),
        (Access.ADMIN, UserRole.ADMIN),
    ],
)
def test_an_access_takes_a_role(access: Access, role: UserRole | None) -> None:
    assert access.role is role


@pytest.mark.parametrize(
    ("unix_seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1.0005, "1970-01-01T00:00:01.000Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
        (1_764_144_000.25, "2025-11-26T08:00:00.250Z"),
    ],
)
def test_times_are_told_to_the_millisecond(unix_seconds: float, text: str) -> None:
    assert time_text(unix_seconds) == time_or_none(unix_seconds) == text


def test_a_time_that_is_none_is_none() -> None:
    assert time_or_none(None) is None


@given(st.lists(st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.floats(0, 1e12)))
def test_a_cursor_is_read_as_it_was_written(steps: list[str | int | float | None]) -> None:
    assert read_cursor(write_cursor(*steps)) == tuple(steps)


@given(st.text(max_size=40))
def test_what_is_no_cursor_is_a_fault_and_nothing_else(text: str) -> None:
    found: object = None
    try:
        found = read_cursor(text)
    except InvalidArgument as error:
        found = error.faults[0].path
    assert found == "cursor" or isinstance(found, tuple)
