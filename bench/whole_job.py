"""One job by the installed program, ``cosbatch run``: settings, manifest and job file, all in a folder of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bench.null_store import CONTROL_BUCKET
from bench.object_list import TARGET_BUCKET, inventory_index, inventory_rows
from bench.process_tree import Cost, ProgramFailed, run_tree

LIMIT_SECONDS: Final = 1200
_DONE: Final = re.compile(r"([\d,]+) succeeded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """An inventory in the control bucket."""

    key: str
    rows: int


def put_inventory(client: Any, rows: int, *, packed: bytes | None = None) -> Inventory:
    """``client`` is boto3's, of the real store; ``packed`` the data file where somebody has it already."""
    folder = f"inventory-{rows}"
    packed = packed or inventory_rows(rows)
    file_key = f"{folder}/part.csv.gz"
    client.put_object(Bucket=CONTROL_BUCKET, Key=file_key, Body=packed)
    index_key = f"{folder}/manifest.json"
    client.put_object(Bucket=CONTROL_BUCKET, Key=index_key, Body=inventory_index(packed, file_key=file_key))
    return Inventory(key=index_key, rows=rows)


def settings_text(
    folder: Path, *, endpoint: str, workers: int, connections: int, profile: str = "s3", ca_file: Path | None = None
) -> str:
    """Settings with one region; ``connections`` are those of one worker."""
    (folder / "id").write_text("AKMAIN")
    (folder / "secret").write_text("SKMAIN")
    region: dict[str, Any] = {
        "endpoint": endpoint,
        "profile": profile,
        "max_connections": connections,
        "credentials": {"access_key_id": f"file:{folder}/id", "secret_access_key": f"file:{folder}/secret"},
    }
    if ca_file is not None:
        region["ca_file"] = str(ca_file)
    return yaml.safe_dump({"regions": {"null": region}, "workers": workers})


def job_text(inventory: Inventory) -> str:
    """The default copy with a report of every row."""
    return yaml.safe_dump(
        {
            "region": "null",
            "manifest": {
                "location": {"object_arn": f"arn:aws:s3:::{CONTROL_BUCKET}/{inventory.key}"},
                "spec": {"format": "COSInventoryReport_CSV_V1"},
            },
            "operation": {"cos_put_object_copy": {"target_resource": f"arn:aws:s3:::{TARGET_BUCKET}"}},
            "report": {"bucket": f"arn:aws:s3:::{CONTROL_BUCKET}", "prefix": "reports", "report_scope": "AllTasks"},
        }
    )


def run_job(
    folder: Path,
    *,
    endpoint: str,
    inventory: Inventory,
    workers: int,
    connections: int,
    ca_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Cost:
    """Runs it from start to end in a fresh ``folder``; ProgramFailed unless every row has succeeded."""
    folder.mkdir(parents=True)
    settings = folder / "cosbatch.yaml"
    settings.write_text(
        settings_text(folder, endpoint=endpoint, workers=workers, connections=connections, ca_file=ca_file)
    )
    job = folder / "job.yaml"
    job.write_text(job_text(inventory))
    command = [sys.executable, "-m", "cosbatch", "run", str(job), "--yes", "--config", str(settings)]
    cost = run_tree(
        [*command, "--data", str(folder / "state")], limit_seconds=LIMIT_SECONDS, environ=environ, folder=folder
    )
    if succeeded(cost.output) != inventory.rows:
        raise ProgramFailed(f"not every row has succeeded:\n{cost.output[-2000:]}")
    return cost


def succeeded(output: str) -> int | None:
    """The number that the last line of ``cosbatch run`` tells."""
    found = _DONE.findall(output)
    return int(found[-1].replace(",", "")) if found else None
