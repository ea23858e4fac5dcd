"""The desks of a data folder on this host, for one caller."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cosbatch.cli.admin.ports import ShownDelivery, TriedAccess, TriedRole
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.tokens import ApiToken, TokenScope
from cosbatch.ledger.people_port import AuditFilter, AuditLine
from cosbatch.model.identifiers import AccountId, Bucket
from cosbatch.model.jobs import JobRequest
from cosbatch.model.principals import AccessKey, Account, Caller, Role, RoleProvider, User, UserRole
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import Delivery, Webhook
from cosbatch.service.people import NewAccessKey, NewToken, NewUser, People
from cosbatch.service.regions import KnownRegion, RegionService
from cosbatch.service.roles import NewRole, RoleMade, RolePolicies, RoleService
from cosbatch.service.webhooks import TrialMessage, WebhookMade, WebhookService


class EmbeddedPeople:
    """Implements :class:`cosbatch.cli.admin.ports.PeopleDesk`."""

    def __init__(self, people: People, *, caller: Caller) -> None:
        self._people = people
        self._caller = caller

    async def create_account(self, *, name: str, uin: str, appid: str, aws_account_id: str) -> Account:
        return await self._people.create_account(
            self._caller, name=name, uin=uin, appid=appid, aws_account_id=aws_account_id
        )

    async def list_accounts(self) -> Sequence[Account]:
        return await self._people.list_accounts(self._caller)

    async def set_account_disabled(self, account: AccountId, *, is_disabled: bool) -> Account:
        return await self._people.set_account_disabled(self._caller, account, is_disabled=is_disabled)

    async def create_user(self, *, name: str, account: AccountId | None, role: UserRole, password: str) -> NewUser:
        return await self._people.create_user(self._caller, name=name, account=account, role=role, password=password)

    async def list_users(self, *, account: AccountId | None) -> Sequence[User]:
        return await self._people.list_users(self._caller, account=account)

    async def set_user_disabled(self, name: str, *, is_disabled: bool) -> User:
        return await self._people.change_user(self._caller, name, is_disabled=is_disabled)

    async def reset_password(self, name: str) -> str:
        return await self._people.reset_password(self._caller, name)

    async def delete_user(self, name: str) -> None:
        await self._people.delete_user(self._caller, name)

    async def create_access_key(self, *, user: str, description: str) -> NewAccessKey:
        return await self._people.create_access_key(self._caller, user=user, description=description)

    async def list_access_keys(self, *, account: AccountId | None, user: str | None) -> Sequence[AccessKey]:
        return await self._people.list_access_keys(self._caller, account=account, user=user)

    async def set_access_key_disabled(self, access_key_id: str, *, is_disabled: bool) -> None:
        await self._people.set_access_key_disabled(self._caller, access_key_id, is_disabled=is_disabled)

    async def delete_access_key(self, access_key_id: str) -> None:
        await self._people.delete_access_key(self._caller, access_key_id)

    async def create_token(
        self, *, user: str, scopes: frozenset[TokenScope], lasts_days: float | None, description: str
    ) -> NewToken:
        return await self._people.create_token(
            self._caller, user=user, scopes=scopes, lasts_days=lasts_days, description=description
        )

    async def list_tokens(self, *, account: AccountId | None, user: str | None) -> Sequence[ApiToken]:
        return await self._people.list_tokens(self._caller, account=account, user=user)

    async def revoke_token(self, token_id: str) -> ApiToken:
        return await self._people.revoke_token(self._caller, token_id)

    async def audit(
        self, *, account: AccountId | None, before: int | None, limit: int, wanted: AuditFilter
    ) -> Sequence[AuditLine]:
        return await self._people.audit(self._caller, account=account, before=before, limit=limit, wanted=wanted)


class EmbeddedRegions:
    """Implements :class:`cosbatch.cli.admin.ports.RegionDesk`."""

    def __init__(self, regions: RegionService, *, caller: Caller) -> None:
        self._regions = regions
        self._caller = caller

    async def create_region(self, *, name: str, fields: Mapping[str, Any]) -> KnownRegion:
        return await self._regions.create_region(self._caller, name=name, fields=fields)

    async def list_regions(self) -> Sequence[KnownRegion]:
        return await self._regions.list_regions(self._caller)

    async def describe_region(self, name: str) -> KnownRegion:
        return await self._regions.describe_region(self._caller, name)

    async def update_region(self, name: str, *, fields: Mapping[str, Any], unset: Collection[str]) -> KnownRegion:
        return await self._regions.update_region(self._caller, name, fields=fields, unset=unset)

    async def delete_region(self, name: str) -> None:
        await self._regions.delete_region(self._caller, name)


class EmbeddedRoles:
    """Implements :class:`cosbatch.cli.admin.ports.RoleDesk`."""

    def __init__(self, roles: RoleService, *, caller: Caller) -> None:
        self._roles = roles
        self._caller = caller

    async def create_role(
        self, new: NewRole, *, make_for: JobRequest | None, source_bucket: Bucket | None, principal: str
    ) -> RoleMade:
        return await self._roles.create_role(
            new, caller=self._caller, make_for=make_for, source_bucket=source_bucket, principal=principal
        )

    async def list_roles(self) -> Sequence[Role]:
        return await self._roles.list_roles(caller=self._caller)

    async def test_role(self, arn: str, *, request: JobRequest) -> TriedRole:
        tested = await self._roles.test_role(arn, caller=self._caller, request=request)
        accesses = [TriedAccess(str(one.purpose), str(one.verdict), one.detail) for one in tested.accesses]
        return TriedRole(tested.is_narrowed, accesses)

    async def policies_for(
        self,
        arn: str,
        *,
        provider: RoleProvider,
        request: JobRequest,
        source_bucket: Bucket | None,
        external_id: str,
        principal: str,
    ) -> RolePolicies:
        return self._roles.policies_for(
            arn,
            provider=provider,
            request=request,
            source_bucket=source_bucket,
            external_id=external_id,
            principal=principal,
        )

    async def replace_role_key(self, arn: str, *, key: Credentials) -> Role:
        return await self._roles.replace_role_key(arn, key=key, caller=self._caller)

    async def delete_role(self, arn: str) -> None:
        await self._roles.delete_role(arn, caller=self._caller)


class EmbeddedWebhooks:
    """Implements :class:`cosbatch.cli.admin.ports.WebhookDesk`."""

    def __init__(self, webhooks: WebhookService, *, caller: Caller) -> None:
        self._webhooks = webhooks
        self._caller = caller

    async def create_webhook(self, *, name: str, url: str, statuses: Sequence[JobStatus]) -> WebhookMade:
        return await self._webhooks.create_webhook(self._caller, name=name, url=url, statuses=statuses)

    async def list_webhooks(self) -> Sequence[Webhook]:
        return await self._webhooks.list_webhooks(self._caller)

    async def enable_webhook(self, name: str, *, is_enabled: bool) -> None:
        await self._webhooks.enable_webhook(self._caller, name, is_enabled=is_enabled)

    async def rotate_webhook_secret(self, name: str) -> WebhookMade:
        return await self._webhooks.rotate_webhook_secret(self._caller, name)

    async def delete_webhook(self, name: str) -> None:
        await self._webhooks.delete_webhook(self._caller, name)

    async def test_webhook(self, name: str) -> TrialMessage:
        return await self._webhooks.test_webhook(self._caller, name)

    async def webhook_deliveries(self, name: str, *, limit: int) -> Sequence[ShownDelivery]:
        found = await self._webhooks.webhook_deliveries(self._caller, name, limit=limit)
        return [_shown(delivery) for delivery in found]

    async def redeliver_message(self, name: str, delivery_id: int) -> ShownDelivery:
        return _shown(await self._webhooks.redeliver_message(self._caller, name, delivery_id))


def _shown(delivery: Delivery) -> ShownDelivery:
    return ShownDelivery(
        id=delivery.id,
        message_id=delivery.change.message_id,
        job_id=delivery.change.job_id,
        status=delivery.change.status,
        happened_at=delivery.change.at,
        state=str(delivery.state),
        attempts=delivery.attempts,
        next_at=delivery.next_at,
        done_at=delivery.done_at,
        http_status=delivery.last_http_status,
        problem=delivery.last_error,
    )
