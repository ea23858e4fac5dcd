"""The store row of the fault table, played by a server on real sockets: what a task sees of each fault.

For every fault the same three questions: is it Unanswered, was the request sent again, and which error is it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cosbatch.identity.credentials import Credentials, RenewingCredentials
from cosbatch.model.errors import StorageError, StorageReason, Unanswered
from cosbatch.model.identifiers import ObjectKey, ObjectRef
from cosbatch.model.operations import RestoreTier
from cosbatch.storage.http_client import Timeouts
from cosbatch.storage.persistent import PersistentStore
from cosbatch.storage.port import CompletedPart, CopyOptions, CopyOutcome, ObjectStore, PutOptions
from tests.contract.stores import Blocks, content, refused
from tests.unit.storage.faulty_server import (
    BUCKET,
    OBJECT,
    SOURCE,
    Caller,
    FaultyServer,
    Play,
    Worker,
    answering,
    breaking_off,
    faulty,
    refusing,
    reply,
)
from tests.unit.storage.virtual_time import VirtualClock, run_virtually, virtual_time

R = StorageReason
OPTIONS = CopyOptions()
COPIED = reply(b"<CopyObjectResult><ETag>&quot;abc&quot;</ETag></CopyObjectResult>")
FOUND = reply(b"hello", headers='etag: "e"\r\nlast-modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n')
FOUND_HEAD = FOUND.removesuffix(b"hello")


async def copy(store: ObjectStore, key: str = "k") -> CopyOutcome:
    return await store.copy(SOURCE, ObjectRef(BUCKET, ObjectKey(key)), options=OPTIONS)


async def read(store: ObjectStore) -> bytes:
    return await content(store, OBJECT)


WRITES: dict[str, Callable[[ObjectStore], Awaitable[object]]] = {
    "copy": copy,
    "put": lambda store: store.put(OBJECT, b"abc"),
    "put a stream": lambda store: store.put(OBJECT, Blocks(b"ab", b"c")),
    "delete": lambda store: store.delete(OBJECT),
    "restore": lambda store: store.restore(OBJECT, days=3, tier=RestoreTier.BULK),
    "create_upload": lambda store: store.create_upload(OBJECT, options=PutOptions()),
    "upload_part": lambda store: store.upload_part(OBJECT, upload_id="u", number=1, body=b"abc"),
    "upload_part_copy": lambda store: store.upload_part_copy(
        SOURCE, OBJECT, upload_id="u", number=1, first_byte=0, last_byte=4
    ),
    "complete_upload": lambda store: store.complete_upload(OBJECT, upload_id="u", parts=[CompletedPart(1, "e")]),
    "abort_upload": lambda store: store.abort_upload(OBJECT, upload_id="u"),
    "put_tags": lambda store: store.put_tags(OBJECT, []),
    "delete_tags": lambda store: store.delete_tags(OBJECT),
}


class Seen:
    """What became of one request, and what the server had of it."""

    def __init__(self, task: PersistentStore, server: FaultyServer, outcome: object) -> None:
        self.outcome = outcome
        self.sent = task.requests
        self.begun = server.begun
        self.received = len(server.received)
        self.has_written = task.has_written

    @property
    def is_unanswered(self) -> bool:
        return isinstance(self.outcome, Unanswered)

    @property
    def reason(self) -> StorageReason | None:
        return self.outcome.reason if isinstance(self.outcome, StorageError) else None


def play(
    *plays: Play, call: Callable[[ObjectStore], Awaitable[object]] = copy, timeouts: Timeouts | None = None
) -> Seen:
    async def scenario(clock: VirtualClock) -> Seen:
        async with faulty(*plays) as server, Worker(server.endpoint, clock=clock, timeouts=timeouts) as worker:
            task = worker.task()
            outcome: object
            try:
                outcome = await call(task)
            except StorageError as error:
                outcome = error
            return Seen(task, server, outcome)

    return run_virtually(scenario)


def size_of_request(call: Callable[[ObjectStore], Awaitable[object]], block: bytes) -> int:
    async def scenario(clock: VirtualClock) -> int:
        async with faulty(answering(block)) as server, Worker(server.endpoint, clock=clock) as worker:
            await call(worker.task())
            return len(server.received[0].head)

    return run_virtually(scenario)


# --- connections that are refused, or end


@virtual_time
async def test_refused_for_an_hour(clock: VirtualClock) -> None:
    """Nothing reached the store: the task waits, spends no attempt, and its copy arrives once."""
    server = FaultyServer(answering(COPIED))
    await server.start()
    endpoint = server.endpoint
    await server.stop()
    async with Worker(endpoint, clock=clock) as worker:
        tasks = [worker.task() for _ in range(8)]
        copies = [asyncio.ensure_future(copy(task)) for task in tasks]
        await asyncio.sleep(3600)
        assert worker.pacer.held is not None
        assert not any(each.done() for each in copies)
        await server.start(int(endpoint.rpartition(":")[2]))
        await asyncio.gather(*copies)
        assert len(server.received) == len(tasks)
        assert all("ConnectionRefused" in task.causes[0] for task in tasks)
    await server.stop()


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_write_that_is_cut_off_at_any_byte_of_the_request(ending: str) -> None:
    for cut in range(1, size_of_request(copy, COPIED)):
        seen = play(breaking_off(cut, ending=ending), answering(COPIED))
        assert seen.is_unanswered
        assert (seen.begun, seen.received, seen.sent) == (1, 0, 1)
        assert seen.has_written


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_read_that_is_cut_off_at_any_byte_of_the_request(ending: str) -> None:
    for cut in range(1, size_of_request(read, FOUND), 7):
        seen = play(breaking_off(cut, ending=ending), answering(FOUND), call=read)
        assert seen.outcome == b"hello"
        assert (seen.begun, seen.received, seen.sent) == (2, 1, 1)


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_write_that_is_cut_off_at_any_byte_of_the_reply(ending: str) -> None:
    """Applied, and the reply lost: half an answer is none."""
    for cut in range(len(COPIED)):
        seen = play(answering(COPIED[:cut], ending=ending), answering(COPIED))
        assert seen.is_unanswered
        assert (seen.begun, seen.received, seen.sent) == (1, 1, 1)
    assert play(answering(COPIED, ending="close")).outcome == CopyOutcome("abc", None)


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_read_that_is_cut_off_at_any_byte_of_the_head_of_the_reply(ending: str) -> None:
    for cut in range(len(FOUND_HEAD)):
        seen = play(answering(FOUND[:cut], ending=ending), answering(FOUND), call=read)
        assert seen.outcome == b"hello"
        assert (seen.received, seen.sent) == (2, 1)


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_body_that_is_truncated_at_any_byte_is_damaged_and_never_passes_as_whole(ending: str) -> None:
    for cut in range(len(FOUND_HEAD), len(FOUND)):
        seen = play(answering(FOUND[:cut], ending=ending), answering(FOUND), call=read)
        assert (seen.reason, seen.is_unanswered, seen.received) == (R.BODY_DAMAGED, False, 1)


@pytest.mark.parametrize("call", WRITES)
@pytest.mark.parametrize("fault", [answering(b"", ending="reset"), answering(b"", ending="close"), answering(b"")])
def test_a_reply_that_is_lost_after_the_write_was_applied(call: str, fault: Play) -> None:
    """For every write of the port: once at the store, and only its operation can find out."""
    seen = play(fault, call=WRITES[call], timeouts=Timeouts(answer_seconds=60))
    assert seen.is_unanswered
    assert (seen.received, seen.sent, seen.has_written) == (1, 1, True)


@virtual_time
async def test_a_kept_connection_that_the_store_closed(clock: VirtualClock) -> None:
    plays = [answering(COPIED, ending="close"), answering(COPIED)]
    async with faulty(*plays) as server, Worker(server.endpoint, clock=clock) as worker:
        await copy(worker.task())
        await asyncio.sleep(1)
        await copy(worker.task())
        assert (len(server.received), server.connections) == (2, 2)


@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_close_that_crosses_a_request(ending: str) -> None:
    async def scenario(clock: VirtualClock) -> None:
        plays = [answering(COPIED), breaking_off(0, ending=ending), answering(COPIED), breaking_off(0, ending=ending)]
        async with faulty(*plays, answering(FOUND)) as server, Worker(server.endpoint, clock=clock) as worker:
            task = worker.task()
            await copy(task)
            assert isinstance(await refused(copy(task)), Unanswered)
            await copy(task)
            assert await read(task) == b"hello"
            assert (task.requests, server.begun) == (4, 5)

    run_virtually(scenario)


# --- answers that say no, or nothing


@pytest.mark.parametrize("call", ["copy", "complete_upload"])
@pytest.mark.parametrize("space", [b"", b" \n" * 200])
@pytest.mark.parametrize(
    ("code", "reason"), [("InternalError", R.SERVER_ERROR), ("NewCode", R.SERVER_ERROR), ("", R.MALFORMED_ANSWER)]
)
def test_an_error_inside_a_success(call: str, space: bytes, code: str, reason: StorageReason) -> None:
    body = space + f"<Error><Code>{code}</Code></Error>".encode()
    seen = play(answering(reply(body)), answering(COPIED), call=WRITES[call])
    assert seen.is_unanswered
    assert isinstance(seen.outcome, Unanswered)
    assert seen.outcome.code == (code or reason)
    assert seen.received == 1


def test_a_definite_error_inside_a_success() -> None:
    assert play(refusing("SlowDown", status="200 OK"), answering(COPIED)).outcome == CopyOutcome("abc", None)
    seen = play(refusing("NoSuchKey", status="200 OK"), answering(COPIED))
    assert (seen.reason, seen.received, seen.has_written) == (R.NO_SUCH_KEY, 1, False)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "504 Gateway Timeout"])
@pytest.mark.parametrize("body", [b"", b"<html>sorry</html>", b"<Error><Code>InternalError</Code></Error>"])
def test_a_failure_of_the_server(status: str, body: bytes) -> None:
    failing = answering(reply(body, status=status))
    seen = play(failing, answering(COPIED))
    assert (seen.is_unanswered, seen.received, seen.has_written) == (True, 1, True)
    seen = play(failing, failing, answering(FOUND), call=read)
    assert (seen.outcome, seen.received, seen.sent) == (b"hello", 3, 3)


@virtual_time
async def test_a_storm_of_slow_downs(clock: VirtualClock) -> None:
    """Nothing was done, so every copy is sent again; the store gets less while it asks for less."""
    busy_until = 30.0
    applied: list[bytes] = []

    async def stormy(caller: Caller) -> None:
        received = await caller.read_request()
        if received.at < busy_until:
            refused_now = b"<Error><Code>SlowDown</Code></Error>"
            await caller.send(reply(refused_now, status="503 Slow Down", headers="retry-after: 2\r\n"))
        else:
            applied.append(received.head.split(b" ")[1])
            await caller.send(COPIED)

    async with faulty(stormy) as server, Worker(server.endpoint, clock=clock) as worker:
        tasks = [worker.task() for _ in range(64)]
        await asyncio.gather(*[copy(task, f"k{number}") for number, task in enumerate(tasks)])
        assert sorted(applied) == sorted(b"/target/k%d" % number for number in range(64))
        early = [received.at for received in server.received if received.at < busy_until]
        first = [at for at in early if at < 2]
        assert len(first) <= 64
        assert len(early) - len(first) <= busy_until  # held: single probes
        assert all(task.causes[0].startswith("SlowDown") for task in tasks if task.requests > 1)


@virtual_time
async def test_access_that_is_denied_in_the_middle(clock: VirtualClock) -> None:
    plays = [answering(COPIED), refusing("AccessDenied", status="403 Forbidden"), answering(COPIED)]
    async with faulty(*plays) as server, Worker(server.endpoint, clock=clock) as worker:
        task = worker.task()
        await copy(task)
        failure = await refused(copy(task))
        assert (failure.reason, failure.http_status) == (R.ACCESS_DENIED, 403)
        assert not isinstance(failure, Unanswered)
        await copy(task)
        assert (len(server.received), worker.pacer.held) == (3, None)


@virtual_time
async def test_credentials_that_expire_in_the_middle(clock: VirtualClock) -> None:
    """The bucket is held, no task spends an attempt, and all goes on as soon as there are others."""
    fresh_at = 1000.0
    old = Credentials(access_key_id="AKOLD", secret_access_key="s", session_token="old")
    new = Credentials(access_key_id="AKNEW", secret_access_key="s", session_token="new")

    async def fetch() -> Credentials:
        return new if clock.boottime() >= fresh_at else old

    async def checking(caller: Caller) -> None:
        received = await caller.read_request()
        is_over = received.at > 10 and b"security-token: old" in received.head
        expired = reply(b"<Error><Code>ExpiredToken</Code></Error>", status="400 Bad Request")
        await caller.send(expired if is_over else COPIED)

    async with faulty(checking) as server:
        source = RenewingCredentials(old, fetch=fetch, clock=clock)
        async with Worker(server.endpoint, clock=clock, credentials=source) as worker:
            await copy(worker.task())
            await asyncio.sleep(20)
            copies = [asyncio.ensure_future(copy(worker.task())) for _ in range(16)]
            await asyncio.sleep(fresh_at - 30)
            assert worker.pacer.held is not None
            assert not any(each.done() for each in copies)
            await asyncio.gather(*copies)
            assert clock.boottime() < fresh_at + 60
            assert worker.pacer.held is None


@pytest.mark.parametrize("status", ["301 Moved", "307 Temporary Redirect"])
def test_a_redirect_out_of_the_region_table(status: str) -> None:
    location = "location: http://target.s3.elsewhere.example/k\r\n"
    away = refusing("PermanentRedirect", status=status, headers=location)
    for call in (copy, read):
        seen = play(away, answering(COPIED), call=call)
        assert (seen.reason, seen.is_unanswered, seen.received) == (R.WRONG_REGION, False, 1)
        assert not seen.has_written


@virtual_time
async def test_a_redirect_to_another_region_of_the_table(clock: VirtualClock) -> None:
    async with faulty(answering(COPIED), answering(b"", ending="reset")) as other:
        away = refusing("TemporaryRedirect", status="307 T", headers=f"location: {other.endpoint}/target/k\r\n")
        async with (
            faulty(away) as server,
            Worker(other.endpoint, clock=clock) as neighbour,
            Worker(server.endpoint, clock=clock, neighbours=[neighbour]) as worker,
        ):
            task = worker.task()
            assert await copy(task) == CopyOutcome("abc", None)
            assert (len(server.received), len(other.received)) == (1, 1)
            assert isinstance(await refused(copy(task)), Unanswered)  # it was followed, and the reply was lost
            assert (len(server.received), len(other.received)) == (2, 2)


# --- answers that come late, or are wrong


@pytest.mark.parametrize(("latency", "is_unanswered"), [(59.0, False), (62.0, True)])
def test_a_spike_of_latency(latency: float, is_unanswered: bool) -> None:
    slow = answering(COPIED, after_seconds=latency)
    timeouts = Timeouts(answer_seconds=60)
    seen = play(slow, answering(COPIED), timeouts=timeouts)
    assert (seen.is_unanswered, seen.received) == (is_unanswered, 1)
    seen = play(answering(FOUND, after_seconds=latency), answering(FOUND), call=read, timeouts=timeouts)
    assert (seen.outcome, seen.received) == (b"hello", 1 + is_unanswered)


@virtual_time
async def test_a_late_reply_goes_to_nobody_else(clock: VirtualClock) -> None:
    late = reply(COPIED.partition(b"\r\n\r\n")[2].replace(b"abc", b"late"))
    plays = [answering(late, after_seconds=70), answering(COPIED)]
    timeouts = Timeouts(answer_seconds=60)
    async with faulty(*plays) as server, Worker(server.endpoint, clock=clock, timeouts=timeouts) as worker:
        assert isinstance(await refused(copy(worker.task())), Unanswered)
        await asyncio.sleep(9)
        assert await copy(worker.task()) == CopyOutcome("abc", None)
        await asyncio.sleep(60)
        assert await copy(worker.task()) == CopyOutcome("abc", None)


@pytest.mark.parametrize("etag", ["&quot;other&quot;", '"other"', "other", "&quot;0-3&quot;"])
def test_another_etag_is_told_as_it_is(etag: str) -> None:
    """Whether it is the wrong one, only the operation knows."""
    told = etag.replace("&quot;", "").strip('"')
    body = f"<CopyObjectResult><ETag>{etag}</ETag></CopyObjectResult>".encode()
    assert play(answering(reply(body))).outcome == CopyOutcome(told, None)


@pytest.mark.parametrize("call", ["copy", "upload_part_copy", "put", "upload_part"])
def test_no_etag_is_no_outcome(call: str) -> None:
    body = b"<CopyObjectResult><ETag></ETag></CopyObjectResult>"
    seen = play(answering(reply(body, headers="etag: \r\n")), call=WRITES[call])
    assert (seen.is_unanswered, seen.received) == (True, 1)


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        ("bytes 1-2/5", None),
        ("bytes 1-2/3", None),
        ("bytes 0-1/5", R.MALFORMED_ANSWER),
        ("bytes 1-3/5", R.MALFORMED_ANSWER),
        ("bytes 1-1/5", R.MALFORMED_ANSWER),
        ("bytes 1-2/*", R.MALFORMED_ANSWER),
        ("", R.MALFORMED_ANSWER),
    ],
)
def test_another_range_than_was_asked_for_never_passes_as_it(span: str, reason: StorageReason | None) -> None:
    async def read_range(store: ObjectStore) -> bytes:
        return await content(store, OBJECT, first=1, last=2)

    headers = f"content-range: {span}\r\netag: e\r\nlast-modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
    part = answering(reply(b"el", status="206 Partial", headers=headers))
    assert play(part, call=read_range).reason is reason
    assert play(part, call=read).reason is R.MALFORMED_ANSWER


# --- lists that change


def page(names: str, *, token: str = "") -> bytes:
    entries = "".join(
        f"<Contents><Key>{name}</Key><Size>1</Size><ETag>e</ETag><LastModified>2023-11-14T22:13:20Z</LastModified>"
        "</Contents>"
        for name in names
    )
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    return reply(f"<ListBucketResult>{entries}{more}</ListBucketResult>".encode())


async def names_of(store: ObjectStore) -> str:
    found, token = "", ""
    while True:
        answer = await store.list_objects(BUCKET, token=token)
        found += "".join(entry.key for entry in answer.objects)
        token = answer.next_token
        if not token:
            return found


def test_a_list_that_changes_between_its_pages_is_told_as_it_is() -> None:
    plays = [page("ab", token="1"), page("", token="2"), page("bd", token="3"), page("")]
    assert play(*map(answering, plays), call=names_of).outcome == "abbd"


def test_a_list_that_is_cut_or_broken_off_is_asked_for_again() -> None:
    first, last = page("ab", token="1"), page("c")
    broken = answering(first[:-20], ending="reset")
    seen = play(broken, answering(first), answering(last[:-20], ending="close"), answering(last), call=names_of)
    assert (seen.outcome, seen.received, seen.sent) == ("abc", 4, 2)


def test_a_list_that_does_not_go_on_comes_to_an_end() -> None:
    seen = play(answering(page("ab", token="1")), call=names_of)
    assert seen.reason is R.MALFORMED_ANSWER
    assert seen.received == 1 + 10  # the page that went well, and the attempts at the other


def test_a_list_of_parts_that_does_not_go_on_comes_to_an_end() -> None:
    part = "<Part><PartNumber>{}</PartNumber><ETag>e</ETag><Size>5</Size></Part>"
    body = f"<ListPartsResult><IsTruncated>true</IsTruncated>{part.format(1)}{part.format(2)}</ListPartsResult>"
    seen = play(answering(reply(body.encode())), call=lambda store: store.list_parts(OBJECT, upload_id="u"))
    assert seen.reason is R.MALFORMED_ANSWER
