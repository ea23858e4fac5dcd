"""The sender of webhooks against a receiver on a real socket, which checks signatures with the scheme's own library."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from cosbatch.engine.webhook_sender import (
    GIVEN_UP_AFTER_SECONDS,
    LEASE_SECONDS,
    POLL_SECONDS,
    SHOWN_SECONDS,
    WebhookSender,
    pause_after,
)
from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.model.errors import LedgerUnavailable
from cosbatch.model.identifiers import LOCAL_ACCOUNT, WebhookId
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.webhooks import (
    DeliveryEnd,
    DeliveryState,
    DueDelivery,
    KeptWebhook,
    Webhook,
    purpose_of_older_secret,
    purpose_of_secret,
)
from cosbatch.storage.guarded_post import GuardedPost
from cosbatch.wire.webhook_messages import new_secret
from tests.contract.ledgers import HandClock, job_id, new_job, ready_job
from tests.webhook_receiver import Receiver, listening

CIPHER = Cipher(KeyRing(current=b"k" * 32))
SOURCE = "https://batch.example.com"
SECRET, OLDER_SECRET = new_secret(), new_secret()
PAGER = WebhookId("id-of-pager")


def kept(url: str, *, name: str = "pager", statuses: Sequence[JobStatus] = (), rotated: bool = False) -> KeptWebhook:
    webhook = Webhook(
        id=WebhookId(f"id-of-{name}"),
        account=LOCAL_ACCOUNT,
        name=name,
        url=url,
        statuses=tuple(statuses),
        older_secret_until=time.time() + 3600 if rotated else None,
    )
    older = CIPHER.seal(OLDER_SECRET.encode(), purpose=purpose_of_older_secret(webhook.id)) if rotated else ""
    sealed = CIPHER.seal(SECRET.encode(), purpose=purpose_of_secret(webhook.id))
    return KeptWebhook(webhook=webhook, sealed=sealed, sealed_older=older)


def sender_of(ledger: WebhookLedger, clock: HandClock, *, post: Any = None, cipher: Cipher = CIPHER) -> WebhookSender:
    return WebhookSender(
        ledger=ledger,
        cipher=cipher,
        post=post or GuardedPost(allow_private=True),
        clock=clock,
        source=SOURCE,
        draw=random.Random(1),
    )


async def send_all(sender: WebhookSender) -> None:
    """Whatever is due now, and what becomes due by that."""
    while await sender.step():
        await sender.settled()


@dataclass(frozen=True, slots=True)
class Rig:
    clock: HandClock
    jobs: MemoryLedger
    sender: WebhookSender

    @property
    def hooks(self) -> WebhookLedger:
        return self.jobs.webhooks


@pytest.fixture
def rig() -> Rig:
    clock = HandClock(at=time.time())
    jobs = MemoryLedger(clock)
    return Rig(clock, jobs, sender_of(jobs.webhooks, clock))


async def test_each_change_of_status_arrives_as_a_signed_cloud_event(rig: Rig) -> None:
    async with listening(Receiver()) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        job = await ready_job(rig.jobs, description="nightly")
        await send_all(rig.sender)

    assert receiver.statuses == ["New", "Preparing", "Ready"]
    for got in receiver.got:
        assert Verifier(SECRET).verify(got.body, got.headers) == got.message
        assert got.headers["content-type"].startswith("application/cloudevents+json")
        assert got.headers["webhook-id"] == got.message["id"]
        with pytest.raises(WebhookVerificationError):
            Verifier(new_secret()).verify(got.body, got.headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(got.body + b" ", got.headers)
    ready = receiver.got[-1].message
    assert {name: ready[name] for name in ("specversion", "source", "type", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "source": SOURCE,
        "type": "cosbatch.job.status-changed",
        "subject": job,
        "datacontenttype": "application/json",
    }
    assert ready["time"].endswith("Z")
    assert ready["data"] | {"priority": 0} == {
        "job_id": job,
        "description": "nightly",
        "operation": "COSPutObjectCopy",
        "region": "here",
        "dry_run": False,
        "priority": 0,
        "status": "Ready",
        "previous_status": "Preparing",
        "reason": ready["data"]["reason"],
        "failure_code": None,
        "paused_by": None,
        "progress": {"total": 20, "succeeded": 0, "failed": 0, "skipped": 0, "bytes_done": 0},
        "report": {"state": "none", "location": None},
    }
    assert len({got.message["id"] for got in receiver.got}) == 3
    assert rig.sender.outcomes == {"delivered": 3, "retried": 0, "given-up": 0}


async def test_after_a_rotation_both_secrets_verify(rig: Rig) -> None:
    async with listening(Receiver()) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url, rotated=True))
        await new_job(rig.jobs)
        await send_all(rig.sender)
    [got] = receiver.got
    for secret in (SECRET, OLDER_SECRET):
        Verifier(secret).verify(got.body, got.headers)


async def test_what_is_not_taken_comes_again_with_the_same_id_and_bytes_before_anything_later(rig: Rig) -> None:
    async with listening(Receiver(answers=[500, 503, 204])) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        await ready_job(rig.jobs)
        await send_all(rig.sender)
        assert receiver.statuses == ["New"]
        [*_, first] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
        assert (first.state, first.attempts, first.last_error) == (DeliveryState.WAITING, 1, "it answered HTTP 500")
        for seconds in (10, 20):
            rig.clock.tick(seconds)
            await send_all(rig.sender)
        assert receiver.statuses == ["New", "New", "New", "Preparing", "Ready"]
        first_three = receiver.got[:3]
    assert len({(got.headers["webhook-id"], got.body) for got in first_three}) == 1
    stamps = [got.headers["webhook-timestamp"] for got in first_three]
    assert len(set(stamps)) == 3
    for got in first_three:
        Verifier(SECRET).verify(got.body, got.headers)
    assert rig.sender.outcomes == {"delivered": 3, "retried": 2, "given-up": 0}


async def test_a_redirect_is_not_followed_and_shown(rig: Rig) -> None:
    async with listening(Receiver()) as elsewhere, listening(Receiver(answers=[302])) as receiver:
        receiver.location = elsewhere.url
        await rig.hooks.add_webhook(kept(receiver.url))
        await new_job(rig.jobs)
        await send_all(rig.sender)
    assert elsewhere.got == []
    [found] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
    assert found.last_error == "it answered HTTP 302: redirects are not followed"
    assert found.last_http_status == 302


async def test_an_address_that_is_gone_is_not_asked_again(rig: Rig) -> None:
    async with listening(Receiver(answers=[410])) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        job = await ready_job(rig.jobs)
        await send_all(rig.sender)
        await rig.jobs.move(job, expect=[JobStatus.READY], to=JobStatus.CANCELLING, actor=Actor.USER, reason="no")
        rig.clock.tick(86400)
        await send_all(rig.sender)
    assert receiver.statuses == ["New"]
    webhook = (await rig.hooks.webhook("pager", account=LOCAL_ACCOUNT)).webhook
    assert (webhook.is_enabled, webhook.disabled_reason) == (False, "it answered 410: nobody listens there any more")


async def test_one_that_answers_slowly_keeps_the_others_from_nothing(rig: Rig) -> None:
    gate = asyncio.Event()
    async with listening(Receiver(gate=gate)) as slow, listening(Receiver()) as quick:
        await rig.hooks.add_webhook(kept(slow.url, name="a-slow"))
        await rig.hooks.add_webhook(kept(quick.url, name="quick"))
        for number in range(1, 31):
            await new_job(rig.jobs, number)
        while len(quick.got) < 30:
            await rig.sender.step()
            await asyncio.sleep(0)
        assert len(slow.got) < 10
        gate.set()
        await rig.sender.settled()
        await send_all(rig.sender)
    assert len(slow.got) == 30


async def test_a_private_address_gets_nothing_unless_it_is_allowed(rig: Rig) -> None:
    async with listening(Receiver()) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        await new_job(rig.jobs)
        await send_all(sender_of(rig.hooks, rig.clock, post=GuardedPost()))
    assert receiver.got == []
    [found] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
    assert found.state is DeliveryState.WAITING
    assert found.last_error.endswith("is not an address of the public internet")


async def test_a_secret_that_does_not_open_is_shown_and_waits(rig: Rig) -> None:
    async with listening(Receiver()) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        await new_job(rig.jobs)
        await send_all(sender_of(rig.hooks, rig.clock, cipher=Cipher(KeyRing(current=b"other" + bytes(27)))))
        assert receiver.got == []
        [found] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
        assert "sealed with the key" in found.last_error
        rig.clock.tick(10)
        await send_all(rig.sender)
    assert receiver.statuses == ["New"]


class Refusing:
    """Answers 500 whatever comes, and keeps when it came."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.asked_at: list[float] = []

    async def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        self.asked_at.append(self._clock.at)
        return 500


async def test_pauses_double_and_after_a_day_a_message_is_given_up_and_shown(rig: Rig) -> None:
    post = Refusing(rig.clock)
    sender = sender_of(rig.hooks, rig.clock, post=post)
    await rig.hooks.add_webhook(kept("https://hooks.example.com/", statuses=[JobStatus.NEW]))
    await new_job(rig.jobs)
    began_at = rig.clock.at
    found = None
    while found is None or found.state is DeliveryState.WAITING:
        await send_all(sender)
        [found] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
        rig.clock.at = found.next_at or rig.clock.at

    assert found.state is DeliveryState.GIVEN_UP
    assert found.last_error == "it answered HTTP 500"
    assert 15 <= len(post.asked_at) <= 40
    assert GIVEN_UP_AFTER_SECONDS <= post.asked_at[-1] - began_at <= GIVEN_UP_AFTER_SECONDS + 60
    pauses = [later - earlier for earlier, later in zip(post.asked_at, post.asked_at[1:], strict=False)]
    assert pauses[0] < 7
    assert max(pauses) <= 3 * 3600 * 1.25
    assert sender.outcomes["given-up"] == 1
    rig.clock.tick(SHOWN_SECONDS + 1)
    await sender.step()
    assert await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER) == []


def test_pauses_are_spread() -> None:
    draw = random.Random(7)
    pauses = {pause_after(100.0, draw=draw) for _ in range(50)}
    assert len(pauses) == 50
    assert all(75 <= pause <= 125 for pause in pauses)


class Forgetful:
    """A ledger whose sender dies after it has sent and before it could say so."""

    def __init__(self, ledger: WebhookLedger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def end_delivery(self, due: DueDelivery, end: DeliveryEnd) -> bool:
        raise LedgerUnavailable("it died")


async def test_who_dies_between_sending_and_saying_so_has_it_sent_again_with_the_same_id(rig: Rig) -> None:
    async with listening(Receiver()) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        await new_job(rig.jobs)
        dying = sender_of(Forgetful(rig.hooks), rig.clock)
        await send_all(dying)
        await send_all(rig.sender)
        assert receiver.statuses == ["New"]

        rig.clock.tick(LEASE_SECONDS + 1)
        await send_all(rig.sender)

    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    [found] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
    assert (found.state, found.attempts) == (DeliveryState.DELIVERED, 2)


async def test_two_senders_on_one_ledger_send_each_message_once_and_in_order(tmp_path: Path) -> None:
    clock = HandClock(at=time.time())
    ledgers: list[SqlLedger] = [await open_sqlite_ledger(tmp_path, clock=clock) for _ in range(2)]
    async with listening(Receiver()) as receiver:
        await ledgers[0].webhooks.add_webhook(kept(receiver.url))
        for number in range(1, 9):
            await ready_job(ledgers[0], number)
        senders = [sender_of(ledger.webhooks, clock) for ledger in ledgers]
        while len(receiver.got) < 24:
            await asyncio.gather(*(send_all(sender) for sender in senders))
        await asyncio.gather(*(send_all(sender) for sender in senders))
    assert len({got.message["id"] for got in receiver.got}) == len(receiver.got) == 24
    for number in range(1, 9):
        of_job = [got.message["data"]["status"] for got in receiver.got if got.message["subject"] == job_id(number)]
        assert of_job == ["New", "Preparing", "Ready"]
    assert sum(sender.outcomes["delivered"] for sender in senders) == 24
    for ledger in ledgers:
        await ledger.close()


async def test_a_sender_that_stops_waits_for_what_is_under_way(rig: Rig) -> None:
    gate, stop = asyncio.Event(), asyncio.Event()
    async with listening(Receiver(gate=gate)) as receiver:
        await rig.hooks.add_webhook(kept(receiver.url))
        await new_job(rig.jobs)
        running = asyncio.create_task(rig.sender.run(stop))
        await receiver.arrived.wait()
        stop.set()
        gate.set()
        async with asyncio.timeout(POLL_SECONDS * 20):
            await running
    [found] = await rig.hooks.deliveries(account=LOCAL_ACCOUNT, webhook_id=PAGER)
    assert found.state is DeliveryState.DELIVERED
