"""The HTTP client: takes complete request heads to one endpoint and brings answers back, or says what is not known.

Every object of a job passes here, so the way of a small request is short: one connection that is open already, one
write, one future, one read. The rest is about the truth. A request that only reads is sent again on a fresh connection,
twice, when its connection ends. One that writes is never sent again once it was handed to the kernel, not even on a
reused connection that the store seems to have closed before: a close says nothing about what was read. Before that a
reused connection is looked at, so that such a crossing is rare.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final, Protocol, cast

from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.storage.held_bodies import fill_room
from cosbatch.storage.http_answer import AnswerMalformed, HttpAnswer
from cosbatch.storage.http_connection import FIRST_REFUSAL, AnswerLost, BodyBlocks, Connection
from cosbatch.storage.http_connector import Connector, parse_endpoint
from cosbatch.storage.http_dialer import Resolve, resolve
from cosbatch.storage.http_limits import DEFAULT_TIMEOUTS, SLICE_BYTES, SMALL_BODY_BYTES, Timeouts
from cosbatch.storage.http_pool import ConnectionPool
from cosbatch.storage.http_proxy import NO_PROXIES, ProxyRules
from cosbatch.storage.port import SizedBody

__all__ = ["HttpAnswer", "HttpClient", "StreamedAnswer", "Timeouts"]

_SENDS_OF_A_READ: Final = 3
_NO_ANSWER: Final = (AnswerLost, AnswerMalformed)
_EXPECTS_CONTINUE: Final = b"\r\nexpect: 100-continue\r\n"


class HttpClient:
    """One endpoint's client; lives in one event loop. Close it, or its sockets stay open."""

    def __init__(
        self,
        endpoint: str,
        *,
        ca_file: str | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        max_connections: int = 256,
        clock: Clock,
        proxies: ProxyRules = NO_PROXIES,
        resolve: Resolve = resolve,
    ) -> None:
        """``endpoint`` is ``http[s]://host[:port]``: ValueError for anything else; OSError for an unreadable CA;
        ProxyUnusable, a ValueError, where the rules name a proxy for it that is not spoken to."""
        parsed = parse_endpoint(endpoint)
        connector = Connector(parsed, ca_file=ca_file, timeouts=timeouts, clock=clock, proxies=proxies, resolve=resolve)
        self._head_for = connector.head_for if connector.rewrites_heads else None
        self._host = parsed.host
        self._timeouts = timeouts
        self._pool = ConnectionPool(connector, max_connections=max_connections, timeouts=timeouts, clock=clock)

    async def exchange(
        self, head: bytes, body: bytes = b"", *, reads_only: bool, target: str, host: str | None = None
    ) -> HttpAnswer:
        """Sends one request and returns its whole answer, of 16 MiB at most, whatever its status.

        ``host`` is another host of the endpoint, for virtual-host addressing; ``target`` names the request in errors.
        Raises Unanswered for a request that writes when no whole answer came; StorageError UNANSWERED for one that
        only reads, MALFORMED_ANSWER, or what :meth:`Connector.connect` says.
        """
        if len(body) > SMALL_BODY_BYTES:
            return await self.send(head, _BytesBody(body), target=target, host=host)
        if self._head_for is not None:
            head = self._head_for(host or self._host, head)
        request = head + body
        sends_left = _SENDS_OF_A_READ if reads_only else 1
        connection = self._pool.take_idle(host or self._host) or await self._pool.take(
            host or self._host, target=target
        )
        while True:
            try:
                answer = await connection.ask(request)
            except _NO_ANSWER as error:
                self._pool.drop(connection)
                sends_left -= 1
                if not sends_left or not _may_be_resent(error):
                    raise _translated(error, reads_only=reads_only, target=target) from error
            except BaseException:
                self._pool.drop(connection)
                raise
            else:
                self._pool.give_back(connection)
                return answer
            connection = await self._pool.take(host or self._host, target=target, fresh=True)

    async def send(self, head: bytes, body: SizedBody, *, target: str, host: str | None = None) -> HttpAnswer:
        """Sends a request with a streamed body, no faster than the store takes it, and returns the whole answer.

        The head announces ``body.size_bytes``. If it expects ``100 Continue``, the body waits for that, and is not sent
        when the answer comes instead. Raises Unanswered when no whole answer came, BODY_DAMAGED when the body was not
        as long as announced, and whatever ``body.blocks()`` raises; otherwise as :meth:`exchange`.
        """
        if self._head_for is not None:
            head = self._head_for(host or self._host, head)
        connection = await self._pool.take(host or self._host, target=target)
        waiter = connection.ask(head, has_body=True)
        try:
            if _EXPECTS_CONTINUE in head.lower():
                await connection.may_send_body(within_seconds=self._timeouts.continue_seconds)
            if connection.wants_body():
                await _send_body(connection, body, target=target)
            answer = await waiter
        except _NO_ANSWER as error:
            self._pool.drop(connection)
            raise _translated(error, reads_only=False, target=target) from error
        except BaseException:
            self._pool.drop(connection)
            if not waiter.cancelled():
                waiter.exception()  # nobody will ask for it
            raise
        self._pool.give_back(connection)
        return answer

    async def open(self, head: bytes, *, target: str, host: str | None = None) -> StreamedAnswer:
        """Sends a request that only reads, and returns when the head of its answer is here.

        Until then it is sent again like any other that only reads; raises as :meth:`exchange` does.
        """
        if self._head_for is not None:
            head = self._head_for(host or self._host, head)
        for sends_left in reversed(range(_SENDS_OF_A_READ)):
            is_first = sends_left == _SENDS_OF_A_READ - 1
            connection = await self._pool.take(host or self._host, target=target, fresh=not is_first)
            waiter, blocks = connection.ask_streaming(head)
            try:
                answer = await waiter
            except _NO_ANSWER as error:
                self._pool.drop(connection)
                if not sends_left or not _may_be_resent(error):
                    raise _translated(error, reads_only=True, target=target) from error
            except BaseException:
                self._pool.drop(connection)
                raise
            else:
                return StreamedAnswer(answer, blocks, connection=connection, pool=self._pool, target=target)
        raise AssertionError("the last send returns or raises")

    async def close(self) -> None:
        """Sends nothing more, waits for the answers to what was sent, a while at most, and closes every connection.

        Requests that are under way still after that end as unanswered.
        """
        await self._pool.close()


class StreamedAnswer:
    """An answer whose body is read in blocks: iterate over it once, and close it if you stop early.

    Iterating raises StorageError BODY_DAMAGED when the body ends too soon, UNANSWERED when the store stalls, and
    MALFORMED_ANSWER.
    """

    def __init__(
        self, answer: HttpAnswer, blocks: BodyBlocks, *, connection: Connection, pool: ConnectionPool, target: str
    ) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.body if answer.status >= FIRST_REFUSAL else b""
        """Of a refusal: the whole message. Of a success: empty, its body is iterated over."""
        self._blocks = blocks
        self._target = target
        self._connection: Connection | None = connection
        self._pool = pool
        if answer.status >= FIRST_REFUSAL:
            self._let_go()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._connection is None:
            raise StopAsyncIteration
        try:
            block = await self._blocks.take()
        except _NO_ANSWER as error:
            await self.aclose()
            raise _translated_in_body(error, target=self._target) from error
        except BaseException:
            await self.aclose()
            raise
        if block is None:
            self._let_go()
            raise StopAsyncIteration
        return block

    async def read_into(self, room: memoryview) -> int:
        """The whole body instead of its blocks; returns its length. Raises BODY_DAMAGED also where it is longer."""
        return await fill_room(room, self, rest_into=self._rest_into)

    def _rest_into(self, room: memoryview) -> int:
        if self._connection is None or self._blocks.buffered_bytes:
            return 0
        return self._connection.read_rest_into(room)

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)

    async def aclose(self) -> None:
        """Gives the connection up when its body was not read to the end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.drop(connection)


class _BytesBody:
    """Bytes as a SizedBody."""

    def __init__(self, content: bytes) -> None:
        self.size_bytes = len(content)
        self._content = content

    async def blocks(self) -> AsyncIterator[bytes]:
        yield self._content


class _Closable(Protocol):
    async def aclose(self) -> None: ...


async def _send_body(connection: Connection, body: SizedBody, *, target: str) -> None:
    """Stops when the answer comes first. Never sends more than was announced: it would be read as a request."""
    left = body.size_bytes
    blocks = body.blocks()
    connection.await_source()
    try:
        async for block in blocks:
            left -= len(block)
            if left < 0:
                raise StorageError(StorageReason.BODY_DAMAGED, "the body is longer than announced", target=target)
            if not await _send_block(connection, block):
                return
    finally:
        if hasattr(blocks, "aclose"):
            async with aclosing(cast("_Closable", blocks)):
                pass
    if left:
        raise StorageError(StorageReason.BODY_DAMAGED, f"the body ended {left} bytes early", target=target)
    connection.end_body()


async def _send_block(connection: Connection, block: bytes | memoryview) -> bool:
    """False when no more is wanted."""
    view = memoryview(block)
    for start in range(0, len(view), SLICE_BYTES):
        if not connection.wants_body():
            return False
        await connection.write(view[start : start + SLICE_BYTES])
    return True


def _may_be_resent(error: AnswerLost | AnswerMalformed) -> bool:
    """Whether to send a request that only reads again, at once: a store that is too slow gets no more of them."""
    return isinstance(error, AnswerLost) and not error.timed_out


def _translated(error: AnswerLost | AnswerMalformed, *, reads_only: bool, target: str) -> StorageError:
    """What became of one request, in the words of the error tree."""
    if isinstance(error, AnswerMalformed):
        return StorageError(StorageReason.MALFORMED_ANSWER, str(error), target=target)
    if reads_only:
        return StorageError(StorageReason.UNANSWERED, str(error), target=target)
    return Unanswered(str(error), target=target)


def _translated_in_body(error: AnswerLost | AnswerMalformed, *, target: str) -> StorageError:
    if isinstance(error, AnswerLost) and not error.timed_out:
        return StorageError(StorageReason.BODY_DAMAGED, str(error), target=target)
    return _translated(error, reads_only=True, target=target)
