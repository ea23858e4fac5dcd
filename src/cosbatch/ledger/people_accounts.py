"""Statements about accounts and users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, or_, select, update

from cosbatch.ledger import people_tables as tables
from cosbatch.ledger.people_audit import record
from cosbatch.ledger.people_keys import key_row
from cosbatch.ledger.people_owners import OWNER_COLUMNS, owner_from
from cosbatch.ledger.people_port import AuditEntry, Founding, KnownUser
from cosbatch.ledger.people_rules import account_taken, declared_users, name_taken, no_such
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Account, User, UserRole

_ACCOUNT: Final = tables.account.c
_PERSON: Final = tables.person.c

_ANY_ACCOUNT: Final = select(_ACCOUNT.id).limit(1)
_ACCOUNTS: Final = select(tables.account).order_by(_ACCOUNT.name)
_ACCOUNTS_ALIKE: Final = select(tables.account).where(
    or_(
        _ACCOUNT.id == bindparam("the_id"),
        _ACCOUNT.name == bindparam("the_name"),
        _ACCOUNT.uin == bindparam("the_uin"),
        _ACCOUNT.appid == bindparam("the_appid"),
        _ACCOUNT.aws_account_id == bindparam("the_aws"),
    )
)
_ADD_ACCOUNT: Final = insert(tables.account)
_SET_ACCOUNT: Final = update(tables.account).where(_ACCOUNT.id == bindparam("the_id"))

_USERS: Final = select(*OWNER_COLUMNS).join_from(tables.person, tables.account).order_by(_PERSON.name)
_THE_USER: Final = _USERS.where(_PERSON.name == bindparam("the_name"))
_USERS_OF_ACCOUNT: Final = _USERS.where(_PERSON.account == bindparam("the_account"))
_ADD_USER: Final = insert(tables.person)
_SET_USER: Final = update(tables.person).where(_PERSON.name == bindparam("the_name"))
_IMPROVE_HASH: Final = _SET_USER.where(_PERSON.password_hash == bindparam("the_old_hash"))
_END_SESSIONS: Final = delete(tables.session).where(tables.session.c.person == bindparam("the_name"))
_REMOVE_WITH_USER: Final = (
    _END_SESSIONS,
    delete(tables.api_token).where(tables.api_token.c.person == bindparam("the_name")),
    delete(tables.access_key).where(tables.access_key.c.person == bindparam("the_name")),
)
_REMOVE_USER: Final = delete(tables.person).where(_PERSON.name == bindparam("the_name"))
_END_SESSIONS_OF_ACCOUNT: Final = delete(tables.session).where(
    tables.session.c.person.in_(select(_PERSON.name).where(_PERSON.account == bindparam("the_account")))
)


def found(tx: Transaction, *, founding: Founding, entry: AuditEntry) -> bool:
    if tx.one(_ANY_ACCOUNT, {}) is not None:
        return False
    _insert_account(tx, founding.account)
    _insert_user(tx, founding.user, founding.password_hash)
    tx.change(insert(tables.access_key), key_row(founding.key, founding.sealed_secret))
    record(tx, entry=entry)
    return True


def declare(tx: Transaction, *, accounts: Sequence[Account], users: Sequence[User], entry: AuditEntry) -> None:
    changes = [_declare_account(tx, account) for account in accounts]
    named = {account.id for account in accounts}
    changes += [
        bool(tx.change(_SET_ACCOUNT, {"the_id": known.id, "declared": 0}))
        for known in _all_accounts(tx)
        if known.is_declared and known.id not in named
    ]
    for account in accounts:
        if account.is_disabled:
            tx.change(_END_SESSIONS_OF_ACCOUNT, {"the_account": account.id})
    there = {row.person_name: owner_from(row).user for row in tx.all(_USERS)}
    for user in declared_users(users, there=list(there.values())):
        changes.append(True)
        if user.name in there:
            tx.change(_SET_USER, {"the_name": user.name} | _declared_columns(user))
        else:
            _insert_user(tx, user, "")
        if user.is_disabled:
            tx.change(_END_SESSIONS, {"the_name": user.name})
    if any(changes):
        record(tx, entry=entry)


def add_account(tx: Transaction, *, account: Account, entry: AuditEntry) -> None:
    alike = _alike(tx, account)
    if alike:
        raise account_taken(account, alike[0])
    _insert_account(tx, account)
    record(tx, entry=entry)


def accounts(tx: Transaction) -> list[Account]:
    return _all_accounts(tx)


def change_account(tx: Transaction, *, account: AccountId, is_disabled: bool, entry: AuditEntry) -> None:
    if not tx.change(_SET_ACCOUNT, {"the_id": account, "disabled": int(is_disabled)}):
        raise no_such("account", account)
    if is_disabled:
        tx.change(_END_SESSIONS_OF_ACCOUNT, {"the_account": account})
    record(tx, entry=entry)


def add_user(tx: Transaction, *, user: User, password_hash: str, entry: AuditEntry) -> None:
    if known_user(tx, name=user.name) is not None:
        raise name_taken("user", user.name)
    if all(account.id != user.account for account in _all_accounts(tx)):
        raise no_such("account", user.account)
    _insert_user(tx, user, password_hash)
    record(tx, entry=entry)


def known_user(tx: Transaction, *, name: str) -> KnownUser | None:
    row = tx.one(_THE_USER, {"the_name": name})
    return None if row is None else owner_from(row)


def users(tx: Transaction, *, account: AccountId | None) -> list[User]:
    rows = tx.all(_USERS) if account is None else tx.all(_USERS_OF_ACCOUNT, {"the_account": account})
    return [owner_from(row).user for row in rows]


def change_user(
    tx: Transaction, *, name: str, role: UserRole | None, is_disabled: bool | None, entry: AuditEntry
) -> None:
    columns = {} if role is None else {"role": role.value}
    _set_user(tx, name, columns | ({} if is_disabled is None else {"disabled": int(is_disabled)}))
    if is_disabled:
        tx.change(_END_SESSIONS, {"the_name": name})
    record(tx, entry=entry)


def remove_user(tx: Transaction, *, name: str, entry: AuditEntry) -> None:
    for statement in _REMOVE_WITH_USER:
        tx.change(statement, {"the_name": name})
    if not tx.change(_REMOVE_USER, {"the_name": name}):
        raise no_such("user", name)
    record(tx, entry=entry)


def set_password(
    tx: Transaction, *, name: str, password_hash: str, must_change: bool, instead_of: str | None, entry: AuditEntry
) -> bool:
    known = known_user(tx, name=name)
    if known is not None and instead_of is not None and known.password_hash != instead_of:
        return False
    _set_user(tx, name, {"password_hash": password_hash, "must_change": int(must_change)})
    tx.change(_END_SESSIONS, {"the_name": name})
    record(tx, entry=entry)
    return True


def improve_hash(tx: Transaction, *, name: str, old_hash: str, new_hash: str) -> None:
    tx.change(_IMPROVE_HASH, {"the_name": name, "the_old_hash": old_hash, "password_hash": new_hash})


def _declare_account(tx: Transaction, account: Account) -> bool:
    alike = _alike(tx, account)
    others = [other for other in alike if other.id != account.id]
    if others:
        raise account_taken(account, others[0])
    if not alike:
        _insert_account(tx, replace(account, is_declared=True))
        return True
    wanted = replace(account, created_at=alike[0].created_at, is_declared=True)
    if wanted == alike[0]:
        return False
    columns = _account_columns(wanted)
    tx.change(_SET_ACCOUNT, {"the_id": account.id} | {name: columns[name] for name in columns if name != "id"})
    return True


def _declared_columns(user: User) -> dict[str, Any]:
    return {
        "account": user.account,
        "role": user.role.value,
        "disabled": int(user.is_disabled),
        "declared": int(user.is_declared),
    }


def _set_user(tx: Transaction, name: str, columns: dict[str, Any]) -> None:
    if columns and not tx.change(_SET_USER, {"the_name": name} | columns):
        raise no_such("user", name)


def _insert_account(tx: Transaction, account: Account) -> None:
    tx.change(_ADD_ACCOUNT, _account_columns(account))


def _account_columns(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "uin": account.uin,
        "appid": account.appid,
        "aws_account_id": account.aws_account_id,
        "created_at": account.created_at,
        "declared": int(account.is_declared),
        "disabled": int(account.is_disabled),
    }


def _insert_user(tx: Transaction, user: User, password_hash: str) -> None:
    row = {
        "name": user.name,
        "account": user.account,
        "role": user.role.value,
        "password_hash": password_hash,
        "must_change": int(user.must_change_password),
        "disabled": int(user.is_disabled),
        "declared": int(user.is_declared),
        "created_at": user.created_at,
    }
    tx.change(_ADD_USER, row)


def _alike(tx: Transaction, account: Account) -> list[Account]:
    """Those that have the same id, name, or one of the same numbers."""
    sought = {
        "the_id": account.id,
        "the_name": account.name,
        "the_uin": account.uin,
        "the_appid": account.appid,
        "the_aws": account.aws_account_id,
    }
    return [_account_from(row) for row in tx.all(_ACCOUNTS_ALIKE, sought)]


def _all_accounts(tx: Transaction) -> list[Account]:
    return [_account_from(row) for row in tx.all(_ACCOUNTS)]


def _account_from(row: Row[Any]) -> Account:
    return Account(
        id=AccountId(row.id),
        name=row.name,
        uin=row.uin,
        appid=row.appid,
        aws_account_id=row.aws_account_id,
        created_at=row.created_at,
        is_declared=bool(row.declared),
        is_disabled=bool(row.disabled),
    )
