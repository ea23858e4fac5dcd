"""Calls about accounts, users, access keys and API tokens, and about the own session."""

from __future__ import annotations

from collections.abc import Collection

from cosbatch.client.calls import ApiCall, asking, content_of, looking, nothing, path_of, removing
from cosbatch.client.paging import Page, pages_of
from cosbatch.client.people_shapes import (
    AccessKey,
    Account,
    ApiToken,
    NewAccessKey,
    NewApiToken,
    NewPassword,
    NewUser,
    Session,
    User,
)
from cosbatch.client.shape_reader import record
from cosbatch.identity.tokens import TokenScope
from cosbatch.model.principals import UserRole

# --- the own session


def log_in(user: str, password: str) -> ApiCall[Session]:
    """Begins a session, which the client keeps as a browser does; programs have an API token in place of one."""
    return asking("POST", "/session", {"user": user, "password": password}, record(Session))


def get_session() -> ApiCall[Session]:
    """Who calls, by session or API token."""
    return looking("/session", record(Session))


def log_out() -> ApiCall[None]:
    """Ends the session."""
    return removing("/session")


def change_password(password: str, new_password: str) -> ApiCall[None]:
    """The own one. Ends all sessions of the user, also this one."""
    content = {"password": password, "new_password": new_password}
    return asking("PUT", "/session/password", content, nothing)


# --- accounts


def list_accounts(*, limit: int = 50, cursor: str = "") -> ApiCall[Page[Account]]:
    """For the operator all of them, for others their own."""
    return looking("/accounts", pages_of(Account), limit=limit, cursor=cursor)


def create_account(name: str, *, uin: str = "", appid: str = "", aws_account_id: str = "") -> ApiCall[Account]:
    """A wall around jobs, users, keys and roles. Numbers that are not given are drawn."""
    content = {"name": name, "uin": uin, "appid": appid, "aws_account_id": aws_account_id}
    return asking("POST", "/accounts", content, record(Account))


def describe_account(account: str) -> ApiCall[Account]:
    return looking(path_of("/accounts", account), record(Account))


def update_account(account: str, *, is_disabled: bool) -> ApiCall[Account]:
    """Keeps all of its users out, or lets them in again. Its jobs go on."""
    return asking(
        "PATCH", path_of("/accounts", account), {"is_disabled": is_disabled}, record(Account), may_repeat=True
    )


# --- users


def list_users(*, account: str = "", limit: int = 50, cursor: str = "") -> ApiCall[Page[User]]:
    return looking("/users", pages_of(User), account=account, limit=limit, cursor=cursor)


def create_user(
    name: str, *, account: str | None = None, role: UserRole = UserRole.OPERATOR, password: str = ""
) -> ApiCall[NewUser]:
    """Its name is unique in the whole service. Without a password one is drawn, to be changed at the first login."""
    content = content_of(name=name, account=account, role=str(role), password=password)
    return asking("POST", "/users", content, record(NewUser))


def describe_user(user: str) -> ApiCall[User]:
    return looking(path_of("/users", user), record(User))


def update_user(user: str, *, role: UserRole | None = None, is_disabled: bool | None = None) -> ApiCall[User]:
    """What is None stays as it is. Whoever is disabled is kept out from now on."""
    content = content_of(role=None if role is None else str(role), is_disabled=is_disabled)
    return asking("PATCH", path_of("/users", user), content, record(User), may_repeat=True)


def reset_password(user: str) -> ApiCall[NewPassword]:
    """A new random one. The user's sessions end; its keys and tokens stay."""
    return asking("POST", path_of("/users", user, "reset-password"), None, record(NewPassword))


def delete_user(user: str) -> ApiCall[None]:
    """Of one that is disabled, with its keys and tokens. Jobs and the audit log go on naming it."""
    return removing(path_of("/users", user))


# --- access keys


def list_access_keys(
    *, account: str = "", user: str = "", limit: int = 50, cursor: str = ""
) -> ApiCall[Page[AccessKey]]:
    return looking("/access-keys", pages_of(AccessKey), account=account, user=user, limit=limit, cursor=cursor)


def create_access_key(user: str, *, description: str = "") -> ApiCall[NewAccessKey]:
    """With it a user's programs sign calls of the wires."""
    return asking("POST", "/access-keys", {"user": user, "description": description}, record(NewAccessKey))


def update_access_key(access_key_id: str, *, is_disabled: bool) -> ApiCall[None]:
    """Refuses calls that are signed with it from now on, or lets them in again."""
    path = path_of("/access-keys", access_key_id)
    return asking("PATCH", path, {"is_disabled": is_disabled}, nothing, may_repeat=True)


def delete_access_key(access_key_id: str) -> ApiCall[None]:
    """Of one that is disabled: disabling it shows who still uses it, and can be undone."""
    return removing(path_of("/access-keys", access_key_id))


# --- API tokens


def list_tokens(*, account: str = "", user: str = "", limit: int = 50, cursor: str = "") -> ApiCall[Page[ApiToken]]:
    return looking("/tokens", pages_of(ApiToken), account=account, user=user, limit=limit, cursor=cursor)


def create_token(
    user: str, *, scopes: Collection[TokenScope], lasts_days: float | None = None, description: str = ""
) -> ApiCall[NewApiToken]:
    """It lets no more than its scopes and its user may do. ``lasts_days`` None: until it is revoked."""
    content = content_of(
        user=user, scopes=sorted(str(scope) for scope in scopes), lasts_days=lasts_days, description=description
    )
    return asking("POST", "/tokens", content, record(NewApiToken))


def revoke_token(token_id: str) -> ApiCall[None]:
    """Refuses it from now on, for ever."""
    return removing(path_of("/tokens", token_id))
