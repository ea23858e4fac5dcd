"""What the engine's children learn of roles: what a job acts with, and nothing that it is made with."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from cosbatch.identity.ciphers import Cipher, KeyRing
from cosbatch.identity.credentials import Credentials
from cosbatch.identity.roles import (
    JOB_CREDENTIALS,
    open_credentials,
    purpose_of_job,
    purpose_of_role,
    seal_credentials,
)
from cosbatch.model.errors import SealBroken
from cosbatch.model.identifiers import LOCAL_ACCOUNT, JobId
from cosbatch.settings import load_settings
from cosbatch.wiring.engine import _children

KEY = bytes(range(100, 132))
WHOLE = Cipher(KeyRing(current=KEY))
ARN = "arn:aws:iam::1:role/batch"
ROLE = {
    "arn": ARN,
    "provider": "aws-sts",
    "credentials": {"access_key_id": "file:id-of-role", "secret_access_key": "file:secret-of-role"},
}
SECRET = Credentials(access_key_id="AKIA1", secret_access_key="s")


def test_children_get_no_secret_of_a_role(tmp_path: Path) -> None:
    path = tmp_path / "cosbatch.yaml"
    path.write_text(json.dumps({"workers": 2, "roles": [ROLE]}))
    settings = load_settings(path)
    assert settings.roles

    specs = _children(settings, tmp_path, "info", WHOLE.narrowed(JOB_CREDENTIALS))

    assert len(specs) == 3
    for spec in specs:
        sent = pickle.dumps(spec.arguments)
        for secret in (KEY, ARN.encode(), b"secret-of-role", b"id-of-role"):
            assert secret not in sent, spec.name


def test_children_get_nothing_of_webhooks(tmp_path: Path) -> None:
    webhook = {"account": "team", "url": "https://hooks.example.com/", "secret": "file:secret-of-webhook"}
    path = tmp_path / "cosbatch.yaml"
    path.write_text(json.dumps({"workers": 1, "webhooks": {"pager": webhook}}))
    settings = load_settings(path)
    assert settings.webhooks["pager"].secret.name == str(tmp_path / "secret-of-webhook")
    for spec in _children(settings, tmp_path, "info", None):
        assert b"secret-of-webhook" not in pickle.dumps(spec.arguments), spec.name


def test_the_childrens_cipher_opens_what_jobs_act_with_alone() -> None:
    narrowed = WHOLE.narrowed(JOB_CREDENTIALS)
    sent: Cipher = pickle.loads(pickle.dumps(narrowed))
    of_job, of_role = purpose_of_job(JobId("j")), purpose_of_role(LOCAL_ACCOUNT, ARN)

    assert open_credentials(seal_credentials(SECRET, cipher=narrowed, purpose=of_job), cipher=sent, purpose=of_job)
    with pytest.raises(SealBroken):
        open_credentials(seal_credentials(SECRET, cipher=WHOLE, purpose=of_role), cipher=sent, purpose=of_role)
