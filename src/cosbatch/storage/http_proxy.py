"""Which hosts are reached through a proxy, and the words that a proxy is spoken to with.

The rules are those that curl and most programs share: ``http_proxy``, ``https_proxy`` and ``all_proxy`` in lower or
upper case, the lower one first, and ``no_proxy`` with hosts, domains, networks and ports. The own machine is never
reached through a proxy, whatever they say.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

_DEFAULT_PORT: Final = 80
_EVERYTHING: Final = "*"


class ProxyUnusable(ValueError):
    """A variable names a proxy that cannot be spoken to. The message does not repeat it, for it may hold a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy. Neither its ``repr`` nor its text shows the credentials."""

    host: str
    port: int
    authorization: bytes = field(default=b"", repr=False)
    """Value of Proxy-Authorization; empty: none is sent."""

    def __str__(self) -> str:
        return authority(self.host, self.port)

    def header(self) -> bytes:
        """The line that tells the proxy who asks; empty where it need not know."""
        return b"proxy-authorization: %s\r\n" % self.authorization if self.authorization else b""

    def connect_request(self, host: str, port: int) -> bytes:
        """What asks for a tunnel (RFC 9110, 9.3.6)."""
        place = authority(host, port).encode()
        return b"CONNECT %s HTTP/1.1\r\nhost: %s\r\n%s\r\n" % (place, place, self.header())

    def absolute_form(self, head: bytes, host: str, port: int) -> bytes:
        """A request's head as a proxy wants it (RFC 9112, 3.2.2). What is signed stays as it is."""
        place = authority(host, port if port != _DEFAULT_PORT else None).encode()
        method, _, rest = head.partition(b" ")
        line, _, headers = rest.partition(b"\r\n")
        return b"%s http://%s%s\r\n%s%s" % (method, place, line, self.header(), headers)


class _Exemption(NamedTuple):
    """One word of ``no_proxy``."""

    name: str
    """A host; what ends in a dot and this is meant, too."""
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None

    def covers(self, host: str, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            address = _address(host)
            return address is not None and address in self.network
        return self.name == _EVERYTHING or host == self.name or host.endswith(f".{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyRules:
    """What the environment says about proxies. Values hold passwords, so that no ``repr`` shows them."""

    http_proxy: str = field(default="", repr=False)
    https_proxy: str = field(default="", repr=False)
    exemptions: tuple[_Exemption, ...] = ()

    def proxy_for(self, host: str, port: int, *, is_tls: bool) -> Proxy | None:
        """None: connect directly. Raises ProxyUnusable."""
        named = self.https_proxy if is_tls else self.http_proxy
        plain = host.lower().rstrip(".")
        if not named or _is_own_machine(plain) or any(each.covers(plain, port) for each in self.exemptions):
            return None
        return _parse_proxy(named, variable=f"{'HTTPS_PROXY' if is_tls else 'HTTP_PROXY'} or ALL_PROXY")


NO_PROXIES: Final = ProxyRules()


def read_proxy_rules(environ: Mapping[str, str]) -> ProxyRules:
    """The rules of an environment. Nothing is checked before a host needs it."""
    every = _variable(environ, "all_proxy")
    # A web server that runs a program by CGI lets the visitor set HTTP_PROXY, by a header called Proxy.
    is_cgi = "REQUEST_METHOD" in environ
    http = environ.get("http_proxy", "") if is_cgi else _variable(environ, "http_proxy")
    words = _variable(environ, "no_proxy").replace(",", " ").split()
    return ProxyRules(
        http_proxy=http or every,
        https_proxy=_variable(environ, "https_proxy") or every,
        exemptions=tuple(_parse_exemption(word.lower()) for word in words),
    )


def authority(host: str, port: int | None) -> str:
    """``host:port`` as it stands in a request."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _variable(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _parse_proxy(text: str, *, variable: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or _DEFAULT_PORT
    except ValueError:
        raise ProxyUnusable(f"the proxy of {variable} is no URL") from None
    if parts.scheme.lower() != "http" or not parts.hostname:
        raise ProxyUnusable(f"the proxy of {variable} is not http://[user:password@]host[:port]; no other is spoken to")
    if parts.username is None:
        return Proxy(host=parts.hostname, port=port)
    pair = unquote_to_bytes(parts.username) + b":" + unquote_to_bytes(parts.password or "")
    return Proxy(host=parts.hostname, port=port, authorization=b"Basic " + base64.b64encode(pair))


def _parse_exemption(word: str) -> _Exemption:
    network = _network(word)
    if network is not None:
        return _Exemption("", network, None)
    name, colon, digits = word.rpartition(":")
    port = int(digits) if colon and digits.isdecimal() else None
    name = (word if port is None else name).rstrip(".")
    network = _network(name)
    return _Exemption(name if name == _EVERYTHING else name.removeprefix("*").lstrip("."), network, port)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Of an address, too. What has a port is none: ``[::1]:8080``."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_own_machine(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address is not None else host == "localhost" or host.endswith(".localhost")
