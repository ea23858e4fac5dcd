"""The frame around every call: ids, limits, the log line, errors that no wire tells."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import LogCapture

from cosbatch.model.errors import NoSuchJob
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Account, Caller, UserRole
from cosbatch.web.app import create_app
from cosbatch.web.calls import CALLER, JOB_ID, CallLimits
from cosbatch.web.measures import CallMeasures

MAIN = Account(id=AccountId("main"), name="main", uin="1", appid="2", aws_account_id="3" * 12, created_at=0.0)
ANNA = Caller(account=MAIN, user="anna", role=UserRole.ADMIN, via="cos", credential="AKID1")
LIMITS = CallLimits(max_body_bytes=1024, body_seconds=0.05)


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def known(request: Request) -> Response:
    structlog.get_logger().info("inside")
    request.scope["state"] |= {CALLER: ANNA, JOB_ID: "job-1"}
    return PlainTextResponse("")


async def refused(request: Request) -> Response:
    raise NoSuchJob("there is no such job")


async def broken(request: Request) -> Response:
    raise ZeroDivisionError("sensitive words")


async def half(request: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    return StreamingResponse(body())


ROUTES = [
    Route("/echo", echo, methods=["POST"]),
    Route("/known", known),
    Route("/refused", refused),
    Route("/broken", broken),
    Route("/half", half),
]


@pytest.fixture
def measures() -> CallMeasures:
    return CallMeasures()


@pytest.fixture
async def client(measures: CallMeasures) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(ROUTES, limits=LIMITS, measures=measures)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as opened:
        yield opened


@pytest.fixture
def log() -> Any:
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    yield capture
    structlog.reset_defaults()


def line(log: LogCapture) -> dict[str, Any]:
    (found,) = [entry for entry in log.entries if entry["event"] == "call"]
    return dict(found)


async def test_a_call_has_an_id_of_its_own_in_answer_and_log(client: httpx.AsyncClient, log: LogCapture) -> None:
    ids = [(await client.get("/known")).headers["x-request-id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert [entry["request_id"] for entry in log.entries if entry["event"] == "inside"] == ids
    assert [entry["request_id"] for entry in log.entries if entry["event"] == "call"] == ids


async def test_an_id_that_was_sent_is_kept(client: httpx.AsyncClient, log: LogCapture) -> None:
    answer = await client.get("/known", headers={"x-request-id": "from-the-proxy.1"})
    assert answer.headers["x-request-id"] == "from-the-proxy.1"
    assert line(log)["request_id"] == "from-the-proxy.1"


@pytest.mark.parametrize("sent", ["", "a b", 'x"', "x" * 65, "{}", "é"])
async def test_what_is_no_id_is_not_kept(client: httpx.AsyncClient, sent: str) -> None:
    answer = await client.get("/known", headers=[(b"x-request-id", sent.encode())])
    assert answer.headers["x-request-id"] not in ("", sent)


async def test_the_log_says_who_called_and_for_which_job(client: httpx.AsyncClient, log: LogCapture) -> None:
    await client.get("/known?q-signature=secretly", headers={"authorization": "secretly"})
    found = line(log)
    assert {name: found[name] for name in ("method", "path", "status")} == {
        "method": "GET",
        "path": "/known",
        "status": 200,
    }
    assert (found["account"], found["user"], found["credential"], found["job_id"]) == ("main", "anna", "AKID1", "job-1")
    assert found["duration_ms"] >= 0
    assert "secretly" not in json.dumps(log.entries)


async def test_a_body_as_long_as_it_may_be_is_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/echo", content=b"x" * 1024)).text == "x" * 1024


async def test_a_body_that_says_that_it_is_too_long_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", content=b"x" * 1025)
    assert answer.status_code == 400
    assert "1024 bytes" in answer.json()["error"]["message"]


async def test_a_body_that_becomes_too_long_is_refused(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 300

    assert (await client.post("/echo", content=pieces())).status_code == 400


async def test_a_refusal_that_no_wire_tells_is_json_with_the_id(client: httpx.AsyncClient) -> None:
    answer = await client.get("/refused")
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": "NoSuchJob",
        "message": "there is no such job",
        "request_id": answer.headers["x-request-id"],
        "faults": [],
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NoSuchPath"),
        ("GET", "/echo/", 404, "NoSuchPath"),
        ("GET", "/echo", 405, "MethodNotAllowed"),
    ],
)
async def test_a_path_that_is_not_there(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_an_error_of_ours_tells_the_client_an_id_and_the_log_the_rest(
    client: httpx.AsyncClient, log: LogCapture
) -> None:
    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert "sensitive" not in answer.text
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    (found,) = [entry for entry in log.entries if entry["event"] == "internal-error"]
    assert "sensitive words" in found["error"]
    assert line(log)["status"] == 500


async def test_half_an_answer_is_broken_off(client: httpx.AsyncClient, log: LogCapture) -> None:
    with pytest.raises(ZeroDivisionError):
        await client.get("/half")
    assert line(log)["status"] == 200


async def test_calls_are_measured_by_route_and_not_by_path(client: httpx.AsyncClient, measures: CallMeasures) -> None:
    for path in ("/known", "/known?x=1", "/nowhere/1", "/nowhere/2"):
        await client.get(path)
    counted = {
        (sample.labels["call"], sample.labels["status"]): sample.value
        for family in measures.collect()
        for sample in family.samples
        if sample.name == "cosbatch_http_request_duration_seconds_count"
    }
    assert counted == {("known", "200"): 2, ("none", "404"): 2}


async def test_a_body_that_does_not_come_is_refused_in_time(measures: CallMeasures) -> None:
    """In the loop's own time: nothing is slept for."""
    app = create_app(ROUTES, limits=CallLimits(body_seconds=0.0), measures=measures)
    sent: list[Any] = []

    async def never() -> Any:
        import asyncio

        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/echo",
        "raw_path": b"/echo",
        "query_string": b"",
        "headers": [(b"content-length", b"5")],
        "root_path": "",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("service", 80),
    }
    await app(scope, never, send)
    assert sent[0]["status"] == 400
    assert b"did not come within" in sent[1]["body"]
