"""The role that each job acts under, to count the jobs of a role; what a role was last found to be allowed."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.add_column("job", sa.Column("role_arn", sa.Text, nullable=False, server_default=""))
    fill(op.get_bind())
    has_role = sa.text("role_arn != ''")
    columns = ["account", "role_arn", "removed_at", "status"]
    op.create_index("job_of_role", "job", columns, sqlite_where=has_role, postgresql_where=has_role)
    op.create_table(
        "role_test",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("arn", sa.Text, nullable=False),
        sa.Column("tested_at", REAL_NUMBER, nullable=False),
        sa.Column("found", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "arn", name="role_test_pk"),
        sqlite_strict=True,
    )


def fill(connection: sa.Connection) -> None:
    """What the jobs that are there already would have in the new column."""
    jobs = connection.execute(sa.text("SELECT id, request FROM job ORDER BY id")).all()
    named = [{"id": job.id, "role_arn": json.loads(job.request).get("role_arn", "")} for job in jobs]
    rows = [row for row in named if row["role_arn"]]
    if rows:
        connection.execute(sa.text("UPDATE job SET role_arn = :role_arn WHERE id = :id"), rows)
