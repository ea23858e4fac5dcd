"""Statements about the audit log and about logins that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update

from cosbatch.ledger import people_tables as tables
from cosbatch.ledger.people_port import AuditEntry, AuditLine, Outcome, Reseal
from cosbatch.ledger.sealed import has_sealed, reseal
from cosbatch.ledger.tables import metadata
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import AccountId

_AUDIT: Final = tables.audit.c
_TRY: Final = tables.failed_login.c

_RECORD: Final = insert(tables.audit)
_LINES: Final = select(tables.audit).order_by(_AUDIT.id.desc()).limit(bindparam("row_limit"))
_FORGET_OLD_TRIES: Final = delete(tables.failed_login).where(_TRY.since <= bindparam("before"))
_TRIES: Final = select(tables.failed_login).where(_TRY.subject == bindparam("the_subject")).with_for_update()
_COUNT_TRY: Final = (
    update(tables.failed_login).where(_TRY.subject == bindparam("the_subject")).values(tries=_TRY.tries + 1)
)
_TAKE_BACK: Final = (
    update(tables.failed_login)
    .where(_TRY.subject == bindparam("the_subject"), _TRY.tries > 0)
    .values(tries=_TRY.tries - 1)
)
_FIRST_TRY: Final = insert(tables.failed_login)
_FORGIVE: Final = delete(tables.failed_login).where(_TRY.subject == bindparam("the_subject"))


def record(tx: Transaction, *, entry: AuditEntry) -> None:
    row = {
        "at": tx.now(),
        "account": entry.account,
        "actor": entry.actor,
        "via": entry.via,
        "credential": entry.credential,
        "action": entry.action,
        "target": entry.target,
        "outcome": entry.outcome.value,
        "detail": entry.detail,
    }
    tx.change(_RECORD, row)


def audit(tx: Transaction, *, account: AccountId | None, before: int | None, limit: int) -> list[AuditLine]:
    statement = _LINES
    if account is not None:
        statement = statement.where(_AUDIT.account == account)
    if before is not None:
        statement = statement.where(_AUDIT.id < before)
    return [_line_from(row) for row in tx.all(statement, {"row_limit": limit})]


def count_try(tx: Transaction, *, limits: Mapping[str, int], window_seconds: float) -> float:
    tx.change(_FORGET_OLD_TRIES, {"before": tx.now() - window_seconds})
    found = {subject: tx.one(_TRIES, {"the_subject": subject}) for subject in sorted(limits)}
    waits = [
        float(row.since) + window_seconds - tx.now()
        for subject, row in found.items()
        if row is not None and row.tries >= limits[subject]
    ]
    if waits:
        return max(waits)
    for subject, row in found.items():
        if row is None:
            tx.change(_FIRST_TRY, {"subject": subject, "tries": 1, "since": tx.now()})
        else:
            tx.change(_COUNT_TRY, {"the_subject": subject})
    return 0.0


def forgive_tries(tx: Transaction, *, subjects: Sequence[str]) -> None:
    tx.change_each(_FORGIVE, [{"the_subject": subject} for subject in subjects])


def take_back_try(tx: Transaction, *, subject: str) -> None:
    tx.change(_TAKE_BACK, {"the_subject": subject})


def any_sealed(tx: Transaction) -> bool:
    return has_sealed(tx, metadata)


def reseal_all(tx: Transaction, *, change: Reseal, entry: AuditEntry) -> int:
    count = reseal(tx, metadata, change=change)
    record(tx, entry=entry)
    return count


def _line_from(row: Row[Any]) -> AuditLine:
    entry = AuditEntry(
        account=AccountId(row.account),
        actor=row.actor,
        via=row.via,
        credential=row.credential,
        action=row.action,
        target=row.target,
        outcome=Outcome(row.outcome),
        detail=row.detail,
    )
    return AuditLine(id=row.id, at=row.at, entry=entry)
