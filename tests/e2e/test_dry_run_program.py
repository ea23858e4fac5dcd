"""Dry runs through the installed program: they say what the run then does, and the store sees no write of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.counting_proxy import CountingProxy
from tests.e2e.in_place_jobs import DELETE, enable_versioning, outcomes, tagging
from tests.e2e.program import Ground
from tests.moto_store import moto_store as moto_store
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)

Grounds = Callable[[RealStore], Ground]
MIB = 2**20
SAID = {"would_succeed": "succeeded", "would_fail": "failed"}
DENIED = ["denied/1", "denied/2"]
PREFIX = {"prefix_replace": True, "resources_prefix": "in/", "target_key_prefix": "copied/"}


@pytest.fixture
def grounds(tmp_path: Path) -> Iterator[Grounds]:
    made: list[Ground] = []

    def make(store: RealStore) -> Ground:
        made.append(Ground(store, tmp_path, f"dry{uuid.uuid4().hex[:8]}"))
        return made[-1]

    yield make
    for ground in made:
        ground.kill_all()


def deny(ground: Ground, *actions: str) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": [f"arn:aws:s3:::{ground.source}/denied/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    ground.client.put_bucket_policy(Bucket=ground.source, Policy=json.dumps(policy))


def both(
    ground: Ground, arn: str, *, operation: Mapping[str, Any] | None = None, codes: Mapping[str, int], **job: Any
) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Holds a dry run, which went through a proxy that counts, against the run; gives the run's outcomes.

    ``codes``: what the run reports, each as often as this; successes have the empty one."""
    document = ground.document(arn, **job)
    if operation is not None:
        document["operation"] = dict(operation)
    job_file = ground.write_job(document)
    with CountingProxy(ground.store.endpoint) as proxy:
        ground.write_settings(region={"endpoint": proxy.endpoint})
        dry = ground.call_json("run", job_file, "--dry-run", expect=3)
        written = {request.bucket for request in proxy.seen if request.method not in ("GET", "HEAD")}
    assert written == {ground.control}, "the report, and nothing else"
    ground.write_settings()
    real = ground.call_json("run", job_file, "--yes", expect=3)
    assert (dry["dry_run"], real["dry_run"]) == (True, False)
    predicted, found = (outcomes(ground.report(each["job_id"])) for each in (dry, real))
    assert {name: (SAID[row[0]], *row[1:3]) for name, row in predicted.items()} == {
        name: row[:3] for name, row in found.items()
    }
    counted: dict[str, int] = {}
    for row in found.values():
        counted[row[1]] = counted.get(row[1], 0) + 1
    assert counted == dict(codes), "the ground is not what it is meant to be"
    return {name: row[:3] for name, row in found.items()}


def test_a_copy_on_seaweedfs(grounds: Grounds, seaweedfs_store: RealStore) -> None:
    """Out of an inventory of all versions, with every trouble that a key, a version or a size can have."""
    ground = grounds(seaweedfs_store)
    enable_versioning(ground)
    plain = [f"in/{number:02d} ü" for number in range(20)]
    ground.put([*plain, "in/old and new", "out/of prefix", "in/gone", "in/" + "d/" * 509 + "x"])
    ground.put(["in/old and new"], body=lambda key: b"newer")
    ground.put(["in/large"], body=lambda key: bytes(6 * MIB))
    arn = ground.inventory(has_versions=True)
    gone = ground.client.list_object_versions(Bucket=ground.source, Prefix="in/gone")["Versions"][0]["VersionId"]
    ground.client.delete_object(Bucket=ground.source, Key="in/gone", VersionId=gone)
    both(
        ground,
        arn,
        copy=PREFIX,
        part_copy_above_bytes=5 * MIB,
        codes={"": 22, "NotLatestVersion": 1, "PrefixMismatch": 1, "NoSuchKey": 1, "KeyTooLong": 1},
    )
    assert "copied/in/" not in ground.keys_in(ground.target)


def test_a_deletion_on_seaweedfs(grounds: Grounds, seaweedfs_store: RealStore) -> None:
    ground = grounds(seaweedfs_store)
    ground.put(["a", "b", *DENIED])
    deny(ground, "s3:GetObject", "s3:DeleteObject")
    keys = ["a", "never", *DENIED]
    codes = {"": 2, "AccessDenied": 2}
    both(ground, ground.csv(keys), operation=DELETE, codes=codes, confirm_delete_count=len(keys))


def test_tags_on_seaweedfs(grounds: Grounds, seaweedfs_store: RealStore) -> None:
    ground = grounds(seaweedfs_store)
    ground.put(["a", "b"])
    ground.put(["full"], Tagging="&".join(f"k{number}=v" for number in range(9)))
    arn = ground.csv(["a", "b", "full", "never"])
    job_file = ground.write_job(ground.document(arn, operation=tagging("Add", x="1", y="2")))
    estimate = ground.call_json("estimate", job_file)
    assert (estimate["is_exact"], estimate["objects"], estimate["cost"]["total"]) == (True, 4, None)
    assert estimate["requests"] == {"get-tags": 4, "put-tags": 4, "read-back": 4}
    assert not (ground.folder / "state").exists(), "looking makes no ledger"
    both(
        ground,
        arn,
        operation=tagging("Add", x="1", y="2"),
        codes={"": 2, "InvalidTag": 1, "NoSuchKey": 1},
    )


def test_archived_objects_on_moto(grounds: Grounds, moto_store: RealStore) -> None:
    """moto calls the refusal by another name, as the reference of S3 does."""
    ground = grounds(moto_store)
    ground.put(["warm"])
    ground.put(["cold", "restored"], StorageClass="GLACIER")
    ground.client.restore_object(Bucket=ground.source, Key="restored", RestoreRequest={"Days": 1})
    restore = {"cos_initiate_restore_object": {"expiration_in_days": 3, "job_tier": "Bulk"}}
    found = both(
        ground,
        ground.csv(["warm", "cold", "restored", "never"]),
        operation=restore,
        codes={"": 2, "InvalidObjectState": 1, "NoSuchKey": 1},
    )
    assert found["restored", ""] == ("succeeded", "", "200")


@pytest.mark.system
def test_what_may_not_be_read_on_ceph(grounds: Grounds, ceph_store: RealStore) -> None:
    ground = grounds(ceph_store)
    ground.put(["a", "b", *DENIED])
    deny(ground, "s3:GetObject")
    both(ground, ground.csv(["a", "b", "never", *DENIED]), codes={"": 2, "AccessDenied": 2, "NoSuchKey": 1})
