"""What every RegionLedger refuses, in the same words."""

from __future__ import annotations

from cosbatch.ledger.people_rules import name_taken, no_such
from cosbatch.model.errors import NameTaken, NoSuchName
from cosbatch.model.identifiers import RegionName


def no_such_region(name: RegionName) -> NoSuchName:
    return no_such("region", name)


def region_is_there(name: RegionName) -> NameTaken:
    return name_taken("region", name)
