"""What every WebhookLedger refuses and decides, in the same words."""

from __future__ import annotations

from typing import Final

from cosbatch.model.errors import NameTaken, NoSuchName

DISABLED: Final = "the webhook was disabled"
"""Why a message is given up that waits for one that is not told any more."""


def no_such_webhook(name: str) -> NoSuchName:
    return NoSuchName(f"there is no webhook {name!r}")


def no_such_delivery() -> NoSuchName:
    return NoSuchName("the webhook has no such delivery; those of long ago are forgotten")


def webhook_is_there(name: str) -> NameTaken:
    return NameTaken(f"the account has a webhook {name!r}; take another name, or delete it first")
