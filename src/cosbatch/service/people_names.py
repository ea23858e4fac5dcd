"""What accounts, users and tokens may be called, and the numbers of an account. All faults at once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from typing import Final

from cosbatch.identity.tokens import ApiToken, TokenScope
from cosbatch.model.errors import Fault, InvalidArgument, NoSuchName
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Account, User, UserRole

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGITS: Final = re.compile(r"[0-9]{1,20}")
_TWELVE_DIGITS: Final = re.compile(r"[0-9]{12}")
_ACCOUNT_PREFIX: Final = "account-"
_LONGEST_TOKEN_DAYS: Final = 3650.0


def account_id(name: str) -> AccountId:
    """Two services that declare one account, each from its own settings, mean the same one."""
    return AccountId(f"{_ACCOUNT_PREFIX}{name}")


def account_name(account: AccountId) -> str:
    """What people call it."""
    return account.removeprefix(_ACCOUNT_PREFIX)


def check_account(name: str, *, known: Collection[str]) -> None:
    """NoSuchName for an account that is none of ``known``; no name at all is no wrong one."""
    if name and name not in known:
        raise unknown_account(name, known=known)


def unknown_account(name: str, *, known: Collection[str]) -> NoSuchName:
    """Names those that there are."""
    those = f"known: {', '.join(sorted(known))}" if known else "there is none yet"
    return NoSuchName(f"there is no account {name!r}; {those}")


def checked_account(
    *, name: str, uin: str = "", appid: str = "", aws_account_id: str = "", created_at: float, path: str = ""
) -> Account:
    """Numbers that are not given are drawn. ``path`` stands before the names of fields in a Fault."""
    faults = [
        *_name_faults(f"{path}name", name),
        *_number_faults(f"{path}uin", uin, _DIGITS, "1 to 20 digits"),
        *_number_faults(f"{path}appid", appid, _DIGITS, "1 to 20 digits"),
        *_number_faults(f"{path}aws_account_id", aws_account_id, _TWELVE_DIGITS, "12 digits"),
    ]
    if faults:
        raise InvalidArgument("the account cannot be made", faults=faults)
    return Account(
        id=account_id(name),
        name=name,
        uin=uin or "1000" + _random_digits(8),
        appid=appid or "125" + _random_digits(7),
        aws_account_id=aws_account_id or str(1 + secrets.randbelow(9)) + _random_digits(11),
        created_at=created_at,
    )


def checked_user(*, name: str, account: AccountId, role: UserRole, created_at: float, path: str = "") -> User:
    faults = _name_faults(f"{path}name", name)
    if faults:
        raise InvalidArgument("the user cannot be made", faults=faults)
    return User(name=name, account=account, role=role, created_at=created_at)


def checked_token(
    *,
    id: str,  # noqa: A002  # the field's name
    owner: User,
    scopes: frozenset[TokenScope],
    created_at: float,
    lasts_days: float | None,
    description: str,
) -> ApiToken:
    faults = []
    if not scopes:
        faults.append(Fault(path="scopes", value="", problem="there is none", way_out=f"give {_or_list(TokenScope)}"))
    if lasts_days is not None and not 0 < lasts_days <= _LONGEST_TOKEN_DAYS:
        way_out = f"give more than 0 and at most {_LONGEST_TOKEN_DAYS:g}, or leave it out"
        faults.append(
            Fault(path="days", value=f"{lasts_days:g}", problem="a token cannot last so long", way_out=way_out)
        )
    if faults:
        raise InvalidArgument("the token cannot be made", faults=faults)
    return ApiToken(
        id=id,
        user=owner.name,
        account=owner.account,
        scopes=scopes,
        created_at=created_at,
        expires_at=None if lasts_days is None else created_at + lasts_days * 86_400,
        description=description,
    )


def _name_faults(path: str, name: str) -> list[Fault]:
    if _NAME.fullmatch(name):
        return []
    way_out = "1 to 64 letters, digits and . _ @ -, of which the first is a letter or a digit"
    return [Fault(path=path, value=name[:200], problem="it is no name", way_out=way_out)]


def _number_faults(path: str, number: str, form: re.Pattern[str], way_out: str) -> list[Fault]:
    if not number or form.fullmatch(number):
        return []
    return [Fault(path=path, value=number[:200], problem="it is no such number", way_out=f"write {way_out}")]


def _or_list(words: type[TokenScope]) -> str:
    return " or ".join(words)


def _random_digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}}"
