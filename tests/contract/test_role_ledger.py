"""What every RoleLedger promises: roles of an account, and what jobs act with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cosbatch.identity.policies import Purpose
from cosbatch.identity.role_tests import AccessTried, RoleTest, Verdict
from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.memory_roles import MemoryRoleLedger
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.role_port import CredentialTerms, JobCredentials, RoleLedger
from cosbatch.ledger.sql_ledger import SqlLedger, open_sqlite_ledger
from cosbatch.model.errors import InvalidArgument, NoSuchJob, NoSuchRole
from cosbatch.model.identifiers import LOCAL_ACCOUNT, AccountId
from cosbatch.model.principals import Role, RoleProvider
from tests.contract.ledgers import ADAPTERS, HandClock, job_id, new_job, open_ledger

ARN = "qcs::cam::uin/100000000001:roleName/batch"
OTHER = AccountId("other")
ROLE = Role(
    arn=ARN,
    account=LOCAL_ACCOUNT,
    provider=RoleProvider.TENCENT_STS,
    created_at=1_700_000_000.0,
    description="nightly copies",
    external_id="e-1",
    sts_endpoint="https://sts.example.com",
    sts_region="ap-guangzhou",
)
TERMS = CredentialTerms(assumed_at=10.0, expires_at=3610.0, is_narrowed=True, is_for_tasks=False)


@dataclass(frozen=True, slots=True)
class Pair:
    jobs: JobLedger
    roles: RoleLedger


def roles_beside(jobs: JobLedger) -> RoleLedger:
    if isinstance(jobs, SqlLedger):
        return jobs.roles
    assert isinstance(jobs, MemoryLedger)
    return MemoryRoleLedger(jobs)


@pytest.fixture(params=ADAPTERS)
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pair]:
    jobs = await open_ledger(request.param, tmp_path, HandClock())
    yield Pair(jobs, roles_beside(jobs))
    await jobs.close()


async def test_a_role_comes_back_as_it_was_given(pair: Pair) -> None:
    await pair.roles.add_role(ROLE, sealed="v1.a.b")

    kept = await pair.roles.role(ARN, account=LOCAL_ACCOUNT)

    assert (kept.role, kept.sealed) == (ROLE, "v1.a.b")
    assert await pair.roles.roles(account=LOCAL_ACCOUNT) == [ROLE]


async def test_a_role_is_registered_once_in_an_account(pair: Pair) -> None:
    await pair.roles.add_role(ROLE, sealed="first")

    with pytest.raises(InvalidArgument, match="registered already"):
        await pair.roles.add_role(replace(ROLE, description="another"), sealed="second")

    assert (await pair.roles.role(ARN, account=LOCAL_ACCOUNT)).sealed == "first"


async def test_another_accounts_role_does_not_exist(pair: Pair) -> None:
    await pair.roles.add_role(ROLE, sealed="ours")
    assert await pair.roles.roles(account=OTHER) == []
    with pytest.raises(NoSuchRole):
        await pair.roles.role(ARN, account=OTHER)
    with pytest.raises(NoSuchRole):
        await pair.roles.remove_role(ARN, account=OTHER)

    await pair.roles.add_role(replace(ROLE, account=OTHER), sealed="theirs")

    assert (await pair.roles.role(ARN, account=LOCAL_ACCOUNT)).sealed == "ours"
    assert (await pair.roles.role(ARN, account=OTHER)).sealed == "theirs"


async def test_the_last_test_of_a_role_is_kept(pair: Pair) -> None:
    tried = AccessTried(purpose=Purpose.SOURCE_READ, verdict=Verdict.MAY_NOT, detail="HEAD a/b: AccessDenied")
    first = RoleTest(at=5.0, by="olga", is_narrowed=True, accesses=(tried,))
    last = RoleTest(at=6.0, by="anna", refusal="it does not exist")
    await pair.roles.add_role(ROLE, sealed="s")
    await pair.roles.keep_test(ARN, account=LOCAL_ACCOUNT, test=first)
    await pair.roles.keep_test(ARN, account=OTHER, test=last)
    assert await pair.roles.tests(account=LOCAL_ACCOUNT) == {ARN: first}
    await pair.roles.keep_test(ARN, account=LOCAL_ACCOUNT, test=last)
    await pair.roles.keep_test("declared", account=LOCAL_ACCOUNT, test=first)
    assert await pair.roles.tests(account=LOCAL_ACCOUNT) == {ARN: last, "declared": first}

    await pair.roles.remove_role(ARN, account=LOCAL_ACCOUNT)

    assert await pair.roles.tests(account=LOCAL_ACCOUNT) == {"declared": first}
    assert await pair.roles.tests(account=OTHER) == {ARN: last}


async def test_a_role_gets_another_key(pair: Pair) -> None:
    await pair.roles.add_role(ROLE, sealed="old")
    await pair.roles.add_role(replace(ROLE, account=OTHER), sealed="theirs")
    await pair.roles.keep_test(ARN, account=LOCAL_ACCOUNT, test=RoleTest(at=5.0, by="olga"))
    assert await pair.roles.key_numbers() == {}

    changed = await pair.roles.replace_key(ARN, account=LOCAL_ACCOUNT, sealed="new", at=7.5)

    assert changed == replace(ROLE, key_number=1, key_changed_at=7.5)
    kept = await pair.roles.role(ARN, account=LOCAL_ACCOUNT)
    assert (kept.role, kept.sealed) == (changed, "new")
    assert (await pair.roles.role(ARN, account=OTHER)).sealed == "theirs"
    assert await pair.roles.tests(account=LOCAL_ACCOUNT) == {}
    await pair.roles.replace_key(ARN, account=LOCAL_ACCOUNT, sealed="newer", at=9.0)
    assert await pair.roles.key_numbers() == {(LOCAL_ACCOUNT, ARN): 2}
    assert [role.key_number for role in await pair.roles.roles(account=None)] == [2, 0]


async def test_a_role_that_is_not_there_gets_no_key(pair: Pair) -> None:
    await pair.roles.add_role(replace(ROLE, account=OTHER), sealed="theirs")
    with pytest.raises(NoSuchRole, match=ARN):
        await pair.roles.replace_key(ARN, account=LOCAL_ACCOUNT, sealed="s", at=1.0)
    assert await pair.roles.key_numbers() == {}


async def test_credentials_say_with_which_key_they_were_made(pair: Pair) -> None:
    job = await new_job(pair.jobs)
    terms = replace(TERMS, key_number=3)
    await pair.roles.keep_credentials(job.id, JobCredentials(terms=terms, sealed="s"))
    assert await pair.roles.credential_terms() == {job.id: terms}
    found = await pair.roles.credentials(job.id)
    assert found is not None
    assert found.terms == terms


async def test_roles_are_listed_by_arn(pair: Pair) -> None:
    for name in ("c", "a", "b"):
        await pair.roles.add_role(replace(ROLE, arn=f"arn:aws:iam::1:role/{name}"), sealed="s")
    assert [role.arn[-1] for role in await pair.roles.roles(account=LOCAL_ACCOUNT)] == ["a", "b", "c"]


async def test_a_removed_role_is_gone(pair: Pair) -> None:
    await pair.roles.add_role(ROLE, sealed="s")
    await pair.roles.remove_role(ARN, account=LOCAL_ACCOUNT)
    with pytest.raises(NoSuchRole, match=ARN):
        await pair.roles.role(ARN, account=LOCAL_ACCOUNT)
    with pytest.raises(NoSuchRole):
        await pair.roles.remove_role(ARN, account=LOCAL_ACCOUNT)


async def test_a_job_acts_with_the_newest_credentials(pair: Pair) -> None:
    job = await new_job(pair.jobs)
    assert await pair.roles.credentials(job.id) is None

    await pair.roles.keep_credentials(job.id, JobCredentials(terms=TERMS, sealed="old"))
    newer = replace(TERMS, expires_at=None, is_narrowed=False, is_for_tasks=True)
    await pair.roles.keep_credentials(job.id, JobCredentials(terms=newer, sealed="new"))

    found = await pair.roles.credentials(job.id)
    assert found is not None
    assert (found.terms, found.sealed) == (newer, "new")


async def test_terms_are_told_of_every_job_that_has_credentials(pair: Pair) -> None:
    first, second, _ = [await new_job(pair.jobs, number) for number in (1, 2, 3)]
    for job in (first, second):
        await pair.roles.keep_credentials(job.id, JobCredentials(terms=TERMS, sealed="s"))
    assert await pair.roles.credential_terms() == {first.id: TERMS, second.id: TERMS}

    await pair.roles.forget_credentials(first.id)
    await pair.roles.forget_credentials(first.id)

    assert await pair.roles.credential_terms() == {second.id: TERMS}
    assert await pair.roles.credentials(first.id) is None


async def test_credentials_belong_to_a_job(pair: Pair) -> None:
    with pytest.raises(NoSuchJob):
        await pair.roles.keep_credentials(job_id(9), JobCredentials(terms=TERMS, sealed="s"))
    assert await pair.roles.credential_terms() == {}


async def test_roles_and_credentials_outlive_the_process(tmp_path: Path) -> None:
    first = await open_sqlite_ledger(tmp_path, clock=HandClock())
    job = await new_job(first)
    await first.roles.add_role(ROLE, sealed="kept")
    await first.roles.keep_credentials(job.id, JobCredentials(terms=TERMS, sealed="too"))
    await first.close()

    second = await open_sqlite_ledger(tmp_path, clock=HandClock())
    found = await second.roles.credentials(job.id)
    assert (await second.roles.role(ARN, account=LOCAL_ACCOUNT)).sealed == "kept"
    assert found is not None
    assert found.sealed == "too"
    await second.close()


def test_no_secret_is_shown_by_a_repr() -> None:
    assert "geheim" not in repr(JobCredentials(terms=TERMS, sealed="geheim"))


async def test_roles_of_all_accounts_are_listed_for_whoever_asks_for_all(pair: Pair) -> None:
    await pair.roles.add_role(replace(ROLE, account=OTHER), sealed="theirs")
    await pair.roles.add_role(ROLE, sealed="ours")
    assert [role.account for role in await pair.roles.roles(account=None)] == [LOCAL_ACCOUNT, OTHER]
