"""Settings -> objects: the only room that names concrete adapters."""

from __future__ import annotations

from cosbatch.wiring.admin import back_up_ledger, open_people, restore_ledger, rotate_key
from cosbatch.wiring.engine import (
    Engine,
    EngineLoad,
    RegionStores,
    borrowed_store,
    engine_limits,
    has_jobs,
    inspect,
    logging_to_folder,
    open_engine,
    open_service,
    probe,
    profile_of,
)
from cosbatch.wiring.roles import open_roles, role_service

__all__ = [
    "Engine",
    "EngineLoad",
    "RegionStores",
    "back_up_ledger",
    "borrowed_store",
    "engine_limits",
    "has_jobs",
    "inspect",
    "logging_to_folder",
    "open_engine",
    "open_people",
    "open_roles",
    "open_service",
    "probe",
    "profile_of",
    "restore_ledger",
    "role_service",
    "rotate_key",
]
