"""Where the settings say that the encryption key is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cosbatch.identity.ciphers import KeyRing, generate_key
from cosbatch.identity.key_sources import key_ring_text, write_key_ring
from cosbatch.model.errors import InvalidArgument
from cosbatch.settings import EnvOrFileSecret, ServerSettings, Settings
from cosbatch.wiring.keys import key_ring, key_ring_file

RING = KeyRing(current=generate_key())


def settings(kind: str = "", name: str = "") -> Settings:
    source = EnvOrFileSecret(kind=kind, name=name) if kind else None
    return Settings(server=ServerSettings(encryption_key=source))


def test_by_default_it_is_made_in_the_data_folder(tmp_path: Path) -> None:
    made = key_ring(settings(), tmp_path, may_make=True)
    assert key_ring(settings(), tmp_path, may_make=False).ids == made.ids
    assert key_ring_file(settings(), tmp_path) == tmp_path / "encryption.key"


def test_a_file_elsewhere(tmp_path: Path) -> None:
    write_key_ring(tmp_path / "kept.key", RING)
    chosen = settings("file", str(tmp_path / "kept.key"))
    assert key_ring(chosen, tmp_path / "data", may_make=False).ids == RING.ids
    assert key_ring_file(chosen, tmp_path / "data") == tmp_path / "kept.key"


def test_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", key_ring_text(RING))
    chosen = settings("env", "THE_KEY")
    assert key_ring(chosen, tmp_path, may_make=True).ids == RING.ids
    assert key_ring_file(chosen, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_command(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(key_ring_text(RING))
    chosen = settings("command", f"{sys.executable} -c 'print(open(\"{tmp_path}/key\").read())'")
    assert key_ring(chosen, tmp_path / "data", may_make=True).ids == RING.ids


def test_a_key_that_is_not_there_is_not_made_where_something_is_sealed(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="encryption_key"):
        key_ring(settings(), tmp_path, may_make=False)
