"""What a job proves: the report it writes and the tallies that go with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import Bucket, RegionName

SAMPLES_PER_CODE = 5
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
        known = merged.get(name, CodeTally(count=0))
        merged[name] = CodeTally(
            count=known.count + tally.count, samples=(known.samples + tally.samples)[:SAMPLES_PER_CODE]
        )
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The committed results of some tasks of one chunk: one immutable spool file."""

    spool_name: str
    settled: Bitmap
    tally: Tally
