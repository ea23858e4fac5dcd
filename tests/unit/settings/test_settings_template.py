"""The file of ``cosbatch init`` loads, has every setting, and shows true defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme

from cosbatch.settings import ServerSettings, Settings, load_settings
from cosbatch.settings.template import render_settings_file


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COSBATCH_CONFIG", "COSBATCH_WORKERS", "COSBATCH_REGIONS"):
        monkeypatch.delenv(name, raising=False)


def load(folder: Path, text: str) -> Settings:
    path = folder / "cosbatch.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_as_it_stands_everything_is_as_without_it(tmp_path: Path) -> None:
    settings = load(tmp_path, render_settings_file())
    assert list(settings.regions) == ["local"]
    assert settings.server == ServerSettings()
    assert settings.model_copy(update={"regions": {}}) == load(tmp_path, "")


def test_with_every_mark_taken_away_it_still_loads(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = load(tmp_path, re.sub(r"(?m)^( *)#(?=[a-z_]+:|-$)", r"\1", render_settings_file()))
    assert settings.lease_seconds == 30
    assert settings.server.drain_seconds == ServerSettings().drain_seconds
    assert settings.users["anna"].account == "team"
    assert [role.provider for role in settings.roles] == ["aws-sts"]
    assert settings.regions["local"].requests_per_second == 1000
