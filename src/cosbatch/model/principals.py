"""Who uses the service: accounts, their users and keys, the roles under which jobs act, and who makes a call.

A secret is in none of these values: it is shown once when it is made, and stands encrypted or hashed in the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket


class UserRole(StrEnum):
    """What a user may do in its account; each may also do what stands before it."""

    VIEWER = "viewer"
    """Look at jobs, reports, settings."""
    OPERATOR = "operator"
    """Make and change jobs; use roles."""
    ADMIN = "admin"
    """Change users, keys, roles, regions; look at the audit log."""

    def may(self, needed: UserRole) -> bool:
        """Whether somebody of this role may do what needs ``needed``."""
        return _RANK[self] >= _RANK[needed]


_RANK: Final = {role: rank for rank, role in enumerate(UserRole)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A wall: jobs, keys, roles and reports of one account do not exist for another. Clients name it by one of three
    numbers, each of which belongs to one account only."""

    id: AccountId
    name: str
    uin: str
    """``<uin>.cos-control.<region>...``, and the root account in CAM role ARNs; digits."""
    appid: str
    """``x-cos-appid``; digits."""
    aws_account_id: str
    """``x-amz-account-id``; twelve digits."""
    created_at: float
    is_disabled: bool = False
    """Nobody of it gets in; its jobs go on."""
    is_declared: bool = False
    """It stands in the settings, and can be changed there only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or a program. Its name is unique in the whole service."""

    name: str
    account: AccountId
    role: UserRole
    created_at: float
    must_change_password: bool = False
    is_disabled: bool = False
    is_declared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """Signs calls of the wires for its user."""

    access_key_id: str
    """COS: SecretId."""
    user: str
    account: AccountId
    created_at: float
    description: str = ""
    is_disabled: bool = False
    last_used_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who makes a call, after its signature, token or session was found to be true."""

    account: Account
    user: str
    role: UserRole
    via: str
    """``cos``, ``rest``, ``console``, ``cli``."""
    credential: str = ""
    """The access key's or token's id, for the audit log; never a secret."""

    def __str__(self) -> str:
        """As a job's events name it: ``alice via cos``."""
        return f"{self.user} via {self.via}"


LOCAL_CALLER: Final = Caller(
    account=Account(id=LOCAL_ACCOUNT, name="local", uin="", appid="", aws_account_id="", created_at=0.0),
    user="local",
    role=UserRole.ADMIN,
    via="cli",
)
"""Whoever runs the program on its own data folder, without a service: nobody has to be let in."""


class RoleProvider(StrEnum):
    """Who gives a role's credentials."""

    TENCENT_STS = "tencent-sts"
    AWS_STS = "aws-sts"
    """AWS and every store that has its AssumeRole: Ceph, MinIO, SeaweedFS."""
    STORED = "stored"
    """Credentials that stand encrypted in the ledger, for stores without an STS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The identity under which a job acts. Jobs name it by its ARN."""

    arn: str
    """``qcs::cam::uin/<uin>:roleName/<name>`` or ``arn:aws:iam::<account>:role/<name>``; unique in the account."""
    account: AccountId
    provider: RoleProvider
    created_at: float
    description: str = ""
    external_id: str = ""
    sts_endpoint: str = ""
    """Empty: the provider's own."""
    sts_region: str = ""
    is_declared: bool = False
    writable_buckets: tuple[Bucket, ...] = ()
    """Buckets that jobs under it may write or delete from; empty: any that its provider lets it."""
    key_number: int = 0
    """How often its key was replaced."""
    key_changed_at: float | None = None
    """Unix seconds; None where it has the key that it was registered with."""
