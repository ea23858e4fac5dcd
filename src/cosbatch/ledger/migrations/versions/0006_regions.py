"""The table of regions that are made by hand; accounts that are kept out."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("account", sa.Column("disabled", COUNT, nullable=False, server_default="0"))
    op.create_table(
        "region",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("addressing", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("profile_overrides", sa.Text, nullable=False),
        sa.Column("storage_classes", sa.Text, nullable=False),
        sa.Column("signing_region", sa.Text, nullable=False),
        sa.Column("ca_file", sa.Text),
        sa.Column("requests_per_second", REAL_NUMBER),
        sa.Column("max_connections", COUNT, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("changed_at", REAL_NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("name", name="region_pk"),
        sa.CheckConstraint("requests_per_second > 0", name="region_cap_positive"),
        sa.CheckConstraint("max_connections > 0", name="region_connections_positive"),
        sqlite_strict=True,
    )
