"""Calls over HTTP, by httpx. Proxies are those of the environment."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from cosbatch import __version__
from cosbatch.client.transport import ApiAnswer, ApiRequest
from cosbatch.model.errors import Fault, InvalidArgument, ServiceUnreachable

PREFIX: Final = "/api/v1"
TIMEOUT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """Where a service is, and who calls it."""

    url: str
    """``https://host[:port]``, with a path where a proxy has put one before it."""
    token: str = field(default="", repr=False)
    """An API token."""
    ca_file: Path | None = None
    """Of the authority that has signed the service's certificate, where the system does not know it."""
    timeout_seconds: float = TIMEOUT_SECONDS
    """For each step of a call: connecting, sending, and each wait for a piece of the answer."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise _unusable("server", self.url, "is no address of a service", "write it as https://host:port")
        if parts.username is not None or parts.password is not None:
            raise _unusable("server", "", "has a name or password in it", "give an API token instead")


class HttpTransport:
    """One pool of connections, closed by :meth:`close`."""

    def __init__(self, server: ServerAddress) -> None:
        self._server = server
        self._http = httpx.Client(headers=_headers(server), timeout=server.timeout_seconds, verify=_trust(server))

    def send(self, request: ApiRequest) -> ApiAnswer:
        try:
            with self._http.stream(
                request.method,
                _url(self._server, request),
                content=request.body,
                headers=dict(request.headers),
                timeout=_patience(self._server, request),
            ) as answer:
                if request.sink is None or not answer.is_success:
                    return _answer(answer, answer.read())
                for piece in answer.iter_bytes():
                    request.sink(piece)
                return _answer(answer, b"")
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise _unreachable(self._server, error) from error

    def close(self) -> None:
        self._http.close()


class AsyncHttpTransport:
    """The same for coroutines."""

    def __init__(self, server: ServerAddress, *, http: httpx.AsyncBaseTransport | None = None) -> None:
        """``http`` in place of sockets: httpx has one that calls an application in this process."""
        self._server = server
        self._http = httpx.AsyncClient(
            headers=_headers(server), timeout=server.timeout_seconds, verify=_trust(server), transport=http
        )

    async def send(self, request: ApiRequest) -> ApiAnswer:
        try:
            async with self._http.stream(
                request.method,
                _url(self._server, request),
                content=request.body,
                headers=dict(request.headers),
                timeout=_patience(self._server, request),
            ) as answer:
                if request.sink is None or not answer.is_success:
                    return _answer(answer, await answer.aread())
                async for piece in answer.aiter_bytes():
                    request.sink(piece)
                return _answer(answer, b"")
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise _unreachable(self._server, error) from error

    async def close(self) -> None:
        await self._http.aclose()


def _headers(server: ServerAddress) -> dict[str, str]:
    headers = {"user-agent": f"cosbatch/{__version__}", "accept": "application/json"}
    return headers | ({"authorization": f"Bearer {server.token}"} if server.token else {})


def _trust(server: ServerAddress) -> ssl.SSLContext | bool:
    if server.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=server.ca_file)
    except (OSError, ssl.SSLError) as error:
        way_out = "name a file with certificates in PEM"
        raise _unusable("ca_file", str(server.ca_file), f"cannot be read: {error}", way_out) from error


def _url(server: ServerAddress, request: ApiRequest) -> str:
    query = f"?{httpx.QueryParams(request.query)}" if request.query else ""
    return f"{server.url.rstrip('/')}{PREFIX}{request.path}{query}"


def _patience(server: ServerAddress, request: ApiRequest) -> httpx.Timeout:
    """Connecting and sending take no longer for a call whose answer takes long."""
    usual = server.timeout_seconds
    return httpx.Timeout(usual, read=max(usual, request.timeout_seconds or 0.0))


def _answer(answer: httpx.Response, body: bytes) -> ApiAnswer:
    return ApiAnswer(status=answer.status_code, headers=dict(answer.headers), body=body)


def _unusable(path: str, value: str, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path=path, value=value, problem=problem, way_out=way_out)
    return InvalidArgument("the service cannot be called", faults=[fault])


def _unreachable(server: ServerAddress, error: Exception) -> ServiceUnreachable:
    why = str(error) or type(error).__name__
    return ServiceUnreachable(f"no answer from the service at {server.url}: {why}")
