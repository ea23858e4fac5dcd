"""Multipart uploads at one key of which nobody knows the id: the reply that had it was lost, or its reader has died."""

from __future__ import annotations

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.storage.port import ObjectStore


async def uploads_at(store: ObjectStore, target: ObjectRef, *, since: float) -> list[str]:
    """Ids of the uploads to exactly this key that were begun at ``since`` (Unix seconds) or later."""
    found: list[str] = []
    token = ""
    while True:
        page = await store.list_uploads(target.bucket, prefix=target.key, token=token)
        found += [entry.upload_id for entry in page.uploads if entry.key == target.key and entry.initiated >= since]
        token = page.next_token
        is_past = bool(page.uploads) and page.uploads[-1].key > target.key
        if not token or is_past:
            return found


async def stray_uploads(store: ObjectStore, target: ObjectRef, *, since: float) -> list[str]:
    """Those of them without parts: an upload of ours has its id written down before its first part is sent."""
    return [
        upload_id
        for upload_id in await uploads_at(store, target, since=since)
        if not await store.list_parts(target, upload_id=upload_id)
    ]


async def end_upload(store: ObjectStore, target: ObjectRef, *, upload_id: str) -> None:
    """Aborts it; one that is gone already is as good."""
    try:
        await store.abort_upload(target, upload_id=upload_id)
    except StorageError as error:
        if error.reason is not StorageReason.NO_SUCH_UPLOAD:
            raise
