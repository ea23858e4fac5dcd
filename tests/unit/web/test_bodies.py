from __future__ import annotations

from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.types import Message

from cosbatch.web.bodies import read_body
from cosbatch.wire.cos_errors import CosRefusal

EMPTY_MD5 = b"1B2M2Y8AsgTpgAmY7PhCfg=="
ABC_MD5 = b"kAFQmDzST7DWlj99KOF/cg=="


class Arriving:
    """A request whose body comes in pieces."""

    def __init__(self, pieces: Iterable[bytes], **headers: bytes) -> None:
        self.left = list(pieces)
        named = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
        self.request = Request({"type": "http", "method": "POST", "headers": named}, self.receive)

    async def receive(self) -> Message:
        piece = self.left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.left)}


async def test_a_body_is_put_together() -> None:
    arriving = Arriving([b"a", b"", b"bc"], content_md5=ABC_MD5)
    assert await read_body(arriving.request, limit_bytes=3) == b"abc"
    assert await read_body(Arriving([b""], content_md5=EMPTY_MD5).request, limit_bytes=3) == b""


async def test_no_more_is_read_than_is_allowed() -> None:
    arriving = Arriving([b"ab", b"cd", b"ef"])
    with pytest.raises(CosRefusal, match="more than 3 bytes") as caught:
        await read_body(arriving.request, limit_bytes=3)
    assert caught.value.code == "XMLSizeLimit"
    assert arriving.left == [b"ef"]


@pytest.mark.parametrize("length", [b"4", b"9" * 30])
async def test_nothing_is_read_of_a_body_that_is_announced_too_large(length: bytes) -> None:
    arriving = Arriving([b"abcd"], content_length=length)
    with pytest.raises(CosRefusal, match="more than 3 bytes"):
        await read_body(arriving.request, limit_bytes=3)
    assert arriving.left == [b"abcd"]


@pytest.mark.parametrize("address", ["10.0.0.9", "fe80::1%eth0", "unknown"])
async def test_a_body_that_can_be_changed_on_its_way_needs_its_md5(address: str) -> None:
    def arriving(body: bytes, **changes: object) -> Request:
        request = Arriving([body]).request
        request.scope.update({"scheme": "http", "path": "/", "server": ("h", 80), "client": (address, 1)} | changes)
        return request

    with pytest.raises(CosRefusal, match="needs Content-MD5") as caught:
        await read_body(arriving(b"abc"), limit_bytes=3)
    assert caught.value.code == "InvalidRequest"
    assert await read_body(arriving(b""), limit_bytes=3) == b""
    assert await read_body(arriving(b"abc", scheme="https"), limit_bytes=3) == b"abc"
    for here in ("127.0.0.1", "::1"):
        assert await read_body(arriving(b"abc", client=(here, 1)), limit_bytes=3) == b"abc"


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (EMPTY_MD5, "BadDigest"),
        (b"", "InvalidDigest"),
        (b"abc", "InvalidDigest"),
        (b"YWJj", "InvalidDigest"),
        (b"900150983cd24fb0d6963f7d28e17f72", "InvalidDigest"),
        (b"\xff", "InvalidDigest"),
        (ABC_MD5 + b" x", "InvalidDigest"),
    ],
)
async def test_what_content_md5_says_is_held_against_the_body(named: bytes, code: str) -> None:
    with pytest.raises(CosRefusal) as caught:
        await read_body(Arriving([b"abc"], content_md5=named).request, limit_bytes=3)
    assert caught.value.code == code
