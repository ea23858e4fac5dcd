"""What a manifest says, read a second time: character by character, with nothing of the program's own reader.

It is slow and short. Each physical line belongs to exactly one record, and each record is a row, a fault or blank: so a
reader that agrees with it has lost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from cosbatch.model.identifiers import ObjectKey, VersionId
from cosbatch.model.manifests import ManifestRow

HEADER_BUCKETS = ("bucket", "bucketname", "存储桶", "存储桶名称")
HEADER_KEYS = (*("key", "keyname", "object", "objectkey", "objectname", "name", "path", "对象键", "对象"),)
FLAGS = {spelling: said for said in (True, False) for spelling in (str(said), str(said).lower(), str(said).upper())}
HEX = frozenset("0123456789abcdefABCDEF")


class Wrong(Exception):
    """The record is no row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """How to read a file: the names of its columns (in lower case), and the bucket if it is known before."""

    columns: Sequence[str]
    bucket: str | None = None
    is_inventory: bool = True
    is_url_encoded: bool = True


@dataclass(slots=True)
class Reading:
    rows: list[ManifestRow] = field(default_factory=list)
    fault_lines: list[int] = field(default_factory=list)
    """First physical line of every record that is no row."""
    cells: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Of each such record, as far as it could be read."""
    is_open: bool = False
    """The last record is inside a quote that never closes."""


def read_files(texts: Sequence[bytes], meaning: Meaning) -> list[Reading]:
    bucket = [meaning.bucket]
    return [_read_file(text, meaning, bucket) for text in texts]


def _read_file(content: bytes, meaning: Meaning, bucket: list[str | None]) -> Reading:
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    reading, is_first, lines = Reading(), True, 0
    for line, record, is_closed in _records(text):
        assert line == lines + 1, "each line belongs to one record"
        lines += record.count("\n")
        if not is_closed:
            reading.fault_lines.append(line)
            reading.is_open = True
            continue
        body = record.removesuffix("\n").removesuffix("\r")
        if not body:
            continue
        cells, is_formed = _cells(body)
        try:
            if not is_formed or _has_escape(body):
                raise Wrong
            reading.rows.append(_row(cells, meaning, bucket, is_first=is_first))
        except Wrong:
            reading.fault_lines.append(line)
            reading.cells[line] = cells
        is_first = False
    return reading


def _has_escape(text: str) -> bool:
    """Of a byte that is no UTF-8."""
    return any("\udc80" <= letter <= "\udcff" for letter in text)


def _records(text: str) -> Iterator[tuple[int, str, bool]]:
    """(line, text, whether it is closed): a record ends at a line feed outside quotes."""
    line, start, is_quoted = 1, 0, False
    for at, letter in enumerate(text):
        if letter == '"':
            is_quoted = not is_quoted
        if letter == "\n" and not is_quoted:
            yield line, text[start : at + 1], True
            line += text.count("\n", start, at + 1)
            start = at + 1
    if start < len(text):
        yield line, text[start:] + "\n", not is_quoted


def _cells(body: str) -> tuple[tuple[str, ...], bool]:
    cells, cell, state = [], "", "start"
    for letter in body:
        if letter == "," and state != "quoted":
            cells.append(cell)
            cell, state = "", "start"
        elif state == "start" and letter == '"':
            state = "quoted"
        elif state in ("start", "plain"):
            if letter in '"\r\n':
                return (*cells, cell), False
            cell, state = cell + letter, "plain"
        elif state == "quoted":
            cell, state = (cell, "closed") if letter == '"' else (cell + letter, "quoted")
        elif letter == '"':
            cell, state = cell + '"', "quoted"
        else:
            return (*cells, cell), False
    return (*cells, cell), state != "quoted"


def _row(cells: Sequence[str], meaning: Meaning, bucket: list[str | None], *, is_first: bool) -> ManifestRow:
    named = dict(zip(meaning.columns, cells, strict=False))
    is_named = _folded(named.get("bucket", "")) in HEADER_BUCKETS and _folded(named.get("key", "")) in HEADER_KEYS
    if is_first and is_named and bucket[0] is None:
        raise Wrong  # a header; where the bucket is known before, a header is about another one
    if len(cells) != len(meaning.columns):
        raise Wrong
    _check_bucket(named, meaning, bucket)
    version = named.get("versionid", "")
    version = version if meaning.is_inventory else version.strip(" ")
    if len(version.encode()) > 1024:
        raise Wrong
    return ManifestRow(
        key=ObjectKey(_key(named["key"], meaning)),
        version_id=VersionId(version) if version else None,
        size_bytes=_size(named.get("size", "")),
        is_latest=_flag(named.get("islatest", "")),
        is_delete_marker=_flag(named.get("isdeletemarker", named.get("deletemarker", ""))) or False,
        last_modified=named.get("lastmodifieddate", ""),
        etag=named.get("etag", "").strip('"'),
    )


def _check_bucket(named: dict[str, str], meaning: Meaning, bucket: list[str | None]) -> None:
    written = named["bucket"] if meaning.is_inventory else named["bucket"].strip(" ")
    if not written:
        raise Wrong
    wanted = bucket[0] = bucket[0] or written
    appid = named.get("appid", "")
    full = (written, f"{written}-{appid}") if appid else (written,)
    if wanted not in full or (appid and not wanted.endswith(f"-{appid}")):
        raise Wrong


def _key(cell: str, meaning: Meaning) -> str:
    key = cell
    if meaning.is_url_encoded:
        key = cell.replace("+", " ")
        for at, letter in enumerate(key):
            if letter == "%" and not (len(key) > at + 2 and set(key[at + 1 : at + 3]) <= HEX):
                raise Wrong
        try:
            key = unquote_to_bytes(key).decode()
        except UnicodeDecodeError:
            raise Wrong from None
    if not 0 < len(key.encode()) <= 1024:
        raise Wrong
    return key


def _size(cell: str) -> int | None:
    if cell and (set(cell) - set("0123456789") or len(cell) > 18):
        raise Wrong
    return int(cell) if cell else None


def _flag(cell: str) -> bool | None:
    if cell and cell not in FLAGS:
        raise Wrong
    return FLAGS[cell] if cell else None


def _folded(cell: str) -> str:
    folded = cell.strip().casefold()
    return "".join(letter for letter in folded if letter not in "_- ")
