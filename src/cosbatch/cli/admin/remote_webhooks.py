"""Webhooks of a service that is called over the network: those of the account of the token."""

from __future__ import annotations

from collections.abc import Sequence

from cosbatch.cli.admin.ports import ShownDelivery
from cosbatch.cli.admin.remote_people import PAGE
from cosbatch.client import AsyncClient
from cosbatch.client import webhook_shapes as told
from cosbatch.model.identifiers import LOCAL_ACCOUNT, WebhookId
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import Webhook
from cosbatch.service.webhooks import TrialMessage, WebhookMade


class RemoteWebhooks:
    """Implements :class:`cosbatch.cli.admin.ports.WebhookDesk`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create_webhook(self, *, name: str, url: str, statuses: Sequence[JobStatus]) -> WebhookMade:
        return _made(await self._client.create_webhook(name, url, statuses=statuses))

    async def list_webhooks(self) -> Sequence[Webhook]:
        return [_webhook(one) for one in (await self._client.list_webhooks()).items]

    async def enable_webhook(self, name: str, *, is_enabled: bool) -> None:
        await (self._client.enable_webhook(name) if is_enabled else self._client.disable_webhook(name))

    async def rotate_webhook_secret(self, name: str) -> WebhookMade:
        return _made(await self._client.rotate_webhook_secret(name))

    async def delete_webhook(self, name: str) -> None:
        await self._client.delete_webhook(name)

    async def test_webhook(self, name: str) -> TrialMessage:
        sent = await self._client.test_webhook(name)
        return TrialMessage(
            is_taken=sent.is_taken, message_id=sent.message_id, http_status=sent.http_status, problem=sent.problem
        )

    async def webhook_deliveries(self, name: str, *, limit: int) -> Sequence[ShownDelivery]:
        page = await self._client.webhook_deliveries(name, limit=min(limit, PAGE))
        return [_shown(one) for one in page.items]

    async def redeliver_message(self, name: str, delivery_id: int) -> ShownDelivery:
        return _shown(await self._client.redeliver_message(name, str(delivery_id)))


def _webhook(found: told.Webhook | told.WebhookMade) -> Webhook:
    """Its account is that of whoever asks; that and its inner id stand in no answer."""
    return Webhook(
        id=WebhookId(found.name),
        account=LOCAL_ACCOUNT,
        name=found.name,
        url=found.url,
        statuses=found.statuses,
        is_enabled=found.is_enabled,
        disabled_reason=found.disabled_reason,
        is_declared=found.is_declared,
        created_at=found.created_time,
        changed_at=found.changed_time,
        older_secret_until=found.older_secret_until,
    )


def _made(found: told.WebhookMade) -> WebhookMade:
    return WebhookMade(webhook=_webhook(found), secret=found.secret)


def _shown(found: told.Delivery) -> ShownDelivery:
    return ShownDelivery(
        id=int(found.delivery_id),
        message_id=found.message_id,
        job_id=found.job_id,
        status=found.status,
        happened_at=found.happened_time,
        state=str(found.state),
        attempts=found.attempts,
        next_at=found.next_time,
        done_at=found.done_time,
        http_status=found.http_status,
        problem=found.problem,
    )
