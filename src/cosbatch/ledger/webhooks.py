"""The WebhookLedger over a SQL database."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, exists, func, insert, literal_column, select, update

from cosbatch.ledger.codec import decode
from cosbatch.ledger.transaction import Database, Parameters, Transaction
from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.ledger.webhook_rules import DISABLED, no_such_delivery, no_such_webhook, webhook_is_there
from cosbatch.ledger.webhook_tables import IS_WAITING, webhook, webhook_delivery
from cosbatch.model.identifiers import AccountId, WebhookId
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import (
    Delivery,
    DeliveryEnd,
    DeliveryState,
    DueDelivery,
    KeptWebhook,
    StatusChange,
    Webhook,
    WebhookQueue,
)

_OF: Final = webhook_delivery.c
_IS_ENABLED: Final = webhook.c.enabled == literal_column("1")
_NAMED: Final = (webhook.c.account == bindparam("the_account"), webhook.c.name == bindparam("the_name"))
_WEBHOOK: Final = select(webhook).where(*_NAMED)
_ALL: Final = select(webhook).order_by(webhook.c.account, webhook.c.name)
_OF_ACCOUNT: Final = _ALL.where(webhook.c.account == bindparam("the_account"))
_DECLARED: Final = select(webhook).where(webhook.c.declared == literal_column("1"))
_BY_ID: Final = webhook.c.id == bindparam("the_id")
_ADD: Final = insert(webhook)
_CHANGE: Final = update(webhook).where(_BY_ID)
_REMOVE: Final = delete(webhook).where(_BY_ID)

_DUE_WEBHOOKS: Final = (
    select(webhook)
    .where(
        _IS_ENABLED,
        exists(literal_column("1")).where(_OF.webhook_id == webhook.c.id, IS_WAITING, _OF.next_at <= bindparam("at")),
    )
    .order_by(webhook.c.id)
)
_EARLIER: Final = webhook_delivery.alias("earlier")
_DUE: Final = (
    select(webhook_delivery)
    .where(
        _OF.webhook_id == bindparam("the_id"),
        IS_WAITING,
        _OF.next_at <= bindparam("at"),
        ~exists(literal_column("1")).where(
            _EARLIER.c.webhook_id == _OF.webhook_id,
            _EARLIER.c.job_id == _OF.job_id,
            _EARLIER.c.done_at.is_(None),
            _EARLIER.c.id < _OF.id,
        ),
    )
    .order_by(_OF.next_at, _OF.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_THE_DELIVERY: Final = _OF.id == bindparam("the_delivery")
_HOLD: Final = update(webhook_delivery).where(_THE_DELIVERY)
_END: Final = update(webhook_delivery).where(_THE_DELIVERY, IS_WAITING, _OF.attempts == bindparam("the_attempt"))
_GIVE_UP_ALL: Final = update(webhook_delivery).where(_OF.webhook_id == bindparam("the_id"), IS_WAITING)
_DELIVERY: Final = select(webhook_delivery).where(_THE_DELIVERY, _OF.webhook_id == bindparam("the_id"))
_DELIVERIES: Final = (
    select(webhook_delivery)
    .where(_OF.webhook_id == bindparam("the_id"))
    .order_by(_OF.id.desc())
    .limit(bindparam("most"))
)
_WAITING: Final = (
    select(func.count().label("waiting"), func.min(_OF.put_at).label("oldest"))
    .select_from(webhook_delivery.join(webhook, webhook.c.id == _OF.webhook_id))
    .where(IS_WAITING, _IS_ENABLED)
)
_GIVEN_UP: Final = select(func.count()).select_from(webhook_delivery).where(_OF.state == str(DeliveryState.GIVEN_UP))
_STOPPED: Final = (
    select(func.count())
    .select_from(webhook)
    .where(webhook.c.enabled == literal_column("0"), webhook.c.disabled_reason != "")
)
_OLD: Final = select(_OF.id).where(_OF.done_at < bindparam("before")).order_by(_OF.done_at).limit(bindparam("most"))
_FORGET: Final = delete(webhook_delivery).where(_THE_DELIVERY)


class SqlWebhookLedger(WebhookLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        """``database`` belongs to the JobLedger beside it, which closes it."""
        self._database = database

    async def add_webhook(self, kept: KeptWebhook) -> Webhook:
        return await self._database.write(partial(_add, kept=kept))

    async def webhooks(self, *, account: AccountId | None) -> list[Webhook]:
        statement, sought = (_ALL, {}) if account is None else (_OF_ACCOUNT, {"the_account": account})
        return await self._database.read(lambda tx: [_webhook_from(row, tx) for row in tx.all(statement, sought)])

    async def webhook(self, name: str, *, account: AccountId) -> KeptWebhook:
        return await self._database.read(lambda tx: _kept_from(_row(tx, name, account), tx))

    async def enable_webhook(self, name: str, *, account: AccountId, is_enabled: bool) -> Webhook:
        return await self._database.write(partial(_enable, name=name, account=account, is_enabled=is_enabled))

    async def rotate_secret(
        self, name: str, *, account: AccountId, sealed: str, sealed_older: str, keep_seconds: float
    ) -> Webhook:
        def rotate(tx: Transaction) -> Webhook:
            row = _row(tx, name, account)
            older_until = tx.now() + keep_seconds
            _change(tx, row.id, {"sealed": sealed, "sealed_older": sealed_older, "older_until": older_until})
            return _webhook_from(_row(tx, name, account), tx)

        return await self._database.write(rotate)

    async def remove_webhook(self, name: str, *, account: AccountId) -> None:
        await self._database.write(lambda tx: tx.change(_REMOVE, {"the_id": _row(tx, name, account).id}))

    async def declare_webhooks(self, declared: Sequence[KeptWebhook]) -> None:
        await self._database.write(partial(_declare, declared=declared))

    async def claim_deliveries(
        self, *, room: int, room_each: int, lease_seconds: float, but_not: Collection[WebhookId] = ()
    ) -> list[DueDelivery]:
        due = await self._database.read(lambda tx: _due_webhooks(tx, but_not))
        if not due or room < 1:
            return []  # nobody waits for the right to write only to find that there is nothing
        return await self._database.write(
            partial(_claim, room=room, room_each=room_each, lease_seconds=lease_seconds, but_not=but_not)
        )

    async def end_delivery(self, due: DueDelivery, end: DeliveryEnd) -> bool:
        return await self._database.write(partial(_end, due=due, end=end))

    async def deliveries(
        self, *, account: AccountId, webhook_id: WebhookId, before: int | None = None, limit: int = 50
    ) -> list[Delivery]:
        statement = _DELIVERIES if before is None else _DELIVERIES.where(_OF.id < before)
        rows = await self._database.read(lambda tx: tx.all(statement, {"the_id": webhook_id, "most": limit}))
        return [found for found in map(_delivery_from, rows) if found.change.account == account]

    async def redeliver(self, delivery_id: int, *, account: AccountId, webhook_id: WebhookId) -> Delivery:
        return await self._database.write(
            partial(_redeliver, delivery_id=delivery_id, account=account, webhook_id=webhook_id)
        )

    async def queue(self) -> WebhookQueue:
        return await self._database.read(_queue)

    async def forget_deliveries(self, *, older_than_seconds: float, limit: int = 200) -> int:
        def forget(tx: Transaction) -> int:
            rows = tx.all(_OLD, {"before": tx.now() - older_than_seconds, "most": limit})
            tx.change_each(_FORGET, [{"the_delivery": row.id} for row in rows])
            return len(rows)

        return await self._database.write(forget)


# --- who is told


def _row(tx: Transaction, name: str, account: AccountId) -> Row[Any]:
    row = tx.one(_WEBHOOK, {"the_account": account, "the_name": name})
    if row is None:
        raise no_such_webhook(name)
    return row


def _change(tx: Transaction, webhook_id: str, changes: Parameters) -> None:
    tx.change(_CHANGE, {"the_id": webhook_id, "changed_at": tx.now()} | changes)


def _add(tx: Transaction, *, kept: KeptWebhook) -> Webhook:
    new = kept.webhook
    named = {"the_account": new.account, "the_name": new.name}
    if tx.one(_WEBHOOK, named) is not None:
        raise webhook_is_there(new.name)
    tx.change(_ADD, _columns(kept) | {"id": new.id, "created_at": tx.now(), "changed_at": tx.now()})
    return _webhook_from(_row(tx, new.name, new.account), tx)


def _enable(tx: Transaction, *, name: str, account: AccountId, is_enabled: bool, reason: str = "") -> Webhook:
    row = _row(tx, name, account)
    _change(tx, row.id, {"enabled": int(is_enabled), "disabled_reason": reason})
    if not is_enabled:
        _give_up_all(tx, row.id)
    return _webhook_from(_row(tx, name, account), tx)


def _give_up_all(tx: Transaction, webhook_id: str) -> None:
    given_up = {"state": str(DeliveryState.GIVEN_UP), "done_at": tx.now(), "last_error": DISABLED}
    tx.change(_GIVE_UP_ALL, {"the_id": webhook_id} | given_up)


def _declare(tx: Transaction, *, declared: Sequence[KeptWebhook]) -> None:
    named = {(kept.webhook.account, kept.webhook.name) for kept in declared}
    for row in tx.all(_DECLARED):
        if (row.account, row.name) not in named:
            tx.change(_REMOVE, {"the_id": row.id})
    for kept in declared:
        new = kept.webhook
        known = tx.one(_WEBHOOK, {"the_account": new.account, "the_name": new.name})
        if known is None:
            tx.change(_ADD, _columns(kept) | {"id": new.id, "created_at": tx.now(), "changed_at": tx.now()})
        elif not known.declared:
            raise webhook_is_there(new.name)
        else:
            assert known.id == new.id, "whoever declares it again has sealed its secret for its id"
            _change(tx, known.id, _columns(kept))
            if not new.is_enabled:
                _give_up_all(tx, known.id)


def _columns(kept: KeptWebhook) -> Parameters:
    new = kept.webhook
    return {
        "account": new.account,
        "name": new.name,
        "url": new.url,
        "statuses": json.dumps([str(status) for status in new.statuses]),
        "enabled": int(new.is_enabled),
        "disabled_reason": new.disabled_reason,
        "declared": int(new.is_declared),
        "sealed": kept.sealed,
        "sealed_older": kept.sealed_older,
        "older_until": new.older_secret_until,
    }


def _webhook_from(row: Row[Any], tx: Transaction) -> Webhook:
    has_older = row.older_until is not None and row.older_until > tx.now()
    return Webhook(
        id=WebhookId(row.id),
        account=AccountId(row.account),
        name=row.name,
        url=row.url,
        statuses=tuple(JobStatus(status) for status in json.loads(row.statuses)),
        is_enabled=bool(row.enabled),
        disabled_reason=row.disabled_reason,
        is_declared=bool(row.declared),
        created_at=row.created_at,
        changed_at=row.changed_at,
        older_secret_until=row.older_until if has_older else None,
    )


def _kept_from(row: Row[Any], tx: Transaction) -> KeptWebhook:
    found = _webhook_from(row, tx)
    older = row.sealed_older if found.older_secret_until is not None else ""
    return KeptWebhook(webhook=found, sealed=row.sealed, sealed_older=older)


# --- what is told


def _due_webhooks(tx: Transaction, but_not: Collection[WebhookId]) -> list[Row[Any]]:
    return [row for row in tx.all(_DUE_WEBHOOKS, {"at": tx.now()}) if row.id not in but_not]


def _claim(
    tx: Transaction, *, room: int, room_each: int, lease_seconds: float, but_not: Collection[WebhookId]
) -> list[DueDelivery]:
    found = list(_due(tx, room=room, room_each=room_each, but_not=but_not))
    until = tx.now() + lease_seconds
    held = [{"the_delivery": due.id, "attempts": due.attempt, "next_at": until} for due in found]
    tx.change_each(_HOLD, held)
    return found


def _due(tx: Transaction, *, room: int, room_each: int, but_not: Collection[WebhookId]) -> Iterator[DueDelivery]:
    """One webhook after the other, the same number of each at most."""
    for row in _due_webhooks(tx, but_not):
        kept = _kept_from(row, tx)
        rows = tx.all(_DUE, {"the_id": row.id, "at": tx.now(), "most": min(room, room_each)})
        room -= len(rows)
        for delivery in rows:
            yield DueDelivery(
                id=delivery.id,
                kept=kept,
                change=decode(delivery.change, StatusChange),
                attempt=delivery.attempts + 1,
                age_seconds=tx.now() - delivery.put_at,
            )
        if room < 1:
            return


def _end(tx: Transaction, *, due: DueDelivery, end: DeliveryEnd) -> bool:
    is_waiting = end.state is DeliveryState.WAITING
    changes: Parameters = {
        "state": str(end.state),
        "last_error": end.error,
        "last_http_status": end.http_status,
        "done_at": None if is_waiting else tx.now(),
    }
    if is_waiting:
        changes["next_at"] = tx.now() + end.again_in_seconds
    if not tx.change(_END, {"the_delivery": due.id, "the_attempt": due.attempt} | changes):
        return False
    if end.disables:
        _change(tx, due.kept.webhook.id, {"enabled": 0, "disabled_reason": end.disables})
        _give_up_all(tx, due.kept.webhook.id)
    return True


def _redeliver(tx: Transaction, *, delivery_id: int, account: AccountId, webhook_id: WebhookId) -> Delivery:
    sought = {"the_delivery": delivery_id, "the_id": webhook_id}
    row = tx.one(_DELIVERY, sought)
    if row is None or _delivery_from(row).change.account != account:
        raise no_such_delivery()
    again = {"state": str(DeliveryState.WAITING), "done_at": None, "put_at": tx.now(), "next_at": tx.now()}
    tx.change(_HOLD, {"the_delivery": delivery_id} | again)
    found = tx.one(_DELIVERY, sought)
    assert found is not None
    return _delivery_from(found)


def _queue(tx: Transaction) -> WebhookQueue:
    row: Row[Any] = tx.all(_WAITING)[0]
    waiting, oldest = row.waiting, row.oldest
    return WebhookQueue(
        waiting=waiting,
        lag_seconds=max(0.0, tx.now() - oldest) if waiting else 0.0,
        given_up=tx.all(_GIVEN_UP)[0][0],
        disabled=tx.all(_STOPPED)[0][0],
    )


def _delivery_from(row: Row[Any]) -> Delivery:
    state = DeliveryState(row.state)
    return Delivery(
        id=row.id,
        webhook_id=WebhookId(row.webhook_id),
        change=decode(row.change, StatusChange),
        state=state,
        attempts=row.attempts,
        put_at=row.put_at,
        next_at=row.next_at if state is DeliveryState.WAITING else None,
        done_at=row.done_at,
        last_error=row.last_error,
        last_http_status=row.last_http_status,
    )
