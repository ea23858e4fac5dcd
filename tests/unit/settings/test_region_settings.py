"""A region that is made by hand is held to the rules of the settings, with the same faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Addressing, Provider
from cosbatch.settings import checked_region, load_settings, region_table


def declared(folder: Path, name: str, fields: Mapping[str, Any]) -> Path:
    path = folder / "cosbatch.yaml"
    path.write_text(yaml.safe_dump({"regions": {name: dict(fields)}}))
    return path


GOOD: list[dict[str, Any]] = [
    {"endpoint": "http://h:1/"},
    {"provider": "cos"},
    {"provider": "cos", "signing_region": "ap-beijing", "addressing": "path"},
    {
        "endpoint": "https://h",
        "profile": "ceph",
        "profile_overrides": {"sse-aes256": "applied"},
        "storage_classes": ["COLD"],
        "requests_per_second": "12.5",
        "bytes_per_second": "2.5e6",
        "max_connections": "7",
    },
]
BAD: list[dict[str, Any]] = [
    {},
    {"endpoint": "ftp://h"},
    {"endpoint": "http://user:secret@h"},
    {"endpoint": "http://h", "profile": "cep"},
    {"endpoint": "http://h", "profile_overrides": {"sse": "applied"}},
    {"endpoint": "http://h", "requests_per_second": "0", "max_connections": "0"},
    {"endpoint": "http://h", "requests_per_second": "nan"},
    {"endpoint": "http://h", "bytes_per_second": "0"},
    {"endpoint": "http://h", "endpont": "http://h"},
    {"endpoint": "http://h", "ca_file": "/not/there.pem"},
    {"provider": "gcs", "endpoint": "http://h"},
]


@pytest.mark.parametrize("fields", GOOD)
def test_what_the_settings_take_is_the_same_region(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = declared(tmp_path, "ap-guangzhou", fields)
    expected = region_table(load_settings(path))[RegionName("ap-guangzhou")]
    assert checked_region("ap-guangzhou", fields) == expected


@pytest.mark.parametrize("fields", BAD)
def test_what_the_settings_refuse_is_refused_in_the_same_words(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = declared(tmp_path, "here", fields)
    with pytest.raises(InvalidArgument) as of_settings:
        load_settings(path)
    with pytest.raises(InvalidArgument) as by_hand:
        checked_region("here", fields)

    words = [(fault.value, fault.problem, fault.way_out) for fault in by_hand.value.faults]
    assert words == [(fault.value, fault.problem, fault.way_out) for fault in of_settings.value.faults]
    for ours, its in zip(by_hand.value.faults, of_settings.value.faults, strict=True):
        assert its.path.startswith(f"regions.here.{ours.path}".removesuffix("."))


def test_cos_brings_its_defaults() -> None:
    region = checked_region("ap-guangzhou", {"provider": "cos"})
    assert region.provider is Provider.COS
    assert region.endpoint == "https://cos.ap-guangzhou.myqcloud.com"
    assert (region.profile, region.signing_region) == ("cos", "ap-guangzhou")
    assert region.addressing is Addressing.VIRTUAL_HOST


def test_all_faults_are_told_at_once_and_no_secret_is_shown() -> None:
    fields = {"endpoint": "h", "credentials": {"access_key_id": "geheim"}}
    with pytest.raises(InvalidArgument) as refused:
        checked_region("a/b", fields)
    assert [fault.path for fault in refused.value.faults] == ["name", "credentials", "endpoint"]
    assert "geheim" not in str(refused.value)


def test_a_ca_file_is_meant_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import trustme

    trustme.CA().cert_pem.write_to_path(tmp_path / "own.pem")
    monkeypatch.chdir(tmp_path)
    assert checked_region("here", {"endpoint": "https://h", "ca_file": "own.pem"}).ca_file == str(tmp_path / "own.pem")
    (tmp_path / "own.pem").write_text("no certificate")
    with pytest.raises(InvalidArgument, match="holds no certificate"):
        checked_region("here", {"endpoint": "https://h", "ca_file": "own.pem"})
