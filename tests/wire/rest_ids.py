"""What stands in the paths of calls, for tests that walk over all of them: whoever adds a path parameter says here what
one of the first account's is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cosbatch.identity.webhook_secrets import seal_secret
from cosbatch.model.identifiers import new_webhook_id
from cosbatch.model.webhooks import KeptWebhook, Webhook
from cosbatch.wire.webhook_messages import new_secret
from tests.unit.service.job_builders import HOME
from tests.wire.rest_rig import ADMIN, OPERATOR, RestRig

SHARED: Final[Mapping[str, str]] = {"region": HOME}
"""Parameters of things that no account has to itself."""


async def ids_of_first_account(rig: RestRig) -> dict[str, str]:
    """Parameter -> the id of something new that the first account has, and nobody else may know of."""
    webhook = await webhook_of_first_account(rig)
    job_id = await rig.made(by=OPERATOR)
    [sent] = await rig.ledger.webhooks.deliveries(account=webhook.account, webhook_id=webhook.id)
    return {"job_id": job_id, "webhook_name": webhook.name, "delivery_id": f"dlv-{sent.id:012d}"}


async def webhook_of_first_account(rig: RestRig) -> Webhook:
    """A new one. Nobody listens there."""
    known = await rig.ledger.people.user(ADMIN)
    assert known is not None
    webhook_id = new_webhook_id()
    webhook = Webhook(id=webhook_id, account=known.account.id, name=f"pager-{webhook_id}", url="https://hooks.invalid/")
    sealed = seal_secret(new_secret(), webhook_id=webhook_id, cipher=rig.parts.cipher)
    return await rig.ledger.webhooks.add_webhook(KeptWebhook(webhook=webhook, sealed=sealed))
