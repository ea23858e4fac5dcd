from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import trustme

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import RegionName
from cosbatch.model.regions import Addressing, Provider, Region
from cosbatch.settings import (
    AccountSettings,
    CredentialSettings,
    RegionSettings,
    RoleSettings,
    ServerSettings,
    Settings,
    UserSettings,
    WebhookSettings,
    known_region,
    load_settings,
    read_credentials,
    region_table,
    render_settings_table,
)
from cosbatch.settings.prices import PriceSettings, RegionPriceSettings

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
SECTIONS = ("regions", "roles", "credentials", "server", "accounts", "users", "prices", "webhooks")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, authority: trustme.CA) -> None:
    """No settings of whoever runs the tests; the authority that WHOLE names."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
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


CREDENTIALS = "    credentials: {access_key_id: env:A, secret_access_key: env:B}\n"


def test_a_region_of_cos_needs_no_more_than_its_name_and_a_key(tmp_path: Path) -> None:
    text = f"regions:\n  ap-guangzhou:\n    provider: cos\n{CREDENTIALS}"
    region = region_table(load_settings(write(tmp_path, text)))[RegionName("ap-guangzhou")]
    assert (region.provider, region.profile, region.addressing) == (Provider.COS, "cos", Addressing.VIRTUAL_HOST)
    assert (region.endpoint, region.signing_region) == ("https://cos.ap-guangzhou.myqcloud.com", "ap-guangzhou")


def test_a_region_of_cos_may_say_everything(tmp_path: Path) -> None:
    text = f"regions:\n  near:\n    provider: cos\n    signing_region: ap-nanjing\n{CREDENTIALS}"
    near = region_table(load_settings(write(tmp_path, text)))[RegionName("near")]
    assert (near.endpoint, near.signing_region) == ("https://cos.ap-nanjing.myqcloud.com", "ap-nanjing")

    text += "    endpoint: http://127.0.0.1:9000\n    addressing: path\n    profile: generic\n"
    near = region_table(load_settings(write(tmp_path, text)))[RegionName("near")]
    assert (near.endpoint, near.addressing, near.profile) == ("http://127.0.0.1:9000", Addressing.PATH, "generic")
    assert near.provider is Provider.COS


@pytest.mark.parametrize("provider", ["", "    provider: s3\n", "    provider: cos\n    signing_region: a b\n"])
def test_other_regions_need_an_endpoint(tmp_path: Path, provider: str) -> None:
    text = f"regions:\n  ap-guangzhou:\n{provider}{CREDENTIALS}"
    assert any("endpoint" in path for path in fault_lines(write(tmp_path, text)))


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
    provider: gcs
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
    assert "write s3 or cos" in found["regions.cos.provider (line 8)"]
    assert 'did you mean "ceph"?' in found["regions.cos.profile (line 10)"]
    assert "env:NAME or file:PATH" in found["regions.cos.credentials.access_key_id (line 14)"]


def test_no_message_shows_a_literal_secret(tmp_path: Path) -> None:
    text = WHOLE.replace("env:TEST_SECRET", "literalsecret").replace("session_token:", "sesion_token: anothersecret #")

    shown = "\n".join(fault_lines(write(tmp_path, text)).values())

    assert "(hidden)" in shown
    assert "literalsecret" not in shown
    assert "anothersecret" not in shown


REGION = "regions:\n  cos:\n    endpoint: http://127.0.0.1\n"
PLACES = "    credentials: {access_key_id: env:A, secret_access_key: env:B}\n"


@pytest.mark.parametrize(
    "text",
    [
        "secret_access_key: literalsecret\n",
        REGION + PLACES + "    secret_access_key: literalsecret\n",
        REGION + PLACES + "    secretkey: [literalsecret]\n",
        REGION + "    credentials: literalsecret\n",
        REGION + "    credentials: {access_key_id: env:A, secret_access_key: {plain: literalsecret}}\n",
        REGION + "    credentials: {access_key_id: env:A, secret_access_key: !literalsecret}\n",
        REGION + "    credentials: {access_key_id: env:A, secret_access_key: !literal!secret x}\n",
        REGION + "    credentials: {access_key_id: env:A, secret_access_key: *literalsecret}\n",
        REGION + "    credentials: {access_key_id: env:A, secret_access_key: &x a, session_token: &literalsecret *x}\n",
        REGION + "    credentials:\n      access_key_id: literalid\n       secret_access_key: literalsecret\n",
        "regions: literalsecret\n",
        "regions: {cos: literalsecret}\n",
        "literalsecret\n",
    ],
)
def test_no_message_shows_a_secret_in_a_wrong_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        load_settings(write(tmp_path, text))

    assert "literal" not in str(raised.value)


@pytest.mark.parametrize(
    ("regions", "path"),
    [
        ({"cos": {"credentials": {"secret_access_key": "literalsecret"}}}, "regions.cos.credentials.secret_access_key"),
        ({"cos": {"secret_access_key": "literalsecret"}}, "regions.cos.secret_access_key"),
        ({"local": {"credentials": {"secret_access_key": "literalsecret"}}}, "regions.local.credentials"),
        ("literalsecret", "regions"),
        ({"local": "literalsecret"}, "regions.local"),
    ],
)
def test_no_message_shows_a_secret_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, regions: object, path: str
) -> None:
    monkeypatch.setenv("COSBATCH_REGIONS", json.dumps(regions))

    found = fault_lines(write(tmp_path, WHOLE))

    assert any(name.startswith(path) and name.endswith("(COSBATCH_REGIONS)") for name in found)
    assert "literalsecret" not in "\n".join(found.values())


def test_the_file_is_blamed_for_a_region_that_the_environment_does_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSBATCH_REGIONS", '{"other": {"signing_region": ""}}')

    found = fault_lines(write(tmp_path, WHOLE.replace("profile: cos", "profile: cso")))

    assert {"regions.guangzhou.profile (line 8)", "regions.other.signing_region (COSBATCH_REGIONS)"} < set(found)


def test_a_region_that_is_not_known_is_named_with_the_known_ones(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, WHOLE))

    assert known_region(settings, RegionName("local")) is settings.regions["local"]
    with pytest.raises(InvalidArgument, match=r"no such region \(it is 'lokal'\); known are guangzhou, local"):
        known_region(settings, RegionName("lokal"))


def test_no_message_shows_a_password_in_an_endpoint(tmp_path: Path) -> None:
    text = WHOLE.replace("http://[::1]:9000", "http://user:password@host")

    (shown,) = fault_lines(write(tmp_path, text)).values()

    assert "//(hidden)@host" in shown


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://user:pw@h",
        "http://h/path",
        "ftp://h",
        "http://h?x",
        "h:9000",
        "http://",
        "http://h:123456",
        "http://h:99999",
        "https://h:0",
        "http://[:::::]",
        "http://[1.2]:9",
    ],
)
def test_an_endpoint_is_a_scheme_a_host_and_a_port(tmp_path: Path, endpoint: str) -> None:
    text = WHOLE.replace("http://[::1]:9000", endpoint)

    assert list(fault_lines(write(tmp_path, text))) == ["regions.local.endpoint (line 19)"]


@pytest.mark.parametrize("kept_in", ["file:~nosuchuser/x", '"file:a\\0b"'])
def test_a_path_that_leads_nowhere_is_a_fault(tmp_path: Path, kept_in: str) -> None:
    text = WHOLE.replace("env:TEST_SECRET", kept_in)

    assert list(fault_lines(write(tmp_path, text))) == ["regions.local.credentials.secret_access_key (line 20)"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read: No such file"), (b"", "no certificate"), (b"\xff", "no certificate")],
)
def test_an_authority_that_cannot_be_used_is_a_fault(tmp_path: Path, content: bytes | None, problem: str) -> None:
    (tmp_path / "ca.pem").unlink()
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)

    (fault,) = fault_lines(write(tmp_path, WHOLE)).items()

    assert fault[0] == "regions.guangzhou.ca_file (line 11)"
    assert problem in fault[1]


def test_an_authority_below_the_home_folder_of_nobody(tmp_path: Path) -> None:
    found = fault_lines(write(tmp_path, WHOLE.replace("ca.pem", "~nosuchuser/ca.pem")))

    assert list(found) == ["regions.guangzhou.ca_file (line 11)"]


def test_the_environment_wins_and_is_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, WHOLE)
    monkeypatch.setenv("COSBATCH_WORKERS", "7")
    assert load_settings(path).workers == 7

    monkeypatch.setenv("COSBATCH_WORKERS", "many")
    assert list(fault_lines(path)) == ["workers (COSBATCH_WORKERS)"]


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": ' + "9" * 5000 + "}"], ids=["half", "deep", "digits"])
def test_an_environment_that_is_no_json_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("COSBATCH_REGIONS", text)

    with pytest.raises(InvalidArgument, match="in the environment cannot be used"):
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

    for model, prefix in (
        (Settings, ""),
        (RegionSettings, "regions.NAME."),
        (CredentialSettings, "regions.NAME.credentials."),
        (RoleSettings, "roles[]."),
        (CredentialSettings, "roles[].credentials."),
        (ServerSettings, "server."),
        (AccountSettings, "accounts.NAME."),
        (UserSettings, "users.NAME."),
        (PriceSettings, "prices."),
        (RegionPriceSettings, "prices.regions.NAME."),
        (WebhookSettings, "webhooks.NAME."),
    ):
        for name, field in model.model_fields.items():
            assert field.description, name
            if name not in SECTIONS:
                assert f"| `{prefix}{name}`" in table
    assert "| `hold_limit_seconds` | `21600` | seconds |" in table
    assert "| `regions.NAME.requests_per_second` | none | requests/s |" in table
