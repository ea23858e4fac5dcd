"""The demo's store: SeaweedFS from its wheel, in a folder of its own, on loopback, gone when the demo ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from cosbatch.cli.demo.place import ADMIN_KEY, endpoint_at, free_ports, search_path
from cosbatch.cli.demo.stopping import ends_with_its_parent, undisturbed
from cosbatch.model.errors import CosbatchError

SCRIPT = Path(__file__).parent / "seaweedfs.sh"
START_SECONDS = 60
STOP_SECONDS = 5
"""It stops within two, but for one that is in the middle of a large copy; all of it goes away anyway."""


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
                proxies={},  # it is on this machine, whatever the environment says
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@contextlib.contextmanager
def running_store(folder: Path, *, port: int | None = None) -> Iterator[DemoStore]:
    """SeaweedFS on this port and the nine after it, else on free ones; with what the folder holds of it already.
    StoreNotStarted where it does not come up."""
    port = free_ports() if port is None else port
    log = folder / "store.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["/bin/bash", str(SCRIPT), str(folder), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": search_path()},
            start_new_session=True,  # a Ctrl-C is for the job first; the store ends after it
            preexec_fn=ends_with_its_parent(),
        )
    try:
        store = DemoStore(endpoint=endpoint_at(port))
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


def _recall_policies(client: Any) -> None:
    """After a start SeaweedFS reads a bucket's policy when it is first asked about that bucket. A copy that names it as
    its source does not count: whoever may read by the policy alone would be refused all copies out of it."""
    for bucket in client.list_buckets()["Buckets"]:
        client.head_bucket(Bucket=bucket["Name"])


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
            _recall_policies(client)
            return
    last_words = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise StoreNotStarted(f"SeaweedFS did not start; its last words were:\n{last_words}")
