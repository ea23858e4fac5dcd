"""A store that knows archived classes: moto's S3 behind a socket. moto's own server needs a web framework; its requests
are answered here by what its proxy hands them to.

moto restores at once and knows nothing of versions there: it shows 202 and 200, the header, and the refusal of an
object that is not archived.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import moto
import pytest
from moto.moto_proxy.proxy3 import MotoRequestHandler
from werkzeug.exceptions import HTTPException

from tests.stores import RealStore

_S3 = "http://s3.amazonaws.com"
_ROOTS = {b"GetBucketVersioningResponse": b"VersioningConfiguration"}
"""Documents that moto calls by names of its own, which no SDK looks at."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    _lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """All methods alike: the base class looks for ``do_GET``, ``do_PUT`` ..."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with self._lock:  # moto's objects are not made for threads
            status, headers, answer = self._ask(body)
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding"):
                self.send_header(name, str(value))
        self.send_header("content-length", headers.get("content-length", str(len(answer))))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def _ask(self, body: bytes) -> tuple[int, dict[str, Any], bytes]:
        moto_handler = MotoRequestHandler(0)  # the port of moto's own pages, which nobody asks for
        try:
            status, headers, answer = moto_handler.parse_request(self.command, _S3, self.path, self.headers, body)
        except HTTPException as error:
            status, headers, answer = error.code, dict(error.get_headers()), error.get_body()
        if isinstance(answer, str):
            answer = answer.encode()
        for theirs, of_s3 in _ROOTS.items():
            answer = (answer or b"").replace(theirs, of_s3)
        return int(status or 500), dict(headers), answer

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextlib.contextmanager
def moto_server(folder: Path) -> Iterator[RealStore]:
    with moto.mock_aws(), ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield RealStore(profile="s3", endpoint=f"http://127.0.0.1:{port}", port=port, folder=folder, pid=None)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def moto_store(tmp_path: Path) -> Iterator[RealStore]:
    with moto_server(tmp_path) as store:
        yield store
