"""The stores that the contract suite runs on, and what is known that each of them does otherwise.

A known gap is an expectation with a name: the suite fails when the store closes it, so that the line can go.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

import pytest

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef
from cosbatch.model.regions import Versioning
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import BrowsedStore, ObjectStore
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from tests.cos_store import CosStore
from tests.stores import RealStore, empty_bucket, make_bucket

STORES: Final = ("memory", "cos", "seaweedfs", pytest.param("ceph", marks=pytest.mark.system))

ODD_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "double slash": "a//b",
        "leading slash": "/x",
        "only a slash": "/",
        "trailing slash": "folder/",
        "dot": ".",
        "dot dot": "..",
        "dot slash": "./x",
        "dot dot inside": "a/../b",
        "newline": "line\nbreak",
        "carriage return": "line\rbreak",
        "tab": "a\tb",
        "control character": "a\x01b",
        "percent": "a%2Fb",
        "lone percent": "100%",
        "plus": "a+b",
        "space": "a b",
        "spaces at the ends": " a ",
        "query characters": "a?b=c&d#e;f",
        "quotes and brackets": "\"'<>&[]{}`",
        "backslash": "a\\b",
        "chinese": "日志/一.txt",
        "emoji": "🚀.bin",
        "decomposed": "e\u0301.txt",
        "composed": "\u00e9.txt",
        "tilde and stars": "~a*b(c)!$,:@=",
        "longest": ("d" * 99 + "/") * 10 + "k" * 24,
        "longest in Chinese": ("汉" * 33 + "/") * 10 + "汉" * 8,
        "step of 256 bytes": "a/" + "k" * 256,
        "step of 1,024 bytes": "k" * 1024,
    }
)


class Gap(StrEnum):
    """What a store does otherwise than S3, beyond its capability profile."""

    LISTS_IN_TREE_ORDER = "lists keys in tree order, not in byte order"
    FOLDERS_BEYOND_LIMIT = "may put a folder more on a page of a list than was asked for"
    LISTS_CONTROL_CHARACTERS_WRONG = "shows another character for a control character in lists of versions and uploads"
    UPLOADS_NOT_LISTABLE = "cannot list uploads where a key has a control character: the answer is not XML"
    ANY_STORAGE_CLASS = "takes any name as a storage class"
    NO_BUCKET_REGION = "does not say which region a bucket lives in"
    MARKERS_LOOK_MISSING = "answers 404 for a version that is a delete marker"
    COPY_TO_NOWHERE_IS_500 = "answers 500 to a copy into a bucket that does not exist"
    KEEPS_TAGS_ON_DELETE = (
        "ignores the removal of tags in a versioned bucket where no version is named; writing an empty set works"
    )
    STRANGERS_ARE_DENIED = "answers AccessDenied, and no more, to an unknown access key and to a wrong signature"
    COPIES_HIDE_THEIR_VERSION = "does not say which version a copy made"
    EMPTY_UPLOAD_ETAG = "answers a completed upload with an empty ETag"
    ABORTS_ANYTHING = "answers success to the abort of an upload that does not exist"
    SHOWS_REPLACED_PARTS = "still lists a part after it was sent again"
    PARTS_OF_NO_KEY = "answers NoSuchKey to a list of the parts of an upload that does not exist"
    SIGNS_TABS_OTHERWISE = "takes the signature of a request for wrong where a header has a tab"
    GRANTS_SHUT_THE_OWNER_OUT = (
        "applies grants on a copy, but the object's owner has no access then; cosbatch writes the list itself, with the"
        " owner on it"
    )
    KEEPS_CLASS = "keeps the source's storage class on a copy where none is asked for"
    KEEPS_CLASS_WITH_METADATA = "keeps the source's storage class on a copy that takes the metadata along"
    KEEPS_ACL = "shows the source's access list on a copy where none is asked for"
    MARKER_COPIES_LOOK_INVALID = "answers 400 InvalidRequest, and no more, to a copy of a delete marker"
    COMPLETES_NOTHING_AS_500 = "answers 500 to the completion of an upload that was aborted"


GAPS: Final[Mapping[str, frozenset[Gap]]] = MappingProxyType(
    {
        "memory": frozenset(),
        "cos": frozenset({Gap.MARKER_COPIES_LOOK_INVALID}),
        "seaweedfs": frozenset(
            {
                Gap.LISTS_IN_TREE_ORDER,
                Gap.FOLDERS_BEYOND_LIMIT,
                Gap.LISTS_CONTROL_CHARACTERS_WRONG,
                Gap.ANY_STORAGE_CLASS,
                Gap.NO_BUCKET_REGION,
                Gap.MARKERS_LOOK_MISSING,
                Gap.COPY_TO_NOWHERE_IS_500,
                Gap.ABORTS_ANYTHING,
                Gap.SHOWS_REPLACED_PARTS,
                Gap.KEEPS_CLASS,
                Gap.KEEPS_ACL,
            }
        ),
        "ceph": frozenset(
            {
                Gap.UPLOADS_NOT_LISTABLE,
                Gap.NO_BUCKET_REGION,
                Gap.MARKERS_LOOK_MISSING,
                Gap.KEEPS_TAGS_ON_DELETE,
                Gap.STRANGERS_ARE_DENIED,
                Gap.COPIES_HIDE_THEIR_VERSION,
                Gap.EMPTY_UPLOAD_ETAG,
                Gap.PARTS_OF_NO_KEY,
                Gap.COMPLETES_NOTHING_AS_500,
                Gap.SIGNS_TABS_OTHERWISE,
                Gap.GRANTS_SHUT_THE_OWNER_OUT,
                Gap.KEEPS_CLASS_WITH_METADATA,
            }
        ),
    }
)

REFUSED_KEYS: Final[Mapping[str, Mapping[str, StorageReason]]] = MappingProxyType(
    {
        "memory": {},
        "cos": dict.fromkeys(
            ("leading slash", "only a slash", "longest", "longest in Chinese", "step of 1,024 bytes"),
            StorageReason.INVALID_KEY,
        ),
        "seaweedfs": dict.fromkeys(
            (
                "double slash",
                "leading slash",
                "only a slash",
                "trailing slash",
                "dot",
                "dot dot",
                "dot slash",
                "dot dot inside",
                "backslash",
                "step of 256 bytes",
                "step of 1,024 bytes",
            ),
            StorageReason.INVALID_KEY,
        ),
        "ceph": {},
    }
)


class Wire(Protocol):
    """A store that is spoken to over sockets, and knows a user who may do nothing in the buckets of the first."""

    @property
    def other_access_key(self) -> str: ...
    @property
    def other_secret_key(self) -> str: ...
    def open(self, *, access_key: str = "", secret_key: str = "") -> S3Store: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One store under test, and how to make buckets in it."""

    name: str
    store: BrowsedStore
    _make: Callable[[str, Versioning], Bucket]
    _buckets: list[Bucket] = field(default_factory=list)
    wire: Wire | None = None
    real: RealStore | None = None

    def bucket(self, *, versioning: Versioning = Versioning.NEVER) -> Bucket:
        made = self._make(f"contract-{uuid.uuid4().hex[:12]}", versioning)
        self._buckets.append(made)
        return made

    def has(self, gap: Gap) -> bool:
        return gap in GAPS[self.name]


def memory_subject() -> Subject:
    profile = replace(PROFILES["s3"], min_part_bytes=5 * 2**20)
    store = MemoryStore(profile=profile, clock=SystemClock())
    return Subject(name="memory", store=store, _make=lambda name, kind: store.create_bucket(name, versioning=kind))


@asynccontextmanager
async def real_subject(real: RealStore) -> AsyncIterator[Subject]:
    store = real.open()
    subject = Subject(
        name=real.profile,
        store=store,
        _make=lambda name, kind: make_bucket(real, name, versioning=kind),
        wire=real,
        real=real,
    )
    try:
        yield subject
    finally:
        await store.close()
        for bucket in subject._buckets:
            empty_bucket(real, bucket)


@asynccontextmanager
async def cos_subject() -> AsyncIterator[Subject]:
    async with CosStore() as server:
        store = server.open()

        def make(name: str, versioning: Versioning) -> Bucket:
            return server.memory.create_bucket(name, versioning=versioning)

        try:
            yield Subject(name="cos", store=store, _make=make, wire=server)
        finally:
            await store.close()


def at(bucket: Bucket, key: str) -> ObjectRef:
    return ObjectRef(bucket, ObjectKey(key))


async def content(store: ObjectStore, ref: ObjectRef, *, first: int = 0, last: int | None = None) -> bytes:
    body = await store.get(ref, first_byte=first, last_byte=last)
    return b"".join([block async for block in body])


async def refused(call: Awaitable[object]) -> StorageError:
    """The error that a call must end with."""
    with pytest.raises(StorageError) as caught:
        await call
    return caught.value


class Blocks:
    """A body to send in blocks."""

    def __init__(self, *blocks: bytes, announced: int | None = None) -> None:
        self.size_bytes = sum(len(block) for block in blocks) if announced is None else announced
        self._blocks = blocks

    async def blocks(self) -> AsyncIterator[bytes]:
        for block in self._blocks:
            yield block
