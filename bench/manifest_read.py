"""CPU of reading a manifest against a bare ``gzip`` + ``csv`` + ``unquote_plus`` loop over the same file.

Run ``python bench/manifest_read.py [rows] [repetitions]``. It prints the ratio (the median of interleaved repetitions)
for an inventory as the clouds write it, every cell in quotes, and for an unquoted one, which differ in their parsers.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import hashlib
import io
import json
import random
import statistics
import sys
import time
from urllib.parse import unquote_plus

from cosbatch.manifests.reader import read_manifest
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import Bucket, ObjectKey
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.storage.memory import MemoryStore

SCHEMA = "Appid, Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded"
APPID = "1250000000"
INDEX_KEY = "inventory/manifest.json"


def inventory_file(rows: int, *, quoted: bool) -> bytes:
    """One key in ten has a space, a plus and Chinese text in it."""
    chance = random.Random(1)
    packed = io.BytesIO()
    with gzip.open(packed, "wt", compresslevel=6, newline="") as text:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="\n")
        for number in range(rows):
            folder = "%E4%B8%AD%E6%96%87%20a%2Bb" if number % 10 == 0 else f"service-{number % 97}"
            key = f"logs/2025/{number % 12:02d}/{folder}/part-{number:09d}-{chance.getrandbits(64):016x}.json"
            etag = f"{chance.getrandbits(128):032x}"
            size = chance.getrandbits(20)
            writer.writerow([APPID, "logs", key, size, "2025-08-01T03:00:00.000Z", etag, "STANDARD", "False"])
    return packed.getvalue()


def bare_loop(packed: bytes) -> int:
    seen = 0
    with gzip.open(io.BytesIO(packed), "rt", newline="") as text:
        for row in csv.reader(text):
            key = row[2]
            if "%" in key or "+" in key:
                key = unquote_plus(key)
            seen += 1
    return seen


def store_with(packed: bytes) -> MemoryStore:
    store = MemoryStore(clock=SystemClock())
    store.create_bucket("reports")
    digest = hashlib.md5(packed).hexdigest()
    files = [{"key": "inventory/a.csv.gz", "size": str(len(packed)), "md5Checksum": digest}]
    index = {
        "sourceAppid": APPID,
        "sourceBucket": "logs",
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": files,
    }
    store.put_now("reports", "inventory/a.csv.gz", packed)
    store.put_now("reports", INDEX_KEY, json.dumps(index).encode())
    return store


async def read_all(store: MemoryStore) -> int:
    location = ManifestLocation(bucket=Bucket("reports"), key=ObjectKey(INDEX_KEY))
    spec = ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV)
    reading = await read_manifest(Manifest(location=location, spec=spec), store)
    return sum([len(batch) async for batch in reading.batches()])


def compare(rows: int, repetitions: int, *, quoted: bool) -> None:
    packed = inventory_file(rows, quoted=quoted)
    store = store_with(packed)
    bare, ours = [], []
    for _ in range(repetitions):
        started = time.process_time()
        assert bare_loop(packed) == rows
        between = time.process_time()
        assert asyncio.run(read_all(store)) == rows
        bare.append(between - started)
        ours.append(time.process_time() - between)
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    per_second = rows / statistics.median(ours)
    name = "quoted" if quoted else "unquoted"
    print(f"{name:9} {rows} rows: {per_second:,.0f} rows per CPU second, {ratio:.2f}x the bare loop")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for quoted in (True, False):
        compare(rows, repetitions, quoted=quoted)


if __name__ == "__main__":
    main()
