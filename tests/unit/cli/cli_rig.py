"""Calls the command line in this process, on an engine in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cosbatch.cli.main import cli
from tests.unit.cli.memory_engine import MemoryWiring, surroundings

SETTINGS = """\
workers: 1
regions:
  local:
    endpoint: http://127.0.0.1:1
    credentials: {access_key_id: env:ID, secret_access_key: env:SECRET}
"""
JOB = """\
region: local
description: move cold logs
manifest:
  location: {object_arn: "arn:aws:s3:::logs-125/manifest.json"}
  spec: {format: COSInventoryReport_CSV_V1}
operation:
  cos_put_object_copy:
    target_resource: arn:aws:s3:::cold-125
    prefix_replace: true
    resources_prefix: raw/
    target_key_prefix: old/
    storage_class: STANDARD_IA
report: {bucket: "arn:aws:s3:::logs-125", prefix: reports}
"""


class CliRig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wiring = MemoryWiring()
        self.patience_seconds = 60.0
        self.job_file = folder / "job.yaml"
        self.job_file.write_text(JOB, encoding="utf-8")
        self.settings_file = folder / "cosbatch.yaml"
        self.settings_file.write_text(SETTINGS, encoding="utf-8")

    @property
    def places(self) -> list[str]:
        return ["--config", str(self.settings_file), "--data", str(self.folder / "state")]

    def call(self, *arguments: str, answer: str | None = None) -> Result:
        """``answer`` is typed where a question is asked; without one nobody can be asked."""
        objects = surroundings(self.wiring, can_ask=answer is not None, patience_seconds=self.patience_seconds)
        has_jobs = arguments[0] not in ("manifest", "store")
        places = self.places if has_jobs else self.places[:2]
        return CliRunner().invoke(cli, [*arguments, *places], obj=objects, input=answer, catch_exceptions=False)

    def run(self, *options: str, answer: str | None = None) -> Result:
        return self.call("run", str(self.job_file), *options, answer=answer)

    def jobs(self) -> list[dict[str, Any]]:
        listed = json.loads(self.call("list-jobs", "--json").stdout)
        jobs: list[dict[str, Any]] = listed["jobs"]
        return jobs

    def described_jobs(self) -> list[dict[str, Any]]:
        """With everything that there is to say of each."""
        return [json.loads(self.call("describe-job", job["job_id"], "--json").stdout) for job in self.jobs()]
