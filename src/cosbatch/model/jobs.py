"""A job: what was asked for (:class:`JobRequest`) and what has become of it (:class:`Job`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cosbatch.model.errors import FailureCode
from cosbatch.model.identifiers import AccountId, Bucket, JobId, RegionName
from cosbatch.model.manifests import Manifest
from cosbatch.model.operations import (
    DeleteObject,
    InitiateRestoreObject,
    OperationName,
    OperationParameters,
    PutObjectCopy,
    PutObjectTagging,
)
from cosbatch.model.regions import Place, Versioning
from cosbatch.model.reports import ReportSpec, ReportState, Tally
from cosbatch.model.states import Actor, JobStatus, is_final
from cosbatch.model.windows import Window

PRIORITY_MAX = 2_147_483_647


class Verify(StrEnum):
    SAMPLE = "sample"
    """Read back the first 100 tasks and then 1 in 1,000."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """Everything that the caller decides. Immutable: a change is another job, except for the priority."""

    region: RegionName
    """Where the objects are."""
    manifest: Manifest
    operation: OperationParameters
    report: ReportSpec
    priority: int
    """0 to 2147483647; greater runs first."""
    role_arn: str = ""
    """Empty: the region's own credentials (only without a service)."""
    description: str = ""
    confirmation_required: bool = False
    failure_threshold: float | None = 0.5
    """Above this share of failed tasks the job fails (more than 1,000 tasks, at least 1,000 executed); None: never."""
    verify: Verify = Verify.SAMPLE
    part_copy_above_bytes: int = 5 * 2**30
    """Larger objects are copied in parts. At most 5 GiB, the limit of a single copy."""
    part_size_bytes: int = 256 * 2**20
    windows: tuple[Window, ...] = ()
    """The hours in which it may work; none: always. Planning, and what ends it, is done outside of them too."""
    confirm_delete_count: int | None = None
    """Of a deletion: how many objects or versions it may delete at most; a manifest with more rows fails the job before
    the first of them is touched. None: nobody has said (COS's wire has no word for it)."""
    dry_run: bool = False
    """Everything but the writes: each task is looked at, and reported as it would end."""
    as_written: str = field(default="", compare=False)
    """Manifest, operation and report in the words of the wire that brought them, for its own answers: declarative
    clients hold an answer against what they have sent. Says nothing that is not in the other fields, and is dropped by
    whoever makes another request of this one. Empty where no wire has kept them."""

    @property
    def stops_above(self) -> float | None:
        """The share of failed tasks at which the job ends; None: never. A dry run shows every trouble, and ends at
        none: its summary says whether the run would have."""
        return None if self.dry_run else self.failure_threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTotals:
    """What a manifest's rows add up to."""

    rows: int
    not_sent: int
    """Delete markers that are no task to send."""
    size_bytes: int | None
    """Of the rows that are sent; None where the manifest does not say it of all."""
    large: int
    """Objects that are copied in parts, by their listed sizes."""
    parts: int
    """Of all large ones together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFindings:
    """What planning found out and every task relies on."""

    source_bucket: Bucket
    source_versioning: Versioning
    """NEVER where another bucket is written: then nobody needs to know."""
    target_versioning: Versioning
    """Of the bucket that is written; the source's for an operation in place."""
    manifest_etag: str
    shared_targets: int = 0
    """Rows that share their target with another row; looked for in dry runs only."""
    listed: ListedTotals | None = None
    """None of jobs that were planned before it was counted."""


class PausedBy(StrEnum):
    PRIORITY = "priority"
    """Resumes by itself when the greater job is out of the way."""
    USER = "user"
    WINDOW = "window"
    """Resumes by itself when one of the job's windows opens."""


WORK_AREA = "(work area)"
"""Stands where a hold names a bucket: it is the service's own space that is short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A bucket that does not answer at present, or takes no report, and since when."""

    bucket: str
    reason: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the ledger has it. Times are Unix seconds."""

    id: JobId
    account: AccountId
    request: JobRequest
    status: JobStatus
    priority: int
    """As it is now."""
    created_at: float
    changed_at: float
    """Of the last move."""
    planned_rows: int
    """Rows planned so far; the total once ``total`` is set."""
    total: int | None
    """Number of tasks; None until the plan is complete."""
    chunk_count: int
    chunks_closed: int
    tally: Tally
    report_state: ReportState
    report_location: str = ""
    """``s3://bucket/key`` of the report's manifest.json once it is delivered."""
    report_asked_at: float | None = None
    """When a user last asked for the report once more, after the job had ended."""
    status_reason: str = ""
    """StatusUpdateReason: why it was moved to where it is."""
    failure_code: FailureCode | None = None
    failure_reason: str = ""
    paused_by: PausedBy | None = None
    suspended_at: float | None = None
    suspended_cause: str = ""
    started_at: float | None = None
    """First time Active."""
    ended_at: float | None = None
    """TerminationDate."""
    token: str = ""
    hold: Hold | None = None
    findings: PlanFindings | None = None
    """None until the plan is complete."""
    creator: str = ""
    """The user who made it; empty where nobody was named."""

    @property
    def progress(self) -> float | None:
        """Share of its tasks that have a result, 0 to 1; None until the plan is complete."""
        return progress_of(self.tally, total=self.total)

    @property
    def is_over_threshold(self) -> bool:
        """More of its tasks have failed than it puts up with, however few there are."""
        return is_over(self.tally, threshold=self.request.failure_threshold)

    @property
    def operation_name(self) -> OperationName:
        return operation_name_of(self.request.operation)

    @property
    def is_settled(self) -> bool:
        """Whether every planned chunk is closed and nothing more will be planned."""
        return self.total is not None and self.chunks_closed == self.chunk_count

    @property
    def is_report_held(self) -> bool:
        """Whether its delivery has failed, and is tried again. The job itself has ended, or is done but for that."""
        is_due = self.status is JobStatus.COMPLETING or is_final(self.status)
        return is_due and self.hold is not None and self.report_state is ReportState.PENDING

    @property
    def report_due_at(self) -> float:
        """Since when its report can be delivered, of a job that is done."""
        return max(self.ended_at or self.changed_at, self.report_asked_at or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    """One move, or another thing worth telling (a hold, a lost worker)."""

    job_id: JobId
    at: float
    actor: Actor
    kind: str
    """``created``, ``moved``, ``priority``, ``waiting`` (why it is held back has changed), ``hold``, ``hold-ended``,
    ``report``."""
    status: JobStatus
    reason: str
    by: str = ""
    """Which user, and the way: ``alice via cos``; empty for the engine."""


def progress_of(tally: Tally, *, total: int | None) -> float | None:
    if total is None:
        return None
    return (tally.succeeded + tally.failed) / total if total else 1.0


def is_over(tally: Tally, *, threshold: float | None) -> bool:
    return threshold is not None and tally.failed_in_rate > threshold * tally.executed_in_rate


def operation_name_of(parameters: OperationParameters) -> OperationName:
    match parameters:
        case PutObjectCopy():
            return OperationName.COPY
        case InitiateRestoreObject():
            return OperationName.RESTORE
        case DeleteObject():
            return OperationName.DELETE
        case PutObjectTagging():
            return OperationName.TAGGING


def region_written(request: JobRequest) -> RegionName:
    operation = request.operation
    elsewhere = operation.target_region if isinstance(operation, PutObjectCopy) else None
    return elsewhere or request.region


def place_written(request: JobRequest, findings: PlanFindings) -> Place:
    """The bucket that a job's tasks write: a copy's target, else the bucket of the objects themselves. The tasks of a
    dry run ask that one alone, so that its rate and its answers are what counts."""
    if request.dry_run:
        return (request.region, findings.source_bucket)
    operation = request.operation
    bucket = operation.target_bucket if isinstance(operation, PutObjectCopy) else findings.source_bucket
    return (region_written(request), bucket)
