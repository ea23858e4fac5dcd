"""A store whose every answer a test decides, and that remembers what was sent to it, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple, TypeVar

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName, VersionId
from cosbatch.model.operations import RestoreTier, Tag
from cosbatch.model.regions import Versioning
from cosbatch.storage.held_bodies import fill_room
from cosbatch.storage.port import (
    AccessControl,
    CompletedPart,
    CopyOptions,
    CopyOutcome,
    ListPage,
    LockRule,
    ObjectBody,
    ObjectMeta,
    ObjectMetadata,
    PutOptions,
    PutOutcome,
    RestoreOutcome,
    SizedBody,
    UploadedPart,
    UploadPage,
)
from cosbatch.storage.profiles import PROFILES

_T = TypeVar("_T")

BUCKET = Bucket("target")
META = ObjectMeta(etag="e", size_bytes=3, last_modified=0, metadata=ObjectMetadata())


def ref(key: str = "k", *, bucket: str = BUCKET) -> ObjectRef:
    return ObjectRef(Bucket(bucket), ObjectKey(key))


def refusal(
    reason: StorageReason, *, code: str = "", http_status: int = 0, retry_after: float | None = None
) -> StorageError:
    """A new one each time: a raised exception is not raised twice."""
    return StorageError(reason, "no", code=code, http_status=http_status, retry_after_seconds=retry_after)


class Sent(NamedTuple):
    method: str
    positional: tuple[object, ...]
    named: dict[str, object]
    at: float

    @property
    def key(self) -> str:
        """Of the object that is asked for, or written."""
        refs = [argument for argument in self.positional if isinstance(argument, ObjectRef)]
        return refs[-1].key if refs else ""


Script = Callable[[Sent], StorageError | None]
"""The error that a request is to get; None: it is answered well."""


def in_turn(*reasons: StorageReason | None) -> Script:
    """One request after the other gets the next; all that follow are answered well."""
    left = list(reasons)

    def script(_: Sent) -> StorageError | None:
        reason = left.pop(0) if left else None
        return None if reason is None else refusal(reason)

    return script


def always(reason: StorageReason) -> Script:
    return lambda _: refusal(reason)


def until(end: float, reason: StorageReason) -> Script:
    """Everything is refused before the time ``end``."""
    return lambda sent: refusal(reason) if sent.at < end else None


class ScriptedBody:
    def __init__(self, blocks: Sequence[bytes | StorageError]) -> None:
        self.meta = META
        self.content_range: tuple[int, int, int] | None = None
        self.is_closed = False
        self._blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self._blocks:
            await asyncio.sleep(1)
            if isinstance(block, StorageError):
                raise block
            yield block

    async def read_into(self, room: memoryview) -> int:
        return await fill_room(room, self)

    async def aclose(self) -> None:
        self.is_closed = True


class ScriptedStore:
    """Takes ``latency_seconds`` for each request; the script is asked when the request arrives."""

    def __init__(self, clock: Clock, script: Script = lambda _: None, *, latency_seconds: float = 0.01) -> None:
        self.profile = PROFILES["s3"]
        self.sent: list[Sent] = []
        self.is_closed = False
        self.script = script
        self.body = ScriptedBody([b"abc"])
        self._clock = clock
        self._latency_seconds = latency_seconds

    @property
    def times(self) -> list[float]:
        return [round(sent.at, 3) for sent in self.sent]

    async def _answer(self, method: str, answer: _T, /, *positional: object, **named: object) -> _T:
        sent = Sent(method, positional, named, self._clock.boottime())
        self.sent.append(sent)
        error = self.script(sent)
        await asyncio.sleep(self._latency_seconds)
        if error is not None:
            raise error
        return answer

    async def head(self, ref: ObjectRef) -> ObjectMeta:
        return await self._answer("head", META, ref)

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody:
        body: ObjectBody = self.body
        return await self._answer("get", body, ref, first_byte=first_byte, last_byte=last_byte)

    async def put(self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = PutOptions()) -> PutOutcome:
        return await self._answer("put", PutOutcome("e", None), ref, body, options=options)

    async def copy(self, source: ObjectRef, target: ObjectRef, *, options: CopyOptions) -> CopyOutcome:
        return await self._answer("copy", CopyOutcome("e", None), source, target, options=options)

    async def delete(self, ref: ObjectRef) -> VersionId | None:
        return await self._answer("delete", VersionId("v"), ref)

    async def create_upload(self, target: ObjectRef, *, options: PutOptions) -> str:
        return await self._answer("create_upload", "u", target, options=options)

    async def upload_part(
        self, target: ObjectRef, *, upload_id: str, number: int, body: bytes | SizedBody
    ) -> CompletedPart:
        part = CompletedPart(number, "e")
        return await self._answer("upload_part", part, target, upload_id=upload_id, number=number, body=body)

    async def upload_part_copy(
        self,
        source: ObjectRef,
        target: ObjectRef,
        *,
        upload_id: str,
        number: int,
        first_byte: int,
        last_byte: int,
        if_source_etag: str = "",
        source_region: RegionName | None = None,
    ) -> CompletedPart:
        return await self._answer(
            "upload_part_copy",
            CompletedPart(number, "e"),
            source,
            target,
            upload_id=upload_id,
            number=number,
            first_byte=first_byte,
            last_byte=last_byte,
            if_source_etag=if_source_etag,
            source_region=source_region,
        )

    async def complete_upload(
        self, target: ObjectRef, *, upload_id: str, parts: Sequence[CompletedPart]
    ) -> CopyOutcome:
        outcome = CopyOutcome("e", None)
        return await self._answer("complete_upload", outcome, target, upload_id=upload_id, parts=parts)

    async def abort_upload(self, target: ObjectRef, *, upload_id: str) -> None:
        return await self._answer("abort_upload", None, target, upload_id=upload_id)

    async def list_parts(self, target: ObjectRef, *, upload_id: str) -> list[UploadedPart]:
        return await self._answer("list_parts", [UploadedPart(1, "e", 3)], target, upload_id=upload_id)

    async def list_uploads(self, bucket: Bucket, *, prefix: str = "", token: str = "") -> UploadPage:
        page = UploadPage(uploads=(), next_token="")
        return await self._answer("list_uploads", page, bucket, prefix=prefix, token=token)

    async def restore(self, ref: ObjectRef, *, days: int, tier: RestoreTier) -> RestoreOutcome:
        return await self._answer("restore", RestoreOutcome.BEGUN, ref, days=days, tier=tier)

    async def get_acl(self, ref: ObjectRef) -> AccessControl:
        return await self._answer("get_acl", AccessControl(owner_id="o", owner_display_name="", grants=()), ref)

    async def put_acl(self, ref: ObjectRef, acl: AccessControl) -> None:
        return await self._answer("put_acl", None, ref, acl)

    async def get_tags(self, ref: ObjectRef) -> tuple[Tag, ...]:
        return await self._answer("get_tags", (), ref)

    async def put_tags(self, ref: ObjectRef, tags: Sequence[Tag]) -> None:
        return await self._answer("put_tags", None, ref, tags)

    async def delete_tags(self, ref: ObjectRef) -> None:
        return await self._answer("delete_tags", None, ref)

    async def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        limit: int = 1000,
        delimiter: str = "",
    ) -> ListPage:
        named = {
            "prefix": prefix,
            "start_after": start_after,
            "token": token,
            "limit": limit,
            "delimiter": delimiter,
        }
        return await self._answer("list_objects", ListPage(objects=(), next_token=""), bucket, **named)

    async def list_versions(self, bucket: Bucket, *, prefix: str = "", token: str = "", limit: int = 1000) -> ListPage:
        named = {"prefix": prefix, "token": token, "limit": limit}
        return await self._answer("list_versions", ListPage(objects=(), next_token=""), bucket, **named)

    async def bucket_region(self, bucket: Bucket) -> str:
        return await self._answer("bucket_region", "here", bucket)

    async def versioning(self, bucket: Bucket) -> Versioning:
        return await self._answer("versioning", Versioning.NEVER, bucket)

    async def object_lock(self, bucket: Bucket) -> LockRule | None:
        return await self._answer("object_lock", None, bucket)

    async def close(self) -> None:
        self.is_closed = True
