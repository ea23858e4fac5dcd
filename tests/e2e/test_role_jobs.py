"""Jobs that act with the temporary credentials of a role: the region's own key may do nothing here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Policy, iam_policy, iam_trust
from cosbatch.identity.sts_aws import AwsRoles
from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, JobId
from cosbatch.model.jobs import PlanFindings
from cosbatch.model.preflight import Check, CheckName, CheckOutcome
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.model.regions import Versioning
from cosbatch.operations.job_access import job_access, with_source
from cosbatch.service.job_schema import parse_job
from cosbatch.storage.profiles import PROFILES
from tests.e2e.program import PROGRAM, Ground
from tests.stores import RealStore
from tests.unit.service.job_builders import without_places

pytestmark = pytest.mark.timeout(240)

SEAWEEDFS_ROLE = "arn:aws:iam::000000000000:role/copy"
KEYS = [f"{number:03}/object" for number in range(250)]


def ground_with_role(store: RealStore, folder: Path, arn: str) -> Ground:
    """The region has the key of somebody who may do nothing; the main key stands at the role alone."""
    ground = Ground(store, folder, f"rol{uuid.uuid4().hex[:8]}")
    for name, value in (("no-id", store.other_access_key), ("no-secret", store.other_secret_key)):
        (folder / name).write_text(value)
    nobody = {"access_key_id": f"file:{folder}/no-id", "secret_access_key": f"file:{folder}/no-secret"}
    main = {"access_key_id": f"file:{folder}/id", "secret_access_key": f"file:{folder}/secret"}
    role = {"arn": arn, "provider": "aws-sts", "sts_endpoint": store.endpoint, "credentials": main}
    ground.write_settings(region={"credentials": nobody}, roles=[role])
    return ground


def runs_to_its_end(ground: Ground, arn: str) -> dict[str, Any]:
    ground.put(KEYS)
    job_file = ground.job_file(ground.csv(KEYS), role_arn=arn)
    ended: dict[str, Any] = ground.call_json("run", job_file, "--yes")
    return ended


def test_a_job_runs_under_a_role_of_seaweedfs(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    ground = ground_with_role(seaweedfs_store, tmp_path, SEAWEEDFS_ROLE)

    ended = runs_to_its_end(ground, SEAWEEDFS_ROLE)

    assert ended["status"] == "Complete"
    assert ground.keys_in(ground.target) == set(KEYS)
    assert ground.report(ended["job_id"]).keys("succeeded") == KEYS
    logged = [json.loads(line) for line in (tmp_path / "state" / "cosbatch.log").read_text().splitlines()]
    assert [line["narrowed"] for line in logged if line["event"] == "role-assumed"] == [True, True]


def test_without_its_role_the_job_may_do_nothing(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    ground = ground_with_role(seaweedfs_store, tmp_path, SEAWEEDFS_ROLE)
    ground.put(KEYS[:3])
    told = ground.call("run", ground.job_file(ground.csv(KEYS[:3])), "--yes", "--json", expect=2)
    assert "AccessDenied" in told
    assert ground.keys_in(ground.target) == set()


def test_a_role_that_is_not_registered_makes_no_job(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    ground = ground_with_role(seaweedfs_store, tmp_path, SEAWEEDFS_ROLE)
    ground.put(KEYS[:3])
    stranger = ground.job_file(ground.csv(KEYS[:3]), role_arn="arn:aws:iam::000000000000:role/stranger")
    assert "is no role that is registered here" in ground.call("run", stranger, "--yes", "--json", expect=2)


def test_a_role_that_may_not_be_assumed_makes_no_job(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    unknown = "arn:aws:iam::000000000000:role/gone"
    ground = ground_with_role(seaweedfs_store, tmp_path, unknown)
    ground.put(KEYS[:3])
    told = ground.call("run", ground.job_file(ground.csv(KEYS[:3]), role_arn=unknown), "--yes", "--json", expect=2)
    assert "cannot be assumed" in told


def test_no_secret_of_a_role_is_in_the_state(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    ground = ground_with_role(seaweedfs_store, tmp_path, SEAWEEDFS_ROLE)
    runs_to_its_end(ground, SEAWEEDFS_ROLE)
    for path in (tmp_path / "state").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert seaweedfs_store.secret_key.encode() not in content, path
            assert b"ASIA" not in content, path


def least_policy(ground: Ground, store: RealStore, document: Mapping[str, Any]) -> Policy:
    """What the job needs, and nothing beside."""
    request = parse_job(without_places(document)).request
    profile = PROFILES[store.profile]
    accesses = job_access(request, findings=None, source_profile=profile, target_profile=profile, same_store=True)
    findings = PlanFindings(
        source_bucket=Bucket(ground.source),
        source_versioning=Versioning.NEVER,
        target_versioning=Versioning.NEVER,
        manifest_etag="",
    )
    accesses = [
        *with_source(accesses, Bucket(ground.source)),
        *job_access(request, findings=findings, source_profile=profile, target_profile=profile, same_store=True),
    ]
    return iam_policy(accesses)


def admin(ground: Ground, *arguments: str | Path, typed: str = "", code: int = 0) -> dict[str, Any]:
    places = ["--config", str(ground.folder / "cosbatch.yaml"), "--data", str(ground.folder / "state"), "--json"]
    words = [str(PROGRAM), "admin", *map(str, arguments), *places]
    done = subprocess.run(words, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_role_is_registered_tested_used_and_deleted(seaweedfs_store: RealStore, tmp_path: Path) -> None:
    store = seaweedfs_store
    ground = Ground(store, tmp_path, f"rol{uuid.uuid4().hex[:8]}")
    ground.put(KEYS[:20])
    job_file = ground.job_file(ground.csv(KEYS[:20]), role_arn=SEAWEEDFS_ROLE)
    assert "no registry of roles" in ground.call("run", job_file, "--yes", "--json", expect=2)
    options = ["--provider", "aws-sts", "--access-key-id", store.access_key, "--sts-endpoint", store.endpoint]
    admin(ground, "create-role", SEAWEEDFS_ROLE, *options, typed=f"{store.secret_key}\n")

    [listed] = admin(ground, "list-roles")["roles"]
    assert (listed["role"], listed["is_declared"]) == (SEAWEEDFS_ROLE, False)
    tested = admin(ground, "test-role", SEAWEEDFS_ROLE, job_file)
    assert tested["is_narrowed"]
    assert {access["verdict"] for access in tested["accesses"]} == {"may"}
    shown = admin(ground, "role-policies", SEAWEEDFS_ROLE, job_file, "--provider", "aws-sts", "--source", ground.source)
    assert f"arn:aws:s3:::{ground.source}/*" in json.dumps(shown["permission"])
    assert ground.call_json("run", job_file, "--yes")["status"] == "Complete"
    assert ground.keys_in(ground.target) == set(KEYS[:20])
    admin(ground, "delete-role", SEAWEEDFS_ROLE)
    assert admin(ground, "list-roles")["roles"] == []
    actions = [line["action"] for line in admin(ground, "audit")["audit"]]
    assert sorted(actions) == ["create-job", "create-role", "delete-role", "test-role", "update-job-status"]


@pytest.mark.system
def test_a_job_runs_under_a_role_that_was_made_for_it_on_ceph(ceph_store: RealStore, tmp_path: Path) -> None:
    name = f"batch-{uuid.uuid4().hex[:8]}"
    arn = f"arn:aws:iam:::role/{name}"
    ground = ground_with_role(ceph_store, tmp_path, arn)
    role = Role(
        arn=arn,
        account=LOCAL_ACCOUNT,
        provider=RoleProvider.AWS_STS,
        created_at=0.0,
        sts_endpoint=ceph_store.endpoint,
    )
    key = Credentials(access_key_id=ceph_store.access_key, secret_access_key=ceph_store.secret_key)
    document = ground.document(f"arn:aws:s3:::{ground.control}/list.csv", role_arn=arn)
    made = asyncio.run(
        AwsRoles().create(
            role,
            key=key,
            name=name,
            trust=iam_trust(principal="arn:aws:iam:::user/main", external_id=""),
            permission=least_policy(ground, ceph_store, document),
        )
    )
    assert made == arn

    ended = runs_to_its_end(ground, arn)

    assert ended["status"] == "Complete"
    assert ground.keys_in(ground.target) == set(KEYS)
    logged = [json.loads(line) for line in (tmp_path / "state" / "cosbatch.log").read_text().splitlines()]
    assert [line["narrowed"] for line in logged if line["event"] == "role-assumed"] == [True, True]


READS_ONLY = ("s3:GetObject", "s3:ListBucket", "s3:GetBucketVersioning")


@pytest.mark.system
def test_a_role_that_may_not_write_is_caught_before_an_object_is_touched_on_ceph(
    ceph_store: RealStore, tmp_path: Path
) -> None:
    """The role has a real policy: all that the job needs but for writing to the destination."""
    name = f"reads-{uuid.uuid4().hex[:8]}"
    arn = f"arn:aws:iam:::role/{name}"
    ground = ground_with_role(ceph_store, tmp_path, arn)
    document = ground.document(f"arn:aws:s3:::{ground.control}/list.csv", role_arn=arn)
    policy = least_policy(ground, ceph_store, document)
    for statement in policy["Statement"]:
        if any(resource.startswith(f"arn:aws:s3:::{ground.target}") for resource in statement["Resource"]):
            statement["Action"] = [action for action in statement["Action"] if action in READS_ONLY]
    role = Role(
        arn=arn,
        account=LOCAL_ACCOUNT,
        provider=RoleProvider.AWS_STS,
        created_at=0.0,
        sts_endpoint=ceph_store.endpoint,
    )
    key = Credentials(access_key_id=ceph_store.access_key, secret_access_key=ceph_store.secret_key)
    trust = iam_trust(principal="arn:aws:iam:::user/main", external_id="")
    asyncio.run(AwsRoles().create(role, key=key, name=name, trust=trust, permission=policy))
    ground.put(KEYS[:20])

    ended = ground.call_json("run", ground.job_file(ground.csv(KEYS[:20]), role_arn=arn), "--yes", expect=4)

    [why] = ended["failure_reasons"]
    assert why["failure_code"] == "RoleLacksPermission"
    assert "s3:PutObject" in why["failure_reason"]
    assert ground.keys_in(ground.target) == set()
    checks = {check.name: check for check in asyncio.run(kept_checks(tmp_path / "state", ended["job_id"]))}
    refused = [check for check in checks.values() if check.outcome is CheckOutcome.FAILED]
    assert [check.name for check in refused] == [CheckName.DESTINATION_WRITABLE]
    assert refused[0].missing_permission == f"s3:PutObject on arn:aws:s3:::{ground.target}/*"
    assert "narrowed to what the job does" in checks[CheckName.ROLE].detail
    for passed in (CheckName.MANIFEST, CheckName.SOURCE_BUCKET, CheckName.REPORT_WRITABLE):
        assert checks[passed].outcome is CheckOutcome.PASSED, checks[passed]


async def kept_checks(state: Path, job_id: str) -> tuple[Check, ...]:
    ledger = await open_sqlite_ledger(state)
    try:
        found = await ledger.preflights.preflight(JobId(job_id))
    finally:
        await ledger.close()
    assert found is not None
    return found.checks
