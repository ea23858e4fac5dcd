"""Values that wiring makes of settings."""

from __future__ import annotations

from pathlib import Path

from cosbatch.ledger.sql_ledger import open_sqlite_ledger
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Provider, Region
from cosbatch.storage.profiles import PROFILES, Option, Support
from cosbatch.wiring import has_jobs, logging_to_folder, profile_of


def region(**changes: object) -> Region:
    here = {"name": RegionName("r"), "provider": Provider.S3, "endpoint": "http://h", "profile": "ceph"}
    return Region(**{**here, "signing_region": "us-east-1", **changes})  # type: ignore[arg-type]


def test_a_region_has_its_profile() -> None:
    assert profile_of(region()).storage_classes == PROFILES["ceph"].storage_classes


def test_a_region_may_name_its_own_storage_classes() -> None:
    assert profile_of(region(storage_classes=("COLD", "STANDARD"))).storage_classes == {"COLD", "STANDARD"}


def test_single_options_may_be_overridden() -> None:
    overridden = profile_of(region(profile_overrides=(("sse-aes256", "applied"),)))
    assert overridden.supports(Option.SSE_AES256) is Support.APPLIED
    assert overridden.supports(Option.RESTORE) is Support.REFUSED


async def test_others_may_not_read_what_is_in_an_open_folder(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    assert not has_jobs(folder)
    with logging_to_folder(folder, level="info"):
        ledger = await open_sqlite_ledger(folder)
        assert has_jobs(folder)
        await ledger.close()
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"ledger.db", "cosbatch.log"} <= modes.keys()
