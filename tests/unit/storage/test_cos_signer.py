"""The fast signer of COS v5 is the plain one, byte for byte, and what it signs is let in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.identity import cos_v5, sigv4
from cosbatch.identity.cos_v5 import SignedRequest
from cosbatch.identity.credentials import Credentials
from cosbatch.storage.cos_signer import (
    BEFORE_SECONDS,
    FRESH_SECONDS,
    GOOD_SECONDS,
    CosSigner,
    CosTemplate,
    as_signed,
    key_time_at,
)
from cosbatch.storage.request_heads import Header
from cosbatch.storage.signer import EMPTY_SHA256, quote_path
from tests.keys import KEYS
from tests.unit.identity.cos_signing import TEMPORARY, USER, Keys
from tests.unit.storage.scripted_server import ManualClock

HOST = b"bucket-1250000000.cos.ap-x.myqcloud.com"
SOURCE_HOST = b"source-1250000000.cos.ap-y.myqcloud.com/"
VALUES = st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=20)
FIXED = ((b"content-length", b"0"), (b"x-cos-meta-percent", b" 100%s %  x "), (b"x-cos-storage-class", b"STANDARD"))


def plain_head(
    clock: ManualClock,
    credentials: Credentials,
    method: bytes,
    path: bytes,
    *,
    query: bytes = b"",
    headers: Sequence[Header] = (),
) -> bytes:
    every = [(b"host", HOST), *headers]
    if credentials.session_token:
        every.append((b"x-cos-security-token", credentials.session_token.encode()))
    begun = int(clock.now()) // FRESH_SECONDS * FRESH_SECONDS
    span = cos_v5.KeyTime(begun - BEFORE_SECONDS, begun + FRESH_SECONDS + GOOD_SECONDS)
    value = cos_v5.authorization(as_signed(method, path, query, every), credentials=credentials, key_time=span)
    target = path + b"?" + query if query else path
    lines = [b"%s %s HTTP/1.1" % (method, target), *[b"%s: %s" % header for header in every]]
    return b"\r\n".join([*lines, b"authorization: " + value.encode(), b"", b""])


def received(head: bytes) -> SignedRequest:
    """The head as a server reads it, and not as we do."""
    first, *lines = head.decode("utf-8").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    pairs = [line.split(":", 1) for line in lines if line]
    return SignedRequest(
        method=method,
        path=unquote(path, errors="strict"),
        query=parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)),
        headers=[(name, value.strip(" \t")) for name, value in pairs],
    )


def is_let_in(head: bytes, *, now: float, credentials: Credentials) -> bool:
    key = asyncio.run(cos_v5.verify(received(head), keys=Keys(USER, TEMPORARY), now=now))
    return key.access_key_id == credentials.access_key_id


def copy_template(signer: CosSigner, *names: bytes) -> CosTemplate:
    return signer.template(
        b"PUT",
        HOST,
        fixed_headers=FIXED,
        varying_header_names=names or (b"x-cos-copy-source",),
        payload_hash=EMPTY_SHA256,
    )


@settings(max_examples=200)
@given(
    key=KEYS,
    query=st.dictionaries(st.sampled_from(["acl", "versionId", "partNumber", "prefix"]), KEYS),
    headers=st.dictionaries(st.sampled_from([b"range", b"content-md5", b"x-cos-meta-a"]), VALUES),
    credentials=st.sampled_from([USER, TEMPORARY]),
)
def test_head_is_the_plain_signature_and_is_let_in(
    key: str, query: dict[str, str], headers: dict[bytes, str], credentials: Credentials
) -> None:
    clock = ManualClock()
    path, wire_query = b"/" + quote_path(key), sigv4.canonical_query(query.items())
    pairs = [(name, value.encode()) for name, value in headers.items()]
    head = CosSigner(clock=clock).head(
        credentials, b"GET", HOST, path, wire_query, headers=pairs, payload_hash=EMPTY_SHA256
    )
    assert head == plain_head(clock, credentials, b"GET", path, query=wire_query, headers=pairs)
    assert is_let_in(head, now=clock.now(), credentials=credentials)


@settings(max_examples=200)
@given(
    keys=st.lists(
        st.tuples(KEYS, KEYS, VALUES, st.sampled_from([USER, TEMPORARY]), st.integers(0, 200)), min_size=1, max_size=5
    )
)
def test_template_is_the_plain_signature_at_any_time(keys: list[tuple[str, str, str, Credentials, int]]) -> None:
    clock = ManualClock()
    names = (b"x-cos-meta-z", b"x-cos-copy-source", b"x-cos-meta-a")
    template = copy_template(CosSigner(clock=clock), *names)
    for source, target, note, credentials, seconds in keys:
        clock.seconds += seconds
        path = b"/" + quote_path(target)
        values = (note.encode(), SOURCE_HOST + quote_path(source) + b"?versionId=a", b"plain")
        head = template.head(credentials, path, values)
        headers = [*FIXED, *zip(names, values, strict=True)]
        assert head == plain_head(clock, credentials, b"PUT", path, headers=headers)
        assert is_let_in(head, now=clock.now(), credentials=credentials)


def test_a_signature_is_good_for_a_quarter_of_an_hour_whenever_it_was_made() -> None:
    clock = ManualClock(now=1_700_000_000.0)
    signer = CosSigner(clock=clock)
    for _ in range(2 * FRESH_SECONDS):
        span = key_time_at(signer.now())
        assert span.start <= clock.now() - BEFORE_SECONDS
        assert GOOD_SECONDS < span.end - clock.now() <= GOOD_SECONDS + FRESH_SECONDS
        clock.seconds += 1


def test_the_stores_clock_counts() -> None:
    clock = ManualClock(now=1_700_000_000.0)
    signer = CosSigner(clock=clock)
    template = copy_template(signer)
    template.head(USER, b"/k", [b"s/k"])
    signer.set_clock(1_800_000_000.0)
    assert signer.now() == 1_800_000_000.0
    head = template.head(USER, b"/k", [b"s/k"])
    assert is_let_in(head, now=1_800_000_000.0, credentials=USER)
    assert head == signer.head(
        USER, b"PUT", HOST, b"/k", b"", headers=[*FIXED, (b"x-cos-copy-source", b"s/k")], payload_hash=EMPTY_SHA256
    )


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nb", b"a\rb", b"a\0b"])
def test_a_value_that_would_break_the_head_is_refused(value: bytes) -> None:
    signer = CosSigner(clock=ManualClock())
    with pytest.raises(ValueError, match="line break or a zero byte"):
        signer.head(USER, b"GET", HOST, b"/k", b"", headers=[(b"x-cos-meta-a", value)], payload_hash=EMPTY_SHA256)
    with pytest.raises(ValueError, match="line break or a zero byte"):
        copy_template(signer).head(USER, b"/k", [value])
    with pytest.raises(ValueError, match="line break or a zero byte"):
        signer.template(b"PUT", HOST, fixed_headers=[(b"a", value)], varying_header_names=[], payload_hash=b"")


def test_too_few_values_are_an_error() -> None:
    template = copy_template(CosSigner(clock=ManualClock()), b"x-cos-copy-source", b"x-cos-meta-a")
    with pytest.raises(ValueError, match="1 values for 2 varying headers"):
        template.head(USER, b"/k", [b"s/k"])
