"""What each adapter of the PeopleBook port promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cosbatch.ledger.people_port import AuditEntry, AuditFilter, KnownUser, Outcome, PeopleBook, SealedText
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.errors import NameTaken, NoSuchName
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import UserRole
from tests.contract.ledgers import HandClock
from tests.contract.people import (
    BOOKS,
    NOW,
    account,
    entry,
    founding,
    key,
    open_book,
    session,
    token,
    two_companies,
    user,
)

FIRST, SECOND = AccountId("account-1"), AccountId("account-2")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture(params=BOOKS)
async def book(request: pytest.FixtureRequest, tmp_path: Path, clock: HandClock) -> AsyncIterator[PeopleBook]:
    opened = await open_book(request.param, tmp_path, clock)
    yield opened
    await opened.close()


async def actions(book: PeopleBook) -> list[str]:
    return [line.entry.action for line in await book.audit(limit=1000)]


# --- founding


async def test_founding_makes_account_admin_and_key_once(book: PeopleBook) -> None:
    first = founding()
    assert await book.found(first, entry=entry("found"))
    assert not await book.found(founding(2, "berta"), entry=entry("found"))
    assert await book.accounts() == [first.account]
    assert await book.user("anna") == KnownUser(user=first.user, account=first.account, password_hash="hash")
    known = await book.access_key("AKID-anna")
    assert known is not None
    assert (known.key, known.sealed_secret, known.user) == (first.key, "sealed", first.user)
    assert await actions(book) == ["found"]


async def test_one_of_several_services_founds(tmp_path: Path) -> None:
    books = [await open_sqlite_people(tmp_path) for _ in range(4)]
    told = await asyncio.gather(
        *[each.found(founding(number, f"admin-{number}"), entry=entry("found")) for number, each in enumerate(books)]
    )
    assert sorted(told) == [False, False, False, True]
    winner = told.index(True)
    assert [made.name for made in await books[0].users()] == [f"admin-{winner}"]
    for each in books:
        await each.close()


# --- declared ones


async def test_what_is_declared_is_kept_as_it_is_declared(book: PeopleBook) -> None:
    await two_companies(book)
    told = await actions(book)
    declared = replace(account(1), name="renamed", created_at=NOW + 5)
    users = [user("anna", role=UserRole.ADMIN), user("carla", is_disabled=False)]
    await book.declare([declared], users, entry=entry("declare"))
    assert (await book.accounts())[1] == replace(account(1), name="renamed", is_declared=True)
    [anna, _, _, carla] = await book.users()
    assert anna == user("anna", role=UserRole.ADMIN, is_declared=True)
    assert carla == user("carla", is_declared=True)
    found = await book.user("anna")
    assert found is not None
    assert found.password_hash == "hash of anna"
    await book.declare([declared], users, entry=entry("declare"))
    assert await actions(book) == ["declare", *told]


async def test_what_is_declared_no_longer_is_disabled_and_logged_out(book: PeopleBook) -> None:
    for _ in range(2):
        await book.declare([account(1)], [user("anna")], entry=entry("declare"))
        assert await book.accounts() == [account(1, is_declared=True)]
        assert await actions(book) == ["declare"]
    await book.add_session(session("s"), digest="d", password_hash="", entry=entry("login"))
    await book.declare([], [], entry=entry("declare"))
    assert await book.accounts() == [account(1)]
    assert await book.users() == [user("anna", is_disabled=True)]
    assert await book.session("d") is None


async def test_a_declaration_takes_nothing_from_others(book: PeopleBook) -> None:
    await two_companies(book)
    before = (await book.accounts(), await book.users(), await actions(book))
    with pytest.raises(NameTaken, match="company-2"):
        await book.declare([replace(account(3), uin=account(2).uin)], [], entry=entry("declare"))
    with pytest.raises(NameTaken, match="berta"):
        await book.declare([account(1)], [user("berta", 1)], entry=entry("declare"))
    assert (await book.accounts(), await book.users(), await actions(book)) == before


# --- accounts and users


@pytest.mark.parametrize("field", ["name", "uin", "appid", "aws_account_id", "id"])
async def test_each_number_belongs_to_one_account(book: PeopleBook, field: str) -> None:
    await two_companies(book)
    told = await actions(book)
    with pytest.raises(NameTaken, match="company-2"):
        await book.add_account(account(3, **{field: getattr(account(2), field)}), entry=entry("create-account"))
    assert await book.accounts() == [account(1), account(2)]
    assert await actions(book) == told


async def test_a_users_name_is_unique_in_the_service(book: PeopleBook) -> None:
    await two_companies(book)
    with pytest.raises(NameTaken, match="anna"):
        await book.add_user(user("anna", 2), password_hash="", entry=entry("create-user"))
    with pytest.raises(NoSuchName, match="account-9"):
        await book.add_user(user("carla", 9), password_hash="", entry=entry("create-user"))
    assert [made.name for made in await book.users()] == ["anna", "arno", "berta"]
    assert await book.users(account=SECOND) == [user("berta", 2)]
    assert await book.user("carla") is None


async def test_a_user_is_changed(book: PeopleBook) -> None:
    await two_companies(book)
    await book.add_session(session("s"), digest="d", password_hash="hash of anna", entry=entry("login"))
    await book.change_user("anna", role=UserRole.ADMIN, is_disabled=False, entry=entry("change-user"))
    assert await book.session("d") is not None
    await book.change_user("anna", role=UserRole.VIEWER, is_disabled=True, entry=entry("disable-user"))
    known = await book.user("anna")
    assert known is not None
    assert known.user == user("anna", role=UserRole.VIEWER, is_disabled=True)
    assert await book.session("d") is None


async def test_a_user_goes_with_what_it_came_in_with(book: PeopleBook) -> None:
    await two_companies(book)
    for owner in ("anna", "arno"):
        await book.add_session(
            session(f"s-{owner}", owner), digest=owner, password_hash=f"hash of {owner}", entry=entry("login")
        )
        await book.add_access_key(key(f"k-{owner}", owner), sealed_secret="s", entry=entry("create-access-key"))
        await book.add_token(token(f"t-{owner}", owner), digest=f"t-{owner}", entry=entry("create-token"))
    await book.remove_user("anna", entry=entry("delete-user", "anna"))
    assert [made.name for made in await book.users()] == ["arno", "berta"]
    assert (await book.user("anna"), await book.session("anna"), await book.token_of("t-anna")) == (None, None, None)
    assert await book.session("arno") is not None
    assert [found.access_key_id for found in await book.access_keys()] == ["k-arno"]
    assert [found.id for found in await book.tokens()] == ["t-arno"]
    assert (await book.audit())[0].entry.target == "anna"
    await book.add_user(user("anna"), password_hash="h", entry=entry("create-user"))
    assert await book.access_keys(user="anna") == []


async def test_a_new_password_ends_the_sessions(book: PeopleBook) -> None:
    await two_companies(book)
    await book.add_session(session("s"), digest="d", password_hash="hash of anna", entry=entry("login"))
    await book.add_session(session("t", "arno"), digest="e", password_hash="hash of arno", entry=entry("login"))
    await book.set_password("anna", password_hash="new", must_change=True, entry=entry("reset-password"))
    known = await book.user("anna")
    assert known is not None
    assert (known.password_hash, known.user.must_change_password) == ("new", True)
    assert await book.session("d") is None
    assert await book.session("e") is not None


async def test_a_better_hash_does_not_undo_a_new_password(book: PeopleBook) -> None:
    await two_companies(book)
    await book.improve_hash("anna", old_hash="hash of anna", new_hash="better")
    await book.improve_hash("anna", old_hash="hash of anna", new_hash="late")
    known = await book.user("anna")
    assert known is not None
    assert known.password_hash == "better"


@pytest.mark.parametrize(
    "what", ["account", "user", "password", "access key", "token", "key of nobody", "token of nobody"]
)
async def test_what_nobody_has_is_refused_and_not_in_the_log(book: PeopleBook, what: str) -> None:
    await two_companies(book)
    told = await actions(book)
    told_of = entry("change")
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "account": lambda: book.change_account(AccountId("x"), is_disabled=True, entry=told_of),
        "user": lambda: book.change_user("x", role=UserRole.VIEWER, is_disabled=True, entry=told_of),
        "password": lambda: book.set_password("x", password_hash="", must_change=False, entry=told_of),
        "access key": lambda: book.set_key_disabled("x", is_disabled=True, entry=told_of),
        "token": lambda: book.revoke_token("x", entry=told_of),
        "key of nobody": lambda: book.add_access_key(key("k", "x"), sealed_secret="s", entry=told_of),
        "token of nobody": lambda: book.add_token(token("t", "x"), digest="d", entry=told_of),
    }
    with pytest.raises(NoSuchName, match="'x'"):
        await calls[what]()
    assert await actions(book) == told


# --- access keys and tokens


async def test_an_access_key_is_removed(book: PeopleBook) -> None:
    await two_companies(book)
    for name in ("k1", "k2"):
        await book.add_access_key(key(name), sealed_secret="s", entry=entry("create-access-key"))
    await book.remove_access_key("k1", entry=entry("delete-access-key", "k1"))
    await book.key_used("k1", at=NOW)
    assert await book.access_key("k1") is None
    assert [found.access_key_id for found in await book.access_keys()] == ["k2"]
    with pytest.raises(NoSuchName):
        await book.remove_access_key("k1", entry=entry("delete-access-key", "k1"))
    with pytest.raises(NoSuchName):
        await book.remove_user("x", entry=entry("delete-user", "x"))
    assert (await actions(book)).count("delete-access-key") == 1


async def test_access_keys(book: PeopleBook) -> None:
    await two_companies(book)
    made = [key("k1"), key("k2", "arno"), key("k3", "berta", 2)]
    for each in made:
        await book.add_access_key(each, sealed_secret=f"s {each.access_key_id}", entry=entry("create-access-key"))
    with pytest.raises(NameTaken):
        await book.add_access_key(key("k1", "arno"), sealed_secret="s", entry=entry("create-access-key"))
    assert await book.access_keys() == made
    assert await book.access_keys(account=FIRST) == made[:2]
    assert await book.access_keys(user="arno") == [made[1]]
    await book.key_used("k1", at=NOW + 7)
    await book.set_key_disabled("k1", is_disabled=True, entry=entry("disable-access-key"))
    known = await book.access_key("k1")
    assert known is not None
    assert known.key == replace(made[0], is_disabled=True, last_used_at=NOW + 7)
    assert (known.sealed_secret, known.user.name, known.account) == ("s k1", "anna", account(1))
    assert await book.access_key("k4") is None


async def test_tokens(book: PeopleBook) -> None:
    await two_companies(book)
    made = [token("t1"), token("t2", "berta", 2)]
    for each in made:
        await book.add_token(each, digest=f"d {each.id}", entry=entry("create-token"))
    with pytest.raises(NameTaken):
        await book.add_token(token("t1", "arno"), digest="other", entry=entry("create-token"))
    assert await book.tokens() == made
    assert await book.tokens(account=SECOND) == await book.tokens(user="berta") == [made[1]]
    await book.token_used("t1", at=NOW + 7)
    await book.revoke_token("t1", entry=entry("revoke-token"))
    by_digest, by_id = await book.token_of("d t1"), await book.token("t1")
    assert by_digest is not None
    assert by_digest == by_id
    assert by_digest.token == replace(made[0], is_revoked=True, last_used_at=NOW + 7)
    assert (by_digest.user.name, by_digest.account) == ("anna", account(1))
    assert await book.token_of("t1") is None
    assert await book.token("x") is None


# --- logging in


async def test_tries_are_limited_within_a_window(book: PeopleBook, clock: HandClock) -> None:
    limits = {"anna": 2, "192.0.2.1": 3}
    assert [await book.count_try(limits, window_seconds=60) for _ in range(2)] == [0, 0]
    clock.tick(20)
    assert await book.count_try(limits, window_seconds=60) == pytest.approx(40, abs=0.01)
    assert await book.count_try({"192.0.2.1": 3}, window_seconds=60) == 0
    assert await book.count_try({"192.0.2.1": 3}, window_seconds=60) > 0
    await book.take_back_try("192.0.2.1")
    assert await book.count_try({"192.0.2.1": 3}, window_seconds=60) == 0
    await book.forgive_tries(["anna", "nobody"])
    assert await book.count_try({"anna": 2}, window_seconds=60) == 0
    clock.tick(41)
    assert await book.count_try({"192.0.2.1": 3}, window_seconds=60) == 0
    await book.take_back_try("nobody")


async def test_sessions(book: PeopleBook) -> None:
    await two_companies(book)
    await book.add_session(session("s"), digest="d", password_hash="hash of anna", entry=entry("login"))
    known = await book.session("d")
    assert known is not None
    assert (known.session, known.user.name, known.account) == (session("s"), "anna", account(1))
    await book.session_used("s", idle_until=NOW + 150)
    used = await book.session("d")
    assert used is not None
    assert used.session == replace(session("s"), idle_until=NOW + 150)
    await book.add_session(
        session("t", created_at=NOW + 1000), digest="e", password_hash="hash of anna", entry=entry("login")
    )
    assert await book.session("d") is None
    told = await actions(book)
    await book.end_session("t", entry=entry("logout"))
    await book.end_session("t", entry=entry("logout"))
    assert await book.session("e") is None
    assert await actions(book) == ["logout", *told]
    await book.session_used("t", idle_until=NOW)


# --- the audit log, and secrets at rest


async def test_a_session_needs_the_password_that_holds_now(book: PeopleBook) -> None:
    await two_companies(book)
    told = await actions(book)
    assert not await book.add_session(session("s"), digest="d", password_hash="old", entry=entry("login"))
    assert not await book.add_session(session("s", "x"), digest="d", password_hash="", entry=entry("login"))
    assert await actions(book) == told
    await book.change_user("anna", is_disabled=True, entry=entry("disable-user"))
    assert not await book.add_session(session("s"), digest="d", password_hash="hash of anna", entry=entry("login"))
    assert await book.session("d") is None


async def test_a_disabled_account_is_seen_wherever_its_users_come_in(book: PeopleBook) -> None:
    await two_companies(book)
    await book.add_access_key(key("k"), sealed_secret="s", entry=entry("create-access-key"))
    await book.add_token(token("t"), digest="of token", entry=entry("create-token"))
    for name, number in (("anna", 1), ("berta", 2)):
        begun = session(f"s of {name}", name, number=number)
        assert await book.add_session(begun, digest=name, password_hash=f"hash of {name}", entry=entry("login"))

    await book.change_account(AccountId("account-1"), is_disabled=True, entry=entry("disable-account"))

    known = [await book.user("anna"), await book.access_key("k"), await book.token("t")]
    assert [found is not None and found.account.is_disabled for found in known] == [True] * 3
    assert [account.is_disabled for account in await book.accounts()] == [True, False]
    assert await book.session("anna") is None
    assert await book.session("berta") is not None
    begun = session("later")
    assert not await book.add_session(begun, digest="d", password_hash="hash of anna", entry=entry("login"))
    assert (await actions(book))[0] == "disable-account"

    await book.change_account(AccountId("account-1"), is_disabled=False, entry=entry("enable-account"))
    assert await book.add_session(begun, digest="d", password_hash="hash of anna", entry=entry("login"))
    assert [account.is_disabled for account in await book.accounts()] == [False, False]


async def test_the_settings_disable_a_declared_account(book: PeopleBook) -> None:
    await book.declare([account(1)], [user("anna")], entry=entry("declare"))
    await book.set_password("anna", password_hash="h", must_change=False, entry=entry("reset-password"))
    assert await book.add_session(session("s"), digest="d", password_hash="h", entry=entry("login"))

    await book.declare([account(1, is_disabled=True)], [user("anna")], entry=entry("declare"))

    assert [found.is_disabled for found in await book.accounts()] == [True]
    assert await book.session("d") is None
    await book.declare([], [], entry=entry("declare"))
    assert [(found.is_disabled, found.is_declared) for found in await book.accounts()] == [(True, False)]


async def test_a_password_is_changed_from_the_one_that_holds_now(book: PeopleBook) -> None:
    await two_companies(book)
    changes = [("old", "first"), ("hash of anna", "second"), ("hash of anna", "third"), (None, "fourth")]
    done = [
        await book.set_password("anna", password_hash=new, must_change=False, instead_of=old, entry=entry(new))
        for old, new in changes
    ]
    assert done == [False, True, False, True]
    assert (await actions(book))[:3] == ["fourth", "second", "create-user"]


async def test_what_two_admins_change_at_once_is_both_kept(book: PeopleBook) -> None:
    await two_companies(book)
    await book.change_user("anna", is_disabled=True, entry=entry("disable-user"))
    await book.change_user("anna", role=UserRole.ADMIN, entry=entry("change-user"))
    known = await book.user("anna")
    assert known is not None
    assert (known.user.role, known.user.is_disabled) == (UserRole.ADMIN, True)


async def test_the_log_is_read_from_its_end(book: PeopleBook, clock: HandClock) -> None:
    told = [
        AuditEntry(account=account_id, actor="anna", via="rest", action=f"a{n}", target="t", outcome=Outcome.REFUSED)
        for n, account_id in enumerate([FIRST, SECOND, FIRST, FIRST])
    ]
    for each in told:
        clock.tick()
        await book.record(each)
    lines = await book.audit()
    assert [line.entry for line in lines] == list(reversed(told))
    assert [line.at for line in lines] == [NOW + 4, NOW + 3, NOW + 2, NOW + 1]
    newest = await book.audit(account=FIRST, limit=2)
    assert [line.entry.action for line in newest] == ["a3", "a2"]
    rest = await book.audit(account=FIRST, before=newest[-1].id)
    assert [line.entry.action for line in rest] == ["a0"]


async def test_the_log_is_searched(book: PeopleBook, clock: HandClock) -> None:
    for actor, action, target, outcome in (
        ("anna", "create-user", "carla", Outcome.DONE),
        ("anna", "create-user", "dora", Outcome.REFUSED),
        ("berta", "delete-job", "j1", Outcome.DONE),
        ("anna", "delete-job", "j1", Outcome.DONE),
    ):
        clock.tick()
        told = AuditEntry(account=FIRST, actor=actor, via="rest", action=action, target=target, outcome=outcome)
        await book.record(replace(told, request_id=f"of {clock.now() - NOW:g}"))

    async def found(account: AccountId = FIRST, **wanted: Any) -> list[str]:
        lines = await book.audit(account=account, wanted=AuditFilter(**wanted))
        return [line.entry.request_id.removeprefix("of ") for line in lines]

    assert await found(actor="anna") == ["4", "2", "1"]
    assert await found(action="delete-job", target="j1") == ["4", "3"]
    assert await found(outcome=Outcome.REFUSED) == ["2"]
    assert await found(since=NOW + 2, until=NOW + 4) == ["3", "2"]
    assert await found(actor="berta", action="create-user") == []
    assert await found(SECOND, actor="anna") == []
    newest = await book.audit(limit=1, wanted=AuditFilter(actor="anna"))
    rest = await book.audit(before=newest[0].id, wanted=AuditFilter(actor="anna"))
    assert [line.entry.target for line in rest] == ["dora", "carla"]


async def test_every_sealed_secret_is_sealed_again_or_none(book: PeopleBook) -> None:
    assert not await book.has_sealed()
    await two_companies(book)
    for name in ("k1", "k2"):
        await book.add_access_key(key(name), sealed_secret=f"old {name}", entry=entry("create-access-key"))
    assert await book.has_sealed()
    seen = []

    def fail(sealed: SealedText) -> str:
        seen.append(sealed)
        if len(seen) == 2:
            raise ValueError("broken")
        return "new"

    with pytest.raises(ValueError, match="broken"):
        await book.reseal(fail, entry=entry("rotate-key"))
    assert sorted(seen, key=lambda sealed: sealed.text) == [
        SealedText(text="old k1", purpose="access key k1"),
        SealedText(text="old k2", purpose="access key k2"),
    ]
    known = [await book.access_key(name) for name in ("k1", "k2")]
    assert [each.sealed_secret for each in known if each] == ["old k1", "old k2"]
    assert "rotate-key" not in await actions(book)
    assert await book.reseal(lambda sealed: sealed.text.replace("old", "new"), entry=entry("rotate-key")) == 2
    known = [await book.access_key(name) for name in ("k1", "k2")]
    assert [each.sealed_secret for each in known if each] == ["new k1", "new k2"]
    assert (await actions(book))[0] == "rotate-key"
