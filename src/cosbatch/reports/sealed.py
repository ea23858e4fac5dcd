"""Whether a report is there already: an earlier attempt to seal it may have come to its end, and told nobody.

``manifest.json`` is written last, after everything that it names. So it is asked for, and whether it is whole: whoever
could not seal the job again, because a part has been damaged since or the bucket takes nothing more, knows by it that
the report was delivered.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final, Protocol

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.jobs import Job
from cosbatch.reports.seal import report_folder
from cosbatch.storage.port import ObjectBody, ObjectMeta

MANIFEST_LIMIT_BYTES: Final = 4 * 2**20
"""More than ten thousand files of a million rows each."""
_GONE: Final = frozenset({StorageReason.NO_SUCH_KEY, StorageReason.NO_SUCH_BUCKET, StorageReason.DELETE_MARKER})
_MD5: Final = re.compile(r"[0-9a-f]{32}")


class SealedStore(Protocol):
    """What this asks of an object store."""

    async def head(self, ref: ObjectRef) -> ObjectMeta: ...

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody: ...


async def sealed_location(job: Job, *, store: SealedStore) -> str | None:
    """Where the job's whole report is, ``s3://bucket/key`` of manifest.json; None where it is not.

    Raises StorageError where the store does not let us look.
    """
    bucket = job.request.report.bucket
    assert bucket is not None, "a job without a report bucket has no report"
    folder = report_folder(job)
    top = ObjectRef(bucket, ObjectKey(f"{folder}manifest.json"))
    try:
        content = await _read(store, top)
        md5 = await _read(store, top._replace(key=ObjectKey(f"{folder}manifest.json.md5")))
        if md5.decode("ascii", "replace").strip() != hashlib.md5(content, usedforsecurity=False).hexdigest():
            return None
        await store.head(top._replace(key=ObjectKey(f"{folder}summary.json")))
        for key, digest in _files_of(content):
            meta = await store.head(ObjectRef(bucket, ObjectKey(key)))
            if _MD5.fullmatch(meta.etag) and not meta.sse_algorithm and meta.etag != digest:
                return None
    except (KeyError, TypeError, ValueError):
        return None  # not a manifest of ours
    except StorageError as error:
        if error.reason in _GONE:
            return None
        raise
    return f"s3://{top.bucket}/{top.key}"


async def _read(store: SealedStore, ref: ObjectRef) -> bytes:
    body = await store.get(ref, last_byte=MANIFEST_LIMIT_BYTES - 1)
    try:
        return b"".join([block async for block in body])
    finally:
        await body.aclose()


def _files_of(manifest: bytes) -> list[tuple[str, str]]:
    """Key and MD5 of each file of results."""
    return [(str(entry["Key"]), str(entry["MD5Checksum"])) for entry in json.loads(manifest)["Results"]]
