"""Calls about webhooks."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from cosbatch.client.calls import ApiCall, asking, looking, path_of, removing
from cosbatch.client.paging import Page, pages_of
from cosbatch.client.shape_reader import record
from cosbatch.client.webhook_shapes import Delivery, Webhook, WebhookMade, WebhookTested
from cosbatch.model.states import JobStatus


def list_webhooks() -> ApiCall[Page[Webhook]]:
    """All of the account: there are few."""
    return looking("/webhooks", pages_of(Webhook))


def create_webhook(
    name: str, url: str, *, statuses: Collection[JobStatus] = (), secret: str = ""
) -> ApiCall[WebhookMade]:
    """``url`` is told of each change of a job's status, or of those named. Without a secret one is made, which is
    best."""
    content = {"name": name, "url": url, "statuses": [str(status) for status in statuses], "secret": secret}
    return asking("POST", "/webhooks", content, record(WebhookMade))


def describe_webhook(webhook: str) -> ApiCall[Webhook]:
    return looking(_webhook(webhook), record(Webhook))


def delete_webhook(webhook: str) -> ApiCall[None]:
    """With all messages that wait for it."""
    return removing(_webhook(webhook))


def enable_webhook(webhook: str) -> ApiCall[Webhook]:
    return asking("POST", _webhook(webhook, "enable"), None, record(Webhook), may_repeat=True)


def disable_webhook(webhook: str) -> ApiCall[Webhook]:
    return asking("POST", _webhook(webhook, "disable"), None, record(Webhook), may_repeat=True)


def rotate_webhook_secret(webhook: str) -> ApiCall[WebhookMade]:
    """Messages are signed with the old one as well for a while."""
    return asking("POST", _webhook(webhook, "rotate-secret"), None, record(WebhookMade))


def test_webhook(webhook: str) -> ApiCall[WebhookTested]:
    """Sends it a message now, and says what has come of it."""
    return asking("POST", _webhook(webhook, "test"), None, record(WebhookTested))


def webhook_deliveries(webhook: str, *, limit: int = 50, cursor: str = "") -> ApiCall[Page[Delivery]]:
    """Messages to it, newest first."""
    return looking(_webhook(webhook, "deliveries"), pages_of(Delivery), limit=limit, cursor=cursor)


def redeliver_message(webhook: str, delivery_id: str) -> ApiCall[Delivery]:
    """Has a message sent once more."""
    path = _webhook(webhook, "deliveries", quote(delivery_id, safe=""), "redeliver")
    return asking("POST", path, None, record(Delivery))


def _webhook(name: str, *below: str) -> str:
    return path_of("/webhooks", name, *below)
