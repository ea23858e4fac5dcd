"""Who asked for what happened to a job."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_event", sa.Column("by", sa.Text, nullable=False, server_default=""))
