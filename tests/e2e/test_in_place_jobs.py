"""Deletions and tags on SeaweedFS, restorations on moto, through the installed program."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.in_place_jobs import CASES, DELETE, outcomes
from tests.e2e.program import Ground
from tests.moto_store import moto_store as moto_store
from tests.stores import RealStore

RESTORE = {"cos_initiate_restore_object": {"expiration_in_days": 3, "job_tier": "Bulk"}}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"ops{uuid.uuid4().hex[:8]}")
    yield ground
    ground.kill_all()


@pytest.mark.parametrize("case", CASES)
def test_on_seaweedfs(ground: Ground, case: str) -> None:
    CASES[case](ground)


def test_a_store_without_archived_classes_is_named(ground: Ground) -> None:
    ground.put(["a"])
    job_file = ground.write_job(ground.document(ground.csv(["a"]), operation=RESTORE))
    ended = ground.call_json("run", job_file, "--yes", expect=4)
    (why,) = ended["failure_reasons"]
    assert (ended["status"], why["failure_code"]) == ("Failed", "UnsupportedOption")
    assert "Operation.COSInitiateRestoreObject" in why["failure_reason"]
    assert "restore is not offered by a seaweedfs store" in why["failure_reason"]


def test_a_deletion_is_not_run_without_a_yes(ground: Ground) -> None:
    ground.put(["a"])
    job_file = ground.write_job(ground.document(ground.csv(["a"]), operation=dict(DELETE)))
    (fault,) = ground.call_json("run", job_file, expect=2)["error"]["faults"]
    assert fault["path"] == "--yes"
    assert ground.keys_in(ground.source) == {"a"}


def test_restore_on_moto(moto_store: RealStore, tmp_path: Path) -> None:
    ground = Ground(moto_store, tmp_path, "cold")
    cold, again = [f"cold/{number:02d} ü" for number in range(30)], ["again"]
    ground.put([*cold, *again, "not/listed"], StorageClass="GLACIER")
    ground.put(["warm"])
    ground.client.restore_object(Bucket=ground.source, Key="again", RestoreRequest={"Days": 1})

    listed = [*cold, *again, "warm", "never/there"]
    document = ground.document(ground.csv(listed), operation=RESTORE, verify="all")
    job = ground.call_json("run", ground.write_job(document), "--yes", expect=3)

    found = {key: outcome[:3] for (key, _), outcome in outcomes(ground.report(job["job_id"])).items()}
    assert found == {
        **dict.fromkeys(cold, ("succeeded", "", "202")),
        "again": ("succeeded", "", "200"),
        "warm": ("failed", "InvalidObjectState", "403"),
        "never/there": ("failed", "NoSuchKey", "404"),
    }
    shown = {key: ground.client.head_object(Bucket=ground.source, Key=key).get("Restore") for key in [*cold, *again]}
    assert all(header and "expiry-date" in header for header in shown.values())
    assert "Restore" not in ground.client.head_object(Bucket=ground.source, Key="not/listed")
