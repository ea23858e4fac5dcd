"""Adapters of the PeopleBook port under one name each, and builders of who is in it."""

from __future__ import annotations

from pathlib import Path

from cosbatch.identity.tokens import ApiToken, Session, TokenScope
from cosbatch.ledger.memory_people import MemoryPeople
from cosbatch.ledger.people_port import AuditEntry, Founding, PeopleBook
from cosbatch.ledger.sql_people import open_memory_people, open_sqlite_people
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import AccessKey, Account, User, UserRole
from tests.contract.ledgers import HandClock

BOOKS = ["memory", "sqlite-memory", "sqlite-file"]
NOW = 1_700_000_000.0


async def open_book(adapter: str, folder: Path, clock: HandClock) -> PeopleBook:
    if adapter == "memory":
        return MemoryPeople(clock)
    if adapter == "sqlite-memory":
        return open_memory_people(clock)
    return await open_sqlite_people(folder, clock=clock)


def account(number: int, **changes: object) -> Account:
    made = {
        "id": AccountId(f"account-{number}"),
        "name": f"company-{number}",
        "uin": f"{100_000_000_000 + number}",
        "appid": f"{1_250_000_000 + number}",
        "aws_account_id": f"{200_000_000_000 + number}",
        "created_at": NOW,
    }
    return Account(**(made | changes))  # type: ignore[arg-type]


def user(name: str, number: int = 1, role: UserRole = UserRole.OPERATOR, **changes: object) -> User:
    made = {"name": name, "account": AccountId(f"account-{number}"), "role": role, "created_at": NOW}
    return User(**(made | changes))  # type: ignore[arg-type]


def key(name: str, owner: str = "anna", number: int = 1) -> AccessKey:
    return AccessKey(access_key_id=name, user=owner, account=AccountId(f"account-{number}"), created_at=NOW)


def token(name: str, owner: str = "anna", number: int = 1) -> ApiToken:
    return ApiToken(
        id=name,
        user=owner,
        account=AccountId(f"account-{number}"),
        scopes=frozenset({TokenScope.JOBS_READ, TokenScope.JOBS_WRITE}),
        created_at=NOW,
        expires_at=NOW + 1000,
        description="nightly",
    )


def session(name: str, owner: str = "anna", *, created_at: float = NOW, number: int = 1) -> Session:
    return Session(
        id=name,
        user=owner,
        account=AccountId(f"account-{number}"),
        created_at=created_at,
        idle_until=created_at + 100,
        expires_at=created_at + 1000,
        address="192.0.2.1",
    )


def entry(action: str, target: str = "", number: int = 1) -> AuditEntry:
    return AuditEntry(
        account=AccountId(f"account-{number}"),
        actor="root",
        via="cli",
        action=action,
        target=target,
        credential="c",
        detail="because",
    )


def founding(number: int = 1, owner: str = "anna") -> Founding:
    return Founding(
        account=account(number),
        user=user(owner, number, UserRole.ADMIN, must_change_password=True),
        password_hash="hash",
        key=key(f"AKID-{owner}", owner, number),
        sealed_secret="sealed",
    )


async def two_companies(book: PeopleBook) -> None:
    """anna and arno in the first account, berta in the second."""
    for number in (1, 2):
        await book.add_account(account(number), entry=entry("create-account", number=number))
    for made in (user("anna"), user("arno", role=UserRole.VIEWER), user("berta", 2)):
        await book.add_user(made, password_hash=f"hash of {made.name}", entry=entry("create-user", made.name))
