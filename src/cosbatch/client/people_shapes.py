"""Accounts, users, access keys, API tokens, and the session of whoever calls. Times are Unix seconds.

Fields are named as in the API's documents; accounts stand by their names.
"""

from __future__ import annotations

from dataclasses import dataclass

from cosbatch.client.shape_reader import Time
from cosbatch.identity.tokens import TokenScope
from cosbatch.model.principals import UserRole


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOfCaller:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who calls."""

    user: str
    role: UserRole
    """What may be done; of an API token no more than its scopes let."""
    account: AccountOfCaller
    via: str
    """``console`` for a session, ``rest`` for an API token."""
    operations: tuple[str, ...]
    """Ids of all calls that may be made; also the names of the client's methods."""
    is_service_operator: bool
    """Acts for the whole service: changes regions and accounts, and sees the people of all accounts."""
    must_change_password: bool
    csrf_token: str | None
    """The client sends it along by itself; None for an API token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    name: str
    uin: str
    appid: str
    aws_account_id: str
    is_declared: bool
    """It stands in the settings, and is changed there."""
    is_disabled: bool
    created_at: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    account: str
    role: UserRole
    must_change_password: bool
    is_disabled: bool
    is_declared: bool
    created_at: Time


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    user: User
    password: str | None
    """Shown this once; None where it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    password: str
    """Shown this once; has to be changed at the next login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    access_key_id: str
    user: str
    account: str
    description: str
    is_disabled: bool
    created_at: Time
    last_used_at: Time | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessKey:
    access_key: AccessKey
    secret_access_key: str
    """Shown this once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    id: str
    user: str
    account: str
    description: str
    scopes: tuple[TokenScope, ...]
    created_at: Time
    expires_at: Time | None
    is_revoked: bool
    last_used_at: Time | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApiToken:
    token: ApiToken
    text: str
    """Shown this once."""
