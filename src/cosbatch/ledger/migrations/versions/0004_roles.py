"""The tables of roles, and of what jobs act with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "role",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("sts_endpoint", sa.Text, nullable=False),
        sa.Column("sts_region", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "arn", name="role_pk"),
        sqlite_strict=True,
    )
    op.create_table(
        "job_credential",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("assumed_at", REAL_NUMBER, nullable=False),
        sa.Column("expires_at", REAL_NUMBER),
        sa.Column("narrowed", COUNT, nullable=False),
        sa.Column("for_tasks", COUNT, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="job_credential_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="job_credential_job_fk", ondelete="CASCADE"),
        sa.CheckConstraint("narrowed IN (0, 1)", name="job_credential_narrowed"),
        sa.CheckConstraint("for_tasks IN (0, 1)", name="job_credential_for_tasks"),
        sqlite_strict=True,
    )
