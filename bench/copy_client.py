"""The storage client alone: ``python -m bench.copy_client ENDPOINT COPIES CONNECTIONS [CA_FILE]``; ``cos`` in the place
of a CA file: with COS's words and signatures, and its buckets as hosts.

Signs and sends copies over a fixed number of connections and prints, as JSON, the CPU seconds that they took, without
the start of the interpreter. Nothing of the engine takes part.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import sys
from collections.abc import Iterator, Sequence

import uvloop

from bench.object_list import SOURCE_BUCKET, TARGET_BUCKET, keys
from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.http_dialer import Address
from cosbatch.storage.http_memory import keep_large_blocks
from cosbatch.storage.port import CopyOptions
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.signer import TemplateSigner

COS = "cos"
WARM_UP_COPIES = 2000
OPTIONS = CopyOptions(storage_class="STANDARD")
"""What a default copy job asks for."""


def open_store(endpoint: str, *, connections: int, ca_file: str | None) -> S3Store:
    clock = SystemClock()
    region = Region(
        name=RegionName("null"), provider=Provider.S3, endpoint=endpoint, profile="s3", signing_region="us-east-1"
    )
    return S3Store(
        region=region,
        credentials=StaticCredentials(Credentials(access_key_id="AKMAIN", secret_access_key="SKMAIN")),
        client=HttpClient(endpoint, ca_file=ca_file, max_connections=connections, clock=clock),
        signer=TemplateSigner(region=region.signing_region, clock=clock),
        profile=PROFILES["s3"],
        clock=clock,
    )


def open_cos_store(endpoint: str, *, connections: int) -> S3Store:
    """Whatever the host, it connects to loopback. What it needs is loaded here: another revision may not have it."""
    from cosbatch.storage.dialects import COS_DIALECT

    clock = SystemClock()
    region = Region(
        name=RegionName("null"),
        provider=Provider.COS,
        endpoint=endpoint,
        profile="cos",
        signing_region="null",
        addressing=Addressing.VIRTUAL_HOST,
    )
    return S3Store(
        region=region,
        credentials=StaticCredentials(Credentials(access_key_id="AKMAIN", secret_access_key="SKMAIN")),
        client=HttpClient(endpoint, max_connections=connections, clock=clock, resolve=_loopback),
        signer=COS_DIALECT.signer(region, clock),
        profile=PROFILES["cos"],
        clock=clock,
        dialect=COS_DIALECT,
    )


async def _loopback(_: str, port: int) -> Sequence[Address]:
    return [Address(socket.AF_INET, ("127.0.0.1", port))]


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def copy_all(store: S3Store, copied: Iterator[str], *, connections: int) -> None:
    source, target = Bucket(SOURCE_BUCKET), Bucket(TARGET_BUCKET)

    async def lane() -> None:
        for text in copied:
            key = ObjectKey(text)
            await store.copy(ObjectRef(source, key), ObjectRef(target, key), options=OPTIONS)

    await asyncio.gather(*(lane() for _ in range(connections)))


async def measure(endpoint: str, copies: int, connections: int, ca_file: str | None) -> float:
    if ca_file == COS:
        store = open_cos_store(endpoint, connections=connections)
    else:
        store = open_store(endpoint, connections=connections, ca_file=ca_file)
    every = list(keys(copies))
    try:
        await copy_all(store, keys(WARM_UP_COPIES), connections=connections)
        began = cpu_seconds()
        await copy_all(store, iter(every), connections=connections)
        return cpu_seconds() - began
    finally:
        await store.close()


def main() -> None:
    endpoint, copies, connections, *ca_file = sys.argv[1:]
    keep_large_blocks()  # as every process of the engine does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        spent = runner.run(measure(endpoint, int(copies), int(connections), ca_file[0] if ca_file else None))
    print(json.dumps({"copies": int(copies), "cpu_seconds": spent}))


if __name__ == "__main__":
    main()
