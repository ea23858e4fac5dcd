"""Statements about the audit log and about logins that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, bindparam, delete, insert, select, update

from cosbatch.ledger import people_tables as tables
from cosbatch.ledger.people_port import AuditEntry, AuditFilter, AuditLine, Outcome, Reseal
from cosbatch.ledger.sealed import has_sealed, reseal
from cosbatch.ledger.tables import metadata
from cosbatch.ledger.transaction import Transaction
from cosbatch.model.identifiers import AccountId

_AUDIT: Final = tables.audit.c
_TRY: Final = tables.failed_login.c

_RECORD: Final = insert(tables.audit)
_LINES: Final = select(tables.audit).order_by(_AUDIT.id.desc()).limit(bindparam("row_limit"))
_FITS: Final[Mapping[str, ColumnElement[bool]]] = {
    "the_account": _AUDIT.account == bindparam("the_account"),
    "before": _AUDIT.id < bindparam("before"),
    "the_actor": _AUDIT.actor == bindparam("the_actor"),
    "the_action": _AUDIT.action == bindparam("the_action"),
    "the_target": _AUDIT.target == bindparam("the_target"),
    "the_outcome": _AUDIT.outcome == bindparam("the_outcome"),
    "since": _AUDIT.at >= bindparam("since"),
    "until": _AUDIT.at < bindparam("until"),
}
"""By the name of what is compared with."""
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
        "request_id": entry.request_id,
    }
    tx.change(_RECORD, row)


def audit(
    tx: Transaction, *, account: AccountId | None, before: int | None, limit: int, wanted: AuditFilter
) -> list[AuditLine]:
    asked: Mapping[str, Any] = {
        "the_account": account,
        "before": before,
        "the_actor": wanted.actor or None,
        "the_action": wanted.action or None,
        "the_target": wanted.target or None,
        "the_outcome": wanted.outcome.value if wanted.outcome else None,
        "since": wanted.since,
        "until": wanted.until,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    statement = _LINES.where(*[_FITS[name] for name in given])
    return [_line_from(row) for row in tx.all(statement, given | {"row_limit": limit})]


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
        request_id=row.request_id,
    )
    return AuditLine(id=row.id, at=row.at, entry=entry)
