"""Who comes in, and who does not: passwords, sessions, tokens, access keys."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cosbatch.identity.callers import KeyLookup
from cosbatch.identity.passwords import HashCost, Passwords
from cosbatch.identity.tokens import Session, TokenScope
from cosbatch.ledger.memory_people import MemoryPeople
from cosbatch.ledger.people_port import NO_ACCOUNT, AuditEntry, Outcome
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.errors import (
    AuthenticationReason,
    InvalidArgument,
    NotAllowed,
    NotAuthenticated,
    SealBroken,
    TooManyAttempts,
)
from cosbatch.model.principals import UserRole
from cosbatch.service.sign_in import LoggedIn
from tests.contract.ledgers import HandClock
from tests.contract.people import NOW, entry, key
from tests.unit.service.people_rig import (
    FIRST,
    HOME,
    LIMITS,
    NEW_PASSWORD,
    PASSWORD,
    QUICK,
    ROOT,
    SECOND,
    PeopleRig,
)


@pytest.fixture
async def rig() -> PeopleRig:
    made = PeopleRig()
    await made.furnish()
    await made.people.create_user(ROOT, name="carla", account=FIRST, role=UserRole.OPERATOR, password=PASSWORD)
    return made


async def log_in(rig: PeopleRig, user: str = "carla", password: str = PASSWORD, address: str = HOME) -> LoggedIn:
    return await rig.sign_in.log_in(user=user, password=password, address=address)


async def refusals(rig: PeopleRig, *, times: int, user: str = "carla", address: str = HOME) -> list[type[Exception]]:
    found: list[type[Exception]] = []
    for _ in range(times):
        try:
            await log_in(rig, user, "wrong", address)
        except (NotAuthenticated, TooManyAttempts) as refused:
            found.append(type(refused))
    return found


class TestPasswords:
    async def test_a_login_begins_a_session(self, rig: PeopleRig) -> None:
        entered = await log_in(rig)
        assert entered.text.startswith("coss_")
        assert entered.text not in repr(entered)
        caller = await rig.sign_in.caller_of_session(entered.text)
        assert caller == entered.caller
        assert (caller.user, caller.role, caller.account.id, caller.via) == (
            "carla",
            UserRole.OPERATOR,
            FIRST,
            "console",
        )
        told = (await rig.told())[0]
        assert (told.action, told.actor, told.outcome, told.detail) == ("login", "carla", Outcome.DONE, f"from {HOME}")

    async def test_every_wrong_login_is_answered_alike(self, rig: PeopleRig) -> None:
        await rig.people.create_user(ROOT, name="dora", account=FIRST, password=PASSWORD)
        await rig.people.change_user(ROOT, "dora", is_disabled=True)
        said = set()
        for user, password in [("carla", "wrong"), ("nobody", PASSWORD), ("dora", PASSWORD), ("arno", "")]:
            with pytest.raises(NotAuthenticated) as refused:
                await log_in(rig, user, password, address=f"of {user}")
            said.add((refused.value.code, refused.value.http_status, str(refused.value)))
        assert said == {("AccessDenied", 403, "the user's name or the password is wrong")}

    async def test_what_was_typed_is_nowhere(self, rig: PeopleRig) -> None:
        with capture_logs() as lines:
            found = await refusals(rig, times=4, user=PASSWORD)
            with pytest.raises(NotAuthenticated):
                await log_in(rig, user="carla", password="another secret")
        assert found[-1] is TooManyAttempts
        assert [(line["event"], line.get("user"), line["address"]) for line in lines[-2:]] == [
            ("login.too_many", None, HOME),
            ("login.failed", "carla", HOME),
        ]
        assert "another secret" not in repr(lines) + repr(await rig.told())
        assert PASSWORD not in repr(lines)
        told = (await rig.told())[1]
        assert (told.account, told.actor, told.target) == (NO_ACCOUNT, "(unknown)", "(unknown)")
        assert told.outcome is Outcome.REFUSED
        assert PASSWORD not in repr(await rig.told())

    async def test_failed_logins_of_a_user_at_an_address_have_to_wait(self, rig: PeopleRig) -> None:
        found = await refusals(rig, times=4)
        assert found == [NotAuthenticated] * 3 + [TooManyAttempts]
        with pytest.raises(TooManyAttempts, match="15 min") as refused:
            await log_in(rig)
        assert refused.value.retry_after_seconds == LIMITS.window_seconds
        await log_in(rig, address="198.51.100.7")
        rig.clock.tick(LIMITS.window_seconds)
        await log_in(rig)

    async def test_tries_at_the_same_time_count_too(self, rig: PeopleRig) -> None:
        tries = [log_in(rig, password="wrong") for _ in range(8)]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(each) for each in found].count(NotAuthenticated) == 3

    async def test_an_address_and_a_user_have_limits_of_their_own(self, rig: PeopleRig) -> None:
        found = [await refusals(rig, times=1, user=f"user-{number}") for number in range(6)]
        assert found == [[NotAuthenticated]] * 5 + [[TooManyAttempts]]
        found = [await refusals(rig, times=1, user="arno", address=f"at-{number}") for number in range(9)]
        assert found == [[NotAuthenticated]] * 8 + [[TooManyAttempts]]

    async def test_who_logs_in_often_is_never_held_up(self, rig: PeopleRig) -> None:
        for _ in range(20):
            await log_in(rig)
        await refusals(rig, times=2)
        await log_in(rig)
        assert await refusals(rig, times=3) == [NotAuthenticated] * 3

    async def test_a_hash_of_another_cost_is_made_anew(self, rig: PeopleRig) -> None:
        dearer = PeopleRig(rig.book, cost=HashCost(rounds=2, memory_kib=64, lanes=1))
        await dearer.sign_in.log_in(user="carla", password=PASSWORD, address=HOME)
        known = await rig.book.user("carla")
        assert known is not None
        assert ",t=2," in known.password_hash


class TestChangingIt:
    async def test_it_ends_sessions_and_is_told(self, rig: PeopleRig) -> None:
        entered = await log_in(rig)
        await rig.sign_in.change_password(user="carla", password=PASSWORD, new_password=NEW_PASSWORD, address=HOME)
        assert rig.forgotten == ["carla"]
        assert ((await rig.told())[0].action, (await rig.told())[0].actor) == ("change-password", "carla")
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_session(entered.text)
        with pytest.raises(NotAuthenticated):
            await log_in(rig)
        await log_in(rig, password=NEW_PASSWORD)

    async def test_a_password_that_was_given_has_to_be_changed_first(self, rig: PeopleRig) -> None:
        given = await rig.people.reset_password(ROOT, "carla")
        entered = await log_in(rig, password=given)
        assert entered.must_change_password
        with pytest.raises(NotAllowed, match="changed first"):
            await rig.sign_in.caller_of_session(entered.text)
        assert (await rig.sign_in.caller_of_session(entered.text, changes_password=True)).user == "carla"
        await rig.sign_in.change_password(user="carla", password=given, new_password=NEW_PASSWORD, address=HOME)
        entered = await log_in(rig, password=NEW_PASSWORD)
        assert not entered.must_change_password
        assert (await rig.sign_in.caller_of_session(entered.text)).user == "carla"

    @pytest.mark.parametrize(("new", "said"), [("short", "less than 12"), (PASSWORD, "the old one")])
    async def test_a_bad_one_is_refused(self, rig: PeopleRig, new: str, said: str) -> None:
        with pytest.raises(InvalidArgument, match=said):
            await rig.sign_in.change_password(user="carla", password=PASSWORD, new_password=new, address=HOME)
        await log_in(rig)

    async def test_it_needs_the_old_one(self, rig: PeopleRig) -> None:
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.change_password(user="carla", password="wrong", new_password=NEW_PASSWORD, address=HOME)
        await log_in(rig)
        assert rig.forgotten == []


class Overtaken(MemoryPeople):
    """Between the comparison of a password and what follows from it, an admin sets another one."""

    is_overtaken = False

    async def _overtake(self) -> None:
        if self.is_overtaken:
            entry = AuditEntry(account=FIRST, actor="root", via="cli", action="reset-password", target="carla")
            await super().set_password("carla", password_hash="another", must_change=True, entry=entry)

    async def add_session(self, session: Session, *, digest: str, password_hash: str, entry: AuditEntry) -> bool:
        await self._overtake()
        return await super().add_session(session, digest=digest, password_hash=password_hash, entry=entry)

    async def set_password(
        self, name: str, *, password_hash: str, must_change: bool, instead_of: str | None = None, entry: AuditEntry
    ) -> bool:
        await self._overtake()
        return await super().set_password(
            name, password_hash=password_hash, must_change=must_change, instead_of=instead_of, entry=entry
        )


async def test_a_password_that_was_reset_meanwhile_lets_nobody_in() -> None:
    book = Overtaken(HandClock(NOW))
    rig = PeopleRig(book)
    await rig.furnish()
    await rig.people.create_user(ROOT, name="carla", account=FIRST, password=PASSWORD)
    for call in (
        lambda: log_in(rig),
        lambda: rig.sign_in.change_password(
            user="carla", password=PASSWORD, new_password=NEW_PASSWORD, address="elsewhere"
        ),
    ):
        book.is_overtaken = False
        known = await Passwords(QUICK).hashed(PASSWORD)
        await book.set_password("carla", password_hash=known, must_change=False, entry=(await rig.told())[0])
        book.is_overtaken = True
        with pytest.raises(NotAuthenticated):
            await call()
        stored = await book.user("carla")
        assert stored is not None
        assert stored.password_hash == "another"
    assert rig.forgotten == []


class TestSessions:
    async def test_one_that_is_used_lasts_longer_but_not_for_ever(self, rig: PeopleRig) -> None:
        entered = await log_in(rig)
        while rig.clock.now() + LIMITS.idle_seconds - 1 < entered.session.expires_at:
            rig.clock.tick(LIMITS.idle_seconds - 1)
            await rig.sign_in.caller_of_session(entered.text)
        rig.clock.at = entered.session.expires_at
        with pytest.raises(NotAuthenticated, match="log in again"):
            await rig.sign_in.caller_of_session(entered.text)

    async def test_one_that_is_idle_ends(self, rig: PeopleRig) -> None:
        entered = await log_in(rig)
        rig.clock.tick(LIMITS.idle_seconds)
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_session(entered.text)

    async def test_logging_out_ends_it(self, rig: PeopleRig) -> None:
        entered, other = await log_in(rig), await log_in(rig)
        await rig.sign_in.log_out(entered.text)
        await rig.sign_in.log_out("coss_nothing")
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_session(entered.text)
        await rig.sign_in.caller_of_session(other.text)
        assert (await rig.told())[0].action == "logout"

    async def test_a_disabled_user_is_out(self, rig: PeopleRig) -> None:
        entered = await log_in(rig)
        await rig.people.change_user(ROOT, "carla", is_disabled=True)
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_session(entered.text)

    @pytest.mark.parametrize("text", ["", "coss_", "cosb_x", "coss_\udc80"])
    async def test_what_is_no_session_is_refused(self, rig: PeopleRig, text: str) -> None:
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_session(text)


class TestTokens:
    async def test_it_lets_what_its_scopes_let(self, rig: PeopleRig) -> None:
        made = await rig.people.create_token(ROOT, user="carla", scopes=frozenset({TokenScope.JOBS_READ}))
        caller = await rig.sign_in.caller_of_token(made.text)
        assert (caller.user, caller.role, caller.via, caller.credential) == (
            "carla",
            UserRole.VIEWER,
            "rest",
            made.token.id,
        )

    async def test_it_is_refused_when_revoked_expired_or_its_user_disabled(self, rig: PeopleRig) -> None:
        scopes = frozenset({TokenScope.ADMIN})
        revoked, expiring, good = [
            await rig.people.create_token(ROOT, user="carla", scopes=scopes, lasts_days=days)
            for days in (None, 1, None)
        ]
        await rig.people.revoke_token(ROOT, revoked.token.id)
        await rig.sign_in.caller_of_token(expiring.text)
        rig.clock.tick(86_400)
        for text, reason in [
            (revoked.text, AuthenticationReason.TOKEN_INVALID),
            (expiring.text, AuthenticationReason.TOKEN_EXPIRED),
            ("cosb_nothing", AuthenticationReason.TOKEN_INVALID),
            (good.token.id, AuthenticationReason.TOKEN_INVALID),
        ]:
            with pytest.raises(NotAuthenticated) as refused:
                await rig.sign_in.caller_of_token(text)
            assert refused.value.reason is reason
        assert (await rig.sign_in.caller_of_token(good.text)).role is UserRole.OPERATOR
        await rig.people.change_user(ROOT, "carla", is_disabled=True)
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_token(good.text)

    async def test_its_use_is_noted_once_a_minute(self, rig: PeopleRig) -> None:
        made = await rig.people.create_token(ROOT, user="carla", scopes=frozenset({TokenScope.JOBS_READ}))
        used = []
        for _ in range(4):
            await rig.sign_in.caller_of_token(made.text)
            [token] = await rig.people.list_tokens(ROOT, user="carla")
            assert token.last_used_at is not None
            used.append(rig.clock.now() - token.last_used_at)
            rig.clock.tick(25)
        assert used == [0, 25, 50, 0]


class TestAccessKeys:
    async def test_the_wires_find_the_key_and_its_caller(self, rig: PeopleRig) -> None:
        lookup: KeyLookup = rig.sign_in
        made = await rig.people.create_access_key(ROOT, user="berta")
        found = await lookup.signing_key(made.key.access_key_id)
        assert found is not None
        assert found.secret_access_key == made.secret_access_key
        assert (found.caller.user, found.caller.account.id, found.caller.credential) == (
            "berta",
            SECOND,
            made.key.access_key_id,
        )
        assert made.secret_access_key not in repr(found)
        assert await lookup.signing_key("AKIDnobody") is None

    async def test_a_disabled_key_or_user_signs_nothing(self, rig: PeopleRig) -> None:
        first, second = [await rig.people.create_access_key(ROOT, user="carla") for _ in range(2)]
        await rig.people.set_access_key_disabled(ROOT, first.key.access_key_id)
        assert await rig.sign_in.signing_key(first.key.access_key_id) is None
        assert await rig.sign_in.signing_key(second.key.access_key_id) is not None
        await rig.people.change_user(ROOT, "carla", is_disabled=True)
        assert await rig.sign_in.signing_key(second.key.access_key_id) is None
        await rig.people.change_user(ROOT, "carla", is_disabled=False)
        await rig.people.set_access_key_disabled(ROOT, first.key.access_key_id, is_disabled=False)
        assert await rig.sign_in.signing_key(first.key.access_key_id) is not None

    async def test_nobody_of_a_disabled_account_gets_in(self, rig: PeopleRig) -> None:
        key = await rig.people.create_access_key(ROOT, user="carla")
        token = await rig.people.create_token(ROOT, user="carla", scopes=frozenset({TokenScope.JOBS_READ}))
        entered, of_berta = await log_in(rig), await rig.people.create_access_key(ROOT, user="berta")

        await rig.people.set_account_disabled(ROOT, FIRST)

        assert await rig.sign_in.signing_key(key.key.access_key_id) is None
        for refused in (
            rig.sign_in.caller_of_token(token.text),
            rig.sign_in.caller_of_session(entered.text),
            log_in(rig),
        ):
            with pytest.raises(NotAuthenticated):
                await refused
        assert await rig.sign_in.signing_key(of_berta.key.access_key_id) is not None
        await rig.people.set_account_disabled(ROOT, FIRST, is_disabled=False)
        assert await rig.sign_in.signing_key(key.key.access_key_id) is not None
        await rig.sign_in.caller_of_token(token.text)
        await log_in(rig)
        with pytest.raises(NotAuthenticated):
            await rig.sign_in.caller_of_session(entered.text)

    async def test_its_use_is_noted_once_a_minute(self, rig: PeopleRig) -> None:
        made = await rig.people.create_access_key(ROOT, user="carla")
        used = []
        for _ in range(4):
            found = await rig.sign_in.signing_key(made.key.access_key_id)
            assert found is not None
            await rig.sign_in.used(found)
            [key] = await rig.people.list_access_keys(ROOT, user="carla")
            assert key.last_used_at is not None
            used.append(rig.clock.now() - key.last_used_at)
            rig.clock.tick(25)
        assert used == [0, 25, 50, 0]

    async def test_nobody_waits_for_a_ledger_that_is_locked(self, tmp_path: Path) -> None:
        rig = PeopleRig(await open_sqlite_people(tmp_path, clock=HandClock(NOW)))
        await rig.furnish()
        key = await rig.people.create_access_key(ROOT, user="anna")
        token = await rig.people.create_token(ROOT, user="anna", scopes=frozenset({TokenScope.JOBS_READ}))
        with (tmp_path / "ledger.lock").open() as lock, capture_logs() as lines:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = await rig.sign_in.signing_key(key.key.access_key_id)
            assert found is not None
            await rig.sign_in.used(found)
            assert (await rig.sign_in.caller_of_token(token.text)).user == "anna"
        told = [(line["event"], line["credential"]) for line in lines]
        assert told == [("use_not_written", key.key.access_key_id), ("use_not_written", token.token.id)]
        await rig.book.close()

    async def test_who_only_looks_for_it_does_not_use_it(self, rig: PeopleRig) -> None:
        made = await rig.people.create_access_key(ROOT, user="carla")
        await rig.sign_in.signing_key(made.key.access_key_id)
        [key] = await rig.people.list_access_keys(ROOT, user="carla")
        assert key.last_used_at is None

    async def test_a_sealed_secret_does_not_open_for_another_key(self, rig: PeopleRig) -> None:
        made = await rig.people.create_access_key(ROOT, user="anna")
        known = await rig.book.access_key(made.key.access_key_id)
        assert known is not None
        await rig.book.add_access_key(key("AKIDother"), sealed_secret=known.sealed_secret, entry=entry("forge"))
        with pytest.raises(SealBroken):
            await rig.sign_in.signing_key("AKIDother")
