"""Roles of a service that is called over the network: those of the account of the token."""

from __future__ import annotations

from collections.abc import Sequence

from cosbatch.cli.admin.ports import TriedAccess, TriedRole
from cosbatch.cli.admin.remote_people import PAGE
from cosbatch.client import AsyncClient
from cosbatch.client import role_shapes as told
from cosbatch.identity.credentials import Credentials
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket
from cosbatch.model.jobs import JobRequest
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.service.roles import NewRole, RoleMade, RolePolicies


class RemoteRoles:
    """Implements :class:`cosbatch.cli.admin.ports.RoleDesk`."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def create_role(
        self, new: NewRole, *, make_for: JobRequest | None, source_bucket: Bucket | None, principal: str
    ) -> RoleMade:
        made = await self._client.create_role(
            new.arn,
            provider=new.provider,
            access_key_id=new.key.access_key_id,
            secret_access_key=new.key.secret_access_key,
            session_token=new.key.session_token,
            external_id=new.external_id,
            sts_endpoint=new.sts_endpoint,
            sts_region=new.sts_region,
            description=new.description,
            writable_buckets=new.writable_buckets,
            make_for=make_for,
            source_bucket=source_bucket or "",
            principal=principal,
        )
        return RoleMade(
            role=_role(made.role),
            is_made=made.is_made,
            why_not=made.why_not,
            policies=None if made.policies is None else _policies(made.policies),
        )

    async def list_roles(self) -> Sequence[Role]:
        return [_role(one) async for one in self._client.every(self._client.list_roles, limit=PAGE)]

    async def test_role(self, arn: str, *, request: JobRequest) -> TriedRole:
        tested = await self._client.test_role(arn, request)
        accesses = [TriedAccess(one.purpose, one.verdict, one.detail) for one in tested.accesses]
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
        found = await self._client.role_policies(
            arn,
            provider=provider,
            job=request,
            source_bucket=source_bucket or "",
            external_id=external_id,
            principal=principal,
        )
        return _policies(found)

    async def replace_role_key(self, arn: str, *, key: Credentials) -> Role:
        changed = await self._client.replace_role_key(
            arn,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            session_token=key.session_token,
        )
        return _role(changed)

    async def delete_role(self, arn: str) -> None:
        await self._client.delete_role(arn)


def _policies(found: told.RolePolicies) -> RolePolicies:
    return RolePolicies(trust=dict(found.trust), permission=dict(found.permission))


def _role(found: told.Role) -> Role:
    """Its account is that of whoever asks, and stands in no answer."""
    details = found.provider_details
    return Role(
        arn=found.role_arn,
        account=LOCAL_ACCOUNT,
        provider=found.provider,
        created_at=found.created_at or 0.0,
        description=found.description,
        external_id=details.external_id if details else "",
        sts_endpoint=details.sts_endpoint if details else "",
        sts_region=details.sts_region if details else "",
        is_declared=found.is_declared,
        writable_buckets=tuple(Bucket(name) for name in found.writable_buckets),
        key_changed_at=found.key_changed_at,
    )
