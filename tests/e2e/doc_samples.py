"""The code blocks of a page, in order, each with what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOW_TO: Final = Path(__file__).parents[2] / "docs" / "how-to"
NOT_RUN: Final = "values of your own"
"""The title of a block that nobody can run: a test counts them."""
_FENCE: Final = re.compile(r"^( *)```(\w*)(?: title=\"([^\"]+)\")?$")
_TAB: Final = re.compile(r'^=== "(\w+)"$')
_WHEN: Final = re.compile(r"^When: (\w+)\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    place: str
    """``page:line``, for people."""
    language: str
    title: str
    """A file's name, where it is the content of one."""
    tab: str
    """``REST``, ``SDK`` or ``CLI``; empty beside the tabs."""
    when: str
    """The status that the job has to have, or ``ended``; empty where it does not matter."""
    text: str


def samples_of(page: str) -> list[Sample]:
    return list(_samples(page, (HOW_TO / page).read_text(encoding="utf-8").splitlines()))


def _samples(page: str, lines: list[str]) -> Iterator[Sample]:
    tab = when = ""
    numbered = iter(enumerate(lines, start=1))
    for number, line in numbered:
        if line.startswith("## "):
            when = ""
        if line and not line.startswith(" "):
            found = _TAB.match(line)
            tab = found[1] if found else ""
        if found := _WHEN.match(line):
            when = found[1]
        if not (fence := _FENCE.match(line)):
            continue
        indent, language, title = fence.groups()
        text = []
        for _, inside in numbered:
            if inside == f"{indent}```":
                break
            text.append(inside.removeprefix(indent))
        yield Sample(
            place=f"{page}:{number}",
            language=language,
            title=title or "",
            tab=tab,
            when=when,
            text="\n".join([*text, ""]),
        )
