"""The RoleLedger in plain Python objects, beside the JobLedger in memory. No call of it ever suspends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cosbatch.identity.role_tests import RoleTest
from cosbatch.ledger.port import JobLedger
from cosbatch.ledger.role_port import CredentialTerms, JobCredentials, KeptRole, RoleLedger
from cosbatch.ledger.role_rules import no_such_role, role_is_there
from cosbatch.model.identifiers import AccountId, JobId
from cosbatch.model.principals import Role


class MemoryRoleLedger(RoleLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, jobs: JobLedger) -> None:
        """``jobs`` says which jobs there are."""
        self._jobs = jobs
        self._roles: dict[tuple[AccountId, str], KeptRole] = {}
        self._tests: dict[tuple[AccountId, str], RoleTest] = {}
        self._credentials: dict[JobId, JobCredentials] = {}

    async def add_role(self, role: Role, *, sealed: str) -> None:
        if (role.account, role.arn) in self._roles:
            raise role_is_there(role.arn)
        self._roles[role.account, role.arn] = KeptRole(role=replace(role, is_declared=False), sealed=sealed)

    async def role(self, arn: str, *, account: AccountId) -> KeptRole:
        try:
            return self._roles[account, arn]
        except KeyError:
            raise no_such_role(arn) from None

    async def roles(self, *, account: AccountId | None) -> list[Role]:
        kept = [kept.role for (owner, _), kept in self._roles.items() if account in (None, owner)]
        return sorted(kept, key=lambda role: (role.arn, role.account))

    async def replace_key(self, arn: str, *, account: AccountId, sealed: str, at: float) -> Role:
        found = (await self.role(arn, account=account)).role
        changed = replace(found, key_number=found.key_number + 1, key_changed_at=at)
        self._roles[account, arn] = KeptRole(role=changed, sealed=sealed)
        self._tests.pop((account, arn), None)
        return changed

    async def key_numbers(self) -> Mapping[tuple[AccountId, str], int]:
        return {place: kept.role.key_number for place, kept in self._roles.items() if kept.role.key_number}

    async def remove_role(self, arn: str, *, account: AccountId) -> None:
        if self._roles.pop((account, arn), None) is None:
            raise no_such_role(arn)
        self._tests.pop((account, arn), None)

    async def keep_test(self, arn: str, *, account: AccountId, test: RoleTest) -> None:
        self._tests[account, arn] = test

    async def tests(self, *, account: AccountId) -> Mapping[str, RoleTest]:
        return {arn: test for (owner, arn), test in sorted(self._tests.items()) if owner == account}

    async def keep_credentials(self, job_id: JobId, credentials: JobCredentials) -> None:
        await self._jobs.job(job_id)
        self._credentials[job_id] = credentials

    async def credentials(self, job_id: JobId) -> JobCredentials | None:
        return self._credentials.get(job_id)

    async def credential_terms(self) -> Mapping[JobId, CredentialTerms]:
        return {job_id: kept.terms for job_id, kept in self._credentials.items()}

    async def forget_credentials(self, job_id: JobId) -> None:
        self._credentials.pop(job_id, None)
