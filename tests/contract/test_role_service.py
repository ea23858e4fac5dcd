"""The verbs of roles, and the test of a role on a real store."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.credentials import Credentials, StaticCredentials
from cosbatch.identity.policies import Policy, Purpose
from cosbatch.identity.role_tests import TrialOutcome, Verdict
from cosbatch.identity.sts_aws import AwsRoles
from cosbatch.ledger.people_port import AuditEntry
from cosbatch.ledger.sql_ledger import SqlLedger, open_memory_ledger
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import InvalidArgument, NoSuchRole, NotAllowed, RoleNotAssumed, RoleRefusal
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket, ObjectKey, RegionName, new_job_id
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import Manifest, ManifestField, ManifestFormat, ManifestLocation, ManifestSpec
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.principals import Account, Caller, Role, RoleProvider, UserRole
from cosbatch.model.regions import Provider, Region
from cosbatch.model.reports import ReportSpec
from cosbatch.model.states import JobStatus
from cosbatch.service.role_desk import DeclaredRole, RoleDesk
from cosbatch.service.roles import NewRole, RoleService
from cosbatch.storage.http_client import HttpClient
from cosbatch.storage.profiles import PROFILES
from cosbatch.storage.s3 import S3Store
from cosbatch.storage.signer import TemplateSigner
from tests.contract.ledgers import HandClock, bring_to, reported_request
from tests.stores import RealStore, empty_bucket, make_bucket

HERE = RegionName("here")
AWS = "arn:aws:iam::123456789012:role/batch"
CAM = "qcs::cam::uin/100000000001:roleName/batch"
KEY = Credentials(access_key_id="AKIA1", secret_access_key="very-secret")


def caller(role: UserRole = UserRole.ADMIN, *, account: str = LOCAL_ACCOUNT) -> Caller:
    owner = Account(
        id=AccountId(account), name=account, uin="1", appid="2", aws_account_id="123456789012", created_at=0.0
    )
    return Caller(account=owner, user="anna", role=role, via="rest")


@dataclass(slots=True)
class Directory:
    """A provider that makes roles, or does not."""

    refusal: RoleNotAssumed | None = None
    made: list[tuple[str, Policy, Policy]] = field(default_factory=list)

    async def assume(self, role: Role, **_: Any) -> Credentials:
        if self.refusal is not None:
            raise self.refusal
        return Credentials(access_key_id="tmp", secret_access_key="tmp", session_token="t", expires_at=2e9)

    async def create(self, role: Role, *, key: Credentials, name: str, trust: Policy, permission: Policy) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.made.append((name, trust, permission))
        return f"arn:aws:iam::999:role/{name}"


class Rig:
    def __init__(self, region: Region, provider: Any) -> None:
        self.ledger: SqlLedger = open_memory_ledger(HandClock())
        self.audit: list[tuple[str, str, str]] = []
        self.clients: list[HttpClient] = []
        self.region = region
        cipher = Cipher(KeyRing(current=bytes(32)))
        declared = Role(
            arn="arn:aws:iam::1:role/declared",
            account=LOCAL_ACCOUNT,
            provider=RoleProvider.AWS_STS,
            created_at=0.0,
            is_declared=True,
        )
        self.desk = RoleDesk(
            self.ledger.roles,
            cipher=cipher,
            declared=[DeclaredRole(role=declared, key=lambda: KEY)],
            provider=lambda _: provider,
        )
        self.service = RoleService(
            self.ledger.roles,
            jobs=self.ledger,
            desk=self.desk,
            cipher=cipher,
            clock=HandClock(),
            regions={HERE: region},
            profile_of=lambda region: PROFILES[region.profile],
            open_store=self._open,
            record=self._record,
        )

    async def _record(self, entry: AuditEntry) -> None:
        assert (entry.actor, entry.via) == ("anna", "rest")
        self.audit.append((entry.action, entry.target, entry.detail))

    def _open(self, name: RegionName, credentials: Credentials) -> S3Store:
        clock = HandClock()
        clock.at = SystemClock().now()
        client = HttpClient(self.region.endpoint, max_connections=4, clock=clock)
        self.clients.append(client)
        return S3Store(
            region=self.region,
            credentials=StaticCredentials(credentials),
            client=client,
            signer=TemplateSigner(region="us-east-1", clock=clock),
            profile=PROFILES[self.region.profile],
            clock=clock,
        )

    async def close(self) -> None:
        for client in self.clients:
            await client.close()
        await self.ledger.close()


def region(endpoint: str = "http://127.0.0.1:8333", profile: str = "seaweedfs") -> Region:
    return Region(name=HERE, provider=Provider.S3, endpoint=endpoint, profile=profile, signing_region="us-east-1")


def request(*, control: str = "lists", target: str = "cold-1250000000", **changes: Any) -> JobRequest:
    wanted: dict[str, Any] = {
        "region": HERE,
        "manifest": Manifest(
            location=ManifestLocation(bucket=Bucket(control), key=ObjectKey("list.csv"), etag=""),
            spec=ManifestSpec(format=ManifestFormat.COS_CSV, fields=(ManifestField.BUCKET, ManifestField.KEY)),
        ),
        "operation": PutObjectCopy(target_bucket=Bucket(target)),
        "report": ReportSpec(enabled=True, bucket=Bucket(control), prefix="reports"),
        "priority": 10,
    }
    return JobRequest(**(wanted | changes))


def new(arn: str = AWS, provider: RoleProvider = RoleProvider.AWS_STS, **changes: Any) -> NewRole:
    return NewRole(arn=arn, provider=provider, key=changes.pop("key", KEY), **changes)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    made = Rig(region(), Directory())
    yield made
    await made.close()


# --- the registry


async def test_a_role_is_registered_and_found(rig: Rig) -> None:
    made = await rig.service.create_role(new(description="nightly", external_id="e-1"), caller=caller())

    assert not made.is_made
    assert await rig.service.describe_role(AWS, caller=caller(UserRole.VIEWER)) == made.role
    assert [role.arn for role in await rig.service.list_roles(caller=caller())] == [
        "arn:aws:iam::123456789012:role/batch",
        "arn:aws:iam::1:role/declared",
    ]
    assert rig.audit == [("create-role", AWS, "registered")]
    assert await rig.desk.key_of(made.role) == KEY
    assert "very-secret" not in (await rig.ledger.roles.role(AWS, account=LOCAL_ACCOUNT)).sealed


async def test_another_account_knows_nothing_of_it(rig: Rig) -> None:
    await rig.service.create_role(new(), caller=caller())
    stranger = caller(account="other")
    assert await rig.service.list_roles(caller=stranger) == []
    for ask in (rig.service.describe_role, rig.service.delete_role):
        with pytest.raises(NoSuchRole):
            await ask(AWS, caller=stranger)
    with pytest.raises(NoSuchRole):
        await rig.service.test_role(AWS, caller=stranger, request=request())


@pytest.mark.parametrize("role", [UserRole.VIEWER, UserRole.OPERATOR])
async def test_only_an_admin_changes_the_registry(rig: Rig, role: UserRole) -> None:
    with pytest.raises(NotAllowed):
        await rig.service.create_role(new(), caller=caller(role))
    with pytest.raises(NotAllowed):
        await rig.service.delete_role("arn:aws:iam::1:role/declared", caller=caller(role))
    assert [action for action, _, _ in rig.audit] == ["create-role", "delete-role"]
    assert all("that takes an admin" in why for _, _, why in rig.audit)


async def test_a_viewer_tests_no_role(rig: Rig) -> None:
    with pytest.raises(NotAllowed):
        await rig.service.test_role(AWS, caller=caller(UserRole.VIEWER), request=request())


async def test_all_faults_are_told_at_once(rig: Rig) -> None:
    faulty = new(
        CAM,
        external_id="no spaces",
        sts_endpoint="http://169.254.169.254",
        key=replace(KEY, secret_access_key=""),
        description="x" * 257,
    )
    with pytest.raises(InvalidArgument) as raised:
        await rig.service.create_role(faulty, caller=caller())
    assert {fault.path for fault in raised.value.faults} == {
        "arn",
        "external_id",
        "sts_endpoint",
        "key",
        "description",
    }


@pytest.mark.parametrize(
    ("endpoint", "is_taken"),
    [
        ("", True),
        ("http://127.0.0.1:8333", True),
        ("https://sts.eu-west-1.amazonaws.com", True),
        ("https://sts.intl.tencentcloudapi.com", True),
        ("http://sts.eu-west-1.amazonaws.com", False),
        ("https://amazonaws.com.example.org", False),
        ("http://127.0.0.1:22", False),
    ],
)
async def test_addresses_come_from_the_operator(rig: Rig, endpoint: str, is_taken: bool) -> None:
    wanted = new(sts_endpoint=endpoint)
    if is_taken:
        await rig.service.create_role(wanted, caller=caller())
        return
    with pytest.raises(InvalidArgument, match="sts_endpoint"):
        await rig.service.create_role(wanted, caller=caller())


async def test_a_role_that_an_unfinished_job_needs_stays(rig: Rig) -> None:
    await rig.service.create_role(new(), caller=caller())
    job_id = new_job_id()
    await rig.ledger.create(request(role_arn=AWS), job_id=job_id, account=LOCAL_ACCOUNT, token="", digest="d")
    with pytest.raises(InvalidArgument, match=str(job_id)):
        await rig.service.delete_role(AWS, caller=caller())


async def test_a_role_stays_while_a_report_is_to_be_delivered_with_it(rig: Rig) -> None:
    await rig.service.create_role(new(), caller=caller())
    wanted = reported_request(role_arn=AWS)
    job = await rig.ledger.create(wanted, job_id=new_job_id(), account=LOCAL_ACCOUNT, token="", digest="d")
    await bring_to(rig.ledger, job.id, JobStatus.CANCELLED)
    with pytest.raises(InvalidArgument, match=f"{job.id}, which is Cancelled"):
        await rig.service.delete_role(AWS, caller=caller())


OTHER_KEY = Credentials(access_key_id="AKIA2", secret_access_key="more-secret", session_token="t")


async def test_a_role_gets_another_key(rig: Rig) -> None:
    made = (await rig.service.create_role(new(), caller=caller())).role
    changed = await rig.service.replace_role_key(AWS, key=OTHER_KEY, caller=caller())
    assert changed == replace(made, key_number=1, key_changed_at=HandClock().now())
    assert await rig.service.describe_role(AWS, caller=caller()) == changed
    assert await rig.desk.key_of(changed) == OTHER_KEY
    assumed = await rig.desk.assume(AWS, account=LOCAL_ACCOUNT, session_name="s", accesses=[])
    assert assumed.key_number == 1
    assert rig.audit[-1] == ("replace-role-key", AWS, "to AKIA2")
    assert "more-secret" not in (await rig.ledger.roles.role(AWS, account=LOCAL_ACCOUNT)).sealed


async def test_who_gives_a_role_another_key(rig: Rig) -> None:
    await rig.service.create_role(new(), caller=caller())
    with pytest.raises(NoSuchRole):
        await rig.service.replace_role_key(AWS, key=OTHER_KEY, caller=caller(account="other"))
    with pytest.raises(NotAllowed):
        await rig.service.replace_role_key(AWS, key=OTHER_KEY, caller=caller(UserRole.OPERATOR))
    half = replace(OTHER_KEY, secret_access_key="")
    with pytest.raises(InvalidArgument) as caught:
        await rig.service.replace_role_key("arn:aws:iam::1:role/declared", key=half, caller=caller())
    assert [fault.path for fault in caught.value.faults] == ["key", "role_arn"]
    assert await rig.desk.key_of(await rig.desk.find(AWS, account=LOCAL_ACCOUNT)) == KEY


@pytest.mark.parametrize(
    ("key_id", "hint"), [("AKIDz8krbsJ5yKBZQpn9xQ2", "AKID…9xQ2"), ("AKMAIN", "AK…IN"), ("k", "…")]
)
async def test_who_runs_the_service_knows_a_key_again_by_its_ends(rig: Rig, key_id: str, hint: str) -> None:
    await rig.service.create_role(new(), caller=caller())
    await rig.service.replace_role_key(AWS, key=replace(OTHER_KEY, access_key_id=key_id), caller=caller())
    assert (await rig.service.see_role(AWS, caller=caller())).key_hint == hint
    assert (await rig.service.see_role(AWS, caller=caller(UserRole.OPERATOR))).key_hint == ""


async def test_a_role_whose_key_cannot_be_read_is_seen_without_it(rig: Rig) -> None:
    made = (await rig.service.create_role(new(), caller=caller())).role
    await rig.ledger.roles.replace_key(AWS, account=LOCAL_ACCOUNT, sealed="broken", at=1.0)
    seen = await rig.service.see_role(AWS, caller=caller())
    assert (seen.role.arn, seen.key_hint) == (made.arn, "")


async def test_a_declared_role_has_the_key_of_the_settings_whatever_is_registered(rig: Rig) -> None:
    declared = "arn:aws:iam::1:role/declared"
    registered = replace(await rig.desk.find(declared, account=LOCAL_ACCOUNT), is_declared=False)
    await rig.ledger.roles.add_role(registered, sealed="s")
    await rig.ledger.roles.replace_key(declared, account=LOCAL_ACCOUNT, sealed="t", at=1.0)
    assert await rig.desk.key_numbers() == {}
    assumed = await rig.desk.assume(declared, account=LOCAL_ACCOUNT, session_name="s", accesses=[])
    assert assumed.key_number == 0


async def test_a_role_is_deleted(rig: Rig) -> None:
    await rig.service.create_role(new(), caller=caller())
    await rig.service.delete_role(AWS, caller=caller())
    with pytest.raises(NoSuchRole):
        await rig.service.describe_role(AWS, caller=caller())
    assert rig.audit[-1] == ("delete-role", AWS, "")


async def test_a_declared_role_is_changed_in_the_settings_only(rig: Rig) -> None:
    declared = "arn:aws:iam::1:role/declared"
    with pytest.raises(InvalidArgument, match="settings"):
        await rig.service.delete_role(declared, caller=caller())
    with pytest.raises(InvalidArgument, match="registered already"):
        await rig.service.create_role(new(declared), caller=caller())


# --- making


async def test_a_role_is_made_where_the_key_may(rig: Rig) -> None:
    made = await rig.service.create_role(
        new(), caller=caller(), make_for=request(), source_bucket=Bucket("hot"), principal="arn:aws:iam::1:user/batch"
    )
    assert (made.is_made, made.role.arn) == (True, "arn:aws:iam::999:role/batch")
    assert (await rig.service.describe_role(made.role.arn, caller=caller())) == made.role
    assert rig.audit == [("create-role", made.role.arn, "made and registered")]
    assert await rig.desk.key_of(made.role) == KEY


async def test_where_the_key_may_not_the_policies_are_shown() -> None:
    rig = Rig(region(), Directory(refusal=RoleNotAssumed(RoleRefusal.NOT_ALLOWED, "AccessDenied: no")))
    made = await rig.service.create_role(
        new(external_id="e-1"), caller=caller(), make_for=request(), source_bucket=Bucket("hot")
    )
    assert (made.is_made, made.why_not) == (False, "AccessDenied: no")
    assert made.policies is not None
    [trusted] = made.policies.trust["Statement"]
    assert trusted["Principal"] == {"AWS": ["arn:aws:iam::123456789012:root"]}
    assert trusted["Condition"] == {"StringEquals": {"sts:ExternalId": "e-1"}}
    resources = {arn for statement in made.policies.permission["Statement"] for arn in statement["Resource"]}
    assert resources == {
        "arn:aws:s3:::lists",
        "arn:aws:s3:::lists/list.csv*",
        "arn:aws:s3:::lists/reports*",
        "arn:aws:s3:::hot",
        "arn:aws:s3:::hot/*",
        "arn:aws:s3:::cold-1250000000",
        "arn:aws:s3:::cold-1250000000/*",
    }
    assert (await rig.service.describe_role(AWS, caller=caller())).external_id == "e-1"
    await rig.close()


async def test_a_name_that_is_taken_at_the_provider_is_the_callers_fault() -> None:
    rig = Rig(region(), Directory(refusal=RoleNotAssumed(RoleRefusal.ALREADY_THERE, "EntityAlreadyExists")))
    with pytest.raises(InvalidArgument, match="is there already"):
        await rig.service.create_role(new(), caller=caller(), make_for=request())
    with pytest.raises(NoSuchRole):
        await rig.service.describe_role(AWS, caller=caller())
    await rig.close()


@pytest.mark.parametrize(
    ("reason", "is_kept"),
    [(RoleRefusal.UNKNOWN_ROLE, True), (RoleRefusal.NOT_ALLOWED, True), (RoleRefusal.UNAVAILABLE, False)],
)
async def test_a_test_that_the_provider_refuses_is_kept_unless_it_may_pass(reason: RoleRefusal, is_kept: bool) -> None:
    rig = Rig(region(), Directory(refusal=RoleNotAssumed(reason, "it says no")))
    await rig.service.create_role(new(), caller=caller())
    with pytest.raises(RoleNotAssumed):
        await rig.service.test_role(AWS, caller=caller(), request=request())
    last = (await rig.service.see_role(AWS, caller=caller())).last_test
    assert (last is not None) == is_kept
    if last is not None:
        assert (last.outcome, last.by, last.accesses) == (TrialOutcome.FAILED, "anna", ())
        assert "it says no" in last.refusal
    await rig.close()


async def test_stored_credentials_have_no_provider_to_make_them(rig: Rig) -> None:
    with pytest.raises(InvalidArgument, match="no provider"):
        await rig.service.create_role(new(provider=RoleProvider.STORED), caller=caller(), make_for=request())


def test_policies_to_paste_are_in_the_providers_language(rig: Rig) -> None:
    shown = rig.service.policies_for(
        CAM, provider=RoleProvider.TENCENT_STS, request=request(), source_bucket=Bucket("hot-1250000000")
    )
    [trusted] = shown.trust["statement"]
    assert trusted["principal"] == {"qcs": ["qcs::cam::uin/100000000001:root"]}
    assert shown.permission["version"] == "2.0"
    resources = {name for statement in shown.permission["statement"] for name in statement["resource"]}
    assert "qcs::cos:here:uid/1250000000:hot-1250000000/*" in resources


# --- what a role may do, on SeaweedFS


@dataclass(frozen=True, slots=True)
class Ground:
    rig: Rig
    store: RealStore
    request: JobRequest

    async def register(self, new: NewRole) -> None:
        await self.rig.service.create_role(new, caller=caller())

    async def verdicts(self, arn: str, request: JobRequest | None = None) -> tuple[bool, dict[Purpose, Verdict]]:
        tested = await self.rig.service.test_role(
            arn, caller=caller(UserRole.OPERATOR), request=request or self.request
        )
        return tested.is_narrowed, {access.purpose: access.verdict for access in tested.accesses}


@pytest.fixture
async def ground(seaweedfs_store: RealStore) -> AsyncIterator[Ground]:
    store = seaweedfs_store
    source, target, control = [make_bucket(store, f"trial{uuid.uuid4().hex[:8]}") for _ in range(3)]
    store.admin().put_object(Bucket=source, Key="one", Body=b"x")
    store.admin().put_object(Bucket=control, Key="list.csv", Body=f"{source},one\n".encode())
    rig = Rig(region(store.endpoint), AwsRoles())
    yield Ground(rig, store, request(control=control, target=target))
    await rig.close()
    left = store.admin().list_multipart_uploads(Bucket=target).get("Uploads", [])
    for bucket in (source, target, control):
        empty_bucket(store, bucket)
    assert left == []


async def test_a_role_that_may_do_all_of_it(ground: Ground) -> None:
    arn = "arn:aws:iam::000000000000:role/copy"
    key = Credentials(access_key_id=ground.store.access_key, secret_access_key=ground.store.secret_key)
    await ground.register(new(arn, key=key, sts_endpoint=ground.store.endpoint))
    assert await ground.verdicts(arn) == (True, dict.fromkeys(Purpose, Verdict.MAY))
    assert ground.rig.audit[-1][0] == "test-role"


async def test_credentials_that_may_do_nothing(ground: Ground) -> None:
    other = Credentials(access_key_id=ground.store.other_access_key, secret_access_key=ground.store.other_secret_key)
    await ground.register(new(provider=RoleProvider.STORED, key=other))
    assert await ground.verdicts(AWS) == (
        False,
        {
            Purpose.MANIFEST_READ: Verdict.MAY_NOT,
            Purpose.SOURCE_READ: Verdict.NOT_TESTED,
            Purpose.TARGET_WRITE: Verdict.NOT_TESTED,
            Purpose.REPORT_WRITE: Verdict.MAY_NOT,
        },
    )


async def test_what_cannot_be_tested_is_said(ground: Ground) -> None:
    main = Credentials(access_key_id=ground.store.access_key, secret_access_key=ground.store.secret_key)
    await ground.register(new(provider=RoleProvider.STORED, key=main))
    without_report = replace(ground.request, report=ReportSpec(enabled=False))
    tested = await ground.rig.service.test_role(AWS, caller=caller(), request=without_report)
    last = tested.accesses[-1]
    assert (last.purpose, last.verdict, last.detail) == (
        Purpose.REPORT_WRITE,
        Verdict.NOT_TESTED,
        "the job writes no report",
    )
