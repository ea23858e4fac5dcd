"""From the text of whole CSV records (RFC 4180) to cells: a fast way for text without surprises, and a slow one that
says where a surprise is.

The slow way decides what is right. The fast one returns None for everything that it is not sure to read alike.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_CELL: Final = re.compile(r'"((?:[^"]++|"")*+)"|([^",\r\n]*+)')
_WELL_FORMED: Final = re.compile(r'(?:(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)(?:,|\r?\n))*+')


class Record(NamedTuple):
    line: int
    """Physical line of its first character."""
    cells: tuple[str, ...]
    """As far as they could be read."""
    malformed: str
    """What is wrong after the last cell; empty for a record that is in order."""


def split_cells(text: str) -> list[list[str]] | None:
    """The cells of every record, blank lines left out; None where only :func:`locate_records` can tell.

    ``text`` ends with a line feed.
    """
    if '"' not in text:
        return _split_unquoted(text)
    return _split_all_quoted(text) or _split_mixed(text)


def locate_records(text: str, *, line: int) -> Iterator[Record]:
    """Each record that is not a blank line, with the line it begins at. ``text`` ends with a line feed."""
    start = 0
    while start < len(text):
        end = _record_end(text, start)
        record = text[start:end]
        body = record.removesuffix("\n").removesuffix("\r")
        if body:
            yield _read_record(body, line=line)
        line += record.count("\n")
        start = end


def _split_unquoted(text: str) -> list[list[str]] | None:
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            return None
    lines = text.split("\n")
    lines.pop()
    return [line.split(",") for line in lines if line]


def _split_all_quoted(text: str) -> list[list[str]] | None:
    """The form of both clouds' inventories: every cell in quotes. Twice as fast as the reader for any form.

    It is exact: where the separators found account for every quote of the text, no cell contains one.
    """
    if not (text.startswith('"') and text.endswith('"\n')) or "\r" in text:
        return None
    rows = [line.split('","') for line in text[1:-2].split('"\n"')]
    if len(rows) != text.count("\n") or text.count('"') != 2 * sum(map(len, rows)):
        return None
    return rows


def _split_mixed(text: str) -> list[list[str]] | None:
    try:
        rows = list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
    except csv.Error:
        return None
    # The reader takes a quote inside an unquoted cell, and a lone carriage return, for text.
    doubtful = "\r" in text or '"' in "".join(map("".join, rows))
    if doubtful and not _WELL_FORMED.fullmatch(text):
        return None
    return [row for row in rows if row]


def _record_end(text: str, start: int) -> int:
    odd = 0
    while True:
        at = text.find("\n", start)
        if at < 0:
            return len(text)
        odd ^= text.count('"', start, at) & 1
        if not odd:
            return at + 1
        start = at + 1


def _read_record(body: str, *, line: int) -> Record:
    cells: list[str] = []
    at = 0
    while True:
        found = _CELL.match(body, at)
        assert found  # the second form matches anything, if only the empty text
        quoted, plain = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if at == len(body):
            return Record(line, tuple(cells), "")
        if body[at] != ",":
            return Record(line, tuple(cells), _malformed(body[at], was_quoted=quoted is not None))
        at += 1


def _malformed(character: str, *, was_quoted: bool) -> str:
    if was_quoted:
        return "text follows the closing quote of the cell"
    if character == '"':
        return "a quote stands inside a cell that is not quoted"
    return "a carriage return stands inside a cell that is not quoted"
