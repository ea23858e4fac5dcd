"""The secrets that sign messages to webhooks: sealed in the ledger, opened by whoever sends."""

from __future__ import annotations

from cosbatch.identity.ciphers import Cipher
from cosbatch.model.identifiers import WebhookId
from cosbatch.model.webhooks import KeptWebhook, purpose_of_older_secret, purpose_of_secret


def seal_secret(secret: str, *, webhook_id: WebhookId, cipher: Cipher) -> str:
    return cipher.seal(secret.encode(), purpose=purpose_of_secret(webhook_id))


def seal_older_secret(secret: str, *, webhook_id: WebhookId, cipher: Cipher) -> str:
    return cipher.seal(secret.encode(), purpose=purpose_of_older_secret(webhook_id))


def opened_secrets(kept: KeptWebhook, *, cipher: Cipher) -> list[str]:
    """The current one first. SealBroken where one does not open."""
    webhook_id = kept.webhook.id
    secrets = [cipher.open(kept.sealed, purpose=purpose_of_secret(webhook_id)).decode()]
    if kept.sealed_older:
        secrets.append(cipher.open(kept.sealed_older, purpose=purpose_of_older_secret(webhook_id)).decode())
    return secrets
