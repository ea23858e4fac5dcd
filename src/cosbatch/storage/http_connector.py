"""Opens connections to one endpoint, directly or through a proxy, and says in the words of the error tree why one
could not be opened.

Nothing of a request has been sent when an error comes from here.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage.http_connection import Connection
from cosbatch.storage.http_dialer import Dialer, Resolve, TunnelRefused, open_tunnel
from cosbatch.storage.http_limits import Timeouts
from cosbatch.storage.http_proxy import Proxy, ProxyRules, ProxyUnusable, authority


class Endpoint(NamedTuple):
    is_tls: bool
    host: str
    port: int


def parse_endpoint(text: str) -> Endpoint:
    """``http[s]://host[:port]``. Raises ValueError for anything more or less."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"an endpoint is http[s]://host[:port], not {text!r}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"an endpoint has neither path nor query nor user: {text!r}")
    is_tls = parts.scheme == "https"
    return Endpoint(is_tls, parts.hostname, parts.port or (443 if is_tls else 80))


class Connector:
    """Connects to hosts at the endpoint's port and in its scheme. Certificates and names are always verified."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        ca_file: str | None,
        timeouts: Timeouts,
        clock: Clock,
        proxies: ProxyRules,
        resolve: Resolve,
    ) -> None:
        """Raises ProxyUnusable where the endpoint's own host needs a proxy that cannot be spoken to."""
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._clock = clock
        self._tls = _tls_context(ca_file) if endpoint.is_tls else None
        self._proxies = proxies
        self._proxy_of_host: dict[str, Proxy | None] = {}
        self._dialer = Dialer(resolve=resolve, clock=clock)
        self._under_way: set[asyncio.Timeout] = set()
        self.rewrites_heads = bool(proxies.http_proxy) and not endpoint.is_tls
        """Whether :meth:`head_for` may change anything."""
        self._proxy_of(endpoint.host)

    def head_for(self, host: str, head: bytes) -> bytes:
        """The head of a request as whoever is connected to for ``host`` wants it."""
        proxy = self._proxy_of(host)
        return head if proxy is None else proxy.absolute_form(head, host, self._endpoint.port)

    def _proxy_of(self, host: str) -> Proxy | None:
        if host not in self._proxy_of_host:
            port, is_tls = self._endpoint.port, self._endpoint.is_tls
            self._proxy_of_host[host] = self._proxies.proxy_for(host, port, is_tls=is_tls)
        return self._proxy_of_host[host]

    async def connect(self, host: str, *, target: str, on_gone: Callable[[Connection], None]) -> Connection:
        """``on_gone`` is called once for every connection that was made, when it has ended.

        Raises StorageError: REFUSED, NAME_NOT_RESOLVED, TLS_FAILED, CONNECT_TIMEOUT.
        """
        connection = Connection(host, timeouts=self._timeouts, clock=self._clock, on_gone=on_gone)
        try:
            async with asyncio.timeout(self._timeouts.connect_seconds) as scope:
                self._under_way.add(scope)
                try:
                    await self._open(connection)
                finally:
                    self._under_way.discard(scope)
        except (OSError, UnicodeError, TunnelRefused, ProxyUnusable) as error:
            connection.abort()
            raise self._refusal(error, host=host, target=target) from error
        except BaseException:
            connection.abort()
            raise
        return connection

    def stop(self) -> None:
        """What is being opened ends now, as if its time were over."""
        for scope in self._under_way:
            scope.reschedule(0)

    async def _open(self, connection: Connection) -> None:
        proxy, host, port = self._proxy_of(connection.host), connection.host, self._endpoint.port
        dialled = (host, port) if proxy is None else (proxy.host, proxy.port)
        sock = await self._dialer.dial(*dialled, within_seconds=self._timeouts.connect_seconds)
        try:
            if proxy is not None and self._tls:
                await open_tunnel(sock, proxy, host=host, port=port)
        except BaseException:
            sock.close()
            raise
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: connection, sock=sock, ssl=self._tls, server_hostname=host if self._tls else None
            )
        except BaseException:
            # The loop closes the descriptor. asyncio does it through this object, uvloop behind its back.
            if not isinstance(loop, asyncio.BaseEventLoop):
                sock.detach()
            raise

    def _refusal(self, error: Exception, *, host: str, target: str) -> StorageError:
        where = authority(host, self._endpoint.port)
        proxy = self._proxy_of_host.get(host)
        dialled = host
        if proxy is not None:
            where, dialled = f"{where} through the proxy {proxy}", f"the proxy {proxy.host}"
        match error:
            case TunnelRefused():
                reason, message = StorageReason.REFUSED, f"no way to {where}: {error}"
            case ProxyUnusable():
                reason, message = StorageReason.REFUSED, str(error)
            case socket.gaierror() | UnicodeError():
                reason, message = StorageReason.NAME_NOT_RESOLVED, f"{dialled} cannot be resolved: {error}"
            case ssl.SSLError():
                reason, message = StorageReason.TLS_FAILED, f"no TLS with {where}: {error}"
            case TimeoutError():
                waited = self._timeouts.connect_seconds
                reason, message = StorageReason.CONNECT_TIMEOUT, f"no connection with {where} within {waited:g} s"
            case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError() if self._tls:
                reason, message = StorageReason.TLS_FAILED, f"{where} hung up while TLS was being agreed on: {error}"
            case _:
                reason, message = StorageReason.REFUSED, f"{where} takes no connection: {error}"
        return StorageError(reason, message, target=target)


def _tls_context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
