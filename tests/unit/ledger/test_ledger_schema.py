"""The migrations make the tables that the statements are written for."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from cosbatch.ledger import people_tables, region_tables, role_tables, tables, webhook_tables
from cosbatch.ledger.migrate import HEAD, migrate
from cosbatch.ledger.sqlite import open_memory
from tests.contract.ledgers import HandClock


def schema(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    connection.rollback()
    return {name: " ".join(sql.split()) for name, sql in rows if name != "alembic_version"}


def test_migrations_and_tables_say_the_same() -> None:
    migrated = schema(open_memory(clock=HandClock()).connection)
    with create_engine("sqlite://").connect() as connection:
        assert people_tables.account.metadata is tables.metadata
        assert role_tables.role.metadata is tables.metadata
        assert region_tables.region.metadata is tables.metadata
        assert webhook_tables.webhook.metadata is tables.metadata
        tables.metadata.create_all(connection)
        assert schema(connection) == migrated


def test_every_table_is_strict() -> None:
    migrated = schema(open_memory(clock=HandClock()).connection)
    assert [name for name, sql in migrated.items() if sql.startswith("CREATE TABLE") and "STRICT" not in sql] == []


def test_the_newest_migration_is_known_without_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", "cosbatch.ledger:migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrating_again_changes_nothing() -> None:
    connection = open_memory(clock=HandClock()).connection
    before = schema(connection)
    migrate(connection)
    assert schema(connection) == before
