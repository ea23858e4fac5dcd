"""Roles: the ports to whoever gives a role's credentials, and how credentials are sealed for the ledger.

The key that assumes a role, or the stored credentials themselves, are sealed with the service's cipher; a job's
temporary credentials with one that was narrowed for them, which is all that workers have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Protocol

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Policy
from cosbatch.model.errors import SealBroken
from cosbatch.model.identifiers import AccountId, Bucket, JobId
from cosbatch.model.principals import Role

JOB_CREDENTIALS: Final = "job-credentials"
"""What the cipher of workers was narrowed for."""
SESSION_SECONDS: Final = 3600
"""What is asked for: the least that a role's own limit can be set to, in AWS and in COS."""


class RoleAssumer(Protocol):
    """A provider's STS."""

    async def assume(
        self, role: Role, *, key: Credentials, session_name: str, duration_seconds: int, policy: Policy | None
    ) -> Credentials:
        """Temporary credentials of ``role``, with ``expires_at``. ``policy`` narrows them; POLICY_REFUSED where the
        provider does not take it. Raises RoleNotAssumed."""
        ...


class RoleMaker(Protocol):
    """A provider's role directory."""

    async def create(self, role: Role, *, key: Credentials, name: str, trust: Policy, permission: Policy) -> str:
        """Makes the role with both policies and returns its ARN. Raises RoleNotAssumed; NOT_ALLOWED where the key may
        not, ALREADY_THERE where another one has the name: nothing of that one is changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What came of assuming a role for a job."""

    credentials: Credentials
    is_narrowed: bool
    """Whether the provider took the session policy."""
    writable_buckets: tuple[Bucket, ...] = ()
    """Those that the role is registered for; empty: any."""
    key_number: int = 0
    """Of the role's key that they were made with."""


def purpose_of_role(account: AccountId, arn: str) -> str:
    """What the secret of a registered role is sealed for."""
    return f"role of {account}: {arn}"


def purpose_of_job(job_id: JobId) -> str:
    return f"job {job_id}"


def seal_credentials(credentials: Credentials, *, cipher: Cipher, purpose: str) -> str:
    members = {
        "id": credentials.access_key_id,
        "secret": credentials.secret_access_key,
        "token": credentials.session_token,
        "expires": credentials.expires_at,
    }
    return cipher.seal(json.dumps(members).encode(), purpose=purpose)


def open_credentials(sealed: str, *, cipher: Cipher, purpose: str) -> Credentials:
    """SealBroken where it cannot be opened."""
    try:
        members = json.loads(cipher.open(sealed, purpose=purpose))
        return Credentials(
            access_key_id=members["id"],
            secret_access_key=members["secret"],
            session_token=members["token"],
            expires_at=members["expires"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise SealBroken("what was sealed are no credentials") from error
