"""AWS's STS as SeaweedFS and Ceph have it: what is given, what it is narrowed to, and how refusals are told apart."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.policies import Access, Purpose, iam_policy, iam_trust
from cosbatch.identity.roles import SESSION_SECONDS
from cosbatch.identity.sts_aws import AwsRoles
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.memory_roles import MemoryRoleLedger
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import RoleNotAssumed, RoleRefusal, StorageError, StorageReason
from cosbatch.model.identifiers import LOCAL_ACCOUNT, Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.service.role_desk import DeclaredRole, RoleDesk
from cosbatch.storage.port import PutOptions
from tests.capturing_store import CapturingStore
from tests.stores import RealStore, empty_bucket, make_bucket, open_store

HERE = RegionName("here")


@dataclass(frozen=True, slots=True)
class Subject:
    """A store with a role that may read and write everything, and two buckets."""

    store: RealStore
    role: Role
    mine: Bucket
    other: Bucket

    @property
    def key(self) -> Credentials:
        return Credentials(access_key_id=self.store.access_key, secret_access_key=self.store.secret_key)

    async def assume(self, *, key: Credentials | None = None, policy: Any = None, **changes: Any) -> Credentials:
        return await AwsRoles().assume(
            replace(self.role, **changes),
            key=key or self.key,
            session_name="cosbatch-test",
            duration_seconds=SESSION_SECONDS,
            policy=policy,
        )

    async def may(self, credentials: Credentials, bucket: Bucket, *, write: bool = False) -> bool:
        store = open_store(
            self.store.endpoint,
            profile=self.store.profile,
            access_key=credentials.access_key_id,
            secret_key=credentials.secret_access_key,
            session_token=credentials.session_token,
        )
        try:
            if write:
                await store.put(ObjectRef(bucket, ObjectKey("new")), b"x", options=PutOptions())
            else:
                await store.head(ObjectRef(bucket, ObjectKey("old")))
        except StorageError as error:
            if error.reason is not StorageReason.ACCESS_DENIED:
                raise
            return False
        finally:
            await store.close()
        return True


ANYTHING = [
    Access(
        purpose=Purpose.TARGET_WRITE,
        region=HERE,
        bucket=None,
        actions=("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
    )
]


async def role_on_ceph(store: RealStore) -> str:
    name = f"test-{uuid.uuid4().hex[:8]}"
    role = aws_role(store, f"arn:aws:iam:::role/{name}")
    key = Credentials(access_key_id=store.access_key, secret_access_key=store.secret_key)
    trust = iam_trust(principal="arn:aws:iam:::user/main", external_id="")
    return await AwsRoles().create(role, key=key, name=name, trust=trust, permission=iam_policy(ANYTHING))


def aws_role(store: RealStore, arn: str) -> Role:
    return Role(
        arn=arn,
        account=LOCAL_ACCOUNT,
        provider=RoleProvider.AWS_STS,
        created_at=0.0,
        sts_endpoint=store.endpoint,
    )


@pytest.fixture(params=["seaweedfs", pytest.param("ceph", marks=pytest.mark.system)])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    store: RealStore = request.getfixturevalue(f"{request.param}_store")
    is_ceph = request.param == "ceph"
    arn = await role_on_ceph(store) if is_ceph else "arn:aws:iam::000000000000:role/copy"
    mine, other = [make_bucket(store, f"role{uuid.uuid4().hex[:8]}") for _ in range(2)]
    for bucket in (mine, other):
        store.admin().put_object(Bucket=bucket, Key="old", Body=b"x")
    yield Subject(store, aws_role(store, arn), mine, other)
    for bucket in (mine, other):
        empty_bucket(store, bucket)


async def test_what_is_given_works_and_ends(subject: Subject) -> None:
    given = await subject.assume()

    assert given.session_token
    assert given.expires_at is not None
    assert 3000 < given.expires_at - SystemClock().now() < 3700
    assert await subject.may(given, subject.mine)
    assert await subject.may(given, subject.other, write=True)


async def test_a_session_policy_narrows(subject: Subject) -> None:
    read = Access(purpose=Purpose.SOURCE_READ, region=HERE, bucket=subject.mine, actions=("s3:GetObject",))
    given = await subject.assume(policy=iam_policy([read]))

    assert await subject.may(given, subject.mine)
    assert not await subject.may(given, subject.mine, write=True)
    assert not await subject.may(given, subject.other)


async def test_a_role_that_is_not_there(subject: Subject) -> None:
    with pytest.raises(RoleNotAssumed) as raised:
        await subject.assume(arn=f"{subject.role.arn}-gone")
    is_ceph = subject.store.profile == "ceph"  # SeaweedFS does not tell
    assert raised.value.reason is (RoleRefusal.UNKNOWN_ROLE if is_ceph else RoleRefusal.NOT_ALLOWED)


async def test_a_key_that_is_not_known(subject: Subject) -> None:
    stranger = Credentials(access_key_id="AKNOBODY", secret_access_key="nothing")
    with pytest.raises(RoleNotAssumed) as raised:
        await subject.assume(key=stranger)
    is_ceph = subject.store.profile == "ceph"  # it says the same of every key
    assert raised.value.reason is (RoleRefusal.NOT_ALLOWED if is_ceph else RoleRefusal.KEY_REFUSED)
    assert not raised.value.may_pass


async def test_a_policy_that_is_none(subject: Subject) -> None:
    with pytest.raises(RoleNotAssumed) as raised:
        await subject.assume(policy={"Statement": "nonsense"})
    assert raised.value.reason is RoleRefusal.POLICY_REFUSED


@pytest.mark.system
async def test_a_role_is_made_once_and_not_by_everybody(ceph_store: RealStore) -> None:
    arn = await role_on_ceph(ceph_store)
    role, name = aws_role(ceph_store, arn), arn.rpartition("/")[2]
    trust = iam_trust(principal="arn:aws:iam:::user/main", external_id="")
    main = Credentials(access_key_id=ceph_store.access_key, secret_access_key=ceph_store.secret_key)
    other = Credentials(access_key_id=ceph_store.other_access_key, secret_access_key=ceph_store.other_secret_key)
    for key, reason in ((main, RoleRefusal.ALREADY_THERE), (other, RoleRefusal.NOT_ALLOWED)):
        with pytest.raises(RoleNotAssumed) as raised:
            await AwsRoles().create(role, key=key, name=name, trust=trust, permission=iam_policy(ANYTHING))
        assert raised.value.reason is reason


@pytest.mark.system
async def test_the_trust_policy_decides_who_assumes(ceph_store: RealStore) -> None:
    role = aws_role(ceph_store, await role_on_ceph(ceph_store))
    other = Credentials(access_key_id=ceph_store.other_access_key, secret_access_key=ceph_store.other_secret_key)
    with pytest.raises(RoleNotAssumed) as raised:
        await AwsRoles().assume(role, key=other, session_name="cosbatch", duration_seconds=3600, policy=None)
    assert raised.value.reason is RoleRefusal.NOT_ALLOWED


# --- answers that no store here gives


GIVEN = b"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2033-05-18T03:33:20Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
KEY = Credentials(access_key_id="AKIA1", secret_access_key="secret")


def refusal(code: str) -> bytes:
    told = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>why</Message></Error>"
    return f"<ErrorResponse>{told}</ErrorResponse>".encode()


def role_at(server: CapturingStore, **changes: Any) -> Role:
    return Role(
        arn="arn:aws:iam::1:role/batch",
        account=LOCAL_ACCOUNT,
        provider=RoleProvider.AWS_STS,
        created_at=0.0,
        sts_endpoint=server.endpoint,
        **changes,
    )


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("AccessDenied", 403, RoleRefusal.NOT_ALLOWED),
        ("InvalidClientTokenId", 403, RoleRefusal.KEY_REFUSED),
        ("SignatureDoesNotMatch", 403, RoleRefusal.KEY_REFUSED),
        ("ExpiredToken", 400, RoleRefusal.KEY_REFUSED),
        ("PackedPolicyTooLarge", 400, RoleRefusal.POLICY_REFUSED),
        ("Throttling", 400, RoleRefusal.UNAVAILABLE),
        ("InternalFailure", 500, RoleRefusal.UNAVAILABLE),
        ("ValidationError", 400, RoleRefusal.OTHER),
    ],
)
async def test_refusals_are_told_apart(code: str, status: int, reason: RoleRefusal) -> None:
    async with CapturingStore() as server:
        for _ in range(2):  # what may pass is asked twice
            server.answer(refusal(code), status=status, headers={"content-type": "text/xml"})
        with pytest.raises(RoleNotAssumed, match=f"{code}: why") as raised:
            await AwsRoles().assume(role_at(server), key=KEY, session_name="s1", duration_seconds=3600, policy=None)
    assert raised.value.reason is reason


async def test_a_server_that_is_not_there_may_come_back() -> None:
    async with CapturingStore() as server:
        gone = role_at(server)
    with pytest.raises(RoleNotAssumed) as raised:
        await AwsRoles().assume(gone, key=KEY, session_name="s1", duration_seconds=3600, policy=None)
    assert raised.value.may_pass


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        ("", "https://iam.amazonaws.com"),
        ("https://sts.eu-west-1.amazonaws.com", "https://iam.amazonaws.com"),
        ("https://sts.cn-north-1.amazonaws.com.cn", "https://iam.amazonaws.com"),
        ("http://127.0.0.1:8333", "http://127.0.0.1:8333"),
    ],
)
def test_a_clouds_directory_of_roles_is_not_at_its_sts(endpoint: str, asked: str) -> None:
    role = Role(
        arn="arn:aws:iam::1:role/batch",
        account=LOCAL_ACCOUNT,
        provider=RoleProvider.AWS_STS,
        created_at=0.0,
        sts_endpoint=endpoint,
    )
    assert AwsRoles()._client("iam", role, KEY).meta.endpoint_url == asked


@pytest.fixture
def desk_at() -> Callable[[CapturingStore], RoleDesk]:
    def made(server: CapturingStore) -> RoleDesk:
        return RoleDesk(
            MemoryRoleLedger(MemoryLedger(SystemClock())),
            cipher=Cipher(KeyRing(current=bytes(32))),
            declared=[DeclaredRole(role=role_at(server, is_declared=True, external_id="e-1"), key=lambda: KEY)],
            provider=lambda _: AwsRoles(),
        )

    return made


async def test_a_policy_that_is_refused_is_left_out_and_told(desk_at: Callable[[CapturingStore], RoleDesk]) -> None:
    async with CapturingStore() as server:
        server.answer(refusal("PackedPolicyTooLarge"), status=400, headers={"content-type": "text/xml"})
        server.answer(GIVEN, headers={"content-type": "text/xml"})
        assumed = await desk_at(server).assume(
            "arn:aws:iam::1:role/batch", account=LOCAL_ACCOUNT, session_name="s1", accesses=ANYTHING
        )
        bodies = [request.body.decode() for request in server.requests]
    assert not assumed.is_narrowed
    assert assumed.credentials.expires_at == 2_000_000_000.0
    assert ["Policy=" in body for body in bodies] == [True, False]
    assert all("ExternalId=e-1" in body for body in bodies)


async def test_a_policy_that_is_taken_narrows(desk_at: Callable[[CapturingStore], RoleDesk]) -> None:
    async with CapturingStore() as server:
        server.answer(GIVEN, headers={"content-type": "text/xml"})
        assumed = await desk_at(server).assume(
            "arn:aws:iam::1:role/batch", account=LOCAL_ACCOUNT, session_name="s1", accesses=ANYTHING
        )
    assert assumed.is_narrowed
    assert assumed.credentials.access_key_id == "ASIA1"
