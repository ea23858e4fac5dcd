"""The PeopleBook over a SQL database: each intention is one transaction of statements in modules beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from cosbatch.identity.tokens import ApiToken, Session
from cosbatch.ledger import people_accounts, people_audit, people_keys, sqlite
from cosbatch.ledger.people_port import (
    ALL_LINES,
    AuditEntry,
    AuditFilter,
    AuditLine,
    Founding,
    KnownKey,
    KnownSession,
    KnownToken,
    KnownUser,
    PeopleBook,
    Reseal,
)
from cosbatch.ledger.transaction import Database
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, User, UserRole


async def open_sqlite_people(folder: Path, *, clock: Clock | None = None, patience_seconds: float = 30.0) -> SqlPeople:
    """The book in ``folder``/ledger.db, where the jobs are too; like :func:`open_sqlite_ledger`, and with the same
    errors."""
    return SqlPeople(await sqlite.open_file(folder, clock=clock, patience_seconds=patience_seconds))


def open_memory_people(clock: Clock) -> SqlPeople:
    """A book of this process and thread alone, with the same statements."""
    return SqlPeople(sqlite.open_memory(clock=clock))


class SqlPeople(PeopleBook):
    """The port's docstrings say what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def close(self) -> None:
        await self._database.close()

    # --- accounts and users

    async def found(self, founding: Founding, *, entry: AuditEntry) -> bool:
        return await self._database.write(partial(people_accounts.found, founding=founding, entry=entry))

    async def declare(self, accounts: Sequence[Account], users: Sequence[User], *, entry: AuditEntry) -> None:
        await self._database.write(partial(people_accounts.declare, accounts=accounts, users=users, entry=entry))

    async def add_account(self, account: Account, *, entry: AuditEntry) -> None:
        await self._database.write(partial(people_accounts.add_account, account=account, entry=entry))

    async def accounts(self) -> list[Account]:
        return await self._database.read(people_accounts.accounts)

    async def change_account(self, account: AccountId, *, is_disabled: bool, entry: AuditEntry) -> None:
        await self._database.write(
            partial(people_accounts.change_account, account=account, is_disabled=is_disabled, entry=entry)
        )

    async def add_user(self, user: User, *, password_hash: str, entry: AuditEntry) -> None:
        await self._database.write(
            partial(people_accounts.add_user, user=user, password_hash=password_hash, entry=entry)
        )

    async def user(self, name: str) -> KnownUser | None:
        return await self._database.read(partial(people_accounts.known_user, name=name))

    async def users(self, *, account: AccountId | None = None) -> list[User]:
        return await self._database.read(partial(people_accounts.users, account=account))

    async def change_user(
        self, name: str, *, role: UserRole | None = None, is_disabled: bool | None = None, entry: AuditEntry
    ) -> None:
        await self._database.write(
            partial(people_accounts.change_user, name=name, role=role, is_disabled=is_disabled, entry=entry)
        )

    async def remove_user(self, name: str, *, entry: AuditEntry) -> None:
        await self._database.write(partial(people_accounts.remove_user, name=name, entry=entry))

    async def set_password(
        self, name: str, *, password_hash: str, must_change: bool, instead_of: str | None = None, entry: AuditEntry
    ) -> bool:
        return await self._database.write(
            partial(
                people_accounts.set_password,
                name=name,
                password_hash=password_hash,
                must_change=must_change,
                instead_of=instead_of,
                entry=entry,
            )
        )

    async def improve_hash(self, name: str, *, old_hash: str, new_hash: str) -> None:
        await self._database.write(
            partial(people_accounts.improve_hash, name=name, old_hash=old_hash, new_hash=new_hash)
        )

    # --- access keys and tokens

    async def add_access_key(self, key: AccessKey, *, sealed_secret: str, entry: AuditEntry) -> None:
        await self._database.write(
            partial(people_keys.add_access_key, key=key, sealed_secret=sealed_secret, entry=entry)
        )

    async def access_key(self, access_key_id: str) -> KnownKey | None:
        return await self._database.read(partial(people_keys.known_key, access_key_id=access_key_id))

    async def access_keys(self, *, account: AccountId | None = None, user: str | None = None) -> list[AccessKey]:
        return await self._database.read(partial(people_keys.access_keys, account=account, user=user))

    async def set_key_disabled(self, access_key_id: str, *, is_disabled: bool, entry: AuditEntry) -> None:
        await self._database.write(
            partial(people_keys.set_key_disabled, access_key_id=access_key_id, is_disabled=is_disabled, entry=entry)
        )

    async def remove_access_key(self, access_key_id: str, *, entry: AuditEntry) -> None:
        await self._database.write(partial(people_keys.remove_access_key, access_key_id=access_key_id, entry=entry))

    async def key_used(self, access_key_id: str, *, at: float) -> None:
        await self._database.write(partial(people_keys.key_used, access_key_id=access_key_id, at=at))

    async def add_token(self, token: ApiToken, *, digest: str, entry: AuditEntry) -> None:
        await self._database.write(partial(people_keys.add_token, token=token, digest=digest, entry=entry))

    async def token(self, token_id: str) -> KnownToken | None:
        return await self._database.read(partial(people_keys.known_token, token_id=token_id))

    async def token_of(self, digest: str) -> KnownToken | None:
        return await self._database.read(partial(people_keys.token_of, digest=digest))

    async def tokens(self, *, account: AccountId | None = None, user: str | None = None) -> list[ApiToken]:
        return await self._database.read(partial(people_keys.tokens, account=account, user=user))

    async def revoke_token(self, token_id: str, *, entry: AuditEntry) -> None:
        await self._database.write(partial(people_keys.revoke_token, token_id=token_id, entry=entry))

    async def token_used(self, token_id: str, *, at: float) -> None:
        await self._database.write(partial(people_keys.token_used, token_id=token_id, at=at))

    # --- logging in

    async def count_try(self, limits: Mapping[str, int], *, window_seconds: float) -> float:
        return await self._database.write(partial(people_audit.count_try, limits=limits, window_seconds=window_seconds))

    async def forgive_tries(self, subjects: Sequence[str]) -> None:
        await self._database.write(partial(people_audit.forgive_tries, subjects=subjects))

    async def take_back_try(self, subject: str) -> None:
        await self._database.write(partial(people_audit.take_back_try, subject=subject))

    async def add_session(self, session: Session, *, digest: str, password_hash: str, entry: AuditEntry) -> bool:
        return await self._database.write(
            partial(people_keys.add_session, session=session, digest=digest, password_hash=password_hash, entry=entry)
        )

    async def session(self, digest: str) -> KnownSession | None:
        return await self._database.read(partial(people_keys.known_session, digest=digest))

    async def session_used(self, session_id: str, *, idle_until: float) -> None:
        await self._database.write(partial(people_keys.session_used, session_id=session_id, idle_until=idle_until))

    async def end_session(self, session_id: str, *, entry: AuditEntry) -> None:
        await self._database.write(partial(people_keys.end_session, session_id=session_id, entry=entry))

    # --- the audit log, and secrets at rest

    async def record(self, entry: AuditEntry) -> None:
        await self._database.write(partial(people_audit.record, entry=entry))

    async def audit(
        self,
        *,
        account: AccountId | None = None,
        before: int | None = None,
        limit: int = 100,
        wanted: AuditFilter = ALL_LINES,
    ) -> list[AuditLine]:
        return await self._database.read(
            partial(people_audit.audit, account=account, before=before, limit=limit, wanted=wanted)
        )

    async def has_sealed(self) -> bool:
        return await self._database.read(people_audit.any_sealed)

    async def reseal(self, change: Reseal, *, entry: AuditEntry) -> int:
        return await self._database.write(partial(people_audit.reseal_all, change=change, entry=entry))
