"""Values that wiring makes of settings."""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Provider, Region
from cosbatch.storage.profiles import PROFILES, Option, Support
from cosbatch.wiring import logging_to_folder, profile_of


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


def test_a_log_line_is_one_object(tmp_path: Path) -> None:
    with logging_to_folder(tmp_path, level="info"):
        structlog.get_logger().info("met", key="a\nb \udcff 中")
    (line,) = (tmp_path / "cosbatch.log").read_text().splitlines()
    assert json.loads(line)["event"] == "met"


def test_a_log_on_a_full_disk_breaks_nothing_off(tmp_path: Path) -> None:
    (tmp_path / "cosbatch.log").symlink_to("/dev/full")
    with logging_to_folder(tmp_path, level="info"):
        structlog.get_logger().warning("disk-full")
