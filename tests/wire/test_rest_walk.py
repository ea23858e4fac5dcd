"""Every call of the JSON API, made by everybody who may and who may not. The calls come from the API itself: one that
is added later is walked over too, and one that nobody has classified fails."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.routing import Mount

from cosbatch.identity.tokens import TokenScope
from cosbatch.model.principals import UserRole
from cosbatch.web.rest.app import all_calls, bare_app, rest_routes
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.gate import GatedRoute
from cosbatch.wiring.rest import rest_desks
from tests.wire.rest_ids import ASKS_A_STORE, SHARED, ids_of_first_account
from tests.wire.rest_rig import ADMIN, OPERATOR, PASSWORD, ROOT, STRANGER, VIEWER, RestRig, refusal, rest_rig

CALLS: Final = all_calls()
KNOWN: Final = [call for call in CALLS if call.access is not Access.OPEN]
PARAMETER: Final = re.compile(r"\{(\w+)(?::path)?\}")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


def parameters(call: Call) -> list[str]:
    return PARAMETER.findall(call.path)


async def make(
    rig: RestRig,
    call: Call,
    ids: Mapping[str, str],
    *,
    by: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """With the body that the document shows. A parameter that nobody has classified is a KeyError: see rest_ids."""
    path = PARAMETER.sub(lambda found: {**SHARED, **ids}[found[1]], call.path)
    return await rig.call(call.method, path, by=by, json=call.asked, headers=headers)


def told(call: Call, answer: httpx.Response) -> str:
    return f"{call.operation_id}: {answer.status_code} {answer.text[:200]}"


async def refused_alike(
    rig: RestRig, calls: list[Call], expected: tuple[int, str], headers: Mapping[str, str] | None = None
) -> list[str]:
    """Those that are answered in another way."""
    ids = await ids_of_first_account(rig)
    wrong = []
    for call in calls:
        answer = await make(rig, call, ids, headers=headers)
        if answer.status_code != expected[0] or refusal(answer) != expected:
            wrong.append(told(call, answer))
    return wrong


# --- the calls are those of the application


async def test_every_route_is_a_call_with_a_gate(rig: RestRig) -> None:
    mounts = rest_routes(rest_desks(rig.parts))
    assert all(type(mount) is Mount for mount in mounts)
    routes = [route for mount in mounts for route in mount.routes]
    assert all(isinstance(route, GatedRoute) for route in routes)
    found = [(sorted(route.methods), route.path, route.operation_id) for route in routes]  # type: ignore[attr-defined]
    assert found == [([call.method], call.path, call.operation_id) for call in CALLS]


def test_every_call_has_an_id_of_its_own() -> None:
    assert len({call.operation_id for call in CALLS}) == len(CALLS)
    assert len({(call.method, call.path) for call in CALLS}) == len(CALLS)


def test_only_these_calls_are_open() -> None:
    """Whoever adds one has to say here that everybody may make it."""
    assert {call.operation_id for call in CALLS if call.access is Access.OPEN} == {"log_in", "get_openapi_document"}
    assert {call.operation_id for call in CALLS if call.access is Access.OWN} == {
        "get_session",
        "log_out",
        "change_password",
    }


def test_nothing_is_written_by_who_only_looks() -> None:
    """A call that writes nothing but takes a body may stand here."""
    written = {call.operation_id for call in CALLS if call.writes and call.access is Access.VIEWER}
    assert written <= {"check_job", "inspect_manifest"}


# --- who is not let in


async def test_nobody_is_let_in(rig: RestRig) -> None:
    assert await refused_alike(rig, KNOWN, (401, "NotAuthenticated")) == []


@pytest.mark.parametrize("sent", ["Bearer cosb_wrong", "Bearer coss_wrong", "bearer x"])
async def test_a_wrong_token_is_not_let_in(rig: RestRig, sent: str) -> None:
    assert await refused_alike(rig, KNOWN, (401, "InvalidToken"), {"authorization": sent}) == []


async def test_what_is_no_token_of_ours_names_nobody(rig: RestRig) -> None:
    for sent in ("Basic YTpi", "Bearer", "Bearer ", "x"):
        assert await refused_alike(rig, KNOWN, (401, "NotAuthenticated"), {"authorization": sent}) == []


async def test_a_token_that_was_revoked_or_is_over_is_not_let_in(rig: RestRig) -> None:
    made = [
        await rig.people.create_token(ROOT, user=ADMIN, scopes=frozenset(TokenScope), lasts_days=days)
        for days in (1, None)
    ]
    await rig.people.revoke_token(ROOT, made[1].token.id)
    rig.clock.tick(86_400)
    for token, code in zip(made, ("ExpiredToken", "InvalidToken"), strict=True):
        headers = {"authorization": f"Bearer {token.text}"}
        assert await refused_alike(rig, KNOWN, (401, code), headers) == []


async def test_a_user_who_is_disabled_is_not_let_in(rig: RestRig) -> None:
    headers = {"authorization": f"Bearer {await rig.token(ADMIN)}"}
    await rig.people.change_user(ROOT, ADMIN, is_disabled=True)
    assert await refused_alike(rig, KNOWN, (401, "InvalidToken"), headers) == []


# --- roles and scopes

ALL: Final = tuple(TokenScope)


@pytest.mark.parametrize(
    ("user", "scopes", "role"),
    [
        (VIEWER, ALL, UserRole.VIEWER),
        (OPERATOR, ALL, UserRole.OPERATOR),
        (ADMIN, ALL, UserRole.ADMIN),
        (ADMIN, (TokenScope.JOBS_READ,), UserRole.VIEWER),
        (ADMIN, (TokenScope.JOBS_WRITE,), UserRole.OPERATOR),
        (ADMIN, (TokenScope.ADMIN,), UserRole.ADMIN),
        (VIEWER, (TokenScope.ADMIN,), UserRole.VIEWER),
        (OPERATOR, (TokenScope.JOBS_READ,), UserRole.VIEWER),
    ],
)
async def test_a_role_may_do_what_is_its_own_and_no_more(
    rig: RestRig, user: str, scopes: tuple[TokenScope, ...], role: UserRole
) -> None:
    headers = {"authorization": f"Bearer {await rig.token(user, *scopes)}"}
    wrong = []
    for call in KNOWN:
        answer = await make(rig, call, await ids_of_first_account(rig, parameters(call)), headers=headers)
        needed = call.access.role
        if needed is None or role.may(needed):
            is_right = answer.status_code < 500 and answer.status_code not in (401, 403, 404, 405)
            if answer.status_code == 503 and call.operation_id in ASKS_A_STORE:
                is_right = refusal(answer) == (503, "StoreUnavailable")
        else:
            message = answer.json()["error"]["message"]
            is_right = refusal(answer) == (403, "AccessDenied") and f"takes the role {needed}" in message
        if not is_right:
            wrong.append(told(call, answer))
    assert wrong == []


# --- other accounts


async def test_what_another_account_has_is_not_there(rig: RestRig) -> None:
    wrong = []
    theirs = [found for name, found in (await ids_of_first_account(rig)).items() if name not in SHARED]
    for call in KNOWN:
        ids = await ids_of_first_account(rig, parameters(call))
        owned = [name for name in parameters(call) if name not in SHARED]
        answer = await make(rig, call, ids, by=STRANGER)
        if owned and answer.status_code != 404:
            wrong.append(told(call, answer))
        if any(found in answer.text for found in theirs):
            wrong.append(told(call, answer))
    assert wrong == []


async def test_what_another_account_has_is_told_as_what_is_not_there(rig: RestRig) -> None:
    wrong = []
    for call in [call for call in KNOWN if set(parameters(call)) - set(SHARED)]:
        ids = await ids_of_first_account(rig, parameters(call))
        theirs = await make(rig, call, ids, by=STRANGER)
        none = await make(rig, call, {name: f"{value}0" for name, value in ids.items()}, by=STRANGER)
        if _without_ids(theirs, ids) != _without_ids(none, ids):
            wrong.append(f"{told(call, theirs)} // {none.text[:200]}")
    assert wrong == []


def _without_ids(answer: httpx.Response, ids: Mapping[str, str]) -> Any:
    error = answer.json()["error"]
    text = f"{answer.status_code} {error['code']} {error['message']}"
    for found in ids.values():
        text = text.replace(f"{found}0", "*").replace(found, "*")
    return text


# --- sessions


async def session(rig: RestRig, user: str, password: str = PASSWORD) -> str:
    """The CSRF token of a session that the client now has the cookie of."""
    answer = await rig.call("POST", "/session", by=None, json={"user": user, "password": password})
    return str(answer.json()["csrf_token"])


@pytest.mark.parametrize("headers", [{}, {"x-csrf-token": "0" * 64}], ids=str)
async def test_no_write_of_a_session_goes_without_its_csrf_token(rig: RestRig, headers: dict[str, str]) -> None:
    await session(rig, ADMIN)
    writes = [call for call in KNOWN if call.writes]
    assert len(writes) > 5
    assert await refused_alike(rig, writes, (403, "CsrfRefused"), headers) == []


async def test_no_write_of_a_session_comes_from_another_page(rig: RestRig) -> None:
    csrf = await session(rig, ADMIN)
    writes = [call for call in CALLS if call.writes]
    headers = {"x-csrf-token": csrf, "origin": "https://evil.test"}
    assert await refused_alike(rig, writes, (403, "OriginRefused"), headers) == []


async def test_who_has_to_change_the_password_is_not_let_in_further(rig: RestRig) -> None:
    first = next(found for found in await rig.ledger.people.accounts() if found.name == "first")
    made = await rig.people.create_user(ROOT, name="nora", account=first.id, role=UserRole.ADMIN)
    csrf = await session(rig, "nora", made.password)
    calls = [call for call in KNOWN if call.access is not Access.OWN]
    assert await refused_alike(rig, calls, (403, "AccessDenied"), {"x-csrf-token": csrf}) == []


# --- what every call refuses


async def test_no_call_takes_a_parameter_that_nobody_knows(rig: RestRig) -> None:
    ids, token, wrong = await ids_of_first_account(rig), await rig.token(ADMIN), []
    for call in CALLS:
        path = PARAMETER.sub(lambda found: {**SHARED, **ids}[found[1]], call.path) + "?no_such_parameter=1"
        headers = {"authorization": f"Bearer {token}"}
        answer = await rig.call(call.method, path, by=None, json=call.asked, headers=headers)
        if answer.status_code != 400 or refusal(answer) != (400, "InvalidArgument"):
            wrong.append(told(call, answer))
    assert wrong == []


async def test_no_call_takes_what_is_no_json(rig: RestRig) -> None:
    ids, token, wrong = await ids_of_first_account(rig), await rig.token(ADMIN), []
    document = bare_app(CALLS, version="1").openapi()
    for call in [call for call in CALLS if "requestBody" in document["paths"][call.shown_path][call.method.lower()]]:
        path = "/api/v1" + PARAMETER.sub(lambda found: {**SHARED, **ids}[found[1]], call.path)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = await rig.client.request(call.method, path, content=b'{"a": [}', headers=headers)
        if answer.status_code != 400 or refusal(answer) != (400, "MalformedDocument"):
            wrong.append(told(call, answer))
    assert wrong == []
