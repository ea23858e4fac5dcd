"""The one place that opens the secrets of roles: finds a role in its account's registry, and has it assumed.

It is asked by the keeper of credentials, by pre-flight and by the test of a role; workers have no key for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Access, Policy, cam_policy, iam_policy
from cosbatch.identity.roles import (
    SESSION_SECONDS,
    Assumed,
    RoleAssumer,
    RoleMaker,
    open_credentials,
    purpose_of_role,
)
from cosbatch.ledger.role_port import RoleLedger
from cosbatch.model.errors import InvalidArgument, NoSuchRole, RoleNotAssumed, RoleRefusal, SealBroken
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Role, RoleProvider

_SHOWN_OF_KEY_MAX: Final = 4
"""Characters at each end of a key's ID: enough to know it again, too few to guess it from."""


class ProviderOfRoles(RoleAssumer, RoleMaker, Protocol):
    """STS and role directory of one kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRole:
    """A role of the settings."""

    role: Role
    key: Callable[[], Credentials]
    """Read late. Raises InvalidArgument where it is not there."""


class RoleDesk:
    """Declared roles are every account's that they name, beside those that the ledger keeps."""

    def __init__(
        self,
        ledger: RoleLedger,
        *,
        cipher: Cipher,
        declared: Sequence[DeclaredRole] = (),
        provider: Callable[[RoleProvider], ProviderOfRoles],
    ) -> None:
        """``provider`` loads what speaks to one kind of provider; never asked for STORED."""
        self._ledger = ledger
        self._cipher = cipher
        self._declared: Mapping[tuple[AccountId, str], DeclaredRole] = {
            (known.role.account, known.role.arn): known for known in declared
        }
        self.provider = provider

    async def find(self, arn: str, *, account: AccountId) -> Role:
        """NoSuchRole where the account has none of that ARN."""
        if (account, arn) in self._declared:
            return self._declared[account, arn].role
        return (await self._ledger.role(arn, account=account)).role

    async def is_known(self, arn: str, *, account: AccountId) -> bool:
        try:
            await self.find(arn, account=account)
        except NoSuchRole:
            return False
        return True

    async def roles(self, *, account: AccountId) -> list[Role]:
        """By their ARNs."""
        declared = [known.role for (owner, _), known in self._declared.items() if owner == account]
        arns = {role.arn for role in declared}
        kept = [role for role in await self._ledger.roles(account=account) if role.arn not in arns]
        return sorted([*declared, *kept], key=lambda role: role.arn)

    async def key_of(self, role: Role) -> Credentials:
        """Its secret. RoleNotAssumed (UNUSABLE_SECRET) where it cannot be had."""
        try:
            if role.is_declared:
                return self._declared[role.account, role.arn].key()
            kept = await self._ledger.role(role.arn, account=role.account)
            purpose = purpose_of_role(role.account, role.arn)
            return open_credentials(kept.sealed, cipher=self._cipher, purpose=purpose)
        except (SealBroken, InvalidArgument) as error:
            raise RoleNotAssumed(RoleRefusal.UNUSABLE_SECRET, f"its secret cannot be read: {error}") from error

    async def key_hint(self, role: Role) -> str:
        """The ID of its key without its middle, ``AKID…9xQ2``; empty where its secret cannot be read."""
        try:
            key_id = (await self.key_of(role)).access_key_id
        except RoleNotAssumed:
            return ""
        shown = min(_SHOWN_OF_KEY_MAX, len(key_id) // 3)
        return f"{key_id[:shown]}…{key_id[len(key_id) - shown :]}"

    async def key_numbers(self) -> Mapping[tuple[AccountId, str], int]:
        """By account and ARN; of a role that is not among them it is 0."""
        kept = await self._ledger.key_numbers()
        return {place: number for place, number in kept.items() if place not in self._declared}

    async def assume(self, arn: str, *, account: AccountId, session_name: str, accesses: Sequence[Access]) -> Assumed:
        """Narrowed to ``accesses`` where the provider takes a session policy. Raises NoSuchRole, RoleNotAssumed."""
        role = await self.find(arn, account=account)
        key = await self.key_of(role)
        if role.provider is RoleProvider.STORED:
            return _assumed_of(role, key, is_narrowed=False)
        assumer = self.provider(role.provider)
        try:
            policy = session_policy(role, accesses)
            return _assumed_of(role, await _assumed(assumer, role, key, session_name, policy), is_narrowed=True)
        except RoleNotAssumed as error:
            if error.reason is not RoleRefusal.POLICY_REFUSED:
                raise
        # Better a job with all that its role may do, and told so, than none: the role is the wall, this is the fence.
        return _assumed_of(role, await _assumed(assumer, role, key, session_name, None), is_narrowed=False)


def _assumed_of(role: Role, credentials: Credentials, *, is_narrowed: bool) -> Assumed:
    return Assumed(
        credentials=credentials,
        is_narrowed=is_narrowed,
        writable_buckets=role.writable_buckets,
        key_number=role.key_number,
    )


async def _assumed(
    assumer: RoleAssumer, role: Role, key: Credentials, session_name: str, policy: Policy | None
) -> Credentials:
    return await assumer.assume(
        role, key=key, session_name=session_name, duration_seconds=SESSION_SECONDS, policy=policy
    )


def session_policy(role: Role, accesses: Sequence[Access]) -> Policy:
    """In the language of the role's provider."""
    return cam_policy(accesses) if role.provider is RoleProvider.TENCENT_STS else iam_policy(accesses)
