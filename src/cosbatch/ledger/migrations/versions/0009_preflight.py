"""What pre-flight has found about a job; the buckets that a role may be used to write."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_preflight",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("found", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="job_preflight_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="job_preflight_job_fk", ondelete="CASCADE"),
        sqlite_strict=True,
    )
    op.add_column("role", sa.Column("writable_buckets", sa.Text, nullable=False, server_default="[]"))
    op.add_column("job_credential", sa.Column("writable_buckets", sa.Text, nullable=False, server_default="[]"))
