"""What lists of jobs look for and go by; how a job went over time; failures that are kept whole."""

import json
import string
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

REAL_NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
LISTED = [
    "account", "removed_at", "status", "over_threshold", "region", "operation", "creator", "created_at", "priority",
    "progress", "total", "failed", "ended_at", "id", "description_folded",
]  # fmt: skip


def upgrade() -> None:
    for name in ("operation", "creator", "description_folded"):
        op.add_column("job", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("job", sa.Column("progress", REAL_NUMBER))
    op.add_column("job", sa.Column("over_threshold", COUNT, nullable=False, server_default="0"))
    op.add_column("job", sa.Column("narrow_from", REAL_NUMBER))
    fill(op.get_bind())
    op.create_index("job_listed", "job", LISTED)
    op.create_table(
        "job_series",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("at", COUNT, nullable=False),
        sa.Column("seconds", COUNT, nullable=False),
        sa.Column("succeeded", COUNT, nullable=False),
        sa.Column("failed", COUNT, nullable=False),
        sa.Column("bytes_done", COUNT, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "at", name="job_series_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="job_series_job_fk"),
        sqlite_strict=True,
    )
    op.create_table(
        "failure_sample",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("place", COUNT, nullable=False),
        sa.Column("sample", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "code", "place", name="failure_sample_pk"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="failure_sample_job_fk"),
        sqlite_strict=True,
    )


def fill(connection: sa.Connection) -> None:
    """What the jobs that are there already would have in the new columns."""
    jobs = connection.execute(
        sa.text(
            "SELECT id, request, total, succeeded, failed, outside_rate, failed_outside_rate, failure_threshold"
            " FROM job ORDER BY id"
        )
    ).all()
    made = connection.execute(sa.text("SELECT job_id, \"by\" FROM job_event WHERE kind = 'created'")).all()
    makers = {event.job_id: event.by.rpartition(" via ")[0] for event in made}
    rows = [row_of(job, creator=makers.get(job.id, "")) for job in jobs]
    if rows:
        connection.execute(
            sa.text(
                "UPDATE job SET operation = :operation, creator = :creator, description_folded = :description_folded,"
                " progress = :progress, over_threshold = :over_threshold WHERE id = :id"
            ),
            rows,
        )


def row_of(job: sa.Row[Any], *, creator: str) -> dict[str, Any]:
    request = json.loads(job.request)
    settled = job.succeeded + job.failed
    failed, executed = job.failed - job.failed_outside_rate, settled - job.outside_rate
    threshold = job.failure_threshold
    return {
        "id": job.id,
        "operation": request["operation"]["kind"],
        "creator": creator,
        "description_folded": request.get("description", "").translate(SMALL),
        "progress": None if job.total is None else settled / job.total if job.total else 1.0,
        "over_threshold": int(threshold is not None and failed > threshold * executed),
    }
