"""Settings -> objects: the only room that names concrete adapters.

A name's module is imported when the name is asked for: a run of one job needs half of them, and nobody all.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cosbatch.engine.processes import Supervisor
    from cosbatch.settings import Settings
    from cosbatch.wiring.admin import back_up_ledger, open_people, restore_ledger, rotate_key
    from cosbatch.wiring.engine import Engine, EngineLoad, engine_limits, engine_supervisor, open_engine
    from cosbatch.wiring.estimates import open_estimates
    from cosbatch.wiring.follow_up import open_follow_up, open_report_downloads
    from cosbatch.wiring.job_checks import open_job_checks
    from cosbatch.wiring.logs import logging_to_folder
    from cosbatch.wiring.regions import known_regions, open_regions, region_service
    from cosbatch.wiring.roles import open_roles, role_service
    from cosbatch.wiring.serve import Serving
    from cosbatch.wiring.service import borrowed_store, has_jobs, inspect, open_service, probe
    from cosbatch.wiring.stores import RegionStores, profile_of
    from cosbatch.wiring.webhooks import open_webhooks

__all__ = [
    "Engine",
    "EngineLoad",
    "RegionStores",
    "back_up_ledger",
    "borrowed_store",
    "engine_limits",
    "engine_supervisor",
    "has_jobs",
    "inspect",
    "known_regions",
    "logging_to_folder",
    "open_engine",
    "open_estimates",
    "open_follow_up",
    "open_job_checks",
    "open_people",
    "open_regions",
    "open_report_downloads",
    "open_roles",
    "open_service",
    "open_serving",
    "open_webhooks",
    "probe",
    "profile_of",
    "region_service",
    "restore_ledger",
    "role_service",
    "rotate_key",
]

_MODULES: Final = {
    "Engine": "engine",
    "EngineLoad": "engine",
    "RegionStores": "stores",
    "back_up_ledger": "admin",
    "borrowed_store": "service",
    "engine_limits": "engine",
    "engine_supervisor": "engine",
    "has_jobs": "service",
    "inspect": "service",
    "known_regions": "regions",
    "logging_to_folder": "logs",
    "open_engine": "engine",
    "open_estimates": "estimates",
    "open_follow_up": "follow_up",
    "open_job_checks": "job_checks",
    "open_people": "admin",
    "open_regions": "regions",
    "open_report_downloads": "follow_up",
    "open_roles": "roles",
    "open_service": "service",
    "open_webhooks": "webhooks",
    "probe": "service",
    "profile_of": "stores",
    "region_service": "regions",
    "restore_ledger": "admin",
    "role_service": "roles",
    "rotate_key": "admin",
}
"""Name -> module of this room."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


@asynccontextmanager
async def open_serving(
    settings: Settings,
    data_dir: Path,
    *,
    host: str,
    port: int,
    log_level: str = "info",
    supervisor: Supervisor | None = None,
    sample: Mapping[str, Any] | None = None,
) -> AsyncIterator[Serving]:
    """See :func:`cosbatch.wiring.serve.open_serving`."""
    from cosbatch.wiring import serve

    async with serve.open_serving(
        settings, data_dir, host=host, port=port, log_level=log_level, supervisor=supervisor, sample=sample
    ) as serving:
        yield serving
