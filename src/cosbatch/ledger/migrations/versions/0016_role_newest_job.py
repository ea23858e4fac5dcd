"""When the newest job of a role was created: the index that its jobs are counted along has it, too."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    has_role = sa.text("role_arn != ''")
    columns = ["account", "role_arn", "removed_at", "status", "created_at"]
    op.drop_index("job_of_role", "job")
    op.create_index("job_of_role", "job", columns, sqlite_where=has_role, postgresql_where=has_role)
