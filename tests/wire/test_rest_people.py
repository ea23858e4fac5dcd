"""Accounts, users, access keys and API tokens over the JSON API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cosbatch.ledger.people_port import NO_ACCOUNT, Outcome
from tests.wire.rest_rig import (
    ADMIN,
    OPERATOR,
    PASSWORD,
    STRANGER,
    VIEWER,
    RestRig,
    faults,
    refusal,
    rest_rig,
    settings,
)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    """Admins of the second account are the operators."""
    async with rest_rig(tmp_path, with_settings=settings(server={"operator_account": "second"})) as made:
        yield made


async def names(rig: RestRig, path: str, *, by: str, name: str = "name") -> list[str]:
    answer = await rig.call("GET", path, by=by)
    assert answer.status_code == 200, answer.text
    return [item[name] for item in answer.json()["items"]]


# --- accounts


async def test_the_operator_makes_accounts_and_sees_them_all(rig: RestRig) -> None:
    made = await rig.call("POST", "/accounts", by=STRANGER, json={"name": "third", "uin": "100000000003"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/accounts/third")
    assert (made.json()["name"], made.json()["uin"], made.json()["is_declared"]) == ("third", "100000000003", False)
    assert await names(rig, "/accounts", by=STRANGER) == ["first", "second", "third"]
    assert (await rig.call("GET", "/accounts/third", by=STRANGER)).json() == made.json()
    told = (await rig.told())[0]
    assert (told.action, told.actor, told.target, told.via) == ("create-account", STRANGER, "third", "rest")


async def test_an_admin_of_another_account_sees_the_own_one_and_makes_none(rig: RestRig) -> None:
    assert await names(rig, "/accounts", by=ADMIN) == ["first"]
    assert refusal(await rig.call("GET", "/accounts/second", by=ADMIN)) == (404, "NoSuchEntity")
    assert refusal(await rig.call("POST", "/accounts", by=ADMIN, json={"name": "third"})) == (403, "AccessDenied")
    change = {"is_disabled": True}
    assert refusal(await rig.call("PATCH", "/accounts/first", by=ADMIN, json=change)) == (403, "AccessDenied")
    assert (await rig.told())[0].outcome is Outcome.REFUSED


async def test_without_an_operators_account_nobody_makes_one(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, with_settings=settings(server={"operator_account": ""})) as rig:
        for who in (ADMIN, STRANGER):
            answer = await rig.call("POST", "/accounts", by=who, json={"name": "third"})
            assert refusal(answer) == (403, "AccessDenied")


async def test_an_account_is_disabled_and_enabled(rig: RestRig) -> None:
    disabled = await rig.call("PATCH", "/accounts/first", by=STRANGER, json={"is_disabled": True})
    assert disabled.json()["is_disabled"] is True
    assert refusal(await rig.call("GET", "/accounts", by=ADMIN)) == (401, "InvalidToken")
    await rig.call("PATCH", "/accounts/first", by=STRANGER, json={"is_disabled": False})
    assert await names(rig, "/accounts", by=ADMIN) == ["first"]


async def test_a_taken_name_and_a_wrong_number_are_told(rig: RestRig) -> None:
    taken = await rig.call("POST", "/accounts", by=STRANGER, json={"name": "first"})
    assert refusal(taken) == (409, "EntityAlreadyExists")
    wrong = await rig.call("POST", "/accounts", by=STRANGER, json={"name": "a b", "uin": "x"})
    assert refusal(wrong) == (400, "InvalidArgument")
    assert set(faults(wrong)) == {"name", "uin"}


# --- users


async def test_a_user_is_made_with_a_password_that_is_shown_once(rig: RestRig) -> None:
    made = await rig.call("POST", "/users", by=ADMIN, json={"name": "nora", "role": "operator"})
    assert made.status_code == 201, made.text
    assert (made.json()["user"]["account"], made.json()["user"]["role"]) == ("first", "operator")
    password = made.json()["password"]
    shown = await rig.call("GET", "/users/nora", by=ADMIN)
    assert shown.json() == made.json()["user"]
    assert password not in shown.text + str(await rig.told()) + str(rig.logs)
    login = {"user": "nora", "password": password}
    assert (await rig.call("POST", "/session", by=None, json=login)).json()["must_change_password"] is True


async def test_a_password_that_was_given_is_not_repeated(rig: RestRig) -> None:
    made = await rig.call("POST", "/users", by=ADMIN, json={"name": "nora", "password": PASSWORD})
    assert made.json()["password"] is None
    assert PASSWORD not in made.text
    short = await rig.call("POST", "/users", by=ADMIN, json={"name": "otto", "password": "hush"})
    assert refusal(short) == (400, "InvalidArgument")
    assert "hush" not in short.text


async def test_users_are_listed_page_by_page_within_the_account(rig: RestRig) -> None:
    first = (await rig.call("GET", "/users?limit=2", by=ADMIN)).json()
    second = (await rig.call("GET", f"/users?limit=2&cursor={first['next_cursor']}", by=ADMIN)).json()
    assert [user["name"] for user in first["items"] + second["items"]] == [ADMIN, OPERATOR, VIEWER]
    assert second["next_cursor"] is None
    assert await names(rig, "/users", by=STRANGER) == [ADMIN, STRANGER, OPERATOR, VIEWER]
    assert await names(rig, "/users?account=first", by=STRANGER) == [ADMIN, OPERATOR, VIEWER]
    assert refusal(await rig.call("GET", "/users?account=second", by=ADMIN)) == (404, "NoSuchEntity")
    assert refusal(await rig.call("GET", "/users?cursor=WyJhIl0x", by=ADMIN)) == (400, "InvalidArgument")
    assert refusal(await rig.call("GET", "/users?cursor=WzFd", by=ADMIN)) == (400, "InvalidArgument")


async def test_a_user_is_changed(rig: RestRig) -> None:
    changed = await rig.call("PATCH", f"/users/{VIEWER}", by=ADMIN, json={"role": "operator"})
    assert (changed.json()["role"], changed.json()["is_disabled"]) == ("operator", False)
    await rig.call("PATCH", f"/users/{VIEWER}", by=ADMIN, json={"is_disabled": True})
    assert refusal(await rig.call("GET", "/session", by=VIEWER)) == (401, "InvalidToken")
    assert refusal(await rig.call("PATCH", f"/users/{VIEWER}", by=ADMIN, json={})) == (400, "InvalidArgument")
    told = [entry.action for entry in await rig.told() if entry.actor == ADMIN]
    assert told == ["disable-user", "change-user"]


async def test_a_password_is_reset(rig: RestRig) -> None:
    answer = await rig.call("POST", f"/users/{VIEWER}/reset-password", by=ADMIN)
    login = {"user": VIEWER, "password": answer.json()["password"]}
    assert (await rig.call("POST", "/session", by=None, json=login)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/users/{ADMIN}", None),
        ("PATCH", f"/users/{ADMIN}", {"role": "viewer"}),
        ("POST", f"/users/{ADMIN}/reset-password", None),
        ("POST", "/access-keys", {"user": ADMIN}),
        ("POST", "/tokens", {"user": ADMIN, "scopes": ["admin"]}),
    ],
)
async def test_another_account_s_users_are_not_there(
    tmp_path: Path, method: str, path: str, body: dict[str, str] | None
) -> None:
    async with rest_rig(tmp_path) as rig:
        assert refusal(await rig.call(method, path, by=STRANGER, json=body)) == (404, "NoSuchEntity")


async def test_who_is_no_admin_sees_no_users(rig: RestRig) -> None:
    for who in (VIEWER, OPERATOR):
        assert refusal(await rig.call("GET", "/users", by=who)) == (403, "AccessDenied")


# --- access keys


async def test_an_access_key_shows_its_secret_once(rig: RestRig) -> None:
    made = await rig.call("POST", "/access-keys", by=ADMIN, json={"user": OPERATOR, "description": "nightly"})
    assert made.status_code == 201, made.text
    key, secret = made.json()["access_key"], made.json()["secret_access_key"]
    assert made.headers["cache-control"] == "no-store"
    listed = await rig.call("GET", "/access-keys", by=ADMIN)
    assert listed.json() == {"items": [key], "next_cursor": None}
    assert secret not in listed.text + str(await rig.told()) + str(rig.logs)
    found = await rig.parts.sign_in.signing_key(key["access_key_id"])
    assert found is not None
    assert found.secret_access_key == secret


async def test_a_key_is_disabled_at_once(rig: RestRig) -> None:
    made = await rig.call("POST", "/access-keys", by=ADMIN, json={"user": OPERATOR})
    key_id = made.json()["access_key"]["access_key_id"]
    assert (await rig.call("PATCH", f"/access-keys/{key_id}", by=ADMIN, json={"is_disabled": True})).status_code == 204
    assert await rig.parts.sign_in.signing_key(key_id) is None
    unknown = await rig.call("PATCH", "/access-keys/AKIDnone", by=ADMIN, json={"is_disabled": True})
    assert refusal(unknown) == (404, "NoSuchEntity")


async def test_only_a_disabled_key_is_deleted(rig: RestRig) -> None:
    made = await rig.call("POST", "/access-keys", by=ADMIN, json={"user": OPERATOR})
    path = f"/access-keys/{made.json()['access_key']['access_key_id']}"
    early = await rig.call("DELETE", path, by=ADMIN)
    assert (refusal(early), set(faults(early))) == ((400, "InvalidArgument"), {"access_key_id"})
    await rig.call("PATCH", path, by=ADMIN, json={"is_disabled": True})
    assert refusal(await rig.call("DELETE", path, by=VIEWER)) == (403, "AccessDenied")
    assert (await rig.call("DELETE", path, by=ADMIN)).status_code == 204
    assert (await rig.call("GET", "/access-keys", by=ADMIN)).json()["items"] == []
    assert refusal(await rig.call("DELETE", path, by=ADMIN)) == (404, "NoSuchEntity")


async def test_only_a_disabled_user_is_deleted_and_the_log_goes_on_naming_it(rig: RestRig) -> None:
    token = await rig.token(OPERATOR)
    job_id = await rig.made()
    path = f"/users/{OPERATOR}"
    early = await rig.call("DELETE", path, by=ADMIN)
    assert (refusal(early), set(faults(early))) == ((400, "InvalidArgument"), {"user"})
    await rig.call("PATCH", path, by=ADMIN, json={"is_disabled": True})
    assert refusal(await rig.call("DELETE", path, by=VIEWER)) == (403, "AccessDenied")
    assert (await rig.call("DELETE", path, by=ADMIN)).status_code == 204
    assert refusal(await rig.call("GET", path, by=ADMIN)) == (404, "NoSuchEntity")
    gone = await rig.call("GET", "/jobs", by=None, headers={"authorization": f"Bearer {token}"})
    assert gone.status_code == 401
    assert (await rig.call("GET", f"/jobs/{job_id}", by=VIEWER)).json()["creator"] == OPERATOR
    assert {entry.actor for entry in await rig.told()} >= {OPERATOR, ADMIN}


async def test_others_see_their_own_keys_and_tokens_alone(rig: RestRig) -> None:
    for user in (OPERATOR, VIEWER):
        await rig.call("POST", "/access-keys", by=ADMIN, json={"user": user})
    assert sorted(await names(rig, "/access-keys", by=ADMIN, name="user")) == [OPERATOR, VIEWER]
    assert await names(rig, "/access-keys", by=VIEWER, name="user") == [VIEWER]
    assert set(await names(rig, "/tokens", by=VIEWER, name="user")) == {VIEWER}
    for path in ("/access-keys", "/tokens"):
        assert refusal(await rig.call("GET", f"{path}?user={ADMIN}", by=VIEWER)) == (403, "AccessDenied")
        assert refusal(await rig.call("GET", f"{path}?account=second", by=VIEWER)) == (403, "AccessDenied")


# --- tokens


async def test_a_token_shows_its_text_once_and_is_revoked(rig: RestRig) -> None:
    form: dict[str, Any] = {"user": OPERATOR, "scopes": ["jobs:read"], "lasts_days": 1, "description": "nightly"}
    made = await rig.call("POST", "/tokens", by=ADMIN, json=form)
    assert made.status_code == 201, made.text
    token, text = made.json()["token"], made.json()["text"]
    assert (token["expires_at"], token["is_revoked"]) == ("2023-11-15T22:13:20.000Z", False)
    listed = await rig.call("GET", f"/tokens?user={OPERATOR}", by=ADMIN)
    assert token in listed.json()["items"]
    assert text not in listed.text + str(await rig.told()) + str(rig.logs)
    by_it = {"authorization": f"Bearer {text}"}
    assert (await rig.call("GET", "/session", by=None, headers=by_it)).json()["role"] == "viewer"
    assert (await rig.call("DELETE", f"/tokens/{token['id']}", by=ADMIN)).status_code == 204
    assert refusal(await rig.call("GET", "/session", by=None, headers=by_it)) == (401, "InvalidToken")


async def test_a_token_that_cannot_be_is_refused(rig: RestRig) -> None:
    wrong: list[dict[str, Any]] = [{"scopes": []}, {"scopes": ["jobs:all"]}, {"scopes": ["admin"], "lasts_days": 0}]
    for form in wrong:
        answer = await rig.call("POST", "/tokens", by=ADMIN, json={"user": OPERATOR, **form})
        assert refusal(answer) == (400, "InvalidArgument")


async def test_what_the_operator_does_belongs_to_the_service(rig: RestRig) -> None:
    await rig.call("POST", "/accounts", by=STRANGER, json={"name": "first"})
    refused = (await rig.told())[0]
    assert (refused.account, refused.actor, refused.outcome) == (NO_ACCOUNT, STRANGER, Outcome.REFUSED)
