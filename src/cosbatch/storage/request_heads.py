"""What the fast signers have in common: heads with holes, and HMACs that go on from where the constant part ends."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from cosbatch.identity.credentials import Credentials

if TYPE_CHECKING:
    from hashlib import _Hash

Header = tuple[bytes, bytes]

_SAFE_IN_QUERY: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_SAFE_IN_PATH: Final = _SAFE_IN_QUERY + b"/"
_QUOTED_IN_QUERY: Final = tuple(bytes((b,)) if b in _SAFE_IN_QUERY else b"%%%02X" % b for b in range(256))
_QUOTED_IN_PATH: Final = (*_QUOTED_IN_QUERY[:0x2F], b"/", *_QUOTED_IN_QUERY[0x30:])

_HOLE: Final = re.compile(rb"(\0\d+\0)")
"""Stands for what varies while a template is laid out. No header and no path holds a zero byte."""
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))
_BLOCK_BYTES: Final = 64
"""Of SHA-1 and of SHA-256."""


class HeadTemplate(Protocol):
    """One kind of request of one job: a head in which only the path and some headers vary."""

    def head(self, credentials: Credentials, path: bytes, varying_values: Sequence[bytes]) -> bytes:
        """The head as :meth:`Signer.head` makes it, ``varying_values`` in the order of their names."""
        ...


class Signer(Protocol):
    """Makes complete, signed heads for one region."""

    def now(self) -> float:
        """The time by which signatures are dated, in Unix seconds."""
        ...

    def set_clock(self, store_now: float) -> None:
        """From now on signatures are dated as if it were ``store_now``."""
        ...

    def head(
        self,
        credentials: Credentials,
        method: bytes,
        host: bytes,
        path: bytes,
        query: bytes,
        *,
        headers: Sequence[Header],
        payload_hash: bytes,
    ) -> bytes:
        """The whole head of a request: request line, headers, Authorization, and the empty line.

        ``path`` and ``query`` are encoded already (the query sorted, ``name=`` for one without a value); names of
        ``headers`` are in lower case. All of them are signed. ``payload_hash`` counts for nothing where the signature
        has no place for it. Raises ValueError for a line break or a zero byte in a value.
        """
        ...

    def template(
        self,
        method: bytes,
        host: bytes,
        *,
        fixed_headers: Sequence[Header],
        varying_header_names: Sequence[bytes],
        payload_hash: bytes,
    ) -> HeadTemplate:
        """A head without a query in which only the path and the named headers vary; they come after the fixed ones."""
        ...


class Form:
    """A text with holes: its ``pieces``, and at which of them the varying headers stand (the path is piece 1)."""

    __slots__ = ("pieces", "places")

    def __init__(self, text: bytes, holes: dict[bytes, bytes]) -> None:
        self.pieces = _HOLE.split(text)
        self.places = [self.pieces.index(hole) for hole in holes.values()]


def paired_places(*, signed: Form, wire: Form) -> list[tuple[int, int]]:
    """Where each varying value stands in what is signed and in what is sent."""
    return list(zip(signed.places, wire.places, strict=True))


def wrong_count(values: Sequence[bytes], places: Sequence[object]) -> ValueError:
    """With too few values a hole would keep that of another request."""
    return ValueError(f"{len(values)} values for {len(places)} varying headers")


def hole(number: int) -> bytes:
    return b"\0%d\0" % number


def hmac_halves(new: Callable[[bytes], _Hash], key: bytes, beginning: bytes) -> tuple[_Hash, _Hash]:
    """The two hashes of an HMAC (RFC 2104) as they stand after the key and the constant beginning of the text.

    ``key`` is at most 64 bytes.
    """
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return new(block.translate(_INNER_PAD) + beginning), new(block.translate(_OUTER_PAD))


def sha1(content: bytes) -> _Hash:
    return hashlib.sha1(content, usedforsecurity=False)  # COS's signature is made of it


def quote_path(key: str) -> bytes:
    """A key as it stands in a path: slashes and dot segments stay, everything unusual is encoded."""
    raw = key.encode()
    # A clean key, which most are, is recognised by what is left of it without the safe bytes: nothing.
    if not raw.translate(None, _SAFE_IN_PATH):
        return raw
    return b"".join([_QUOTED_IN_PATH[byte] for byte in raw])


def quote_query_value(text: str) -> bytes:
    """A name or value as it stands in a query: like :func:`quote_path`, but a slash is encoded."""
    return quote_bytes(text.encode())


def quote_bytes(raw: bytes) -> bytes:
    """:func:`quote_query_value` of what is bytes already."""
    if not raw.translate(None, _SAFE_IN_QUERY):
        return raw
    return b"".join([_QUOTED_IN_QUERY[byte] for byte in raw])


def refuse_unsendable(values: Sequence[bytes]) -> None:
    """A line break in a value would let an object's metadata write headers of its own."""
    for value in values:
        if b"\n" in value or b"\r" in value or b"\0" in value:
            raise ValueError("a header value holds a line break or a zero byte")


def wire_head(method: bytes, target: bytes, headers: Sequence[Header], authorization: bytes) -> bytes:
    lines = b"".join([b"%s: %s\r\n" % header for header in headers])
    return b"%s %s HTTP/1.1\r\n%sauthorization: %s\r\n\r\n" % (method, target, lines, authorization)
