"""What pre-flight has found out about a job: a few checks, each with its outcome and, where something is wrong, the way
out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cosbatch.model.errors import FailureCode
from cosbatch.model.jobs import PlanFindings


class CheckOutcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """The job does not start."""
    UNKNOWN = "unknown"
    """Nothing could tell: the tasks will find out."""


class CheckName(StrEnum):
    """What is asked. Options of the store have names of their own beside these, see :func:`option_check`."""

    MANIFEST = "manifest"
    """It can be read, and is the one that the job names."""
    ROLE = "role"
    """It can be assumed, and whether what it gives is narrowed to the job."""
    ALLOWED_BUCKETS = "allowed_buckets"
    """The role may be used to write the job's buckets, as it is registered here."""
    DELETES = "deletes"
    """Deletions are allowed here, and the plan has no more of them than the job allows."""
    SOURCE_BUCKET = "source_bucket"
    SOURCE_REGION = "source_region"
    SOURCE_READABLE = "source_readable"
    FIRST_ROWS = "first_rows"
    """What the first rows name is there, so that the keys were decoded as they were meant."""
    DESTINATION_BUCKET = "destination_bucket"
    DESTINATION_REGION = "destination_region"
    DESTINATION_WRITABLE = "destination_writable"
    REPORT_BUCKET = "report_bucket"
    REPORT_REGION = "report_region"
    REPORT_KEYS = "report_keys"
    REPORT_WRITABLE = "report_writable"
    VERSIONING = "versioning"
    OBJECT_LOCK = "object_lock"
    STORAGE_CLASS = "storage_class"
    ENCRYPTION = "encryption"
    OPTIONS = "options"
    """Faults of parameters that are no matter of a single option."""
    SPOOL_SPACE = "spool_space"


def option_check(option: str) -> str:
    """The name of the check of a store's option: ``option_metadata_replace``."""
    return f"option_{option.replace('-', '_')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question, and what came of it."""

    name: str
    """Of :class:`CheckName`, or of :func:`option_check`; where several things are wrong, each has its own entry."""
    outcome: CheckOutcome
    detail: str
    """What was asked and what the store has said, as a sentence without a full stop."""
    missing_permission: str = ""
    """As the provider writes it: ``name/cos:PutObject on qcs::cos:...``, ``s3:PutObject on arn:aws:s3:::bucket/*``."""
    way_out: str = ""
    path: str = ""
    """The field of the job that names the place; of failed ones alone."""
    value: str = ""
    failure_code: FailureCode | None = None
    """What the job fails with; of failed ones alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Everything that was asked of one job, in the order in which it matters."""

    checked_at: float
    """Unix seconds."""
    checks: tuple[Check, ...]
    findings: PlanFindings | None = None
    """What planning relies on, as soon as it is known: a role can be narrowed to the bucket that the manifest names."""

    @property
    def outcome(self) -> CheckOutcome:
        """Failed where any check failed, unknown where any is and none failed."""
        outcomes = {check.outcome for check in self.checks}
        for worst in (CheckOutcome.FAILED, CheckOutcome.UNKNOWN):
            if worst in outcomes:
                return worst
        return CheckOutcome.PASSED
