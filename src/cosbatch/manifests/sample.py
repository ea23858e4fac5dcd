"""The first rows of a manifest file, as they stand and as they are read, and what is odd about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from cosbatch.manifests.cells import Record, locate_records
from cosbatch.manifests.columns import Columns
from cosbatch.manifests.faults import FaultLog, StreamBroken
from cosbatch.manifests.guess import is_header_row
from cosbatch.manifests.records import RecordCutter, Segment
from cosbatch.manifests.rows import RowReader, SourceBucket
from cosbatch.manifests.unpack import Unpacker
from cosbatch.model.identifiers import NULL_VERSION
from cosbatch.model.manifests import KeyEncoding, ManifestRow

ROWS_SHOWN: Final = 10
TEXT_BYTES: Final = 256 * 1024
_NEVER_IN_ENCODED: Final = re.compile(r"[^\x21-\x7e]")
"""An encoder leaves no blank, and nothing beyond ASCII."""


class Oddity(StrEnum):
    BYTE_ORDER_MARK = "byte-order-mark"
    CRLF = "crlf"
    HEADER_ROW = "header-row"
    BLANK_BEFORE_KEY = "blank-before-key"
    KEYS_LOOK_RAW = "keys-look-raw"
    MIXED_VERSIONS = "mixed-versions"
    ETAG_DIFFERS = "etag-differs"
    CHECKSUM_DIFFERS = "checksum-differs"
    DESTINATION_ELSEWHERE = "destination-elsewhere"


class Remark(NamedTuple):
    """Something that need not be wrong, and that whoever makes the job should know."""

    oddity: Oddity
    message: str
    """One sentence without a full stop."""


class SampleRow(NamedTuple):
    line: int
    cells: tuple[str, ...]
    """As they stand in the file, the quotes of CSV taken off."""
    row: ManifestRow | None
    """Decoded; None where the row is faulty, or nobody knows which column is which."""


class VersionCounts(NamedTuple):
    """How the rows looked at name a version."""

    named: int = 0
    null: int = 0
    empty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first whole records of a file."""

    segments: tuple[Segment, ...] = ()
    is_gzip: bool = False
    had_bom: bool = False
    broken: StreamBroken | None = None
    """Why nothing more could be read."""

    def records(self) -> Iterator[Record]:
        for segment in self.segments:
            yield from locate_records(segment.content.decode("utf-8", "surrogateescape"), line=segment.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    rows: tuple[SampleRow, ...]
    rows_looked_at: int
    versions: VersionCounts
    remarks: tuple[Remark, ...]


def open_start(content: bytes, *, is_whole: bool) -> Opening:
    """``content`` is the beginning of a file, or all of it. About 256 KiB of text are looked at, in whole records."""
    unpacker, cutter = Unpacker(), RecordCutter()
    segments: list[Segment] = []
    broken = None
    try:
        segments.extend(_segments(content, unpacker, cutter, is_whole=is_whole))
    except StreamBroken as error:
        segments.extend(cutter.flush())
        error.line = error.line or cutter.reached_line()
        broken = error
    return Opening(segments=tuple(segments), is_gzip=unpacker.is_gzip is True, had_bom=cutter.had_bom, broken=broken)


def read_sample(
    opening: Opening, columns: Columns | None, *, source: SourceBucket, file: str, faults: FaultLog
) -> Sample:
    records = list(opening.records())
    rows: list[ManifestRow | None] = [None] * len(records)
    if columns is not None:
        reader = RowReader(columns, file=file, source=source, faults=faults)
        rows = [reader.read_record(record) for record in records]
    if opening.broken is not None:
        faults.add(f"{file}:{opening.broken.line}:1", opening.broken.problem, way_out=opening.broken.way_out)
    versions = _count_versions([row for row in rows if row is not None])
    return Sample(
        rows=tuple(
            map(SampleRow._make, ((r.line, r.cells, row) for r, row in zip(records[:ROWS_SHOWN], rows, strict=False)))
        ),
        rows_looked_at=len(records),
        versions=versions,
        remarks=tuple(_remarks(opening, records, columns, versions=versions)),
    )


def _segments(content: bytes, unpacker: Unpacker, cutter: RecordCutter, *, is_whole: bool) -> Iterator[Segment]:
    unpacked = 0
    for piece in unpacker.feed(content):
        if unpacked >= TEXT_BYTES:
            is_whole = False
            break
        yield from cutter.feed(piece)
        unpacked += len(piece)
    if not is_whole:
        yield from cutter.flush()
        return
    for piece in unpacker.finish():
        yield from cutter.feed(piece)
    yield from cutter.finish()


def _count_versions(rows: Sequence[ManifestRow]) -> VersionCounts:
    empty = sum(row.version_id is None for row in rows)
    null = sum(row.version_id == NULL_VERSION for row in rows)
    return VersionCounts(named=len(rows) - empty - null, null=null, empty=empty)


def _remarks(
    opening: Opening, records: Sequence[Record], columns: Columns | None, *, versions: VersionCounts
) -> Iterator[Remark]:
    if opening.had_bom:
        yield Remark(Oddity.BYTE_ORDER_MARK, "the file begins with a byte-order mark, which is skipped")
    if any(b"\r\n" in segment.content for segment in opening.segments):
        yield Remark(Oddity.CRLF, "lines end in CR LF, which is read like LF")
    if records and is_header_row(records[0].cells):
        yield Remark(Oddity.HEADER_ROW, "the first line looks like a header row; a manifest has none, remove it")
    if versions.named and (versions.empty or versions.null):
        yield Remark(
            Oddity.MIXED_VERSIONS,
            f"of the rows looked at {versions.named} name a version, {versions.null} the null version, and"
            f" {versions.empty} none, which means the newest when the job runs",
        )
    if columns is not None and columns.trims:
        yield from _remarks_on_keys([r.cells[columns.key] for r in records if len(r.cells) > columns.key], columns)


def _remarks_on_keys(cells: Sequence[str], columns: Columns) -> Iterator[Remark]:
    if any(cell.startswith(" ") for cell in cells):
        message = "keys begin with a blank, which is part of the key; write no blank after the comma if it is not meant"
        yield Remark(Oddity.BLANK_BEFORE_KEY, message)
    strange = next((cell for cell in cells if _NEVER_IN_ENCODED.search(cell.strip(" "))), None)
    if columns.key_encoding is KeyEncoding.URL and strange is not None:
        message = (
            f"{strange!r} does not look percent-encoded, but it will be decoded; say raw if keys stand as they are"
        )
        yield Remark(Oddity.KEYS_LOOK_RAW, message)
