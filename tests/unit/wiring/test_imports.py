"""What a worker process imports: nothing of the rim, of STS clients or of ciphers, which it does not use."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "argon2",
    "botocore",
    "cryptography",
    "httpx",
    "prometheus_client",
    "standardwebhooks",
    "starlette",
    "tencentcloud",
    "uvicorn",
)


def test_workers_pay_for_nothing_that_only_the_service_uses() -> None:
    program = f"import sys, cosbatch.wiring.engine; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
