"""Who makes a call of the API: by bearer token, or by session. A session's writes have to come from its own pages."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from cosbatch.model.errors import AuthenticationReason, NotAuthenticated
from cosbatch.model.principals import Caller
from cosbatch.service.sign_in import SignIn
from cosbatch.web.rest.calls import Call
from cosbatch.web.rest.errors import RestRefusal

CSRF_HEADER: Final = "x-csrf-token"
SESSION_COOKIE: Final = "cosbatch-session"
SESSION_COOKIE_TLS: Final = f"__Host-{SESSION_COOKIE}"
"""Browsers take a cookie of such a name only over TLS, for the whole host and no other one."""
_CSRF_PURPOSE: Final = b"cosbatch csrf 1"
_OWN_PAGES: Final = frozenset({"same-origin", "none"})
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a call brings to say who makes it: one of them, or neither."""

    token: str = ""
    session: str = ""


def credential_of(request: Request) -> Credential:
    """A bearer token counts before a cookie: no other site can make a browser send one."""
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return Credential(token=sent.strip())
    return Credential(session=request.cookies.get(_cookie_name(request), ""))


def address_of(request: Request) -> str:
    """Of the client; empty where nobody knows it."""
    return request.client.host if request.client else ""


async def let_in(request: Request, call: Call, *, sign_in: SignIn) -> Caller:
    """NotAuthenticated; NotAllowed where the password has to be changed first; RestRefusal for a write that did not
    come from the session's own pages."""
    credential = credential_of(request)
    if credential.token:
        return await sign_in.caller_of_token(credential.token)
    if not credential.session:
        message = "nobody is named: log in, or send an API token as `authorization: Bearer cosb_...`"
        raise NotAuthenticated(AuthenticationReason.MISSING, message)
    caller = await sign_in.caller_of_session(credential.session, changes_password=call.access.is_own)
    if call.writes:
        check_origin(request)
        _check_csrf(request, session=credential.session)
    return caller


# --- writes of a session


def csrf_token(session: str) -> str:
    """Of a session's text, which only the browser and the service know: it stands nowhere, and fits no other."""
    return hmac.new(session.encode(errors="surrogatepass"), _CSRF_PURPOSE, hashlib.sha256).hexdigest()


def _check_csrf(request: Request, *, session: str) -> None:
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(errors="surrogatepass"), csrf_token(session).encode()):
        problem = "is not the session's" if sent else "is missing"
        message = f"the header {CSRF_HEADER} {problem}; send the csrf_token that GET /api/v1/session answers"
        raise RestRefusal("CsrfRefused", message, http_status=403)


def check_origin(request: Request) -> None:
    """Browsers say from which page a write comes; whoever says nothing is no browser."""
    site = request.headers.get("sec-fetch-site", "same-origin").lower()
    origin = request.headers.get("origin")
    if site not in _OWN_PAGES or (origin is not None and not _is_own(origin, request)):
        message = "this write comes from a page of another origin; only the service's own pages may make it"
        raise RestRefusal("OriginRefused", message, http_status=403)


def _is_own(origin: str, request: Request) -> bool:
    """Behind a proxy that is not trusted the service may not know that it is reached by TLS."""
    try:
        sent = urlsplit(origin)
        port = sent.port or _DEFAULT_PORTS.get(sent.scheme)
        host = urlsplit(f"//{request.headers.get('host', '')}")
        own_port = host.port or _DEFAULT_PORTS.get(sent.scheme)
    except ValueError:
        return False
    is_as_safe = sent.scheme == "https" or (sent.scheme == "http" and request.url.scheme == "http")
    return is_as_safe and bool(sent.hostname) and (sent.hostname, port) == (host.hostname, own_port)


def own_address(request: Request) -> str:
    """Where the service is reached, ``https://host:port``: by the page that calls where it is one of its own, since a
    browser knows of TLS in front of a proxy; else by the call itself."""
    origin = request.headers.get("origin", "")
    return origin if _is_own(origin, request) else f"{request.url.scheme}://{request.url.netloc}"


# --- the cookie


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie_name(request: Request) -> str:
    return SESSION_COOKIE_TLS if _is_tls(request) else SESSION_COOKIE


def set_session_cookie(response: Response, request: Request, text: str, *, seconds: float) -> None:
    response.set_cookie(
        _cookie_name(request),
        text,
        max_age=int(seconds),
        path="/",
        secure=_is_tls(request),
        httponly=True,
        samesite="lax",
    )


def drop_session_cookie(response: Response, request: Request) -> None:
    response.delete_cookie(_cookie_name(request), path="/", secure=_is_tls(request), httponly=True, samesite="lax")
