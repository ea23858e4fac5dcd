"""The audit log tells by which call something was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("request_id", sa.Text, nullable=False, server_default=""))
