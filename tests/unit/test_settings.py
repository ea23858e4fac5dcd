from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.settings import (
    CredentialSettings,
    RegionSettings,
    Settings,
    load_settings,
    read_credentials,
    region_table,
    render_settings_table,
)

WHOLE = """\
workers: 3
chunk_rows: 500
regions:
  guangzhou:
    provider: s3
    endpoint: https://cos.ap-guangzhou.myqcloud.com/
    addressing: virtual-host
    profile: cos
    profile_overrides: {canned-acl: refused}
    signing_region: ap-guangzhou
    ca_file: ca.pem
    requests_per_second: 100
    max_connections: 32
    credentials:
      access_key_id: env:TEST_ID
      secret_access_key: file:secret.txt
      session_token: env:TEST_TOKEN
  local:
    endpoint: http://[::1]:9000
    credentials: {access_key_id: env:TEST_ID, secret_access_key: env:TEST_SECRET}
"""


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of whoever runs the tests."""
    for name in ("COSBATCH_CONFIG", "COSBATCH_WORKERS", "COSBATCH_REGIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


def write(folder: Path, text: str, *, name: str = "cosbatch.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def fault_lines(path: Path) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as raised:
        load_settings(path)
    return {fault.path: str(fault) for fault in raised.value.faults}


def test_a_region_table_comes_out_as_values(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE))

    assert region_table(settings)[RegionName("guangzhou")] == Region(
        name=RegionName("guangzhou"),
        provider=Provider.S3,
        endpoint="https://cos.ap-guangzhou.myqcloud.com",
        profile="cos",
        signing_region="ap-guangzhou",
        addressing=Addressing.VIRTUAL_HOST,
        ca_file=str(tmp_path / "ca.pem"),
        requests_per_second=100,
        max_connections=32,
        profile_overrides=(("canned-acl", "refused"),),
    )
    local = region_table(settings)[RegionName("local")]
    assert (local.endpoint, local.profile, local.addressing) == ("http://[::1]:9000", "generic", Addressing.PATH)
    assert (settings.workers, settings.chunk_rows, settings.lease_seconds) == (3, 500, 30)


def test_settings_travel_to_other_processes(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE))

    assert pickle.loads(pickle.dumps(settings)) == settings


def test_secrets_are_read_late_from_where_they_are(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE))
    environ = {"TEST_ID": "id", "TEST_TOKEN": "token"}
    write(tmp_path, "  s3cret\n", name="secret.txt")

    found = read_credentials(settings, RegionName("guangzhou"), environ=environ)

    assert (found.access_key_id, found.secret_access_key, found.session_token) == ("id", "s3cret", "token")


@pytest.mark.parametrize(
    ("region", "environ", "path", "problem"),
    [
        ("local", {"TEST_ID": "id"}, "regions.local.credentials.secret_access_key", "TEST_SECRET is not set"),
        ("local", {"TEST_ID": " "}, "regions.local.credentials.access_key_id", "is empty"),
        ("guangzhou", {"TEST_ID": "id"}, "regions.guangzhou.credentials.secret_access_key", "cannot be read"),
        ("lokal", {}, "regions", "no such region"),
    ],
)
def test_a_secret_that_is_not_there_is_named(
    tmp_path: Path, region: str, environ: dict[str, str], path: str, problem: str
) -> None:
    settings = load_settings(write(tmp_path, WHOLE))

    with pytest.raises(InvalidArgument) as raised:
        read_credentials(settings, RegionName(region), environ=environ)

    (fault,) = raised.value.faults
    assert fault.path == path
    assert problem in fault.problem


def test_all_faults_at_once_with_their_lines_and_the_way_out(tmp_path: Path) -> None:
    text = """\
workers: 0
lease_second: 10
regions:
  a b:
    endpoint: http://127.0.0.1
    credentials: {access_key_id: env:A, secret_access_key: env:B}
  cos:
    provider: cos
    endpoint: cos.ap-guangzhou.myqcloud.com
    profile: cepf
    profile_overrides: {tags: applied}
    max_connections: .inf
    credentials:
      access_key_id: AKIDliteralid
      secret_acces_key: literalsecret
"""
    found = fault_lines(write(tmp_path, text))

    assert set(found) == {
        "workers (line 1)",
        "lease_second (line 2)",
        "regions.a b (line 4)",
        "regions.cos.provider (line 8)",
        "regions.cos.endpoint (line 9)",
        "regions.cos.profile (line 10)",
        "regions.cos.profile_overrides.tags (line 11)",
        "regions.cos.max_connections (line 12)",
        "regions.cos.credentials.access_key_id (line 14)",
        "regions.cos.credentials.secret_access_key (line 13)",
        "regions.cos.credentials.secret_acces_key (line 15)",
    }
    assert "https://cos.<region>.myqcloud.com" in found["regions.cos.provider (line 8)"]
    assert 'did you mean "ceph"?' in found["regions.cos.profile (line 10)"]
    assert "env:NAME or file:PATH" in found["regions.cos.credentials.access_key_id (line 14)"]


def test_no_message_shows_a_literal_secret(tmp_path: Path) -> None:
    text = WHOLE.replace("env:TEST_SECRET", "literalsecret").replace("session_token:", "sesion_token: anothersecret #")

    shown = "\n".join(fault_lines(write(tmp_path, text)).values())

    assert "(hidden)" in shown
    assert "literalsecret" not in shown
    assert "anothersecret" not in shown


def test_no_message_shows_a_password_in_an_endpoint(tmp_path: Path) -> None:
    text = WHOLE.replace("http://[::1]:9000", "http://user:password@host")

    (shown,) = fault_lines(write(tmp_path, text)).values()

    assert "//(hidden)@host" in shown


@pytest.mark.parametrize(
    "endpoint", ["http://user:pw@h", "http://h/path", "ftp://h", "http://h?x", "h:9000", "http://", "http://h:123456"]
)
def test_an_endpoint_is_a_scheme_a_host_and_a_port(tmp_path: Path, endpoint: str) -> None:
    text = WHOLE.replace("http://[::1]:9000", endpoint)

    assert list(fault_lines(write(tmp_path, text))) == ["regions.local.endpoint (line 19)"]


def test_the_environment_wins_and_is_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, WHOLE)
    monkeypatch.setenv("COSBATCH_WORKERS", "7")
    assert load_settings(path).workers == 7

    monkeypatch.setenv("COSBATCH_WORKERS", "many")
    assert list(fault_lines(path)) == ["workers (COSBATCH_WORKERS)"]


def test_an_environment_that_is_no_json_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSBATCH_REGIONS", "{")

    with pytest.raises(InvalidArgument, match="regions"):
        load_settings(write(tmp_path, WHOLE))


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    assert load_settings(folder=here).regions == {}

    write(tmp_path / "xdg" / "cosbatch", "workers: 11\n")
    assert load_settings(folder=here).workers == 11
    write(here, "workers: 12\n")
    assert load_settings(folder=here).workers == 12
    monkeypatch.setenv("COSBATCH_CONFIG", str(write(tmp_path, "workers: 13\n", name="named.yaml")))
    assert load_settings(folder=here).workers == 13
    assert load_settings(write(tmp_path, "workers: 14\n", name="given.yaml"), folder=here).workers == 14


def test_a_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match="--config"):
        load_settings(tmp_path / "none.yaml")
    monkeypatch.setenv("COSBATCH_CONFIG", str(tmp_path / "none.yaml"))
    with pytest.raises(InvalidArgument, match="COSBATCH_CONFIG"):
        load_settings(folder=tmp_path)


def test_the_table_has_every_setting_with_its_meaning() -> None:
    table = render_settings_table()

    for model, prefix in ((Settings, ""), (RegionSettings, "regions.NAME."), (CredentialSettings, "")):
        for name, field in model.model_fields.items():
            assert field.description, name
            if name not in ("regions", "credentials"):
                assert f"{prefix}{name}`" in table
    assert "| `hold_limit_seconds` | `21600` | seconds |" in table
    assert "| `regions.NAME.requests_per_second` | none | requests/s |" in table
