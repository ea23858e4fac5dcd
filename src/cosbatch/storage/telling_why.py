"""Questions whose refusal is to be told exactly.

An answer to HEAD has no body, and only a body has the store's code: a wrong secret, a missing permission and a blocked
account are all a bare 403. So after a refusal the same is asked once more in a way that is answered with a body; never
after success, and never on the hot path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from cosbatch.model.errors import StorageError
from cosbatch.model.identifiers import Bucket, ObjectRef
from cosbatch.storage.port import ObjectMeta, ObjectStore

Answer = TypeVar("Answer")

_WITHOUT_A_CAUSE: Final = frozenset({400, 401, 403, 404})


async def head_or_cause(store: ObjectStore, ref: ObjectRef) -> ObjectMeta:
    """HEAD on an object; its refusal has the store's own code."""

    async def first_byte() -> None:
        body = await store.get(ref, first_byte=0, last_byte=0)
        await body.aclose()

    return await _or_cause(lambda: store.head(ref), again=first_byte)


async def bucket_region_or_cause(store: ObjectStore, bucket: Bucket) -> str:
    """HEAD on a bucket; its refusal has the store's own code."""

    async def one_key() -> None:
        await store.list_objects(bucket, limit=1)

    return await _or_cause(lambda: store.bucket_region(bucket), again=one_key)


async def _or_cause(question: Callable[[], Awaitable[Answer]], *, again: Callable[[], Awaitable[None]]) -> Answer:
    try:
        return await question()
    except StorageError as error:
        if error.http_status not in _WITHOUT_A_CAUSE:
            raise
        refusal = error
    try:
        await again()
    except StorageError as told:
        # An empty object has no first byte to ask for: that says nothing about the first refusal.
        if told.http_status != 416:
            raise told from refusal
    raise refusal
