"""Any answer, made together with what must be read from it: cut anywhere it is the same, and never read two ways.

The strict reader decides what an answer is. The quick way may decline anything, and may never say something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cosbatch.storage.http_answer import AnswerMalformed, AnswerReader, HttpAnswer, keeps_alive, read_whole_answer
from tests.damage import damaged

NO_BODY = (204, 304)
STATUSES = st.sampled_from([200, 206, 204, 301, 304, 400, 403, 404, 412, 500, 503]) | st.integers(200, 999)
TOKENS = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~", min_size=1, max_size=9
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=12)
WHITE = st.text(" \t", max_size=2)
FRAMING_NAMES = frozenset({"content-length", "transfer-encoding", "connection", "proxy-connection", "upgrade"})
REASONS = st.sampled_from([b"", b" ", b" OK", b" Not  Found ", b" \xe5\xa5\xbd", b" 200"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer on the wire, and its meaning."""

    head: bytes
    rest: bytes
    """After the empty line of the last head."""
    answer: HttpAnswer
    to_head: bool
    ends_with_connection: bool
    may_be_followed: bool

    @property
    def wire(self) -> bytes:
        return self.head + self.rest


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    value: str


def _any_case(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, name.lower(), name.upper(), name.title(), name.swapcase()])


@st.composite
def _written(draw: st.DrawFn, line: Line) -> bytes:
    name = draw(_any_case(line.name))
    after = draw(WHITE)
    if line.name == "Transfer-Encoding":
        after = after.replace("\t", " ")  # a tab after the coding is refused: see the test of what is malformed
    return f"{name}:{draw(WHITE)}{line.value}{after}\r\n".encode("latin-1")


def _plain_lines() -> st.SearchStrategy[list[Line]]:
    """Headers that frame nothing; some stand there twice."""
    names = TOKENS.filter(lambda name: name.lower() not in FRAMING_NAMES) | st.sampled_from(["ETag", "x-amz-meta-a"])
    return st.lists(st.builds(Line, names, VALUES), max_size=4)


def _meaning(lines: Iterable[Line]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, value = line.name.lower(), line.value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


@st.composite
def _head(draw: st.DrawFn, status: int, lines: list[Line], *, version: bytes = b"1.1") -> bytes:
    written = b"".join([draw(_written(line)) for line in lines])
    return b"HTTP/%s %d%s\r\n%s\r\n" % (version, status, draw(REASONS), written)


@st.composite
def _chunks(draw: st.DrawFn, body: bytes) -> bytes:
    size = draw(st.integers(1, 9))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    wire = b""
    for piece in [*pieces, b""]:
        digits = draw(st.sampled_from([b"%x", b"%X", b"0%x", b"000%X"])) % len(piece)
        extension = draw(st.sampled_from([b"", b";a", b";a=b", b';a="b;c"', b";a=b;c=d"]))
        wire += digits + extension + b"\r\n" + (piece + b"\r\n" if piece else b"")
    trailers = b"".join([draw(_written(line)) for line in draw(_plain_lines())])
    return wire + trailers + b"\r\n"


@st.composite
def said(draw: st.DrawFn) -> Said:
    status, to_head, body = draw(STATUSES), draw(st.booleans()), draw(st.binary(max_size=30))
    framing = draw(st.sampled_from(["length", "length", "chunked", "connection"]))
    is_old = framing != "chunked" and draw(st.integers(0, 7)) == 0
    connection = draw(st.sampled_from([None, None, "keep-alive", "close"]))
    frames = {
        "length": [Line("Content-Length", draw(st.sampled_from(["%d", "0%d"])) % len(body))],
        "chunked": [Line("Transfer-Encoding", draw(_any_case("chunked")))],
        "connection": [],
    }[framing]
    if connection is not None:
        frames.append(Line("Connection", draw(_any_case(connection))))
    lines = draw(st.permutations([*draw(_plain_lines()), *frames]))
    interim = [draw(_head(draw(st.sampled_from([100, 102, 103])), draw(_plain_lines()))) for _ in range(_few(draw))]
    has_body = not to_head and status not in NO_BODY
    rest = b"" if not has_body else draw(_chunks(body)) if framing == "chunked" else body
    ends_with_connection = has_body and framing == "connection"
    return Said(
        head=b"".join(interim) + draw(_head(status, lines, version=b"1.0" if is_old else b"1.1")),
        rest=rest,
        answer=HttpAnswer(status, _meaning(lines), body if has_body else b""),
        to_head=to_head,
        ends_with_connection=ends_with_connection,
        may_be_followed=not (is_old or ends_with_connection or connection == "close"),
    )


def _few(draw: st.DrawFn) -> int:
    """Mostly none."""
    return draw(st.sampled_from([0, 0, 0, 1, 2]))


def _read(blocks: Iterable[bytes], *, to_head: bool) -> AnswerReader | None:
    """As a connection does it: nothing is fed after the answer is complete. None where it is no answer."""
    reader = AnswerReader(to_head=to_head)
    try:
        for block in blocks:
            if reader.is_complete:
                break
            reader.feed(block)
    except AnswerMalformed:
        return None
    return reader


def _bytes_of(wire: bytes) -> list[bytes]:
    return [wire[at : at + 1] for at in range(len(wire))]


def _reading(reader: AnswerReader | None) -> tuple[bool, HttpAnswer] | None:
    if reader is None:
        return None
    return reader.is_complete, HttpAnswer(reader.status, reader.headers, b"".join(reader.blocks))


def _check(reader: AnswerReader | None, one: Said) -> None:
    assert reader is not None
    assert reader.is_complete is not one.ends_with_connection
    assert reader.end()
    assert HttpAnswer(reader.status, reader.headers, b"".join(reader.blocks)) == one.answer
    assert reader.may_be_followed() is one.may_be_followed


@given(one=said(), cuts=st.lists(st.integers(0, 500), max_size=6))
def test_any_answer_is_read_alike_however_it_was_cut(one: Said, cuts: list[int]) -> None:
    wire = one.wire
    _check(_read([wire], to_head=one.to_head), one)
    _check(_read(_bytes_of(wire), to_head=one.to_head), one)
    for at in range(1, len(wire)):
        _check(_read([wire[:at], wire[at:]], to_head=one.to_head), one)
    places = sorted({0, len(wire), *(cut % len(wire) for cut in cuts)})
    _check(_read([wire[a:b] for a, b in pairwise(places)], to_head=one.to_head), one)


@given(one=said())
def test_any_answer_that_ends_early_is_not_complete(one: Said) -> None:
    enough = len(one.head) if one.ends_with_connection else len(one.wire)
    for size in range(1, enough):
        reader = _read([one.wire[:size]], to_head=one.to_head)
        assert reader is not None
        assert not reader.end()


@given(one=said(), extra=st.sampled_from([b"H", b"A", b"0\r\n\r\n"]) | st.binary(min_size=1, max_size=9))
def test_whatever_follows_an_answer_is_no_part_of_it(one: Said, extra: bytes) -> None:
    if one.ends_with_connection:
        return
    reader = _read([one.wire + extra], to_head=one.to_head)
    assert reader is not None
    assert reader.is_complete
    assert HttpAnswer(reader.status, reader.headers, b"".join(reader.blocks)) == one.answer
    assert not reader.may_be_followed() or not extra.strip(b"\r\n")
    assert read_whole_answer(one.wire + extra, to_head=one.to_head) is None


def _never_two_ways(wire: bytes, *, to_head: bool) -> None:
    """Quick and strict, whole and byte by byte: one reading, or none."""
    whole = _read([wire], to_head=to_head)
    assert _reading(whole) == _reading(_read(_bytes_of(wire), to_head=to_head))
    quick = read_whole_answer(wire, to_head=to_head)
    if quick is None:
        return
    assert whole is not None
    assert _reading(whole) == (True, quick)
    assert whole.may_be_followed() is keeps_alive(quick.headers)


@given(one=said())
def test_the_quick_way_reads_any_answer_like_the_strict_one(one: Said) -> None:
    _never_two_ways(one.wire, to_head=one.to_head)


@given(st.data())
def test_no_damage_to_an_answer_is_read_two_ways(draws: st.DataObject) -> None:
    one = draws.draw(said())
    _never_two_ways(draws.draw(damaged(one.wire)), to_head=one.to_head)
