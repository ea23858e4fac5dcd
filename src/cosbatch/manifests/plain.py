"""Rows of which a job needs the key and the size alone, as whole columns: what nearly all rows of nearly all manifests
are.

Most of the time that a row takes goes into objects that are made for it: a list, each cell, a tuple. Once a first
record was read and found to be in order, one pattern describes all that look like it: the same bucket in the same
spelling, the cells that matter, and cells that only have to be there. Where it describes every record of a text, only
the keys and sizes are cut out of it. Where it fails for any of them, the text is read as before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cosbatch.manifests.columns import Columns
from cosbatch.model.manifests import ManifestRow

SIZE_DIGITS: Final = 18
"""More bytes than any object has, and still a 64-bit number."""
_NEEDS_QUOTES: Final = re.compile('[",\r\n]')


class PlainRows(NamedTuple):
    """One key and one size a row. They name no version, and there is nothing that says more of them."""

    keys: Sequence[str]
    sizes: Sequence[int] | None
    """None where the manifest has no sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowBatch:
    """Rows that follow one another. Iterate it for all that the manifest says of each."""

    plain: PlainRows | None
    """The same rows where they are plain: then making an object of each can be spared."""
    read: Callable[[], list[ManifestRow]]

    @classmethod
    def of_rows(cls, rows: list[ManifestRow]) -> RowBatch:
        return cls(plain=None, read=lambda: rows)

    def __len__(self) -> int:
        return len(self.read() if self.plain is None else self.plain.keys)

    def __iter__(self) -> Iterator[ManifestRow]:
        yield from self.read()

    @property
    def keys(self) -> Sequence[str]:
        return [row.key for row in self.read()] if self.plain is None else self.plain.keys

    def parts(self, most: int) -> Iterator[RowBatch]:
        """The same rows, at most so many at a time, and none of no rows."""
        if self.plain is not None and len(self) <= most:
            yield self
            return
        rows = self.read()
        for start in range(0, len(rows), most):
            yield self.of_rows(rows[start : start + most])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainForm:
    """How the records of a file look where nothing about them is unusual."""

    is_quoted: bool
    record: re.Pattern[str]
    """One record with its line end, or all the rest of a text; its groups are the key and the size, in the order of the
    columns, and empty for the rest."""
    commas: int
    """Of an unquoted record."""
    has_sizes: bool
    key_is_first: bool

    @classmethod
    def like(cls, cells: Sequence[str], *, columns: Columns, is_quoted: bool) -> PlainForm | None:
        """The form of records like this one, which was read and is in order; None for columns that say more of a
        row, and for a bucket that has to be written with more quotes than a pattern of whole cells knows of."""
        if not (columns.version_id is columns.is_latest is columns.is_delete_marker is None):
            return None
        patterns = ['[^"]*+' if is_quoted else "[^,]*+"] * len(cells)
        if not is_quoted:
            patterns[-1] = ".*+"
        patterns[columns.key] = f"({patterns[columns.key]})"
        if columns.size is not None:
            patterns[columns.size] = f"([0-9]{{1,{SIZE_DIGITS}}}+)"
        for constant in (columns.bucket, columns.appid):
            if constant is not None:
                if _NEEDS_QUOTES.search(cells[constant]):
                    return None
                patterns[constant] = re.escape(cells[constant])
        record = '"' + '","'.join(patterns) + '"\r?+' if is_quoted else ",".join(patterns)
        return cls(
            is_quoted=is_quoted,
            # What is no such record is taken as one match up to the end of the text: a search would try it again from
            # each of its characters, which takes seconds where a cell could go on over many lines.
            record=re.compile(f"{record}\n|(?s:.+)"),
            commas=len(cells) - 1,
            has_sizes=columns.size is not None,
            key_is_first=columns.size is None or columns.key < columns.size,
        )

    def split(self, text: str) -> PlainRows | None:
        """The keys as they stand, and the sizes; None where any record of ``text`` has another form."""
        if not self.is_quoted:
            if '"' in text:
                return None
            if "\r" in text:
                text = text.replace("\r\n", "\n")
                if "\r" in text:
                    return None
        found = self.record.findall(text)
        last_key = found[-1][0 if self.key_is_first else 1] if self.has_sizes else found[-1]
        if not last_key:  # it is the rest that is no record, or a fault in any case
            return None
        if not self.is_quoted and not self._is_cut_everywhere(text, records=len(found)):
            return None
        if not self.has_sizes:
            return PlainRows(keys=found, sizes=None)
        first, second = zip(*found, strict=True)
        keys, sizes = (first, second) if self.key_is_first else (second, first)
        return PlainRows(keys=keys, sizes=list(map(int, sizes)))

    def _is_cut_everywhere(self, text: str, *, records: int) -> bool:
        """Whether each line feed of an unquoted ``text`` ends a record and each comma a cell.

        A pattern that lets a cell go on over either and counts afterwards takes half the time of one that looks for
        both at each character."""
        return text.count("\n") == records and text.count(",") == records * self.commas
