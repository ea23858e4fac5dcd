"""Logging in and out over the JSON API, and what guards a session's writes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from cosbatch.identity.tokens import TokenScope
from cosbatch.ledger.people_port import Outcome
from cosbatch.model.principals import UserRole
from cosbatch.web.rest.app import all_calls
from tests.unit.service.job_builders import job_content
from tests.wire.rest_rig import (
    ADMIN,
    BASE,
    OPERATOR,
    PASSWORD,
    ROOT,
    STRANGER,
    VIEWER,
    RestRig,
    faults,
    refusal,
    rest_rig,
    settings,
)

NEW_PASSWORD = "four other words in a row"
COOKIE = "cosbatch-session"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


async def log_in(
    rig: RestRig, user: str = OPERATOR, password: str = PASSWORD, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    return await rig.call("POST", "/session", by=None, json={"user": user, "password": password}, headers=headers or {})


def cookies_set(answer: httpx.Response) -> str:
    return "; ".join(answer.headers.get_list("set-cookie"))


async def test_a_session_begins_with_a_cookie_that_no_script_can_read(rig: RestRig) -> None:
    answer = await log_in(rig)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    cookie = cookies_set(answer)
    assert cookie.startswith(f"{COOKIE}=coss_")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Max-Age=604800" in cookie
    assert "Secure" not in cookie
    who = answer.json()
    assert (who["user"], who["role"], who["via"]) == (OPERATOR, "operator", "console")
    assert not who["must_change_password"]
    assert (await rig.call("GET", "/session", by=None)).json() == who


async def test_who_calls_learns_what_may_be_called(rig: RestRig) -> None:
    may = {user: (await log_in(rig, user)).json() for user in (ADMIN, OPERATOR, VIEWER, STRANGER)}
    operations = {user: set(told["operations"]) for user, told in may.items()}
    assert {"list_jobs", "get_session"} <= operations[VIEWER] < operations[OPERATOR] < operations[STRANGER]
    assert "create_job" in operations[OPERATOR] - operations[VIEWER]
    assert "create_user" in operations[STRANGER] - operations[OPERATOR]
    of_service = {call.operation_id for call in all_calls() if call.is_of_service_operator}
    assert operations[ADMIN] == operations[STRANGER] | of_service == {call.operation_id for call in all_calls()}
    assert {user for user, told in may.items() if told["is_service_operator"]} == {ADMIN}


async def test_what_only_the_services_operator_may_call_is_refused_to_other_admins(rig: RestRig) -> None:
    region = {"name": "archive", "endpoint": "http://127.0.0.1:9", "profile": "ceph"}
    made = await rig.call("POST", "/regions", by=STRANGER, json=region)
    accounts = await rig.call("POST", "/accounts", by=STRANGER, json={"name": "third"})
    assert refusal(made) == refusal(accounts) == (403, "AccessDenied")


async def test_a_token_says_what_its_scopes_let(rig: RestRig) -> None:
    token = await rig.token(OPERATOR, TokenScope.JOBS_READ)
    told = (await rig.call("GET", "/session", by=None, headers={"authorization": f"Bearer {token}"})).json()
    assert "list_jobs" in told["operations"]
    assert "create_job" not in told["operations"]


async def test_over_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, base_url="https://cosbatch.test") as rig:
        cookie = cookies_set(await log_in(rig))
        assert cookie.startswith("__Host-cosbatch-session=coss_")
        assert "Secure" in cookie
        assert (await rig.call("GET", "/session", by=None)).json()["user"] == OPERATOR


async def test_a_wrong_password_and_a_name_that_nobody_has_are_told_alike(rig: RestRig) -> None:
    told = [await log_in(rig, user, "a wrong password") for user in (OPERATOR, "nobody")]
    assert [refusal(answer) for answer in told] == [(401, "NotAuthenticated")] * 2
    assert told[0].json()["error"]["message"] == told[1].json()["error"]["message"]
    assert told[0].headers["www-authenticate"] == 'Bearer realm="cosbatch"'
    assert "set-cookie" not in told[0].headers


async def test_no_refusal_shows_a_password(rig: RestRig) -> None:
    secret = "this is my password"
    bodies = [
        {"user": OPERATOR, "pasword": secret},
        {"user": OPERATOR, "password": [secret]},
        {"user": {"name": OPERATOR}, "password": secret},
        {"user": OPERATOR, "password": secret, "otp": secret},
        [secret],
        secret,
    ]
    for body in bodies:
        answer = await rig.call("POST", "/session", by=None, json=body)
        assert answer.status_code == 400, body
        assert secret not in answer.text
    assert secret not in json.dumps(rig.logs, default=str)


async def test_a_write_of_a_session_brings_its_csrf_token(rig: RestRig) -> None:
    csrf = (await log_in(rig)).json()["csrf_token"]
    body = job_content()
    for headers in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "x" * 64}, {"x-csrf-token": csrf[:-1]}):
        answer = await rig.call("POST", "/jobs", by=None, json=body, headers=headers)
        assert refusal(answer) == (403, "CsrfRefused")
    answer = await rig.call("POST", "/jobs", by=None, json=body, headers={"x-csrf-token": csrf})
    assert answer.status_code == 201
    events = await rig.call("GET", f"/jobs/{answer.json()['job_id']}/events", by=None)
    assert events.json()["items"][0]["by"] == "olga via console"


async def test_the_csrf_token_of_one_session_fits_no_other(rig: RestRig) -> None:
    first = (await log_in(rig)).json()["csrf_token"]
    rig.client.cookies.clear()
    second = (await log_in(rig)).json()["csrf_token"]
    assert first != second
    answer = await rig.call("POST", "/jobs", by=None, json=job_content(), headers={"x-csrf-token": first})
    assert refusal(answer) == (403, "CsrfRefused")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://cosbatch.test:81"},
        {"origin": "http://cosbatch.test.evil.test"},
        {"origin": "http://[cosbatch"},
        {"origin": "ftp://cosbatch.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
    ],
    ids=str,
)
async def test_a_write_comes_from_the_own_pages(rig: RestRig, headers: dict[str, str]) -> None:
    assert refusal(await log_in(rig, headers=headers)) == (403, "OriginRefused")
    csrf = (await log_in(rig)).json()["csrf_token"]
    answer = await rig.call("POST", "/jobs", by=None, json=job_content(), headers={"x-csrf-token": csrf, **headers})
    assert refusal(answer) == (403, "OriginRefused")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": BASE},
        {"origin": f"{BASE}:80"},
        {"origin": "https://cosbatch.test", "host": "cosbatch.test"},  # TLS ends at a proxy
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
    ids=str,
)
async def test_the_own_pages_may_write(rig: RestRig, headers: dict[str, str]) -> None:
    csrf = (await log_in(rig, headers=headers)).json()["csrf_token"]
    answer = await rig.call("POST", "/jobs", by=None, json=job_content(), headers={"x-csrf-token": csrf, **headers})
    assert answer.status_code == 201


async def test_a_page_without_tls_writes_nothing_where_there_is_tls(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, base_url="https://cosbatch.test") as rig:
        assert refusal(await log_in(rig, headers={"origin": "http://cosbatch.test"})) == (403, "OriginRefused")
        assert (await log_in(rig, headers={"origin": "https://cosbatch.test"})).status_code == 200


async def test_a_token_needs_no_csrf_and_counts_before_a_cookie(rig: RestRig) -> None:
    await log_in(rig, "vera")
    answer = await rig.call("POST", "/jobs", json=job_content(), headers={"origin": "https://evil.test"})
    assert answer.status_code == 201
    who = (await rig.call("GET", "/session")).json()
    assert (who["user"], who["via"], who["csrf_token"]) == (OPERATOR, "rest", None)


async def test_a_wrong_token_is_not_made_good_by_a_cookie(rig: RestRig) -> None:
    await log_in(rig)
    answer = await rig.call("GET", "/session", by=None, headers={"authorization": "Bearer cosb_wrong"})
    assert refusal(answer) == (401, "InvalidToken")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_logging_out_ends_the_session(rig: RestRig) -> None:
    csrf = (await log_in(rig)).json()["csrf_token"]
    text = rig.client.cookies[COOKIE]
    answer = await rig.call("DELETE", "/session", by=None, headers={"x-csrf-token": csrf})
    assert answer.status_code == 204
    assert f'{COOKIE}="";' in cookies_set(answer)
    assert COOKIE not in rig.client.cookies
    answer = await rig.call("GET", "/session", by=None, headers={"cookie": f"{COOKIE}={text}"})
    assert refusal(answer) == (401, "InvalidToken")


async def test_logging_in_anew_ends_the_session_before(rig: RestRig) -> None:
    await log_in(rig)
    before = rig.client.cookies[COOKIE]
    await log_in(rig)
    assert rig.client.cookies[COOKIE] != before
    answer = await rig.call("GET", "/session", by=None, headers={"cookie": f"{COOKIE}={before}"})
    assert refusal(answer) == (401, "InvalidToken")


async def test_a_token_has_no_session_to_end_and_no_password(rig: RestRig) -> None:
    passwords = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    for answer in (await rig.call("DELETE", "/session"), await rig.call("PUT", "/session/password", json=passwords)):
        assert refusal(answer) == (400, "InvalidRequest")


async def test_a_password_is_changed(rig: RestRig) -> None:
    csrf = (await log_in(rig)).json()["csrf_token"]
    headers = {"x-csrf-token": csrf}

    async def change(password: str, new_password: str) -> httpx.Response:
        body = {"password": password, "new_password": new_password}
        return await rig.call("PUT", "/session/password", by=None, json=body, headers=headers)

    wrong = await change("not the password", NEW_PASSWORD)
    assert (refusal(wrong), faults(wrong)) == ((400, "InvalidArgument"), {"password": "is not the present one"})
    easy = await change(PASSWORD, "short")
    assert list(faults(easy)) == ["new_password", "new_password"][:1]
    done = await change(PASSWORD, NEW_PASSWORD)
    assert done.status_code == 204
    assert COOKIE not in rig.client.cookies
    assert refusal(await log_in(rig)) == (401, "NotAuthenticated")
    assert (await log_in(rig, password=NEW_PASSWORD)).status_code == 200


async def test_who_has_to_change_the_password_can_do_nothing_else(rig: RestRig) -> None:
    first = next(found for found in await rig.ledger.people.accounts() if found.name == "first")
    made = await rig.people.create_user(ROOT, name="nora", account=first.id, role=UserRole.ADMIN)
    (rig.folder / "first-run.json").write_text(json.dumps({"user": "nora"}), encoding="utf-8")
    who = (await log_in(rig, "nora", made.password)).json()
    assert who["must_change_password"]
    assert (await rig.call("GET", "/session", by=None)).json() == who
    for path in ("/capabilities", "/jobs/some"):
        answer = await rig.call("GET", path, by=None)
        assert refusal(answer) == (403, "AccessDenied")
        assert "password" in answer.json()["error"]["message"]
    body = {"password": made.password, "new_password": NEW_PASSWORD}
    headers = {"x-csrf-token": who["csrf_token"]}
    assert (await rig.call("PUT", "/session/password", by=None, json=body, headers=headers)).status_code == 204
    assert not (rig.folder / "first-run.json").exists()
    assert not (await log_in(rig, "nora", NEW_PASSWORD)).json()["must_change_password"]
    assert (await rig.call("GET", "/capabilities", by=None)).status_code == 200


async def test_failed_logins_have_to_wait(rig: RestRig) -> None:
    for _ in range(5):
        assert (await log_in(rig, password="wrong again")).status_code == 401
    answer = await log_in(rig)
    assert refusal(answer) == (429, "TooManyAttempts")
    assert int(answer.headers["retry-after"]) > 0


async def test_an_address_logs_in_so_often_only(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, with_settings=settings(server={"logins_per_minute": 2})) as rig:
        assert [(await log_in(rig)).status_code for _ in range(3)] == [200, 200, 429]
        answer = await log_in(rig, "vera")
        assert refusal(answer) == (429, "TooManyAttempts")
        assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_a_credential_calls_so_often_only(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, with_settings=settings(server={"calls_per_minute": 3})) as rig:
        answers = [await rig.call("GET", "/session") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert refusal(answers[3]) == (429, "TooManyCalls")
        assert 0 < int(answers[3].headers["retry-after"]) <= 60
        assert (await rig.call("GET", "/session", by="vera")).status_code == 200


async def test_a_session_ends_when_it_is_not_used(rig: RestRig) -> None:
    await log_in(rig)
    rig.clock.tick(8 * 3600)
    assert refusal(await rig.call("GET", "/session", by=None)) == (401, "InvalidToken")


async def test_logins_and_refused_writes_stand_in_the_audit_log(rig: RestRig) -> None:
    await log_in(rig, "vera")
    csrf = (await rig.call("GET", "/session", by=None)).json()["csrf_token"]
    job_id = await rig.made()
    await rig.call("POST", f"/jobs/{job_id}/pause", by=None, headers={"x-csrf-token": csrf})
    told = [(entry.actor, entry.action, entry.target, entry.outcome) for entry in await rig.told()]
    assert ("vera", "login", "vera", Outcome.DONE) in told
    assert ("vera", "pause-job", job_id, Outcome.REFUSED) in told
    assert "secret" not in str(told)


async def test_the_log_says_who_called_and_for_which_job(rig: RestRig) -> None:
    job_id = await rig.made()
    rig.logs.clear()
    await rig.call("GET", f"/jobs/{job_id}", by="vera")
    line = next(line for line in rig.logs if line["event"] == "call")
    assert (line["user"], line["via"], line["job_id"]) == ("vera", "rest", job_id)
    assert line["path"] == f"/api/v1/jobs/{job_id}"
