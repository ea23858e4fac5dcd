"""What the service asks of the book in which accounts, users and their keys stand.

Every change brings the entry of the audit log that tells of it, and both are made in one transaction or neither is.
Names that are taken raise :class:`NameTaken`, names that nothing has :class:`NoSuchName`; nothing is changed then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from cosbatch.identity.tokens import ApiToken, Session
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, User, UserRole

SECRET_PURPOSE: Final = "access key {id}"  # noqa: S105  # what the secret of an access key is sealed for
NO_ACCOUNT: Final = AccountId("")
"""In the audit log: what belongs to the service as a whole."""


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, on what, and whether it was done. Never a secret."""

    account: AccountId
    """Whose admins may read it: that of what was changed."""
    actor: str
    via: str
    action: str
    """The verb, as the command line has it: ``create-user``."""
    target: str
    outcome: Outcome = Outcome.DONE
    credential: str = ""
    detail: str = ""
    request_id: str = ""
    """Of the call by which it was asked for, as in the service's log; empty where it was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """An entry as it stands in the log."""

    id: int
    at: float
    entry: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines of the log are wanted: those that fit all that is given. Texts have to be the same."""

    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: Outcome | None = None
    since: float | None = None
    """Unix seconds; at this time or later."""
    until: float | None = None
    """Unix seconds; before this time."""


ALL_LINES: Final = AuditFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUser:
    """A user with its account, and what its password is compared with."""

    user: User
    account: Account
    password_hash: str = field(repr=False)
    """Empty: it cannot log in with a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """An access key with its owner."""

    key: AccessKey
    sealed_secret: str = field(repr=False)
    user: User
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToken:
    token: ApiToken
    user: User
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSession:
    session: Session
    user: User
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """The first account, its admin, and the admin's access key."""

    account: Account
    user: User
    password_hash: str = field(repr=False)
    key: AccessKey
    sealed_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedText:
    """One sealed secret of the ledger."""

    text: str = field(repr=False)
    purpose: str
    narrowed: str = ""
    """The purpose of the narrowed cipher that sealed it; empty for the whole one."""


Reseal = Callable[[SealedText], str]
"""Gives the same secret, sealed with the key that is current now."""


class PeopleBook(Protocol):
    """All times are Unix seconds. ``account=None`` means all accounts."""

    async def close(self) -> None: ...

    # --- accounts and users

    async def found(self, founding: Founding, *, entry: AuditEntry) -> bool:
        """Makes all of it where there is no account at all; False, and nothing, where there is one. Of several that
        ask at once one is told True."""
        ...

    async def declare(self, accounts: Sequence[Account], users: Sequence[User], *, entry: AuditEntry) -> None:
        """What the settings declare, as it stands there now. What was declared once and is no longer stays, an account
        as one like any other, a user disabled. An account or user that was made by hand is taken over. The entry is
        written only where something changed. NameTaken where another account has a number, or a user is of another."""
        ...

    async def add_account(self, account: Account, *, entry: AuditEntry) -> None:
        """NameTaken where another account has its name or one of its numbers."""
        ...

    async def accounts(self) -> list[Account]:
        """By name."""
        ...

    async def change_account(self, account: AccountId, *, is_disabled: bool, entry: AuditEntry) -> None:
        """Disabling ends the sessions of its users."""
        ...

    async def add_user(self, user: User, *, password_hash: str, entry: AuditEntry) -> None: ...

    async def user(self, name: str) -> KnownUser | None: ...

    async def users(self, *, account: AccountId | None = None) -> list[User]:
        """By name."""
        ...

    async def change_user(
        self, name: str, *, role: UserRole | None = None, is_disabled: bool | None = None, entry: AuditEntry
    ) -> None:
        """What is None stays as it is. Disabling ends the user's sessions."""
        ...

    async def set_password(
        self, name: str, *, password_hash: str, must_change: bool, instead_of: str | None = None, entry: AuditEntry
    ) -> bool:
        """Ends the user's sessions too. ``instead_of``: only where the hash is still this one; else False, and nothing
        is changed."""
        ...

    async def improve_hash(self, name: str, *, old_hash: str, new_hash: str) -> None:
        """The same password, hashed at another cost. Nothing happens where the hash is no longer ``old_hash``."""
        ...

    async def remove_user(self, name: str, *, entry: AuditEntry) -> None:
        """With its access keys, tokens and sessions. Jobs and the audit log go on naming it."""
        ...

    # --- access keys and tokens

    async def add_access_key(self, key: AccessKey, *, sealed_secret: str, entry: AuditEntry) -> None: ...

    async def access_key(self, access_key_id: str) -> KnownKey | None: ...

    async def access_keys(self, *, account: AccountId | None = None, user: str | None = None) -> list[AccessKey]:
        """By creation."""
        ...

    async def set_key_disabled(self, access_key_id: str, *, is_disabled: bool, entry: AuditEntry) -> None: ...

    async def remove_access_key(self, access_key_id: str, *, entry: AuditEntry) -> None: ...

    async def key_used(self, access_key_id: str, *, at: float) -> None:
        """Nothing happens where it is gone by now."""
        ...

    async def add_token(self, token: ApiToken, *, digest: str, entry: AuditEntry) -> None: ...

    async def token(self, token_id: str) -> KnownToken | None: ...

    async def token_of(self, digest: str) -> KnownToken | None: ...

    async def tokens(self, *, account: AccountId | None = None, user: str | None = None) -> list[ApiToken]: ...

    async def revoke_token(self, token_id: str, *, entry: AuditEntry) -> None: ...

    async def token_used(self, token_id: str, *, at: float) -> None:
        """Nothing happens where it is gone by now."""
        ...

    # --- logging in

    async def count_try(self, limits: Mapping[str, int], *, window_seconds: float) -> float:
        """Counts a try for each subject before its outcome is known, so that tries at the same time count too. 0: go
        on. Else one of them has used up its limit: nothing was counted, and in so many seconds it may try again. The
        count of a subject begins anew ``window_seconds`` after its first try."""
        ...

    async def forgive_tries(self, subjects: Sequence[str]) -> None:
        """They count from zero again."""
        ...

    async def take_back_try(self, subject: str) -> None:
        """One try less."""
        ...

    async def add_session(self, session: Session, *, digest: str, password_hash: str, entry: AuditEntry) -> bool:
        """For somebody who has shown the password of this hash. False, and nothing is changed, where the user has
        another one by now, or it or its account is disabled. Also forgets the sessions that have ended."""
        ...

    async def session(self, digest: str) -> KnownSession | None: ...

    async def session_used(self, session_id: str, *, idle_until: float) -> None: ...

    async def end_session(self, session_id: str, *, entry: AuditEntry) -> None:
        """Nothing happens where it has ended, or never was."""
        ...

    # --- the audit log, and secrets at rest

    async def record(self, entry: AuditEntry) -> None:
        """What changed nothing and has to be told nevertheless: a refused call."""
        ...

    async def audit(
        self,
        *,
        account: AccountId | None = None,
        before: int | None = None,
        limit: int = 100,
        wanted: AuditFilter = ALL_LINES,
    ) -> list[AuditLine]:
        """Newest first; ``before`` is the id of the last one seen."""
        ...

    async def has_sealed(self) -> bool:
        """Whether any secret stands sealed in the ledger."""
        ...

    async def reseal(self, change: Reseal, *, entry: AuditEntry) -> int:
        """Every sealed secret of the ledger, also those that are not people's, through ``change``, in one transaction;
        how many there are. What ``change`` raises undoes all of it."""
        ...
