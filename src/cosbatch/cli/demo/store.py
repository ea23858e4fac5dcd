"""The demo's store: SeaweedFS from its wheel, in a folder of its own, on loopback, gone when the demo ends."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from cosbatch.cli.demo.stopping import undisturbed
from cosbatch.model.errors import CosbatchError

SCRIPT = Path(__file__).parent / "seaweedfs.sh"
ADMIN_KEY = ("AKMAIN", "SKMAIN")
"""Made by the script: may do everything."""
JOB_KEY = ("AKOTHER", "SKOTHER")
"""May do what bucket policies allow."""
START_SECONDS = 60
STOP_SECONDS = 5
"""It stops within two, but for one that is in the middle of a large copy; all of it goes away anyway."""
PORTS_USED = 10


class StoreNotStarted(CosbatchError):
    """The program did not start; the message has its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStore:
    endpoint: str

    def client(self, key: tuple[str, str]) -> Any:
        """A boto3 client: somebody else's view of the store."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
            config=botocore.config.Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@contextlib.contextmanager
def running_store(folder: Path) -> Iterator[DemoStore]:
    """SeaweedFS on free ports; StoreNotStarted where it does not come up."""
    port = _free_ports()
    log = folder / "store.log"
    folder.mkdir(parents=True)
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["/bin/bash", str(SCRIPT), str(folder), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
            start_new_session=True,  # a Ctrl-C is for the job first; the store ends after it
        )
    try:
        store = DemoStore(endpoint=f"http://127.0.0.1:{port}")
        _wait_until_ready(store, process, log)
        yield store
    finally:
        with undisturbed():
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(store: DemoStore, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    client = store.client(ADMIN_KEY)
    while process.poll() is None and time.monotonic() < ends:
        try:
            client.create_bucket(Bucket="ready")
            client.delete_bucket(Bucket="ready")
        except (ClientError, BotoCoreError):
            time.sleep(0.2)
        else:
            return
    last_words = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise StoreNotStarted(f"SeaweedFS did not start; its last words were:\n{last_words}")


def _free_ports() -> int:
    """The first of ten neighbouring ports that nobody uses."""
    chosen = random.SystemRandom()
    while True:
        first = chosen.randrange(10_000, 32_000)
        if not any(_is_used(port) for port in range(first, first + PORTS_USED)):
            return first


def _is_used(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
