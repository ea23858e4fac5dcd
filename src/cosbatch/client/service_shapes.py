"""What a service says of itself, and its audit log. Times are Unix seconds.

Words that a newer service may have more of are plain texts here, so that looking at its lists never fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cosbatch.client.shape_reader import Scalar, Time
from cosbatch.model.regions import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationParameter:
    name: str
    is_required: bool
    allowed_values: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    max_length: int | None
    max_items: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedOperation:
    name: str
    field: str
    """Of ``operation`` in a job document."""
    parameters: tuple[OperationParameter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOffer:
    """What the store of a region offers to jobs."""

    name: str
    provider: Provider
    storage_classes: tuple[str, ...]
    """Empty: any."""
    canned_acls: tuple[str, ...]
    options: Mapping[str, str]
    """Option -> ``applied``, ``emulated`` or ``refused``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedProfile:
    """What a region may say that its store is, and what a store does that is one."""

    name: str
    storage_classes: tuple[str, ...]
    """Empty: any."""
    options: Mapping[str, str]
    """As long as a region's ``profile_overrides`` say nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMove:
    to: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMoves:
    """A row of the state table."""

    status: str
    is_final: bool
    moves: tuple[StatusMove, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    priority_max: int
    description_max_bytes: int
    client_request_token_max_bytes: int
    status_update_reason_max_bytes: int
    windows_max: int
    page_default: int
    page_max: int
    body_max_bytes: int
    body_max_depth: int
    calls_per_minute: int
    logins_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Closed lists of words, as they stand in documents and answers."""

    manifest_formats: tuple[str, ...]
    manifest_fields: tuple[str, ...]
    key_encodings: tuple[str, ...]
    report_formats: tuple[str, ...]
    report_scopes: tuple[str, ...]
    verify: tuple[str, ...]
    user_roles: tuple[str, ...]
    token_scopes: tuple[str, ...]
    role_providers: tuple[str, ...]
    failure_codes: tuple[str, ...]
    outcome_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedCall:
    operation_id: str
    """Also the name of the client's method."""
    method: str
    path: str
    access: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    version: str
    can_pause: bool
    deletes_allowed: bool
    """Else every job that deletes is refused, but for its dry run."""
    operations: tuple[OfferedOperation, ...]
    regions: tuple[RegionOffer, ...]
    profiles: tuple[OfferedProfile, ...]
    statuses: tuple[StatusMoves, ...]
    limits: Limits
    words: Words
    error_codes: Mapping[str, str]
    """Code of a refusal -> its status and meaning."""
    calls: tuple[OfferedCall, ...]
    sample: Mapping[str, Any] | None
    """A job document to begin with, as ``create_job`` takes it; None where the service has no demo store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    name: str
    """As it stands in the settings file, with its section: ``server.deletes_allowed``."""
    value: Scalar
    is_default: bool
    """Nobody has set it."""
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSettings:
    version: str
    items: tuple[ShownSetting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what, or was refused it."""

    id: int
    at: Time
    account: str
    actor: str
    via: str
    credential: str
    action: str
    target: str
    outcome: str
    """``done`` or ``refused``."""
    detail: str
    request_id: str
