"""Webhooks of the caller's account: making, changing and deleting them, test messages, and what was sent lately."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Body, Path, Response
from pydantic import Field

from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import Delivery, DeliveryState, Webhook
from cosbatch.service.webhooks import URL_MAX, WebhookMade
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    Form,
    PageCursor,
    PageLimit,
    Time,
    View,
    read_cursor,
    time_or_none,
    time_text,
    write_cursor,
    wrong_cursor,
)

TAG: Final = "webhooks"
OneWebhook = Annotated[str, Path(description="The webhook's name.", max_length=64)]
OneDelivery = Annotated[str, Path(description="The delivery's id.", max_length=64)]
_DELIVERY_ID: Final = re.compile(r"dlv-([0-9]{12,18})")

_WEBHOOK: Final = {
    "name": "pager",
    "url": "https://hooks.example.com/cosbatch",
    "statuses": ["Complete", "Failed"],
    "is_enabled": True,
    "disabled_reason": "",
    "is_declared": False,
    "created_time": "2026-11-26T08:00:00.000Z",
    "changed_time": "2026-11-26T08:00:00.000Z",
    "older_secret_until": None,
}
_MADE: Final = {**_WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_DELIVERY: Final = {
    "delivery_id": "dlv-000000004711",
    "message_id": "019ac01f-7b00-7000-8000-0123456789ab",
    "job_id": "019ac01f-7b00-7000-8000-0123456789ab",
    "status": "Failed",
    "previous_status": "Failing",
    "happened_time": "2026-11-26T08:00:00.000Z",
    "state": "waiting",
    "attempts": 3,
    "next_time": "2026-11-26T08:01:00.000Z",
    "done_time": None,
    "http_status": 503,
    "problem": "it answered HTTP 503",
}


def webhook_calls() -> list[Call]:
    return [*_table(), *_changes(), *_messages()]


def _table() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/webhooks",
            answer=list_webhooks,
            access=Access.ADMIN,
            tag=TAG,
            summary="List the webhooks",
            shape=WebhookPage,
            example={"items": [_WEBHOOK], "next_cursor": None},
        ),
        Call(
            method="POST",
            path="/webhooks",
            answer=create_webhook,
            access=Access.ADMIN,
            tag=TAG,
            summary="Make a webhook",
            shape=WebhookMadeView,
            status=201,
            asked={"name": "pager", "url": "https://hooks.example.com/cosbatch", "statuses": ["Complete", "Failed"]},
            example=_MADE,
            has_secrets=True,
        ),
        Call(
            method="GET",
            path="/webhooks/{webhook_name}",
            answer=describe_webhook,
            access=Access.ADMIN,
            tag=TAG,
            summary="Describe a webhook",
            shape=WebhookView,
            example=_WEBHOOK,
        ),
        Call(
            method="DELETE",
            path="/webhooks/{webhook_name}",
            answer=delete_webhook,
            access=Access.ADMIN,
            tag=TAG,
            summary="Delete a webhook",
            status=204,
        ),
    ]


def _changes() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/webhooks/{webhook_name}/enable",
            answer=enable_webhook,
            access=Access.ADMIN,
            tag=TAG,
            summary="Enable a webhook",
            shape=WebhookView,
            example=_WEBHOOK,
        ),
        Call(
            method="POST",
            path="/webhooks/{webhook_name}/disable",
            answer=disable_webhook,
            access=Access.ADMIN,
            tag=TAG,
            summary="Disable a webhook",
            shape=WebhookView,
            example={**_WEBHOOK, "is_enabled": False},
        ),
        Call(
            method="POST",
            path="/webhooks/{webhook_name}/rotate-secret",
            answer=rotate_webhook_secret,
            access=Access.ADMIN,
            tag=TAG,
            summary="Give a webhook a new secret",
            shape=WebhookMadeView,
            example={**_MADE, "older_secret_until": "2026-11-27T08:00:00.000Z"},
        ),
    ]


def _messages() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/webhooks/{webhook_name}/test",
            answer=test_webhook,
            access=Access.ADMIN,
            tag=TAG,
            summary="Send a test message",
            shape=WebhookTestView,
            example={
                "is_taken": False,
                "message_id": "019ac01f-7b00-7000-8000-0123456789ab",
                "http_status": 404,
                "problem": "it answered HTTP 404",
            },
        ),
        Call(
            method="GET",
            path="/webhooks/{webhook_name}/deliveries",
            answer=webhook_deliveries,
            access=Access.ADMIN,
            tag=TAG,
            summary="List what was sent to a webhook lately",
            shape=DeliveryPage,
            example={"items": [_DELIVERY], "next_cursor": None},
        ),
        Call(
            method="POST",
            path="/webhooks/{webhook_name}/deliveries/{delivery_id}/redeliver",
            answer=redeliver_message,
            access=Access.ADMIN,
            tag=TAG,
            summary="Send a message again",
            shape=DeliveryView,
            example=_DELIVERY,
        ),
    ]


# --- shapes


class WebhookForm(Form):
    name: str = Field(max_length=64, description="Unique in the account; letters, digits and `. _ -`.")
    url: str = Field(max_length=URL_MAX, description="An https address on the public internet.")
    statuses: list[JobStatus] = Field(
        default=[], max_length=len(JobStatus), description="What it is told of; empty: every change of status."
    )
    secret: str = Field(
        default="",
        max_length=200,
        description="`whsec_` and 24 to 64 random bytes in base64; without it one is made, which is best.",
    )


class WebhookView(View):
    name: str
    url: str
    statuses: list[JobStatus] = Field(description="What it is told of; empty: every change of status.")
    is_enabled: bool
    disabled_reason: str = Field(description="Why the service has disabled it by itself.")
    is_declared: bool = Field(description="It stands in the settings, and is changed there alone.")
    created_time: Time
    changed_time: Time
    older_secret_until: Time | None = Field(
        description="Until then messages are signed with the secret before the last rotation as well."
    )


class WebhookMadeView(WebhookView):
    secret: str = Field(description="It signs messages by the Standard Webhooks scheme; shown this once.")


class WebhookPage(View):
    items: list[WebhookView]
    next_cursor: str | None = Field(description="An account has few webhooks: always null.")


class WebhookTestView(View):
    is_taken: bool
    message_id: str
    http_status: int | None
    problem: str = Field(description="Empty where it was taken.")


class DeliveryView(View):
    delivery_id: str
    message_id: str = Field(description="The same each time that it is sent.")
    job_id: str
    status: JobStatus
    previous_status: JobStatus | None
    happened_time: Time
    state: DeliveryState
    attempts: int
    next_time: Time | None = Field(description="When it is sent again.")
    done_time: Time | None = Field(description="When it was delivered or given up.")
    http_status: int | None = Field(description="Of the last answer.")
    problem: str


class DeliveryPage(View):
    items: list[DeliveryView]
    next_cursor: str | None


# --- calls


async def list_webhooks(desks: AllDesks, caller: WhoCalls) -> WebhookPage:
    """By name, without their secrets; also those that the settings declare."""
    return WebhookPage(
        items=[_view(webhook) for webhook in await desks.webhooks.list_webhooks(caller)], next_cursor=None
    )


async def create_webhook(
    form: Annotated[WebhookForm, Body()], desks: AllDesks, caller: WhoCalls, response: Response
) -> WebhookMadeView:
    """From now on it is told of changes of the account's jobs. The secret is in this answer alone."""
    made = await desks.webhooks.create_webhook(
        caller, name=form.name, url=form.url, statuses=form.statuses, secret=form.secret
    )
    response.headers["location"] = f"{PREFIX}/webhooks/{made.webhook.name}"
    return _made_view(made)


async def describe_webhook(webhook_name: OneWebhook, desks: AllDesks, caller: WhoCalls) -> WebhookView:
    """All that is known of it but its secret."""
    return _view(await desks.webhooks.describe_webhook(caller, webhook_name))


async def delete_webhook(webhook_name: OneWebhook, desks: AllDesks, caller: WhoCalls) -> None:
    """With all that waits to be sent to it."""
    await desks.webhooks.delete_webhook(caller, webhook_name)


async def enable_webhook(webhook_name: OneWebhook, desks: AllDesks, caller: WhoCalls) -> WebhookView:
    """It is told of what happens from now on. What was given up meanwhile can be redelivered."""
    return _view(await desks.webhooks.enable_webhook(caller, webhook_name, is_enabled=True))


async def disable_webhook(webhook_name: OneWebhook, desks: AllDesks, caller: WhoCalls) -> WebhookView:
    """What waits to be sent to it is given up."""
    return _view(await desks.webhooks.enable_webhook(caller, webhook_name, is_enabled=False))


async def rotate_webhook_secret(webhook_name: OneWebhook, desks: AllDesks, caller: WhoCalls) -> WebhookMadeView:
    """For a day messages are signed with both secrets, so that receivers can change theirs without losing any."""
    return _made_view(await desks.webhooks.rotate_webhook_secret(caller, webhook_name))


async def test_webhook(webhook_name: OneWebhook, desks: AllDesks, caller: WhoCalls) -> WebhookTestView:
    """Sent once and at once, also to a webhook that is disabled; the answer says what came of it."""
    sent = await desks.webhooks.test_webhook(caller, webhook_name)
    return WebhookTestView(
        is_taken=sent.is_taken, message_id=sent.message_id, http_status=sent.http_status, problem=sent.problem
    )


async def webhook_deliveries(
    webhook_name: OneWebhook,
    desks: AllDesks,
    caller: WhoCalls,
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> DeliveryPage:
    """Newest first: what waits, and what was delivered or given up in the last week."""
    before = _delivery_id(cursor) if cursor else None
    found = await desks.webhooks.webhook_deliveries(caller, webhook_name, before=before, limit=limit)
    next_cursor = write_cursor(found[-1].id) if len(found) == limit else None
    return DeliveryPage(items=[_delivery_view(delivery) for delivery in found], next_cursor=next_cursor)


def _delivery_id(cursor: str) -> int:
    match read_cursor(cursor):
        case (int() as number,) if 0 < number < 2**63:
            return number
        case _:
            raise wrong_cursor(cursor)


async def redeliver_message(
    webhook_name: OneWebhook, delivery_id: OneDelivery, desks: AllDesks, caller: WhoCalls
) -> DeliveryView:
    """Under the same id, as if it were new: it is retried for a day."""
    found = _DELIVERY_ID.fullmatch(delivery_id)
    number = int(found[1]) if found else 0
    return _delivery_view(await desks.webhooks.redeliver_message(caller, webhook_name, number))


def _view(webhook: Webhook) -> WebhookView:
    return WebhookView(**_fields(webhook))


def _made_view(made: WebhookMade) -> WebhookMadeView:
    return WebhookMadeView(**_fields(made.webhook), secret=made.secret)


def _fields(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "statuses": list(webhook.statuses),
        "is_enabled": webhook.is_enabled,
        "disabled_reason": webhook.disabled_reason,
        "is_declared": webhook.is_declared,
        "created_time": time_text(webhook.created_at),
        "changed_time": time_text(webhook.changed_at),
        "older_secret_until": time_or_none(webhook.older_secret_until),
    }


def _delivery_view(delivery: Delivery) -> DeliveryView:
    change = delivery.change
    return DeliveryView(
        delivery_id=f"dlv-{delivery.id:012d}",
        message_id=change.message_id,
        job_id=change.job_id,
        status=change.status,
        previous_status=change.previous_status,
        happened_time=time_text(change.at),
        state=delivery.state,
        attempts=delivery.attempts,
        next_time=time_or_none(delivery.next_at),
        done_time=time_or_none(delivery.done_at),
        http_status=delivery.last_http_status,
        problem=delivery.last_error,
    )
