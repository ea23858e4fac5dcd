"""What a store refuses for its place, its time or its credentials is put right and sent again, within bounds."""

from __future__ import annotations

import calendar
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest

from cosbatch.identity import sigv4
from cosbatch.identity.credentials import Credentials, RenewingCredentials
from cosbatch.identity.sigv4 import Signable
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.http_dialer import Address
from cosbatch.storage.port import CompletedPart, CopyOptions
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.s3_corrections import MAX_HOPS, WRITE_AGAIN_SECONDS
from cosbatch.storage.s3_routes import Neighbour
from cosbatch.storage.signer import TemplateSigner
from tests.capturing_store import CapturedRequest, CapturingStore
from tests.contract.stores import Blocks, content, refused
from tests.unit.storage.scripted_server import ManualClock

BUCKET = Bucket("the-bucket")
REF = ObjectRef(BUCKET, ObjectKey("dir/a b"))
SOURCE = ObjectRef(Bucket("source-bucket"), ObjectKey("source"))
COPIED = b"<CopyObjectResult><ETag>&quot;abc&quot;</ETag></CopyObjectResult>"
HEAD = {"etag": '"abc"', "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
FIRST = Credentials(access_key_id="AKFIRST", secret_access_key="first-secret", session_token="first-token")
SECOND = Credentials(access_key_id="AKSECOND", secret_access_key="second-secret", session_token="second-token")

Call = Callable[[S3Store], Awaitable[object]]

WRITES: dict[str, Call] = {
    "copy": lambda store: store.copy(SOURCE, REF, options=CopyOptions(storage_class="STANDARD_IA")),
    "put": lambda store: store.put(REF, b"hello"),
    "put a stream": lambda store: store.put(REF, Blocks(b"hel", b"lo")),
    "delete": lambda store: store.delete(REF),
    "complete": lambda store: store.complete_upload(REF, upload_id="u", parts=[CompletedPart(1, "e")]),
}
READS: dict[str, Call] = {
    "head": lambda store: store.head(REF),
    "get": lambda store: content(store, REF),
    "list": lambda store: store.list_objects(BUCKET),
}
CALLS = WRITES | READS
ANSWERS = {
    "copy": COPIED,
    "complete": COPIED,
    "get": b"hello",
    "list": b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
}


def answer_well(server: CapturingStore, call: str) -> None:
    server.answer(ANSWERS.get(call, b""), headers=HEAD)


def error(code: str, *, more: str = "") -> bytes:
    return f"<Error><Code>{code}</Code><Message>no</Message>{more}</Error>".encode()


class World:
    """One region at a server of its own, another beside it, both in the table, and a third server that is not."""

    def __init__(self, home: CapturingStore, other: CapturingStore, stranger: CapturingStore) -> None:
        self.home, self.other, self.stranger = home, other, stranger
        self.clock = ManualClock(now=time.time())
        self.fetched: list[Credentials] = []
        self._clients: list[HttpClient] = []

    def region(self, server: CapturingStore, name: str, *, addressing: Addressing = Addressing.PATH) -> Region:
        return Region(
            name=RegionName(name),
            provider=Provider.S3,
            endpoint=server.endpoint.replace("127.0.0.1", f"{name}.example"),
            profile="s3",
            signing_region=name,
            addressing=addressing,
        )

    def host(self, server: CapturingStore, name: str) -> str:
        return urlsplit(self.region(server, name).endpoint).netloc

    def open(self, *, addressing: Addressing = Addressing.PATH, clock: Clock | None = None) -> S3Store:
        home, other = self.region(self.home, "home", addressing=addressing), self.region(self.other, "other")
        return S3Store(
            region=home,
            credentials=RenewingCredentials(FIRST, fetch=self._fetch, clock=self.clock),
            client=self._client(home),
            signer=TemplateSigner(region="home", clock=self.clock),
            profile=PROFILES["s3"],
            clock=clock or self.clock,
            neighbours=[Neighbour(other, lambda: self._client(other))],
        )

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    def _client(self, region: Region) -> HttpClient:
        self._clients.append(HttpClient(region.endpoint, clock=SystemClock(), resolve=_loopback))
        return self._clients[-1]

    async def _fetch(self) -> Credentials:
        return self.fetched.pop(0) if self.fetched else FIRST


async def _loopback(_host: str, port: int) -> Sequence[Address]:
    return [Address(socket.AF_INET, ("127.0.0.1", port))]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with CapturingStore() as home, CapturingStore() as other, CapturingStore() as stranger:
        made = World(home, other, stranger)
        yield made
        await made.close()


def check_signature(request: CapturedRequest, *, region: str, credentials: Credentials = FIRST) -> None:
    """By the plain signer, over what arrived."""
    headers = request.headers
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signable = Signable(
        method=request.method.encode(),
        path=request.path.encode(),
        query=request.query.encode(),
        headers=[(name.encode(), headers[name].encode()) for name in names],
        payload_hash=headers["x-amz-content-sha256"].encode(),
    )
    expected = sigv4.authorization(
        signable, credentials=credentials, timestamp=headers["x-amz-date"], region=region, service="s3"
    )
    assert headers["authorization"] == expected.decode()
    assert {"host", "x-amz-date"} <= set(names)


def same_but_for_place(one: CapturedRequest, two: CapturedRequest) -> bool:
    own = ("host", "authorization", "x-amz-date")

    def without_place(request: CapturedRequest) -> CapturedRequest:
        return request._replace(path="", headers={k: v for k, v in request.headers.items() if k not in own})

    return without_place(one) == without_place(two)


class TestRedirects:
    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    async def test_to_another_region_of_the_table(self, world: World, call: str, status: int) -> None:
        location = f"http://{world.host(world.other, 'other')}/the-bucket/whatever?it=says"
        world.home.answer(error("TemporaryRedirect"), status=status, headers={"location": location})
        answer_well(world.other, call)
        await CALLS[call](world.open())
        (asked,), (redirected,) = world.home.requests, world.other.requests
        assert same_but_for_place(asked, redirected)
        assert redirected.path == asked.path
        assert redirected.headers["host"] == world.host(world.other, "other")
        check_signature(redirected, region="other")

    @pytest.mark.parametrize("code", ["TemporaryRedirect", "PermanentRedirect"])
    @pytest.mark.parametrize("prefix", ["", "the-bucket."])
    async def test_by_the_body_alone(self, world: World, code: str, prefix: str) -> None:
        endpoint = f"<Endpoint>{prefix}{world.host(world.other, 'other')}</Endpoint>"
        world.home.answer(error(code, more=endpoint), status=307)
        answer_well(world.other, "copy")
        await CALLS["copy"](world.open())
        (redirected,) = world.other.requests
        assert redirected.headers["host"] == prefix + world.host(world.other, "other")
        assert redirected.path == ("" if prefix else "/the-bucket") + "/dir/a%20b"
        check_signature(redirected, region="other")

    async def test_to_the_other_addressing_of_the_same_region(self, world: World) -> None:
        host = world.host(world.home, "home")
        world.home.answer(status=307, headers={"location": f"http://the-bucket.{host}/dir/a%20b"})
        answer_well(world.home, "put")
        await CALLS["put"](world.open())
        world.home.answer(status=307, headers={"location": f"http://{host}/the-bucket/dir/a%20b"})
        answer_well(world.home, "put")
        await CALLS["put"](world.open(addressing=Addressing.VIRTUAL_HOST))
        asked = [(request.headers["host"], request.path) for request in world.home.requests]
        by_path, by_host = (host, "/the-bucket/dir/a%20b"), (f"the-bucket.{host}", "/dir/a%20b")
        assert asked == [by_path, by_host, by_host, by_path]

    async def test_of_a_head_by_the_name_of_the_region(self, world: World) -> None:
        world.home.answer(status=301, headers={"x-amz-bucket-region": "other"})
        answer_well(world.other, "head")
        await CALLS["head"](world.open())
        assert len(world.other.requests) == 1

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize(
        "location",
        [
            "http://{stranger}/the-bucket/dir/a%20b",
            "http://another-bucket.{other}/dir/a%20b",
            "http://{other}.evil.example/the-bucket/dir/a%20b",
            "https://{other}/the-bucket/dir/a%20b",
            "http://other.example:1/the-bucket/dir/a%20b",
            "http://other.example:99999/",
            "http://[::1/",
            "/the-bucket/elsewhere",
            "",
        ],
    )
    async def test_elsewhere_is_an_error_and_nobody_is_asked(self, world: World, call: str, location: str) -> None:
        stranger, other = world.host(world.stranger, "stranger"), world.host(world.other, "other")
        where = location.format(stranger=stranger, other=other)
        world.home.answer(error("PermanentRedirect"), status=301, headers={"location": where} if where else {})
        failure = await refused(CALLS[call](world.open()))
        assert (failure.reason, failure.http_status) == (StorageReason.WRONG_REGION, 301)
        assert "no host of the region table" in failure.message
        assert stranger not in where or stranger in failure.message
        assert not world.stranger.requests + world.other.requests
        assert len(world.home.requests) == 1

    async def test_in_circles_end(self, world: World) -> None:
        for server, name in ((world.home, "other"), (world.other, "home")) * MAX_HOPS:
            aim = world.other if name == "other" else world.home
            server.answer(status=307, headers={"location": f"http://{world.host(aim, name)}/"})
        failure = await refused(CALLS["copy"](world.open()))
        assert failure.reason is StorageReason.WRONG_REGION
        assert len(world.home.requests + world.other.requests) == 1 + MAX_HOPS

    async def test_hold_for_one_request(self, world: World) -> None:
        store = world.open()
        world.home.answer(status=307, headers={"location": f"http://{world.host(world.other, 'other')}/"})
        answer_well(world.other, "copy")
        answer_well(world.home, "copy")
        for _ in range(2):
            await CALLS["copy"](store)
        assert (len(world.home.requests), len(world.other.requests)) == (2, 1)

    async def test_of_the_question_for_the_region_are_its_answer(self, world: World) -> None:
        location = f"http://{world.host(world.other, 'other')}/the-bucket"
        world.home.answer(status=301, headers={"location": location, "x-amz-bucket-region": "other"})
        assert await world.open().bucket_region(BUCKET) == "other"
        world.home.answer(status=301, headers={"location": location})
        assert (await refused(world.open().bucket_region(BUCKET))).reason is StorageReason.WRONG_REGION
        assert world.other.requests == []

    @pytest.mark.parametrize("call", WRITES)
    async def test_that_come_late_leave_a_write_to_its_sender(self, world: World, call: str) -> None:
        """The lease may be over: whoever keeps it is asked before the next attempt."""
        world.home.answer(status=307, headers={"location": f"http://{world.host(world.other, 'other')}/"})
        failure = await refused(CALLS[call](world.open(clock=_Jumping())))
        assert failure.reason is StorageReason.SLOW_DOWN
        assert world.other.requests == []

    async def test_that_come_late_are_followed_by_a_read(self, world: World) -> None:
        world.home.answer(status=307, headers={"location": f"http://{world.host(world.other, 'other')}/"})
        answer_well(world.other, "head")
        await CALLS["head"](world.open(clock=_Jumping()))
        assert len(world.other.requests) == 1


class _Jumping(SystemClock):
    """Each look at it finds that the machine was asleep."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def boottime(self) -> float:
        self._seconds += WRITE_AGAIN_SECONDS + 1
        return self._seconds


HOUR = 3600.0


class TestClock:
    def skewed(self, world: World, *, by: float) -> dict[str, str]:
        return {"date": formatdate(int(world.clock.now()) + by, usegmt=True)}

    def signed_ahead(self, world: World, request: CapturedRequest) -> float:
        signed = time.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        return calendar.timegm(signed) - int(world.clock.now())

    @pytest.mark.parametrize("by", [HOUR, -30 * 24 * HOUR])
    @pytest.mark.parametrize("call", ["copy", "put", "put a stream", "get", "list"])
    async def test_is_set_by_the_stores_and_the_request_sent_again(self, world: World, call: str, by: float) -> None:
        world.home.answer(error("RequestTimeTooSkewed"), status=403, headers=self.skewed(world, by=by))
        answer_well(world.home, call)
        answer_well(world.home, call)
        store = world.open()
        await CALLS[call](store)
        await CALLS[call](store)
        ahead = [self.signed_ahead(world, request) for request in world.home.requests]
        assert ahead == [pytest.approx(0, abs=2), pytest.approx(by, abs=2), pytest.approx(by, abs=2)]
        for request in world.home.requests:
            check_signature(request, region="home")

    async def test_is_set_once_a_request_at_most(self, world: World) -> None:
        for _ in range(4):
            world.home.answer(error("RequestTimeTooSkewed"), status=403, headers=self.skewed(world, by=HOUR))
        assert (await refused(CALLS["copy"](world.open()))).reason is StorageReason.CLOCK_SKEWED
        assert len(world.home.requests) == 2

    @pytest.mark.parametrize("date", [{}, {"date": "yesterday"}])
    async def test_stays_where_the_store_names_no_time(self, world: World, date: dict[str, str]) -> None:
        world.home.answer(error("RequestTimeTooSkewed"), status=403, headers=date)
        assert (await refused(CALLS["copy"](world.open()))).reason is StorageReason.CLOCK_SKEWED
        assert len(world.home.requests) == 1

    async def test_a_refused_head_tells_it_by_its_date_alone(self, world: World) -> None:
        store = world.open()
        world.home.answer(status=403, headers=self.skewed(world, by=600))
        assert (await refused(CALLS["head"](store))).reason is StorageReason.ACCESS_DENIED
        world.home.answer(status=403, headers=self.skewed(world, by=HOUR))
        answer_well(world.home, "head")
        await CALLS["head"](store)
        assert len(world.home.requests) == 3

    async def test_before_a_job_starts_too(self, world: World) -> None:
        world.home.answer(status=403, headers=self.skewed(world, by=HOUR))
        world.home.answer(headers={"x-amz-bucket-region": "home"})
        assert await world.open().bucket_region(BUCKET) == "home"

    async def test_is_each_endpoints_own(self, world: World) -> None:
        world.home.answer(error("RequestTimeTooSkewed"), status=403, headers=self.skewed(world, by=HOUR))
        world.home.answer(status=307, headers={"location": f"http://{world.host(world.other, 'other')}/"})
        answer_well(world.other, "copy")
        await CALLS["copy"](world.open())
        assert self.signed_ahead(world, world.other.requests[0]) == pytest.approx(0, abs=2)


class TestCredentials:
    @pytest.mark.parametrize("call", CALLS)
    async def test_that_expired_are_renewed_and_the_request_sent_again(self, world: World, call: str) -> None:
        world.fetched = [SECOND]
        world.home.answer(error("ExpiredToken"), status=400)
        answer_well(world.home, call)
        answer_well(world.home, call)
        store = world.open()
        await CALLS[call](store)
        await CALLS[call](store)
        tokens = [request.headers["x-amz-security-token"] for request in world.home.requests]
        assert tokens == ["first-token", "second-token", "second-token"]
        check_signature(world.home.requests[1], region="home", credentials=SECOND)

    async def test_are_renewed_once_a_request_at_most(self, world: World) -> None:
        world.fetched = [SECOND, FIRST]
        for _ in range(3):
            world.home.answer(
                error("ExpiredToken").replace(b"no", b"first-token second-token second-secret"), status=400
            )
        failure = await refused(CALLS["copy"](world.open()))
        assert failure.reason is StorageReason.CREDENTIALS_EXPIRED
        assert failure.message == "first-token *** ***"
        assert len(world.home.requests) == 2

    async def test_a_refused_head_leaves_them_as_they_are_where_there_are_no_others(self, world: World) -> None:
        world.home.answer(status=400)
        assert (await refused(CALLS["head"](world.open()))).reason is StorageReason.INVALID_REQUEST
        assert len(world.home.requests) == 1

    async def test_that_cannot_be_renewed_are_not_tried_again(self, world: World) -> None:
        world.home.answer(error("ExpiredToken"), status=400)
        failure = await refused(CALLS["copy"](world.open()))
        assert failure.reason is StorageReason.CREDENTIALS_EXPIRED
        assert len(world.home.requests) == 1


async def test_refusals_of_a_proxy_are_no_word_of_the_store(world: World) -> None:
    world.home.answer(b"<html>who are you?</html>", status=407)
    with pytest.raises(StorageError, match="the proxy answered 407") as raised:
        await CALLS["copy"](world.open())
    assert (raised.value.reason, raised.value.http_status) == (StorageReason.REFUSED, 0)
