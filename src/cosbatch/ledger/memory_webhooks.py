"""The WebhookLedger in plain Python objects, within the JobLedger in memory. No call of it ever suspends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.ledger.webhook_rules import DISABLED, no_such_delivery, no_such_webhook, webhook_is_there
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import AccountId, WebhookId, new_message_id
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import (
    Delivery,
    DeliveryEnd,
    DeliveryState,
    DueDelivery,
    KeptWebhook,
    Webhook,
    WebhookQueue,
    status_change,
)


class MemoryWebhookLedger(WebhookLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._webhooks: dict[WebhookId, KeptWebhook] = {}
        self._deliveries: dict[int, Delivery] = {}
        self._last_id = 0

    def put(self, job: Job, previous: JobStatus | None, reason: str) -> None:
        """What happened to a job, into the outbox."""
        change = status_change(job, message_id=new_message_id(), previous=previous, reason=reason)
        now = self._clock.now()
        for webhook in (kept.webhook for kept in self._webhooks.values()):
            if webhook.account != job.account or not webhook.is_enabled:
                continue
            if webhook.statuses and job.status not in webhook.statuses:
                continue
            self._last_id += 1
            self._deliveries[self._last_id] = Delivery(
                id=self._last_id,
                webhook_id=webhook.id,
                change=change,
                state=DeliveryState.WAITING,
                attempts=0,
                put_at=now,
                next_at=now,
                done_at=None,
                last_error="",
                last_http_status=None,
            )

    # --- who is told

    async def add_webhook(self, kept: KeptWebhook) -> Webhook:
        new = kept.webhook
        if self._find(new.name, new.account) is not None:
            raise webhook_is_there(new.name)
        now = self._clock.now()
        return self._keep(replace(kept, webhook=replace(new, created_at=now, changed_at=now)))

    async def webhooks(self, *, account: AccountId | None) -> list[Webhook]:
        found = [self._seen(kept).webhook for kept in self._webhooks.values()]
        wanted = [webhook for webhook in found if account in (None, webhook.account)]
        return sorted(wanted, key=lambda webhook: (webhook.account, webhook.name))

    async def webhook(self, name: str, *, account: AccountId) -> KeptWebhook:
        kept = self._find(name, account)
        if kept is None:
            raise no_such_webhook(name)
        return self._seen(kept)

    async def enable_webhook(self, name: str, *, account: AccountId, is_enabled: bool) -> Webhook:
        kept = await self.webhook(name, account=account)
        return self._enable(kept, is_enabled=is_enabled)

    async def rotate_secret(
        self, name: str, *, account: AccountId, sealed: str, sealed_older: str, keep_seconds: float
    ) -> Webhook:
        kept = await self.webhook(name, account=account)
        now = self._clock.now()
        changed = replace(kept.webhook, changed_at=now, older_secret_until=now + keep_seconds)
        return self._keep(KeptWebhook(webhook=changed, sealed=sealed, sealed_older=sealed_older))

    async def remove_webhook(self, name: str, *, account: AccountId) -> None:
        self._remove((await self.webhook(name, account=account)).webhook.id)

    async def declare_webhooks(self, declared: Sequence[KeptWebhook]) -> None:
        known = {(kept.webhook.account, kept.webhook.name): kept.webhook for kept in self._webhooks.values()}
        named = {(kept.webhook.account, kept.webhook.name): kept for kept in declared}
        for place in named.keys() & known.keys():
            if not known[place].is_declared:
                raise webhook_is_there(place[1])
            assert known[place].id == named[place].webhook.id, "its secret is sealed for its id"
        for place, webhook in known.items():
            if webhook.is_declared and place not in named:
                self._remove(webhook.id)
        now = self._clock.now()
        for place, kept in named.items():
            created_at = known[place].created_at if place in known else now
            self._keep(replace(kept, webhook=replace(kept.webhook, created_at=created_at, changed_at=now)))
            if not kept.webhook.is_enabled:
                self._give_up_all(kept.webhook.id)

    # --- what is told

    async def claim_deliveries(
        self, *, room: int, room_each: int, lease_seconds: float, but_not: Collection[WebhookId] = ()
    ) -> list[DueDelivery]:
        claimed: list[DueDelivery] = []
        now = self._clock.now()
        for webhook_id in sorted(self._webhooks):
            kept = self._seen(self._webhooks[webhook_id])
            if webhook_id in but_not or not kept.webhook.is_enabled:
                continue
            for delivery in self._due(webhook_id, now=now)[: max(0, min(room_each, room - len(claimed)))]:
                held = replace(delivery, attempts=delivery.attempts + 1, next_at=now + lease_seconds)
                self._deliveries[delivery.id] = held
                claimed.append(
                    DueDelivery(
                        id=held.id,
                        kept=kept,
                        change=held.change,
                        attempt=held.attempts,
                        age_seconds=now - held.put_at,
                    )
                )
        return claimed

    async def end_delivery(self, due: DueDelivery, end: DeliveryEnd) -> bool:
        found = self._deliveries.get(due.id)
        if found is None or found.state is not DeliveryState.WAITING or found.attempts != due.attempt:
            return False
        now = self._clock.now()
        is_waiting = end.state is DeliveryState.WAITING
        self._deliveries[due.id] = replace(
            found,
            state=end.state,
            last_error=end.error,
            last_http_status=end.http_status,
            done_at=None if is_waiting else now,
            next_at=now + end.again_in_seconds if is_waiting else None,
        )
        if end.disables:
            self._enable(self._webhooks[due.kept.webhook.id], is_enabled=False, reason=end.disables)
        return True

    async def deliveries(
        self, *, account: AccountId, webhook_id: WebhookId, before: int | None = None, limit: int = 50
    ) -> list[Delivery]:
        found = [
            delivery
            for delivery in self._deliveries.values()
            if delivery.webhook_id == webhook_id
            and delivery.change.account == account
            and (before is None or delivery.id < before)
        ]
        return sorted(found, key=lambda delivery: -delivery.id)[:limit]

    async def redeliver(self, delivery_id: int, *, account: AccountId, webhook_id: WebhookId) -> Delivery:
        found = self._deliveries.get(delivery_id)
        if found is None or (found.webhook_id, found.change.account) != (webhook_id, account):
            raise no_such_delivery()
        now = self._clock.now()
        again = replace(found, state=DeliveryState.WAITING, done_at=None, put_at=now, next_at=now)
        self._deliveries[delivery_id] = again
        return again

    async def queue(self) -> WebhookQueue:
        put_at = [each.put_at for each in self._waiting() if self._webhooks[each.webhook_id].webhook.is_enabled]
        now = self._clock.now()
        return WebhookQueue(
            waiting=len(put_at),
            lag_seconds=max([0.0, *(now - at for at in put_at)]),
            given_up=sum(each.state is DeliveryState.GIVEN_UP for each in self._deliveries.values()),
            disabled=sum(
                not kept.webhook.is_enabled and bool(kept.webhook.disabled_reason) for kept in self._webhooks.values()
            ),
        )

    async def forget_deliveries(self, *, older_than_seconds: float, limit: int = 200) -> int:
        before = self._clock.now() - older_than_seconds
        done = [(each.done_at, each.id) for each in self._deliveries.values() if each.done_at is not None]
        old = [delivery_id for done_at, delivery_id in sorted(done) if done_at < before][:limit]
        for delivery_id in old:
            del self._deliveries[delivery_id]
        return len(old)

    # --- rows

    def _find(self, name: str, account: AccountId) -> KeptWebhook | None:
        named = [
            kept for kept in self._webhooks.values() if (kept.webhook.account, kept.webhook.name) == (account, name)
        ]
        return named[0] if named else None

    def _keep(self, kept: KeptWebhook) -> Webhook:
        self._webhooks[kept.webhook.id] = kept
        return kept.webhook

    def _remove(self, webhook_id: WebhookId) -> None:
        del self._webhooks[webhook_id]
        self._deliveries = {key: each for key, each in self._deliveries.items() if each.webhook_id != webhook_id}

    def _seen(self, kept: KeptWebhook) -> KeptWebhook:
        until = kept.webhook.older_secret_until
        if until is None or until > self._clock.now():
            return kept
        return replace(kept, webhook=replace(kept.webhook, older_secret_until=None), sealed_older="")

    def _enable(self, kept: KeptWebhook, *, is_enabled: bool, reason: str = "") -> Webhook:
        changed = replace(kept.webhook, is_enabled=is_enabled, disabled_reason=reason, changed_at=self._clock.now())
        self._keep(replace(kept, webhook=changed))
        if not is_enabled:
            self._give_up_all(changed.id)
        return self._seen(self._webhooks[changed.id]).webhook

    def _give_up_all(self, webhook_id: WebhookId) -> None:
        given_up = {"state": DeliveryState.GIVEN_UP, "done_at": self._clock.now(), "next_at": None}
        for delivery in [each for each in self._waiting() if each.webhook_id == webhook_id]:
            self._deliveries[delivery.id] = replace(delivery, last_error=DISABLED, **given_up)  # type: ignore[arg-type]

    def _waiting(self) -> list[Delivery]:
        return [each for each in self._deliveries.values() if each.state is DeliveryState.WAITING]

    def _due(self, webhook_id: WebhookId, *, now: float) -> list[Delivery]:
        """Those that nobody has, and of each job the earliest alone."""
        waiting = [each for each in self._waiting() if each.webhook_id == webhook_id]
        first: dict[str, Delivery] = {}
        for delivery in sorted(waiting, key=lambda each: each.id):
            first.setdefault(delivery.change.job_id, delivery)
        due = [each for each in first.values() if each.next_at is not None and each.next_at <= now]
        return sorted(due, key=lambda each: (each.next_at or 0.0, each.id))
