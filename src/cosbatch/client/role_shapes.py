"""Roles, and what they need and may. Times are Unix seconds; fields are named as in the API's documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cosbatch.client.shape_reader import Time
from cosbatch.model.principals import RoleProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDetails:
    external_id: str
    sts_endpoint: str
    """Empty: the provider's own."""
    sts_region: str
    access_key_id: str
    """Of its key, without its middle. Empty where its secret cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTried:
    purpose: str
    verdict: str
    """``may``, ``may not`` or ``not tested``."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUse:
    """How many jobs name a role."""

    unfinished: int
    total: int
    """With those that have ended and are still kept."""
    newest_at: Time | None
    """When the newest of them was created; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTest:
    at: Time
    by: str
    outcome: str
    """``passed``, ``failed`` or ``unknown``."""
    refusal: str
    """Why it could not be assumed; empty where it could."""
    accesses: tuple[AccessTried, ...]
    """For operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    role_arn: str
    provider: RoleProvider
    description: str
    is_declared: bool
    """It stands in the settings, and is changed there."""
    created_at: Time | None
    key_changed_at: Time | None
    """When its key was replaced; None where it has the one that it was registered with."""
    writable_buckets: tuple[str, ...]
    """What jobs under it may write or delete from; empty: any bucket."""
    used_by_jobs: RoleUse
    last_test: LastTest | None
    """None where nobody has tested it."""
    provider_details: ProviderDetails | None
    """For admins; None for everybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicies:
    """JSON documents of the provider's own language, to paste there."""

    trust: Mapping[str, Any]
    permission: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMade:
    role: Role
    is_made: bool
    """It was made at the provider."""
    why_not: str
    """Where it was to be made: what the provider has said."""
    policies: RolePolicies | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTested:
    role_arn: str
    is_narrowed: bool
    """False: its provider takes no session policy, so jobs have all its rights."""
    accesses: tuple[AccessTried, ...]
