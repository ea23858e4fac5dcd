"""Multipart uploads at one key of which nobody knows the id: the reply that had it was lost, or its reader has died."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.operations.clocks import CLOCK_JUMP_SECONDS
from cosbatch.storage.port import ObjectStore, UploadEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Strays:
    """Ids of uploads without parts: one of ours has its id written down before its first part is sent."""

    ours: tuple[str, ...]
    doubtful: tuple[str, ...]
    """They are somebody else's, unless the ledger's clock was wrong: never aborted, but named at the job's end."""


async def stray_uploads(
    store: ObjectStore, target: ObjectRef, *, since: float, but_not: Collection[str] = ()
) -> Strays:
    """Uploads at exactly this key. No upload of ours was begun before ``since`` (Unix seconds), by a clock that may be
    wrong. ``but_not``: ids that are known."""
    found = [
        entry
        for entry in await _uploads_at(store, target, since=since - CLOCK_JUMP_SECONDS)
        if entry.upload_id not in but_not and await _has_no_parts(store, target, upload_id=entry.upload_id)
    ]
    return Strays(
        ours=tuple(entry.upload_id for entry in found if entry.initiated >= since),
        doubtful=tuple(entry.upload_id for entry in found if entry.initiated < since),
    )


async def _uploads_at(store: ObjectStore, target: ObjectRef, *, since: float) -> list[UploadEntry]:
    found: list[UploadEntry] = []
    token = ""
    while True:
        page = await store.list_uploads(target.bucket, prefix=target.key, token=token)
        found += [entry for entry in page.uploads if entry.key == target.key and entry.initiated >= since]
        token = page.next_token
        is_past = bool(page.uploads) and page.uploads[-1].key > target.key
        if not token or is_past:
            return found


async def _has_no_parts(store: ObjectStore, target: ObjectRef, *, upload_id: str) -> bool:
    """False also where there is no such upload any more."""
    try:
        return not await store.list_parts(target, upload_id=upload_id)
    except StorageError as error:
        if error.reason is StorageReason.NO_SUCH_UPLOAD:
            return False
        raise


async def is_open(store: ObjectStore, target: ObjectRef, *, upload_id: str) -> bool:
    try:
        await store.list_parts(target, upload_id=upload_id)
    except StorageError as error:
        if error.reason is StorageReason.NO_SUCH_UPLOAD:
            return False
        raise
    return True


async def end_upload(store: ObjectStore, target: ObjectRef, *, upload_id: str) -> None:
    """Aborts it; one that is gone already is as good."""
    try:
        await store.abort_upload(target, upload_id=upload_id)
    except StorageError as error:
        if error.reason is not StorageReason.NO_SUCH_UPLOAD:
            raise
