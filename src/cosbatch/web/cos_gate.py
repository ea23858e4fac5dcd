"""Who makes a call of COS's wire, and for which region: the signature, then what header and host say of the account."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request

from cosbatch.identity.callers import KeyLookup, SigningKey
from cosbatch.identity.cos_v5 import SignedRequest, verify
from cosbatch.identity.tokens import KEY_ID_PREFIX
from cosbatch.model.clock import Clock
from cosbatch.model.errors import InvalidArgument, NotAllowed, NotAuthenticated
from cosbatch.model.identifiers import RegionName
from cosbatch.model.principals import Account, Caller
from cosbatch.web.failed_attempts import WINDOW_SECONDS, FailedAttempts
from cosbatch.wire.cos_errors import CosCode, CosRefusal
from cosbatch.wire.cos_requests import Query, control_host

APPID_HEADER: Final = "x-cos-appid"
_PARAMETERS_MAX: Final = 100
_KEY_ID: Final = re.compile(r"(?:^|&)q-ak=([A-Za-z0-9_.~-]{1,128})(?:&|$)")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CosCall:
    """A call that was let in."""

    caller: Caller
    region: RegionName | None
    """Of the host; None for a host that names none: all regions."""
    query: Query


class CosGate:
    """Lets calls in."""

    def __init__(self, keys: KeyLookup, *, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._failures = FailedAttempts(clock)

    async def let_in(self, request: Request) -> CosCall:
        """Raises NotAuthenticated; NotAllowed where header or host name another account than the caller's;
        InvalidArgument without ``x-cos-appid``; CosRefusal (SlowDown) after too many failures."""
        signed = signed_request(request)
        key = await self._key_of(signed, address=request.client.host if request.client else "")
        caller = replace(key.caller, via="cos", credential=key.access_key_id)
        _check_appid(signed, caller.account)
        region = _region_of(signed, caller.account)
        query = Query([(_readable(name), _readable(value)) for name, value in signed.query])
        return CosCall(caller=caller, region=region, query=query)

    async def _key_of(self, signed: SignedRequest, *, address: str) -> SigningKey:
        key_id = _claimed_key_id(signed)
        if self._failures.are_too_many(address, key_id):
            message = f"too many calls with a wrong signature; repeat this one in {WINDOW_SECONDS} seconds"
            raise CosRefusal(CosCode.SLOW_DOWN, message, headers={"retry-after": str(WINDOW_SECONDS)})
        try:
            key = await verify(signed, keys=self._keys, now=self._clock.now())
        except NotAuthenticated as error:
            self._failures.add(address, key_id)
            _log.warning(
                "not authenticated",
                wire="cos",
                reason=error.reason.value,
                address=address,
                access_key_id=_shown(key_id),
            )
            raise
        self._failures.let_in(address, key_id)
        await self._keys.used(key)
        return key


def signed_request(request: Request) -> SignedRequest:
    """The request as its signature sees it. Bytes that are no UTF-8 are held with ``surrogateescape``.

    The path is the decoded one by which the call is routed too: what is checked is what is done.
    """
    try:
        query = parse_qsl(
            request.scope["query_string"].decode("latin-1"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="surrogateescape",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError:
        raise InvalidArgument(f"the request has more than {_PARAMETERS_MAX} parameters") from None
    return SignedRequest(
        method=request.method,
        path=request.scope["path"],
        query=query,
        headers=[(_text(name).lower(), _text(value)) for name, value in request.scope["headers"]],
    )


def _text(written: bytes) -> str:
    return written.decode("utf-8", "surrogateescape")


def _readable(text: str) -> str:
    """For everything but signatures: half characters become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _claimed_key_id(signed: SignedRequest) -> str:
    """Empty where there is none, or none that could be one: it goes into the log."""
    for name, value in signed.headers:
        found = _KEY_ID.search(value) if name == "authorization" else None
        if found:
            return found[1]
    return next((value[:128] for name, value in signed.query if name == "q-ak" and value.isascii()), "")


def _shown(key_id: str) -> str:
    """For the log. Who mixes up id and secret has sent a secret as an id: nothing else than one of ours is shown."""
    return key_id if key_id.startswith(KEY_ID_PREFIX) else ""


def _check_appid(signed: SignedRequest, account: Account) -> None:
    appid = _one_header(signed, APPID_HEADER)
    if not appid:
        raise InvalidArgument(f"the header {APPID_HEADER} is missing or empty; write the APPID of your account")
    if appid != account.appid:
        raise NotAllowed(f"the access key is not one of the account that {APPID_HEADER} names")


def _region_of(signed: SignedRequest, account: Account) -> RegionName | None:
    host = control_host(_one_header(signed, "host"))
    if host is None:
        return None
    if host.uin != account.uin:
        raise NotAllowed("the access key is not one of the account that the host names")
    return host.region


def _one_header(signed: SignedRequest, name: str) -> str:
    values = {value.strip() for found, value in signed.headers if found == name}
    if len(values) > 1:
        raise InvalidArgument(f"the header {name} is there more than once, with different values")
    return values.pop() if values else ""
