"""Roles that the settings declare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cosbatch.model.errors import InvalidArgument
from cosbatch.model.principals import RoleProvider
from cosbatch.settings import declared_roles, load_settings, variables_of_the_program

ROLE = {
    "arn": "arn:aws:iam::1:role/batch",
    "provider": "aws-sts",
    "credentials": {"access_key_id": "file:id", "secret_access_key": "file:secret"},
}


def settings_with(folder: Path, *roles: Mapping[str, object]) -> Path:
    path = folder / "cosbatch.yaml"
    path.write_text(json.dumps({"roles": list(roles)}))
    return path


def test_a_role_is_read_with_its_secret_late(tmp_path: Path) -> None:
    more = {"external_id": "e-1", "sts_endpoint": "http://127.0.0.1:8333/", "sts_region": "r", "account": "acme"}
    settings = load_settings(settings_with(tmp_path, {**ROLE, **more}))

    [(role, key)] = declared_roles(settings)

    assert (role.arn, role.account, role.provider, role.is_declared) == (
        "arn:aws:iam::1:role/batch",
        "account-acme",
        RoleProvider.AWS_STS,
        True,
    )
    assert (role.external_id, role.sts_endpoint, role.sts_region) == ("e-1", "http://127.0.0.1:8333", "r")
    with pytest.raises(InvalidArgument, match=r"roles\[0\].credentials.access_key_id"):
        key()
    (tmp_path / "id").write_text("AKIA1")
    (tmp_path / "secret").write_text("s")
    assert (key().access_key_id, key().secret_access_key) == ("AKIA1", "s")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"arn": "batch"}, r"roles\[0\].arn"),
        ({"provider": "gcp"}, r"roles\[0\].provider"),
        ({"external_id": "a b"}, r"roles\[0\].external_id"),
        ({"sts_endpoint": "nowhere"}, r"roles\[0\].sts_endpoint"),
        ({"secret": "s3cret"}, r"roles\[0\].secret"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, change: Mapping[str, object], where: str) -> None:
    with pytest.raises(InvalidArgument, match=where) as raised:
        load_settings(settings_with(tmp_path, {**ROLE, **change}))
    assert "s3cret" not in str(raised.value)


def test_a_role_is_declared_once_in_an_account(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="declared twice"):
        declared_roles(load_settings(settings_with(tmp_path, ROLE, ROLE)))
    both = load_settings(settings_with(tmp_path, ROLE, {**ROLE, "account": "acme"}))
    assert len(declared_roles(both)) == 2


def test_a_secret_in_the_settings_is_not_shown(tmp_path: Path) -> None:
    written: Mapping[str, object] = {**ROLE, "credentials": {"access_key_id": "AKIA1", "secret_access_key": "s3cret"}}
    with pytest.raises(InvalidArgument) as raised:
        load_settings(settings_with(tmp_path, written))
    assert "s3cret" not in str(raised.value)


def test_what_workers_need_is_not_kept_from_them(tmp_path: Path) -> None:
    def places(*names: str) -> dict[str, str]:
        return dict(zip(("access_key_id", "secret_access_key", "session_token"), names, strict=False))

    path = tmp_path / "cosbatch.yaml"
    region = {"endpoint": "http://h", "credentials": places("env:SHARED_ID", "file:secret")}
    roles = [
        {**ROLE, "credentials": places("env:SHARED_ID", "env:ROLE_SECRET", "env:ROLE_TOKEN")},
        {**ROLE, "arn": "arn:aws:iam::1:role/other"},
    ]
    server = {"encryption_key": "env:KEY", "metrics_token": "env:SCRAPE"}
    path.write_text(
        json.dumps({"regions": {"here": region, "bare": {"endpoint": "http://h"}}, "roles": roles, "server": server})
    )

    assert variables_of_the_program(load_settings(path)) == {"KEY", "SCRAPE", "ROLE_SECRET", "ROLE_TOKEN"}
