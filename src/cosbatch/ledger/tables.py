"""The ledger's tables, and the predicates that their partial indexes and the statements share.

The schema is created by the migrations; a test holds both against each other. Two rules make claims cheap however many
chunks there are. Every statement that looks for chunks names the state as a literal (a partial index is not used for a
bound parameter), and the state leads each index (else SQLite prefers the primary key and walks over closed chunks).
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    literal_column,
    or_,
)
from sqlalchemy.types import TypeEngine

from cosbatch.model.states import FINAL, JobStatus

REAL_NUMBER: Final[TypeEngine[float]] = Double().with_variant(REAL(), "sqlite")
COUNT: Final = BigInteger().with_variant(Integer(), "sqlite")

metadata: Final = MetaData()

job: Final = Table(
    "job",
    metadata,
    Column("id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", COUNT, nullable=False),
    Column("failure_threshold", REAL_NUMBER),  # as requested; NULL: never
    Column("created_at", REAL_NUMBER, nullable=False),
    Column("changed_at", REAL_NUMBER, nullable=False),
    Column("started_at", REAL_NUMBER),
    Column("ended_at", REAL_NUMBER),
    Column("suspended_at", REAL_NUMBER),
    Column("suspended_cause", Text, nullable=False),
    Column("status_reason", Text, nullable=False),
    Column("failure_code", Text),
    Column("failure_reason", Text, nullable=False),
    Column("paused_by", Text),
    # The job's own lease: for planning, later for sealing.
    Column("owner", Text),
    Column("duty", Text),
    Column("fence", COUNT, nullable=False),
    Column("lease_until", REAL_NUMBER),
    Column("quiet_at", REAL_NUMBER, nullable=False),
    # What planning adds up.
    Column("planned_rows", COUNT, nullable=False),
    Column("total", COUNT),
    Column("chunk_count", COUNT, nullable=False),
    # What commits add up.
    Column("chunks_closed", COUNT, nullable=False),
    Column("succeeded", COUNT, nullable=False),
    Column("failed", COUNT, nullable=False),
    Column("skipped", COUNT, nullable=False),
    Column("outside_rate", COUNT, nullable=False),
    Column("failed_outside_rate", COUNT, nullable=False),
    Column("bytes_done", COUNT, nullable=False),
    Column("requests", COUNT, nullable=False),
    Column("failures", Text, nullable=False),  # JSON: error codes with samples, ignored options
    Column("report_state", Text, nullable=False),
    Column("report_location", Text, nullable=False),
    # JSON.
    Column("hold", Text),
    Column("findings", Text),
    Column("request", Text, nullable=False),
    Column("removed_at", REAL_NUMBER),  # from then on it is nobody's job: what is left of it is being deleted
    # What lists look for and go by, beside what stands above: kept by whatever changes what it is made of.
    Column("operation", Text, nullable=False, server_default=""),
    Column("creator", Text, nullable=False, server_default=""),
    Column("description_folded", Text, nullable=False, server_default=""),
    Column("progress", REAL_NUMBER),  # 0 to 1; NULL until the plan is complete
    Column("over_threshold", COUNT, nullable=False, server_default="0"),  # 1: more has failed than it puts up with
    Column("narrow_from", REAL_NUMBER),  # its series has narrow buckets from then on; NULL: it has none
    Column("report_asked_at", REAL_NUMBER),  # the report, once more, by a user
    Column("role_arn", Text, nullable=False, server_default=""),  # of the request
    PrimaryKeyConstraint("id", name="job_pk"),
    CheckConstraint("(owner IS NULL) = (duty IS NULL)", name="job_duty_held"),
    CheckConstraint("(owner IS NULL) = (lease_until IS NULL)", name="job_lease_held"),
    sqlite_strict=True,
)

chunk: Final = Table(
    "chunk",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("seq", COUNT, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("fence", COUNT, nullable=False),
    Column("lease_until", REAL_NUMBER),
    Column("losses", COUNT, nullable=False),
    Column("lost", COUNT, nullable=False),  # 1 where losses > 0: a column of its own, so that it can lead an index
    Column("first_leased_at", REAL_NUMBER),
    Column("first_task", COUNT, nullable=False),
    Column("task_count", COUNT, nullable=False),
    Column("settled", LargeBinary, nullable=False),  # a bitmap; empty for none
    Column("started_task", COUNT),
    Column("started_fence", COUNT),  # under which fence it was marked
    Column("spool_name", Text, nullable=False),
    PrimaryKeyConstraint("job_id", "seq", name="chunk_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="chunk_job_fk"),
    CheckConstraint("state IN ('open', 'leased', 'closed')", name="chunk_state_known"),
    CheckConstraint("(state = 'leased') = (owner IS NOT NULL)", name="chunk_leased_owner"),
    CheckConstraint("(state = 'leased') = (lease_until IS NOT NULL)", name="chunk_leased_until"),
    CheckConstraint("(lost = 1) = (losses > 0)", name="chunk_lost_losses"),
    sqlite_strict=True,
)

part: Final = Table(
    "part",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("seq", COUNT, nullable=False),
    Column("place", COUNT, nullable=False),  # order of commit within the chunk, from 0
    Column("spool_name", Text, nullable=False),
    Column("settled", LargeBinary, nullable=False),
    Column("task_count", COUNT, nullable=False),
    Column("tally", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("job_id", "seq", "place", name="part_pk"),
    ForeignKeyConstraint(["job_id", "seq"], ["chunk.job_id", "chunk.seq"], name="part_chunk_fk"),
    sqlite_strict=True,
)

upload: Final = Table(
    "upload",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("upload_id", Text, nullable=False),
    Column("task_number", COUNT, nullable=False),
    Column("fence", COUNT, nullable=False),
    Column("target", Text, nullable=False),  # JSON, since a key may hold characters that a text column may not
    PrimaryKeyConstraint("job_id", "upload_id", name="upload_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="upload_job_fk"),
    sqlite_strict=True,
)

job_event: Final = Table(
    "job_event",
    metadata,
    Column("id", COUNT, nullable=False, autoincrement=True),
    Column("job_id", Text, nullable=False),
    Column("at", REAL_NUMBER, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False, server_default=""),  # which user, and the way; empty: the engine
    PrimaryKeyConstraint("id", name="job_event_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="job_event_job_fk"),
    sqlite_strict=True,
)

job_series: Final = Table(
    "job_series",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("at", COUNT, nullable=False),  # Unix seconds
    Column("seconds", COUNT, nullable=False),
    Column("succeeded", COUNT, nullable=False),
    Column("failed", COUNT, nullable=False),
    Column("bytes_done", COUNT, nullable=False),
    PrimaryKeyConstraint("job_id", "at", name="job_series_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="job_series_job_fk"),
    sqlite_strict=True,
)

failure_sample: Final = Table(
    "failure_sample",
    metadata,
    Column("job_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("place", COUNT, nullable=False),  # among those of its code, from 0
    Column("sample", Text, nullable=False),  # JSON, since a key may hold characters that a text column may not
    PrimaryKeyConstraint("job_id", "code", "place", name="failure_sample_pk"),
    ForeignKeyConstraint(["job_id"], ["job.id"], name="failure_sample_job_fk"),
    sqlite_strict=True,
)

worker: Final = Table(
    "worker",
    metadata,
    Column("id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", COUNT, nullable=False),
    Column("started_at", REAL_NUMBER, nullable=False),
    Column("seen_at", REAL_NUMBER, nullable=False),
    Column("metrics", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("id", name="worker_pk"),
    sqlite_strict=True,
)

rate_share: Final = Table(
    "rate_share",
    metadata,
    Column("region", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("kind", Text, nullable=False),  # requests, bytes
    Column("owner", Text, nullable=False),
    Column("rate", REAL_NUMBER, nullable=False),  # 0: it waits
    Column("pressing", COUNT, nullable=False),  # 1: for requests, 0: for work that it would claim
    Column("spare", COUNT, nullable=False),  # 1: it has found no share of it for long
    Column("since", REAL_NUMBER, nullable=False),
    Column("until", REAL_NUMBER, nullable=False),
    PrimaryKeyConstraint("region", "bucket", "kind", "owner", name="rate_share_pk"),
    sqlite_strict=True,
)


def _literal(word: str) -> ColumnElement[str]:
    """A word of ours as it stands in SQL, not as a parameter."""
    return literal_column(f"'{word}'")


IS_OPEN: Final = chunk.c.state == _literal("open")
IS_LEASED: Final = chunk.c.state == _literal("leased")
IS_LOST: Final = and_(IS_OPEN, chunk.c.lost == literal_column("1"))
"""An open chunk that has lost a lease."""
IS_HELD: Final = job.c.owner.is_not(None)
IS_ACTIVE: Final = job.c.status == _literal("Active")
IS_ENDING: Final = job.c.status.in_([_literal("Cancelling"), _literal("Failing")])
IS_UNFINISHED: Final = job.c.status.in_([_literal(status) for status in JobStatus if status not in FINAL])
"""As a list of what to look for: an index of statuses is of no use for what is excluded."""
IS_QUEUED: Final = or_(
    job.c.status.not_in([_literal(status) for status in sorted(FINAL)]),
    job.c.report_state == _literal("pending"),
)
"""Somebody has still to do something for the job."""
IS_THERE: Final = job.c.removed_at.is_(None)
IS_REMOVED: Final = job.c.removed_at.is_not(None)
HAS_ENDED: Final = and_(job.c.ended_at.is_not(None), IS_THERE)


def _partial(name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where)


_partial("job_token", job.c.account, job.c.region, job.c.token, where=job.c.token != _literal(""), unique=True)
Index("job_of_account", job.c.account, job.c.id)
Index("job_of_region", job.c.account, job.c.region, job.c.id)
Index("job_of_status", job.c.account, job.c.status, job.c.id)
Index(
    # All that a list of jobs looks for or goes by, and what it shows counts of: a walk along it reads no job's row.
    "job_listed",
    job.c.account,
    job.c.removed_at,
    job.c.status,
    job.c.over_threshold,
    job.c.region,
    job.c.operation,
    job.c.creator,
    job.c.created_at,
    job.c.priority,
    job.c.progress,
    job.c.total,
    job.c.failed,
    job.c.ended_at,
    job.c.id,
    job.c.description_folded,
)
HAS_ROLE: Final = job.c.role_arn != _literal("")
_partial("job_of_role", job.c.account, job.c.role_arn, job.c.removed_at, job.c.status, job.c.created_at, where=HAS_ROLE)
_partial("job_ended", job.c.ended_at, job.c.id, where=HAS_ENDED)
_partial("job_removed", job.c.id, where=IS_REMOVED)
Index("job_by_status", job.c.status, job.c.priority, job.c.id)
_partial("job_queued", job.c.id, where=IS_QUEUED)
_partial("job_held", job.c.owner, where=IS_HELD)
_partial("chunk_open", chunk.c.state, chunk.c.job_id, chunk.c.seq, where=IS_OPEN)
_partial("chunk_lost", chunk.c.state, chunk.c.lost, chunk.c.job_id, chunk.c.seq, where=IS_LOST)
_partial("chunk_leased", chunk.c.state, chunk.c.job_id, chunk.c.seq, where=IS_LEASED)
_partial("chunk_owned", chunk.c.state, chunk.c.owner, where=IS_LEASED)
Index("part_name", part.c.job_id, part.c.spool_name, unique=True)
Index("upload_of_task", upload.c.job_id, upload.c.task_number)
Index("event_of_job", job_event.c.job_id, job_event.c.id)
Index("worker_seen", worker.c.seen_at)
Index("rate_share_of_owner", rate_share.c.owner)
Index("rate_share_end", rate_share.c.until)
