"""The processes that work: who is there, and what each is about at the moment."""

from __future__ import annotations

from dataclasses import dataclass

from cosbatch.model.identifiers import Bucket, RegionName, WorkerId


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketLoad:
    """What one process sends to one bucket."""

    region: RegionName
    bucket: Bucket
    in_flight: int
    limit: int
    """Requests that may be under way at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerMetrics:
    buckets: tuple[BucketLoad, ...] = ()
    """Those that are being asked."""
    chunks_held: int = 0
    requests_per_second: float = 0.0
    """Answered since the process last told."""
    repeats: int = 0
    """Requests that were sent again since the process started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerProcess:
    """One process, as it presents itself. Its id is never used again."""

    id: WorkerId
    role: str
    """``worker``, ``planner``, ``finisher``."""
    host: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """One process, as the ledger knows it. Times are Unix seconds on the ledger's clock."""

    process: WorkerProcess
    started_at: float
    seen_at: float
    metrics: WorkerMetrics
