"""Puts into the outbox of webhooks what happens to a job, in the transaction that makes it happen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from sqlalchemy import bindparam, insert, literal_column, select

from cosbatch.ledger.codec import encode
from cosbatch.ledger.transaction import Transaction
from cosbatch.ledger.webhook_tables import webhook, webhook_delivery
from cosbatch.model.identifiers import WebhookId, new_message_id
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import DeliveryState, status_change

_TOLD: Final = (
    select(webhook.c.id, webhook.c.statuses)
    .where(webhook.c.account == bindparam("the_account"), webhook.c.enabled == literal_column("1"))
    .order_by(webhook.c.id)
)
_PUT: Final = insert(webhook_delivery)


def tell_webhooks(
    tx: Transaction,
    *,
    account: str,
    status: JobStatus,
    previous: JobStatus | None,
    reason: str,
    changed: Callable[[], Job],
) -> None:
    """``changed`` gives the job as it is now; it is asked only where somebody is told."""
    told = [
        WebhookId(row.id)
        for row in tx.all(_TOLD, {"the_account": account})
        if not (statuses := json.loads(row.statuses)) or status in statuses
    ]
    if not told:
        return
    job = changed()
    change = encode(status_change(job, message_id=new_message_id(), previous=previous, reason=reason))
    rows = [
        {
            "webhook_id": webhook_id,
            "job_id": job.id,
            "change": change,
            "state": str(DeliveryState.WAITING),
            "attempts": 0,
            "put_at": tx.now(),
            "next_at": tx.now(),
            "last_error": "",
        }
        for webhook_id in told
    ]
    tx.change_each(_PUT, rows)
