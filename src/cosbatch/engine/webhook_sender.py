"""Sends what the outbox has for webhooks: at least once, the messages of one job in their order.

A message is claimed in the ledger, so of several services one sends it; who dies with it lets the claim run out, and
another sends it again with the same id. What is not taken waits as long as it has waited so far, so that the pauses
double, and is given up after a day. An answer 410 says that nobody listens there any more: the webhook is disabled.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Final

import structlog

from cosbatch.engine.renewal import until_stopped
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.webhook_secrets import opened_secrets
from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable, PostFailed, SealBroken
from cosbatch.model.identifiers import WebhookId
from cosbatch.model.webhooks import (
    DeliveryEnd,
    DeliveryState,
    DueDelivery,
)
from cosbatch.wire.webhook_messages import Post, signed_headers, status_message, told_of_status

log = structlog.get_logger(__name__)

AT_A_TIME: Final = 32
EACH_AT_A_TIME: Final = 4
"""One that answers slowly keeps the others from nothing."""
LEASE_SECONDS: Final = 60.0
"""More than an attempt may take."""
POLL_SECONDS: Final = 0.5
FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 3 * 3600.0
GIVEN_UP_AFTER_SECONDS: Final = 86400.0
JITTER: Final = 0.25
"""A pause is longer or shorter by up to this share of it."""
SHOWN_SECONDS: Final = 7 * 86400.0
"""How long a message is shown that was delivered or given up."""
SWEEP_SECONDS: Final = 600.0
GONE: Final = 410


class WebhookSender:
    """Any number may run at once."""

    def __init__(
        self,
        *,
        ledger: WebhookLedger,
        cipher: Cipher,
        post: Post,
        clock: Clock,
        source: str,
        draw: random.Random | None = None,
    ) -> None:
        """``source`` names the service in its messages. ``draw`` is for jitter."""
        self._ledger = ledger
        self._cipher = cipher
        self._post = post
        self._clock = clock
        self._source = source
        self._draw = draw or random.Random()  # noqa: S311  # for jitter
        self._under_way: dict[asyncio.Task[None], WebhookId] = {}
        self._next_sweep_at = 0.0
        self.outcomes: Counter[str] = Counter({"delivered": 0, "retried": 0, "given-up": 0})
        """Attempts of this process by what came of them."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; attempts under way are waited for, each of them is short."""
        try:
            await until_stopped(self.step, stop=stop, pause_seconds=POLL_SECONDS)
        finally:
            await self.settled()

    async def step(self) -> bool:
        """Begins to send what is due; never waits for a receiver. Whether anything was due."""
        await self._sweep()
        busy = Counter(self._under_way.values())
        due = await self._ledger.claim_deliveries(
            room=AT_A_TIME - len(self._under_way),
            room_each=EACH_AT_A_TIME,
            lease_seconds=LEASE_SECONDS,
            but_not=[webhook_id for webhook_id, count in busy.items() if count >= EACH_AT_A_TIME],
        )
        for each in due:
            sending = asyncio.create_task(self._deliver(each), name=f"webhook {each.kept.webhook.name}")
            self._under_way[sending] = each.kept.webhook.id
            sending.add_done_callback(self._under_way.pop)
        return bool(due)

    async def settled(self) -> None:
        """No attempt is under way any more."""
        while self._under_way:
            await asyncio.wait(list(self._under_way))

    async def _sweep(self) -> None:
        if self._clock.boottime() >= self._next_sweep_at:
            while await self._ledger.forget_deliveries(older_than_seconds=SHOWN_SECONDS):
                pass
            self._next_sweep_at = self._clock.boottime() + SWEEP_SECONDS

    async def _deliver(self, due: DueDelivery) -> None:
        """One attempt. Whatever it ends in, the message stays in the ledger until that says otherwise."""
        webhook = due.kept.webhook
        try:
            end = await self._attempt(due)
            if not await self._ledger.end_delivery(due, end):
                log.warning("webhook-late", webhook=webhook.id, delivery=due.id)
                return
        except LedgerUnavailable as error:
            log.warning("webhook-not-noted", webhook=webhook.id, delivery=due.id, error=str(error))
            return
        except Exception:  # the claim runs out, and the message is tried again
            log.exception("webhook-broke", webhook=webhook.id, delivery=due.id)
            return
        outcome = "retried" if end.state is DeliveryState.WAITING else str(end.state)
        self.outcomes[outcome] += 1
        log.info(
            "webhook-sent", outcome=outcome, webhook=webhook.id, delivery=due.id, attempt=due.attempt, error=end.error
        )

    async def _attempt(self, due: DueDelivery) -> DeliveryEnd:
        change = due.change
        body = status_message(change, source=self._source)
        try:
            headers = signed_headers(
                body,
                message_id=change.message_id,
                now=self._clock.now(),
                secrets=opened_secrets(due.kept, cipher=self._cipher),
            )
            status = await self._post(due.kept.webhook.url, headers=headers, body=body)
        except (PostFailed, SealBroken) as error:
            return end_of(due, status=None, error=str(error), draw=self._draw)
        return end_of(due, status=status, error="", draw=self._draw)


def end_of(due: DueDelivery, *, status: int | None, error: str, draw: random.Random) -> DeliveryEnd:
    """What an answer, or none (then ``error`` says why), means for the message."""
    if status is not None and 200 <= status < 300:
        return DeliveryEnd(state=DeliveryState.DELIVERED, http_status=status)
    problem = error or told_of_status(status or 0)
    if status == GONE:
        why = "it answered 410: nobody listens there any more"
        return DeliveryEnd(state=DeliveryState.GIVEN_UP, error=problem, http_status=status, disables=why)
    if due.age_seconds >= GIVEN_UP_AFTER_SECONDS:
        return DeliveryEnd(state=DeliveryState.GIVEN_UP, error=problem, http_status=status)
    pause = pause_after(due.age_seconds, draw=draw)
    return DeliveryEnd(state=DeliveryState.WAITING, error=problem, http_status=status, again_in_seconds=pause)


def pause_after(age_seconds: float, *, draw: random.Random) -> float:
    """As long as the message has waited so far, so that pauses double, but no longer than three hours; the last try is
    when its day is over."""
    pause = min(max(age_seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS) * draw.uniform(1 - JITTER, 1 + JITTER)
    return min(pause, max(GIVEN_UP_AFTER_SECONDS - age_seconds, FIRST_PAUSE_SECONDS))
