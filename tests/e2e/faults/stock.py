"""5,000 rows over one bucket: objects of many sizes, some that take a copy in parts, and rows without an object."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef
from cosbatch.storage.port import ObjectMetadata, PutOptions
from tests.e2e.program import Ground

ROWS: Final = 5000
IN_PARTS: Final = {"part_copy_above_bytes": 5 * 2**20, "part_size_bytes": 5 * 2**20}
"""Fields of a job that copies the large objects in two parts."""
_LARGE_BYTES: Final = 6 * 2**20
_LARGE_EVERY: Final = 700
_MISSING: Final = 25
_ODD: Final = ("a b", "plus+", "100%", "50%25", "comma,quote'", "中文/日志", "q?m#h")
_WRITERS: Final = 16


class Listed(NamedTuple):
    """An object as a listing shows it."""

    size_bytes: int
    etag: str
    storage_class: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Stock:
    """A source bucket, filled; runs only read it."""

    ground: Ground
    missing: tuple[str, ...]
    arn: str
    """Of the inventory report with all rows."""
    listed: Mapping[str, Listed] = field(repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all rows, in no order."""
        return (*self.listed, *self.missing)


def fill_stock(ground: Ground) -> Stock:
    missing = tuple(f"gone/{number:03d}" for number in range(_MISSING))
    asyncio.run(_put_all(ground, _present(ROWS - _MISSING)))
    arn = ground.inventory(missing=missing)
    return Stock(ground=ground, missing=missing, arn=arn, listed=list_objects(ground.client, ground.source))


def _present(count: int) -> list[str]:
    plain = [f"logs/{number // 100:02d}/{number:05d}" for number in range(count - len(_ODD))]
    return [*plain, *(f"odd/{name}" for name in _ODD)]


async def _put_all(ground: Ground, keys: Iterable[str]) -> None:
    """By the product's own adapter: ten times as fast as boto3, and what is there is looked at by boto3 afterwards."""
    waiting = list(enumerate(keys))
    store = ground.store.open()

    async def put_some() -> None:
        while waiting:
            number, key = waiting.pop()
            await store.put(
                ObjectRef(Bucket(ground.source), ObjectKey(key)), body_of(number, key), options=_options(key)
            )

    try:
        async with asyncio.TaskGroup() as writers:
            for _ in range(_WRITERS):
                writers.create_task(put_some())
    finally:
        await store.close()


def body_of(number: int, key: str) -> bytes:
    if number % _LARGE_EVERY == _LARGE_EVERY // 2:
        return random.Random(key).randbytes(_LARGE_BYTES)
    return key.encode() * (number % 20)


def _options(key: str) -> PutOptions:
    return PutOptions(metadata=ObjectMetadata(content_type="text/plain", user=user_metadata(key)))


def user_metadata(key: str) -> dict[str, str]:
    return {"row": key.rpartition("/")[2] if key.isascii() else "odd"}


def list_objects(client: Any, bucket: str) -> dict[str, Listed]:
    """The bucket as boto3 lists it."""
    return {
        entry["Key"]: Listed(entry["Size"], entry["ETag"], entry.get("StorageClass", "STANDARD"), entry["LastModified"])
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for entry in page.get("Contents", ())
    }
