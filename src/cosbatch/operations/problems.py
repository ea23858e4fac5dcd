"""What keeps a job from starting, gathered: a job says all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from cosbatch.model.errors import FailureCode, Fault, JobFailure

REASON_BYTES = 256
"""JobFailure/FailureReason of COS, DescribeJob."""


@dataclass(slots=True, kw_only=True)
class Problems:
    """Everything that was found wrong; the first one gives the job its failure code."""

    found: list[tuple[FailureCode, Fault]] = field(default_factory=list)

    def add(self, code: FailureCode, fault: Fault) -> None:
        self.found.append((code, fault))

    def raise_any(self) -> None:
        if self.found:
            faults = [fault for _, fault in self.found]
            raise JobFailure(self.found[0][0], _headline(faults), faults=faults)


def _headline(faults: list[Fault]) -> str:
    """One fault speaks for itself; of several each has its own line."""
    if len(faults) > 1:
        return f"the job has {len(faults)} faults"
    return str(faults[0]).encode()[:REASON_BYTES].decode(errors="ignore")
