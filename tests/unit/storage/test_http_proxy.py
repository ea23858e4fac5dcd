"""Proxies: which hosts go through one, how it is spoken to, and what its refusals are."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.storage.http_client import HttpClient, Timeouts
from cosbatch.storage.http_proxy import Proxy, ProxyUnusable, read_proxy_rules
from tests.unit.storage.scripted_server import (
    Peer,
    Script,
    ScriptedServer,
    answer,
    answering,
    answering_all,
    on_both_loops,
)
from tests.unit.storage.test_http_client import OK
from tests.unit.storage.test_http_streaming import Blocks, put_of, serving
from tests.unit.storage.test_http_tls import context_for

PUT = b"PUT /bucket/a//../b%2F HTTP/1.1\r\nhost: store.example:8080\r\ncontent-length: 0\r\n\r\n"
GET = PUT.replace(b"PUT", b"GET")
PASSWORD = "p:ss w@rd"
QUOTED = "p%3Ass%20w%40rd"
BASIC = base64.b64encode(b"me:" + PASSWORD.encode())

# --- rules


def proxy_of(environ: dict[str, str], host: str = "store.example", port: int = 443, *, tls: bool = True) -> str:
    return str(read_proxy_rules(environ).proxy_for(host, port, is_tls=tls) or "")


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        ({}, "", ""),
        ({"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "a:1", "b:2"),
        ({"http_proxy": "http://a:1", "HTTP_PROXY": "http://x:9", "https_proxy": "http://b:2"}, "a:1", "b:2"),
        ({"http_proxy": "", "HTTP_PROXY": "http://a:1"}, "a:1", ""),
        ({"ALL_PROXY": "http://c:3"}, "c:3", "c:3"),
        ({"all_proxy": "c:3", "https_proxy": "http://b:2"}, "c:3", "b:2"),
        ({"http_proxy": "a", "https_proxy": "http://[::1]:8/"}, "a:80", "[::1]:8"),
        ({"HTTP_PROXY": "http://a:1", "REQUEST_METHOD": "GET"}, "", ""),
        ({"http_proxy": "http://a:1", "REQUEST_METHOD": "GET"}, "a:1", ""),
    ],
)
def test_which_variable_counts(environ: dict[str, str], http: str, https: str) -> None:
    assert (proxy_of(environ, tls=False), proxy_of(environ)) == (http, https)


@pytest.mark.parametrize(
    ("no_proxy", "direct", "proxied"),
    [
        ("*", ["store.example", "10.0.0.1", "::2"], []),
        ("store.example", ["store.example", "STORE.example.", "b.store.example"], ["astore.example", "example"]),
        (".store.example", ["store.example", "b.store.example"], ["astore.example"]),
        ("*.store.example.", ["store.example", "b.store.example"], ["astore.example"]),
        ("a.example, store.example b.example", ["a.example", "store.example", "b.example"], ["c.example"]),
        ("store.example:443", ["store.example"], []),
        ("store.example:8443", [], ["store.example"]),
        ("10.0.0.0/8,192.168.1.7", ["10.1.2.3", "192.168.1.7"], ["11.0.0.1", "192.168.1.8", "a10.0.0.1"]),
        ("10.0.0.1:443 10.0.0.2:80", ["10.0.0.1"], ["10.0.0.2"]),
        ("fd00::/8,[fe80::1]:443", ["fd12::1", "fe80::1"], ["2001:db8::1"]),
        ("[2001:db8::1]", ["2001:db8::1"], ["2001:db8::2"]),
        ("", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "s3.localhost"], ["store.example"]),
    ],
)
def test_which_hosts_go_without(no_proxy: str, direct: list[str], proxied: list[str]) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        environ = {"https_proxy": "http://p:1", name: no_proxy}
        assert [host for host in [*direct, *proxied] if not proxy_of(environ, host)] == direct


@pytest.mark.parametrize("text", ["socks5://me:hush@p:1", "https://p:1", "http://", "http://p:99999", "http://[::1"])
def test_a_proxy_that_is_not_spoken_to_is_refused_when_it_is_needed(text: str) -> None:
    rules = read_proxy_rules({"ALL_PROXY": text, "NO_PROXY": "store.example"})
    assert rules.proxy_for("store.example", 443, is_tls=True) is None
    with pytest.raises(ProxyUnusable, match="HTTPS_PROXY") as raised:
        rules.proxy_for("other.example", 443, is_tls=True)
    with pytest.raises(ProxyUnusable):
        HttpClient("https://other.example", clock=SystemClock(), proxies=rules)
    assert "hush" not in f"{raised.value}{rules!r}"


def test_no_text_shows_the_password() -> None:
    rules = read_proxy_rules({"ALL_PROXY": f"http://me:{QUOTED}@proxy.example:3128"})
    proxy = rules.proxy_for("store.example", 80, is_tls=False)
    assert proxy == Proxy(host="proxy.example", port=3128, authorization=b"Basic " + BASIC)
    shown = f"{rules!r} {proxy!r} {proxy}"
    assert not any(secret in shown for secret in (PASSWORD, QUOTED, BASIC.decode()))


# --- on the wire


@contextlib.asynccontextmanager
async def client_through(
    server: ScriptedServer,
    endpoint: str,
    *,
    user: str = "",
    no_proxy: str = "",
    ca_file: str | None = None,
    timeouts: Timeouts | None = None,
) -> AsyncIterator[HttpClient]:
    environ = {"ALL_PROXY": f"http://{user}127.0.0.1:{server.port}", "NO_PROXY": no_proxy}
    client = HttpClient(
        endpoint,
        ca_file=ca_file,
        timeouts=timeouts or Timeouts(),
        clock=SystemClock(),
        proxies=read_proxy_rules(environ),
    )
    try:
        yield client
    finally:
        await client.close()


@on_both_loops
async def test_a_plain_request_names_the_whole_place_and_its_path_stays_as_it_was_signed() -> None:
    with ScriptedServer(answering_all(OK)) as proxy:
        async with client_through(proxy, "http://store.example:8080", user=f"me:{QUOTED}@") as client:
            for _ in range(2):
                assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
        assert proxy.connections == 1
        line, headers = proxy.heads[1].split(b"\r\n", 1)
        assert line == b"PUT http://store.example:8080/bucket/a//../b%2F HTTP/1.1"
        assert headers == b"proxy-authorization: Basic %s\r\n%s" % (BASIC, PUT.split(b"\r\n", 1)[1])


@on_both_loops
async def test_streams_and_other_hosts_of_the_endpoint_go_the_same_way() -> None:
    with ScriptedServer(answering(OK), serving(4)) as proxy:
        async with client_through(proxy, "http://store.example") as client:
            body = Blocks(2)
            assert (await client.send(put_of(body), body, target="t", host="b.store.example")).status == 200
            stream = await client.open(GET, target="t", host="::2")
            assert len([block async for block in stream]) > 0
        lines = [head.split(b"\r\n")[0] for head in proxy.heads]
        assert lines == [
            b"PUT http://b.store.example/bucket/key HTTP/1.1",
            b"GET http://[::2]/bucket/a//../b%2F HTTP/1.1",
        ]


@on_both_loops
async def test_an_exempted_host_is_asked_itself() -> None:
    with ScriptedServer(answering_all(OK)) as server:
        endpoint = f"http://127.0.0.1:{server.port}"
        async with client_through(server, endpoint, no_proxy="127.0.0.1") as client:
            assert (await client.exchange(PUT, reads_only=False, target="t")).status == 200
        assert server.heads == [PUT]


def tunnelling(context: ssl.SSLContext, inside: Script, *, reply: bytes = b"HTTP/1.1 200 Connected\r\n\r\n") -> Script:
    """A proxy and the store behind it in one."""

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(reply)
        with context.wrap_socket(peer.sock, server_side=True, do_handshake_on_connect=False) as sock:
            with contextlib.suppress(OSError):
                sock.do_handshake()
            inside(peer.over(sock))

    return script


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 Connected\r\n\r\n", b"HTTP/1.0 200\r\nVia: p\r\n\r\n"])
@on_both_loops
async def test_tls_goes_through_a_tunnel_and_the_store_is_verified(
    authority: trustme.CA, ca_file: str, reply: bytes
) -> None:
    context = context_for(authority, "store.example")
    with ScriptedServer(tunnelling(context, answering_all(OK), reply=reply)) as proxy:
        async with client_through(proxy, "https://store.example", user=f"me:{QUOTED}@", ca_file=ca_file) as client:
            for _ in range(2):
                assert (await client.exchange(PUT, reads_only=False, target="t")).body == b"fine"
            with pytest.raises(StorageError) as raised:
                await client.exchange(PUT, reads_only=False, target="t", host="other.example")
            assert raised.value.reason is StorageReason.TLS_FAILED
        connect = b"CONNECT %s HTTP/1.1\r\nhost: %s\r\nproxy-authorization: Basic %s\r\n\r\n"
        place = b"store.example:443"
        assert proxy.heads[:3] == [connect % (place, place, BASIC), PUT, PUT]  # the store never sees the password


def _hanging_up(peer: Peer) -> None:
    peer.read_head()


def _resetting(peer: Peer) -> None:
    peer.read_head()
    peer.reset()


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (answering(answer(b"who?", status="407 Proxy Authentication Required")), "407 Proxy Authentication Required"),
        (answering(answer(b"down", status="502 Bad Gateway")), "502 Bad Gateway"),
        (answering(answer(b"no", status="403 Forbidden")), "403 Forbidden"),
        (answering(b"SSH-2.0-x\r\n\r\n"), "does not speak HTTP"),
        (answering(b"HTTP/1.1 200 OK\r\n\r\nhello"), "more than its answer"),
        (_hanging_up, "hung up"),
        (_resetting, "hung up"),
    ],
)
@pytest.mark.parametrize("reads_only", [True, False])
@on_both_loops
async def test_a_tunnel_that_is_refused_is_a_refusal_and_nothing_reached_the_store(
    script: Script, problem: str, *, reads_only: bool
) -> None:
    with ScriptedServer(script) as proxy:
        async with client_through(proxy, "https://store.example", user=f"me:{QUOTED}@") as client:
            with pytest.raises(StorageError, match=problem) as raised:
                await client.exchange(PUT, reads_only=reads_only, target="PUT bucket/key")
        where = f"the proxy 127.0.0.1:{proxy.port}"
    error = raised.value
    assert not isinstance(error, Unanswered)
    assert (error.reason, error.http_status, error.target) == (StorageReason.REFUSED, 0, "PUT bucket/key")
    assert where in error.message
    assert not any(secret in f"{error} {error.__cause__!r}" for secret in (PASSWORD, QUOTED, BASIC.decode()))
    assert len(proxy.heads) == 1


@on_both_loops
async def test_a_proxy_that_is_away_silent_or_unknown() -> None:
    def silent(peer: Peer) -> None:
        peer.read_head()
        peer.wait_for_hang_up()

    async def reason_of(client: HttpClient) -> StorageReason:
        with pytest.raises(StorageError, match="proxy") as raised:
            await client.exchange(PUT, reads_only=False, target="t")
        return raised.value.reason

    with ScriptedServer(silent) as proxy:
        async with client_through(proxy, "https://a.example", timeouts=Timeouts(connect_seconds=0.1)) as client:
            assert await reason_of(client) is StorageReason.CONNECT_TIMEOUT
        url = f"http://127.0.0.1:{proxy.port}"
    for gone, reason in ((url, StorageReason.REFUSED), ("proxy.invalid", StorageReason.NAME_NOT_RESOLVED)):
        rules = read_proxy_rules({"ALL_PROXY": gone})
        client = HttpClient("https://a.example", clock=SystemClock(), proxies=rules)
        assert await reason_of(client) is reason
        await client.close()
