"""What every WebhookLedger promises: who is told, and that nothing that happens to a job is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.model.errors import IllegalMove, NameTaken, NoSuchName
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, WebhookId
from cosbatch.model.jobs import PausedBy
from cosbatch.model.reports import ReportState
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import Then
from cosbatch.model.webhooks import DeliveryEnd, DeliveryState, DueDelivery, KeptWebhook, Webhook
from tests.contract.ledgers import (
    ADAPTERS,
    ON_DISK,
    HandClock,
    claim_one,
    failed,
    job_id,
    new_job,
    open_ledger,
    part_of,
    ready_job,
    reported_request,
    seal_lease,
)

OTHER = AccountId("other")
TAKEN = DeliveryEnd(state=DeliveryState.DELIVERED, http_status=204)
AGAIN = DeliveryEnd(state=DeliveryState.WAITING, error="HTTP 500", http_status=500, again_in_seconds=60)
GONE = DeliveryEnd(state=DeliveryState.GIVEN_UP, error="HTTP 410", http_status=410, disables="it answered 410")
LEASE = 30.0


def webhook(name: str = "pager", **changes: object) -> KeptWebhook:
    plain = Webhook(
        id=WebhookId(f"id-of-{name}"), account=LOCAL_ACCOUNT, name=name, url=f"https://hooks.example.com/{name}"
    )
    return KeptWebhook(webhook=replace(plain, **changes), sealed="v1.sealed")  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Rig:
    jobs: JobLedger
    hooks: WebhookLedger
    clock: HandClock

    async def claim(
        self, *, room: int = 100, room_each: int = 100, but_not: tuple[WebhookId, ...] = ()
    ) -> list[DueDelivery]:
        return await self.hooks.claim_deliveries(room=room, room_each=room_each, lease_seconds=LEASE, but_not=but_not)

    async def told(self) -> list[tuple[str, str | None, str]]:
        """Takes whatever is due, in the order in which it comes: webhook, status before, status."""
        found: list[tuple[str, str | None, str]] = []
        while due := await self.claim():
            for each in due:
                assert await self.hooks.end_delivery(each, TAKEN)
                change = each.change
                found.append((each.kept.webhook.name, change.previous_status, str(change.status)))
        return found


def hooks_of(jobs: JobLedger) -> WebhookLedger:
    assert isinstance(jobs, SqlLedger | MemoryLedger)
    return jobs.webhooks


@pytest.fixture(params=ADAPTERS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    clock = HandClock()
    jobs = await open_ledger(request.param, tmp_path, clock)
    yield Rig(jobs, hooks_of(jobs), clock)
    await jobs.close()


# --- who is told


async def test_a_webhook_comes_back_as_it_was_given_with_its_times(rig: Rig) -> None:
    given = webhook(statuses=(JobStatus.COMPLETE, JobStatus.FAILED))

    made = await rig.hooks.add_webhook(given)

    assert made == replace(given.webhook, created_at=rig.clock.at, changed_at=rig.clock.at)
    assert await rig.hooks.webhook("pager", account=LOCAL_ACCOUNT) == replace(given, webhook=made)
    assert await rig.hooks.webhooks(account=LOCAL_ACCOUNT) == [made]


async def test_a_name_is_taken_once_in_an_account(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    with pytest.raises(NameTaken, match="'pager'"):
        await rig.hooks.add_webhook(webhook(id=WebhookId("another")))
    theirs = await rig.hooks.add_webhook(webhook(id=WebhookId("theirs"), account=OTHER))
    assert [each.account for each in await rig.hooks.webhooks(account=None)] == [LOCAL_ACCOUNT, OTHER]
    assert await rig.hooks.webhooks(account=OTHER) == [theirs]


async def test_another_accounts_webhook_does_not_exist(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await new_job(rig.jobs)
    [due] = await rig.claim()
    await rig.hooks.end_delivery(due, TAKEN)
    for call in (
        rig.hooks.webhook("pager", account=OTHER),
        rig.hooks.enable_webhook("pager", account=OTHER, is_enabled=False),
        rig.hooks.remove_webhook("pager", account=OTHER),
        rig.hooks.rotate_secret("pager", account=OTHER, sealed="s", sealed_older="o", keep_seconds=1),
        rig.hooks.redeliver(due.id, account=OTHER, webhook_id=due.kept.webhook.id),
    ):
        with pytest.raises(NoSuchName):
            await call
    assert await rig.hooks.deliveries(account=OTHER, webhook_id=due.kept.webhook.id) == []
    await new_job(rig.jobs, 2, account=OTHER)
    assert await rig.claim() == []


async def test_an_older_secret_signs_for_a_while(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await rig.hooks.rotate_secret("pager", account=LOCAL_ACCOUNT, sealed="new", sealed_older="old", keep_seconds=100)

    kept = await rig.hooks.webhook("pager", account=LOCAL_ACCOUNT)
    assert (kept.sealed, kept.sealed_older) == ("new", "old")
    assert kept.webhook.older_secret_until == rig.clock.at + 100

    rig.clock.tick(101)
    kept = await rig.hooks.webhook("pager", account=LOCAL_ACCOUNT)
    assert (kept.sealed, kept.sealed_older, kept.webhook.older_secret_until) == ("new", "", None)
    await new_job(rig.jobs)
    assert [due.kept.sealed_older for due in await rig.claim()] == [""]


async def test_declared_webhooks_come_stay_and_go_with_the_settings(rig: Rig) -> None:
    declared = webhook("declared", is_declared=True)
    await rig.hooks.add_webhook(webhook("by-hand"))
    await rig.hooks.declare_webhooks([declared])
    made_at = rig.clock.at
    await new_job(rig.jobs)
    rig.clock.tick()

    moved = webhook("declared", is_declared=True, url="https://elsewhere.example.com/")
    await rig.hooks.declare_webhooks([moved])

    [by_hand, found] = await rig.hooks.webhooks(account=LOCAL_ACCOUNT)
    assert (by_hand.name, found.name, found.url) == ("by-hand", "declared", "https://elsewhere.example.com/")
    assert (found.created_at, found.changed_at, found.is_declared) == (made_at, rig.clock.at, True)
    assert {due.kept.webhook.url for due in await rig.claim()} == {by_hand.url, found.url}
    await rig.hooks.declare_webhooks([])
    assert await rig.hooks.webhooks(account=LOCAL_ACCOUNT) == [by_hand]


async def test_what_was_made_by_hand_is_not_declared_over(rig: Rig) -> None:
    made = await rig.hooks.add_webhook(webhook())
    with pytest.raises(NameTaken):
        await rig.hooks.declare_webhooks([webhook(is_declared=True)])
    assert await rig.hooks.webhooks(account=None) == [made]


# --- what is told


async def test_each_change_of_status_is_told_once_in_its_order(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    job = await ready_job(rig.jobs)
    await rig.jobs.set_priority(job, priority=3, actor=Actor.USER)
    await rig.jobs.move(job, expect=[JobStatus.READY], to=JobStatus.CANCELLING, actor=Actor.USER, reason="not now")

    assert await rig.told() == [
        ("pager", None, "New"),
        ("pager", "New", "Preparing"),
        ("pager", "Preparing", "Ready"),
        ("pager", "Ready", "Cancelling"),
    ]
    assert await rig.told() == []


async def test_a_dry_run_is_told_as_one(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    dry = await ready_job(rig.jobs, dry_run=True)
    await ready_job(rig.jobs, 2)
    told = {(due.change.job_id == dry, due.change.dry_run) for due in await rig.claim()}
    assert told == {(True, True), (False, False)}


async def test_only_wanted_statuses_are_told_and_only_to_enabled_webhooks(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook("some", statuses=(JobStatus.READY,)))
    await rig.hooks.add_webhook(webhook("off", is_enabled=False))
    await ready_job(rig.jobs)
    assert await rig.told() == [("some", "Preparing", "Ready")]


async def test_a_message_has_the_job_as_it_was_and_the_same_id_for_everybody(rig: Rig) -> None:
    for name in ("pager", "second"):
        await rig.hooks.add_webhook(webhook(name, statuses=(JobStatus.READY, JobStatus.FAILING)))
    job = await ready_job(rig.jobs, sizes=(2000,), description="nightly", failure_threshold=0.5)
    await rig.jobs.move(job, expect=[JobStatus.READY], to=JobStatus.ACTIVE, actor=Actor.ENGINE, reason="its turn")
    claim = await claim_one(rig.jobs)
    await rig.jobs.commit(claim, part_of(claim, tally=failed(1500, of=2000)), then=Then.CLOSE)
    ready, also_ready = sorted(await rig.claim(), key=lambda due: due.kept.webhook.name)
    assert ready.change == also_ready.change
    assert (ready.change.total, ready.change.failed, ready.change.description) == (2000, 0, "nightly")
    for due in (ready, also_ready):
        await rig.hooks.end_delivery(due, TAKEN)

    failing, _ = await rig.claim()

    change = failing.change
    assert (change.job_id, change.account, change.region) == (job, LOCAL_ACCOUNT, "here")
    assert (change.status, change.previous_status) == (JobStatus.FAILING, JobStatus.ACTIVE)
    assert (change.failed, change.succeeded, change.total) == (1500, 500, 2000)
    assert change.failure_code == "FailureThresholdExceeded"
    assert change.reason.startswith("1,500 of the 2,000 objects done until then failed")
    assert change.message_id != ready.change.message_id


async def test_the_end_of_a_job_says_where_its_report_is(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook(statuses=(JobStatus.CANCELLED,)))
    made = await rig.jobs.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
    await rig.jobs.move(made.id, expect=[JobStatus.NEW], to=JobStatus.CANCELLING, actor=Actor.USER, reason="no")
    lease = await seal_lease(rig.jobs, made.id)
    await rig.jobs.report_done(
        lease, state=ReportState.DELIVERED, location="s3://reports/m.json", to=JobStatus.CANCELLED, reason="no"
    )
    [due] = await rig.claim()
    assert (due.change.report_location, due.change.report_state) == ("s3://reports/m.json", "delivered")


async def test_a_move_that_is_refused_tells_nothing_and_changes_nothing(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    made = await rig.jobs.create(reported_request(), job_id=job_id(1), account=LOCAL_ACCOUNT, token="", digest="d")
    await rig.jobs.move(made.id, expect=[JobStatus.NEW], to=JobStatus.CANCELLING, actor=Actor.USER, reason="no")
    lease = await seal_lease(rig.jobs, made.id)
    with pytest.raises(IllegalMove):
        await rig.jobs.report_done(
            lease, state=ReportState.DELIVERED, location="s3://r/m.json", to=JobStatus.COMPLETE, reason="?"
        )
    assert (await rig.jobs.job(made.id)).report_state is ReportState.PENDING
    assert [status for _, _, status in await rig.told()] == ["New", "Cancelling"]


async def test_a_claimed_message_is_nobody_elses_until_its_time_is_over(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await new_job(rig.jobs)
    [first] = await rig.claim()
    assert (first.attempt, first.age_seconds) == (1, 0.0)
    assert await rig.claim() == []

    rig.clock.tick(LEASE + 1)
    [second] = await rig.claim()

    assert (second.id, second.attempt, second.age_seconds) == (first.id, 2, LEASE + 1)
    assert second.change == first.change
    assert not await rig.hooks.end_delivery(first, TAKEN)
    assert await rig.hooks.end_delivery(second, TAKEN)
    assert not await rig.hooks.end_delivery(second, AGAIN)
    assert await rig.claim() == []


async def test_a_later_message_of_a_job_waits_for_the_earlier_and_another_jobs_does_not(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await ready_job(rig.jobs, 1)
    await new_job(rig.jobs, 2)
    first, other = await rig.claim()
    assert [due.change.job_id for due in (first, other)] == [job_id(1), job_id(2)]
    await rig.hooks.end_delivery(other, TAKEN)
    await rig.hooks.end_delivery(first, AGAIN)
    assert await rig.claim() == []

    rig.clock.tick(60)

    [again] = await rig.claim()
    assert (again.id, again.attempt) == (first.id, 2)
    await rig.hooks.end_delivery(again, TAKEN)
    assert [status for _, _, status in await rig.told()] == ["Preparing", "Ready"]


async def test_a_claim_keeps_to_its_room(rig: Rig) -> None:
    for name in ("a", "b"):
        await rig.hooks.add_webhook(webhook(name))
    for number in range(1, 5):
        await new_job(rig.jobs, number)
    first = await rig.claim(room=3, room_each=2)
    assert [due.kept.webhook.name for due in first] == ["a", "a", "b"]
    assert await rig.claim(room=0) == []
    second = await rig.claim(but_not=(WebhookId("id-of-a"),))
    assert [due.kept.webhook.name for due in second] == ["b", "b", "b"]
    assert [due.kept.webhook.name for due in await rig.claim()] == ["a", "a"]


async def test_a_webhook_that_is_gone_is_disabled_with_all_that_waits(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await ready_job(rig.jobs)
    [due] = await rig.claim()

    assert await rig.hooks.end_delivery(due, GONE)

    found = (await rig.hooks.webhook("pager", account=LOCAL_ACCOUNT)).webhook
    assert (found.is_enabled, found.disabled_reason) == (False, "it answered 410")
    assert await rig.claim() == []
    told = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=found.id)
    assert [(each.state, each.last_error) for each in told] == [
        (DeliveryState.GIVEN_UP, "the webhook was disabled"),
        (DeliveryState.GIVEN_UP, "the webhook was disabled"),
        (DeliveryState.GIVEN_UP, "HTTP 410"),
    ]
    queue = await rig.hooks.queue()
    assert (queue.waiting, queue.given_up, queue.disabled) == (0, 3, 1)

    again = await rig.hooks.enable_webhook("pager", account=LOCAL_ACCOUNT, is_enabled=True)
    assert (again.is_enabled, again.disabled_reason) == (True, "")
    await rig.hooks.redeliver(told[0].id, account=LOCAL_ACCOUNT, webhook_id=found.id)
    assert await rig.told() == [("pager", "Preparing", "Ready")]


async def test_deliveries_are_shown_newest_first_and_sent_again_on_demand(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await ready_job(rig.jobs)
    await rig.told()
    hook = WebhookId("id-of-pager")

    shown = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=hook, limit=2)
    rest = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=hook, before=shown[-1].id)

    assert [each.change.status for each in shown + rest] == [JobStatus.READY, JobStatus.PREPARING, JobStatus.NEW]
    newest = shown[0]
    assert (newest.state, newest.attempts, newest.last_http_status) == (DeliveryState.DELIVERED, 1, 204)
    assert (newest.done_at, newest.next_at) == (rig.clock.at, None)
    rig.clock.tick()
    due = await rig.hooks.redeliver(newest.id, account=LOCAL_ACCOUNT, webhook_id=hook)
    assert (due.state, due.next_at, due.done_at) == (DeliveryState.WAITING, rig.clock.at, None)
    [again] = await rig.claim()
    assert (again.change, again.attempt, again.age_seconds) == (newest.change, 2, 0.0)
    with pytest.raises(NoSuchName, match="no such delivery"):
        await rig.hooks.redeliver(4711, account=LOCAL_ACCOUNT, webhook_id=hook)


async def test_the_queue_says_how_long_the_oldest_message_waits(rig: Rig) -> None:
    assert (await rig.hooks.queue()).lag_seconds == 0.0
    await rig.hooks.add_webhook(webhook())
    await new_job(rig.jobs, 1)
    rig.clock.tick(40)
    await new_job(rig.jobs, 2)
    queue = await rig.hooks.queue()
    assert (queue.waiting, queue.lag_seconds) == (2, 40.0)


async def test_a_message_outlives_its_job_and_old_ones_are_forgotten(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    made = await new_job(rig.jobs)
    await rig.jobs.move(made.id, expect=[JobStatus.NEW], to=JobStatus.CANCELLING, actor=Actor.USER, reason="no")
    lease = await seal_lease(rig.jobs, made.id)
    await rig.jobs.report_done(lease, state=ReportState.NONE, location="", to=JobStatus.CANCELLED, reason="no")
    await rig.jobs.remove(made.id)
    while await rig.jobs.delete_some_rows(made.id):
        pass
    assert await rig.jobs.known_jobs([made.id]) == frozenset()

    assert [status for _, _, status in await rig.told()] == ["New", "Cancelling", "Cancelled"]

    rig.clock.tick(100)
    assert await rig.hooks.forget_deliveries(older_than_seconds=101) == 0
    assert await rig.hooks.forget_deliveries(older_than_seconds=99, limit=2) == 2
    assert await rig.hooks.forget_deliveries(older_than_seconds=99, limit=2) == 1
    assert await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=WebhookId("id-of-pager")) == []


async def test_a_removed_webhook_is_gone_with_its_messages(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook())
    await new_job(rig.jobs)
    await rig.hooks.remove_webhook("pager", account=LOCAL_ACCOUNT)
    assert await rig.claim() == []
    assert await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=WebhookId("id-of-pager")) == []
    with pytest.raises(NoSuchName):
        await rig.hooks.webhook("pager", account=LOCAL_ACCOUNT)


async def test_who_pauses_a_job_is_told(rig: Rig) -> None:
    await rig.hooks.add_webhook(webhook(statuses=(JobStatus.PAUSING,)))
    job = await ready_job(rig.jobs)
    await rig.jobs.move(job, expect=[JobStatus.READY], to=JobStatus.ACTIVE, actor=Actor.ENGINE, reason="its turn")
    await rig.jobs.move(
        job,
        expect=[JobStatus.ACTIVE],
        to=JobStatus.PAUSING,
        actor=Actor.USER,
        reason="lunch",
        paused_by=PausedBy.USER,
    )
    assert [due.change.paused_by for due in await rig.claim()] == ["user"]


@pytest.mark.parametrize("adapter", ON_DISK)
async def test_two_senders_never_have_one_message_at_a_time(adapter: str, tmp_path: Path) -> None:
    clock = HandClock()
    one, two = [await open_sqlite_ledger(tmp_path, clock=clock) for _ in range(2)]
    await one.webhooks.add_webhook(webhook())
    for number in range(1, 7):
        await new_job(one, number)
    claimed = [
        due.id
        for ledger in (one, two, one, two)
        for due in await ledger.webhooks.claim_deliveries(room=2, room_each=2, lease_seconds=LEASE)
    ]
    assert sorted(claimed) == [1, 2, 3, 4, 5, 6]
    for ledger in (one, two):
        await ledger.close()


def test_no_secret_is_shown_by_a_repr() -> None:
    assert "sealed" not in repr(webhook())
