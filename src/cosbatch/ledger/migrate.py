"""Makes the schema, or brings an older one up to date, by running the migrations in this package."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from cosbatch.model.errors import LedgerError

HEAD: Final = "0009"
"""The newest migration. Named here so that a process that finds it need not load Alembic."""


def knows_version(version: str) -> bool:
    """Whether a ledger of this version can be brought to :data:`HEAD`: versions are numbered upwards."""
    return version <= HEAD


def migrate(connection: Connection, *, to: str = HEAD) -> None:
    """To this version, in one transaction. LedgerError where the schema is of one that this program does not know."""
    if _version_of(connection) == to:
        return
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


def _version_of(connection: Connection) -> str | None:
    with connection.begin():
        known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first()
        if known is None:
            return None
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
