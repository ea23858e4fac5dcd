"""Who is let in: no call of the wire without a signature that is good, now, for this request and this account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from cosbatch.web.failed_attempts import PER_ADDRESS_MAX, PER_KEY_MAX, WINDOW_SECONDS
from tests.wire import go_sdk
from tests.wire.cos_rig import (
    MINE,
    TEMPORARY,
    THEIRS,
    CosRig,
    Wanted,
    cos_rig,
    md5_of,
    message,
    signed,
    signing_key,
    told,
    unsigned,
    wanted,
)

ROUTES = [
    wanted("POST", "/jobs", body=go_sdk.create_job(token="another")),
    wanted("GET", "/jobs"),
    wanted("GET", "/jobs/{job}"),
    wanted("DELETE", "/jobs/{job}"),
    wanted("POST", "/jobs/{job}/priority", {"priority": "1"}),
    wanted("POST", "/jobs/{job}/status", {"requestedJobStatus": "Cancelled"}),
    wanted("GET", "/jobs/{job}/nothing"),
    wanted("PATCH", "/jobs/{job}"),
]


class ShiftedClock:
    """The machine's clock, set wrong."""

    def __init__(self, seconds: float) -> None:
        self.shift_seconds = seconds

    def now(self) -> float:
        return 1_754_103_600.0 + self.shift_seconds

    def boottime(self) -> float:
        return 1000.0 + self.shift_seconds


def as_another(request: Wanted) -> httpx.Request:
    return signed(request, THEIRS)


def of_another_request(request: Wanted) -> httpx.Request:
    """Somebody has caught a signature and uses it for a job of theirs."""
    caught = signed(replace(request, method="OPTIONS"))
    return unsigned(request.with_headers(authorization=caught.headers["authorization"]))


def tampered(name: str, value: str) -> Callable[[Wanted], httpx.Request]:
    def send(request: Wanted) -> httpx.Request:
        sent = signed(request)
        sent.headers[name] = value
        return sent

    return send


def with_another_parameter(request: Wanted) -> httpx.Request:
    sent = signed(request)
    return httpx.Request(
        sent.method, sent.url.copy_add_param("statusUpdateReason", "x"), headers=sent.headers, content=sent.content
    )


REFUSED: list[tuple[str, Callable[[Wanted], httpx.Request], int, str]] = [
    ("unsigned", unsigned, 403, "AccessDenied"),
    ("an empty header", lambda request: unsigned(request.with_headers(authorization="")), 403, "AccessDenied"),
    (
        "another scheme",
        lambda request: unsigned(request.with_headers(authorization="Bearer secret")),
        400,
        "InvalidArgument",
    ),
    ("a wrong secret", lambda request: signed(request, secret="guess"), 403, "SignatureDoesNotMatch"),
    ("an unknown key", lambda request: signed(request, signing_key(9)), 403, "InvalidAccessKeyId"),
    ("of another request", of_another_request, 403, "SignatureDoesNotMatch"),
    ("another host", tampered("host", "100000000001.cos-control.ap-shanghai.x"), 403, "SignatureDoesNotMatch"),
    ("another appid", tampered("x-cos-appid", "1250000002"), 403, "SignatureDoesNotMatch"),
    ("a header on top", tampered("x-cos-new", "1"), 403, "SignatureDoesNotMatch"),
    ("a parameter on top", with_another_parameter, 403, "SignatureDoesNotMatch"),
    (
        "a temporary key without its token",
        lambda request: signed(request, replace(TEMPORARY, session_token="")),
        400,
        "InvalidToken",
    ),
    ("another account", as_another, 403, "AccessDenied"),
    (
        "another account, by a plain host",
        lambda request: signed(request.with_headers(host="batch.test"), THEIRS),
        403,
        "AccessDenied",
    ),
    (
        "another account, which names its own appid",
        lambda request: signed(request.with_headers(x_cos_appid=THEIRS.caller.account.appid), THEIRS),
        403,
        "AccessDenied",
    ),
    ("no appid", lambda request: signed(request.with_headers(x_cos_appid=None)), 400, "InvalidArgument"),
]


async def with_job(rig: CosRig, request: Wanted) -> Wanted:
    return replace(request, path=request.path.format(job=await rig.create(go_sdk.create_job())))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize(("how", "sign", "status", "code"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_call_is_refused(
    route: Wanted, how: str, sign: Callable[[Wanted], httpx.Request], status: int, code: str
) -> None:
    async with cos_rig() as rig:
        request = await with_job(rig, route)
        before = await rig.ledger.jobs()
        response = await rig.client.send(sign(request))
        assert told(response) == (status, code)
        assert await rig.ledger.jobs() == before
        assert MINE.secret_access_key not in response.text + str(rig.logs)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize(
    ("shift_seconds", "code", "words"),
    [(60 * 60 * 24 * 365 * 50, "AccessDenied", "Request has expired"), (0, "RequestTimeTooSkewed", "set your clock")],
)
async def test_a_call_of_another_time_is_refused(route: Wanted, shift_seconds: float, code: str, words: str) -> None:
    """The SDK signs by the machine's clock; the service's is fifty years ahead of it, or some time behind."""
    async with cos_rig(clock=ShiftedClock(shift_seconds)) as rig:
        response = await rig.client.send(signed(route))
        assert told(response) == (403, code)
        assert words in message(response)


@pytest.mark.parametrize("route", ROUTES[2:6], ids=lambda route: f"{route.method} {route.path}")
async def test_another_account_s_job_does_not_exist(route: Wanted) -> None:
    async with cos_rig() as rig:
        request = await with_job(rig, route)
        before = await rig.ledger.jobs()
        theirs = request.with_headers(host="batch.test", x_cos_appid=THEIRS.caller.account.appid)
        assert told(await rig.send(theirs, THEIRS)) == (404, "NoSuchJob")
        assert await rig.ledger.jobs() == before


async def test_a_key_that_ends_is_told_so() -> None:
    async with cos_rig() as rig:
        ended = replace(TEMPORARY, expires_at=1.0)
        rig.keys.known[ended.access_key_id] = ended
        assert told(await rig.send(wanted("GET", "/jobs"), ended)) == (400, "ExpiredToken")


async def test_a_body_is_the_one_that_was_signed() -> None:
    """Its MD5 is among the signed headers: whoever changes both has to sign anew."""
    async with cos_rig() as rig:
        sent = signed(wanted("POST", "/jobs", body=go_sdk.create_job()))
        other = go_sdk.create_job(priority="99")
        changed = httpx.Request("POST", sent.url, headers=sent.headers, content=other)
        assert told(await rig.client.send(changed)) == (400, "BadDigest")
        changed.headers["content-md5"] = md5_of(other)
        assert told(await rig.client.send(changed)) == (403, "SignatureDoesNotMatch")


async def test_a_body_of_ones_own_cannot_be_put_under_a_signature_that_was_caught() -> None:
    async with cos_rig() as rig:
        bare = wanted("POST", "/jobs", body=go_sdk.create_job()).with_headers(content_md5=None)
        elsewhere = httpx.ASGITransport(app=rig.app, client=("10.0.0.9", 4711))
        async with httpx.AsyncClient(transport=elsewhere) as client:
            assert told(await client.send(signed(bare))) == (400, "InvalidRequest")
        assert await rig.ledger.jobs() == []


async def test_who_fails_often_has_to_wait_and_others_have_not() -> None:
    async with cos_rig() as rig:
        for _ in range(PER_KEY_MAX):
            assert told(await rig.client.send(signed(wanted("GET", "/jobs"), secret="guess"))) == (
                403,
                "SignatureDoesNotMatch",
            )
        response = await rig.send(wanted("GET", "/jobs"))
        assert told(response) == (503, "SlowDown")
        assert response.headers["retry-after"] == str(WINDOW_SECONDS)
        plain = wanted("GET", "/jobs", host="batch.test").with_headers(x_cos_appid=THEIRS.caller.account.appid)
        assert (await rig.send(plain, THEIRS)).status_code == 200


async def test_failures_are_logged_without_the_secret_or_the_signature() -> None:
    async with cos_rig() as rig:
        sent = signed(wanted("GET", "/jobs"), secret="guess")
        await rig.client.send(sent)
        [event] = [event for event in rig.logs if event["event"] == "not authenticated"]
        assert event["access_key_id"] == MINE.access_key_id
        assert event["reason"] == "SignatureDoesNotMatch"
        assert event["address"] == "127.0.0.1"
        assert sent.headers["authorization"].rpartition("=")[2] not in str(rig.logs)


async def test_a_secret_in_the_place_of_an_id_is_not_logged() -> None:
    async with cos_rig() as rig:
        mixed_up = replace(MINE, access_key_id="hush" * 8, secret_access_key=MINE.access_key_id)
        assert told(await rig.send(wanted("GET", "/jobs"), mixed_up)) == (403, "InvalidAccessKeyId")
        assert [event["access_key_id"] for event in rig.logs] == [""]
        assert "hush" not in str(rig.logs)


async def test_a_key_was_used_when_its_signature_was_good() -> None:
    async with cos_rig() as rig:
        await rig.client.send(signed(wanted("GET", "/jobs"), secret="guess"))
        assert rig.keys.noted == []
        await rig.send(wanted("GET", "/jobs"))
        assert rig.keys.noted == [MINE.access_key_id]


async def test_whoever_was_let_in_is_not_shut_out_by_who_tries_keys_at_the_same_address() -> None:
    """A proxy that is not known as one gives all clients its own address."""
    async with cos_rig() as rig:
        assert (await rig.send(wanted("GET", "/jobs"))).status_code == 200
        for number in range(PER_ADDRESS_MAX):
            response = await rig.send(wanted("GET", "/jobs"), signing_key(1, name=f"guess{number}"))
            assert told(response) == (403, "InvalidAccessKeyId")
        assert told(await rig.send(wanted("GET", "/jobs"), signing_key(1, name="guess"))) == (503, "SlowDown")
        assert (await rig.send(wanted("GET", "/jobs"))).status_code == 200


@pytest.mark.parametrize("name", ["host", "x-cos-appid"])
async def test_a_header_of_two_minds_is_refused(name: str) -> None:
    async with cos_rig() as rig:
        sent = signed(wanted("GET", "/jobs"))
        headers = [*sent.headers.multi_items(), (name, "other")]
        response = await rig.client.send(httpx.Request("GET", sent.url, headers=headers))
        assert response.status_code in (400, 403)
        told(response)


async def test_a_head_has_no_body_and_is_refused_all_the_same() -> None:
    async with cos_rig() as rig:
        assert (await rig.client.send(unsigned(wanted("HEAD", "/jobs")))).status_code == 403
        response = await rig.send(wanted("HEAD", "/jobs"))
        assert (response.status_code, response.content) == (405, b"")


async def test_a_thousand_parameters_are_refused() -> None:
    async with cos_rig() as rig:
        query = {f"p{number}": "x" for number in range(1000)}
        assert told(await rig.send(wanted("GET", "/jobs", query))) == (400, "InvalidArgument")


async def test_the_signature_may_stand_in_the_query() -> None:
    async with cos_rig() as rig:
        sent = signed(wanted("GET", "/jobs"))
        fields = [tuple(field.split("=", 1)) for field in sent.headers["authorization"].split("&")]
        url = sent.url.copy_merge_params([(name, value) for name, value in fields])
        del sent.headers["authorization"]
        response = await rig.client.send(httpx.Request("GET", url, headers=sent.headers))
        assert response.status_code == 200, response.text
