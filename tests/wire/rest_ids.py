"""What stands in the paths of calls, for tests that walk over all of them: whoever adds a path parameter says here what
one of the first account's is."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.roles import purpose_of_role, seal_credentials
from cosbatch.identity.tokens import TokenScope
from cosbatch.identity.webhook_secrets import seal_secret
from cosbatch.model.identifiers import new_webhook_id
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.model.webhooks import KeptWebhook, Webhook
from cosbatch.service.people_names import account_id
from cosbatch.settings import checked_region
from cosbatch.wire.webhook_messages import new_secret
from tests.contract.people import NOW, entry
from tests.unit.service.job_builders import HOME
from tests.wire.rest_rig import OPERATOR, PASSWORD, ROOT, RestRig

SHARED: Final[Mapping[str, str]] = {"region": HOME, "code": "AccessDenied"}
"""Parameters of things that no account has to itself."""
ASKS_A_STORE: Final = frozenset({"test_role"})
"""Calls that need a store, and none stands behind the API of these tests: they may answer 503."""


async def ids_of_first_account(rig: RestRig, names: Collection[str] | None = None) -> dict[str, str]:
    """Parameter -> the id of something new that the first account has, and nobody else may know of; in place of what is
    shared, something new too. Only of these ``names``, where there are some: making it all takes a while."""
    if names is None:
        wanted = _MAKERS
    else:
        wanted = {name: _MAKERS[name] for name in names if name in _MAKERS or name not in SHARED}
    made = {name: await make(rig) for name, make in wanted.items()}
    if "delivery_id" in made:  # of a webhook, whose name goes with it
        made |= await _delivery_and_its_webhook(rig)
    return made


async def _job(rig: RestRig) -> str:
    return await rig.made(by=OPERATOR)


async def _account(rig: RestRig) -> str:
    return (await rig.people.create_account(ROOT, name=_new_name())).name


async def _user(rig: RestRig) -> str:
    made = await rig.people.create_user(ROOT, name=_new_name(), account=account_id("first"), password=PASSWORD)
    return made.user.name


async def _access_key(rig: RestRig) -> str:
    return (await rig.people.create_access_key(ROOT, user=OPERATOR)).key.access_key_id


async def _token(rig: RestRig) -> str:
    scopes = frozenset({TokenScope.JOBS_READ})
    return (await rig.people.create_token(ROOT, user=OPERATOR, scopes=scopes)).token.id


async def _role(rig: RestRig) -> str:
    arn = f"arn:aws:iam::123456789012:role/{_new_name()}"
    role = Role(arn=arn, account=account_id("first"), provider=RoleProvider.STORED, created_at=NOW)
    purpose = purpose_of_role(role.account, arn)
    key = Credentials(access_key_id="AK", secret_access_key="SK")
    await rig.ledger.roles.add_role(role, sealed=seal_credentials(key, cipher=rig.parts.cipher, purpose=purpose))
    return arn


async def _region(rig: RestRig) -> str:
    region = checked_region(_new_name(), {"endpoint": "http://127.0.0.1:9", "profile": "cos"})
    await rig.ledger.regions.add_region(region, entry=entry("create-region"))
    return region.name


async def _webhook(rig: RestRig) -> str:
    return (await webhook_of_first_account(rig)).name


async def _delivery(rig: RestRig) -> str:
    return (await _delivery_and_its_webhook(rig))["delivery_id"]


async def _delivery_and_its_webhook(rig: RestRig) -> dict[str, str]:
    webhook = await webhook_of_first_account(rig)
    await rig.made(by=OPERATOR)
    [sent] = await rig.ledger.webhooks.deliveries(account=webhook.account, webhook_id=webhook.id)
    return {"webhook_name": webhook.name, "delivery_id": f"dlv-{sent.id:012d}"}


async def webhook_of_first_account(rig: RestRig) -> Webhook:
    """A new one. Nobody listens there."""
    webhook_id = new_webhook_id()
    webhook = Webhook(
        id=webhook_id, account=account_id("first"), name=f"pager-{webhook_id}", url="https://hooks.invalid/"
    )
    sealed = seal_secret(new_secret(), webhook_id=webhook_id, cipher=rig.parts.cipher)
    return await rig.ledger.webhooks.add_webhook(KeptWebhook(webhook=webhook, sealed=sealed))


def _new_name() -> str:
    return f"n{uuid.uuid4().hex[:12]}"


_MAKERS: Final[Mapping[str, Callable[[RestRig], Awaitable[str]]]] = {
    "job_id": _job,
    "account": _account,
    "user": _user,
    "access_key_id": _access_key,
    "token_id": _token,
    "role_arn": _role,
    "region": _region,
    "webhook_name": _webhook,
    "delivery_id": _delivery,
}
