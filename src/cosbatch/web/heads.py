"""Limits on what a client may send before its call reaches the application, which sees whole heads only.

uvicorn has none for heads: one that never ends would be kept and looked through again with each piece of it, and who
connects and sends nothing would keep a place among the connections for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

IS_TOO_MANY: Final = "is_too_many"
"""In the state of a call that comes while the service has as many as it may: the application refuses it. uvicorn's own
refusal has neither form nor request id."""
HEAD_MAX_BYTES: Final = 64 * 1024
"""Rounded up to what the kernel gives at once. The longest that a client of ours needs has 20 KiB."""


class HeadLimits(HttpToolsProtocol):
    """A connection: uvicorn's own, which is closed when a head takes too long or is too large. So are the other places
    without end: what stands behind the size of a chunk, and behind the last one."""

    def __init__(self, *arguments: Any, head_seconds: float, max_connections: int, **named: Any) -> None:
        """``head_seconds``: from the connection, or from the first byte of a further call, to the end of the head. Over
        ``max_connections`` a call gets the mark ``IS_TOO_MANY``."""
        super().__init__(*arguments, **named)
        self._max_connections = max_connections
        self._head_seconds = head_seconds
        self._end_of_patience: asyncio.TimerHandle | None = None
        self._bytes_of_no_body = 0
        """That came in a row without the beginning of a call or a byte of a body among them."""
        self._came_further = False
        self._has_said_anything = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_idle() and self._end_of_patience is None:
            self._wait_for_head()
        self._came_further = False
        self._has_said_anything = True
        super().data_received(data)
        self._bytes_of_no_body = 0 if self._came_further else self._bytes_of_no_body + len(data)
        if self._bytes_of_no_body > HEAD_MAX_BYTES:
            self._refuse("The head of the request is too large.")

    def on_message_begin(self) -> None:
        self._came_further = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._wait_no_longer()
        if len(self.connections) > self._max_connections or len(self.tasks) >= self._max_connections:
            self.scope["state"][IS_TOO_MANY] = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._came_further = True
        super().on_body(body)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._end_of_patience = self.loop.call_later(self._head_seconds, self._on_end_of_patience)

    def _wait_no_longer(self) -> None:
        if self._end_of_patience is not None:
            self._end_of_patience.cancel()
            self._end_of_patience = None

    def _on_end_of_patience(self) -> None:
        self._end_of_patience = None
        if not self._has_said_anything:
            # Browsers connect ahead of need: what they are told here they would take for the answer to a call that they
            # send at this moment, while a call on a connection that was closed is sent once more on another.
            self.transport.close()
            return
        self._refuse("The head of the request did not come in time.")

    def _refuse(self, message: str) -> None:
        if self.transport.is_closing():
            return
        if self._is_idle():
            self.send_400_response(message)
        else:
            self.transport.abort()  # an answer is under way: it is broken off, so that nobody takes it for a whole one
