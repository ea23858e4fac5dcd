"""The objects that everybody copies, in every form in which somebody wants to be told them.

One key in ten has a space, a plus and Chinese text in it: such keys have to be percent-encoded on the way.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import shlex
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

APPID: Final = "1250000000"
SOURCE_NAME: Final = "objects"
SOURCE_BUCKET: Final = f"{SOURCE_NAME}-{APPID}"
"""As COS names it; an inventory tells the two parts."""
TARGET_BUCKET: Final = "copies"
OBJECT_BYTES: Final = 16
OBJECT_ETAG: Final = "4032af8d61035123906e58e067140cc5"
OBJECT_TIME: Final = "2025-08-01T03:00:00.000Z"
PAGE_KEYS: Final = 1000
SCHEMA: Final = "Appid, Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded"


def keys(count: int) -> Iterator[str]:
    """The first ``count`` keys: always the same ones, in the order of a listing's first bytes or not."""
    chance = random.Random(1)
    for number in range(count):
        folder = "中文 a+b" if number % 10 == 0 else f"service-{number % 97}"
        yield f"logs/2025/{number % 12:02d}/{folder}/part-{number:09d}-{chance.getrandbits(64):016x}.json"


# --- as an inventory


def inventory_rows(count: int, *, quoted: bool = True) -> bytes:
    """A data file of an inventory, gzipped; the clouds write every cell in quotes."""
    packed = io.BytesIO()
    with gzip.open(packed, "wt", compresslevel=1, newline="") as text:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerows(
            (APPID, SOURCE_NAME, quote(key), OBJECT_BYTES, OBJECT_TIME, OBJECT_ETAG, "STANDARD", "False")
            for key in keys(count)
        )
    return packed.getvalue()


def inventory_index(packed: bytes, *, file_key: str) -> bytes:
    """The ``manifest.json`` of an inventory of one data file."""
    digest = hashlib.md5(packed).hexdigest()
    return json.dumps(
        {
            "sourceAppid": APPID,
            "sourceBucket": SOURCE_NAME,
            "fileFormat": "CSV",
            "fileSchema": SCHEMA,
            "files": [{"key": file_key, "size": str(len(packed)), "md5Checksum": digest}],
        }
    ).encode()


# --- as a listing of the source bucket

_ENTRY: Final = (
    f"<LastModified>{OBJECT_TIME}</LastModified><ETag>&quot;{OBJECT_ETAG}&quot;</ETag>"
    f"<Size>{OBJECT_BYTES}</Size><StorageClass>STANDARD</StorageClass>"
)


def list_pages(count: int) -> Iterator[bytes]:
    """Answers to ListObjectsV2; the token of page n is n."""
    every = sorted(keys(count), key=str.encode)
    starts = range(0, count, PAGE_KEYS)
    for number, start in enumerate(starts):
        page = every[start : start + PAGE_KEYS]
        is_last = number == len(starts) - 1
        more = "" if is_last else f"<NextContinuationToken>{number + 1}</NextContinuationToken>"
        found = "".join(f"<Contents><Key>{escape(key)}</Key>{_ENTRY}</Contents>" for key in page)
        yield (
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>{SOURCE_BUCKET}</Name><Prefix></Prefix>'
            f"<KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE_KEYS}</MaxKeys>"
            f"<IsTruncated>{'false' if is_last else 'true'}</IsTruncated>{more}{found}</ListBucketResult>"
        ).encode()


# --- as commands


def copy_commands(count: int) -> str:
    """One command a line for ``s5cmd run``."""
    return "".join(
        f"cp {shlex.quote(f's3://{SOURCE_BUCKET}/{key}')} {shlex.quote(f's3://{TARGET_BUCKET}/{key}')}\n"
        for key in keys(count)
    )
