"""Credentials, sealed and opened again."""

from __future__ import annotations

import subprocess
import sys

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
from cosbatch.model.identifiers import AccountId, JobId

CIPHER = Cipher(KeyRing(current=bytes(32)))
MINE = purpose_of_job(JobId("j-1"))


@pytest.mark.parametrize("token", ["", "t"])
@pytest.mark.parametrize("expires_at", [None, 1_800_000_000.5])
def test_what_is_sealed_comes_back(token: str, expires_at: float | None) -> None:
    given = Credentials(access_key_id="id", secret_access_key="s", session_token=token, expires_at=expires_at)
    sealed = seal_credentials(given, cipher=CIPHER, purpose=MINE)
    assert open_credentials(sealed, cipher=CIPHER, purpose=MINE) == given
    assert "id" not in sealed.split(".")[0]


def test_it_opens_in_its_own_place_only() -> None:
    given = Credentials(access_key_id="id", secret_access_key="s")
    sealed = seal_credentials(given, cipher=CIPHER, purpose=MINE)
    for purpose in (purpose_of_job(JobId("j-2")), purpose_of_role(AccountId("a"), "j-1")):
        with pytest.raises(SealBroken):
            open_credentials(sealed, cipher=CIPHER, purpose=purpose)


def test_workers_cannot_open_the_secret_of_a_role() -> None:
    purpose = purpose_of_role(AccountId("a"), "arn")
    sealed = seal_credentials(Credentials(access_key_id="id", secret_access_key="s"), cipher=CIPHER, purpose=purpose)
    with pytest.raises(SealBroken):
        open_credentials(sealed, cipher=CIPHER.narrowed(JOB_CREDENTIALS), purpose=purpose)


def test_what_was_sealed_may_be_something_else() -> None:
    for content in (b"no json", b"{}", b"[]"):
        with pytest.raises(SealBroken, match="no credentials"):
            open_credentials(CIPHER.seal(content, purpose=MINE), cipher=CIPHER, purpose=MINE)


def test_heavy_libraries_come_with_the_first_call() -> None:
    """Whoever only starts the program, and every worker, does without them."""
    rooms = "cosbatch.wiring, cosbatch.identity.sts_aws, cosbatch.identity.sts_tencent, cosbatch.service.roles"
    heavy = ("botocore", "tencentcloud", "cryptography")
    asked = f"import sys, {rooms}; print(*[name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
