"""Real stores for tests: SeaweedFS and Ceph, started on free ports in a folder of their own, stopped by their pid.

>>> with seaweedfs(folder) as store:
...     client = store.admin()  # boto3, for what the product does not do: buckets, policies

Tests that want one for the whole session import the fixtures ``seaweedfs_store`` and ``ceph_store`` in their conftest.
"""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
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
import pytest

from cosbatch.cli.demo.store import SCRIPT as SCRIPT_OF_SEAWEEDFS
from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.model.clock import Clock, SystemClock
from cosbatch.model.identifiers import Bucket, RegionName
from cosbatch.model.regions import Addressing, Provider, Region, Versioning
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.signer import TemplateSigner

SCRIPT_OF_CEPH = Path(__file__).parent.parent / "deploy" / "stores" / "ceph-rgw.sh"
PORT_TRIES = 5
START_SECONDS = 90
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class RealStore:
    """A store that runs."""

    profile: str
    endpoint: str
    port: int
    folder: Path
    pid: int | None
    """Of the one process; None where there are several."""
    access_key: str = "AKMAIN"
    secret_key: str = "SKMAIN"
    other_access_key: str = "AKOTHER"
    other_secret_key: str = "SKOTHER"
    """A user who may do nothing in the buckets of the first."""
    signing_region: str = "us-east-1"

    def region(self, name: str = "here") -> Region:
        return Region(
            name=RegionName(name),
            provider=Provider.S3,
            endpoint=self.endpoint,
            profile=self.profile,
            signing_region=self.signing_region,
        )

    def admin(self) -> Any:
        """A boto3 client, for what the product does not do."""
        return _admin(self)

    def open(self, *, access_key: str = "", secret_key: str = "") -> S3Store:
        """The product's adapter, as the main user where no other key is given; close it in the loop that used it."""
        return open_store(
            self.endpoint,
            profile=self.profile,
            access_key=access_key or self.access_key,
            secret_key=secret_key or self.secret_key,
        )


def open_store(
    endpoint: str,
    *,
    profile: str = "s3",
    addressing: Addressing = Addressing.PATH,
    access_key: str = "AKMAIN",
    secret_key: str = "SKMAIN",
    session_token: str = "",
    clock: Clock | None = None,
) -> S3Store:
    """The product's adapter against any endpoint; close it in the loop that used it."""
    chosen = clock or SystemClock()
    region = Region(
        name=RegionName("here"),
        provider=Provider.S3,
        endpoint=endpoint,
        profile=profile,
        signing_region="us-east-1",
        addressing=addressing,
    )
    credentials = Credentials(access_key_id=access_key, secret_access_key=secret_key, session_token=session_token)
    return S3Store(
        region=region,
        credentials=StaticCredentials(credentials),
        client=HttpClient(endpoint, max_connections=16, clock=chosen),
        signer=TemplateSigner(region=region.signing_region, clock=chosen),
        profile=PROFILES[profile],
        clock=chosen,
    )


@functools.lru_cache(maxsize=8)
def _admin(store: RealStore) -> Any:
    """Made once for each store: making one takes as long as a hundred requests."""
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        region_name=store.signing_region,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "total_max_attempts": 5},
        ),
    )


def make_bucket(store: RealStore, name: str, *, versioning: Versioning = Versioning.NEVER) -> Bucket:
    admin = store.admin()
    admin.create_bucket(Bucket=name)
    if versioning is not Versioning.NEVER:
        admin.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": str(versioning)})
    return Bucket(name)


def empty_bucket(store: RealStore, name: str) -> None:
    """Deletes the bucket with every version and upload in it."""
    admin = store.admin()
    for page in admin.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in page.get("Uploads", ()):
            admin.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in admin.get_paginator("list_object_versions").paginate(Bucket=name):
        for version in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            admin.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    admin.delete_bucket(Bucket=name)


def free_ports(count: int) -> int:
    """The first of ``count`` free neighbouring ports, below those that the system gives to clients."""
    chosen = random.SystemRandom()
    for _ in range(1000):
        first = chosen.randrange(10_000, 32_000 - count)
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise RuntimeError(f"no {count} free neighbouring ports between 10000 and 32000")


@contextlib.contextmanager
def seaweedfs(folder: Path, *, port: int | None = None) -> Iterator[RealStore]:
    """SeaweedFS, its state in ``folder``, on ``port`` or where it is free; tries other ports where somebody took one
    between looking and starting."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "weed.log"
    wanted = port
    for _ in range(PORT_TRIES):
        port = wanted or free_ports(10)
        process = _start_seaweedfs(folder, port, log)
        try:
            store = RealStore(
                profile="seaweedfs",
                endpoint=f"http://127.0.0.1:{port}",
                port=port,
                folder=folder,
                pid=process.pid,
            )
            if _becomes_ready(store, process):
                yield store
                return
        finally:
            _stop(process)
    raise RuntimeError(f"SeaweedFS did not start; its last words:\n{_tail(log)}")


@contextlib.contextmanager
def ceph(folder: Path) -> Iterator[RealStore]:
    """Ceph's gateway, its state in ``folder``; needs the Debian packages that the script names."""
    if shutil.which("radosgw") is None:
        raise RuntimeError("the program radosgw is missing: run make system-deps")
    port = free_ports(3)
    script = str(SCRIPT_OF_CEPH)
    try:
        subprocess.run([script, "start", str(folder), "memstore", str(port)], check=True, timeout=3 * START_SECONDS)
        yield RealStore(profile="ceph", endpoint=f"http://127.0.0.1:{port}", port=port, folder=folder, pid=None)
    finally:
        subprocess.run([script, "stop", str(folder)], check=True, timeout=4 * STOP_SECONDS)


@pytest.fixture(scope="session")
def seaweedfs_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStore]:
    with seaweedfs(tmp_path_factory.mktemp("weed")) as store:
        yield store


@pytest.fixture(scope="session")
def ceph_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealStore]:
    with ceph(tmp_path_factory.mktemp("ceph")) as store:
        yield store


def _start_seaweedfs(folder: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("ab") as written:
        return subprocess.Popen(
            ["/bin/bash", str(SCRIPT_OF_SEAWEEDFS), str(folder), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": programs},
        )


def _becomes_ready(store: RealStore, process: subprocess.Popen[bytes]) -> bool:
    """Ready is: a bucket can be made. False where the process has ended."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if not _is_free(store.port):
            with contextlib.suppress(Exception):
                admin = store.admin()
                admin.create_bucket(Bucket="is-it-ready")
                admin.delete_bucket(Bucket="is-it-ready")
                return True
        time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
