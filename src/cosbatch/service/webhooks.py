"""The verbs of webhooks: making, changing and deleting them, a test message, and what was sent to them lately.

An admin of an account has them. Those that the settings declare are looked at here and changed there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.webhook_secrets import opened_secrets, seal_older_secret, seal_secret
from cosbatch.ledger.webhook_port import WebhookLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import Fault, InvalidArgument, NoSuchName, NotAllowed, PostFailed, SealBroken
from cosbatch.model.identifiers import AccountId, new_message_id, new_webhook_id
from cosbatch.model.principals import Caller, UserRole
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import WEBHOOK_NAME, Delivery, KeptWebhook, Webhook
from cosbatch.service.audit import Record, audited
from cosbatch.storage.public_addresses import why_not_public
from cosbatch.wire.webhook_messages import Post, is_secret, new_secret, signed_headers, told_of_status, trial_message

URL_MAX: Final = 2000
WEBHOOKS_MAX: Final = 50
"""Of one account: each change of a job writes a row for each of them."""
OLDER_SECRET_SECONDS: Final = 86400.0
"""How long the secret before a rotation signs as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMade:
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)
    """``whsec_...``, as libraries of the Standard Webhooks scheme take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMessage:
    """What came of a test message."""

    is_taken: bool
    message_id: str
    http_status: int | None
    problem: str
    """Empty where it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredWebhook:
    """A webhook as the settings have it, its secret read already."""

    account: AccountId
    name: str
    url: str
    secret: str = field(repr=False)
    statuses: tuple[JobStatus, ...] = ()
    is_enabled: bool = True


class WebhookService:
    """Another account's webhooks do not exist for a caller (NoSuchName)."""

    def __init__(
        self,
        ledger: WebhookLedger,
        *,
        cipher: Cipher,
        post: Post,
        clock: Clock,
        source: str,
        allow_private: bool,
        record: Record,
    ) -> None:
        """``post`` sends test messages, ``source`` names the service in them. ``allow_private``: addresses that are not
        of the public internet may be named, and http."""
        self._ledger = ledger
        self._cipher = cipher
        self._post = post
        self._clock = clock
        self._source = source
        self._allow_private = allow_private
        self._record = record

    # --- looking

    async def list_webhooks(self, caller: Caller) -> list[Webhook]:
        """By name; no secrets."""
        _check_admin(caller)
        return await self._ledger.webhooks(account=caller.account.id)

    async def describe_webhook(self, caller: Caller, name: str) -> Webhook:
        _check_admin(caller)
        return (await self._ledger.webhook(name, account=caller.account.id)).webhook

    async def webhook_deliveries(
        self, caller: Caller, name: str, *, before: int | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Newest first, strictly older than the id ``before``; those of a week."""
        webhook = await self.describe_webhook(caller, name)
        return await self._ledger.deliveries(
            account=caller.account.id, webhook_id=webhook.id, before=before, limit=limit
        )

    # --- changing

    async def create_webhook(
        self, caller: Caller, *, name: str, url: str, statuses: Sequence[JobStatus] = (), secret: str = ""
    ) -> WebhookMade:
        """``statuses``: what it is told of; none: every change. Without ``secret`` one is made. InvalidArgument with
        all faults."""
        async with audited(self._record, caller, "create-webhook", target=name) as write:
            _check_admin(caller)
            faults = list(webhook_faults(name=name, url=url, secret=secret, allow_private=self._allow_private))
            if len(await self._ledger.webhooks(account=caller.account.id)) >= WEBHOOKS_MAX:
                problem, way_out = f"the account has {WEBHOOKS_MAX} webhooks, the most that it may", "delete one first"
                faults.append(Fault(path="name", value=name[:200], problem=problem, way_out=way_out))
            if faults:
                raise InvalidArgument("the webhook cannot be made", faults=faults)
            write.detail = url
            webhook_id, chosen = new_webhook_id(), secret or new_secret()
            webhook = Webhook(
                id=webhook_id,
                account=caller.account.id,
                name=name,
                url=url,
                statuses=tuple(dict.fromkeys(statuses)),
            )
            sealed = seal_secret(chosen, webhook_id=webhook_id, cipher=self._cipher)
            made = await self._ledger.add_webhook(KeptWebhook(webhook=webhook, sealed=sealed))
        return WebhookMade(webhook=made, secret=chosen)

    async def enable_webhook(self, caller: Caller, name: str, *, is_enabled: bool) -> Webhook:
        """What waits for one that is disabled is given up."""
        action = "enable-webhook" if is_enabled else "disable-webhook"
        async with audited(self._record, caller, action, target=name):
            await self._changeable(caller, name)
            return await self._ledger.enable_webhook(name, account=caller.account.id, is_enabled=is_enabled)

    async def rotate_webhook_secret(self, caller: Caller, name: str) -> WebhookMade:
        """A new secret; for a day messages are signed with the one before as well."""
        async with audited(self._record, caller, "rotate-webhook-secret", target=name):
            kept = await self._changeable(caller, name)
            webhook_id, secret = kept.webhook.id, new_secret()
            older = opened_secrets(kept, cipher=self._cipher)[0]
            changed = await self._ledger.rotate_secret(
                name,
                account=caller.account.id,
                sealed=seal_secret(secret, webhook_id=webhook_id, cipher=self._cipher),
                sealed_older=seal_older_secret(older, webhook_id=webhook_id, cipher=self._cipher),
                keep_seconds=OLDER_SECRET_SECONDS,
            )
        return WebhookMade(webhook=changed, secret=secret)

    async def delete_webhook(self, caller: Caller, name: str) -> None:
        """With all that waits to be sent to it."""
        async with audited(self._record, caller, "delete-webhook", target=name):
            await self._changeable(caller, name)
            await self._ledger.remove_webhook(name, account=caller.account.id)

    # --- sending

    async def test_webhook(self, caller: Caller, name: str) -> TrialMessage:
        """Sends a message that tells of no job, once and now, also to one that is disabled."""
        async with audited(self._record, caller, "test-webhook", target=name) as write:
            _check_admin(caller)
            kept = await self._ledger.webhook(name, account=caller.account.id)
            sent = await self._test(kept)
            write.detail = "it was taken" if sent.is_taken else sent.problem
        return sent

    async def _test(self, kept: KeptWebhook) -> TrialMessage:
        message_id, now = new_message_id(), self._clock.now()
        body = trial_message(kept.webhook.name, message_id=message_id, source=self._source, at=now)
        status, problem = None, ""
        try:
            secrets = opened_secrets(kept, cipher=self._cipher)
            headers = signed_headers(body, message_id=message_id, now=now, secrets=secrets)
            status = await self._post(kept.webhook.url, headers=headers, body=body)
        except (PostFailed, SealBroken) as error:
            problem = str(error)
        is_taken = status is not None and 200 <= status < 300
        if status is not None and not is_taken:
            problem = told_of_status(status)
        return TrialMessage(is_taken=is_taken, message_id=message_id, http_status=status, problem=problem)

    async def redeliver_message(self, caller: Caller, name: str, delivery_id: int) -> Delivery:
        """A message of the list of deliveries is due again, under the same id. Not to a webhook that is disabled."""
        async with audited(self._record, caller, "redeliver-message", target=name) as write:
            write.detail = f"delivery {delivery_id}"
            webhook = await self.describe_webhook(caller, name)
            if not webhook.is_enabled:
                raise InvalidArgument(f"the webhook {name!r} is disabled; enable it first")
            return await self._ledger.redeliver(delivery_id, account=caller.account.id, webhook_id=webhook.id)

    async def _changeable(self, caller: Caller, name: str) -> KeptWebhook:
        _check_admin(caller)
        kept = await self._ledger.webhook(name, account=caller.account.id)
        if kept.webhook.is_declared:
            raise NotAllowed(f"the webhook {name!r} is declared in the settings; change it there")
        return kept


def webhook_faults(*, name: str, url: str, secret: str, allow_private: bool, path: str = "") -> Iterator[Fault]:
    """An empty ``secret`` is none, and no fault. ``path`` stands before the names of fields."""
    if not WEBHOOK_NAME.fullmatch(name):
        way_out = "1 to 64 letters, digits and . _ -, of which the first is a letter or a digit"
        yield Fault(path=f"{path}name", value=name[:200], problem="it is no name", way_out=way_out)
    problem = url_problem(url, allow_private=allow_private)
    if problem is not None:
        shown = "(hidden)" if "@" in url else url[:200]
        yield Fault(path=f"{path}url", value=shown, problem=problem[0], way_out=problem[1])
    if secret and not is_secret(secret):
        way_out = "write whsec_ and 24 to 64 random bytes in base64"
        yield Fault(
            path=f"{path}secret", value="(hidden)", problem="is no secret of Standard Webhooks", way_out=way_out
        )


def url_problem(url: str, *, allow_private: bool) -> tuple[str, str] | None:
    """Problem and way out; None for an address that may be kept. What its name leads to is checked at each message."""
    form = "write https://host[:port]/path, without a user, a fragment or spaces, in ASCII"
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        return f"is no address of at most {URL_MAX} characters", form
    try:
        parts = urlsplit(url)
        host, has_port_fault = parts.hostname, parts.port == 0
    except ValueError:
        return "is no address", form
    if parts.scheme not in ("https", "http") or not host or has_port_fault or "@" in parts.netloc or parts.fragment:
        return "is no address of a webhook", form
    if allow_private:
        return None
    if parts.scheme == "http":
        return "is not https: messages would go over the network unencrypted", form
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return None
    why_not = why_not_public(host)
    return None if why_not is None else (why_not, "name a host of the public internet, or ask the operator")


async def declare_webhooks(
    ledger: WebhookLedger, declared: Sequence[DeclaredWebhook], *, cipher: Cipher, clock: Clock
) -> None:
    """Brings the ledger's declared webhooks to what the settings say. A secret that has changed goes on signing for a
    day. NameTaken where they contradict what was made by hand."""
    kept = [await _declared(ledger, each, cipher=cipher, clock=clock) for each in declared]
    await ledger.declare_webhooks(kept)


async def _declared(ledger: WebhookLedger, new: DeclaredWebhook, *, cipher: Cipher, clock: Clock) -> KeptWebhook:
    known = await _known(ledger, new)
    webhook = Webhook(
        id=known.webhook.id if known else new_webhook_id(),
        account=new.account,
        name=new.name,
        url=new.url,
        statuses=new.statuses,
        is_enabled=new.is_enabled,
        is_declared=True,
    )
    sealed = seal_secret(new.secret, webhook_id=webhook.id, cipher=cipher)
    older, until = _older_secret(known, new.secret, cipher=cipher, clock=clock)
    if not older:
        return KeptWebhook(webhook=webhook, sealed=sealed)
    return KeptWebhook(
        webhook=replace(webhook, older_secret_until=until),
        sealed=sealed,
        sealed_older=seal_older_secret(older, webhook_id=webhook.id, cipher=cipher),
    )


async def _known(ledger: WebhookLedger, new: DeclaredWebhook) -> KeptWebhook | None:
    try:
        return await ledger.webhook(new.name, account=new.account)
    except NoSuchName:
        return None


def _older_secret(known: KeptWebhook | None, secret: str, *, cipher: Cipher, clock: Clock) -> tuple[str, float | None]:
    """The secret that signs as well, and until when; an empty one where there is none."""
    if known is None:
        return "", None
    try:
        current, *older = opened_secrets(known, cipher=cipher)
    except SealBroken:
        return "", None
    if current != secret:
        return current, clock.now() + OLDER_SECRET_SECONDS
    return (older[0], known.webhook.older_secret_until) if older else ("", None)


def _check_admin(caller: Caller) -> None:
    if not caller.role.may(UserRole.ADMIN):
        raise NotAllowed(f"user {caller.user} is a {caller.role} and may not use webhooks; that takes an admin")
