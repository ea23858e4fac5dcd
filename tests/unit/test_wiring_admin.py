"""What the command line and a rotation of the key do to each other on one data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.principals import UserRole
from cosbatch.service.people import local_operator
from cosbatch.settings import Settings
from cosbatch.wiring import back_up_ledger, open_people, open_regions, restore_ledger, rotate_key

ROOT = local_operator("root")


async def test_nothing_is_restored_or_dropped_while_somebody_manages_people(tmp_path: Path) -> None:
    state, saved = tmp_path / "state", tmp_path / "saved.db"
    async with open_people(Settings(), state, may_make=True) as people:
        account = await people.create_account(ROOT, name="acme")
        await people.create_user(ROOT, name="anna", account=account.id, role=UserRole.ADMIN)
        back_up_ledger(state, saved)
        with pytest.raises(InvalidArgument, match="works on it: admin-"):
            await rotate_key(Settings(), state, caller=ROOT)
        with pytest.raises(InvalidArgument, match="works on it: admin-"):
            restore_ledger(state, saved, force=True)
        made = await people.create_access_key(ROOT, user="anna")
    assert list((state / "processes").iterdir()) == []
    assert (await rotate_key(Settings(), state, caller=ROOT)).secrets == 1
    assert restore_ledger(state, saved, force=True) is not None
    async with open_people(Settings(), state) as people:
        assert made.key not in await people.list_access_keys(ROOT)


async def test_a_folder_without_a_ledger_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="no ledger in it"):
        async with open_people(Settings(), tmp_path / "state"):
            pass
    with pytest.raises(InvalidArgument, match="no ledger in it"):
        await rotate_key(Settings(), tmp_path / "state", caller=ROOT)
    with pytest.raises(InvalidArgument, match="no ledger in it"):
        async with open_regions(Settings(), tmp_path / "state"):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_regions_may_be_made_before_anything_else(tmp_path: Path) -> None:
    async with open_regions(Settings(), tmp_path, may_make=True) as regions:
        await regions.create_region(ROOT, name="here", fields={"endpoint": "http://h"})
        with pytest.raises(InvalidArgument, match="works on it: admin-"):
            await rotate_key(Settings(), tmp_path, caller=ROOT)
    async with open_regions(Settings(), tmp_path) as regions:
        assert [known.region.name for known in await regions.list_regions(ROOT)] == ["here"]
