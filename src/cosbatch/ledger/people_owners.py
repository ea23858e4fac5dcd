"""Who owns a key, a token, a session: the columns of the user and its account that a statement joins to its own."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row

from cosbatch.ledger import people_tables as tables
from cosbatch.ledger.people_port import KnownUser
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Account, User, UserRole

_ACCOUNT: Final = tables.account.c
_PERSON: Final = tables.person.c

_USER_COLUMNS: Final = (
    _PERSON.name.label("person_name"),
    _PERSON.role,
    _PERSON.password_hash,
    _PERSON.must_change,
    _PERSON.disabled.label("person_disabled"),
    _PERSON.declared.label("person_declared"),
    _PERSON.created_at.label("person_created_at"),
)
_ACCOUNT_COLUMNS: Final = (
    _ACCOUNT.id.label("account_id"),
    _ACCOUNT.name.label("account_name"),
    _ACCOUNT.uin,
    _ACCOUNT.appid,
    _ACCOUNT.aws_account_id,
    _ACCOUNT.created_at.label("account_created_at"),
    _ACCOUNT.declared.label("account_declared"),
    _ACCOUNT.disabled.label("account_disabled"),
)
OWNER_COLUMNS: Final = (*_USER_COLUMNS, *_ACCOUNT_COLUMNS)
"""What :func:`owner_from` reads, for statements that join person and account."""


def owner_from(row: Row[Any]) -> KnownUser:
    account = Account(
        id=AccountId(row.account_id),
        name=row.account_name,
        uin=row.uin,
        appid=row.appid,
        aws_account_id=row.aws_account_id,
        created_at=row.account_created_at,
        is_declared=bool(row.account_declared),
        is_disabled=bool(row.account_disabled),
    )
    user = User(
        name=row.person_name,
        account=account.id,
        role=UserRole(row.role),
        created_at=row.person_created_at,
        must_change_password=bool(row.must_change),
        is_disabled=bool(row.person_disabled),
        is_declared=bool(row.person_declared),
    )
    return KnownUser(user=user, account=account, password_hash=row.password_hash)
