"""Which column of a manifest says what: from the fields of a CSV manifest, or from the schema of an inventory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cosbatch.model.manifests import KeyEncoding, ManifestField


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Column numbers from 0; None where the manifest has no such column."""

    names: tuple[str, ...]
    """Of every column, also of those that nobody reads: their number is the width of a row."""
    bucket: int
    key: int
    appid: int | None = None
    version_id: int | None = None
    size: int | None = None
    is_latest: int | None = None
    is_delete_marker: int | None = None
    last_modified: int | None = None
    etag: int | None = None
    key_encoding: KeyEncoding = KeyEncoding.URL
    trims: bool = False
    """ASCII spaces around bucket and version id are no part of them (never those around a key)."""


def columns_of_fields(fields: Sequence[ManifestField], *, key_encoding: KeyEncoding) -> Columns:
    """ValueError where Bucket or Key is missing, or one of the three named twice."""
    for field in (ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID):
        if fields.count(field) > 1:
            raise ValueError(f"{field} is named twice")
        if field is not ManifestField.VERSION_ID and field not in fields:
            raise ValueError(f"{field} is not among the fields")
    return Columns(
        names=tuple(str(field) for field in fields),
        bucket=fields.index(ManifestField.BUCKET),
        key=fields.index(ManifestField.KEY),
        version_id=fields.index(ManifestField.VERSION_ID) if ManifestField.VERSION_ID in fields else None,
        key_encoding=key_encoding,
        trims=True,
    )


def columns_of_schema(schema: Sequence[str]) -> Columns:
    """ValueError where Bucket or Key is missing, or a column that is read is named twice.

    COS says both ``IsDeleteMarker`` (inventory overview) and ``DeleteMarker`` (PUT Bucket inventory). Columns that are
    not known here (Tag, Crc64, ``x-cos-meta-*``, ReplicationStatus) count, and nobody reads them.
    """
    folded = [name.casefold() for name in schema]

    def find(*spellings: str) -> int | None:
        found = [number for number, name in enumerate(folded) if name in spellings]
        if len(found) > 1:
            raise ValueError(f"the column {schema[found[0]]} is named twice")
        return found[0] if found else None

    bucket, key = find("bucket"), find("key")
    if bucket is None or key is None:
        raise ValueError(f"the column {'Bucket' if bucket is None else 'Key'} is missing")
    return Columns(
        names=tuple(schema),
        bucket=bucket,
        key=key,
        appid=find("appid"),
        version_id=find("versionid"),
        size=find("size"),
        is_latest=find("islatest"),
        is_delete_marker=find("isdeletemarker", "deletemarker"),
        last_modified=find("lastmodifieddate"),
        etag=find("etag"),
    )
