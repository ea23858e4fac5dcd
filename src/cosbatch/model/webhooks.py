"""Webhooks: addresses that are told of each change of a job's status, and what they are told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cosbatch.model.identifiers import AccountId, JobId, MessageId, WebhookId
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus

WEBHOOK_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address of an account. Times are Unix seconds."""

    id: WebhookId
    account: AccountId
    name: str
    """Unique in the account."""
    url: str
    statuses: tuple[JobStatus, ...] = ()
    """What it is told of; empty: every change."""
    is_enabled: bool = True
    disabled_reason: str = ""
    """Why it is not told of anything, where the service has done that itself."""
    is_declared: bool = False
    """It stands in the settings, and is changed there alone."""
    created_at: float = 0.0
    changed_at: float = 0.0
    older_secret_until: float | None = None
    """Until then messages are signed with the secret before the last rotation as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWebhook:
    """A webhook with its sealed secrets."""

    webhook: Webhook
    sealed: str = field(repr=False)
    sealed_older: str = field(default="", repr=False)
    """Empty where there is none, or its time is over."""


def purpose_of_secret(webhook_id: WebhookId) -> str:
    """What the secret is sealed for."""
    return f"webhook {webhook_id}"


def purpose_of_older_secret(webhook_id: WebhookId) -> str:
    return f"older secret of webhook {webhook_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """What is told: a job as it was right after the change. Kept as it is until it is sent, however long that takes."""

    message_id: MessageId
    """The same for every webhook, and for every time that it is sent."""
    at: float
    """Unix seconds."""
    account: AccountId
    job_id: JobId
    description: str
    operation: str
    region: str
    status: JobStatus
    previous_status: JobStatus | None
    """None: the job was made."""
    reason: str
    priority: int
    total: int | None
    """Number of tasks; None until the plan is complete."""
    succeeded: int
    failed: int
    skipped: int
    bytes_done: int
    report_state: str
    report_location: str
    failure_code: str = ""
    paused_by: str = ""
    dry_run: bool = False


def status_change(job: Job, *, message_id: MessageId, previous: JobStatus | None, reason: str) -> StatusChange:
    """Of a job that has just changed."""
    return StatusChange(
        message_id=message_id,
        at=job.changed_at,
        account=job.account,
        job_id=job.id,
        description=job.request.description,
        operation=str(job.operation_name),
        region=job.request.region,
        status=job.status,
        previous_status=previous,
        reason=reason,
        priority=job.priority,
        total=job.total,
        succeeded=job.tally.succeeded,
        failed=job.tally.failed,
        skipped=job.tally.skipped,
        bytes_done=job.tally.bytes_done,
        report_state=str(job.report_state),
        report_location=job.report_location,
        failure_code=str(job.failure_code) if job.failure_code else "",
        paused_by=str(job.paused_by) if job.paused_by else "",
        dry_run=job.request.dry_run,
    )


class DeliveryState(StrEnum):
    """Where a message to a webhook is."""

    WAITING = "waiting"
    """It is sent, or was not taken and is sent again."""
    DELIVERED = "delivered"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A message in a sender's hands."""

    id: int
    kept: KeptWebhook
    change: StatusChange
    attempt: int
    """From 1 on. It is the fence: whoever got the message later has a greater one."""
    age_seconds: float
    """Since it was put into the queue, on the ledger's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEnd:
    """What came of an attempt."""

    state: DeliveryState
    error: str = ""
    """What went wrong, for people; empty for a delivered message."""
    http_status: int | None = None
    """Of the answer, where there was one."""
    again_in_seconds: float = 0.0
    """Of a waiting one."""
    disables: str = ""
    """Not empty: the webhook is not told of anything from now on, and this is why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to a webhook, for whoever looks. Times are Unix seconds."""

    id: int
    webhook_id: WebhookId
    change: StatusChange
    state: DeliveryState
    attempts: int
    put_at: float
    next_at: float | None
    """Of a waiting one."""
    done_at: float | None
    last_error: str
    last_http_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookQueue:
    """What waits to be sent, all accounts together."""

    waiting: int = 0
    lag_seconds: float = 0.0
    """Age of the oldest message that waits."""
    given_up: int = 0
    """Those that are still shown."""
    disabled: int = 0
    """Webhooks that the service has disabled by itself."""
