"""The section ``webhooks``: addresses that are told of each change of a job's status, declared by the operator."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, StrictStr

from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import WEBHOOK_NAME
from cosbatch.service.faults import nearest, refused
from cosbatch.settings.fields import Secret, Section
from cosbatch.settings.people import principal_name


def webhook_name(name: str) -> str:
    if not WEBHOOK_NAME.fullmatch(name):
        raise refused("is no name for a webhook", way_out="use letters, digits, dots, hyphens and _, 64 at most")
    return name


def _status(value: Any) -> JobStatus:
    try:
        return JobStatus(value)
    except ValueError:
        raise refused("is no status of a job", way_out=nearest(str(value), known=[*JobStatus])) from None


class WebhookSettings(Section):
    """A webhook that is declared: it can be looked at and tested, and is changed in the settings alone."""

    account: Annotated[StrictStr, AfterValidator(principal_name)] = Field(
        description="Name of the account whose jobs it is told of."
    )
    url: StrictStr = Field(description="`https://host[:port]/path`; see also `server.webhooks_allow_private`.")
    secret: Secret = Field(
        description="Where the secret is that signs: `whsec_` and 24 to 64 bytes in base64. One that changes goes on "
        "signing for a day, beside the new one."
    )
    statuses: list[Annotated[JobStatus, PlainValidator(_status)]] = Field(
        default=[], description="Statuses that it is told of, such as `[Complete, Failed]`; default: all."
    )
    is_disabled: bool = Field(default=False, description="Whether it is told of nothing for now.")
