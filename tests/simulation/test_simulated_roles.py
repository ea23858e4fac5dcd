"""Jobs that act under a role: credentials that end many times over while a job runs, and a provider in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from cosbatch.engine.credential_keeper import ROLE_PROVIDER, CredentialKeeper
from cosbatch.engine.job_credentials import JobCredentialSource
from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Access, Purpose
from cosbatch.identity.roles import JOB_CREDENTIALS, Assumed
from cosbatch.ledger.memory_roles import MemoryRoleLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import (
    FailureCode,
    NoSuchRole,
    RoleNotAssumed,
    RoleRefusal,
    StorageError,
    StorageReason,
)
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket, JobId
from cosbatch.model.jobs import Job
from cosbatch.model.states import Actor, JobStatus
from cosbatch.storage.port import ObjectStore
from tests.simulation.faulty import guarded, slow
from tests.simulation.rig import LIMITS, SOURCE, TARGET, Rig
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

ARN = "arn:aws:iam::1:role/batch"
KEYS = [f"logs/{number:05d}" for number in range(1500)]


class Provider:
    """An STS whose credentials last as long as it is told, and the store's knowledge of them."""

    def __init__(self, clock: VirtualClock, *, life_seconds: float | None = 900.0, takes_policy: bool = True) -> None:
        self._clock = clock
        self.life_seconds = life_seconds
        self.takes_policy = takes_policy
        self.seconds = 0.2
        """How long it takes to answer."""
        self.refusal: RoleNotAssumed | NoSuchRole | None = None
        self.asked: list[Sequence[Access]] = []
        self.ends: dict[str, float] = {}
        self.writable_buckets: tuple[Bucket, ...] = ()
        self.key_number = 0
        self.refused = 0
        """Requests that came with credentials that were over."""

    async def assume(self, arn: str, *, account: AccountId, session_name: str, accesses: Sequence[Access]) -> Assumed:
        await asyncio.sleep(self.seconds)
        if self.refusal is not None:
            raise self.refusal
        assert arn == ARN
        self.asked.append(accesses)
        name = f"key-{len(self.asked)}"
        ends = None if self.life_seconds is None else self._clock.now() + self.life_seconds
        self.ends[name] = float("inf") if ends is None else ends
        given = Credentials(access_key_id=name, secret_access_key="s", session_token="t", expires_at=ends)
        return Assumed(
            credentials=given,
            is_narrowed=self.takes_policy,
            writable_buckets=self.writable_buckets,
            key_number=self.key_number,
        )

    async def key_numbers(self) -> Mapping[tuple[AccountId, str], int]:
        return {(LOCAL_ACCOUNT, ARN): self.key_number} if self.key_number else {}

    def revoke_all(self) -> None:
        self.ends.clear()

    def check(self, credentials: Credentials) -> None:
        if self._clock.now() >= self.ends.get(credentials.access_key_id, 0.0):
            self.refused += 1
            raise StorageError(StorageReason.CREDENTIALS_EXPIRED, "expired", http_status=403)


class Acts:
    """The ledger of roles, and stores that want to see credentials."""

    def __init__(self, rig: Rig, provider: Provider) -> None:
        self.roles = MemoryRoleLedger(rig.ledger)
        self.provider = provider
        self._clock = rig.clock
        self.cipher = Cipher(KeyRing(current=bytes(32))).narrowed(JOB_CREDENTIALS)

    def source(self, job_id: JobId, *, for_tasks: bool) -> JobCredentialSource:
        return JobCredentialSource(job_id, roles=self.roles, cipher=self.cipher, clock=self._clock, for_tasks=for_tasks)

    def signed(self, store: ObjectStore, source: JobCredentialSource) -> ObjectStore:
        """As an adapter does: refused for its credentials, a request is sent once more with others, if there are."""

        async def show(_: str) -> None:
            shown = await source.credentials()
            try:
                self.provider.check(shown)
            except StorageError:
                other = await source.renewed(shown)
                if other is shown:
                    raise
                self.provider.check(other)

        return guarded(store, show)


class Ground:
    """A rig with a keeper of credentials."""

    def __init__(
        self, clock: VirtualClock, provider: Provider, *, seconds: float = 0.1, hold_limit_seconds: float = 6 * 3600.0
    ) -> None:
        limits = replace(LIMITS, hold_limit_seconds=hold_limit_seconds)
        self.rig = Rig(clock, limits=limits, wrap=lambda inner: slow(inner, seconds=seconds))
        self.provider = provider
        self.acts = Acts(self.rig, provider)
        self.rig.acting = self.acts
        self._stop = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def run(self, keys: list[str] = KEYS, *, workers: int = 1) -> Job:
        self.rig.put_objects(keys)
        self.rig.start(workers=workers)
        self.start_keeper()
        request = replace(self.rig.request(self.rig.csv_manifest(keys)), role_arn=ARN)
        return await self.rig.submit(request)

    def start_keeper(self, *, ledger: JobLedger | None = None) -> None:
        keeper = CredentialKeeper(
            ledger=ledger or self.rig.ledger,
            roles=self.acts.roles,
            preflights=self.rig.preflights,
            assume=self.provider.assume,
            key_numbers=self.provider.key_numbers,
            cipher=self.acts.cipher,
            stores=self.rig._stores(self.rig.view()),
            clock=self.rig.clock,
            limits=self.rig.limits,
        )
        self._keeper = asyncio.create_task(keeper.run(self._stop))

    async def stop_keeper(self) -> None:
        self._stop.set()
        if self._keeper is not None:
            await self._keeper
        self._stop = asyncio.Event()

    async def drain(self) -> None:
        await self.stop_keeper()
        await self.rig.drain()


def assert_all_copied(ground: Ground, job: Job, keys: list[str] = KEYS) -> None:
    assert (job.status, job.tally.succeeded, job.tally.failed) == (JobStatus.COMPLETE, len(keys), 0)
    assert ground.rig.copied() == set(keys)
    assert {row[3] for row in ground.rig.report(job).rows} == {"succeeded"}


@virtual_time
async def test_a_job_outlives_its_credentials_many_times(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=300), seconds=100)
    job = await ground.rig.until(await ground.run(KEYS[:500]), within_seconds=1e6)

    assert_all_copied(ground, job, KEYS[:500])
    assert clock.boottime() > 5 * 300
    assert len(ground.provider.asked) > 6
    assert ground.provider.refused == 0
    assert not [event for event in await ground.rig.ledger.events(job.id) if "hold" in event.kind]
    await ground.drain()


@virtual_time
async def test_credentials_that_last_shorter_than_a_request(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=20), seconds=5)
    job = await ground.rig.until(await ground.run(KEYS[:400]), within_seconds=1e6)
    assert_all_copied(ground, job, KEYS[:400])
    await ground.drain()


@virtual_time
async def test_the_first_round_reads_and_the_second_is_held_to_the_source(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock))
    job = await ground.rig.until(await ground.run(KEYS[:100]))

    assert_all_copied(ground, job, KEYS[:100])
    planning, working = ground.provider.asked[:2]
    [looked_at] = [access for access in planning if access.purpose is Purpose.SOURCE_READ]
    assert (looked_at.bucket, looked_at.actions) == (None, ("s3:ListBucket", "s3:GetBucketVersioning"))
    assert {access.bucket for access in working if access.purpose is Purpose.SOURCE_READ} == {SOURCE}
    assert {access.bucket for access in working if access.purpose is Purpose.TARGET_WRITE} == {TARGET}
    assert "s3:GetObject" in next(access for access in working if access.purpose is Purpose.SOURCE_READ).actions
    await ground.drain()


@virtual_time
async def test_a_provider_without_session_policies_is_asked_once(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=None, takes_policy=False))
    job = await ground.rig.until(await ground.run(KEYS[:100]))
    assert_all_copied(ground, job, KEYS[:100])
    assert len(ground.provider.asked) == 1
    await ground.drain()


@virtual_time
async def test_a_job_takes_the_new_key_of_its_role(clock: VirtualClock) -> None:
    """Also of a stored role, whose credentials never end; the old ones are refused from then on."""
    provider = Provider(clock, life_seconds=None, takes_policy=False)
    ground = Ground(clock, provider, seconds=5)
    made = await ground.run(KEYS[:400])
    job = await ground.rig.until(made, {JobStatus.ACTIVE}, within_seconds=1e6)
    provider.key_number, before = 1, len(provider.asked)
    await asyncio.sleep(5)
    assert (before, len(provider.asked)) == (1, 2)
    del provider.ends["key-1"]
    job = await ground.rig.until(job, within_seconds=1e6)
    assert_all_copied(ground, job, KEYS[:400])
    assert len(provider.asked) == 2
    assert not [event for event in await ground.rig.ledger.events(job.id) if "hold" in event.kind]
    await ground.drain()


@virtual_time
async def test_a_new_key_that_is_wrong_stops_no_job_while_the_old_one_is_good(clock: VirtualClock) -> None:
    provider = Provider(clock, life_seconds=None, takes_policy=False)
    ground = Ground(clock, provider, seconds=5)
    made = await ground.run(KEYS[:400])
    job = await ground.rig.until(made, {JobStatus.ACTIVE}, within_seconds=1e6)
    provider.key_number = 1
    provider.refusal = RoleNotAssumed(RoleRefusal.NOT_ALLOWED, "no such key")
    job = await ground.rig.until(job, within_seconds=1e6)
    assert_all_copied(ground, job, KEYS[:400])
    await ground.drain()


@virtual_time
async def test_credentials_are_at_hand_once_they_were_read_and_until_they_are_due(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=900), seconds=100)
    job = await ground.run(KEYS[:500])
    await ground.rig.when(job, lambda found: len(ground.rig.copied()) > 0, within_seconds=1e5)
    source = ground.acts.source(job.id, for_tasks=True)
    assert source.at_hand() is None
    given = await source.credentials()
    assert source.at_hand() is given
    await ground.stop_keeper()
    await asyncio.sleep(900)
    assert source.at_hand() is None
    with pytest.raises(StorageError, match="have expired, and there are no others yet"):
        await source.credentials()
    await ground.rig.drain()


@virtual_time
async def test_a_slow_ledger_lets_no_role_be_assumed_twice(clock: VirtualClock) -> None:
    """The provider answers after the keeper has asked which credentials there are, and before it hears of the jobs."""
    ground = Ground(clock, Provider(clock, life_seconds=None))
    ground.provider.seconds = 1.0
    ground.rig.put_objects(KEYS[:100])
    ground.rig.start()
    ground.start_keeper(ledger=slow(ground.rig.ledger, seconds=2.0))
    request = replace(ground.rig.request(ground.rig.csv_manifest(KEYS[:100])), role_arn=ARN)
    job = await ground.rig.until(await ground.rig.submit(request))
    assert_all_copied(ground, job, KEYS[:100])
    assert len(ground.provider.asked) == 2
    await ground.drain()


@virtual_time
async def test_a_job_waits_in_new_while_its_provider_does_not_answer(clock: VirtualClock) -> None:
    provider = Provider(clock)
    provider.refusal = RoleNotAssumed(RoleRefusal.UNAVAILABLE, "no answer")
    ground = Ground(clock, provider)
    job = await ground.run(KEYS[:100])
    held = await ground.rig.when(job, lambda now: now.hold is not None)
    await asyncio.sleep(600)

    assert held.hold is not None
    assert held.hold.bucket == ROLE_PROVIDER
    assert "no answer" in held.hold.reason
    assert (await ground.rig.ledger.job(job.id)).status is JobStatus.NEW

    provider.refusal = None
    assert_all_copied(ground, ended := await ground.rig.until(job), KEYS[:100])
    assert ended.hold is None
    await ground.drain()


@virtual_time
async def test_a_provider_that_never_answers_fails_the_job_in_time(clock: VirtualClock) -> None:
    provider = Provider(clock)
    provider.refusal = RoleNotAssumed(RoleRefusal.UNAVAILABLE, "no answer")
    ground = Ground(clock, provider, hold_limit_seconds=600)
    job = await ground.rig.until(await ground.run(KEYS[:10]))
    assert job.status is JobStatus.FAILED
    assert job.failure_code is FailureCode.ASSUME_ROLE_FAILED
    assert 600 < clock.boottime() < 700
    await ground.drain()


@virtual_time
async def test_a_role_that_may_not_be_assumed_fails_the_job_before_anything_is_sent(clock: VirtualClock) -> None:
    provider = Provider(clock)
    provider.refusal = RoleNotAssumed(RoleRefusal.NOT_ALLOWED, "AccessDenied: not for you")
    ground = Ground(clock, provider)
    job = await ground.rig.until(await ground.run(KEYS[:10]))

    assert job.failure_code is FailureCode.ASSUME_ROLE_FAILED
    assert ARN in job.failure_reason
    assert "not for you" in job.failure_reason
    assert ground.rig.copied() == set()
    await ground.drain()


@virtual_time
async def test_a_role_that_was_taken_away_ends_the_job_when_its_credentials_do(clock: VirtualClock) -> None:
    provider = Provider(clock, life_seconds=900)
    ground = Ground(clock, provider, seconds=200)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0, within_seconds=1e5)
    taken_away = clock.boottime()
    provider.refusal = NoSuchRole("there is no role")

    job = await ground.rig.until(job, within_seconds=1e6)

    assert job.failure_code is FailureCode.ASSUME_ROLE_FAILED
    assert clock.boottime() > taken_away + 200
    assert job.tally.succeeded >= len(ground.rig.copied()) - 1
    await ground.drain()


@virtual_time
async def test_credentials_that_the_store_revokes_are_replaced(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=3600), seconds=2)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0)
    before = len(ground.provider.asked)
    ground.provider.revoke_all()

    job = await ground.rig.until(job, within_seconds=3000)

    assert_all_copied(ground, job)
    assert len(ground.provider.asked) > before
    await ground.drain()


@virtual_time
async def test_credentials_that_the_store_revokes_are_replaced_where_the_clock_was_put_back(
    clock: VirtualClock,
) -> None:
    """By its date the store began to refuse before the credentials were there."""
    ground = Ground(clock, Provider(clock, life_seconds=None), seconds=2)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0)
    before = len(ground.provider.asked)
    clock.jump(-3600)
    ground.provider.revoke_all()

    job = await ground.rig.until(job, within_seconds=3000)

    assert_all_copied(ground, job)
    assert len(ground.provider.asked) == before + 1
    await ground.drain()


@virtual_time
async def test_a_hold_that_ended_with_new_credentials_asks_for_no_more_where_the_clock_was_put_back(
    clock: VirtualClock,
) -> None:
    """By its date the store still refuses after the credentials were there."""
    ground = Ground(clock, Provider(clock, life_seconds=None), seconds=2)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0)
    before = len(ground.provider.asked)
    ground.provider.refusal = RoleNotAssumed(RoleRefusal.UNAVAILABLE, "no answer")
    ground.provider.revoke_all()
    await ground.rig.when(job, lambda now: now.hold is not None)
    clock.jump(-3600)
    ground.provider.refusal = None

    job = await ground.rig.until(job, within_seconds=3000)

    assert_all_copied(ground, job)
    assert len(ground.provider.asked) == before + 1
    await ground.drain()


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_clock_that_is_set_changes_nothing_of_how_long_a_provider_is_waited_for(seconds: float) -> None:
    @virtual_time
    async def scenario(clock: VirtualClock) -> None:
        provider = Provider(clock)
        provider.refusal = RoleNotAssumed(RoleRefusal.UNAVAILABLE, "no answer")
        ground = Ground(clock, provider, hold_limit_seconds=600)
        job = await ground.rig.when(await ground.run(KEYS[:10]), lambda now: now.hold is not None)
        await asyncio.sleep(10)
        clock.jump(seconds)
        job = await ground.rig.until(job)
        assert job.failure_code is FailureCode.ASSUME_ROLE_FAILED
        assert 600 < clock.boottime() < 700
        await ground.drain()

    scenario()


@virtual_time
async def test_a_role_that_store_and_provider_refuse_ends_the_job_at_once(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=3600), seconds=2)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0)
    revoked = clock.boottime()
    ground.provider.revoke_all()
    ground.provider.refusal = RoleNotAssumed(RoleRefusal.NOT_ALLOWED, "AccessDenied")

    job = await ground.rig.when(job, lambda now: now.status is JobStatus.FAILING)

    assert job.failure_code is FailureCode.ASSUME_ROLE_FAILED
    assert clock.boottime() < revoked + 120
    await ground.drain()


@virtual_time
async def test_credentials_that_nobody_can_open_any_more_are_made_anew(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=3600), seconds=2)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0)
    await ground.stop_keeper()
    await ground.rig.drain()
    ground.acts.cipher = Cipher(KeyRing(current=bytes(range(32)))).narrowed(JOB_CREDENTIALS)
    before = len(ground.provider.asked)
    ground.rig.start()
    ground.start_keeper()

    assert_all_copied(ground, await ground.rig.until(job))
    assert len(ground.provider.asked) > before
    await ground.drain()


@virtual_time
async def test_a_keeper_that_was_away_past_the_end_goes_on(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=300), seconds=20)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0, within_seconds=1e5)
    await ground.stop_keeper()
    await asyncio.sleep(700)
    ground.start_keeper()

    assert_all_copied(ground, await ground.rig.until(job, within_seconds=1e6))
    await ground.drain()


@virtual_time
async def test_a_paused_job_needs_no_credentials(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock, life_seconds=300), seconds=1)
    job = await ground.run()
    await ground.rig.when(job, lambda now: now.tally.succeeded > 0)
    await ground.rig.ledger.move(
        job.id, expect={JobStatus.ACTIVE}, to=JobStatus.PAUSING, actor=Actor.USER, reason="pause"
    )
    await ground.rig.until(job, {JobStatus.PAUSED})
    asked = len(ground.provider.asked)
    await asyncio.sleep(1000)
    assert len(ground.provider.asked) == asked

    await ground.rig.ledger.move(
        job.id, expect={JobStatus.PAUSED}, to=JobStatus.ACTIVE, actor=Actor.USER, reason="resume"
    )
    assert_all_copied(ground, await ground.rig.until(job))
    await ground.drain()


@virtual_time
async def test_what_a_job_acted_with_is_forgotten_after_it(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock))
    job = await ground.rig.until(await ground.run(KEYS[:10]))
    await asyncio.sleep(5)
    assert await ground.acts.roles.credentials(job.id) is None
    await ground.drain()


@virtual_time
async def test_a_job_without_a_role_is_none_of_the_keepers_business(clock: VirtualClock) -> None:
    ground = Ground(clock, Provider(clock))
    ground.rig.put_objects(KEYS[:10])
    ground.rig.start()
    ground.start_keeper()
    job = await ground.rig.until(await ground.rig.submit(ground.rig.request(ground.rig.csv_manifest(KEYS[:10]))))
    assert job.status is JobStatus.COMPLETE
    assert ground.provider.asked == []
    await ground.drain()
