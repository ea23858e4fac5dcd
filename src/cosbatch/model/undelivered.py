"""How a hold says that it is the report that is not delivered: for people, and read back where that is said already."""

from __future__ import annotations

from typing import Final

from cosbatch.model.jobs import Hold

_BEGIN: Final = "the report is not delivered: "


def told_of_undelivered(error: str) -> str:
    return f"the report is not delivered: {error}"


def why_undelivered(hold: Hold) -> str:
    """``bucket: error``, of a hold of which it is plain that it is the report's. Some errors name the bucket."""
    error = hold.reason.removeprefix(_BEGIN)
    return error if error.startswith(hold.bucket) else f"{hold.bucket}: {error}"
