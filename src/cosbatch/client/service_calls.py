"""Calls about the service itself, and its audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cosbatch.client.calls import ApiCall, as_it_is, downloading, looking
from cosbatch.client.paging import Page, pages_of
from cosbatch.client.reading import wire_time
from cosbatch.client.service_shapes import AuditLine, Capabilities, ShownSettings
from cosbatch.client.shape_reader import record


def get_capabilities() -> ApiCall[Capabilities]:
    """Operations and their parameters, what each region's store offers, the state table, limits, words, calls."""
    return looking("/capabilities", record(Capabilities))


def get_openapi_document() -> ApiCall[Mapping[str, Any]]:
    """The description of the API, OpenAPI 3.1."""
    return looking("/openapi.json", as_it_is)


def list_settings() -> ApiCall[ShownSettings]:
    """Numbers and switches that a service works by; no secrets, paths or names. For admins."""
    return looking("/settings", record(ShownSettings))


def list_audit(
    *,
    account: str = "",
    actor: str = "",
    action: str = "",
    target: str = "",
    outcome: str | None = None,
    since: float | None = None,
    until: float | None = None,
    limit: int = 50,
    cursor: str = "",
) -> ApiCall[Page[AuditLine]]:
    """Who changed what, newest first; also what was refused. ``since`` and ``until`` are Unix seconds; ``outcome`` is
    ``done`` or ``refused``."""
    wanted = _wanted(account, actor, action, target, outcome, since, until)
    return looking("/audit", pages_of(AuditLine), **wanted, limit=limit, cursor=cursor)


def download_audit(
    into: Callable[[bytes], object],
    *,
    account: str = "",
    actor: str = "",
    action: str = "",
    target: str = "",
    outcome: str | None = None,
    since: float | None = None,
    until: float | None = None,
) -> ApiCall[None]:
    """Gives ``into``, a file's ``write`` say, the same lines as CSV, piece by piece."""
    return downloading("/audit.csv", into, **_wanted(account, actor, action, target, outcome, since, until))


def _wanted(
    account: str,
    actor: str,
    action: str,
    target: str,
    outcome: str | None,
    since: float | None,
    until: float | None,
) -> Mapping[str, Any]:
    return {
        "account": account,
        "actor": actor,
        "action": action,
        "target": target,
        "outcome": outcome,
        "since": wire_time(since),
        "until": wire_time(until),
    }
