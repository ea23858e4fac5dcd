"""One POST to an address that a user has named: to a public address, to no other than was checked, and not for long.

The host is resolved here, every address that it has is checked, and the connection is made to one of those that were
checked: a name that leads elsewhere when it is asked again leads nowhere. TLS is verified against the name. Nothing is
followed, nothing of the answer but its status is read, and no connection is used twice (another host of the same
address would else get one that was verified for the first).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from cosbatch.model.errors import PostFailed
from cosbatch.storage.public_addresses import why_not_public

TOTAL_SECONDS: Final = 15.0
"""For everything: the name, the connection, the answer."""
_ADDRESSES_TRIED: Final = 4

ResolveHost = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port -> IP addresses, best first. Raises OSError."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """As the system's resolver has them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for _, _, _, _, place in found))


class GuardedPost:
    """Sends to public addresses alone, or with ``allow_private`` to any."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ca_file: str | None = None,
        resolve: ResolveHost = resolve_host,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        """``ca_file``: authorities to trust in place of the system's."""
        self._allow_private = allow_private
        self._ca_file = ca_file
        self._resolve = resolve
        self._total_seconds = total_seconds
        self._tls: ssl.SSLContext | None = None

    async def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. PostFailed where there is none."""
        place = urlsplit(url)
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._post(place, headers=headers, body=body)
        except TimeoutError:
            raise PostFailed(f"there was no answer within {self._total_seconds:g} s") from None

    async def _post(self, place: SplitResult, *, headers: Mapping[str, str], body: bytes) -> int:
        failure = PostFailed(f"{place.hostname} has no address")
        for address in (await self._checked_addresses(place))[:_ADDRESSES_TRIED]:
            try:
                return await self._post_to(address, place, headers=headers, body=body)
            except httpx.ConnectError as error:  # nothing was sent: the next address may take it
                failure = PostFailed(f"cannot connect to {address}: {_reason(error)}")
            except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
                raise PostFailed(f"{address} gave no answer: {_reason(error)}") from error
        raise failure

    async def _checked_addresses(self, place: SplitResult) -> Sequence[str]:
        """PostFailed where a single one of them is not public: what is resolved is not chosen by us."""
        host = place.hostname or ""
        try:
            addresses = [host] if _is_address(host) else await self._resolve(host, _port(place))
        except (OSError, UnicodeError) as error:
            raise PostFailed(f"the name {host} cannot be resolved: {_reason(error)}") from error
        for address in addresses:
            why_not = None if self._allow_private else why_not_public(address)
            if why_not is not None:
                raise PostFailed(f"nothing is sent to {host}: its address {address} {why_not}")
        return addresses

    async def _post_to(self, address: str, place: SplitResult, *, headers: Mapping[str, str], body: bytes) -> int:
        shown = f"[{address}]" if ":" in address else address
        path = place.path or "/"
        url = f"{place.scheme}://{shown}:{_port(place)}{path}" + (f"?{place.query}" if place.query else "")
        host = place.netloc.rpartition("@")[2]
        transport = httpx.AsyncHTTPTransport(
            verify=self._context(), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=self._total_seconds)
        async with (
            client,
            client.stream(
                "POST",
                url,
                content=body,
                headers={**headers, "host": host},
                extensions={"sni_hostname": place.hostname},
                follow_redirects=False,
            ) as answer,
        ):
            return answer.status_code

    def _context(self) -> ssl.SSLContext:
        """Reading the authorities costs more than a message does: once."""
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._ca_file)
        return self._tls


def _port(place: SplitResult) -> int:
    return place.port or (443 if place.scheme == "https" else 80)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
