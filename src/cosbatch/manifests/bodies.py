"""Reading one object of a manifest from its store: pinned to one ETag, resumed where a connection breaks.

A refusal of the store becomes the failure of the job that it means; what may pass by itself stays a StorageError, so
that the caller can hold the job and plan again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, Protocol

from cosbatch.manifests.faults import KEY_SHOWN, shorten
from cosbatch.model.errors import FailureCode, JobFailure, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.storage.port import ObjectBody, ObjectMeta, ObjectStore
from cosbatch.storage.telling_why import head_or_cause

RESUMES: Final = 3
"""Attempts in a row that may bring no byte."""

_MISSING: Final = frozenset(
    {
        StorageReason.NO_SUCH_KEY,
        StorageReason.NO_SUCH_VERSION,
        StorageReason.DELETE_MARKER,
        StorageReason.INVALID_KEY,
    }
)
_DENIED: Final = frozenset({StorageReason.ACCESS_DENIED, StorageReason.INVALID_OBJECT_STATE})
_BROKEN_OFF: Final = frozenset(
    {StorageReason.BODY_DAMAGED, StorageReason.UNANSWERED, StorageReason.MALFORMED_ANSWER, StorageReason.SERVER_ERROR}
)
"""What can happen to a body on its way, after an answer had begun."""


class ManifestStore(Protocol):
    """What reading a manifest asks of a store."""

    async def get(self, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None) -> ObjectBody: ...


def failure_of(error: StorageError, *, ref: ObjectRef) -> JobFailure | None:
    """What a refusal to read a part of the manifest means for the job; None where it may pass by itself."""
    shown = f"{ref.bucket}/{shorten(ref.key, limit=KEY_SHOWN)}"
    if error.reason in _MISSING:
        version = f" in version {ref.version_id}" if ref.version_id else ""
        return JobFailure(FailureCode.MANIFEST_NOT_FOUND, f"there is no {shown}{version} ({error.code})")
    if error.reason in _DENIED:
        return JobFailure(FailureCode.ACCESS_DENIED_ON_MANIFEST, f"{shown} may not be read ({error.code})")
    if error.reason is StorageReason.NO_SUCH_BUCKET:
        return JobFailure(FailureCode.MANIFEST_NOT_FOUND, f"there is no bucket {ref.bucket} ({error.code})")
    if error.reason is StorageReason.WRONG_REGION:
        return JobFailure(FailureCode.REGION_MISMATCH, f"{shown} is not in the region of the job")
    return None


class PinnedBody:
    """The bytes of one object, all of one ETag. Take its blocks once; close it in any case."""

    def __init__(self, store: ManifestStore, ref: ObjectRef, body: ObjectBody) -> None:
        self.meta: ObjectMeta = body.meta
        self._store = store
        self._ref = ref
        self._body = body
        self.position = 0
        """Bytes read so far."""

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Raises JobFailure where the object changed meanwhile, StorageError where it cannot be read to its end."""
        fruitless, is_broken = 0, False
        while self.position != self.meta.size_bytes or fruitless == 0:
            before = self.position
            try:
                if is_broken:
                    await self._resume()
                async for block in self._body:
                    self.position += len(block)
                    yield block
                if self.position == self.meta.size_bytes:
                    return
                raise self._wrong_length()
            except StorageError as error:
                is_broken = True
                fruitless = fruitless + 1 if self.position == before else 1
                if error.reason not in _BROKEN_OFF or fruitless > RESUMES or self.position > self.meta.size_bytes:
                    raise

    async def aclose(self) -> None:
        await self._body.aclose()

    async def _resume(self) -> None:
        await self._body.aclose()
        self._body = await _get(self._store, self._ref, first_byte=self.position)
        if self._body.meta.etag != self.meta.etag:
            await self._body.aclose()
            raise _changed(self._ref, now=self._body.meta.etag, was=self.meta.etag)

    def _wrong_length(self) -> StorageError:
        return StorageError(
            StorageReason.BODY_DAMAGED,
            f"{self.position} bytes came instead of {self.meta.size_bytes}",
            target=f"GET {self._ref.bucket}/{self._ref.key}",
        )


async def open_pinned(store: ManifestStore, ref: ObjectRef, *, etag: str) -> PinnedBody:
    """Begins to read. With an empty ``etag`` the first answer's is pinned.

    The ETag compared is the one that came with the bytes themselves: no change can slip in between a look and a read.
    Raises JobFailure (MANIFEST_NOT_FOUND, ACCESS_DENIED_ON_MANIFEST, MANIFEST_ETAG_MISMATCH, REGION_MISMATCH), or
    StorageError for what may pass by itself.
    """
    body = await _get(store, ref)
    if etag and body.meta.etag != etag:
        await body.aclose()
        raise _changed(ref, now=body.meta.etag, was=etag)
    return PinnedBody(store, ref, body)


async def read_whole(store: ManifestStore, ref: ObjectRef, *, etag: str, limit: int) -> tuple[bytes, ObjectMeta]:
    """A small object, pinned like :func:`open_pinned`. ValueError where it is longer than ``limit`` bytes."""
    body = await open_pinned(store, ref, etag=etag)
    try:
        if body.meta.size_bytes > limit:
            raise ValueError(f"it is {body.meta.size_bytes} bytes long, more than {limit}")
        async with aclosing(body.blocks()) as blocks:
            return b"".join([block async for block in blocks]), body.meta
    finally:
        await body.aclose()


async def read_start(store: ManifestStore, ref: ObjectRef, *, meta: ObjectMeta, limit: int) -> bytes:
    """Up to ``limit`` bytes of the object that ``meta`` was said of. Raises like :func:`open_pinned`."""
    if not meta.size_bytes:
        return b""  # an empty object has no first byte that a range could name
    body = await _get(store, ref, first_byte=0, last_byte=limit - 1)
    try:
        if body.meta.etag != meta.etag:
            raise _changed(ref, now=body.meta.etag, was=meta.etag)
        return b"".join([block async for block in body])
    finally:
        await body.aclose()


async def look(store: ObjectStore, ref: ObjectRef) -> ObjectMeta:
    """HEAD, and where it is refused the cause. Raises like :func:`open_pinned`."""
    try:
        return await head_or_cause(store, ref)
    except StorageError as error:
        failure = failure_of(error, ref=ref)
        if failure is None:
            raise
        raise failure from error


def plain_etag(etag: str) -> str:
    """An ETag without the quotes that clients often leave on."""
    return etag.removeprefix("W/").strip('"')


async def _get(
    store: ManifestStore, ref: ObjectRef, *, first_byte: int = 0, last_byte: int | None = None
) -> ObjectBody:
    try:
        return await store.get(ref, first_byte=first_byte, last_byte=last_byte)
    except StorageError as error:
        failure = failure_of(error, ref=ref)
        if failure is None:
            raise
        raise failure from error


def _changed(ref: ObjectRef, *, now: str, was: str) -> JobFailure:
    shown = shorten(ref.key, limit=KEY_SHOWN)
    return JobFailure(FailureCode.MANIFEST_ETAG_MISMATCH, f"{shown} has changed: its ETag is {now}, not {was}")
