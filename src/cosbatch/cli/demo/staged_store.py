"""What lies in the store beside the sample, so that jobs of every kind have something to do."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from cosbatch.cli.demo.contents import CONTROL, FORBIDDEN, ODD_KEYS, SOURCE, TARGET, WRITERS, allow
from cosbatch.cli.demo.place import ADMIN_KEY, REGION
from cosbatch.cli.demo.store import DemoStore
from cosbatch.cli.invocation import run_async
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.settings import Settings
from cosbatch.storage.port import ObjectStore, PutOptions
from cosbatch.wiring import borrowed_store

LOGS: Final = "logs-1250000000"
LOG_OBJECTS: Final = 3000
"""At :data:`cosbatch.cli.demo.staged_jobs.CAP` requests per second a copy of them takes twenty-five minutes."""
EXPIRED: Final = tuple(f"uploads/{number:03d}.part" for number in range(40))
TEMPORARY: Final = tuple(f"tmp/{number:03d}.tmp" for number in range(25))
"""Both in the target bucket, to be deleted."""
_PHOTOS: Final = tuple(f"photos/000/img-{number:05d}.jpg" for number in range(250))
_BODY: Final = b"2026-11-26T08:00:00Z host-01 GET /index.html 200\n"


def log_keys() -> list[str]:
    return [
        f"logs/2026-{1 + number * 12 // LOG_OBJECTS:02d}/web-{1 + number % 3:02d}/{number:04d}.log"
        for number in range(LOG_OBJECTS)
    ]


def lists() -> dict[str, list[tuple[str, str]]]:
    """Name of a CSV manifest -> its buckets and keys."""
    photos = [(SOURCE, key) for key in _PHOTOS]
    private = [(SOURCE, f"photos/private/{number}.jpg") for number in range(FORBIDDEN)]
    gone = [(SOURCE, f"photos/2019/lost-{number:04d}.jpg") for number in range(1500)]
    long = (SOURCE, "photos/" + "very-long-name-" * 67 + ".jpg")
    return {
        "photos-public": photos,
        "photos-odd-names": [(SOURCE, key) for key in ODD_KEYS],
        "photos-mixed": [
            *photos[:180],
            *gone[:38],
            *private,
            *((SOURCE, f"videos/{number:02d}.mp4") for number in range(12)),
            long,
        ],
        "photos-2019": [*photos[:100], *gone],
        "photos-wrong-folder": gone[:120],
        "expired-uploads": [(TARGET, key) for key in EXPIRED],
        "temporary-files": [(TARGET, key) for key in TEMPORARY],
        "two-buckets": [*photos[:3], (TARGET, "other.jpg")],
        "logs": [(LOGS, key) for key in log_keys()],
        "logs-first-quarter": [(LOGS, key) for key in log_keys()[: LOG_OBJECTS // 4]],
    }


def list_arn(name: str) -> str:
    return f"arn:aws:s3:::{CONTROL}/{_list_key(name)}"


def _list_key(name: str) -> str:
    return f"manifests/{name}.csv"


def furnish(store: DemoStore) -> dict[str, str]:
    """Buckets, small things and all lists. Name of a list -> its ETag."""
    client = store.client(ADMIN_KEY)
    client.create_bucket(Bucket=LOGS)
    allow(client, LOGS, actions=["s3:*"])
    allow(client, SOURCE, actions=["s3:*"])  # tags are set in place
    for key in (*EXPIRED, *TEMPORARY):
        client.put_object(Bucket=TARGET, Key=key, Body=b"of no use any more")
    return {name: _write_list(client, name, rows) for name, rows in lists().items()}


def _write_list(client: Any, name: str, rows: Iterable[tuple[str, str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows((bucket, quote(key, safe="/")) for bucket, key in rows)
    answer = client.put_object(Bucket=CONTROL, Key=_list_key(name), Body=text.getvalue().encode())
    return str(answer["ETag"]).strip('"')


@contextlib.contextmanager
def private_photos_readable(store: DemoStore) -> Iterator[None]:
    """While the context is open nothing in the source bucket is denied."""
    client = store.client(ADMIN_KEY)
    allow(client, SOURCE, actions=["s3:*"], denies_private=False)
    yield
    allow(client, SOURCE, actions=["s3:*"])


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWriter:
    """Writes the objects of the long jobs, which takes some seconds."""

    settings: Settings
    """With the store's region in them."""

    def write(self) -> None:
        run_async(self._write_all())

    async def _write_all(self) -> None:
        waiting = iter(log_keys())
        async with borrowed_store(self.settings, RegionName(REGION)) as store:
            await asyncio.gather(*(self._write_some(store, waiting) for _ in range(WRITERS)))

    async def _write_some(self, store: ObjectStore, waiting: Iterable[str]) -> None:
        for key in waiting:
            ref = ObjectRef(Bucket(LOGS), ObjectKey(key))
            await store.put(ref, _BODY * (1 + len(key) % 3), options=PutOptions())
