"""What is asked of a job that is there already: what failed once more, the whole once more, its report once more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import structlog

from cosbatch.ledger.port import JobLedger
from cosbatch.manifests.kept import KeptStore, KeptWriter, copy_kept, drop_kept, unwritten
from cosbatch.manifests.reader import ManifestReading, read_manifest
from cosbatch.model.errors import (
    Fault,
    IllegalMove,
    InvalidArgument,
    NoSuchResults,
    RequestError,
    SpoolError,
)
from cosbatch.model.identifiers import JobId, ObjectKey, new_job_id
from cosbatch.model.jobs import Job, JobRequest, PlanFindings
from cosbatch.model.manifests import FailedRows, Manifest, ManifestLocation
from cosbatch.model.principals import Caller
from cosbatch.model.states import is_final
from cosbatch.model.tasks import OutcomeCode
from cosbatch.reports.seal import read_part
from cosbatch.service.audit import Record, audited
from cosbatch.service.failed_rows import FailedChunk, failed_chunks, failed_with
from cosbatch.service.job_changes import changed_request, digest_of
from cosbatch.service.rims import answering, results_kept
from cosbatch.service.service import JobService, check_operates
from cosbatch.service.turns import Turns
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)

NO_CHANGES: Final[Mapping[str, Any]] = MappingProxyType({})
_FIXED_IN_A_RETRY: Final = ("region", "manifest", "operation", "client_request_token")
_FIXED_IN_A_CLONE: Final = ("client_request_token",)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpJob:
    """A job that was made of another one."""

    job: Job
    is_new: bool
    """False where the token had made it before."""
    manifest_changed: bool = False
    """Its manifest is not the one that the old job was made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryWanted:
    """A retry that is not made."""

    request: JobRequest
    """With a manifest that is not written: its location says whose rows it would list."""
    old: Job
    findings: PlanFindings
    """Of the old job, in the same buckets."""
    chunks: Callable[[], AsyncGenerator[FailedChunk, None]]
    """What would be written: read anew at each call. Raises as :func:`cosbatch.service.failed_rows.failed_chunks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneWanted:
    """A clone that is not made."""

    request: JobRequest
    old: Job
    read: Callable[[], Awaitable[ManifestReading]]
    """Of a manifest in the work area: begins to read it, anew at each call. Raises as
    :func:`cosbatch.manifests.reader.read_manifest`, and SpoolError."""

    @property
    def is_kept(self) -> bool:
        """Its manifest is in the work area."""
        return self.request.manifest.location.retry_of is not None


class FollowUp:
    """By the rules of :class:`JobService`: another account's jobs do not exist, and a viewer only looks."""

    def __init__(self, jobs: JobService, *, ledger: JobLedger, spool: Spool, record: Record | None = None) -> None:
        """``record``: the audit log."""
        self._jobs = jobs
        self._ledger = ledger
        self._spool = spool
        self._record = record
        self._turns = Turns()

    # --- what failed, once more

    @answering
    async def retry_failed(
        self,
        job_id: JobId,
        *,
        caller: Caller,
        error_code: str = "",
        changes: Mapping[str, Any] = NO_CHANGES,
        token: str = "",
    ) -> FollowUpJob:
        """A new job over the tasks of an ended one that failed, with ``error_code`` those that failed so. Tasks that
        were never sent (delete markers, NotLatestVersion) are not among them. Where a version of a key is done again
        that was older than others of its manifest, those follow it, so that the newest is the newest in the end.

        ``changes``: a part of a job document, without region, manifest and operation. An equal call under a known token
        answers the job that it made.

        Raises what :meth:`JobService.create_job` does, NoSuchJob, IllegalMove where the job has not ended or is a dry
        run, NoSuchResults where nothing failed so or the results are not kept any more.
        """
        async with audited(self._record, caller, "retry-failed", target=job_id) as write:
            async with self._turn(caller, token):
                made = await self._retry(job_id, caller=caller, error_code=error_code, changes=changes, token=token)
            write.detail = f"made {made.job.id}" + (f" of {error_code}" if error_code else "")
        return made

    async def _retry(
        self, job_id: JobId, *, caller: Caller, error_code: str, changes: Mapping[str, Any], token: str
    ) -> FollowUpJob:
        old, request = await self._wanted(job_id, caller=caller, error_code=error_code, changes=changes)
        digest = digest_of("retry_failed", old.id, error_code, changes=changes)
        if (known := await self._known(request, token=token, digest=digest, caller=caller)) is not None:
            return known
        await self._jobs.check_job(request, caller=caller, token=token)
        _check_has_failures(old, error_code)
        new_id = new_job_id()
        async with _room_for(new_id, self._spool) as room:
            manifest = await self._manifest_of(old, error_code=error_code, for_job=new_id)
            made = replace(request, manifest=manifest)
            job = await self._jobs.make_job(made, caller=caller, token=token, job_id=new_id, digest=digest)
            room.is_used = job.id == new_id
        return FollowUpJob(job=job, is_new=room.is_used)

    @answering
    async def retry_wanted(
        self, job_id: JobId, *, caller: Caller, error_code: str, changes: Mapping[str, Any]
    ) -> RetryWanted:
        """What :meth:`retry_failed` would make a job of, for whoever wants to look at it first: nothing is written or
        told. Raises what that does, but for what it asks of the request: that is left to a check."""
        old, request = await self._wanted(job_id, caller=caller, error_code=error_code, changes=changes)
        _check_has_failures(old, error_code)
        assert old.findings is not None, "tasks have failed, so there was a plan"
        failed = FailedRows(job_id=old.id, error_code=error_code)
        manifest = unwritten(failed)
        return RetryWanted(
            request=replace(request, manifest=manifest),
            old=old,
            findings=old.findings,
            chunks=partial(failed_chunks, failed, ledger=self._ledger, spool=self._spool),
        )

    async def _wanted(
        self, job_id: JobId, *, caller: Caller, error_code: str, changes: Mapping[str, Any]
    ) -> tuple[Job, JobRequest]:
        """The old job, and the request of the new one, still with the old manifest."""
        check_operates(caller, to="make jobs")
        old = await self._ledger.job(job_id, account=caller.account.id)
        if error_code == OutcomeCode.NOT_LATEST_VERSION:
            raise _never_again(error_code)
        way_out = "leave it out, or clone the job, whose clone may have others"
        request = changed_request(old.request, changes, fixed=_FIXED_IN_A_RETRY, way_out=way_out)
        if "description" not in changes:
            request = replace(request, description=f"Retry of {old.id}")
        return old, request

    @asynccontextmanager
    async def _turn(self, caller: Caller, token: str) -> AsyncIterator[None]:
        """To read what millions of tasks have left takes minutes: a client that does not wait asks again meanwhile."""
        name = token or object()
        async with self._turns.of(caller.account.id, name):
            with results_kept():
                yield

    async def _known(self, request: JobRequest, *, token: str, digest: str, caller: Caller) -> FollowUpJob | None:
        """What an equal call has made under this token. TokenReused where the token belongs to another one."""
        if not token:
            return None
        known = await self._jobs.find_job(token=token, region=request.region, caller=caller)
        if known is None:
            return None
        job = await self._jobs.make_job(known.request, caller=caller, token=token, digest=digest)
        return FollowUpJob(job=job, is_new=False)

    async def _manifest_of(self, old: Job, *, error_code: str, for_job: JobId) -> Manifest:
        assert old.findings is not None, "tasks have failed, so there was a plan"
        failed = FailedRows(job_id=old.id, error_code=error_code)
        writer = KeptWriter(self._spool, job_id=for_job, source_bucket=old.findings.source_bucket)
        async for chunk in failed_chunks(failed, ledger=self._ledger, spool=self._spool):
            for row in chunk.rows:
                await writer.add(row.key, version_id=row.version_id, size_bytes=row.size_bytes, is_latest=row.is_latest)
        await self._ledger.job(old.id)  # it was there all the time: nothing of it was taken away while it was read
        if not writer.rows:
            raise none_failed(old, error_code)
        return await writer.finish(failed)

    # --- the whole, once more

    @answering
    async def clone_job(
        self, job_id: JobId, *, caller: Caller, changes: Mapping[str, Any] = NO_CHANGES, token: str = ""
    ) -> FollowUpJob:
        """A new job that asks for what an old one, in any state, has asked for. The manifest's ETag is read again; the
        answer says where it has changed.

        ``changes``: a part of a job document. An equal call under a known token answers the job that it made. Raises
        what :meth:`JobService.create_job` does, and NoSuchJob.
        """
        async with audited(self._record, caller, "clone-job", target=job_id) as write:
            async with self._turn(caller, token):
                made = await self._clone(job_id, caller=caller, changes=changes, token=token)
            write.detail = f"made {made.job.id}"
        return made

    @answering
    async def clone_wanted(self, job_id: JobId, *, caller: Caller, changes: Mapping[str, Any]) -> CloneWanted:
        """What :meth:`clone_job` would make a job of, for whoever wants to look at it first: nothing is written or
        told. Raises what that does, but for what it asks of the request: that is left to a check."""
        old, request = await self._clone_of(job_id, caller=caller, changes=changes)
        kept = KeptStore(self._spool, request.manifest.location)
        return CloneWanted(request=request, old=old, read=partial(read_manifest, request.manifest, kept))

    async def _clone_of(self, job_id: JobId, *, caller: Caller, changes: Mapping[str, Any]) -> tuple[Job, JobRequest]:
        """The old job, and the request of the new one; what is kept of its manifest is the old one's."""
        check_operates(caller, to="make jobs")
        old = await self._ledger.job(job_id, account=caller.account.id)
        way_out = "name it beside the changes"
        return old, changed_request(old.request, changes, fixed=_FIXED_IN_A_CLONE, way_out=way_out)

    async def _clone(self, job_id: JobId, *, caller: Caller, changes: Mapping[str, Any], token: str) -> FollowUpJob:
        old, request = await self._clone_of(job_id, caller=caller, changes=changes)
        digest = digest_of("clone_job", old.id, changes=changes)
        known = await self._known(request, token=token, digest=digest, caller=caller)
        if known is None:
            new_id = new_job_id()
            async with _room_for(new_id, self._spool) as room:
                if request.manifest.location.retry_of is not None:
                    await self._jobs.check_job(request, caller=caller, token=token)
                    manifest = await copy_kept(self._spool, request.manifest, job_id=new_id)
                    request = replace(request, manifest=manifest)
                job = await self._jobs.make_job(request, caller=caller, token=token, job_id=new_id, digest=digest)
                room.is_used = job.id == new_id
            known = FollowUpJob(job=job, is_new=room.is_used)
        return replace(known, manifest_changed=_identity(known.job) != _identity(old))

    # --- its report, once more

    @answering
    async def redeliver_report(self, job_id: JobId, *, caller: Caller) -> Job:
        """The report of a job that has ended is written again, also where it was delivered; the job shows how that
        ends. Nothing changes where it is under way.

        Raises NoSuchJob, IllegalMove where the job has not ended or has no report, NoSuchResults where the results are
        not kept any more.
        """
        async with audited(self._record, caller, "redeliver-report", target=job_id):
            check_operates(caller, to="change jobs")
            await self._ledger.job(job_id, account=caller.account.id)
            for _, committed in await self._ledger.parts(job_id, limit=1):
                with results_kept():
                    await read_part(self._spool, committed)
            return await self._ledger.redeliver(job_id, by=str(caller))


@dataclass(slots=True, kw_only=True)
class _Room:
    """What is written into the work area for a job that is about to be made."""

    is_used: bool = False


@asynccontextmanager
async def _room_for(job_id: JobId, spool: Spool) -> AsyncIterator[_Room]:
    """Takes away what was written where the job was not made after all. A ledger that does not answer may have made it:
    then, as after a crash here, the remover finds out when the retention of a job of that age is over."""
    room = _Room()
    try:
        yield room
    except (RequestError, SpoolError):
        await _drop(spool, job_id)
        raise
    if not room.is_used:
        await _drop(spool, job_id)


async def _drop(spool: Spool, job_id: JobId) -> None:
    try:
        await drop_kept(spool, job_id)
    except SpoolError as error:
        log.warning("kept-manifest-left", job_id=job_id, error=str(error))


def _check_has_failures(job: Job, error_code: str) -> None:
    if not is_final(job.status):
        raise IllegalMove(f"job {job.id} is {job.status}: only what has failed in a job that has ended can be retried")
    if job.request.dry_run:
        why = f"job {job.id} is a dry run: nothing was done, so that nothing has failed"
        raise IllegalMove(f"{why}; make the job itself with clone-job, and dry_run false among the changes")
    if not job.tally.failed:
        raise NoSuchResults(f"no task of job {job.id} has failed: there is nothing to retry")
    if not failed_with(job.tally, error_code):
        raise none_failed(job, error_code)


def none_failed(job: Job, error_code: str) -> NoSuchResults:
    codes = ", ".join(code for code in sorted(job.tally.codes) if code != OutcomeCode.NOT_LATEST_VERSION)
    if not codes:
        why = "what it reports as failed are older versions that were never sent (NotLatestVersion)"
        return NoSuchResults(f"no task of job {job.id} can be retried: {why}")
    with_code = f" with {error_code}" if error_code else ""
    return NoSuchResults(f"no task of job {job.id} has failed{with_code} in a way that can be retried; codes: {codes}")


def _never_again(error_code: str) -> InvalidArgument:
    fault = Fault(
        path="error_code",
        value=error_code,
        problem="is never retried: it would put an old version over the newest one",
        way_out="use a versioned destination to copy all versions",
    )
    return InvalidArgument("the job cannot be retried", faults=[fault])


def _identity(job: Job) -> ManifestLocation:
    """Where a manifest is and what it is; in the work area each job has its own copy."""
    location = job.request.manifest.location
    return location if location.retry_of is None else replace(location, key=ObjectKey(""))
