"""The state table of a job: the only one. Service, documentation and capabilities are made from it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobStatus(StrEnum):
    """The thirteen statuses of COS, as they stand on the wire."""

    NEW = "New"
    PREPARING = "Preparing"
    SUSPENDED = "Suspended"
    READY = "Ready"
    ACTIVE = "Active"
    PAUSING = "Pausing"
    PAUSED = "Paused"
    COMPLETING = "Completing"
    COMPLETE = "Complete"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"
    FAILING = "Failing"
    FAILED = "Failed"


class Actor(StrEnum):
    """Who moves a job."""

    USER = "user"
    ENGINE = "engine"


_S = JobStatus
_BOTH: Final = frozenset({Actor.USER, Actor.ENGINE})
_USER: Final = frozenset({Actor.USER})
_ENGINE: Final = frozenset({Actor.ENGINE})

MOVES: Final[dict[JobStatus, dict[JobStatus, frozenset[Actor]]]] = {
    _S.NEW: {_S.PREPARING: _ENGINE, _S.CANCELLING: _USER, _S.FAILING: _ENGINE},
    _S.PREPARING: {_S.SUSPENDED: _ENGINE, _S.READY: _ENGINE, _S.FAILING: _ENGINE, _S.CANCELLING: _USER},
    _S.SUSPENDED: {_S.READY: _USER, _S.CANCELLING: _USER, _S.FAILING: _ENGINE},
    _S.READY: {_S.ACTIVE: _ENGINE, _S.CANCELLING: _USER, _S.FAILING: _ENGINE},
    _S.ACTIVE: {_S.PAUSING: _BOTH, _S.COMPLETING: _ENGINE, _S.CANCELLING: _USER, _S.FAILING: _ENGINE},
    _S.PAUSING: {_S.PAUSED: _ENGINE, _S.CANCELLING: _USER, _S.FAILING: _ENGINE},
    _S.PAUSED: {_S.ACTIVE: _BOTH, _S.CANCELLING: _USER, _S.FAILING: _ENGINE},
    _S.COMPLETING: {_S.COMPLETE: _ENGINE, _S.FAILING: _ENGINE},
    _S.COMPLETE: {},
    _S.CANCELLING: {_S.CANCELLED: _ENGINE},
    _S.CANCELLED: {},
    _S.FAILING: {_S.FAILED: _ENGINE},
    _S.FAILED: {},
}

FINAL: Final = frozenset(status for status, moves in MOVES.items() if not moves)
ENDS_IN: Final[dict[JobStatus, JobStatus]] = {
    _S.COMPLETING: _S.COMPLETE,
    _S.CANCELLING: _S.CANCELLED,
    _S.FAILING: _S.FAILED,
}
"""The final status that each of the last steps leads to, when nothing goes wrong."""
ENDING: Final = frozenset({_S.CANCELLING, _S.FAILING})
"""On the way to a final status that is not Complete: nothing new is sent, what was lost is settled."""


def is_final(status: JobStatus) -> bool:
    return status in FINAL


def may_move(current: JobStatus, to: JobStatus, *, by: Actor) -> bool:
    """Whether the table has this move for this actor."""
    return by in MOVES[current].get(to, frozenset())


def sources_of(to: JobStatus, *, by: Actor) -> frozenset[JobStatus]:
    """Every status from which ``by`` may move a job to ``to``."""
    return frozenset(status for status, moves in MOVES.items() if by in moves.get(to, frozenset()))
