"""The key changes, and every secret opens before, between the steps, and after; also when it is broken off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.key_sources import load_key_ring, write_key_ring
from cosbatch.ledger.people_port import AuditEntry, Reseal
from cosbatch.ledger.sql_people import SqlPeople, open_memory_people
from cosbatch.model.errors import InvalidArgument, LedgerUnavailable, SealBroken
from cosbatch.service.key_rotation import Rotation, rotate
from tests.contract.ledgers import HandClock
from tests.contract.people import NOW, entry, key
from tests.unit.service.people_rig import ROOT, PeopleRig


def in_use_never() -> bool:
    return True


class Vault:
    """A book with three access keys, and the file of the key that seals their secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "encryption.key"
        self.ring = load_key_ring(folder, may_make=True)
        self.rig = PeopleRig(open_memory_people(HandClock(NOW)))
        self.secrets: dict[str, str] = {}

    async def fill(self) -> None:
        await self.rig.furnish()
        self.rig.cipher = Cipher(self.ring)
        for _ in range(3):
            made = await self.rig.people.create_access_key(ROOT, user="anna")
            self.secrets[made.key.access_key_id] = made.secret_access_key

    async def rotate(self, *, is_unused: Callable[[], bool] = in_use_never) -> Rotation:
        return await rotate(self.rig.book, load_key_ring(self.folder), file=self.file, caller=ROOT, is_unused=is_unused)

    async def opened(self) -> dict[str, str]:
        """With the keys that are in the file now."""
        cipher, found = Cipher(load_key_ring(self.folder)), {}
        for name in self.secrets:
            known = await self.rig.book.access_key(name)
            assert known is not None
            found[name] = cipher.open(known.sealed_secret, purpose=f"access key {name}").decode()
        return found


@pytest.fixture
async def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path)
    await made.fill()
    return made


class Breaking(SqlPeople):
    """Ends with the program, so to say, before or after all secrets were sealed again."""

    def __init__(self, book: SqlPeople, *, after: bool) -> None:
        super().__init__(book._database)
        self._after = after

    async def reseal(self, change: Reseal, *, entry: AuditEntry) -> int:
        if self._after:
            await super().reseal(change, entry=entry)
        raise LedgerUnavailable("killed")


async def test_every_secret_is_sealed_with_a_new_key_and_the_old_one_is_gone(vault: Vault) -> None:
    done = await vault.rotate()
    ring = load_key_ring(vault.folder)
    assert ring.older == ()
    assert ring.current_id == done.key_id != vault.ring.current_id
    assert (done.older_ids, done.secrets, done.drops_older) == (vault.ring.ids, 3, True)
    assert await vault.opened() == vault.secrets
    told = (await vault.rig.told())[0]
    assert (told.action, told.actor, told.target) == ("rotate-key", "root", done.key_id)


@pytest.mark.parametrize("after", [False, True])
async def test_broken_off_it_goes_on_from_there(vault: Vault, after: bool) -> None:
    whole = vault.rig.book
    assert isinstance(whole, SqlPeople)
    vault.rig.book = Breaking(whole, after=after)
    with pytest.raises(LedgerUnavailable):
        await vault.rotate()
    begun = load_key_ring(vault.folder)
    assert begun.older == (vault.ring.current,)
    assert await vault.opened() == vault.secrets
    vault.rig.book = whole
    done = await vault.rotate()
    assert done.key_id == begun.current_id
    assert load_key_ring(vault.folder) == begun.without_older()
    assert await vault.opened() == vault.secrets


async def test_a_service_that_has_begun_meanwhile_keeps_its_key(vault: Vault) -> None:
    done = await vault.rotate(is_unused=lambda: False)
    assert not done.drops_older
    assert load_key_ring(vault.folder).older == (vault.ring.current,)
    made = await vault.rig.people.create_access_key(ROOT, user="anna")  # still with the old key
    vault.secrets[made.key.access_key_id] = made.secret_access_key
    assert await vault.opened() == vault.secrets
    assert (await vault.rotate()).drops_older
    assert await vault.opened() == vault.secrets


async def test_a_secret_that_does_not_open_stops_it(vault: Vault) -> None:
    foreign = Cipher(KeyRing(current=b"f" * 32)).seal(b"s", purpose="access key AKIDforeign")
    await vault.rig.book.add_access_key(key("AKIDforeign"), sealed_secret=foreign, entry=entry("create-access-key"))
    with pytest.raises(SealBroken, match="access key AKIDforeign does not open"):
        await vault.rotate()
    assert await vault.opened() == vault.secrets
    assert (await vault.rig.told())[0].action != "rotate-key"


async def test_keys_from_elsewhere_are_changed_by_their_keeper(vault: Vault) -> None:
    with pytest.raises(InvalidArgument, match="put a new key before it"):
        await rotate(vault.rig.book, vault.ring, file=None, caller=ROOT, is_unused=in_use_never)
    ring = vault.ring.with_current(b"n" * 32)
    done = await rotate(vault.rig.book, ring, file=None, caller=ROOT, is_unused=in_use_never)
    assert (done.key_id, done.drops_older) == (ring.current_id, False)
    write_key_ring(vault.file, ring.without_older())
    assert await vault.opened() == vault.secrets
