"""What signed copies over TLS cost with glibc's thresholds raised, as the engine's processes have them, and without.

Run ``python bench/tls_mmap.py [copies] [repetitions]``. Client processes of three kinds take turns against one server:
``kept low`` has the threshold for mmap fixed at the 128 KiB that glibc starts with, ``left alone`` has what the imports
made of it (freeing a large block raises it, so that this is a matter of luck), ``raised`` has called keep_large_blocks.
It prints medians, and the ratios to the last kind: above the threshold the buffer of each answer is mapped afresh,
grown, and unmapped, which are three system calls and new pages.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import resource
import ssl
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import cast

import trustme
import uvloop

from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.model.clock import SystemClock
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.regions import Provider, Region
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.http_memory import keep_large_blocks
from cosbatch.storage.port import CopyOptions
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.signer import TemplateSigner

CONNECTIONS = 16
KINDS = ("kept low", "left alone", "raised")
M_MMAP_THRESHOLD = -3
"""Of mallopt(3), malloc.h."""
BODY = b"<CopyObjectResult><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag></CopyObjectResult>"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Answering(asyncio.Protocol):
    """Says to whatever ends in an empty line that it was copied."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses

    def data_received(self, block: bytes) -> None:
        if block.endswith(b"\r\n\r\n"):
            self.transport.write(ANSWER)


async def serve(folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def copy_all(folder: Path, port: int, copies: int) -> None:
    clock = SystemClock()
    region = Region(
        name=RegionName("here"),
        provider=Provider.S3,
        endpoint=f"https://127.0.0.1:{port}",
        profile="s3",
        signing_region="us-east-1",
    )
    store = S3Store(
        region=region,
        credentials=StaticCredentials(Credentials(access_key_id="AK", secret_access_key="SK")),
        client=HttpClient(region.endpoint, ca_file=str(folder / "ca.pem"), clock=clock),
        signer=TemplateSigner(region=region.signing_region, clock=clock),
        profile=PROFILES["s3"],
        clock=clock,
    )
    options = CopyOptions()

    async def copy_some() -> None:
        for number in range(copies // CONNECTIONS):
            key = ObjectKey(f"logs/part-{number:09d}")
            await store.copy(ObjectRef(Bucket("from"), key), ObjectRef(Bucket("into"), key), options=options)

    await asyncio.gather(*[copy_some() for _ in range(CONNECTIONS)])
    await store.close()


def run_client(folder: Path, port: int, copies: int, *, kind: str) -> None:
    if kind == "raised":
        keep_large_blocks()
    elif kind == "kept low":
        assert ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 128 * 2**10) == 1
    uvloop.run(copy_all(folder, port, CONNECTIONS))  # imports, handshakes, first pages
    before = resource.getrusage(resource.RUSAGE_SELF)
    uvloop.run(copy_all(folder, port, copies))
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps([seconds, after.ru_minflt - before.ru_minflt]))


def measure(folder: Path, port: int, copies: int, *, kind: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "client", str(folder), str(port), str(copies), kind]
    seconds, faults = json.loads(subprocess.check_output(command))
    return seconds, faults


def compare(folder: Path, port: int, copies: int, repetitions: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for _ in range(repetitions):
        for kind, rounds in found.items():
            rounds.append(measure(folder, port, copies, kind=kind))
    for kind, rounds in found.items():
        seconds, faults = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratio = statistics.median(mine[0] / raised[0] for mine, raised in zip(rounds, found["raised"], strict=True))
        per_copy = faults / copies
        print(
            f"{kind:11} {seconds / copies * 1e4:5.2f} CPU s/10k copies {per_copy:6.2f} page faults/copy {ratio:5.2f}x"
        )


def main() -> None:
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        server = subprocess.Popen([sys.executable, __file__, "server", name], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            compare(folder, int(server.stdout.readline()), copies, repetitions)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", folder]:
            uvloop.run(serve(Path(folder)))
        case ["client", folder, port, copies, kind]:
            run_client(Path(folder), int(port), int(copies), kind=kind)
        case _:
            main()
