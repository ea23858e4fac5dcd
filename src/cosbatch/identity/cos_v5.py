"""COS's own signature, version 5 (``q-sign-algorithm=sha1``): how it is made, and how a call that has one is checked.

Source: COS API, "Request Signature" (436/7778), and how cos-go-sdk-v5 and cos-python-sdk-v5 sign. Unlike SigV4 it
signs the percent-DECODED path, any set of headers and parameters that the caller lists, and a span of time in place of
a moment; the body is covered only through Content-MD5. Texts are Unicode; what a wire sent that is no UTF-8 is held
with ``surrogateescape``. Hashes and signatures are lower-case hex.

The checker is stricter than COS: what is not signed may have been put in by anyone, so Host, Content-MD5, every
``x-cos-*`` header and every parameter has to be listed, as both SDKs do. One is exempt, ``x-cos-security-token``: the
Go SDK adds it after it has signed, and as it must be the key's own, nobody gains by changing it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

from cosbatch.identity.callers import KeyLookup, SigningKey
from cosbatch.identity.credentials import Credentials
from cosbatch.model.errors import AuthenticationReason, NotAuthenticated

SKEW_SECONDS: Final = 900
"""How far ahead of ours a caller's clock may be."""
TOKEN_NAME: Final = "x-cos-security-token"  # noqa: S105  # the name of a header

_ALGORITHM, _KEY_ID = "q-sign-algorithm", "q-ak"
_SIGN_TIME, _KEY_TIME = "q-sign-time", "q-key-time"
_HEADER_LIST, _PARAMETER_LIST = "q-header-list", "q-url-param-list"
_SIGNATURE = "q-signature"
_NAMES: Final = (_ALGORITHM, _KEY_ID, _SIGN_TIME, _KEY_TIME, _HEADER_LIST, _PARAMETER_LIST, _SIGNATURE)
_MAY_BE_EMPTY: Final = frozenset({_HEADER_LIST, _PARAMETER_LIST})

_SPAN: Final = re.compile(r"([0-9]{1,12});([0-9]{1,12})")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request as its signature sees it. To sign one, give what shall be signed; to check one, all that came."""

    method: str
    path: str
    """Percent-decoded, beginning with ``/``."""
    query: Sequence[Pair]
    """Decoded; a parameter without a value has an empty one."""
    headers: Sequence[Pair]
    """Names in lower case; a repeated header is a pair for each value."""


class KeyTime(NamedTuple):
    """The span in which a signature is good, and the key that is derived from the secret for it. Unix seconds."""

    start: int
    end: int

    def text(self) -> str:
        return f"{self.start};{self.end}"


# --- making one


def encoded(text: str) -> str:
    """UTF-8, percent-encoded all but letters, digits and ``-_.~``."""
    return quote(text.encode("utf-8", "surrogateescape"), safe="-_.~")


def listed_name(name: str) -> str:
    """A header's or parameter's name as the lists and the signed text have it."""
    return encoded(name).lower()


def canonical_pairs(pairs: Iterable[Pair]) -> list[Pair]:
    """Names as listed, values encoded; sorted by name, and within a name by the value before it was encoded."""
    return [(name, encoded(value)) for name, value in sorted((listed_name(name), value) for name, value in pairs)]


def listed_names(pairs: Iterable[Pair]) -> str:
    """The value of ``q-header-list`` or ``q-url-param-list``; a name occurs once for each of its values."""
    return ";".join([name for name, _ in canonical_pairs(pairs)])


def http_string(request: SignedRequest) -> bytes:
    """The request in the one form that both sides hash."""
    query = "&".join(["=".join(pair) for pair in canonical_pairs(request.query)])
    headers = "&".join(["=".join(pair) for pair in canonical_pairs(request.headers)])
    return f"{request.method.lower()}\n{request.path}\n{query}\n{headers}\n".encode("utf-8", "surrogateescape")


def sign_key(secret_key: str, key_time: str) -> bytes:
    """The key that is derived from the secret for one span: its hex text is what signs."""
    return hmac.digest(secret_key.encode(), key_time.encode(), "sha1").hex().encode()


def string_to_sign(hashed: bytes, sign_time: str) -> bytes:
    """``hashed`` is the SHA-1 of :func:`http_string`, in hex."""
    return string_prefix(sign_time) + hashed + b"\n"


def string_prefix(sign_time: str) -> bytes:
    """All of the string to sign that is the same for every request of one span."""
    return b"sha1\n%s\n" % sign_time.encode()


def signature(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, "sha1").hex()


def authorization_fields(
    *, access_key_id: str, time: str, headers: str, parameters: str, signed: str
) -> tuple[Pair, ...]:
    """The seven fields in the order in which SDKs write them. ``headers`` and ``parameters`` are the lists."""
    return tuple(zip(_NAMES, ("sha1", access_key_id, time, time, headers, parameters, signed), strict=True))


def authorization(request: SignedRequest, *, credentials: Credentials, key_time: KeyTime) -> str:
    """The value of the Authorization header that signs all of ``request``.

    With temporary credentials, the token's header has to be among the headers, or to be added to them.
    """
    return "&".join(["=".join(pair) for pair in _signed_fields(request, credentials=credentials, key_time=key_time)])


def signed_query(request: SignedRequest, *, credentials: Credentials, key_time: KeyTime) -> list[Pair]:
    """The parameters that sign all of ``request`` where a header cannot: to come after its own. With the token."""
    fields = list(_signed_fields(request, credentials=credentials, key_time=key_time))
    return [*fields, (TOKEN_NAME, credentials.session_token)] if credentials.session_token else fields


def _signed_fields(request: SignedRequest, *, credentials: Credentials, key_time: KeyTime) -> tuple[Pair, ...]:
    time = key_time.text()
    return authorization_fields(
        access_key_id=credentials.access_key_id,
        time=time,
        headers=listed_names(request.headers),
        parameters=listed_names(request.query),
        signed=_signature_of(request, secret_key=credentials.secret_access_key, key_time=time, sign_time=time),
    )


def _signature_of(request: SignedRequest, *, secret_key: str, key_time: str, sign_time: str) -> str:
    # SHA-1 is what the protocol is made of; its weakness is of no use against an HMAC.
    hashed = hashlib.sha1(http_string(request), usedforsecurity=False).hexdigest().encode()
    return signature(sign_key(secret_key, key_time), string_to_sign(hashed, sign_time))


# --- checking one


async def verify(request: SignedRequest, *, keys: KeyLookup, now: float) -> SigningKey:
    """The key that signed the request, in its Authorization header or in its query. ``now`` in Unix seconds.

    Raises NotAuthenticated: MISSING, MALFORMED, REQUEST_EXPIRED, CLOCK_SKEWED, UNKNOWN_KEY, SIGNATURE_WRONG,
    TOKEN_INVALID (also for a token with a key that has none), TOKEN_EXPIRED. Says nothing of a key before it has
    found the signature to be that key's, but whether there is one.
    """
    fields, query = _fields_of(request)
    _check_fields(fields)
    for name in (_SIGN_TIME, _KEY_TIME):
        _check_time(name, fields[name], now=now)
    key = await keys.signing_key(fields[_KEY_ID])
    if key is None:
        raise NotAuthenticated(AuthenticationReason.UNKNOWN_KEY, "there is no access key with this id, or it is off")
    claimed = _claimed(request, query, fields)
    _check_signature(claimed, fields, secret_key=key.secret_access_key)
    _check_token(request, key, now=now)
    return key


def _fields_of(request: SignedRequest) -> tuple[Mapping[str, str], list[Pair]]:
    """The seven fields, and the query without them."""
    values = [value for name, value in request.headers if name == "authorization"]
    if len(values) > 1:
        raise _malformed("there is more than one Authorization header")
    query = list(request.query)
    if values and values[0]:
        pairs = _split_fields(values[0])
    else:
        pairs = [pair for pair in query if pair[0] in _NAMES]
        query = [pair for pair in query if pair[0] not in _NAMES]
        if not pairs:
            raise NotAuthenticated(AuthenticationReason.MISSING, "the request is not signed; sign it with COS v5")
    names = [name for name, _ in pairs]
    for name in names:
        if name not in _NAMES:
            raise _malformed(f"the signature has a field {name[:100]!r}, which is none of COS v5")
        if names.count(name) > 1:
            raise _malformed(f"the signature has {name} twice")
    return dict(pairs), query


def _split_fields(value: str) -> list[Pair]:
    """``name=value`` pairs joined by ``&``, in any order."""
    if "q-sign-algorithm=" not in value:
        raise _malformed("the Authorization header has no q-sign-algorithm: it is no COS v5 signature")
    pairs = [field.partition("=") for field in value.strip().split("&")]
    return [(name, content) for name, _, content in pairs]


def _check_fields(fields: Mapping[str, str]) -> None:
    missing = [name for name in _NAMES if name not in fields or not (fields[name] or name in _MAY_BE_EMPTY)]
    if missing:
        raise _malformed(f"the signature lacks {', '.join(missing)}")
    if fields[_ALGORITHM] != "sha1":
        raise _malformed(f"q-sign-algorithm is {fields[_ALGORITHM][:100]!r}; the only one is sha1")


def _check_time(name: str, span: str, *, now: float) -> None:
    found = _SPAN.fullmatch(span)
    if found is None or int(found[1]) >= int(found[2]):
        raise _malformed(f"{name} is {span[:100]!r}; write <start>;<end> in Unix seconds, the start before the end")
    if now > int(found[2]):
        raise NotAuthenticated(AuthenticationReason.REQUEST_EXPIRED, "Request has expired")
    if now < int(found[1]) - SKEW_SECONDS:
        message = f"{name} begins more than {SKEW_SECONDS // 60} minutes ahead of the service's clock; set your clock"
        raise NotAuthenticated(AuthenticationReason.CLOCK_SKEWED, message)


def _claimed(request: SignedRequest, query: Sequence[Pair], fields: Mapping[str, str]) -> SignedRequest:
    """The request with only what its lists name. SIGNATURE_WRONG where they name too much or too little."""
    listed_headers = set(fields[_HEADER_LIST].lower().split(";")) - {""}
    listed_parameters = set(fields[_PARAMETER_LIST].lower().split(";")) - {""}
    headers = [pair for pair in request.headers if listed_name(pair[0]) in listed_headers]
    parameters = [pair for pair in query if listed_name(pair[0]) in listed_parameters]
    _check_present("header", listed_headers, headers)
    _check_present("parameter", listed_parameters, parameters)
    for name in ["host", *(name for name, _ in request.headers if _has_to_be_signed(name))]:
        if listed_name(name) not in listed_headers:
            raise _wrong(f"the header {name[:100]} is not signed; list it in {_HEADER_LIST}")
    for name, _ in query:
        if name != TOKEN_NAME and listed_name(name) not in listed_parameters:
            raise _wrong(f"the parameter {name[:100]} is not signed; list it in {_PARAMETER_LIST}")
    return SignedRequest(method=request.method, path=request.path, query=parameters, headers=headers)


def _check_present(kind: str, listed: Collection[str], present: Sequence[Pair]) -> None:
    absent = sorted(set(listed) - {listed_name(name) for name, _ in present})
    if absent:
        raise _wrong(f"the signature lists the {kind} {absent[0][:100]}, which the request does not have")


def _has_to_be_signed(name: str) -> bool:
    return name == "content-md5" or (name.startswith("x-cos-") and name != TOKEN_NAME)


def _check_signature(claimed: SignedRequest, fields: Mapping[str, str], *, secret_key: str) -> None:
    """cos-python-sdk-v5 signs the host without its port, whatever the port."""
    given = fields[_SIGNATURE].encode("utf-8", "surrogateescape")
    for request in (claimed, _without_port(claimed)):
        expected = _signature_of(
            request, secret_key=secret_key, key_time=fields[_KEY_TIME], sign_time=fields[_SIGN_TIME]
        )
        if hmac.compare_digest(expected.encode(), given):
            return
    hashed = hashlib.sha1(http_string(claimed), usedforsecurity=False).hexdigest().encode()
    text = string_to_sign(hashed, fields[_SIGN_TIME]).decode()
    raise _wrong(f"the signature is not that of this request and this key; the string to sign is {text!r}")


def _without_port(request: SignedRequest) -> SignedRequest:
    headers = [(name, re.sub(r":[0-9]+\Z", "", value) if name == "host" else value) for name, value in request.headers]
    return SignedRequest(method=request.method, path=request.path, query=request.query, headers=headers)


def _check_token(request: SignedRequest, key: SigningKey, *, now: float) -> None:
    given = [value for name, value in (*request.headers, *request.query) if name == TOKEN_NAME and value]
    if not given and key.session_token:
        raise NotAuthenticated(AuthenticationReason.TOKEN_INVALID, f"a temporary key needs its token: {TOKEN_NAME}")
    own = key.session_token.encode()
    if not all(hmac.compare_digest(value.encode("utf-8", "surrogateescape"), own) for value in given):
        raise NotAuthenticated(AuthenticationReason.TOKEN_INVALID, f"{TOKEN_NAME} is not the token of this access key")
    if key.expires_at is not None and now >= key.expires_at:
        raise NotAuthenticated(AuthenticationReason.TOKEN_EXPIRED, "the temporary key is no longer good")


def _malformed(problem: str) -> NotAuthenticated:
    return NotAuthenticated(AuthenticationReason.MALFORMED, problem)


def _wrong(problem: str) -> NotAuthenticated:
    return NotAuthenticated(AuthenticationReason.SIGNATURE_WRONG, problem)
