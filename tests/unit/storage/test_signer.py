"""The fast signer is the plain one, byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.identity import sigv4
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.sigv4 import Header, Signable
from cosbatch.storage.signer import (
    EMPTY_SHA256,
    UNSIGNED_PAYLOAD,
    RequestTemplate,
    TemplateSigner,
    quote_path,
    quote_query_value,
)
from tests.unit.storage.scripted_server import ManualClock

_USER = Credentials(access_key_id="AKID", secret_access_key="secret/+")
_ROLE = Credentials(access_key_id="ASIA", secret_access_key="other", session_token="token/+==")
_HOST = b"store.example:8333"
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)


def _signer(clock: ManualClock) -> TemplateSigner:
    return TemplateSigner(region="eu-test-1", clock=clock)


def _plain_head(
    clock: ManualClock,
    credentials: Credentials,
    method: bytes,
    path: bytes,
    *,
    query: bytes = b"",
    headers: Sequence[Header] = (),
    payload_hash: bytes = EMPTY_SHA256,
) -> bytes:
    timestamp = sigv4.amz_timestamp(clock.now())
    every = [(b"host", _HOST), *headers, (b"x-amz-date", timestamp.encode()), (b"x-amz-content-sha256", payload_hash)]
    if credentials.session_token:
        every.append((b"x-amz-security-token", credentials.session_token.encode()))
    signable = Signable(method=method, path=path, query=query, headers=every, payload_hash=payload_hash)
    value = sigv4.authorization(
        signable, credentials=credentials, timestamp=timestamp, region="eu-test-1", service="s3"
    )
    target = path + b"?" + query if query else path
    lines = [b"%s %s HTTP/1.1" % (method, target), *[b"%s: %s" % header for header in every]]
    return b"\r\n".join([*lines, b"authorization: " + value, b"", b""])


def _copy_template(signer: TemplateSigner, *names: bytes) -> RequestTemplate:
    return signer.template(
        b"PUT",
        _HOST,
        fixed_headers=[(b"content-length", b"0"), (b"x-amz-meta-percent", b"100%s %  x")],
        varying_header_names=names or (b"x-amz-copy-source",),
        payload_hash=EMPTY_SHA256,
    )


@given(_TEXT)
def test_quoting_is_the_plain_encoding(text: str) -> None:
    assert quote_path(text) == sigv4.uri_encode(text, keep_slash=True)
    assert quote_query_value(text) == sigv4.uri_encode(text, keep_slash=False)


def test_odd_keys_stay_as_they_are_but_encoded() -> None:
    assert quote_path("a/../b/./c//d/%2F\n") == b"a/../b/./c//d/%252F%0A"
    assert quote_query_value("a/b&c=d") == b"a%2Fb%26c%3Dd"


@settings(max_examples=200)
@given(
    key=_TEXT,
    query=st.dictionaries(st.sampled_from(["acl", "versionId", "partNumber"]), _TEXT),
    headers=st.dictionaries(st.sampled_from([b"range", b"content-length", b"x-amz-meta-a"]), _VALUES),
    credentials=st.sampled_from([_USER, _ROLE]),
    payload_hash=st.sampled_from([EMPTY_SHA256, UNSIGNED_PAYLOAD]),
)
def test_head_is_the_plain_signature(
    key: str, query: dict[str, str], headers: dict[bytes, str], credentials: Credentials, payload_hash: bytes
) -> None:
    clock = ManualClock()
    path, wire_query = b"/bucket/" + quote_path(key), sigv4.canonical_query(query.items())
    pairs = [(name, value.encode()) for name, value in headers.items()]
    head = _signer(clock).head(credentials, b"GET", _HOST, path, wire_query, headers=pairs, payload_hash=payload_hash)
    assert head == _plain_head(
        clock, credentials, b"GET", path, query=wire_query, headers=pairs, payload_hash=payload_hash
    )


@settings(max_examples=200)
@given(
    keys=st.lists(st.tuples(_TEXT, _TEXT, _VALUES, st.sampled_from([_USER, _ROLE]), st.integers(0, 100_000))),
)
def test_template_is_the_plain_signature_at_any_time(keys: list[tuple[str, str, str, Credentials, int]]) -> None:
    clock = ManualClock()
    names = (b"x-amz-meta-z", b"x-amz-copy-source", b"x-amz-meta-a")
    template = _copy_template(_signer(clock), *names)
    for source, target, note, credentials, seconds in keys:
        clock.seconds += seconds
        path = b"/bucket/" + quote_path(target)
        values = (note.encode(), b"/from/" + quote_path(source), b"plain")
        fixed = [(b"content-length", b"0"), (b"x-amz-meta-percent", b"100%s %  x")]
        headers = [*fixed, *zip(names, values, strict=True)]
        assert template.head(credentials, path, values) == _plain_head(
            clock, credentials, b"PUT", path, headers=headers
        )


def test_head_and_template_agree_over_midnight() -> None:
    clock = ManualClock(now=1_700_006_399.5)
    signer = _signer(clock)
    template = _copy_template(signer)
    dates = set()
    for _ in range(3):
        head = template.head(_USER, b"/b/k", [b"/s/k"])
        dates.add(head.partition(b"x-amz-date: ")[2][:8])
        headers = [(b"content-length", b"0"), (b"x-amz-meta-percent", b"100%s %  x"), (b"x-amz-copy-source", b"/s/k")]
        assert head == signer.head(_USER, b"PUT", _HOST, b"/b/k", b"", headers=headers, payload_hash=EMPTY_SHA256)
        clock.seconds += 0.5
    assert dates == {b"20231114", b"20231115"}


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nb", b"a\rb", b"a\0b"])
def test_a_value_that_would_break_the_head_is_refused(value: bytes) -> None:
    signer = _signer(ManualClock())
    with pytest.raises(ValueError, match="line break or a zero byte"):
        signer.head(_USER, b"GET", _HOST, b"/b/k", b"", headers=[(b"x-amz-meta-a", value)], payload_hash=EMPTY_SHA256)
    with pytest.raises(ValueError, match="line break or a zero byte"):
        _copy_template(signer).head(_USER, b"/b/k", [value])
    with pytest.raises(ValueError, match="line break or a zero byte"):
        signer.template(
            b"PUT", _HOST, fixed_headers=[(b"a", value)], varying_header_names=[], payload_hash=EMPTY_SHA256
        )


def test_too_few_values_are_an_error() -> None:
    template = _copy_template(_signer(ManualClock()), b"x-amz-copy-source", b"x-amz-meta-a")
    with pytest.raises(ValueError, match="1 values for 2 varying headers"):
        template.head(_USER, b"/b/k", [b"/s/k"])
