"""The units of work: tasks, chunks, results, and what the claim of a chunk carries.

A task is one manifest row; its number is its row number. A chunk is a contiguous range of tasks. Tasks and results are
named tuples, not dataclasses: one of each is made for every object, and a frozen dataclass costs five times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import JobId, ObjectKey, ObjectRef, VersionId, WorkerId


class Skip(StrEnum):
    """Why a task is never sent. The value stands in the chunk file."""

    DELETE_MARKER = "M"
    """Reported succeeded, ``Skipped: delete marker``."""
    NOT_LATEST = "N"
    """Reported failed ``NotLatestVersion``: an unversioned destination keeps one version only."""


class Task(NamedTuple):
    number: int
    """Row number in the manifest, from 0."""
    key: ObjectKey
    version_id: VersionId | None
    size_bytes: int | None
    skip: Skip | None
    group: int
    """-1, or the number of the first task of a run of versions of one key: those run one after another."""
    turn: int
    """Place in that run: 0 runs first."""


class TaskStatus(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class OutcomeCode(StrEnum):
    """Error codes of results that are ours, beside the codes of stores."""

    PREFIX_MISMATCH = "PrefixMismatch"
    EMPTY_KEY = "EmptyKey"
    KEY_TOO_LONG = "KeyTooLong"
    NOT_LATEST_VERSION = "NotLatestVersion"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    """The request may or may not have been applied, and looking did not tell."""
    NOT_DONE = "NotDone"
    """The job was cancelled or failed; looking proved that the task was not done."""
    WORKER_LOST = "WorkerLost"
    """Three workers died with this task in hand; its outcome is not known."""
    STORE_IGNORED_OPTION = "StoreIgnoredOption"
    """The store answered success, but the object read back is not as asked."""
    NOT_VERIFIED = "NotVerified"
    """It was done, but with ``verify: all`` it could not be read back."""
    INTERNAL_ERROR = "InternalError"


class Result(NamedTuple):
    """The outcome of one task, as it goes to the report."""

    task_number: int
    status: TaskStatus
    error_code: str = ""
    http_status: int = 0
    """0: no request was sent, or none was answered."""
    message: str = ""
    size_bytes: int = 0
    """Bytes that the operation moved or copied."""
    requests: int = 0
    """Requests sent for this task, by all attempts of this claim."""
    in_failure_rate: bool = True
    """False for rows that were never sent: skipped delete markers, older versions."""
    request_id: str = ""
    """The store's own, of the request that it refused; empty: none was refused, or it gave none. For the samples."""


class ClaimMode(StrEnum):
    RUN = "run"
    SETTLE_ONLY = "settle-only"
    """The job is Cancelling or Failing: look what lost tasks came to, write nothing."""
    ONE_AT_A_TIME = "one-at-a-time"
    """The chunk was lost three times: one task at a time, each marked as started before it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChunk:
    """A planned chunk: the file is in the spool already."""

    seq: int
    first_task: int
    task_count: int
    spool_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What fencing compares: this chunk, held under this fence."""

    job_id: JobId
    seq: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A chunk in a worker's hands until the deadline that goes with its last renewal."""

    lease: Lease
    owner: WorkerId
    mode: ClaimMode
    first_task: int
    task_count: int
    spool_name: str
    settled: Bitmap
    """Tasks that have a committed result: never run again."""
    losses: int
    """Leases lost so far; > 0 means that unsettled tasks may have run."""
    first_leased_at: float
    """Unix seconds of the first claim of this chunk, on the ledger's clock."""
    started_task: int | None
    """One-at-a-time only: the task that an earlier, lost claim had marked as started."""


class Then(StrEnum):
    """What a commit does with the chunk."""

    KEEP = "keep"
    """A checkpoint: the lease stays."""
    YIELD = "yield"
    """The rest goes back, and it is no loss."""
    FORFEIT = "forfeit"
    """The rest goes back as a loss: some task may have run and could not be settled, whoever claims it next looks."""
    CLOSE = "close"
    """All tasks are settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRecord:
    """A multipart upload of ours, as the ledger knows it."""

    task_number: int
    target: ObjectRef
    upload_id: str
    fence: int

    @property
    def is_announced(self) -> bool:
        """An upload was about to be begun; whether it was, and under which id, is not known."""
        return self.upload_id == announced_upload(self.task_number)

    @property
    def doubted_id(self) -> str:
        """The id of an upload that is ours only if a clock was wrong; empty where this is another kind of record."""
        mark = doubted_upload(self.task_number, "")
        return self.upload_id.removeprefix(mark) if self.upload_id.startswith(mark) else ""


def doubted_upload(task_number: int, upload_id: str) -> str:
    """Stands for the id of an upload that may be ours or somebody else's: it is named at the job's end, and left."""
    return f"(perhaps of task {task_number}) {upload_id}"


def announced_upload(task_number: int) -> str:
    """Stands for the id of an upload until the store has given it one. No store's ids look so."""
    return f"(announced by task {task_number})"
