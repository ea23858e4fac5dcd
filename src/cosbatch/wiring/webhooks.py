"""What speaks for webhooks: their verbs, their sender, and what the settings declare of them."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from cosbatch.engine.webhook_sender import WebhookSender
from cosbatch.identity.ciphers import Cipher
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.service.people_names import account_id
from cosbatch.service.webhooks import DeclaredWebhook, WebhookService, declare_webhooks, webhook_faults
from cosbatch.settings import Settings
from cosbatch.wire.webhook_messages import Post
from cosbatch.wiring.admin import check_ledger, seen_at_work
from cosbatch.wiring.keys import key_ring


class _PostOnDemand:
    """Its libraries are heavy: only who has something to send pays for them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._post: Post | None = None

    async def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        if self._post is None:
            from cosbatch.storage.guarded_post import GuardedPost

            server = self._settings.server
            self._post = GuardedPost(allow_private=server.webhooks_allow_private, ca_file=server.webhooks_ca_file)
        return await self._post(url, headers=headers, body=body)


def webhook_sender(settings: Settings, *, ledger: WebhookLedger, cipher: Cipher, clock: Clock) -> WebhookSender:
    return WebhookSender(
        ledger=ledger, cipher=cipher, post=_PostOnDemand(settings), clock=clock, source=_source(settings)
    )


def webhook_service(settings: Settings, *, ledger: SqlLedger, cipher: Cipher, clock: Clock) -> WebhookService:
    return WebhookService(
        ledger.webhooks,
        cipher=cipher,
        post=_PostOnDemand(settings),
        clock=clock,
        source=_source(settings),
        allow_private=settings.server.webhooks_allow_private,
        record=ledger.people.record,
    )


def _source(settings: Settings) -> str:
    return settings.server.webhooks_source or f"/cosbatch/{socket.gethostname()}"


@asynccontextmanager
async def open_webhooks(settings: Settings, data_dir: Path) -> AsyncIterator[WebhookService]:
    """Those of a folder. InvalidArgument where it has no ledger."""
    check_ledger(data_dir)
    with seen_at_work(data_dir, role="admin"):
        ledger = await open_sqlite_ledger(data_dir)
        try:
            cipher = Cipher(key_ring(settings, data_dir, may_make=not await ledger.people.has_sealed()))
            yield webhook_service(settings, ledger=ledger, cipher=cipher, clock=SystemClock())
        finally:
            await ledger.close()


async def declare_settings_webhooks(settings: Settings, *, ledger: SqlLedger, cipher: Cipher) -> None:
    """Brings the ledger to what the settings say. InvalidArgument with all faults, NameTaken."""
    known = {account.name for account in await ledger.people.accounts()}
    faults: list[Fault] = []
    declared: list[DeclaredWebhook] = []
    for name, webhook in settings.webhooks.items():
        path = f"webhooks.{name}."
        if webhook.account not in known:
            problem, way_out = "there is no such account", f"write one of {', '.join(sorted(known))}"
            faults.append(Fault(path=f"{path}account", value=webhook.account, problem=problem, way_out=way_out))
        try:
            secret = webhook.secret.read(path=f"{path}secret", environ=os.environ)
        except InvalidArgument as unreadable:
            faults += unreadable.faults
            continue
        allow_private = settings.server.webhooks_allow_private
        faults += webhook_faults(name=name, url=webhook.url, secret=secret, allow_private=allow_private, path=path)
        declared.append(
            DeclaredWebhook(
                account=account_id(webhook.account),
                name=name,
                url=webhook.url,
                secret=secret,
                statuses=tuple(webhook.statuses),
                is_enabled=not webhook.is_disabled,
            )
        )
    if faults:
        raise InvalidArgument("the webhooks of the settings cannot be used", faults=faults)
    await declare_webhooks(ledger.webhooks, declared, cipher=cipher, clock=SystemClock())
