"""Statements about what users come in with: access keys, API tokens, sessions."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, delete, exists, insert, select, update

from cosbatch.identity.tokens import ApiToken, Session, TokenScope
from cosbatch.ledger import people_tables as tables
from cosbatch.ledger.people_audit import record
from cosbatch.ledger.people_owners import OWNER_COLUMNS, owner_from
from cosbatch.ledger.people_port import AuditEntry, KnownKey, KnownSession, KnownToken
from cosbatch.ledger.people_rules import name_taken, no_such
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey

_ACCOUNT: Final = tables.account.c
_PERSON: Final = tables.person.c
_KEY: Final = tables.access_key.c
_TOKEN: Final = tables.api_token.c
_SESSION: Final = tables.session.c

_KEYS: Final = (
    select(tables.access_key, *OWNER_COLUMNS)
    .join_from(tables.access_key, tables.person)
    .join(tables.account)
    .order_by(_KEY.created_at, _KEY.id)
)
_THE_KEY: Final = _KEYS.where(_KEY.id == bindparam("the_id"))
_ADD_KEY: Final = insert(tables.access_key)
_REMOVE_KEY: Final = delete(tables.access_key).where(_KEY.id == bindparam("the_id"))
_SET_KEY: Final = update(tables.access_key).where(_KEY.id == bindparam("the_id"))

_TOKENS: Final = (
    select(tables.api_token, *OWNER_COLUMNS)
    .join_from(tables.api_token, tables.person)
    .join(tables.account)
    .order_by(_TOKEN.created_at, _TOKEN.id)
)
_TOKEN_OF_ID: Final = _TOKENS.where(_TOKEN.id == bindparam("the_id"))
_TOKEN_OF_DIGEST: Final = _TOKENS.where(_TOKEN.digest == bindparam("the_digest"))
_ADD_TOKEN: Final = insert(tables.api_token)
_SET_TOKEN: Final = update(tables.api_token).where(_TOKEN.id == bindparam("the_id"))

_THE_SESSION: Final = (
    select(tables.session, *OWNER_COLUMNS)
    .join_from(tables.session, tables.person)
    .join(tables.account)
    .where(_SESSION.digest == bindparam("the_digest"))
)
_PROVEN: Final = (
    select(_PERSON.name)
    .where(
        _PERSON.name == bindparam("the_name"),
        _PERSON.password_hash == bindparam("the_hash"),
        _PERSON.disabled == 0,
        exists().where(_ACCOUNT.id == _PERSON.account, _ACCOUNT.disabled == 0),
    )
    .with_for_update()
)
_ADD_SESSION: Final = insert(tables.session)
_SET_SESSION: Final = update(tables.session).where(_SESSION.id == bindparam("the_id"))
_END_SESSION: Final = delete(tables.session).where(_SESSION.id == bindparam("the_id"))
_FORGET_OVER: Final = delete(tables.session).where(_SESSION.expires_at <= bindparam("now"))


# --- access keys


def add_access_key(tx: Transaction, *, key: AccessKey, sealed_secret: str, entry: AuditEntry) -> None:
    if known_key(tx, access_key_id=key.access_key_id) is not None:
        raise name_taken("access key", key.access_key_id)
    _check_person(tx, key.user)
    tx.change(_ADD_KEY, key_row(key, sealed_secret))
    record(tx, entry=entry)


def known_key(tx: Transaction, *, access_key_id: str) -> KnownKey | None:
    row = tx.one(_THE_KEY, {"the_id": access_key_id})
    return None if row is None else _key_from(row)


def access_keys(tx: Transaction, *, account: AccountId | None, user: str | None) -> list[AccessKey]:
    return [_key_from(row).key for row in tx.all(_of(_KEYS, account=account, user=user))]


def set_key_disabled(tx: Transaction, *, access_key_id: str, is_disabled: bool, entry: AuditEntry) -> None:
    if not tx.change(_SET_KEY, {"the_id": access_key_id, "disabled": int(is_disabled)}):
        raise no_such("access key", access_key_id)
    record(tx, entry=entry)


def remove_access_key(tx: Transaction, *, access_key_id: str, entry: AuditEntry) -> None:
    if not tx.change(_REMOVE_KEY, {"the_id": access_key_id}):
        raise no_such("access key", access_key_id)
    record(tx, entry=entry)


def key_used(tx: Transaction, *, access_key_id: str, at: float) -> None:
    tx.change(_SET_KEY, {"the_id": access_key_id, "used_at": at})


def key_row(key: AccessKey, sealed_secret: str) -> dict[str, Any]:
    return {
        "id": key.access_key_id,
        "person": key.user,
        "secret": sealed_secret,
        "description": key.description,
        "disabled": int(key.is_disabled),
        "created_at": key.created_at,
        "used_at": key.last_used_at,
    }


def _key_from(row: Row[Any]) -> KnownKey:
    owner = owner_from(row)
    key = AccessKey(
        access_key_id=row.id,
        user=owner.user.name,
        account=owner.account.id,
        created_at=row.created_at,
        description=row.description,
        is_disabled=bool(row.disabled),
        last_used_at=row.used_at,
    )
    return KnownKey(key=key, sealed_secret=row.secret, user=owner.user, account=owner.account)


# --- tokens


def add_token(tx: Transaction, *, token: ApiToken, digest: str, entry: AuditEntry) -> None:
    if known_token(tx, token_id=token.id) is not None:
        raise name_taken("token", token.id)
    _check_person(tx, token.user)
    row = {
        "id": token.id,
        "person": token.user,
        "digest": digest,
        "scopes": " ".join(sorted(token.scopes)),
        "description": token.description,
        "revoked": int(token.is_revoked),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.last_used_at,
    }
    tx.change(_ADD_TOKEN, row)
    record(tx, entry=entry)


def known_token(tx: Transaction, *, token_id: str) -> KnownToken | None:
    row = tx.one(_TOKEN_OF_ID, {"the_id": token_id})
    return None if row is None else _token_from(row)


def token_of(tx: Transaction, *, digest: str) -> KnownToken | None:
    row = tx.one(_TOKEN_OF_DIGEST, {"the_digest": digest})
    return None if row is None else _token_from(row)


def tokens(tx: Transaction, *, account: AccountId | None, user: str | None) -> list[ApiToken]:
    return [_token_from(row).token for row in tx.all(_of(_TOKENS, account=account, user=user))]


def revoke_token(tx: Transaction, *, token_id: str, entry: AuditEntry) -> None:
    if not tx.change(_SET_TOKEN, {"the_id": token_id, "revoked": 1}):
        raise no_such("token", token_id)
    record(tx, entry=entry)


def token_used(tx: Transaction, *, token_id: str, at: float) -> None:
    tx.change(_SET_TOKEN, {"the_id": token_id, "used_at": at})


def _token_from(row: Row[Any]) -> KnownToken:
    owner = owner_from(row)
    token = ApiToken(
        id=row.id,
        user=owner.user.name,
        account=owner.account.id,
        scopes=frozenset(TokenScope(scope) for scope in row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        description=row.description,
        is_revoked=bool(row.revoked),
        last_used_at=row.used_at,
    )
    return KnownToken(token=token, user=owner.user, account=owner.account)


# --- sessions


def add_session(tx: Transaction, *, session: Session, digest: str, password_hash: str, entry: AuditEntry) -> bool:
    tx.change(_FORGET_OVER, {"now": session.created_at})
    if tx.one(_PROVEN, {"the_name": session.user, "the_hash": password_hash}) is None:
        return False
    row = {
        "id": session.id,
        "person": session.user,
        "digest": digest,
        "address": session.address,
        "created_at": session.created_at,
        "idle_until": session.idle_until,
        "expires_at": session.expires_at,
    }
    tx.change(_ADD_SESSION, row)
    record(tx, entry=entry)
    return True


def known_session(tx: Transaction, *, digest: str) -> KnownSession | None:
    row = tx.one(_THE_SESSION, {"the_digest": digest})
    if row is None:
        return None
    owner = owner_from(row)
    session = Session(
        id=row.id,
        user=owner.user.name,
        account=owner.account.id,
        created_at=row.created_at,
        idle_until=row.idle_until,
        expires_at=row.expires_at,
        address=row.address,
    )
    return KnownSession(session=session, user=owner.user, account=owner.account)


def session_used(tx: Transaction, *, session_id: str, idle_until: float) -> None:
    tx.change(_SET_SESSION, {"the_id": session_id, "idle_until": idle_until})


def end_session(tx: Transaction, *, session_id: str, entry: AuditEntry) -> None:
    if tx.change(_END_SESSION, {"the_id": session_id}):
        record(tx, entry=entry)


def _of(statement: Select[Any], *, account: AccountId | None, user: str | None) -> Select[Any]:
    if account is not None:
        statement = statement.where(_PERSON.account == account)
    return statement if user is None else statement.where(_PERSON.name == user)


def _check_person(tx: Transaction, name: str) -> None:
    if tx.one(select(_PERSON.name).where(_PERSON.name == name), {}) is None:
        raise no_such("user", name)
