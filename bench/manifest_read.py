"""What of planning is reading the manifest: CPU against a bare loop of gzip, csv and unquote over the same file.

For an inventory as the clouds write it, every cell in quotes, and for an unquoted one, which differ in their parsers.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import statistics
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_plus

from bench.figures import Row
from bench.object_list import inventory_index, inventory_rows
from cosbatch.manifests.reader import read_manifest
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.storage.memory import MemoryStore

ROWS: Final = 300_000
ROUNDS: Final = 3
INDEX_KEY: Final = "inventory/manifest.json"
FILE_KEY: Final = "inventory/a.csv.gz"


def reading_rows() -> Iterator[Row]:
    for quoted in (True, False):
        ratio, per_second = _compare(quoted=quoted)
        yield Row(
            number="P4",
            what=f"of which reading {'a quoted' if quoted else 'an unquoted'} manifest, against the same loop",
            figure=ratio,
            remark=f"{per_second:,.0f} rows per CPU second",
        )


def bare_loop(packed: bytes) -> float:
    """CPU seconds of the least that anybody must do who reads such a file."""
    began = time.process_time()
    with gzip.open(io.BytesIO(packed), "rt", newline="") as text:
        for row in csv.reader(text):
            key = row[2]
            if "%" in key or "+" in key:
                key = unquote_plus(key)
    return time.process_time() - began


def _compare(*, quoted: bool) -> tuple[float, float]:
    packed = inventory_rows(ROWS, quoted=quoted)
    store = _store_with(packed)
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(bare_loop(packed))
        began = time.process_time()
        assert asyncio.run(_read_all(store)) == ROWS
        ours.append(time.process_time() - began)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    return ratio, ROWS / statistics.median(ours)


def _store_with(packed: bytes) -> MemoryStore:
    store = MemoryStore(clock=SystemClock())
    store.create_bucket("reports")
    store.put_now("reports", FILE_KEY, packed)
    store.put_now("reports", INDEX_KEY, inventory_index(packed, file_key=FILE_KEY))
    return store


async def _read_all(store: MemoryStore) -> int:
    location = ManifestLocation(bucket=Bucket("reports"), key=ObjectKey(INDEX_KEY))
    spec = ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV)
    reading = await read_manifest(Manifest(location=location, spec=spec), store)
    return sum([len(batch) async for batch in reading.batches()])
