"""What lies in the demo's buckets: objects, policies, and an inventory report as COS writes it."""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cosbatch.cli.demo.place import ADMIN_KEY
from cosbatch.cli.demo.store import DemoStore
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef
from cosbatch.storage.port import ObjectMetadata, ObjectStore, PutOptions

SOURCE = "photos-1250000000"
TARGET = "archive-1250000000"
CONTROL = "control-1250000000"
"""Inventories and reports."""
INVENTORY = "inventory/1250000000/photos/daily"
MANIFEST_KEY = f"{INVENTORY}/20261101/manifest.json"
SCHEMA = "Appid, Bucket, Key, Size, LastModifiedDate, ETag, StorageClass"
LARGE_KEY = "photos/panorama.tiff"
LARGE_BYTES = 320 * 2**20
MISSING = 7
FORBIDDEN = 5
ODD_KEYS = (
    "photos/with space.jpg",
    "photos/plus+sign.jpg",
    "photos/100%.jpg",
    "photos/50%25.jpg",
    "photos/comma,quote'and\"double.jpg",
    "photos/中文/图片.jpg",
    "photos/emoji-\N{CAMERA}.jpg",
    "photos/~tilde&ampersand=equals;semicolon.jpg",
    "photos/question?mark#hash.jpg",
    "photos/" + "deep/" * 30 + "x.jpg",
)
WRITERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object as the inventory lists it."""

    key: str
    size_bytes: int
    etag: str


def make_buckets(store: DemoStore) -> None:
    """Three buckets; the job's key may read the source but for ``private/``, and write the other two."""
    client = store.client(ADMIN_KEY)
    for bucket in (SOURCE, TARGET, CONTROL):
        client.create_bucket(Bucket=bucket)
    allow(client, SOURCE, actions=["s3:GetObject", "s3:GetObjectTagging", "s3:ListBucket", "s3:GetBucketVersioning"])
    allow(client, TARGET, actions=["s3:*"])
    allow(client, CONTROL, actions=["s3:*"])


def allow(client: Any, bucket: str, *, actions: list[str], denies_private: bool = True) -> None:
    """Everybody may do so much in a bucket, but read what is private."""
    whole = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": whole}]
    if denies_private:
        private = [f"arn:aws:s3:::{bucket}/photos/private/*"]
        statements += [{"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject"], "Resource": private}]
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


def keys_to_write(count: int) -> list[str]:
    """``count`` keys that exist: ordinary, odd and forbidden ones, without the large one."""
    special = [*ODD_KEYS, *(f"photos/private/{number}.jpg" for number in range(FORBIDDEN))]
    ordinary = [f"photos/{number // 500:03d}/img-{number:05d}.jpg" for number in range(count - len(special))]
    return [*ordinary, *special]


async def write_objects(store: ObjectStore, keys: list[str]) -> list[Listed]:
    """Small objects of different sizes, in parallel; then the large one."""
    waiting = iter(enumerate(keys))
    listed: list[Listed] = []

    async def write() -> None:
        for number, key in waiting:
            listed.append(await _write(store, number, key))

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    listed.append(await _write_large(store))
    return sorted(listed, key=lambda entry: entry.key.encode())


async def _write(store: ObjectStore, number: int, key: str) -> Listed:
    body = hashlib.sha256(key.encode()).digest() * (1 + number % 40)
    metadata = ObjectMetadata(content_type="image/jpeg", user={"camera": f"no-{number % 7}"})
    outcome = await store.put(ObjectRef(Bucket(SOURCE), ObjectKey(key)), body, options=PutOptions(metadata=metadata))
    return Listed(key=key, size_bytes=len(body), etag=outcome.etag)


async def _write_large(store: ObjectStore) -> Listed:
    body = _Zeros(LARGE_BYTES)
    metadata = ObjectMetadata(content_type="image/tiff", user={"camera": "satellite"})
    ref = ObjectRef(Bucket(SOURCE), ObjectKey(LARGE_KEY))
    outcome = await store.put(ref, body, options=PutOptions(metadata=metadata))
    return Listed(key=LARGE_KEY, size_bytes=LARGE_BYTES, etag=outcome.etag)


class _Zeros:
    """A body of zero bytes that is never in memory as a whole."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes

    async def blocks(self) -> Any:
        block = bytes(2**20)
        for _ in range(self.size_bytes // len(block)):
            yield block


def write_inventory(store: DemoStore, listed: Iterable[Listed]) -> str:
    """The inventory's rows and its manifest.json; some of the objects it lists are gone. The manifest's ETag."""
    client = store.client(ADMIN_KEY)
    packed = gzip.compress(_rows([*listed, *_gone()]).encode(), mtime=0)
    digest = hashlib.md5(packed, usedforsecurity=False).hexdigest()
    rows_key = f"{INVENTORY}/{digest}.csv.gz"
    client.put_object(Bucket=CONTROL, Key=rows_key, Body=packed)
    index = {
        "sourceAppid": "1250000000",
        "sourceBucket": SOURCE.removesuffix("-1250000000"),
        "destinationAppid": "1250000000",
        "destinationBucket": CONTROL.removesuffix("-1250000000"),
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": [{"key": rows_key, "size": str(len(packed)), "md5Checksum": digest}],
    }
    answer = client.put_object(Bucket=CONTROL, Key=MANIFEST_KEY, Body=json.dumps(index, indent=1).encode())
    return str(answer["ETag"]).strip('"')


def _gone() -> Iterator[Listed]:
    for number in range(MISSING):
        yield Listed(key=f"photos/deleted-since/{number}.jpg", size_bytes=32, etag="0" * 32)


def _rows(listed: Iterable[Listed]) -> str:
    text = io.StringIO(newline="")
    short = SOURCE.removesuffix("-1250000000")
    csv.writer(text, lineterminator="\n").writerows(
        (
            "1250000000",
            short,
            quote(entry.key, safe=""),
            entry.size_bytes,
            "2026-11-01T00:00:00Z",
            entry.etag,
            "STANDARD",
        )
        for entry in listed
    )
    return text.getvalue()
