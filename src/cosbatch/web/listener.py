"""Where the service listens: the sockets, what guards them, and the server on them.

Whoever can reach the listener can try keys and read what is sent in plain text, so beyond loopback it takes TLS, or
somebody who says that the network is safe without. What counts is the address that is listened at, not its name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import structlog
import uvicorn
from starlette.types import ASGIApp

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.web.heads import HeadLimits

BACKLOG: Final = 512
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than the minute after which usual proxies let an idle connection go: the proxy should be the first."""
START_LOOK_SECONDS: Final = 0.01
_log = structlog.get_logger(__name__)

Address = tuple[Any, ...]
"""Of a socket: the host as text, the port, and for IPv6 two numbers more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """How to listen."""

    host: str
    port: int
    """0: any free one."""
    certificate_file: str | None = None
    key_file: str | None = None
    allow_plain_beyond_loopback: bool = False
    trusted_proxies: tuple[str, ...] = ()
    max_connections: int = 1000
    drain_seconds: float = 30.0
    head_seconds: float = 20.0
    """How long a client may take to send the head of a call."""


class Listener:
    """Sockets that are ours: what is wrong with them shows before anything else begins. Who connects already waits
    until :meth:`serving`."""

    def __init__(self, listening: Listening) -> None:
        """InvalidArgument where it must not, or cannot, listen so."""
        self._listening = listening
        self._context = _tls_context(listening)
        self._sockets = _bound(listening)
        self.port: int = self._sockets[0].getsockname()[1]

    @property
    def address(self) -> str:
        """``http[s]://host:port``, with the port that it has."""
        host = f"[{self._listening.host}]" if ":" in self._listening.host else self._listening.host
        return f"{'https' if self._context else 'http'}://{host}:{self.port}"

    def close(self) -> None:
        for bound in self._sockets:
            bound.close()

    @asynccontextmanager
    async def serving(self, app: ASGIApp) -> AsyncIterator[asyncio.Task[None]]:
        """Calls are answered while the context is open; at its end nobody new is let in, and those that are under way
        are waited for. Gives the task that serves, which ends early only by an error."""
        server = _Server(_configuration(app, self._listening, self._context))
        task = asyncio.create_task(server.serve(sockets=self._sockets), name="listener")
        try:
            while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(START_LOOK_SECONDS)
            yield task
        finally:
            server.should_exit = True
            await task


class _Server(uvicorn.Server):
    """Leaves signals alone: whoever runs the program decides what they mean."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _configuration(app: ASGIApp, listening: Listening, context: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=cast(
            type[asyncio.Protocol],
            partial(HeadLimits, head_seconds=listening.head_seconds, max_connections=listening.max_connections),
        ),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(listening.trusted_proxies),
        forwarded_allow_ips=list(listening.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(listening.drain_seconds),
        backlog=BACKLOG,
    )
    config.load()
    config.ssl = context
    return config


# --- TLS


def _tls_context(listening: Listening) -> ssl.SSLContext | None:
    if listening.certificate_file is None or listening.key_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listening.certificate_file, listening.key_file, password=_no_passphrase)
    except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        fault = Fault(
            path="server.tls_certificate_file",
            value=listening.certificate_file,
            problem=f"does not go with {listening.key_file}, or one of them cannot be used: {reason}",
            way_out="name a PEM file with the certificate and one with its key, without a passphrase",
        )
        raise InvalidArgument("TLS cannot be used", faults=[fault]) from None
    return context


def _no_passphrase() -> str:
    """Else OpenSSL would ask the terminal."""
    raise ValueError("the key has a passphrase")


# --- sockets


def _bound(listening: Listening) -> list[socket.socket]:
    """One for each address of the host, all at one port."""
    bound: list[socket.socket] = []
    try:
        for family, address in _addresses(listening):
            port = bound[0].getsockname()[1] if bound else listening.port
            bound.append(_bind(family, (address[0], port, *address[2:]), listening=listening))
    except BaseException:
        for each in bound:
            each.close()
        raise
    return bound


def _addresses(listening: Listening) -> list[tuple[int, Address]]:
    try:
        found = socket.getaddrinfo(listening.host, listening.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        problem = f"is no address of this machine: {getattr(error, 'strerror', None) or error}"
        raise _cannot_listen("server.host", listening.host, problem, "write 127.0.0.1, ::1 or 0.0.0.0") from None
    addresses: list[tuple[int, Address]] = []
    for family, _, _, _, address in found:
        if (family, address) not in addresses and family in (socket.AF_INET, socket.AF_INET6):
            addresses.append((family, (str(address[0]), *address[1:])))
    is_plain = listening.certificate_file is None and not listening.allow_plain_beyond_loopback
    if is_plain and not all(_is_loopback(str(address[0])) for _, address in addresses):
        raise _cannot_listen(
            "server.host",
            listening.host,
            "can be reached from beyond this machine, and there is no TLS",
            "set server.tls_certificate_file and server.tls_key_file; or, behind a proxy with TLS or in a network that"
            " you trust, server.allow_plain_http_beyond_loopback",
        )
    return addresses


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _bind(family: int, address: Address, *, listening: Listening) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)  # so that two of us do not both believe to have the port
        made.setblocking(False)
    except OSError as error:
        made.close()
        way_out = "stop what listens there, or choose another port; 0 takes any free one"
        raise _cannot_listen(
            "server.port", str(address[1]), f"cannot be listened at on {address[0]}: {error.strerror}", way_out
        ) from None
    return made


def _cannot_listen(path: str, value: str, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path=path, value=value, problem=problem, way_out=way_out)
    return InvalidArgument("the service cannot listen", faults=[fault])


# --- what uvicorn has to say


class _ToStructlog(logging.Handler):
    """Its warnings and errors are lines of our log like any other."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # a log must not break off what it tells of
            _log.log(record.levelno, "server", message=record.getMessage(), exc_info=record.exc_info)


@contextmanager
def server_log() -> Iterator[None]:
    """While the context is open, what uvicorn and asyncio warn of goes into our log."""
    handler = _ToStructlog(level=logging.WARNING)
    loggers: Sequence[logging.Logger] = [logging.getLogger(name) for name in ("uvicorn", "asyncio")]
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagated in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagated
