"""Proposes which column of a CSV holds what, for a person to confirm. A job never relies on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cosbatch.manifests.rows import is_bucket_word, is_key_word
from cosbatch.model.manifests import ManifestField

_BUCKET: Final = re.compile(r" *[a-z0-9][a-z0-9.-]{1,61}[a-z0-9] *")
_VERSION: Final = re.compile(r" *(?:null|[A-Za-z0-9._-]{16,})? *")
_VERSION_WORDS: Final = frozenset({"versionid", "version", "版本id", "版本"})


def guess_fields(rows: Sequence[Sequence[str]]) -> tuple[ManifestField, ...]:
    """One field for each column; empty where no column can be told to hold buckets, or none keys.

    A bucket's column says the same in every row; the key's is the one of the others that differs most from row to row,
    rather one that cannot be versions; a version's is long words without a slash, or nothing.
    """
    if not rows:
        return ()
    named = _fields_of_header(rows[0])
    if named:
        return named
    width = len(rows[0])
    table = list(zip(*(row for row in rows if len(row) == width), strict=True))
    bucket = next((number for number, column in enumerate(table) if _may_be_bucket(column)), None)
    if bucket is None or width < 2:
        return ()
    others = [number for number in range(width) if number != bucket and any(table[number])]
    if not others:
        return ()
    key = max(others, key=lambda at: (not _is_version(table[at]), len(set(table[at])), -abs(at - bucket)))
    version = next((number for number in others if number != key and _is_version(table[number])), None)
    fields = {bucket: ManifestField.BUCKET, key: ManifestField.KEY}
    if version is not None:
        fields[version] = ManifestField.VERSION_ID
    return tuple(fields.get(number, ManifestField.IGNORE) for number in range(width))


def is_header_row(cells: Sequence[str]) -> bool:
    """Whether the cells are names of columns."""
    return bool(_fields_of_header(cells))


def _fields_of_header(cells: Sequence[str]) -> tuple[ManifestField, ...]:
    fields = tuple(_field_of_word(cell) for cell in cells)
    is_header = ManifestField.BUCKET in fields and ManifestField.KEY in fields
    return fields if is_header else ()


def _field_of_word(cell: str) -> ManifestField:
    if is_bucket_word(cell):
        return ManifestField.BUCKET
    if is_key_word(cell):
        return ManifestField.KEY
    folded = cell.strip().casefold().replace("_", "").replace(" ", "")
    return ManifestField.VERSION_ID if folded in _VERSION_WORDS else ManifestField.IGNORE


def _may_be_bucket(column: Sequence[str]) -> bool:
    return len(set(column)) == 1 and _BUCKET.fullmatch(column[0]) is not None


def _is_version(column: Sequence[str]) -> bool:
    return any(cell.strip(" ") for cell in column) and all(_VERSION.fullmatch(cell) for cell in column)
