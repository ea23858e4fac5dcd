"""What a job proves: the report it writes and the tallies that go with it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import Bucket, ObjectKey, RegionName, VersionId

SAMPLES_PER_CODE = 5
"""Keys that stand with a code on the job and in summary.json."""
FAILURES_KEPT = 20
"""Failures of a code that the ledger keeps whole."""
CODES_KEPT = 100


class ReportFormat(StrEnum):
    CSV_V1 = "Report_CSV_V1"


class ReportScope(StrEnum):
    ALL_TASKS = "AllTasks"
    FAILED_TASKS_ONLY = "FailedTasksOnly"


class ReportState(StrEnum):
    """The report's own state, beside the job's."""

    NONE = "none"
    """The job asks for no report."""
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec:
    enabled: bool
    bucket: Bucket | None = None
    """None only where no report is asked for."""
    region: RegionName | None = None
    """None: the job's region."""
    prefix: str = ""
    format: ReportFormat = ReportFormat.CSV_V1
    scope: ReportScope = ReportScope.ALL_TASKS


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTally:
    """Failures with one error code."""

    count: int
    samples: tuple[str, ...] = ()
    """Up to 5 keys."""
    http_statuses: tuple[tuple[int, int], ...] = ()
    """Status and how many had it, by status; 0: none was answered. Of failures of before it was counted, nothing."""
    first_seen: float | None = None
    """Unix seconds on the ledger's clock of the first commit that brought one; None before that."""
    last_seen: float | None = None

    def plus(self, other: CodeTally) -> CodeTally:
        statuses = Counter(dict(self.http_statuses))
        statuses.update(dict(other.http_statuses))
        seen = [at for one in (self, other) for at in (one.first_seen, one.last_seen) if at is not None]
        return CodeTally(
            count=self.count + other.count,
            samples=(self.samples + other.samples)[:SAMPLES_PER_CODE],
            http_statuses=tuple(sorted(statuses.items())),
            first_seen=min(seen, default=None),
            last_seen=max(seen, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureSample:
    """One failed task, for people who ask what went wrong."""

    error_code: str
    key: ObjectKey
    version_id: VersionId | None = None
    message: str = ""
    http_status: int = 0
    """0: no request was sent, or none was answered."""
    requests: int = 0
    """Sent for it under its last claim."""
    request_id: str = ""
    """Under which the store knows the request that it refused; empty: none was refused, or it gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What some results add up to. Tallies of disjoint results add up with :meth:`plus`."""

    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    """Delete markers never sent; they are among ``succeeded``."""
    outside_rate: int = 0
    """Results that the failure rate does not count (skipped, NotLatestVersion)."""
    failed_outside_rate: int = 0
    bytes_done: int = 0
    requests: int = 0
    codes: dict[str, CodeTally] = field(default_factory=dict)
    ignored_options: dict[str, int] = field(default_factory=dict)
    """Option name -> tasks in which reading back showed that the store ignored it."""

    def plus(self, other: Tally) -> Tally:
        return Tally(
            succeeded=self.succeeded + other.succeeded,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
            outside_rate=self.outside_rate + other.outside_rate,
            failed_outside_rate=self.failed_outside_rate + other.failed_outside_rate,
            bytes_done=self.bytes_done + other.bytes_done,
            requests=self.requests + other.requests,
            codes=_merge_codes(self.codes, other.codes),
            ignored_options={
                name: self.ignored_options.get(name, 0) + other.ignored_options.get(name, 0)
                for name in self.ignored_options | other.ignored_options
            },
        )

    def seen_at(self, now: float) -> Tally:
        """The same, and its failures were seen now: what a commit makes of a tally that has no times."""
        codes = {code: replace(one, first_seen=now, last_seen=now) for code, one in self.codes.items()}
        return replace(self, codes=codes)

    @property
    def executed_in_rate(self) -> int:
        return self.succeeded + self.failed - self.outside_rate

    @property
    def failed_in_rate(self) -> int:
        return self.failed - self.failed_outside_rate


OTHER_CODES = "(other codes)"


def _merge_codes(one: dict[str, CodeTally], other: dict[str, CodeTally]) -> dict[str, CodeTally]:
    """Counts are exact; beyond 100 distinct codes the rest are counted under one name."""
    merged = dict(one)
    for code, tally in other.items():
        name = code if code in merged or len(merged) < CODES_KEPT else OTHER_CODES
        merged[name] = merged.get(name, CodeTally(count=0)).plus(tally)
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The committed results of some tasks of one chunk: one immutable spool file."""

    spool_name: str
    settled: Bitmap
    tally: Tally
    samples: tuple[FailureSample, ...] = ()
    """Some of its failures, up to 20 of each code. A ledger keeps them with the job, and not with the part: a part that
    is read back has none."""

    def committed_at(self, now: float) -> Part:
        """As a ledger keeps it."""
        return replace(self, tally=self.tally.seen_at(now), samples=())
