"""The keeper of credentials: assumes the role of every job that has one, before it is planned and before it expires.

It runs where the secrets of roles can be opened, beside the scheduler; planners, workers and finishers find in the
ledger what a job acts with. A manifest names the bucket that a job reads, so there are two rounds: the first session
policy lets a manifest be read, the second, made when pre-flight has kept which bucket it names, lets pre-flight look at
objects and the tasks run.

What a provider refuses fails the job, but not while it still has credentials that are good, until the store refuses
them too or they end: they are tried to be renewed so long. So it is where the key of a role was replaced: what was made
with the old one is good until there is something better. A provider that does not answer is waited for, and the job
shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from cosbatch.engine.limits import EngineLimits
from cosbatch.engine.liveness import Dated, LimitWatch, OrderWatch
from cosbatch.engine.ports import Stores, acting_of, regions_of
from cosbatch.engine.renewal import until_stopped
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.policies import Access
from cosbatch.identity.roles import Assumed, open_credentials, purpose_of_job, seal_credentials
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.preflight_port import PreflightLedger
from cosbatch.ledger.role_port import CredentialTerms, JobCredentials, RoleLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import CosbatchError, FailureCode, IllegalMove, NoSuchRole, RoleNotAssumed, SealBroken
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.jobs import WORK_AREA, Hold, Job, PlanFindings
from cosbatch.model.regions import is_same_store
from cosbatch.model.states import Actor, JobStatus, sources_of
from cosbatch.operations.job_access import job_access

log = structlog.get_logger(__name__)

ROLE_PROVIDER: Final = "(role)"
"""Stands where a hold names a bucket: it is the role's provider that does not answer."""
RENEWED_AHEAD_SECONDS: Final = 600.0
"""How long before their end credentials are renewed, or a third of their life if that is shorter: earlier than those
that use them ask."""
FIRST_RETRY_SECONDS: Final = 2.0
LAST_RETRY_SECONDS: Final = 60.0
AT_A_TIME: Final = 16
_RESTING: Final = frozenset({JobStatus.SUSPENDED, JobStatus.PAUSED})
"""Nothing is asked for such a job, perhaps for weeks."""
_FAILABLE: Final = sources_of(JobStatus.FAILING, by=Actor.ENGINE) - {JobStatus.COMPLETING}
"""A report that nobody may write any more fails by its own rule."""


class AssumeRole(Protocol):
    """Finds a role in its account's registry and assumes it, narrowed to ``accesses`` where its provider can."""

    async def __call__(self, arn: str, *, account: AccountId, session_name: str, accesses: Sequence[Access]) -> Assumed:
        """Raises RoleNotAssumed, or NoSuchRole where it is not registered (any more)."""
        ...


KeyNumbers = Callable[[], Awaitable[Mapping[tuple[AccountId, str], int]]]
"""Which of its keys each role has, by account and ARN; 0 where it is not among them."""


class CredentialKeeper:
    """Any number may run at once: the last to write wins, and each wrote something good."""

    def __init__(
        self,
        *,
        ledger: JobLedger,
        roles: RoleLedger,
        preflights: PreflightLedger,
        assume: AssumeRole,
        key_numbers: KeyNumbers,
        cipher: Cipher,
        stores: Stores,
        clock: Clock,
        limits: EngineLimits,
    ) -> None:
        """``cipher`` is the one narrowed for credentials of jobs."""
        self._ledger = ledger
        self._roles = roles
        self._preflights = preflights
        self._assume = assume
        self._key_numbers = key_numbers
        self._cipher = cipher
        self._stores = stores
        self._clock = clock
        self._limits = limits
        self._under_way: dict[JobId, asyncio.Task[None]] = {}
        self._failures: dict[JobId, int] = {}
        """In a row."""
        self._not_before: dict[JobId, float] = {}
        self._opened: set[JobId] = set()
        """Jobs of which this keeper has opened the credentials, or made them."""
        self._order = OrderWatch()
        self._holding = LimitWatch(clock=clock)

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await until_stopped(self.step, stop=stop, pause_seconds=self._limits.poll_seconds)
        finally:
            for asking in (left := list(self._under_way.values())):
                asking.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def step(self) -> bool:
        """Begins to assume what is due; never waits for a provider."""
        answering = set(self._under_way)  # before the terms: of what ends afterwards they tell nothing
        terms = await self._roles.credential_terms()  # before the jobs: one that gets some afterwards is not over
        jobs = {queued.job.id: queued.job for queued in await self._ledger.queued_jobs()}
        for job_id in terms.keys() - jobs.keys():
            await self._roles.forget_credentials(job_id)
        self._failures = {job_id: count for job_id, count in self._failures.items() if job_id in jobs}
        self._not_before = {job_id: at for job_id, at in self._not_before.items() if job_id in jobs}
        self._opened &= jobs.keys()
        self._holding.keep_only(jobs)
        self._order.look({job.id: _dated(job, terms.get(job.id)) for job in jobs.values()})
        key_numbers = await self._key_numbers() if terms else {}
        for job in jobs.values():
            if len(self._under_way) >= AT_A_TIME:
                break
            known = terms.get(job.id) if await self._can_open(job.id) else None
            if job.id in answering:
                continue
            seen = await self._seen_of(job, known)
            is_other_key = known is not None and known.key_number != key_numbers.get(_role_of(job), 0)
            if self._is_due(job, known, seen, is_other_key=is_other_key):
                self._begin(job, known, seen)
        return False

    async def _can_open(self, job_id: JobId) -> bool:
        """What an earlier key has sealed, that is not there any more, is as good as nothing."""
        if job_id not in self._opened and (found := await self._roles.credentials(job_id)) is not None:
            try:
                open_credentials(found.sealed, cipher=self._cipher, purpose=purpose_of_job(job_id))
            except SealBroken as error:
                log.warning("credentials-not-opened", job_id=job_id, error=str(error))
                return False
            self._opened.add(job_id)
        return True

    # --- what is due

    async def _seen_of(self, job: Job, terms: CredentialTerms | None) -> PlanFindings | None:
        """Of a job that is being planned with a role that may not read the source yet: which bucket that is, once the
        planner has seen it. Its pre-flight waits for the role to be narrowed to that one."""
        if job.status is not JobStatus.PREPARING or terms is None or terms.is_for_tasks:
            return None
        found = await self._preflights.preflight(job.id)
        return found.findings if found is not None else None

    def _is_due(
        self, job: Job, terms: CredentialTerms | None, seen: PlanFindings | None, *, is_other_key: bool
    ) -> bool:
        """``is_other_key``: the role's key was replaced since."""
        if acting_of(job) is None or job.status in _RESTING:
            return False
        if self._clock.boottime() < self._not_before.get(job.id, 0.0):
            return False
        is_good = self._is_good(job, terms) and seen is None
        return not is_good or is_other_key or self._is_over_soon(terms) or self._is_held_since(job, terms)

    def _is_good(self, job: Job, terms: CredentialTerms | None) -> bool:
        """Whether the job can go on with what it has."""
        if terms is None or (job.findings is not None and not terms.is_for_tasks):
            return False
        return terms.expires_at is None or self._clock.now() < terms.expires_at

    def _is_held_since(self, job: Job, terms: CredentialTerms | None) -> bool:
        """A bucket has begun to refuse since: perhaps the credentials were revoked, and others are not."""
        if job.hold is None or terms is None or job.hold.bucket in (WORK_AREA, ROLE_PROVIDER):
            return False
        return self._order.is_later(job.id, _of_hold(job.hold), than=_of_credentials(terms))

    def _is_over_soon(self, terms: CredentialTerms | None) -> bool:
        if terms is None or terms.expires_at is None:
            return False
        ahead = min(RENEWED_AHEAD_SECONDS, (terms.expires_at - terms.assumed_at) / 3)
        return self._clock.now() >= terms.expires_at - ahead

    # --- one job

    def _begin(self, job: Job, terms: CredentialTerms | None, seen: PlanFindings | None) -> None:
        asking = asyncio.create_task(self._renew(job, terms, seen), name=f"assume {job.request.role_arn} for {job.id}")
        self._under_way[job.id] = asking
        asking.add_done_callback(lambda ended: self._ended(job.id, ended))

    def _ended(self, job_id: JobId, asking: asyncio.Task[None]) -> None:
        del self._under_way[job_id]
        if not asking.cancelled() and (error := asking.exception()) is not None:
            self._rest(job_id)
            log.error("credentials-not-kept", job_id=job_id, error=repr(error), exc_info=error)

    async def _renew(self, job: Job, terms: CredentialTerms | None, seen: PlanFindings | None) -> None:
        is_held_since = self._is_held_since(job, terms)  # the answer is about what there is now
        await self._stores.look_again()
        findings = job.findings or seen
        assumed_at = self._clock.now()
        try:
            assumed = await self._assume(
                job.request.role_arn,
                account=job.account,
                session_name=f"cosbatch-{job.id}",
                accesses=self._accesses(job, findings),
            )
        except (RoleNotAssumed, NoSuchRole) as error:
            await self._refused(job, terms, error, is_held_since=is_held_since)
            return
        expires_at = assumed.credentials.expires_at
        kept = CredentialTerms(
            assumed_at=assumed_at,
            expires_at=expires_at,
            is_narrowed=assumed.is_narrowed,
            is_for_tasks=findings is not None or not assumed.is_narrowed,
            writable_buckets=assumed.writable_buckets,
            key_number=assumed.key_number,
        )
        purpose = purpose_of_job(job.id)
        sealed = seal_credentials(assumed.credentials, cipher=self._cipher, purpose=purpose)
        await self._roles.keep_credentials(job.id, JobCredentials(terms=kept, sealed=sealed))
        self._failures.pop(job.id, None)
        self._opened.add(job.id)
        log.info("role-assumed", job_id=job.id, role=job.request.role_arn, until=expires_at, narrowed=kept.is_narrowed)
        if job.hold is not None and job.hold.bucket == ROLE_PROVIDER:
            await self._ledger.set_hold(job.id, None)

    def _accesses(self, job: Job, findings: PlanFindings | None) -> list[Access]:
        regions = regions_of(job.request)
        source, target = self._stores.region(regions.source), self._stores.region(regions.target)
        return job_access(
            job.request,
            findings=findings,
            source_profile=self._stores.plain(regions.source).profile,
            target_profile=self._stores.plain(regions.target).profile,
            same_store=is_same_store(source, target),
        )

    # --- refusals

    async def _refused(
        self, job: Job, terms: CredentialTerms | None, error: CosbatchError, *, is_held_since: bool
    ) -> None:
        self._rest(job.id)
        may_pass = isinstance(error, RoleNotAssumed) and error.may_pass
        log.warning("role-not-assumed", job_id=job.id, role=job.request.role_arn, error=str(error), may_pass=may_pass)
        if self._is_good(job, terms) and (may_pass or not is_held_since):
            return
        why = f"the role {job.request.role_arn} cannot be assumed: {error}"
        if not may_pass:
            await self._fail(job, why)
            return
        if job.hold is None or job.hold.bucket == ROLE_PROVIDER:
            hold = Hold(bucket=ROLE_PROVIDER, reason=why, since=self._clock.now())
            await self._ledger.set_hold(job.id, hold)
        if job.hold is None:
            return
        if self._holding.is_over(job.id, since=job.hold.since, limit_seconds=self._limits.hold_limit_seconds):
            await self._fail(job, why)

    def _rest(self, job_id: JobId) -> None:
        failures = self._failures[job_id] = self._failures.get(job_id, 0) + 1
        pause = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 10))
        self._not_before[job_id] = self._clock.boottime() + pause

    async def _fail(self, job: Job, why: str) -> None:
        try:
            await self._ledger.move(
                job.id,
                expect=_FAILABLE,
                to=JobStatus.FAILING,
                actor=Actor.ENGINE,
                reason=why,
                failure=FailureCode.ASSUME_ROLE_FAILED,
            )
        except IllegalMove:
            log.debug("job-ends-already", job_id=job.id)


def _role_of(job: Job) -> tuple[AccountId, str]:
    return job.account, job.request.role_arn


def _dated(job: Job, terms: CredentialTerms | None) -> list[Dated]:
    holds = [] if job.hold is None else [_of_hold(job.hold)]
    return holds if terms is None else [*holds, _of_credentials(terms)]


def _of_hold(hold: Hold) -> Dated:
    return Dated(f"hold of {hold.bucket}", hold.since)


def _of_credentials(terms: CredentialTerms) -> Dated:
    return Dated("credentials", terms.assumed_at)
