"""SigV4 against AWS's published examples and against botocore."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from unittest import mock
from urllib.parse import parse_qsl

import botocore.auth
import botocore.awsrequest
import botocore.compat
import botocore.credentials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosbatch.identity import sigv4
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.sigv4 import EMPTY_SHA256, Header, Scope, Signable

_EXAMPLE = Credentials(
    access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)
_EXAMPLE_TIME = "20130524T000000Z"
_EXAMPLE_HOST = (b"host", b"examplebucket.s3.amazonaws.com")


def _example_signature(
    method: bytes,
    path: bytes,
    *,
    query: bytes = b"",
    headers: Sequence[Header] = (),
    payload_hash: bytes = EMPTY_SHA256,
) -> bytes:
    signable = Signable(
        method=method,
        path=path,
        query=query,
        headers=[
            *headers,
            _EXAMPLE_HOST,
            (b"x-amz-date", _EXAMPLE_TIME.encode()),
            (b"x-amz-content-sha256", payload_hash),
        ],
        payload_hash=payload_hash,
    )
    value = sigv4.authorization(
        signable, credentials=_EXAMPLE, timestamp=_EXAMPLE_TIME, region="us-east-1", service="s3"
    )
    return value.rpartition(b"Signature=")[2]


def test_s3_example_get_object_with_range() -> None:
    assert (
        _example_signature(b"GET", b"/test.txt", headers=[(b"range", b"bytes=0-9")])
        == b"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_s3_example_put_object() -> None:
    headers = [(b"date", b"Fri, 24 May 2013 00:00:00 GMT"), (b"x-amz-storage-class", b"REDUCED_REDUNDANCY")]
    body_hash = b"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    assert (
        _example_signature(b"PUT", b"/test%24file.text", headers=headers, payload_hash=body_hash)
        == b"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


def test_s3_example_bucket_lifecycle() -> None:
    query = sigv4.canonical_query([("lifecycle", "")])
    assert (
        _example_signature(b"GET", b"/", query=query)
        == b"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )


def test_s3_example_list_objects() -> None:
    query = sigv4.canonical_query([("prefix", "J"), ("max-keys", "2")])
    assert (
        _example_signature(b"GET", b"/", query=query)
        == b"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_published_signing_key() -> None:
    scope = Scope(date="20150830", region="us-east-1", service="iam")
    key = sigv4.signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope=scope)
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_published_vector_get_vanilla() -> None:
    credentials = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signable = Signable(
        method=b"GET",
        path=b"/",
        query=b"",
        headers=[(b"host", b"example.amazonaws.com"), (b"x-amz-date", b"20150830T123600Z")],
        payload_hash=EMPTY_SHA256,
    )
    assert sigv4.authorization(
        signable, credentials=credentials, timestamp="20150830T123600Z", region="us-east-1", service="service"
    ) == (
        b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        b"SignedHeaders=host;x-amz-date, "
        b"Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_timestamp_is_utc_and_whole_seconds() -> None:
    assert sigv4.amz_timestamp(1440938160.9) == "20150830T123600Z"


@pytest.mark.parametrize(
    ("text", "in_path", "in_query"),
    [
        ("plain-key_1.~", b"plain-key_1.~", b"plain-key_1.~"),
        ("a/b", b"a/b", b"a%2Fb"),
        ("a b+c", b"a%20b%2Bc", b"a%20b%2Bc"),
        ("%2F", b"%252F", b"%252F"),
        ("../.", b"../.", b"..%2F."),
        ("\n\x7f*'()!", b"%0A%7F%2A%27%28%29%21", b"%0A%7F%2A%27%28%29%21"),
        ("ü€😀", b"%C3%BC%E2%82%AC%F0%9F%98%80", b"%C3%BC%E2%82%AC%F0%9F%98%80"),
    ],
)
def test_uri_encode(text: str, in_path: bytes, in_query: bytes) -> None:
    assert sigv4.uri_encode(text, keep_slash=True) == in_path
    assert sigv4.uri_encode(text, keep_slash=False) == in_query


def test_canonical_query_sorts_by_the_encoded_name() -> None:
    assert sigv4.canonical_query([("b", "2"), ("a b", "1"), ("a", "z"), ("a", "y")]) == b"a=y&a=z&a%20b=1&b=2"


def test_repeated_and_spaced_headers_become_one_trimmed_line() -> None:
    headers = [(b"b", b"  two   words "), (b"a", b"1"), (b"b", b"x")]
    assert sigv4.canonical_headers(headers) == [(b"a", b"1"), (b"b", b"two words,x")]


# --- botocore

_KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
_ODD_KEYS = st.one_of(
    _KEYS,
    st.sampled_from(
        ["/lead", "a//b", "a/../b", "./a", "a/.", "..", "%2F", "a%20b", "+", "a b", "é", "\n", "a?b#c&d=e"]
    ),
)
_HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
_QUERY_NAMES = st.sampled_from(["acl", "versionId", "uploadId", "partNumber", "prefix", "list-type", "tagging"])


def _botocore_authorization(
    *, method: str, path: str, query: str, headers: dict[str, str], credentials: Credentials, unix_seconds: int
) -> str:
    """What S3SigV4Auth signs for the same request at the same time. ``path`` and ``query`` are encoded."""
    url = f"https://store.example{path}" + (f"?{query}" if query else "")
    request = botocore.awsrequest.AWSRequest(method=method, url=url, headers=headers, data=b"")
    request.context["payload_signing_enabled"] = True
    signer = botocore.auth.S3SigV4Auth(
        botocore.credentials.Credentials(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
        ),
        "s3",
        "eu-test-1",
    )
    frozen = dt.datetime.fromtimestamp(unix_seconds, dt.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=frozen):
        signer.add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == EMPTY_SHA256.decode()
    value = request.headers["Authorization"]
    assert isinstance(value, str)
    return value


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "HEAD", "POST", "DELETE"]),
    key=_ODD_KEYS,
    query=st.dictionaries(_QUERY_NAMES, _KEYS, max_size=3),
    metadata=st.dictionaries(st.sampled_from(["x-amz-meta-a", "x-amz-meta-b", "range"]), _HEADER_TEXT, max_size=3),
    token=st.sampled_from(["", "FwoGZXIvYXdzE+/=="]),
    unix_seconds=st.integers(0, 2**32),
)
def test_agrees_with_botocore(
    method: str, key: str, query: dict[str, str], metadata: dict[str, str], token: str, unix_seconds: int
) -> None:
    credentials = Credentials(access_key_id="AKID", secret_access_key="secret/+", session_token=token)
    path = b"/bucket/" + sigv4.uri_encode(key, keep_slash=True)
    wire_query = sigv4.canonical_query(query.items())
    theirs = _botocore_authorization(
        method=method,
        path=path.decode(),
        query=wire_query.decode(),
        headers=metadata,
        credentials=credentials,
        unix_seconds=unix_seconds,
    )
    timestamp = sigv4.amz_timestamp(unix_seconds)
    headers = [(name.encode(), value.encode()) for name, value in metadata.items()]
    headers += [(b"host", b"store.example"), (b"x-amz-date", timestamp.encode())]
    headers += [(b"x-amz-content-sha256", EMPTY_SHA256)]
    headers += [(b"x-amz-security-token", token.encode())] if token else []
    ours = sigv4.authorization(
        Signable(method=method.encode(), path=path, query=wire_query, headers=headers, payload_hash=EMPTY_SHA256),
        credentials=credentials,
        timestamp=timestamp,
        region="eu-test-1",
        service="s3",
    )
    assert ours.decode() == theirs


@given(st.dictionaries(_KEYS, _KEYS, max_size=4))
def test_a_canonical_query_reads_back(parameters: dict[str, str]) -> None:
    wire = sigv4.canonical_query(parameters.items()).decode()
    assert dict(parse_qsl(wire, keep_blank_values=True)) == parameters
