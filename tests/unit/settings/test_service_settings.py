"""The sections of the settings that are about the service: what is taken, what is refused, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.identifiers import RegionName
from cosbatch.model.principals import UserRole
from cosbatch.settings import EnvOrFileSecret, Settings, load_settings, read_credentials

WHOLE = """\
server:
  host: "[::1]"
  port: 0
  tls_certificate_file: tls/cert.pem
  tls_key_file: tls/key.pem
  encryption_key: command:kms decrypt key
  metrics_token: file:scrape
  trusted_proxies: [10.0.0.0/8]
accounts:
  main: {uin: "100000000001", appid: "1250000000", aws_account_id: "123456789012"}
users:
  anna: {account: main, role: admin, is_disabled: true}
  robot: {account: main}
"""


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COSBATCH_CONFIG", "COSBATCH_SERVER", "COSBATCH_USERS"):
        monkeypatch.delenv(name, raising=False)


def load(folder: Path, text: str) -> Settings:
    path = folder / "cosbatch.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def fault_lines(folder: Path, text: str) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as raised:
        load(folder, text)
    return {fault.path: str(fault) for fault in raised.value.faults}


def test_a_service_comes_out_as_values(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE)
    assert settings.server.host == "::1"
    assert settings.server.tls_key_file == str(tmp_path / "tls/key.pem")
    assert settings.server.encryption_key == EnvOrFileSecret(kind="command", name="kms decrypt key")
    assert settings.server.metrics_token == EnvOrFileSecret(kind="file", name=str(tmp_path / "scrape"))
    assert settings.accounts["main"].uin == "100000000001"
    assert (settings.users["anna"].role, settings.users["robot"].role) == (UserRole.ADMIN, UserRole.OPERATOR)


def test_without_a_section_it_listens_to_this_machine_alone(tmp_path: Path) -> None:
    server = load(tmp_path, "workers: 1\n").server
    assert server.host == "127.0.0.1"
    assert not server.allow_plain_http_beyond_loopback


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("server: {host: ''}\n", "server.host (line 1)", "is no host"),
        ("server: {host: 'http://x'}\n", "server.host (line 1)", "is no host"),
        ("server: {port: 65536}\n", "server.port (line 1)", "less than or equal"),
        ("server: {tls_key_file: key.pem}\n", "server.tls_certificate_file (line 1)", "is missing"),
        ("server: {tls_certificate_file: c.pem}\n", "server.tls_key_file (line 1)", "is missing"),
        ("server: {trusted_proxies: [x]}\n", "server.trusted_proxies[0] (line 1)", "no address or network"),
        ("server: {hots: x}\n", "server.hots (line 1)", 'did you mean "host"?'),
        ("users: {a b: {account: main}}\n", "users.a b (line 1)", "is no name"),
        ("users: {anna: {}}\n", "users.anna.account (line 1)", "is missing"),
        ("users: {anna: {account: m, role: boss}}\n", "users.anna.role (line 1)", "not known"),
        (
            "accounts: {m: {uin: 1, appid: '1', aws_account_id: '123456789012'}}\n",
            "accounts.m.uin (line 1)",
            "not text",
        ),
        (
            "accounts: {m: {uin: '1', appid: '1', aws_account_id: '1'}}\n",
            "accounts.m.aws_account_id (line 1)",
            "twelve",
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, text: str, path: str, words: str) -> None:
    found = fault_lines(tmp_path, text)
    assert list(found) == [path]
    assert words in found[path]


@pytest.mark.parametrize(
    "text",
    [
        "server: {encryption_key: literalsecret}\n",
        "server: {metrics_token: literalsecret}\n",
        "users: {anna: {account: m, password: literalsecret}}\n",
        "users: {anna: literalsecret}\n",
        "server: literalsecret\n",
    ],
)
def test_no_message_shows_a_secret(tmp_path: Path, text: str) -> None:
    shown = "\n".join(fault_lines(tmp_path, text).values())
    assert shown
    assert "literal" not in shown


def test_only_a_key_may_be_a_command(tmp_path: Path) -> None:
    assert list(fault_lines(tmp_path, "server: {metrics_token: 'command:x'}\n")) == ["server.metrics_token (line 1)"]


def test_a_region_may_have_no_credentials_of_its_own(tmp_path: Path) -> None:
    settings = load(tmp_path, "regions: {here: {endpoint: 'http://127.0.0.1'}}\n")
    with pytest.raises(InvalidArgument) as raised:
        read_credentials(settings, RegionName("here"))
    assert "name a role" in raised.value.faults[0].way_out
