"""The ledger's tables of roles, and of what jobs act with. Secrets are sealed before they come here."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Table, Text

from cosbatch.identity.roles import JOB_CREDENTIALS
from cosbatch.ledger.sealed import sealed_for
from cosbatch.ledger.tables import COUNT, REAL_NUMBER, metadata

role: Final = Table(
    "role",
    metadata,
    Column("account", Text, nullable=False),
    Column("arn", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("description", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("sts_endpoint", Text, nullable=False),
    Column("sts_region", Text, nullable=False),
    Column("sealed", Text, nullable=False, info=sealed_for("role of {account}: {arn}")),
    Column("writable_buckets", Text, nullable=False, server_default="[]"),  # JSON list of names
    Column("key_number", COUNT, nullable=False, server_default="0"),
    Column("key_changed_at", REAL_NUMBER),
    PrimaryKeyConstraint("account", "arn", name="role_pk"),
    sqlite_strict=True,
)

role_test: Final = Table(
    "role_test",
    metadata,
    Column("account", Text, nullable=False),
    Column("arn", Text, nullable=False),  # also of roles that the settings declare
    Column("tested_at", REAL_NUMBER, nullable=False),
    Column("found", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("account", "arn", name="role_test_pk"),
    sqlite_strict=True,
)

job_credential: Final = Table(
    "job_credential",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("assumed_at", REAL_NUMBER, nullable=False),
    Column("expires_at", REAL_NUMBER),
    Column("narrowed", COUNT, nullable=False),
    Column("for_tasks", COUNT, nullable=False),
    Column("sealed", Text, nullable=False, info=sealed_for("job {job_id}", narrowed=JOB_CREDENTIALS)),
    Column("writable_buckets", Text, nullable=False, server_default="[]"),  # JSON list of names
    Column("key_number", COUNT, nullable=False, server_default="0"),
    PrimaryKeyConstraint("job_id", name="job_credential_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="job_credential_job_fk", ondelete="CASCADE"),
    CheckConstraint("narrowed IN (0, 1)", name="job_credential_narrowed"),
    CheckConstraint("for_tasks IN (0, 1)", name="job_credential_for_tasks"),
    sqlite_strict=True,
)
