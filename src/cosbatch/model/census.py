"""What all jobs that the ledger keeps add up to: for whoever watches a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cosbatch.model.states import JobStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCensus:
    """Of the jobs of all accounts. Jobs that were removed count no more, so every number can go down."""

    jobs: Mapping[JobStatus, int]
    """Only the statuses that some job has."""
    succeeded: int = 0
    """Tasks; the skipped ones are among them."""
    failed: int = 0
    skipped: int = 0
    requests: int = 0
    bytes_done: int = 0
    failed_by_code: Mapping[str, int] = field(default_factory=dict)
    on_hold: int = 0
    """Unfinished jobs with a bucket that does not answer."""
    reports_pending: int = 0
    """Jobs that have ended and whose report is not delivered yet."""
    longest_wait_seconds: float = 0.0
    """How long the one that waits longest is New or Ready; 0 where none is."""
