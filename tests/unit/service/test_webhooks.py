"""The verbs of webhooks: who may, what is refused, what is audited, and that a secret is shown once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.webhook_secrets import opened_secrets
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.people_port import AuditEntry, Outcome
from cosbatch.ledger.sealed import reseal
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.ledger.sqlite import open_memory
from cosbatch.ledger.tables import metadata
from cosbatch.model.errors import InvalidArgument, NameTaken, NoSuchName, NotAllowed
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import LOCAL_CALLER, Caller, UserRole
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import DeliveryState
from cosbatch.service.key_rotation import resealing
from cosbatch.service.webhooks import (
    OLDER_SECRET_SECONDS,
    WEBHOOKS_MAX,
    DeclaredWebhook,
    WebhookService,
    declare_webhooks,
    url_problem,
)
from cosbatch.storage.guarded_post import GuardedPost
from cosbatch.wire.webhook_messages import is_secret, new_secret
from tests.contract.ledgers import HandClock, new_job
from tests.webhook_receiver import Receiver, listening

CIPHER = Cipher(KeyRing(current=b"k" * 32))
URL = "https://hooks.example.com/cosbatch"
ADMIN = LOCAL_CALLER
STRANGER = replace(ADMIN, account=replace(ADMIN.account, id=AccountId("other")))
OPERATOR = replace(ADMIN, role=UserRole.OPERATOR)


@dataclass
class Rig:
    allow_private: bool = False
    clock: HandClock = field(default_factory=lambda: HandClock(at=time.time()))
    told: list[AuditEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = MemoryLedger(self.clock)
        self.service = WebhookService(
            self.jobs.webhooks,
            cipher=CIPHER,
            post=GuardedPost(allow_private=self.allow_private),
            clock=self.clock,
            source="https://batch.example.com",
            allow_private=self.allow_private,
            record=self._record,
        )

    async def _record(self, entry: AuditEntry) -> None:
        self.told.append(entry)

    async def secrets(self, name: str = "pager", *, caller: Caller = ADMIN) -> list[str]:
        return opened_secrets(await self.jobs.webhooks.webhook(name, account=caller.account.id), cipher=CIPHER)

    async def declare(self, *declared: DeclaredWebhook) -> None:
        await declare_webhooks(self.jobs.webhooks, declared, cipher=CIPHER, clock=self.clock)


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once() -> None:
    rig = Rig()
    made = await rig.service.create_webhook(ADMIN, name="pager", url=URL, statuses=[JobStatus.FAILED] * 2)

    assert is_secret(made.secret)
    assert made.secret not in repr(made)
    assert await rig.secrets() == [made.secret]
    assert await rig.service.list_webhooks(ADMIN) == [made.webhook]
    assert made.webhook.statuses == (JobStatus.FAILED,)
    [entry] = rig.told
    assert (entry.action, entry.target, entry.outcome, entry.detail) == ("create-webhook", "pager", Outcome.DONE, URL)
    assert made.secret not in repr(entry)


async def test_all_that_is_wrong_is_told_at_once_and_no_secret() -> None:
    rig = Rig()
    with pytest.raises(InvalidArgument) as raised:
        await rig.service.create_webhook(ADMIN, name="a b", url="http://10.0.0.1/", secret="whsec_hush")
    assert [fault.path for fault in raised.value.faults] == ["name", "url", "secret"]
    assert "hush" not in str(raised.value)
    assert rig.told[0].outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com/",
        "http://hooks.example.com/",
        "https:///path",
        "https://user:password@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\n",
        "https://h\u00f6oks.example.com/",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://hooks.example.com/" + "a" * 2000,
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    assert url_problem(url, allow_private=False) is not None


@pytest.mark.parametrize("url", [URL, "https://1.1.1.1:8443/x?y=z", "https://[2606:4700:4700::1111]/"])
def test_addresses_that_are_taken(url: str) -> None:
    assert url_problem(url, allow_private=False) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "https://10.1.2.3/", "http://receiver.internal/"])
def test_a_lab_may_have_its_own_addresses(url: str) -> None:
    assert url_problem(url, allow_private=True) is None
    assert url_problem("ftp://10.1.2.3/", allow_private=True) is not None


async def test_only_an_admin_has_webhooks() -> None:
    rig = Rig()
    await rig.service.create_webhook(ADMIN, name="pager", url=URL)
    calls: Sequence[Any] = [
        rig.service.list_webhooks(OPERATOR),
        rig.service.describe_webhook(OPERATOR, "pager"),
        rig.service.create_webhook(OPERATOR, name="more", url=URL),
        rig.service.enable_webhook(OPERATOR, "pager", is_enabled=False),
        rig.service.rotate_webhook_secret(OPERATOR, "pager"),
        rig.service.delete_webhook(OPERATOR, "pager"),
        rig.service.test_webhook(OPERATOR, "pager"),
        rig.service.webhook_deliveries(OPERATOR, "pager"),
        rig.service.redeliver_message(OPERATOR, "pager", 1),
    ]
    for call in calls:
        with pytest.raises(NotAllowed, match="takes an admin"):
            await call


async def test_another_accounts_webhook_does_not_exist() -> None:
    rig = Rig()
    await rig.service.create_webhook(ADMIN, name="pager", url=URL)
    assert await rig.service.list_webhooks(STRANGER) == []
    calls: Sequence[Any] = [
        rig.service.describe_webhook(STRANGER, "pager"),
        rig.service.enable_webhook(STRANGER, "pager", is_enabled=False),
        rig.service.rotate_webhook_secret(STRANGER, "pager"),
        rig.service.delete_webhook(STRANGER, "pager"),
        rig.service.test_webhook(STRANGER, "pager"),
        rig.service.webhook_deliveries(STRANGER, "pager"),
    ]
    for call in calls:
        with pytest.raises(NoSuchName):
            await call


async def test_an_account_may_have_so_many() -> None:
    rig = Rig()
    for number in range(WEBHOOKS_MAX):
        await rig.service.create_webhook(ADMIN, name=f"w{number}", url=URL)
    with pytest.raises(InvalidArgument, match="50 webhooks"):
        await rig.service.create_webhook(ADMIN, name="one-more", url=URL)


async def test_after_a_rotation_the_old_secret_holds_for_a_day() -> None:
    rig = Rig()
    first = await rig.service.create_webhook(ADMIN, name="pager", url=URL)
    second = await rig.service.rotate_webhook_secret(ADMIN, "pager")
    assert await rig.secrets() == [second.secret, first.secret]
    third = await rig.service.rotate_webhook_secret(ADMIN, "pager")
    assert await rig.secrets() == [third.secret, second.secret]
    rig.clock.tick(OLDER_SECRET_SECONDS + 1)
    assert await rig.secrets() == [third.secret]


async def test_a_test_message_arrives_signed_and_tells_of_no_job() -> None:
    rig = Rig(allow_private=True)
    async with listening(Receiver()) as receiver:
        made = await rig.service.create_webhook(ADMIN, name="pager", url=receiver.url)
        sent = await rig.service.test_webhook(ADMIN, "pager")
    assert (sent.is_taken, sent.http_status, sent.problem) == (True, 204, "")
    [got] = receiver.got
    message = Verifier(made.secret).verify(got.body, got.headers)
    assert (message["type"], message["subject"], message["id"]) == ("cosbatch.webhook.test", "pager", sent.message_id)


async def test_a_test_message_says_why_it_was_not_taken() -> None:
    rig = Rig(allow_private=True)
    async with listening(Receiver(answers=[404])) as receiver:
        await rig.service.create_webhook(ADMIN, name="pager", url=receiver.url)
        sent = await rig.service.test_webhook(ADMIN, "pager")
    assert (sent.is_taken, sent.http_status, sent.problem) == (False, 404, "it answered HTTP 404")
    sent = await rig.service.test_webhook(ADMIN, "pager")
    assert not sent.is_taken
    assert sent.problem.startswith("cannot connect to 127.0.0.1")
    assert rig.told[-1].detail == sent.problem


async def test_what_was_sent_is_shown_and_sent_again() -> None:
    rig = Rig()
    await rig.service.create_webhook(ADMIN, name="pager", url=URL)
    await new_job(rig.jobs)
    [waiting] = await rig.service.webhook_deliveries(ADMIN, "pager")
    assert waiting.state is DeliveryState.WAITING

    await rig.service.enable_webhook(ADMIN, "pager", is_enabled=False)
    [given_up] = await rig.service.webhook_deliveries(ADMIN, "pager")
    assert given_up.state is DeliveryState.GIVEN_UP
    with pytest.raises(InvalidArgument, match="enable it first"):
        await rig.service.redeliver_message(ADMIN, "pager", given_up.id)
    await rig.service.enable_webhook(ADMIN, "pager", is_enabled=True)
    again = await rig.service.redeliver_message(ADMIN, "pager", given_up.id)
    assert (again.id, again.state) == (given_up.id, DeliveryState.WAITING)
    assert [entry.action for entry in rig.told] == [
        "create-webhook",
        "disable-webhook",
        "redeliver-message",
        "enable-webhook",
        "redeliver-message",
    ]


async def test_what_the_settings_declare_is_changed_there_alone() -> None:
    rig = Rig()
    secret = new_secret()
    declared = DeclaredWebhook(account=ADMIN.account.id, name="pager", url=URL, secret=secret)
    await rig.declare(declared)

    assert (await rig.service.describe_webhook(ADMIN, "pager")).is_declared
    for call in (
        rig.service.enable_webhook(ADMIN, "pager", is_enabled=False),
        rig.service.rotate_webhook_secret(ADMIN, "pager"),
        rig.service.delete_webhook(ADMIN, "pager"),
    ):
        with pytest.raises(NotAllowed, match="declared in the settings"):
            await call
    with pytest.raises(NameTaken):
        await rig.service.create_webhook(ADMIN, name="pager", url=URL)


async def test_a_declared_secret_that_changes_goes_on_signing_for_a_day_also_over_restarts() -> None:
    rig = Rig()
    old, new = new_secret(), new_secret()
    declared = DeclaredWebhook(account=ADMIN.account.id, name="pager", url=URL, secret=old)
    await rig.declare(declared)
    webhook_id = (await rig.service.describe_webhook(ADMIN, "pager")).id
    await rig.declare(declared)
    assert await rig.secrets() == [old]

    for _ in range(2):
        await rig.declare(replace(declared, secret=new))
        assert await rig.secrets() == [new, old]
    assert (await rig.service.describe_webhook(ADMIN, "pager")).id == webhook_id
    rig.clock.tick(OLDER_SECRET_SECONDS + 1)
    await rig.declare(replace(declared, secret=new))
    assert await rig.secrets() == [new]


async def test_when_the_key_changes_secrets_are_sealed_again() -> None:
    database = open_memory(clock=HandClock(at=time.time()))
    ledger = SqlLedger(database)
    service = WebhookService(
        ledger.webhooks,
        cipher=CIPHER,
        post=GuardedPost(),
        clock=HandClock(),
        source="/here",
        allow_private=False,
        record=ledger.people.record,
    )
    first = await service.create_webhook(ADMIN, name="pager", url=URL)
    second = await service.rotate_webhook_secret(ADMIN, "pager")
    ring = KeyRing(current=b"k" * 32).with_current(b"n" * 32)

    count = await database.write(lambda tx: reseal(tx, metadata, change=resealing(Cipher(ring))))

    assert count == 2
    kept = await ledger.webhooks.webhook("pager", account=ADMIN.account.id)
    assert opened_secrets(kept, cipher=Cipher(ring.without_older())) == [second.secret, first.secret]
    await ledger.close()
