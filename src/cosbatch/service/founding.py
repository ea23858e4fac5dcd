"""The first start of a service, and what its settings declare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.passwords import Passwords, random_password
from cosbatch.identity.tokens import new_access_key_id, new_secret_key
from cosbatch.ledger.people_port import NO_ACCOUNT, AuditEntry, Founding, PeopleBook
from cosbatch.model.clock import Clock
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, User, UserRole
from cosbatch.service.people import secret_purpose
from cosbatch.service.people_names import account_id, checked_account, checked_user

FIRST_ACCOUNT: Final = "main"
FIRST_USER: Final = "admin"
FIRST_RUN_FILE: Final = "first-run.json"
_ACTOR: Final = "cosbatch"
_VIA: Final = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """What a person and a script need to begin. Shown once."""

    user: str
    password: str = field(repr=False)
    """Has to be changed at the first login."""
    uin: str
    appid: str
    account_id: str
    """The AWS account id, twelve digits."""
    secret_id: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredAccount:
    """An account as the settings have it."""

    name: str
    uin: str
    appid: str
    aws_account_id: str
    is_disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredUser:
    """A user as the settings have it. Its password is set with ``cosbatch admin reset-password``."""

    name: str
    account: str
    """The account's name."""
    role: UserRole
    is_disabled: bool = False


async def bootstrap(book: PeopleBook, *, cipher: Cipher, passwords: Passwords, clock: Clock) -> FirstRun | None:
    """Makes the first account, its admin and an access key where the ledger has no account; None where it has one. Of
    several services that start at once one gets the value. Comes before :func:`declare`."""
    if await book.accounts():
        return None
    now, password, secret = clock.now(), random_password(), new_secret_key()
    account = checked_account(name=FIRST_ACCOUNT, created_at=now)
    user = checked_user(name=FIRST_USER, account=account.id, role=UserRole.ADMIN, created_at=now)
    key = AccessKey(
        access_key_id=new_access_key_id(),
        user=user.name,
        account=account.id,
        created_at=now,
        description="made at the first start",
    )
    founding = Founding(
        account=account,
        user=replace(user, must_change_password=True),
        password_hash=await passwords.hashed(password),
        key=key,
        sealed_secret=cipher.seal(secret.encode(), purpose=secret_purpose(key.access_key_id)),
    )
    entry = _entry("bootstrap", account=account.id, target=account.name)
    if not await book.found(founding, entry=entry):
        return None
    return FirstRun(
        user=user.name,
        password=password,
        uin=account.uin,
        appid=account.appid,
        account_id=account.aws_account_id,
        secret_id=key.access_key_id,
        secret_key=secret,
    )


async def declare(
    book: PeopleBook, *, accounts: Sequence[DeclaredAccount], users: Sequence[DeclaredUser], clock: Clock
) -> None:
    """Brings the ledger's declared accounts and users to what the settings say. Those that are there no longer stay:
    accounts as ones made by hand, users disabled. InvalidArgument with all that is wrong with them; NameTaken where
    they contradict what was made by hand."""
    known = {account.name for account in await book.accounts()} | {account.name for account in accounts}
    now, faults, made_accounts, made_users = clock.now(), list[Fault](), list[Account](), list[User]()
    for account in accounts:
        try:
            made_accounts.append(_declared_account(account, now))
        except InvalidArgument as refused:
            faults += refused.faults
    for user in users:
        try:
            made_users.append(_declared_user(user, now, known))
        except InvalidArgument as refused:
            faults += refused.faults
    if faults:
        raise InvalidArgument("the settings declare what cannot be", faults=faults)
    await book.declare(made_accounts, made_users, entry=_entry("declare", account=NO_ACCOUNT, target="settings"))


class FirstRunFile:
    """``first-run.json`` in the data folder, as far as it has to go."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FIRST_RUN_FILE

    def forget(self, user: str) -> None:
        """Deletes the file if it is about this user: the password in it is no longer true."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(found, dict) and found.get("user") == user:
            self._path.unlink(missing_ok=True)


def _declared_account(account: DeclaredAccount, now: float) -> Account:
    path = f"accounts.{account.name}."
    missing = [name for name in ("uin", "appid", "aws_account_id") if not getattr(account, name)]
    if missing:
        way_out = "write the number: a declared account has the same one at each start"
        faults = [Fault(path=path + name, value="", problem="it is missing", way_out=way_out) for name in missing]
        raise InvalidArgument("the account cannot be declared", faults=faults)
    made = checked_account(
        name=account.name,
        uin=account.uin,
        appid=account.appid,
        aws_account_id=account.aws_account_id,
        created_at=now,
        path=path,
    )
    return replace(made, is_disabled=account.is_disabled)


def _declared_user(user: DeclaredUser, now: float, known: set[str]) -> User:
    path = f"users.{user.name}."
    if user.account not in known:
        way_out = f"write one of {', '.join(sorted(known))}" if known else "declare an account first"
        fault = Fault(path=f"{path}account", value=user.account, problem="there is no such account", way_out=way_out)
        raise InvalidArgument("the user cannot be declared", faults=[fault])
    made = checked_user(name=user.name, account=account_id(user.account), role=user.role, created_at=now, path=path)
    return replace(made, is_disabled=user.is_disabled)


def _entry(action: str, *, account: AccountId, target: str) -> AuditEntry:
    return AuditEntry(account=account, actor=_ACTOR, via=_VIA, action=action, target=target)
