"""Who asked for what happened to a job; which jobs are removed; indexes for quotas, lists and the end of retention."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.add_column("job_event", sa.Column("by", sa.Text, nullable=False, server_default=""))
    op.add_column("job", sa.Column("removed_at", REAL_NUMBER))
    op.create_index("job_of_region", "job", ["account", "region", "id"])
    op.create_index("job_of_status", "job", ["account", "status", "id"])
    partial("job_ended", ["ended_at", "id"], where="ended_at IS NOT NULL AND removed_at IS NULL")
    partial("job_removed", ["id"], where="removed_at IS NOT NULL")


def partial(name: str, columns: list[str], *, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "job", columns, sqlite_where=condition, postgresql_where=condition)
