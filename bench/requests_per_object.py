"""How many requests an object takes: one for the default copy, more for each option that the table names."""

from __future__ import annotations

from typing import Final

from cosbatch.operations.copy_costs import COPY_COSTS

HEADING: Final = ("Option", "Requests for each object", "Number")


def request_rows() -> list[tuple[str, str, str]]:
    """From the table that estimates and documentation are made of."""
    return [(cost.option, ", ".join(cost.kinds), str(len(cost.kinds))) for cost in COPY_COSTS]
