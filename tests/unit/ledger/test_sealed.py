"""All columns that say they hold sealed secrets are sealed again, each for its purpose and with its cipher."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, Table, Text, create_engine, insert, select

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.ledger import people_tables
from cosbatch.ledger.sealed import has_sealed, reseal, sealed_for
from cosbatch.ledger.transaction import Transaction
from cosbatch.service.key_rotation import resealing

METADATA = MetaData()
VAULT = Table(
    "vault",
    METADATA,
    Column("owner", Text),
    Column("number", Integer),
    Column("whole", Text, info=sealed_for("vault {owner}/{number}")),
    Column("narrow", Text, info=sealed_for("job\0{number}", narrowed="jobs")),
    Column("plain", Text),
    PrimaryKeyConstraint("owner", "number"),
)
Table("other", METADATA, Column("id", Integer, primary_key=True), Column("plain", Text))
OLD = Cipher(KeyRing(current=b"o" * 32))
NEW = Cipher(KeyRing(current=b"n" * 32, older=(b"o" * 32,)))
ONLY_NEW = Cipher(KeyRing(current=b"n" * 32))


def row(owner: str, number: int) -> dict[str, Any]:
    return {
        "owner": owner,
        "number": number,
        "whole": OLD.seal(b"whole", purpose=f"vault {owner}/{number}"),
        "narrow": OLD.narrowed("jobs").seal(b"narrow", purpose=f"job\0{number}"),
        "plain": "plain",
    }


def test_every_sealed_column_is_sealed_again() -> None:
    with create_engine("sqlite://").connect() as connection:
        METADATA.create_all(connection)
        tx = Transaction(connection, tell_time=lambda _: 0.0, tell_version=lambda _: 0)
        assert not has_sealed(tx, METADATA)
        connection.execute(insert(VAULT), {"owner": "nobody", "number": 0, "whole": "", "narrow": "", "plain": "p"})
        assert not has_sealed(tx, METADATA)
        connection.execute(insert(VAULT), [row("{anna}", 1), row("anna", 2)])
        assert has_sealed(tx, METADATA)

        assert reseal(tx, METADATA, change=resealing(NEW)) == 4

        found = connection.execute(select(VAULT).order_by(VAULT.c.number)).all()
        assert (found[0].whole, found[0].narrow) == ("", "")
        for each in found[1:]:
            assert ONLY_NEW.open(each.whole, purpose=f"vault {each.owner}/{each.number}") == b"whole"
            assert ONLY_NEW.narrowed("jobs").open(each.narrow, purpose=f"job\0{each.number}") == b"narrow"
            assert each.plain == "plain"

        assert reseal(tx, METADATA, change=resealing(NEW)) == 4
        assert connection.execute(select(VAULT).order_by(VAULT.c.number)).all() == found


def test_every_column_of_a_sealed_secret_says_so() -> None:
    """Else its secrets would be lost with the first key that is changed."""
    named = {
        f"{table.name}.{column.name}": "sealed_for" in column.info
        for table in people_tables.account.metadata.sorted_tables
        for column in table.columns
        if column.name == "secret" or "sealed" in column.name
    }
    assert named["access_key.secret"]
    assert [name for name, says_so in named.items() if not says_so] == []
