"""The ``manifest.json`` of an inventory report, COS's or S3's: what was listed, and in which files.

COS writes every value as a string, names ``sourceAppid`` beside a short ``sourceBucket``, and says ``md5Checksum``
where S3 says ``MD5checksum`` (COS, inventory overview; S3, inventory manifest). Both are read alike.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from cosbatch.manifests.columns import Columns, columns_of_schema
from cosbatch.manifests.faults import FaultLog
from cosbatch.model.arns import parse_resource_arn
from cosbatch.model.identifiers import Bucket, ObjectKey

INDEX_LIMIT_BYTES: Final = 16 * 1024 * 1024
"""Of manifest.json, which is read as a whole: some 80,000 files, with a million rows or so in each."""
_MD5: Final = re.compile(r"[0-9A-Fa-f]{32}")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REGENERATE: Final = "write the report again, or take its manifest.json as the inventory wrote it"


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFile:
    key: ObjectKey
    size_bytes: int
    """As stored, compressed."""
    md5: str
    """Hexadecimal, lower case, of the stored bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryIndex:
    source_bucket: Bucket
    """The full name, ``<bucket>-<appid>`` in COS."""
    source_appid: str
    destination_bucket: str
    """As written; the files are looked for beside manifest.json whatever it says, since reports get moved."""
    created: str
    """As written; S3 gives Unix milliseconds. Empty where it is not there."""
    listed_objects: int | None
    """After the inventory's own filter; None where the report does not say."""
    columns: Columns
    files: tuple[InventoryFile, ...]


def parse_index(content: bytes, *, path: str) -> InventoryIndex:
    """Raises ManifestFaulty with all that is wrong; ``path`` is the key of manifest.json."""
    faults = FaultLog()
    document = _parse_json(content, path=path, faults=faults)
    index = _read_document(document, path=path, faults=faults) if isinstance(document, dict) else None
    if faults or index is None:
        raise faults.error()
    return index


def _parse_json(content: bytes, *, path: str, faults: FaultLog) -> object:
    way_out = "the location must name the manifest.json of an inventory report"
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        faults.add(f"{path}:{error.lineno}:{error.colno}", f"this is no JSON: {error.msg}", way_out=way_out)
        return None
    except (ValueError, RecursionError):
        faults.add(path, "this is no JSON text in UTF-8", way_out=way_out)
        return None
    if not isinstance(document, dict):
        faults.add(path, "this is no JSON object", way_out=way_out)
    return document


def _read_document(document: dict[str, object], *, path: str, faults: FaultLog) -> InventoryIndex | None:
    _check_format(document, path=path, faults=faults)
    bucket = _text(document.get("sourceBucket"))
    if not bucket:
        faults.add(f"{path}:sourceBucket", "the name of the bucket that was listed is missing", way_out=_REGENERATE)
    columns = _read_schema(document, path=path, faults=faults)
    files = _read_files(document.get("files"), path=path, faults=faults)
    if faults or columns is None:
        return None
    appid = _text(document.get("sourceAppid"))
    filtered = _number(document.get("filterObjectCount"))
    return InventoryIndex(
        source_bucket=Bucket(bucket if not appid or bucket.endswith(f"-{appid}") else f"{bucket}-{appid}"),
        source_appid=appid,
        destination_bucket=_text(document.get("destinationBucket")),
        created=_text(document.get("creationTimestamp")),
        listed_objects=_number(document.get("listObjectCount")) if filtered is None else filtered,
        columns=columns,
        files=files,
    )


def _check_format(document: dict[str, object], *, path: str, faults: FaultLog) -> None:
    written = _text(document.get("fileFormat"))
    if written.upper() == "CSV":
        return
    if written.upper() in {"ORC", "PARQUET"}:
        problem = f"inventories in {written} are not supported yet"
        faults.add(f"{path}:fileFormat", problem, value=written, way_out="set the inventory's format to CSV")
    else:
        faults.add(f"{path}:fileFormat", "the format of the files must be CSV", value=written, way_out=_REGENERATE)


def _read_schema(document: dict[str, object], *, path: str, faults: FaultLog) -> Columns | None:
    written = _text(document.get("fileSchema"))
    if not written:
        faults.add(f"{path}:fileSchema", "the names of the columns are missing", way_out=_REGENERATE)
        return None
    try:
        return columns_of_schema([name.strip() for name in written.split(",")])
    except ValueError as error:
        faults.add(f"{path}:fileSchema", str(error), value=written, way_out=_REGENERATE)
        return None


def _read_files(written: object, *, path: str, faults: FaultLog) -> tuple[InventoryFile, ...]:
    if not isinstance(written, list):
        faults.add(f"{path}:files", "the list of files is missing", way_out=_REGENERATE)
        return ()
    files: dict[str, InventoryFile] = {}
    for number, entry in enumerate(written):
        place = f"{path}:files[{number}]"
        file = _read_file(entry if isinstance(entry, dict) else {}, place=place, faults=faults)
        if file and file.key in files:
            faults.add(f"{place}.key", "the file is listed twice", value=file.key, way_out=_REGENERATE)
        if file:
            files[file.key] = file
    return tuple(files.values())


def _read_file(entry: dict[str, object], *, place: str, faults: FaultLog) -> InventoryFile | None:
    written = entry.get("key")
    key = written if isinstance(written, str) and _text(written) else ""
    size = _number(entry.get("size"))
    md5 = _text(entry.get("MD5checksum") or entry.get("md5Checksum"))
    if not key:
        faults.add(f"{place}.key", "the key of the file is missing", way_out=_REGENERATE)
    if size is None:
        shown = _text(entry.get("size"))
        faults.add(f"{place}.size", "the size is no number of bytes", value=shown, way_out=_REGENERATE)
    if not _MD5.fullmatch(md5):
        faults.add(f"{place}.MD5checksum", "this is no MD5 in hexadecimal", value=md5, way_out=_REGENERATE)
    if not key or size is None or not _MD5.fullmatch(md5):
        return None
    return InventoryFile(key=ObjectKey(key), size_bytes=size, md5=md5.lower())


def bucket_of_arn(text: str) -> str:
    """The bucket that ``destinationBucket`` names: S3 writes an ARN, COS a name."""
    arn = parse_resource_arn(text)
    return arn.bucket if arn else text


def _text(value: object) -> str:
    """A JSON string or number as text; anything else, and what is no text in UTF-8, as empty."""
    if isinstance(value, str):
        return value.strip() if _LONE_SURROGATE.search(value) is None else ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _number(value: object) -> int | None:
    """A whole number that is not negative, as a number or as a string; None for anything else."""
    text = _text(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
