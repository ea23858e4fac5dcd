"""The installed program on a real store, as a user calls it; and what came of it, as boto3 sees it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import yaml

from tests.e2e.inventory_report import InventoryReport
from tests.stores import RealStore

PROGRAM = Path(sys.executable).parent / "cosbatch"


@dataclass(frozen=True, slots=True)
class Report:
    """A delivered report."""

    manifest: dict[str, Any]
    summary: dict[str, Any]
    rows: list[list[str]]

    def keys(self, status: str) -> list[str]:
        return sorted(unquote_plus(row[1]) for row in self.rows if row[3] == status)

    def not_attempted(self) -> set[int]:
        return {
            number
            for first, end in self.summary["not_attempted_ranges"]
            for number in range(first, self.summary["total"] if end is None else end)
        }


@dataclass(slots=True)
class Ground:
    """A folder with settings and state, and three buckets of one store."""

    store: RealStore
    folder: Path
    name: str
    wrapper: tuple[str, ...] = ()
    """What the program is called through, such as ``env NAME=value``."""
    client: Any = field(init=False)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.store.admin()
        for bucket in (self.source, self.target, self.control):
            self.client.create_bucket(Bucket=bucket)
        for name, value in (("id", self.store.access_key), ("secret", self.store.secret_key)):
            (self.folder / name).write_text(value)
        self.write_settings()

    @property
    def source(self) -> str:
        return f"{self.name}-source"

    @property
    def target(self) -> str:
        return f"{self.name}-target"

    @property
    def control(self) -> str:
        return f"{self.name}-control"

    def write_settings(
        self,
        *,
        region: dict[str, Any] | None = None,
        others: Mapping[str, RealStore] | None = None,
        **settings: Any,
    ) -> None:
        """``region`` changes the region here; ``others`` are further stores with the same users, by region name."""
        regions = {name: self._region(store) for name, store in (others or {}).items()}
        regions["here"] = {**self._region(self.store), **(region or {})}
        document = {"regions": regions, "lease_seconds": 5, "request_timeout_seconds": 5, **settings}
        (self.folder / "cosbatch.yaml").write_text(yaml.safe_dump(document))

    def _region(self, store: RealStore) -> dict[str, Any]:
        return {
            "endpoint": store.endpoint,
            "profile": store.profile,
            "credentials": {
                "access_key_id": f"file:{self.folder}/id",
                "secret_access_key": f"file:{self.folder}/secret",
            },
        }

    # --- objects and manifests

    def put(self, keys: Iterable[str], *, body: Callable[[str], bytes] = str.encode, **options: Any) -> None:
        with ThreadPoolExecutor(16) as pool:
            list(
                pool.map(
                    lambda key: self.client.put_object(Bucket=self.source, Key=key, Body=body(key), **options), keys
                )
            )

    def csv(self, keys: Iterable[str], *, name: str = "list.csv") -> str:
        """A CSV manifest; its ARN."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows((self.source, quote(key, safe="/")) for key in keys)
        self.client.put_object(Bucket=self.control, Key=name, Body=text.getvalue().encode())
        return f"arn:aws:s3:::{self.control}/{name}"

    def inventory(
        self, *, prefix: str = "", missing: Iterable[str] = (), name: str = "all", has_versions: bool = False
    ) -> str:
        """A COS inventory report of the source bucket, and of ``missing`` keys beside; its ARN."""
        rows = InventoryReport(self.client, bucket=self.source, has_versions=has_versions)
        return rows.write(self.control, name=name, prefix=prefix, missing=missing)

    def job_file(self, arn: str, *, copy: dict[str, Any] | None = None, name: str = "job.yaml", **job: Any) -> Path:
        return self.write_job(self.document(arn, copy=copy, **job), name=name)

    def write_job(self, document: Mapping[str, Any], *, name: str = "job.yaml") -> Path:
        path = self.folder / name
        path.write_text(yaml.safe_dump(dict(document), allow_unicode=True))
        return path

    def document(self, arn: str, *, copy: dict[str, Any] | None = None, **job: Any) -> dict[str, Any]:
        """A job over a CSV of buckets and keys, or over an inventory report; ``job`` changes or adds fields."""
        is_inventory = arn.endswith("/manifest.json")
        spec: dict[str, Any] = {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]}
        return {
            "region": "here",
            "priority": 10,
            "manifest": {
                "location": {"object_arn": arn},
                "spec": {"format": "COSInventoryReport_CSV_V1"} if is_inventory else spec,
            },
            "operation": {"cos_put_object_copy": {"target_resource": f"arn:aws:s3:::{self.target}", **(copy or {})}},
            "report": {
                "enabled": True,
                "bucket": f"arn:aws:s3:::{self.control}",
                "prefix": "reports",
                "format": "Report_CSV_V1",
                "report_scope": "AllTasks",
            },
            **job,
        }

    # --- the program

    def command(self, *arguments: str | Path) -> list[str]:
        words = [*self.wrapper, str(PROGRAM), *map(str, arguments), "--config", str(self.folder / "cosbatch.yaml")]
        has_jobs = arguments[0] not in ("manifest", "store")
        return [*words, "--data", str(self.folder / "state")] if has_jobs else words

    def call(self, *arguments: str | Path, expect: int = 0, seconds: float = 240) -> str:
        """Standard output of a call that must end with this exit code."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=seconds)
        assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout

    def call_json(self, *arguments: str | Path, expect: int = 0, seconds: float = 240) -> Any:
        return json.loads(self.call(*arguments, "--json", expect=expect, seconds=seconds).splitlines()[-1])

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """In the background, in a process group of its own."""
        with (self.folder / "stderr").open("ab") as written:
            process = subprocess.Popen(
                self.command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=written,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def kill_all(self) -> None:
        """Whatever a failed test has left behind."""
        for process in self.started:
            if process.poll() is None:
                kill_group(process)

    def log(self) -> str:
        path = self.folder / "state" / "cosbatch.log"
        return path.read_text()[-4000:] if path.exists() else ""

    # --- what came of it

    def keys_in(self, bucket: str) -> set[str]:
        return {
            entry["Key"]
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            for entry in page.get("Contents", ())
        }

    def wait_for_copies(self, count: int, *, seconds: float = 120) -> None:
        ends = time.monotonic() + seconds
        while len(self.keys_in(self.target)) < count:
            assert time.monotonic() < ends, f"fewer than {count} copies after {seconds} s\n{self.log()}"
            time.sleep(0.05)

    def wait_for_status(self, job_id: str, status: str, *, seconds: float = 120) -> dict[str, Any]:
        ends = time.monotonic() + seconds
        while (job := self.call_json("describe-job", job_id))["status"] != status:
            assert time.monotonic() < ends, f"{job['status']} instead of {status} after {seconds} s"
            time.sleep(0.2)
        return dict(job)

    def the_job(self) -> str:
        (job,) = self.call_json("list-jobs")["jobs"]
        return str(job["job_id"])

    def report(self, job_id: str) -> Report:
        folder = f"reports/job-{job_id}/"
        manifest = json.loads(self._read(f"{folder}manifest.json"))
        rows: list[list[str]] = []
        for result in manifest["Results"]:
            rows += csv.reader(io.StringIO(self._read(result["Key"]).decode(), newline=""))
        return Report(manifest, json.loads(self._read(f"{folder}summary.json")), rows)

    def _read(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.control, Key=key)["Body"].read())


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of a program and all of its processes."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
