"""API tokens and sessions: random texts of which only a SHA-256 is kept, and access keys.

A token has 256 random bits, so a plain hash is enough: there is nothing to guess, and looking one up takes no time.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import UserRole

TOKEN_PREFIX: Final = "cosb_"  # noqa: S105  # what scanners for leaked secrets look for
SESSION_PREFIX: Final = "coss_"
KEY_ID_PREFIX: Final = "AKID"
"""As COS's own SecretIds begin."""
_TOKEN_BYTES: Final = 32
_LETTERS: Final = string.ascii_letters + string.digits


class TokenScope(StrEnum):
    """What a token may be used for, at most: never more than its user may do."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    ADMIN = "admin"


_LETS: Final = {
    TokenScope.JOBS_READ: UserRole.VIEWER,
    TokenScope.JOBS_WRITE: UserRole.OPERATOR,
    TokenScope.ADMIN: UserRole.ADMIN,
}


def role_within(role: UserRole, scopes: frozenset[TokenScope]) -> UserRole:
    """The role of a caller who comes with a token: the user's, but no more than the widest scope lets. A token has one
    scope at least."""
    widest = max((_LETS[scope] for scope in scopes), key=list(UserRole).index)
    return role if widest.may(role) else widest


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A bearer token, without its text."""

    id: str
    """For lists and the audit log; says nothing about the text."""
    user: str
    account: AccountId
    scopes: frozenset[TokenScope]
    created_at: float
    expires_at: float | None = None
    """Unix seconds; None: never."""
    description: str = ""
    is_revoked: bool = False
    last_used_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who has logged in, without the session's text."""

    id: str
    user: str
    account: AccountId
    created_at: float
    idle_until: float
    """Moves on with each use."""
    expires_at: float
    """Does not move."""
    address: str = ""

    def is_over(self, at: float) -> bool:
        return at >= min(self.idle_until, self.expires_at)


def new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def new_session_token() -> str:
    return SESSION_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def new_public_id() -> str:
    """Twelve hex digits that name a token or a session."""
    return secrets.token_hex(6)


def digest(token: str) -> str:
    """What stands in the ledger: 64 hex digits."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def new_access_key_id() -> str:
    """36 characters, like a SecretId of COS."""
    return KEY_ID_PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(32))


def new_secret_key() -> str:
    """32 letters and digits, like a SecretKey of COS: 190 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(32))
