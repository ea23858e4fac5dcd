"""From segments of a manifest file to rows: whole columns at once where all is in order, cell by cell where not.

The slow way decides what is right and says where a fault is. The fast ones give up on anything unusual, so that they
cannot disagree with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import Final, cast

from cosbatch.manifests.cells import Record, locate_records, split_cells
from cosbatch.manifests.columns import Columns
from cosbatch.manifests.faults import FaultLog
from cosbatch.manifests.keys import KEY_LIMIT_BYTES, decode_key, decode_keys
from cosbatch.manifests.plain import SIZE_DIGITS, PlainForm, PlainRows, RowBatch
from cosbatch.manifests.records import Segment
from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import Bucket, ObjectKey, VersionId
from cosbatch.model.manifests import KeyEncoding, ManifestRow

_FLAGS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_LATEST: Final[dict[str, bool | None]] = {**_FLAGS, "": None}
_MARKER: Final = {**_FLAGS, "": False}
_NO_TEXT: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as they are read for the slow way."""
_SHORT_KEY: Final = KEY_LIMIT_BYTES // 4
"""Characters that fit the limit whatever they are."""
_VERSION_LIMIT_BYTES: Final = 1024
"""S3 gives no longer version id (Amazon S3 User Guide, "How S3 Versioning works")."""
_BUCKET_WORDS: Final = frozenset({"bucket", "bucketname", "存储桶", "存储桶名称"})
_KEY_WORDS: Final = frozenset({"key", "keyname", "object", "objectkey", "objectname", "name", "path", "对象键", "对象"})

# The class's own constructor is written in Python; this one does the same in C, in half the time.
_new_row = cast("Callable[[tuple[object, ...]], ManifestRow]", partial(tuple.__new__, ManifestRow))


class SourceBucket:
    """The one bucket that every row must name. A CSV manifest does not announce it: its first row decides."""

    def __init__(self, name: Bucket | None = None) -> None:
        self.name = name

    def accepts(self, bucket: str, *, appid: str) -> bool:
        """In COS inventories the row has the short name, with the appid in a column of its own, or the full one."""
        if self.name is None:
            self.name = Bucket(bucket)
        if not appid:
            return bucket == self.name
        return self.name.endswith(f"-{appid}") and bucket in {self.name, self.name.removesuffix(f"-{appid}")}


class RowReader:
    """Reads the rows of one file of a manifest."""

    def __init__(self, columns: Columns, *, file: str, source: SourceBucket, faults: FaultLog) -> None:
        self._columns = columns
        self._file = file
        self._source = source
        self._faults = faults
        self._began = False
        self._form: PlainForm | None = None
        """What the last records that were read in order look like."""

    def read_batch(self, segment: Segment) -> RowBatch:
        """The rows of whole records, as columns alone where they are plain; else like :meth:`read`."""
        plain = self._read_plain(segment)
        if plain is None:
            return RowBatch.of_rows(self.read(segment))
        return RowBatch(plain=plain, read=partial(self.read, segment))

    def read(self, segment: Segment) -> list[ManifestRow]:
        """The rows of whole records; what is wrong goes to the fault log, with its place."""
        rows = self._read_fast(segment)
        if rows is None:
            rows = self._read_located(segment)
        return rows

    # --- fastest: the columns of a plain form

    def _read_plain(self, segment: Segment) -> PlainRows | None:
        """None where any record has another form than the last ones, or any cell is not as it should be."""
        if self._form is None:
            return None
        try:
            found = self._form.split(segment.content.decode())
            return None if found is None else PlainRows(keys=self._keys(found.keys), sizes=found.sizes)
        except ValueError:
            return None

    # --- fast: by columns

    def _read_fast(self, segment: Segment) -> list[ManifestRow] | None:
        try:
            text = segment.content.decode()
            records = split_cells(text)
            if not records:
                return None if records is None else []
            if not self._began and self._is_header(records[0]):
                return None
            rows = self._build(records)
        except (ValueError, KeyError):
            return None
        self._began = True
        self._form = PlainForm.like(records[0], columns=self._columns, is_quoted=text.startswith('"'))
        return rows

    def _build(self, records: Sequence[Sequence[str]]) -> list[ManifestRow]:
        """ValueError or KeyError where any cell is not as it should be."""
        columns = self._columns
        table = list(zip(*records, strict=True))
        if len(table) != len(columns.names):
            raise ValueError("another number of columns")
        self._check_buckets(table)
        cells: tuple[Iterable[object], ...] = (
            self._keys(table[columns.key]),
            _optional(table, columns.version_id, self._version_ids, repeat(None)),
            _optional(table, columns.size, _sizes, repeat(None)),
            _optional(table, columns.is_latest, lambda column: [_LATEST[cell] for cell in column], repeat(None)),
            _optional(
                table, columns.is_delete_marker, lambda column: [_MARKER[cell] for cell in column], repeat(False)
            ),
            _optional(table, columns.last_modified, lambda column: column, repeat("")),
            _optional(table, columns.etag, _etags, repeat("")),
        )
        return list(map(_new_row, zip(*cells, strict=False)))

    def _check_buckets(self, table: Sequence[Sequence[str]]) -> None:
        columns = self._columns
        buckets = (
            {cell.strip(" ") for cell in set(table[columns.bucket])} if columns.trims else set(table[columns.bucket])
        )
        appids = {""} if columns.appid is None else set(table[columns.appid])
        if len(buckets) > 1 or len(appids) > 1 or "" in buckets:
            raise ValueError("two spellings, or two buckets")
        if not self._source.accepts(buckets.pop(), appid=appids.pop()):
            raise ValueError("another bucket")

    def _keys(self, column: Sequence[str]) -> Sequence[str]:
        keys = decode_keys(column) if self._columns.key_encoding is KeyEncoding.URL else column
        if "" in keys:
            raise ValueError("an empty key")
        if max(map(len, keys)) > _SHORT_KEY and any(len(key.encode()) > KEY_LIMIT_BYTES for key in keys):
            raise ValueError("a long key")
        return keys

    def _version_ids(self, column: Sequence[str]) -> Iterable[str | None]:
        longest = max(map(len, column))
        if not longest:
            return repeat(None)
        if longest > _SHORT_KEY:
            raise ValueError("a long version id, if it is one")
        if self._columns.trims:
            column = [cell.strip(" ") for cell in column]
        return [cell or None for cell in column]

    # --- slow: row by row

    def _read_located(self, segment: Segment) -> list[ManifestRow]:
        text = segment.content.decode("utf-8", "surrogateescape")
        rows: list[ManifestRow] = []
        for record in locate_records(text, line=segment.line):
            row = self.read_record(record)
            if row is not None:
                rows.append(row)
            if self._faults.more:
                break
        return rows

    def read_record(self, record: Record) -> ManifestRow | None:
        """The next record of the file; None where it is faulty."""
        is_first, self._began = not self._began, True
        return self._read_row(record) if self._is_in_order(record, is_first=is_first) else None

    def _is_in_order(self, record: Record, *, is_first: bool) -> bool:
        """Whether the record is one at all: text, well-formed, as wide as it should be, and no header."""
        width = len(self._columns.names)
        for number, cell in enumerate(record.cells):
            if _NO_TEXT.search(cell):
                self._add(record, number, "the text is not UTF-8", value=cell, way_out="write the file in UTF-8")
                return False
        if record.malformed:
            way_out = "put the cell in quotes, and write a quote in it twice"
            self._add(record, len(record.cells) - 1, record.malformed, value=record.cells[-1], way_out=way_out)
            return False
        if is_first and self._is_header(record.cells):
            way_out = "remove the first line: a manifest has no header row"
            self._add(
                record, self._columns.bucket, "this is a header row", value=",".join(record.cells), way_out=way_out
            )
            return False
        if len(record.cells) != width:
            named = ", ".join(self._columns.names)
            problem = f"the row has {len(record.cells)} columns instead of {width} ({named})"
            self._add(record, min(len(record.cells), width), problem, value=",".join(record.cells))
            return False
        return True

    def _read_row(self, record: Record) -> ManifestRow | None:
        columns, cells = self._columns, record.cells
        bucket_is_right = self._bucket_is_right(record)
        key = self._key(record)
        version = self._version(record)
        size = self._size(record)
        latest = self._flag(record, columns.is_latest)
        marker = self._flag(record, columns.is_delete_marker)
        if not bucket_is_right or key is None or version is None or size == -1 or _WRONG in (latest, marker):
            return None
        return ManifestRow(
            key=ObjectKey(key),
            version_id=VersionId(version) if version else None,
            size_bytes=size,
            is_latest=_LATEST[latest],
            is_delete_marker=_MARKER[marker],
            last_modified="" if columns.last_modified is None else cells[columns.last_modified],
            etag="" if columns.etag is None else cells[columns.etag].strip('"'),
        )

    def _bucket_is_right(self, record: Record) -> bool:
        columns, cells = self._columns, record.cells
        bucket = cells[columns.bucket].strip(" ") if columns.trims else cells[columns.bucket]
        if not bucket:
            self._add(record, columns.bucket, "the bucket is empty")
            return False
        if self._source.accepts(bucket, appid="" if columns.appid is None else cells[columns.appid]):
            return True
        problem = f"the row is about another bucket than {self._source.name}"
        way_out = "make one job for each bucket"
        code = FailureCode.MANIFEST_BUCKET_MISMATCH
        self._add(record, columns.bucket, problem, value=bucket, way_out=way_out, code=code)
        return False

    def _key(self, record: Record) -> str | None:
        cell = record.cells[self._columns.key]
        try:
            key = decode_key(cell) if self._columns.key_encoding is KeyEncoding.URL else cell
        except ValueError as error:
            problem = f"the key cannot be decoded: {error}"
            way_out = "percent-encode the key (% is %25), or say that the keys are not encoded (key_encoding: raw)"
            self._add(record, self._columns.key, problem, value=cell, way_out=way_out if self._columns.trims else "")
            return None
        if not key:
            self._add(record, self._columns.key, "the key is empty")
            return None
        length = len(key.encode())
        if length > KEY_LIMIT_BYTES:
            problem = f"the key is {length} bytes long, no object has a key of more than {KEY_LIMIT_BYTES}"
            self._add(record, self._columns.key, problem, value=cell)
            return None
        return key

    def _version(self, record: Record) -> str | None:
        """Empty where the row names none; None for a fault."""
        column = self._columns.version_id
        cell = "" if column is None else record.cells[column]
        version = cell.strip(" ") if self._columns.trims else cell
        length = len(version.encode())
        if length <= _VERSION_LIMIT_BYTES:
            return version
        problem = f"the version id is {length} bytes long, none has more than {_VERSION_LIMIT_BYTES}"
        self._add(record, column or 0, problem, value=cell)
        return None

    def _size(self, record: Record) -> int | None:
        """-1 for a fault."""
        column = self._columns.size
        cell = "" if column is None else record.cells[column]
        if not cell:
            return None
        if cell.isascii() and cell.isdecimal() and len(cell) <= SIZE_DIGITS:
            return int(cell)
        self._add(record, column or 0, "the size is no number of bytes", value=cell)
        return -1

    def _flag(self, record: Record, column: int | None) -> str:
        cell = "" if column is None else record.cells[column]
        if not cell or cell in _FLAGS:
            return cell
        self._add(record, column or 0, f"{self._columns.names[column or 0]} is neither true nor false", value=cell)
        return _WRONG

    def _is_header(self, cells: Sequence[str]) -> bool:
        """Both words are asked for: a bucket may well be called ``bucket``. One that an inventory announces may also
        have an object called ``key``."""
        columns = self._columns
        if len(cells) <= max(columns.bucket, columns.key, columns.appid or 0):
            return False
        bucket, appid = cells[columns.bucket], "" if columns.appid is None else cells[columns.appid]
        if not (is_bucket_word(bucket) and is_key_word(cells[columns.key])):
            return False
        return self._source.name is None or not self._source.accepts(bucket, appid=appid)

    def _add(
        self,
        record: Record,
        column: int,
        problem: str,
        *,
        value: str = "",
        way_out: str = "",
        code: FailureCode = FailureCode.MANIFEST_PARSING_ERROR,
    ) -> None:
        path = f"{self._file}:{record.line}:{column + 1}"
        self._faults.add(path, problem, value=value, way_out=way_out, code=code)


_WRONG: Final = "?"
"""In place of a flag that is none."""


def is_bucket_word(cell: str) -> bool:
    """Whether the cell reads like the name of a column of buckets."""
    return _folded(cell) in _BUCKET_WORDS


def is_key_word(cell: str) -> bool:
    return _folded(cell) in _KEY_WORDS


def _folded(cell: str) -> str:
    return cell.strip().casefold().replace("_", "").replace(" ", "").replace("-", "")


def _optional(
    table: Sequence[Sequence[str]],
    column: int | None,
    convert: Callable[[Sequence[str]], Iterable[object]],
    absent: Iterable[object],
) -> Iterable[object]:
    return absent if column is None else convert(table[column])


def _sizes(column: Sequence[str]) -> Iterable[int | None]:
    digits = "".join(column)
    if not digits:
        return repeat(None)
    if not (digits.isascii() and digits.isdecimal()) or max(map(len, column)) > SIZE_DIGITS:
        raise ValueError("a size that is no number")
    return [int(cell) if cell else None for cell in column]


def _etags(column: Sequence[str]) -> Sequence[str]:
    return [cell.strip('"') for cell in column] if '"' in "".join(column) else column
