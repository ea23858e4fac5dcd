"""The installed program with ``provider: cos``: a job from its manifest to its report, on the stand-in for COS."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef
from cosbatch.model.operations import Tag
from cosbatch.storage.port import AclGrant, ObjectMetadata, PutOptions
from tests.cos_store import MAIN, REGION, CosStore
from tests.e2e.program import PROGRAM

pytestmark = pytest.mark.timeout(300)
KEYS = [f"logs/{number:03d}.log" for number in range(150)] + ["a b", "plus+", "100%", "中文/日志", "new\nline"]
SOURCE, TARGET, CONTROL = "from-1250000000", "into-1250000000", "control-1250000000"
FRIEND = "qcs::cam::uin/100000000002:uin/100000000002"
OWNED = PutOptions(metadata=ObjectMetadata(user={"kept": "yes"}), tags=(Tag(key="old", value="1"),))


def settings(folder: Path, port: int, *, region: str = REGION) -> None:
    for name, value in (("id", MAIN.access_key_id), ("secret", MAIN.secret_access_key)):
        (folder / name).write_text(value)
    here = {
        "provider": "cos",
        "endpoint": f"http://127.0.0.1:{port}",
        "addressing": "path",
        "signing_region": region,
        "credentials": {"access_key_id": "file:id", "secret_access_key": "file:secret"},
    }
    document = {"regions": {"here": here}, "lease_seconds": 5, "request_timeout_seconds": 5, "workers": 2}
    (folder / "cosbatch.yaml").write_text(yaml.safe_dump(document))


def write_job(folder: Path, copy: dict[str, Any]) -> Path:
    document = {
        "region": "here",
        "manifest": {
            "location": {"object_arn": f"qcs::cos:here::{CONTROL}/list.csv"},
            "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
        },
        "operation": {"cos_put_object_copy": {"target_resource": f"qcs::cos:here::{TARGET}", **copy}},
        "report": {"bucket": f"qcs::cos:here::{CONTROL}", "prefix": "reports"},
        "verify": "all",
    }
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def fill(server: CosStore) -> None:
    for bucket in (SOURCE, TARGET, CONTROL):
        server.memory.create_bucket(bucket, region=REGION)
    for key in KEYS:
        server.memory.put_now(SOURCE, key, key.encode(), options=OWNED)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows((SOURCE, quote(key, safe="/")) for key in [*KEYS, "gone"])
    server.memory.put_now(CONTROL, "list.csv", text.getvalue().encode())


async def run(folder: Path, job: Path, *, expect: int) -> dict[str, Any]:
    places = ["--config", str(folder / "cosbatch.yaml"), "--data", str(folder / "state")]
    command = [str(PROGRAM), "run", str(job), "--yes", "--json", *places]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == expect, f"{done.stdout}\n{done.stderr}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


async def test_a_job_with_options_from_its_manifest_to_its_report(tmp_path: Path) -> None:
    copy = {
        "storage_class": "STANDARD_IA",
        "tagging_directive": "Add",
        "new_object_tagging": [{"key": "new", "value": "2"}],
        "metadata_directive": "Replaced",
        "new_object_metadata": {"cache_control": "no-store", "sse_algorithm": "AES256"},
        "access_control_directive": "Add",
        "access_control_grants": [{"grantee": {"identifier": FRIEND, "type_identifier": "ID"}, "permission": "READ"}],
    }
    async with CosStore() as server:
        fill(server)
        settings(tmp_path, server.port)
        job = await run(tmp_path, write_job(tmp_path, copy), expect=3)
        assert job["status"] == "Complete"
        made = server.memory.current_objects(TARGET)
        assert set(made) == set(KEYS)
        for key, found in made.items():
            assert found.content.stored == key.encode()
            assert (found.storage_class, found.sse_algorithm) == ("STANDARD_IA", "AES256")
            assert (found.metadata.cache_control, found.metadata.user) == ("no-store", {})
            assert set(found.tags) == {Tag(key="old", value="1"), Tag(key="new", value="2")}
            assert AclGrant(FRIEND, "", "READ") in found.acl.grants
        folder = f"reports/job-{job['job_id']}"
        summary = await _read(server, f"{folder}/summary.json")
        assert (summary["succeeded"], summary["failed"]) == (len(KEYS), 1)
        assert summary["failures"][0]["error_code"] == "NoSuchKey"


async def test_a_bucket_in_another_region_than_the_jobs_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    async with CosStore() as server:
        fill(server)
        settings(tmp_path, server.port, region="ap-elsewhere")
        job = await run(tmp_path, write_job(tmp_path, {}), expect=4)
        assert job["status"] == "Failed"
        assert "RegionMismatch" in json.dumps(job)
        assert server.memory.current_objects(TARGET) == {}


async def _read(server: CosStore, key: str) -> dict[str, Any]:
    body = await server.memory.get(ObjectRef(Bucket(CONTROL), ObjectKey(key)))
    found: dict[str, Any] = json.loads(b"".join([block async for block in body]))
    return found
