"""Makes the schema, or brings an older one up to date by running the migrations in this package."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from cosbatch.ledger import (  # noqa: F401  # each adds its tables
    people_tables,
    preflight_tables,
    region_tables,
    role_tables,
    tables,
    webhook_tables,
)
from cosbatch.model.errors import LedgerError

HEAD: Final = "0016"
"""The newest migration. Named here so that a process that finds it need not load Alembic."""
_VERSION_TABLE: Final = """CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)"""
"""As Alembic makes it."""


def knows_version(version: str) -> bool:
    """Whether a ledger of this version can be brought to :data:`HEAD`: versions are numbered upwards."""
    return version <= HEAD


def migrate(connection: Connection) -> None:
    """Brings a database to :data:`HEAD`. An empty one gets its tables as :mod:`cosbatch.ledger.tables` and its
    neighbours describe them, which is what the migrations come to and, without Alembic, takes a tenth of the time.
    LedgerError where the schema is of a version that this program does not know."""
    version = _version_of(connection)
    if version is None:
        version = _make(connection)
    if version != HEAD:
        upgrade(connection)


def upgrade(connection: Connection, *, to: str = HEAD) -> None:
    """By the migrations, in one transaction. LedgerError as above."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "cosbatch.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        with connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(config, to)
    except CommandError as error:
        raise LedgerError(
            f"the ledger was made by a newer cosbatch ({error}); use that version or a newer one"
        ) from error


def _make(connection: Connection) -> str:
    """The version that there is in the end: another process may have come first."""
    with connection.begin():
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        version = _version_in(connection)
        if version is None:
            tables.metadata.create_all(connection, checkfirst=False)
            connection.exec_driver_sql(_VERSION_TABLE)
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    return version or HEAD


def _version_of(connection: Connection) -> str | None:
    with connection.begin():
        return _version_in(connection)


def _version_in(connection: Connection) -> str | None:
    known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first()
    if known is None:
        return None
    version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return version
