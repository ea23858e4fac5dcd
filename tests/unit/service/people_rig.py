"""A service's people in memory: a book, a clock moved by hand, and quick passwords."""

from __future__ import annotations

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.passwords import HashCost, Passwords
from cosbatch.ledger.memory_people import MemoryPeople
from cosbatch.ledger.people_port import AuditEntry, PeopleBook
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Caller, UserRole
from cosbatch.service.people import People, local_operator
from cosbatch.service.sign_in import SignIn, SignInLimits
from tests.contract.ledgers import HandClock
from tests.contract.people import NOW, two_companies

QUICK = HashCost(rounds=1, memory_kib=64, lanes=1)
ROOT = local_operator("root")
LIMITS = SignInLimits(tries_of_user_at_address=3, tries_of_address=5, tries_of_user=8)
PASSWORD = "four words in a row"
NEW_PASSWORD = "four other words in a row"
HOME = "192.0.2.1"


class PeopleRig:
    def __init__(self, book: PeopleBook | None = None, *, cost: HashCost = QUICK) -> None:
        self.clock = HandClock(NOW)
        self.book = book or MemoryPeople(self.clock)
        self.cipher = Cipher(KeyRing(current=b"k" * 32))
        self.forgotten: list[str] = []
        passwords = Passwords(cost)
        self.people = People(
            self.book,
            cipher=lambda: self.cipher,
            passwords=passwords,
            clock=self.clock,
            forget_first_run=self.forgotten.append,
        )
        self.sign_in = SignIn(
            self.book,
            cipher=self.cipher,
            passwords=passwords,
            clock=self.clock,
            forget_first_run=self.forgotten.append,
            limits=LIMITS,
        )

    async def furnish(self) -> None:
        """Two companies: anna, an admin, and arno, a viewer, in the first; berta, an admin, in the second."""
        await two_companies(self.book)
        for name, role in (("anna", UserRole.ADMIN), ("arno", UserRole.VIEWER), ("berta", UserRole.ADMIN)):
            await self.people.change_user(ROOT, name, role=role)

    async def caller(self, name: str) -> Caller:
        known = await self.book.user(name)
        assert known is not None
        return Caller(account=known.account, user=name, role=known.user.role, via="rest", credential="token-1")

    async def told(self) -> list[AuditEntry]:
        """Newest first."""
        return [line.entry for line in await self.book.audit(limit=1000)]


FIRST, SECOND = AccountId("account-1"), AccountId("account-2")
