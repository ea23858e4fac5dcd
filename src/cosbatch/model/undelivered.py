"""How a hold says that it is the report that is not delivered: for people, and read back where that is said already."""

from __future__ import annotations

from typing import Final

_BEGIN: Final = "the report is not delivered: "


def told_of_undelivered(error: str) -> str:
    return f"the report is not delivered: {error}"


def why_undelivered(reason: str) -> str:
    """The error that :func:`told_of_undelivered` was told; every other text as it is."""
    return reason.removeprefix(_BEGIN)
