"""``cosbatch admin create-webhook``, ``list-webhooks``, ``test-webhook``, ``webhook-deliveries`` and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from cosbatch.cli.admin.asking import ADMIN_SHARED, show_list, show_one, shown_time, tell
from cosbatch.cli.admin.desks import ask_webhooks
from cosbatch.cli.invocation import EXIT_NOT_ANSWERED, Invocation, verb

if TYPE_CHECKING:
    from cosbatch.cli.admin.ports import ShownDelivery
    from cosbatch.model.webhooks import Webhook
    from cosbatch.service.webhooks import WebhookMade

_ACCOUNT: Final = click.option(
    "--account", default="", metavar="NAME", help="Of whose jobs it is told; default: of those of `cosbatch run`."
)


@verb("create-webhook", shared=ADMIN_SHARED)
@click.argument("name")
@click.argument("url")
@_ACCOUNT
@click.option(
    "--status",
    "statuses",
    multiple=True,
    metavar="STATUS",
    help="A status that it is told of, such as Complete; default: every change. May be given several times.",
)
def create_webhook(invocation: Invocation, *, name: str, url: str, account: str, statuses: tuple[str, ...]) -> int:
    """Make a webhook: URL is told of each change of a job's status. The secret that signs is printed once."""
    wanted = [_status(status) for status in statuses]
    made = ask_webhooks(
        invocation,
        account,
        lambda webhooks: webhooks.create_webhook(name=name, url=url, statuses=wanted),
    )
    return _show_made(invocation, made)


@verb("list-webhooks", shared=ADMIN_SHARED)
@_ACCOUNT
def list_webhooks(invocation: Invocation, *, account: str) -> int:
    """List the webhooks of an account, without their secrets."""
    found = ask_webhooks(invocation, account, lambda webhooks: webhooks.list_webhooks())
    rows = [
        (webhook.name, webhook.url, _state(webhook), _place(webhook), ", ".join(webhook.statuses) or "every change")
        for webhook in found
    ]
    header = ("WEBHOOK", "URL", "STATE", "STANDS IN", "TOLD OF")
    return show_list(invocation, "webhooks", [_document(webhook) for webhook in found], header, rows)


@verb("enable-webhook", shared=ADMIN_SHARED)
@click.argument("name")
@_ACCOUNT
def enable_webhook(invocation: Invocation, *, name: str, account: str) -> int:
    """Let a webhook be told of what happens from now on."""
    ask_webhooks(invocation, account, lambda webhooks: webhooks.enable_webhook(name, is_enabled=True))
    return tell(invocation, {"name": name}, f"Webhook {name} is enabled")


@verb("disable-webhook", shared=ADMIN_SHARED)
@click.argument("name")
@_ACCOUNT
def disable_webhook(invocation: Invocation, *, name: str, account: str) -> int:
    """Tell a webhook of nothing any more. What waits for it is given up."""
    ask_webhooks(invocation, account, lambda webhooks: webhooks.enable_webhook(name, is_enabled=False))
    return tell(invocation, {"name": name}, f"Webhook {name} is disabled")


@verb("rotate-webhook-secret", shared=ADMIN_SHARED)
@click.argument("name")
@_ACCOUNT
def rotate_webhook_secret(invocation: Invocation, *, name: str, account: str) -> int:
    """Make a new secret, printed once. For a day messages are signed with the one before as well."""
    made = ask_webhooks(invocation, account, lambda webhooks: webhooks.rotate_webhook_secret(name))
    return _show_made(invocation, made)


@verb("delete-webhook", shared=ADMIN_SHARED)
@click.argument("name")
@_ACCOUNT
def delete_webhook(invocation: Invocation, *, name: str, account: str) -> int:
    """Delete a webhook, with all that waits to be sent to it."""
    ask_webhooks(invocation, account, lambda webhooks: webhooks.delete_webhook(name))
    return tell(invocation, {"name": name}, f"Webhook {name} is deleted")


@verb("test-webhook", shared=ADMIN_SHARED)
@click.argument("name")
@_ACCOUNT
def test_webhook(invocation: Invocation, *, name: str, account: str) -> int:
    """Send a webhook a message that tells of no job. Exit code 1 where it is not taken."""
    sent = ask_webhooks(invocation, account, lambda webhooks: webhooks.test_webhook(name))
    document = {
        "name": name,
        "is_taken": sent.is_taken,
        "message_id": sent.message_id,
        "http_status": sent.http_status,
        "problem": sent.problem,
    }
    told = f"Webhook {name} has taken the test message" if sent.is_taken else f"It was not taken: {sent.problem}"
    code = tell(invocation, document, told)
    return code if sent.is_taken else EXIT_NOT_ANSWERED


@verb("webhook-deliveries", shared=ADMIN_SHARED)
@click.argument("name")
@_ACCOUNT
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="At most so many; default: 50.")
def webhook_deliveries(invocation: Invocation, *, name: str, account: str, limit: int) -> int:
    """List what was sent to a webhook lately or waits to be sent, newest first."""
    found = ask_webhooks(invocation, account, lambda webhooks: webhooks.webhook_deliveries(name, limit=limit))
    rows = [
        (
            str(delivery.id),
            delivery.state,
            shown_time(delivery.happened_at),
            delivery.job_id,
            str(delivery.status),
            str(delivery.attempts),
            delivery.problem,
        )
        for delivery in found
    ]
    header = ("ID", "STATE", "HAPPENED", "JOB", "STATUS", "TRIES", "PROBLEM")
    return show_list(invocation, "deliveries", [_delivery_document(delivery) for delivery in found], header, rows)


@verb("redeliver-message", shared=ADMIN_SHARED)
@click.argument("name")
@click.argument("delivery_id", type=click.IntRange(1, 2**63 - 1))
@_ACCOUNT
def redeliver_message(invocation: Invocation, *, name: str, delivery_id: int, account: str) -> int:
    """Have the service send a message again that was delivered or given up, under the same id."""
    found = ask_webhooks(invocation, account, lambda webhooks: webhooks.redeliver_message(name, delivery_id))
    return tell(invocation, _delivery_document(found), f"Message {delivery_id} is sent again by the running service")


def _status(text: str) -> Any:
    from cosbatch.model.states import JobStatus

    try:
        return JobStatus(text)
    except ValueError:
        known = ", ".join(JobStatus)
        raise click.BadParameter(f"{text!r} is no status; write one of {known}", param_hint="--status") from None


def _show_made(invocation: Invocation, made: WebhookMade) -> int:
    rows = [("Webhook", made.webhook.name), ("URL", made.webhook.url), ("Secret", made.secret)]
    note = "The secret is shown this once: receivers verify messages with it."
    return show_one(invocation, _document(made.webhook) | {"secret": made.secret}, rows, note=note)


def _state(webhook: Webhook) -> str:
    if webhook.is_enabled:
        return "enabled"
    return f"disabled: {webhook.disabled_reason}" if webhook.disabled_reason else "disabled"


def _place(webhook: Webhook) -> str:
    return "settings" if webhook.is_declared else "ledger"


def _document(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "statuses": [str(status) for status in webhook.statuses],
        "is_enabled": webhook.is_enabled,
        "disabled_reason": webhook.disabled_reason,
        "is_declared": webhook.is_declared,
        "created_at": shown_time(webhook.created_at),
        "changed_at": shown_time(webhook.changed_at),
        "older_secret_until": shown_time(webhook.older_secret_until) or None,
    }


def _delivery_document(delivery: ShownDelivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "message_id": delivery.message_id,
        "job_id": delivery.job_id,
        "status": str(delivery.status),
        "happened_at": shown_time(delivery.happened_at),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_at": shown_time(delivery.next_at) or None,
        "done_at": shown_time(delivery.done_at) or None,
        "http_status": delivery.http_status,
        "problem": delivery.problem,
    }
