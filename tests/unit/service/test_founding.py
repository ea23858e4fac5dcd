"""The first start makes what is needed to begin, once; and the settings' accounts and users are what they say."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from cosbatch.identity.passwords import Passwords
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.errors import InvalidArgument, NotAuthenticated
from cosbatch.model.principals import UserRole
from cosbatch.service.founding import (
    FIRST_RUN_FILE,
    DeclaredAccount,
    DeclaredUser,
    FirstRun,
    FirstRunFile,
    bootstrap,
    declare,
)
from tests.unit.service.people_rig import HOME, NEW_PASSWORD, QUICK, ROOT, PeopleRig

ACME = DeclaredAccount(name="acme", uin="100000000001", appid="1250000001", aws_account_id="111122223333")


async def first_start(rig: PeopleRig) -> FirstRun | None:
    return await bootstrap(rig.book, cipher=rig.cipher, passwords=Passwords(QUICK), clock=rig.clock)


async def declared(rig: PeopleRig, accounts: list[DeclaredAccount], users: list[DeclaredUser]) -> None:
    await declare(rig.book, accounts=accounts, users=users, clock=rig.clock)


async def test_the_first_start_makes_account_admin_and_key() -> None:
    rig = PeopleRig()
    made = await first_start(rig)
    assert made is not None
    [account] = await rig.book.accounts()
    assert (account.uin, account.appid, account.aws_account_id) == (made.uin, made.appid, made.account_id)
    assert [len(number) for number in (made.uin, made.appid, made.account_id)] == [12, 10, 12]
    assert all(number.isdigit() and number[0] != "0" for number in (made.uin, made.appid, made.account_id))
    key = await rig.sign_in.signing_key(made.secret_id)
    assert key is not None
    assert (key.secret_access_key, key.caller.user, key.caller.role) == (made.secret_key, "admin", UserRole.ADMIN)
    entered = await rig.sign_in.log_in(user=made.user, password=made.password, address=HOME)
    assert entered.must_change_password
    assert made.password not in repr(made)
    assert made.secret_key not in repr(made)
    assert await first_start(rig) is None
    assert [told.action for told in await rig.told()] == ["login", "bootstrap"]


async def test_of_services_that_start_at_once_one_is_the_first(tmp_path: Path) -> None:
    rigs = [PeopleRig(await open_sqlite_people(tmp_path)) for _ in range(4)]
    made = [each for each in await asyncio.gather(*[first_start(rig) for rig in rigs]) if each is not None]
    assert len(made) == 1
    for rig in rigs:
        assert await rig.sign_in.signing_key(made[0].secret_id) is not None
        assert len(await rig.book.accounts()) == 1
        await rig.book.close()


@pytest.mark.parametrize("way", ["by the user", "by an admin"])
async def test_the_first_change_of_the_password_deletes_the_file(tmp_path: Path, way: str) -> None:
    rig = PeopleRig()
    made = await first_start(rig)
    assert made is not None
    note = FirstRunFile(tmp_path)
    (tmp_path / FIRST_RUN_FILE).write_text(json.dumps({"user": made.user, "password": made.password}))
    if way == "by the user":
        await rig.sign_in.change_password(
            user=made.user, password=made.password, new_password=NEW_PASSWORD, address=HOME
        )
    else:
        await rig.people.reset_password(ROOT, made.user)
    assert rig.forgotten == [made.user]
    note.forget("another")
    assert (tmp_path / FIRST_RUN_FILE).exists()
    note.forget(made.user)
    assert not (tmp_path / FIRST_RUN_FILE).exists()
    note.forget(made.user)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"user": 3}'])
def test_a_file_that_is_another_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / FIRST_RUN_FILE).write_text(text)
    FirstRunFile(tmp_path).forget("admin")
    assert (tmp_path / FIRST_RUN_FILE).read_text() == text


async def test_two_services_with_one_declaration_mean_the_same_accounts(tmp_path: Path) -> None:
    rigs = [PeopleRig(await open_sqlite_people(tmp_path)) for _ in range(2)]
    users = [DeclaredUser(name="anna", account="acme", role=UserRole.ADMIN)]
    await asyncio.gather(*[declared(rig, [ACME], users) for rig in rigs])
    [account] = await rigs[1].book.accounts()
    assert (account.name, account.uin, account.is_declared) == ("acme", ACME.uin, True)
    assert [(user.name, user.account, user.is_declared) for user in await rigs[0].book.users()] == [
        ("anna", account.id, True)
    ]
    assert [told.action for told in await rigs[0].told()] == ["declare"]
    for rig in rigs:
        await rig.book.close()


async def test_a_user_of_an_account_that_was_made_by_hand_may_be_declared() -> None:
    rig = PeopleRig()
    await first_start(rig)
    await declared(rig, [], [DeclaredUser(name="anna", account="main", role=UserRole.VIEWER)])
    password = await rig.people.reset_password(ROOT, "anna")
    await rig.sign_in.log_in(user="anna", password=password, address=HOME)
    await declared(rig, [], [DeclaredUser(name="anna", account="main", role=UserRole.VIEWER, is_disabled=True)])
    with pytest.raises(NotAuthenticated):
        await rig.sign_in.log_in(user="anna", password=password, address=HOME)


async def test_all_that_is_wrong_with_a_declaration_is_told_at_once() -> None:
    rig = PeopleRig()
    accounts = [ACME, DeclaredAccount(name="a b", uin="x", appid="1", aws_account_id="1")]
    accounts += [DeclaredAccount(name="c", uin="", appid="2", aws_account_id="111122224444")]
    users = [
        DeclaredUser(name="anna", account="acmi", role=UserRole.VIEWER),
        DeclaredUser(name="b/c", account="acme", role=UserRole.VIEWER),
    ]
    with pytest.raises(InvalidArgument) as refused:
        await declared(rig, accounts, users)
    assert [fault.path for fault in refused.value.faults] == [
        "accounts.a b.name",
        "accounts.a b.uin",
        "accounts.a b.aws_account_id",
        "accounts.c.uin",
        "users.anna.account",
        "users.b/c.name",
    ]
    assert await rig.book.accounts() == []
