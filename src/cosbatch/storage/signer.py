"""Complete, signed request heads, made fast: SigV4 as :mod:`cosbatch.identity.sigv4` says it, byte for byte.

A signature costs 15 us when it is made step by step. A job signs the same request a million times with another path and
another copy source, so :class:`RequestTemplate` lays the head and the canonical request out once a second, with holes,
and keeps the inner and outer hash of the HMAC as they stand after everything that is constant; a signature is then two
joined strings, one hash of the canonical request and two small continued ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cosbatch.identity import sigv4
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.sigv4 import EMPTY_SHA256, UNSIGNED_PAYLOAD, Header, Scope, Signable
from cosbatch.model.clock import Clock
from cosbatch.storage.request_heads import (
    Form,
    hmac_halves,
    hole,
    paired_places,
    quote_path,
    quote_query_value,
    refuse_unsendable,
    wire_head,
    wrong_count,
)

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["EMPTY_SHA256", "UNSIGNED_PAYLOAD", "RequestTemplate", "TemplateSigner", "quote_path", "quote_query_value"]

_VISIBLE: Final = bytes(range(0x21, 0x7F))


class TemplateSigner:
    """Signs for one region's name and one service."""

    def __init__(self, *, region: str, service: str = "s3", clock: Clock) -> None:
        self.ahead_seconds = 0.0
        """How far the store's clock is ahead of ours, as far as is known: signatures are dated by the store's."""
        self._region = region
        self._service = service
        self._clock = clock
        self._credentials: Credentials | None = None
        self._scope = Scope(date="", region=region, service=service)
        self._key = b""

    def now(self) -> float:
        """The time by which signatures are dated, in Unix seconds."""
        return self._clock.now() + self.ahead_seconds

    def set_clock(self, store_now: float) -> None:
        """From now on signatures are dated as if it were ``store_now``."""
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
        """The whole head of a request: request line, headers, Authorization, and the empty line.

        ``path`` and ``query`` are encoded already (the query sorted, as :func:`sigv4.canonical_query` makes it); names
        of ``headers`` are in lower case. All of them are signed. Raises ValueError for a line break or a zero byte
        in a value.
        """
        refuse_unsendable([value for _, value in headers])
        timestamp = sigv4.amz_timestamp(self.now())
        every = signed_headers(credentials, host, headers, timestamp=timestamp, payload_hash=payload_hash)
        signable = Signable(method=method, path=path, query=query, headers=every, payload_hash=payload_hash)
        key = self.signing_key(credentials, self.scope_at(timestamp))
        authorization = sigv4.authorization(
            signable, credentials=credentials, timestamp=timestamp, region=self._region, service=self._service, key=key
        )
        target = b"%s?%s" % (path, query) if query else path
        return wire_head(method, target, every, authorization)

    def template(
        self,
        method: bytes,
        host: bytes,
        *,
        fixed_headers: Sequence[Header],
        varying_header_names: Sequence[bytes],
        payload_hash: bytes,
    ) -> RequestTemplate:
        """A head without a query in which only the path and the named headers vary; they come after the fixed ones."""
        refuse_unsendable([value for _, value in fixed_headers])
        return RequestTemplate(
            self,
            method=method,
            host=host,
            fixed_headers=tuple(fixed_headers),
            varying_header_names=tuple(varying_header_names),
            payload_hash=payload_hash,
            clock=self._clock,
        )

    def signing_key(self, credentials: Credentials, scope: Scope) -> bytes:
        """Derived once a day for the credentials in use."""
        if credentials is not self._credentials or scope != self._scope:
            self._key = sigv4.signing_key(credentials.secret_access_key, scope=scope)
            self._credentials, self._scope = credentials, scope
        return self._key

    def scope_at(self, timestamp: str) -> Scope:
        """The scope of a signature made at ``timestamp``."""
        return Scope(date=timestamp[:8], region=self._region, service=self._service)


class RequestTemplate:
    """One kind of request of one job. Made by :meth:`TemplateSigner.template`."""

    def __init__(
        self,
        signer: TemplateSigner,
        *,
        method: bytes,
        host: bytes,
        fixed_headers: tuple[Header, ...],
        varying_header_names: tuple[bytes, ...],
        payload_hash: bytes,
        clock: Clock,
    ) -> None:
        self._signer = signer
        self._method = method
        self._host = host
        self._fixed_headers = fixed_headers
        self._varying_header_names = varying_header_names
        self._payload_hash = payload_hash
        self._clock = clock
        self._second = -1
        self._credentials: Credentials | None = None
        self._canonical = Form(b"", {})
        self._wire = Form(b"", {})
        self._places = paired_places(signed=self._canonical, wire=self._wire)
        self._inner: _Hash = hashlib.sha256()
        self._outer: _Hash = hashlib.sha256()

    def head(self, credentials: Credentials, path: bytes, varying_values: Sequence[bytes]) -> bytes:
        """The head as :meth:`TemplateSigner.head` makes it, ``varying_values`` in the order of their names."""
        second = int(self._clock.now() + self._signer.ahead_seconds)
        if second != self._second or credentials is not self._credentials:
            self._lay_out(credentials, second)
        canonical, wire = self._canonical.pieces, self._wire.pieces
        canonical[1] = wire[1] = path
        places = self._places
        if len(varying_values) != len(places):
            raise wrong_count(varying_values, places)
        for value, (in_canonical, in_wire) in zip(varying_values, places):  # noqa: B905  # as costly as a hash
            wire[in_wire] = value
            canonical[in_canonical] = _checked(value) if value.translate(None, _VISIBLE) else value
        inner = self._inner.copy()
        inner.update(hashlib.sha256(b"".join(canonical)).hexdigest().encode())
        outer = self._outer.copy()
        outer.update(inner.digest())
        wire[-2] = outer.hexdigest().encode()
        return b"".join(wire)

    def _lay_out(self, credentials: Credentials, second: int) -> None:
        """Everything that stays the same for a second, with a hole where something varies."""
        timestamp = sigv4.amz_timestamp(second)
        holes = {name: hole(place) for place, name in enumerate(self._varying_header_names)}
        path, signed = hole(len(holes)), hole(len(holes) + 1)
        every = signed_headers(
            credentials,
            self._host,
            [*self._fixed_headers, *holes.items()],
            timestamp=timestamp,
            payload_hash=self._payload_hash,
        )
        signable = Signable(method=self._method, path=path, query=b"", headers=every, payload_hash=self._payload_hash)
        scope = self._signer.scope_at(timestamp)
        authorization = sigv4.authorization_value(
            access_key_id=credentials.access_key_id,
            scope=scope,
            names=sigv4.signed_names(sigv4.canonical_headers(every)),
            signed=signed,
        )
        self._canonical = Form(sigv4.canonical_request(signable), holes)
        self._wire = Form(wire_head(self._method, path, every, authorization), holes)
        self._places = paired_places(signed=self._canonical, wire=self._wire)
        key, beginning = self._signer.signing_key(credentials, scope), sigv4.string_prefix(timestamp, scope=scope)
        self._inner, self._outer = hmac_halves(hashlib.sha256, key, beginning)
        self._second, self._credentials = second, credentials


def _checked(value: bytes) -> bytes:
    refuse_unsendable([value])
    return sigv4.canonical_value(value)


def signed_headers(
    credentials: Credentials, host: bytes, headers: Sequence[Header], *, timestamp: str, payload_hash: bytes
) -> list[Header]:
    """All headers of a request but Authorization, in wire order; all of them are signed."""
    every = [(b"host", host), *headers, (b"x-amz-date", timestamp.encode()), (b"x-amz-content-sha256", payload_hash)]
    if credentials.session_token:
        every.append((b"x-amz-security-token", credentials.session_token.encode()))
    return every
