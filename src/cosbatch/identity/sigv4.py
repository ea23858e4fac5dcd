"""AWS Signature Version 4, written to be read: each step of the signature is one function.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
As S3 wants it, the path is signed as it stands in the request line: encoded once and not normalised. Everything is
bytes as on the wire; hashes and signatures are lower-case hex.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cosbatch.identity.credentials import Credentials

ALGORITHM: Final = b"AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD: Final = b"UNSIGNED-PAYLOAD"
"""In place of the body's hash: the signature does not cover the body."""
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest().encode()

_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signable:
    """What of a request is signed."""

    method: bytes
    path: bytes
    """As in the request line, percent-encoded; ``/`` for none."""
    query: bytes
    """As :func:`canonical_query` makes it; empty for none."""
    headers: Sequence[Header]
    """Those to sign, in any order, names in lower case. ``host`` has to be among them."""
    payload_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The day, region and service for which a derived key is good."""

    date: str
    """``yyyymmdd``."""
    region: str
    service: str

    def text(self) -> bytes:
        return f"{self.date}/{self.region}/{self.service}/aws4_request".encode()


def amz_timestamp(unix_seconds: float) -> str:
    """``yyyymmddThhmmssZ``; its first eight characters are the date of the scope."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(unix_seconds))


def uri_encode(text: str, *, keep_slash: bool) -> bytes:
    """AWS's UriEncode of the text's UTF-8: all but letters, digits and ``-._~`` as ``%XX``.

    ``keep_slash`` is for object keys in a path; in a query a slash is encoded too.
    """
    kept = _UNRESERVED | {0x2F} if keep_slash else _UNRESERVED
    return b"".join(bytes((byte,)) if byte in kept else b"%%%02X" % byte for byte in text.encode())


def canonical_query(parameters: Iterable[tuple[str, str]]) -> bytes:
    """Encoded, then sorted by name and value. A parameter without a value keeps its ``=``: ``acl=``."""
    encoded = [(uri_encode(name, keep_slash=False), uri_encode(value, keep_slash=False)) for name, value in parameters]
    return b"&".join(b"%s=%s" % pair for pair in sorted(encoded))


def canonical_value(value: bytes) -> bytes:
    """Trimmed, and with one space for each run of white space."""
    return b" ".join(value.split())


def canonical_headers(headers: Iterable[Header]) -> list[Header]:
    """Sorted by name; the values of a repeated name become one, joined by commas in the order given."""
    merged: dict[bytes, bytes] = {}
    for name, value in headers:
        trimmed = canonical_value(value)
        merged[name] = b"%s,%s" % (merged[name], trimmed) if name in merged else trimmed
    return sorted(merged.items())


def signed_names(headers: Iterable[Header]) -> bytes:
    """The names of :func:`canonical_headers`, as the signature lists them."""
    return b";".join([name for name, _ in headers])


def canonical_request(request: Signable) -> bytes:
    """The request in the one form that both sides hash."""
    return _canonical_request(request, canonical_headers(request.headers))


def _canonical_request(request: Signable, headers: list[Header]) -> bytes:
    lines = b"".join([b"%s:%s\n" % header for header in headers])
    names = signed_names(headers)
    return b"\n".join((request.method, request.path, request.query, lines, names, request.payload_hash))


def string_to_sign(canonical: bytes, *, timestamp: str, scope: Scope) -> bytes:
    return string_prefix(timestamp, scope=scope) + hashlib.sha256(canonical).hexdigest().encode()


def string_prefix(timestamp: str, *, scope: Scope) -> bytes:
    """All of the string to sign but its last line, the hash of the canonical request."""
    return b"%s\n%s\n%s\n" % (ALGORITHM, timestamp.encode(), scope.text())


def signing_key(secret_access_key: str, *, scope: Scope) -> bytes:
    """The key that is derived from the secret for one scope: good for one day, one region, one service."""
    key = b"AWS4" + secret_access_key.encode()
    for step in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def signature(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256").hex().encode()


def authorization(
    request: Signable, *, credentials: Credentials, timestamp: str, region: str, service: str, key: bytes | None = None
) -> bytes:
    """The value of the Authorization header. ``key`` is the signing key where the caller has it already."""
    scope = Scope(date=timestamp[:8], region=region, service=service)
    headers = canonical_headers(request.headers)
    text = string_to_sign(_canonical_request(request, headers), timestamp=timestamp, scope=scope)
    return authorization_value(
        access_key_id=credentials.access_key_id,
        scope=scope,
        names=signed_names(headers),
        signed=signature(key or signing_key(credentials.secret_access_key, scope=scope), text),
    )


def authorization_value(*, access_key_id: str, scope: Scope, names: bytes, signed: bytes) -> bytes:
    credential = b"%s/%s" % (access_key_id.encode(), scope.text())
    return b"%s Credential=%s, SignedHeaders=%s, Signature=%s" % (ALGORITHM, credential, names, signed)
