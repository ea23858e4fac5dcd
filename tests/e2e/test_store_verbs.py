"""``manifest inspect`` and ``store probe`` on a real store."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml

from tests.e2e.program import Ground
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Ground:
    return Ground(seaweedfs_store, tmp_path, f"verb{uuid.uuid4().hex[:8]}")


def test_inspect_shows_the_etag_and_the_first_rows_decoded(ground: Ground) -> None:
    arn = ground.csv(["a b", "100%", "中文"])
    etag = ground.client.head_object(Bucket=ground.control, Key="list.csv")["ETag"].strip('"')
    shown = ground.call_json("manifest", "inspect", "here", arn)
    assert shown["etag"] == etag
    assert [row["row"]["key"] for row in shown["first_rows"]] == ["a b", "100%", "中文"]


def test_a_probe_prints_overrides_to_paste_and_leaves_nothing(ground: Ground) -> None:
    ground.write_settings(region={"profile": "generic"})
    shown = ground.call("store", "probe", "here", ground.control)
    overrides = yaml.safe_load(shown)["profile_overrides"]
    assert (overrides["canned-acl"], overrides["grants"]) == ("emulated", "emulated")
    assert ground.keys_in(ground.control) == set()
