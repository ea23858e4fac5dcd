"""How far dates of two clocks can be trusted: a store dates what it makes, the ledger dates when it was begun."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

CLOCK_ALLOWANCE_SECONDS: Final = 6.0
"""What the clocks of ledger and store may be apart (5 s), and the fraction of a second that an HTTP date lacks."""
CLOCK_JUMP_SECONDS: Final = 3600.0
"""By how much the ledger's clock may have been set ahead when it dated something: an hour, as by a wrong time zone.
What a store dates so little before the first attempt may have been made by it: nothing is proved by its date."""


class Dated(Enum):
    """What a store's date says of the first attempt, which the ledger has dated by a clock that may have been wrong."""

    BEFORE = auto()
    """Surely before it."""
    DOUBTFUL = auto()
    """Within an hour of it: before or since."""
    SINCE = auto()
    """Surely since."""


def dated(at: float, *, first_attempt: float) -> Dated:
    """Both in Unix seconds, ``at`` on the store's clock and ``first_attempt`` on the ledger's."""
    off = at - first_attempt
    if abs(off) <= CLOCK_JUMP_SECONDS + CLOCK_ALLOWANCE_SECONDS:
        return Dated.DOUBTFUL
    return Dated.BEFORE if off < 0 else Dated.SINCE
