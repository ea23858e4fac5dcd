"""Shares of caps on bytes, beside those of caps on requests."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Made anew: what a share is worth is over in seconds, and nobody has one while a folder is brought up to date."""
    op.drop_table("rate_share")
    op.create_table(
        "rate_share",
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("rate", REAL_NUMBER, nullable=False),
        sa.Column("pressing", COUNT, nullable=False),
        sa.Column("spare", COUNT, nullable=False),
        sa.Column("since", REAL_NUMBER, nullable=False),
        sa.Column("until", REAL_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("region", "bucket", "kind", "owner", name="rate_share_pk"),
        sqlite_strict=True,
    )
    op.create_index("rate_share_of_owner", "rate_share", ["owner"])
    op.create_index("rate_share_end", "rate_share", ["until"])
