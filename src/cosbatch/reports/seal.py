"""The sealed report: the committed parts of a job as files in the user's bucket.

Two passes over the parts, with one of them in memory: the first finds out which bytes each file has, the second sends
them. Parts never change and come in order of chunk and commit, so sealing a job again writes the same bytes; whoever
seals may therefore crash anywhere. ``manifest.json`` is written last and means that the report is complete.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from cosbatch.ledger.port import CommittedPart
from cosbatch.model.errors import SpoolError, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, ObjectRef
from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportScope
from cosbatch.model.tasks import TaskStatus
from cosbatch.reports.long_json import LongObject, measured, to_json
from cosbatch.reports.parts import PartBlocks, decode_part
from cosbatch.reports.rows import REPORT_SCHEMA, status_word
from cosbatch.storage.port import ObjectMeta, ObjectMetadata, PutOptions, PutOutcome, SizedBody
from cosbatch.storage.spool import Spool

ROWS_PER_FILE: Final = 1_000_000
BYTES_PER_FILE: Final = 4 * 2**30
"""A file ends earlier where its rows are so long that one request could not carry it (5 GiB)."""

Place = tuple[int, int]
"""Where a part stands in the order of its job's parts, as the ledger gives it."""
BEFORE_ALL: Final[Place] = (-1, -1)
PartSource = Callable[[Place], AsyncIterator[tuple[Place, CommittedPart]]]
"""The job's parts strictly after a place, in order; called several times."""

_MD5 = re.compile(r"[0-9a-f]{32}")
_CSV = PutOptions(metadata=ObjectMetadata(content_type="text/csv; charset=utf-8"))
_JSON = PutOptions(metadata=ObjectMetadata(content_type="application/json"))
_TEXT = PutOptions(metadata=ObjectMetadata(content_type="text/plain"))


class ReportStore(Protocol):
    """What sealing asks of an object store."""

    async def head(self, ref: ObjectRef) -> ObjectMeta: ...

    async def put(self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = ...) -> PutOutcome: ...


class PartPages(Protocol):
    """What sealing asks of the ledger."""

    async def parts(self, job_id: JobId, *, after: Place) -> list[tuple[Place, CommittedPart]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """One file of results."""

    status: TaskStatus
    word: str
    """What its rows call the status."""
    key: ObjectKey
    rows: int
    size_bytes: int
    md5: str
    """Hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedReport:
    location: str
    """``s3://bucket/key`` of manifest.json."""
    files: tuple[ReportFile, ...]


def parts_of(ledger: PartPages, job_id: JobId) -> PartSource:
    """A job's parts page by page."""

    async def after(place: Place) -> AsyncIterator[tuple[Place, CommittedPart]]:
        while page := await ledger.parts(job_id, after=place):
            for placed in page:
                yield placed
            place = page[-1][0]

    return after


async def seal_report(
    *,
    job: Job,
    parts: PartSource,
    spool: Spool,
    store: ReportStore,
    summary: LongObject,
    created_at: float,
    still_ours: Callable[[], Awaitable[None]],
    rows_per_file: int = ROWS_PER_FILE,
    bytes_per_file: int = BYTES_PER_FILE,
) -> SealedReport:
    """Writes the whole report; ``created_at`` (Unix seconds) must be the same each time a job is sealed.

    ``summary`` becomes summary.json, with the list of files added. ``still_ours`` is asked before each file, and last
    before manifest.json; what it raises (StaleFence) ends the work. Raises StorageError where the store refuses a file
    or got other bytes, SpoolError where a part is missing or damaged: nothing is undone, the caller tries again.
    """
    report = job.request.report
    assert report.bucket is not None, "a job without a report bucket has no report to seal"
    folder = report_folder(job)
    cuts = _Cuts(rows_per_file=rows_per_file, bytes_per_file=bytes_per_file)
    drafts = await _measure(parts, spool, scope=report.scope, cuts=cuts)
    files = tuple(draft.describe(folder, dry_run=job.request.dry_run) for draft in drafts)
    for draft, file in zip(drafts, files, strict=True):
        await still_ours()
        body = _FileBody(size_bytes=file.size_bytes, draft=draft, parts=parts, spool=spool)
        await _send(store, ObjectRef(report.bucket, file.key), body, md5=file.md5, options=_CSV)
    await still_ours()
    overview = await measured(replace(summary, fields={**summary.fields, "report_files": _file_entries(files)}))
    manifest = to_json(_manifest_of(files, bucket=report.bucket, created_at=created_at))
    await _send(store, _ref(report.bucket, folder, "summary.json"), overview, md5=overview.md5, options=_JSON)
    await _send_small(store, _ref(report.bucket, folder, "manifest.json.md5"), _md5_of(manifest), options=_TEXT)
    await still_ours()
    top = _ref(report.bucket, folder, "manifest.json")
    await _send_small(store, top, manifest, options=_JSON)
    return SealedReport(location=f"s3://{top.bucket}/{top.key}", files=files)


def report_folder(job: Job) -> str:
    """``<Prefix>/job-<JobId>/``; the prefix is as the user wrote it, with a ``/`` after it where it needs one."""
    prefix = job.request.report.prefix
    parted = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    return f"{parted}job-{job.id}/"


def report_keys(job: Job) -> tuple[ObjectKey, ...]:
    """Where the report of a job goes: manifest.json, and the longest key that it may need."""
    folder = report_folder(job)
    word = max((status_word(status, dry_run=job.request.dry_run) for status in TaskStatus), key=len)
    return ObjectKey(f"{folder}manifest.json"), ObjectKey(f"{folder}results/{word}-{'0' * 5}.csv")


def iso_time(at: float) -> str:
    """Unix seconds as ``2025-08-02T03:00:00.000Z``."""
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- first pass: which bytes each file has ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cuts:
    """Where a file ends: at exactly so many rows, and before a block that would make it longer than so many bytes."""

    rows_per_file: int
    bytes_per_file: int


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A file of one series: it begins ``skip`` bytes into the first block after ``after``."""

    status: TaskStatus
    number: int
    after: Place
    skip: int
    rows: int = 0
    size_bytes: int = 0
    digest: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    def add(self, block: bytes | memoryview, *, rows: int) -> None:
        self.rows += rows
        self.size_bytes += len(block)
        self.digest.update(block)

    def describe(self, folder: str, *, dry_run: bool) -> ReportFile:
        word = status_word(self.status, dry_run=dry_run)
        return ReportFile(
            status=self.status,
            word=word,
            key=ObjectKey(f"{folder}results/{word}-{self.number:05d}.csv"),
            rows=self.rows,
            size_bytes=self.size_bytes,
            md5=self.digest.hexdigest(),
        )


@dataclass(slots=True, kw_only=True)
class _Series:
    """The files of one status: one stream of rows, cut."""

    status: TaskStatus
    cuts: _Cuts
    drafts: list[_Draft] = field(default_factory=list)

    def add(self, block: bytes, *, rows: int, after: Place) -> None:
        """A block of whole rows; ``after`` is the place before the part that it comes from."""
        start = 0
        while rows:
            draft = self._open_draft(after=after, skip=start, coming=len(block) - start)
            taken = min(rows, self.cuts.rows_per_file - draft.rows)
            end = len(block) if taken == rows else _end_of_rows(block, start=start, rows=taken)
            draft.add(memoryview(block)[start:end], rows=taken)
            start, rows = end, rows - taken

    def _open_draft(self, *, after: Place, skip: int, coming: int) -> _Draft:
        last = self.drafts[-1] if self.drafts else None
        if last and last.rows < self.cuts.rows_per_file and last.size_bytes + coming <= self.cuts.bytes_per_file:
            return last
        self.drafts.append(_Draft(status=self.status, number=len(self.drafts), after=after, skip=skip))
        return self.drafts[-1]


def _end_of_rows(block: bytes, *, start: int, rows: int) -> int:
    """Where the next ``rows`` rows end. A line feed inside quotes ends no row; a quote inside quotes is doubled, so a
    row is at its end where it has an even number of them."""
    position = start
    for _ in range(rows):
        begin, quotes = position, 1
        while quotes % 2:
            position = block.index(b"\n", position) + 1
            quotes = block.count(b'"', begin, position)
    return position


async def _measure(parts: PartSource, spool: Spool, *, scope: ReportScope, cuts: _Cuts) -> list[_Draft]:
    series = {status: _Series(status=status, cuts=cuts) for status in statuses_of(scope)}
    before = BEFORE_ALL
    async for place, committed in parts(BEFORE_ALL):
        if any(rows_in(committed, status) for status in series):
            blocks = await read_part(spool, committed)
            for status, one in series.items():
                one.add(_block_of(blocks, status), rows=rows_in(committed, status), after=before)
        before = place
    return [draft for one in series.values() for draft in one.drafts]


def statuses_of(scope: ReportScope) -> Sequence[TaskStatus]:
    match scope:
        case ReportScope.ALL_TASKS:
            return (TaskStatus.SUCCEEDED, TaskStatus.FAILED)
        case ReportScope.FAILED_TASKS_ONLY:
            return (TaskStatus.FAILED,)


def rows_in(committed: CommittedPart, status: TaskStatus) -> int:
    tally = committed.part.tally
    return tally.succeeded if status is TaskStatus.SUCCEEDED else tally.failed


def _block_of(blocks: PartBlocks, status: TaskStatus) -> bytes:
    return blocks.succeeded if status is TaskStatus.SUCCEEDED else blocks.failed


async def read_part(spool: Spool, committed: CommittedPart) -> PartBlocks:
    """The part, if it is what the ledger says it is. SpoolError where it is not, or is gone (SpoolMissing)."""
    part = committed.part
    blocks = decode_part(await spool.get(part.spool_name))
    counted = (blocks.settled, blocks.succeeded_rows, blocks.failed_rows)
    if counted != (part.settled, part.tally.succeeded, part.tally.failed):
        raise SpoolError(f"{part.spool_name} does not hold the results that were committed under its name")
    return blocks


# --- second pass: the files ---------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class _FileBody:
    """A file of results, read from its parts while it is sent."""

    size_bytes: int
    draft: _Draft
    parts: PartSource
    spool: Spool

    async def blocks(self) -> AsyncIterator[bytes]:
        left, skip = self.size_bytes, self.draft.skip
        async for _, committed in self.parts(self.draft.after):
            if not rows_in(committed, self.draft.status):
                continue
            block = _block_of(await read_part(self.spool, committed), self.draft.status)[skip : skip + left]
            left, skip = left - len(block), 0
            yield block
            if not left:
                return
        raise SpoolError("parts of the job are gone that were there a moment ago")


async def _send(store: ReportStore, ref: ObjectRef, body: bytes | SizedBody, *, md5: str, options: PutOptions) -> None:
    """Puts one file and compares the ETag with its MD5, where the ETag is one."""
    outcome = await store.put(ref, body, options=options)
    if not _MD5.fullmatch(outcome.etag) or outcome.etag == md5:
        return
    meta = await store.head(ref)
    if meta.sse_algorithm in {"", "AES256"}:  # under other keys an ETag looks like an MD5 and is none
        message = f"the store has other bytes than were sent: ETag {outcome.etag}, MD5 {md5}"
        raise StorageError(StorageReason.BODY_DAMAGED, message, target=f"PUT {ref.bucket}/{ref.key}")


async def _send_small(store: ReportStore, ref: ObjectRef, content: bytes, *, options: PutOptions) -> None:
    await _send(store, ref, content, md5=_md5_of(content).decode(), options=options)


def _md5_of(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).hexdigest().encode()


def _ref(bucket: Bucket, folder: str, name: str) -> ObjectRef:
    return ObjectRef(bucket, ObjectKey(folder + name))


def _file_entries(files: Sequence[ReportFile]) -> list[dict[str, object]]:
    return [
        {
            "status": file.word,
            "key": file.key,
            "rows": file.rows,
            "size_bytes": file.size_bytes,
            "md5": file.md5,
        }
        for file in files
    ]


def _manifest_of(files: Sequence[ReportFile], *, bucket: Bucket, created_at: float) -> dict[str, object]:
    """The shape that S3 Batch Operations gives to a completion report (Amazon S3 User Guide)."""
    return {
        "Format": "Report_CSV_V1",
        "ReportCreationDate": iso_time(created_at),
        "Results": [
            {"TaskExecutionStatus": file.word, "Bucket": bucket, "MD5Checksum": file.md5, "Key": file.key}
            for file in files
        ],
        "ReportSchema": REPORT_SCHEMA,
    }
