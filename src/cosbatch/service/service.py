"""The verbs: what users ask for. Each writes an intention to the ledger; the engine finds it there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import (
    Fault,
    IllegalMove,
    InvalidArgument,
    NotAllowed,
    StorageError,
    StorageReason,
    TokenReused,
)
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, JobId, RegionName, new_job_id
from cosbatch.model.jobs import PRIORITY_MAX, Job, JobEvent, JobRequest, PausedBy
from cosbatch.model.manifests import Manifest, ManifestLocation
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.principals import Caller, UserRole
from cosbatch.model.regions import Region
from cosbatch.model.reports import ReportState
from cosbatch.model.states import Actor, JobStatus, is_final, may_move, sources_of
from cosbatch.service.audit import Record, audited
from cosbatch.service.job_document import request_digest
from cosbatch.service.job_guards import check_confirmed_count, check_switch, count_faults
from cosbatch.service.job_rules import unknown_region
from cosbatch.service.job_schema import TOKEN_MAX_BYTES
from cosbatch.service.rims import answering as _answering
from cosbatch.service.role_rules import JobRoles, allow_list_faults, look_as_role, role_faults
from cosbatch.storage.patience import LOOK_SECONDS, answered_within

VERBS: Final = (
    "create_job",
    "describe_job",
    "list_jobs",
    "update_job_priority",
    "update_job_status",
    "pause_job",
    "resume_job",
    "delete_job",
    "retry_failed",
    "clone_job",
    "redeliver_report",
)
"""Of :class:`JobService`, the last three of :class:`cosbatch.service.follow_up.FollowUp`, by the names that every wire,
client and command line gives them."""
PAGE_MAX: Final = 1000
REASON_MAX_BYTES: Final = 256
_MANIFEST_WAYS_OUT: Final = {
    StorageReason.NO_SUCH_KEY: "check bucket and key",
    StorageReason.NO_SUCH_BUCKET: "check the bucket and the job's region",
    StorageReason.NO_SUCH_VERSION: "check object_version_id",
    StorageReason.DELETE_MARKER: "name another version",
    StorageReason.WRONG_REGION: "name the region of the manifest's bucket",
    StorageReason.ACCESS_DENIED: "let the region's credentials read it",
    StorageReason.CREDENTIALS_REFUSED: "check the region's credentials in the settings",
    StorageReason.CREDENTIALS_EXPIRED: "renew the region's credentials",
}


class ManifestLook(Protocol):
    """Asks the store for a manifest's ETag, without quotes. Raises StorageError where the store says no."""

    async def __call__(self, manifest: Manifest, *, region: RegionName) -> str: ...


class Repeat(StrEnum):
    """What an equal request under a ClientRequestToken that is known already comes to."""

    ANSWER = "answer"
    """The job that it made."""
    REFUSE = "refuse"
    """TokenReused, naming the job: COS's wire has no other way to say which one it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Jobs, newest first. ``next_token`` is the last job's id where more follow, else empty."""

    jobs: tuple[Job, ...]
    next_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """A change of status that users may ask for."""

    name: str
    to: JobStatus
    reason: str


_CONFIRM: Final = _Verb(name="confirm", to=JobStatus.READY, reason="confirmed by user")
_CANCEL: Final = _Verb(name="cancel", to=JobStatus.CANCELLING, reason="cancelled by user")
_PAUSE: Final = _Verb(name="pause", to=JobStatus.PAUSING, reason="paused by user")
_RESUME: Final = _Verb(name="resume", to=JobStatus.ACTIVE, reason="resumed by user")
_VERBS: Final = (_CONFIRM, _PAUSE, _RESUME, _CANCEL)


class JobService:
    """Every verb names who asks. Another account's jobs do not exist for it (NoSuchJob); a viewer only looks, and what
    changes jobs takes an operator (NotAllowed): the same on every wire."""

    def __init__(
        self,
        ledger: JobLedger,
        *,
        regions: Mapping[RegionName, Region],
        look: ManifestLook,
        look_seconds: float = LOOK_SECONDS,
        max_unfinished_jobs: int | None = None,
        roles: JobRoles | None = None,
        record: Record | None = None,
        look_again: Callable[[], Awaitable[None]] | None = None,
        deletes_allowed: bool = False,
    ) -> None:
        """``look_seconds``: how long a look at a manifest may last before its store counts as not answering.
        ``max_unfinished_jobs``: of one account; None: any number. ``roles``: without it no job may name one.
        ``record``: the audit log, which is told of every write, also of refused ones. ``look_again``: called before a
        job is held against the ``regions``, which may change. ``deletes_allowed``: else every deletion is refused."""
        self._deletes_allowed = deletes_allowed
        self._record = record
        self._roles = roles
        self._ledger = ledger
        self._regions = regions
        self._look_again = look_again
        self._look = look
        self._look_seconds = look_seconds
        self._max_unfinished_jobs = max_unfinished_jobs

    # --- creating

    @_answering
    async def create_job(
        self, request: JobRequest, *, caller: Caller, token: str = "", repeat: Repeat = Repeat.ANSWER
    ) -> Job:
        """A job in New; or the one that an equal request made under this token before, where ``repeat`` lets it be
        answered. So after a lost reply the same call finds the job that it made.

        Raises InvalidArgument with all faults (unknown regions, a role, another ETag), TokenReused where the token
        belongs to another request, or to any where ``repeat`` refuses, TooManyJobs where the account's quota is used
        up, StorageError where the manifest cannot be looked at.
        """
        async with audited(self._record, caller, "create-job") as write:
            job = await self.make_job(request, caller=caller, token=token, repeat=repeat)
            write.target = job.id
        return job

    async def make_job(
        self,
        request: JobRequest,
        *,
        caller: Caller,
        token: str = "",
        repeat: Repeat = Repeat.ANSWER,
        job_id: JobId | None = None,
        digest: str = "",
    ) -> Job:
        """:meth:`create_job` without its entry in the audit log, for whoever makes an entry of another name.

        ``job_id``: of a new job, where something was kept for it already. ``digest``: what the token is held against,
        where that is not the request itself.
        """
        await self.check_job(request, caller=caller, token=token)
        digest = digest or request_digest(request)
        if not token or await self.find_job(token=token, region=request.region, caller=caller) is None:
            request = await self.pin_manifest(request, account=caller.account.id)
        job_id = job_id or new_job_id()
        job = await self._ledger.create(
            request,
            job_id=job_id,
            account=caller.account.id,
            token=token or job_id,
            digest=digest,
            by=str(caller),
            max_unfinished=self._max_unfinished_jobs,
        )
        if repeat is Repeat.REFUSE and job.id != job_id:
            raise TokenReused(f"this ClientRequestToken has made job {job.id} already, by an equal request")
        return job

    async def check_job(self, request: JobRequest, *, caller: Caller, token: str = "") -> None:
        """NotAllowed or InvalidArgument where this caller's job would be refused whatever its manifest is."""
        check_operates(caller, to="make jobs")
        check_switch(request, deletes_allowed=self._deletes_allowed)
        guards = [
            *count_faults(request, caller=caller),
            *await allow_list_faults(request, account=caller.account.id, roles=self._roles),
        ]
        self._check(request, token=token, also=[*await self._role_faults(request, caller.account.id), *guards])

    @_answering
    async def check_request(self, request: JobRequest, account: AccountId) -> None:
        """InvalidArgument with all faults of the request itself, against regions and roles; no store is asked."""
        self._check(request, token="", also=await self._role_faults(request, account))

    async def pin_manifest(self, request: JobRequest, *, account: AccountId = LOCAL_ACCOUNT) -> JobRequest:
        """The request with the ETag that its manifest has now. InvalidArgument where the request has faults, names
        another ETag or a role that cannot be assumed, or the store says that it cannot be read; StorageError where the
        store says nothing."""
        self._check(request, token="", also=await self._role_faults(request, account))
        location = request.manifest.location
        if location.retry_of is not None:
            return request  # the service's own, pinned when it was written
        found = await self._etag_of(request, account=account)
        if location.etag and location.etag != found:
            fault = Fault(
                path="manifest.location.etag",
                value=location.etag,
                problem=f"is not the manifest's ETag, which is {found}: the manifest was replaced, or is another one",
                way_out="look at the manifest again and write its ETag, or leave it out",
            )
            raise InvalidArgument("the manifest is not the one that the job names", faults=[fault])
        return replace(request, manifest=replace(request.manifest, location=replace(location, etag=found)))

    async def _etag_of(self, request: JobRequest, *, account: AccountId) -> str:
        store = f"the store of region {request.region}"
        try:
            async with answered_within(self._look_seconds, store=store, target="the manifest"):
                if request.role_arn and self._roles is not None:
                    return await look_as_role(request, account=account, roles=self._roles)
                return await self._look(request.manifest, region=request.region)
        except StorageError as error:
            raise _manifest_error(error, request.manifest.location) or error from error

    def places_of(self, request: JobRequest) -> tuple[str, ...]:
        """Where the regions of a request are, one line for each: two settings may give one name to two stores."""
        named = {region for _, region in named_regions(request) if region is not None}
        return tuple(
            f"{name} {region.provider} {region.endpoint} {region.addressing}"
            for name, region in sorted(self._regions.items())
            if name in named
        )

    @_answering
    async def find_job(self, *, token: str, caller: Caller, region: RegionName | None = None) -> Job | None:
        """The job that was made under a ClientRequestToken, in ``region`` or, without one, in any."""
        found = await self._ledger.jobs(account=caller.account.id, token=token)
        return next((job for job in found if region in (None, job.request.region)), None)

    @_answering
    async def find_jobs(self, *, token_prefix: str, caller: Caller) -> Sequence[Job]:
        """Jobs whose ClientRequestToken begins so, newest first."""
        return await self._ledger.jobs(account=caller.account.id, token_prefix=token_prefix)

    async def _role_faults(self, request: JobRequest, account: AccountId) -> list[Fault]:
        """Asked first, before the request is held against the regions: they are looked at anew here."""
        if self._look_again is not None:
            await self._look_again()
        return await role_faults(request, account=account, roles=self._roles, regions=self._regions)

    def _check(self, request: JobRequest, *, token: str, also: Sequence[Fault] = ()) -> None:
        faults = [*self._region_faults(request), *_priority_faults(request.priority), *also]
        if len(token.encode()) > TOKEN_MAX_BYTES:
            problem = f"is {len(token.encode())} bytes long, {TOKEN_MAX_BYTES} are allowed"
            faults.append(Fault(path="client_request_token", value=token, problem=problem, way_out="make it shorter"))
        if faults:
            raise InvalidArgument("the job cannot be made", faults=faults)

    def _region_faults(self, request: JobRequest) -> list[Fault]:
        return [
            unknown_region(path, region=region, known=self._regions)
            for path, region in named_regions(request)
            if region is not None and region not in self._regions
        ]

    # --- looking

    @_answering
    async def describe_job(self, job_id: JobId, *, caller: Caller) -> Job:
        return await self._ledger.job(job_id, account=caller.account.id)

    @_answering
    async def list_jobs(
        self,
        *,
        caller: Caller,
        region: RegionName | None = None,
        statuses: Collection[JobStatus] = (),
        created_after: float | None = None,
        max_results: int = PAGE_MAX,
        next_token: str = "",
    ) -> JobPage:
        """Newest first; no statuses: all. ``created_after`` is in Unix seconds: COS lists the jobs of 90 days.
        ``max_results`` is 1 to 1000."""
        if not 1 <= max_results <= PAGE_MAX:
            fault = Fault(
                path="max_results",
                value=str(max_results),
                problem="is out of range",
                way_out=f"write 1 to {PAGE_MAX}",
            )
            raise InvalidArgument("the list cannot be made", faults=[fault])
        found = await self._ledger.jobs(
            account=caller.account.id,
            region=region,
            statuses=statuses,
            created_after=created_after,
            after=JobId(next_token) if next_token else None,
            limit=max_results + 1,
        )
        page = tuple(found[:max_results])
        return JobPage(jobs=page, next_token=page[-1].id if len(found) > max_results else "")

    @_answering
    async def job_events(
        self, job_id: JobId, *, caller: Caller, after: int = 0, limit: int | None = None
    ) -> Sequence[JobEvent]:
        """What happened to a job, oldest first, without the first ``after``."""
        await self._ledger.job(job_id, account=caller.account.id)
        return await self._ledger.events(job_id, after=after, limit=limit)

    # --- changing

    @_answering
    async def update_job_priority(self, job_id: JobId, *, priority: int, caller: Caller) -> Job:
        """Also while it runs. IllegalMove for a job that has ended."""
        async with audited(self._record, caller, "update-job-priority", target=job_id) as write:
            write.detail = f"to {priority}"
            return await self._set_priority(job_id, priority, caller=caller)

    async def _set_priority(self, job_id: JobId, priority: int, *, caller: Caller) -> Job:
        check_operates(caller, to="change jobs")
        faults = _priority_faults(priority)
        if faults:
            raise InvalidArgument("the priority cannot be set", faults=faults)
        job = await self._ledger.job(job_id, account=caller.account.id)
        if is_final(job.status):
            raise IllegalMove(f"job {job_id} is {job.status}: its priority cannot be changed any more")
        return await self._ledger.set_priority(job_id, priority=priority, actor=Actor.USER, by=str(caller))

    @_answering
    async def update_job_status(
        self,
        job_id: JobId,
        *,
        requested_job_status: JobStatus,
        caller: Caller,
        status_update_reason: str = "",
        confirm_delete_count: int | None = None,
    ) -> Job:
        """``Ready`` confirms, ``Cancelled`` cancels; nothing else can be asked for. The answer may say Cancelling.
        ``confirm_delete_count``: what a deletion takes to be confirmed that names no count itself."""
        async with audited(self._record, caller, "update-job-status", target=job_id) as write:
            write.detail = f"to {requested_job_status}"
            verb = _verb_to(requested_job_status)
            if verb is _CONFIRM:
                job = await self._ledger.job(job_id, account=caller.account.id)
                if job.status is JobStatus.SUSPENDED:
                    check_confirmed_count(job, count=confirm_delete_count, caller=caller)
            return await self._move(job_id, verb, caller=caller, reason=status_update_reason)

    @_answering
    async def pause_job(self, job_id: JobId, *, caller: Caller, reason: str = "") -> Job:
        """It stays paused until it is resumed: no priority resumes it."""
        async with audited(self._record, caller, "pause-job", target=job_id):
            return await self._move(job_id, _PAUSE, caller=caller, reason=reason, paused_by=PausedBy.USER)

    @_answering
    async def resume_job(self, job_id: JobId, *, caller: Caller, reason: str = "") -> Job:
        """Only what a user paused: a job that gave way to a greater priority, or is outside its windows, resumes by
        itself."""
        async with audited(self._record, caller, "resume-job", target=job_id):
            return await self._resume(job_id, caller=caller, reason=reason)

    async def _resume(self, job_id: JobId, *, caller: Caller, reason: str) -> Job:
        check_operates(caller, to="change jobs")
        job = await self._ledger.job(job_id, account=caller.account.id)
        if job.paused_by is PausedBy.WINDOW:
            raise IllegalMove(
                f"job {job_id} may work in its windows alone and resumes by itself when one opens;"
                " to run it now, cancel it and make one without windows"
            )
        if job.paused_by is PausedBy.PRIORITY:
            raise IllegalMove(
                f"job {job_id} gave way to a job of greater priority and resumes by itself;"
                " to run it sooner, raise its priority with update-job-priority"
            )
        return await self._move(job_id, _RESUME, caller=caller, reason=reason)

    @_answering
    async def delete_job(self, job_id: JobId, *, caller: Caller) -> None:
        """Of a job that has ended; its report in the user's bucket stays. It is gone at once, also its token, which a
        new job may bear; the engine clears away what is left of it. IllegalMove where it has not ended, or its report
        is not delivered yet."""
        async with audited(self._record, caller, "delete-job", target=job_id):
            check_operates(caller, to="delete jobs")
            await self._ledger.job(job_id, account=caller.account.id)
            await self._ledger.remove(job_id)

    async def _move(
        self, job_id: JobId, verb: _Verb, *, caller: Caller, reason: str, paused_by: PausedBy | None = None
    ) -> Job:
        check_operates(caller, to="change jobs")
        if len(reason.encode()) > REASON_MAX_BYTES:
            fault = Fault(
                path="status_update_reason",
                value=reason[:REASON_MAX_BYTES],
                problem=f"is {len(reason.encode())} bytes long, {REASON_MAX_BYTES} are allowed",
                way_out="make it shorter",
            )
            raise InvalidArgument("the status cannot be set", faults=[fault])
        await self._ledger.job(job_id, account=caller.account.id)
        try:
            return await self._ledger.move(
                job_id,
                expect=sources_of(verb.to, by=Actor.USER),
                to=verb.to,
                actor=Actor.USER,
                by=str(caller),
                reason=reason or verb.reason,
                paused_by=paused_by,
            )
        except IllegalMove as error:
            now = await self._ledger.job(job_id, account=caller.account.id)
            raise IllegalMove(_why_not(now, verb)) from error


def _verb_to(status: JobStatus) -> _Verb:
    match status:
        case JobStatus.READY:
            return _CONFIRM
        case JobStatus.CANCELLED:
            return _CANCEL
        case _:
            fault = Fault(
                path="requested_job_status",
                value=status,
                problem="cannot be asked for",
                way_out="write Ready to confirm or Cancelled to cancel; pausing and resuming have their own verbs",
            )
            raise InvalidArgument("the status cannot be set", faults=[fault])


def check_operates(caller: Caller, *, to: str) -> None:
    """Everybody may look; this is asked for the rest."""
    if not caller.role.may(UserRole.OPERATOR):
        needed = UserRole.OPERATOR
        raise NotAllowed(f"user {caller.user} is a {caller.role} and may not {to}; that takes the role {needed}")


def named_regions(request: JobRequest) -> list[tuple[str, RegionName | None]]:
    """Field and region; None where the field names none of its own."""
    named: list[tuple[str, RegionName | None]] = [("region", request.region), ("report.bucket", request.report.region)]
    if isinstance(request.operation, PutObjectCopy):
        # Either of target_region and the ARN in target_resource may have named it.
        named.append(("operation.cos_put_object_copy", request.operation.target_region))
    return named


def possible_verbs(job: Job) -> tuple[str, ...]:
    """The short names of what a user may ask of a job as it is now."""
    verbs = [verb.name for verb in _VERBS if may_move(job.status, verb.to, by=Actor.USER)]
    if job.paused_by in (PausedBy.PRIORITY, PausedBy.WINDOW) and _RESUME.name in verbs:
        verbs.remove(_RESUME.name)
    if is_final(job.status):
        return () if job.report_state is ReportState.PENDING else ("delete-job",)
    return (*verbs, "update-job-priority")


def _why_not(job: Job, verb: _Verb) -> str:
    if is_final(job.status):
        return f"job {job.id} has ended ({job.status}): it cannot {verb.name} any more"
    possible = ", ".join(possible_verbs(job))
    return f"job {job.id} is {job.status}: {verb.name} is not possible now; possible are {possible}"


def _manifest_error(error: StorageError, location: ManifestLocation) -> InvalidArgument | None:
    """What the store has said about the manifest, as the caller's fault; None where that is not said."""
    way_out = _MANIFEST_WAYS_OUT.get(error.reason)
    if way_out is None:
        return None
    fault = Fault(
        path="manifest.location.object_arn",
        value=f"{location.bucket}/{location.key}",
        problem=f"cannot be read: the store answers {error.code}",
        way_out=way_out,
    )
    return InvalidArgument("the manifest cannot be read", faults=[fault])


def _priority_faults(priority: int) -> list[Fault]:
    if 0 <= priority <= PRIORITY_MAX:
        return []
    return [
        Fault(path="priority", value=str(priority), problem="is out of range", way_out=f"write 0 to {PRIORITY_MAX}")
    ]
