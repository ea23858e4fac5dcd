"""The RoleLedger over a SQL database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select, update

from cosbatch.identity.role_tests import RoleTest
from cosbatch.ledger import tables
from cosbatch.ledger.codec import decode, encode
from cosbatch.ledger.role_port import CredentialTerms, JobCredentials, KeptRole, RoleLedger
from cosbatch.ledger.role_rules import no_such_role, role_is_there
from cosbatch.ledger.role_tables import job_credential, role, role_test
from cosbatch.ledger.rules import no_such_job
from cosbatch.ledger.transaction import Database, LastLook, Transaction
from cosbatch.model.identifiers import AccountId, Bucket, JobId
from cosbatch.model.principals import Role, RoleProvider

_THE_ROLE: Final = (role.c.account == bindparam("the_account"), role.c.arn == bindparam("the_arn"))
_ROLE: Final = select(role).where(*_THE_ROLE)
_ALL_ROLES: Final = select(role).order_by(role.c.arn, role.c.account)
_ROLES: Final = select(role).where(role.c.account == bindparam("the_account")).order_by(role.c.arn)
_ADD_ROLE: Final = insert(role)
_REPLACE_KEY: Final = (
    update(role)
    .where(*_THE_ROLE)
    .values(sealed=bindparam("the_sealed"), key_number=bindparam("the_number"), key_changed_at=bindparam("the_time"))
)
_KEY_NUMBERS: Final = select(role.c.account, role.c.arn, role.c.key_number).where(role.c.key_number > 0)
_REMOVE_ROLE: Final = delete(role).where(*_THE_ROLE)
_TESTS: Final = select(role_test).where(role_test.c.account == bindparam("the_account")).order_by(role_test.c.arn)
_ADD_TEST: Final = insert(role_test)
_REMOVE_TEST: Final = delete(role_test).where(
    role_test.c.account == bindparam("the_account"), role_test.c.arn == bindparam("the_arn")
)
_JOB: Final = select(tables.job.c.id).where(tables.job.c.id == bindparam("the_job"))
_OF_JOB: Final = job_credential.c.job_id == bindparam("the_job")
_CREDENTIALS: Final = select(job_credential).where(_OF_JOB)
_ADD_CREDENTIALS: Final = insert(job_credential)
_REMOVE_CREDENTIALS: Final = delete(job_credential).where(_OF_JOB)
_TERMS: Final = select(
    job_credential.c.job_id,
    job_credential.c.assumed_at,
    job_credential.c.expires_at,
    job_credential.c.narrowed,
    job_credential.c.for_tasks,
    job_credential.c.writable_buckets,
    job_credential.c.key_number,
)


class SqlRoleLedger(RoleLedger):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        """``database`` belongs to the JobLedger beside it, which closes it."""
        self._database = database
        self._key_numbers = LastLook(_key_numbers)
        self._terms = LastLook(_terms)

    async def add_role(self, role: Role, *, sealed: str) -> None:
        await self._database.write(partial(_add_role, role=role, sealed=sealed))

    async def role(self, arn: str, *, account: AccountId) -> KeptRole:
        row = await self._database.read(partial(_role_row, arn=arn, account=account))
        return KeptRole(role=_role_from(row), sealed=row.sealed)

    async def roles(self, *, account: AccountId | None) -> list[Role]:
        statement, sought = (_ALL_ROLES, {}) if account is None else (_ROLES, {"the_account": account})
        rows = await self._database.read(lambda tx: tx.all(statement, sought))
        return [_role_from(row) for row in rows]

    async def replace_key(self, arn: str, *, account: AccountId, sealed: str, at: float) -> Role:
        return await self._database.write(partial(_replace_key, arn=arn, account=account, sealed=sealed, at=at))

    async def key_numbers(self) -> Mapping[tuple[AccountId, str], int]:
        return await self._database.read(self._key_numbers)

    async def remove_role(self, arn: str, *, account: AccountId) -> None:
        await self._database.write(partial(_remove_role, arn=arn, account=account))

    async def keep_test(self, arn: str, *, account: AccountId, test: RoleTest) -> None:
        await self._database.write(partial(_keep_test, arn=arn, account=account, test=test))

    async def tests(self, *, account: AccountId) -> Mapping[str, RoleTest]:
        rows = await self._database.read(lambda tx: tx.all(_TESTS, {"the_account": account}))
        return {row.arn: decode(row.found, RoleTest) for row in rows}

    async def keep_credentials(self, job_id: JobId, credentials: JobCredentials) -> None:
        await self._database.write(partial(_keep_credentials, job_id=job_id, credentials=credentials))

    async def credentials(self, job_id: JobId) -> JobCredentials | None:
        row = await self._database.read(lambda tx: tx.one(_CREDENTIALS, {"the_job": job_id}))
        return None if row is None else JobCredentials(terms=_terms_from(row), sealed=row.sealed)

    async def credential_terms(self) -> Mapping[JobId, CredentialTerms]:
        return await self._database.read(self._terms)

    async def forget_credentials(self, job_id: JobId) -> None:
        await self._database.write(lambda tx: tx.change(_REMOVE_CREDENTIALS, {"the_job": job_id}))


def _key_numbers(tx: Transaction) -> Mapping[tuple[AccountId, str], int]:
    return MappingProxyType({(AccountId(row.account), row.arn): row.key_number for row in tx.all(_KEY_NUMBERS)})


def _terms(tx: Transaction) -> Mapping[JobId, CredentialTerms]:
    return MappingProxyType({JobId(row.job_id): _terms_from(row) for row in tx.all(_TERMS)})


def _add_role(tx: Transaction, *, role: Role, sealed: str) -> None:
    if tx.one(_ROLE, {"the_account": role.account, "the_arn": role.arn}) is not None:
        raise role_is_there(role.arn)
    row = {
        "account": role.account,
        "arn": role.arn,
        "provider": str(role.provider),
        "created_at": role.created_at,
        "description": role.description,
        "external_id": role.external_id,
        "sts_endpoint": role.sts_endpoint,
        "sts_region": role.sts_region,
        "sealed": sealed,
        "writable_buckets": json.dumps(role.writable_buckets),
        "key_number": role.key_number,
        "key_changed_at": role.key_changed_at,
    }
    tx.change(_ADD_ROLE, row)


def _role_row(tx: Transaction, *, arn: str, account: AccountId) -> Row[Any]:
    row = tx.one(_ROLE, {"the_account": account, "the_arn": arn})
    if row is None:
        raise no_such_role(arn)
    return row


def _role_from(row: Row[Any]) -> Role:
    return Role(
        arn=row.arn,
        account=AccountId(row.account),
        provider=RoleProvider(row.provider),
        created_at=row.created_at,
        description=row.description,
        external_id=row.external_id,
        sts_endpoint=row.sts_endpoint,
        sts_region=row.sts_region,
        writable_buckets=_buckets_from(row),
        key_number=row.key_number,
        key_changed_at=row.key_changed_at,
    )


def _replace_key(tx: Transaction, *, arn: str, account: AccountId, sealed: str, at: float) -> Role:
    found = _role_from(_role_row(tx, arn=arn, account=account))
    changed = replace(found, key_number=found.key_number + 1, key_changed_at=at)
    tx.change(
        _REPLACE_KEY,
        {
            "the_account": account,
            "the_arn": arn,
            "the_sealed": sealed,
            "the_number": changed.key_number,
            "the_time": at,
        },
    )
    tx.change(_REMOVE_TEST, {"the_account": account, "the_arn": arn})
    return changed


def _remove_role(tx: Transaction, *, arn: str, account: AccountId) -> None:
    if not tx.change(_REMOVE_ROLE, {"the_account": account, "the_arn": arn}):
        raise no_such_role(arn)
    tx.change(_REMOVE_TEST, {"the_account": account, "the_arn": arn})


def _keep_test(tx: Transaction, *, arn: str, account: AccountId, test: RoleTest) -> None:
    tx.change(_REMOVE_TEST, {"the_account": account, "the_arn": arn})
    tx.change(_ADD_TEST, {"account": account, "arn": arn, "tested_at": test.at, "found": encode(test)})


def _keep_credentials(tx: Transaction, *, job_id: JobId, credentials: JobCredentials) -> None:
    if tx.one(_JOB, {"the_job": job_id}) is None:
        raise no_such_job(job_id)
    tx.change(_REMOVE_CREDENTIALS, {"the_job": job_id})
    row = {
        "job_id": job_id,
        "assumed_at": credentials.terms.assumed_at,
        "expires_at": credentials.terms.expires_at,
        "narrowed": int(credentials.terms.is_narrowed),
        "for_tasks": int(credentials.terms.is_for_tasks),
        "sealed": credentials.sealed,
        "writable_buckets": json.dumps(credentials.terms.writable_buckets),
        "key_number": credentials.terms.key_number,
    }
    tx.change(_ADD_CREDENTIALS, row)


def _terms_from(row: Row[Any]) -> CredentialTerms:
    return CredentialTerms(
        assumed_at=row.assumed_at,
        expires_at=row.expires_at,
        is_narrowed=bool(row.narrowed),
        is_for_tasks=bool(row.for_tasks),
        writable_buckets=_buckets_from(row),
        key_number=row.key_number,
    )


def _buckets_from(row: Row[Any]) -> tuple[Bucket, ...]:
    return tuple(Bucket(name) for name in json.loads(row.writable_buckets))
