"""The tables of webhooks and of what is still to be told to them; caps on bytes of regions that are made by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("region", sa.Column("bytes_per_second", REAL_NUMBER))
    create_webhook()
    create_webhook_delivery()
    create_indexes()


def create_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("statuses", sa.Text, nullable=False),
        sa.Column("enabled", COUNT, nullable=False),
        sa.Column("disabled_reason", sa.Text, nullable=False),
        sa.Column("declared", COUNT, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("changed_at", REAL_NUMBER, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("sealed_older", sa.Text, nullable=False),
        sa.Column("older_until", REAL_NUMBER),
        sa.PrimaryKeyConstraint("id", name="webhook_pk"),
        sa.CheckConstraint("enabled IN (0, 1)", name="webhook_enabled"),
        sa.CheckConstraint("declared IN (0, 1)", name="webhook_declared"),
        sqlite_strict=True,
    )


def create_webhook_delivery() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", COUNT, nullable=False, autoincrement=True),
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", COUNT, nullable=False),
        sa.Column("put_at", REAL_NUMBER, nullable=False),
        sa.Column("next_at", REAL_NUMBER, nullable=False),
        sa.Column("done_at", REAL_NUMBER),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("last_http_status", COUNT),
        sa.PrimaryKeyConstraint("id", name="webhook_delivery_pk"),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name="webhook_delivery_webhook_fk", ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'given-up')", name="webhook_delivery_state_known"),
        sa.CheckConstraint("(state = 'waiting') = (done_at IS NULL)", name="webhook_delivery_done"),
        sqlite_strict=True,
    )


def create_indexes() -> None:
    op.create_index("webhook_name", "webhook", ["account", "name"], unique=True)
    op.create_index("webhook_delivery_newest", "webhook_delivery", ["webhook_id", "id"])
    op.create_index("webhook_delivery_done_at", "webhook_delivery", ["done_at"])
    waiting = sa.text("done_at IS NULL")
    for name, columns in {
        "webhook_delivery_due": ["webhook_id", "next_at"],
        "webhook_delivery_order": ["webhook_id", "job_id", "id"],
    }.items():
        op.create_index(name, "webhook_delivery", columns, sqlite_where=waiting, postgresql_where=waiting)
