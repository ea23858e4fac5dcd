"""A job that names a role: what is refused before it is made, and who looks at its manifest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from cosbatch.model.errors import (
    InvalidArgument,
    NoSuchRole,
    RoleNotAssumed,
    RoleRefusal,
    ServiceUnavailable,
)
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket, RegionName
from cosbatch.model.manifests import Manifest
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.service.role_rules import JobRoles, allow_list_faults, look_as_role, role_faults
from tests.unit.service.job_builders import AWAY, HOME, job_request, region

ARN = "qcs::cam::uin/100000000001:roleName/batch"
REGIONS = {name: region(name) for name in (HOME, AWAY)}
ELSEWHERE = {HOME: region(HOME), AWAY: replace(region(AWAY), endpoint="http://127.0.0.1:9000")}
REQUEST = replace(job_request(), role_arn=ARN)


@dataclass
class Roles:
    known: frozenset[tuple[str, AccountId]] = frozenset({(ARN, LOCAL_ACCOUNT)})
    refusal: Exception | None = None
    looked: list[str] = field(default_factory=list)

    writable: tuple[Bucket, ...] = ()

    async def find(self, arn: str, *, account: AccountId) -> Role:
        if (arn, account) not in self.known:
            raise NoSuchRole(f"there is no role {arn}")
        return Role(
            arn=arn, account=account, provider=RoleProvider.STORED, created_at=0.0, writable_buckets=self.writable
        )

    async def look(self, manifest: Manifest, *, region: RegionName, account: AccountId, role_arn: str) -> str:
        self.looked.append(role_arn)
        if self.refusal is not None:
            raise self.refusal
        return "e1"


async def faults_of(
    request: object = REQUEST, *, roles: JobRoles | None, account: str = LOCAL_ACCOUNT, regions: object = REGIONS
) -> list[str]:
    found = await role_faults(request, account=AccountId(account), roles=roles, regions=regions)  # type: ignore[arg-type]
    return [fault.problem for fault in found]


async def test_a_role_of_the_account_is_no_fault() -> None:
    assert await faults_of(roles=Roles()) == []
    assert await faults_of(job_request(), roles=None) == []


async def test_a_role_that_is_not_the_accounts() -> None:
    assert await faults_of(roles=Roles(), account="other") == ["is no role that is registered here"]
    assert await faults_of(roles=None) == ["names a role, but this program has no registry of roles"]


async def test_a_role_is_known_in_one_store_only() -> None:
    away = replace(job_request(copy={"target_resource": "qcs::cos:ap-shanghai::cold-125"}), role_arn=ARN)
    assert await faults_of(away, roles=Roles()) == []
    [problem] = await faults_of(away, roles=Roles(), regions=ELSEWHERE)
    assert "is not known to the store of region ap-shanghai" in problem


async def test_a_region_that_is_not_known_is_told_elsewhere() -> None:
    assert await faults_of(roles=Roles(), regions={}) == []


async def test_the_role_looks() -> None:
    roles = Roles()
    assert await look_as_role(REQUEST, account=LOCAL_ACCOUNT, roles=roles) == "e1"
    assert roles.looked == [ARN]


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (RoleNotAssumed(RoleRefusal.NOT_ALLOWED, "AccessDenied: no"), InvalidArgument, "cannot be assumed"),
        (RoleNotAssumed(RoleRefusal.UNAVAILABLE, "refused"), ServiceUnavailable, "does not answer"),
        (NoSuchRole("there is no role"), InvalidArgument, "there is no role"),
    ],
)
async def test_what_the_provider_says_is_told(refusal: Exception, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        await look_as_role(REQUEST, account=LOCAL_ACCOUNT, roles=Roles(refusal=refusal))


async def test_a_role_writes_the_buckets_that_it_is_registered_for() -> None:
    async def found(roles: JobRoles | None) -> list[str]:
        return [fault.value for fault in await allow_list_faults(REQUEST, account=LOCAL_ACCOUNT, roles=roles)]

    assert await found(Roles()) == []
    assert await found(Roles(writable=(Bucket("cold-125"), Bucket("logs-125")))) == []
    assert await found(Roles(writable=(Bucket("cold-125"),))) == ["logs-125"]
    assert await found(Roles(known=frozenset(), writable=(Bucket("cold-125"),))) == []
    assert await found(None) == []
