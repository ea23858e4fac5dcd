"""What the engine needs from outside its room, beside ledger and spool: the stores of the region table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cosbatch.ledger.role_port import CredentialTerms
from cosbatch.model.identifiers import Bucket, JobId, RegionName
from cosbatch.model.jobs import Hold, Job, JobRequest, region_written
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.regions import Region
from cosbatch.storage.pacing import StopSignal
from cosbatch.storage.port import ObjectStore


class TaskStore(ObjectStore, Protocol):
    """A store that retries, paces and counts by itself, for one task."""

    requests: int
    """Requests sent so far."""
    has_written: bool
    """Some write was answered with success, or may have been applied without an answer."""
    was_refused: bool
    """Some write reached the store, which refused it."""

    has_failed: bool
    """Whether there are causes."""

    @property
    def causes(self) -> list[str]:
        """Why requests were repeated, ``SlowDown x3``."""
        ...

    def begin(self) -> None:
        """Forgets what it counted: the next request is another task's."""
        ...


class Pace(Protocol):
    """How a bucket is asked at present."""

    @property
    def limit(self) -> int:
        """Requests that may be under way at a time."""
        ...

    @property
    def held(self) -> Hold | None:
        """Why nothing is sent to it, where nothing is."""
        ...


class Stores(Protocol):
    """The stores of this process by region; connections and pacing are shared by everything in the process.

    ``acting`` is the job whose role signs (:func:`acting_of`); None for the region's own credentials.
    """

    async def look_again(self) -> None:
        """Sees what has changed in the region table. Called before a job is taken up: its region may be new. What was
        opened before goes on as it was; rates and connections of buckets change at once. LedgerUnavailable where the
        table cannot be read."""
        ...

    def region(self, name: RegionName) -> Region:
        """JobFailure (InternalError) where the region table has lost it."""
        ...

    def plain(self, name: RegionName, *, acting: JobId | None = None) -> ObjectStore:
        """The adapter itself: no retries, no pacing."""
        ...

    def open(
        self,
        name: RegionName,
        *,
        acting: JobId | None,
        permit: Callable[[], None],
        stop: StopSignal | None = None,
        cut: StopSignal | None = None,
        may_write: bool = True,
    ) -> TaskStore:
        """A store for one task. ``permit`` is called before every send and raises SendingStopped; ``stop`` breaks off
        waits while nothing was written, ``cut`` those afterwards. Without ``may_write`` it sends nothing that
        writes."""
        ...

    async def may_act(self, acting: JobId | None) -> bool:
        """Whether there are credentials to act with, that have not expired; without a role there always are."""
        ...

    async def terms(self, acting: JobId | None) -> CredentialTerms | None:
        """What is known of the credentials of the job's role; None where there is no role, or nothing of it yet."""
        ...

    def leave(self, acting: JobId | None) -> None:
        """Nobody here acts for the job any more: what was kept for it is forgotten."""
        ...

    def pace_of(self, name: RegionName, bucket: Bucket) -> Pace:
        """What the bucket takes; it changes in place."""
        ...

    async def close(self) -> None: ...


def acting_of(job: Job) -> JobId | None:
    """As whom a job's requests are signed: the job's own role, or None where it names none."""
    return job.id if job.request.role_arn else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRegions:
    """The regions that a job touches."""

    source: RegionName
    target: RegionName
    report: RegionName | None


def regions_of(request: JobRequest) -> JobRegions:
    target = region_written(request)
    report = (request.report.region or request.region) if request.report.enabled else None
    return JobRegions(source=request.region, target=target, report=report)


def buckets_of(request: JobRequest) -> list[tuple[RegionName, Bucket]]:
    """Where a job's manifest, target and report are; the source bucket is known only from the manifest, and one of the
    work area is in no bucket."""
    regions, location = regions_of(request), request.manifest.location
    found = [(regions.source, location.bucket)] if location.retry_of is None else []
    if isinstance(request.operation, PutObjectCopy):
        found.append((regions.target, request.operation.target_bucket))
    if regions.report is not None and request.report.bucket is not None:
        found.append((regions.report, request.report.bucket))
    return found
