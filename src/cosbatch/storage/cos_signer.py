"""Complete, signed request heads, made fast: COS v5 as :mod:`cosbatch.identity.cos_v5` says it, byte for byte.

A COS signature is good for a span of time, so that the key derived for it and all that stays the same in a head are
laid out once a minute. What is left for each request is one SHA-1 of the request, with the path and the varying values
put in, and two small continued ones of the HMAC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from cosbatch.identity import cos_v5
from cosbatch.identity.cos_v5 import KeyTime, SignedRequest
from cosbatch.identity.credentials import Credentials
from cosbatch.model.clock import Clock
from cosbatch.storage.request_heads import (
    Form,
    Header,
    hmac_halves,
    hole,
    paired_places,
    quote_bytes,
    refuse_unsendable,
    sha1,
    wire_head,
    wrong_count,
)

if TYPE_CHECKING:
    from hashlib import _Hash

FRESH_SECONDS: Final = 60
"""How long signatures are made for the same span."""
BEFORE_SECONDS: Final = 60
"""By how much a span begins before it is first used: our clock may be ahead of the store's."""
GOOD_SECONDS: Final = 900
"""How long after that a span ends: the store's clock may be ahead by as much as with other signatures, and whoever
gets hold of one cannot use it for long."""

_OF_A_SOURCE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%/:?="
_BLANKS: Final = b" \t"
_TOKEN: Final = cos_v5.TOKEN_NAME.encode()


class CosSigner:
    """A :class:`~cosbatch.storage.request_heads.Signer`. The region has no part in these signatures."""

    def __init__(self, *, clock: Clock) -> None:
        self.ahead_seconds = 0.0
        """How far the store's clock is ahead of ours, as far as is known."""
        self._clock = clock

    def now(self) -> float:
        return self._clock.now() + self.ahead_seconds

    def set_clock(self, store_now: float) -> None:
        self.ahead_seconds = store_now - self._clock.now()

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
        refuse_unsendable([value for _, value in headers])
        every = signed_headers(credentials, host, headers)
        value = cos_v5.authorization(
            as_signed(method, path, query, every), credentials=credentials, key_time=key_time_at(self.now())
        )
        target = b"%s?%s" % (path, query) if query else path
        return wire_head(method, target, every, value.encode())

    def template(
        self,
        method: bytes,
        host: bytes,
        *,
        fixed_headers: Sequence[Header],
        varying_header_names: Sequence[bytes],
        payload_hash: bytes,
    ) -> CosTemplate:
        refuse_unsendable([value for _, value in fixed_headers])
        return CosTemplate(
            self,
            method=method,
            host=host,
            fixed_headers=tuple(fixed_headers),
            varying_header_names=tuple(varying_header_names),
            clock=self._clock,
        )


class CosTemplate:
    """One kind of request of one job. Made by :meth:`CosSigner.template`."""

    def __init__(
        self,
        signer: CosSigner,
        *,
        method: bytes,
        host: bytes,
        fixed_headers: tuple[Header, ...],
        varying_header_names: tuple[bytes, ...],
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._method = method
        self._host = host
        self._fixed_headers = fixed_headers
        self._varying_header_names = varying_header_names
        self._clock = clock
        self._minute = -1
        self._credentials: Credentials | None = None
        self._signed = Form(b"", {})
        self._wire = Form(b"", {})
        self._places = paired_places(signed=self._signed, wire=self._wire)
        self._inner: _Hash = sha1(b"")
        self._outer: _Hash = sha1(b"")

    def head(self, credentials: Credentials, path: bytes, varying_values: Sequence[bytes]) -> bytes:
        minute = int(self._clock.now() + self._signer.ahead_seconds) // FRESH_SECONDS
        if minute != self._minute or credentials is not self._credentials:
            self._lay_out(credentials, minute)
        signed, wire = self._signed.pieces, self._wire.pieces
        wire[1] = path
        signed[1] = unquote_to_bytes(path) if b"%" in path else path
        places = self._places
        if len(varying_values) != len(places):
            raise wrong_count(varying_values, places)
        for value, (in_signed, in_wire) in zip(varying_values, places):  # noqa: B905  # as costly as a hash
            wire[in_wire] = value
            signed[in_signed] = _signed_value(value)
        inner = self._inner.copy()
        inner.update(sha1(b"".join(signed)).hexdigest().encode() + b"\n")
        outer = self._outer.copy()
        outer.update(inner.digest())
        wire[-2] = outer.hexdigest().encode()
        return b"".join(wire)

    def _lay_out(self, credentials: Credentials, minute: int) -> None:
        """Everything that stays the same for a minute, with a hole where something varies."""
        time = key_time_at(minute * FRESH_SECONDS).text()
        holes = {name: hole(place) for place, name in enumerate(self._varying_header_names)}
        path, signature = hole(len(holes)), hole(len(holes) + 1)
        every = signed_headers(credentials, self._host, [*self._fixed_headers, *holes.items()])
        request = as_signed(self._method, path, b"", every)
        fields = cos_v5.authorization_fields(
            access_key_id=credentials.access_key_id,
            time=time,
            headers=cos_v5.listed_names(request.headers),
            parameters="",
            signed=signature.decode(),
        )
        value = "&".join(["=".join(field) for field in fields]).encode()
        self._signed = Form(_with_holes(cos_v5.http_string(request), holes), holes)
        self._wire = Form(wire_head(self._method, path, every, value), holes)
        self._places = paired_places(signed=self._signed, wire=self._wire)
        key = cos_v5.sign_key(credentials.secret_access_key, time)
        self._inner, self._outer = hmac_halves(sha1, key, cos_v5.string_prefix(time))
        self._minute, self._credentials = minute, credentials


def key_time_at(now: float) -> KeyTime:
    """The span of a signature that is made at ``now``: the same for all that are made in one minute."""
    begun = int(now) // FRESH_SECONDS * FRESH_SECONDS
    return KeyTime(begun - BEFORE_SECONDS, begun + FRESH_SECONDS + GOOD_SECONDS)


def signed_headers(credentials: Credentials, host: bytes, headers: Sequence[Header]) -> list[Header]:
    """All headers of a request but Authorization, in wire order; all of them are signed."""
    every = [(b"host", host), *headers]
    if credentials.session_token:
        every.append((_TOKEN, credentials.session_token.encode()))
    return every


def as_signed(method: bytes, path: bytes, query: bytes, headers: Sequence[Header]) -> SignedRequest:
    """What stands on the wire as the signature sees it: decoded, and without blanks at the ends of a value, which are
    no part of it (RFC 9110, 5.5)."""
    return SignedRequest(
        method=method.decode(),
        path=_text(unquote_to_bytes(path)),
        query=[_decoded_pair(pair) for pair in query.split(b"&")] if query else (),
        headers=[(name.decode(), _text(value.strip(_BLANKS))) for name, value in headers],
    )


def _decoded_pair(pair: bytes) -> tuple[str, str]:
    name, _, value = pair.partition(b"=")
    return _text(unquote_to_bytes(name)), _text(unquote_to_bytes(value))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _with_holes(text: bytes, holes: dict[bytes, bytes]) -> bytes:
    """A hole in a header's value is encoded like any other value; this one is filled with what is encoded already."""
    for one in holes.values():
        text = text.replace(b"=" + quote_bytes(one), b"=" + one)
    return text


def _signed_value(value: bytes) -> bytes:
    """A varying value as it is signed. The source of a copy, which it mostly is, is encoded already: of its characters
    few are left to encode."""
    if value.translate(None, _OF_A_SOURCE):
        refuse_unsendable([value])
        return quote_bytes(value.strip(_BLANKS))
    value = value.replace(b"%", b"%25").replace(b"/", b"%2F")
    return value.replace(b":", b"%3A").replace(b"?", b"%3F").replace(b"=", b"%3D")
