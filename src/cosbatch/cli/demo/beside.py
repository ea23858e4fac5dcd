"""The store that ``serve --demo-store`` runs beside a service: its folder, its region and role in the settings, and how
long it lives. Nothing here imports its libraries before :func:`running_beside`: workers are forked meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cosbatch.cli.demo.place import (
    ADMIN_KEY,
    JOB_KEY,
    REGION,
    ROLE_ARN,
    are_free,
    check_installed,
    endpoint_at,
    free_ports,
)
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.service.founding import FIRST_ACCOUNT
from cosbatch.settings import RegionSettings, RoleSettings, Settings

FOLDER: Final = "demo-store"
_KEY_FILES: Final = ("admin.id", "admin.secret", "job.id", "job.secret")
"""The region's own key may do everything, so that buckets can be looked at; the role's what bucket policies allow."""
_PORT_FILE: Final = "port"
_LOCK_FILE: Final = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where it will be."""

    folder: Path
    port: int


@contextlib.contextmanager
def place_beside(state_folder: Path) -> Iterator[Beside]:
    """The folder is this process's own while the context is open. DemoFailed without the extra ``demo``;
    InvalidArgument where another service has the folder."""
    check_installed()
    folder = state_folder / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / _LOCK_FILE).open("wb")
    except OSError as error:
        raise _unusable(folder, f"cannot be used: {error.strerror}", "name another folder with --data") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            way_out = "stop that one, or give this one a data folder of its own"
            raise _unusable(folder, "is in use by another service", way_out) from None
        for name, text in zip(_KEY_FILES, ADMIN_KEY + JOB_KEY, strict=True):
            _keep(folder / name, text)
        yield Beside(folder=folder, port=_remembered_port(folder))


def _unusable(folder: Path, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path="--demo-store", value=str(folder), problem=problem, way_out=way_out)
    return InvalidArgument("the demo store cannot run", faults=[fault])


def _remembered_port(folder: Path) -> int:
    """That of the last time, where it is free: regions that were made by hand may name it."""
    path = folder / _PORT_FILE
    with contextlib.suppress(OSError, ValueError):
        port = int(path.read_text())
        if are_free(port):
            return port
    port = free_ports()
    path.write_text(f"{port}\n")
    return port


def with_demo_store(settings: Settings, beside: Beside) -> Settings:
    """The settings with the store's region and a role in it. InvalidArgument where they have a region of that name."""
    if REGION in settings.regions:
        way_out = "give yours another name, or leave --demo-store out"
        fault = Fault(path="regions", value=REGION, problem="is the demo store's region", way_out=way_out)
        raise InvalidArgument("the settings and the demo store do not go together", faults=[fault])
    region = RegionSettings.model_validate(
        {
            "endpoint": endpoint_at(beside.port),
            "profile": "seaweedfs",
            "credentials": _credentials(beside.folder, *_KEY_FILES[:2]),
        }
    )
    role = RoleSettings.model_validate(
        {
            "arn": ROLE_ARN,
            "account": FIRST_ACCOUNT,
            "provider": "stored",
            "credentials": _credentials(beside.folder, *_KEY_FILES[2:]),
            "description": "Reads and writes the buckets of the demo store",
        }
    )
    return settings.model_copy(
        update={"regions": {**settings.regions, REGION: region}, "roles": [*settings.roles, role]}
    )


def _credentials(folder: Path, key_id: str, secret: str) -> dict[str, str]:
    """As settings say where they are."""
    return {
        "access_key_id": f"file:{folder.absolute() / key_id}",
        "secret_access_key": f"file:{folder.absolute() / secret}",
    }


def _keep(path: Path, text: str) -> None:
    """As a whole and for the owner alone: a service reads it again at any time."""
    fresh = path.with_name(f".{path.name}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
    fresh.replace(path)


@contextlib.contextmanager
def running_beside(beside: Beside) -> Iterator[dict[str, Any]]:
    """The store runs while the context is open; a job document over what lies in it."""
    from cosbatch.cli.demo.sample import sample_job
    from cosbatch.cli.demo.store import running_store

    with running_store(beside.folder / "store", port=beside.port) as store:
        yield sample_job(store)
