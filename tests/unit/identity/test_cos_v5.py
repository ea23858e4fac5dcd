"""COS v5 signatures: published vectors, the signer of cos-python-sdk-v5, and what the checker lets through."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_auth import CosS3Auth

from cosbatch.identity import cos_v5
from cosbatch.identity.callers import SigningKey
from cosbatch.identity.cos_v5 import KeyTime, Pair, SignedRequest
from cosbatch.identity.credentials import Credentials
from cosbatch.model.errors import AuthenticationReason, NotAuthenticated
from tests.keys import KEYS
from tests.unit.identity.cos_signing import HOST, NOW, SPAN, TEMPORARY, USER, Keys, by_header, by_query, request

R = AuthenticationReason


def verified(received: SignedRequest, *, now: float = NOW, keys: Keys | None = None) -> SigningKey:
    return asyncio.run(cos_v5.verify(received, keys=keys or Keys(USER, TEMPORARY), now=now))


def refused(received: SignedRequest, *, now: float = NOW, keys: Keys | None = None) -> tuple[R, str]:
    with pytest.raises(NotAuthenticated) as refusal:
        verified(received, now=now, keys=keys)
    return refusal.value.reason, refusal.value.message


# --- vectors

GO_TEST = Credentials(access_key_id="QmFzZTY0IGlzIGEgZ2VuZXJp", secret_access_key="AKIDZfbOA78asKUYBcXFrJD0a1ICvR98JM")
EXAMPLE = Credentials(access_key_id="AKIDEXAMPLE0000000000", secret_access_key="secretexample0000")
EXAMPLE_TIME = KeyTime(1576812701, 1576819901)

PUT_OF_GO = request(
    "PUT",
    "/testfile2",
    headers=[
        ("host", "testbucket-125000000.cos.ap-guangzhou.myqcloud.com"),
        ("x-cos-content-sha1", "db8ac1c259eb89d4a131b253bacfca5f319d54f2"),
        ("x-cos-stroage-class", "nearline"),
    ],
)
LIST_JOBS = request(
    query=[("jobStatuses", "Active"), ("maxResults", "2")],
    headers=[("x-cos-appid", "1250000000"), ("date", "Fri, 20 Dec 2019 03:31:41 GMT"), HOST],
)
PUT_TAGGING = request(
    "PUT",
    "/a b/中文+(1).txt",
    query=[("tagging", "")],
    headers=[("host", "dst-1250000000.cos.ap-chengdu.myqcloud.com"), ("x-cos-meta-note", "v (1)/二")],
)


def _sha1(text: bytes) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("signed", "credentials", "span", "signature"),
    [
        (PUT_OF_GO, GO_TEST, KeyTime(1480932292, 1481012292), "ce4ac0ecbcdb30538b3fee0a97cc6389694ce53a"),
        (LIST_JOBS, EXAMPLE, EXAMPLE_TIME, "b1586bcfc014fd1e405c4e722681cb8b2eaaa864"),
        (PUT_TAGGING, EXAMPLE, EXAMPLE_TIME, "abe8bf97cbf3aa0ea194e2f51932989f36247373"),
    ],
)
def test_published_vector(signed: SignedRequest, credentials: Credentials, span: KeyTime, signature: str) -> None:
    value = cos_v5.authorization(signed, credentials=credentials, key_time=span)
    assert value.rpartition("&q-signature=")[2] == signature
    received = by_header(signed, value=value)
    assert verified(received, now=span.start, keys=Keys(credentials)).access_key_id == credentials.access_key_id


def test_each_step_of_the_published_example() -> None:
    assert cos_v5.sign_key(EXAMPLE.secret_access_key, EXAMPLE_TIME.text()) == (
        b"bcce09188626dd5f8e93b749f8545d2f5204ea99"
    )
    assert cos_v5.http_string(LIST_JOBS) == (
        b"get\n/jobs\njobstatuses=Active&maxresults=2\n"
        b"date=Fri%2C%2020%20Dec%202019%2003%3A31%3A41%20GMT"
        b"&host=100000000001.cos-control.ap-chengdu.myqcloud.com&x-cos-appid=1250000000\n"
    )
    assert _sha1(cos_v5.http_string(LIST_JOBS)) == "050442cc37008a035e20b94221872f65112edf7c"
    assert _sha1(cos_v5.http_string(PUT_TAGGING)) == "8e9df14ad1a7afb0a541d824724931399ac0ec67"
    assert cos_v5.authorization(LIST_JOBS, credentials=EXAMPLE, key_time=EXAMPLE_TIME) == (
        "q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE0000000000&q-sign-time=1576812701;1576819901"
        "&q-key-time=1576812701;1576819901&q-header-list=date;host;x-cos-appid"
        "&q-url-param-list=jobstatuses;maxresults&q-signature=b1586bcfc014fd1e405c4e722681cb8b2eaaa864"
    )


def test_names_are_sorted_as_they_are_listed_and_values_of_one_name_before_they_are_encoded() -> None:
    pairs = [("b", "a/"), ("B", "a-"), ("a b", "1"), ("a", "2")]
    assert cos_v5.canonical_pairs(pairs) == [("a", "2"), ("a%20b", "1"), ("b", "a-"), ("b", "a%2F")]
    assert cos_v5.listed_names(pairs) == "a;a%20b;b;b"


# --- the signer of cos-python-sdk-v5

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
_SIGNED_BY_SDK = ["content-type", "content-md5", "range", "x-cos-appid", "x-cos-meta-a", "x-cos-acl"]
_ODD_NAMES = st.sampled_from(["versionId", "uploadId", "prefix", "tagging", "a b", "中", "jobStatuses", "~*'"])


def sdk_authorization(
    signed: SignedRequest, *, credentials: Credentials = USER, url: str = "https://unused.example/"
) -> str:
    """What the signer of cos-python-sdk-v5 gives the same request at this moment."""
    prepared = requests.Request(signed.method, url, headers=dict(signed.headers)).prepare()
    conf = CosConfig(Region="ap-x", SecretId=credentials.access_key_id, SecretKey=credentials.secret_access_key)
    CosS3Auth(conf, signed.path, params=dict(signed.query))(prepared)
    value = prepared.headers["Authorization"]
    assert isinstance(value, str)
    return value


@given(
    method=st.sampled_from(["GET", "PUT", "HEAD", "POST", "DELETE"]),
    key=KEYS,
    query=st.dictionaries(_ODD_NAMES, _TEXT, max_size=3),
    headers=st.dictionaries(st.sampled_from(_SIGNED_BY_SDK), _HEADER_TEXT.map(str.strip), max_size=4),
)
def test_agrees_with_the_signer_of_the_python_sdk(
    method: str, key: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    length = [] if method in ("GET", "HEAD") else [("content-length", "0")]  # requests adds it, and it is signed
    sent = [HOST, *length, *headers.items()]
    signed = request(method, f"/{key.lstrip('/')}", query=[*query.items()], headers=sent)
    theirs = sdk_authorization(signed)
    start, end = theirs.partition("q-key-time=")[2].partition("&")[0].split(";")
    ours = cos_v5.authorization(signed, credentials=USER, key_time=KeyTime(int(start), int(end)))
    assert ours == theirs
    assert verified(by_header(signed, value=theirs), now=int(start)).access_key_id == USER.access_key_id


def test_the_python_sdk_signs_a_host_that_it_was_not_given_without_its_port() -> None:
    value = sdk_authorization(request(headers=[]), url="https://127.0.0.1:8080/jobs")
    start = int(value.partition("q-key-time=")[2].partition(";")[0])
    received = by_header(request(headers=[("host", "127.0.0.1:8080")]), value=value)
    assert verified(received, now=start).access_key_id == USER.access_key_id
    other = by_header(request(headers=[("host", "127.0.0.2:8080")]), value=value)
    assert refused(other, now=start)[0] is R.SIGNATURE_WRONG


@given(key=KEYS, query=st.dictionaries(_ODD_NAMES, _TEXT.filter(bool), max_size=3))
def test_an_address_that_the_python_sdk_has_signed_is_let_in(key: str, query: dict[str, str]) -> None:
    conf = CosConfig(Endpoint="cos.ap-x.example", SecretId=USER.access_key_id, SecretKey=USER.secret_access_key)
    named = key.lstrip("/") or "k"
    url = urlsplit(CosS3Client(conf).get_presigned_url("b-125", named, "GET", Params=query))
    parameters = parse_qsl(url.query, keep_blank_values=True)
    start = int(dict(parameters)["q-sign-time"].partition(";")[0])
    received = request(path=unquote(url.path), query=parameters, headers=[("host", url.netloc)])
    assert verified(received, now=start).access_key_id == USER.access_key_id


# --- what is let through

_NAMES = st.sampled_from(["x-cos-appid", "x-cos-meta-a", "content-type", "content-md5", "range", "x-cos-acl"])
_REQUESTS = st.builds(
    request,
    st.sampled_from(["GET", "PUT", "HEAD", "POST", "DELETE"]),
    KEYS.map("/{}".format),
    query=st.lists(st.tuples(_ODD_NAMES, _TEXT), max_size=4),
    headers=st.lists(st.tuples(_NAMES, _TEXT), max_size=4).map(lambda some: [HOST, *some]),
)
_FORMS = st.sampled_from([by_header, by_query])
Form = Callable[[SignedRequest], SignedRequest]


@given(signed=_REQUESTS, form=_FORMS)
def test_whatever_is_signed_is_let_in(signed: SignedRequest, form: Form) -> None:
    assert verified(form(signed)).access_key_id == USER.access_key_id


@given(signed=_REQUESTS, form=_FORMS, data=st.data())
def test_no_single_change_of_a_signed_request_is_let_in(signed: SignedRequest, form: Form, data: st.DataObject) -> None:
    received = form(signed)
    changed = data.draw(st.sampled_from(_changes(received)))
    assert refused(changed)[0] in (R.SIGNATURE_WRONG, R.MALFORMED, R.UNKNOWN_KEY, R.TOKEN_INVALID, R.MISSING)


def _changes(received: SignedRequest) -> list[SignedRequest]:
    """Another method, path, value; a pair too much or too few."""
    own = [place for place, (name, _) in enumerate(received.headers) if name != "authorization"]
    queries = [
        (*received.query, ("more", "")),
        *[_without(received.query, place) for place in range(len(received.query))],
        *[_other_value(received.query, place) for place in range(len(received.query))],
    ]
    headers = [
        *[(*received.headers, more) for more in (("x-cos-acl", "private"), ("content-md5", ""), HOST)],
        *[(*received.headers, (cos_v5.TOKEN_NAME, "t"))],
        *[_without(received.headers, place) for place in own],
        *[_other_value(received.headers, place) for place in own],
    ]
    return [
        replace(received, method="PATCH"),
        replace(received, path=f"{received.path}x"),
        *[replace(received, query=query) for query in queries],
        *[replace(received, headers=header) for header in headers],
    ]


def _without(pairs: Sequence[Pair], place: int) -> tuple[Pair, ...]:
    return (*pairs[:place], *pairs[place + 1 :])


def _other_value(pairs: Sequence[Pair], place: int) -> tuple[Pair, ...]:
    name, value = pairs[place]
    return (*pairs[:place], (name, f"{value}x"), *pairs[place + 1 :])


@given(st.permutations(range(7)))
def test_the_fields_may_come_in_any_order(order: list[int]) -> None:
    fields = cos_v5.authorization(LIST_JOBS, credentials=USER, key_time=SPAN).split("&")
    assert verified(by_header(LIST_JOBS, value="&".join([fields[place] for place in order])))


def test_a_header_that_the_signature_need_not_cover_may_be_added() -> None:
    also = [("user-agent", "curl"), ("accept", "*/*"), ("content-length", "0"), ("x-ci-anything", "1")]
    assert verified(by_header(request(), also=also))


# --- what is not


@pytest.mark.parametrize(
    ("received", "reason", "said"),
    [
        (request(), R.MISSING, "is not signed"),
        (request(headers=[HOST, ("authorization", "")]), R.MISSING, "is not signed"),
        (request(headers=[HOST, ("authorization", "AWS4-HMAC-SHA256 Credential=x")]), R.MALFORMED, "no COS v5"),
        (request(headers=[HOST, ("authorization", "q-sign-algorithm=sha1")]), R.MALFORMED, "lacks q-ak, q-sign-time"),
        (by_header(request(), also=[("authorization", "x")]), R.MALFORMED, "more than one Authorization"),
        (by_header(request(), also=[("x-cos-acl", "private")]), R.SIGNATURE_WRONG, "header x-cos-acl is not signed"),
        (by_header(request(), also=[("content-md5", "")]), R.SIGNATURE_WRONG, "header content-md5 is not signed"),
        (by_header(request(headers=[]), also=[HOST]), R.SIGNATURE_WRONG, "the header host is not signed"),
        (
            replace(by_header(request()), query=(("priority", "9"),)),
            R.SIGNATURE_WRONG,
            "the parameter priority is not signed",
        ),
        (
            replace(by_header(request(query=[("a", "")])), query=()),
            R.SIGNATURE_WRONG,
            "lists the parameter a, which the request does not have",
        ),
        (
            replace(by_query(request()), headers=()),
            R.SIGNATURE_WRONG,
            "lists the header host, which the request does not have",
        ),
        (by_header(request(), credentials=replace(USER, access_key_id="nobody")), R.UNKNOWN_KEY, "no access key"),
        (
            by_header(request(), credentials=replace(USER, secret_access_key="wrong")),
            R.SIGNATURE_WRONG,
            r"the string to sign is 'sha1\n1576812700;1576816400\n",
        ),
        (by_header(request(), credentials=TEMPORARY), R.TOKEN_INVALID, "needs its token"),
        (
            by_header(request(), credentials=TEMPORARY, also=[(cos_v5.TOKEN_NAME, "another")]),
            R.TOKEN_INVALID,
            "is not the token of this access key",
        ),
        (by_header(request(), also=[(cos_v5.TOKEN_NAME, "t")]), R.TOKEN_INVALID, "is not the token"),
    ],
)
def test_refusal(received: SignedRequest, reason: R, said: str) -> None:
    found, message = refused(received)
    assert found is reason
    assert said in message


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("q-sign-algorithm", "sha256", "the only one is sha1"),
        ("q-sign-time", "now", "q-sign-time is 'now'"),
        ("q-key-time", f"{NOW};{NOW}", "the start before the end"),
        ("q-key-time", f"{NOW}", "<start>;<end>"),
        ("q-sign-time", f"{NOW};{'9' * 13}", "Unix seconds"),
        ("q-ak", "", "lacks q-ak"),
        ("q-signature", "", "lacks q-signature"),
    ],
)
def test_a_damaged_field_is_named(field: str, value: str, said: str) -> None:
    fields = cos_v5.authorization(request(), credentials=USER, key_time=SPAN).split("&")
    damaged = "&".join([f"{field}={value}" if each.startswith(f"{field}=") else each for each in fields])
    reason, message = refused(by_header(request(), value=damaged))
    assert reason is R.MALFORMED
    assert said in message


@pytest.mark.parametrize("more", ["q-ak=other", "q-other=1", "", "q-header-list=host"])
def test_a_field_too_much_is_refused(more: str) -> None:
    value = cos_v5.authorization(request(), credentials=USER, key_time=SPAN) + f"&{more}"
    assert refused(by_header(request(), value=value))[0] is R.MALFORMED


def test_a_signature_in_the_query_counts_for_nothing_beside_one_in_a_header() -> None:
    both = by_header(by_query(request()), value=cos_v5.authorization(request(), credentials=USER, key_time=SPAN))
    assert refused(both) == (
        R.SIGNATURE_WRONG,
        "the parameter q-sign-algorithm is not signed; list it in q-url-param-list",
    )


# --- time


def test_a_signature_is_good_from_a_quarter_of_an_hour_before_its_span_to_its_end() -> None:
    received = by_header(request())
    assert verified(received, now=SPAN.start - cos_v5.SKEW_SECONDS)
    assert verified(received, now=SPAN.end)
    assert refused(received, now=SPAN.end + 1) == (R.REQUEST_EXPIRED, "Request has expired")
    assert refused(received, now=SPAN.start - cos_v5.SKEW_SECONDS - 1)[0] is R.CLOCK_SKEWED


def test_both_spans_count_and_each_signs_its_own_part() -> None:
    signed = request()
    text = cos_v5.string_to_sign(_sha1(cos_v5.http_string(signed)).encode(), SPAN.text())

    def received(key_time: KeyTime) -> SignedRequest:
        signature = cos_v5.signature(cos_v5.sign_key(USER.secret_access_key, key_time.text()), text)
        value = cos_v5.authorization(signed, credentials=USER, key_time=SPAN)
        value = value.replace(f"q-key-time={SPAN.text()}", f"q-key-time={key_time.text()}")
        return by_header(signed, value=value.rpartition("=")[0] + f"={signature}")

    assert verified(received(KeyTime(NOW - 5000, NOW + 5000)))
    assert refused(received(KeyTime(NOW - 5000, NOW - 1)))[0] is R.REQUEST_EXPIRED


def test_nobody_is_asked_for_a_key_with_an_expired_signature() -> None:
    keys = Keys(USER)
    assert refused(by_header(request()), now=SPAN.end + 1, keys=keys)[0] is R.REQUEST_EXPIRED
    assert keys.asked == []


# --- temporary keys


def test_a_temporary_key_brings_its_token_signed_or_not_in_a_header_or_in_the_query() -> None:
    token = (cos_v5.TOKEN_NAME, TEMPORARY.session_token)
    unsigned = by_header(request(), credentials=TEMPORARY, also=[token])
    signed = by_header(request(headers=[HOST, token]), credentials=TEMPORARY)
    for received in (unsigned, signed, by_query(request(), credentials=TEMPORARY)):
        assert verified(received).access_key_id == TEMPORARY.access_key_id


def test_a_temporary_key_is_good_until_it_expires() -> None:
    keys = Keys(replace(TEMPORARY, expires_at=NOW + 1.0))
    received = by_query(request(), credentials=TEMPORARY)
    assert verified(received, keys=keys)
    assert refused(received, keys=keys, now=NOW + 1.0)[0] is R.TOKEN_EXPIRED


def test_the_secret_of_a_temporary_key_is_asked_for_before_its_token() -> None:
    wrong = by_header(request(), credentials=replace(TEMPORARY, secret_access_key="wrong"))
    assert refused(wrong)[0] is R.SIGNATURE_WRONG
