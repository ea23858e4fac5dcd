"""P8: large objects from one store to another that cannot read from it: bytes for each CPU second, against rclone."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from bench.figures import Bar, Contender, Row, interleave
from bench.ground import Ground
from bench.null_store import CONTROL_BUCKET
from bench.peers import KEY, TOOLS
from bench.process_tree import Cost, ProgramFailed, run_tree
from bench.whole_job import succeeded
from tests.stores import RealStore, seaweedfs

OBJECTS: Final = 16
OBJECT_BYTES: Final = 64 * 2**20
ROUNDS: Final = 2
LIMIT_SECONDS: Final = 300
SOURCE: Final = "large"
TARGET: Final = "arrived"
MIB: Final = 2**20


def large_object_rows(ground: Ground) -> Iterator[Row]:
    with seaweedfs(ground.folder / "other-store") as other:
        crossing = _Crossing(ground, other)
        crossing.fill()
        contenders = [
            Contender(name="cosbatch", measure=lambda: crossing.measure("cosbatch")),
            Contender(name="rclone", measure=lambda: crossing.measure("rclone")),
        ]
        samples = interleave(contenders, rounds=ROUNDS, errors=(ProgramFailed, OSError), say=ground.say)
    per_second = {name: f"{name} {samples.median(name) or 0:,.0f} MiB" for name in ("cosbatch", "rclone")}
    yield Row(
        number="P8",
        what=f"{OBJECTS} objects of {OBJECT_BYTES // MIB} MiB to another store: bytes per CPU second against rclone",
        figure=samples.ratio("cosbatch", "rclone"),
        bar=Bar(limit=1, at_least=True),
        remark=samples.broken.get("cosbatch") or ", ".join(per_second.values()),
    )
    for name, peak in crossing.peaks.items():
        yield Row(number="P8", what=f"largest process of {name} meanwhile", figure=peak / 10**6, unit=" MB")


@dataclass(slots=True)
class _Crossing:
    ground: Ground
    other: RealStore
    peaks: dict[str, int] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def fill(self) -> None:
        admin = self.ground.admin
        admin.create_bucket(Bucket=SOURCE)
        names = [f"object-{number:03d}.bin" for number in range(OBJECTS)]
        for name in names:
            admin.put_object(Bucket=SOURCE, Key=name, Body=os.urandom(OBJECT_BYTES))
        rows = "".join(f"{SOURCE},{name}\n" for name in names)
        admin.put_object(Bucket=CONTROL_BUCKET, Key="large.csv", Body=rows.encode())

    def measure(self, name: str) -> float:
        """MiB for each CPU second, into an empty bucket."""
        admin = self.other.admin()
        admin.create_bucket(Bucket=TARGET)
        folder = self.ground.folder / f"crossing-{next(self.numbers)}"
        folder.mkdir()
        try:
            cost = self._cosbatch(folder) if name == "cosbatch" else self._rclone()
            found = _sizes(admin)
        finally:
            shutil.rmtree(folder)
            for key in _sizes(admin):
                admin.delete_object(Bucket=TARGET, Key=key)
            admin.delete_bucket(Bucket=TARGET)
        if list(found.values()) != [OBJECT_BYTES] * OBJECTS:
            raise ProgramFailed(f"{name} has left {len(found)} objects: {cost.output[-500:]}")
        self.peaks[name] = max(self.peaks.get(name, 0), cost.peak_bytes)
        return OBJECTS * OBJECT_BYTES / MIB / cost.cpu_seconds

    def _cosbatch(self, folder: Path) -> Cost:
        (folder / "id").write_text(self.other.access_key)
        (folder / "secret").write_text(self.other.secret_key)
        credentials = {"access_key_id": f"file:{folder}/id", "secret_access_key": f"file:{folder}/secret"}
        regions = {
            name: {"endpoint": store.endpoint, "profile": store.profile, "credentials": dict(credentials)}
            for name, store in (("here", self.ground.store), ("there", self.other))
        }
        job = {
            "region": "here",
            "manifest": {
                "location": {"object_arn": f"arn:aws:s3:::{CONTROL_BUCKET}/large.csv"},
                "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
            },
            "operation": {
                "cos_put_object_copy": {"target_resource": f"arn:aws:s3:::{TARGET}", "target_region": "there"}
            },
            "report": {"bucket": f"arn:aws:s3:::{CONTROL_BUCKET}", "prefix": "reports"},
        }
        (folder / "cosbatch.yaml").write_text(yaml.safe_dump({"regions": regions, "workers": 2}))
        (folder / "job.yaml").write_text(yaml.safe_dump(job))
        options = ["--yes", "--config", str(folder / "cosbatch.yaml"), "--data", str(folder / "state")]
        command = [sys.executable, "-m", "cosbatch", "run", str(folder / "job.yaml"), *options]
        cost = run_tree(command, limit_seconds=LIMIT_SECONDS)
        if succeeded(cost.output) != OBJECTS:
            raise ProgramFailed(f"not every object has arrived: {cost.output[-1000:]}")
        return cost

    def _rclone(self) -> Cost:
        command = [str(TOOLS / "rclone"), "copy", _remote(self.ground.store, SOURCE), _remote(self.other, TARGET)]
        return run_tree([*command, "--config", "", "--retries", "1"], limit_seconds=LIMIT_SECONDS, environ=KEY)


def _remote(store: RealStore, bucket: str) -> str:
    options = "provider=SeaweedFS,env_auth=true,no_check_bucket=true"
    return f":s3,{options},endpoint='{store.endpoint}':{bucket}"


def _sizes(admin: Any) -> dict[str, int]:
    return {entry["Key"]: entry["Size"] for entry in admin.list_objects_v2(Bucket=TARGET).get("Contents", ())}
