"""The ledger's table of what pre-flight has found."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Table, Text

from cosbatch.ledger.tables import metadata

job_preflight: Final = Table(
    "job_preflight",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("found", Text, nullable=False),
    PrimaryKeyConstraint("job_id", name="job_preflight_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="job_preflight_job_fk", ondelete="CASCADE"),
    sqlite_strict=True,
)
