"""The engine's numbers, as one value: nothing here reads settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLimits:
    """Seconds, rows and bytes that planner, scheduler, worker and finisher keep to."""

    lease_seconds: float = 30.0
    """How long a claim lasts without a renewal; renewals go out three times as often."""
    share_seconds: float = 10.0
    """How long a share of a rate cap lasts without a renewal; renewals go out four times as often,
    and more often while one is waited for."""
    poll_seconds: float = 0.25
    """How often each part looks for work and for changes of status."""
    request_timeout_seconds: float = 300.0
    """The longest that a request may be under way: a final status waits so long for those of a lost lease."""
    yield_seconds: float = 60.0
    """How long a stopping worker tries to settle what got no answer before it lets the lease go as a loss."""
    drain_seconds: float = 150.0
    """How long a draining worker tries to commit what it has before it leaves the rest to the next claim."""
    checkpoint_seconds: float = 60.0
    """Results do not stay uncommitted for longer."""
    slow_tail_seconds: float = 5.0
    """When only tasks in flight are left of a chunk for so long, the rest is committed."""
    hold_limit_seconds: float = 6 * 3600.0
    """A bucket that does not answer for so long fails the job."""
    settle_limit_seconds: float = 600.0
    """In Cancelling and Failing, what cannot be looked up for so long is OutcomeUnknown."""
    suspended_expiry_seconds: float = 30 * 86400.0
    """A job that waits for its confirmation for longer fails."""
    retention_seconds: float = 90 * 86400.0
    """A job that has ended so long ago is removed, with all that is left of it."""
    removal_poll_seconds: float = 5.0
    """How often jobs that were removed are looked for, so that the rest of them goes too."""
    retention_poll_seconds: float = 3600.0
    """How often jobs are looked for whose retention has ended, and files that belong to no job."""
    plan_retry_seconds: float = 10.0
    """Before a job is planned again whose store or work area broke the plan off."""
    report_retry_seconds: float = 30.0
    """Between two attempts to deliver a report."""
    report_limit_seconds: float = 86400.0
    """A report that could not be delivered for so long has failed."""
    slice_rows: int = 100_000
    """Rows that are planned before another job gets its turn."""
    chunk_rows: int = 1000
    first_chunks: int = 16
    """The first chunks of a job are small, so that a small job spreads over the workers. Not more of them: each costs
    as much CPU as a hundred copies."""
    first_chunk_rows: int = 100
    chunk_bytes: int = 64 * 2**30
    versions_of_one_key: int = 10_000
    min_free_spool_share: float = 0.2
    rounds_ahead: int = 2
    """A worker claims while it holds fewer unstarted tasks than so many rounds of its concurrency."""
    unanswered_limit: int = 5
    """After so many lost replies to one task its outcome is reported as unknown."""
    first_lanes: int = 32
    """Concurrency that a worker assumes before it has asked a bucket."""
    max_claimed_chunks: int = 1024
    """Open chunks of one worker, by memory."""
