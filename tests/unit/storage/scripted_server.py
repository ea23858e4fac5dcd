"""A server on a real socket that does exactly what a test tells it, in threads of its own; a runner for both loops.

A script is a function that is given one accepted connection and speaks on it with blocking calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


def on_both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an async test once on the standard loop and once on uvloop."""

    @functools.wraps(test)
    def run(*, loop_name: str, **arguments: Any) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop_name]) as runner:
            runner.run(test(**arguments))

    del run.__wrapped__  # else it would still look like a coroutine function
    own = inspect.signature(test).parameters.values()
    loop_name = inspect.Parameter("loop_name", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = inspect.Signature([*own, loop_name])  # type: ignore[attr-defined]
    marked: Callable[..., None] = pytest.mark.parametrize("loop_name", list(LOOPS))(run)
    return marked


class ManualClock:
    """Time that passes when a test says so."""

    def __init__(self, *, now: float = 1_700_000_000.0) -> None:
        self.seconds = now

    def now(self) -> float:
        return self.seconds

    def boottime(self) -> float:
        return self.seconds


class HungUp(Exception):
    """The client closed."""


class Peer:
    """One accepted connection, seen from the server."""

    def __init__(self, sock: socket.socket, heads: list[bytes]) -> None:
        self.sock = sock
        self._heads = heads
        self._unread = bytearray()

    def over(self, sock: socket.socket) -> Peer:
        """The same peer on a socket that wraps this one's: what it asks there is noted beside the rest."""
        return Peer(sock, self._heads)

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._unread:
            self._unread += self._receive()
        head = self.read(self._unread.index(b"\r\n\r\n") + 4)
        self._heads.append(head)
        return head

    def read(self, count: int) -> bytes:
        while len(self._unread) < count:
            self._unread += self._receive()
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken

    def read_request(self) -> tuple[bytes, bytes]:
        head = self.read_head()
        return head, self.read(length_of(head))

    def wait_for_hang_up(self) -> None:
        self.read_rest()

    def read_rest(self) -> bytes:
        """Everything until the client closes."""
        with contextlib.suppress(HungUp):
            while True:
                self._unread += self._receive()
        return bytes(self._unread)

    def send(self, *blocks: bytes) -> None:
        try:
            for block in blocks:
                self.sock.sendall(block)
        except OSError as error:
            raise HungUp from error

    def send_bytewise(self, block: bytes) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send(*[block[at : at + 1] for at in range(len(block))])

    def reset(self) -> None:
        """Ends with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive(self) -> bytes:
        try:
            block = self.sock.recv(65536)
        except OSError as error:
            raise HungUp from error
        if not block:
            raise HungUp
        return block


Script = Callable[[Peer], None]


def length_of(head: bytes) -> int:
    lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(lines[0].partition(b":")[2]) if lines else 0


def answer(body: bytes = b"", *, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body


def answering(*answers: bytes) -> Script:
    """Reads a request for each answer, then waits until the client closes."""

    def script(peer: Peer) -> None:
        for reply in answers:
            peer.read_request()
            peer.send(reply)
        peer.wait_for_hang_up()

    return script


def answering_all(reply: bytes) -> Script:
    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(reply)

    return script


class ScriptedServer:
    """The n-th connection runs the n-th script; those after the last script run it again."""

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.heads: list[bytes] = []
        """Of every request, in the order of their arrival."""
        self.connections = 0
        self.faults: list[BaseException] = []
        self._scripts = scripts
        self._tls = tls
        self._host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)
        self._last: object = None
        """The address of the connection after which no more are accepted."""
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)

    @property
    def port(self) -> int:
        port = self._listener.getsockname()[1]
        assert isinstance(port, int)
        return port

    @property
    def endpoint(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def __enter__(self) -> ScriptedServer:
        self._accepting.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """After it, ``connections`` counts those too that the kernel had and nobody had accepted yet."""
        with socket.socket(self._listener.family) as last:
            last.bind((self._host, 0))
            self._last = last.getsockname()
            last.connect(self._listener.getsockname())
            self._accepting.join()
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        if not any(exc) and self.faults:
            raise self.faults[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, peer = self._listener.accept()
            except OSError:
                return
            if peer == self._last:
                sock.close()
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=self._run, args=(script, sock))
            self._threads.append(thread)
            thread.start()

    def _run(self, script: Script, sock: socket.socket) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                self._sockets.append(sock)
                with contextlib.suppress(OSError):
                    sock.do_handshake()
            script(Peer(sock, self.heads))
        except HungUp:
            pass
        except BaseException as fault:
            self.faults.append(fault)
        finally:
            sock.close()
