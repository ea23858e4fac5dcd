"""When the key changes, what roles and jobs have is sealed again with the others."""

from __future__ import annotations

from functools import partial

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.roles import (
    JOB_CREDENTIALS,
    open_credentials,
    purpose_of_job,
    purpose_of_role,
    seal_credentials,
)
from cosbatch.ledger.role_port import CredentialTerms, JobCredentials
from cosbatch.ledger.roles import SqlRoleLedger
from cosbatch.ledger.sealed import reseal
from cosbatch.ledger.sql_ledger import SqlLedger
from cosbatch.ledger.sqlite import open_memory
from cosbatch.ledger.tables import metadata
from cosbatch.model.identifiers import LOCAL_ACCOUNT
from cosbatch.model.principals import Role, RoleProvider
from cosbatch.service.key_rotation import resealing
from tests.contract.ledgers import HandClock, new_job

OLD = KeyRing(current=bytes(32))
NEW = OLD.with_current(bytes(range(32)))
ARN = "arn:aws:iam::1:role/{braces} and spaces"
KEY = Credentials(access_key_id="AKIA1", secret_access_key="s")


async def test_all_of_them_open_with_the_new_key_alone() -> None:
    database = open_memory(clock=HandClock())
    jobs, roles = SqlLedger(database), SqlRoleLedger(database)
    job = await new_job(jobs)
    role = Role(arn=ARN, account=LOCAL_ACCOUNT, provider=RoleProvider.AWS_STS, created_at=0.0)
    of_role, of_job = purpose_of_role(LOCAL_ACCOUNT, ARN), purpose_of_job(job.id)
    old = Cipher(OLD)
    await roles.add_role(role, sealed=seal_credentials(KEY, cipher=old, purpose=of_role))
    terms = CredentialTerms(assumed_at=0.0, expires_at=None, is_narrowed=True, is_for_tasks=True)
    sealed = seal_credentials(KEY, cipher=old.narrowed(JOB_CREDENTIALS), purpose=of_job)
    await roles.keep_credentials(job.id, JobCredentials(terms=terms, sealed=sealed))

    count = await database.write(partial(reseal, metadata=metadata, change=resealing(Cipher(NEW))))

    assert count == 2
    alone = Cipher(NEW.without_older())
    kept, found = await roles.role(ARN, account=LOCAL_ACCOUNT), await roles.credentials(job.id)
    assert open_credentials(kept.sealed, cipher=alone, purpose=of_role) == KEY
    assert found is not None
    assert open_credentials(found.sealed, cipher=alone.narrowed(JOB_CREDENTIALS), purpose=of_job) == KEY
    await jobs.close()
