"""What is said of a body in the head of its request, so that the store notices when other bytes arrive.

Hashing is what a large body costs most, so that one that is held gets the one hash that its store checks. The bodies of
small requests get two: S3 demands Content-MD5 of some calls, and stores that check no other hash check this.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from cosbatch.storage import s3_answers
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.port import SizedBody
from cosbatch.storage.profiles import BodyCheck
from cosbatch.storage.request_heads import Header
from cosbatch.storage.s3_requests import S3Request
from cosbatch.storage.signer import EMPTY_SHA256, UNSIGNED_PAYLOAD

if TYPE_CHECKING:
    from cosbatch.storage.crc64 import Crc64

_CRC32_HEADER: Final = "x-amz-checksum-crc32"


class BodyWords(NamedTuple):
    """What a head says of the body that follows."""

    headers: tuple[Header, ...]
    payload_hash: bytes
    """As the signature has it."""


def words_of_request(request: S3Request) -> BodyWords:
    """Of a body that is part of its request, or of none."""
    if request.method in (b"GET", b"HEAD", b"DELETE"):
        return BodyWords((), EMPTY_SHA256)
    length = (b"content-length", b"%d" % len(request.body))
    if not request.body:
        return BodyWords((length,), EMPTY_SHA256)
    return BodyWords((length, _content_md5(request.body)), _sha256(request.body))


def words_of(body: SizedBody, check: BodyCheck, *, is_private: bool) -> BodyWords:
    """Of a large body. One that is streamed cannot be hashed before it is sent.

    ``is_private``: nobody in between can change a body together with its Content-MD5, because of TLS or because the
    signature has no other place for the body.
    """
    length = (b"content-length", b"%d" % body.size_bytes)
    if not isinstance(body, HeldBody):
        return BodyWords((length,), UNSIGNED_PAYLOAD)
    if check is BodyCheck.SHA256:
        return BodyWords((length,), _sha256(body.content))
    if check is BodyCheck.CRC32:
        checksum = base64.b64encode(zlib.crc32(body.content).to_bytes(4, "big"))
        return BodyWords((length, (_CRC32_HEADER.encode(), checksum)), UNSIGNED_PAYLOAD)
    return BodyWords((length, _content_md5(body.content)), UNSIGNED_PAYLOAD if is_private else _sha256(body.content))


def has_arrived(body: SizedBody, words: BodyWords, answer: Mapping[str, str]) -> bool:
    """Whether the bytes that were sent are those that the store has, as far as the headers of its answer tell.

    A store that compared a checksum says it again. One that does not know the header, an older release, takes anything:
    then the ETag has to be the MD5 of what was sent.
    """
    sent = dict(words.headers).get(_CRC32_HEADER.encode())
    if sent is None or not isinstance(body, HeldBody) or answer.get(_CRC32_HEADER, "").encode() == sent:
        return True
    digest = hashlib.md5(body.content, usedforsecurity=False).hexdigest()
    return s3_answers.bare_etag(answer.get("etag", "")) == digest


def new_crc64() -> Crc64:
    """Loaded for stores that have it alone: a Python may have been built without what it needs."""
    from cosbatch.storage.crc64 import Crc64

    return Crc64()


class WatchedBody:
    """A body to send whose CRC-64 is known once it was sent, also of one that is streamed."""

    def __init__(self, body: SizedBody) -> None:
        self.size_bytes = body.size_bytes
        self.crc64 = new_crc64()
        self._body = body

    async def blocks(self) -> AsyncIterator[bytes | memoryview]:
        self.crc64 = new_crc64()
        async for block in self._body.blocks():
            self.crc64.update(block)
            yield block


def _content_md5(content: bytes | memoryview) -> Header:
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    return b"content-md5", base64.b64encode(digest)


def _sha256(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
