"""What a worker process imports: nothing of the rim, of STS clients or of ciphers, which it does not use."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "argon2",
    "botocore",
    "cryptography",
    "fastapi",
    "httpx",
    "limits",
    "prometheus_client",
    "standardwebhooks",
    "starlette",
    "tencentcloud",
    "uvicorn",
)


def test_workers_pay_for_nothing_that_only_the_service_uses() -> None:
    assert imported_by("cosbatch.wiring.engine") == "[]"


def test_the_command_line_pays_for_nothing_that_only_the_service_uses() -> None:
    assert imported_by("cosbatch.cli.main, cosbatch.cli.serve", then="from cosbatch.wiring import *") == "[]"


def imported_by(modules: str, *, then: str = "pass") -> str:
    program = f"import sys, {modules}; {then}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()
