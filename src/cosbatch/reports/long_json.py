"""A JSON object one list of which may be too long for memory: measured in one pass, sent in another.

The bytes are those that ``json.dumps(..., indent=2)`` makes of the whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

ENTRIES_PER_BLOCK: Final = 1000
"""No more of the list is held."""

EntrySource = Callable[[], AsyncIterator[object]]
"""The entries of a list, in order and the same each time; called several times. Each goes into JSON by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongObject:
    """What goes into the file."""

    fields: Mapping[str, object]
    """In order; the long list stands here too, empty."""
    list_name: str = ""
    """Empty where no list is long."""
    entries: EntrySource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongText:
    """A SizedBody, made anew while it is sent."""

    content: LongObject
    size_bytes: int
    md5: str
    """Hex."""

    def blocks(self) -> AsyncIterator[bytes]:
        return blocks_of(self.content)


async def measured(content: LongObject) -> LongText:
    size_bytes, digest = 0, hashlib.md5(usedforsecurity=False)
    async for block in blocks_of(content):
        size_bytes += len(block)
        digest.update(block)
    return LongText(content=content, size_bytes=size_bytes, md5=digest.hexdigest())


def to_json(content: Mapping[str, object]) -> bytes:
    """A lone surrogate, which no UTF-8 can carry, stays what it is in JSON: an escape."""
    return _encoded(json.dumps(content, ensure_ascii=False, indent=2))


async def blocks_of(content: LongObject) -> AsyncIterator[bytes]:
    text = to_json(content.fields)
    if content.entries is None:
        yield text
        return
    # Only a name of the outermost object stands two blanks after a line feed; in a string there is none.
    opening = _encoded(f"\n  {json.dumps(content.list_name)}: [")
    before, found, after = text.partition(opening + b"]")
    assert found, f"{content.list_name} is not among the fields, or is not empty there"
    yield before + opening
    is_empty, batch = True, list[object]()
    async for entry in content.entries():
        batch.append(entry)
        if len(batch) == ENTRIES_PER_BLOCK:
            yield _entries_of(batch, is_first=is_empty)
            is_empty, batch = False, []
    if batch:
        yield _entries_of(batch, is_first=is_empty)
        is_empty = False
    yield (b"]" if is_empty else b"\n  ]") + after


def _entries_of(batch: list[object], *, is_first: bool) -> bytes:
    """Without the brackets around them, and one step further in."""
    lines = json.dumps(batch, ensure_ascii=False, indent=2)[1:-2].replace("\n", "\n  ")
    return _encoded(lines if is_first else f",{lines}")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
