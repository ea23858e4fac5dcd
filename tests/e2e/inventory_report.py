"""A COS inventory report of a bucket, as the inventory would write it: every value a string, data files in gzip."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

_FOLDER: Final = "inventory"
_COLUMNS: Final = ("Bucket", "Key", "Size", "LastModifiedDate", "ETag", "StorageClass")
_VERSIONED: Final = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """One data file, written."""

    key: str
    content: bytes

    def entry(self) -> dict[str, str]:
        checksum = hashlib.md5(self.content).hexdigest()
        return {"key": self.key, "size": str(len(self.content)), "md5Checksum": checksum}


class InventoryReport:
    def __init__(self, client: Any, *, bucket: str, has_versions: bool) -> None:
        """``client`` is boto3's."""
        self._client = client
        self._bucket = bucket
        self._has_versions = has_versions

    def write(self, control: str, *, name: str, prefix: str = "", missing: Iterable[str] = ()) -> str:
        """Two data files and a manifest.json in the bucket ``control``; the ARN of the latter."""
        listed = self._versions(prefix) if self._has_versions else self._objects(prefix)
        rows = [*listed, *(self._missing(key) for key in missing)]
        middle = len(rows) // 2
        files = [
            _Listed(key=f"{_FOLDER}/{name}/{number}.csv.gz", content=_packed(part))
            for number, part in enumerate((rows[:middle], rows[middle:]))
        ]
        for file in files:
            self._client.put_object(Bucket=control, Key=file.key, Body=file.content)
        key = f"{_FOLDER}/{name}/manifest.json"
        self._client.put_object(Bucket=control, Key=key, Body=json.dumps(self._index(files, len(rows), control)))
        return f"arn:aws:s3:::{control}/{key}"

    def _index(self, files: Sequence[_Listed], count: int, control: str) -> dict[str, Any]:
        return {
            "sourceBucket": self._bucket,
            "destinationBucket": control,
            "fileFormat": "CSV",
            "listObjectCount": str(count),
            "fileSchema": ", ".join(_VERSIONED if self._has_versions else _COLUMNS),
            "files": [file.entry() for file in files],
        }

    def _objects(self, prefix: str) -> list[list[str]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [
            [*self._named(entry), str(entry["Size"]), _date(entry), _etag(entry), entry.get("StorageClass", "STANDARD")]
            for page in pages
            for entry in page.get("Contents", ())
        ]

    def _versions(self, prefix: str) -> list[list[str]]:
        """Those of a key together, the newest first."""
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        entries = [entry for page in pages for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, ())]
        entries.sort(key=lambda entry: (entry["Key"], -entry["LastModified"].timestamp(), not entry["IsLatest"]))
        return [self._version(entry) for entry in entries]

    def _version(self, entry: dict[str, Any]) -> list[str]:
        is_marker = "Size" not in entry
        flags = [str(entry["IsLatest"]).lower(), str(is_marker).lower()]
        size = "" if is_marker else str(entry["Size"])
        return [*self._named(entry), entry["VersionId"], *flags, size, _date(entry), _etag(entry)]

    def _missing(self, key: str) -> list[str]:
        filled = {"Bucket": self._bucket, "Key": _encoded(key), "Size": "10", "IsLatest": "true"}
        filled |= {
            "IsDeleteMarker": "false",
            "LastModifiedDate": "2025-08-01T03:00:00.000Z",
            "StorageClass": "STANDARD",
        }
        return [filled.get(column, "") for column in (_VERSIONED if self._has_versions else _COLUMNS)]

    def _named(self, entry: dict[str, Any]) -> list[str]:
        return [self._bucket, _encoded(entry["Key"])]


def _encoded(key: str) -> str:
    return quote(key, safe="/")


def _date(entry: dict[str, Any]) -> str:
    return str(entry["LastModified"].strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def _etag(entry: dict[str, Any]) -> str:
    return str(entry.get("ETag", "")).strip('"')


def _packed(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)
