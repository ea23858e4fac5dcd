"""The tables of jobs, chunks, parts, uploads and events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    create_job()
    create_chunk()
    create_part()
    create_upload()
    create_job_event()
    create_indexes()


def create_job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", COUNT, nullable=False),
        sa.Column("failure_threshold", REAL_NUMBER),
        sa.Column("created_at", REAL_NUMBER, nullable=False),
        sa.Column("changed_at", REAL_NUMBER, nullable=False),
        sa.Column("started_at", REAL_NUMBER),
        sa.Column("ended_at", REAL_NUMBER),
        sa.Column("suspended_at", REAL_NUMBER),
        sa.Column("suspended_cause", sa.Text, nullable=False),
        sa.Column("status_reason", sa.Text, nullable=False),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_reason", sa.Text, nullable=False),
        sa.Column("paused_by", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("duty", sa.Text),
        sa.Column("fence", COUNT, nullable=False),
        sa.Column("lease_until", REAL_NUMBER),
        sa.Column("quiet_at", REAL_NUMBER, nullable=False),
        sa.Column("planned_rows", COUNT, nullable=False),
        sa.Column("total", COUNT),
        sa.Column("chunk_count", COUNT, nullable=False),
        sa.Column("chunks_closed", COUNT, nullable=False),
        sa.Column("succeeded", COUNT, nullable=False),
        sa.Column("failed", COUNT, nullable=False),
        sa.Column("skipped", COUNT, nullable=False),
        sa.Column("outside_rate", COUNT, nullable=False),
        sa.Column("failed_outside_rate", COUNT, nullable=False),
        sa.Column("bytes_done", COUNT, nullable=False),
        sa.Column("requests", COUNT, nullable=False),
        sa.Column("failures", sa.Text, nullable=False),
        sa.Column("report_state", sa.Text, nullable=False),
        sa.Column("report_location", sa.Text, nullable=False),
        sa.Column("hold", sa.Text),
        sa.Column("findings", sa.Text),
        sa.Column("request", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="job_pk"),
        sa.CheckConstraint("(owner IS NULL) = (duty IS NULL)", name="job_duty_held"),
        sa.CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name="job_lease_held"),
        sqlite_strict=True,
    )


def create_chunk() -> None:
    op.create_table(
        "chunk",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("seq", COUNT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("fence", COUNT, nullable=False),
        sa.Column("lease_until", REAL_NUMBER),
        sa.Column("losses", COUNT, nullable=False),
        sa.Column("lost", COUNT, nullable=False),
        sa.Column("first_leased_at", REAL_NUMBER),
        sa.Column("first_task", COUNT, nullable=False),
        sa.Column("task_count", COUNT, nullable=False),
        sa.Column("settled", sa.LargeBinary, nullable=False),
        sa.Column("started_task", COUNT),
        sa.Column("started_fence", COUNT),
        sa.Column("spool_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "seq", name="chunk_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="chunk_job_fk"),
        sa.CheckConstraint("state IN ('open', 'leased', 'closed')", name="chunk_state_known"),
        sa.CheckConstraint("(state = 'leased') = (owner IS NOT NULL)", name="chunk_leased_owner"),
        sa.CheckConstraint("(state = 'leased') = (lease_until IS NOT NULL)", name="chunk_leased_until"),
        sa.CheckConstraint("(lost = 1) = (losses > 0)", name="chunk_lost_losses"),
        sqlite_strict=True,
    )


def create_part() -> None:
    op.create_table(
        "part",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("seq", COUNT, nullable=False),
        sa.Column("place", COUNT, nullable=False),
        sa.Column("spool_name", sa.Text, nullable=False),
        sa.Column("settled", sa.LargeBinary, nullable=False),
        sa.Column("task_count", COUNT, nullable=False),
        sa.Column("tally", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "seq", "place", name="part_pk"),
        sa.ForeignKeyConstraint(["job_id", "seq"], ["chunk.job_id", "chunk.seq"], name="part_chunk_fk"),
        sqlite_strict=True,
    )


def create_upload() -> None:
    op.create_table(
        "upload",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("upload_id", sa.Text, nullable=False),
        sa.Column("task_number", COUNT, nullable=False),
        sa.Column("fence", COUNT, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "upload_id", name="upload_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="upload_job_fk"),
        sqlite_strict=True,
    )


def create_job_event() -> None:
    op.create_table(
        "job_event",
        sa.Column("id", COUNT, nullable=False, autoincrement=True),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("at", REAL_NUMBER, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="job_event_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="job_event_job_fk"),
        sqlite_strict=True,
    )


def create_indexes() -> None:
    op.create_index("job_of_account", "job", ["account", "id"])
    op.create_index("job_by_status", "job", ["status", "priority", "id"])
    op.create_index("part_name", "part", ["job_id", "spool_name"], unique=True)
    op.create_index("upload_of_task", "upload", ["job_id", "task_number"])
    op.create_index("event_of_job", "job_event", ["job_id", "id"])
    partial("job_token", "job", ["account", "region", "token"], where="token != ''", unique=True)
    queued = "(status NOT IN ('Cancelled', 'Complete', 'Failed')) OR report_state = 'pending'"
    partial("job_queued", "job", ["id"], where=queued)
    partial("job_held", "job", ["owner"], where="owner IS NOT NULL")
    partial("chunk_open", "chunk", ["state", "job_id", "seq"], where="state = 'open'")
    partial("chunk_lost", "chunk", ["state", "lost", "job_id", "seq"], where="state = 'open' AND lost = 1")
    partial("chunk_leased", "chunk", ["state", "job_id", "seq"], where="state = 'leased'")
    partial("chunk_owned", "chunk", ["state", "owner"], where="state = 'leased'")


def partial(name: str, table: str, columns: list[str], *, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
