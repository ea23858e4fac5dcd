"""What COS's dialect does beyond words: sources in other regions, the CRC-64 of bodies, and signatures put right."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence

import crcmod  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.identity.credentials import Credentials, RenewingCredentials
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.operations import RestoreTier
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.storage.crc64 import Crc64
from cosbatch.storage.dialects import COS_DIALECT, S3_DIALECT, dialect_of
from cosbatch.storage.disposition import is_outcome_unknown
from cosbatch.storage.held_bodies import HeldBody
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.http_dialer import Address
from cosbatch.storage.port import CopyOptions, PutOptions, RestoreOutcome
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.s3_routes import Neighbour
from tests.capturing_store import CapturedRequest, CapturingStore
from tests.contract.stores import Blocks
from tests.unit.storage.scripted_server import ManualClock

BUCKET = Bucket("the-bucket-1250000000")
REF = ObjectRef(BUCKET, ObjectKey("dir/a b"))
SOURCE = ObjectRef(Bucket("source-1250000000"), ObjectKey("s"))
FIRST = Credentials(access_key_id="AK1", secret_access_key="SK1", session_token="token1")
SECOND = Credentials(access_key_id="AK2", secret_access_key="SK2", session_token="token2")
COPIED = b'<CopyObjectResult><ETag>"abc"</ETag><CRC64>1</CRC64></CopyObjectResult>'
PART_COPIED = b'<CopyPartResult><ETag>"abc"</ETag></CopyPartResult>'
CRC = crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, xorOut=2**64 - 1, rev=True)
"""As cos-python-sdk-v5 makes it."""


class Cos:
    """A region of COS at a capturing server, and a second one in the table."""

    def __init__(self, server: CapturingStore, other: CapturingStore) -> None:
        self.server, self.other = server, other
        self.clock = ManualClock(now=float(int(time.time())))
        self.fetched: list[Credentials] = []
        self._clients: list[HttpClient] = []

    def open(self) -> S3Store:
        home, other = _region("ap-home", self.server), _region("ap-other", self.other)
        amazon = _region("us-east-1", self.other, provider=Provider.S3)
        return S3Store(
            region=home,
            credentials=RenewingCredentials(FIRST, fetch=self._fetch, clock=self.clock),
            client=self._client(home),
            signer=COS_DIALECT.signer(home, self.clock),
            profile=PROFILES["cos"],
            clock=self.clock,
            dialect=COS_DIALECT,
            neighbours=[Neighbour(other, lambda: self._client(other)), Neighbour(amazon, lambda: self._client(amazon))],
        )

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    def _client(self, region: Region) -> HttpClient:
        self._clients.append(HttpClient(region.endpoint, clock=SystemClock(), resolve=_loopback))
        return self._clients[-1]

    async def _fetch(self) -> Credentials:
        return self.fetched.pop(0) if self.fetched else FIRST


def _region(name: str, server: CapturingStore, *, provider: Provider = Provider.COS) -> Region:
    return Region(
        name=RegionName(name),
        provider=provider,
        endpoint=server.endpoint.replace("127.0.0.1", f"cos.{name}.example"),
        profile="cos",
        signing_region=name,
        addressing=Addressing.VIRTUAL_HOST,
    )


async def _loopback(_host: str, port: int) -> Sequence[Address]:
    return [Address(socket.AF_INET, ("127.0.0.1", port))]


@pytest.fixture
async def cos() -> AsyncIterator[Cos]:
    async with CapturingStore() as server, CapturingStore() as other:
        made = Cos(server, other)
        yield made
        await made.close()


def host_in(request: CapturedRequest, name: str) -> str:
    return request.headers[name].partition("/")[0].partition(":")[0]


def test_every_provider_has_its_dialect() -> None:
    assert (dialect_of(Provider.S3), dialect_of(Provider.COS)) == (S3_DIALECT, COS_DIALECT)


# --- sources


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        (None, "source-1250000000.cos.ap-home.example"),
        ("ap-home", "source-1250000000.cos.ap-home.example"),
        ("ap-other", "source-1250000000.cos.ap-other.example"),
        ("us-east-1", "source-1250000000.cos.us-east-1.example"),
    ],
)
async def test_the_source_of_a_copy_is_named_by_the_host_of_its_own_region(
    cos: Cos, region: str | None, expected: str
) -> None:
    name = RegionName(region) if region else None
    cos.server.answer(COPIED)
    cos.server.answer(PART_COPIED)
    store = cos.open()
    assert (await store.copy(SOURCE, REF, options=CopyOptions(source_region=name))).etag == "abc"
    await store.upload_part_copy(SOURCE, REF, upload_id="u", number=1, first_byte=0, last_byte=1, source_region=name)
    for request in cos.server.requests:
        assert host_in(request, "x-cos-copy-source") == expected
        assert host_in(request, "host") == "the-bucket-1250000000.cos.ap-home.example"


async def test_a_name_that_is_no_bucket_is_never_a_source(cos: Cos) -> None:
    with pytest.raises(StorageError) as caught:
        await cos.open().copy(ObjectRef(Bucket("a/b"), ObjectKey("k")), REF, options=CopyOptions())
    assert caught.value.reason is StorageReason.NO_SUCH_BUCKET
    assert cos.server.requests == []


async def test_an_error_in_a_success_is_an_error(cos: Cos) -> None:
    cos.server.answer(b"<Error><Code>InternalError</Code><Message>no</Message></Error>")
    with pytest.raises(StorageError) as caught:
        await cos.open().copy(SOURCE, REF, options=CopyOptions())
    assert caught.value.reason is StorageReason.SERVER_ERROR


@pytest.mark.parametrize(("status", "outcome"), [(202, RestoreOutcome.BEGUN), (200, RestoreOutcome.EXTENDED)])
async def test_restore(cos: Cos, status: int, outcome: RestoreOutcome) -> None:
    cos.server.answer(status=status)
    assert await cos.open().restore(REF, days=3, tier=RestoreTier.BULK) is outcome
    assert b"<CASJobParameters><Tier>Bulk</Tier></CASJobParameters>" in cos.server.requests[0].body


# --- redirects


async def test_a_redirect_is_followed_to_a_region_that_speaks_alike(cos: Cos) -> None:
    there = _region("ap-other", cos.other).endpoint.replace("http://", f"http://{BUCKET}.")
    cos.server.answer(status=307, headers={"location": f"{there}/dir/a%20b"})
    cos.other.answer(headers={"etag": '"abc"'})
    await cos.open().put(REF, b"1")
    (redirected,) = cos.other.requests
    assert host_in(redirected, "host") == f"{BUCKET}.cos.ap-other.example"
    assert redirected.headers["authorization"].startswith("q-sign-algorithm=sha1&q-ak=AK1&")


async def test_a_redirect_to_a_region_that_speaks_otherwise_is_an_error(cos: Cos) -> None:
    there = _region("us-east-1", cos.other).endpoint.replace("http://", f"http://{BUCKET}.")
    cos.server.answer(status=307, headers={"location": f"{there}/dir/a%20b"})
    with pytest.raises(StorageError) as caught:
        await cos.open().put(REF, b"1")
    assert caught.value.reason is StorageReason.WRONG_REGION
    assert cos.other.requests == []


# --- signatures put right


async def test_a_signature_whose_time_is_over_is_made_by_the_stores_clock(cos: Cos) -> None:
    late = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(cos.clock.now() + 7200))
    refusal = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    cos.server.answer(refusal, status=403, headers={"date": late})
    cos.server.answer(COPIED)
    await cos.open().copy(SOURCE, REF, options=CopyOptions())
    spans = [request.headers["authorization"].partition("q-key-time=")[2][:10] for request in cos.server.requests]
    assert int(spans[1]) - int(spans[0]) == 7200


async def test_expired_credentials_are_renewed(cos: Cos) -> None:
    cos.fetched = [SECOND]
    cos.server.answer(b"<Error><Code>ExpiredToken</Code></Error>", status=400)
    cos.server.answer(COPIED)
    await cos.open().copy(SOURCE, REF, options=CopyOptions())
    assert [request.headers["x-cos-security-token"] for request in cos.server.requests] == ["token1", "token2"]
    assert "q-ak=AK2&" in cos.server.requests[1].headers["authorization"]


# --- the CRC-64 of a body

BODY = bytes(range(256)) * 700
LARGE = BODY * 8


@given(st.lists(st.binary(max_size=100), max_size=5), st.integers(0, 2**64 - 1))
def test_crc64_is_that_of_cos(pieces: list[bytes], other: int) -> None:
    whole = b"".join(pieces)
    for named in (CRC(whole), other):
        crc64 = Crc64()
        for piece in pieces:
            crc64.update(piece)
        assert crc64.ends_as(str(named)) is (named == CRC(whole))


@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536, 65_537, len(BODY), len(LARGE)])
def test_crc64_of_long_bodies(length: int) -> None:
    for body in (LARGE[:length], memoryview(LARGE)[:length]):
        crc64 = Crc64()
        crc64.update(body)
        assert crc64.ends_as(str(CRC(bytes(body))))


@pytest.mark.parametrize("named", ["", "-1", "x", "1.0", "0x1", "٣", str(2**64)])
def test_what_is_no_crc64_is_no_bodys(named: str) -> None:
    assert not Crc64().ends_as(named)


def test_the_check_value_of_the_catalogue() -> None:
    crc64 = Crc64()
    crc64.update(b"123456789")
    assert crc64.ends_as(str(0x995DC9BBDF1939FA))


def _bodies() -> list[bytes | HeldBody | Blocks]:
    return [BODY, HeldBody(memoryview(LARGE)), Blocks(BODY, LARGE)]


def _content(body: bytes | HeldBody | Blocks) -> bytes:
    return body if isinstance(body, bytes) else bytes(body.content) if isinstance(body, HeldBody) else BODY + LARGE


@pytest.mark.parametrize("kind", range(3))
async def test_what_arrived_has_to_have_the_crc64_that_the_store_names(cos: Cos, kind: int) -> None:
    body = _bodies()[kind]
    named = CRC(_content(body))
    store = cos.open()
    for value in ({"x-cos-hash-crc64ecma": str(named)}, {}):
        cos.server.answer(headers={"etag": '"abc"', **value})
        assert (await store.put(REF, body)).etag == "abc"
    cos.server.answer(headers={"etag": '"abc"', "x-cos-hash-crc64ecma": str(named ^ 1)})
    with pytest.raises(StorageError) as caught:
        await store.upload_part(REF, upload_id="u", number=1, body=body)
    assert caught.value.reason is StorageReason.MALFORMED_ANSWER
    assert is_outcome_unknown(caught.value)


OBJECT = {"etag": '"abc"', "last-modified": "Fri, 01 Aug 2025 03:00:00 GMT"}


@pytest.mark.parametrize("is_damaged", [False, True])
async def test_what_is_read_has_to_have_the_crc64_that_the_store_names(cos: Cos, is_damaged: bool) -> None:
    named = {"x-cos-hash-crc64ecma": str(CRC(BODY) ^ is_damaged)}
    store = cos.open()
    room = memoryview(bytearray(BODY))
    for _ in range(2):
        cos.server.answer(BODY, headers=OBJECT | named)
    blocks = asyncio.ensure_future(_read(store))
    into_room = asyncio.ensure_future(_read_into(store, room))
    found = await asyncio.gather(blocks, into_room, return_exceptions=True)
    if not is_damaged:
        assert list(found) == [BODY, len(BODY)]
        return
    for error in found:
        assert isinstance(error, StorageError)
        assert error.reason is StorageReason.BODY_DAMAGED
        assert error.target == f"GET {BUCKET}/dir/a b"


async def test_the_crc64_of_a_range_is_not_that_of_the_object(cos: Cos) -> None:
    named = {"x-cos-hash-crc64ecma": str(CRC(BODY)), "content-range": f"bytes 0-3/{len(BODY)}"}
    cos.server.answer(BODY[:4], status=206, headers=OBJECT | named)
    body = await cos.open().get(REF, first_byte=0, last_byte=3)
    assert b"".join([block async for block in body]) == BODY[:4]


async def _read(store: S3Store) -> bytes:
    return b"".join([block async for block in await store.get(REF)])


async def _read_into(store: S3Store, room: memoryview) -> int:
    return await (await store.get(REF)).read_into(room)


async def test_a_body_says_its_md5_and_no_other_hash(cos: Cos) -> None:
    cos.server.answer(headers={"etag": '"abc"'})
    await cos.open().put(REF, HeldBody(memoryview(LARGE)), options=PutOptions())
    (request,) = cos.server.requests
    assert "content-md5" in request.headers
    assert not [name for name in request.headers if name.startswith("x-amz-")]


# --- lists


async def test_a_list_that_goes_on_without_saying_where_is_an_error(cos: Cos) -> None:
    cos.server.answer(b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>")
    with pytest.raises(StorageError, match="has no NextMarker"):
        await cos.open().list_objects(BUCKET)


async def test_the_place_to_go_on_from_is_decoded(cos: Cos) -> None:
    cos.server.answer(
        b"<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        b"<NextMarker>a%2Bb%20c</NextMarker></ListBucketResult>"
    )
    cos.server.answer(b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    store = cos.open()
    page = await store.list_objects(BUCKET, prefix="a")
    assert page.next_token == "a+b c"
    assert (await store.list_objects(BUCKET, prefix="a", token=page.next_token)).next_token == ""
    assert "marker=a%2Bb%20c" in cos.server.requests[1].query
