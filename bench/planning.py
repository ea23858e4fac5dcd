"""P4: what planning costs, from the manifest in a store to chunk files and rows in the ledger.

    python -m bench.planning [rows ...]

Plans a job over an inventory of each length with the installed engine; the job waits for its confirmation, and nothing
is copied. CPU is that of the planner's process while it plans, against a bare loop of gzip, csv and unquote over the
same file. Memory is the high-water mark of that process: it must not grow with the rows.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figures import Bar, Row
from bench.ground import Ground
from bench.manifest_read import bare_loop, reading_rows
from bench.null_store import CONTROL_BUCKET
from bench.object_list import SOURCE_BUCKET, TARGET_BUCKET, inventory_rows, keys
from bench.whole_job import Inventory, put_inventory, settings_text
from cosbatch.model.identifiers import Bucket, ObjectKey, RegionName
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import Manifest, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.principals import LOCAL_CALLER
from cosbatch.model.reports import ReportSpec
from cosbatch.model.states import JobStatus
from cosbatch.settings import load_settings
from cosbatch.wiring import Engine, open_engine
from tests.stores import RealStore, seaweedfs

USUAL_ROWS: Final = (200_000, 1_000_000)
MANY_ROWS: Final = (1_000_000, 10_000_000)
ROUNDS: Final = 2
ROWS_SAMPLED: Final = 5
"""Of which pre-flight looks whether they are there."""
IDLE_CPU_SECONDS: Final = 0.05
"""What a process spends in a second when it does nothing but look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """One planned manifest."""

    rows: int
    cpu_seconds: float
    bare_seconds: float
    """CPU of the bare loop, before and after in the mean."""
    planner_bytes: int


def planning_rows(ground: Ground, *, has_long: bool) -> Iterator[Row]:
    short, long = MANY_ROWS if has_long else USUAL_ROWS
    found: dict[int, list[Planning]] = {short: [], long: []}
    for rows in (short, long) * ROUNDS:
        ground.say(f"planning {rows:,} rows")
        found[rows].append(measure(ground.folder / "planning", ground.store, rows=rows))
    chosen = found[1_000_000]
    yield Row(
        number="P4",
        what="manifest to chunk files, 1,000,000 rows: CPU against a bare loop over the file",
        figure=statistics.median(one.cpu_seconds / one.bare_seconds for one in chosen),
        bar=Bar(limit=2),
        remark=f"{statistics.median(one.rows / one.cpu_seconds for one in chosen):,.0f} rows per CPU second",
    )
    yield from reading_rows()
    first, last = (statistics.median(one.planner_bytes for one in found[rows]) for rows in (short, long))
    yield Row(
        number="P4",
        what=f"memory of the planner at {long:,} rows against {short:,}",
        figure=last / first,
        bar=Bar(limit=1.1),
        remark=f"{last / 2**20:.0f} MiB",
    )


def measure(folder: Path, store: RealStore, *, rows: int) -> Planning:
    """In a fresh ``folder``, which goes afterwards."""
    packed = inventory_rows(rows)
    before = bare_loop(packed)
    cpu_seconds, planner_bytes = plan_rows(folder, store, rows=rows, packed=packed)
    bare_seconds = (before + bare_loop(packed)) / 2
    return Planning(rows=rows, cpu_seconds=cpu_seconds, bare_seconds=bare_seconds, planner_bytes=planner_bytes)


def plan_rows(folder: Path, store: RealStore, *, rows: int, packed: bytes | None = None) -> tuple[float, int]:
    """CPU seconds and peak bytes of the planner's process, for one job in a fresh ``folder``, which goes afterwards."""
    folder.mkdir()
    try:
        _make_buckets(store)
        return asyncio.run(_plan(store, folder, put_inventory(store.admin(), rows, packed=packed)))
    finally:
        shutil.rmtree(folder)


def _make_buckets(store: RealStore) -> None:
    """What a plan is made for has to be there."""
    there = {bucket["Name"] for bucket in store.admin().list_buckets()["Buckets"]}
    for name in {CONTROL_BUCKET, SOURCE_BUCKET, TARGET_BUCKET} - there:
        store.admin().create_bucket(Bucket=name)
    for key in keys(ROWS_SAMPLED):  # a manifest of which nothing is there would not be planned
        store.admin().put_object(Bucket=SOURCE_BUCKET, Key=key, Body=b"")


async def _plan(store: RealStore, folder: Path, inventory: Inventory) -> tuple[float, int]:
    path = folder / "cosbatch.yaml"
    path.write_text(
        settings_text(folder, endpoint=store.endpoint, workers=1, connections=8, profile=store.profile)
        + "min_free_spool_share: 0\n"
    )
    etag = store.admin().head_object(Bucket=CONTROL_BUCKET, Key=inventory.key)["ETag"].strip('"')
    location = ManifestLocation(bucket=Bucket(CONTROL_BUCKET), key=ObjectKey(inventory.key), etag=etag)
    request = JobRequest(
        region=RegionName("null"),
        manifest=Manifest(location=location, spec=ManifestSpec(format=ManifestFormat.COS_INVENTORY_CSV)),
        operation=PutObjectCopy(target_bucket=Bucket(TARGET_BUCKET), storage_class="STANDARD"),
        report=ReportSpec(enabled=False),
        priority=1,
        confirmation_required=True,
    )
    async with open_engine(load_settings(path), folder / "state") as engine:
        planner = await _started_planner(engine)
        began = cpu_seconds_of(planner)
        job = await engine.service.create_job(request, caller=LOCAL_CALLER)
        ends = {JobStatus.SUSPENDED, JobStatus.FAILED}
        job = await engine.wait_for(job.id, until=lambda found: found.status in ends)
        if job.total != inventory.rows:
            raise RuntimeError(f"{job.status}, {job.total} rows: {job.failure_reason}")
        return cpu_seconds_of(planner) - began, peak_bytes_of(planner)


async def _started_planner(engine: Engine) -> int:
    """Its process, once it has loaded what it needs: from then on it only looks for work."""
    while "planner" not in engine.pids():
        await asyncio.sleep(0.1)
    planner, before = engine.pids()["planner"], -1.0
    while (spent := cpu_seconds_of(planner)) == 0 or spent - before > IDLE_CPU_SECONDS:
        before = spent
        await asyncio.sleep(1)
    return planner


def cpu_seconds_of(pid: int) -> float:
    """Of a process that runs."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_bytes_of(pid: int) -> int:
    """The high-water mark of a process's resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]
    return int(kilobytes) * 1024


def main() -> None:
    lengths = [int(argument) for argument in sys.argv[1:]] or USUAL_ROWS
    with tempfile.TemporaryDirectory(prefix="cosbatch-bench-") as folder, seaweedfs(Path(folder) / "store") as store:
        for rows in lengths:
            one = measure(Path(folder) / "planning", store, rows=rows)
            ratio, size = one.cpu_seconds / one.bare_seconds, one.planner_bytes / 2**20
            print(f"{rows:,} rows: {one.cpu_seconds:.2f} CPU s, {ratio:.2f}x the bare loop, planner {size:.1f} MiB")


if __name__ == "__main__":
    main()
