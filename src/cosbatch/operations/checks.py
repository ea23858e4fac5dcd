"""Checks, gathered: a job says at once all that keeps it from starting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cosbatch.model.errors import FailureCode, Fault, JobFailure
from cosbatch.model.preflight import Check, CheckOutcome

REASON_BYTES: Final = 256
"""JobFailure/FailureReason of COS, DescribeJob."""


@dataclass(slots=True, kw_only=True)
class Checks:
    """What was asked so far."""

    found: list[Check] = field(default_factory=list)

    def passed(self, name: str, detail: str) -> None:
        self.found.append(Check(name=name, outcome=CheckOutcome.PASSED, detail=detail))

    def unknown(self, name: str, detail: str, *, way_out: str = "", missing_permission: str = "") -> None:
        self.found.append(
            Check(
                name=name,
                outcome=CheckOutcome.UNKNOWN,
                detail=detail,
                way_out=way_out,
                missing_permission=missing_permission,
            )
        )

    def failed(self, name: str, code: FailureCode, fault: Fault, *, missing_permission: str = "") -> None:
        self.found.append(failed_check(name, code, fault, missing_permission=missing_permission))

    def has_failed(self, name: str) -> bool:
        return any(check.name == name and check.outcome is CheckOutcome.FAILED for check in self.found)


def failed_check(name: str, code: FailureCode, fault: Fault, *, missing_permission: str = "") -> Check:
    return Check(
        name=name,
        outcome=CheckOutcome.FAILED,
        detail=fault.problem,
        missing_permission=missing_permission,
        way_out=fault.way_out,
        path=fault.path,
        value=fault.value,
        failure_code=code,
    )


def raise_failed(checks: Sequence[Check]) -> None:
    """JobFailure with every failed check as a fault; the first one gives the job its failure code."""
    failed = [check for check in checks if check.outcome is CheckOutcome.FAILED]
    if failed:
        faults = [_fault_of(check) for check in failed]
        code = failed[0].failure_code or FailureCode.INTERNAL_ERROR
        raise JobFailure(code, _headline(faults), faults=faults)


def _fault_of(check: Check) -> Fault:
    return Fault(path=check.path, value=check.value, problem=check.detail, way_out=check.way_out)


def _headline(faults: list[Fault]) -> str:
    """One fault speaks for itself; of several each has its own line."""
    if len(faults) > 1:
        return f"the job has {len(faults)} faults"
    return str(faults[0]).encode()[:REASON_BYTES].decode(errors="ignore")
