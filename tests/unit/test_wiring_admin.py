"""What the command line and a rotation of the key do to each other on one data folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.principals import UserRole
from cosbatch.service.people import local_operator
from cosbatch.settings import Settings, load_settings
from cosbatch.wiring import back_up_ledger, open_people, open_regions, open_serving, restore_ledger, rotate_key

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


async def test_a_service_is_seen_at_work_before_it_reads_the_key(tmp_path: Path) -> None:
    """Else the key could be changed between its reading and the engine's first lock: the secrets that it then seals
    would open for nobody."""
    state, seen, asks = tmp_path / "state", tmp_path / "seen", tmp_path / "ask"
    asks.write_text(
        f"flock --nonblock {state}/processes/service-*.lock true && echo free >{seen} || echo held >{seen}\n"
        f"echo {'A' * 43}=\n"
    )
    path = tmp_path / "cosbatch.yaml"
    path.write_text(json.dumps({"workers": 1, "server": {"encryption_key": f"command:sh {asks}"}}))

    async with open_serving(load_settings(path), state, host="127.0.0.1", port=0):
        assert seen.read_text() == "held\n"
        with pytest.raises(InvalidArgument, match=r"works on it: .*service-"):
            await rotate_key(Settings(), state, caller=ROOT)
    assert not [held for held in (state / "processes").iterdir() if held.name.startswith("service-")]


async def test_a_service_does_not_begin_with_a_key_that_opens_nothing(tmp_path: Path) -> None:
    state, settings = tmp_path / "state", Settings(workers=1)
    async with open_serving(settings, state, host="127.0.0.1", port=0):
        pass
    right = (state / "encryption.key").read_text()
    (state / "encryption.key").write_text(f"{'A' * 43}=\n")
    with pytest.raises(InvalidArgument, match="does not open the ledger's secrets"):
        async with open_serving(settings, state, host="127.0.0.1", port=0):
            pass
    (state / "encryption.key").write_text(right)
    async with open_serving(settings, state, host="127.0.0.1", port=0):
        pass
