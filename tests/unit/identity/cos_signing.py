"""Signed requests as a wire reads them, and the keys that a service knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cosbatch.identity.callers import SigningKey
from cosbatch.identity.cos_v5 import KeyTime, Pair, SignedRequest, authorization, signed_query
from cosbatch.identity.credentials import Credentials
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Account, Caller, UserRole

NOW: Final = 1_576_812_800
SPAN: Final = KeyTime(NOW - 100, NOW + 3600)
HOST: Final = ("host", "100000000001.cos-control.ap-chengdu.myqcloud.com")
USER: Final = Credentials(access_key_id="AKIDuser", secret_access_key="secret of a user")
TEMPORARY: Final = Credentials(access_key_id="AKIDtemp", secret_access_key="other/+=", session_token="token/+==")

_ACCOUNT = Account(
    id=AccountId("a"), name="a", uin="100000000001", appid="1250000000", aws_account_id="000000000001", created_at=0.0
)


class Keys:
    """A KeyLookup over the credentials that it is given."""

    def __init__(self, *credentials: Credentials) -> None:
        self._keys = {each.access_key_id: _signing_key(each) for each in credentials}
        self.asked: list[str] = []
        self.noted: list[str] = []

    async def signing_key(self, access_key_id: str) -> SigningKey | None:
        self.asked.append(access_key_id)
        return self._keys.get(access_key_id)

    async def used(self, key: SigningKey) -> None:
        self.noted.append(key.access_key_id)


def _signing_key(credentials: Credentials) -> SigningKey:
    return SigningKey(
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        session_token=credentials.session_token,
        expires_at=credentials.expires_at,
        caller=Caller(account=_ACCOUNT, user="u", role=UserRole.OPERATOR, via="cos"),
    )


def request(
    method: str = "GET", path: str = "/jobs", *, query: Sequence[Pair] = (), headers: Sequence[Pair] = (HOST,)
) -> SignedRequest:
    return SignedRequest(method=method, path=path, query=tuple(query), headers=tuple(headers))


def by_header(
    signed: SignedRequest,
    *,
    credentials: Credentials = USER,
    span: KeyTime = SPAN,
    also: Sequence[Pair] = (),
    value: str = "",
) -> SignedRequest:
    """What arrives when all of ``signed`` is signed in a header, and ``also`` is added unsigned."""
    given = value or authorization(signed, credentials=credentials, key_time=span)
    headers = (*signed.headers, *also, ("authorization", given))
    return SignedRequest(method=signed.method, path=signed.path, query=signed.query, headers=headers)


def by_query(signed: SignedRequest, *, credentials: Credentials = USER, span: KeyTime = SPAN) -> SignedRequest:
    """What arrives when all of ``signed`` is signed in the query."""
    query = (*signed.query, *signed_query(signed, credentials=credentials, key_time=span))
    return SignedRequest(method=signed.method, path=signed.path, query=query, headers=signed.headers)
