"""``cosbatch init``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cosbatch.cli.main import cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["init", *arguments], catch_exceptions=False)


def test_it_writes_a_file_for_its_owner_alone(folder: Path) -> None:
    done = call()
    assert done.exit_code == 0
    assert "cosbatch serve --config cosbatch.yaml" in done.stdout
    assert (folder / "cosbatch.yaml").stat().st_mode & 0o777 == 0o600


def test_for_machines_it_says_where(folder: Path) -> None:
    assert json.loads(call("other.yaml", "--json").stdout) == {"settings": "other.yaml"}


def test_a_file_that_is_there_stays(folder: Path) -> None:
    (folder / "cosbatch.yaml").write_text("mine")
    done = call()
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert (folder / "cosbatch.yaml").read_text() == "mine"


def test_unless_it_is_forced(folder: Path) -> None:
    (folder / "cosbatch.yaml").write_text("mine" * 10_000)
    assert call("--force").exit_code == 0
    assert "mine" not in (folder / "cosbatch.yaml").read_text()


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    done = call("nowhere/cosbatch.yaml")
    assert done.exit_code == 2
    assert "cannot be written: No such file or directory" in done.stderr
