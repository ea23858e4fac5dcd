"""The proxy that stands before a store in these tests keeps what it has begun."""

from __future__ import annotations

import gc
import socket

import pytest

from tests.e2e.counting_proxy import CountingProxy

REQUEST = b"GET /bucket/key HTTP/1.1\r\n\r\n"


def test_what_still_waits_for_the_store_is_not_collected_once_its_client_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as store:
        with CountingProxy(f"http://127.0.0.1:{store.getsockname()[1]}") as proxy:
            client = socket.create_connection(("127.0.0.1", int(proxy.endpoint.rpartition(":")[2])))
            client.sendall(REQUEST)
            there, _ = store.accept()
            with there:
                assert there.recv(len(REQUEST)) == REQUEST
                client.close()
                assert there.recv(1) == b"", "the proxy tells the store that the client has gone"
                gc.collect()
        assert "Task was destroyed" not in caplog.text
