"""The ledger's tables of webhooks: who is told, and the outbox. Secrets are sealed before they come here.

A message has no reference to its job or event: it is told also of a job that was deleted meanwhile.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text

from cosbatch.ledger.sealed import sealed_for
from cosbatch.ledger.tables import COUNT, REAL_NUMBER, metadata
from cosbatch.model.identifiers import WebhookId
from cosbatch.model.webhooks import purpose_of_older_secret, purpose_of_secret

webhook: Final = Table(
    "webhook",
    metadata,
    Column("id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("statuses", Text, nullable=False),  # JSON list; empty: all
    Column("enabled", COUNT, nullable=False),
    Column("disabled_reason", Text, nullable=False),
    Column("declared", COUNT, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("changed_at", REAL_NUMBER, nullable=False),
    Column("sealed", Text, nullable=False, info=sealed_for(purpose_of_secret(WebhookId("{id}")))),
    Column("sealed_older", Text, nullable=False, info=sealed_for(purpose_of_older_secret(WebhookId("{id}")))),
    Column("older_until", REAL_NUMBER),
    PrimaryKeyConstraint("id", name="webhook_pk"),
    CheckConstraint("enabled IN (0, 1)", name="webhook_enabled"),
    CheckConstraint("declared IN (0, 1)", name="webhook_declared"),
    sqlite_strict=True,
)

webhook_delivery: Final = Table(
    "webhook_delivery",
    metadata,
    Column("id", COUNT, nullable=False, autoincrement=True),
    Column("webhook_id", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("change", Text, nullable=False),  # JSON: what is told
    Column("state", Text, nullable=False),
    Column("attempts", COUNT, nullable=False),
    Column("put_at", REAL_NUMBER, nullable=False),
    Column("next_at", REAL_NUMBER, nullable=False),  # while a sender has it: when its time is over
    Column("done_at", REAL_NUMBER),
    Column("last_error", Text, nullable=False),
    Column("last_http_status", COUNT),
    PrimaryKeyConstraint("id", name="webhook_delivery_pk"),
    ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name="webhook_delivery_webhook_fk", ondelete="CASCADE"),
    CheckConstraint("state IN ('waiting', 'delivered', 'given-up')", name="webhook_delivery_state_known"),
    CheckConstraint("(state = 'waiting') = (done_at IS NULL)", name="webhook_delivery_done"),
    sqlite_strict=True,
)

IS_WAITING: Final = webhook_delivery.c.done_at.is_(None)

Index("webhook_name", webhook.c.account, webhook.c.name, unique=True)
Index(
    "webhook_delivery_due",
    webhook_delivery.c.webhook_id,
    webhook_delivery.c.next_at,
    sqlite_where=IS_WAITING,
)
Index(
    "webhook_delivery_order",
    webhook_delivery.c.webhook_id,
    webhook_delivery.c.job_id,
    webhook_delivery.c.id,
    sqlite_where=IS_WAITING,
)
Index("webhook_delivery_newest", webhook_delivery.c.webhook_id, webhook_delivery.c.id)
Index("webhook_delivery_done_at", webhook_delivery.c.done_at)
