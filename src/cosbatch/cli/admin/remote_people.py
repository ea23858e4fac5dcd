"""Accounts, users, keys, tokens and the audit log of a service that is called over the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cosbatch.client import AsyncClient
from cosbatch.client import people_shapes as told
from cosbatch.client.service_shapes import AuditLine as ToldLine
from cosbatch.identity.tokens import TOKEN_PREFIX, ApiToken, TokenScope
from cosbatch.ledger.people_port import AuditEntry, AuditFilter, AuditLine, Outcome
from cosbatch.model.errors import Fault, InvalidArgument, NoSuchName
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, User, UserRole
from cosbatch.service.people import NewAccessKey, NewToken, NewUser
from cosbatch.service.people_names import account_id, account_name

PAGE: Final = 1000


class RemotePeople:
    """Implements :class:`cosbatch.cli.admin.ports.PeopleDesk`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    # --- accounts

    async def create_account(self, *, name: str, uin: str, appid: str, aws_account_id: str) -> Account:
        return _account(await self._client.create_account(name, uin=uin, appid=appid, aws_account_id=aws_account_id))

    async def list_accounts(self) -> Sequence[Account]:
        return [_account(one) async for one in self._client.every(self._client.list_accounts, limit=PAGE)]

    async def set_account_disabled(self, account: AccountId, *, is_disabled: bool) -> Account:
        return _account(await self._client.update_account(account_name(account), is_disabled=is_disabled))

    # --- users

    async def create_user(self, *, name: str, account: AccountId | None, role: UserRole, password: str) -> NewUser:
        made = await self._client.create_user(
            name, account=None if account is None else account_name(account), role=role, password=password
        )
        return NewUser(user=_user(made.user), password=made.password or "")

    async def list_users(self, *, account: AccountId | None) -> Sequence[User]:
        pages = self._client.every(self._client.list_users, account=_name(account), limit=PAGE)
        return [_user(one) async for one in pages]

    async def set_user_disabled(self, name: str, *, is_disabled: bool) -> User:
        return _user(await self._client.update_user(name, is_disabled=is_disabled))

    async def reset_password(self, name: str) -> str:
        return (await self._client.reset_password(name)).password

    async def delete_user(self, name: str) -> None:
        await self._client.delete_user(name)

    # --- access keys

    async def create_access_key(self, *, user: str, description: str) -> NewAccessKey:
        made = await self._client.create_access_key(user, description=description)
        return NewAccessKey(key=_key(made.access_key), secret_access_key=made.secret_access_key)

    async def list_access_keys(self, *, account: AccountId | None, user: str | None) -> Sequence[AccessKey]:
        pages = self._client.every(self._client.list_access_keys, account=_name(account), user=user or "", limit=PAGE)
        return [_key(one) async for one in pages]

    async def set_access_key_disabled(self, access_key_id: str, *, is_disabled: bool) -> None:
        await self._client.update_access_key(access_key_id, is_disabled=is_disabled)

    async def delete_access_key(self, access_key_id: str) -> None:
        await self._client.delete_access_key(access_key_id)

    # --- tokens

    async def create_token(
        self, *, user: str, scopes: frozenset[TokenScope], lasts_days: float | None, description: str
    ) -> NewToken:
        made = await self._client.create_token(user, scopes=scopes, lasts_days=lasts_days, description=description)
        return NewToken(token=_token(made.token), text=made.text)

    async def list_tokens(self, *, account: AccountId | None, user: str | None) -> Sequence[ApiToken]:
        pages = self._client.every(self._client.list_tokens, account=_name(account), user=user or "", limit=PAGE)
        return [_token(one) async for one in pages]

    async def revoke_token(self, token_id: str) -> ApiToken:
        """NoSuchName where there is none. By its id alone: a path stands in logs on its way."""
        if token_id.startswith(TOKEN_PREFIX):
            way_out = "give its id, which list-tokens shows, or revoke it by its text on the service's own host"
            fault = Fault(path="ID", value="", problem="is a token itself, which is not sent around", way_out=way_out)
            raise InvalidArgument("the token cannot be revoked", faults=[fault])
        await self._client.revoke_token(token_id)
        async for one in self._client.every(self._client.list_tokens, limit=PAGE):
            if one.id == token_id:
                return _token(one)
        raise NoSuchName(f"token {token_id} is revoked, and is not in the list of tokens")

    # --- the audit log

    async def audit(
        self, *, account: AccountId | None, before: int | None, limit: int, wanted: AuditFilter
    ) -> Sequence[AuditLine]:
        """``before`` is found by passing over newer lines: a cursor is not made of ids."""
        found: list[AuditLine] = []
        pages = self._client.every(
            self._client.list_audit,
            account=_name(account),
            actor=wanted.actor,
            action=wanted.action,
            target=wanted.target,
            outcome=wanted.outcome,
            since=wanted.since,
            until=wanted.until,
            limit=limit if before is None else PAGE,
        )
        async for line in pages:
            if before is None or line.id < before:
                found.append(_line(line))
            if len(found) == limit:
                break
        return found


def _name(account: AccountId | None) -> str:
    return "" if account is None else account_name(account)


def _account(found: told.Account) -> Account:
    return Account(
        id=account_id(found.name),
        name=found.name,
        uin=found.uin,
        appid=found.appid,
        aws_account_id=found.aws_account_id,
        created_at=found.created_at,
        is_disabled=found.is_disabled,
        is_declared=found.is_declared,
    )


def _user(found: told.User) -> User:
    return User(
        name=found.name,
        account=account_id(found.account),
        role=found.role,
        created_at=found.created_at,
        must_change_password=found.must_change_password,
        is_disabled=found.is_disabled,
        is_declared=found.is_declared,
    )


def _key(found: told.AccessKey) -> AccessKey:
    return AccessKey(
        access_key_id=found.access_key_id,
        user=found.user,
        account=account_id(found.account),
        created_at=found.created_at,
        description=found.description,
        is_disabled=found.is_disabled,
        last_used_at=found.last_used_at,
    )


def _token(found: told.ApiToken) -> ApiToken:
    return ApiToken(
        id=found.id,
        user=found.user,
        account=account_id(found.account),
        scopes=frozenset(found.scopes),
        created_at=found.created_at,
        expires_at=found.expires_at,
        description=found.description,
        is_revoked=found.is_revoked,
        last_used_at=found.last_used_at,
    )


def _line(found: ToldLine) -> AuditLine:
    entry = AuditEntry(
        account=account_id(found.account),
        actor=found.actor,
        via=found.via,
        action=found.action,
        target=found.target,
        outcome=Outcome(found.outcome),
        credential=found.credential,
        detail=found.detail,
        request_id=found.request_id,
    )
    return AuditLine(id=found.id, at=found.at, entry=entry)
