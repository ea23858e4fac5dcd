"""Every kind of answer, whole and cut at every byte; and bytes that are none."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.storage.http_answer import AnswerMalformed, AnswerReader, HttpAnswer, keeps_alive, read_whole_answer


class Sample(NamedTuple):
    wire: bytes
    status: int
    headers: dict[str, str]
    body: bytes
    to_head: bool = False
    ends_with_connection: bool = False
    may_be_followed: bool = True


SAMPLES = {
    "length": Sample(
        b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "x"\r\n\r\nhello',
        200,
        {"content-length": "5", "etag": '"x"'},
        b"hello",
    ),
    "empty": Sample(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, {"content-length": "0"}, b""),
    "no reason": Sample(b"HTTP/1.1 404\r\nContent-Length: 1\r\n\r\nx", 404, {"content-length": "1"}, b"x"),
    "spaces": Sample(
        b"HTTP/1.1 200 OK\r\nA:1\r\nB:  2  \r\nC:\t3\r\nD:\r\nContent-Length: 0\r\n\r\n",
        200,
        {"a": "1", "b": "2", "c": "3", "d": "", "content-length": "0"},
        b"",
    ),
    "repeated": Sample(
        b"HTTP/1.1 200 OK\r\nVary: a\r\nContent-Length: 1\r\nVary: b\r\n\r\nz",
        200,
        {"vary": "a, b", "content-length": "1"},
        b"z",
    ),
    "latin-1": Sample(
        b"HTTP/1.1 200 OK\r\nx-amz-meta-a: \xc3\xa9\xc2\xa0\r\nContent-Length: 0\r\n\r\n",
        200,
        {"x-amz-meta-a": "\xc3\xa9\xc2\xa0", "content-length": "0"},
        b"",
    ),
    "chunked": Sample(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n",
        200,
        {"transfer-encoding": "chunked"},
        b"hello",
    ),
    "until the end": Sample(
        b"HTTP/1.1 200 OK\r\nServer: s\r\n\r\nhello",
        200,
        {"server": "s"},
        b"hello",
        ends_with_connection=True,
        may_be_followed=False,
    ),
    "old": Sample(
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, {"content-length": "2"}, b"hi", may_be_followed=False
    ),
    "close": Sample(
        b"HTTP/1.1 503 Busy\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nhi",
        503,
        {"connection": "Close", "content-length": "2"},
        b"hi",
        may_be_followed=False,
    ),
    "keep-alive": Sample(
        b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
        200,
        {"connection": "Keep-Alive", "content-length": "0"},
        b"",
    ),
    "head": Sample(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200, {"content-length": "99"}, b"", to_head=True),
    "head without length": Sample(b"HTTP/1.1 404 No\r\nServer: s\r\n\r\n", 404, {"server": "s"}, b"", to_head=True),
    "chunked head": Sample(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        200,
        {"transfer-encoding": "chunked"},
        b"",
        to_head=True,
    ),
    "no content": Sample(b"HTTP/1.1 204 No Content\r\nServer: s\r\n\r\n", 204, {"server": "s"}, b""),
    "not modified": Sample(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, {"content-length": "7"}, b""
    ),
    "continued": Sample(
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Early\r\nLink: l\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        200,
        {"content-length": "2"},
        b"hi",
    ),
}


def _check(sample: Sample, *blocks: bytes) -> None:
    reader = AnswerReader(to_head=sample.to_head)
    for block in blocks:
        assert not reader.is_complete
        reader.feed(block)
    assert reader.is_complete is not sample.ends_with_connection
    assert reader.end()
    assert (reader.status, reader.headers, b"".join(reader.blocks)) == sample[1:4]
    assert reader.may_be_followed() is sample.may_be_followed


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_cut_anywhere_is_the_same(name: str) -> None:
    sample = SAMPLES[name]
    wire = sample.wire
    _check(sample, wire)
    _check(sample, *[wire[at : at + 1] for at in range(len(wire))])
    for at in range(1, len(wire)):
        _check(sample, wire[:at], wire[at:])


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_that_ends_early_is_not_complete(name: str) -> None:
    sample = SAMPLES[name]
    head_size = sample.wire.rindex(b"\r\n\r\n") + 4 if sample.ends_with_connection else len(sample.wire)
    for size in range(head_size):
        reader = AnswerReader(to_head=sample.to_head)
        if size:
            reader.feed(sample.wire[:size])
        assert not reader.end()


@pytest.mark.parametrize("name", SAMPLES)
def test_the_quick_way_says_the_same_or_nothing(name: str) -> None:
    sample = SAMPLES[name]
    answer = read_whole_answer(sample.wire, to_head=sample.to_head)
    is_plain = name in {
        "length",
        "empty",
        "no reason",
        "latin-1",
        "close",
        "keep-alive",
        "head",
        "no content",
        "not modified",
        "head without length",
    }
    assert (answer is not None) is is_plain
    if answer is not None:
        assert answer == sample[1:4]
        assert keeps_alive(answer.headers) is sample.may_be_followed
    for size in range(len(sample.wire)):
        assert read_whole_answer(sample.wire[:size], to_head=sample.to_head) is None


MALFORMED = [
    b"ICY 200 OK\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 20x OK\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
    b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\rX: y\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA(b): c\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA\xff: c\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: \x7f\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: abc\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999999999999999999\r\n\r\n",
]


@pytest.mark.parametrize("wire", MALFORMED)
def test_what_is_not_http_is_refused(wire: bytes) -> None:
    assert read_whole_answer(wire, to_head=False) is None
    with pytest.raises(AnswerMalformed):
        AnswerReader(to_head=False).feed(wire)


@pytest.mark.parametrize("length", [b"abc", b"", b"1 1", b"99999999999999999999999"])
def test_a_length_that_is_none_is_refused_also_where_no_body_follows(length: bytes) -> None:
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n" % length
    assert read_whole_answer(wire, to_head=True) is None
    with pytest.raises(AnswerMalformed):
        AnswerReader(to_head=True).feed(wire)


@pytest.mark.parametrize(
    ("wire", "to_head"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi?", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi?", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", True),
    ],
)
def test_bytes_after_an_answer_end_the_connection(wire: bytes, *, to_head: bool) -> None:
    assert read_whole_answer(wire, to_head=to_head) is None
    reader = AnswerReader(to_head=to_head)
    reader.feed(wire)
    assert reader.is_complete
    assert b"".join(reader.blocks) == (b"" if to_head else b"hi")
    assert not reader.may_be_followed()


_LINES = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 2",
            b"Content-Length:2",
            b"content-length: 3",
            b"Transfer-Encoding: chunked",
            b"Connection: close",
            b" folded",
            b"A : b",
            b"A: b",
            b"a:  c ",
            b"nothing",
            b"X: \xff",
            b"",
            b"B:\tx",
            b"\tC: d",
            b"E: f\rg",
            b"H: i\nj",
            b"K: \0",
        ]
    ),
    max_size=4,
)


@given(
    lines=_LINES,
    status=st.sampled_from([b"200", b"204", b"304", b"100", b"2xx", b"99"]),
    body=st.sampled_from([b"", b"hi", b"hi!"]),
    to_head=st.booleans(),
)
def test_the_quick_way_never_disagrees_with_the_strict_one(
    lines: list[bytes], status: bytes, body: bytes, *, to_head: bool
) -> None:
    wire = b"\r\n".join([b"HTTP/1.1 " + status + b" OK", *lines, b"", body])
    quick = read_whole_answer(wire, to_head=to_head)
    if quick is None:
        return
    reader = AnswerReader(to_head=to_head)
    reader.feed(wire)
    assert reader.is_complete
    assert HttpAnswer(reader.status, reader.headers, b"".join(reader.blocks)) == quick
    assert reader.may_be_followed() is keeps_alive(quick.headers)
