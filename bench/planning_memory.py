"""Peak memory of planning, for manifests of different lengths: it must not grow with them.

    python -m bench.planning_memory [rows ...]        100000 5000000 by default

Starts SeaweedFS in a temporary folder, puts a gzip CSV of each length there, plans a job over it by the installed
engine (the job waits for its confirmation, nothing is copied), and prints the peak resident memory of each process.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, ObjectKey, RegionName
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.reports import ReportSpec
from cosbatch.model.states import JobStatus
from cosbatch.settings import load_settings
from cosbatch.wiring import open_engine
from tests.stores import RealStore, seaweedfs

BUCKET = "planning"


@dataclass(frozen=True, slots=True)
class Peak:
    """One planned manifest."""

    rows: int
    seconds: float
    planner_bytes: int
    program_bytes: int


def packed_rows(rows: int) -> bytes:
    """A manifest of distinct keys, gzipped a block at a time."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        for start in range(0, rows, 10_000):
            numbers = range(start, min(start + 10_000, rows))
            file.write("".join(f"{BUCKET},logs/2026/{n:012d}.json\n" for n in numbers).encode())
    return packed.getvalue()


def write_settings(folder: Path, store: RealStore) -> Path:
    (folder / "id").write_text(store.access_key)
    (folder / "secret").write_text(store.secret_key)
    here = {
        "endpoint": store.endpoint,
        "profile": store.profile,
        "credentials": {"access_key_id": f"file:{folder}/id", "secret_access_key": f"file:{folder}/secret"},
    }
    path = folder / "cosbatch.yaml"
    path.write_text(yaml.safe_dump({"regions": {"here": here}, "workers": 1, "min_free_spool_share": 0}))
    return path


async def plan(folder: Path, store: RealStore, *, rows: int) -> Peak:
    """Plans one manifest in a data folder of its own."""
    key = f"{rows}.csv.gz"
    etag = store.admin().put_object(Bucket=BUCKET, Key=key, Body=packed_rows(rows))["ETag"].strip('"')
    request = JobRequest(
        region=RegionName("here"),
        manifest=Manifest(
            location=ManifestLocation(bucket=Bucket(BUCKET), key=ObjectKey(key), etag=etag),
            spec=ManifestSpec(format=ManifestFormat.COS_CSV, fields=(ManifestField.BUCKET, ManifestField.KEY)),
        ),
        operation=PutObjectCopy(target_bucket=Bucket(BUCKET), target_key_prefix="copy/", storage_class="STANDARD"),
        report=ReportSpec(enabled=False),
        priority=1,
        confirmation_required=True,
    )
    settings = load_settings(write_settings(folder, store))
    began = time.monotonic()
    async with open_engine(settings, folder / f"state-{rows}") as engine:
        job = await engine.service.create_job(request, account=LOCAL_ACCOUNT)
        ends = {JobStatus.SUSPENDED, JobStatus.FAILED}
        job = await engine.wait_for(job.id, until=lambda found: found.status in ends)
        if job.total != rows:
            raise RuntimeError(f"{job.status}, {job.total} rows: {job.failure_reason}")
        seconds = time.monotonic() - began
        return Peak(rows, seconds, peak_bytes(engine.pids()["planner"]), peak_bytes("self"))


def peak_bytes(pid: int | str) -> int:
    """The high-water mark of a process's resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]
    return int(kilobytes) * 1024


def measure(folder: Path, lengths: list[int]) -> list[Peak]:
    with seaweedfs(folder / "store") as store:
        store.admin().create_bucket(Bucket=BUCKET)
        return [asyncio.run(plan(folder, store, rows=rows)) for rows in lengths]


def main() -> None:
    lengths = [int(argument) for argument in sys.argv[1:]] or [100_000, 5_000_000]
    with tempfile.TemporaryDirectory(prefix="cosbatch-bench-") as folder:
        peaks = measure(Path(folder), lengths)
    print("rows         seconds   planner MiB   service MiB")
    for peak in peaks:
        sizes = f"{peak.planner_bytes / 2**20:11.1f}   {peak.program_bytes / 2**20:11.1f}"
        print(f"{peak.rows:<11,}  {peak.seconds:7.1f}   {sizes}")
    print(f"planner, last against first: {peaks[-1].planner_bytes / peaks[0].planner_bytes:.2f}x")


if __name__ == "__main__":
    main()
