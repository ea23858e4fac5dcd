"""How calls reach a service: one method. Over HTTP it is :mod:`cosbatch.client.http_transport`; a test, or a program
that has the service in itself, brings its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call, as it goes out."""

    method: str
    path: str
    """Below ``/api/v1``, percent-encoded: ``/jobs/01a2``."""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    """JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    sink: Callable[[bytes], object] | None = None
    """Gets the body of a success piece by piece, for what may be long; the answer's body is empty then."""
    timeout_seconds: float | None = None
    """How long the answer may let wait for itself; None: as long as the transport waits for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAnswer:
    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes


class Transport(Protocol):
    def send(self, request: ApiRequest) -> ApiAnswer:
        """Raises ServiceUnreachable where no whole answer came: whether a change was made is then not known."""
        ...


class AsyncTransport(Protocol):
    async def send(self, request: ApiRequest) -> ApiAnswer:
        """As :meth:`Transport.send`."""
        ...
