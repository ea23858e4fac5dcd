"""When a user has asked for a report once more: from then on its delivery has its whole time again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    op.add_column("job", sa.Column("report_asked_at", REAL_NUMBER))
