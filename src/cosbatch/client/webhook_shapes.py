"""Webhooks and what was sent to them. Times are Unix seconds; fields are named as in the API's documents."""

from __future__ import annotations

from dataclasses import dataclass

from cosbatch.client.shape_reader import Time
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    name: str
    url: str
    statuses: tuple[JobStatus, ...]
    """What it is told of; empty: every change of status."""
    is_enabled: bool
    disabled_reason: str
    """Why the service has disabled it by itself."""
    is_declared: bool
    created_time: Time
    changed_time: Time
    older_secret_until: Time | None
    """Until then messages are signed with the secret before the last rotation as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMade:
    """A webhook and its secret, which is shown this once."""

    name: str
    url: str
    statuses: tuple[JobStatus, ...]
    is_enabled: bool
    disabled_reason: str
    is_declared: bool
    created_time: Time
    changed_time: Time
    older_secret_until: Time | None
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTested:
    is_taken: bool
    message_id: str
    http_status: int | None
    problem: str
    """Empty where it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    delivery_id: str
    message_id: str
    """The same each time that it is sent."""
    job_id: str
    status: JobStatus
    previous_status: JobStatus | None
    happened_time: Time
    state: DeliveryState
    attempts: int
    next_time: Time | None
    """When it is sent again."""
    done_time: Time | None
    """When it was delivered or given up."""
    http_status: int | None
    """Of the last answer."""
    problem: str
