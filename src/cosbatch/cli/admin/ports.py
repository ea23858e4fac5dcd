"""What the verbs of ``cosbatch admin`` ask for, wherever it is: of a data folder, or of a service over the network.

Who asks was settled when it was opened. Answers are those of the service's own desks; what is not told over the network
to whoever asks is empty in them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.tokens import ApiToken, TokenScope
from cosbatch.ledger.people_port import AuditFilter, AuditLine
from cosbatch.model.identifiers import AccountId, Bucket
from cosbatch.model.jobs import JobRequest
from cosbatch.model.principals import AccessKey, Account, Role, RoleProvider, User, UserRole
from cosbatch.model.states import JobStatus
from cosbatch.model.webhooks import Webhook
from cosbatch.service.people import NewAccessKey, NewToken, NewUser
from cosbatch.service.regions import KnownRegion
from cosbatch.service.roles import NewRole, RoleMade, RolePolicies
from cosbatch.service.webhooks import TrialMessage, WebhookMade


class PeopleDesk(Protocol):
    async def create_account(self, *, name: str, uin: str, appid: str, aws_account_id: str) -> Account: ...

    async def list_accounts(self) -> Sequence[Account]: ...

    async def set_account_disabled(self, account: AccountId, *, is_disabled: bool) -> Account: ...

    async def create_user(self, *, name: str, account: AccountId | None, role: UserRole, password: str) -> NewUser: ...

    async def list_users(self, *, account: AccountId | None) -> Sequence[User]: ...

    async def set_user_disabled(self, name: str, *, is_disabled: bool) -> User: ...

    async def reset_password(self, name: str) -> str: ...

    async def delete_user(self, name: str) -> None:
        """Of one that is disabled."""
        ...

    async def create_access_key(self, *, user: str, description: str) -> NewAccessKey: ...

    async def list_access_keys(self, *, account: AccountId | None, user: str | None) -> Sequence[AccessKey]: ...

    async def set_access_key_disabled(self, access_key_id: str, *, is_disabled: bool) -> None: ...

    async def delete_access_key(self, access_key_id: str) -> None:
        """Of one that is disabled."""
        ...

    async def create_token(
        self, *, user: str, scopes: frozenset[TokenScope], lasts_days: float | None, description: str
    ) -> NewToken: ...

    async def list_tokens(self, *, account: AccountId | None, user: str | None) -> Sequence[ApiToken]: ...

    async def revoke_token(self, token_id: str) -> ApiToken:
        """On this host the token's text is taken as well."""
        ...

    async def audit(
        self, *, account: AccountId | None, before: int | None, limit: int, wanted: AuditFilter
    ) -> Sequence[AuditLine]:
        """Newest first."""
        ...


class RegionDesk(Protocol):
    async def create_region(self, *, name: str, fields: Mapping[str, Any]) -> KnownRegion: ...

    async def list_regions(self) -> Sequence[KnownRegion]: ...

    async def describe_region(self, name: str) -> KnownRegion: ...

    async def update_region(self, name: str, *, fields: Mapping[str, Any], unset: Collection[str]) -> KnownRegion: ...

    async def delete_region(self, name: str) -> None: ...


class TriedAccess(NamedTuple):
    purpose: str
    verdict: str
    detail: str


class TriedRole(NamedTuple):
    """What a role may do of what a job needs."""

    is_narrowed: bool
    """Whether its provider took a session policy."""
    accesses: Sequence[TriedAccess]


class RoleDesk(Protocol):
    async def create_role(
        self, new: NewRole, *, make_for: JobRequest | None, source_bucket: Bucket | None, principal: str
    ) -> RoleMade: ...

    async def list_roles(self) -> Sequence[Role]: ...

    async def test_role(self, arn: str, *, request: JobRequest) -> TriedRole: ...

    async def policies_for(
        self,
        arn: str,
        *,
        provider: RoleProvider,
        request: JobRequest,
        source_bucket: Bucket | None,
        external_id: str,
        principal: str,
    ) -> RolePolicies: ...

    async def replace_role_key(self, arn: str, *, key: Credentials) -> Role: ...

    async def delete_role(self, arn: str) -> None: ...


class ShownDelivery(NamedTuple):
    """A message to a webhook. Times are Unix seconds."""

    id: int
    message_id: str
    job_id: str
    status: JobStatus
    happened_at: float
    state: str
    attempts: int
    next_at: float | None
    done_at: float | None
    http_status: int | None
    problem: str


class WebhookDesk(Protocol):
    async def create_webhook(self, *, name: str, url: str, statuses: Sequence[JobStatus]) -> WebhookMade: ...

    async def list_webhooks(self) -> Sequence[Webhook]: ...

    async def enable_webhook(self, name: str, *, is_enabled: bool) -> None: ...

    async def rotate_webhook_secret(self, name: str) -> WebhookMade: ...

    async def delete_webhook(self, name: str) -> None: ...

    async def test_webhook(self, name: str) -> TrialMessage: ...

    async def webhook_deliveries(self, name: str, *, limit: int) -> Sequence[ShownDelivery]:
        """Newest first."""
        ...

    async def redeliver_message(self, name: str, delivery_id: int) -> ShownDelivery: ...
