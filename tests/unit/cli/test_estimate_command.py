"""``cosbatch estimate`` for people and for machines, on a manifest in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cosbatch.model.identifiers import RegionName
from cosbatch.model.operations import RestoreTier
from cosbatch.model.prices import RequestGroup
from cosbatch.settings import load_settings
from cosbatch.settings.prices import price_table
from tests.unit.cli.cli_rig import SETTINGS, CliRig

PRICES = """\
prices:
  currency: EUR
  regions:
    local:
      requests_per_10000: {read: 0.1, write: 0.5}
      writes_per_10000_by_class: {STANDARD_IA: 5}
      retrieval_per_gb: {Bulk: 0.02}
"""
CSV = """\
region: local
manifest:
  location: {object_arn: "arn:aws:s3:::logs-125/list.csv"}
  spec: {format: COSBatchOperations_CSV_V1, fields: [Bucket, Key]}
operation:
  cos_put_object_copy: {target_resource: "arn:aws:s3:::cold-125", storage_class: STANDARD_IA}
report: {enabled: false}
"""


@pytest.fixture
def rig(tmp_path: Path) -> CliRig:
    rig = CliRig(tmp_path)
    rig.job_file.write_text(CSV, encoding="utf-8")
    store = rig.wiring.ground.store
    store.create_bucket("logs-125")
    store.put_now("logs-125", "list.csv", b"".join(b"logs-125,raw/%d\n" % number for number in range(2000)))
    return rig


def test_a_page_for_people(rig: CliRig) -> None:
    shown = rig.call("estimate", str(rig.job_file), "--requests-per-second", "10")

    assert shown.exit_code == 0
    assert "2,000 rows, all there are" in shown.stdout
    assert "about 0:03:40 (at 10 requests/s)" in shown.stdout
    assert "not known: the settings have no price of read requests in local, write requests in local" in shown.stdout
    assert "copy       2,000" in shown.stdout
    assert "Note: the manifest lists no sizes" in shown.stdout


def test_with_prices_there_is_a_cost(rig: CliRig) -> None:
    rig.settings_file.write_text(SETTINGS + PRICES, encoding="utf-8")
    shown = rig.call("estimate", str(rig.job_file))

    assert "Cost      about 1.00 EUR" in shown.stdout
    assert "no job was measured yet" in shown.stdout


def test_json_for_machines(rig: CliRig) -> None:
    rig.settings_file.write_text(SETTINGS + PRICES, encoding="utf-8")
    found = json.loads(rig.call("estimate", str(rig.job_file), "--whole", "--json").stdout)

    assert (found["is_exact"], found["objects"], found["size_bytes"]) == (True, 2000, None)
    assert found["requests"] == {"copy": 2000, "read-back": 202}
    assert found["total_requests"] == 2202
    assert (found["duration_seconds"], found["rate"]) == (None, None)
    assert found["cost"]["total"] == pytest.approx(1.0 + 0.00202)
    assert rig.jobs() == [], "nothing was made"


def test_a_rate_of_bytes_needs_one_of_requests(rig: CliRig) -> None:
    assert rig.call("estimate", str(rig.job_file), "--bytes-per-second", "10").exit_code == 2


def test_a_faulty_manifest_is_told(rig: CliRig) -> None:
    rig.wiring.ground.store.put_now("logs-125", "list.csv", b"logs-125,a\nother,b\n")
    shown = rig.call("estimate", str(rig.job_file))

    assert shown.exit_code != 0
    assert "list.csv:2" in shown.stderr


def test_prices_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "cosbatch.yaml"
    path.write_text(SETTINGS + PRICES, encoding="utf-8")
    table = price_table(load_settings(path).prices)

    local = table.regions[RegionName("local")]
    assert table.currency == "EUR"
    assert local.requests_per_10000 == {RequestGroup.READ: 0.1, RequestGroup.WRITE: 0.5}
    assert local.retrieval_per_gb == {RestoreTier.BULK: 0.02}
    assert local.transfer_per_gb is None
    path.write_text(SETTINGS, encoding="utf-8")
    assert not price_table(load_settings(path).prices).regions, "none are shipped"
