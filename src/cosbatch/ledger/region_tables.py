"""The ledger's table of regions. No secret is in it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Table, Text

from cosbatch.ledger.tables import COUNT, REAL_NUMBER, metadata

region: Final = Table(
    "region",
    metadata,
    Column("name", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("addressing", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("profile_overrides", Text, nullable=False),  # JSON: [[option, support], ...]
    Column("storage_classes", Text, nullable=False),  # JSON: [class, ...]
    Column("signing_region", Text, nullable=False),
    Column("ca_file", Text),
    Column("requests_per_second", REAL_NUMBER),
    Column("max_connections", COUNT, nullable=False),
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("changed_at", REAL_NUMBER, nullable=False),
    Column("bytes_per_second", REAL_NUMBER),
    PrimaryKeyConstraint("name", name="region_pk"),
    CheckConstraint("requests_per_second > 0", name="region_cap_positive"),
    CheckConstraint("max_connections > 0", name="region_connections_positive"),
    sqlite_strict=True,
)
