"""``first-run.json``: what a person and a script need to begin, written by the first start of a service."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.service.founding import FIRST_RUN_FILE, FirstRun

_OWNER_ALONE: Final = 0o600


def write_first_run(data_dir: Path, made: FirstRun, *, address: str) -> Path:
    """Its path. The file is there as a whole or not at all, and was never readable by others. It is the one place where
    secrets stand in plain text, until the first change of the password deletes it.

    InvalidArgument where it cannot be written: ``cosbatch admin`` then gives another password and another key."""
    content = {
        "address": address,
        "user": made.user,
        "password": made.password,
        "uin": made.uin,
        "appid": made.appid,
        "account_id": made.account_id,
        "secret_id": made.secret_id,
        "secret_key": made.secret_key,
    }
    path = data_dir / FIRST_RUN_FILE
    fresh = path.with_name(f".{FIRST_RUN_FILE}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ALONE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        fault = Fault(
            path="--data",
            value=str(path),
            problem=f"cannot be written: {error.strerror}",
            way_out="make room; cosbatch admin reset-password and create-access-key give what it would have held",
        )
        raise InvalidArgument("the first start could not tell its password", faults=[fault]) from error
    return path
