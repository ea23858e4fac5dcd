"""One connection to a store: sends one request at a time and gives its answer to whoever waits for it.

A connection knows nothing of pools, resending or the error tree. It says what happened: an answer, AnswerLost, or
AnswerMalformed; :mod:`cosbatch.storage.http_client` decides what that means. It keeps two deadlines and never sets a
timer: whoever owns connections calls :meth:`Connection.sweep` now and then.
"""

from __future__ import annotations

import asyncio
import math
import select
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from cosbatch.model.clock import Clock
from cosbatch.storage.http_answer import AnswerMalformed, AnswerReader, HttpAnswer, keeps_alive, read_whole_answer
from cosbatch.storage.http_limits import MAX_ANSWER_BYTES, MAX_HEAD_BYTES, READ_AHEAD_BYTES, Timeouts
from cosbatch.storage.http_room import RoomFiller

FIRST_REFUSAL: Final = 300
"""From this status on the body is a message, not an object."""


class AnswerLost(Exception):
    """No whole answer came: the connection ended, or the time was up."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


class BodyBlocks:
    """The blocks of a streamed body between the connection that puts them and the one reader that takes them."""

    def __init__(self, *, on_room: Callable[[], None]) -> None:
        self.buffered_bytes = 0
        self._blocks: deque[bytes] = deque()
        self._end: Exception | None = None
        self._has_ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._on_room = on_room

    def put(self, blocks: list[bytes]) -> None:
        self._blocks.extend(blocks)
        self.buffered_bytes += sum(map(len, blocks))
        self._wake()

    def end(self, error: Exception | None = None) -> None:
        """No more blocks come; after those that are here the reader gets ``error``."""
        if not self._has_ended:
            self._has_ended, self._end = True, error
            self._wake()

    async def take(self) -> bytes | None:
        """The next block; None at the end. Raises what :meth:`end` was given."""
        while not self._blocks:
            if self._has_ended:
                if self._end is not None:
                    raise self._end
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        block = self._blocks.popleft()
        self.buffered_bytes -= len(block)
        self._on_room()
        return block

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """At most one request is under way. Whoever asked must have the answer, or abort, before anybody asks again."""

    __slots__ = (
        "_clock",
        "_drain_waiter",
        "_go_ahead",
        "_has_body",
        "_has_ended",
        "_is_reading_paused",
        "_is_writing_paused",
        "_keeps_alive",
        "_last_deadline",
        "_loop",
        "_on_gone",
        "_reader",
        "_received_bytes",
        "_stream",
        "_timeouts",
        "_to_head",
        "_transport",
        "_waiter",
        "deadline",
        "host",
        "idle_since",
        "is_gone",
    )

    def __init__(self, host: str, *, timeouts: Timeouts, clock: Clock, on_gone: Callable[[Connection], None]) -> None:
        self.host = host
        self.deadline = math.inf
        """On the clock's boottime: when what is waited for now is overdue."""
        self.idle_since: float | None = None
        """Kept by the pool."""
        self.is_gone = False
        """The socket is closed."""
        self._last_deadline = math.inf
        self._timeouts = timeouts
        self._clock = clock
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[HttpAnswer] | None = None
        self._reader: AnswerReader | None = None
        self._received_bytes = 0
        self._stream: BodyBlocks | None = None
        self._to_head = self._has_body = False
        self._keeps_alive = True
        self._has_ended = False
        self._is_reading_paused = self._is_writing_paused = False
        self._drain_waiter: asyncio.Future[None] | None = None
        self._go_ahead: asyncio.Future[None] | None = None

    # --- asking

    def is_usable(self) -> bool:
        """Whether a request may be sent: nothing is under way, and as far as is known the store still listens."""
        return self._keeps_alive and not self._has_ended and self._waiter is None and self._stream is None

    def is_quiet(self) -> bool:
        """Asks the kernel whether the store has closed, or sent something that nobody asked for.

        The event loop would say so too, but only at its next turn: after the request was sent.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        poller = select.poll()
        poller.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN | select.POLLRDHUP)
        return not poller.poll(0)

    def ask(self, request: bytes, *, has_body: bool = False) -> asyncio.Future[HttpAnswer]:
        """Sends a head (and a small body in the same piece) and returns where its answer will come.

        ``has_body``: a body follows by :meth:`write`; an answer before :meth:`end_body` leaves the connection out of
        step. The future raises AnswerLost or AnswerMalformed.
        """
        assert self._transport is not None
        assert self._waiter is None
        now = self._clock.boottime()
        timeouts = self._timeouts
        self.deadline = now + timeouts.answer_seconds
        self._last_deadline = now + timeouts.total_seconds
        self._to_head = request.startswith(b"HEAD ")
        self._has_body = has_body
        waiter = self._waiter = self._loop.create_future()
        self._transport.write(request)
        return waiter

    def ask_streaming(self, request: bytes) -> tuple[asyncio.Future[HttpAnswer], BodyBlocks]:
        """Like :meth:`ask`, but an answer below 300 comes without its body, as soon as its head is here.

        The body goes to the blocks, and raises there what comes in between; the connection is out of use until its end.
        """
        waiter = self.ask(request)
        self._last_deadline = math.inf
        self._stream = BodyBlocks(on_room=self._resume_reading)
        return waiter, self._stream

    def read_rest_into(self, room: memoryview) -> int:
        """Lets what is still to come of the streamed body go straight into ``room``, and not through the blocks: they
        end when it is there. Returns how many bytes that will be; 0 where the body goes on as it did, because its
        length is not known or the room does not hold it. Ask only while no block waits to be taken.
        """
        left = self._bytes_to_come()
        if self._has_ended or not 0 < left <= len(room):
            return 0
        self._read_as(RoomFiller(room[:left], owner=self))
        return left

    def _bytes_to_come(self) -> int:
        """Of the streamed body; 0 where nobody can know."""
        reader = self._reader
        if self._stream is None or reader is None or "transfer-encoding" in reader.headers:
            return 0
        length = reader.headers.get("content-length", "")
        return int(length) - reader.body_bytes if length.isdecimal() else 0

    def _read_as(self, protocol: asyncio.BaseProtocol) -> None:
        """The transport looks at its protocol anew only when it begins to read."""
        assert self._transport is not None
        self._transport.pause_reading()
        self._transport.set_protocol(protocol)
        self._is_reading_paused = False
        self._transport.resume_reading()

    async def may_send_body(self, *, within_seconds: float) -> None:
        """Returns at ``100 Continue``, at the answer, at the end of the connection, or when the time is over."""
        self._go_ahead = self._loop.create_future()
        try:
            async with asyncio.timeout(within_seconds):
                await self._go_ahead
        except TimeoutError:
            pass  # RFC 9110, 10.1.1: a client does not wait for ever, for old servers never say it
        finally:
            self._go_ahead = None

    def wants_body(self) -> bool:
        """False as soon as the answer is here or lost: then nothing more is sent."""
        if self._waiter is None or self._waiter.done():
            return False
        return self._transport is not None and not self._transport.is_closing()

    def await_source(self) -> None:
        """Until the next piece of the body it is the source that takes its time, not the store."""
        self.deadline = math.inf

    async def write(self, block: bytes | memoryview) -> None:
        """Sends a piece of the body; returns when the transport takes more, or when no more is wanted."""
        assert self._transport is not None
        self._push_deadline()
        self._transport.write(block)
        if self._is_writing_paused and self.wants_body():
            self._drain_waiter = self._loop.create_future()
            await self._drain_waiter
        else:
            await asyncio.sleep(0)  # a fast source and a fast network would else keep all others waiting
        self.await_source()

    def end_body(self) -> None:
        self._has_body = False
        if self.wants_body():
            self._push_deadline()

    def abort(self) -> None:
        """Closes at once. Who waits for an answer gets AnswerLost."""
        self._fail(AnswerLost("the connection was closed from this side"))

    def sweep(self, now: float) -> None:
        """Gives up what is overdue."""
        if now > self.deadline:
            waited = self._timeouts.answer_seconds
            self._fail(AnswerLost(f"nothing came or went for {waited:g} s", timed_out=True))
        elif now > self._last_deadline:
            waited = self._timeouts.total_seconds
            self._fail(AnswerLost(f"no whole answer within {waited:g} s", timed_out=True))

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, block: bytes) -> None:
        if self._reader is None:
            if self._waiter is None:
                self.abort()  # an answer that nobody asked for: the next one would go to the wrong request
                return
            answer = read_whole_answer(block, to_head=self._to_head)
            if answer is not None:
                self._keeps_alive = keeps_alive(answer.headers) and not self._has_body
                if self._stream is not None or self._has_body:
                    self._answer(answer)
                    return
                # Nearly every answer: what _answer comes to where nothing is streamed.
                self.deadline = self._last_deadline = math.inf
                waiter, self._waiter = self._waiter, None
                if not waiter.done():
                    waiter.set_result(answer)
                return
            self._reader = AnswerReader(to_head=self._to_head)
        self._read(self._reader, block)

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)
        self.is_gone = True
        self._on_gone(self)

    def pause_writing(self) -> None:
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        self._is_writing_paused = False
        _wake(self._drain_waiter)

    # --- called by what fills a room

    def has_ended(self) -> bool:
        return self._has_ended

    def filled(self, *, is_full: bool) -> None:
        self._push_deadline()
        if is_full:
            assert self._reader is not None
            self._read_as(self)
            self._complete(self._reader)

    # --- reading an answer that did not come in one piece

    def _read(self, reader: AnswerReader, block: bytes) -> None:
        self._push_deadline()
        self._received_bytes += len(block)
        try:
            reader.feed(block)
            self._check_size(reader)
        except AnswerMalformed as error:
            self._fail(error)
            return
        if reader.is_continued:
            _wake(self._go_ahead)
        if self._stream is not None and reader.is_head_complete and reader.status < FIRST_REFUSAL:
            self._pass_on(reader, self._stream)
        if reader.is_complete:
            self._complete(reader)

    def _check_size(self, reader: AnswerReader) -> None:
        if not reader.is_head_complete:
            if self._received_bytes > MAX_HEAD_BYTES:
                raise AnswerMalformed(f"the head of the answer is longer than {MAX_HEAD_BYTES} bytes")
        elif reader.body_bytes > MAX_ANSWER_BYTES and (self._stream is None or reader.status >= FIRST_REFUSAL):
            raise AnswerMalformed(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")

    def _pass_on(self, reader: AnswerReader, stream: BodyBlocks) -> None:
        """What has come of a streamed body, and before it, once, the head."""
        if self._waiter is not None:
            self._resolve(HttpAnswer(reader.status, reader.headers, b""))
        stream.put(reader.blocks)
        reader.blocks = []
        if stream.buffered_bytes > READ_AHEAD_BYTES and not self._is_reading_paused and not self._has_ended:
            assert self._transport is not None
            self._is_reading_paused = True
            self._transport.pause_reading()
            self.deadline = math.inf  # it is the reader that takes its time, not the store

    def _resume_reading(self) -> None:
        if self._is_reading_paused and self._stream and self._stream.buffered_bytes <= READ_AHEAD_BYTES // 2:
            self._read_on()
            self._push_deadline()

    def _read_on(self) -> None:
        if self._is_reading_paused and not self._has_ended:
            assert self._transport is not None
            self._is_reading_paused = False
            self._transport.resume_reading()

    def _complete(self, reader: AnswerReader) -> None:
        self._reader = None
        self._received_bytes = 0
        self._keeps_alive = reader.may_be_followed() and not self._has_body
        self._read_on()  # so that the end of an idle connection is noticed
        self._answer(HttpAnswer(reader.status, reader.headers, b"".join(reader.blocks)))

    # --- endings

    def _answer(self, answer: HttpAnswer) -> None:
        """The whole answer is here, or the rest of one that is being streamed."""
        self.deadline = self._last_deadline = math.inf
        stream, self._stream = self._stream, None
        if stream is not None and answer.status < FIRST_REFUSAL:
            stream.put([answer.body] if answer.body else [])
            stream.end()
        self._resolve(answer)
        if self._has_body:
            self._wake_sender()

    def _resolve(self, answer: HttpAnswer) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _push_deadline(self) -> None:
        self.deadline = self._clock.boottime() + self._timeouts.answer_seconds

    def _wake_sender(self) -> None:
        _wake(self._drain_waiter)
        _wake(self._go_ahead)

    def _end(self, error: Exception | None) -> None:
        """The store closed, or the connection broke. The end of the connection may be the end of the answer."""
        if self._has_ended:
            return
        self._has_ended = True
        reader = self._reader
        if error is None and reader is not None and reader.end():
            self._complete(reader)
            return
        cause = f"the connection broke ({error})" if error else "the store closed the connection"
        self._fail(AnswerLost(f"{cause} {'in the middle of' if reader else 'before'} the answer"))

    def _fail(self, error: AnswerLost | AnswerMalformed) -> None:
        self._has_ended = True
        self._reader = None
        self.deadline = self._last_deadline = math.inf
        waiter, self._waiter = self._waiter, None
        stream, self._stream = self._stream, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        if stream is not None:
            stream.end(error)
        self._wake_sender()
        if self._transport is not None:
            self._transport.abort()


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
