"""The verbs of the region table: who may, what is refused and why, and what the audit log says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.memory_people import MemoryPeople
from cosbatch.ledger.memory_regions import MemoryRegionLedger
from cosbatch.ledger.memory_roles import MemoryRoleLedger
from cosbatch.ledger.people_port import AuditEntry, Outcome
from cosbatch.model.errors import InvalidArgument, NameTaken, NoSuchName, NotAllowed
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId, Bucket, RegionName
from cosbatch.model.jobs import Job
from cosbatch.model.operations import PutObjectCopy
from cosbatch.model.principals import Account, Caller, Role, RoleProvider, UserRole
from cosbatch.model.regions import Provider, Region
from cosbatch.model.reports import ReportSpec
from cosbatch.model.states import JobStatus
from cosbatch.service.people import local_operator
from cosbatch.service.regions import RegionService, fields_of
from cosbatch.settings import checked_region
from tests.contract.ledgers import HandClock, bring_to, new_job

ROOT = local_operator("root")
ANNA = Caller(
    account=Account(id=AccountId("account-1"), name="1", uin="1", appid="1", aws_account_id="1" * 12, created_at=0.0),
    user="anna",
    role=UserRole.ADMIN,
    via="rest",
)
HOME = Region(
    name=RegionName("home"), provider=Provider.S3, endpoint="http://home", profile="s3", signing_region="us-east-1"
)
FIELDS = {"endpoint": "http://away:9000", "profile": "minio"}
ARN = "arn:aws:iam::1:role/copy"
ROLE = Role(
    arn=ARN, account=LOCAL_ACCOUNT, provider=RoleProvider.AWS_STS, created_at=0.0, sts_endpoint="http://away:9000/"
)


class Rig:
    def __init__(self, *, declared_roles: tuple[Role, ...] = ()) -> None:
        clock = HandClock()
        self.book = MemoryPeople(clock)
        self.jobs = MemoryLedger(clock)
        self.roles = MemoryRoleLedger(self.jobs)
        self.regions = MemoryRegionLedger(self.book, clock=clock)
        self.service = RegionService(
            self.regions,
            declared={HOME.name: HOME},
            check=checked_region,
            jobs=self.jobs,
            roles=self.roles,
            declared_roles=declared_roles,
            record=self.book.record,
        )

    async def told(self) -> list[AuditEntry]:
        """Newest first."""
        return [line.entry for line in await self.book.audit()]

    async def job_in(self, region: str, number: int = 1, **changes: Any) -> Job:
        return await new_job(self.jobs, number, region=RegionName(region), **changes)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_region_is_made_changed_and_deleted(rig: Rig) -> None:
    made = await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    assert (made.region.endpoint, made.region.profile, made.is_declared) == ("http://away:9000", "minio", False)
    changed = await rig.service.update_region(ROOT, "away", fields={"max_connections": "9"}, unset=("profile",))
    assert changed.region == replace(made.region, max_connections=9, profile="generic")
    assert await rig.service.describe_region(ROOT, "away") == changed
    await rig.service.delete_region(ROOT, "away")
    assert [known.region for known in await rig.service.list_regions(ROOT)] == [HOME]
    told = await rig.told()
    assert [(line.action, line.target, line.account, line.outcome) for line in told] == [
        (action, "away", "", Outcome.DONE) for action in ("delete-region", "update-region", "create-region")
    ]
    assert told[1].detail == "profile: minio -> generic, max_connections: 256 -> 9"


async def test_what_is_declared_is_shown_and_stays(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    known = await rig.service.list_regions(ROOT)
    assert [(each.region.name, each.is_declared) for each in known] == [("away", False), ("home", True)]
    with pytest.raises(NameTaken, match="declared in the settings"):
        await rig.service.create_region(ROOT, name="home", fields=FIELDS)
    with pytest.raises(NotAllowed, match="declared in the settings"):
        await rig.service.update_region(ROOT, "home", fields={"max_connections": "9"})
    with pytest.raises(NotAllowed, match="declared in the settings"):
        await rig.service.delete_region(ROOT, "home")
    assert await rig.service.describe_region(ROOT, "home") == known[1]
    assert [line.outcome for line in await rig.told()][:3] == [Outcome.REFUSED] * 3


async def test_a_name_that_was_kept_before_it_was_declared_is_the_settings(rig: Rig) -> None:
    await rig.regions.add_region(
        replace(HOME, endpoint="http://old"),
        entry=AuditEntry(account=AccountId(""), actor="root", via="cli", action="create-region", target="home"),
    )
    assert [known.region for known in await rig.service.list_regions(ROOT)] == [HOME]
    with pytest.raises(NotAllowed):
        await rig.service.delete_region(ROOT, "home")


async def test_only_the_operator_changes_regions(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    for refused in (
        rig.service.create_region(ANNA, name="other", fields=FIELDS),
        rig.service.update_region(ANNA, "away", fields=FIELDS),
        rig.service.delete_region(ANNA, "away"),
    ):
        with pytest.raises(NotAllowed, match="by the operator"):
            await refused
    assert [known.region.name for known in await rig.service.list_regions(ANNA)] == ["away", "home"]
    told = await rig.told()
    assert [(line.action, line.account, line.outcome) for line in told[:3]] == [
        (action, "account-1", Outcome.REFUSED) for action in ("delete-region", "update-region", "create-region")
    ]


@pytest.mark.parametrize("role", [UserRole.VIEWER, UserRole.OPERATOR])
async def test_looking_takes_an_admin(rig: Rig, role: UserRole) -> None:
    caller = replace(ANNA, role=role)
    for refused in (
        rig.service.list_regions(caller),
        rig.service.describe_region(caller, "home"),
        rig.service.create_region(replace(ROOT, role=role), name="away", fields=FIELDS),
    ):
        with pytest.raises(NotAllowed, match="needs the role admin"):
            await refused


async def test_an_unknown_name_is_answered_with_the_nearest(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    with pytest.raises(NoSuchName, match='did you mean "away"'):
        await rig.service.describe_region(ROOT, "awai")
    with pytest.raises(NoSuchName, match='did you mean "home"'):
        await rig.service.delete_region(ROOT, "hom")


async def test_a_region_that_cannot_be_used_is_not_kept(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    with pytest.raises(InvalidArgument, match="endpoint: is no endpoint"):
        await rig.service.create_region(ROOT, name="other", fields={"endpoint": "h"})
    with pytest.raises(InvalidArgument, match="profile: is no capability profile"):
        await rig.service.update_region(ROOT, "away", fields={"profile": "mini"})
    assert [kept.region.name for kept in await rig.regions.regions()] == ["away"]
    assert (await rig.told())[0].outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "away"},
        {"region": "home", "operation": PutObjectCopy(target_bucket=Bucket("b"), target_region=RegionName("away"))},
        {
            "region": "home",
            "report": ReportSpec(enabled=True, bucket=Bucket("reports"), region=RegionName("away")),
        },
    ],
)
async def test_a_region_of_an_unfinished_job_stays_the_store_that_it_is(rig: Rig, changes: dict[str, Any]) -> None:
    made = await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    job = await rig.job_in(**changes)
    with pytest.raises(InvalidArgument, match=f"is named by job {job.id}, which is New"):
        await rig.service.delete_region(ROOT, "away")
    for fields in ({"endpoint": "http://h"}, {"profile": "s3"}, {"provider": "cos"}, {"signing_region": "r"}):
        with pytest.raises(InvalidArgument, match=f"is named by job {job.id}"):
            await rig.service.update_region(ROOT, "away", fields=fields)
    now = await rig.service.update_region(
        ROOT, "away", fields={"requests_per_second": "5", "max_connections": "3", "storage_classes": ["COLD"]}
    )
    assert now.region == replace(made.region, requests_per_second=5.0, max_connections=3, storage_classes=("COLD",))


async def test_a_region_waits_for_the_reports_of_its_jobs(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    job = await rig.job_in("away", report=ReportSpec(enabled=True, bucket=Bucket("reports")))
    await bring_to(rig.jobs, job.id, JobStatus.CANCELLED)
    with pytest.raises(InvalidArgument, match="which is Cancelled"):
        await rig.service.delete_region(ROOT, "away")


async def test_a_region_whose_jobs_have_ended_can_go(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    job = await rig.job_in("away")
    await bring_to(rig.jobs, job.id, JobStatus.FAILED)
    before = await rig.service.list_regions(ROOT)
    await rig.service.delete_region(ROOT, "away")
    left = await rig.service.list_regions(ROOT)
    assert len(left) == len(before) - 1
    assert all(region in before for region in left)


async def test_many_users_are_counted(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    for number in range(1, 9):
        await rig.job_in("away", number)
    with pytest.raises(InvalidArgument, match="; and 3 more"):
        await rig.service.delete_region(ROOT, "away")


async def test_a_region_whose_sts_a_role_asks_stays(rig: Rig) -> None:
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    await rig.roles.add_role(ROLE, sealed="s")
    with pytest.raises(InvalidArgument, match=f"is named by role {ARN}"):
        await rig.service.delete_region(ROOT, "away")
    with pytest.raises(InvalidArgument, match=f"is named by role {ARN}"):
        await rig.service.update_region(ROOT, "away", fields={"endpoint": "http://h"})
    await rig.service.update_region(ROOT, "away", fields={"profile": "ceph"})
    await rig.service.create_region(ROOT, name="twin", fields=FIELDS)
    await rig.service.delete_region(ROOT, "away")


async def test_a_role_of_the_settings_counts_too() -> None:
    rig = Rig(declared_roles=(ROLE,))
    await rig.service.create_region(ROOT, name="away", fields=FIELDS)
    with pytest.raises(InvalidArgument, match=f"is named by role {ARN}"):
        await rig.service.delete_region(ROOT, "away")


def test_the_fields_of_a_region_make_the_same_one() -> None:
    region = checked_region(
        "ap-guangzhou",
        {
            "provider": "cos",
            "profile_overrides": {"restore": "refused"},
            "storage_classes": ["A"],
            "max_connections": 3,
        },
    )
    assert checked_region(region.name, fields_of(region)) == region
