"""The migrations make the tables that the statements are written for."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from cosbatch.ledger.migrate import HEAD, _make, migrate, upgrade
from cosbatch.ledger.sqlite import open_memory
from tests.contract.ledgers import HandClock


def schema(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    connection.rollback()
    return {name: " ".join(sql.split()) for name, sql in rows}


def test_migrations_and_tables_say_the_same() -> None:
    with create_engine("sqlite://").connect() as made, create_engine("sqlite://").connect() as migrated:
        migrate(made)
        upgrade(migrated)
        assert schema(made) == schema(migrated)


def test_every_table_is_strict() -> None:
    migrated = schema(open_memory(clock=HandClock()).connection)
    loose = [name for name, sql in migrated.items() if sql.startswith("CREATE TABLE") and "STRICT" not in sql]
    assert loose == ["alembic_version"], "which is Alembic's own"


def test_a_ledger_that_two_processes_find_empty_is_made_once() -> None:
    with create_engine("sqlite://").connect() as connection:
        for _ in range(2):
            _make(connection)
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [(HEAD,)]


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
