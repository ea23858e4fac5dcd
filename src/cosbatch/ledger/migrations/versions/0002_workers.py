"""The tables of processes and of their shares of rate caps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", COUNT, nullable=False),
        sa.Column("started_at", REAL_NUMBER, nullable=False),
        sa.Column("seen_at", REAL_NUMBER, nullable=False),
        sa.Column("metrics", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="worker_pk"),
        sqlite_strict=True,
    )
    op.create_table(
        "rate_share",
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("rate", REAL_NUMBER, nullable=False),
        sa.Column("pressing", COUNT, nullable=False),
        sa.Column("spare", COUNT, nullable=False),
        sa.Column("since", REAL_NUMBER, nullable=False),
        sa.Column("until", REAL_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("region", "bucket", "owner", name="rate_share_pk"),
        sqlite_strict=True,
    )
    op.create_index("worker_seen", "worker", ["seen_at"])
    op.create_index("rate_share_of_owner", "rate_share", ["owner"])
    op.create_index("rate_share_end", "rate_share", ["until"])
