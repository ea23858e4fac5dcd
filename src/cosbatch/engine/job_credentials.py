"""What a job's role signs with, in one process: read from the ledger, where the keeper of credentials puts it."""

from __future__ import annotations

from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.credentials import Credentials, RenewingCredentials
from cosbatch.identity.roles import open_credentials, purpose_of_job
from cosbatch.ledger.role_port import CredentialTerms, RoleLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable, SealBroken, StorageError, StorageReason
from cosbatch.model.identifiers import JobId


class JobCredentialSource:
    """A CredentialSource of one job. It reads again before what it has expires, and when a store says that it has.

    Where there is nothing to sign with, it raises what a store says of expired credentials: nothing was sent, and the
    request waits until there is.
    """

    def __init__(self, job_id: JobId, *, roles: RoleLedger, cipher: Cipher, clock: Clock, for_tasks: bool) -> None:
        """``cipher`` is the one narrowed for credentials of jobs. ``for_tasks``: those that were made for planning are
        not enough."""
        self._job_id = job_id
        self._roles = roles
        self._cipher = cipher
        self._clock = clock
        self._for_tasks = for_tasks
        self._kept: RenewingCredentials | None = None

    async def credentials(self) -> Credentials:
        if self._kept is None:
            first = await self._read()
            self._kept = RenewingCredentials(first, fetch=self._read, clock=self._clock)
        return self._unexpired(await self._kept.credentials())

    def at_hand(self) -> Credentials | None:
        current = self._kept.at_hand() if self._kept is not None else None
        return None if current is None else self._unexpired(current)

    async def renewed(self, stale: Credentials) -> Credentials:
        return await self.credentials() if self._kept is None else await self._kept.renewed(stale)

    async def are_there(self) -> bool:
        try:
            await self.credentials()
        except StorageError:
            return False
        return True

    async def terms(self) -> CredentialTerms | None:
        """What is known of them; None where there are none."""
        found = await self._roles.credentials(self._job_id)
        return None if found is None else found.terms

    def _unexpired(self, credentials: Credentials) -> Credentials:
        if credentials.expires_at is not None and self._clock.now() >= credentials.expires_at:
            raise self._missing("the credentials of the job's role have expired, and there are no others yet")
        return credentials

    async def _read(self) -> Credentials:
        try:
            found = await self._roles.credentials(self._job_id)
        except LedgerUnavailable as error:
            raise self._missing(f"the credentials of the job's role cannot be read: {error}") from error
        if found is None or (self._for_tasks and not found.terms.is_for_tasks):
            raise self._missing("there are no credentials of the job's role yet")
        try:
            return open_credentials(found.sealed, cipher=self._cipher, purpose=purpose_of_job(self._job_id))
        except SealBroken as error:
            raise self._missing(f"the credentials of the job's role cannot be opened: {error}") from error

    def _missing(self, why: str) -> StorageError:
        return StorageError(StorageReason.CREDENTIALS_EXPIRED, why, target=f"job {self._job_id}")
