"""What service and engine ask of the ledger about roles: who is registered, and what a job acts with at present.

Secrets come sealed and go sealed: the ledger has no key. As in :mod:`cosbatch.ledger.port`, a change is one
transaction, and each method says what repeating it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cosbatch.identity.role_tests import RoleTest
from cosbatch.model.identifiers import AccountId, Bucket, JobId
from cosbatch.model.principals import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRole:
    """A registered role with its secret."""

    role: Role
    sealed: str = field(repr=False)
    """The key that assumes it, or for a stored role its credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialTerms:
    """What is known of a job's credentials without opening them. Times are Unix seconds."""

    assumed_at: float
    expires_at: float | None
    """None: never."""
    is_narrowed: bool
    """A session policy holds them to the job's own buckets and actions."""
    is_for_tasks: bool
    """They are good for the tasks too: those of a session policy that was made before the manifest was read may only
    read it."""
    writable_buckets: tuple[Bucket, ...] = ()
    """Of the role, as it was registered when it was assumed: what the job may write. Empty: any bucket."""
    key_number: int = 0
    """Of the role's key that they were made with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCredentials:
    """What a job acts with."""

    terms: CredentialTerms
    sealed: str = field(repr=False)


class RoleLedger(Protocol):
    """Roles are found by their ARN within an account; another account's do not exist for it."""

    async def add_role(self, role: Role, *, sealed: str) -> None:
        """InvalidArgument where the account has one of that ARN."""
        ...

    async def role(self, arn: str, *, account: AccountId) -> KeptRole:
        """NoSuchRole where there is none, or it is another account's."""
        ...

    async def roles(self, *, account: AccountId | None) -> list[Role]:
        """By their ARNs. None: those of all accounts."""
        ...

    async def replace_key(self, arn: str, *, account: AccountId, sealed: str, at: float) -> Role:
        """The role with another key, from ``at`` (Unix seconds) on: its number is greater by one. Nothing is left here
        of the key before, nor of what the role was found to be allowed with it. NoSuchRole where there is none."""
        ...

    async def key_numbers(self) -> Mapping[tuple[AccountId, str], int]:
        """Of every registered role whose key was ever replaced, by account and ARN."""
        ...

    async def remove_role(self, arn: str, *, account: AccountId) -> None:
        """NoSuchRole where there is none. What jobs have assumed stays with them until it expires; what it was found to
        be allowed goes with it."""
        ...

    async def keep_test(self, arn: str, *, account: AccountId, test: RoleTest) -> None:
        """In place of the one before. Also of a role that the settings declare: it need not be registered here."""
        ...

    async def tests(self, *, account: AccountId) -> Mapping[str, RoleTest]:
        """The last one of each role that was ever tested, by its ARN."""
        ...

    async def keep_credentials(self, job_id: JobId, credentials: JobCredentials) -> None:
        """In place of those that the job had. NoSuchJob where there is no such job."""
        ...

    async def credentials(self, job_id: JobId) -> JobCredentials | None: ...

    async def credential_terms(self) -> Mapping[JobId, CredentialTerms]:
        """Of every job that has credentials."""
        ...

    async def forget_credentials(self, job_id: JobId) -> None:
        """Repeating it does nothing."""
        ...
