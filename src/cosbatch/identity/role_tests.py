"""What a role was found to be allowed, when somebody last tried it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cosbatch.identity.policies import Purpose


class Verdict(StrEnum):
    MAY = "may"
    MAY_NOT = "may not"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTried:
    purpose: Purpose
    verdict: Verdict
    detail: str
    """What was asked and what the store has said; why it was not tested."""


class TrialOutcome(StrEnum):
    PASSED = "passed"
    """Some of it was tried, and the role may do that."""
    FAILED = "failed"
    """It cannot be assumed, or may not do some of it."""
    UNKNOWN = "unknown"
    """Nothing could be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTest:
    at: float
    """Unix seconds."""
    by: str
    """Name of the user."""
    is_narrowed: bool = False
    """Whether its provider took a session policy."""
    accesses: tuple[AccessTried, ...] = ()
    refusal: str = ""
    """Why it could not be assumed; then nothing was tried."""

    @property
    def outcome(self) -> TrialOutcome:
        verdicts = {access.verdict for access in self.accesses}
        if self.refusal or Verdict.MAY_NOT in verdicts:
            return TrialOutcome.FAILED
        return TrialOutcome.PASSED if Verdict.MAY in verdicts else TrialOutcome.UNKNOWN
