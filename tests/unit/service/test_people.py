"""Admins manage what is theirs, each write is in the audit log, and accounts are walls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.identity.tokens import TokenScope
from cosbatch.ledger.people_port import NO_ACCOUNT, Outcome
from cosbatch.model.errors import InvalidArgument, NameTaken, NoSuchName, NotAllowed, RequestError
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Caller, UserRole
from cosbatch.service.people import People
from tests.contract.people import account, entry, key, token, user
from tests.unit.service.people_rig import FIRST, PASSWORD, ROOT, SECOND, PeopleRig

JOBS_READ = frozenset({TokenScope.JOBS_READ})


@pytest.fixture
async def rig() -> PeopleRig:
    made = PeopleRig()
    await made.furnish()
    return made


Verb = Callable[[People, Caller], Awaitable[Any]]
ON_BERTA: dict[str, Verb] = {
    "change-user": lambda people, caller: people.change_user(caller, "berta", role=UserRole.VIEWER),
    "disable-user": lambda people, caller: people.change_user(caller, "berta", is_disabled=True),
    "enable-user": lambda people, caller: people.change_user(caller, "berta", is_disabled=False),
    "reset-password": lambda people, caller: people.reset_password(caller, "berta"),
    "create-access-key": lambda people, caller: people.create_access_key(caller, user="berta"),
    "create-token": lambda people, caller: people.create_token(caller, user="berta", scopes=JOBS_READ),
}
CHANGES: dict[str, Verb] = ON_BERTA | {
    "create-user": lambda people, caller: people.create_user(caller, name="carla", account=SECOND),
    "disable-access-key": lambda people, caller: people.set_access_key_disabled(caller, "b-key"),
    "enable-access-key": lambda people, caller: people.set_access_key_disabled(caller, "b-key", is_disabled=False),
    "revoke-token": lambda people, caller: people.revoke_token(caller, "b-token"),
}
LOOKS: dict[str, Verb] = {
    "users": lambda people, caller: people.list_users(caller, account=SECOND),
    "keys": lambda people, caller: people.list_access_keys(caller, account=SECOND),
    "tokens": lambda people, caller: people.list_tokens(caller, account=SECOND),
    "audit": lambda people, caller: people.audit(caller, account=SECOND),
}


async def with_bertas_things(rig: PeopleRig) -> None:
    await rig.book.add_access_key(key("b-key", "berta", 2), sealed_secret="s", entry=entry("create-access-key"))
    await rig.book.add_token(token("b-token", "berta", 2), digest="d", entry=entry("create-token"))


@pytest.mark.parametrize("name", CHANGES)
async def test_every_write_is_in_the_log_of_the_account(rig: PeopleRig, name: str) -> None:
    await with_bertas_things(rig)
    await CHANGES[name](rig.people, await rig.caller("berta"))
    told = (await rig.told())[0]
    assert (told.account, told.actor, told.via, told.credential) == (SECOND, "berta", "rest", "token-1")
    assert (told.action, told.outcome) == (name, Outcome.DONE)
    assert told.target


@pytest.mark.parametrize("name", CHANGES | LOOKS)
async def test_what_belongs_to_another_account_does_not_exist(rig: PeopleRig, name: str) -> None:
    await with_bertas_things(rig)
    before = await rig.book.users(), await rig.book.access_keys(), await rig.book.tokens()
    with pytest.raises(NoSuchName):
        await (CHANGES | LOOKS)[name](rig.people, await rig.caller("anna"))
    assert (await rig.book.users(), await rig.book.access_keys(), await rig.book.tokens()) == before
    if name in CHANGES:
        told = (await rig.told())[0]
        assert (told.account, told.actor, told.action, told.outcome) == (FIRST, "anna", name, Outcome.REFUSED)
        assert told.detail.startswith("there is no ")


async def test_only_what_is_disabled_is_deleted(rig: PeopleRig) -> None:
    await with_bertas_things(rig)
    await rig.people.create_user(ROOT, name="bert", account=SECOND, role=UserRole.OPERATOR)
    berta = await rig.caller("berta")
    for refused in (rig.people.delete_user(berta, "bert"), rig.people.delete_access_key(berta, "b-key")):
        with pytest.raises(InvalidArgument, match="only what is disabled"):
            await refused
    await rig.people.change_user(berta, "bert", is_disabled=True)
    await rig.people.set_access_key_disabled(berta, "b-key")
    for refused in (rig.people.delete_user(await rig.caller("anna"), "bert"), rig.people.delete_access_key(berta, "x")):
        with pytest.raises(NoSuchName):
            await refused
    await rig.people.delete_user(berta, "bert")
    await rig.people.delete_access_key(berta, "b-key")
    told = [(entry.action, entry.target, entry.outcome) for entry in (await rig.told())[:2]]
    assert told == [("delete-access-key", "b-key", Outcome.DONE), ("delete-user", "bert", Outcome.DONE)]
    assert rig.forgotten == ["bert"]


async def test_a_declared_user_is_taken_out_of_the_settings(rig: PeopleRig) -> None:
    (known,) = [user for user in await rig.book.users() if user.name == "berta"]
    await rig.book.declare([], [replace(known, is_disabled=True)], entry=entry("declare"))
    with pytest.raises(NotAllowed, match="declared"):
        await rig.people.delete_user(ROOT, "berta")


async def test_the_refusal_is_the_same_as_for_what_nobody_has(rig: PeopleRig) -> None:
    anna = await rig.caller("anna")
    said = []
    for name in ("berta", "nobody"):
        with pytest.raises(NoSuchName) as refused:
            await rig.people.reset_password(anna, name)
        said.append(str(refused.value).replace(name, "X"))
    assert said[0] == said[1]


@pytest.mark.parametrize("name", CHANGES | LOOKS)
async def test_who_is_no_admin_may_not(rig: PeopleRig, name: str) -> None:
    await rig.people.create_user(ROOT, name="bert", account=SECOND, role=UserRole.OPERATOR)
    with pytest.raises(NotAllowed, match="needs the role admin, and yours is operator"):
        await (CHANGES | LOOKS)[name](rig.people, await rig.caller("bert"))
    if name in CHANGES:
        told = (await rig.told())[0]
        assert (told.actor, told.action, told.outcome) == ("bert", name, Outcome.REFUSED)


async def test_an_admin_sees_its_own_account_alone(rig: PeopleRig) -> None:
    await with_bertas_things(rig)
    anna = await rig.caller("anna")
    assert await rig.people.list_accounts(anna) == [account(1)]
    assert [each.name for each in await rig.people.list_users(anna)] == ["anna", "arno"]
    assert await rig.people.list_access_keys(anna) == []
    assert await rig.people.list_access_keys(anna, user="berta") == []
    assert await rig.people.list_tokens(anna) == []
    assert {line.entry.account for line in await rig.people.audit(anna)} == {FIRST}
    assert [each.name for each in await rig.people.list_users(ROOT)] == ["anna", "arno", "berta"]
    assert [each.name for each in await rig.people.list_users(ROOT, account=SECOND)] == ["berta"]


async def test_only_the_operator_makes_accounts(rig: PeopleRig) -> None:
    made = await rig.people.create_account(ROOT, name="third", uin="100000000042")
    assert (made.id, made.uin, len(made.appid), len(made.aws_account_id)) == ("account-third", "100000000042", 10, 12)
    assert made in await rig.book.accounts()
    with pytest.raises(NotAllowed, match="operator"):
        await rig.people.create_account(await rig.caller("anna"), name="fourth")
    with pytest.raises(NameTaken, match="uin"):
        await rig.people.create_account(ROOT, name="fourth", uin="100000000042")
    assert [(told.account, told.outcome) for told in (await rig.told())[:3]] == [
        (NO_ACCOUNT, Outcome.REFUSED),
        (FIRST, Outcome.REFUSED),
        (made.id, Outcome.DONE),
    ]


async def test_all_faults_of_an_account_are_told_at_once(rig: PeopleRig) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await rig.people.create_account(ROOT, name="a/b", uin="12a", appid="x" * 300, aws_account_id="123")
    assert [fault.path for fault in refused.value.faults] == ["name", "uin", "appid", "aws_account_id"]


@pytest.mark.parametrize("name", ["", "a b", "-a", "ä", "a" * 65, "a/b", "a\n"])
async def test_a_name_is_short_and_plain(rig: PeopleRig, name: str) -> None:
    with pytest.raises(InvalidArgument, match="no name"):
        await rig.people.create_user(ROOT, name=name, account=FIRST)


async def test_a_user_gets_a_password_that_has_to_be_changed_or_brings_one(rig: PeopleRig) -> None:
    drawn = await rig.people.create_user(ROOT, name="carla", account=FIRST)
    assert drawn.user.must_change_password
    assert len(drawn.password) >= 20
    given = await rig.people.create_user(ROOT, name="carlo", account=FIRST, password=PASSWORD)
    assert (given.password, given.user.must_change_password) == ("", False)
    assert not (await rig.sign_in.log_in(user="carlo", password=PASSWORD, address="")).must_change_password
    assert (await rig.sign_in.log_in(user="carla", password=drawn.password, address="")).must_change_password
    with pytest.raises(InvalidArgument, match="less than 12"):
        await rig.people.create_user(ROOT, name="carl", account=FIRST, password="short")


async def test_the_account_may_be_left_out_where_there_is_one(rig: PeopleRig) -> None:
    with pytest.raises(NoSuchName, match="company-1, company-2"):
        await rig.people.create_user(ROOT, name="carla")
    assert (await rig.people.create_user(await rig.caller("anna"), name="carla")).user.account == FIRST
    with pytest.raises(NoSuchName, match="make one first"):
        await PeopleRig().people.create_user(ROOT, name="carla")


async def test_what_is_declared_is_changed_in_the_settings(rig: PeopleRig) -> None:
    await rig.book.declare([account(1)], [user("arno")], entry=entry("declare"))
    with pytest.raises(NotAllowed, match="declared in the settings"):
        await rig.people.change_user(ROOT, "arno", is_disabled=True)
    assert await rig.people.reset_password(ROOT, "arno")
    assert (await rig.people.create_access_key(ROOT, user="arno")).key.user == "arno"


async def test_a_secret_is_in_no_value_that_is_kept_or_shown(rig: PeopleRig) -> None:
    key = await rig.people.create_access_key(ROOT, user="anna")
    token = await rig.people.create_token(ROOT, user="anna", scopes=JOBS_READ)
    made = await rig.people.create_user(ROOT, name="carla", account=FIRST)
    password = await rig.people.reset_password(ROOT, "anna")
    secrets = [key.secret_access_key, token.text, made.password, password]
    known = await rig.book.access_key(key.key.access_key_id)
    kept = [known, known and known.sealed_secret, await rig.book.token(token.token.id), await rig.book.user("anna")]
    shown = [repr(key), repr(token), repr(made), repr(await rig.book.audit()), *map(repr, kept)]
    assert not [secret for secret in secrets for text in shown if secret in text]
    assert rig.forgotten == ["anna"]


async def test_a_secret_that_is_taken_for_an_id_stands_nowhere(rig: PeopleRig) -> None:
    key = await rig.people.create_access_key(ROOT, user="anna")
    token = await rig.people.create_token(ROOT, user="anna", scopes=JOBS_READ)
    assert (await rig.people.revoke_token(ROOT, token.text)).id == token.token.id
    said = [repr((await rig.told())[0])]
    for call in (
        lambda: rig.people.set_access_key_disabled(ROOT, key.secret_access_key),
        lambda: rig.people.revoke_token(ROOT, f"{token.text}x"),
    ):
        with pytest.raises(NoSuchName) as refused:
            await call()
        said += [str(refused.value), repr((await rig.told())[0])]
    assert not [text for text in said if key.secret_access_key in text or token.text in text]


async def test_a_token_needs_a_scope_and_an_end_that_can_be(rig: PeopleRig) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await rig.people.create_token(ROOT, user="anna", scopes=frozenset(), lasts_days=0)
    assert [fault.path for fault in refused.value.faults] == ["scopes", "days"]
    made = await rig.people.create_token(ROOT, user="anna", scopes=JOBS_READ, lasts_days=2)
    assert made.token.expires_at == made.token.created_at + 172_800


@pytest.mark.parametrize("name", ON_BERTA)
async def test_nobody_is_told_of_without_being_there(name: str) -> None:
    rig = PeopleRig()
    with pytest.raises(RequestError):
        await ON_BERTA[name](rig.people, ROOT)
    assert [told.outcome for told in await rig.told()] == [Outcome.REFUSED]


# --- disabled accounts


async def test_only_the_operator_disables_an_account(rig: PeopleRig) -> None:
    anna = await rig.caller("anna")
    with pytest.raises(NotAllowed, match="by the operator"):
        await rig.people.set_account_disabled(anna, FIRST)
    told = (await rig.told())[0]
    assert (told.action, told.account, told.outcome) == ("disable-account", FIRST, Outcome.REFUSED)

    disabled = await rig.people.set_account_disabled(ROOT, FIRST)

    assert disabled.is_disabled
    assert disabled in await rig.people.list_accounts(ROOT)
    told = (await rig.told())[0]
    assert (told.action, told.account, told.target, told.outcome) == (
        "disable-account",
        FIRST,
        disabled.name,
        Outcome.DONE,
    )
    with pytest.raises(NoSuchName):
        await rig.people.set_account_disabled(ROOT, AccountId("account-9"))


async def test_a_declared_account_is_disabled_in_the_settings(rig: PeopleRig) -> None:
    await rig.book.declare(await rig.book.accounts(), await rig.book.users(), entry=entry("declare"))
    with pytest.raises(NotAllowed, match="declared in the settings"):
        await rig.people.set_account_disabled(ROOT, FIRST)
    assert not any(account.is_disabled for account in await rig.book.accounts())
