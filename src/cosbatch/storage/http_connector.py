"""Opens connections to one endpoint, and says in the words of the error tree why one could not be opened.

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
from cosbatch.storage.http_limits import Timeouts


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

    def __init__(self, endpoint: Endpoint, *, ca_file: str | None, timeouts: Timeouts, clock: Clock) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._clock = clock
        self._tls = _tls_context(ca_file) if endpoint.is_tls else None
        self._under_way: set[asyncio.Timeout] = set()

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
        except (OSError, UnicodeError) as error:
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
        loop = asyncio.get_running_loop()
        server_hostname = connection.host if self._tls else None
        await loop.create_connection(
            lambda: connection,
            connection.host,
            self._endpoint.port,
            ssl=self._tls,
            server_hostname=server_hostname,
        )

    def _refusal(self, error: Exception, *, host: str, target: str) -> StorageError:
        where = f"{host}:{self._endpoint.port}"
        match error:
            case socket.gaierror() | UnicodeError():
                reason, message = StorageReason.NAME_NOT_RESOLVED, f"{host} cannot be resolved: {error}"
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
