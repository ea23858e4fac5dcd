"""A setting of the service, for whoever may look at it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    name: str
    """As it stands in the settings file, with its section: ``server.deletes_allowed``."""
    value: bool | int | float | str
    is_default: bool
    """Nobody has set it."""
    description: str
