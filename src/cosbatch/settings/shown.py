"""The settings that are shown over the network: numbers and switches by which a service works. No secrets, no paths of
its host, and nobody's names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from cosbatch.service.shown_settings import ShownSetting
from cosbatch.settings.loading import Settings

SHOWN: Final = frozenset(
    {
        "workers", "lease_seconds", "poll_seconds", "connect_timeout_seconds", "request_timeout_seconds",
        "checkpoint_seconds", "hold_limit_seconds", "settle_limit_seconds", "suspended_expiry_days", "retention_days",
        "max_unfinished_jobs", "report_limit_hours", "min_free_spool_share", "chunk_rows", "log_format",
        "server.drain_seconds", "server.body_seconds", "server.max_body_bytes",
        "server.max_connections", "server.deletes_allowed", "server.calls_per_minute", "server.logins_per_minute",
        "server.webhooks_allow_private", "prices.currency",
    }
)  # fmt: skip
"""One that is new is not shown before somebody says so here."""


def shown_settings(settings: Settings) -> tuple[ShownSetting, ...]:
    """As they hold now, in the order of the reference page."""
    return tuple(shown for name, shown in _fields(settings) if name in SHOWN)


def _fields(section: BaseModel, *, below: str = "") -> Iterator[tuple[str, ShownSetting]]:
    for field, known in type(section).model_fields.items():
        name, value = f"{below}{field}", getattr(section, field)
        if isinstance(value, BaseModel):
            yield from _fields(value, below=f"{name}.")
        else:
            is_default = field not in section.model_fields_set
            yield (
                name,
                ShownSetting(name=name, value=value, is_default=is_default, description=known.description or ""),
            )
