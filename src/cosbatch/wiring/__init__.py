"""Settings -> objects: the only room that names concrete adapters."""

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

__all__ = [
    "Engine",
    "EngineLoad",
    "RegionStores",
    "borrowed_store",
    "engine_limits",
    "has_jobs",
    "inspect",
    "logging_to_folder",
    "open_engine",
    "open_service",
    "probe",
    "profile_of",
]
