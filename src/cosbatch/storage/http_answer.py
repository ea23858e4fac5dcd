"""From bytes to an HTTP answer: a quick way for the small complete one, and httptools for everything else.

Nearly every answer to a copy arrives in one piece: a head, a Content-Length, and that many bytes. That one is split by
hand. Whatever is not exactly so (pieces, chunks, interim answers, odd white space, repeated headers) goes to a strict
parser, so that the quick way never has to decide a doubtful case. Source: RFC 9112.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import httptools

_NO_BODY: Final = frozenset({204, 304})
_CONTROLS: Final = bytes([*range(0x20), 0x7F])
_IN_NAMES: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_new: Final = tuple.__new__
"""Makes a named tuple in half of the time: one is made for every object."""
_LENGTH_DIGITS: Final = 18
"""More bytes than any object has, and still a 64-bit number."""
_LINES_KEPT: Final = 64
"""Distinct lines of heads that stay taken apart. The answers to a million copies differ in a date, an id or two; the
other lines are the same ones each time, and looking one up takes a tenth of the time that reading it does."""


class HttpAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    """Names in lower case; values as latin-1; repeated headers joined by a comma."""
    body: bytes


class AnswerMalformed(Exception):
    """Bytes that are no HTTP answer."""


class _Doubtful(Exception):
    """Something for the strict parser."""


def read_whole_answer(block: bytes, *, to_head: bool) -> HttpAnswer | None:
    """The answer that ``block`` is from its first to its last byte; None for everything in the least unusual."""
    end = block.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = block[:end].split(b"\r\n")
    try:
        status = _plain_status(first)
        headers = dict(map(_plain_field, lines))
    except _Doubtful:
        return None
    if not lines or len(headers) != len(lines) or "transfer-encoding" in headers:
        return None
    body = block[end + 4 :]
    announced = _announced(headers, has_body=not to_head and status not in _NO_BODY)
    if status < 200 or announced != len(body):
        return None
    return _new(HttpAnswer, (status, headers, body))


@lru_cache(maxsize=_LINES_KEPT)
def _plain_status(line: bytes) -> int:
    status = line[9:12]
    if (
        not line.startswith(b"HTTP/1.1 ")
        or not status.isdigit()
        or line[12:13] not in (b"", b" ")
        or _has_controls(line)
    ):
        raise _Doubtful
    return int(status)


@lru_cache(maxsize=_LINES_KEPT)
def _plain_field(line: bytes) -> tuple[str, str]:
    """Name and value of a line that has both, and nothing that only the strict parser should judge."""
    name, colon, value = line.partition(b":")
    if not name or not colon or name.translate(None, _IN_NAMES) or _has_controls(value):
        raise _Doubtful
    return name.decode().lower(), value.decode("latin-1").strip(" ")


def _has_controls(text: bytes) -> bool:
    """Half a line break, or another character that does not print."""
    return len(text.translate(None, _CONTROLS)) != len(text)


def _announced(headers: dict[str, str], *, has_body: bool) -> int:
    """How many bytes follow the head; -1 where only the strict parser should judge."""
    length = headers.get("content-length")
    if length is None:
        return -1 if has_body else 0
    if not length.isdecimal() or len(length) > _LENGTH_DIGITS:
        return -1
    return int(length) if has_body else 0


def keeps_alive(headers: dict[str, str]) -> bool:
    """Whether an HTTP/1.1 connection may be used again after an answer with these headers."""
    connection = headers.get("connection")
    return connection is None or connection.lower() == "keep-alive"


def _ends_with_connection(headers: dict[str, str]) -> bool:
    """RFC 9112, 6.3: neither chunked nor of a known length."""
    return "transfer-encoding" not in headers and "content-length" not in headers


class AnswerReader:
    """Reads one answer, fed piece by piece. A reader is used once: what it makes of further bytes is not an answer.

    httptools calls the ``on_*`` methods.
    """

    def __init__(self, *, to_head: bool) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body_bytes = 0
        self.blocks: list[bytes] = []
        """Of the body, as they came; the caller takes them away."""
        self.is_head_complete = False
        self.is_complete = False
        self.is_continued = False
        """A ``100 Continue`` has come."""
        self.has_excess = False
        """Bytes came that belong to no answer: the connection is out of step."""
        self._to_head = to_head
        self._has_no_body = False
        self._is_interim = False
        self._is_old = False
        self._ends_with_connection = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, block: bytes) -> None:
        """Raises AnswerMalformed."""
        try:
            self._parser.feed_data(block)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.is_complete:
                raise AnswerMalformed(f"the answer is not HTTP/1.1 ({str(error) or type(error).__name__})") from error
            self.has_excess = True
        # A head ends in a line feed. To the parser, what follows it may still be the beginning of a chunk's size.
        if self._has_no_body and not block.endswith(b"\n"):
            self.has_excess = True

    def end(self) -> bool:
        """The connection ended: whether the answer is complete by that."""
        self.is_complete = self.is_complete or (self.is_head_complete and self._ends_with_connection)
        return self.is_complete

    def may_be_followed(self) -> bool:
        """Whether the connection may be used for another request."""
        return not (self._is_old or self.has_excess or self._ends_with_connection) and keeps_alive(self.headers)

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.has_excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.is_head_complete:  # a trailer of a chunked body, or another answer
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")
        if key == "transfer-encoding" and (key in self.headers or value.strip(b" ").lower() != b"chunked"):
            # No other coding was asked for; and the parser would take ``chunked`` before a tab for none at all.
            raise AnswerMalformed(f"a body in transfer coding {text!r} was not asked for")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self.is_head_complete:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._read_interim(status)
            return
        self.status = status
        self.is_head_complete = True
        if self._to_head or status in _NO_BODY:
            self.is_complete = self._has_no_body = True
        else:
            self._ends_with_connection = _ends_with_connection(self.headers)
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise AnswerMalformed(f"HTTP/{version} was not asked for")
        self._is_old = version == "1.0"

    def _read_interim(self, status: int) -> None:
        if status == 101 or status < 100:
            raise AnswerMalformed(f"status {status} was not asked for")
        self._is_interim = True
        self.is_continued = self.is_continued or status == 100
        self.headers.clear()

    def on_chunk_header(self) -> None:
        self.has_excess = self.has_excess or self.is_complete

    def on_body(self, block: bytes) -> None:
        if self.is_complete or self._is_interim:
            self.has_excess = True
        else:
            self.blocks.append(block)
            self.body_bytes += len(block)

    def on_message_complete(self) -> None:
        if self._is_interim:
            self._is_interim = False
        else:
            self.is_complete = True
