"""Which columns hold sealed secrets, so that all of them can be sealed again when the key changes.

A table says it of a column: ``Column("secret", Text, info=sealed_for("access key {id}"))``. The purpose is the one
under which whoever writes the column seals; in it, names of the row's columns are replaced by their values. An empty
text is no secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, MetaData, Table, bindparam, select, update

from cosbatch.ledger.people_port import Reseal, SealedText
from cosbatch.ledger.transaction import Transaction

_KEY: Final = "sealed_for"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFor:
    """How the texts of a column are sealed."""

    purpose: str
    """With the names of other columns in braces."""
    narrowed: str
    """The purpose of the narrowed cipher; empty for the whole one."""


def sealed_for(purpose: str, *, narrowed: str = "") -> dict[str, SealedFor]:
    """A column's ``info``."""
    return {_KEY: SealedFor(purpose=purpose, narrowed=narrowed)}


def has_sealed(tx: Transaction, metadata: MetaData) -> bool:
    return any(
        tx.one(select(column).where(column != "").limit(1), {}) is not None
        for _, column, _ in _sealed_columns(metadata)
    )


def reseal(tx: Transaction, metadata: MetaData, *, change: Reseal) -> int:
    """Every sealed secret through ``change``; how many there are."""
    return sum(_reseal_column(tx, table, column, how, change) for table, column, how in _sealed_columns(metadata))


def _sealed_columns(metadata: MetaData) -> Iterator[tuple[Table, Column[Any], SealedFor]]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if _KEY in column.info:
                yield table, column, column.info[_KEY]


def _reseal_column(tx: Transaction, table: Table, column: Column[Any], how: SealedFor, change: Reseal) -> int:
    keys = list(table.primary_key.columns)
    this_row = [key == bindparam(f"the_{key.name}") for key in keys]
    rows = tx.all(select(table).where(column != "").with_for_update())
    for row in rows:
        values = row._mapping
        sealed = SealedText(
            text=values[column.name], purpose=how.purpose.format_map(dict(values)), narrowed=how.narrowed
        )
        where = {f"the_{key.name}": values[key.name] for key in keys}
        tx.change(update(table).where(*this_row), where | {column.name: change(sealed)})
    return len(rows)
