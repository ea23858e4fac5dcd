"""``first-run.json``: whole or not there, for its owner alone."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.service.founding import FirstRun, FirstRunFile
from cosbatch.wiring.first_run import write_first_run

MADE = FirstRun(
    user="admin",
    password="the-password",
    uin="100000000001",
    appid="1250000000",
    account_id="123456789012",
    secret_id="AKID",
    secret_key="the-secret",
)


def test_it_has_what_a_script_needs_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = write_first_run(tmp_path, MADE, address="http://127.0.0.1:8014")
    finally:
        os.umask(before)
    assert path == tmp_path / "first-run.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {
        "address": "http://127.0.0.1:8014",
        "user": "admin",
        "password": "the-password",
        "uin": "100000000001",
        "appid": "1250000000",
        "account_id": "123456789012",
        "secret_id": "AKID",
        "secret_key": "the-secret",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["first-run.json"]


def test_who_changes_that_password_finds_it_to_remove(tmp_path: Path) -> None:
    path = write_first_run(tmp_path, MADE, address="http://127.0.0.1:8014")
    FirstRunFile(tmp_path).forget("somebody")
    assert path.exists()
    FirstRunFile(tmp_path).forget("admin")
    assert not path.exists()


def test_a_folder_that_takes_no_file_is_named_and_the_secret_is_not(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as raised:
        write_first_run(tmp_path / "nowhere", MADE, address="http://127.0.0.1:8014")
    assert "cosbatch admin reset-password" in str(raised.value)
    assert "the-secret" not in str(raised.value)
