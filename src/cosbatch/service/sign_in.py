"""Who comes in: by password, session, API token, or an access key of the wires.

Whatever is wrong with a login, its answer and the time that it takes are the same; and a name that nobody has is
written nowhere, because people type passwords where names belong.
"""

from __future__ import annotations

import asyncio
import hmac
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

import structlog

from cosbatch.identity.callers import SigningKey
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.passwords import Passwords, check_password
from cosbatch.identity.tokens import (
    SESSION_PREFIX,
    TOKEN_PREFIX,
    Session,
    digest,
    new_public_id,
    new_session_token,
    role_within,
)
from cosbatch.ledger.people_port import (
    NO_ACCOUNT,
    AuditEntry,
    KnownKey,
    KnownSession,
    KnownToken,
    KnownUser,
    Outcome,
    PeopleBook,
)
from cosbatch.model.clock import Clock
from cosbatch.model.errors import (
    AuthenticationReason,
    Fault,
    InvalidArgument,
    LedgerError,
    NotAllowed,
    NotAuthenticated,
    TooManyAttempts,
)
from cosbatch.model.principals import Caller
from cosbatch.service.audit import current_request_id
from cosbatch.service.people import secret_purpose

USED_EVERY_SECONDS: Final = 60.0
"""That a key, a token or a session was used is written down at most so often."""
NOTE_SECONDS: Final = 0.5
"""Longer nobody waits for that."""
_UNKNOWN: Final = "(unknown)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLimits:
    """How long a session lasts, and how many logins may fail in a window."""

    idle_seconds: float = 8 * 3600.0
    longest_seconds: float = 7 * 86_400.0
    window_seconds: float = 900.0
    tries_of_user_at_address: int = 5
    tries_of_address: int = 30
    tries_of_user: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A session that has just begun."""

    session: Session
    text: str = field(repr=False)
    """For the cookie; shown once."""
    caller: Caller
    must_change_password: bool


class SignIn:
    """Turns what a call brings into its Caller. Implements the port KeyLookup. Refusals are NotAuthenticated and
    TooManyAttempts."""

    def __init__(
        self,
        book: PeopleBook,
        *,
        cipher: Cipher,
        passwords: Passwords,
        clock: Clock,
        forget_first_run: Callable[[str], None],
        limits: SignInLimits | None = None,
    ) -> None:
        self._book = book
        self._cipher = cipher
        self._passwords = passwords
        self._clock = clock
        self._forget_first_run = forget_first_run
        self._limits = limits or SignInLimits()

    # --- the wires

    async def signing_key(self, access_key_id: str) -> SigningKey | None:
        known = await self._book.access_key(access_key_id)
        if known is None or known.key.is_disabled or _is_kept_out(known):
            return None
        secret = self._cipher.open(known.sealed_secret, purpose=secret_purpose(access_key_id))
        caller = Caller(
            account=known.account, user=known.user.name, role=known.user.role, via="cos", credential=access_key_id
        )
        return SigningKey(
            access_key_id=access_key_id,
            secret_access_key=secret.decode(),
            caller=caller,
            last_used_at=known.key.last_used_at,
        )

    async def used(self, key: SigningKey) -> None:
        if self._is_stale(key.last_used_at):
            writing = self._book.key_used(key.access_key_id, at=self._clock.now())
            await self._noted(writing, credential=key.access_key_id)

    async def _noted(self, writing: Awaitable[None], *, credential: str) -> None:
        """That it was used. A ledger that cannot be written now can still be read, and so can jobs: who comes in does
        not wait for it."""
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                await writing
        except (LedgerError, TimeoutError) as error:
            structlog.get_logger().warning("use_not_written", credential=credential, error=str(error) or "it lasts")

    # --- tokens

    async def caller_of_token(self, text: str) -> Caller:
        """Of a bearer token, with no more rights than its scopes let."""
        wanted = digest(text)
        known = await self._book.token_of(wanted) if text.startswith(TOKEN_PREFIX) else None
        if known is None or known.token.is_revoked or _is_kept_out(known):
            raise NotAuthenticated(AuthenticationReason.TOKEN_INVALID, "there is no such token, or it was revoked")
        if known.token.expires_at is not None and self._clock.now() >= known.token.expires_at:
            raise NotAuthenticated(AuthenticationReason.TOKEN_EXPIRED, "the token's time is over; make another")
        if self._is_stale(known.token.last_used_at):
            writing = self._book.token_used(known.token.id, at=self._clock.now())
            await self._noted(writing, credential=known.token.id)
        return Caller(
            account=known.account,
            user=known.user.name,
            role=role_within(known.user.role, known.token.scopes),
            via="rest",
            credential=known.token.id,
        )

    # --- sessions

    async def log_in(self, *, user: str, password: str, address: str) -> LoggedIn:
        """``address`` is the caller's. Who has to change the password can do nothing else with the session."""
        known = await self._proven(user=user, password=password, address=address, action="login")
        now, text = self._clock.now(), new_session_token()
        session = Session(
            id=new_public_id(),
            user=known.user.name,
            account=known.account.id,
            created_at=now,
            idle_until=now + self._limits.idle_seconds,
            expires_at=now + self._limits.longest_seconds,
            address=address,
        )
        entry = _entry(known, action="login", address=address, credential=session.id)
        is_in = await self._book.add_session(
            session, digest=digest(text), password_hash=known.password_hash, entry=entry
        )
        if not is_in:  # changed since it was compared
            await self._refuse(known, action="login", address=address)
        return LoggedIn(
            session=session,
            text=text,
            caller=_caller_of(known, session),
            must_change_password=known.user.must_change_password,
        )

    async def caller_of_session(self, text: str, *, changes_password: bool = False) -> Caller:
        """NotAllowed where the password has to be changed first, and this call does not do so."""
        known = await self._book.session(digest(text)) if text.startswith(SESSION_PREFIX) else None
        if known is None or known.session.is_over(self._clock.now()) or _is_kept_out(known):
            raise NotAuthenticated(AuthenticationReason.TOKEN_INVALID, "the session is over; log in again")
        if known.user.must_change_password and not changes_password:
            raise NotAllowed("the password has to be changed first")
        idle_until = self._clock.now() + self._limits.idle_seconds
        if idle_until - known.session.idle_until >= USED_EVERY_SECONDS:
            writing = self._book.session_used(known.session.id, idle_until=idle_until)
            await self._noted(writing, credential=known.session.id)
        owner = KnownUser(user=known.user, account=known.account, password_hash="")
        return _caller_of(owner, known.session)

    async def log_out(self, text: str) -> None:
        """Nothing happens where there is no such session."""
        known = await self._book.session(digest(text))
        if known is not None:
            owner = KnownUser(user=known.user, account=known.account, password_hash="")
            entry = _entry(owner, action="logout", address=known.session.address, credential=known.session.id)
            await self._book.end_session(known.session.id, entry=entry)

    async def change_password(self, *, user: str, password: str, new_password: str, address: str) -> None:
        """Ends all sessions of the user, also the one in which it was asked for."""
        known = await self._proven(user=user, password=password, address=address, action="change-password")
        check_password(new_password, user=user, path="new_password")
        if hmac.compare_digest(new_password.encode(errors="replace"), password.encode(errors="replace")):
            fault = Fault(path="new_password", value="", problem="it is the old one", way_out="take another")
            raise InvalidArgument("this password cannot be used", faults=[fault])
        is_set = await self._book.set_password(
            known.user.name,
            password_hash=await self._passwords.hashed(new_password),
            must_change=False,
            instead_of=known.password_hash,
            entry=_entry(known, action="change-password", address=address),
        )
        if not is_set:  # changed since it was compared
            await self._refuse(known, action="change-password", address=address)
        self._forget_first_run(known.user.name)

    # --- passwords

    async def _proven(self, *, user: str, password: str, address: str, action: str) -> KnownUser:
        """The user, if the password is its own. Counted as a failed try until that is known."""
        pair, of_address, of_user = (_subject(*of) for of in (("pair", user, address), ("at", address), ("user", user)))
        limits = {
            pair: self._limits.tries_of_user_at_address,
            of_address: self._limits.tries_of_address,
            of_user: self._limits.tries_of_user,
        }
        wait = await self._book.count_try(limits, window_seconds=self._limits.window_seconds)
        if wait:
            structlog.get_logger().warning("login.too_many", address=address, wait_seconds=round(wait))
            raise TooManyAttempts(
                f"too many logins have failed; try again in {math.ceil(wait / 60)} min", retry_after_seconds=wait
            )
        known = await self._book.user(user)
        verdict = await self._passwords.verdict(password, known.password_hash if known else None)
        if known is None or not verdict.is_right or _is_kept_out(known):
            await self._refuse(known, action=action, address=address)
        await self._book.forgive_tries([pair])
        for subject in (of_address, of_user):
            await self._book.take_back_try(subject)
        if verdict.better_hash:
            await self._book.improve_hash(user, old_hash=known.password_hash, new_hash=verdict.better_hash)
            return replace(known, password_hash=verdict.better_hash)
        return known

    async def _refuse(self, known: KnownUser | None, *, action: str, address: str) -> NoReturn:
        entry = _entry(known, action=action, address=address, outcome=Outcome.REFUSED)
        await self._book.record(entry)
        structlog.get_logger().warning("login.failed", user=entry.target, address=address)
        raise NotAuthenticated(AuthenticationReason.MISSING, "the user's name or the password is wrong")

    def _is_stale(self, used_at: float | None) -> bool:
        return used_at is None or self._clock.now() - used_at >= USED_EVERY_SECONDS


def _subject(*words: str) -> str:
    """Whose tries are counted. Hashed: what was typed as a name may be a password."""
    return digest("\0".join(words))


def _is_kept_out(known: KnownUser | KnownKey | KnownToken | KnownSession) -> bool:
    return known.user.is_disabled or known.account.is_disabled


def _caller_of(known: KnownUser, session: Session) -> Caller:
    return Caller(
        account=known.account, user=known.user.name, role=known.user.role, via="console", credential=session.id
    )


def _entry(
    known: KnownUser | None, *, action: str, address: str, credential: str = "", outcome: Outcome = Outcome.DONE
) -> AuditEntry:
    name = known.user.name if known else _UNKNOWN
    return AuditEntry(
        account=known.account.id if known else NO_ACCOUNT,
        actor=name,
        via="console",
        action=action,
        target=name,
        credential=credential,
        outcome=outcome,
        detail=f"from {address}" if address else "",
        request_id=current_request_id(),
    )
