"""The PeopleBook in plain Python objects, for tests. It passes the same contract suite as the SQL one.

No call of it ever suspends, so each is one transaction; it checks everything before it changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cosbatch.identity.tokens import ApiToken, Session
from cosbatch.ledger.people_port import (
    ALL_LINES,
    SECRET_PURPOSE,
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
    SealedText,
)
from cosbatch.ledger.people_rules import account_taken, declared_users, is_wanted, name_taken, no_such
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, User, UserRole


@dataclass(slots=True)
class _Tries:
    count: int
    since: float


@dataclass(slots=True)
class _Rows:
    accounts: dict[AccountId, Account] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    keys: dict[str, AccessKey] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, ApiToken] = field(default_factory=dict)
    token_digests: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    session_digests: dict[str, str] = field(default_factory=dict)
    tries: dict[str, _Tries] = field(default_factory=dict)
    audit: list[AuditLine] = field(default_factory=list)


class MemoryPeople(PeopleBook):
    """The port's docstrings say what each method promises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows = _Rows()

    async def close(self) -> None:
        return None

    # --- accounts and users

    async def found(self, founding: Founding, *, entry: AuditEntry) -> bool:
        if self._rows.accounts:
            return False
        self._rows.accounts[founding.account.id] = founding.account
        self._keep_user(founding.user, founding.password_hash)
        self._keep_key(founding.key, founding.sealed_secret)
        await self.record(entry)
        return True

    async def declare(self, accounts: Sequence[Account], users: Sequence[User], *, entry: AuditEntry) -> None:
        before = (dict(self._rows.accounts), dict(self._rows.users))
        after = {known.id: replace(known, is_declared=False) for known in before[0].values()}
        for account in accounts:
            self._check_alike(account, [other for other in after.values() if other.id != account.id])
            known = before[0].get(account.id, account)
            after[account.id] = replace(account, created_at=known.created_at, is_declared=True)
        changed = declared_users(users, there=list(before[1].values()))
        self._rows.accounts = after
        for account in accounts:
            if account.is_disabled:
                self._end_sessions_of(account.id)
        for user in changed:
            self._keep_user(user, self._rows.hashes.get(user.name, ""))
            if user.is_disabled:
                self._end_sessions(user.name)
        if before != (self._rows.accounts, self._rows.users):
            await self.record(entry)

    async def add_account(self, account: Account, *, entry: AuditEntry) -> None:
        self._check_alike(account, list(self._rows.accounts.values()))
        self._rows.accounts[account.id] = account
        await self.record(entry)

    async def accounts(self) -> list[Account]:
        return sorted(self._rows.accounts.values(), key=lambda account: account.name)

    async def change_account(self, account: AccountId, *, is_disabled: bool, entry: AuditEntry) -> None:
        if account not in self._rows.accounts:
            raise no_such("account", account)
        self._rows.accounts[account] = replace(self._rows.accounts[account], is_disabled=is_disabled)
        if is_disabled:
            self._end_sessions_of(account)
        await self.record(entry)

    async def add_user(self, user: User, *, password_hash: str, entry: AuditEntry) -> None:
        if user.name in self._rows.users:
            raise name_taken("user", user.name)
        if user.account not in self._rows.accounts:
            raise no_such("account", user.account)
        self._keep_user(user, password_hash)
        await self.record(entry)

    async def user(self, name: str) -> KnownUser | None:
        user = self._rows.users.get(name)
        if user is None:
            return None
        account = self._rows.accounts[user.account]
        return KnownUser(user=user, account=account, password_hash=self._rows.hashes[name])

    async def users(self, *, account: AccountId | None = None) -> list[User]:
        found = [user for user in self._rows.users.values() if account in (None, user.account)]
        return sorted(found, key=lambda user: user.name)

    async def change_user(
        self, name: str, *, role: UserRole | None = None, is_disabled: bool | None = None, entry: AuditEntry
    ) -> None:
        user = self._user(name)
        self._rows.users[name] = replace(
            user, role=role or user.role, is_disabled=user.is_disabled if is_disabled is None else is_disabled
        )
        if is_disabled:
            self._end_sessions(name)
        await self.record(entry)

    async def set_password(
        self, name: str, *, password_hash: str, must_change: bool, instead_of: str | None = None, entry: AuditEntry
    ) -> bool:
        user = self._user(name)
        if instead_of not in (None, self._rows.hashes[name]):
            return False
        self._keep_user(replace(user, must_change_password=must_change), password_hash)
        self._end_sessions(name)
        await self.record(entry)
        return True

    async def improve_hash(self, name: str, *, old_hash: str, new_hash: str) -> None:
        if self._rows.hashes.get(name) == old_hash:
            self._rows.hashes[name] = new_hash

    async def remove_user(self, name: str, *, entry: AuditEntry) -> None:
        self._user(name)
        self._end_sessions(name)
        for token in [token for token in self._rows.tokens.values() if token.user == name]:
            del self._rows.tokens[token.id]
        for key in [key for key in self._rows.keys.values() if key.user == name]:
            del self._rows.keys[key.access_key_id], self._rows.secrets[key.access_key_id]
        del self._rows.users[name], self._rows.hashes[name]
        await self.record(entry)

    # --- access keys and tokens

    async def add_access_key(self, key: AccessKey, *, sealed_secret: str, entry: AuditEntry) -> None:
        if key.access_key_id in self._rows.keys:
            raise name_taken("access key", key.access_key_id)
        self._user(key.user)
        self._keep_key(key, sealed_secret)
        await self.record(entry)

    async def access_key(self, access_key_id: str) -> KnownKey | None:
        key = self._rows.keys.get(access_key_id)
        if key is None:
            return None
        user, account = self._owner(key.user)
        return KnownKey(key=key, sealed_secret=self._rows.secrets[access_key_id], user=user, account=account)

    async def access_keys(self, *, account: AccountId | None = None, user: str | None = None) -> list[AccessKey]:
        found = [key for key in self._rows.keys.values() if account in (None, key.account) and user in (None, key.user)]
        return sorted(found, key=lambda key: (key.created_at, key.access_key_id))

    async def set_key_disabled(self, access_key_id: str, *, is_disabled: bool, entry: AuditEntry) -> None:
        if access_key_id not in self._rows.keys:
            raise no_such("access key", access_key_id)
        self._rows.keys[access_key_id] = replace(self._rows.keys[access_key_id], is_disabled=is_disabled)
        await self.record(entry)

    async def remove_access_key(self, access_key_id: str, *, entry: AuditEntry) -> None:
        if access_key_id not in self._rows.keys:
            raise no_such("access key", access_key_id)
        del self._rows.keys[access_key_id], self._rows.secrets[access_key_id]
        await self.record(entry)

    async def key_used(self, access_key_id: str, *, at: float) -> None:
        if access_key_id in self._rows.keys:
            self._rows.keys[access_key_id] = replace(self._rows.keys[access_key_id], last_used_at=at)

    async def add_token(self, token: ApiToken, *, digest: str, entry: AuditEntry) -> None:
        if token.id in self._rows.tokens:
            raise name_taken("token", token.id)
        self._user(token.user)
        self._rows.tokens[token.id] = token
        self._rows.token_digests[digest] = token.id
        await self.record(entry)

    async def token(self, token_id: str) -> KnownToken | None:
        token = self._rows.tokens.get(token_id)
        if token is None:
            return None
        user, account = self._owner(token.user)
        return KnownToken(token=token, user=user, account=account)

    async def token_of(self, digest: str) -> KnownToken | None:
        return await self.token(self._rows.token_digests.get(digest, ""))

    async def tokens(self, *, account: AccountId | None = None, user: str | None = None) -> list[ApiToken]:
        found = [
            token
            for token in self._rows.tokens.values()
            if account in (None, token.account) and user in (None, token.user)
        ]
        return sorted(found, key=lambda token: (token.created_at, token.id))

    async def revoke_token(self, token_id: str, *, entry: AuditEntry) -> None:
        if token_id not in self._rows.tokens:
            raise no_such("token", token_id)
        self._rows.tokens[token_id] = replace(self._rows.tokens[token_id], is_revoked=True)
        await self.record(entry)

    async def token_used(self, token_id: str, *, at: float) -> None:
        if token_id in self._rows.tokens:
            self._rows.tokens[token_id] = replace(self._rows.tokens[token_id], last_used_at=at)

    # --- logging in

    async def count_try(self, limits: Mapping[str, int], *, window_seconds: float) -> float:
        now = self._clock.now()
        tries = {subject: found for subject, found in self._rows.tries.items() if found.since > now - window_seconds}
        self._rows.tries = tries
        waits = [
            tries[subject].since + window_seconds - now
            for subject, limit in limits.items()
            if subject in tries and tries[subject].count >= limit
        ]
        if waits:
            return max(waits)
        for subject in limits:
            tries.setdefault(subject, _Tries(0, now)).count += 1
        return 0.0

    async def forgive_tries(self, subjects: Sequence[str]) -> None:
        for subject in subjects:
            self._rows.tries.pop(subject, None)

    async def take_back_try(self, subject: str) -> None:
        if subject in self._rows.tries:
            self._rows.tries[subject].count = max(0, self._rows.tries[subject].count - 1)

    async def add_session(self, session: Session, *, digest: str, password_hash: str, entry: AuditEntry) -> bool:
        for known in list(self._rows.sessions.values()):
            if known.expires_at <= session.created_at:
                del self._rows.sessions[known.id]
        user = self._rows.users.get(session.user)
        if user is None or user.is_disabled or self._rows.hashes[user.name] != password_hash:
            return False
        if self._rows.accounts[user.account].is_disabled:
            return False
        self._rows.sessions[session.id] = session
        self._rows.session_digests[digest] = session.id
        await self.record(entry)
        return True

    async def session(self, digest: str) -> KnownSession | None:
        session = self._rows.sessions.get(self._rows.session_digests.get(digest, ""))
        if session is None:
            return None
        user, account = self._owner(session.user)
        return KnownSession(session=session, user=user, account=account)

    async def session_used(self, session_id: str, *, idle_until: float) -> None:
        if session_id in self._rows.sessions:
            self._rows.sessions[session_id] = replace(self._rows.sessions[session_id], idle_until=idle_until)

    async def end_session(self, session_id: str, *, entry: AuditEntry) -> None:
        if self._rows.sessions.pop(session_id, None) is not None:
            await self.record(entry)

    # --- the audit log, and secrets at rest

    async def record(self, entry: AuditEntry) -> None:
        self._rows.audit.append(AuditLine(id=len(self._rows.audit) + 1, at=self._clock.now(), entry=entry))

    async def audit(
        self,
        *,
        account: AccountId | None = None,
        before: int | None = None,
        limit: int = 100,
        wanted: AuditFilter = ALL_LINES,
    ) -> list[AuditLine]:
        lines = [
            line
            for line in reversed(self._rows.audit)
            if account in (None, line.entry.account)
            and (before is None or line.id < before)
            and is_wanted(line, wanted)
        ]
        return lines[:limit]

    async def has_sealed(self) -> bool:
        return any(self._rows.secrets.values())

    async def reseal(self, change: Reseal, *, entry: AuditEntry) -> int:
        self._rows.secrets = {
            key: change(SealedText(text=text, purpose=SECRET_PURPOSE.format(id=key)))
            for key, text in self._rows.secrets.items()
        }
        await self.record(entry)
        return len(self._rows.secrets)

    # --- rows

    def _keep_user(self, user: User, password_hash: str) -> None:
        self._rows.users[user.name] = user
        self._rows.hashes[user.name] = password_hash

    def _keep_key(self, key: AccessKey, sealed_secret: str) -> None:
        self._rows.keys[key.access_key_id] = key
        self._rows.secrets[key.access_key_id] = sealed_secret

    def _user(self, name: str) -> User:
        if name not in self._rows.users:
            raise no_such("user", name)
        return self._rows.users[name]

    def _owner(self, name: str) -> tuple[User, Account]:
        user = self._rows.users[name]
        return user, self._rows.accounts[user.account]

    def _end_sessions(self, name: str) -> None:
        self._rows.sessions = {id_: session for id_, session in self._rows.sessions.items() if session.user != name}

    def _end_sessions_of(self, account: AccountId) -> None:
        for user in self._rows.users.values():
            if user.account == account:
                self._end_sessions(user.name)

    @staticmethod
    def _check_alike(account: Account, others: Sequence[Account]) -> None:
        for other in others:
            same = (
                account.id == other.id,
                account.name == other.name,
                account.uin == other.uin,
                account.appid == other.appid,
                account.aws_account_id == other.aws_account_id,
            )
            if any(same):
                raise account_taken(account, other)
