"""The table as it is printed, and as it stands in ``docs/performance.md`` between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figures import HEADING, Row, aligned, markdown
from bench.requests_per_object import HEADING as REQUEST_HEADING
from bench.requests_per_object import request_rows

PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN: Final = "<!-- written by make bench WRITE=1: begin -->\n"
END: Final = "<!-- written by make bench WRITE=1: end -->\n"
PER_COPY_HEADING: Final = ("Who", "CPU microseconds for a copy, the median", "Between")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one run has brought."""

    machine: str
    rows: Sequence[Row]
    per_copy: Sequence[tuple[str, str, str]]

    def cells(self) -> list[tuple[str, ...]]:
        """By number; what is compared with another revision comes last."""
        return [row.cells() for row in sorted(self.rows, key=_place)]


def _place(row: Row) -> int:
    digits = row.number.removeprefix("P")
    return int(digits) if digits.isdigit() else 1000


def printed(findings: Findings) -> str:
    parts = [findings.machine, aligned(HEADING, findings.cells())]
    if findings.per_copy:
        parts.append(aligned(PER_COPY_HEADING, findings.per_copy))
    parts.append(aligned(REQUEST_HEADING, request_rows()))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def block(findings: Findings) -> str:
    """The requests for each object have a page of their own, which is made from the same table."""
    per_copy = markdown(PER_COPY_HEADING, findings.per_copy)
    return f"{findings.machine}.\n\n{markdown(HEADING, findings.cells())}\n{per_copy}"


def with_block(text: str, new: str) -> str:
    """The page with what stands between the marks replaced. ValueError where they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the table: its two marks are missing")
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def write(findings: Findings) -> None:
    PAGE.write_text(with_block(PAGE.read_text(encoding="utf-8"), block(findings)), encoding="utf-8")
