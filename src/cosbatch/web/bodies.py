"""Reads a request's body: never more than it may have, and only as it was sent."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress

from starlette.requests import Request

from cosbatch.wire.cos_errors import CosCode, CosRefusal


async def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """Raises CosRefusal: XMLSizeLimit for a larger one; InvalidDigest, BadDigest where Content-MD5 says another;
    InvalidRequest without that where the body could be changed on its way, for a signature of COS covers nothing else
    of it."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
    named = request.headers.getlist("content-md5")
    if body and not named and not _is_private(request):
        raise CosRefusal(CosCode.INVALID_REQUEST, "without TLS a body needs Content-MD5: nothing else of it is signed")
    _check_md5(bytes(body), named)
    return bytes(body)


def _is_private(request: Request) -> bool:
    """TLS, as far as we or a trusted proxy see, or this machine."""
    if request.url.scheme == "https" or request.client is None:
        return True
    try:
        return ipaddress.ip_address(request.client.host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _too_large(limit_bytes: int) -> CosRefusal:
    return CosRefusal(CosCode.XML_SIZE_LIMIT, f"the body has more than {limit_bytes} bytes, which no request needs")


def _check_md5(body: bytes, named: list[str]) -> None:
    for text in named:
        try:
            expected = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            expected = b""
        if len(expected) != 16:
            raise CosRefusal(CosCode.INVALID_DIGEST, "Content-MD5 is not the base64 text of 16 bytes")
        found = hashlib.md5(body, usedforsecurity=False).digest()
        if not hmac.compare_digest(found, expected):
            raise CosRefusal(CosCode.BAD_DIGEST, "Content-MD5 is not that of the body that came")
