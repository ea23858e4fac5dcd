"""What an admin may do with accounts, users, access keys and API tokens; each write is in the audit log, also a refused
one.

Accounts are walls: what belongs to another account does not exist for the caller. Only the operator, who comes in by
the command line on the service's own host, sees all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Final

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.passwords import Passwords, check_password, random_password
from cosbatch.identity.tokens import (
    TOKEN_PREFIX,
    ApiToken,
    TokenScope,
    digest,
    new_access_key_id,
    new_public_id,
    new_secret_key,
    new_token,
)
from cosbatch.ledger.people_port import (
    ALL_LINES,
    NO_ACCOUNT,
    SECRET_PURPOSE,
    AuditEntry,
    AuditFilter,
    AuditLine,
    PeopleBook,
)
from cosbatch.model.clock import Clock
from cosbatch.model.errors import Fault, InvalidArgument, NoSuchName, NotAllowed
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, Caller, User, UserRole
from cosbatch.service.audit import telling
from cosbatch.service.people_names import account_name, checked_account, checked_token, checked_user, unknown_account

_NO_ID: Final = "(unknown)"
"""In the audit log, in place of an id that nothing has: it may be a secret that was taken for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    user: User
    password: str = field(repr=False)
    """Shown once; empty where the caller gave one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccessKey:
    key: AccessKey
    secret_access_key: str = field(repr=False)
    """Shown once. COS: SecretKey."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    token: ApiToken
    text: str = field(repr=False)
    """Shown once."""


def local_operator(name: str) -> Caller:
    """Who runs the command line on the host of the service: may do everything, in every account."""
    service = Account(id=NO_ACCOUNT, name="service", uin="", appid="", aws_account_id="", created_at=0.0)
    return Caller(account=service, user=name, role=UserRole.ADMIN, via="cli")


def operator_of(caller: Caller) -> Caller:
    """The same caller, acting for the service as a whole."""
    return replace(caller, account=local_operator(caller.user).account)


def secret_purpose(access_key_id: str) -> str:
    """What the secret of an access key is sealed for."""
    return SECRET_PURPOSE.format(id=access_key_id)


class People:
    """The verbs. Refusals are RequestErrors: NotAllowed, NoSuchName, NameTaken, InvalidArgument."""

    def __init__(
        self,
        book: PeopleBook,
        *,
        cipher: Callable[[], Cipher],
        passwords: Passwords,
        clock: Clock,
        forget_first_run: Callable[[str], None],
    ) -> None:
        """``cipher`` is asked where a secret has to be sealed, and not before: looking around needs no key.
        ``forget_first_run`` is told of each user whose password was changed."""
        self._book = book
        self._cipher = cipher
        self._passwords = passwords
        self._clock = clock
        self._forget_first_run = forget_first_run

    # --- accounts

    async def create_account(
        self, caller: Caller, *, name: str, uin: str = "", appid: str = "", aws_account_id: str = ""
    ) -> Account:
        """Numbers that are not given are drawn. The operator's alone."""
        async with self._telling(caller, "create-account", name) as entry:
            if not _is_operator(caller):
                raise NotAllowed("accounts are made by the operator, with cosbatch admin or in the settings")
            account = checked_account(
                name=name, uin=uin, appid=appid, aws_account_id=aws_account_id, created_at=self._clock.now()
            )
            await self._book.add_account(account, entry=replace(entry, account=account.id))
        return account

    async def list_accounts(self, caller: Caller) -> list[Account]:
        """By name; for an admin of an account its own."""
        self._check_may(caller)
        accounts = await self._book.accounts()
        return [account for account in accounts if _sees(caller, account.id)]

    async def describe_account(self, caller: Caller, account: AccountId) -> Account:
        return await self._account(caller, account)

    async def set_account_disabled(self, caller: Caller, account: AccountId, *, is_disabled: bool = True) -> Account:
        """Its users' passwords, keys and tokens let nobody in until it is enabled again; its jobs go on. The operator's
        alone. Declared accounts are changed in the settings."""
        async with self._telling(caller, "disable-account" if is_disabled else "enable-account", account) as entry:
            known = await self._account(caller, account)
            if not _is_operator(caller):
                raise NotAllowed("accounts are disabled and enabled by the operator, with cosbatch admin")
            if known.is_declared:
                raise NotAllowed(f"the account {known.name!r} is declared in the settings; change it there")
            told = replace(entry, account=known.id, target=known.name)
            await self._book.change_account(known.id, is_disabled=is_disabled, entry=told)
        return replace(known, is_disabled=is_disabled)

    # --- users

    async def create_user(
        self,
        caller: Caller,
        *,
        name: str,
        account: AccountId | None = None,
        role: UserRole = UserRole.VIEWER,
        password: str = "",
    ) -> NewUser:
        """Without ``password`` a random one is made, which has to be changed at the first login. ``account`` is needed
        of the operator where there are several."""
        async with self._telling(caller, "create-user", name) as entry:
            self._check_may(caller)
            place = await self._account(caller, account)
            user = checked_user(name=name, account=place.id, role=role, created_at=self._clock.now())
            if password:
                check_password(password, user=name)
            made = "" if password else random_password()
            await self._book.add_user(
                replace(user, must_change_password=not password),
                password_hash=await self._passwords.hashed(password or made),
                entry=replace(entry, account=place.id, detail=f"role {role}"),
            )
        return NewUser(user=replace(user, must_change_password=not password), password=made)

    async def list_users(self, caller: Caller, *, account: AccountId | None = None) -> list[User]:
        self._check_may(caller)
        return await self._book.users(account=await self._seen_account(caller, account))

    async def describe_user(self, caller: Caller, name: str) -> User:
        return await self._user(caller, name)

    async def change_user(
        self, caller: Caller, name: str, *, role: UserRole | None = None, is_disabled: bool | None = None
    ) -> User:
        """Declared users are changed in the settings."""
        action = {True: "disable-user", False: "enable-user", None: "change-user"}[is_disabled]
        async with self._telling(caller, action, name) as entry:
            user = await self._user(caller, name)
            if user.is_declared:
                raise NotAllowed(f"the user {name!r} is declared in the settings; change it there")
            wanted = replace(
                user,
                role=user.role if role is None else role,
                is_disabled=user.is_disabled if is_disabled is None else is_disabled,
            )
            await self._book.change_user(
                name,
                role=role,
                is_disabled=is_disabled,
                entry=replace(entry, account=user.account, detail=f"role {wanted.role}"),
            )
        return wanted

    async def delete_user(self, caller: Caller, name: str) -> None:
        """With keys and tokens. Jobs and the audit log go on naming it. InvalidArgument where it is not disabled;
        declared users are taken out of the settings."""
        async with self._telling(caller, "delete-user", name) as entry:
            user = await self._user(caller, name)
            if user.is_declared:
                raise NotAllowed(f"the user {name!r} is declared in the settings; take it out there")
            if not user.is_disabled:
                raise _still_enabled("user", name)
            await self._book.remove_user(name, entry=replace(entry, account=user.account))
        self._forget_first_run(name)

    async def reset_password(self, caller: Caller, name: str) -> str:
        """A random password, shown once, which has to be changed at the next login. Ends the user's sessions."""
        async with self._telling(caller, "reset-password", name) as entry:
            user = await self._user(caller, name)
            password = random_password()
            await self._book.set_password(
                name,
                password_hash=await self._passwords.hashed(password),
                must_change=True,
                entry=replace(entry, account=user.account),
            )
        self._forget_first_run(name)
        return password

    # --- access keys

    async def create_access_key(self, caller: Caller, *, user: str, description: str = "") -> NewAccessKey:
        async with self._telling(caller, "create-access-key", user) as entry:
            owner = await self._user(caller, user)
            key = AccessKey(
                access_key_id=new_access_key_id(),
                user=owner.name,
                account=owner.account,
                created_at=self._clock.now(),
                description=description,
            )
            secret = new_secret_key()
            await self._book.add_access_key(
                key,
                sealed_secret=self._cipher().seal(secret.encode(), purpose=secret_purpose(key.access_key_id)),
                entry=replace(entry, account=owner.account, target=key.access_key_id, detail=f"of {owner.name}"),
            )
        return NewAccessKey(key=key, secret_access_key=secret)

    async def list_access_keys(
        self, caller: Caller, *, account: AccountId | None = None, user: str | None = None
    ) -> list[AccessKey]:
        self._check_may(caller)
        return await self._book.access_keys(account=await self._seen_account(caller, account), user=user)

    async def own_access_keys(
        self, caller: Caller, *, account: AccountId | None = None, user: str | None = None
    ) -> list[AccessKey]:
        """The caller's, whatever the role. NotAllowed where another user's are asked for."""
        _check_own(caller, account, user)
        return await self._book.access_keys(account=caller.account.id, user=caller.user)

    async def set_access_key_disabled(self, caller: Caller, access_key_id: str, *, is_disabled: bool = True) -> None:
        action = "disable-access-key" if is_disabled else "enable-access-key"
        async with self._telling(caller, action, _NO_ID) as entry:
            self._check_may(caller)
            known = await self._book.access_key(access_key_id)
            if known is None or not _sees(caller, known.account.id):
                raise NoSuchName("there is no such access key; list-access-keys shows the ids")
            told = replace(entry, account=known.account.id, target=access_key_id)
            await self._book.set_key_disabled(access_key_id, is_disabled=is_disabled, entry=told)

    async def delete_access_key(self, caller: Caller, access_key_id: str) -> None:
        """InvalidArgument where it is not disabled: disabling it shows who still uses it, and can be undone."""
        async with self._telling(caller, "delete-access-key", _NO_ID) as entry:
            self._check_may(caller)
            known = await self._book.access_key(access_key_id)
            if known is None or not _sees(caller, known.account.id):
                raise NoSuchName("there is no such access key; list-access-keys shows the ids")
            if not known.key.is_disabled:
                raise _still_enabled("access_key_id", access_key_id)
            told = replace(entry, account=known.account.id, target=access_key_id, detail=f"of {known.user.name}")
            await self._book.remove_access_key(access_key_id, entry=told)

    # --- tokens

    async def create_token(
        self,
        caller: Caller,
        *,
        user: str,
        scopes: frozenset[TokenScope],
        lasts_days: float | None = None,
        description: str = "",
    ) -> NewToken:
        """``lasts_days=None``: until it is revoked."""
        async with self._telling(caller, "create-token", user) as entry:
            owner = await self._user(caller, user)
            token = checked_token(
                id=new_public_id(),
                owner=owner,
                scopes=scopes,
                created_at=self._clock.now(),
                lasts_days=lasts_days,
                description=description,
            )
            text = new_token()
            detail = f"of {owner.name}: {', '.join(sorted(scopes))}"
            told = replace(entry, account=owner.account, target=token.id, detail=detail)
            await self._book.add_token(token, digest=digest(text), entry=told)
        return NewToken(token=token, text=text)

    async def list_tokens(
        self, caller: Caller, *, account: AccountId | None = None, user: str | None = None
    ) -> list[ApiToken]:
        self._check_may(caller)
        return await self._book.tokens(account=await self._seen_account(caller, account), user=user)

    async def own_tokens(
        self, caller: Caller, *, account: AccountId | None = None, user: str | None = None
    ) -> list[ApiToken]:
        """The caller's, whatever the role. NotAllowed where another user's are asked for."""
        _check_own(caller, account, user)
        return await self._book.tokens(account=caller.account.id, user=caller.user)

    async def revoke_token(self, caller: Caller, token_id: str) -> ApiToken:
        """By its id, or by its text: who has found a token somewhere has that alone."""
        async with self._telling(caller, "revoke-token", _NO_ID) as entry:
            self._check_may(caller)
            is_text = token_id.startswith(TOKEN_PREFIX)
            known = await (self._book.token_of(digest(token_id)) if is_text else self._book.token(token_id))
            if known is None or not _sees(caller, known.account.id):
                raise NoSuchName("there is no such token; list-tokens shows the ids")
            told = replace(entry, account=known.account.id, target=known.token.id)
            await self._book.revoke_token(known.token.id, entry=told)
        return replace(known.token, is_revoked=True)

    # --- the audit log

    async def audit(
        self,
        caller: Caller,
        *,
        account: AccountId | None = None,
        before: int | None = None,
        limit: int = 100,
        wanted: AuditFilter = ALL_LINES,
    ) -> list[AuditLine]:
        """Newest first; ``before`` is the id of the last line of an earlier answer."""
        self._check_may(caller)
        seen = await self._seen_account(caller, account)
        return await self._book.audit(account=seen, before=before, limit=limit, wanted=wanted)

    # --- who may

    def _telling(self, caller: Caller, action: str, target: str) -> AbstractAsyncContextManager[AuditEntry]:
        return telling(self._book.record, caller, action, target=target)

    def _check_may(self, caller: Caller) -> None:
        if not caller.role.may(UserRole.ADMIN):
            raise NotAllowed(f"this needs the role {UserRole.ADMIN}, and yours is {caller.role}; ask an admin")

    async def _user(self, caller: Caller, name: str) -> User:
        self._check_may(caller)
        known = await self._book.user(name)
        if known is None or not _sees(caller, known.account.id):
            raise NoSuchName(f"there is no user {name!r}")
        return known.user

    async def _account(self, caller: Caller, wanted: AccountId | None) -> Account:
        """Where something is made: the one named, else the caller's own, else the only one."""
        accounts = await self.list_accounts(caller)
        named = [account for account in accounts if wanted in (None, account.id)]
        if len(named) == 1:
            return named[0]
        if named:
            known = ", ".join(account.name for account in named)
            raise NoSuchName(f"there are several accounts ({known}); name one of them")
        if wanted is None:
            raise NoSuchName("there is no account yet; make one first")
        raise unknown_account(account_name(wanted), known=[account.name for account in accounts])

    async def _seen_account(self, caller: Caller, wanted: AccountId | None) -> AccountId | None:
        """What a list is narrowed to; None: everything."""
        if wanted is not None:
            return (await self._account(caller, wanted)).id
        return None if _is_operator(caller) else caller.account.id


def _still_enabled(path: str, name: str) -> InvalidArgument:
    fault = Fault(
        path=path, value=name, problem="is not disabled", way_out="disable it first, and see what still uses it"
    )
    return InvalidArgument("only what is disabled can be deleted", faults=[fault])


def _check_own(caller: Caller, account: AccountId | None, user: str | None) -> None:
    if account not in (None, caller.account.id) or user not in (None, caller.user):
        raise NotAllowed(f"user {caller.user} is a {caller.role} and sees what is the own; ask an admin for the rest")


def _is_operator(caller: Caller) -> bool:
    return caller.account.id == NO_ACCOUNT


def _sees(caller: Caller, account: AccountId) -> bool:
    return _is_operator(caller) or caller.account.id == account
