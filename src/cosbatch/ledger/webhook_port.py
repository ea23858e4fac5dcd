"""What service and engine ask of the ledger about webhooks: who is told, and what is still to be told.

The outbox: a change of a job's status and the messages that tell of it are one transaction, so none is lost and none
tells of what did not happen. A sender claims messages for a while; whose time is over is claimed again, so a message
comes at least once. Messages of one job come to a webhook in their order: a later one is not offered while an earlier
one waits. Secrets come sealed and go sealed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from cosbatch.model.identifiers import AccountId, WebhookId
from cosbatch.model.webhooks import Delivery, DeliveryEnd, DueDelivery, KeptWebhook, Webhook, WebhookQueue


class WebhookLedger(Protocol):
    """Another account's webhooks do not exist for a caller (NoSuchName). All times are Unix seconds on the ledger's own
    clock."""

    # --- who is told

    async def add_webhook(self, kept: KeptWebhook) -> Webhook:
        """Its times are set. NameTaken where the account has one of that name."""
        ...

    async def webhooks(self, *, account: AccountId | None) -> list[Webhook]:
        """By account and name; None: those of all accounts."""
        ...

    async def webhook(self, name: str, *, account: AccountId) -> KeptWebhook: ...

    async def enable_webhook(self, name: str, *, account: AccountId, is_enabled: bool) -> Webhook:
        """What waits for one that is disabled is given up."""
        ...

    async def rotate_secret(
        self, name: str, *, account: AccountId, sealed: str, sealed_older: str, keep_seconds: float
    ) -> Webhook:
        """``sealed`` signs from now on; ``sealed_older``, which has signed so far, goes on doing so for a while."""
        ...

    async def remove_webhook(self, name: str, *, account: AccountId) -> None:
        """With all that was or is still to be told to it."""
        ...

    async def declare_webhooks(self, declared: Sequence[KeptWebhook]) -> None:
        """Those that the settings declare. Known ones (by account and name) keep their ids and what waits for them;
        declared ones that are not named any more are removed. NameTaken where one was made by hand."""
        ...

    # --- what is told

    async def claim_deliveries(
        self, *, room: int, room_each: int, lease_seconds: float, but_not: Collection[WebhookId] = ()
    ) -> list[DueDelivery]:
        """Messages that are due, at most ``room_each`` of a webhook, of none in ``but_not``; they are the caller's for
        ``lease_seconds``. A claim counts as an attempt, also where nobody hears of it."""
        ...

    async def end_delivery(self, due: DueDelivery, end: DeliveryEnd) -> bool:
        """What came of an attempt. False, and nothing else, where the message is not in the caller's hands any more."""
        ...

    async def deliveries(
        self, *, account: AccountId, webhook_id: WebhookId, before: int | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Newest first, strictly older than the id ``before``."""
        ...

    async def redeliver(self, delivery_id: int, *, account: AccountId, webhook_id: WebhookId) -> Delivery:
        """It is due again, as if it were new. NoSuchName where there is none."""
        ...

    async def queue(self) -> WebhookQueue: ...

    async def forget_deliveries(self, *, older_than_seconds: float, limit: int = 200) -> int:
        """Messages that were delivered or given up so long ago; how many went."""
        ...
