"""Which of its keys a role has, counted from 0, and since when; with which of them a job's credentials were made."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COUNT: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.add_column("role", sa.Column("key_number", COUNT, nullable=False, server_default="0"))
    op.add_column("role", sa.Column("key_changed_at", REAL_NUMBER))
    op.add_column("job_credential", sa.Column("key_number", COUNT, nullable=False, server_default="0"))
